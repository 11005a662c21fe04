package path_test

import (
	"crypto/dsa"
	"crypto/rand"
	"encoding/asn1"
	"errors"
	"regexp"
	"slices"
	"strconv"
	"testing"

	"github.com/eidkit/eidkit/internal/path"
)

//lint:file-ignore SA1019 DSA is among what PKITS wants

// pkitsCase is a situation of NIST PKITS ("Public Key Interoperability Test Suite", version 1.0.1), made anew: the chain from below
// the anchor down to the certificate in question, the inputs of RFC 5280 section 6.1.1, and the result that PKITS expects. Sections
// 4.4, 4.14 and 4.15 are about CRLs and belong to package revocation.
type pkitsCase struct {
	id    string // section of PKITS, with the number of the sub-test where it has several
	chain []*entity
	want  error // nil: valid

	policies                             []int // user-initial-policy-set; nil: any
	explicit, inhibitMapping, inhibitAny bool

	// differs says why openssl's verdict is not what PKITS expects.
	differs string
}

// pkits makes the cases.
type pkits struct {
	t     *testing.T
	root  *entity
	cases []pkitsCase
}

// below issues CA certificates one under the other, the first by the anchor, with names made of the section and their depth.
func (k *pkits) below(id string, levels ...[]option) []*entity {
	k.t.Helper()
	issuer := k.root
	var chain []*entity
	for i, options := range levels {
		name := named("CA " + id + " " + strconv.Itoa(i))
		if i == len(levels)-1 {
			name = named("EE " + id)
			options = append([]option{endEntityCert}, options...)
		}
		e := issue(k.t, issuer, name, options...)
		chain = append(chain, e)
		issuer = e
	}
	return chain
}

// add makes a chain of CAs and an end entity; the options of each level follow those of a usual CA of PKITS.
func (k *pkits) add(id string, want error, levels ...[]option) *pkitsCase {
	k.t.Helper()
	return k.chain(id, want, k.below(id, levels...)...)
}

func (k *pkits) chain(id string, want error, chain ...*entity) *pkitsCase {
	k.cases = append(k.cases, pkitsCase{id: id, chain: chain, want: want})
	return &k.cases[len(k.cases)-1]
}

// inputs are variants of one chain.
func (k *pkits) inputs(id string, chain []*entity, variants ...pkitsCase) {
	for i, v := range variants {
		v.id, v.chain = id+"."+strconv.Itoa(i+1), chain
		k.cases = append(k.cases, v)
	}
}

func with(options ...option) []option { return options }

// selfIssued is a CA certificate for the name of ca, with another key, signed by it.
func (k *pkits) selfIssued(ca *entity, options ...option) *entity {
	return issue(k.t, ca, ca.name, options...)
}

func (k *pkits) endEntity(ca *entity, id string, options ...option) *entity {
	return issue(k.t, ca, named("EE "+id), append([]option{endEntityCert}, options...)...)
}

func TestPKITS(t *testing.T) {
	k := &pkits{t: t, root: issue(t, nil, named("Trust Anchor"), noPolicies)}
	k.signatures()
	k.validities()
	k.names()
	k.selfIssuedCAs()
	k.basicConstraints()
	k.keyUsages()
	k.certificatePolicies()
	k.requireExplicitPolicy()
	k.policyMappings()
	k.inhibitPolicyMapping()
	k.inhibitAnyPolicy()
	k.directoryNames()
	k.otherNames()
	k.privateExtensions()
	situations := map[string]bool{}
	for _, c := range k.cases {
		situations[regexp.MustCompile(`^4\.\d+\.\d+`).FindString(c.id)] = true
		t.Run(c.id, func(t *testing.T) { k.run(t, c) })
	}
	if len(situations) != 150 || len(k.cases) != 173 {
		t.Errorf("%d situations of PKITS in %d cases", len(situations), len(k.cases))
	}
}

