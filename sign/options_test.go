package sign

import (
	"crypto"
	"errors"
	"strings"
	"testing"
)

// TestOptions: which option belongs to what, each with words that say so.
func TestOptions(t *testing.T) {
	t.Parallel()
	file := Source{Name: "a.txt", Data: strings.NewReader("x"), Size: 1}
	other := Source{Name: "b.txt", Data: strings.NewReader("y"), Size: 1}
	tsas := []TSA{{URL: "http://tsa.example/"}}
	one, two := []Source{file}, []Source{file, other}
	for _, tt := range []struct {
		what  task
		f     Format
		in    []Source
		o     Options
		words string // empty: it is good
	}{
		{toSign, FormatCAdES, one, Options{}, ""},
		{toSign, FormatCAdES, one, Options{Packaging: Detached, Add: false, Level: LTA, TSAs: tsas}, ""},
		{toSign, FormatCAdES, one, Options{Add: true, Content: two}, ""},
		{toSign, FormatPAdES, one, Options{PDF: PDF{Certify: 2, Reason: "ja"}, Packaging: Enveloped}, ""},
		{toSign, FormatXAdES, two, Options{Packaging: Detached, XML: XML{References: []string{"a.txt"}}}, ""},
		{toSign, FormatXAdES, two, Options{XML: XML{Parent: "p"}}, ""},
		{toSign, FormatASiCE, two, Options{CMS: true, ContentTimestamp: true, TSAs: tsas}, ""},
		{toSign, FormatASiCE, one, Options{Add: true, Offline: true}, ""},
		{toRaise, FormatXAdES, one, Options{Level: LT, TSAs: tsas, IDs: []string{"s"}, Content: two}, ""},
		{toCountersign, FormatCAdES, one, Options{Level: T, TSAs: tsas, Content: one}, ""},
		{toStamp, FormatPAdES, one, Options{TSAs: tsas}, ""},
		{toSign, FormatCAdES, one, Options{Claims: Claims{Commitments: []string{"1.2.840.113549.1.9.16.6.1"}, Policy: &Policy{ID: "1.2.3", Hash: crypto.SHA256, Digest: make([]byte, 32)}}}, ""},

		{toSign, FormatCAdES, nil, Options{}, "no file"},
		{toSign, FormatCAdES, two, Options{}, "2 files"},
		{toSign, FormatPAdES, two, Options{}, "2 files"},
		{toSign, FormatASiCE, two, Options{Add: true}, "2 files"},
		{toSign, FormatCAdES, []Source{{Name: "leeg"}}, Options{}, `"leeg" has no data`},
		{toSign, FormatCAdES, one, Options{Add: true, Content: []Source{{}}}, "no data"},
		{toSign, "jades", one, Options{}, `no format "jades"`},
		{toSign, FormatCAdES, one, Options{Level: 9}, "level 9"},
		{toSign, FormatCAdES, one, Options{PDF: PDF{Reason: "ja"}}, "belong to PAdES"},
		{toSign, FormatXAdES, one, Options{PDF: PDF{Visible: &Visible{}}}, "belong to PAdES"},
		{toRaise, FormatPAdES, one, Options{PDF: PDF{Field: "x"}, Level: T, TSAs: tsas}, "belong to PAdES"},
		{toSign, FormatPAdES, one, Options{PDF: PDF{Certify: 4}}, "not 4"},
		{toSign, FormatCAdES, one, Options{XML: XML{Parent: "x"}}, "belong to XAdES"},
		{toSign, FormatXAdES, one, Options{XML: XML{Parent: "x"}, Packaging: Detached}, "parent"},
		{toSign, FormatXAdES, one, Options{XML: XML{Alone: true}}, ""},
		{toSign, FormatXAdES, one, Options{XML: XML{Alone: true}, Packaging: Enveloping}, "only an enveloped"},
		{toSign, FormatCAdES, one, Options{XML: XML{Alone: true}}, "belong to XAdES"},
		{toSign, FormatXAdES, one, Options{CMS: true}, "CMS"},
		{toSign, FormatXAdES, one, Options{Add: true}, "added to"},
		{toSign, FormatPAdES, one, Options{Add: true}, "added to"},
		{toSign, FormatCAdES, one, Options{Content: one}, "detached"},
		{toSign, FormatCAdES, one, Options{IDs: []string{"x"}}, "to raise"},
		{toSign, FormatCAdES, one, Options{Packaging: Enveloped}, "packaging"},
		{toSign, FormatCAdES, one, Options{Add: true, Packaging: Detached}, "packaging of the message"},
		{toSign, FormatPAdES, one, Options{Packaging: Detached}, "packaging"},
		{toSign, FormatASiCE, one, Options{Packaging: Enveloping}, "packaging"},
		{toSign, FormatASiCE, []Source{file, file}, Options{}, `"a.txt"`},
		{toSign, FormatXAdES, []Source{{Data: file.Data, Size: 1}}, Options{Packaging: Detached}, "no name"},
		{toSign, FormatPAdES, one, Options{ContentTimestamp: true, TSAs: tsas}, "over the content"},
		{toSign, FormatCAdES, one, Options{Claims: Claims{Commitments: []string{"oorsprong"}}}, `"oorsprong"`},
		{toSign, FormatCAdES, one, Options{Claims: Claims{Policy: &Policy{}}}, "identifier"},
		{toSign, FormatCAdES, one, Options{Claims: Claims{Policy: &Policy{ID: "1.2.3", Hash: crypto.SHA256, Digest: []byte{0xab}}}}, "ab"},
		{toRaise, FormatCAdES, one, Options{Level: T, TSAs: tsas, Claims: Claims{Roles: []string{"x"}}}, "new signature"},
		{toRaise, FormatCAdES, one, Options{}, "above B-B"},
		{toCountersign, FormatCAdES, one, Options{Level: LT, TSAs: tsas}, "counter-signature"},
		{toSign, FormatCAdES, one, Options{Level: T, TSAs: tsas, Offline: true}, "offline"},
		{toSign, FormatCAdES, one, Options{TSAs: []TSA{{URL: "ldap://tsa.example"}}}, "http"},
		{toSign, FormatCAdES, one, Options{TSAs: []TSA{{URL: "https://u:geheim@tsa.example"}}}, "credentials"},
		{toSign, FormatCAdES, one, Options{TSAs: []TSA{{URL: "https://tsa.example", Policy: "1"}}}, "policy"},
	} {
		err := tt.o.check(tt.what, tt.f, tt.in)
		if tt.words == "" {
			if err != nil {
				t.Errorf("%d %s %+v: %v", tt.what, tt.f, tt.o, err)
			}
			continue
		}
		if !errors.Is(err, ErrOptions) || !strings.Contains(err.Error(), tt.words) || strings.Contains(err.Error(), "geheim") {
			t.Errorf("%d %s: %v, want word of %q", tt.what, tt.f, err, tt.words)
		}
	}
	for _, what := range []task{toSign, toRaise, toStamp} {
		o := Options{Level: LT}
		if err := o.check(what, FormatCAdES, one); !errors.Is(err, ErrNoTSA) || errors.Is(err, ErrOptions) {
			t.Errorf("%v", err)
		}
	}
	o := Options{ContentTimestamp: true}
	if err := o.check(toSign, FormatCAdES, one); !errors.Is(err, ErrNoTSA) {
		t.Errorf("%v", err)
	}
}

func TestIsOID(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{"1.2.3": true, "2.999": true, "0.4.0.194112": true, "2.25.329800735698586629295641978511506172918": true,
		"": false, "1": false, "1.": false, ".1": false, "1..2": false, "3.1": false, "1.02": false, "1.a": false, "1.-2": false} {
		if isOID(text) != want {
			t.Errorf("%q: %v", text, !want)
		}
	}
}
