package pki_test

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/eidkit/eidkit/testcards/pki"
)

var now = time.Date(2025, 6, 1, 12, 0, 0, 0, time.UTC)

func TestServicesWithOpenSSL(t *testing.T) {
	for _, alg := range algorithms {
		t.Run(alg.String(), func(t *testing.T) {
			p := mustNew(t, pki.Options{Algorithm: alg})
			root := writePEM(t, "root.pem", p.Root.Certificate)
			verify := func(purpose string, c, issuer *x509.Certificate) {
				t.Helper()
				openssl(t, "verify", "-x509_strict", "-auth_level", "0", "-attime", "1748779200", "-purpose", purpose,
					"-CAfile", root, "-untrusted", writePEM(t, "ca.pem", issuer), writePEM(t, "leaf.pem", c))
			}
			verify("timestampsign", p.TSA.Certificate, p.TimestampCA.Certificate)
			verify("any", p.CRLIssuer.Certificate, p.Root.Certificate)
			for _, ca := range p.CAs() {
				r := mustService(t, func() (*pki.Authority, error) { return p.Responder(ca, pki.Service{At: now}) })
				verify("ocsphelper", r.Certificate, ca.Certificate)
			}
		})
	}
}

func mustService(t testing.TB, make func() (*pki.Authority, error)) *pki.Authority {
	t.Helper()
	a, err := make()
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestServiceText(t *testing.T) {
	p := mustNew(t, pki.Options{})
	ca := p.CitizenCA
	responder := func(s pki.Service) func() (*pki.Authority, error) {
		return func() (*pki.Authority, error) { return p.Responder(ca, s) }
	}
	unit := func(s pki.Service) func() (*pki.Authority, error) {
		return func() (*pki.Authority, error) { return p.TimestampUnit(s) }
	}
	tests := []struct {
		name string
		make func() (*pki.Authority, error)
		want []string
		not  string
	}{
		{"responder", responder(pki.Service{At: now}), []string{"CN = eidkit TEST OCSP Responder EC", "OCSP No Check", "OCSP Signing",
			"Not Before: Jan  1 00:00:00 2025 GMT", "Not After : Jan 31 23:59:59 2026 GMT"}, "Time Stamping"},
		{"checked responder", responder(pki.Service{At: now, Checked: true}), []string{"OCSP Signing", "URI:http://127.0.0.1:24380/ocsp"}, "No Check"},
		{"responder without purpose", responder(pki.Service{At: now, NoPurpose: true}), []string{"OCSP No Check"}, "OCSP Signing"},
		{"unit", unit(pki.Service{}), []string{"CN = eidkit TEST TSU EC", "Extended Key Usage: critical\n                Time Stamping",
			"Policy: 2.999.56.13.6.3.1000", "/crl/timestamp-ec.crl", "/crt/timestamp-ec.crt"}, "OCSP Signing"},
		{"unit, not critical", unit(pki.Service{NotCritical: true}), []string{"Extended Key Usage: \n                Time Stamping"}, "OCSP Signing"},
		{"unit without purpose", unit(pki.Service{NoPurpose: true}), []string{"CN = eidkit TEST TSU EC"}, "Time Stamping"},
	}
	serials := map[string]string{}
	for _, tt := range tests {
		a := mustService(t, tt.make)
		text := openssl(t, "x509", "-noout", "-text", "-in", writePEM(t, "a.pem", a.Certificate))
		for _, want := range tt.want {
			if !strings.Contains(text, want) {
				t.Errorf("%s: no %q in\n%s", tt.name, want, text)
			}
		}
		if strings.Contains(text, tt.not) {
			t.Errorf("%s: %q in\n%s", tt.name, tt.not, text)
		}
		n := a.Certificate.SerialNumber.String()
		if other, used := serials[n]; used {
			t.Errorf("%s and %s have one serial number", tt.name, other)
		}
		serials[n] = tt.name
	}
	if _, err := p.Responder(p.RRN, pki.Service{}); err == nil {
		t.Error("a responder for what is no CA")
	}
}

// Like TestPinnedRoots, for what came later.
func TestPinnedServices(t *testing.T) {
	p := mustNew(t, pki.Options{})
	for _, tt := range []struct {
		a    *pki.Authority
		want string
	}{
		{p.TimestampCA, "af68129af23e6cfecd3da55fb57ba0c158ca16ef706f2d9fdb81121979c85b3c"},
		{p.TSA, "9429605dfa5e2facd6e274afd8e095884c2a1aab7d801032efb60143876a702d"},
		{p.CRLIssuer, "d30a56164de925ef8230d8789ce6df0d3fba1c0d07a60d778d5308f325759816"},
	} {
		sum := sha256.Sum256(tt.a.Certificate.Raw)
		if got := hex.EncodeToString(sum[:]); got != tt.want {
			t.Errorf("%s: %s", tt.a.Name, got)
		}
	}
}

// crlFile writes a list for openssl.
func crlFile(t *testing.T, raw []byte, err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "list.pem")
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestCRLText(t *testing.T) {
	p := mustNew(t, pki.Options{})
	list := func(l pki.List) pki.List {
		l.ThisUpdate, l.NextUpdate = now, now.AddDate(0, 0, 7)
		return l
	}
	tests := []struct {
		name   string
		signer *pki.Authority
		list   pki.List
		want   []string
	}{
		{"full", p.CitizenCA, list(pki.List{Number: 18, ExpiredSince: now.AddDate(-3, 0, 0), Delta: p.DeltaURL(p.CitizenCA), Entries: []pki.Entry{
			{Serial: big.NewInt(0x1001), At: now.AddDate(0, -1, 0), Reason: pki.KeyCompromise, Invalid: now.AddDate(0, -2, 0)},
			{Serial: big.NewInt(0x1002), At: now.AddDate(0, -1, 0), Reason: pki.CertificateHold},
			{Serial: big.NewInt(0x1003), At: now.AddDate(0, -1, 0)}}}),
			[]string{"CRL Number: \n                18", "Key Compromise", "Certificate Hold", "Invalidity Date: \n                Apr  1 12:00:00 2025 GMT",
				"Freshest CRL: \n                Full Name:\n                  URI:http://127.0.0.1:24380/crl/citizen-ec-delta.crl", "Serial Number: 1003"}},
		{"delta", p.CitizenCA, list(pki.List{Number: 19, Base: 18, Entries: []pki.Entry{{Serial: big.NewInt(5), At: now, Reason: pki.RemoveFromCRL}}}),
			[]string{"Delta CRL Indicator: critical\n                18", "Remove From CRL"}},
		{"indirect", p.CRLIssuer, list(pki.List{Number: 1, Scope: pki.Scope{URL: p.CRLURL(p.CRLIssuer), Indirect: true},
			Entries: []pki.Entry{{Serial: big.NewInt(5), At: now, Issuer: p.CitizenCA}, {Serial: big.NewInt(6), At: now}}}),
			[]string{"Indirect CRL", "URI:http://127.0.0.1:24380/crl/crl-ec.crl", "Certificate Issuer: critical\n                DirName:/C=BE/O=eidkit TEST/CN=eidkit TEST Citizen CA EC"}},
		{"scopes", p.Root, list(pki.List{Number: 1, Scope: pki.Scope{OnlyCAs: true, Reasons: []int{1, 2, 8}}}),
			[]string{"Only CA Certificates", "Only Some Reasons:\n                  Key Compromise, CA Compromise, AA Compromise"}},
		{"users", p.Root, list(pki.List{Number: 1, Scope: pki.Scope{OnlyUsers: true}}), []string{"Only User Certificates"}},
		{"attributes", p.Root, list(pki.List{Number: 1, Scope: pki.Scope{OnlyAttributes: true}}), []string{"Only Attribute Certificates"}},
	}
	for _, tt := range tests {
		raw, err := p.CRL(tt.signer, tt.list)
		text := openssl(t, "crl", "-noout", "-text", "-in", crlFile(t, raw, err), "-CAfile", writePEM(t, "ca.pem", tt.signer.Certificate))
		for _, want := range append(tt.want, "verify OK") {
			if !strings.Contains(text, want) {
				t.Errorf("%s: no %q in\n%s", tt.name, want, text)
			}
		}
		if again, err := p.CRL(tt.signer, tt.list); err != nil || !bytes.Equal(again, raw) {
			t.Errorf("%s: other bytes the second time (%v)", tt.name, err)
		}
	}
}

// openssl verify finds the revoked leaf revoked, by each kind of list.
func TestCRLsWithOpenSSL(t *testing.T) {
	for _, alg := range algorithms {
		t.Run(alg.String(), func(t *testing.T) {
			p := mustNew(t, pki.Options{Algorithm: alg})
			root, ca := writePEM(t, "root.pem", p.Root.Certificate), writePEM(t, "ca.pem", p.CitizenCA.Certificate, p.CRLIssuer.Certificate)
			plain := mustIssue(t, p, pki.Request{Subject: holder}).Certificate
			indirect := mustIssue(t, p, pki.Request{Subject: holder, IndirectCRL: true}).Certificate
			if plain.SerialNumber.Cmp(indirect.SerialNumber) == 0 {
				t.Error("two certificates, one serial number")
			}
			list := func(signer *pki.Authority, l pki.List) []string {
				l.ThisUpdate, l.NextUpdate = now, now.AddDate(0, 0, 7)
				raw, err := p.CRL(signer, l)
				return []string{"-CRLfile", crlFile(t, raw, err)}
			}
			direct := func(full, delta []pki.Entry) []string {
				return append(list(p.CitizenCA, pki.List{Number: 1, Entries: full, Delta: p.DeltaURL(p.CitizenCA)}),
					list(p.CitizenCA, pki.List{Number: 2, Base: 1, Entries: delta})...)
			}
			// openssl also takes a full list of the CA where the certificate names another issuer, so it gets the indirect one alone.
			other := func(entries []pki.Entry) []string {
				return append(list(p.CRLIssuer, pki.List{Number: 1, Entries: entries, Scope: pki.Scope{URL: p.CRLURL(p.CRLIssuer), Indirect: true}}),
					list(p.Root, pki.List{Number: 1})...)
			}
			entry := func(c *x509.Certificate, issuer *pki.Authority) []pki.Entry {
				return []pki.Entry{{Serial: c.SerialNumber, At: now, Reason: pki.KeyCompromise, Issuer: issuer}}
			}
			for name, tt := range map[string]struct {
				cert *x509.Certificate
				args []string
				good bool
			}{
				"good":          {plain, direct(nil, nil), true},
				"full":          {plain, direct(entry(plain, nil), nil), false},
				"delta":         {plain, direct(nil, entry(plain, nil)), false},
				"indirect":      {indirect, other(entry(indirect, p.CitizenCA)), false},
				"indirect good": {indirect, other(entry(indirect, p.ForeignerCA)), true},
			} {
				args := append([]string{"verify", "-auth_level", "0", "-attime", "1748865600", "-crl_check", "-extended_crl", "-use_deltas",
					"-CAfile", root, "-untrusted", ca}, tt.args...)
				out, err := opensslTry(t, append(args, writePEM(t, "leaf.pem", tt.cert))...)
				if good := err == nil; good != tt.good || (!good && !strings.Contains(out, "certificate revoked")) {
					t.Errorf("%s: %v\n%s", name, err, out)
				}
			}
		})
	}
}

func TestCRLRefused(t *testing.T) {
	p := mustNew(t, pki.Options{})
	ok := pki.List{Number: 1, ThisUpdate: now, NextUpdate: now.Add(time.Hour)}
	backwards, blank := ok, ok
	backwards.NextUpdate = now.Add(-time.Hour)
	blank.Entries = []pki.Entry{{At: now}}
	for name, make := range map[string]func() ([]byte, error){
		"signer": func() ([]byte, error) { return p.CRL(p.RRN, ok) },
		"times":  func() ([]byte, error) { return p.CRL(p.Root, backwards) },
		"serial": func() ([]byte, error) { return p.CRL(p.Root, blank) },
	} {
		if _, err := make(); err == nil {
			t.Errorf("%s accepted", name)
		}
	}
}
