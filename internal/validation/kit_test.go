package validation

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/policy"
	"github.com/eidkit/eidkit/internal/revocation"
	"github.com/eidkit/eidkit/internal/sigalg"
)

// The times of the stories told in these tests.
var (
	birth    = day("2019-01-01") // of all certificates, unless said otherwise
	signed   = day("2020-06-01")
	later    = day("2020-06-02")
	archived = day("2020-07-01")
	expiry   = day("2021-01-01") // of the signer and of the first authorities
	now      = day("2024-06-01")
	farther  = day("2030-01-01") // end of what lasts
)

func day(s string) time.Time {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return t
}

// keys are made once: making them is what costs time in these tests.
var (
	keyMu sync.Mutex
	keys  = map[string]*ecdsa.PrivateKey{}
)

func keyFor(name string) *ecdsa.PrivateKey {
	keyMu.Lock()
	defer keyMu.Unlock()
	if keys[name] == nil {
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			panic(err)
		}
		keys[name] = k
	}
	return keys[name]
}

// entity is a certificate with its key.
type entity struct {
	name string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// world is a PKI, what is known about revocation in it, and an engine.
type world struct {
	t       *testing.T
	root    *entity
	ca      *entity
	signer  *entity
	tsa     *entity
	serial  int64
	anchors anchors
	checker *checker
	engine  *Engine
}

// change alters a template before it is signed.
type change func(*x509.Certificate)

func until(t time.Time) change { return func(c *x509.Certificate) { c.NotAfter = t } }
func from(t time.Time) change  { return func(c *x509.Certificate) { c.NotBefore = t } }
func asCA(c *x509.Certificate) {
	c.IsCA, c.BasicConstraintsValid, c.KeyUsage = true, true, x509.KeyUsageCertSign|x509.KeyUsageCRLSign
}
func forStamps(c *x509.Certificate) {
	c.KeyUsage, c.ExtKeyUsage = x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{x509.ExtKeyUsageTimeStamping}
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, checker: &checker{answers: map[string][]revocation.Answer{}}}
	w.root = w.issue("root", nil, asCA, until(farther))
	w.ca = w.issue("ca", w.root, asCA, until(farther))
	w.signer = w.issue("signer", w.ca, until(expiry))
	w.tsa = w.issue("tsa", w.ca, forStamps, until(farther))
	w.anchors = anchors{w.root.cert}
	w.engine = &Engine{Time: now, Anchors: &w.anchors, Checker: w.checker, Policy: policy.Default()}
	return w
}

func (w *world) issue(name string, issuer *entity, changes ...change) *entity {
	w.t.Helper()
	w.serial++
	template := &x509.Certificate{
		SerialNumber: big.NewInt(w.serial), Subject: pkix.Name{CommonName: name}, NotBefore: birth, NotAfter: farther,
		KeyUsage: x509.KeyUsageContentCommitment, OCSPServer: []string{"http://ocsp.example/" + name},
	}
	for _, c := range changes {
		c(template)
	}
	e := &entity{name: name, key: keyFor(name)}
	parent, signer := template, e.key
	if issuer != nil {
		parent, signer = issuer.cert, issuer.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, e.key.Public(), signer)
	if err != nil {
		w.t.Fatal(err)
	}
	if e.cert, err = x509.ParseCertificate(der); err != nil {
		w.t.Fatal(err)
	}
	return e
}

// good says that the certificate was not revoked at the time of the answer.
func (w *world) good(e *entity, at time.Time) revocation.Answer {
	return w.answer(e, revocation.Answer{Status: revocation.Good, ThisUpdate: at})
}

// revoked says that it was revoked, at the time of the answer.
func (w *world) revoked(e *entity, when, at time.Time) revocation.Answer {
	return w.answer(e, revocation.Answer{Status: revocation.Revoked, Reason: 1, RevokedAt: when, ThisUpdate: at})
}

func (w *world) answer(e *entity, a revocation.Answer) revocation.Answer {
	a.Kind, a.Origin, a.ProducedAt = "OCSP", revocation.Embedded, a.ThisUpdate
	if a.NextUpdate.IsZero() {
		a.NextUpdate = a.ThisUpdate.Add(24 * time.Hour)
	}
	if a.Signer == nil {
		a.Signer = w.issuerOf(e)
	}
	a.Digest = ades.ObjectDigest([]byte(e.name + a.ThisUpdate.String()))
	w.checker.answers[e.name] = append(w.checker.answers[e.name], a)
	return a
}

func (w *world) issuerOf(e *entity) *x509.Certificate {
	if bytes.Equal(e.cert.RawIssuer, w.root.cert.RawSubject) {
		return w.root.cert
	}
	return w.ca.cert
}

// current makes everything known about the authorities up to date.
func (w *world) current() {
	w.good(w.ca, now)
	w.good(w.tsa, now)
}

// rootStamps replaces the time-stamping authority by one right below the root.
func (w *world) rootStamps() {
	w.tsa = w.issue("tsa", w.root, forStamps, until(farther))
	w.checker.answers["tsa"] = nil
	w.good(w.tsa, now)
}