func (k *pkits) run(t *testing.T, c pkitsCase) {
	leaf := c.chain[len(c.chain)-1]
	others := certificates(c.chain[:len(c.chain)-1]...)
	o := path.Options{Anchors: anchors(k.root), Others: others, At: now, ExplicitPolicy: c.explicit, InhibitMapping: c.inhibitMapping, InhibitAny: c.inhibitAny}
	flags := []string{"-policy_check", "-x509_strict"}
	if c.policies == nil { // no -policy at all is the empty set to openssl
		flags = append(flags, "-policy", testPolicy(0))
	}
	for _, n := range c.policies {
		var oid asn1.ObjectIdentifier
		if _, err := asn1.Unmarshal(oidDER(testPolicy(n)), &oid); err != nil {
			t.Fatal(err)
		}
		o.Policies = append(o.Policies, oid)
		flags = append(flags, "-policy", testPolicy(n))
	}
	for flag, set := range map[string]bool{"-explicit_policy": c.explicit, "-inhibit_map": c.inhibitMapping, "-inhibit_any": c.inhibitAny} {
		if set {
			flags = append(flags, flag)
		}
	}
	for range 2 { // the order in which the certificates come does not matter
		r, err := build(leaf, o)
		if !errors.Is(err, c.want) || c.want == nil && (err != nil || len(r.Path) != len(c.chain)+1) {
			t.Errorf("%v, want %v", err, c.want)
		}
		slices.Reverse(o.Others)
	}
	whole := append(certificates(leaf), slices.Clone(others)...)
	slices.Reverse(whole[1:])
	if _, err := path.Validate(append(whole, k.root.cert), o); !errors.Is(err, c.want) || c.want == nil && err != nil {
		t.Errorf("the path as it is: %v, want %v", err, c.want)
	}
	good, says := opensslVerify(t, leaf.cert, others, certificates(k.root), now, flags...)
	if (good == (c.want == nil)) == (c.differs != "") {
		t.Errorf("openssl says %t: %s\nexpected to differ: %q", good, says, c.differs)
	}
}

func (k *pkits) signatures() {
	k.add("4.1.1", nil, nil, nil)
	k.add("4.1.2", path.ErrBadSignature, with(badSignature), nil)
	k.add("4.1.3", path.ErrBadSignature, nil, with(badSignature))
	key := &dsa.PrivateKey{}
	if err := dsa.GenerateParameters(&key.Parameters, rand.Reader, dsa.L1024N160); err != nil {
		k.t.Fatal(err)
	}
	if err := dsa.GenerateKey(key, rand.Reader); err != nil {
		k.t.Fatal(err)
	}
	// 4.1.5, parameters inherited from the issuer, is left out: such keys are of an unknown kind here, and nothing they sign is accepted.
	k.add("4.1.4", nil, with(withKey(key)), nil)
	k.add("4.1.6", path.ErrBadSignature, with(withKey(key)), with(badSignature))
}

func (k *pkits) validities() {
	past, future := utcTime("250101000000Z"), utcTime("351231000000Z")
	k.add("4.2.1", path.ErrExpired, with(validity(utcTime("470101120100Z"), utcTime("490101120100Z"))), nil)
	k.add("4.2.2", path.ErrExpired, nil, with(validity(utcTime("470101120100Z"), utcTime("490101120100Z"))))
	k.add("4.2.3", nil, nil, with(validity(utcTime("500101120100Z"), future)))
	k.add("4.2.4", nil, nil, with(validity(generalizedTime("20020101120100Z"), future)))
	k.add("4.2.5", path.ErrExpired, with(validity(past, utcTime("250201000000Z"))), nil)
	k.add("4.2.6", path.ErrExpired, nil, with(validity(past, utcTime("250201000000Z"))))
	k.add("4.2.7", path.ErrExpired, nil, with(validity(utcTime("970101120100Z"), utcTime("990101120100Z"))))
	k.add("4.2.8", nil, nil, with(validity(past, generalizedTime("20500101120100Z"))))
}

