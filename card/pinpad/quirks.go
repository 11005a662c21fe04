package pinpad

import (
	"strconv"
	"strings"
)

// quirk is how a reader wants to be treated.
type quirk struct {
	name      string // in the reader's name, lower case
	refuse    bool   // not to be used as a pinpad
	most      byte   // digits the reader takes at most; 0: as many as the card
	oldBefore version
}

// quirks, of the facts sheet, section 5.3; the first match counts.
var quirks = []quirk{
	{name: "gemplus gempc pinpad", refuse: true}, // sends an empty VERIFY, which an applet 1.1 counts as a wrong PIN
	{name: "gempc pinpad", most: 8},
	{name: "sprx32 usb", oldBefore: version{5, 6}}, // SPR532; with firmware unknown it is taken for a new one, as eid-mw does
	{name: "spr532", oldBefore: version{5, 6}},
	{name: "spr 532", oldBefore: version{5, 6}},
}

func quirkOf(reader string) quirk {
	reader = strings.ToLower(reader)
	for _, q := range quirks {
		if strings.Contains(reader, q.name) {
			return q
		}
	}
	return quirk{}
}

// version is a firmware's; the zero version is an unknown one.
type version struct{ major, minor int }

// before tells whether v is known and older than w.
func (v version) before(w version) bool {
	return v != version{} && (v.major < w.major || v.major == w.major && v.minor < w.minor)
}

// firmware reads the first "major.minor" of the reader's wording.
func (p Properties) firmware() version {
	for _, word := range strings.FieldsFunc(p.Firmware, func(r rune) bool { return r != '.' && (r < '0' || r > '9') }) {
		a, b, ok := strings.Cut(word, ".")
		b, _, _ = strings.Cut(b, ".")
		major, err1 := strconv.Atoi(a)
		minor, err2 := strconv.Atoi(b)
		if ok && err1 == nil && err2 == nil {
			return version{major, minor}
		}
	}
	return version{}
}
