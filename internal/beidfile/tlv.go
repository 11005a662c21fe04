package beidfile

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
)

// Why a file cannot be read.
var (
	ErrTruncated = errors.New("file ends inside a field")
	ErrTooLarge  = errors.New("file larger than 64 KiB")
	ErrMissing   = errors.New("mandatory field missing")
	ErrMalformed = errors.New("malformed")
)

// maxFile bounds every parsed file; a short-APDU READ BINARY reaches 32 KiB.
const maxFile = 64 << 10

// Field is one tag and its value as they stand in the file.
type Field struct {
	Tag   byte
	Value []byte
}

// parseTLV splits a card file (facts 3.1): a tag byte, a length, the value. Lengths from 255 on are FF bytes, each worth 255, and
// one last byte below FF. Tag 00 is a field at the very start only; later it begins the zero filler, returned as rest. Values are
// views of b.
func parseTLV(b []byte) (fields []Field, rest []byte, err error) {
	if len(b) > maxFile {
		return nil, nil, ErrTooLarge
	}
	for first := true; len(b) > 0; first = false {
		tag := b[0]
		if tag == 0 && !first {
			return fields, b, nil
		}
		n, size, ok := tlvLength(b[1:])
		if !ok || n > len(b)-1-size {
			return nil, nil, fmt.Errorf("tag %02X: %w", tag, ErrTruncated)
		}
		start := 1 + size
		fields = append(fields, Field{tag, b[start : start+n : start+n]})
		b = b[start+n:]
	}
	return fields, nil, nil
}

// tlvLength reads a length: its value, and how many bytes it takes.
func tlvLength(b []byte) (n, size int, ok bool) {
	for i, c := range b {
		n += int(c)
		if c != 0xFF {
			return n, i + 1, true
		}
	}
	return 0, 0, false
}

// fieldSet is a parsed file while its values are being picked out.
type fieldSet struct {
	values   map[byte][]byte
	names    map[byte]string // known tags
	unknown  []Field
	warnings []string
}

// readFields parses a copy of b and sorts its fields into known and unknown. Of a tag that comes twice the first is kept.
func readFields(b []byte, names map[byte]string) (*fieldSet, error) {
	fields, rest, err := parseTLV(bytes.Clone(b))
	if err != nil {
		return nil, err
	}
	f := &fieldSet{values: map[byte][]byte{}, names: names}
	warned := map[byte]bool{} // bounds the warnings of a hostile file
	for _, field := range fields {
		if f.has(field.Tag) {
			if !warned[field.Tag] {
				f.warn(field.Tag, "comes more than once; the first is kept")
			}
			warned[field.Tag] = true
			continue
		}
		f.values[field.Tag] = field.Value
		if _, known := names[field.Tag]; !known {
			f.unknown = append(f.unknown, field)
		}
	}
	if len(bytes.Trim(rest, "\x00")) > 0 {
		f.warnings = append(f.warnings, "there is data in the filler after the last field")
	}
	return f, nil
}

// warn notes something odd about a field. Warnings never repeat the value: it is personal.
func (f *fieldSet) warn(tag byte, what string) {
	name := f.names[tag]
	if name == "" {
		name = "unknown field"
	}
	f.warnings = append(f.warnings, fmt.Sprintf("%s (tag %02X) %s", name, tag, what))
}

// has tells whether the tag is in the file, empty or not.
func (f *fieldSet) has(tag byte) bool {
	_, ok := f.values[tag]
	return ok
}

// require fails unless all tags are in the file.
func (f *fieldSet) require(tags ...byte) error {
	for _, tag := range tags {
		if !f.has(tag) {
			return fmt.Errorf("%s (tag %02X): %w", f.names[tag], tag, ErrMissing)
		}
	}
	return nil
}

// expect warns about the tags that are not in the file.
func (f *fieldSet) expect(tags ...byte) {
	for _, tag := range tags {
		if !f.has(tag) {
			f.warn(tag, "is missing")
		}
	}
}

// binary is the value as it stands, nil if absent or empty, with a warning if its length is none of those given.
func (f *fieldSet) binary(tag byte, lengths ...int) []byte {
	value := f.values[tag]
	if len(value) == 0 {
		return nil
	}
	if !slices.Contains(lengths, len(value)) {
		f.warn(tag, fmt.Sprintf("has an odd length, %d bytes", len(value)))
	}
	return value
}
