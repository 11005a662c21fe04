package ocsp

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	peer "golang.org/x/crypto/ocsp"
)

// world is an issuer, a delegated responder, a responder without the purpose, a stranger with the issuer's name, and a certificate.
type world struct {
	issuer, responder, wrongUse, stranger, other, cert *x509.Certificate
	keys                                               map[*x509.Certificate]*ecdsa.PrivateKey
	at                                                 time.Time
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{keys: map[*x509.Certificate]*ecdsa.PrivateKey{}, at: time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)}
	ca := func(tmpl *x509.Certificate) {
		tmpl.IsCA, tmpl.BasicConstraintsValid, tmpl.KeyUsage = true, true, x509.KeyUsageCertSign|x509.KeyUsageCRLSign
	}
	responder := func(tmpl *x509.Certificate) {
		tmpl.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageOCSPSigning}
		tmpl.ExtraExtensions = []pkix.Extension{{Id: oidNoCheck, Value: []byte{5, 0}}}
	}
	w.issuer = w.issue(t, "TEST CA", 1, nil, ca)
	w.stranger = w.issue(t, "TEST CA", 2, nil, ca)
	w.responder = w.issue(t, "TEST Responder", 3, w.issuer, responder)
	w.wrongUse = w.issue(t, "TEST Responder", 4, w.issuer, func(*x509.Certificate) {})
	w.other = w.issue(t, "TEST Responder", 5, w.stranger, responder)
	w.cert = w.issue(t, "TEST Person", 0x1234567890, w.issuer, func(*x509.Certificate) {})
	return w
}

func (w *world) issue(t testing.TB, name string, serial int64, parent *x509.Certificate, change func(*x509.Certificate)) *x509.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: name}, NotBefore: w.at.AddDate(-1, 0, 0), NotAfter: w.at.AddDate(1, 0, 0)}
	change(tmpl)
	signer, signKey := parent, w.keys[parent]
	if parent == nil {
		signer, signKey = tmpl, key
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, signer, key.Public(), signKey)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	w.keys[c] = key
	return c
}

// answer is made by golang.org/x/crypto/ocsp.
func (w *world) answer(t testing.TB, signer *x509.Certificate, change func(*peer.Response)) []byte {
	t.Helper()
	tmpl := peer.Response{Status: peer.Good, SerialNumber: w.cert.SerialNumber, ThisUpdate: w.at, NextUpdate: w.at.Add(time.Hour), IssuerHash: crypto.SHA1}
	if signer != w.issuer {
		tmpl.Certificate = signer
	}
	if change != nil {
		change(&tmpl)
	}
	der, err := peer.CreateResponse(w.issuer, signer, tmpl, w.keys[signer])
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func TestAnswersOfAPeer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, signer := range []*x509.Certificate{w.issuer, w.responder} {
		for status, want := range map[int]Status{peer.Good: Good, peer.Revoked: Revoked, peer.Unknown: Unknown} {
			for _, hash := range []crypto.Hash{crypto.SHA1, crypto.SHA256, crypto.SHA384, crypto.SHA512} {
				r, err := Parse(w.answer(t, signer, func(p *peer.Response) {
					p.Status, p.IssuerHash = status, hash
					p.RevokedAt, p.RevocationReason = w.at.Add(-time.Hour), peer.KeyCompromise
				}))
				if err != nil {
					t.Fatal(err)
				}
				found, err := r.Find(w.cert, w.issuer)
				if err != nil || len(found) != 1 || found[0].Status != want || !found[0].ThisUpdate.Equal(w.at) || !found[0].NextUpdate.Equal(w.at.Add(time.Hour)) {
					t.Fatalf("status %d, %v: %+v, %v", status, hash, found, err)
				}
				if want == Revoked && (found[0].Reason != 1 || !found[0].RevokedAt.Equal(w.at.Add(-time.Hour))) {
					t.Errorf("revocation: %+v", found[0])
				}
				by, err := r.Verify(w.issuer, nil)
				if err != nil || !by.Equal(signer) {
					t.Errorf("signer: %v", err)
				}
				if NoCheck(by) != (signer == w.responder) {
					t.Error("nocheck not seen")
				}
			}
		}
	}
}

