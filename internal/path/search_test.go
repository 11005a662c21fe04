package path_test

import (
	"context"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/eidkit/eidkit/internal/certs"
	"github.com/eidkit/eidkit/internal/path"
)

// ends are the common names of a path, leaf first.
func ends(r *path.Result) string {
	var list []string
	for _, c := range r.Path {
		list = append(list, c.Subject.CommonName)
	}
	return strings.Join(list, " < ")
}

// counter counts the signatures that are really checked.
type counter int

func (n *counter) check(child, issuer *x509.Certificate) error {
	*n++
	return certs.CheckSignature(child, issuer)
}

// A root that exists in two forms with one key, and is cross-certified twice, as Belgium Root CA4.
func TestAllPathsAreTried(t *testing.T) {
	t.Parallel()
	first := issue(t, nil, named("Root 4"))
	second := issue(t, nil, named("Root 4"), withKey(first.key), validity(utcTime("250101000000Z"), generalizedTime("20500101000000Z")))
	global, other := issue(t, nil, named("Global")), issue(t, nil, named("Other"))
	crossGlobal := issue(t, global, named("Root 4"), withKey(first.key))
	crossOther := issue(t, other, named("Root 4"), withKey(first.key), validity(utcTime("200101000000Z"), utcTime("210101000000Z")))
	stranger := issue(t, nil, named("Root 4"))
	ca := issue(t, first, named("CA"))
	leaf := issue(t, ca, named("Leaf"), endEntityCert)
	all := certificates(crossOther, stranger, crossGlobal, second, first, global, other, ca)

	for name, tt := range map[string]struct {
		anchors anchorSet
		want    string
		err     error
	}{
		"first form":         {anchors(first), "Leaf < CA < Root 4", nil},
		"second form":        {anchors(second), "Leaf < CA < Root 4", nil},
		"cross certificate":  {anchors(global), "Leaf < CA < Root 4 < Global", nil},
		"expired cross":      {anchors(other), "", path.ErrExpired},
		"expired or not":     {anchors(other, global), "Leaf < CA < Root 4 < Global", nil},
		"CA as anchor":       {anchors(ca), "Leaf < CA", nil},
		"leaf as anchor":     {anchors(leaf), "Leaf", nil},
		"root of that name":  {anchors(stranger), "", path.ErrUntrusted},
		"nothing is trusted": {anchors(), "", path.ErrUntrusted},
	} {
		for range len(all) {
			all = append(all[1:], all[0]) // in every order of a wheel
			r, err := build(leaf, path.Options{Anchors: tt.anchors, Others: all})
			if !errors.Is(err, tt.err) || err == nil && ends(r) != tt.want {
				t.Errorf("%s: %v %v", name, r, err)
			}
		}
	}
}

func TestAcceptHasTheNextPathTried(t *testing.T) {
	t.Parallel()
	a, b := issue(t, nil, named("A")), issue(t, nil, named("B"))
	byA := issue(t, a, named("CA"))
	byB := issue(t, b, named("CA"), withKey(byA.key))
	leaf := issue(t, byA, named("Leaf"), endEntityCert)
	revoked := errors.New("revoked")
	var seen []string
	refuse := func(names ...string) func(*path.Result) error {
		return func(r *path.Result) error {
			seen = append(seen, ends(r))
			if slices.Contains(names, r.Path[len(r.Path)-1].Subject.CommonName) {
				return revoked
			}
			return nil
		}
	}
	o := path.Options{Anchors: anchors(a, b), Others: certificates(byA, byB)}
	o.Accept = refuse("A")
	if r, err := build(leaf, o); err != nil || ends(r) != "Leaf < CA < B" {
		t.Errorf("%v %v", r, err)
	}
	o.Accept = refuse("A", "B")
	seen = nil
	_, err := build(leaf, o)
	var e *path.Error
	if !errors.Is(err, path.ErrRefused) || !errors.Is(err, revoked) || !errors.As(err, &e) || len(e.Path) != 3 || len(seen) != 2 {
		t.Errorf("%v after %q", err, seen)
	}
}

