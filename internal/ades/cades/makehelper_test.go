package cades_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"io"
	"math/big"
	"testing"
	"time"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/ades/cades"
	"github.com/eidkit/eidkit/internal/sigalg"
	"github.com/eidkit/eidkit/testcards/answers"
	"github.com/eidkit/eidkit/testcards/pki"
	"github.com/eidkit/eidkit/verify"
)

// services are a time stamp authority and the answers of a test PKI, at a time that goes on by a minute with each.
type services struct {
	pki    *pki.PKI
	at     time.Time
	stamps int
	asked  []ades.Need
	made   map[string]madeProof
	err    error // that all of them give
}

func newServices(p *pki.PKI, at time.Time) *services {
	return &services{pki: p, at: at, made: map[string]madeProof{}}
}

func (s *services) stamp(_ context.Context, h crypto.Hash, digest []byte) ([]byte, error) {
	if s.err != nil {
		return nil, s.err
	}
	s.at = s.at.Add(time.Minute)
	s.stamps++
	return answers.Timestamp{TSA: s.pki.TSA, Certificates: []*x509.Certificate{s.pki.TSA.Certificate, s.pki.TimestampCA.Certificate},
		Hash: h, Imprint: digest, Policy: s.pki.TimestampPolicy(), Time: s.at, Accuracy: time.Second, Serial: big.NewInt(s.at.Unix())}.Token()
}

// evidence has a list of the root and an answer about each certificate, unless such as were made within a day are there.
func (s *services) evidence(_ context.Context, needs []ades.Need, _ []*x509.Certificate, have ades.Values) (ades.Values, error) {
	if s.err != nil {
		return ades.Values{}, s.err
	}
	s.asked = append(s.asked, needs...)
	e := &proofs{services: s, have: have}
	for _, need := range needs {
		if err := e.prove(need.Certificate); err != nil {
			return ades.Values{}, err
		}
	}
	if e.fresh {
		s.at = s.at.Add(time.Minute)
	}
	return e.out, nil
}

// proofs are what is found for one question.
type proofs struct {
	*services
	have, out ades.Values
	fresh     bool
}

func (e *proofs) prove(cert *x509.Certificate) error {
	var ca *pki.Authority
	for _, a := range append(e.pki.CAs(), e.pki.TimestampCA) {
		if bytes.Equal(a.Certificate.RawSubject, cert.RawIssuer) {
			ca = a
		}
	}
	if ca == nil {
		return fmt.Errorf("nobody knows who issued %v", cert.Subject)
	}
	for _, c := range []*x509.Certificate{cert, ca.Certificate, e.pki.Root.Certificate} {
		addNew(&e.out.Certificates, e.have.Certificates, c.Raw)
	}
	crl, err := e.recent("root", func(at time.Time) ([]byte, error) {
		return e.pki.CRL(e.pki.Root, pki.List{Number: uint64(at.Unix()), ThisUpdate: at, NextUpdate: at.AddDate(0, 0, 7)})
	})
	if err != nil {
		return err
	}
	addNew(&e.out.CRLs, e.have.CRLs, crl)
	answer, err := e.recent(cert.SerialNumber.String(), func(at time.Time) ([]byte, error) {
		responder, err := e.pki.Responder(ca, pki.Service{At: at})
		if err != nil {
			return nil, err
		}
		return answers.OCSP{Responder: responder, Certificates: []*x509.Certificate{responder.Certificate}, ProducedAt: at,
			Singles: []answers.Single{{Serial: cert.SerialNumber, Issuer: ca.Certificate, ThisUpdate: at, NextUpdate: at.Add(time.Hour)}}}.Response()
	})
	addNew(&e.out.OCSPs, e.have.OCSPs, answer)
	return err
}

// recent is what was made within a day, or a new one.
func (e *proofs) recent(name string, make func(time.Time) ([]byte, error)) ([]byte, error) {
	if known := e.made[name]; known.raw != nil && e.at.Sub(known.at) < 24*time.Hour {
		return known.raw, nil
	}
	raw, err := make(e.at.Add(time.Minute))
	e.fresh = true
	e.made[name] = madeProof{e.at, raw}
	return raw, err
}

type madeProof struct {
	at  time.Time
	raw []byte
}

