package pdf

import (
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"time"
	"unicode/utf16"
)

var errNotWritten = errors.New("a value of this kind is not written")

// object writes a value. ISO 32000-2, section 7.3. Streams of the file itself
// are not copied.
func (w *writer) object(o Object, depth int) error {
	if depth > maxDepth+8 {
		return fmt.Errorf("%w: nested too deeply", errNotWritten)
	}
	switch o := o.(type) {
	case nil:
		w.WriteString("null")
	case bool:
		w.WriteString(strconv.FormatBool(o))
	case int:
		w.WriteString(strconv.Itoa(o))
	case int64:
		w.WriteString(strconv.FormatInt(o, 10))
	case float64:
		return w.real(o)
	case Name:
		w.name(o)
	case String:
		w.text(o)
	case Ref:
		fmt.Fprintf(&w.Buffer, "%d %d R", o.Num, o.Gen)
	case Array:
		return w.array(o, depth)
	case Dict:
		return w.dict(o, depth)
	case *NewStream:
		return w.stream(o, depth)
	case *Room:
		o.At = w.position()
		w.WriteString(o.Text)
	default:
		return fmt.Errorf("%w: %T", errNotWritten, o)
	}
	return nil
}

// real writes a number without an exponent, which PDF does not know.
func (w *writer) real(v float64) error {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return fmt.Errorf("%w: %v", errNotWritten, v)
	}
	w.WriteString(strconv.FormatFloat(v, 'f', -1, 64))
	return nil
}

// name writes a name; what is not a regular character becomes #xx.
func (w *writer) name(n Name) {
	w.WriteByte('/')
	for i := range len(n) {
		if c := n[i]; c <= ' ' || c > '~' || c == '#' || isDelimiter(c) {
			fmt.Fprintf(&w.Buffer, "#%02X", c)
		} else {
			w.WriteByte(c)
		}
	}
}

// text writes a string, as hexadecimal digits unless it is plain ASCII.
func (w *writer) text(s String) {
	plain := !s.Hex
	for i := range len(s.Value) {
		plain = plain && s.Value[i] >= ' ' && s.Value[i] <= '~'
	}
	if !plain {
		w.WriteByte('<')
		w.WriteString(hex.EncodeToString([]byte(s.Value)))
		w.WriteByte('>')
		return
	}
	w.WriteByte('(')
	for i := range len(s.Value) {
		if c := s.Value[i]; c == '(' || c == ')' || c == '\\' {
			w.WriteByte('\\')
		}
		w.WriteByte(s.Value[i])
	}
	w.WriteByte(')')
}

func (w *writer) array(a Array, depth int) error {
	w.WriteByte('[')
	for i, e := range a {
		if i > 0 {
			w.WriteByte(' ')
		}
		if err := w.object(e, depth+1); err != nil {
			return err
		}
	}
	w.WriteByte(']')
	return nil
}

// dict writes a dictionary: Type and Subtype first, then by name.
func (w *writer) dict(d Dict, depth int) error {
	w.WriteString("<<")
	keys := slices.Sorted(maps.Keys(d))
	for _, first := range []Name{"Subtype", "Type"} {
		if i := slices.Index(keys, first); i >= 0 {
			keys = slices.Insert(slices.Delete(keys, i, i+1), 0, first)
		}
	}
	for _, k := range keys {
		if d[k] == nil {
			continue
		}
		w.WriteByte(' ')
		w.name(k)
		w.WriteByte(' ')
		if err := w.object(d[k], depth+1); err != nil {
			return err
		}
	}
	w.WriteString(" >>")
	return nil
}

func (w *writer) stream(s *NewStream, depth int) error {
	d := maps.Clone(s.Dict)
	if d == nil {
		d = Dict{}
	}
	d["Length"] = int64(len(s.Data))
	if err := w.dict(d, depth); err != nil {
		return err
	}
	w.WriteString("\nstream\n")
	w.Write(s.Data)
	w.WriteString("\nendstream")
	return nil
}

// NewText is a text string: ASCII as it is, anything else as UTF-16BE with its
// byte order mark, which every version of PDF reads. ISO 32000-2, section 7.9.2.2.
func NewText(s string) String {
	ascii := true
	for i := range len(s) {
		ascii = ascii && s[i] >= ' ' && s[i] <= '~'
	}
	if ascii {
		return String{Value: s}
	}
	b := []byte{0xfe, 0xff}
	for _, u := range utf16.Encode([]rune(s)) {
		b = append(b, byte(u>>8), byte(u))
	}
	return String{Value: string(b), Hex: true}
}

// NewDate is a date string in UTC. ISO 32000-2, section 7.9.4.
func NewDate(t time.Time) String {
	return String{Value: t.UTC().Format("D:20060102150405") + "Z"}
}
