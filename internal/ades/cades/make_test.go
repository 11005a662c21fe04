package cades_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/big"
	"slices"
	"testing"
	"time"

	"go.mozilla.org/pkcs7"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/ades/cades"
	"github.com/eidkit/eidkit/internal/ber"
	"github.com/eidkit/eidkit/internal/cms"
	"github.com/eidkit/eidkit/internal/sigalg"
	"github.com/eidkit/eidkit/testcards/pki"
)

var statement = []byte("Ik verklaar dat dit een proef is.\r\n")

// ecKey is a key of a curve, always the same.
func ecKey(curve elliptic.Curve) *ecdsa.PrivateKey {
	seed := sha256.Sum256([]byte("key on " + curve.Params().Name))
	wide := slices.Concat(seed[:], seed[:], seed[:2])
	d := new(big.Int).SetBytes(wide)
	d.Mod(d, new(big.Int).Sub(curve.Params().N, big.NewInt(1))).Add(d, big.NewInt(1))
	key, err := ecdsa.ParseRawPrivateKey(curve, d.FillBytes(make([]byte, (curve.Params().BitSize+7)/8)))
	if err != nil {
		panic(err)
	}
	return key
}

// hand is somebody with a kind of key.
type hand struct {
	name string
	pki  *pki.PKI
	who  *pki.Issued
	alg  sigalg.Algorithm
}

// hands are the kinds of keys: those of the cards, and the other curves.
func hands(t testing.TB) []hand {
	t.Helper()
	ec, card := person(t, pki.EC)
	rsa, older := person(t, pki.RSA)
	list := []hand{
		{"EC P-384", ec, card, algorithmOf(card.Key.Public(), false)},
		{"RSA 2048", rsa, older, algorithmOf(older.Key.Public(), false)},
		{"RSA-PSS", rsa, older, algorithmOf(older.Key.Public(), true)},
		{"RSA with SHA3-256", rsa, older, sigalg.Algorithm{Scheme: sigalg.PKCS1, Hash: crypto.SHA3_256}},
	}
	for _, curve := range []elliptic.Curve{elliptic.P256(), elliptic.P521()} {
		key := ecKey(curve)
		who, err := ec.Issue(pki.Request{Kind: pki.Signature, Key: key, Subject: pki.Subject{NationalNumber: "71715100070", Surname: "Proefkonijn", GivenNames: "Zoë"}})
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, hand{"EC " + curve.Params().Name, ec, who, algorithmOf(key.Public(), false)})
	}
	return list
}

func (h hand) making() ades.Making {
	m := makingOf(h.pki, h.who)
	m.Algorithm = h.alg
	return m
}

// Whatever is made, at every level and with every key, is read as what it is, and passes in the project's verifier.
func TestMakeLevels(t *testing.T) {
	t.Parallel()
	for i, h := range hands(t) {
		for _, detached := range []bool{false, true} {
			for level := ades.LevelB; level <= ades.LevelLTA; level++ {
				if i > 1 && (level%2 == 0) == detached {
					continue // each level once is enough for keys that no card has
				}
				name := fmt.Sprintf("%s, detached %t, %v", h.name, detached, level)
				s := newServices(h.pki, signedAt)
				r := s.raising(level)
				raw := makeMessage(t, h.making(), h.who.Key, statement, cades.MakeOptions{Detached: detached}, &r)
				var beside [][]byte
				place := "attached"
				if detached {
					beside, place = [][]byte{statement}, "detached"
				}
				want := fmt.Sprintf("signer-1 CAdES %s %v %v; messageDigest true true", place, level, h.alg)
				for l, more := range []string{"", "; signature true true", "", "; archiveATSv3 true true"} {
					if ades.Level(l) <= level {
						want += more
					}
				}
				check(t, name, read(t, raw, beside...), want)
				if e, err := ber.Parse(raw); err != nil || !e.IsDER() {
					t.Errorf("%s: not in DER (%v)", name, err)
				}
				if i > 1 {
					continue
				}
				if level >= ades.LevelLT && detached == (i == 0) {
					if rep := judged(t, h.pki, s.at.Add(time.Minute), raw, beside...); !rep.Passed() || len(rep.Signatures) != 1 {
						t.Errorf("%s: %s %s %+v", name, rep.Indication, rep.SubIndication, rep.Signatures)
					}
				}
				r = newServices(h.pki, signedAt).raising(level)
				if detached {
					continue
				}
				if again := makeMessage(t, h.making(), h.who.Key, statement, cades.MakeOptions{}, &r); !bytes.Equal(again, raw) {
					t.Errorf("%s: other bytes the second time", name)
				}
			}
		}
	}
}

