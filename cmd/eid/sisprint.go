package main

import (
	"fmt"
	"strconv"
	"time"

	"github.com/eidkit/eidkit/card/sis"
	"github.com/eidkit/eidkit/internal/beidfile"
	"github.com/eidkit/eidkit/internal/termview"
	"github.com/eidkit/eidkit/niss"
)

// sisTexts are what is printed of a SIS card, in the languages of its holders.
var sisTexts = map[string]map[string]string{
	"title": {"en": "SIS CARD", "nl": "SIS-KAART", "fr": "CARTE SIS", "de": "SIS-KARTE"},
	"notice": {
		"en": "The insurance data on SIS cards have not been kept up to date since 2014: the network decides. The card proves nothing.",
		"nl": "De verzekeringsgegevens op SIS-kaarten worden sinds 2014 niet meer bijgehouden: het netwerk beslist. De kaart bewijst niets.",
		"fr": "Les données d'assurance des cartes SIS ne sont plus tenues à jour depuis 2014 : le réseau décide. La carte ne prouve rien.",
		"de": "Die Versicherungsdaten auf SIS-Karten werden seit 2014 nicht mehr gepflegt: das Netz entscheidet. Die Karte beweist nichts.",
	},
	"issued":     {"en": "Issued", "nl": "Uitgereikt", "fr": "Délivrée le", "de": "Ausgestellt"},
	"number":     {"en": "Card number", "nl": "Kaartnummer", "fr": "Numéro de carte", "de": "Kartennummer"},
	"mutuality":  {"en": "Mutuality", "nl": "Ziekenfonds", "fr": "Mutualité", "de": "Krankenkasse"},
	"affiliate":  {"en": "Affiliation number", "nl": "Aansluitingsnummer", "fr": "Numéro d'affiliation", "de": "Mitgliedsnummer"},
	"insured":    {"en": "Insured, as on the card", "nl": "Verzekerd, volgens de kaart", "fr": "Assuré, selon la carte", "de": "Versichert, laut Karte"},
	"franchise":  {"en": "Social franchise", "nl": "Sociale franchise", "fr": "Franchise sociale", "de": "Soziale Franchise"},
	"closed":     {"en": "insurance data are enciphered: name the security module with --sam", "nl": "verzekeringsgegevens zijn versleuteld: geef de beveiligingsmodule op met --sam", "fr": "données d'assurance chiffrées : indiquez le module de sécurité avec --sam", "de": "Versicherungsdaten sind verschlüsselt: Sicherheitsmodul mit --sam angeben"},
	"absent":     {"en": "no insurance data on the card", "nl": "geen verzekeringsgegevens op de kaart", "fr": "pas de données d'assurance sur la carte", "de": "keine Versicherungsdaten auf der Karte"},
	"refused":    {"en": "the security module does not open the insurance data of this card", "nl": "de beveiligingsmodule opent de verzekeringsgegevens van deze kaart niet", "fr": "le module de sécurité n'ouvre pas les données d'assurance de cette carte", "de": "das Sicherheitsmodul öffnet die Versicherungsdaten dieser Karte nicht"},
	"over":       {"en": "the card is not valid today", "nl": "de kaart is vandaag niet geldig", "fr": "la carte n'est pas valable aujourd'hui", "de": "die Karte ist heute nicht gültig"},
	"unverified": {"en": "not authenticated: nothing on a SIS card is signed", "nl": "niet geauthenticeerd: niets op een SIS-kaart is ondertekend", "fr": "non authentifiée : rien n'est signé sur une carte SIS", "de": "nicht authentifiziert: auf einer SIS-Karte ist nichts signiert"},
}

