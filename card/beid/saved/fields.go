package saved

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/eidkit/eidkit/internal/beidfile"
)

// fields are values that come from a form without raw files, by the tag they have on the card and in the card's own shape. They go
// through the parser of the card's files, so that every form gets the same limits, the same cleaning of text and the same warnings.
type fields map[byte]string

// Tags of the identity file (facts 3.2) and of the address file (3.5).
const (
	tagStructure, tagCardNumber, tagChipNumber, tagValidFrom, tagValidUntil      = 0x00, 0x01, 0x02, 0x03, 0x04
	tagDelivery, tagNationalNumber, tagSurname, tagGivenNames, tagThirdInitial   = 0x05, 0x06, 0x07, 0x08, 0x09
	tagNationality, tagBirthPlace, tagBirth, tagSex, tagNobleCondition           = 0x0A, 0x0B, 0x0C, 0x0D, 0x0E
	tagDocumentType, tagSpecialStatus, tagPhotoHash, tagDuplicate, tagSpecialOrg = 0x0F, 0x10, 0x11, 0x12, 0x13
	tagMemberOfFamily, tagProtection, tagWorkPermit, tagVAT1, tagVAT2            = 0x14, 0x15, 0x16, 0x17, 0x18
	tagRegionalFile, tagBasicKeyHash, tagBrexit1, tagBrexit2, tagCardA1          = 0x19, 0x1A, 0x1B, 0x1C, 0x1D
	tagCardA2, tagEUStart                                                        = 0x1E, 0x1F

	tagStreet, tagZip, tagMunicipality = 0x01, 0x02, 0x03
)

// set gives a tag a value unless the value is empty.
func (f fields) set(tag byte, value string) {
	if value != "" {
		f[tag] = value
	}
}

// identity builds the identity. A form has no photo hash or chip number of its own accord, so their absence is no warning.
func (f fields) identity() (*beidfile.Identity, error) {
	for _, tag := range []byte{tagChipNumber, tagValidFrom, tagValidUntil, tagDelivery, tagNationality, tagBirthPlace, tagBirth, tagPhotoHash} {
		if _, ok := f[tag]; !ok {
			f[tag] = ""
		}
	}
	id, err := beidfile.ParseIdentity(f.bytes())
	if err != nil {
		return nil, err
	}
	id.StructureVersion, id.ChipNumber = nilIfEmpty(id.StructureVersion), nilIfEmpty(id.ChipNumber)
	id.PhotoHash, id.BasicKeyHash = nilIfEmpty(id.PhotoHash), nilIfEmpty(id.BasicKeyHash)
	return id, nil
}

// address builds the address; nil if there is nothing of one.
func (f fields) address() (*beidfile.Address, error) {
	if len(f) == 0 {
		return nil, nil
	}
	for _, tag := range []byte{tagStreet, tagZip, tagMunicipality} {
		if _, ok := f[tag]; !ok {
			f[tag] = ""
		}
	}
	return beidfile.ParseAddress(f.bytes())
}

// bytes codes the fields as a card file, in the order of their tags (facts 3.1).
func (f fields) bytes() []byte {
	tags := make([]byte, 0, len(f))
	for tag := range f {
		tags = append(tags, tag)
	}
	slices.Sort(tags)
	var b []byte
	for _, tag := range tags {
		value := f[tag]
		b = append(b, tag)
		n := len(value)
		for ; n >= 0xFF; n -= 0xFF {
			b = append(b, 0xFF)
		}
		b = append(b, byte(n))
		b = append(b, value...)
	}
	return b
}

func nilIfEmpty(b []byte) []byte {
	if len(b) == 0 {
		return nil
	}
	return b
}

// dayFromParts gives the card's DD.MM.YYYY for a date with year, month and day as digits in a row ("20240131") or with dashes
// ("2024-01-31"); anything else as it stands, for the parser to warn about.
func dayFromParts(s string) string {
	year, month, day, ok := splitDate(s)
	if !ok {
		return s
	}
	return day + "." + month + "." + year
}

// birthFromParts gives a birth date as the card prints it, in Dutch: "31 JAN 1971", "00 JAN 1971" without a day, "1971" without a
// month either.
func birthFromParts(s string) string {
	year, month, day, ok := splitDate(s)
	if !ok {
		return s
	}
	if month == "00" && day == "00" {
		return year
	}
	n := int(month[0]-'0')*10 + int(month[1]-'0')
	if n < 1 || n > 12 {
		return s
	}
	return day + " " + monthNames[n-1] + " " + year
}

var monthNames = [12]string{"JAN", "FEB", "MAAR", "APR", "MEI", "JUN", "JUL", "AUG", "SEP", "OKT", "NOV", "DEC"}

// birthText is a birth date for the forms that keep it as text: the card's own text if known.
func birthText(id *beidfile.Identity) string {
	if id.BirthText != "" || id.Birth.IsZero() {
		return id.BirthText
	}
	return birthFromParts(id.Birth.String())
}

func splitDate(s string) (year, month, day string, ok bool) {
	if len(s) == 10 && s[4] == '-' && s[7] == '-' {
		s = s[:4] + s[5:7] + s[8:]
	}
	if len(s) != 8 || strings.Trim(s, "0123456789") != "" {
		return "", "", "", false
	}
	return s[:4], s[4:6], s[6:], true
}

// compactDate is a date as YYYYMMDD; "" for the zero Date.
func compactDate(d beidfile.Date) string { return strings.ReplaceAll(d.String(), "-", "") }

// cardDate is a date as DD.MM.YYYY; "" for the zero Date.
func cardDate(d beidfile.Date) string { return dayFromParts(d.String()) }

// hexBytes reads a number in hexadecimal, as a card field.
func hexBytes(s string) (string, error) {
	b, err := hex.DecodeString(strings.TrimSpace(s))
	if err != nil {
		return "", fmt.Errorf("not hexadecimal: %w", ErrMalformed)
	}
	return string(b), nil
}

func upperHex(b []byte) string { return fmt.Sprintf("%X", b) }
