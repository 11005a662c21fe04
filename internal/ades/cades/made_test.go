package cades_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/ades/cades"
	"github.com/eidkit/eidkit/testcards/pki"
	"github.com/eidkit/eidkit/testcards/signed"
)

var text = []byte("I, the undersigned, declare that this is a test.\n")

// Every level, attached and detached, of the independent maker.
func TestLevels(t *testing.T) {
	t.Parallel()
	for _, alg := range []pki.Algorithm{pki.EC, pki.RSA} {
		p, who := person(t, alg)
		name := map[pki.Algorithm]string{pki.EC: "ECDSA with SHA-384", pki.RSA: "RSA with SHA-256"}[alg]
		for level, stamps := range map[signed.Level]string{
			signed.B: "", signed.T: "; signature true true", signed.LT: "; signature true true", signed.LTA: "; signature true true; archiveATSv3 true true; archiveATSv3 true true",
		} {
			o := signed.Options{PKI: p, Signer: who, At: signedAt, Level: level}
			if level == signed.LTA {
				o.Archive = []signed.Stamp{{At: signedAt.AddDate(1, 0, 0)}, {At: signedAt.AddDate(2, 0, 0), Hash: crypto.SHA512}}
			}
			for _, detached := range []bool{false, true} {
				raw := made(t, text, detached, o)
				list, where := read(t, raw), "attached"
				if detached {
					list, where = read(t, raw, text), "detached"
				}
				check(t, fmt.Sprint(alg, level), list, fmt.Sprintf("signer-1 CAdES %s %s %s; messageDigest true true%s", where, level, name, stamps))
				s := list[0]
				if contentOf(t, s) != string(text) || !s.CoversWholeFile || !s.SignedProperties {
					t.Errorf("%v %v: content %q, whole file %t, properties %t", alg, level, contentOf(t, s), s.CoversWholeFile, s.SignedProperties)
				}
				if !s.Signer.Equal(who.Certificate) || s.SignerID.Serial.Cmp(who.Certificate.SerialNumber) != 0 {
					t.Errorf("signer %v", s.Signer.Subject)
				}
				if len(s.CertRefs) != 1 || !s.HasCertRefs || s.CertRefs[0].Serial != nil && s.CertRefs[0].Serial.Cmp(who.Certificate.SerialNumber) != 0 {
					t.Errorf("references %+v", s.CertRefs)
				}
				if s.SigningTime == nil || !s.SigningTime.Equal(signedAt) {
					t.Errorf("signing time %v", s.SigningTime)
				}
			}
		}
	}
}

// What each time stamp proves: the next archive time stamp covers the one before, and what came in between.
func TestCovers(t *testing.T) {
	t.Parallel()
	p, who := person(t, pki.EC)
	raw := made(t, text, false, signed.Options{PKI: p, Signer: who, At: signedAt, Level: signed.LTA,
		Archive: []signed.Stamp{{At: signedAt.AddDate(1, 0, 0)}, {At: signedAt.AddDate(2, 0, 0)}}})
	s := read(t, raw)[0]
	signature, first, second := s.Timestamps[0], s.Timestamps[1], s.Timestamps[2]
	if want := []ades.Digest{ades.ObjectDigest(s.Value)}; !slices.Equal(signature.Covers, want) {
		t.Errorf("signature time stamp covers %x, want %x: the value alone, be it good or not", signature.Covers, want)
	}
	if !slices.Contains(first.Covers, ades.ObjectDigest(who.Certificate.Raw)) {
		t.Error("the first archive time stamp does not cover the signer's certificate")
	}
	if !slices.Contains(first.Covers, ades.ObjectDigest(signature.Raw)) || slices.Contains(first.Covers, ades.ObjectDigest(second.Raw)) {
		t.Error("the first archive time stamp covers the wrong tokens")
	}
	if !slices.Contains(second.Covers, ades.ObjectDigest(signature.Raw)) || !slices.Contains(second.Covers, ades.ObjectDigest(first.Raw)) {
		t.Error("the second archive time stamp covers the wrong tokens")
	}
	var covered [2]int
	for _, answer := range s.OCSPs {
		for i, ts := range []ades.Timestamp{first, second} {
			if slices.Contains(ts.Covers, ades.ObjectDigest(answer)) {
				covered[i]++
			}
		}
	}
	if covered[1] != len(s.OCSPs) || covered[0] == 0 || covered[0] >= covered[1] {
		t.Errorf("of %d answers, %v are covered", len(s.OCSPs), covered)
	}
	if !signature.GenTime.Equal(signedAt.Add(time.Minute)) || signature.Policy != p.TimestampPolicy() || signature.Accuracy != time.Second ||
		signature.Serial.Int64() != signature.GenTime.Unix() || signature.Hash != crypto.SHA256 {
		t.Errorf("%+v", signature)
	}
	if digest := sha256.Sum256(s.Value); !bytes.Equal(signature.Imprint, digest[:]) {
		t.Errorf("imprint %x", signature.Imprint)
	}
	if !signature.Token.Signer.Equal(p.TSA.Certificate) || signature.Token.Format != ades.TimestampTkn || len(signature.Token.CertRefs) != 1 {
		t.Errorf("token %+v", signature.Token)
	}
}