func addNew(list *[][]byte, known [][]byte, raw []byte) {
	for _, other := range append(known[:len(known):len(known)], *list...) {
		if bytes.Equal(other, raw) {
			return
		}
	}
	*list = append(*list, raw)
}

// raising is what a level takes.
func (s *services) raising(level ades.Level) ades.Raising {
	return ades.Raising{Level: level, Stamp: s.stamp, Evidence: s.evidence}
}

// algorithmOf is the usual algorithm of a key.
func algorithmOf(key crypto.PublicKey, pss bool) sigalg.Algorithm {
	switch k := key.(type) {
	case *ecdsa.PublicKey:
		return sigalg.Algorithm{Scheme: sigalg.ECDSA, Hash: map[int]crypto.Hash{256: crypto.SHA256, 384: crypto.SHA384, 521: crypto.SHA512}[k.Params().BitSize]}
	default:
		if pss {
			return sigalg.Algorithm{Scheme: sigalg.PSS, Hash: crypto.SHA256, MGFHash: crypto.SHA256, SaltLength: -1}
		}
		return sigalg.Algorithm{Scheme: sigalg.PKCS1, Hash: crypto.SHA256}
	}
}

// makingOf is a signature of somebody with nothing special in it.
func makingOf(p *pki.PKI, who *pki.Issued) ades.Making {
	return ades.Making{Certificate: who.Certificate, Chain: []*x509.Certificate{who.Issuer.Certificate}, Algorithm: algorithmOf(who.Key.Public(), false), Time: signedAt}
}

// sign signs a digest. ECDSA is without randomness (RFC 6979).
func sign(t testing.TB, key crypto.Signer, alg sigalg.Algorithm, digest []byte) []byte {
	t.Helper()
	var opts crypto.SignerOpts = alg.Hash
	var random io.Reader
	if alg.Scheme == sigalg.PSS {
		opts = &rsa.PSSOptions{Hash: alg.Hash, SaltLength: rsa.PSSSaltLengthEqualsHash}
		random = zeros{}
	}
	value, err := key.Sign(random, digest, opts)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func bodyOf(content []byte) cades.Body {
	return cades.Body{Size: int64(len(content)), Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil }}
}

func hashOf(h crypto.Hash, b []byte) []byte {
	state := h.New()
	state.Write(b)
	return state.Sum(nil)
}

// make makes a message.
func makeMessage(t testing.TB, m ades.Making, key crypto.Signer, content []byte, o cades.MakeOptions, r *ades.Raising) []byte {
	t.Helper()
	ctx := context.Background()
	d, err := cades.Prepare(ctx, m, hashOf(m.Algorithm.Hash, content), o)
	if err != nil {
		t.Fatal(err)
	}
	message, err := d.Message(ctx, sign(t, key, m.Algorithm, d.Digest()), r, bodyOf(content))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	n, err := message.WriteTo(&out)
	if err != nil || n != int64(out.Len()) || n != message.Size() {
		t.Fatalf("%d bytes written, %d told, %d announced, %v", out.Len(), n, message.Size(), err)
	}
	return out.Bytes()
}

// input is a message with content beside it.
func input(raw []byte, detached ...[]byte) ades.Input {
	in := ades.Input{File: file("message", raw)}
	for _, content := range detached {
		in.Detached = append(in.Detached, ades.Content{File: file("content", content)})
	}
	return in
}

func raised(t testing.TB, r ades.Raising, raw []byte, detached ...[]byte) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := cades.Raise(context.Background(), input(raw, detached...), r, &out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// judged is the verdict of the project's own verifier, with the PKI's root alone trusted.
func judged(t testing.TB, p *pki.PKI, at time.Time, raw []byte, detached ...[]byte) *verify.Report {
	t.Helper()
	anchors := &verify.Anchors{}
	anchors.Add(p.Root.Certificate)
	o := verify.Options{Anchors: anchors, At: at, Offline: true}
	for _, content := range detached {
		o.Detached = append(o.Detached, verify.Content{Name: "content", Data: bytes.NewReader(content), Size: int64(len(content))})
	}
	rep, err := verify.File(context.Background(), bytes.NewReader(raw), int64(len(raw)), o)
	if err != nil {
		t.Fatal(err)
	}
	return rep
}
