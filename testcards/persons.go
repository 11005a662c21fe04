package testcards

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// person is the holder of a card. All are invented and say so in their surname.
type person struct {
	language       string // of the card: nl, fr, de
	surname        string
	givenNames     string
	third          string // first letter of the third given name
	female         bool
	year           int
	month, day     int // 0: unknown
	birthPlace     string
	nationality    string // as printed, in the card's language
	country        string // ISO 3166, for the certificates
	noble          string
	nationalNumber string
	street         string
	zip, town      string
}

type town struct{ zip, name string }

// tongue is what people of one language are made of.
type tongue struct {
	surnames, men, women []string
	towns                []town
	streets              []string
	belgian              string
	letters              string // third given name
}

var languages = []string{"nl", "fr", "de"}

var tongues = map[string]tongue{
	"nl": {
		surnames: []string{"Peeters", "Wouters", "Van den Broeck", "De Smedt", "Claes", "Verhulst", "Goossens", "Lemmens"},
		men:      []string{"Pieter Jozef", "Bram", "Wannes Kamiel", "Ruben", "Joost Willem", "Lowie", "Thijs Andreas"},
		women:    []string{"Marijke Anna", "Lotte", "Griet Helena", "Noor", "Katrien Zoë", "Femke", "Hanne Margriet"},
		towns:    []town{{"2000", "Antwerpen"}, {"9000", "Gent"}, {"3000", "Leuven"}, {"8000", "Brugge"}, {"3930", "Hamont-Achel"}, {"2800", "Mechelen"}},
		streets:  []string{"Specimenstraat", "Voorbeeldlaan", "Proefkaartplein", "Modelsteenweg"},
		belgian:  "Belg",
		letters:  "ACEJLMPR",
	},
	"fr": {
		surnames: []string{"Lambert", "Dubois", "Lefèvre", "Renard", "François", "Delvaux", "Gérard", "Noël"},
		men:      []string{"Jérôme André", "Benoît", "Luc François", "Théo", "Marc-Antoine", "Gaël Émile", "Didier"},
		women:    []string{"Hélène Marie", "Chloé", "Anaïs Françoise", "Céline", "Eléonore Claire", "Inès", "Maïté Odile"},
		towns:    []town{{"4000", "Liège"}, {"5000", "Namur"}, {"7000", "Mons"}, {"1000", "Bruxelles"}, {"6800", "Libramont-Chevigny"}, {"1300", "Wavre"}},
		streets:  []string{"Rue du Spécimen", "Avenue de l'Exemple", "Place de l'Épreuve", "Chaussée du Modèle"},
		belgian:  "Belge",
		letters:  "AEÉJLMPR",
	},
	"de": {
		surnames: []string{"Müller", "Schröder", "Weiß", "Königs", "Maraite", "Jost", "Thönnes", "Heinen"},
		men:      []string{"Jürgen Karl", "Lukas", "Björn Matthias", "Günther", "Klaus Peter", "Felix"},
		women:    []string{"Käthe Maria", "Greta", "Annelöre Sophie", "Ursula", "Lena Jule", "Bärbel"},
		towns:    []town{{"4700", "Eupen"}, {"4780", "Sankt Vith"}, {"4760", "Büllingen"}, {"4730", "Raeren"}},
		streets:  []string{"Musterstraße", "Probeweg", "Am Beispiel", "Modellgasse"},
		belgian:  "Belgier",
		letters:  "AEJKLMÖ",
	},
}

// origin is where a foreigner comes from.
type origin struct {
	country    string
	group      originGroup
	name       map[string]string // nationality by language of the card
	place      string
	surnames   []string
	men, women []string
}

// originGroup decides which document types people have.
type originGroup int

const (
	elsewhere originGroup = iota
	european
	british
)

// groupOf is the group that gets a document type: EU and E cards for citizens of the Union and their like, M and N for Britons.
func groupOf(documentType string) originGroup {
	switch documentType {
	case "15", "16", "31", "32", "61", "62":
		return european
	case "22", "23", "69":
		return british
	}
	return elsewhere
}

