package carddata_test

import (
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/eidkit/eidkit/testcards/pki"
	"github.com/eidkit/eidkit/verify"
	"github.com/eidkit/eidkit/verify/carddata"
)

// certificate issues one that testcards/pki does not: any subject, any extended purpose.
func certificate(t testing.TB, issuer *pki.Authority, pub crypto.PublicKey, subject pkix.Name, ca bool, extended ...x509.ExtKeyUsage) *x509.Certificate {
	t.Helper()
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(77), Subject: subject,
		NotBefore: year(2024), NotAfter: year(2030),
		KeyUsage: x509.KeyUsageDigitalSignature, BasicConstraintsValid: true, IsCA: ca, MaxPathLen: -1,
		ExtKeyUsage: extended,
	}
	if strings.Contains(subject.CommonName, "unknown purpose") {
		tmpl.UnknownExtKeyUsage = []asn1.ObjectIdentifier{{1, 3, 6, 1, 4, 1, 55555, 1}}
	}
	if ca {
		tmpl.KeyUsage |= x509.KeyUsageCertSign
	}
	if strings.Contains(subject.CommonName, "encryption") {
		tmpl.KeyUsage = x509.KeyUsageKeyAgreement
	}
	der, err := x509.CreateCertificate(nil, tmpl, issuer.Certificate, pub, issuer.Key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// Who holds a certificate under the same root must not be able to sign
// identities with it.
func TestOnlyTheRegisterSigns(t *testing.T) {
	p, err := pki.New(pki.Options{})
	if err != nil {
		t.Fatal(err)
	}
	holder, err := p.Issue(pki.Request{Kind: pki.Signature, Subject: pki.Subject{NationalNumber: "71715100070", Surname: "RRN"}})
	if err != nil {
		t.Fatal(err)
	}
	key := holder.Key
	name := func(cn string) pkix.Name { return pkix.Name{Country: []string{"BE"}, CommonName: cn} }
	tests := []struct {
		name   string
		cert   *x509.Certificate
		issuer *pki.Authority
		want   carddata.Status
	}{
		{"by the root", certificate(t, p.Root, key.Public(), name("Whatever"), false), nil, carddata.Held},
		{"by the root, for encryption", certificate(t, p.Root, key.Public(), name("RRN encryption"), false), nil, carddata.Failed},
		{"by the root, for web servers", certificate(t, p.Root, key.Public(), name("www.example"), false, x509.ExtKeyUsageServerAuth), nil, carddata.Failed},
		{"by the root, for OCSP", certificate(t, p.Root, key.Public(), name("OCSP"), false, x509.ExtKeyUsageOCSPSigning), nil, carddata.Failed},
		{"by the root, for timestamps", certificate(t, p.Root, key.Public(), name("TSA"), false, x509.ExtKeyUsageTimeStamping), nil, carddata.Failed},
		{"by the root, for any purpose", certificate(t, p.Root, key.Public(), name("Any"), false, x509.ExtKeyUsageAny), nil, carddata.Failed},
		{"by the root, for an unknown purpose", certificate(t, p.Root, key.Public(), name("unknown purpose"), false), nil, carddata.Failed},
		{"by the root, extended, called RRN", certificate(t, p.Root, key.Public(), name("TEST RRN"), false, x509.ExtKeyUsageEmailProtection), nil, carddata.Held},
		{"by the government CA, called RRN", certificate(t, p.GovernmentCA, key.Public(), name("TEST RRN 3"), false), p.GovernmentCA, carddata.Held},
		{"by the government CA, called otherwise", certificate(t, p.GovernmentCA, key.Public(), name("www.RRN.example"), false), p.GovernmentCA, carddata.Failed},
		{"citizen", holder.Certificate, p.CitizenCA, carddata.Failed},
		{"person by the root", certificate(t, p.Root, key.Public(), pkix.Name{CommonName: "RRN", SerialNumber: "71715100070"}, false), nil, carddata.Failed},
		{"a CA", certificate(t, p.Root, key.Public(), name("RRN"), true), nil, carddata.Failed},
	}
	for _, tt := range tests {
		c := newTestCard(t, testCard{})
		c.files.RRN = tt.cert.Raw
		if tt.issuer != nil {
			c.files.CA = tt.issuer.Certificate.Raw
		}
		if c.files.IdentitySignature, err = key.Sign(nil, sum(crypto.SHA384, c.files.Identity), crypto.SHA384); err != nil {
			t.Fatal(err)
		}
		c.files.Address = nil
		r := carddata.Verify(c.files, carddata.Options{Anchors: c.anchors(), Time: year(2026)})
		if r.Identity.Status != carddata.Held || r.Chain.Status != tt.want || r.Trusted() != (tt.want == carddata.Held) {
			t.Errorf("%s: identity %v, chain %+v", tt.name, r.Identity.Status, r.Chain)
		}
		// The holder's own CA made an anchor by an administrator.
		if tt.issuer == p.CitizenCA {
			a := &verify.Anchors{}
			a.Add(p.CitizenCA.Certificate)
			if r := carddata.Verify(c.files, carddata.Options{Anchors: a, Time: year(2026)}); r.Chain.Status != carddata.Failed {
				t.Errorf("%s under its own CA: %+v", tt.name, r.Chain)
			}
		}
	}
}

func TestExpiredChain(t *testing.T) {
	c := newTestCard(t, testCard{})
	for _, at := range []time.Time{year(2019), year(2051)} {
		r := carddata.Verify(c.files, carddata.Options{Anchors: c.anchors(), Time: at})
		if r.Chain.Status != carddata.Untrusted || !strings.Contains(r.Chain.Reason, "not valid at that time") || r.Failed() {
			t.Errorf("%v: %+v", at, r.Chain)
		}
	}
}