// Everything that a signer may say is said and read back.
func TestMakeClaims(t *testing.T) {
	t.Parallel()
	p, who := person(t, pki.EC)
	s := newServices(p, signedAt.Add(-time.Hour))
	m := makingOf(p, who)
	m.Policy = &ades.SignaturePolicy{ID: "urn:oid:2.999.7.1", Hash: crypto.SHA256, Digest: hashOf(crypto.SHA256, []byte("policy")), URI: "https://policy.example/one"}
	m.Commitments = []string{"1.2.840.113549.1.9.16.6.1", "1.2.840.113549.1.9.16.6.5"}
	m.Roles = []string{"Zaakvoerder", "Bürgermeister"}
	m.Place = ades.Place{Street: "Teststraat 1", City: "Brussel", Province: "Brabant", PostalCode: "1000", Country: "BE"}
	m.MIMEType = "text/plain"
	m.ContentStamp = s.stamp
	raw := makeMessage(t, m, who.Key, statement, cades.MakeOptions{}, nil)
	list := read(t, raw)
	check(t, "claims", list, "signer-1 CAdES attached B-B ECDSA with SHA-384; messageDigest true true; content true true")
	sig := list[0]
	if p := sig.Policy; p == nil || p.ID != "2.999.7.1" || p.Hash != crypto.SHA256 || !bytes.Equal(p.Digest, m.Policy.Digest) || p.URI != m.Policy.URI {
		t.Errorf("policy %+v", p)
	}
	if slices.Sort(sig.Commitments); !slices.Equal(sig.Commitments, m.Commitments) || !slices.Equal(sig.Roles, m.Roles) || sig.MIMEType != m.MIMEType {
		t.Errorf("commitments %v, roles %v, type %q", sig.Commitments, sig.Roles, sig.MIMEType)
	}
	if want := "Teststraat 1, 1000, Brabant, Brussel, BE"; sig.Place != want {
		t.Errorf("place %q, want %q", sig.Place, want)
	}
	if sig.SigningTime == nil || !sig.SigningTime.Equal(signedAt) {
		t.Errorf("time %v", sig.SigningTime)
	}
	if ref := sig.CertRefs; len(ref) != 1 || ref[0].Hash != crypto.SHA384 || ref[0].Serial.Cmp(who.Certificate.SerialNumber) != 0 || !bytes.Equal(ref[0].Issuer, who.Certificate.RawIssuer) {
		t.Errorf("reference %+v", ref)
	}
	for name, change := range map[string]func(*ades.Making){
		"policy by address": func(m *ades.Making) {
			m.Policy = &ades.SignaturePolicy{ID: "https://policy.example", Hash: crypto.SHA256, Digest: make([]byte, 32)}
		},
		"policy implied": func(m *ades.Making) { m.Policy = &ades.SignaturePolicy{Implied: true} },
		"policy address": func(m *ades.Making) {
			m.Policy = &ades.SignaturePolicy{ID: "2.999", Hash: crypto.SHA256, Digest: make([]byte, 32), URI: "https://\nx"}
		},
		"policy alone":        func(m *ades.Making) { m.Policy = &ades.SignaturePolicy{ID: "2.999"} },
		"policy undigested":   func(m *ades.Making) { m.Policy = &ades.SignaturePolicy{ID: "2.999", URI: "https://policy.example"} },
		"policy digest":       func(m *ades.Making) { m.Policy = &ades.SignaturePolicy{ID: "2.999", Hash: crypto.SHA256} },
		"commitment":          func(m *ades.Making) { m.Commitments = []string{"I promise"} },
		"no time":             func(m *ades.Making) { m.Time = time.Time{} },
		"SHA-1":               func(m *ades.Making) { m.Algorithm.Hash = crypto.SHA1 },
		"algorithm of others": func(m *ades.Making) { m.Algorithm.Scheme = sigalg.PKCS1 },
		"Ed25519":             func(m *ades.Making) { m.Algorithm.Scheme = sigalg.Ed25519 },
	} {
		m := makingOf(p, who)
		change(&m)
		if _, err := cades.Prepare(context.Background(), m, hashOf(m.Algorithm.Hash, statement), cades.MakeOptions{}); !errors.Is(err, ades.ErrUnsuitable) {
			t.Errorf("%s: %v", name, err)
		}
		var out bytes.Buffer
		if _, err := cades.Begin(context.Background(), &out, m, bodyOf(statement), cades.MakeOptions{}); !errors.Is(err, ades.ErrUnsuitable) || out.Len() > 0 {
			t.Errorf("%s, in one pass: %v after %d bytes", name, err, out.Len())
		}
	}
	if _, err := cades.Prepare(context.Background(), makingOf(p, who), hashOf(crypto.SHA384, statement), cades.MakeOptions{ContentType: cms.TypeTSTInfo}); !errors.Is(err, ades.ErrUnsuitable) {
		t.Errorf("token: %v", err)
	}
}