var origins = []origin{
	{"NL", european, map[string]string{"nl": "Nederland", "fr": "Pays-Bas", "de": "Niederlande"}, "Utrecht", []string{"Jansen", "De Vries"}, []string{"Daan"}, []string{"Sanne"}},
	{"FR", european, map[string]string{"nl": "Frankrijk", "fr": "France", "de": "Frankreich"}, "Besançon", []string{"Bérenger", "Moreau"}, []string{"Loïc"}, []string{"Aurélie"}},
	{"MA", elsewhere, map[string]string{"nl": "Marokko", "fr": "Maroc", "de": "Marokko"}, "Oujda", []string{"El Amrani", "Benali"}, []string{"Youssef"}, []string{"Naïma"}},
	{"GB", british, map[string]string{"nl": "Verenigd Koninkrijk", "fr": "Royaume-Uni", "de": "Vereinigtes Königreich"}, "Leeds", []string{"Ashworth", "Fairley"}, []string{"Oliver James"}, []string{"Heather"}},
	{"TR", elsewhere, map[string]string{"nl": "Turkije", "fr": "Turquie", "de": "Türkei"}, "Kayseri", []string{"Yıldırım", "Öztürk"}, []string{"Kerem"}, []string{"Elif"}},
	{"PL", european, map[string]string{"nl": "Polen", "fr": "Pologne", "de": "Polen"}, "Łódź", []string{"Wiśniewska", "Zieliński"}, []string{"Paweł"}, []string{"Małgorzata"}},
	{"CD", elsewhere, map[string]string{"nl": "Congo (Dem. Rep.)", "fr": "Congo (Rép. dém.)", "de": "Kongo (Dem. Rep.)"}, "Kinshasa", []string{"Mbuyi", "Ilunga"}, []string{"Dieudonné"}, []string{"Grâce"}},
}

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

// newPerson invents the holder of a card.
func newPerson(r *rand.Rand, s spec) person {
	p := person{language: pick(r, languages), female: r.IntN(2) == 0, country: "BE"}
	t := tongues[p.language]
	home := pick(r, t.towns)
	p.zip, p.town = home.zip, home.name
	p.street = fmt.Sprintf("%s %d", pick(r, t.streets), 1+r.IntN(180))
	p.surname, p.givenNames = pick(r, t.surnames), pick(r, t.men)
	if p.female {
		p.givenNames = pick(r, t.women)
	}
	p.nationality, p.birthPlace = t.belgian, pick(r, t.towns).name
	if r.IntN(3) == 0 {
		p.third = string(pick(r, []rune(t.letters)))
	}
	if s.foreignAuthority() {
		group := groupOf(s.documentType)
		p.comeFrom(pick(r, slices.DeleteFunc(slices.Clone(origins), func(o origin) bool { return o.group != group })), r)
	}
	p.surname += "-Specimen"
	p.year, p.month, p.day = 1950+r.IntN(55), 1+r.IntN(12), 1+r.IntN(28)
	if s.kind == kid {
		p.year = 2015 + r.IntN(6)
	}
	if s.yearOnly {
		p.year, p.month, p.day = 1938+r.IntN(20), 0, 0
	}
	if s.longNames {
		p.stretch()
	}
	p.nationalNumber = nationalNumber(p, r.IntN(49))
	return p
}

func (p *person) comeFrom(o origin, r *rand.Rand) {
	p.country, p.nationality, p.birthPlace = o.country, o.name[p.language], o.place
	p.surname, p.givenNames = pick(r, o.surnames), pick(r, o.men)
	if p.female {
		p.givenNames = pick(r, o.women)
	}
}

// become makes the person the one that a card is ordered for.
func (p *person) become(h *Holder) error {
	n := h.NationalNumber
	if len(n) != 11 || strings.Trim(n, "0123456789") != "" {
		return errors.New("the holder's national number has not 11 digits")
	}
	digits := make([]int, 11)
	for i, d := range n {
		digits[i] = int(d - '0')
	}
	two := func(i int) int { return 10*digits[i] + digits[i+1] }
	switch two(9) {
	case 97 - decimalMod97(n[:9]):
		p.year = 1900 + two(0)
	case 97 - decimalMod97("2"+n[:9]):
		p.year = 2000 + two(0)
	default:
		return errors.New("the check digits of the holder's national number are wrong")
	}
	p.nationalNumber, p.month, p.day, p.female = n, two(2)%20, two(4), digits[8]%2 == 0
	if p.month == 0 || p.month > 12 || p.day == 0 { // not known, or a number of the later series
		p.month, p.day = 0, 0
	}
	if h.Surname != "" {
		p.surname = h.Surname
	}
	if h.GivenNames != "" {
		p.givenNames, p.third = h.GivenNames, ""
	}
	return nil
}

