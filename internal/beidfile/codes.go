package beidfile

import "strings"

// DocumentType is the code in tag 0F of the identity file: "1", "11", ... (facts 3.4). Any string may stand there.
type DocumentType string

// SpecialStatus is the code in tag 10 (facts 3.4); empty means the same as "0".
type SpecialStatus string

// Kind is the broad kind of a document.
type Kind string

// The kinds of document. Other is what this package does not know.
const (
	Citizen      Kind = "citizen"
	Kid          Kind = "kid"
	Foreigner    Kind = "foreigner"
	KidForeigner Kind = "kidForeigner"
	Bootstrap    Kind = "bootstrap"
	Habilitation Kind = "habilitation"
	Other        Kind = "other"
)

// document is what is known of a document type: its kind and the viewer's XML word.
type document struct {
	kind Kind
	word string
}

var documents = map[DocumentType]document{
	"1":  {Citizen, "belgian_citizen"},
	"2":  {Foreigner, ""}, // 2 and 3 stand in the draft of 2004 only; the viewer has no word for them
	"3":  {Foreigner, ""},
	"6":  {Kid, "kids_card"},
	"7":  {Bootstrap, "bootstrap_card"},
	"8":  {Habilitation, "habilitation_card"},
	"11": {Foreigner, "foreigner_a"},
	"12": {Foreigner, "foreigner_b"},
	"13": {Foreigner, "foreigner_c"},
	"14": {Foreigner, "foreigner_d"},
	"15": {Foreigner, "foreigner_e"},
	"16": {Foreigner, "foreigner_e_plus"},
	"17": {Foreigner, "foreigner_f"},
	"18": {Foreigner, "foreigner_f_plus"},
	"19": {Foreigner, "european_blue_card_h"},
	"20": {Foreigner, "ict_i"},
	"21": {Foreigner, "mobile_ict_j"},
	"22": {Foreigner, "foreigner_m"},
	"23": {Foreigner, "foreigner_n"},
	"27": {Foreigner, "foreigner_k"},
	"28": {Foreigner, "foreigner_l"},
	"31": {Foreigner, "foreigner_eu"},
	"32": {Foreigner, "foreigner_eu_plus"},
	"33": {Foreigner, "foreigner_A"},
	"34": {Foreigner, "foreigner_B"},
	"35": {Foreigner, "foreigner_F"},
	"36": {Foreigner, "foreigner_F_plus"},
	"61": {KidForeigner, "kids_foreigner_eu"},
	"62": {KidForeigner, "kids_foreigner_eu_plus"},
	"63": {KidForeigner, "kids_foreigner_A"},
	"64": {KidForeigner, "kids_foreigner_B"},
	"65": {KidForeigner, "kids_foreigner_K"},
	"66": {KidForeigner, "kids_foreigner_L"},
	"67": {KidForeigner, "kids_foreigner_F"},
	"68": {KidForeigner, "kids_foreigner_F_plus"},
	"69": {KidForeigner, "kids_foreigner_M"},
}

// Word is the type's word in the viewer's .eid XML; empty if the viewer has none.
func (t DocumentType) Word() string { return documents[t.canonical()].word }

// Kind is the broad kind of the document, Other for a code not known here.
func (t DocumentType) Kind() Kind {
	if d, ok := documents[t.canonical()]; ok {
		return d.kind
	}
	return Other
}

func (t DocumentType) known() bool {
	_, ok := documents[t.canonical()]
	return ok
}

// canonical takes away the zero of a two-digit form, "01".
func (t DocumentType) canonical() DocumentType { return DocumentType(strings.TrimLeft(string(t), "0")) }

// DocumentTypeOf is the document type that the viewer's XML calls word; not ok if there is none.
func DocumentTypeOf(word string) (t DocumentType, ok bool) {
	for t, d := range documents {
		if d.word == word && word != "" {
			return t, true
		}
	}
	return "", false
}

var statusWords = map[SpecialStatus]string{
	"0": "NO_STATUS",
	"1": "WHITE_CANE",
	"2": "EXTENDED_MINORITY",
	"3": "WHITE_CANE_EXTENDED_MINORITY",
	"4": "YELLOW_CANE",
	"5": "YELLOW_CANE_EXTENDED_MINORITY",
}

// Word is the status's word in the viewer's .eid XML, empty for a code not known here.
func (s SpecialStatus) Word() string { return statusWords[s.canonical()] }

func (s SpecialStatus) known() bool { return s.Word() != "" }

// canonical takes nothing for "0", and away the zero of a two-digit form.
func (s SpecialStatus) canonical() SpecialStatus {
	trimmed := strings.TrimLeft(string(s), "0")
	if trimmed == "" {
		return "0"
	}
	return SpecialStatus(trimmed)
}

// SpecialStatusOf is the status that the viewer's XML calls word; not ok if there is none.
func SpecialStatusOf(word string) (s SpecialStatus, ok bool) {
	for s, w := range statusWords {
		if w == word {
			return s, true
		}
	}
	return "", false
}

// mentionWords are the viewer's words for the one-letter codes of some fields (facts 10.1), by field.
var mentionWords = map[string]map[string]string{
	"workPermit":     {"7": "unlimited", "8": "limited", "9": "no", "A": "seasonal worker"},
	"brexitMention1": {"B": "Article 18(1) Agreement"},
	"brexitMention2": {"C": "Permanent stay"},
	"cardAMention1": {"A": "Seasonal worker", "D": "Student", "E": "Pupil", "F": "Intern", "G": "Volunteer", "H": "Au pair",
		"I": "Researcher mobility", "J": "Job search"},
	"cardAMention2": {"K": "Mobility program"},
}

// MentionWord is the viewer's XML word for a code of the field workPermit, brexitMention1, brexitMention2, cardAMention1 or
// cardAMention2; empty for a code or field not known here.
func MentionWord(field, code string) string { return mentionWords[field][code] }

// MentionOf is the code in field that the viewer's XML calls word; not ok if there is none.
func MentionOf(field, word string) (code string, ok bool) {
	for code, w := range mentionWords[field] {
		if w == word {
			return code, true
		}
	}
	return "", false
}
