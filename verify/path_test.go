package verify_test

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/eidkit/eidkit/testcards/pki"
	"github.com/eidkit/eidkit/verify"
)

type pathCase struct {
	name    string
	leaf    *x509.Certificate
	others  []*x509.Certificate
	anchors []*x509.Certificate
	at      time.Time // zero: now
	want    error     // nil: a path
	length  int       // of the path
	// differs says why openssl's verdict is another one.
	differs string
}

func (c pathCase) run(t *testing.T) {
	if c.at.IsZero() {
		c.at = now
	}
	set := &verify.Anchors{}
	for _, a := range c.anchors {
		set.Add(a)
	}
	path, err := verify.BuildPath(c.leaf, c.others, set, c.at)
	if !errors.Is(err, c.want) {
		t.Fatalf("got error %v, want %v", err, c.want)
	}
	if c.want == nil && len(path) != c.length {
		t.Errorf("path of %d certificates, want %d", len(path), c.length)
	}
	if c.want != nil {
		var pe *verify.PathError
		if path != nil || !errors.As(err, &pe) || pe.Certificate == nil || !errors.Is(err, verify.ErrVerification) {
			t.Errorf("path %v, error %#v", path, err)
		}
	}
	if good := opensslVerify(t, c.leaf, c.others, c.anchors, c.at); good != (c.want == nil) && c.differs == "" {
		t.Errorf("openssl says %v", good)
	}
}

func runPaths(t *testing.T, cases []pathCase) {
	for _, c := range cases {
		t.Run(c.name, c.run)
	}
}

type certs = []*x509.Certificate

func TestBelgianPaths(t *testing.T) {
	for _, alg := range []pki.Algorithm{pki.EC, pki.RSA, pki.RSA1024} {
		p := newPKI(t, pki.Options{Algorithm: alg})
		other := newPKI(t, pki.Options{Algorithm: alg, Seed: 1})
		issued, err := p.Issue(pki.Request{Subject: pki.Subject{NationalNumber: "71715100070", Surname: "Proef"}, Kind: pki.Signature})
		if err != nil {
			t.Fatal(err)
		}
		leaf, ca, root, rrn := issued.Certificate, p.CitizenCA.Certificate, p.Root.Certificate, p.RRN.Certificate
		t.Run(alg.String(), func(t *testing.T) {
			runPaths(t, []pathCase{
				{name: "leaf", leaf: leaf, others: certs{ca, root}, anchors: certs{root}, length: 3},
				{name: "root only among the anchors", leaf: leaf, others: certs{ca}, anchors: certs{root}, length: 3},
				{name: "register", leaf: rrn, others: certs{root}, anchors: certs{root}, length: 2},
				{name: "unknown root", leaf: leaf, others: certs{ca, root}, want: verify.ErrUntrusted},
				{name: "root of the same name", leaf: leaf, others: certs{ca, root}, anchors: certs{other.Root.Certificate}, want: verify.ErrUntrusted},
				{name: "both roots of the name", leaf: leaf, others: certs{ca}, anchors: certs{other.Root.Certificate, root}, length: 3},
				{name: "no CA", leaf: leaf, others: certs{root}, anchors: certs{root}, want: verify.ErrNoIssuer},
				{name: "no root", leaf: leaf, others: certs{ca}, want: verify.ErrNoIssuer},
				{name: "CA of the same name", leaf: leaf, others: certs{other.CitizenCA.Certificate}, anchors: certs{root, other.Root.Certificate}, want: verify.ErrBadSignature},
				{name: "both CAs of the name", leaf: leaf, others: certs{other.CitizenCA.Certificate, ca}, anchors: certs{root, other.Root.Certificate}, length: 3},
				{name: "leaf's end", leaf: leaf, others: certs{ca}, anchors: certs{root}, at: leaf.NotAfter, length: 3,
					differs: "it ends one second early; RFC 5280 section 4.1.2.5 includes the last one"},
				{name: "after the leaf's end", leaf: leaf, others: certs{ca}, anchors: certs{root}, at: leaf.NotAfter.Add(time.Second), want: verify.ErrExpired},
				{name: "before its start", leaf: leaf, others: certs{ca}, anchors: certs{root}, at: leaf.NotBefore.Add(-time.Second), want: verify.ErrExpired},
				{name: "expired and untrusted", leaf: leaf, others: certs{ca, root}, at: leaf.NotAfter.Add(time.Hour), want: verify.ErrUntrusted},
				{name: "root itself", leaf: root, anchors: certs{root}, length: 1},
				{name: "CA as anchor", leaf: leaf, anchors: certs{ca}, length: 2, differs: "it wants a self-signed anchor"},
			})
		})
	}
}

