package saved

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Places of the CSV form, version 1 (facts 10.2). 31 is the photo's hash in base64; 32 to 46 repeat what 47 and 48 hold.
const (
	csvVersion, csvCardType, csvFileVersion, csvDocumentType, csvGivenNames            = 0, 1, 2, 3, 4
	csvSurname, csvSex, csvBirth, csvBirthPlace, csvNobleCondition                     = 5, 6, 7, 8, 9
	csvNationality, csvNationalNumber, csvDuplicate, csvSpecialOrg, csvMemberOfFamily  = 10, 11, 12, 13, 14
	csvSpecialStatus, csvCardNumber, csvChipNumber, csvValidFrom, csvValidUntil        = 15, 16, 17, 18, 19
	csvDelivery, csvAddressVersion, csvStreet, csvZip, csvMunicipality, csvCountry     = 20, 21, 22, 23, 24, 25
	csvIdentity, csvIdentitySignature, csvAddress, csvAddressSignature, csvPhoto       = 26, 27, 28, 29, 30
	csvPhotoHash, csvCardData, csvTokenInfo, csvChallenge, csvResponse                 = 31, 47, 48, 49, 50
	csvRRNLabel, csvRRNOwner, csvRRN, csvRRNDirectory, csvCertificates, csvCertificate = 51, 52, 53, 54, 55, 56

	csvPerCertificate = 4 // label, owner, DER, directory entry
)

// maxCSVFields bounds the line: a full card has fewer than 100.
const maxCSVFields = 1000

// readCSV reads the CSV form: one line, separated by semicolons, without quotes.
func readCSV(b []byte) (*Card, error) {
	line, rest, _ := bytes.Cut(bytes.TrimPrefix(b, byteOrderMark), []byte("\n"))
	if bytes.Count(line, []byte(";")) > maxCSVFields {
		return nil, fmt.Errorf("more than %d fields: %w", maxCSVFields, ErrMalformed)
	}
	row := csvRow(strings.Split(string(line), ";"))
	switch kind := strings.ToLower(row.at(csvCardType)); {
	case isSIS(kind):
		return nil, ErrSIS
	case !slices.Contains([]string{"eid", "kids", "foreigner"}, kind):
		return nil, ErrUnknownForm
	}
	c := &Card{Format: FormatCSV, Version: formVersion(row.at(csvVersion))}
	if len(bytes.TrimSpace(rest)) > 0 {
		c.note("what follows the first line was ignored")
	}
	f := &c.Files
	for _, file := range []struct {
		place int
		to    *[]byte
	}{
		{csvIdentity, &f.Identity}, {csvIdentitySignature, &f.IdentitySignature}, {csvAddress, &f.Address},
		{csvAddressSignature, &f.AddressSignature}, {csvPhoto, &f.Photo}, {csvCardData, &f.CardData}, {csvTokenInfo, &f.TokenInfo},
		{csvChallenge, &c.Challenge}, {csvResponse, &c.Response}, {csvRRN, &f.RRN},
	} {
		var err error
		if *file.to, err = decodeBase64(row.at(file.place)); err != nil {
			return nil, fmt.Errorf("field %d: %w", file.place, err)
		}
	}
	if err := c.readCSVCertificates(row); err != nil {
		return nil, err
	}
	if err := c.readCSVText(row); err != nil {
		return nil, err
	}
	return c, nil
}

func (c *Card) readCSVCertificates(row csvRow) error {
	if row.at(csvCertificates) == "" {
		return nil
	}
	count, err := strconv.Atoi(row.at(csvCertificates))
	if err != nil || count < 0 || count > maxEntries {
		return fmt.Errorf("count of certificates: %w", ErrMalformed)
	}
	for i := range count {
		place := csvCertificate + i*csvPerCertificate
		der, err := decodeBase64(row.at(place + 2))
		if err != nil {
			return fmt.Errorf("field %d: %w", place+2, err)
		}
		if !c.setCertificate(row.at(place), der) {
			c.note("certificate number %d has a label not known here and was left out", i+1)
		}
	}
	return nil
}

func (c *Card) readCSVText(row csvRow) error {
	text := fields{}
	for place, tag := range map[int]byte{
		csvGivenNames: tagGivenNames, csvSurname: tagSurname, csvSex: tagSex, csvBirth: tagBirth, csvBirthPlace: tagBirthPlace,
		csvNobleCondition: tagNobleCondition, csvNationality: tagNationality, csvNationalNumber: tagNationalNumber,
		csvDuplicate: tagDuplicate, csvSpecialOrg: tagSpecialOrg, csvSpecialStatus: tagSpecialStatus, csvCardNumber: tagCardNumber,
		csvValidFrom: tagValidFrom, csvValidUntil: tagValidUntil, csvDelivery: tagDelivery,
	} {
		text.set(tag, row.at(place))
	}
	text.set(tagDocumentType, documentCode(row.at(csvDocumentType)))
	if isYes(row.at(csvMemberOfFamily)) {
		text[tagMemberOfFamily] = ""
	}
	chip, err := hexBytes(row.at(csvChipNumber))
	if err != nil {
		return fmt.Errorf("chip number: %w", err)
	}
	text.set(tagChipNumber, chip)
	hash, err := decodeBase64(row.at(csvPhotoHash))
	if err != nil {
		return fmt.Errorf("field %d: %w", csvPhotoHash, err)
	}
	text.set(tagPhotoHash, string(hash))

	address := fields{}
	address.set(tagStreet, row.at(csvStreet))
	address.set(tagZip, row.at(csvZip))
	address.set(tagMunicipality, row.at(csvMunicipality))
	return c.setText(text, address)
}

// csvRow is the line, split.
type csvRow []string

// at is the field at a place, without white space around it and without the apostrophe of a guarded value; "" beyond the end.
func (r csvRow) at(place int) string {
	if place >= len(r) {
		return ""
	}
	s := strings.TrimSpace(r[place])
	if strings.HasPrefix(s, "'") && looksLikeFormula(s) {
		return s[1:]
	}
	return s
}

// looksLikeFormula tells whether a spreadsheet would take a value for a formula, apostrophes before it left aside.
func looksLikeFormula(s string) bool {
	first, _ := utf8.DecodeRuneInString(strings.TrimLeft(s, "'"))
	return strings.ContainsRune("=+-@＝＋－＠", first) // the wide ones count in Japanese settings
}
