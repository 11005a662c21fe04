package holder_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/eidkit/eidkit/internal/holder"
	"github.com/eidkit/eidkit/testcards/pki"
)

func newPKI(t *testing.T, o pki.Options) *pki.PKI {
	t.Helper()
	p, err := pki.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestCards(t *testing.T) {
	t.Parallel()
	adult := pki.Subject{NationalNumber: "85073003328", Surname: "Voorbeeld", GivenNames: "Eva Maria"}
	kid := pki.Subject{NationalNumber: "15061500231", Surname: "Voorbeeld", GivenNames: "Noor"}
	for _, alg := range []pki.Algorithm{pki.EC, pki.RSA} {
		p := newPKI(t, pki.Options{Algorithm: alg})
		french := adult
		french.Country = "FR"
		for _, test := range []struct {
			name string
			req  pki.Request
			want holder.Kind
		}{
			{"citizen", pki.Request{Subject: adult}, holder.Citizen},
			{"citizen signing", pki.Request{Subject: adult, Kind: pki.Signature}, holder.Citizen},
			{"foreigner", pki.Request{Subject: french, Issuer: p.ForeignerCA}, holder.Foreigner},
			{"kid", pki.Request{Subject: kid}, holder.Kid},
			{"kid of foreigners", pki.Request{Subject: kid, Issuer: p.ForeignerCA}, holder.Kid},
		} {
			issued, err := p.Issue(test.req)
			if err != nil {
				t.Fatal(err)
			}
			h := holder.Of(issued.Certificate)
			s := test.req.Subject
			if h.Kind != test.want || h.NISS != s.NationalNumber || h.Surname != s.Surname || h.GivenNames != s.GivenNames {
				t.Errorf("%v %s: %+v", alg, test.name, h)
			}
			if country := s.Country; country != "" && h.Country != country || country == "" && h.Country != "BE" {
				t.Errorf("%v %s: country %q", alg, test.name, h.Country)
			}
		}
	}
	p := newPKI(t, pki.Options{Algorithm: pki.RSA})
	issued, err := p.Issue(pki.Request{Subject: adult, Issuer: p.GovernmentCA})
	if err != nil {
		t.Fatal(err)
	}
	if h := holder.Of(issued.Certificate); h.Kind != holder.Professional {
		t.Errorf("government: %+v", h)
	}
}

// selfSigned makes a certificate with any subject.
func selfSigned(t *testing.T, names []pkix.AttributeTypeAndValue) *x509.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{ExtraNames: names}, NotBefore: time.Unix(1700000000, 0), NotAfter: time.Unix(1900000000, 0)}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestSubjects(t *testing.T) {
	t.Parallel()
	attr := func(oid asn1.ObjectIdentifier, v string) pkix.AttributeTypeAndValue {
		return pkix.AttributeTypeAndValue{Type: oid, Value: v}
	}
	country := func(v string) pkix.AttributeTypeAndValue { return attr(asn1.ObjectIdentifier{2, 5, 4, 6}, v) }
	serial := func(v string) pkix.AttributeTypeAndValue { return attr(asn1.ObjectIdentifier{2, 5, 4, 5}, v) }
	surname := func(v string) pkix.AttributeTypeAndValue { return attr(asn1.ObjectIdentifier{2, 5, 4, 4}, v) }
	org := func(v string) pkix.AttributeTypeAndValue { return attr(asn1.ObjectIdentifier{2, 5, 4, 10}, v) }
	orgID := func(v string) pkix.AttributeTypeAndValue { return attr(asn1.ObjectIdentifier{2, 5, 4, 97}, v) }
	cn := func(v string) pkix.AttributeTypeAndValue { return attr(asn1.ObjectIdentifier{2, 5, 4, 3}, v) }
	long := strings.Repeat("é", 300)
	type names []pkix.AttributeTypeAndValue
	for _, test := range []struct {
		name  string
		names names
		want  holder.Holder
	}{
		{"nothing", nil, holder.Holder{Kind: holder.Other}},
		{"semantics identifier", names{country("BE"), serial("PNOBE-85073003328"), surname("Voorbeeld")},
			holder.Holder{NISS: "85073003328", SerialNumber: "PNOBE-85073003328", Surname: "Voorbeeld", Country: "BE", Kind: holder.Other}},
		{"Estonian", names{country("EE"), serial("PNOEE-38001085718"), surname("Näidis")},
			holder.Holder{SerialNumber: "PNOEE-38001085718", Surname: "Näidis", Country: "EE", Kind: holder.Other}},
		{"Belgian number abroad", names{country("FR"), serial("85073003328")}, holder.Holder{SerialNumber: "85073003328", Country: "FR", Kind: holder.Other}},
		{"check digits", names{country("BE"), serial("85073003329")}, holder.Holder{SerialNumber: "85073003329", Country: "BE", Kind: holder.Other}},
		{"separators", names{country("BE"), serial("85.07.30-033.28")}, holder.Holder{SerialNumber: "85.07.30-033.28", Country: "BE", Kind: holder.Other}},
		{"specimen date", names{country("BE"), serial("71715100070")}, holder.Holder{NISS: "71715100070", SerialNumber: "71715100070", Country: "BE", Kind: holder.Other}},
		{"two numbers", names{country("BE"), serial("85073003328"), serial("71715100070")}, holder.Holder{Country: "BE", Kind: holder.Other}},
		{"professional", names{surname("Voorbeeld"), org("Proefziekenhuis")}, holder.Holder{Surname: "Voorbeeld", Organization: "Proefziekenhuis", Kind: holder.Professional}},
		{"professional by number", names{surname("Voorbeeld"), orgID("NTRBE-0000000000")}, holder.Holder{Surname: "Voorbeeld", Kind: holder.Professional}},
		{"seal", names{cn("Zegel"), org("Proefziekenhuis")}, holder.Holder{CommonName: "Zegel", Organization: "Proefziekenhuis", Kind: holder.Other}},
		{"named as if", names{country("BE"), cn("Citizen CA"), serial("85073003328")},
			holder.Holder{NISS: "85073003328", SerialNumber: "85073003328", CommonName: "Citizen CA", Country: "BE", Kind: holder.Other}},
		{"odd characters", names{cn(" a\u202eb\x1b[31mc\n")}, holder.Holder{CommonName: "ab[31mc", Kind: holder.Other}},
		{"long", names{cn(long)}, holder.Holder{CommonName: long[:256], Kind: holder.Other}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := holder.Of(selfSigned(t, test.names)); got != test.want {
				t.Errorf("got  %+v\nwant %+v", got, test.want)
			}
		})
	}
	if got := holder.Of(nil); got != (holder.Holder{Kind: holder.Other}) {
		t.Errorf("nil: %+v", got)
	}
}

func FuzzOf(f *testing.F) {
	p, err := pki.New(pki.Options{})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(p.Root.Certificate.Raw)
	f.Add(p.RRN.Certificate.Raw)
	f.Fuzz(func(t *testing.T, der []byte) {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return
		}
		h := holder.Of(c)
		for _, s := range []string{h.SerialNumber, h.Surname, h.GivenNames, h.CommonName, h.Country, h.Organization} {
			if len(s) > 256 || strings.ContainsAny(s, "\x00\x1b\n\u202e") {
				t.Fatalf("%q", s)
			}
		}
		if h.NISS != "" && len(h.NISS) != 11 {
			t.Fatal("number of another length")
		}
	})
}