func TestPathConstraints(t *testing.T) {
	root := issue(t, template("Root", true), nil, nil)
	ca := issue(t, template("CA", true), root, nil)
	leaf := issue(t, template("Leaf", false), ca, nil)

	expired := template("CA", true)
	expired.NotAfter = now.Add(-time.Hour)
	expiredCA := issue(t, expired, root, ca.key)

	endEntityTemplate := template("CA", false)
	endEntityTemplate.KeyUsage |= x509.KeyUsageCertSign
	endEntity := issue(t, endEntityTemplate, root, ca.key)
	noSign := template("CA", true)
	noSign.KeyUsage = x509.KeyUsageCRLSign
	noSignCA := issue(t, noSign, root, ca.key)
	noBasic := template("CA", false)
	noBasic.BasicConstraintsValid, noBasic.KeyUsage = false, x509.KeyUsageCertSign
	noBasicCA := issue(t, noBasic, root, ca.key)

	zero := template("Zero", true)
	zero.MaxPathLen, zero.MaxPathLenZero = 0, true
	zeroCA := issue(t, zero, root, nil)
	below := issue(t, template("Below", true), zeroCA, nil)
	tooDeep := issue(t, template("Too deep", false), below, nil)
	allowed := issue(t, template("Allowed", false), zeroCA, nil)

	rolled := template("Zero", true) // the same CA with a new key does not count
	rolled.MaxPathLen, rolled.MaxPathLenZero, rolled.AuthorityKeyId = 0, true, zeroCA.cert.SubjectKeyId
	rolledCA := issue(t, rolled, zeroCA, nil)
	underRolled := issue(t, template("Under rolled", false), rolledCA, nil)

	eku := template("EKU", true)
	eku.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageEmailProtection}
	ekuCA := issue(t, eku, root, nil)
	ekuLeaf := template("EKU leaf", false)
	ekuLeaf.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageTimeStamping}

	critical := template("Critical", false)
	critical.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 999, 1}, Critical: true, Value: []byte{5, 0}}}
	names := template("Names", true)
	names.PermittedDNSDomains, names.PermittedDNSDomainsCritical = []string{"example.org"}, true
	namesCA := issue(t, names, root, nil)
	inside, outside := template("Inside", false), template("Outside", false)
	inside.DNSNames, outside.DNSNames = []string{"www.example.org"}, []string{"www.example.com"}

	broken := *leaf.cert
	broken.Signature = slices.Clone(leaf.cert.Signature)
	broken.Signature[len(broken.Signature)-1] ^= 1

	runPaths(t, []pathCase{
		{name: "good", leaf: leaf.cert, others: certs{ca.cert}, anchors: certs{root.cert}, length: 3},
		{name: "expired CA", leaf: leaf.cert, others: certs{expiredCA.cert}, anchors: certs{root.cert}, want: verify.ErrExpired},
		{name: "expired CA re-issued", leaf: leaf.cert, others: certs{expiredCA.cert, ca.cert}, anchors: certs{root.cert}, length: 3},
		{name: "issuer is no CA", leaf: leaf.cert, others: certs{endEntity.cert}, anchors: certs{root.cert}, want: verify.ErrConstraint},
		{name: "issuer may not sign", leaf: leaf.cert, others: certs{noSignCA.cert}, anchors: certs{root.cert}, want: verify.ErrConstraint},
		{name: "issuer without basic constraints", leaf: leaf.cert, others: certs{noBasicCA.cert}, anchors: certs{root.cert}, want: verify.ErrConstraint,
			differs: "it takes key usage for enough"},
		{name: "leaf as issuer", leaf: issue(t, template("Forged", false), leaf, nil).cert, others: certs{leaf.cert, ca.cert}, anchors: certs{root.cert}, want: verify.ErrConstraint},
		{name: "path length held", leaf: allowed.cert, others: certs{zeroCA.cert}, anchors: certs{root.cert}, length: 3},
		{name: "path length exceeded", leaf: tooDeep.cert, others: certs{below.cert, zeroCA.cert}, anchors: certs{root.cert}, want: verify.ErrConstraint},
		{name: "path length and a self-issued CA", leaf: underRolled.cert, others: certs{zeroCA.cert, rolledCA.cert}, anchors: certs{root.cert}, length: 4},
		{name: "extended key usage of a CA", leaf: issue(t, ekuLeaf, ekuCA, nil).cert, others: certs{ekuCA.cert}, anchors: certs{root.cert}, length: 3},
		{name: "critical extension", leaf: issue(t, critical, ca, nil).cert, others: certs{ca.cert}, anchors: certs{root.cert}, want: verify.ErrConstraint},
		{name: "inside name constraints", leaf: issue(t, inside, namesCA, nil).cert, others: certs{namesCA.cert}, anchors: certs{root.cert}, length: 3},
		{name: "outside name constraints", leaf: issue(t, outside, namesCA, nil).cert, others: certs{namesCA.cert}, anchors: certs{root.cert}, want: verify.ErrConstraint},
		{name: "broken signature", leaf: &broken, others: certs{ca.cert}, anchors: certs{root.cert}, want: verify.ErrBadSignature,
			differs: "it sees the unbroken bytes"},
	})
}

