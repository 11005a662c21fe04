package saved

import (
	"fmt"
	"strings"
)

// filesAt decodes base64 elements into raw files.
func filesAt(root *element, places map[*[]byte][]string) error {
	for file, path := range places {
		b, err := root.find(path...).base64()
		if err != nil {
			return err
		}
		*file = b
	}
	return nil
}

// readXML35 reads the XML of the viewers 3.5 and 4.0 (facts 10.2): text, and where they were saved with it the raw files and
// signatures.
func readXML35(root *element) (*Card, error) {
	if isSIS(root.find("card_type").string()) || root.find("data", "files", "file_data").name != "" {
		return nil, ErrSIS
	}
	c := &Card{Format: FormatXML35, Version: formVersion(root.find("doc_version").string())}
	f := &c.Files
	err := filesAt(root, map[*[]byte][]string{
		&f.Identity:          {"biographic", "files", "file_id"},
		&f.IdentitySignature: {"biographic", "files", "file_id_sign"},
		&f.Address:           {"biographic", "files", "file_address"},
		&f.AddressSignature:  {"biographic", "files", "file_address_sign"},
		&f.Photo:             {"biometric", "picture", "data"},
		&f.CardData:          {"scard", "files", "file_datainfo"},
		&f.TokenInfo:         {"scard", "files", "file_tokeninfo"},
		&f.RRN:               {"cryptographic", "rrn", "certificate", "data"},
		&c.Challenge:         {"challenge_response", "challenge"},
		&c.Response:          {"challenge_response", "response"},
	})
	if err != nil {
		return nil, err
	}
	for i, e := range root.find("cryptographic", "certificates").children {
		der, err := e.find("data").base64()
		if err != nil {
			return nil, fmt.Errorf("certificate %d: %w", i+1, err)
		}
		if e.name == "certificate" && !c.setCertificate(e.find("label").string(), der) {
			c.note("certificate number %d has a label not known here and was left out", i+1)
		}
	}
	if err := c.readXML35Text(root.find("biographic")); err != nil {
		return nil, err
	}
	return c, nil
}

// readXML35Text reads what the file says in text. Without a name and a national number there it says nothing.
func (c *Card) readXML35Text(e *element) (err error) {
	id, card := e.find("document", "id"), e.find("document", "card")
	text := fields{}
	text.set(tagCardNumber, card.find("logical_nr").string())
	text.set(tagValidFrom, card.find("validity", "date_begin").string())
	text.set(tagValidUntil, card.find("validity", "date_end").string())
	text.set(tagDelivery, card.find("issuing_municipality").string())
	text.set(tagNationalNumber, id.find("national_nr").string())
	text.set(tagSurname, id.find("surname").string())
	text.set(tagGivenNames, id.find("name").string())
	text.set(tagNationality, id.find("nationality").string())
	text.set(tagBirthPlace, id.find("location_of_birth").string())
	text.set(tagBirth, id.find("date_of_birth").string())
	text.set(tagSex, id.find("gender").string())
	text.set(tagNobleCondition, id.find("nobility").string())
	text.set(tagDocumentType, documentCode(e.find("document", "type").string()))
	text.set(tagSpecialStatus, id.find("special_status").string())
	text.set(tagDuplicate, id.find("duplicata").string())
	text.set(tagSpecialOrg, id.find("special_organization").string())
	if isYes(id.find("member_of_family").string()) {
		text[tagMemberOfFamily] = ""
	}
	chip, err := hexBytes(card.find("chip_nr").string())
	if err != nil {
		return fmt.Errorf("chip number: %w", err)
	}
	text.set(tagChipNumber, chip)

	address := fields{}
	address.set(tagStreet, e.find("address", "street").string())
	address.set(tagZip, e.find("address", "zip").string())
	address.set(tagMunicipality, e.find("address", "municipality").string())
	return c.setText(text, address)
}

// setText takes the values that CSV and XML 3.5 give in text. They join the third initial to the given names, which cannot be undone.
func (c *Card) setText(text, address fields) (err error) {
	if text[tagNationalNumber] == "" && text[tagSurname] == "" && c.Files.Identity != nil {
		return nil
	}
	if c.Identity, err = text.identity(); err != nil {
		if c.Files.Identity != nil { // the raw file does without
			c.note("the values beside the raw files cannot be read and were ignored")
			return nil
		}
		return err
	}
	if c.Files.Identity == nil && c.Identity.GivenNames != "" {
		c.note("a third given name's initial, if any, stands at the end of the given names")
	}
	c.Address, err = address.address()
	return err
}

// readQuickKey reads the XML of the eID Quick-Key Toolset: the card's files as they are, signatures among them.
func readQuickKey(root *element) (*Card, error) {
	c := &Card{Format: FormatQuickKey}
	places := map[string]*[]byte{
		"tokeninfo":                 &c.Files.TokenInfo,
		"authenticationcertificate": &c.Files.Authentication,
		"nonrepudiationcertificate": &c.Files.Signature,
		"cacertificate":             &c.Files.CA,
		"rootcacertificate":         &c.Files.Root,
		"rrncertificate":            &c.Files.RRN,
		"identityfile":              &c.Files.Identity,
		"identityfilesignature":     &c.Files.IdentitySignature,
		"addressfile":               &c.Files.Address,
		"addressfilesignature":      &c.Files.AddressSignature,
		"photofile":                 &c.Files.Photo,
	}
	for _, directory := range root.children {
		for _, e := range directory.children {
			file := places[strings.ToLower(e.name)]
			if file == nil {
				continue
			}
			b, err := e.find("fileData").base64()
			if err != nil {
				return nil, fmt.Errorf("element %q: %w", e.name, err)
			}
			*file = b
		}
	}
	return c, nil
}

// documentCode is a document type as the card has it: the viewers of 2012 wrote one digit as two ("01").
func documentCode(s string) string {
	if len(s) == 2 && s[0] == '0' {
		return s[1:]
	}
	return s
}

func isYes(s string) bool { return s == "1" || strings.EqualFold(s, "true") }

func isSIS(cardType string) bool { return strings.EqualFold(strings.TrimSpace(cardType), "sis") }
