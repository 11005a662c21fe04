// Package holder reads from a certificate who its holder is: national number,
// names, country, and what kind of card it is from.
//
// Call Of. It describes and does not judge: whether the certificate may be
// believed at all is for the path of package verify. What is in doubt (two
// serial numbers in one subject, check digits that do not fit) stays empty.
//
// Out of scope: subject alternative names, QC statements, card files.
//
// References: facts sheet "signatures" section 5 (shape of the Belgian
// certificates), RFC 5280 section 4.1.2.6, ETSI EN 319 412-1 section 5.1.3
// (semantics identifiers such as PNOBE-85073003328), RFC 3739 section 3.1.2.
package holder

import (
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/eidkit/eidkit/niss"
)

// Kind is what kind of card or certificate a holder has.
type Kind string

// The kinds, as reports name them.
const (
	Citizen      Kind = "citizen"      // eID of a Belgian
	Foreigner    Kind = "foreigner"    // eID of a foreigner in Belgium
	Kid          Kind = "kid"          // either of them, made before the holder was twelve
	Professional Kind = "professional" // a person as member of an organisation
	Other        Kind = "other"        // anybody else: other countries, seals, servers
)

// Holder is the subject of a certificate. Texts are valid UTF-8 of at most
// 256 bytes without control characters and without those that turn the
// direction of writing; any of them may be empty.
type Holder struct {
	NISS         string // eleven digits whose check digits fit, else empty
	SerialNumber string // the subject's serialNumber as it stands, of any country
	Surname      string
	GivenNames   string
	CommonName   string
	Country      string // of the subject, ISO 3166 alpha-2: the nationality on cards of foreigners
	Organization string
	Kind         Kind
}

// Of reads the holder of a certificate; nil gives Kind Other alone.
func Of(c *x509.Certificate) Holder {
	if c == nil {
		return Holder{Kind: Other}
	}
	s := attributes{}
	for _, a := range c.Subject.Names {
		if text, ok := a.Value.(string); ok {
			s[a.Type.String()] = append(s[a.Type.String()], text)
		}
	}
	h := Holder{
		SerialNumber: s.only(oidSerialNumber),
		Surname:      s.first(oidSurname),
		GivenNames:   s.first(oidGivenName),
		CommonName:   s.first(oidCommonName),
		Country:      s.first(oidCountry),
		Organization: s.first(oidOrganization),
	}
	if strings.EqualFold(h.Country, "BE") || issuedInBelgium(c) || strings.HasPrefix(h.SerialNumber, "PNOBE-") {
		h.NISS = nationalNumber(h.SerialNumber)
	}
	h.Kind = kindOf(c, h, s)
	return h
}

// Attribute types of X.520, and the organisation identifier of ETSI EN 319
// 412-1 section 5.1.4.
const (
	oidCommonName     = "2.5.4.3"
	oidSurname        = "2.5.4.4"
	oidSerialNumber   = "2.5.4.5"
	oidCountry        = "2.5.4.6"
	oidOrganization   = "2.5.4.10"
	oidGivenName      = "2.5.4.42"
	oidOrganizationID = "2.5.4.97"
)

// attributes are the texts of a name by type, as dotted numbers.
type attributes map[string][]string

func (a attributes) first(oid string) string {
	if len(a[oid]) == 0 {
		return ""
	}
	return clean(a[oid][0])
}

// only is the value of what identifies somebody: of two, neither counts.
func (a attributes) only(oid string) string {
	if len(a[oid]) != 1 {
		return ""
	}
	return clean(a[oid][0])
}

// maxText bounds a text in bytes; X.520 allows 64 characters for most.
const maxText = 256

// clean makes a text fit for a report.
func clean(s string) string {
	if len(s) > maxText {
		s = s[:maxText]
	}
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	return strings.TrimSpace(s)
}

// nationalNumber returns the eleven digits of a subject's serial number.
// Specimen cards have numbers with an impossible date or counter: they are
// given as they stand, for their check digits fit.
func nationalNumber(serial string) string {
	digits := strings.TrimPrefix(serial, "PNOBE-")
	if len(digits) != 11 || strings.Trim(digits, "0123456789") != "" {
		return ""
	}
	if _, err := niss.Parse(digits); err != nil && !errors.Is(err, niss.ErrDate) && !errors.Is(err, niss.ErrCounter) {
		return ""
	}
	return digits
}

func issuedInBelgium(c *x509.Certificate) bool {
	return slices.ContainsFunc(c.Issuer.Country, func(s string) bool { return strings.EqualFold(s, "BE") })
}

// kindOf tells eID cards by their policy, in the EC hierarchy (which has one
// policy for all) by the name of the CA as well.
func kindOf(c *x509.Certificate, h Holder, s attributes) Kind {
	kind := Other
	switch family := family(c); {
	case family == "3":
		return Professional
	case family == "2", family == "ec" && caNamed(c, "citizenca"):
		kind = Citizen
	case family == "7", family == "ec" && caNamed(c, "foreignerca"):
		kind = Foreigner
	case (h.Surname != "" || h.GivenNames != "") && (h.Organization != "" || len(s[oidOrganizationID]) > 0):
		return Professional
	default:
		return Other
	}
	if kidAt(h.NISS, c.NotBefore) {
		return Kid
	}
	return kind
}

// Policies of Belgian eID leaves stand under 2.16.56: by root, and 1.1, then
// the family (2 citizens, 3 government staff, 7 foreigners), then the key; or
// one pair for all in the EC hierarchy. Test PKIs have the same tails under
// the arc for examples, 2.999 (ITU-T X.660). Saying what kind of card such a
// certificate imitates gives it no trust.
var (
	belgium  = []asn1.ObjectIdentifier{{2, 16, 56}, {2, 999, 56}}
	rsaRoots = []int{1, 9, 10, 12}
	ecLeaves = []asn1.ObjectIdentifier{{13, 6, 1, 1000}, {13, 6, 2, 1000}}
)

// family returns "2", "3" or "7" of the RSA hierarchies, "ec", or "".
func family(c *x509.Certificate) string {
	for _, p := range c.PolicyIdentifiers {
		for _, arc := range belgium {
			if len(p) <= len(arc) || !p[:len(arc)].Equal(arc) {
				continue
			}
			tail := p[len(arc):]
			if slices.ContainsFunc(ecLeaves, tail.Equal) {
				return "ec"
			}
			if len(tail) == 5 && slices.Contains(rsaRoots, tail[0]) && tail[1] == 1 && tail[2] == 1 {
				switch tail[3] {
				case 2, 3, 7:
					return string(rune('0' + tail[3]))
				}
			}
		}
	}
	return ""
}

// caNamed compares without blanks and case: the CAs were called both
// "Citizen CA" and "CitizenCA".
func caNamed(c *x509.Certificate, part string) bool {
	name := strings.ToLower(strings.ReplaceAll(c.Issuer.CommonName, " ", ""))
	return strings.Contains(name, part)
}

// kidAge is the age, in years, from which children get the card of adults.
const kidAge = 12

// kidAt tells whether the birth date in a national number says that its
// holder was a child at the given time. An unknown date says nothing.
func kidAt(number string, at time.Time) bool {
	n, err := niss.Parse(number)
	if err != nil {
		return false
	}
	b := n.Birth()
	if b.Year == 0 || b.Month == 0 || b.Day == 0 {
		return false
	}
	return at.Before(time.Date(b.Year+kidAge, time.Month(b.Month), b.Day, 0, 0, 0, 0, time.UTC))
}
