package testcards

import (
	"crypto/sha512"
	"fmt"
	"slices"
	"strings"
)

// identity makes file 4031. Tags 01 to 11 are on every card, in this order; the rest on cards that have a use for them
// (sheet 3.2).
func (z *personaliser) identity() []byte {
	p := z.person
	number := citizenCardNumber(z.random)
	if z.spec.foreignAuthority() {
		number = foreignerCardNumber(z.random)
	}
	var b []byte
	text := func(tag byte, value string) { b = appendTLV(b, tag, []byte(value)) }
	text(0x01, number)
	b = appendTLV(b, 0x02, z.card.data[:16])
	text(0x03, day(z.from))
	text(0x04, day(z.until))
	text(0x05, p.town)
	text(0x06, p.nationalNumber)
	text(0x07, p.surname)
	text(0x08, p.givenNames)
	text(0x09, p.third)
	text(0x0A, p.nationality)
	text(0x0B, p.birthPlace)
	text(0x0C, p.birthText())
	text(0x0D, p.sex())
	text(0x0E, p.noble)
	text(0x0F, z.spec.documentType)
	text(0x10, "0")
	b = appendTLV(b, 0x11, z.photoHash())
	if z.spec.foreignAuthority() {
		b = append(b, z.foreignerRecords()...)
	}
	if z.spec.applet.cardKey {
		sum := sha512.Sum384(z.files[0x4040])
		b = appendTLV(b, 0x1A, sum[:])
	}
	if z.spec.foreignAuthority() {
		b = append(b, z.mentions()...)
	}
	if z.spec.unknownTag {
		text(0x20, strings.Repeat("future ", 43)[:300])
	}
	return b
}

// in says whether the document type is one of these.
func (z *personaliser) in(types ...string) bool { return slices.Contains(types, z.spec.documentType) }

// foreignerRecords are tags 12 to 19.
func (z *personaliser) foreignerRecords() []byte {
	var b []byte
	text := func(tag byte, value string) { b = appendTLV(b, tag, []byte(value)) }
	text(0x12, fmt.Sprintf("%02d", z.random.IntN(3)))
	if z.in("19") {
		text(0x13, "4") // was a blue card
	}
	if z.in("17", "18", "35", "36", "67", "68") { // F and F+: of a citizen's family; presence says it
		text(0x14, "")
	}
	if z.in("12", "34") {
		text(0x15, day(z.from.AddDate(-1, 0, 0))+"-BE")
	}
	switch {
	case z.in("11", "33"):
		text(0x16, "8") // limited to an employer
		text(0x17, enterpriseNumber(z.random.IntN(1_000_000)))
		text(0x18, enterpriseNumber(z.random.IntN(1_000_000)))
		text(0x19, fmt.Sprintf("2023/%013d", z.random.IntN(1_000_000)))
	case z.in("12", "13", "14", "34"):
		text(0x16, "7") // unlimited
	case z.in("20", "21"):
		text(0x16, "8")
	}
	return b
}

// mentions are tags 1B to 1F.
func (z *personaliser) mentions() []byte {
	var b []byte
	text := func(tag byte, value string) { b = appendTLV(b, tag, []byte(value)) }
	if z.in("22", "23", "69") {
		text(0x1B, "B")
	}
	if z.in("22") {
		text(0x1C, "C")
	}
	if z.in("11", "33", "63") {
		text(0x1D, "D")
		text(0x1E, "K")
	}
	if z.in("31", "32", "61", "62") {
		text(0x1F, day(z.from.AddDate(-2, 0, 0)))
	}
	return b
}

// enterpriseNumber is a VAT number that is given out to nobody: 08 and 09 numbers of this form do not begin with 0999.
func enterpriseNumber(n int) string {
	eight := fmt.Sprintf("0999%04d", n%10_000)
	ten := eight + fmt.Sprintf("%02d", 97-decimalMod97(eight))
	return ten[:4] + "." + ten[4:7] + "." + ten[7:]
}

// addressLength is that of file 4033; the rest is zeros (sheet 3.5).
const addressLength = 117

func (z *personaliser) address() []byte {
	b := appendTLV(nil, 0x01, []byte(z.person.street))
	b = appendTLV(b, 0x02, []byte(z.person.zip))
	b = appendTLV(b, 0x03, []byte(z.person.town))
	return append(b, make([]byte, max(0, addressLength-len(b)))...)
}
