package xmldsig

import (
	"errors"
	"strings"
	"testing"

	"golang.org/x/text/encoding/unicode"
)

// TestSplice makes changes of every kind at once, in several encodings; everything else stays.
func TestSplice(t *testing.T) {
	t.Parallel()
	const in = "<?xml version='1.0'?>\r\n<!--😀--><a>é<b c='/>'/>\r\n<p:d xmlns:p='urn:p'\t>😀</p:d\n><e></e></a><!--é-->"
	const want = "<?xml version='1.0'?>\r\n<!--😀--><a>é<b c='/>'><x>😀</x></b>\r\n<y/><p:d Id=\"1\" xmlns:p='urn:p'\t>😀</p:d\n><e>z</e><last/></a><!--é-->"
	for _, enc := range []struct {
		mark string
		to   func(string) (string, error)
	}{
		{"utf-8", func(s string) (string, error) { return s, nil }},
		{"utf-8 with a mark", unicode.UTF8BOM.NewEncoder().String},
		{"utf-16le", unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String},
		{"utf-16be", unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewEncoder().String},
	} {
		raw, err := enc.to(in)
		if err != nil {
			t.Fatal(err)
		}
		d := mustParse(t, raw)
		root := d.Root()
		b, p, e := root.Child("", "b"), root.Child("urn:p", "d"), root.Child("", "e")
		out, err := d.Splice([]byte(raw), d.Append(root, "<last/>"), d.Append(b, "<x>😀</x>"), d.AddAttribute(p, "Id", "1"), d.Before(p, "<y/>"), d.Append(e, "z"))
		if err != nil {
			t.Fatal(err)
		}
		if expected, err := enc.to(want); err != nil || string(out) != expected {
			t.Errorf("%s: %q", enc.mark, out)
		}
		mustParse(t, string(out))
		if same, err := d.Splice([]byte(raw)); err != nil || string(same) != raw {
			t.Errorf("%s: without a change: %q", enc.mark, same)
		}
	}
	d := mustParse(t, `<?xml version="1.0" encoding="ISO-8859-1"?><a/>`)
	raw := []byte(`<?xml version="1.0" encoding="ISO-8859-1"?><a/>`)
	if _, err := d.Splice(raw, d.Append(d.Root(), "€")); !errors.Is(err, ErrInvalid) {
		t.Errorf("what ISO-8859-1 does not have: %v", err)
	}
	named := []byte("<?xml version='1.0' encoding='ISO-8859-1'?><d\xe9claration/>")
	d2 := mustParse(t, string(named))
	if out, err := d2.Splice(named, d2.Append(d2.Root(), "<x/>")); err != nil || string(out) != "<?xml version='1.0' encoding='ISO-8859-1'?><d\xe9claration><x/></d\xe9claration>" {
		t.Errorf("an empty element with a name that is not ASCII: %q, %v", out, err)
	}
	if _, err := d.Splice(raw, d.Append(d.Root(), "x"), d.Append(d.Root(), "y")); !errors.Is(err, ErrInvalid) {
		t.Errorf("an element opened twice: %v", err)
	}
}

// TestDoctypeNamed: who asks can tell a DOCTYPE from what is no XML.
func TestDoctypeNamed(t *testing.T) {
	t.Parallel()
	for doc, want := range map[string]bool{"<!DOCTYPE a><a/>": true, "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>": true, "<a>&b;</a>": false, "<a": false} {
		if _, err := Parse([]byte(doc), Limits{}); errors.Is(err, ErrDOCTYPE) != want || err == nil {
			t.Errorf("%s: %v", doc, err)
		}
	}
}

// TestInvalidAt finds what XML cannot hold.
func TestInvalidAt(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]int{"": -1, "é\t\r\n😀": -1, "a\x00": 1, "ab\xff": 2, "\uFFFE": 0, strings.Repeat("x", 9) + "\x1b": 9} {
		if got := InvalidAt(s); got != want {
			t.Errorf("%q: %d, want %d", s, got, want)
		}
	}
}