func TestFetchedIssuers(t *testing.T) {
	t.Parallel()
	root := issue(t, nil, named("Root"))
	one := issue(t, root, named("CA 1"))
	two := issue(t, one, named("CA 2"))
	leaf := issue(t, two, named("Leaf"), endEntityCert)
	wrong := issue(t, nil, named("CA 2"))
	var asked []string
	answers := map[string][]*x509.Certificate{"Leaf": certificates(wrong, two), "CA 2": certificates(one, root), "CA 1": nil}
	fetch := func(_ context.Context, c *x509.Certificate) []*x509.Certificate {
		asked = append(asked, c.Subject.CommonName)
		return answers[c.Subject.CommonName]
	}
	r, err := build(leaf, path.Options{Anchors: anchors(root), Issuers: fetch})
	if err != nil || ends(r) != "Leaf < CA 2 < CA 1 < Root" || strings.Join(asked, ",") != "Leaf,CA 2" {
		t.Errorf("%v %v, asked %q", r, err, asked)
	}
	// Nothing is fetched where what is there suffices, or where a stranger alone has the name.
	asked = nil
	if _, err := build(leaf, path.Options{Anchors: anchors(root), Others: certificates(one, two), Issuers: fetch}); err != nil || asked != nil {
		t.Errorf("%v, asked %q", err, asked)
	}
	r, err = build(leaf, path.Options{Anchors: anchors(root), Others: certificates(wrong, one), Issuers: fetch})
	if err != nil || ends(r) != "Leaf < CA 2 < CA 1 < Root" {
		t.Errorf("%v %v", r, err)
	}
	// Issuers without end: the search stops asking.
	chain := []*entity{root}
	for i := range 12 {
		chain = append(chain, issue(t, chain[i], named("Up "+strconv.Itoa(i))))
	}
	asked = nil
	endless := func(_ context.Context, c *x509.Certificate) (found []*x509.Certificate) {
		asked = append(asked, c.Subject.CommonName)
		for _, e := range chain[1:] {
			if certs.EqualName(e.name, c.RawIssuer) {
				found = append(found, e.cert)
			}
		}
		return found
	}
	if _, err := build(chain[12], path.Options{Anchors: anchors(root), Issuers: endless}); !errors.Is(err, path.ErrLimit) || len(asked) > 8 {
		t.Errorf("%v, asked %q", err, asked)
	}
	ctx, cancel := context.WithCancel(context.Background())
	stop := func(context.Context, *x509.Certificate) []*x509.Certificate { cancel(); return nil }
	if _, err := path.Build(ctx, leaf.cert, path.Options{Anchors: anchors(root), Issuers: stop, At: now}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestCache(t *testing.T) {
	t.Parallel()
	root := issue(t, nil, named("Root"))
	ca := issue(t, root, named("CA"))
	again := issue(t, root, named("CA"), withKey(ca.key)) // re-issued with the same key
	leaf := issue(t, ca, named("Leaf"), endEntityCert)
	var n counter
	o := path.Options{Anchors: anchors(root), Others: certificates(ca, again), CheckSignature: n.check, Cache: &path.Cache{}}
	o.Accept = func(*path.Result) error { return errors.New("no") }
	if _, err := build(leaf, o); !errors.Is(err, path.ErrRefused) || n != 3 {
		t.Errorf("%v after %d checks, want 3: the leaf's once, and one for each CA certificate", err, n)
	}
	o.Accept = nil
	for range 3 {
		if _, err := build(leaf, o); err != nil || n != 3 {
			t.Errorf("%v after %d checks: the cache was not asked", err, n)
		}
	}
	broken := issue(t, ca, named("Broken"), endEntityCert, badSignature)
	for range 2 {
		if _, err := build(broken, o); !errors.Is(err, path.ErrBadSignature) || n != 4 {
			t.Errorf("%v after %d checks", err, n)
		}
	}
}

func TestDates(t *testing.T) {
	t.Parallel()
	old := validity(utcTime("200101000000Z"), utcTime("211231235959Z"))
	root := issue(t, nil, named("Root"), old)
	ca := issue(t, root, named("CA"), old)
	leaf := issue(t, ca, named("Leaf"), endEntityCert, old)
	young := issue(t, issue(t, root, named("Young CA")), named("Young"), endEntityCert)
	granted := anchors(root)
	withdrawn := anchors(root)
	withdrawn.withdrawn = time.Date(2021, 1, 1, 0, 0, 0, 0, time.UTC)
	in2020, in2021 := time.Date(2020, 6, 1, 0, 0, 0, 0, time.UTC), time.Date(2021, 6, 1, 0, 0, 0, 0, time.UTC)
	others := certificates(ca, issue(t, root, named("Young CA")))
	for name, tt := range map[string]struct {
		leaf *entity
		o    path.Options
		want error
	}{
		"valid then":                   {leaf, path.Options{Anchors: granted, At: in2020}, nil},
		"the last second":              {leaf, path.Options{Anchors: granted, At: leaf.cert.NotAfter}, nil},
		"after it":                     {leaf, path.Options{Anchors: granted, At: leaf.cert.NotAfter.Add(time.Second)}, path.ErrExpired},
		"now":                          {leaf, path.Options{Anchors: granted, At: now}, path.ErrExpired},
		"dates ignored":                {leaf, path.Options{Anchors: granted, At: now, IgnoreDates: true}, nil},
		"withdrawn anchor, before":     {leaf, path.Options{Anchors: withdrawn, At: in2020}, nil},
		"withdrawn anchor, after":      {leaf, path.Options{Anchors: withdrawn, At: in2021}, path.ErrUntrusted},
		"withdrawn, dates ignored":     {leaf, path.Options{Anchors: withdrawn, At: in2021, IgnoreDates: true}, nil},
		"expired anchor":               {ca, path.Options{Anchors: anchors(root, ca), At: now}, path.ErrExpired},
		"expired anchor of a good one": {young, path.Options{Anchors: granted, At: now}, path.ErrNoIssuer},
	} {
		tt.o.Others = others
		if name == "expired anchor of a good one" {
			tt.o.Others = nil
		}
		if _, err := path.Build(context.Background(), tt.leaf.cert, tt.o); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// RFC 5280 trusts the anchor's name and key; its own dates count only where the caller says so.
	youngCA := issue(t, root, named("New CA"))
	newLeaf := issue(t, youngCA, named("New"), endEntityCert)
	for _, strict := range []bool{false, true} {
		_, err := build(newLeaf, path.Options{Anchors: granted, Others: certificates(youngCA), AnchorDates: strict})
		if strict != errors.Is(err, path.ErrExpired) {
			t.Errorf("anchor's dates %t: %v", strict, err)
		}
	}
}

func TestConstraintsBesidePKITS(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		ca      []option
		leaf    []option
		want    error
		differs string
	}{
		{"IPv4 inside", with(permit(ip(10, 0, 0, 0, 255, 0, 0, 0))), with(altNames(ip(10, 1, 2, 3))), nil, ""},
		{"IPv4 outside", with(permit(ip(10, 0, 0, 0, 255, 0, 0, 0))), with(altNames(ip(11, 1, 2, 3))), path.ErrNames, ""},
		{"IPv6 and IPv4", with(permit(ip(10, 0, 0, 0, 255, 0, 0, 0))), with(altNames(ip(make([]byte, 16)...))), path.ErrNames, ""},
		{"IPv4 excluded", with(exclude(ip(10, 0, 0, 0, 255, 255, 0, 0))), with(altNames(ip(10, 0, 2, 3))), path.ErrNames, ""},
		{"address of 5 bytes", with(exclude(ip(10, 0, 0, 0, 255, 255, 0, 0))), with(altNames(ip(10, 0, 2, 3, 4))), path.ErrNames, ""},
		{"other name constrained", with(permit(der(0xa0, oidDER("1.2.3"), der(0xa0, []byte{5, 0})))), with(altNames(der(0xa0, oidDER("1.2.3"), der(0xa0, []byte{5, 0})))), path.ErrNames, ""},
		{"other name not constrained", with(permit(dns("example.org"))), with(altNames(der(0xa0, oidDER("1.2.3"), der(0xa0, []byte{5, 0})))), nil, ""},
		{"constraint of an absent form", with(permit(der(0x88, []byte{0x2a, 3}))), with(altNames(dns("a.example.org"))), nil, ""},
		{"mail without host", with(permit(mail("example.org"))), with(altNames(mail("example.org"))), path.ErrNames, ""},
		{"mailbox", with(permit(mail("a@example.org"))), with(altNames(mail("a@EXAMPLE.org"))), nil, ""},
		{"other mailbox", with(permit(mail("a@example.org"))), with(altNames(mail("A@example.org"))), path.ErrNames, ""},
		{"URI without host", with(permit(uri("example.org"))), with(altNames(uri("urn:example:a"))), path.ErrNames, ""},
		{"URI with address", with(exclude(uri("example.org"))), with(altNames(uri("http://10.0.0.1/"))), path.ErrNames, "it takes the address for a host name"},
		{"URI of the host", with(permit(uri("example.org"))), with(altNames(uri("https://user@EXAMPLE.org:8443/x"))), nil, "it takes user and all for the host; RFC 5280 speaks of the host part"},
		{"host that is no ASCII", with(exclude(dns("example.org"))), with(altNames(dns("é.example.com"))), path.ErrNames, "it compares the bytes"},
		{"any host", with(permit(dns(""))), with(altNames(dns("a.example.org"))), nil, ""},
		{"below a host", with(permit(dns(".example.org"))), with(altNames(dns("example.org"))), path.ErrNames, ""},
		{"two levels below", with(permit(dns("example.org"))), with(altNames(dns("a.b.example.org"), dns("example.org"))), nil, ""},
		{"one name of two", with(permit(dns("example.org"))), with(altNames(dns("a.example.org"), dns("a.example.com"))), path.ErrNames, ""},
		{"malformed constraints", with(ext(30, true, []byte{0x30, 2, 0xa0, 0x50})), nil, path.ErrConstraint, ""},
		{"minimum", with(ext(30, true, der(0x30, der(0xa0, der(0x30, dns("a"), []byte{0x80, 1, 1}))))), with(altNames(dns("a"))), path.ErrConstraint, ""},
		{"malformed alternative names", with(permit(dns("example.org"))), with(ext(17, false, []byte{0x30, 2, 0x82, 9})), path.ErrConstraint, ""},
		{"malformed policies", with(ext(32, false, []byte{5, 0})), with(noPolicies), nil, "it refuses the certificate; they are not critical, and count as absent"},
		{"malformed critical policies", with(ext(32, true, []byte{5, 0})), nil, path.ErrConstraint, ""},
		{"malformed policies where one is required", with(requireExplicit(0), ext(32, false, []byte{5, 0})), nil, path.ErrPolicy, ""},
		{"policy twice", with(ext(32, true, der(0x30, der(0x30, oidDER("1.2.3")), der(0x30, oidDER("1.2.3"))))), nil, path.ErrConstraint, ""},
		{"malformed policy constraints", with(ext(36, true, []byte{0x30, 3, 0x80, 1, 0xff})), nil, path.ErrConstraint, ""},
		{"malformed mapping", with(ext(33, true, []byte{0x30, 2, 0x30, 0})), nil, path.ErrConstraint, ""},
		{"malformed basic constraints", with(ext(19, true, []byte{0x30, 3, 2, 1, 0xff})), nil, path.ErrConstraint, ""},
		{"malformed key usage", with(ext(15, true, []byte{5, 0})), nil, path.ErrConstraint, ""},
		{"extended key usage of a CA", with(ext(37, true, der(0x30, oidDER("1.3.6.1.5.5.7.3.2")))), with(ext(37, true, der(0x30, oidDER("1.3.6.1.5.5.7.3.8")))), nil, ""},
		{"version 1 CA", with(option(func(s *spec) { s.version = 1 })), nil, path.ErrConstraint, ""},
	}
	root := issue(t, nil, named("Root"), noPolicies)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ca := issue(t, root, named("CA"), tt.ca...)
			leaf := issue(t, ca, named("Leaf"), append([]option{endEntityCert}, tt.leaf...)...)
			_, err := build(leaf, path.Options{Anchors: anchors(root), Others: certificates(ca)})
			if !errors.Is(err, tt.want) {
				t.Errorf("%v, want %v", err, tt.want)
			}
			good, says := opensslVerify(t, leaf.cert, certificates(ca), certificates(root), now, "-policy_check", "-policy", testPolicy(0))
			if (good == (tt.want == nil)) == (tt.differs != "") {
				t.Errorf("openssl says %t: %s\nexpected to differ: %q", good, says, tt.differs)
			}
		})
	}
}

