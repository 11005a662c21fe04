package pdf

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Object is a value: nil (null), bool, int64, float64, String, Name, Array,
// Dict, *Stream or Ref. ISO 32000-1, section 7.3.
type Object any

// Name is a name without its slash, #xx resolved.
type Name string

// String is a string object after unescaping (and decryption).
type String struct {
	Value string
	Hex   bool
	// At and Len are where it stands in the file, delimiters included. Len is
	// 0 for strings within object streams.
	At, Len int64
}

// Array is an array object.
type Array []Object

// Dict is a dictionary object. Of keys that stand twice the last one is kept:
// see Indirect.Duplicate.
type Dict map[Name]Object

// Stream is a dictionary with the place of its bytes in the file.
type Stream struct {
	Dict    Dict
	At, Len int64
	id      Ref // for decryption
	plain   bool
}

// Ref is an indirect reference.
type Ref struct {
	Num uint32
	Gen uint16
}

// String is the reference as PDF writes it, without the R: "12 0".
func (r Ref) String() string { return fmt.Sprintf("%d %d", r.Num, r.Gen) }

// Indirect is an indirect object as it stands in the file.
type Indirect struct {
	Ref   Ref
	Value Object
	// At is where "n g obj" begins, End the byte after it. Both are -1 when the
	// object is in the object stream Container.
	At, End   int64
	Container uint32
	// Duplicate: a dictionary of it has a key twice, so that readers may
	// differ about its value.
	Duplicate bool
}

// Int returns an integer object, or def. A real number without fraction counts.
func Int(o Object, def int64) int64 {
	switch o := o.(type) {
	case int64:
		return o
	case float64:
		if i := int64(o); float64(i) == o {
			return i
		}
	}
	return def
}

// Number returns a numeric object.
func Number(o Object) (float64, bool) {
	switch o := o.(type) {
	case int64:
		return float64(o), true
	case float64:
		return o, true
	}
	return 0, false
}

// TextString decodes a text string: UTF-16BE or UTF-8 with their byte order
// marks, else PDFDocEncoding, of which only ASCII and Latin-1 are told apart.
// ISO 32000-2, section 7.9.2.2.
func TextString(s String) string {
	v := s.Value
	switch {
	case strings.HasPrefix(v, "\xfe\xff"):
		return fromUTF16(v[2:], true)
	case strings.HasPrefix(v, "\xff\xfe"):
		return fromUTF16(v[2:], false)
	case strings.HasPrefix(v, "\xef\xbb\xbf") && utf8.ValidString(v):
		return v[3:]
	}
	var b strings.Builder
	for i := range len(v) {
		b.WriteRune(rune(v[i]))
	}
	return b.String()
}

func fromUTF16(v string, bigEndian bool) string {
	units := make([]uint16, 0, len(v)/2)
	for i := 0; i+1 < len(v); i += 2 {
		hi, lo := v[i], v[i+1]
		if !bigEndian {
			hi, lo = lo, hi
		}
		units = append(units, uint16(hi)<<8|uint16(lo))
	}
	return string(utf16.Decode(units))
}

// dictOf returns the dictionary of a dictionary or stream.
func dictOf(o Object) Dict {
	switch o := o.(type) {
	case Dict:
		return o
	case *Stream:
		return o.Dict
	}
	return nil
}

// Children calls visit with every reference that o holds, directly or within
// its arrays and dictionaries, with the key of the dictionary it stands under.
func Children(o Object, visit func(key Name, r Ref)) { children(o, "", visit) }

func children(o Object, key Name, visit func(Name, Ref)) {
	switch o := o.(type) {
	case Ref:
		visit(key, o)
	case Array:
		for _, e := range o {
			children(e, key, visit)
		}
	case Dict:
		for k, e := range o {
			children(e, k, visit)
		}
	case *Stream:
		children(o.Dict, key, visit)
	}
}

func isSpace(c byte) bool {
	return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '\f' || c == 0
}

func isDelimiter(c byte) bool { return bytes.IndexByte([]byte("()<>[]{}/%"), c) >= 0 }

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
