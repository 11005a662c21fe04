package saved

import (
	"bytes"
	"slices"
	"strings"

	"github.com/eidkit/eidkit/internal/beidfile"
)

// judgeSignatures sets Signed and says in Notes, before anything else, what cannot be verified and why.
func (c *Card) judgeSignatures() {
	f := &c.Files
	var notes []string
	add := func(s string) { notes = append(notes, s) }
	identity := f.Identity != nil && f.IdentitySignature != nil
	address := c.Address == nil || f.Address != nil && f.AddressSignature != nil
	switch {
	case identity:
	case f.Identity == nil && f.Photo != nil:
		add("this file carries no signatures: identity, address and photo cannot be verified")
	case f.Identity == nil:
		add("this file carries no signatures: its content cannot be verified")
	default:
		add("this file does not carry the signature over the identity: its content cannot be verified")
	}
	if identity && !address {
		add("this file does not carry the signature over the address: the address cannot be verified")
	}
	if identity && f.RRN == nil {
		add("this file does not carry the national register's certificate: its signatures cannot be verified")
	}
	c.Signed = identity && address && f.RRN != nil
	c.Notes = append(notes, c.Notes...)
}

// trimCertificates cuts certificates to their DER length, as a card's filler may have been saved with them. A file of zeros is an
// absent certificate; what is not DER is left out with a note.
func (c *Card) trimCertificates() {
	for _, cert := range c.certificates() {
		if len(bytes.TrimRight(*cert.der, "\x00")) == 0 {
			*cert.der = nil
			continue
		}
		n, ok := beidfile.DERLength(*cert.der)
		if !ok || n > len(*cert.der) {
			c.note("the %s certificate is not DER and was left out", cert.name)
			*cert.der = nil
			continue
		}
		*cert.der = (*cert.der)[:n:n]
	}
}

// namedCertificate is one of the five certificates: its name in notes, its label on the card, and its place in Files.
type namedCertificate struct {
	name, label string
	der         *[]byte
}

// certificates are the five places for a certificate, in the order of the card's own directory.
func (c *Card) certificates() []namedCertificate {
	f := &c.Files
	return []namedCertificate{
		{"authentication", "Authentication", &f.Authentication},
		{"signature", "Signature", &f.Signature},
		{"CA", "CA", &f.CA},
		{"root", "Root", &f.Root},
		{"national register", "RRN", &f.RRN},
	}
}

// setCertificate puts a certificate in the place that its label names. It is not ok if there is no such label.
func (c *Card) setCertificate(label string, der []byte) bool {
	for _, cert := range c.certificates() {
		if strings.EqualFold(cert.label, strings.TrimSpace(label)) {
			*cert.der = der
			return true
		}
	}
	return false
}

// compareIdentity notes which values beside the raw file differ from it. shown may be nil; what it leaves empty is not compared.
func (c *Card) compareIdentity(shown, signed *beidfile.Identity) {
	if shown == nil {
		return
	}
	c.compare([]difference{
		{"card number", shown.CardNumber, signed.CardNumber},
		{"chip number", string(shown.ChipNumber), string(signed.ChipNumber)},
		{"start of validity", shown.ValidFrom.String(), signed.ValidFrom.String()},
		{"end of validity", shown.ValidUntil.String(), signed.ValidUntil.String()},
		{"municipality of issue", shown.DeliveryMunicipality, signed.DeliveryMunicipality},
		{"national number", shown.NationalNumber, signed.NationalNumber},
		{"surname", shown.Surname, signed.Surname},
		{"given names", joinNames(shown), joinNames(signed)},
		{"nationality", shown.Nationality, signed.Nationality},
		{"birth place", shown.BirthPlace, signed.BirthPlace},
		{"birth date", shown.Birth.String(), signed.Birth.String()},
		{"sex", string(shown.Sex), string(signed.Sex)},
		{"noble condition", shown.NobleCondition, signed.NobleCondition},
		{"document type", documentCode(string(shown.DocumentType)), documentCode(string(signed.DocumentType))},
		{"special status", string(shown.SpecialStatus), string(statusOrNone(signed.SpecialStatus))},
		{"duplicate", shown.Duplicate, signed.Duplicate},
		{"special organisation", shown.SpecialOrganisation, signed.SpecialOrganisation},
		{"protection", shown.ProtectionDateCountry, signed.ProtectionDateCountry},
		{"work permit", shown.WorkPermit, signed.WorkPermit},
		{"brexit mention 1", shown.BrexitMention1, signed.BrexitMention1},
		{"brexit mention 2", shown.BrexitMention2, signed.BrexitMention2},
		{"card A mention 1", shown.CardAMention1, signed.CardAMention1},
		{"card A mention 2", shown.CardAMention2, signed.CardAMention2},
	})
}

func (c *Card) compareAddress(shown, signed *beidfile.Address) {
	if shown == nil {
		return
	}
	c.compare([]difference{
		{"street and number", shown.StreetAndNumber, signed.StreetAndNumber},
		{"zip code", shown.Zip, signed.Zip},
		{"municipality", shown.Municipality, signed.Municipality},
	})
}

// difference is a value as the form shows it and as the raw file has it.
type difference struct{ name, shown, signed string }

func (c *Card) compare(all []difference) {
	differ := slices.DeleteFunc(all, func(d difference) bool { return d.shown == "" || d.shown == d.signed })
	if len(differ) == 0 {
		return
	}
	names := make([]string, len(differ))
	for i, d := range differ {
		names[i] = d.name
	}
	c.note("values beside the raw files differ from them and were ignored: %s", strings.Join(names, ", "))
}

// joinNames are the given names with the third initial after them, the way CSV and XML 3.5 have them.
func joinNames(id *beidfile.Identity) string {
	return strings.TrimSpace(id.GivenNames + " " + id.ThirdInitial)
}
