package testcards

import (
	"fmt"
	"slices"
	"strings"
)

// Profile is a kind of card that can be made.
type Profile struct {
	Name        string `json:"name"`
	Applet      string `json:"applet"`
	Description string `json:"description"` // one line: what is special about it

	// DocumentTypes are the codes (sheet 3.4) that may follow the name after a colon; without one the card has the first.
	DocumentTypes []string `json:"documentTypes,omitempty"`

	spec spec
}

// spec is what makes a profile.
type spec struct {
	applet       *applet
	kind         kind
	documentType string
	rekeyed      bool // RSA keys under EC authorities
	noAuth       bool // no authentication certificate
	noSign       bool // no signature certificate
	noFiller     bool
	tries        int // PIN tries spent
	expired      bool
	revoked      bool
	longNames    bool
	yearOnly     bool
	unknownTag   bool // a record that no published structure has, longer than 255 bytes
}

type kind int

const (
	citizen kind = iota
	kid
	foreigner
)

var (
	citizenTypes   = []string{"1", "7", "8"}
	kidTypes       = []string{"6", "61", "62", "63", "64", "65", "66", "67", "68", "69"}
	foreignerTypes = []string{"31", "11", "12", "13", "14", "15", "16", "17", "18", "19", "20", "21", "22", "23", "27", "28", "32", "33", "34", "35", "36"}
)

// The profiles most used in programs; Profiles has all.
var (
	Citizen11   = profiles[0]
	Citizen17   = profiles[1]
	Citizen18   = profiles[2]
	Kid18       = profiles[4]
	Foreigner18 = profiles[7]
)

// profiles: names are stable.
var profiles = []Profile{
	describe("citizen-1.1", "a Belgian citizen; RSA 1024, SHA-1", spec{applet: applet11}),
	describe("citizen-1.7", "a Belgian citizen; RSA 2048", spec{applet: applet17}),
	describe("citizen-1.8", "a Belgian citizen; P-384, 1,100 zero bytes after each certificate", spec{applet: applet18}),
	describe("citizen-1.8-nofiller", "a Belgian citizen; certificate files end with the certificate", spec{applet: applet18, noFiller: true}),
	describe("kid-1.8", "a child under 12; no certificates of its own", spec{applet: applet18, kind: kid, noAuth: true, noSign: true}),
	describe("kid-1.7", "a child under 12; no certificates of its own", spec{applet: applet17, kind: kid, noAuth: true, noSign: true}),
	describe("foreigner-1.7", "a foreigner's card under the foreigner CA", spec{applet: applet17, kind: foreigner}),
	describe("foreigner-1.8", "a foreigner's card under the foreigner CA", spec{applet: applet18, kind: foreigner}),
	describe("no-signature-1.8", "no signature certificate, as for a minor", spec{applet: applet18, noSign: true}),
	describe("no-signature-1.7", "no signature certificate, as for a minor", spec{applet: applet17, noSign: true}),
	describe("no-certificates-1.8", "an adult who wanted no certificates", spec{applet: applet18, noAuth: true, noSign: true}),
	describe("rekeyed-1.7", "RSA keys; CA, root and register certificates and their signatures are EC", spec{applet: applet17, rekeyed: true}),
	describe("expired-1.8", "card and certificates ended in 2024", spec{applet: applet18, expired: true}),
	describe("revoked-1.8", "certificates with serial numbers that the test CRL and OCSP call revoked", spec{applet: applet18, revoked: true}),
	describe("one-try-left-1.8", "two PIN tries are spent", spec{applet: applet18, tries: 2}),
	describe("one-try-left-1.7", "two PIN tries are spent", spec{applet: applet17, tries: 2}),
	describe("blocked-1.8", "all PIN tries are spent; only an administrator could unblock it", spec{applet: applet18, tries: 3}),
	describe("blocked-1.7", "all PIN tries are spent; the PUK unblocks it", spec{applet: applet17, tries: 3}),
	describe("long-names-1.8", "every text at its greatest length, with all the letters of Belgian names", spec{applet: applet18, longNames: true}),
	describe("year-only-1.8", "born in a year, month and day unknown", spec{applet: applet18, yearOnly: true}),
	describe("future-1.9", "says it is applet 1.9; otherwise as 1.8, with an unknown record of 300 bytes in the identity", spec{applet: applet19, unknownTag: true}),
}

func describe(name, description string, s spec) Profile {
	p := Profile{Name: name, Description: description, spec: s}
	p.Applet = fmt.Sprintf("%d.%d", s.applet.version>>4, s.applet.version&0x0F)
	switch s.kind {
	case kid:
		p.DocumentTypes = kidTypes
	case foreigner:
		p.DocumentTypes = foreignerTypes
	default:
		p.DocumentTypes = citizenTypes
	}
	p.spec.documentType = p.DocumentTypes[0]
	return p
}

// Profiles lists them, the common ones first.
func Profiles() []Profile { return slices.Clone(profiles) }

func findProfile(name string) (Profile, error) {
	base, documentType, chosen := strings.Cut(name, ":")
	for _, p := range profiles {
		if p.Name != base {
			continue
		}
		if chosen {
			if !slices.Contains(p.DocumentTypes, documentType) {
				return Profile{}, fmt.Errorf("test card %s has no document type %q; it has %s", base, documentType, strings.Join(p.DocumentTypes, ", "))
			}
			p.Name, p.spec.documentType = name, documentType
		}
		return p, nil
	}
	return Profile{}, fmt.Errorf("no test card named %q", base)
}
