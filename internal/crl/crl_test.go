package crl

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"os"
	"os/exec"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/eidkit/eidkit/internal/certs"
)

// belgian is a list of Citizen CA 201631 as it was published.
const belgian = "../../../shared/data/crl/eidc201631.crl"

func TestBelgian(t *testing.T) {
	t.Parallel()
	der, err := os.ReadFile(belgian)
	if errors.Is(err, os.ErrNotExist) {
		t.Skip("../shared/data is not here")
	}
	if err != nil {
		t.Fatal(err)
	}
	comparePeer(t, der)
	x, err := PackBytes(der)
	if err != nil {
		t.Fatal(err)
	}
	l := x.List()
	if l.Entries != 9257 || l.Number.Int64() != 4321 || certs.NameString(l.Issuer) != "serialNumber=201631,CN=Citizen CA,C=BE" || l.Unusable != nil ||
		l.AlgorithmError != nil || l.Algorithm.String() != "RSASSA-PKCS1-v1_5 with SHA-256" && l.Algorithm.Hash != crypto.SHA256 {
		t.Errorf("%d entries, number %v, issuer %s, %v, %v", l.Entries, l.Number, certs.NameString(l.Issuer), l.Unusable, l.Algorithm)
	}
	serial, _ := new(big.Int).SetString("100000000000000565FAF0DD68B37EDD", 16)
	f, err := x.Lookup(serial, l.Issuer)
	if err != nil || f == nil || f.Reason != OnHold || !f.Revoked.Equal(time.Date(2016, 9, 9, 7, 58, 2, 0, time.UTC)) {
		t.Errorf("card on hold: %+v, %v", f, err)
	}
	if f, err = x.Lookup(serial.Add(serial, big.NewInt(1)), l.Issuer); err != nil || f != nil {
		t.Errorf("card not listed: %+v, %v", f, err)
	}
}

// comparePeer has crypto/x509 read the list as well, and wants the same of every entry, from reading in pieces and from the index.
func comparePeer(t *testing.T, der []byte) {
	t.Helper()
	want, err := x509.ParseRevocationList(der)
	if err != nil {
		t.Fatalf("crypto/x509: %v", err)
	}
	for name, r := range map[string]io.Reader{"whole": bytes.NewReader(der), "halves": iotest.HalfReader(bytes.NewReader(der)), "late end": iotest.DataErrReader(bytes.NewReader(der))} {
		i := 0
		l, err := Parse(r, func(e *Entry) error {
			w := want.RevokedCertificateEntries[i]
			i++
			reason := w.ReasonCode
			if reason == 0 {
				reason = NoReason
			}
			if new(big.Int).SetBytes(e.Serial).Cmp(w.SerialNumber) != 0 || e.Revoked != w.RevocationTime.Unix() || e.Reason != reason {
				return fmt.Errorf("entry %d: %x %v %d, want %x %v %d", i, e.Serial, time.Unix(e.Revoked, 0), e.Reason, w.SerialNumber, w.RevocationTime, reason)
			}
			return nil
		})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if i != len(want.RevokedCertificateEntries) || l.Entries != i || !l.ThisUpdate.Equal(want.ThisUpdate) || !l.NextUpdate.Equal(want.NextUpdate) ||
			l.Number.Cmp(want.Number) != 0 || !bytes.Equal(l.AuthorityKeyID, want.AuthorityKeyId) || !bytes.Equal(l.Issuer, want.RawIssuer) ||
			l.Size != int64(len(der)) || l.Digest != sum(der) {
			t.Errorf("%s: %+v", name, l)
		}
		h := l.Algorithm.Hash.New()
		h.Write(want.RawTBSRevocationList)
		if !bytes.Equal(h.Sum(nil), l.tbsDigest) || !bytes.Equal(l.signature, want.Signature) {
			t.Errorf("%s: digest %x of the signed part, signature %x", name, l.tbsDigest, l.signature)
		}
	}
	x, err := PackBytes(der)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range want.RevokedCertificateEntries {
		f, err := x.Lookup(w.SerialNumber, want.RawIssuer)
		if err != nil || f == nil || !f.Revoked.Equal(w.RevocationTime) || max(f.Reason, 0) != w.ReasonCode {
			t.Fatalf("index: %x: %+v, %v", w.SerialNumber, f, err)
		}
	}
}