// PAdES has no signing time; content of other types is version 3, and no baseline.
func TestMakeOptions(t *testing.T) {
	t.Parallel()
	p, who := person(t, pki.EC)
	raw := makeMessage(t, makingOf(p, who), who.Key, statement, cades.MakeOptions{NoTime: true, Detached: true}, nil)
	if sig := read(t, raw, statement)[0]; sig.SigningTime != nil || !verifies(sig) {
		t.Errorf("%v, %s", sig.SigningTime, describe(sig))
	}
	raw = makeMessage(t, makingOf(p, who), who.Key, statement, cades.MakeOptions{ContentType: "1.2.840.113549.1.9.16.1.2"}, nil)
	signed, err := cms.ParseBytes(context.Background(), raw)
	if err != nil || signed.Version != 3 || signed.ContentType != "1.2.840.113549.1.9.16.1.2" {
		t.Errorf("version %d, type %s, %v", signed.Version, signed.ContentType, err)
	}
	check(t, "type", read(t, raw), "signer-1 CAdES attached BES ECDSA with SHA-384; messageDigest true true")
}

// A value that is not of the key over the digest never gets into a message, and nothing is written.
func TestWrongValue(t *testing.T) {
	t.Parallel()
	p, who := person(t, pki.EC)
	m := makingOf(p, who)
	ctx := context.Background()
	d, err := cades.Prepare(ctx, m, hashOf(m.Algorithm.Hash, statement), cades.MakeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	good := sign(t, who.Key, m.Algorithm, d.Digest())
	bad := bytes.Clone(good)
	bad[len(bad)-1] ^= 1
	for _, value := range [][]byte{nil, bad, good[1:], sign(t, who.Key, m.Algorithm, hashOf(m.Algorithm.Hash, statement))} {
		if _, err := d.SignerInfo(value); !errors.Is(err, ades.ErrValue) {
			t.Errorf("%x: %v", value, err)
		}
		if _, err := d.Message(ctx, value, nil, bodyOf(statement)); !errors.Is(err, ades.ErrValue) {
			t.Errorf("%x: %v", value, err)
		}
	}
}

// Content that is not as long as announced, or cannot be read, is told.
func TestWrongContent(t *testing.T) {
	t.Parallel()
	p, who := person(t, pki.EC)
	m := makingOf(p, who)
	ctx := context.Background()
	d, err := cades.Prepare(ctx, m, hashOf(m.Algorithm.Hash, statement), cades.MakeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	value := sign(t, who.Key, m.Algorithm, d.Digest())
	trouble := errors.New("disk")
	for _, test := range []struct {
		body cades.Body
		want error
	}{
		{cades.Body{Open: bodyOf(statement).Open, Size: int64(len(statement)) + 1}, io.ErrUnexpectedEOF},
		{cades.Body{Open: bodyOf(statement).Open, Size: int64(len(statement)) - 1}, io.ErrUnexpectedEOF},
		{cades.Body{Open: func() (io.ReadCloser, error) { return nil, trouble }, Size: 1}, trouble},
	} {
		message, err := d.Message(ctx, value, nil, test.body)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := message.WriteTo(io.Discard); !errors.Is(err, test.want) {
			t.Errorf("%v instead of %v", err, test.want)
		}
		if _, err := cades.Begin(ctx, io.Discard, m, test.body, cades.MakeOptions{}); !errors.Is(err, test.want) {
			t.Errorf("one pass: %v instead of %v", err, test.want)
		}
	}
	if _, err := d.Message(ctx, value, nil, cades.Body{}); err == nil {
		t.Error("no content")
	}
}

// Content that changes after it was hashed never gets into a message as if it had been signed.
func TestChangedContent(t *testing.T) {
	t.Parallel()
	p, who := person(t, pki.EC)
	m := makingOf(p, who)
	ctx := context.Background()
	d, err := cades.Prepare(ctx, m, hashOf(m.Algorithm.Hash, statement), cades.MakeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	other := bytes.ToUpper(statement)
	value := sign(t, who.Key, m.Algorithm, d.Digest())
	message, err := d.Message(ctx, value, nil, bodyOf(other))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := message.WriteTo(io.Discard); !errors.Is(err, cms.ErrChanged) {
		t.Errorf("written: %v", err)
	}
	body := bodyOf(statement)
	for _, content := range [][]byte{statement, other} {
		body.SHA256 = hashOf(crypto.SHA256, content)
		if message, err = d.Message(ctx, value, nil, body); err != nil {
			t.Fatal(err)
		}
		if _, err := message.WriteTo(io.Discard); errors.Is(err, cms.ErrChanged) != bytes.Equal(content, other) {
			t.Errorf("written and compared by SHA-256: %v", err)
		}
	}
	// An archive time stamp needs another digest of the content.
	r := newServices(p, signedAt).raising(ades.LevelLTA)
	if r.Hash = crypto.SHA512; m.Algorithm.Hash == r.Hash {
		t.Fatal("the same digest")
	}
	if _, err := d.Message(ctx, value, &r, bodyOf(other)); !errors.Is(err, cms.ErrChanged) {
		t.Errorf("archived: %v", err)
	}
	for _, detached := range []bool{false, true} {
		raw, content := makeMessage(t, m, who.Key, statement, cades.MakeOptions{Detached: detached}, nil), bytes.Clone(statement)
		s := newServices(p, signedAt)
		r := s.raising(ades.LevelLTA)
		r.Hash = crypto.SHA512
		r.Stamp = func(ctx context.Context, h crypto.Hash, digest []byte) ([]byte, error) { // meanwhile
			copy(raw[max(0, bytes.Index(raw, statement)):], other[:len(other)*(bytes.Count(raw, statement))])
			copy(content, other)
			return s.stamp(ctx, h, digest)
		}
		in := input(raw)
		if detached {
			in = input(raw, content)
		}
		if err := cades.Raise(ctx, in, r, io.Discard); !errors.Is(err, cms.ErrChanged) {
			t.Errorf("raised, detached %t: %v", detached, err)
		}
	}
}

// Mozilla's reader, which knows plain RSA and ECDSA, reads what we make.
func TestMakeForMozilla(t *testing.T) {
	t.Parallel()
	for _, h := range hands(t) {
		if h.alg.Scheme == sigalg.PSS || h.alg.Hash == crypto.SHA3_256 {
			continue // it refuses both: "unsupported algorithm"
		}
		for _, detached := range []bool{false, true} {
			p7, err := pkcs7.Parse(makeMessage(t, h.making(), h.who.Key, statement, cades.MakeOptions{Detached: detached}, nil))
			if err != nil {
				t.Errorf("%s: %v", h.name, err)
				continue
			}
			if detached {
				p7.Content = statement
			}
			if err := p7.Verify(); err != nil || !bytes.Equal(p7.Content, statement) {
				t.Errorf("%s, detached %t: %v", h.name, detached, err)
			}
		}
	}
}