func (k *pkits) names() {
	// chained issues an end entity by a CA, naming the issuer in another way.
	chained := func(id string, want error, ca, issuer []byte, options ...option) *pkitsCase {
		authority := issue(k.t, k.root, ca, options...)
		return k.chain(id, want, authority, k.endEntity(authority, id, issuedBy(issuer)))
	}
	good := named("Good CA")
	chained("4.3.1", path.ErrNoIssuer, good, named("Good CA Root"))
	chained("4.3.2", path.ErrNoIssuer, dn("C=US", "O=Test Certificates", "OU=Organizational Unit Name 1", "OU=Organizational Unit Name 2", "CN=Name Ordering CA"),
		dn("C=US", "O=Test Certificates", "OU=Organizational Unit Name 2", "OU=Organizational Unit Name 1", "CN=Name Ordering CA"))
	chained("4.3.3", nil, good, dn("C=US", "O=Test  Certificates", "CN=Good      CA"))
	chained("4.3.4", nil, good, dn("C=US", "O=Test Certificates", "CN=   Good CA   "))
	chained("4.3.5", nil, good, dn("C=US", "O=Test Certificates", "CN=GOOD CA"))
	uids := option(func(s *spec) { s.uids = append(der(0x81, []byte{0, 0x55}), der(0x82, []byte{0, 0xaa})...) })
	chained("4.3.6", nil, named("UIDs CA"), named("UIDs CA"), uids)
	mandatory := dn("C=US", "O=Test Certificates", "DC=gov", "DC=nist", "dnQualifier=CA", "ST=Maryland", "serialNumber=345", "CN=CA")
	chained("4.3.7", nil, mandatory, mandatory)
	optional := dn("C=US", "O=Test Certificates", "L=Gaithersburg", "GN=Proef", "initials=P", "pseudonym=Fictitious", "generation=III", "title=M.D.", "SN=CA")
	chained("4.3.8", nil, optional, optional)
	utf8 := dn("C=US", "O:utf8=Test Certificates", "CN:utf8=UTF8String CA")
	chained("4.3.9", nil, utf8, utf8)
	chained("4.3.10", nil, dn("C=US", "O:utf8=Test Certificates", "CN:utf8=Rollover CA"), dn("C=US", "O=Test Certificates", "CN=Rollover CA"))
	chained("4.3.11", nil, dn("C=US", "O:utf8=Test Certificates", "CN:utf8=UTF8String Case Insensitive Match CA"),
		dn("C=US", "O:utf8=test certificates", "CN:utf8=utf8string case  insensitive match ca"))
}

func (k *pkits) selfIssuedCAs() {
	// The anchor certified the new key; the new key certified the old one.
	fresh := issue(k.t, k.root, named("Basic Self-Issued New Key CA"))
	old := k.selfIssued(fresh)
	k.chain("4.5.1", nil, fresh, old, k.endEntity(old, "4.5.1"))
	first := issue(k.t, k.root, named("Basic Self-Issued Old Key CA"))
	second := k.selfIssued(first)
	k.chain("4.5.3", nil, first, second, k.endEntity(second, "4.5.3"))
	crlOnly := k.selfIssued(first, keyUsage(true, 0x02, 1))
	k.chain("4.5.8", path.ErrConstraint, first, crlOnly, k.endEntity(crlOnly, "4.5.8"))
}

