package sis

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/encoding/charmap"

	"github.com/eidkit/eidkit/niss"
)

// Offsets within the files, behind the three bytes that name each (facts sheet 11.2, less 63 and 107).
const (
	cardNumber, cardIssued, cardMark, cardLogical, cardFrom, cardUntil, cardFiller, cardCheck = 0, 6, 10, 17, 21, 25, 29, 36

	holderNumber, holderIssued, holderSurname, holderFirst, holderInitials, holderSex, holderBirth, holderFiller, holderCheck = 0, 6, 10, 58, 82, 83, 84, 88, 92
)

// ValidOn tells whether the card itself was valid on a day. That says nothing about insurance: see the package comment.
func (im *Image) ValidOn(day niss.Date) bool {
	return im.ValidFrom != (niss.Date{}) && im.ValidUntil != (niss.Date{}) && !day.Before(im.ValidFrom) && !im.ValidUntil.Before(day)
}

// cardData reads file 0011.
func (im *Image) cardData(f []byte) {
	if !bytes.Equal(f[cardMark:cardLogical], []byte("SISBEL-")) || !filler(f[cardFiller:cardCheck]) || f[cardCheck] != 0x80 {
		im.warn(FillerOdd)
	}
	im.LogicalNumber = binary.BigEndian.Uint32(f[cardLogical:])
	im.ValidFrom, im.ValidUntil = im.date(f[cardFrom:]), im.date(f[cardUntil:])
	if im.ValidUntil.Before(im.ValidFrom) && im.ValidUntil != (niss.Date{}) {
		im.warn(ValidityOdd)
	}
}

// holderData reads file 0012.
func (im *Image) holderData(f []byte) {
	if !filler(f[holderFiller:holderCheck]) || f[holderCheck] != 0x40 {
		im.warn(FillerOdd)
	}
	im.Number = im.digits(f[holderNumber:holderIssued])
	if n, err := niss.Parse(im.Number); err == nil {
		im.NISS = n
	} else {
		im.warn(NumberWrong)
	}
	im.Issued, im.Birth = im.date(f[holderIssued:]), im.date(f[holderBirth:])
	im.Surname, im.FirstName = im.name(f[holderSurname:holderFirst]), im.name(f[holderFirst:holderInitials])
	im.Initials = im.name(f[holderInitials:holderSex])
	if im.Surname == "" {
		im.warn(NameOdd)
	}
	switch f[holderSex] {
	case '1':
		im.Sex = niss.Male
	case '2':
		im.Sex = niss.Female
	default:
		im.warn(SexUnknown)
	}
}

// compare holds against each other what the card has twice or says in two ways.
func (im *Image) compare(card, holder []byte) {
	if !bytes.Equal(card[cardNumber:cardIssued], holder[holderNumber:holderIssued]) {
		im.warn(CopiesDiffer)
	}
	if !bytes.Equal(card[cardIssued:cardMark], holder[holderIssued:holderSurname]) {
		im.warn(CopiesDiffer)
	}
	if im.NISS == "" {
		return
	}
	if sex := im.NISS.Sex(); sex != niss.Unknown && im.Sex != niss.Unknown && sex != im.Sex {
		im.warn(NumberDiffers)
	}
	b := im.NISS.Birth()
	if im.Birth != (niss.Date{}) && (b.Year != 0 && b.Year != im.Birth.Year || b.Month != 0 && b.Month != im.Birth.Month || b.Day != 0 && b.Day != im.Birth.Day) {
		im.warn(NumberDiffers)
	}
}

// digits reads a number of 11 digits in 12 nibbles, the first of which is 0; empty if it is none.
func (im *Image) digits(b []byte) string {
	s := fmt.Sprintf("%x", b)
	if s[0] != '0' || strings.Trim(s, "0123456789") != "" {
		im.warn(NumberWrong)
		return ""
	}
	return s[1:]
}

// date reads YYYYMMDD in four bytes. A day that is in no calendar is no date, with a warning.
func (im *Image) date(b []byte) niss.Date {
	t, err := time.Parse("20060102", fmt.Sprintf("%x", b[:4]))
	if err != nil || t.Year() < 1800 {
		im.warn(DateWrong)
		return niss.Date{}
	}
	return niss.Date{Year: t.Year(), Month: int(t.Month()), Day: t.Day()}
}

// name reads text of code page 850, padded with blanks.
func (im *Image) name(b []byte) string {
	var s strings.Builder
	for _, c := range bytes.TrimRight(b, " ") {
		r := charmap.CodePage850.DecodeByte(c)
		if !unicode.IsLetter(r) && !strings.ContainsRune(" '-.", r) {
			im.warn(NameOdd)
			r = unicode.ReplacementChar
		}
		s.WriteRune(r)
	}
	if name := s.String(); name != strings.TrimSpace(name) || strings.Contains(name, "  ") {
		im.warn(NameOdd)
	}
	return strings.TrimSpace(s.String())
}

func filler(b []byte) bool { return bytes.Count(b, []byte{0xFF}) == len(b) }