func sum(b []byte) Digest {
	var d Digest
	h := crypto.SHA256.New()
	h.Write(b)
	h.Sum(d[:0])
	return d
}

// TestPeers reads lists of all sizes around those of the pieces, made by crypto/x509, and has openssl accept what we accept.
func TestPeers(t *testing.T) {
	t.Parallel()
	for _, key := range []crypto.Signer{ecKey(), rsaKey()} {
		a := newAuthority(t, "Test CA", key)
		for _, n := range []int{0, 1, 2, 600, 20_000} {
			var entries []x509.RevocationListEntry
			for i := range n {
				entries = append(entries, revoked(int64(i)*7919, []int{0, 1, 6, 5}[i%4]))
			}
			der := a.list(t, x509.RevocationList{RevokedCertificateEntries: entries})
			comparePeer(t, der)
			l, err := Parse(bytes.NewReader(der), nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := l.CheckSigner(a.cert); err != nil {
				t.Errorf("%d entries: %v", n, err)
			}
		}
		der := a.large(t, 20_000)
		comparePeerSize(t, der, 20_000)
		if l, err := Parse(bytes.NewReader(der), nil); err != nil || l.CheckSigner(a.cert) != nil {
			t.Errorf("large list: %v", err)
		}
	}
}

func comparePeerSize(t *testing.T, der []byte, n int) {
	t.Helper()
	l, err := x509.ParseRevocationList(der)
	if err != nil || len(l.RevokedCertificateEntries) != n {
		t.Fatalf("crypto/x509: %v", err)
	}
	for at := range 64 { // so that entries lie differently on the border between two pieces
		i := 0
		r := io.MultiReader(bytes.NewReader(der[:at]), bytes.NewReader(der[at:]))
		if _, err := Parse(iotest.HalfReader(r), func(e *Entry) error { i++; return nil }); err != nil || i != n {
			t.Fatalf("%d entries, %v", i, err)
		}
	}
}

func TestOpenSSL(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("openssl"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("openssl is not installed")
		}
		t.Skip("openssl is not installed")
	}
	a := newAuthority(t, "Test CA", rsaKey())
	der := a.large(t, 300)
	cmd := exec.Command("openssl", "crl", "-inform", "DER", "-noout", "-text")
	cmd.Stdin = bytes.NewReader(der)
	text, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	i := 0
	if _, err := Parse(bytes.NewReader(der), func(e *Entry) error {
		i++
		if !strings.Contains(string(text), fmt.Sprintf("Serial Number: %X\n", e.Serial)) {
			return fmt.Errorf("openssl does not list %X", e.Serial)
		}
		return nil
	}); err != nil || i != strings.Count(string(text), "Serial Number:") {
		t.Errorf("%d entries, %v", i, err)
	}
}

