package saved

import (
	"encoding/base64"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/eidkit/eidkit/internal/beidfile"
)

// WriteCSV writes the CSV form, version 1 (facts 10.2): one line in UTF-8, separated by semicolons, with the raw files, signatures
// and certificates that c has in base64. Only the raw identity file holds the third initial apart from the given names, the permits
// and mentions of foreigners' cards and the hash of the card's key. Fields 32 to 46, which repeat 47 and 48, stay empty.
//
// The form has no quotes: a semicolon in a text becomes a comma, a double quote an apostrophe, a control character a blank. A text
// that a spreadsheet would take for a formula, with =, +, - or @ at its start, gets an apostrophe before it, which [Read] takes away
// again. Base64 may begin with + too; it is left as it is, for it has no characters to call a function with.
//
// It fails with ErrIncomplete when there is no identity; nothing is then written.
func (c *Card) WriteCSV(w io.Writer) error {
	if c.Identity == nil {
		return fmt.Errorf("writing CSV: no identity: %w", ErrIncomplete)
	}
	row := make(csvRow, csvCertificate)
	c.writeCSVIdentity(row)
	if a := c.Address; a != nil {
		row[csvStreet], row[csvZip], row[csvMunicipality] = csvText(a.StreetAndNumber), csvText(a.Zip), csvText(a.Municipality)
		row[csvCountry] = "be" // as the viewers write it; an eID has Belgian addresses only
	}
	f := &c.Files
	for place, file := range map[int][]byte{
		csvIdentity: f.Identity, csvIdentitySignature: f.IdentitySignature, csvAddress: f.Address, csvAddressSignature: f.AddressSignature,
		csvPhoto: f.Photo, csvPhotoHash: c.Identity.PhotoHash, csvCardData: f.CardData, csvTokenInfo: f.TokenInfo,
		csvChallenge: c.Challenge, csvResponse: c.Response, csvRRN: f.RRN,
	} {
		row[place] = base64.StdEncoding.EncodeToString(file)
	}
	if len(f.RRN) > 0 {
		row[csvRRNLabel], row[csvRRNOwner] = "RRN", "1"
	}
	count := 0
	for _, cert := range c.certificates() {
		if cert.label == "RRN" || len(*cert.der) == 0 {
			continue
		}
		count++
		row = append(row, cert.label, "1", base64.StdEncoding.EncodeToString(*cert.der), "")
	}
	row[csvCertificates] = strconv.Itoa(count)
	row = append(row, "0") // no PINs
	if _, err := io.WriteString(w, strings.Join(row, ";")+"\n"); err != nil {
		return fmt.Errorf("writing CSV: %w", err)
	}
	return nil
}

func (c *Card) writeCSVIdentity(row csvRow) {
	id := c.Identity
	row[csvVersion], row[csvCardType] = "1", cardType(id.DocumentType.Kind())
	row[csvChipNumber] = upperHex(id.ChipNumber)
	row[csvMemberOfFamily] = onlyIf(id.MemberOfFamily, "1")
	for place, value := range map[int]string{
		csvDocumentType: string(id.DocumentType), csvGivenNames: joinNames(id), csvSurname: id.Surname, csvSex: string(id.Sex),
		csvBirth: birthText(id), csvBirthPlace: id.BirthPlace, csvNobleCondition: id.NobleCondition, csvNationality: id.Nationality,
		csvNationalNumber: id.NationalNumber, csvDuplicate: id.Duplicate, csvSpecialOrg: id.SpecialOrganisation,
		csvSpecialStatus: string(id.SpecialStatus), csvCardNumber: id.CardNumber, csvValidFrom: cardDate(id.ValidFrom),
		csvValidUntil: cardDate(id.ValidUntil), csvDelivery: id.DeliveryMunicipality,
	} {
		row[place] = csvText(value)
	}
}

// cardType is the word for the kind of card in the older forms.
func cardType(kind beidfile.Kind) string {
	switch kind {
	case beidfile.Kid, beidfile.KidForeigner:
		return "kids"
	case beidfile.Foreigner:
		return "foreigner"
	}
	return "eid"
}

// csvText makes a text fit for a field.
func csvText(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == ';':
			return ','
		case r == '"':
			return '\''
		case r < ' ' || r == 0x7F:
			return ' '
		}
		return r
	}, s)
	s = strings.TrimSpace(s)
	if looksLikeFormula(s) {
		return "'" + s
	}
	return s
}
