package crl

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"crypto/x509/pkix"
)

// packed writes the index of a list to a file.
func packed(t *testing.T, der []byte, a authority) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "list.idx")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := Pack(bytes.NewReader(der), f, func(l *List) (Digest, error) {
		return sha256.Sum256(a.cert.RawSubjectPublicKeyInfo), l.CheckSigner(a.cert)
	}); err != nil {
		t.Fatal(err)
	}
	return path
}

// readerOnly opens an index as on systems where files are not mapped.
func readerOnly(t *testing.T, data []byte) (*Index, error) {
	t.Helper()
	x := &Index{r: bytes.NewReader(data)}
	return x, x.open(x.r, int64(len(data)))
}

// everything is a list with all that an index has to keep.
func everything(t *testing.T) (a authority, der []byte) {
	t.Helper()
	a = newAuthority(t, "Test CA", ecKey())
	entries := []x509.RevocationListEntry{revoked(0, 1), revoked(1, 6), revoked(300, 0), revoked(301, 8)}
	other := seq(wrap(0xa4, newAuthority(t, "Other CA", ecKey()).cert.RawSubject))
	entries = append(entries, revoked(500, 5), revoked(501, 0))
	entries[4].ExtraExtensions = []pkix.Extension{extend(asn1.ObjectIdentifier{2, 5, 29, 29}, true, other)}
	return a, a.list(t, x509.RevocationList{
		RevokedCertificateEntries: entries, Number: big.NewInt(1 << 40), ThisUpdate: noon, NextUpdate: noon.AddDate(0, 1, 0),
		ExtraExtensions: []pkix.Extension{
			extend(asn1.ObjectIdentifier{2, 5, 29, 28}, true, seq([]byte{0x84, 1, 0xff})),
			extend(asn1.ObjectIdentifier{2, 5, 29, 60}, false, []byte("\x18\x0f20200101000000Z")),
			extend(asn1.ObjectIdentifier{2, 5, 29, 46}, false, seq(seq(wrap(0xa0, wrap(0xa0, wrap(0x86, []byte("http://a.example/d"))))))),
		},
	})
}

// checkEverything looks up all that is in the list of everything, and what is not. An entry that is found must be right; damage may keep
// it from being found, but says so.
func checkEverything(x *Index, ours, theirs []byte) error {
	for serial, reason := range map[int64]int{0: 1, 1: 6, 300: NoReason, 301: 8, 500: 5, 501: NoReason, 2: -2, 299: -2, 1 << 30: -2} {
		issuer, wrong := ours, theirs
		if serial >= 500 && serial < 1000 {
			issuer, wrong = theirs, ours
		}
		f, err := x.Lookup(big.NewInt(serial), issuer)
		switch {
		case err != nil:
			return err
		case f == nil && reason != -2, f != nil && (f.Reason != reason || !f.Revoked.Equal(noon.Add(-time.Duration(serial)*time.Hour))):
			return fmt.Errorf("serial number %d: %+v, want reason %d", serial, f, reason)
		}
		if f, err := x.Lookup(big.NewInt(serial), wrong); err != nil || f != nil {
			return fmt.Errorf("serial number %d of another issuer: %+v, %w", serial, f, err)
		}
	}
	return nil
}

func TestIndex(t *testing.T) {
	t.Parallel()
	a, der := everything(t)
	other := newAuthority(t, "Other CA", rsaKey())
	path := packed(t, der, a)
	x, err := OpenIndex(path)
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	y, err := readerOnly(t, data)
	if err != nil {
		t.Fatal(err)
	}
	for name, x := range map[string]*Index{"mapped": x, "read": y} {
		if err := checkEverything(x, a.cert.RawSubject, other.cert.RawSubject); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		l, want := x.List(), parseAll(t, der)
		if l.Digest != want.Digest || l.Number.Cmp(want.Number) != 0 || !l.ThisUpdate.Equal(noon) || !l.NextUpdate.Equal(want.NextUpdate) || l.Entries != 6 ||
			!l.ExpiredFrom.Equal(want.ExpiredFrom) || len(l.Freshest) != 1 || !l.Point.Indirect || l.Size != int64(len(der)) || l.Version != 2 || !l.foreign {
			t.Errorf("%s: %+v, want %+v", name, l, want)
		}
		if err := l.CheckSigner(a.cert); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if !x.SignedBy(a.cert) || x.SignedBy(other.cert) || x.Size() != int64(len(data)) {
			t.Errorf("%s: signer or size", name)
		}
	}
}

// TestSerials looks up numbers of all lengths and signs.
func TestSerials(t *testing.T) {
	t.Parallel()
	a := newAuthority(t, "Test CA", ecKey())
	var entries []byte
	for _, serial := range [][]byte{{0}, {1}, {0x7f}, {0, 0x80}, {0x81}, {0xff, 0x80, 0x01}, {0, 0xff, 0xff}, bytes.Repeat([]byte{0x55}, 20), bytes.Repeat([]byte{0x77}, maxSerial)} {
		entries = append(entries, rawEntry(serial, utc(noon), nil)...)
	}
	x, err := PackBytes(a.raw(t, raw{entries: entries}))
	if err != nil {
		t.Fatal(err)
	}
	huge := new(big.Int).Lsh(big.NewInt(1), 8*maxSerial)
	for _, test := range []struct {
		serial *big.Int
		found  bool
	}{
		{big.NewInt(0), true}, {big.NewInt(1), true}, {big.NewInt(0x7f), true}, {big.NewInt(0x80), true}, {big.NewInt(-0x80), false}, {big.NewInt(0x81), false},
		{big.NewInt(-0x7f), true}, {big.NewInt(-1), false}, {big.NewInt(-0x7fff), true}, {big.NewInt(0x8001), false}, {big.NewInt(0xffff), true}, {new(big.Int).SetBytes(bytes.Repeat([]byte{0x55}, 20)), true},
		{new(big.Int).SetBytes(bytes.Repeat([]byte{0x77}, maxSerial)), true}, {big.NewInt(2), false}, {big.NewInt(-2), false}, {big.NewInt(0x5555), false},
		{new(big.Int).SetBytes(bytes.Repeat([]byte{0x55}, 19)), false}, {new(big.Int).SetBytes(bytes.Repeat([]byte{0x55}, 21)), false}, {huge, false}, {new(big.Int).Neg(huge), false},
	} {
		if f, err := x.Lookup(test.serial, a.cert.RawSubject); err != nil || test.found != (f != nil) {
			t.Errorf("%x: %+v, %v", test.serial, f, err)
		}
	}
}

