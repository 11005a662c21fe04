package pinentry

import (
	"reflect"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestClean(t *testing.T) {
	tests := []struct {
		name, in string
		max      int
		want     string
	}{
		{"plain", "Contract 2024 - Zoë & Żółć, Ελλάδα, العربية, 中文", 100, "Contract 2024 - Zoë & Żółć, Ελλάδα, العربية, 中文"},
		{"line ends", "one\r\ntwo\u2028three\vfour\u0085five", 100, "one two three four five"},
		{"spaces", "  a \t\u00a0\u3000 b  ", 100, "a b"},
		{"escape sequence", "\x1b[31mred\x1b[0m\x07\b", 100, "[31mred[0m"},
		{"C1 controls", "a\u009b31mb", 100, "a31mb"},
		{"bidirectional", "\u202egpj.exe\u202c \u2066x\u2069\u200f\u061c", 100, "gpj.exe x"},
		{"zero width", "pay\u200bpal\u2060.\ufeffcom\u00ad", 100, "paypal.com"},
		{"tags", "a\U000e0041\U000e007fb", 100, "ab"},
		{"fillers", "a\u3164\u115f\u2800\ufe0f\u034fb", 100, "ab"},
		{"private and unassigned", "a\ue000\U0010ffffb\u0378", 100, "ab"},
		{"broken UTF-8", "a\xff\xfeb\xc3", 100, "a\uFFFDb\uFFFD"},
		{"markup", "<b>PIN</b> <img src=x>", 100, "‹b›PIN‹/b› ‹img src=x›"},
		{"heap of accents", "a" + strings.Repeat("\u0301", 50) + "b", 100, "a\u0301\u0301\u0301b"},
		{"shortened", "0123456789", 7, "012…789"},
		{"shortened, even", "0123456789", 6, "012…89"},
		{"shortened, runes", "ééééééééé", 5, "éé…éé"},
		{"to one", "abc", 1, "…"},
		{"to nothing", "abc", 0, ""},
		{"fits", "abc", 3, "abc"},
		{"nothing left", "\u200b\x00", 10, ""},
	}
	for _, tt := range tests {
		if got := Clean(tt.in, tt.max); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// Own words stay whole whatever comes from outside, and the line holds.
func TestWithOutside(t *testing.T) {
	long := strings.Repeat("漢%", 500)
	for name, about := range map[string][]string{
		"nothing":   nil,
		"empty":     {"", "\x00"},
		"one":       {"file.pdf"},
		"long":      {long},
		"many long": {long, long, long, long, long, long, long, long, long, long, long, long},
		"a forger":  {"\n\nEnter the PIN of your bank card.", "x\nOK"},
	} {
		own := TextsIn("fr").Sign
		got := withOutside(own, about)
		if !strings.HasPrefix(got, own) || len(escape(got)) > maxText {
			t.Errorf("%s: %d bytes, %q", name, len(escape(got)), got)
		}
		if lines := strings.Count(got, "\n") - strings.Count(own, "\n"); lines > maxAbout+1 {
			t.Errorf("%s: %d lines more", name, lines)
		}
	}
	if got, want := withOutside("Sign?", []string{"a\nb", "", "c"}), "Sign?\n\na b\nc"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := withOutside("Sign?", []string{long}); !strings.Contains(got, "…") || len(got) < 200 {
		t.Errorf("a long line became %q", got)
	}
}

func FuzzClean(f *testing.F) {
	f.Add("plain", 20)
	f.Add("\u202egpj.exe\r\n<b>\xff", 8)
	f.Add("a\u0301\u0301\u0301\u0301\u0301\t \u3164", 3)
	f.Fuzz(func(t *testing.T, s string, max int) {
		got := Clean(s, max)
		if !utf8.ValidString(got) || utf8.RuneCountInString(got) > max && got != "" {
			t.Errorf("%q, at most %d: %q", s, max, got)
		}
		for _, r := range got {
			if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Bidi_Control, r) || r == '<' || r == '\u2028' {
				t.Errorf("%q: %U in %q", s, r, got)
			}
		}
		if strings.Contains(escape(got), "%0") {
			t.Errorf("%q: %q", s, got)
		}
	})
}

var languages = []string{"en", "nl", "fr", "de"}

// Every language has every text, in words of its own, with the same verbs.
func TestTextsComplete(t *testing.T) {
	if len(texts) != len(languages) {
		t.Errorf("%d languages", len(texts))
	}
	same := map[string]bool{"OK": true, "PromptPIN": true, "PromptPUK": true} // may be alike in two languages
	english := reflect.ValueOf(texts["en"])
	for _, lang := range languages {
		v := reflect.ValueOf(texts[lang])
		for i := range v.NumField() {
			name, text := v.Type().Field(i).Name, v.Field(i).String()
			if strings.TrimSpace(text) == "" {
				t.Errorf("%s: no %s", lang, name)
			}
			if strings.Count(text, "%") != strings.Count(english.Field(i).String(), "%") || strings.Count(text, "%d") != strings.Count(text, "%") {
				t.Errorf("%s: %s has other verbs: %q", lang, name, text)
			}
			if lang != "en" && !same[name] && text == english.Field(i).String() {
				t.Errorf("%s: %s is English", lang, name)
			}
			for _, line := range strings.Split(text, "\n") {
				if len(text) > 300 || Clean(line, 200) != line {
					t.Errorf("%s: %s is no text for a dialog: %q", lang, name, text)
				}
			}
		}
	}
}

func TestTextsIn(t *testing.T) {
	for language, want := range map[string]string{"": "en", "en": "en", "nl": "nl", "NL": "nl", "nl_BE.UTF-8": "nl", "nl-BE": "nl", "fr_BE": "fr", "fr.UTF-8": "fr",
		"de@euro": "de", "es": "en", "C": "en", "C.UTF-8": "en", "nlx": "en", "deutsch": "en"} {
		if got := TextsIn(language); got != texts[want] {
			t.Errorf("%q: %s", language, got.Title)
		}
	}
}

func TestForms(t *testing.T) {
	en := texts["en"]
	tests := []struct {
		r                     Request
		text, problem, prompt string
	}{
		{Request{}, en.Verify, "", "PIN:"},
		{Request{Purpose: Authenticate}, en.Authenticate, "", "PIN:"},
		{Request{Purpose: Sign, TriesLeft: 3}, en.Sign, "", "PIN:"},
		{Request{Purpose: Sign, TriesLeft: 2, Wrong: true}, en.Sign + "\n2 tries left.", "Wrong PIN.", "PIN:"},
		{Request{Purpose: Sign, TriesLeft: 1}, en.Sign + "\n" + en.LastTry, "", "PIN:"},
		{Request{Purpose: Change, TriesLeft: 1, Wrong: true}, en.Change + "\n" + en.LastTry, "Wrong PIN.", "PIN:"},
		{Request{Purpose: Change, TriesLeft: -1, Wrong: true}, en.Change, "Wrong PIN.", "PIN:"},
		{Request{Purpose: NewPIN, TriesLeft: 1}, en.New, "", "New PIN:"},
		{Request{Purpose: Unblock, TriesLeft: 11, Wrong: true}, en.Unblock + "\n11 tries left.", "Wrong unblocking code.", "PUK:"},
		{Request{Purpose: Unblock, TriesLeft: 1}, en.Unblock + "\n" + en.LastPUK, "", "PUK:"},
		{Request{Purpose: Purpose(99)}, en.Verify, "", "PIN:"},
	}
	for _, tt := range tests {
		f := en.form(tt.r)
		if f.text != tt.text || f.problem != tt.problem || f.prompt != tt.prompt || (f.repeat != "") != (tt.r.Purpose == NewPIN) {
			t.Errorf("%+v: %+v", tt.r, f)
		}
	}
	for p, want := range map[Purpose]string{Sign: en.Pinpad, Verify: en.Pinpad, Change: en.PinpadChange, NewPIN: en.PinpadChange, Unblock: en.PinpadPUK} {
		if got := en.OnPinpad(p); got != want {
			t.Errorf("%d: %q", p, got)
		}
	}
}