func TestSeveralSigners(t *testing.T) {
	t.Parallel()
	p, who := person(t, pki.EC)
	other, err := signed.Citizen(p, pki.Request{Issuer: p.ForeignerCA, Subject: pki.Subject{NationalNumber: "00000000097", Surname: "Specimen"}})
	if err != nil {
		t.Fatal(err)
	}
	counter := signed.Options{PKI: p, Signer: other, At: signedAt.Add(time.Hour), Level: signed.T}
	raw := made(t, text, false,
		signed.Options{PKI: p, Signer: who, At: signedAt, Level: signed.LTA, Counter: []signed.Options{counter}},
		signed.Options{PKI: p, Signer: other, At: signedAt, Plain: true})
	list := read(t, raw)
	check(t, "several", list, // a SET OF, so the shorter one stands first
		"signer-1 CMS attached  ECDSA with SHA-384; messageDigest true true",
		"signer-2 CAdES attached B-LTA ECDSA with SHA-384; messageDigest true true; signature true true; archiveATSv3 true true; "+
			"(signer-2-counter-1 CAdES counter-signature B-LT ECDSA with SHA-384; counterSigned true true; signature true true)")
	if len(list) != 2 || len(list[1].CounterSignatures) != 1 {
		t.FailNow()
	}
	s := list[1]
	if value := s.CounterSignatures[0]; contentOf(t, value) != string(s.Value) || value.References[0].Name != "signature signer-2" {
		t.Errorf("counter-signed %q", value.References[0].Name)
	}
	if covers := s.Timestamps[1].Covers; !slices.Contains(covers, ades.ObjectDigest(s.CounterSignatures[0].Value)) {
		t.Error("the archive time stamp does not cover the counter-signature")
	}
}

func TestProperties(t *testing.T) {
	t.Parallel()
	p, who := person(t, pki.EC)
	raw := made(t, text, true, signed.Options{PKI: p, Signer: who, At: signedAt, MIMEType: "text/plain", Policy: "2.999.5", Commitment: "1.2.840.113549.1.9.16.6.1",
		ContentStamp: signed.Stamp{At: signedAt.Add(-time.Minute)}})
	list := read(t, raw, text)
	check(t, "properties", list, "signer-1 CAdES detached B-B ECDSA with SHA-384; messageDigest true true; content true true")
	s := list[0]
	if s.MIMEType != "text/plain" || s.Policy == nil || s.Policy.ID != "2.999.5" || s.Policy.Hash != crypto.SHA256 || len(s.Policy.Digest) != 32 ||
		!slices.Equal(s.Commitments, []string{"1.2.840.113549.1.9.16.6.1"}) {
		t.Errorf("%q, %+v, %q", s.MIMEType, s.Policy, s.Commitments)
	}
}

// Of several contents each signature takes the one that fits.
func TestCandidates(t *testing.T) {
	t.Parallel()
	p, who := person(t, pki.EC)
	raw := made(t, text, true, signed.Options{PKI: p, Signer: who, At: signedAt, Level: signed.LTA})
	list := read(t, raw, []byte("one"), []byte("two"), text, []byte("four"))
	const want = "signer-1 CAdES detached B-LTA ECDSA with SHA-384; messageDigest true true; signature true true; archiveATSv3 true true"
	check(t, "third of four", list, want)
	if name := list[0].References[0].Name; name != "content-3" {
		t.Errorf("took %s", name)
	}
	check(t, "none of two", read(t, raw, []byte("one"), []byte("two")),
		"signer-1 CAdES detached B-LTA ECDSA with SHA-384; messageDigest true false; does not verify; signature true true; archiveATSv3 true false")
	check(t, "none at all", read(t, raw), "signer-1 CAdES detached B-LTA ECDSA with SHA-384; messageDigest false false; does not verify; signature true true; archiveATSv3 false false")

	digest := func(h crypto.Hash, b []byte) []byte { s := h.New(); s.Write(b); return s.Sum(nil) }
	for _, test := range []struct {
		digests map[crypto.Hash][]byte
		want    string
	}{
		{map[crypto.Hash][]byte{crypto.SHA384: digest(crypto.SHA384, text), crypto.SHA256: digest(crypto.SHA256, text)}, want},
		{map[crypto.Hash][]byte{crypto.SHA384: digest(crypto.SHA384, text)},
			"signer-1 CAdES detached B-LTA ECDSA with SHA-384; messageDigest true true; signature true true; archiveATSv3 false false"},
		{map[crypto.Hash][]byte{crypto.SHA256: digest(crypto.SHA256, text)},
			"signer-1 CAdES detached B-LTA ECDSA with SHA-384; messageDigest false false; does not verify; signature true true; archiveATSv3 true true"},
		{map[crypto.Hash][]byte{crypto.SHA384: digest(crypto.SHA384, []byte("x"))},
			"signer-1 CAdES detached B-LTA ECDSA with SHA-384; messageDigest true false; does not verify; signature true true; archiveATSv3 false false"},
	} {
		list, err := cades.Read(context.Background(), ades.Input{File: file("message", raw), Detached: []ades.Content{{File: ades.File{Name: "kept"}, Digests: test.digests}}})
		if err != nil {
			t.Fatal(err)
		}
		check(t, "digests alone", list, test.want)
	}

	attached := made(t, text, false, signed.Options{PKI: p, Signer: who, At: signedAt})
	check(t, "the same beside", read(t, attached, text), "signer-1 CAdES attached B-B ECDSA with SHA-384; messageDigest true true")
	check(t, "another beside", read(t, attached, []byte("x")), "signer-1 CAdES attached B-B ECDSA with SHA-384; messageDigest true true; OTHER_CONTENT")
}

