package pades

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"slices"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/pdf"
)

// Flags of a seed value dictionary: which of its entries are demands. ISO
// 32000-2, table 237.
const (
	seedFilter           = 1 << 0
	seedSubFilter        = 1 << 1
	seedVersion          = 1 << 2
	seedReasons          = 1 << 3
	seedLegal            = 1 << 4
	seedRevocation       = 1 << 5
	seedDigest           = 1 << 6
	seedLockDocument     = 1 << 7
	seedAppearanceFilter = 1 << 8
)

// Flags of a certificate seed value dictionary, ISO 32000-2 table 238.
const (
	seedSubject     = 1 << 0
	seedIssuer      = 1 << 1
	seedPolicy      = 1 << 2
	seedSubjectName = 1 << 3
	seedKeyUsage    = 1 << 5
)

// digestNames are those of seed values.
var digestNames = map[crypto.Hash]string{crypto.SHA1: "SHA1", crypto.SHA256: "SHA256", crypto.SHA384: "SHA384", crypto.SHA512: "SHA512"}

// checkSeed refuses a signature that the seed values of its field do not allow.
// What they merely wish does not count.
func (d *document) checkSeed(s *slot, m ades.Making, o MakeOptions) error {
	v := d.last
	field := v.Dict(s.ref)
	sv := v.Dict(field["SV"])
	if sv == nil {
		return nil
	}
	flags := pdf.Int(v.Resolve(sv["Ff"]), 0)
	demands := func(flag int64, key pdf.Name) bool { return flags&flag != 0 && v.Resolve(sv[key]) != nil }
	no := func(what string) error { return refused("the field %q demands %s", s.name, what) }
	switch {
	case demands(seedFilter, "Filter") && v.Name(sv["Filter"]) != filterName:
		return no("the signature handler " + string(v.Name(sv["Filter"])))
	case demands(seedSubFilter, "SubFilter") && !slices.ContainsFunc(v.Array(sv["SubFilter"]), func(o pdf.Object) bool { return v.Name(o) == subFilterCAdES }):
		return no("another kind of signature than PAdES")
	case demands(seedVersion, "V") && pdf.Int(v.Resolve(sv["V"]), 0) > 3:
		return no("a newer version of the signature handler")
	case demands(seedDigest, "DigestMethod") && !slices.ContainsFunc(v.Array(sv["DigestMethod"]), func(o pdf.Object) bool { return v.Text(o) == digestNames[m.Algorithm.Hash] }):
		return no("another digest algorithm")
	case demands(seedLegal, "LegalAttestation"):
		return no("a legal attestation")
	case demands(seedRevocation, "AddRevInfo") && v.Resolve(sv["AddRevInfo"]) == true && o.Level < ades.LevelLT:
		return no("revocation data, that is level B-LT")
	case demands(seedLockDocument, "LockDocument") && v.Name(sv["LockDocument"]) == "true":
		return no("that the document is locked")
	case demands(seedAppearanceFilter, "AppearanceFilter"):
		return no("a certain appearance")
	}
	if flags&seedReasons != 0 && !d.reasonAllowed(sv, o.Reason) {
		return no("one of the reasons that it lists")
	}
	if mdp := v.Dict(sv["MDP"]); mdp != nil {
		if p := int(pdf.Int(v.Resolve(mdp["P"]), 0)); p != o.Certify {
			if p == 0 {
				return no("an approval signature")
			}
			return no("a certification signature of another permission")
		}
	}
	if ts := v.Dict(sv["TimeStamp"]); pdf.Int(v.Resolve(ts["Ff"]), 0)&1 != 0 && o.Level < ades.LevelT {
		return no("a time stamp, that is level B-T")
	}
	return d.checkCertSeed(s, v.Dict(sv["Cert"]), m)
}

// reasonAllowed: a list that is missing, or of one full stop, demands that
// there is no reason.
func (d *document) reasonAllowed(sv pdf.Dict, reason string) bool {
	list := d.last.Array(sv["Reasons"])
	if len(list) == 0 || len(list) == 1 && d.last.Text(list[0]) == "." {
		return reason == ""
	}
	return slices.ContainsFunc(list, func(o pdf.Object) bool { return d.last.Text(o) == reason })
}

// checkCertSeed is for what the field demands of the certificate.
func (d *document) checkCertSeed(s *slot, cert pdf.Dict, m ades.Making) error {
	v := d.last
	flags := pdf.Int(v.Resolve(cert["Ff"]), 0)
	among := func(key pdf.Name, list []*x509.Certificate) bool {
		return slices.ContainsFunc(v.Array(cert[key]), func(o pdf.Object) bool {
			der, _ := v.Resolve(o).(pdf.String)
			return slices.ContainsFunc(list, func(c *x509.Certificate) bool { return bytes.Equal(c.Raw, []byte(der.Value)) })
		})
	}
	no := func(what string) error { return refused("the field %q demands %s", s.name, what) }
	switch {
	case flags&seedSubject != 0 && !among("Subject", []*x509.Certificate{m.Certificate}):
		return no("the certificate of somebody else")
	case flags&seedIssuer != 0 && !among("Issuer", m.Chain):
		return no("a certificate of another issuer")
	case flags&seedPolicy != 0 && !slices.ContainsFunc(v.Array(cert["OID"]), func(o pdf.Object) bool {
		return slices.ContainsFunc(m.Certificate.Policies, func(p x509.OID) bool { return p.String() == v.Text(o) })
	}):
		return no("a certificate under another policy")
	case flags&seedSubjectName != 0 && !slices.ContainsFunc(v.Array(cert["SubjectDN"]), func(o pdf.Object) bool { return d.nameFits(v.Dict(o), m.Certificate) }):
		return no("a certificate in another name")
	case flags&seedKeyUsage != 0 && !slices.ContainsFunc(v.Array(cert["KeyUsage"]), func(o pdf.Object) bool { return usageFits(v.Text(o), m.Certificate) }):
		return no("a certificate for another use")
	}
	return nil
}

// subjectTypes are the attributes of a name as seed values call them.
var subjectTypes = map[pdf.Name]string{
	"CN": "2.5.4.3", "SN": "2.5.4.4", "serialNumber": "2.5.4.5", "C": "2.5.4.6", "L": "2.5.4.7", "S": "2.5.4.8", "ST": "2.5.4.8",
	"O": "2.5.4.10", "OU": "2.5.4.11", "T": "2.5.4.12", "GN": "2.5.4.42", "E": "1.2.840.113549.1.9.1",
}

// nameFits tells whether the subject has all attributes of a dictionary.
func (d *document) nameFits(name pdf.Dict, c *x509.Certificate) bool {
	for key, o := range name {
		oid, want := subjectTypes[key], d.last.Text(o)
		found := false
		for _, a := range c.Subject.Names {
			text, _ := a.Value.(string)
			found = found || (a.Type.String() == oid || a.Type.String() == string(key)) && text == want
		}
		if !found {
			return false
		}
	}
	return len(name) > 0
}

// usageFits holds key usage against a pattern of 0 (not set), 1 (set) and X, in
// the order of RFC 5280 section 4.2.1.3.
func usageFits(pattern string, c *x509.Certificate) bool {
	for i := range min(len(pattern), 9) {
		set := c.KeyUsage&(1<<i) != 0
		if pattern[i] == '1' && !set || pattern[i] == '0' && set {
			return false
		}
	}
	return true
}