func (k *pkits) basicConstraints() {
	asCA := with(isCA, certSign) // the certificate in question is a CA's
	k.add("4.6.1", path.ErrConstraint, with(ext(19, true, nil)), nil)
	k.add("4.6.2", path.ErrConstraint, with(ext(19, true, der(0x30))), nil)
	k.add("4.6.3", path.ErrConstraint, with(ext(19, false, der(0x30))), nil)
	k.add("4.6.4", nil, with(ext(19, false, der(0x30, []byte{1, 1, 0xff}))), nil).
		differs = "with -x509_strict it wants basic constraints of a CA to be critical; PKITS expects a valid path"
	k.add("4.6.5", path.ErrConstraint, with(pathLen(0)), nil, nil)
	k.add("4.6.6", path.ErrConstraint, with(pathLen(0)), nil, asCA)
	k.add("4.6.7", nil, with(pathLen(0)), nil)
	k.add("4.6.8", nil, with(pathLen(0)), asCA)
	k.add("4.6.9", path.ErrConstraint, with(pathLen(6)), with(pathLen(0)), with(pathLen(0)), nil)
	k.add("4.6.10", path.ErrConstraint, with(pathLen(6)), with(pathLen(0)), with(pathLen(0)), asCA)
	k.add("4.6.11", path.ErrConstraint, with(pathLen(6)), with(pathLen(1)), with(pathLen(1)), nil, nil)
	k.add("4.6.12", path.ErrConstraint, with(pathLen(6)), with(pathLen(1)), with(pathLen(1)), nil, asCA)
	k.add("4.6.13", nil, with(pathLen(6)), with(pathLen(4)), with(pathLen(1)), nil, nil)
	k.add("4.6.14", nil, with(pathLen(6)), with(pathLen(4)), with(pathLen(1)), nil, asCA)
	zero := issue(k.t, k.root, named("pathLenConstraint0 CA"), pathLen(0))
	again := k.selfIssued(zero, pathLen(0))
	k.chain("4.6.15", nil, zero, again, k.endEntity(again, "4.6.15"))
	sub := issue(k.t, again, named("pathLenConstraint0 subCA2"))
	k.chain("4.6.16", path.ErrConstraint, zero, again, sub, k.endEntity(sub, "4.6.16"))
	one := issue(k.t, k.root, named("pathLenConstraint1 CA"), pathLen(1))
	oneAgain := k.selfIssued(one, pathLen(1))
	oneSub := issue(k.t, oneAgain, named("pathLenConstraint1 subCA"), pathLen(0))
	oneSubAgain := k.selfIssued(oneSub, pathLen(0))
	k.chain("4.6.17", nil, one, oneAgain, oneSub, oneSubAgain, k.endEntity(oneSubAgain, "4.6.17"))
}

func (k *pkits) keyUsages() {
	k.add("4.7.1", path.ErrConstraint, with(keyUsage(true, 0x02, 1)), nil)
	k.add("4.7.2", path.ErrConstraint, with(keyUsage(false, 0x02, 1)), nil)
	k.add("4.7.3", nil, with(keyUsage(false, 0x06, 1)), nil)
}

func (k *pkits) certificatePolicies() {
	explicit := requireExplicit(0)
	no := path.ErrPolicy
	k.inputs("4.8.1", k.below("4.8.1", nil, nil), pkitsCase{explicit: true}, pkitsCase{explicit: true, policies: []int{1}},
		pkitsCase{explicit: true, policies: []int{2}, want: no}, pkitsCase{explicit: true, policies: []int{1, 2}})
	k.inputs("4.8.2", k.below("4.8.2", with(noPolicies), with(noPolicies)), pkitsCase{}, pkitsCase{explicit: true, want: no})
	k.inputs("4.8.3", k.below("4.8.3", nil, with(policies(2)), nil), pkitsCase{}, pkitsCase{explicit: true, want: no},
		pkitsCase{explicit: true, policies: []int{1, 2}, want: no})
	k.add("4.8.4", no, nil, with(explicit), with(policies(2)))
	k.add("4.8.5", no, nil, with(policies(2), explicit), nil)
	k.inputs("4.8.6", k.below("4.8.6", with(policies(1, 2, 3, 4), explicit), with(policies(1, 2, 3)), with(policies(1, 2)), nil),
		pkitsCase{}, pkitsCase{policies: []int{1}}, pkitsCase{policies: []int{2}, want: no})
	k.add("4.8.7", no, with(policies(1, 2, 3), explicit), with(policies(1, 2)), nil, with(policies(2)))
	k.add("4.8.8", no, with(policies(1, 2), explicit), nil, with(policies(2)), with(policies(3)))
	k.add("4.8.9", no, with(policies(1, 2, 3), explicit), with(policies(1, 2)), with(policies(2)), nil, nil)
	k.inputs("4.8.10", k.below("4.8.10", with(policies(1, 2), explicit), with(policies(1, 2))),
		pkitsCase{}, pkitsCase{policies: []int{1}}, pkitsCase{policies: []int{2}})
	k.inputs("4.8.11", k.below("4.8.11", with(policies(0), explicit), with(policies(0))), pkitsCase{}, pkitsCase{policies: []int{1}})
	k.add("4.8.12", no, with(policies(3), explicit), with(policies(4)))
	k.inputs("4.8.13", k.below("4.8.13", with(policies(1, 2, 3), explicit), with(policies(1, 2, 3))),
		pkitsCase{policies: []int{1}}, pkitsCase{policies: []int{2}}, pkitsCase{policies: []int{3}})
	k.inputs("4.8.14", k.below("4.8.14", with(policies(0), explicit), nil), pkitsCase{policies: []int{1}}, pkitsCase{policies: []int{2}, want: no})
	k.add("4.8.15", nil, with(qualified(1)))
	k.add("4.8.16", nil, nil, with(qualified(1)))
	k.add("4.8.17", nil, nil, with(qualified(1, 2)))
	k.inputs("4.8.18", k.below("4.8.18", with(policies(1, 2), explicit), with(qualified(1, 0))), pkitsCase{policies: []int{1}}, pkitsCase{policies: []int{2}})
	k.add("4.8.19", nil, with(qualified(3)))
	k.add("4.8.20", nil, nil, with(qualified(1)))
}

