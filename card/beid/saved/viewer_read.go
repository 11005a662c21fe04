package saved

import (
	"encoding/hex"
	"fmt"

	"github.com/eidkit/eidkit/internal/beidfile"
)

// readViewerXML reads the viewer's .eid file, 4.0 to 4.5 (facts 10.1), and what its code writes without its schema knowing:
// carddata_appl_version and protection_date_country. Of raw files it holds the photo and the certificates.
func readViewerXML(root *element) (*Card, error) {
	c := &Card{Format: FormatXML, Version: formVersion(root.attributes["version"])}
	if root.attributes["version"] == "" {
		c.Version = "4.0"
	}
	f := &c.Files
	err := filesAt(root, map[*[]byte][]string{
		&f.Photo:          {"identity", "photo"},
		&f.Root:           {"certificates", "root"},
		&f.CA:             {"certificates", "citizenca"},
		&f.Authentication: {"certificates", "authentication"},
		&f.Signature:      {"certificates", "signing"},
		&f.RRN:            {"certificates", "rrn"},
	})
	if err != nil {
		return nil, err
	}
	card := root.find("card")
	c.AppletVersion = c.versionByte("applet version", card.attributes["carddata_appl_version"])
	c.GraphicalVersion = c.versionByte("graphical version", root.attributes["graphpersoversion"])

	text, err := c.viewerFields(root.find("identity"), card)
	if err != nil {
		return nil, err
	}
	if c.Identity, err = text.identity(); err != nil {
		return nil, err
	}
	c.Identity.BirthText = "" // the form holds a date, not the card's text
	address := fields{}
	if e := root.find("address"); e.name != "" {
		address[tagStreet] = e.find("streetandnumber").string()
		address[tagZip] = e.find("zip").string()
		address[tagMunicipality] = e.find("municipality").string()
	}
	c.Address, err = address.address()
	return c, err
}

// viewerFields are the values of the identity and card elements as fields of the card's identity file.
func (c *Card) viewerFields(identity, card *element) (fields, error) {
	chip, err := hexBytes(card.attributes["chipnumber"])
	if err != nil {
		return nil, fmt.Errorf("chip number: %w", err)
	}
	text := fields{}
	text.set(tagChipNumber, chip)
	text.set(tagCardNumber, card.attributes["cardnumber"])
	text.set(tagValidFrom, dayFromParts(card.attributes["validitydatebegin"]))
	text.set(tagValidUntil, dayFromParts(card.attributes["validitydateend"]))
	text.set(tagDelivery, card.find("deliverymunicipality").string())
	text.set(tagNationalNumber, identity.attributes["nationalnumber"])
	text.set(tagSurname, identity.find("name").string())
	text.set(tagGivenNames, identity.find("firstname").string())
	text.set(tagThirdInitial, identity.find("middlenames").string())
	text.set(tagNationality, identity.find("nationality").string())
	text.set(tagBirthPlace, identity.find("placeofbirth").string())
	text.set(tagBirth, birthFromParts(identity.attributes["dateofbirth"]))
	text.set(tagSex, sexLetter(identity.attributes["gender"]))
	text.set(tagNobleCondition, identity.attributes["noblecondition"])
	text.set(tagDocumentType, documentTypeCode(card.attributes["documenttype"]))
	text.set(tagSpecialStatus, specialStatusCode(identity.attributes["specialstatus"]))
	text.set(tagDuplicate, identity.attributes["duplicate"])
	if isYes(identity.attributes["memberoffamily"]) {
		text[tagMemberOfFamily] = ""
	}
	protection := identity.attributes["dateandcountryofprotection"]
	if protection == "" {
		protection = card.find("protection_date_country").string()
	}
	text.set(tagProtection, protectionText(protection))

	permit, brexit, cardA := card.find("workpermit"), card.find("brexit"), card.find("cardA")
	text.set(tagWorkPermit, c.mentionCode("workPermit", permit.attributes["mention"]))
	text.set(tagVAT1, vatText(permit.attributes["vat1"]))
	text.set(tagVAT2, vatText(permit.attributes["vat2"]))
	text.set(tagRegionalFile, permit.attributes["regionalfile"])
	text.set(tagBrexit1, c.mentionCode("brexitMention1", brexit.attributes["mention1"]))
	text.set(tagBrexit2, c.mentionCode("brexitMention2", brexit.attributes["mention2"]))
	text.set(tagCardA1, c.mentionCode("cardAMention1", cardA.attributes["mentions1"]))
	text.set(tagCardA2, c.mentionCode("cardAMention2", cardA.attributes["mentions2"]))
	return text, nil
}

// versionByte reads a version of one byte in hexadecimal; 0, with a note if it is something else.
func (c *Card) versionByte(name, s string) byte {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) > 1 {
		c.note("the %s is not one byte in hexadecimal and was left out", name)
		return 0
	}
	if len(b) == 0 {
		return 0
	}
	return b[0]
}

// mentionCode is the card's code for a viewer's word; the word itself, with a note, if it is not known.
func (c *Card) mentionCode(field, word string) string {
	if word == "" {
		return ""
	}
	code, ok := beidfile.MentionOf(field, word)
	if !ok {
		c.note("the value of %s is not known here and was kept as it stands", field)
		return word
	}
	return code
}

// documentTypeCode is the card's code for a viewer's word; the word itself, about which the parser warns, if it is not known.
func documentTypeCode(word string) string {
	if t, ok := beidfile.DocumentTypeOf(word); ok {
		return string(t)
	}
	return word
}

func specialStatusCode(word string) string {
	if s, ok := beidfile.SpecialStatusOf(word); ok {
		return string(s)
	}
	return word
}

// sexLetter is the card's letter for "male" and "female".
func sexLetter(word string) string {
	switch word {
	case "male":
		return string(beidfile.Male)
	case "female":
		return string(beidfile.Female)
	}
	return word
}

// protectionText gives the card's DD.MM.YYYY-CC for the schema's YYYYMMDDCC.
func protectionText(s string) string {
	if len(s) != 10 {
		return s
	}
	if _, _, _, ok := splitDate(s[:8]); !ok {
		return s
	}
	return dayFromParts(s[:8]) + "-" + s[8:]
}

// vatText gives the card's xxxx.xxx.xxx for the schema's ten digits.
func vatText(s string) string {
	if len(s) != 10 || !allDigits(s) {
		return s
	}
	return s[:4] + "." + s[4:7] + "." + s[7:]
}