func opener(b []byte) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }
}

func TestReadCMS(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	p, who := person(t, pki.EC)
	detached := made(t, text, true, signed.Options{PKI: p, Signer: who, At: signedAt, Level: signed.T})
	padded := append(bytes.Clone(detached), make([]byte, 1000)...)
	list, err := cades.ReadCMS(ctx, padded, opener(text), cades.Options{ID: "Field1", Name: "bytes 0-9"})
	if err != nil {
		t.Fatal(err)
	}
	check(t, "padded", list, "Field1 CAdES detached B-T ECDSA with SHA-384; messageDigest true true; signature true true")
	if list[0].References[0].Name != "bytes 0-9" {
		t.Error(list[0].References[0].Name)
	}
	list, err = cades.ReadCMS(ctx, append(padded, 1), nil, cades.Options{})
	if err != nil {
		t.Fatal(err)
	}
	check(t, "something behind", list, "signer-1 CAdES detached B-T ECDSA with SHA-384; messageDigest false false; does not verify; ENCODING_ODDITY; signature true true")

	// The content given is what must be signed, even if the message brings another.
	attached := made(t, text, false, signed.Options{PKI: p, Signer: who, At: signedAt})
	list, err = cades.ReadCMS(ctx, attached, opener([]byte("x")), cades.Options{})
	if err != nil {
		t.Fatal(err)
	}
	check(t, "attached, other given", list, "signer-1 CAdES attached B-B ECDSA with SHA-384; messageDigest true false; does not verify")

	trouble := errors.New("disk on fire")
	if _, err := cades.ReadCMS(ctx, detached, func() (io.ReadCloser, error) { return nil, trouble }, cades.Options{}); !errors.Is(err, trouble) {
		t.Error(err)
	}
	stopped, stop := context.WithCancel(ctx)
	stop()
	if _, err := cades.ReadCMS(stopped, detached, opener(text), cades.Options{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// adbe.pkcs7.sha1: the message holds the SHA-1 of the content.
func TestSHA1Content(t *testing.T) {
	t.Parallel()
	p, who := person(t, pki.RSA)
	hashed := crypto.SHA1.New()
	hashed.Write(text)
	raw := made(t, hashed.Sum(nil), false, signed.Options{PKI: p, Signer: who, At: signedAt, Plain: true})
	for content, want := range map[string]string{
		string(text): "signer-1 CMS attached  RSA with SHA-256; content true true; messageDigest true true",
		"other":      "signer-1 CMS attached  RSA with SHA-256; content true false; messageDigest true true; does not verify",
	} {
		list, err := cades.ReadCMS(context.Background(), raw, opener([]byte(content)), cades.Options{SHA1Content: true})
		if err != nil {
			t.Fatal(err)
		}
		check(t, content, list, want)
		if got := contentOf(t, list[0]); got != content {
			t.Errorf("content %q", got)
		}
	}
}

// known is content that has its digests at hand.
type known struct {
	io.ReadCloser
	asked *[]crypto.Hash
	err   error
}

func (k known) Digest(h crypto.Hash) ([]byte, error) {
	*k.asked = append(*k.asked, h)
	return digest(h, text), k.err
}

func TestDigester(t *testing.T) {
	t.Parallel()
	p, who := person(t, pki.EC)
	raw := made(t, text, true, signed.Options{PKI: p, Signer: who, At: signedAt, Level: signed.LTA})
	var asked []crypto.Hash
	content := func(err error) func() (io.ReadCloser, error) {
		return func() (io.ReadCloser, error) {
			return known{io.NopCloser(strings.NewReader("not to be read")), &asked, err}, nil
		}
	}
	list, err := cades.ReadCMS(context.Background(), raw, content(nil), cades.Options{})
	if err != nil {
		t.Fatal(err)
	}
	check(t, "digester", list, "signer-1 CAdES detached B-LTA ECDSA with SHA-384; messageDigest true true; signature true true; archiveATSv3 true true")
	if slices.Sort(asked); !slices.Equal(asked, []crypto.Hash{crypto.SHA256, crypto.SHA384}) {
		t.Errorf("asked for %v", asked)
	}
	trouble := errors.New("disk on fire")
	if _, err := cades.ReadCMS(context.Background(), raw, content(trouble), cades.Options{}); !errors.Is(err, trouble) {
		t.Error(err)
	}
}