// stretch fills every text to its greatest length in bytes (sheet 3.2 and 3.5).
func (p *person) stretch() {
	p.surname = stretched("Specimen van den Zéèêëçàâäöüïîôûùÿñßœæ-", 90)
	p.givenNames = stretched("Marie-Thérèse Françoise Anaïs Zoë ", 75)
	p.third = "Ö"
	p.nationality = stretched("Belgisch ", 65)
	p.birthPlace = stretched("Saint-Géréon-Spécimen ", 60)
	p.noble = stretched("Spécimen ", 30)
	p.town = stretched("Sankt-Söder-über-Specimen ", 47)
	p.street = stretched("Chaussée de l'Épreuve à Specimen 1234 bte 56 ", 60)
}

// stretched adds letters of two bytes to s until it has n bytes: more of one byte would be too many characters.
func stretched(s string, n int) string {
	letters := []rune("éèêëçàâäöüïîôûùÿñßœæ")
	for i := 0; len(s) < n; i++ {
		next := string(letters[i%len(letters)])
		if len(s)+len(next) > n {
			next = "n"
		}
		s += next
	}
	return s
}

// nationalNumber makes a valid number (sheet 12): the order numbers from 900 on, which no day needs, odd for men.
func nationalNumber(p person, order int) string {
	serial := 900 + 2*order
	if !p.female {
		serial++
	}
	nine := fmt.Sprintf("%02d%02d%02d%03d", p.year%100, p.month, p.day, serial)
	counted := nine
	if p.year >= 2000 {
		counted = "2" + nine
	}
	return nine + fmt.Sprintf("%02d", 97-decimalMod97(counted))
}

// citizenCardNumber is twelve digits; the last two are the first ten modulo 97, 97 for 0. Real numbers begin otherwise.
func citizenCardNumber(r *rand.Rand) string {
	ten := fmt.Sprintf("000%07d", 1+r.IntN(9_999_999))
	return ten + checkDigits(ten)
}

// foreignerCardNumber is B and nine digits by the same rule.
func foreignerCardNumber(r *rand.Rand) string {
	seven := fmt.Sprintf("00%05d", 1+r.IntN(99_999))
	return "B" + seven + checkDigits(seven)
}

func checkDigits(s string) string {
	m := decimalMod97(s)
	if m == 0 {
		m = 97
	}
	return fmt.Sprintf("%02d", m)
}

func decimalMod97(s string) int {
	m := 0
	for _, d := range s {
		m = (m*10 + int(d-'0')) % 97
	}
	return m
}

// sex is the letter on the card: women have one for each language.
func (p person) sex() string {
	if !p.female {
		return "M"
	}
	return map[string]string{"nl": "V", "fr": "F", "de": "W"}[p.language]
}

var monthNames = map[string]string{
	"nl": "JAN FEB MAAR APR MEI JUN JUL AUG SEP OKT NOV DEC",
	"fr": "JAN FEV MARS AVR MAI JUIN JUIL AOUT SEPT OCT NOV DEC",
	"de": "JAN FEB MÄR APR MAI JUN JUL AUG SEP OKT NOV DEZ",
}

// birthText is the birth date as the card has it in its language (sheet 3.3).
func (p person) birthText() string {
	if p.month == 0 {
		return fmt.Sprintf("%04d", p.year)
	}
	month := strings.Fields(monthNames[p.language])[p.month-1]
	if p.language != "de" {
		return fmt.Sprintf("%02d %s %d", p.day, month, p.year)
	}
	if text := fmt.Sprintf("%02d.%s. %d", p.day, month, p.year); len(text) <= 12 {
		return text
	}
	return fmt.Sprintf("%02d.%s.%d", p.day, month, p.year) // MÄR: the field has 12 bytes
}