// sign makes a signature by e over some content.
func (w *world) sign(e *entity) *ades.Signature {
	w.t.Helper()
	digest := sha256.Sum256([]byte("content signed by " + e.name))
	value, err := ecdsa.SignASN1(rand.Reader, e.key, digest[:])
	if err != nil {
		w.t.Fatal(err)
	}
	at, print := signed, sha256.Sum256(e.cert.Raw)
	return &ades.Signature{
		ID: "signer-1", Format: ades.CAdES, Certificates: []*x509.Certificate{e.cert, w.ca.cert}, Signer: e.cert,
		SignerID: ades.SignerID{Issuer: e.cert.RawIssuer, Serial: e.cert.SerialNumber},
		CertRefs: []ades.CertRef{{Hash: crypto.SHA256, Digest: print[:]}}, HasCertRefs: true,
		Algorithm: sigalg.Algorithm{Scheme: sigalg.ECDSA, Hash: crypto.SHA256}, AlgorithmURI: "ecdsa-with-SHA256",
		Value: value, Digest: digest[:],
		References:       []ades.Reference{{Kind: ades.RefMessageDigest, Name: "content", Found: true, Intact: true, Hash: crypto.SHA256, Digest: digest[:]}},
		SignedProperties: true, SigningTime: &at,
	}
}

// stamp makes a time stamp of an authority over objects.
func (w *world) stamp(e *entity, kind ades.TimestampKind, at time.Time, covers ...ades.Digest) ades.Timestamp {
	token := w.sign(e)
	token.ID, token.Format = "token of "+e.name, ades.TimestampTkn
	return ades.Timestamp{
		ID: string(kind) + " " + at.Format(time.DateOnly), Kind: kind, Raw: append([]byte(e.name+string(kind)+at.String()), token.Value...), GenTime: at,
		Hash: crypto.SHA256, Found: true, Intact: true, Token: token, Covers: covers,
	}
}

// stampSignature adds a signature time stamp to s.
func (w *world) stampSignature(s *ades.Signature, e *entity, at time.Time) {
	s.Timestamps = append(s.Timestamps, w.stamp(e, ades.SignatureTS, at, ades.ObjectDigest(s.Value)))
}

// archive adds an archive time stamp over all that is there.
func (w *world) archive(s *ades.Signature, e *entity, at time.Time, answers ...revocation.Answer) {
	covers := []ades.Digest{ades.ObjectDigest(s.Value)}
	for _, c := range s.Certificates {
		covers = append(covers, certDigest(c))
	}
	for i := range s.Timestamps {
		covers = append(covers, ades.ObjectDigest(s.Timestamps[i].Raw))
		for _, c := range s.Timestamps[i].Token.Certificates {
			covers = append(covers, certDigest(c))
		}
	}
	for _, a := range answers {
		covers = append(covers, a.Digest)
	}
	s.Timestamps = append(s.Timestamps, w.stamp(e, ades.ArchiveTS, at, covers...))
}

// validate judges one signature.
func (w *world) validate(s *ades.Signature) *Result {
	w.t.Helper()
	results, err := w.engine.Validate(context.Background(), []*ades.Signature{s})
	if err != nil || len(results) != 1 {
		w.t.Fatalf("%d results, error %v", len(results), err)
	}
	return results[0]
}

// expect holds a result to a verdict and its errors to codes.
func (w *world) expect(res *Result, want Verdict, codes ...ades.Code) {
	w.t.Helper()
	if res.Verdict != want {
		w.t.Errorf("verdict %v, want %v\nerrors %v\nwarnings %v", res.Verdict, want, res.Errors, res.Warnings)
		for _, s := range res.Timestamps {
			w.t.Logf("%s: %v %v %v", s.Timestamp.ID, s.Verdict, s.Errors, s.Warnings)
		}
	}
	if (want.Indication == Passed) != (len(res.Errors) == 0) {
		w.t.Errorf("%v with errors %v", res.Verdict, res.Errors)
	}
	for _, code := range codes {
		if !slices.ContainsFunc(append(res.Errors, res.Warnings...), func(m Message) bool { return m.Code == code }) {
			w.t.Errorf("no %s among errors %v and warnings %v", code, res.Errors, res.Warnings)
		}
	}
}

var passed = Verdict{Indication: Passed}

// anchors is a fixed set; withdrawn names those that ended.
type anchors []*x509.Certificate

func (a *anchors) Named(raw []byte) []*x509.Certificate {
	var list []*x509.Certificate
	for _, c := range *a {
		if bytes.Equal(c.RawSubject, raw) {
			list = append(list, c)
		}
	}
	return list
}

func (a *anchors) Contains(c *x509.Certificate) bool { return slices.ContainsFunc(*a, c.Equal) }

func (a *anchors) Withdrawn(*x509.Certificate, time.Time) string { return "" }

// withdrawn are anchors that ended.
type withdrawn struct {
	anchors
	end time.Time
}

func (a *withdrawn) Withdrawn(_ *x509.Certificate, at time.Time) string {
	if at.Before(a.end) {
		return ""
	}
	return "withdrawn"
}

// checker answers by the names of certificates.
type checker struct {
	mu       sync.Mutex
	answers  map[string][]revocation.Answer
	problems []revocation.Problem
	asked    []string
}

func (c *checker) Check(_ context.Context, q revocation.Question) ([]revocation.Answer, []revocation.Problem) {
	c.mu.Lock()
	defer c.mu.Unlock()
	name := q.Certificate.Subject.CommonName
	c.asked = append(c.asked, name)
	return c.answers[name], c.problems
}
