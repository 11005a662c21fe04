package demosite

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// Declaration is what the citizen declares. Name, number and birth date are
// the site's own, from the login; address and persons are what he typed or
// took over from his card.
type Declaration struct {
	Surname, GivenNames, NISS string
	Address                   string
	Persons                   int
	Language                  string
	Number                    string // of the declaration
	Day                       time.Time
}

const (
	maxAddress = 200 // characters
	maxPersons = 30
)

var errDeclaration = errors.New("the declaration is not complete")

// check refuses what no honest page sends.
func (d *Declaration) check() error {
	switch {
	case d.Address == "" || utf8.RuneCountInString(d.Address) > maxAddress || !utf8.ValidString(d.Address):
		return fmt.Errorf("%w: an address has 1 to %d characters", errDeclaration, maxAddress)
	case strings.ContainsFunc(d.Address, unicode.IsControl):
		return fmt.Errorf("%w: an address is one line", errDeclaration)
	case d.Persons < 1 || d.Persons > maxPersons:
		return fmt.Errorf("%w: 1 to %d persons", errDeclaration, maxPersons)
	}
	return nil
}

// words are those of the document.
var words = map[string]struct{ title, intro, name, niss, address, persons, day, number, truth, demo string }{
	"en": {"Declaration of household", "I, the undersigned, declare:", "Name", "National number", "I live at", "Persons in my household", "Date", "Declaration number",
		"What I declare here is true and complete.", "DEMO: invented person, test card, no legal value."},
	"nl": {"Verklaring over het gezin", "Ik, ondergetekende, verklaar:", "Naam", "Rijksregisternummer", "Ik woon op", "Personen in mijn gezin", "Datum", "Nummer van de verklaring",
		"Wat ik hier verklaar is waar en volledig.", "DEMO: verzonnen persoon, testkaart, geen rechtswaarde."},
	"fr": {"Déclaration de ménage", "Je, soussigné(e), déclare :", "Nom", "Numéro national", "J’habite", "Personnes dans mon ménage", "Le", "Numéro de la déclaration",
		"Ce que je déclare ici est exact et complet.", "DÉMO : personne inventée, carte de test, sans valeur légale."},
	"de": {"Erklärung zum Haushalt", "Ich, der/die Unterzeichnete, erkläre:", "Name", "Nationalregisternummer", "Ich wohne in", "Personen in meinem Haushalt", "Datum", "Nummer der Erklärung",
		"Was ich hier erkläre, ist wahr und vollständig.", "DEMO: erfundene Person, Testkarte, ohne Rechtswert."},
}

// rows are label and value, in the order in which they are shown.
func (d *Declaration) rows() [][2]string {
	w := words[d.Language]
	return [][2]string{{w.name, d.GivenNames + " " + d.Surname}, {w.niss, d.NISS}, {w.address, d.Address},
		{w.persons, fmt.Sprint(d.Persons)}, {w.day, d.Day.Format(time.DateOnly)}, {w.number, d.Number}}
}

// XML is the declaration as canonical XML: what a signature over all of it
// covers is, once the signature is taken out, these bytes again.
func (d *Declaration) XML() []byte {
	var b bytes.Buffer
	text := func(name, value string) {
		fmt.Fprintf(&b, "<%s>", name)
		_ = xml.EscapeText(&b, []byte(value)) // a bytes.Buffer takes everything
		fmt.Fprintf(&b, "</%s>", name)
	}
	fmt.Fprintf(&b, `<declaration xmlns="urn:eidkit:demo:declaration:1" language="%s">`, d.Language)
	text("number", d.Number)
	text("day", d.Day.Format(time.DateOnly))
	text("surname", d.Surname)
	text("givenNames", d.GivenNames)
	text("nationalNumber", d.NISS)
	text("address", d.Address)
	text("persons", fmt.Sprint(d.Persons))
	text("statement", words[d.Language].truth)
	b.WriteString("</declaration>")
	return b.Bytes()
}

// PDF is the declaration on one page of A4, in a font that every reader has
// (ISO 32000-1, section 9.6.2.2) and the encoding of Windows for Western
// Europe. Characters beyond it become question marks.
func (d *Declaration) PDF() []byte {
	w := words[d.Language]
	var page bytes.Buffer
	line := func(font string, size, x, y float64, text string) {
		fmt.Fprintf(&page, "BT /%s %g Tf %g %g Td (%s) Tj ET\n", font, size, x, y, pdfText(text))
	}
	line("B", 20, 72, 760, w.title)
	line("R", 9, 72, 740, w.demo)
	line("R", 11, 72, 700, w.intro)
	y := 670.0
	for _, row := range d.rows() {
		line("B", 11, 72, y, row[0])
		for _, part := range wrap(row[1], 46) {
			line("R", 11, 240, y, part)
			y -= 16
		}
		y -= 6
	}
	line("R", 11, 72, y-14, w.truth)

	var b bytes.Buffer
	var offsets []int
	object := func(format string, args ...any) {
		offsets = append(offsets, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n", len(offsets))
		fmt.Fprintf(&b, format, args...)
		b.WriteString("\nendobj\n")
	}
	b.WriteString("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
	object("<< /Type /Catalog /Pages 2 0 R /Lang (%s) >>", d.Language)
	object("<< /Type /Pages /Kids [3 0 R] /Count 1 >>")
	object("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /R 5 0 R /B 6 0 R >> >> >>")
	object("<< /Length %d >>\nstream\n%sendstream", page.Len(), page.String())
	object("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>")
	object("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold /Encoding /WinAnsiEncoding >>")
	object("<< /Title (%s) >>", pdfText(w.title))
	xref := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(offsets)+1)
	for _, at := range offsets {
		fmt.Fprintf(&b, "%010d 00000 n \n", at)
	}
	fmt.Fprintf(&b, "trailer\n<< /Size %d /Root 1 0 R /Info 7 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(offsets)+1, xref)
	return b.Bytes()
}

// pdfText is text inside the parentheses of a PDF string.
func pdfText(s string) string {
	var b strings.Builder
	for _, r := range s {
		c, ok := charmap.Windows1252.EncodeRune(r)
		switch {
		case !ok || c < ' ':
			b.WriteByte('?')
		case c == '(' || c == ')' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c >= 0x7f:
			fmt.Fprintf(&b, "\\%03o", c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// wrap breaks text at blanks into lines of at most n characters.
func wrap(text string, n int) (lines []string) {
	for word := range strings.FieldsSeq(text) {
		last := len(lines) - 1
		if last >= 0 && utf8.RuneCountInString(lines[last])+1+utf8.RuneCountInString(word) <= n {
			lines[last] += " " + word
			continue
		}
		for utf8.RuneCountInString(word) > n {
			head := string([]rune(word)[:n])
			lines, word = append(lines, head), word[len(head):]
		}
		lines = append(lines, word)
	}
	return lines
}