func TestCheckIssued(t *testing.T) {
	root := issue(t, template("Root", true), nil, nil)
	sameKey := issue(t, template("Other name", true), nil, root.key)
	leaf := issue(t, template("Leaf", false), root, nil)
	for _, tt := range []struct {
		issuer *entity
		want   error
	}{{root, nil}, {sameKey, verify.ErrNoIssuer}, {leaf, verify.ErrNoIssuer}} {
		if err := verify.CheckIssued(leaf.cert, tt.issuer.cert); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v", tt.issuer.cert.Subject.CommonName, err)
		}
	}
}

// Cross certificates of a root and a root re-issued with the same key, as with
// Belgium Root CA4.
func TestReissuedRoot(t *testing.T) {
	first := issue(t, template("Root 4", true), nil, nil)
	second := template("Root 4", true)
	second.NotAfter = now.AddDate(5, 0, 0)
	reissued := issue(t, second, nil, first.key)
	stranger := issue(t, template("Global", true), nil, nil)
	cross := issue(t, template("Root 4", true), stranger, first.key)
	ca := issue(t, template("CA", true), first, nil)
	leafTemplate := template("Leaf", false)
	leafTemplate.NotAfter = now.AddDate(5, 0, 0)
	leaf := issue(t, leafTemplate, ca, nil)

	runPaths(t, []pathCase{
		{name: "first", leaf: leaf.cert, others: certs{cross.cert, first.cert, ca.cert}, anchors: certs{first.cert}, length: 3},
		{name: "second", leaf: leaf.cert, others: certs{cross.cert, first.cert, ca.cert}, anchors: certs{reissued.cert}, length: 3},
		{name: "second among others", leaf: leaf.cert, others: certs{first.cert, cross.cert, reissued.cert, ca.cert}, anchors: certs{reissued.cert}, length: 3},
		{name: "through the cross certificate", leaf: leaf.cert, others: certs{first.cert, cross.cert, ca.cert}, anchors: certs{stranger.cert}, length: 4,
			differs: "it stops at the first self-signed root"},
		{name: "only the cross certificate", leaf: leaf.cert, others: certs{cross.cert, ca.cert}, anchors: certs{stranger.cert}, length: 4},
	})
}