// sisWarnings are the warnings about a SIS card, in the languages of its holders.
var sisWarnings = map[sis.Warning][4]string{ // en, nl, fr, de
	sis.HeaderOdd:      {sis.HeaderOdd.String(), "de kop is niet die van een gekende SIS-kaart", "l'en-tête n'est pas celui d'une carte SIS connue", "der Kopf ist nicht der einer bekannten SIS-Karte"},
	sis.DirectoryOdd:   {sis.DirectoryOdd.String(), "de inhoudstafel van de kaart is beschadigd of ongewoon", "le répertoire de la carte est endommagé ou inhabituel", "das Verzeichnis der Karte ist beschädigt oder ungewöhnlich"},
	sis.VersionUnknown: {sis.VersionUnknown.String(), "een bestand heeft een onbekende versie", "un fichier est d'une version inconnue", "eine Datei hat eine unbekannte Version"},
	sis.FillerOdd:      {sis.FillerOdd.String(), "vaste bytes tussen de velden zijn gewijzigd", "des octets fixes entre les champs ont été modifiés", "feste Bytes zwischen den Feldern wurden verändert"},
	sis.NumberWrong:    {sis.NumberWrong.String(), "het nummer van de sociale zekerheid klopt niet", "le numéro de sécurité sociale n'est pas correct", "die Sozialversicherungsnummer ist nicht richtig"},
	sis.NumberDiffers: {sis.NumberDiffers.String(), "het nummer van de sociale zekerheid past niet bij geboortedatum of geslacht", "le numéro de sécurité sociale ne correspond pas à la date de naissance ou au sexe",
		"die Sozialversicherungsnummer passt nicht zu Geburtsdatum oder Geschlecht"},
	sis.CopiesDiffer: {sis.CopiesDiffer.String(), "twee kopieën van dezelfde gegevens op de kaart verschillen", "deux copies des mêmes données sur la carte diffèrent", "zwei Kopien derselben Daten auf der Karte unterscheiden sich"},
	sis.DateWrong:    {sis.DateWrong.String(), "een datum op de kaart kan niet juist zijn", "une date sur la carte ne peut pas être correcte", "ein Datum auf der Karte kann nicht stimmen"},
	sis.ValidityOdd:  {sis.ValidityOdd.String(), "de geldigheid van de kaart eindigt voor ze begint", "la validité de la carte se termine avant de commencer", "die Gültigkeit der Karte endet, bevor sie beginnt"},
	sis.NameOdd:      {sis.NameOdd.String(), "een naam op de kaart kan niet juist zijn", "un nom sur la carte ne peut pas être correct", "ein Name auf der Karte kann nicht stimmen"},
	sis.SexUnknown:   {sis.SexUnknown.String(), "de code voor het geslacht is niet gekend", "le code du sexe n'est pas connu", "der Code für das Geschlecht ist nicht bekannt"},
	sis.NoInsurance:  {sis.NoInsurance.String(), "de kaart heeft geen verzekeringsgegevens", "la carte n'a pas de données d'assurance", "die Karte hat keine Versicherungsdaten"},
}

// warningWord begins a warning under a card.
var warningWord = [4]string{"warning: ", "waarschuwing: ", "avertissement : ", "Warnung: "}

// today is the day of a moment in the machine's time zone.
func today(now time.Time) niss.Date {
	return niss.Date{Year: now.Year(), Month: int(now.Month()), Day: now.Day()}
}

func (a *app) printSIS(r *sisReading, now time.Time) error {
	im := r.Image
	say := func(key string) string { return sisTexts[key][a.lang] }
	view := termview.Card{Title: "BELGIUM · " + say("title")}
	if r.test {
		view.Badge = " TEST CARD "
	}
	add := func(label, value string) {
		if value != "" {
			view.Rows = append(view.Rows, termview.Row{Label: label, Value: value})
		}
	}
	add(beidfile.Label("surname", a.lang), im.Surname)
	add(beidfile.Label("givenNames", a.lang), joined(im.FirstName, im.Initials))
	add(beidfile.Label("nationalNumber", a.lang), formatNumber(im.Number))
	add(beidfile.Label("birthDate", a.lang), im.Birth.String())
	add(beidfile.Label("sex", a.lang), beidfile.Sex(map[string]string{"male": "M", "female": "F"}[im.Sex.String()]).Label(a.lang))
	add(say("number"), strconv.FormatUint(uint64(im.LogicalNumber), 10))
	add(say("issued"), im.Issued.String())
	add(beidfile.Label("validity", a.lang), fmt.Sprintf("%s – %s", im.ValidFrom, im.ValidUntil))
	if i := r.Insurance; i != nil {
		view.Rows = append(view.Rows, termview.Row{})
		add(say("mutuality"), i.Mutuality)
		add(say("affiliate"), i.Affiliate)
		add(say("insured"), fmt.Sprintf("%s – %s", i.From, i.Until))
		add("CT1 / CT2", i.CT1+" / "+i.CT2)
		if i.Franchise != 0 {
			add(say("franchise"), strconv.Itoa(i.Franchise))
		}
	}
	view.Marks = []termview.Mark{{State: termview.Doubtful, Text: say("unverified")}}
	if !im.ValidOn(today(now)) {
		view.Marks = append(view.Marks, termview.Mark{State: termview.Bad, Text: say("over")})
	}
	if state := r.State(); state != "open" {
		view.Marks = append(view.Marks, termview.Mark{State: termview.Skipped, Text: say(state)})
	}
	for _, w := range im.Warnings {
		view.Notes = append(view.Notes, a.inLanguage(warningWord)+a.inLanguage(sisWarnings[w]))
	}
	view.Notes = append(view.Notes, say("notice"))
	return a.draw(a.out, view)
}