// An anchor's own constraints hold; a version 1 root is a CA by being trusted, an end entity is not.
func TestAnchorsOwnConstraints(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		root []option
		want error
	}{
		"names":      {with(permit(dns("example.com"))), path.ErrNames},
		"length":     {with(pathLen(0)), path.ErrConstraint},
		"version 1":  {with(option(func(s *spec) { s.version = 1 })), nil},
		"end entity": {with(endEntityCert), path.ErrConstraint},
		"unknown":    {with(ext(250, true, []byte{5, 0})), path.ErrConstraint},
	} {
		root := issue(t, nil, named("Root"), tt.root...)
		ca := issue(t, root, named("CA"))
		leaf := issue(t, ca, named("Leaf"), endEntityCert, altNames(dns("a.example.org")))
		if _, err := build(leaf, path.Options{Anchors: anchors(root), Others: certificates(ca)}); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestComparisonsAreBounded(t *testing.T) {
	t.Parallel()
	var trees, names [][]byte
	for i := range 600 {
		trees = append(trees, dns("a"+strconv.Itoa(i)+".example.org"))
		names = append(names, dns("b"+strconv.Itoa(i)+".example.org"))
	}
	root := issue(t, nil, named("Root"), exclude(trees...))
	leaf := issue(t, root, named("Leaf"), endEntityCert, altNames(names...))
	if _, err := build(leaf, path.Options{Anchors: anchors(root)}); !errors.Is(err, path.ErrLimit) {
		t.Error(err)
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	root := issue(t, nil, named("Root"))
	leaf := issue(t, root, named("Geheimhouder"), endEntityCert, ext(250, true, []byte{5, 0}))
	_, err := build(leaf, path.Options{Anchors: anchors(root)})
	var e *path.Error
	if !errors.As(err, &e) || e.Certificate != leaf.cert || e.Reason != path.ErrConstraint || len(e.Path) != 2 || strings.Contains(err.Error(), "Geheim") ||
		!strings.Contains(err.Error(), "2.5.29.250") {
		t.Errorf("%v", err)
	}
	for _, o := range []path.Options{{}, {Anchors: anchors()}} {
		if _, err := path.Build(context.Background(), nil, o); err == nil || errors.As(err, &e) {
			t.Error(err)
		}
		if _, err := path.Validate(nil, o); err == nil || errors.As(err, &e) {
			t.Error(err)
		}
	}
	for name, tt := range map[string]struct {
		chain []*x509.Certificate
		want  error
	}{
		"no anchor":  {certificates(leaf), path.ErrUntrusted},
		"other name": {certificates(leaf, issue(t, nil, named("Other")), root), path.ErrNoIssuer},
		"too long":   {slices.Repeat(certificates(root), 9), path.ErrLimit},
	} {
		if _, err := path.Validate(tt.chain, path.Options{Anchors: anchors(root), At: now}); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestResult(t *testing.T) {
	t.Parallel()
	root := issue(t, nil, named("Root"), noPolicies)
	ca := issue(t, root, named("CA"), policies(1, 2), mapping(1, 3))
	leaf := issue(t, ca, named("Leaf"), endEntityCert, policies(2, 3, 4))
	r, err := build(leaf, path.Options{Anchors: anchors(root), Others: certificates(ca)})
	if err != nil || r.Explicit || len(r.Policies) != 2 || r.Policies[0].String() != testPolicy(1) || r.Policies[1].String() != testPolicy(2) {
		t.Errorf("%v %+v", err, r)
	}
	odd := issue(t, ca, named("Odd"), endEntityCert, ext(32, false, []byte{5, 0}))
	if r, err := build(odd, path.Options{Anchors: anchors(root), Others: certificates(ca)}); err != nil || len(r.Oddities) != 1 || len(r.Policies) != 0 {
		t.Errorf("%v %+v", err, r)
	}
	if r, err := build(leaf, path.Options{Anchors: anchors(root), Others: certificates(ca), Policies: []asn1.ObjectIdentifier{certs.OIDAnyPolicy}, ExplicitPolicy: true}); err != nil || !r.Explicit {
		t.Errorf("%v %+v", err, r)
	}
}
