package certs_test

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"reflect"
	"testing"

	"github.com/eidkit/eidkit/internal/certs"
)

// withExtension is a certificate with that one extension, as far as the functions under test look.
func withExtension(id asn1.ObjectIdentifier, critical bool, value []byte) *x509.Certificate {
	return &x509.Certificate{Extensions: []pkix.Extension{{Id: id, Critical: critical, Value: value}}}
}

func oidDER(id ...int) []byte {
	b, err := asn1.Marshal(asn1.ObjectIdentifier(id))
	if err != nil {
		panic(err)
	}
	return b
}

// opensslExtensions has openssl encode the extensions of a configuration, so that our reader meets another's writer.
func opensslExtensions(t *testing.T, lines string) *x509.Certificate {
	t.Helper()
	conf := writeFile(t, "conf", []byte("[req]\ndistinguished_name=dn\nx509_extensions=v3\nprompt=no\n[dn]\nCN=Proef\n[v3]\n"+lines))
	return made(t, []string{"-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"}, "-config", conf)
}

func TestExtensionsOfOpenSSL(t *testing.T) {
	t.Parallel()
	c := opensslExtensions(t, `basicConstraints=critical,CA:TRUE,pathlen:3
certificatePolicies=1.2.3.4,@pol,2.5.29.32.0
policyConstraints=critical,requireExplicitPolicy:2,inhibitPolicyMapping:0
inhibitAnyPolicy=critical,1
policyMappings=1.2.3:1.2.4,1.2.3:1.2.5
nameConstraints=critical,permitted;dirName:dir,permitted;email:.example.org,permitted;IP:10.0.0.0/255.0.0.0,excluded;DNS:bad.example.org,excluded;URI:.example.com
authorityInfoAccess=OCSP;URI:http://ocsp.example.org,caIssuers;URI:http://crt.example.org/ca.crt,caIssuers;URI:ldap://x
crlDistributionPoints=p1,p2
freshestCRL=URI:http://crl.example.org/delta.crl
[dir]
C=BE
[pol]
policyIdentifier=1.2.3.5
CPS.1=http://cps.example.org
userNotice.1=@notice
[notice]
explicitText=UTF8:Proef
[p1]
fullname=URI:http://crl.example.org/1.crl,URI:ldap://crl.example.org/1
reasons=keyCompromise,CACompromise
[p2]
relativename=rel
CRLissuer=dirName:dir
[rel]
CN=CRL 2
`)
	policies, err := certs.Policies(c)
	want := []certs.PolicyInformation{{Policy: asn1.ObjectIdentifier{1, 2, 3, 4}}, {Policy: asn1.ObjectIdentifier{1, 2, 3, 5}, CPS: []string{"http://cps.example.org"}, Notice: "Proef"}, {Policy: certs.OIDAnyPolicy}}
	if err != nil || !reflect.DeepEqual(policies, want) {
		t.Errorf("policies %+v %v", policies, err)
	}
	if k, err := certs.PolicyConstraints(c); err != nil || k != (certs.Constraints{RequireExplicitPolicy: 2, InhibitPolicyMapping: 0, InhibitAnyPolicy: 1}) {
		t.Errorf("constraints %+v %v", k, err)
	}
	if m, err := certs.PolicyMappings(c); err != nil || fmt.Sprint(m) != "[{1.2.3 1.2.4} {1.2.3 1.2.5}]" {
		t.Errorf("mappings %v %v", m, err)
	}
	names, err := certs.NameConstraintsOf(c)
	if err != nil || !names.Critical || len(names.Permitted) != 3 || len(names.Excluded) != 2 {
		t.Fatalf("name constraints %+v %v", names, err)
	}
	for i, want := range []string{"C=BE", ".example.org", ""} {
		if got := names.Permitted[i].Text(); got != want {
			t.Errorf("permitted %q, want %q", got, want)
		}
	}
	if ip := names.Permitted[2]; ip.Form != certs.IPAddress || !bytes.Equal(ip.Value, []byte{10, 0, 0, 0, 255, 0, 0, 0}) {
		t.Errorf("permitted %+v", ip)
	}
	if names.Excluded[0].Form != certs.DNSName || names.Excluded[1].Text() != ".example.com" {
		t.Errorf("excluded %+v", names.Excluded)
	}
	access, err := certs.AuthorityInfo(c)
	if err != nil || fmt.Sprint(access) != "{[http://ocsp.example.org] [http://crt.example.org/ca.crt ldap://x]}" {
		t.Errorf("access %v %v", access, err)
	}
	points, err := certs.CRLDistributionPoints(c)
	if err != nil || len(points) != 2 {
		t.Fatalf("distribution points %+v %v", points, err)
	}
	if p := points[0]; fmt.Sprint(p.URLs()) != "[http://crl.example.org/1.crl ldap://crl.example.org/1]" || p.Reasons != 1<<1|1<<2 || p.Issuer != nil {
		t.Errorf("%+v", p)
	}
	if p := points[1]; p.URLs() != nil || !bytes.Contains(p.Relative, []byte("CRL 2")) || p.Relative[0] != 0x31 || p.Reasons != certs.AllReasons || len(p.Issuer) != 1 || p.Issuer[0].Text() != "C=BE" {
		t.Errorf("%+v", p)
	}
	if fresh, err := certs.FreshestCRL(c); err != nil || len(fresh) != 1 || fresh[0].URLs()[0] != "http://crl.example.org/delta.crl" {
		t.Errorf("freshest %+v %v", fresh, err)
	}
}