func TestLoops(t *testing.T) {
	a, b := newKey(t), newKey(t)
	rootA := issue(t, template("A", true), nil, a)
	rootB := issue(t, template("B", true), nil, b)
	aByB := issue(t, template("A", true), rootB, a)
	bByA := issue(t, template("B", true), rootA, b)
	leaf := issue(t, template("Leaf", false), rootA, nil)
	runPaths(t, []pathCase{
		{name: "loop", leaf: leaf.cert, others: certs{aByB.cert, bByA.cert}, want: verify.ErrUntrusted},
		{name: "loop with a way out", leaf: leaf.cert, others: certs{aByB.cert, bByA.cert}, anchors: certs{rootB.cert}, length: 3},
		{name: "self-signed leaf", leaf: rootA.cert, want: verify.ErrUntrusted},
	})
}

func TestSearchIsBounded(t *testing.T) {
	chain := []*entity{issue(t, template("Root", true), nil, nil)}
	for i := range 10 {
		chain = append(chain, issue(t, template("CA "+strconv.Itoa(i), true), chain[len(chain)-1], nil))
	}
	var all certs
	for _, e := range chain {
		all = append(all, e.cert)
	}
	var twins certs
	leaf := issue(t, template("Leaf", false), chain[1], nil)
	for range 150 {
		twins = append(twins, issue(t, template("CA 0", true), nil, nil).cert)
	}
	// Every pair of these names issues every other: the paths through them
	// are as many as permutations.
	var web certs
	keys := make([]*entity, 7)
	for i := range keys {
		keys[i] = issue(t, template("Web "+strconv.Itoa(i), true), nil, nil)
	}
	for _, from := range keys {
		for _, to := range keys {
			web = append(web, issue(t, template(to.cert.Subject.CommonName, true), from, to.key).cert)
		}
	}
	runPaths(t, []pathCase{
		{name: "eight", leaf: chain[7].cert, others: all, anchors: certs{chain[0].cert}, length: 8},
		{name: "nine", leaf: chain[8].cert, others: all, anchors: certs{chain[0].cert}, want: verify.ErrLimit, differs: "it allows 100"},
		{name: "twins", leaf: leaf.cert, others: append(slices.Clone(twins), chain[1].cert), anchors: certs{chain[0].cert}, length: 3},
		{name: "copies", leaf: leaf.cert, others: append(slices.Repeat(twins[:1], 500), chain[1].cert), anchors: certs{chain[0].cert}, length: 3},
		{name: "web", leaf: issue(t, template("Fly", false), keys[0], nil).cert, others: web, want: verify.ErrLimit},
	})
}

func TestErrorsNameNoPerson(t *testing.T) {
	p := newPKI(t, pki.Options{})
	issued, err := p.Issue(pki.Request{Subject: pki.Subject{NationalNumber: "71715100070", Surname: "Geheimhouder"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, others := range []certs{nil, {p.CitizenCA.Certificate}, {p.ForeignerCA.Certificate, p.Root.Certificate}} {
		_, err := verify.BuildPath(issued.Certificate, others, nil, now)
		if err == nil || strings.Contains(err.Error(), "Geheim") || strings.Contains(err.Error(), "717151") {
			t.Errorf("error %v", err)
		}
	}
	long := template(strings.Repeat("é\n", 200), true)
	_, err = verify.BuildPath(issue(t, long, nil, nil).cert, nil, nil, now)
	if err == nil || len(err.Error()) > 250 || strings.Contains(err.Error(), "\n") {
		t.Errorf("error %q", err)
	}
	if _, err := verify.BuildPath(nil, nil, nil, now); err == nil || errors.Is(err, verify.ErrVerification) {
		t.Errorf("nil certificate: %v", err)
	}
}