func (k *pkits) requireExplicitPolicy() {
	none := with(noPolicies)
	k.add("4.9.1", nil, with(requireExplicit(10)), nil, nil, nil, none)
	k.add("4.9.2", nil, with(requireExplicit(5)), nil, nil, nil, none)
	k.add("4.9.3", path.ErrPolicy, with(requireExplicit(4)), nil, nil, nil, none)
	k.add("4.9.4", nil, with(requireExplicit(0)), nil, nil, nil, nil)
	k.add("4.9.5", path.ErrPolicy, with(requireExplicit(7)), with(requireExplicit(2)), with(requireExplicit(4)), nil, none)
	ca := issue(k.t, k.root, named("requireExplicitPolicy2 CA"), requireExplicit(2))
	again := k.selfIssued(ca, requireExplicit(2))
	k.chain("4.9.6", nil, ca, again, k.endEntity(again, "4.9.6", noPolicies))
	sub := issue(k.t, again, named("requireExplicitPolicy2 subCA"))
	k.chain("4.9.7", path.ErrPolicy, ca, again, sub, k.endEntity(sub, "4.9.7", noPolicies))
	subAgain := k.selfIssued(sub)
	k.chain("4.9.8", path.ErrPolicy, ca, again, sub, subAgain, k.endEntity(subAgain, "4.9.8", noPolicies))
}

func (k *pkits) policyMappings() {
	explicit := requireExplicit(0)
	no := path.ErrPolicy
	k.inputs("4.10.1", k.below("4.10.1", with(mapping(1, 2), explicit), with(policies(2))),
		pkitsCase{policies: []int{1}}, pkitsCase{policies: []int{2}, want: no}, pkitsCase{inhibitMapping: true, want: no})
	k.inputs("4.10.2", k.below("4.10.2", with(mapping(1, 2), explicit), nil), pkitsCase{want: no}, pkitsCase{inhibitMapping: true, want: no})
	twelve := func(id string, last int) []*entity {
		return k.below(id, with(policies(1, 2), mapping(1, 3), explicit), with(policies(2, 4), mapping(2, 5)), with(policies(5), mapping(5, 6)), with(policies(last)))
	}
	k.inputs("4.10.3", twelve("4.10.3", 6), pkitsCase{policies: []int{1}, want: no}, pkitsCase{policies: []int{2}})
	k.chain("4.10.4", no, twelve("4.10.4", 5)...)
	many := func(id string, last int) []*entity {
		return k.below(id, with(mapping(1, 2, 1, 3, 1, 4), explicit), with(policies(2, 3, 4), mapping(2, 5, 3, 6)), with(policies(last)))
	}
	k.inputs("4.10.5", many("4.10.5", 5), pkitsCase{policies: []int{1}}, pkitsCase{policies: []int{6}, want: no})
	k.inputs("4.10.6", many("4.10.6", 4), pkitsCase{policies: []int{1}}, pkitsCase{policies: []int{6}, want: no})
	k.add("4.10.7", no, with(mapping(0, 1)), nil)
	k.add("4.10.8", no, with(mapping(1, 0)), nil)
	k.add("4.10.9", nil, with(policies(0), mapping(1, 2), explicit), nil)
	k.add("4.10.10", no, nil, with(policies(0), mapping(1, 2), explicit), nil)
	k.add("4.10.11", nil, nil, with(policies(0), mapping(1, 2), explicit), with(policies(2)))
	k.inputs("4.10.12", k.below("4.10.12", with(policies(1, 2), mapping(1, 3), explicit), with(qualified(3, 0))),
		pkitsCase{policies: []int{1}}, pkitsCase{policies: []int{2}})
	k.add("4.10.13", nil, with(policies(1, 0), mapping(1, 2), explicit), with(policies(2)))
	k.add("4.10.14", nil, with(policies(1, 0), mapping(1, 2), explicit), nil)
}

