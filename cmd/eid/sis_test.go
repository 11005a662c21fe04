package main

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eidkit/eidkit/agent/patient"
	"github.com/eidkit/eidkit/card/sis"
)

func TestSIS(t *testing.T) {
	for _, c := range []struct {
		profile, sam string
		code         int
		state        string
	}{
		{"sis-ordinary", "", exitOK, "closed"}, {"sis-increased", "testcard:10000101", exitOK, "open"}, {"sis-letters", "testcard:10000202", exitOK, "open"},
		{"sis-ordinary", "testcard:10009999", exitOK, "refused"}, {"sis-empty", "testcard:10000101", exitOK, "absent"}, {"sis-directory", "", exitOK, "closed"},
		{"sis-checkdigits", "", exitInvalid, "closed"}, {"sis-expired", "", exitOK, "closed"},
	} {
		args := []string{"--reader", "testcard:" + c.profile, "sis"}
		if c.sam != "" {
			args = append(args, "--sam", c.sam)
		}
		code, out, errs := eid(t, append(args, "--json")...)
		wantCode(t, c.code, code, out, errs)
		validate(t, "sis.json", out)
		if !strings.Contains(out, `"state": "`+c.state+`"`) {
			t.Errorf("%s: not %s: %s", c.profile, c.state, out)
		}
		for lang, word := range map[string]string{"en": "network decides", "nl": "netwerk beslist", "fr": "réseau décide", "de": "Netz entscheidet"} {
			code, out, errs = eid(t, append(args, "--lang", lang)...)
			wantCode(t, c.code, code, out, errs)
			if !strings.Contains(strings.Join(strings.Fields(out), " "), word) || !strings.Contains(out, "TEST CARD") {
				t.Errorf("%s in %s: %s", c.profile, lang, out)
			}
		}
	}
}

// TestSISWarnings: each warning is told in the language of the counter.
func TestSISWarnings(t *testing.T) {
	for _, w := range []sis.Warning{sis.HeaderOdd, sis.DirectoryOdd, sis.VersionUnknown, sis.FillerOdd, sis.NumberWrong, sis.NumberDiffers, sis.CopiesDiffer,
		sis.DateWrong, sis.ValidityOdd, sis.NameOdd, sis.SexUnknown, sis.NoInsurance} {
		row := sisWarnings[w]
		for i, text := range row {
			if text == "" || slices.Contains(row[:i], text) {
				t.Errorf("%s, language %d: %q", string(w), i, text)
			}
		}
	}
	for lang, word := range map[string]string{"en": "warning: two copies", "nl": "waarschuwing: twee kopieën", "fr": "avertissement : deux copies", "de": "Warnung: zwei Kopien"} {
		a := &app{lang: lang}
		var out bytes.Buffer
		a.out = &out
		if err := a.printSIS(&sisReading{SIS: &patient.SIS{Image: &sis.Image{Warnings: []sis.Warning{sis.CopiesDiffer}}}}, time.Now()); err != nil || !strings.Contains(out.String(), word) {
			t.Errorf("%s: %v %s", lang, err, out.String())
		}
	}
}

func TestSISWrong(t *testing.T) {
	for _, c := range []struct {
		args []string
		code int
	}{
		{[]string{"--reader", "testcard:nobody", "sis"}, exitUsage},
		{[]string{"--reader", "testcard:sis-ordinary", "sis", "--sam", "testcard:x"}, exitUsage},
	} {
		code, out, errs := eid(t, c.args...)
		wantCode(t, c.code, code, out, errs)
		if out != "" || !strings.Contains(errs, "eid: hint: ") {
			t.Errorf("%q: %q %q", c.args, out, errs)
		}
	}
}
