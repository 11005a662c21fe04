package xades_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/ades/xades"
	"github.com/eidkit/eidkit/internal/sigalg"
	"github.com/eidkit/eidkit/testcards/answers"
	"github.com/eidkit/eidkit/testcards/pki"
	"github.com/eidkit/eidkit/verify"
)

// maker is a citizen of a test PKI who signs, with the services that stamp and answer.
type maker struct {
	pki     *pki.PKI
	who     *pki.Issued
	making  ades.Making
	anchors *verify.Anchors
}

var pkis = map[pki.Algorithm]func() (*pki.PKI, error){
	pki.EC:  sync.OnceValues(func() (*pki.PKI, error) { return pki.New(pki.Options{Algorithm: pki.EC}) }),
	pki.RSA: sync.OnceValues(func() (*pki.PKI, error) { return pki.New(pki.Options{Algorithm: pki.RSA}) }),
}

var signingTime = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// newMaker makes a signer of that kind of key; pss has RSA sign by RSASSA-PSS.
func newMaker(t testing.TB, alg pki.Algorithm, pss bool) *maker {
	t.Helper()
	p, err := pkis[alg]()
	if err != nil {
		t.Fatal(err)
	}
	who, err := p.Issue(pki.Request{Subject: pki.Subject{NationalNumber: "85073003328", Surname: "Peeters", GivenNames: "An"}, Kind: pki.Signature})
	if err != nil {
		t.Fatal(err)
	}
	m := &maker{pki: p, who: who, anchors: &verify.Anchors{}}
	m.anchors.Add(p.Root.Certificate)
	m.making = ades.Making{Certificate: who.Certificate, Chain: []*x509.Certificate{who.Issuer.Certificate}, Time: signingTime,
		Algorithm: sigalg.Algorithm{Scheme: sigalg.ECDSA, Hash: crypto.SHA384}}
	if alg == pki.RSA {
		m.making.Algorithm = sigalg.Algorithm{Scheme: sigalg.PKCS1, Hash: crypto.SHA256}
	}
	if pss {
		m.making.Algorithm = sigalg.Algorithm{Scheme: sigalg.PSS, Hash: crypto.SHA256, MGFHash: crypto.SHA256, SaltLength: 32}
	}
	return m
}

// value signs a digest.
func (m *maker) value(t testing.TB, digest []byte) []byte {
	t.Helper()
	var opts crypto.SignerOpts = m.making.Algorithm.Hash
	if m.making.Algorithm.Scheme == sigalg.PSS {
		opts = &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: m.making.Algorithm.Hash}
	}
	value, err := m.who.Key.Sign(rand.Reader, digest, opts)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// sign makes a signature of a level.
func (m *maker) sign(t testing.TB, doc []byte, files []ades.Content, o xades.MakeOptions, r *ades.Raising) []byte {
	t.Helper()
	d, err := xades.Prepare(t.Context(), m.making, doc, files, o)
	if err != nil {
		t.Fatalf("preparing: %v\n%s", err, doc)
	}
	return m.finish(t, d, r)
}

func (m *maker) finish(t testing.TB, d *xades.Draft, r *ades.Raising) []byte {
	t.Helper()
	out, err := d.Finish(t.Context(), m.value(t, d.Digest()), r)
	if err != nil {
		t.Fatalf("finishing: %v", err)
	}
	return out
}

// raising is how signatures are raised by the test PKI at some time.
func (m *maker) raising(level ades.Level, now time.Time) *ades.Raising {
	serial := now.Unix()
	return &ades.Raising{Level: level, Stamp: func(_ context.Context, hash crypto.Hash, digest []byte) ([]byte, error) {
		serial++
		return answers.Timestamp{TSA: m.pki.TSA, Certificates: []*x509.Certificate{m.pki.TSA.Certificate, m.pki.TimestampCA.Certificate}, Hash: hash, Imprint: digest,
			Policy: m.pki.TimestampPolicy(), Time: now, Serial: big.NewInt(serial)}.Token()
	}, Evidence: func(_ context.Context, needs []ades.Need, _ []*x509.Certificate, have ades.Values) (ades.Values, error) {
		var v ades.Values
		add := func(list *[][]byte, known [][]byte, der []byte) {
			if !slices.ContainsFunc(slices.Concat(*list, known), func(o []byte) bool { return bytes.Equal(o, der) }) {
				*list = append(*list, der)
			}
		}
		for _, need := range needs {
			crl, answer, err := m.about(need.Certificate, now)
			if err != nil {
				return v, err
			}
			ca := m.issuer(need.Certificate)
			for _, c := range []*x509.Certificate{need.Certificate, ca.Certificate, m.pki.Root.Certificate} {
				add(&v.Certificates, have.Certificates, c.Raw)
			}
			add(&v.CRLs, have.CRLs, crl)
			add(&v.OCSPs, have.OCSPs, answer)
		}
		return v, nil
	}}
}

func (m *maker) issuer(c *x509.Certificate) *pki.Authority {
	if c.Equal(m.pki.TSA.Certificate) {
		return m.pki.TimestampCA
	}
	return m.who.Issuer
}

