package sis

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/eidkit/eidkit/niss"
)

// ImageSize is the size of the whole memory of the card that is used, in bytes (facts sheet 11.2).
const ImageSize = 404

// Image is what a SIS card holds, taken apart. A field that the card has in a form that cannot be read is zero, and a warning
// says so. Nothing on the card is signed: everything could be changed by whoever has the card in a writer.
type Image struct {
	Raw []byte // all 404 bytes

	// Serial is the number of the chip, 11 bytes.
	Serial []byte

	// Number is the social security number as it stands on the card, 11 digits; NISS is it again, if its check digits are right,
	// else empty.
	Number string
	NISS   niss.Number

	Surname, FirstName, Initials string
	Sex                          niss.Sex
	Birth, Issued                niss.Date

	// LogicalNumber is the number of the card, and ValidFrom and ValidUntil are the first and the last day of its validity.
	LogicalNumber         uint32
	ValidFrom, ValidUntil niss.Date

	// Sealed is file 0010, the enciphered insurance data: see Module. Other is file 0043, whose use is not public. Both are without
	// the three bytes in front that name the file, and nil if they are not there.
	Sealed, Other []byte

	Warnings []Warning
}

// Files of the card.
const (
	fileInsurance = 0x0010
	fileCard      = 0x0011
	fileHolder    = 0x0012
	fileOther     = 0x0043
)

// layout is where files stand on every card that is known, with the three bytes in front.
var layout = map[uint16]struct{ at, length int }{
	fileCard: {60, 44}, fileHolder: {104, 100}, fileInsurance: {204, 92}, fileOther: {296, 108},
}

// The parts in front of the files (facts sheet 11.2).
var (
	reset     = []byte{0x92, 0x23, 0x10, 0x91}
	registrar = []byte{0xA0, 0x00, 0x00, 0x00, 0x33} // of the application identifier, at offset 21
)

const (
	registrarAt  = 21
	directoryAt  = 30
	directoryLen = 5
	entrySize    = 6
	filesAt      = 60
	fileVersion  = 2
)

// Parse takes an image of 404 bytes apart. What is odd but can be read is in the warnings. Errors: ErrNotSIS for something else than
// such an image, ErrDamaged if the card's or the holder's data cannot be found in it.
func Parse(raw []byte) (*Image, error) {
	if len(raw) != ImageSize {
		return nil, fmt.Errorf("%w: %d bytes instead of %d", ErrNotSIS, len(raw), ImageSize)
	}
	if !bytes.Equal(raw[registrarAt:registrarAt+len(registrar)], registrar) {
		return nil, fmt.Errorf("%w: another application identifier", ErrNotSIS)
	}
	im := &Image{Raw: bytes.Clone(raw)}
	im.Serial = im.Raw[6:17]
	im.header()
	at := im.directory()
	card, holder := im.file(at, fileCard), im.file(at, fileHolder)
	if card == nil || holder == nil {
		return nil, fmt.Errorf("%w: the files are not where they should be", ErrDamaged)
	}
	im.Sealed, im.Other = im.file(at, fileInsurance), im.file(at, fileOther)
	if im.Sealed == nil {
		im.warn(NoInsurance)
	}
	im.cardData(card)
	im.holderData(holder)
	im.compare(card, holder)
	return im, nil
}

// header looks at what is the same on every card.
func (im *Image) header() {
	if !bytes.Equal(im.Raw[:4], reset) {
		im.warn(HeaderOdd)
	}
	for _, tag := range []struct {
		at   int
		want []byte
	}{{4, []byte{0x46, 0x0B}}, {17, []byte{0x61, 0x29, 0x4F, 0x07}}, {26, []byte{0x01, 0x00, 0x53, 0x1E}}} {
		if !bytes.Equal(im.Raw[tag.at:tag.at+len(tag.want)], tag.want) {
			im.warn(HeaderOdd)
		}
	}
}

// directory returns where the directory says that files stand. What is out of bounds, stands twice or overlaps is left out.
func (im *Image) directory() map[uint16]int {
	at := map[uint16]int{}
	used := make([]bool, ImageSize)
	ended := false
	for i := range directoryLen {
		e := im.Raw[directoryAt+i*entrySize:][:entrySize]
		id, offset, length := binary.BigEndian.Uint16(e), int(binary.BigEndian.Uint16(e[2:])), int(binary.BigEndian.Uint16(e[4:]))
		if id == 0 && offset == 0 && length == 0 {
			ended = true
			continue
		}
		known, ok := layout[id]
		if _, twice := at[id]; ended || twice || offset < filesAt || length < 3 || offset+length > ImageSize ||
			ok && length != known.length || overlaps(used, offset, length) {
			im.warn(DirectoryOdd)
			continue
		}
		if !ok || offset != known.at {
			im.warn(DirectoryOdd)
		}
		at[id] = offset
	}
	for _, id := range []uint16{fileInsurance, fileCard, fileHolder} {
		if _, ok := at[id]; !ok {
			im.warn(DirectoryOdd)
		}
	}
	return at
}

// overlaps marks a part as used, and tells whether some of it was.
func overlaps(used []bool, offset, length int) (before bool) {
	for i := offset; i < offset+length; i++ {
		before = before || used[i]
		used[i] = true
	}
	return before
}

// file returns the content of a file: where the directory has it if its number stands there, else at its usual place; nil if neither.
func (im *Image) file(at map[uint16]int, id uint16) []byte {
	places := []int{layout[id].at}
	if named, ok := at[id]; ok && named != layout[id].at {
		places = []int{named, layout[id].at}
	}
	for i, offset := range places {
		head := im.Raw[offset : offset+3]
		if offset+layout[id].length > ImageSize || binary.BigEndian.Uint16(head) != id {
			im.warn(DirectoryOdd)
			continue
		}
		if head[2] != fileVersion {
			im.warn(VersionUnknown)
		}
		if i > 0 {
			im.warn(DirectoryOdd)
		}
		return im.Raw[offset+3 : offset+layout[id].length]
	}
	return nil
}