func TestNoExtensions(t *testing.T) {
	t.Parallel()
	c := &x509.Certificate{}
	policies, err1 := certs.Policies(c)
	mappings, err2 := certs.PolicyMappings(c)
	k, err3 := certs.PolicyConstraints(c)
	names, err4 := certs.NameConstraintsOf(c)
	access, err5 := certs.AuthorityInfo(c)
	points, err6 := certs.CRLDistributionPoints(c)
	qc, err7 := certs.QCStatementsOf(c)
	if err := errors.Join(err1, err2, err3, err4, err5, err6, err7); err != nil {
		t.Error(err)
	}
	if policies != nil || mappings != nil || k != (certs.Constraints{RequireExplicitPolicy: -1, InhibitPolicyMapping: -1, InhibitAnyPolicy: -1}) || names != nil ||
		access.OCSP != nil || points != nil || qc != nil {
		t.Error(policies, mappings, k, names, access, points, qc)
	}
}

func TestMalformedExtensions(t *testing.T) {
	t.Parallel()
	tree := func(parts ...[]byte) []byte { return der(0x30, der(0xa0, der(0x30, parts...))) }
	readers := map[string]func(*x509.Certificate) error{
		"policies":    func(c *x509.Certificate) error { _, err := certs.Policies(c); return err },
		"mappings":    func(c *x509.Certificate) error { _, err := certs.PolicyMappings(c); return err },
		"constraints": func(c *x509.Certificate) error { _, err := certs.PolicyConstraints(c); return err },
		"names":       func(c *x509.Certificate) error { _, err := certs.NameConstraintsOf(c); return err },
		"access":      func(c *x509.Certificate) error { _, err := certs.AuthorityInfo(c); return err },
		"points":      func(c *x509.Certificate) error { _, err := certs.CRLDistributionPoints(c); return err },
		"qc":          func(c *x509.Certificate) error { _, err := certs.QCStatementsOf(c); return err },
	}
	tests := []struct {
		what   string
		id     asn1.ObjectIdentifier
		reader string
		value  []byte
		bad    bool
	}{
		{"policy twice", certs.OIDPolicies, "policies", der(0x30, der(0x30, oidDER(1, 2, 3)), der(0x30, oidDER(1, 2, 3))), true},
		{"policy without OID", certs.OIDPolicies, "policies", der(0x30, der(0x30)), true},
		{"policies, trailing", certs.OIDPolicies, "policies", append(der(0x30), 0), true},
		{"odd qualifier", certs.OIDPolicies, "policies", der(0x30, der(0x30, oidDER(1, 2, 3), der(0x30, []byte{5, 0}))), false},
		{"too many policies", certs.OIDPolicies, "policies", der(0x30, manyPolicies(4097)), true},
		{"many policies", certs.OIDPolicies, "policies", der(0x30, manyPolicies(4096)), false},
		{"half a mapping", certs.OIDPolicyMappings, "mappings", der(0x30, der(0x30, oidDER(1, 2, 3))), true},
		{"negative skip", certs.OIDInhibitAnyPolicy, "constraints", []byte{2, 1, 0xff}, true},
		{"huge skip", certs.OIDInhibitAnyPolicy, "constraints", der(2, bytes.Repeat([]byte{0x7f}, 100)), false},
		{"no skip", certs.OIDPolicyConstraints, "constraints", der(0x30, der(0x80)), true},
		{"constraints in the wrong order", certs.OIDPolicyConstraints, "constraints", der(0x30, []byte{0x81, 1, 0}, []byte{0x80, 1, 0}), true},
		{"subtree with minimum 0", certs.OIDNameConstraints, "names", tree(der(0x82, []byte("a")), []byte{0x80, 1, 0}), false},
		{"subtree with minimum 1", certs.OIDNameConstraints, "names", tree(der(0x82, []byte("a")), []byte{0x80, 1, 1}), true},
		{"subtree with maximum", certs.OIDNameConstraints, "names", tree(der(0x82, []byte("a")), []byte{0x81, 1, 1}), true},
		{"subtree without base", certs.OIDNameConstraints, "names", tree(), true},
		{"directory name that is none", certs.OIDNameConstraints, "names", tree(der(0xa4, []byte{5, 0})), true},
		{"name of form 9", certs.OIDNameConstraints, "names", tree(der(0x89)), true},
		{"access without location", certs.OIDAuthorityInfo, "access", der(0x30, der(0x30, oidDER(1, 3, 6, 1, 5, 5, 7, 48, 1))), true},
		{"empty point", certs.OIDCRLDistribution, "points", der(0x30, der(0x30)), false},
		{"long reasons", certs.OIDCRLDistribution, "points", der(0x30, der(0x30, der(0x81, make([]byte, 9)))), true},
		{"no reasons", certs.OIDCRLDistribution, "points", der(0x30, der(0x30, der(0x81))), true},
		{"two names of a point", certs.OIDCRLDistribution, "points", der(0x30, der(0x30, der(0xa0, der(0xa0), der(0xa0)))), true},
		{"statement without OID", certs.OIDQCStatements, "qc", der(0x30, der(0x30)), true},
		{"retention that is none", certs.OIDQCStatements, "qc", der(0x30, der(0x30, oidDER(0, 4, 0, 1862, 1, 3), []byte{5, 0})), true},
	}
	for _, tt := range tests {
		err := readers[tt.reader](withExtension(tt.id, false, tt.value))
		if tt.bad && !errors.Is(err, certs.ErrExtension) || !tt.bad && err != nil {
			t.Errorf("%s: %v", tt.what, err)
		}
	}
}

