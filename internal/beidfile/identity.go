package beidfile

import "fmt"

// Identity is the content of file 4031. Text is as on the card, in the card's language, without padding; a field that is absent or
// empty is "" or nil. Codes keep the card's form: see DocumentType, SpecialStatus and [CodeLabel] for their meaning.
type Identity struct {
	StructureVersion               []byte // tag 00, absent on the cards seen
	CardNumber                     string // 12 digits, B and 9 digits, or 9 digits; not checked: see package niss
	ChipNumber                     []byte // 16 bytes
	ValidFrom, ValidUntil          Date
	DeliveryMunicipality           string
	NationalNumber                 string // 11 digits; not checked: see package niss
	Surname                        string
	GivenNames                     string // the first two
	ThirdInitial                   string
	Nationality                    string
	BirthPlace                     string
	Birth                          Date   // Day, or Day and Month, 0 when unknown
	BirthText                      string // as on the card
	Sex                            Sex
	NobleCondition                 string
	DocumentType                   DocumentType
	SpecialStatus                  SpecialStatus
	PhotoHash                      []byte // SHA-1, SHA-256 or SHA-384 by its length: 20, 32 or 48
	Duplicate                      string // two digits, foreigner cards
	SpecialOrganisation            string // code
	MemberOfFamily                 bool   // of an EU citizen
	ProtectionDateCountry          string // DD.MM.YYYY-CC
	WorkPermit                     string // code
	EmployerVAT1, EmployerVAT2     string
	RegionalFile                   string
	BasicKeyHash                   []byte // SHA-384 of file 4040, applet 1.8
	BrexitMention1, BrexitMention2 string // codes
	CardAMention1, CardAMention2   string // codes
	EUStart                        Date   // EU and EU+ cards
	Unknown                        []Field
	Warnings                       []string // English, without personal data
}

// Sex is the sex as printed on the card, whatever the language of the letter there.
type Sex string

// The values of Sex.
const (
	SexUnknown Sex = ""
	Male       Sex = "M"
	Female     Sex = "F" // F, V or W on the card
)

// identityTags are the fields of facts 3.2, by the names used in warnings.
var identityTags = map[byte]string{
	0x00: "structure version", 0x01: "card number", 0x02: "chip number", 0x03: "start of validity", 0x04: "end of validity",
	0x05: "municipality of issue", 0x06: "national number", 0x07: "name", 0x08: "given names", 0x09: "third initial",
	0x0A: "nationality", 0x0B: "birth place", 0x0C: "birth date", 0x0D: "sex", 0x0E: "noble condition", 0x0F: "document type",
	0x10: "special status", 0x11: "photo hash", 0x12: "duplicate", 0x13: "special organisation", 0x14: "member of family",
	0x15: "protection date and country", 0x16: "work permit", 0x17: "employer VAT 1", 0x18: "employer VAT 2",
	0x19: "regional file number", 0x1A: "basic key hash", 0x1B: "brexit mention 1", 0x1C: "brexit mention 2",
	0x1D: "card A mention 1", 0x1E: "card A mention 2", 0x1F: "EU start date",
}

// ParseIdentity reads file 4031 (facts 3.1 to 3.3). Unknown tags are kept; odd values become warnings. It fails only when the file
// cannot be split into fields (ErrTruncated, ErrTooLarge) or has no card number, national number or name (ErrMissing). The result
// shares no memory with b.
func ParseIdentity(b []byte) (*Identity, error) {
	f, err := readFields(b, identityTags)
	if err != nil {
		return nil, fmt.Errorf("reading the identity file: %w", err)
	}
	if err := f.require(0x01, 0x06, 0x07); err != nil {
		return nil, fmt.Errorf("reading the identity file: %w", err)
	}
	f.expect(0x02, 0x03, 0x04, 0x05, 0x0A, 0x0B, 0x0C, 0x0D, 0x0F, 0x11)
	id := &Identity{
		StructureVersion: f.binary(0x00, 2),
		CardNumber:       f.code(0x01), ChipNumber: f.binary(0x02, 16),
		ValidFrom: f.day(0x03), ValidUntil: f.day(0x04), DeliveryMunicipality: f.text(0x05),
		NationalNumber: f.code(0x06),
		Surname:        f.text(0x07), GivenNames: f.text(0x08), ThirdInitial: f.text(0x09),
		Nationality: f.text(0x0A), BirthPlace: f.text(0x0B), BirthText: f.text(0x0C), Sex: f.sex(0x0D), NobleCondition: f.text(0x0E),
		DocumentType: DocumentType(f.code(0x0F)), SpecialStatus: SpecialStatus(f.code(0x10)), PhotoHash: f.binary(0x11, 20, 32, 48),
		Duplicate: f.code(0x12), SpecialOrganisation: f.code(0x13), MemberOfFamily: f.has(0x14), ProtectionDateCountry: f.code(0x15),
		WorkPermit: f.code(0x16), EmployerVAT1: f.code(0x17), EmployerVAT2: f.code(0x18), RegionalFile: f.code(0x19),
		BasicKeyHash:   f.binary(0x1A, 48),
		BrexitMention1: f.code(0x1B), BrexitMention2: f.code(0x1C), CardAMention1: f.code(0x1D), CardAMention2: f.code(0x1E),
		EUStart: f.day(0x1F),
		Unknown: f.unknown,
	}
	id.check(f)
	id.Warnings = f.warnings
	return id, nil
}

// check adds the birth date and warns about numbers and codes that have a shape nobody knows.
func (id *Identity) check(f *fieldSet) {
	if id.BirthText != "" {
		var ok bool
		if id.Birth, ok = parseBirth(id.BirthText); !ok {
			f.warn(0x0C, "is not in a known form")
		}
	}
	if !cardNumberShape(id.CardNumber) {
		f.warn(0x01, "is not 12 digits, B and 9 digits, or 9 digits")
	}
	if _, ok := digits(id.NationalNumber); !ok || len(id.NationalNumber) != 11 {
		f.warn(0x06, "is not 11 digits")
	}
	if id.Surname == "" {
		f.warn(0x07, "is empty")
	}
	if f.has(0x0F) && !id.DocumentType.known() {
		f.warn(0x0F, "is a code not known here")
	}
	if !id.SpecialStatus.known() {
		f.warn(0x10, "is a code not known here")
	}
}

func cardNumberShape(s string) bool {
	if len(s) == 10 && s[0] == 'B' {
		s = s[1:]
	} else if len(s) == 10 {
		return false
	}
	_, ok := digits(s)
	return ok && (len(s) == 9 || len(s) == 12)
}

// sex reads M, or the letter for female in French, Dutch or German.
func (f *fieldSet) sex(tag byte) Sex {
	switch f.code(tag) {
	case "M":
		return Male
	case "F", "V", "W":
		return Female
	}
	if f.has(tag) {
		f.warn(tag, "is a letter not known here")
	}
	return SexUnknown
}
