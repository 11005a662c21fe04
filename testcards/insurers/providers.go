package insurers

import (
	"slices"
	"strings"
)

// Provider is a care provider, or the software of one, whom the services know. All are invented.
type Provider struct {
	Name string // for Credential
	// Quality and NIHII are the role and its number, Organisation tells whose number it is: an organisation's or a person's.
	Quality, NIHII string
	Organisation   bool
	// Person is the national number of the provider, or of the titular of the organisation, who can also sign with an eID card;
	// TitularName and TitularNIHII name the titular.
	Person, TitularName, TitularNIHII string
	// Package and the licence are those of the software.
	Package, LicenceUser, LicencePassword string
	// Services are those the role may ask.
	Services []Service
	// Days is the longest period that it may ask about, Invoicing whether it may ask for more than information.
	Days      int
	Invoicing bool
}

// Providers lists them, the pharmacy first.
func Providers() []Provider { return slices.Clone(providers) }

// The software of all, and its licence.
const packageName, licenceUser, licencePassword = "example-till", "demo-user", "demo-secret"

func provider(name, nihii string, organisation bool, person string, days int, services ...Service) Provider {
	return Provider{Name: name, Quality: name, NIHII: nihii, Organisation: organisation, Person: person, Package: packageName, LicenceUser: licenceUser,
		LicencePassword: licencePassword, Services: services, Days: days, Invoicing: days > 1}
}

var providers = []Provider{
	func() Provider {
		p := provider("pharmacy", "29999823", true, "88122499820", 1, GenIns, Pharmacist, MemberData)
		p.TitularName, p.TitularNIHII = "Example titular", "21999849001"
		return p
	}(),
	provider("hospital", "71099911", true, "", 366, GenIns, MemberData),
	provider("medicalhouse", "82099933", true, "", 366, GenIns, MemberData),
	provider("doctor", "19999907001", false, "48092311770", 1, GenIns, MemberData),
	provider("nurse", "49999903401", false, "71050120431", 1, GenIns, MemberData),
	provider("physiotherapist", "59999902527", false, "65021431166", 1, MemberData),
}

// commonName is that in the certificate.
func (p *Provider) commonName() string {
	return "NIHII-" + strings.ToUpper(p.Name) + "=" + p.NIHII + " TEST"
}

// Namespaces of the attributes in a token.
const (
	nsIdentification = "urn:be:fgov:identification-namespace"
	nsCertified      = "urn:be:fgov:certified-namespace:ehealth"
	ehealth          = "urn:be:fgov:ehealth:1.0:"
	ssinAttribute    = "urn:be:fgov:person:ssin"
)

// attribute is what is certified of somebody.
type attribute struct{ space, name, value string }

// attributesOf are all that the token service knows of the holder of a certificate (facts sheet c.4).
func attributesOf(p *Provider, person string) []attribute {
	var list []attribute
	add := func(space, name, value string) { list = append(list, attribute{space, name, value}) }
	if person == "" && p != nil && !p.Organisation {
		person = p.Person
	}
	if person != "" {
		add(nsIdentification, ssinAttribute, person)
		add(nsIdentification, ehealth+"certificateholder:person:ssin", person)
	}
	if p == nil {
		return list
	}
	if !p.Organisation {
		add(nsCertified, p.roleAttribute(), "true")
		add(nsCertified, ssinAttribute+":ehealth:1.0:nihii:"+p.Quality+":nihii11", p.NIHII)
		return list
	}
	add(nsIdentification, p.numberAttribute(), p.NIHII)
	add(nsIdentification, ehealth+"certificateholder:"+p.Quality+":nihii-number", p.NIHII)
	add(nsCertified, p.roleAttribute(), "true")
	if person != "" && p.TitularNIHII != "" {
		add(nsCertified, ssinAttribute+":ehealth:1.0:fpsph:pharmacist:boolean", "true")
		add(nsCertified, ssinAttribute+":ehealth:1.0:nihii:pharmacist:nihii11", p.TitularNIHII)
	}
	return list
}

// numberAttribute and roleAttribute are the attributes of an organisation's number, and of the role that must be true.
func (p *Provider) numberAttribute() string { return ehealth + p.Quality + ":nihii-number" }

func (p *Provider) roleAttribute() string {
	if p.Organisation {
		return ehealth + p.Quality + ":nihii-number:recognised" + p.Quality + ":boolean"
	}
	return ssinAttribute + ":ehealth:1.0:fpsph:" + p.Quality + ":boolean"
}

// mayAsk tells whether a token gives its holder the role in which he asks a service.
func (p *Provider) mayAsk(s Service, t *token) bool {
	number := t.attributes[attributeKey{nsIdentification, p.numberAttribute()}]
	if number == "" {
		number = t.attributes[attributeKey{nsIdentification, ehealth + "certificateholder:" + p.Quality + ":nihii-number"}]
	}
	if !p.Organisation {
		number = t.attributes[attributeKey{nsCertified, ssinAttribute + ":ehealth:1.0:nihii:" + p.Quality + ":nihii11"}]
	}
	return t.attributes[attributeKey{nsCertified, p.roleAttribute()}] == "true" && sameNumber(number, p.NIHII) && slices.Contains(p.Services, s)
}

// sameNumber compares two NIHII numbers by the eight digits that name somebody.
func sameNumber(a, b string) bool { return len(a) >= 8 && len(b) >= 8 && a[:8] == b[:8] }

// caller is who asks, as a message says.
type caller struct {
	user, password, name, quality, nihii string
}

// admit finds the provider of a message; nil if licence, role or token do not fit.
func admit(s Service, c caller, t *token) *Provider {
	for i := range providers {
		p := &providers[i]
		if strings.EqualFold(c.quality, p.Quality) && sameNumber(c.nihii, p.NIHII) && c.user == p.LicenceUser && c.password == p.LicencePassword &&
			(c.name == "" || c.name == p.Package) && p.mayAsk(s, t) {
			return p
		}
	}
	return nil
}