func manyPolicies(n int) []byte {
	var b bytes.Buffer
	for i := range n {
		b.Write(der(0x30, oidDER(1, 2, i)))
	}
	return b.Bytes()
}

func TestQCStatements(t *testing.T) {
	t.Parallel()
	etsi := func(last int, info ...[]byte) []byte {
		return der(0x30, append([][]byte{oidDER(0, 4, 0, 1862, 1, last)}, info...)...)
	}
	value := der(0x30,
		etsi(1), etsi(4), etsi(3, []byte{2, 1, 30}),
		etsi(5, der(0x30, der(0x30, der(0x16, []byte("https://pds.example.org/en")), der(0x13, []byte("en"))))),
		etsi(6, der(0x30, oidDER(0, 4, 0, 1862, 1, 6, 1), oidDER(1, 2, 3))),
		etsi(7, der(0x30, der(0x13, []byte("CH")))),
		der(0x30, oidDER(1, 3, 6, 1, 5, 5, 7, 11, 2)),
	)
	q, err := certs.QCStatementsOf(withExtension(certs.OIDQCStatements, false, value))
	want := &certs.QCStatements{Compliance: true, SSCD: true, Retention: 30, PDS: []string{"https://pds.example.org/en"}, Types: []string{"esign", "1.2.3"},
		Countries: []string{"CH"}, Others: []asn1.ObjectIdentifier{{1, 3, 6, 1, 5, 5, 7, 11, 2}}}
	if err != nil || !reflect.DeepEqual(q, want) {
		t.Errorf("%+v %v", q, err)
	}
}

func TestGeneralNames(t *testing.T) {
	t.Parallel()
	value := der(0x30, der(0x81, []byte("a@example.org")), der(0x87, []byte{10, 0, 0, 1}), der(0xa0, oidDER(1, 2, 3), der(0xa0, []byte{5, 0})), der(0x88, []byte{0x2a, 3}),
		der(0xa4, name(t, one("6:19:BE"))))
	list, err := certs.ParseGeneralNames(value)
	if err != nil || len(list) != 5 {
		t.Fatalf("%+v %v", list, err)
	}
	for i, want := range []string{"a@example.org", "10.0.0.1", "", "", "C=BE"} {
		if got := list[i].Text(); got != want {
			t.Errorf("%d: %q", i, got)
		}
	}
	if list[2].Form != certs.OtherName || list[3].Form != certs.RegisteredID {
		t.Errorf("%+v", list)
	}
	for _, bad := range [][]byte{nil, {0x30}, append(bytes.Clone(value), 0), der(0x30, []byte{0x30, 0}), der(0x30, []byte{0xc1, 0})} {
		if _, err := certs.ParseGeneralNames(bad); !errors.Is(err, certs.ErrExtension) {
			t.Errorf("%x: %v", bad, err)
		}
	}
}