func (k *pkits) inhibitPolicyMapping() {
	no := path.ErrPolicy
	k.add("4.11.1", no, with(inhibitMapping(0)), with(mapping(1, 2)), with(policies(2)))
	both := with(policies(1, 2), inhibitMapping(1))
	k.add("4.11.2", nil, both, with(policies(1, 2), mapping(1, 3, 2, 4)), with(policies(3)))
	sub, subsub := with(policies(1, 2), mapping(1, 3, 2, 4)), with(policies(3, 4), mapping(3, 5))
	k.add("4.11.3", no, both, sub, subsub, with(policies(5)))
	k.add("4.11.4", nil, both, sub, subsub, with(policies(4)))
	k.add("4.11.5", no, with(inhibitMapping(5)), with(inhibitMapping(1)), nil, with(mapping(1, 2)), with(policies(2)))
	k.add("4.11.6", no, both, with(policies(1, 2), inhibitMapping(5)), with(policies(1, 2), mapping(1, 3)), with(policies(3)))

	ca := issue(k.t, k.root, named("inhibitPolicyMapping1 P1 CA"), inhibitMapping(1))
	again := k.selfIssued(ca, inhibitMapping(1))
	maps := issue(k.t, again, named("inhibitPolicyMapping1 P1 subCA"), mapping(1, 2))
	k.chain("4.11.7", nil, ca, again, maps, k.endEntity(maps, "4.11.7", policies(2)))
	deeper := issue(k.t, maps, named("inhibitPolicyMapping1 P1 subsubCA"), policies(2), mapping(2, 3))
	k.chain("4.11.8", no, ca, again, maps, deeper, k.endEntity(deeper, "4.11.8", policies(3)))
	k.chain("4.11.9", no, ca, again, maps, deeper, k.endEntity(deeper, "4.11.9", policies(2)))
	plain := issue(k.t, again, named("inhibitPolicyMapping1 P1 subCA2"))
	plainAgain := k.selfIssued(plain, mapping(1, 2))
	k.chain("4.11.10", no, ca, again, plain, plainAgain, k.endEntity(plainAgain, "4.11.10", policies(2)))
	k.chain("4.11.11", no, ca, again, plain, plainAgain, k.endEntity(plainAgain, "4.11.11"))
}

func (k *pkits) inhibitAnyPolicy() {
	no, explicit := path.ErrPolicy, requireExplicit(0)
	anyOnly := with(policies(0))
	k.add("4.12.1", no, with(inhibitAny(0), explicit), anyOnly)
	k.add("4.12.2", nil, with(inhibitAny(0), explicit), with(policies(0, 1)))
	k.inputs("4.12.3", k.below("4.12.3", with(inhibitAny(1), explicit), anyOnly, nil), pkitsCase{}, pkitsCase{inhibitAny: true, want: no})
	k.add("4.12.4", no, with(inhibitAny(1), explicit), anyOnly, anyOnly)
	k.add("4.12.5", no, with(inhibitAny(5), explicit), with(inhibitAny(1)), anyOnly, anyOnly)
	k.add("4.12.6", no, with(inhibitAny(1), explicit), with(policies(0), inhibitAny(5)), anyOnly)

	ca := issue(k.t, k.root, named("inhibitAnyPolicy1 CA"), inhibitAny(1), explicit)
	again := k.selfIssued(ca, policies(0))
	sub := issue(k.t, again, named("inhibitAnyPolicy1 subCA2"), policies(0))
	k.chain("4.12.7", nil, ca, again, sub, k.endEntity(sub, "4.12.7"))
	deeper := issue(k.t, sub, named("inhibitAnyPolicy1 subsubCA2"), policies(0))
	k.chain("4.12.8", no, ca, again, sub, deeper, k.endEntity(deeper, "4.12.8"))
	subAgain := k.selfIssued(sub, policies(0))
	k.chain("4.12.9", nil, ca, again, sub, subAgain, k.endEntity(subAgain, "4.12.9"))
	k.chain("4.12.10", no, ca, again, sub, issue(k.t, sub, sub.name, endEntityCert, policies(0)))
}