// told are the answers given, each of which costs a signature.
var told sync.Map

// about is the list of the root and an answer about a certificate.
func (m *maker) about(c *x509.Certificate, now time.Time) (crl, answer []byte, err error) {
	key := string(c.Raw) + now.String()
	if known, ok := told.Load(key); ok {
		return known.([2][]byte)[0], known.([2][]byte)[1], nil
	}
	if crl, err = m.pki.CRL(m.pki.Root, pki.List{Number: uint64(now.Unix()), ThisUpdate: now, NextUpdate: now.AddDate(0, 0, 7)}); err != nil {
		return nil, nil, err
	}
	ca := m.issuer(c)
	responder, err := m.pki.Responder(ca, pki.Service{At: now})
	if err != nil {
		return nil, nil, err
	}
	answer, err = answers.OCSP{Responder: responder, Certificates: []*x509.Certificate{responder.Certificate}, ProducedAt: now,
		Singles: []answers.Single{{Serial: c.SerialNumber, Issuer: ca.Certificate, ThisUpdate: now, NextUpdate: now.Add(time.Hour)}}}.Response()
	told.Store(key, [2][]byte{crl, answer})
	return crl, answer, err
}

// report has our own verifier judge a file offline. At level B nobody asks for revocation.
func (m *maker) report(t testing.TB, doc []byte, files []ades.Content, at time.Time, level ades.Level) *verify.Report {
	t.Helper()
	o := verify.Options{Anchors: m.anchors, At: at, Offline: true}
	if level < ades.LevelLT {
		policy, err := verify.ParsePolicy([]byte(`{"schema": 1, "id": "nobody is asked", "constraints": {"REVOCATION_OFFLINE": "ignore"}}`))
		if err != nil {
			t.Fatal(err)
		}
		o.Policy = policy
	}
	for _, f := range files {
		o.Detached = append(o.Detached, verify.Content{Name: f.Name, Data: f.Data, Size: f.Size})
	}
	var v verify.Verifier
	defer v.Close()
	rep, err := v.File(t.Context(), bytes.NewReader(doc), int64(len(doc)), o)
	if err != nil {
		t.Fatalf("verifying: %v\n%s", err, doc)
	}
	return rep
}

// judge wants every signature of a document passed, and so many of that level.
func (m *maker) judge(t testing.TB, what string, doc []byte, files []ades.Content, at time.Time, level ades.Level, count int) {
	t.Helper()
	rep := m.report(t, doc, files, at, level)
	if !rep.Passed() {
		t.Errorf("%s: %s %s %s", what, rep.Error, rep.Indication, rep.SubIndication)
	}
	if len(rep.Signatures) != count {
		t.Errorf("%s: %d signatures, want %d", what, len(rep.Signatures), count)
	}
	for _, s := range rep.Signatures {
		if s.Level != level.String() || !rep.Passed() || len(s.Errors)+len(s.Warnings) > 0 && level >= ades.LevelLT {
			t.Errorf("%s: %s: level %s, want %v: %s: errors %+v, warnings %+v", what, s.ID, s.Level, level, s.SubIndication, s.Errors, s.Warnings)
		}
	}
}

// tool finds a program that judges what we make.
func tool(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is needed as an independent judge: %v", name, err)
		}
		t.Skipf("%s is not installed", name)
	}
	return path
}

// written puts files into a folder.
func written(t testing.TB, files map[string][]byte) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for name, data := range files {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// xmlsec has xmlsec1 verify one signature of a document, named by its Id or the first.
func (m *maker) xmlsec(t testing.TB, what string, doc []byte, id string, files []ades.Content) {
	t.Helper()
	all := map[string][]byte{"doc.xml": doc, "root.der": m.pki.Root.Certificate.Raw}
	for _, f := range files {
		data := make([]byte, f.Size)
		if _, err := f.Data.ReadAt(data, 0); err != nil && !errors.Is(err, io.EOF) {
			t.Fatal(err)
		}
		all[f.Name] = data
	}
	const ds, x = "http://www.w3.org/2000/09/xmldsig#", "http://uri.etsi.org/01903/v1.3.2#"
	args := []string{"--verify", "--trusted-der", "root.der", "--verification-gmt-time", "2026-05-04 12:00:00",
		"--id-attr:Id", x + ":SignedProperties", "--id-attr:Id", ds + ":Object", "--id-attr:Id", ds + ":Signature", "--id-attr:Id", ds + ":SignatureValue",
		"--id-attr:id", "line", "--id-attr:id", "urn:invoice:line"}
	if id != "" {
		args = append(args, "--node-id", id)
	}
	cmd := exec.Command(tool(t, "xmlsec1"), append(args, "doc.xml")...)
	cmd.Dir = written(t, all)
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "OK") {
		t.Errorf("%s: xmlsec1 %s: %v\n%s\n%s", what, strings.Join(args, " "), err, out, doc)
	}
}

// file is a detached content.
func file(name, data string) ades.Content {
	return ades.Content{File: ades.File{Name: name, Data: strings.NewReader(data), Size: int64(len(data))}}
}
