package beidfile

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

var languages = []string{"en", "nl", "fr", "de"}

// A text that reads the same in English and in another language is either here, with its reason, or forgotten.
var sameAsEnglish = map[string]bool{
	"Name": true, "Photo": true, // German and French words
	"M": true, "F": true, "SHAPE": true, "NATO": true, "au pair": true,
}

// everyText lists all texts by where they stand.
func everyText() map[string]texts {
	all := map[string]texts{}
	for field, t := range fieldLabels {
		all["field "+field] = t
	}
	for code, t := range documentLabels {
		all["document "+string(code)] = t
	}
	for code, t := range statusLabels {
		all["status "+string(code)] = t
	}
	for sex, t := range sexLabels {
		all["sex "+string(sex)] = t
	}
	for field, codes := range codeLabels {
		for code, t := range codes {
			all[field+" "+code] = t
		}
	}
	return all
}

func TestTextsComplete(t *testing.T) {
	for where, text := range everyText() {
		for _, lang := range languages {
			s := text.in(lang)
			if s == "" || strings.TrimSpace(s) != s {
				t.Errorf("%s: %s text %q", where, lang, s)
			}
			if lang != "en" && s == text.en && !sameAsEnglish[s] {
				t.Errorf("%s: %s text is the English one, %q", where, lang, s)
			}
		}
	}
}

// No two fields, document types or codes of a field are called the same, in any language.
func TestTextsDistinct(t *testing.T) {
	for _, lang := range languages {
		seen := map[string]string{}
		for where, text := range everyText() {
			kind, _, _ := strings.Cut(where, " ")
			key := kind + " " + text.in(lang)
			if other := seen[key]; other != "" {
				t.Errorf("%s: %s and %s are both %q", lang, where, other, text.in(lang))
			}
			seen[key] = where
		}
	}
}

// Every code has its labels, and no label stands for a code that does not exist.
func TestLabelsFitCodes(t *testing.T) {
	if a, b := slices.Sorted(maps.Keys(documents)), slices.Sorted(maps.Keys(documentLabels)); !slices.Equal(a, b) {
		t.Errorf("documents %v, labels %v", a, b)
	}
	if a, b := slices.Sorted(maps.Keys(statusWords)), slices.Sorted(maps.Keys(statusLabels)); !slices.Equal(a, b) {
		t.Errorf("statuses %v, labels %v", a, b)
	}
	for field, words := range mentionWords {
		if a, b := slices.Sorted(maps.Keys(words)), slices.Sorted(maps.Keys(codeLabels[field])); !slices.Equal(a, b) {
			t.Errorf("%s: words %v, labels %v", field, a, b)
		}
		if Label(field, "en") == field {
			t.Errorf("field %s has no label", field)
		}
	}
}

func TestLabel(t *testing.T) {
	tests := []struct{ field, lang, want string }{
		{"surname", "nl", "Naam"},
		{"birthDate", "de", "Geburtsdatum"},
		{"nationalNumber", "nl", "Rijksregisternummer"},
		{"validUntil", "fr", "Valable jusqu'au"},
		{"zip", "en", "Zip code"},
		{"zip", "", "Zip code"},
		{"zip", "xx", "Zip code"},
		{"nothingKnown", "nl", "nothingKnown"},
	}
	for _, tt := range tests {
		if got := Label(tt.field, tt.lang); got != tt.want {
			t.Errorf("%s in %q: %q, want %q", tt.field, tt.lang, got, tt.want)
		}
	}
	if got := DocumentType("1").Label("de"); got != "Belgischer Personalausweis" {
		t.Error(got)
	}
	if got := DocumentType("99").Label("nl"); got != "Documenttype 99" {
		t.Error(got)
	}
	if got := SpecialStatus("").Label("fr"); got != "Aucun" {
		t.Error(got)
	}
	if got := SpecialStatus("9").Label("fr"); got != "9" {
		t.Error(got)
	}
	if got := Female.Label("de") + Female.Label("nl") + Female.Label("fr") + Male.Label("en") + SexUnknown.Label("en"); got != "WVFM" {
		t.Error(got)
	}
	if got := CodeLabel("workPermit", "8", "nl"); got != "beperkt" {
		t.Error(got)
	}
	if got := CodeLabel("workPermit", "Q", "nl"); got != "Q" {
		t.Error(got)
	}
}

