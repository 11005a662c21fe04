package main

import (
	"bytes"
	"fmt"
	"image"
	_ "image/jpeg" // the photo
	"io"
	"os"

	"github.com/eidkit/eidkit/agent/reading"
	"github.com/eidkit/eidkit/card/beid"
	"github.com/eidkit/eidkit/internal/beidfile"
	"github.com/eidkit/eidkit/internal/termview"
	"github.com/eidkit/eidkit/niss"
	"github.com/eidkit/eidkit/verify/carddata"
	"golang.org/x/term"
)

// printCard draws what was read for a person.
func (a *app) printCard(w io.Writer, r *reading.Reading) error {
	id := r.Identity
	view := termview.Card{
		Title: "BELGIUM · " + id.DocumentType.Label(a.lang),
		Rows:  cardRows(id, r.Address, a.lang),
		Marks: append(checkMarks(r.Checks), gapMarks(r)...),
		Photo: decodePhoto(r.Files.Photo),
	}
	if r.TestCard {
		view.Badge = " TEST CARD "
	}
	for _, warning := range r.Warnings {
		view.Notes = append(view.Notes, "warning: "+warning)
	}
	return a.draw(w, view)
}

// draw draws a card as the stream allows: in colours and its width for a terminal.
func (a *app) draw(w io.Writer, view termview.Card) error {
	colors, width := termview.NoColors, 80
	if isTerminal(w) {
		colors = termview.Detect(os.Getenv)
		if columns, _, err := term.GetSize(int(w.(*os.File).Fd())); err == nil {
			width = columns
		}
	}
	return termview.Write(w, view, colors, width)
}

// cardRows are the printed fields, empty ones left out.
func cardRows(id *beid.Identity, address *beid.Address, lang string) []termview.Row {
	var rows []termview.Row
	add := func(field, value string) {
		if value != "" {
			rows = append(rows, termview.Row{Label: beidfile.Label(field, lang), Value: value})
		}
	}
	add("surname", id.Surname)
	add("givenNames", joined(id.GivenNames, id.ThirdInitial))
	add("nationalNumber", formatNumber(id.NationalNumber))
	birth := id.BirthText
	if birth == "" && !id.Birth.IsZero() { // a saved form keeps the date alone
		birth = id.Birth.String()
	}
	add("birthDate", birth)
	add("birthPlace", id.BirthPlace)
	add("sex", id.Sex.Label(lang))
	add("nationality", id.Nationality)
	add("nobleCondition", id.NobleCondition)
	if id.SpecialStatus != "" && id.SpecialStatus != "0" {
		add("specialStatus", id.SpecialStatus.Label(lang))
	}
	if address != nil {
		add("address", joined(address.StreetAndNumber+",", joined(address.Zip, address.Municipality)))
	}
	add("cardNumber", formatCard(id.CardNumber))
	add("validity", fmt.Sprintf("%s – %s", id.ValidFrom, id.ValidUntil))
	add("deliveryMunicipality", id.DeliveryMunicipality)
	for _, m := range []struct{ field, code string }{
		{"workPermit", id.WorkPermit}, {"brexitMention1", id.BrexitMention1}, {"brexitMention2", id.BrexitMention2},
		{"cardAMention1", id.CardAMention1}, {"cardAMention2", id.CardAMention2},
	} {
		if m.code != "" {
			add(m.field, beidfile.CodeLabel(m.field, m.code, lang))
		}
	}
	add("employerVAT1", id.EmployerVAT1)
	add("employerVAT2", id.EmployerVAT2)
	add("regionalFile", id.RegionalFile)
	add("protectionDateCountry", id.ProtectionDateCountry)
	if !id.EUStart.IsZero() {
		add("euStart", id.EUStart.String())
	}
	return rows
}

func joined(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + " " + b
}

// formatNumber prints a national number with its dots, or as it stands if it is none.
func formatNumber(s string) string {
	if n, err := niss.Parse(s); err == nil {
		return n.Format()
	}
	return s
}

func formatCard(s string) string {
	if n, err := niss.ParseCard(s); err == nil {
		return n.Format()
	}
	return s
}

// checkTexts says in words what each check of carddata is about.
var checkTexts = map[string]string{
	"identity":   "identity signed by the national register",
	"address":    "address signed by the national register",
	"photo":      "photo is the one of this identity",
	"chipNumber": "chip is the one of this identity",
	"basicKey":   "chip key is the one of this identity",
	"chipKey":    "chip proved that it is no copy",
	"chain":      "national register's certificate leads to a trusted root",
}

// signedTexts is what a signature shows while nobody vouches for the key behind it.
var signedTexts = map[string]string{
	"identity": "identity signed, by a key that is not known to be the national register's",
	"address":  "address signed, by the same key",
}

// checkMarks turns the result into lines. Checks that do not apply are left out.
func checkMarks(r *carddata.Result) []termview.Mark {
	if r == nil {
		return []termview.Mark{{State: termview.Doubtful, Text: "nothing was verified, as asked (--no-verify)"}}
	}
	var marks []termview.Mark
	for _, named := range r.Checks() {
		c, text := named.Check, checkTexts[named.Name]
		switch {
		case c.Status == carddata.Held && r.Chain.Status != carddata.Held && signedTexts[named.Name] != "":
			marks = append(marks, termview.Mark{State: termview.Doubtful, Text: signedTexts[named.Name]})
		case c.Status == carddata.Held:
			marks = append(marks, termview.Mark{State: termview.Good, Text: text})
		case c.Status == carddata.Failed:
			marks = append(marks, termview.Mark{State: termview.Bad, Text: "NOT TRUE: " + text + ": " + c.Reason})
		case c.Status == carddata.Untrusted:
			marks = append(marks, termview.Mark{State: termview.Doubtful, Text: "NOT TRUSTED: " + c.Reason})
		case c.Unproven():
			marks = append(marks, termview.Mark{State: termview.Doubtful, Text: "NOT PROVEN: " + text + ": " + c.Reason})
		}
	}
	for _, w := range r.Weak {
		marks = append(marks, termview.Mark{State: termview.Doubtful, Text: "weak by today's measure: " + w})
	}
	return marks
}

// gapMarks says what is promised and missing, and that a card without an address has none.
func gapMarks(r *reading.Reading) []termview.Mark {
	var marks []termview.Mark
	for _, gap := range r.Gaps {
		marks = append(marks, termview.Mark{State: termview.Doubtful, Text: "MISSING: " + gap})
	}
	if r.Address == nil && len(r.Gaps) == 0 {
		marks = append(marks, termview.Mark{State: termview.Skipped, Text: "no address on the card"})
	}
	return marks
}

// decodePhoto is the photo as a picture, nil if it cannot be one of a card.
func decodePhoto(jpeg []byte) image.Image {
	c, _, err := image.DecodeConfig(bytes.NewReader(jpeg))
	if err != nil || c.Width > 1000 || c.Height > 1000 {
		return nil
	}
	img, _, err := image.Decode(bytes.NewReader(jpeg))
	if err != nil {
		return nil
	}
	return img
}
