package sis

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"

	"golang.org/x/text/encoding/charmap"
)

// Data is what a card says. Dates are YYYYMMDD.
type Data struct {
	Serial                       string // 22 hexadecimal digits
	Number                       string // 11 digits
	Surname, FirstName, Initials string
	Sex                          byte // '1' male, '2' female
	Birth, Issued                string
	LogicalNumber                uint32
	ValidFrom, ValidUntil        string
	Insurance                    Insurance
}

// Encode makes the 404 bytes of a card (facts sheet 11.2). It panics on data that do not fit: they are the program's own.
func Encode(d Data) []byte {
	b := append([]byte{0x92, 0x23, 0x10, 0x91, 0x46, 0x0B}, fromHex(d.Serial, 11)...)
	b = append(b, 0x61, 0x29, 0x4F, 0x07, 0xA0, 0, 0, 0, 0x33, 0x01, 0, 0x53, 0x1E)
	for _, e := range [5][3]uint16{{0x0010, 204, 92}, {0x0011, 60, 44}, {0x0012, 104, 100}} {
		for _, v := range e {
			b = binary.BigEndian.AppendUint16(b, v)
		}
	}
	b = append(b, 0x00, 0x11, 0x02)
	b = append(append(b, fromHex("0"+d.Number, 6)...), fromHex(d.Issued, 4)...)
	b = append(b, "SISBEL-"...)
	b = binary.BigEndian.AppendUint32(b, d.LogicalNumber)
	b = append(append(b, fromHex(d.ValidFrom, 4)...), fromHex(d.ValidUntil, 4)...)
	b = append(b, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x80)
	b = append(b, digest("card", b[60:])[:4]...)
	holder := len(b)
	b = append(b, 0x00, 0x12, 0x02)
	b = append(append(b, fromHex("0"+d.Number, 6)...), fromHex(d.Issued, 4)...)
	b = append(append(append(b, text(d.Surname, 48)...), text(d.FirstName, 24)...), text(d.Initials, 1)...)
	b = append(append(b, d.Sex), fromHex(d.Birth, 4)...)
	b = append(b, 0xFF, 0xFF, 0xFF, 0xFF, 0x40)
	b = append(b, digest("holder", b[holder:])[:4]...)
	zone, keys := seal(b[6:17], d.Insurance)
	b = append(append(b, 0x00, 0x10, 0x02), zone...)
	b = append(append(b, 0x00, 0x43, 0x02), keys...)
	if len(b) != 404 {
		panic(fmt.Sprintf("sis: an image of %d bytes", len(b)))
	}
	return b
}

func fromHex(s string, n int) []byte {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != n {
		panic(fmt.Sprintf("sis: %q is not %d bytes", s, n))
	}
	return b
}

// text is code page 850, padded with blanks.
func text(s string, n int) []byte {
	b, err := charmap.CodePage850.NewEncoder().Bytes([]byte(s))
	if err != nil || len(b) > n {
		panic(fmt.Sprintf("sis: %q does not fit", s))
	}
	return append(b, bytes.Repeat([]byte{' '}, n-len(b))...)
}
