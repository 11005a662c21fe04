package crl

import (
	"bytes"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math/big"
	"testing"
	"testing/iotest"
)

// seeds adds lists of several kinds to a target.
func seeds(f *testing.F) {
	f.Helper()
	a := newAuthority(f, "Test CA", ecKey())
	f.Add(a.list(f, x509.RevocationList{RevokedCertificateEntries: []x509.RevocationListEntry{revoked(5, 1), revoked(6, 0)}}))
	f.Add(a.list(f, x509.RevocationList{}))
	other := seq(wrap(0xa4, a.cert.RawSubject[:len(a.cert.RawSubject):len(a.cert.RawSubject)]))
	f.Add(a.raw(f, raw{version: []byte{2, 1, 1}, entries: rawEntry([]byte{9}, utc(noon), seq(reasonExt(6), ext(oidCertificateIssuer, true, other))), extensions: indirect()}))
	f.Add(a.raw(f, raw{entries: rawEntry([]byte{9}, []byte("\x18\x1120260302120000.5Z"), seq(ext(oidInvalidityDate, false, []byte("\x18\x0f20250102030405Z"))))}))
	f.Add(a.raw(f, raw{version: []byte{2, 1, 1}, extensions: seq(ext(oidNumber, false, []byte{2, 1, 5}), ext(oidDeltaIndicator, true, []byte{2, 1, 3}),
		ext(oidIssuingPoint, true, seq(wrap(0xa0, wrap(0xa0, wrap(0x86, []byte("http://a.example/1")))), []byte{0x83, 2, 1, 6})))}))
	f.Add([]byte("-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----\n"))
}

// FuzzParse reads anything as a list: in pieces and whole it is the same, and what was visited is found in the index.
func FuzzParse(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := DER(bytes.NewReader(data))
		if err != nil {
			return
		}
		if data, err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
		var serials []*big.Int
		var issuers [][]byte
		l, err := Parse(iotest.HalfReader(bytes.NewReader(data)), func(e *Entry) error {
			serial := new(big.Int).SetBytes(e.Serial)
			if e.Serial[0] >= 0x80 {
				serial.Sub(serial, new(big.Int).Lsh(big.NewInt(1), uint(8*len(e.Serial))))
			}
			serials, issuers = append(serials, serial), append(issuers, e.Issuer)
			return nil
		})
		x, packErr := PackBytes(data)
		if (err == nil) != (packErr == nil) {
			t.Fatalf("in pieces %v, whole %v", err, packErr)
		}
		if err != nil {
			if !errors.Is(err, ErrMalformed) {
				t.Fatalf("not ErrMalformed: %v", err)
			}
			return
		}
		if got := x.List(); l.Digest != got.Digest || !bytes.Equal(l.tbsDigest, got.tbsDigest) || l.ThisUpdate.Unix() != got.ThisUpdate.Unix() || (l.Unusable == nil) != (got.Unusable == nil) {
			t.Fatalf("list %+v, its index %+v", l, got)
		}
		for i, serial := range serials {
			issuer := issuers[i]
			if issuer == nil {
				issuer = l.Issuer
			}
			if found, err := x.Lookup(serial, issuer); err != nil || found == nil {
				t.Fatalf("serial number %x is not found: %v", serial, err)
			}
		}
		cert := &x509.Certificate{RawIssuer: l.Issuer}
		l.Covers(cert, ImplicitPoint(cert))
	})
}

// FuzzIndex opens anything as an index. The checksums are made right, so that what is behind them is reached.
func FuzzIndex(f *testing.F) {
	a := newAuthority(f, "Test CA", ecKey())
	for _, n := range []int{0, 3, 50} {
		var buf bytes.Buffer
		if _, err := Pack(bytes.NewReader(a.large(f, n)), &buf, func(*List) (Digest, error) { return Digest{}, nil }); err != nil {
			f.Fatal(err)
		}
		f.Add(buf.Bytes(), []byte{1})
	}
	f.Fuzz(func(t *testing.T, data, serial []byte) {
		data = bytes.Clone(data)
		mendIndex(data)
		x, err := openBytes(data)
		if err != nil {
			return
		}
		x.Lookup(new(big.Int).SetBytes(serial), x.List().Issuer)
	})
}

// mendIndex puts right checksums into what may be an index.
func mendIndex(data []byte) {
	if len(data) < headSize+trailerSize {
		return
	}
	end := data[len(data)-trailerSize:]
	var t trailer
	t.decode(end)
	if t.metaSize >= 1<<20 || t.entries >= 1<<20 || t.width > maxSerial || t.bits > 20 {
		return
	}
	if from := t.size() - trailerSize - int64(t.metaSize); t.size() == int64(len(data)) && from > 0 {
		meta := data[from : from+int64(t.metaSize)]
		dir := data[from-dirEntry<<t.bits : from]
		at := int64(headSize)
		before := uint32(0)
		for ; len(dir) > 0; dir = dir[dirEntry:] {
			to := binary.LittleEndian.Uint32(dir)
			n := int64(to-before) * int64(t.recordSize())
			if to < before || at+n > from {
				break
			}
			binary.LittleEndian.PutUint32(dir[4:], crc32.Checksum(data[at:at+n], castagnoli))
			at, before = at+n, to
		}
		t.dirCRC, t.metaCRC = crc32.Checksum(data[from-dirEntry<<t.bits:from], castagnoli), crc32.Checksum(meta, castagnoli)
	}
	copy(end, t.encode())
}

// FuzzReference reads anything as a reference; what it accepts, it writes again in the same way.
func FuzzReference(f *testing.F) {
	good, err := (&reference{URL: "http://crl.example/a", ETag: `"x"`, Name: "00-11", Checked: noon}).encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(refHead + "00000000\n{}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if line, text, ok := bytes.Cut(data, []byte("\n")); ok && len(line) > 0 { // a right checksum, so that what is behind it is reached
			data = fmt.Appendf(nil, "%s%08x\n%s", refHead, crc32.Checksum(bytes.TrimSuffix(text, []byte("\n")), castagnoli), text)
		}
		r, err := decodeReference(data)
		if err != nil {
			return
		}
		again, err := r.encode()
		if err != nil {
			return // a time that JSON cannot write
		}
		if s, err := decodeReference(again); err != nil || s.URL != r.URL || s.Name != r.Name || !s.Checked.Equal(r.Checked) {
			t.Fatalf("%+v, then %+v, %v", r, s, err)
		}
	})
}