func (k *pkits) directoryNames() {
	no := path.ErrNames
	under := func(ous ...string) []byte {
		list := []string{"C=US", "O=Test Certificates"}
		for _, ou := range ous {
			list = append(list, "OU="+ou)
		}
		return dn(list...)
	}
	entry := func(cn string, ous ...string) []byte {
		name := under(ous...)
		return der(0x30, append([][]byte{name[2:]}, dn("CN=" + cn)[2:])...)
	}
	one, two := dirName(under("permittedSubtree1")), dirName(under("permittedSubtree2"))
	bad1, bad2 := dirName(under("excludedSubtree1")), dirName(under("excludedSubtree2"))
	inOne, inTwo := subject(entry("EE", "permittedSubtree1")), subject(entry("EE", "permittedSubtree2"))
	inBad1, inBad2 := subject(entry("EE", "excludedSubtree1")), subject(entry("EE", "excludedSubtree2"))

	k.add("4.13.1", nil, with(permit(one)), with(inOne))
	k.add("4.13.2", no, with(permit(one)), with(inBad1))
	k.add("4.13.3", no, with(permit(one)), with(inOne, altNames(bad1)))
	k.add("4.13.4", nil, with(permit(one)), with(inOne, altNames(one, mail("a@example.org"))))
	k.add("4.13.5", nil, with(permit(one, two)), with(inTwo, altNames(one)))
	k.add("4.13.6", nil, with(exclude(bad1)), with(inOne))
	k.add("4.13.7", no, with(exclude(bad1)), with(inBad1))
	k.add("4.13.8", no, with(exclude(bad1, bad2)), with(inBad1))
	k.add("4.13.9", no, with(exclude(bad1, bad2)), with(inBad2))
	mixed := with(constraints([][]byte{one}, [][]byte{dirName(under("permittedSubtree1", "excludedSubtree1"))}))
	k.add("4.13.10", no, mixed, with(subject(entry("EE", "permittedSubtree1", "excludedSubtree1"))))
	k.add("4.13.11", nil, mixed, with(subject(entry("EE", "permittedSubtree1", "permittedSubtree2"))))
	sub1 := with(subject(entry("sub CA", "permittedSubtree1")), permit(dirName(under("permittedSubtree1", "permittedSubtree2"))))
	k.add("4.13.12", no, with(permit(one)), sub1, with(inOne))
	sub2 := with(subject(entry("sub CA", "permittedSubtree1")), permit(two))
	k.add("4.13.13", no, with(permit(one)), sub2, with(inTwo))
	k.add("4.13.14", nil, with(permit(one)), sub2, with(subject(dn()), ext(17, true, der(0x30, mail("a@testcertificates.gov")))))
	plain := subject(entry("sub CA", "permittedSubtree1"))
	k.add("4.13.15", no, with(exclude(bad1)), with(plain, exclude(bad2)), with(inBad1))
	k.add("4.13.16", no, with(exclude(bad1)), with(plain, exclude(bad2)), with(inBad2))
	k.add("4.13.17", no, with(exclude(bad1)), with(plain, permit(one)), with(inBad1))
	k.add("4.13.18", nil, with(exclude(bad1)), with(plain, permit(one)), with(inOne))
	ca := issue(k.t, k.root, named("nameConstraints DN1 CA"), permit(one))
	again := k.selfIssued(ca, permit(one))
	k.chain("4.13.19", nil, ca, again, issue(k.t, again, entry("EE", "permittedSubtree1"), endEntityCert))
	k.chain("4.13.20", no, ca, issue(k.t, ca, ca.name, endEntityCert))

	// Names of two forms.
	rfc822 := with(subject(entry("sub CA 3", "permittedSubtree1")), permit(mail("testcertificates.gov")))
	k.add("4.13.27", nil, with(permit(one)), rfc822, with(inOne, altNames(mail("a@testcertificates.gov"))))
	k.add("4.13.28", no, with(permit(one)), rfc822, with(inOne, altNames(mail("a@mailserver.testcertificates.gov"))))
	k.add("4.13.29", no, with(permit(one)), rfc822,
		with(subject(dn("C=US", "O=Test Certificates", "OU=permittedSubtree1", "CN=EE", "E=a@mailserver.testcertificates.gov"))))
}