func TestSigners(t *testing.T) {
	t.Parallel()
	a := newAuthority(t, "Test CA", ecKey())
	l := parseAll(t, a.list(t, x509.RevocationList{}))
	unable := a.cert
	for name, test := range map[string]struct {
		signer *x509.Certificate
		want   error
	}{
		"issuer":          {a.cert, nil},
		"another key":     {newAuthority(t, "Test CA", rsaKey()).cert, ErrSigner},
		"another name":    {newAuthority(t, "Other CA", ecKey()).cert, ErrSigner},
		"spelt otherwise": {newAuthority(t, "  test  ca ", ecKey()).cert, nil},
	} {
		if err := l.CheckSigner(test.signer); !errors.Is(err, test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	template := *unable
	template.KeyUsage = x509.KeyUsageCertSign
	if err := l.CheckSigner(newAuthorityFrom(t, &template, ecKey()).cert); !errors.Is(err, ErrSigner) {
		t.Errorf("key that may not sign lists: %v", err)
	}
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ed := newAuthority(t, "Test CA", edKey)
	if l := parseAll(t, ed.list(t, x509.RevocationList{RevokedCertificateEntries: []x509.RevocationListEntry{revoked(5, 1)}})); l.CheckSigner(ed.cert) != nil || l.CheckSigner(a.cert) == nil {
		t.Error("Ed25519")
	}
}

func parseAll(t *testing.T, der []byte) *List {
	t.Helper()
	l, err := Parse(bytes.NewReader(der), nil)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// TestTampered flips every bit of a list in turn.
func TestTampered(t *testing.T) {
	t.Parallel()
	a := newAuthority(t, "Test CA", ecKey())
	der := a.list(t, x509.RevocationList{RevokedCertificateEntries: []x509.RevocationListEntry{revoked(77, 6), revoked(78, 0)}})
	for i := range der {
		for bit := range 8 {
			bad := bytes.Clone(der)
			bad[i] ^= 1 << bit
			x, err := PackBytes(bad)
			if err != nil {
				continue
			}
			if err := x.List().CheckSigner(a.cert); err == nil {
				t.Errorf("byte %d, bit %d: accepted", i, bit)
			}
		}
	}
	for n := range der {
		if _, err := Parse(bytes.NewReader(der[:n]), nil); !errors.Is(err, ErrMalformed) {
			t.Errorf("first %d bytes: %v", n, err)
		}
	}
}

func TestMalformed(t *testing.T) {
	t.Parallel()
	a := newAuthority(t, "Test CA", ecKey())
	good := raw{version: []byte{2, 1, 1}, next: utc(noon.AddDate(0, 0, 7)), entries: rawEntry([]byte{9}, utc(noon), nil)}
	whole := a.raw(t, good)
	with := func(change func(*raw)) []byte {
		r := good
		change(&r)
		return a.raw(t, r)
	}
	for name, der := range map[string][]byte{
		"empty":               {},
		"page":                []byte("<!DOCTYPE html><html>not found</html>"),
		"text":                []byte("404"),
		"data behind":         append(bytes.Clone(whole), 0),
		"indefinite":          append([]byte{0x30, 0x80}, whole[3:]...),
		"a certificate":       a.cert.Raw,
		"version 3":           with(func(r *raw) { r.version = []byte{2, 1, 2} }),
		"no thisUpdate":       with(func(r *raw) { r.this = []byte{5, 0} }),
		"bad thisUpdate":      with(func(r *raw) { r.this = []byte{tagUTCTime, 3, '1', '2', 'Z'} }),
		"empty serial":        with(func(r *raw) { r.entries = seq([]byte{2, 0}, utc(noon)) }),
		"long serial":         with(func(r *raw) { r.entries = rawEntry(make([]byte, maxSerial+1), utc(noon), nil) }),
		"entry without date":  with(func(r *raw) { r.entries = seq([]byte{2, 1, 9}) }),
		"entry with text":     with(func(r *raw) { r.entries = seq([]byte{2, 1, 9}, []byte("\x0c\x0dtwenty twenty")) }),
		"month 13":            with(func(r *raw) { r.entries = rawEntry([]byte{9}, []byte("\x17\x0d261302120000Z"), nil) }),
		"30 February":         with(func(r *raw) { r.entries = rawEntry([]byte{9}, []byte("\x17\x0d260230120000Z"), nil) }),
		"hour 24":             with(func(r *raw) { r.entries = rawEntry([]byte{9}, []byte("\x17\x0d260228240000Z"), nil) }),
		"entry no sequence":   with(func(r *raw) { r.entries = []byte{2, 1, 9} }),
		"data behind entry":   with(func(r *raw) { r.entries = rawEntry([]byte{9}, utc(noon), append(seq(), 5, 0)) }),
		"extension twice":     with(func(r *raw) { r.entries = rawEntry([]byte{9}, utc(noon), seq(reasonExt(1), reasonExt(1))) }),
		"nine extensions":     with(func(r *raw) { r.entries = rawEntry([]byte{9}, utc(noon), seq(bytes.Repeat(reasonExt(1), 9))) }),
		"malformed reason":    with(func(r *raw) { r.entries = rawEntry([]byte{9}, utc(noon), seq(ext(oidReason, false, []byte{4, 1, 1}))) }),
		"huge entry":          with(func(r *raw) { r.entries = seq(make([]byte, maxElement)) }),
		"malformed extension": with(func(r *raw) { r.entries = rawEntry([]byte{9}, utc(noon), seq([]byte{5, 0})) }),
	} {
		if _, err := Parse(bytes.NewReader(der), func(*Entry) error { return nil }); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	broken := errors.New("disk")
	if _, err := Parse(io.MultiReader(bytes.NewReader(whole[:50]), iotest.ErrReader(broken)), nil); !errors.Is(err, broken) {
		t.Errorf("error of the reader: %v", err)
	}
	if _, err := Parse(bytes.NewReader(whole), func(*Entry) error { return broken }); err != broken {
		t.Errorf("error of the visitor: %v", err)
	}
}

// ext is an encoded extension.
func ext(oid string, critical bool, value []byte) []byte {
	var flag []byte
	if critical {
		flag = []byte{tagBoolean, 1, 0xff}
	}
	return seq(wrap(tagOID, []byte(oid)), flag, wrap(tagOctetString, value))
}

func reasonExt(code byte) []byte { return ext(oidReason, false, []byte{tagEnumerated, 1, code}) }

// TestSloppy are lists not as RFC 5280 wants them that are plain enough all the same.
func TestSloppy(t *testing.T) {
	t.Parallel()
	a := newAuthority(t, "Test CA", ecKey())
	other := newAuthority(t, "Other CA", ecKey()).cert.RawSubject
	generalized := []byte("\x18\x0f20260302120000Z")
	for name, test := range map[string]struct {
		r      raw
		reason int
		when   time.Time
	}{
		"version 1":                  {raw{entries: rawEntry([]byte{9}, utc(noon), nil)}, NoReason, noon},
		"version 1 with extensions":  {raw{entries: rawEntry([]byte{9}, utc(noon), nil), extensions: seq(ext(oidNumber, false, []byte{2, 1, 3}))}, NoReason, noon},
		"GeneralizedTime":            {raw{this: generalized, next: generalized, entries: rawEntry([]byte{9}, generalized, nil)}, NoReason, noon},
		"no seconds":                 {raw{entries: rawEntry([]byte{9}, []byte("\x17\x0b2603021200Z"), nil)}, NoReason, noon},
		"with zone":                  {raw{entries: rawEntry([]byte{9}, []byte("\x17\x112603021300000100"), nil)}, NoReason, time.Time{}},
		"zone with sign":             {raw{entries: rawEntry([]byte{9}, []byte("\x17\x11260302130000+0100"), nil)}, NoReason, noon},
		"1999":                       {raw{entries: rawEntry([]byte{9}, []byte("\x17\x0d991231235959Z"), nil)}, NoReason, time.Date(1999, 12, 31, 23, 59, 59, 0, time.UTC)},
		"1950":                       {raw{entries: rawEntry([]byte{9}, []byte("\x17\x0d500101000000Z"), nil)}, NoReason, time.Date(1950, 1, 1, 0, 0, 0, 0, time.UTC)},
		"2049":                       {raw{entries: rawEntry([]byte{9}, []byte("\x17\x0d491231000000Z"), nil)}, NoReason, time.Date(2049, 12, 31, 0, 0, 0, 0, time.UTC)},
		"leap day":                   {raw{entries: rawEntry([]byte{9}, []byte("\x17\x0d240229000000Z"), nil)}, NoReason, time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC)},
		"year 1900":                  {raw{entries: rawEntry([]byte{9}, []byte("\x18\x0f19000101000000Z"), nil)}, NoReason, time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC)},
		"year 9999":                  {raw{entries: rawEntry([]byte{9}, []byte("\x18\x0f99991231235959Z"), nil)}, NoReason, time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)},
		"serial with zeros in front": {raw{entries: rawEntry([]byte{0, 0, 9}, utc(noon), nil)}, NoReason, noon},
		"long lengths":               {raw{entries: append([]byte{tagSequence, 0x82, 0, 18, 2, 1, 9}, utc(noon)...)}, NoReason, noon},
		"reason written out":         {raw{entries: rawEntry([]byte{9}, utc(noon), seq(seq(wrap(tagOID, []byte(oidReason)), []byte{1, 1, 0}, wrap(tagOctetString, []byte{tagEnumerated, 1, 4}))))}, 4, noon},
		"reason critical":            {raw{entries: rawEntry([]byte{9}, utc(noon), seq(ext(oidReason, true, []byte{tagEnumerated, 1, 4})))}, 4, noon},
		"reason 7":                   {raw{entries: rawEntry([]byte{9}, utc(noon), seq(reasonExt(7)))}, NoReason, noon},
		"reason 200":                 {raw{entries: rawEntry([]byte{9}, utc(noon), seq(reasonExt(200)))}, NoReason, noon},
		"invalidity date and reason": {raw{entries: rawEntry([]byte{9}, utc(noon), seq(ext(oidInvalidityDate, false, generalized), reasonExt(1)))}, 1, noon},
		"odd invalidity date":        {raw{entries: rawEntry([]byte{9}, utc(noon), seq(ext(oidInvalidityDate, false, []byte{5, 0})))}, NoReason, noon},
		"unknown extension":          {raw{entries: rawEntry([]byte{9}, utc(noon), seq(ext("\x2a\x03", false, []byte{5, 0})))}, NoReason, noon},
		"empty extensions":           {raw{entries: rawEntry([]byte{9}, utc(noon), seq())}, NoReason, noon},
		"listed twice":               {raw{entries: append(rawEntry([]byte{9}, utc(noon), seq(reasonExt(6))), rawEntry([]byte{9}, utc(noon.AddDate(0, 0, 1)), seq(reasonExt(1)))...)}, 1, noon.AddDate(0, 0, 1)},
		"and twice the same":         {raw{entries: append(rawEntry([]byte{9}, utc(noon.AddDate(0, 0, 1)), nil), rawEntry([]byte{9}, utc(noon), nil)...)}, NoReason, noon},
		"certificate issuer is ours": {raw{entries: rawEntry([]byte{9}, utc(noon), seq(ext(oidCertificateIssuer, true, seq(wrap(0xa4, a.cert.RawSubject)))))}, NoReason, noon},
		"two issuers":                {raw{extensions: indirect(), entries: append(rawEntry([]byte{9}, utc(noon), nil), rawEntry([]byte{9}, utc(noon.AddDate(-1, 0, 0)), seq(ext(oidCertificateIssuer, true, seq(wrap(0xa4, other)))))...)}, NoReason, noon},
	} {
		der := a.raw(t, test.r)
		if test.when.IsZero() {
			if _, err := PackBytes(der); err == nil {
				t.Errorf("%s: no error", name)
			}
			continue
		}
		x, err := PackBytes(der)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		f, err := x.Lookup(big.NewInt(9), a.cert.RawSubject)
		if err != nil || f == nil || f.Reason != test.reason || !f.Revoked.Equal(test.when) || x.List().Unusable != nil {
			t.Errorf("%s: %+v, %v, %v", name, f, err, x.List().Unusable)
		}
		if err := x.List().CheckSigner(a.cert); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// indirect are the extensions of an indirect list.
func indirect() []byte { return seq(ext(oidIssuingPoint, true, seq([]byte{0x84, 1, 0xff}))) }

func TestInvalidityDate(t *testing.T) {
	t.Parallel()
	a := newAuthority(t, "Test CA", ecKey())
	der := a.raw(t, raw{entries: rawEntry([]byte{9}, utc(noon), seq(ext(oidInvalidityDate, false, []byte("\x18\x0f20250102030405Z"))))})
	var got Entry
	if _, err := Parse(bytes.NewReader(der), func(e *Entry) error { got = *e; return nil }); err != nil {
		t.Fatal(err)
	}
	if want := time.Date(2025, 1, 2, 3, 4, 5, 0, time.UTC).Unix(); !got.HasInvalid || got.Invalid != want {
		t.Errorf("%+v", got)
	}
}

// TestUnusable are lists that are well signed and prove nothing.
func TestUnusable(t *testing.T) {
	t.Parallel()
	a := newAuthority(t, "Test CA", ecKey())
	other := seq(wrap(0xa4, newAuthority(t, "Other CA", ecKey()).cert.RawSubject))
	entry := func(extensions ...[]byte) raw {
		return raw{version: []byte{2, 1, 1}, entries: rawEntry([]byte{9}, utc(noon), seq(extensions...)), extensions: indirect()}
	}
	list := func(extensions ...[]byte) raw { return raw{version: []byte{2, 1, 1}, extensions: seq(extensions...)} }
	for name, r := range map[string]raw{
		"unknown critical entry extension": entry(ext("\x2a\x03", true, []byte{5, 0})),
		"unknown critical hold":            entry(ext("\x55\x1d\x17", true, []byte{6, 1, 42})),
		"issuer without directory name":    entry(ext(oidCertificateIssuer, true, seq(wrap(0x82, []byte("ca.example"))))),
		"foreign entries, not indirect":    {entries: rawEntry([]byte{9}, utc(noon), seq(ext(oidCertificateIssuer, true, other)))},
		"unknown critical extension":       list(ext("\x2a\x03", true, []byte{5, 0})),
		"an extension twice":               list(ext(oidNumber, false, []byte{2, 1, 1}), ext(oidNumber, false, []byte{2, 1, 1})),
		"negative number":                  list(ext(oidNumber, false, []byte{2, 1, 0x80})),
		"long number":                      list(ext(oidNumber, false, wrap(2, make([]byte, 33)))),
		"number that is text":              list(ext(oidNumber, false, []byte{12, 1, '1'})),
		"malformed base":                   list(ext(oidDeltaIndicator, true, []byte{2, 0})),
		"malformed point":                  list(ext(oidIssuingPoint, true, []byte{5, 0})),
		"two kinds":                        list(ext(oidIssuingPoint, true, seq([]byte{0x81, 1, 0xff}, []byte{0x82, 1, 0xff}))),
		"point with unknown field":         list(ext(oidIssuingPoint, true, seq([]byte{0x86, 1, 0xff}))),
		"point in another order":           list(ext(oidIssuingPoint, true, seq([]byte{0x84, 1, 0xff}, []byte{0x81, 1, 0xff}))),
		"malformed freshest":               list(ext(oidFreshest, false, []byte{5, 0})),
		"malformed expired":                list(ext(oidExpiredCertsOnCRL, false, []byte{5, 0})),
		"empty extensions":                 list([]byte{5, 0}),
		"ends before it begins":            {next: utc(noon.AddDate(0, 0, -1))},
	} {
		x, err := PackBytes(a.raw(t, r))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err := x.List().Unusable; !errors.Is(err, ErrUnusable) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := x.List().Covers(a.cert, ImplicitPoint(a.cert)); !errors.Is(err, ErrUnusable) {
			t.Errorf("%s: covers: %v", name, err)
		}
	}
}

func TestAlgorithms(t *testing.T) {
	t.Parallel()
	a := newAuthority(t, "Test CA", rsaKey())
	noNull := seq([]byte{6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11})
	sha512 := seq([]byte{6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 13, 5, 0})
	unknown := seq([]byte{6, 3, 0x2a, 3, 4})
	for name, test := range map[string]struct {
		inner, outer []byte
		hash         crypto.Hash
		ok           bool
	}{
		"same":          {rsaSHA256, rsaSHA256, crypto.SHA256, true},
		"without NULL":  {noNull, noNull, crypto.SHA256, true},
		"one with NULL": {rsaSHA256, noNull, crypto.SHA256, true},
		"SHA-512":       {sha512, sha512, crypto.SHA512, true},
		"two":           {rsaSHA256, sha512, crypto.SHA256, false},
		"two, other":    {sha512, rsaSHA256, crypto.SHA256, false},
		"wrong one":     {sha512, sha512, crypto.SHA256, false},
		"unknown":       {unknown, unknown, crypto.SHA256, false},
		"of EC":         {ecdsaSHA256, ecdsaSHA256, crypto.SHA256, false},
	} {
		err := parseAll(t, a.raw(t, raw{inner: test.inner, outer: test.outer, hash: test.hash})).CheckSigner(a.cert)
		if test.ok != (err == nil) || err != nil && !errors.Is(err, ErrSigner) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestPEM(t *testing.T) {
	t.Parallel()
	a := newAuthority(t, "Test CA", ecKey())
	der := a.list(t, x509.RevocationList{})
	text := pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: der})
	for name, in := range map[string][]byte{"DER": der, "PEM": text, "PEM with space behind": append(bytes.Clone(text), "\r\n\n"...), "short": der[:4], "empty": nil} {
		r, err := DER(iotest.OneByteReader(bytes.NewReader(in)))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		want := in
		if strings.HasPrefix(name, "PEM") {
			want = der
		}
		if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
	}
	for name, in := range map[string][]byte{
		"certificate": pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), "two": append(bytes.Clone(text), text...), "cut": text[:100],
	} {
		if _, err := DER(bytes.NewReader(in)); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