func TestResponderIsFoundAmongSeveral(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r, err := Parse(w.answer(t, w.responder, nil))
	if err != nil {
		t.Fatal(err)
	}
	r.Certificates = []*x509.Certificate{w.cert, w.wrongUse, w.other, w.stranger, w.responder}
	if by, err := r.Verify(w.issuer, nil); err != nil || !by.Equal(w.responder) {
		t.Errorf("among those in the answer: %v", err)
	}
	r.Certificates = nil
	if by, err := r.Verify(w.issuer, []*x509.Certificate{w.other, w.responder}); err != nil || !by.Equal(w.responder) {
		t.Errorf("in the pool: %v", err)
	}
	if _, err := r.Verify(w.issuer, nil); !errors.Is(err, ErrResponder) {
		t.Errorf("nowhere: %v", err)
	}
}

// TestWrongResponders holds every way in which somebody else could answer.
func TestWrongResponders(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, c := range map[string]struct {
		signer *x509.Certificate
		change func(*peer.Response)
		want   error
	}{
		"purpose missing":       {w.wrongUse, nil, ErrResponder},
		"another CA's":          {w.other, nil, ErrResponder},
		"the certificate's":     {w.cert, nil, ErrResponder},
		"namesake of the CA":    {w.stranger, func(p *peer.Response) { p.Certificate = nil }, ErrSignature},
		"namesake with its own": {w.stranger, nil, ErrResponder},
	} {
		r, err := Parse(w.answer(t, c.signer, c.change))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Verify(w.issuer, nil); !errors.Is(err, c.want) && !errors.Is(err, ErrResponder) && !errors.Is(err, ErrSignature) || err == nil {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	r, _ := Parse(w.answer(t, w.responder, nil))
	r.ProducedAt = w.responder.NotAfter.Add(time.Second)
	if _, err := r.Verify(w.issuer, nil); !errors.Is(err, ErrResponder) {
		t.Errorf("expired responder: %v", err)
	}
}

func TestOtherCertificates(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r, err := Parse(w.answer(t, w.issuer, nil))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Find(w.responder, w.issuer); !errors.Is(err, ErrOther) {
		t.Errorf("another serial number: %v", err)
	}
	if _, err := r.Find(w.cert, w.stranger); !errors.Is(err, ErrOther) {
		t.Errorf("an issuer of the same name: %v", err)
	}
}

// TestEveryByte changes each byte of an answer: none may still be taken for the same good answer.
func TestEveryByte(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	der := w.answer(t, w.responder, nil)
	good, err := Parse(der)
	if err != nil {
		t.Fatal(err)
	}
	for i := range der {
		for _, bit := range []byte{1, 0x80} {
			bad := bytes.Clone(der)
			bad[i] ^= bit
			r, err := Parse(bad)
			if err != nil {
				continue
			}
			if _, err := r.Verify(w.issuer, nil); err == nil && (!bytes.Equal(r.tbs, good.tbs)) {
				t.Fatalf("byte %d changed, and the answer holds", i)
			}
		}
	}
	for i := range der {
		if _, err := Parse(der[:i]); err == nil {
			t.Fatalf("cut at %d, and it parses", i)
		}
	}
}

func TestStatusErrors(t *testing.T) {
	t.Parallel()
	for _, code := range []byte{1, 2, 3, 5, 6, 77} {
		_, err := Parse([]byte{0x30, 3, 0x0a, 1, code})
		var status StatusError
		if !errors.Is(err, ErrStatus) || !errors.As(err, &status) || int(status) != int(code) {
			t.Errorf("status %d: %v", code, err)
		}
	}
	if _, err := Parse([]byte{0x30, 3, 0x0a, 1, 0}); !errors.Is(err, ErrMalformed) {
		t.Errorf("success without content: %v", err)
	}
}

func TestNonce(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		sent, got []byte
		required  bool
		good      bool
	}{{[]byte("a"), []byte("a"), true, true}, {[]byte("a"), nil, false, true}, {[]byte("a"), nil, true, false}, {[]byte("a"), []byte("b"), false, false}, {nil, []byte("b"), false, false}} {
		if err := (&Response{Nonce: c.got}).CheckNonce(c.sent, c.required); (err == nil) != c.good {
			t.Errorf("sent %q, got %q, required %v: %v", c.sent, c.got, c.required, err)
		}
	}
}

// TestOpenSSL lets openssl read our request and answer it, with a nonce and a delegated responder.
func TestOpenSSL(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("openssl"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip("openssl is not installed: make test installs it")
	}
	w := newWorld(t)
	dir := t.TempDir()
	write := func(name string, blocks ...*pem.Block) string {
		var b bytes.Buffer
		for _, block := range blocks {
			if err := pem.Encode(&b, block); err != nil {
				t.Fatal(err)
			}
		}
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	key, err := x509.MarshalPKCS8PrivateKey(w.keys[w.responder])
	if err != nil {
		t.Fatal(err)
	}
	ca := write("ca.pem", &pem.Block{Type: "CERTIFICATE", Bytes: w.issuer.Raw})
	responder := write("responder.pem", &pem.Block{Type: "CERTIFICATE", Bytes: w.responder.Raw})
	keyFile := write("key.pem", &pem.Block{Type: "PRIVATE KEY", Bytes: key})
	index := filepath.Join(dir, "index.txt")
	line := fmt.Sprintf("R\t290101000000Z\t260401000000Z,keyCompromise\t%X\tunknown\t/CN=TEST Person\n", w.cert.SerialNumber)
	if err := os.WriteFile(index, []byte(line), 0o600); err != nil {
		t.Fatal(err)
	}
	id, err := NewID(w.cert, w.issuer, 0)
	if err != nil {
		t.Fatal(err)
	}
	nonce := bytes.Repeat([]byte{7}, MaxNonce)
	req, err := Request{ID: id, Nonce: nonce}.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	reqFile, respFile := filepath.Join(dir, "req.der"), filepath.Join(dir, "resp.der")
	if err := os.WriteFile(reqFile, req, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("openssl", "ocsp", "-index", index, "-CA", ca, "-rsigner", responder, "-rkey", keyFile, "-reqin", reqFile, "-respout", respFile, "-ndays", "1", "-resp_key_id").CombinedOutput()
	if err != nil {
		t.Fatalf("openssl: %v\n%s", err, out)
	}
	der, err := os.ReadFile(respFile)
	if err != nil {
		t.Fatal(err)
	}
	r, err := Parse(der)
	if err != nil {
		t.Fatal(err)
	}
	if by, err := r.Verify(w.issuer, nil); err != nil || !by.Equal(w.responder) || r.ResponderKey == nil {
		t.Errorf("signer by key: %v", err)
	}
	if err := r.CheckNonce(nonce, true); err != nil {
		t.Error(err)
	}
	found, err := r.Find(w.cert, w.issuer)
	if err != nil || found[0].Status != Revoked || found[0].Reason != 1 || found[0].RevokedAt.Format(time.DateOnly) != "2026-04-01" {
		t.Errorf("statement: %+v, %v", found, err)
	}
	if u := GetURL("http://127.0.0.1/"+strings.Repeat("a", 100), req); u != "" {
		t.Errorf("an address of %d bytes for a GET", len(u))
	}
	short, err := Request{ID: id}.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if u := GetURL("http://127.0.0.1/ocsp/", short); !strings.HasPrefix(u, "http://127.0.0.1/ocsp/ME") || strings.Contains(u[22:], "/") {
		t.Errorf("GET: %s", u)
	}
	if _, err := peer.ParseRequest(short); err != nil {
		t.Errorf("x/crypto/ocsp: %v", err)
	}
}

// TestCriticalExtensions: what is not known and critical makes a statement, or all of the answer, unusable.
func TestCriticalExtensions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	unknown := pkix.Extension{Id: asn1.ObjectIdentifier{2, 999, 1}, Critical: true, Value: []byte{5, 0}}
	r, err := Parse(w.answer(t, w.issuer, func(p *peer.Response) { p.ExtraExtensions = []pkix.Extension{unknown} }))
	if err != nil {
		t.Fatal(err)
	}
	if r.Singles[0].Unusable == nil {
		t.Error("a critical extension of a statement went unnoticed")
	}
	err = eachExtension([]byte{0x30, 0x80}, nil)
	if !errors.Is(err, ErrMalformed) {
		t.Errorf("broken extensions: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	w := newWorld(f)
	f.Add(w.answer(f, w.issuer, nil))
	f.Add(w.answer(f, w.responder, func(p *peer.Response) { p.Status = peer.Revoked; p.RevokedAt = w.at }))
	f.Add([]byte{0x30, 3, 0x0a, 1, 3})
	f.Fuzz(func(t *testing.T, der []byte) {
		r, err := Parse(der)
		if err != nil {
			return
		}
		if signer, err := r.Verify(w.issuer, nil); err == nil && !signer.Equal(w.issuer) && !signer.Equal(w.responder) {
			t.Error("signed by somebody else")
		}
		_, _ = r.Find(w.cert, w.issuer)
	})
}
