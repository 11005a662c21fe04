package card

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func pin(t *testing.T, digits string) PIN {
	t.Helper()
	p, err := NewPIN([]byte(digits))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Blocks by ISO 9564-1 format 2, as the facts sheet, section 5, describes them.
func TestPINBlock(t *testing.T) {
	for digits, want := range map[string]string{
		"1234":         "241234FFFFFFFFFF",
		"12345":        "2512345FFFFFFFFF",
		"0000":         "240000FFFFFFFFFF",
		"98765432":     "2898765432FFFFFF",
		"12345678901":  "2B12345678901FFF",
		"123456789012": "2C123456789012FF",
	} {
		if got, err := pin(t, digits).Block(); err != nil || hexOf(got) != want {
			t.Errorf("%s: %X, %v; want %s", digits, got, err, want)
		}
	}
	for _, digits := range []string{"", "123", "1234567890123"} {
		if b, err := pin(t, digits).Block(); err == nil {
			t.Errorf("%d digits: block %X", len(digits), b)
		}
	}
	if _, err := (PIN{}).Block(); err == nil {
		t.Error("the zero PIN has a block")
	}
}

func TestNewPINRefuses(t *testing.T) {
	for _, bad := range []string{"12a4", "12 34", "1234\n", "-123", "١٢٣٤", "12:4", "12/4"} {
		b := []byte(bad)
		_, err := NewPIN(b)
		if err == nil || strings.Contains(err.Error(), bad) {
			t.Errorf("%q: %v", bad, err)
		}
		if !bytes.Equal(b, make([]byte, len(b))) {
			t.Errorf("%q was not wiped", bad)
		}
	}
}

func TestPINWipeAndEqual(t *testing.T) {
	digits := []byte("1234")
	p, err := NewPIN(digits)
	if err != nil {
		t.Fatal(err)
	}
	q := p
	if !p.Equal(pin(t, "1234")) || p.Equal(pin(t, "1235")) || p.Equal(pin(t, "12345")) || p.Equal(PIN{}) || !(PIN{}).Equal(PIN{}) {
		t.Error("Equal is wrong")
	}
	p.Wipe()
	p.Wipe()
	(PIN{}).Wipe()
	if p.Len() != 0 || q.Len() != 0 || !bytes.Equal(digits, make([]byte, 4)) {
		t.Errorf("after Wipe: %d and %d digits, %v", p.Len(), q.Len(), digits)
	}
}

// holders are the places in which a PIN may come to be printed.
type holders struct {
	Plain    PIN
	Pointer  *PIN
	Slice    []PIN
	Map      map[string]PIN
	Any      any
	hidden   PIN
	hiddenAt *PIN
	nested   struct{ p PIN }
}

// leaks tells whether out holds the digits 271828, plain, in hexadecimal, or as a list of byte values.
func leaks(out string) bool {
	out = strings.ToLower(out)
	for _, form := range []string{"271828", "323731383238", "50 55 49 56 50 56", "50,55,49,56,50,56", "0x32, 0x37", "32 37 31 38", "27 18 28",
		"mjcxodi4"} { // the last is Base64
		if strings.Contains(out, form) {
			return true
		}
	}
	return false
}

func TestPINNeverPrinted(t *testing.T) {
	p := pin(t, "271828")
	h := holders{Plain: p, Pointer: &p, Slice: []PIN{p}, Map: map[string]PIN{"x": p}, Any: p, hidden: p, hiddenAt: &p}
	h.nested.p = p
	for _, verb := range []string{"v", "+v", "#v", "s", "q", "x", "X", "# x", "d", "c", "U", "o", "b", "e", "t", "p", "T", "10.2s", "w"} {
		for _, v := range []any{p, &p, h, &h, []PIN{p}, []any{p, &p}} {
			if out := fmt.Sprintf("%"+verb, v); leaks(out) {
				t.Errorf("%%%s of %T: %s", verb, v, out)
			}
		}
	}
	if out := fmt.Sprint(p, " ", p.String()); out != "REDACTED REDACTED" {
		t.Errorf("Sprint: %s", out)
	}
	if out := fmt.Errorf("with %v: %w", p, ErrRemoved).Error(); leaks(out) {
		t.Error(out)
	}
}

func TestPINNeverMarshalled(t *testing.T) {
	p := pin(t, "271828")
	h := holders{Plain: p, Pointer: &p, Slice: []PIN{p}, Map: map[string]PIN{"x": p}, Any: p, hidden: p}
	out, err := json.Marshal(h)
	if err != nil || leaks(string(out)) || !strings.Contains(string(out), `"Plain":"REDACTED"`) {
		t.Errorf("json: %s, %v", out, err)
	}
	type elements struct { // xml knows no maps
		Plain   PIN
		Pointer *PIN
		Slice   []PIN
		hidden  PIN
	}
	out, err = xml.Marshal(elements{p, &p, []PIN{p}, p})
	if err != nil || leaks(string(out)) || !strings.Contains(string(out), "<Plain>REDACTED</Plain>") {
		t.Errorf("xml: %s, %v", out, err)
	}
	type attribute struct {
		P PIN `xml:"p,attr"`
	}
	if out, err = xml.Marshal(attribute{p}); err != nil || leaks(string(out)) {
		t.Errorf("xml attribute: %s, %v", out, err)
	}
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(p); err == nil || leaks(b.String()) {
		t.Errorf("gob: %q, %v", b.String(), err)
	}
	for _, handler := range []slog.Handler{slog.NewTextHandler(&b, nil), slog.NewJSONHandler(&b, nil)} {
		log := slog.New(handler)
		log.Info("pin", "p", p, "pointer", &p, "holders", h, "slice", []PIN{p}, slog.Group("g", "p", p))
		log.With("p", p).Error(fmt.Sprint(p))
	}
	if leaks(b.String()) || !strings.Contains(b.String(), "REDACTED") {
		t.Errorf("slog: %s", b.String())
	}
}