// The whole table of facts 3.4, written out a second time.
func TestDocumentTypes(t *testing.T) {
	words := map[DocumentType]string{
		"1": "belgian_citizen", "6": "kids_card", "7": "bootstrap_card", "8": "habilitation_card", "11": "foreigner_a",
		"12": "foreigner_b", "13": "foreigner_c", "14": "foreigner_d", "15": "foreigner_e", "16": "foreigner_e_plus",
		"17": "foreigner_f", "18": "foreigner_f_plus", "19": "european_blue_card_h", "20": "ict_i", "21": "mobile_ict_j",
		"22": "foreigner_m", "23": "foreigner_n", "27": "foreigner_k", "28": "foreigner_l", "31": "foreigner_eu",
		"32": "foreigner_eu_plus", "33": "foreigner_A", "34": "foreigner_B", "35": "foreigner_F", "36": "foreigner_F_plus",
		"61": "kids_foreigner_eu", "62": "kids_foreigner_eu_plus", "63": "kids_foreigner_A", "64": "kids_foreigner_B",
		"65": "kids_foreigner_K", "66": "kids_foreigner_L", "67": "kids_foreigner_F", "68": "kids_foreigner_F_plus",
		"69": "kids_foreigner_M",
	}
	for code, word := range words {
		if code.Word() != word {
			t.Errorf("%s: word %q, want %q", code, code.Word(), word)
		}
		if back, ok := DocumentTypeOf(word); !ok || back != code {
			t.Errorf("%s: read back as %q", word, back)
		}
	}
	kinds := map[DocumentType]Kind{"1": Citizen, "01": Citizen, "2": Foreigner, "6": Kid, "7": Bootstrap, "8": Habilitation,
		"11": Foreigner, "36": Foreigner, "61": KidForeigner, "69": KidForeigner, "": Other, "0": Other, "99": Other, "x": Other}
	for code, kind := range kinds {
		if code.Kind() != kind {
			t.Errorf("%q: kind %s, want %s", code, code.Kind(), kind)
		}
	}
	for _, word := range []string{"", "FOREIGNER_A", "citizen"} {
		if code, ok := DocumentTypeOf(word); ok || code != "" {
			t.Errorf("%q is document %q", word, code)
		}
	}
	if len(words)+2 != len(documents) || DocumentType("2").Word() != "" || DocumentType("99").Word() != "" {
		t.Error("documents other than those of the sheet")
	}
}

func TestStatusesAndMentions(t *testing.T) {
	statuses := map[SpecialStatus]string{"": "NO_STATUS", "0": "NO_STATUS", "00": "NO_STATUS", "1": "WHITE_CANE",
		"2": "EXTENDED_MINORITY", "3": "WHITE_CANE_EXTENDED_MINORITY", "4": "YELLOW_CANE", "05": "YELLOW_CANE_EXTENDED_MINORITY", "6": ""}
	for code, word := range statuses {
		if code.Word() != word {
			t.Errorf("%q: word %q, want %q", code, code.Word(), word)
		}
	}
	if s, ok := SpecialStatusOf("YELLOW_CANE"); !ok || s != "4" {
		t.Errorf("YELLOW_CANE is %q", s)
	}
	if s, ok := SpecialStatusOf(""); ok {
		t.Errorf("the empty word is %q", s)
	}

	mentions := []struct{ field, code, word string }{
		{"workPermit", "7", "unlimited"}, {"workPermit", "8", "limited"}, {"workPermit", "9", "no"}, {"workPermit", "A", "seasonal worker"},
		{"brexitMention1", "B", "Article 18(1) Agreement"}, {"brexitMention2", "C", "Permanent stay"},
		{"cardAMention1", "A", "Seasonal worker"}, {"cardAMention1", "D", "Student"}, {"cardAMention1", "E", "Pupil"},
		{"cardAMention1", "F", "Intern"}, {"cardAMention1", "G", "Volunteer"}, {"cardAMention1", "H", "Au pair"},
		{"cardAMention1", "I", "Researcher mobility"}, {"cardAMention1", "J", "Job search"}, {"cardAMention2", "K", "Mobility program"},
	}
	for _, m := range mentions {
		if got := MentionWord(m.field, m.code); got != m.word {
			t.Errorf("%s %s: %q, want %q", m.field, m.code, got, m.word)
		}
		if code, ok := MentionOf(m.field, m.word); !ok || code != m.code {
			t.Errorf("%s %q: code %q, want %s", m.field, m.word, code, m.code)
		}
	}
	if MentionWord("workPermit", "B") != "" || MentionWord("surname", "A") != "" {
		t.Error("a word for an unknown code or field")
	}
	if _, ok := MentionOf("workPermit", "Student"); ok {
		t.Error("a code for another field's word")
	}
}