// TestDamagedIndex flips every byte of an index file, and cuts it off everywhere: no wrong answer comes out of it.
func TestDamagedIndex(t *testing.T) {
	t.Parallel()
	a, der := everything(t)
	theirs := newAuthority(t, "Other CA", ecKey()).cert.RawSubject
	data, err := os.ReadFile(packed(t, der, a))
	if err != nil {
		t.Fatal(err)
	}
	for i := range data {
		for _, flip := range []byte{0x01, 0x80, 0xff} {
			bad := bytes.Clone(data)
			bad[i] ^= flip
			x, err := readerOnly(t, bad)
			if err == nil {
				err = checkEverything(x, a.cert.RawSubject, theirs)
			}
			if !errors.Is(err, ErrCorrupt) {
				t.Fatalf("byte %d: %v", i, err)
			}
		}
	}
	for n := range data {
		if _, err := openBytes(data[:n]); !errors.Is(err, ErrCorrupt) {
			t.Fatalf("first %d bytes: %v", n, err)
		}
	}
	if _, err := openBytes(append(bytes.Clone(data), 0)); !errors.Is(err, ErrCorrupt) {
		t.Errorf("a byte behind: %v", err)
	}
	if _, err := OpenIndex(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

// TestCutWhileOpen has another program cut the file off while it is in use.
func TestCutWhileOpen(t *testing.T) {
	t.Parallel()
	a := newAuthority(t, "Test CA", ecKey())
	path := packed(t, a.large(t, 20_000), a)
	x, err := OpenIndex(path)
	if err != nil {
		t.Fatal(err)
	}
	serial := new(big.Int).SetBytes(largeSerial(5))
	if f, err := x.Lookup(serial, a.cert.RawSubject); err != nil || f == nil {
		t.Fatalf("%+v, %v", f, err)
	}
	if err := os.Truncate(path, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := x.Lookup(serial, a.cert.RawSubject); !errors.Is(err, ErrCorrupt) {
		t.Errorf("%v", err)
	}
}

// TestLargeIndex finds every one of many entries, and none of as many others.
func TestLargeIndex(t *testing.T) {
	t.Parallel()
	a := newAuthority(t, "Test CA", ecKey())
	const n = 60_000
	x, err := OpenIndex(packed(t, a.large(t, n), a))
	if err != nil {
		t.Fatal(err)
	}
	for i := range 2 * n {
		f, err := x.Lookup(new(big.Int).SetBytes(largeSerial(i)), a.cert.RawSubject)
		want := NoReason
		if i%3 == 0 {
			want = OnHold
		}
		if err != nil || (f != nil) != (i < n) || f != nil && (f.Reason != want || !f.Revoked.Equal(noon)) {
			t.Fatalf("entry %d: %+v, %v", i, f, err)
		}
	}
}

func TestPackErrors(t *testing.T) {
	t.Parallel()
	a := newAuthority(t, "Test CA", ecKey())
	der := a.list(t, x509.RevocationList{RevokedCertificateEntries: []x509.RevocationListEntry{revoked(7, 1)}})
	refused := errors.New("refused")
	var out bytes.Buffer
	if _, err := Pack(bytes.NewReader(der), &out, func(*List) (Digest, error) { return Digest{}, refused }); err != refused || out.Len() > 0 {
		t.Errorf("refused: %v, %d bytes written", err, out.Len())
	}
	for room := range 20 {
		if _, err := Pack(bytes.NewReader(der), &fullDisk{room * 500}, func(*List) (Digest, error) { return Digest{}, nil }); err != errFull && room < 4 {
			t.Errorf("disk full after %d bytes: %v", room*500, err)
		}
	}
	var entries []byte
	for i := range 200 { // names of 30 KiB each: 6 MB
		name := seq(wrap(0x31, seq([]byte{6, 3, 0x55, 4, 3}, wrap(12, bytes.Repeat([]byte{'a' + byte(i%26)}, 30<<10+i)))))
		entries = append(entries, rawEntry([]byte{1, byte(i)}, utc(noon), seq(ext(oidCertificateIssuer, true, seq(wrap(0xa4, name)))))...)
	}
	if _, err := PackBytes(a.raw(t, raw{entries: entries, extensions: indirect()})); !errors.Is(err, ErrMalformed) {
		t.Errorf("too many issuers: %v", err)
	}
}

var errFull = errors.New("disk full")

type fullDisk struct{ room int }

func (d *fullDisk) Write(p []byte) (int, error) {
	if len(p) > d.room {
		return 0, errFull
	}
	d.room -= len(p)
	return len(p), nil
}