func (k *pkits) otherNames() {
	no := path.ErrNames
	k.add("4.13.21", nil, with(permit(mail(".testcertificates.gov"))), with(altNames(mail("a@mailserver.testcertificates.gov"))))
	k.add("4.13.22", no, with(permit(mail(".testcertificates.gov"))), with(altNames(mail("a@testcertificates.gov"))))
	k.add("4.13.23", nil, with(permit(mail("testcertificates.gov"))), with(altNames(mail("a@testcertificates.gov"))))
	k.add("4.13.24", no, with(permit(mail("testcertificates.gov"))), with(altNames(mail("a@mailserver.testcertificates.gov"))))
	k.add("4.13.25", nil, with(exclude(mail("testcertificates.gov"))), with(altNames(mail("a@mailserver.testcertificates.gov"))))
	k.add("4.13.26", no, with(exclude(mail("testcertificates.gov"))), with(altNames(mail("a@testcertificates.gov"))))
	k.add("4.13.30", nil, with(permit(dns("testcertificates.gov"))), with(altNames(dns("testserver.testcertificates.gov"))))
	k.add("4.13.31", no, with(permit(dns("testcertificates.gov"))), with(altNames(dns("testserver.invalidcertificates.gov"))))
	k.add("4.13.32", nil, with(exclude(dns("invalidcertificates.gov"))), with(altNames(dns("testserver.testcertificates.gov"))))
	k.add("4.13.33", no, with(exclude(dns("invalidcertificates.gov"))), with(altNames(dns("testserver.invalidcertificates.gov"))))
	k.add("4.13.34", nil, with(permit(uri(".testcertificates.gov"))), with(altNames(uri("http://testserver.testcertificates.gov/index.html"))))
	k.add("4.13.35", no, with(permit(uri(".testcertificates.gov"))), with(altNames(uri("http://testcertificates.gov/invalid.html"))))
	k.add("4.13.36", nil, with(exclude(uri("invalidcertificates.gov"))), with(altNames(uri("ftp://testserver.invalidcertificates.gov:21/test36/"))))
	k.add("4.13.37", no, with(exclude(uri("invalidcertificates.gov"))), with(altNames(uri("ftp://invalidcertificates.gov:21/test37/"))))
	k.add("4.13.38", no, with(permit(dns("testcertificates.gov"))), with(altNames(dns("mytestcertificates.gov"))))
}

func (k *pkits) privateExtensions() {
	private := func(critical bool) option {
		return func(s *spec) { s.set("2.16.840.1.101.2.1.12.2", critical, []byte{5, 0}) }
	}
	k.add("4.16.1", nil, with(private(false)))
	k.add("4.16.2", path.ErrConstraint, with(private(true)))
}

// A chain whose policies double with each mapping, as a tree would hold them: the graph stays as small as the certificates.
func TestPoliciesDoNotExplode(t *testing.T) {
	t.Parallel()
	root := issue(t, nil, named("Root"), noPolicies)
	issuer := root
	var chain []*entity
	all := make([]int, 50)
	for i := range all {
		all[i] = i + 1
	}
	var pairs []int
	for _, from := range all {
		for _, to := range all {
			pairs = append(pairs, from, to)
		}
	}
	for i := range 6 {
		issuer = issue(t, issuer, named("CA "+strconv.Itoa(i)), policies(all...), mapping(pairs...), requireExplicit(0))
		chain = append(chain, issuer)
	}
	leaf := issue(t, issuer, named("EE"), endEntityCert, policies(1))
	r, err := build(leaf, path.Options{Anchors: anchors(root), Others: certificates(chain...)})
	if err != nil || len(r.Policies) != 50 || !r.Explicit {
		t.Errorf("%v, %+v", err, r)
	}
}