// sisDocument is the JSON of `eid sis` (docs/schema/sis.json).
type sisDocument struct {
	Schema        int               `json:"schema"`
	Card          sisCard           `json:"card"`
	Holder        sisHolder         `json:"holder"`
	Insurance     sisInsurance      `json:"insurance"`
	Authenticated bool              `json:"authenticated"` // never: nothing on the card is signed
	TestCard      bool              `json:"testCard"`
	Notice        map[string]string `json:"notice"`
	Warnings      []sisWarning      `json:"warnings"`
}

type sisCard struct {
	Serial        string `json:"serial"`
	LogicalNumber uint32 `json:"logicalNumber"`
	Issued        string `json:"issued,omitempty"`
	ValidFrom     string `json:"validFrom,omitempty"`
	ValidUntil    string `json:"validUntil,omitempty"`
	ValidToday    bool   `json:"validToday"`
}

type sisHolder struct {
	NationalNumber string `json:"nationalNumber,omitempty"` // only if its check digits are right
	Number         string `json:"number,omitempty"`         // as it stands on the card
	Surname        string `json:"surname,omitempty"`
	FirstName      string `json:"firstName,omitempty"`
	Initials       string `json:"initials,omitempty"`
	Sex            string `json:"sex"`
	BirthDate      string `json:"birthDate,omitempty"`
}

type sisInsurance struct {
	State           string `json:"state"`
	Provider        string `json:"provider,omitempty"` // whose module was asked
	Mutuality       string `json:"mutuality,omitempty"`
	Affiliate       string `json:"affiliationNumber,omitempty"`
	From            string `json:"from,omitempty"`
	Until           string `json:"until,omitempty"`
	CT1             string `json:"ct1,omitempty"`
	CT2             string `json:"ct2,omitempty"`
	SocialFranchise int    `json:"socialFranchise,omitempty"`
	Key1            string `json:"key1,omitempty"`
	Key2            string `json:"key2,omitempty"`
}

type sisWarning struct {
	Code string `json:"code"`
	Text string `json:"text"`
}

func (r *sisReading) document(now time.Time) sisDocument {
	im := r.Image
	d := sisDocument{
		Schema: 1, TestCard: r.test, Notice: sisTexts["notice"], Warnings: []sisWarning{},
		Card:      sisCard{upperHex(im.Serial), im.LogicalNumber, im.Issued.String(), im.ValidFrom.String(), im.ValidUntil.String(), im.ValidOn(today(now))},
		Holder:    sisHolder{string(im.NISS), im.Number, im.Surname, im.FirstName, im.Initials, im.Sex.String(), im.Birth.String()},
		Insurance: sisInsurance{State: r.State(), Provider: r.Provider},
	}
	if i := r.Insurance; i != nil {
		d.Insurance = sisInsurance{"open", r.Provider, i.Mutuality, i.Affiliate, i.From.String(), i.Until.String(), i.CT1, i.CT2, i.Franchise,
			upperHex(i.Key1), upperHex(i.Key2)}
	}
	for _, w := range im.Warnings {
		d.Warnings = append(d.Warnings, sisWarning{string(w), w.String()})
	}
	return d
}
