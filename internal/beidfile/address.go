package beidfile

import "fmt"

// Address is the content of file 4033, without padding. A field that is absent or empty is "".
type Address struct {
	StructureVersion []byte // tag 00, absent on the cards seen
	StreetAndNumber  string
	Zip              string
	Municipality     string
	Unknown          []Field
	Warnings         []string // English, without personal data
}

var addressTags = map[byte]string{0x00: "structure version", 0x01: "street and number", 0x02: "zip code", 0x03: "municipality"}

// ParseAddress reads file 4033 (facts 3.5). A file of zeros alone, of a card to which no address was written yet, is an empty
// address with warnings. It fails when the file is empty or cannot be split into fields (ErrTruncated, ErrTooLarge). The result
// shares no memory with b.
func ParseAddress(b []byte) (*Address, error) {
	if len(b) == 0 {
		return nil, fmt.Errorf("reading the address file: no bytes: %w", ErrTruncated)
	}
	f, err := readFields(b, addressTags)
	if err != nil {
		return nil, fmt.Errorf("reading the address file: %w", err)
	}
	f.expect(0x01, 0x02, 0x03)
	a := &Address{
		StructureVersion: f.binary(0x00, 2),
		StreetAndNumber:  f.text(0x01),
		Zip:              f.code(0x02),
		Municipality:     f.text(0x03),
		Unknown:          f.unknown,
	}
	a.Warnings = f.warnings
	return a, nil
}
