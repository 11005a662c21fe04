package service

import (
	"math"
	"path"
	"strconv"
	"strings"

	"github.com/eidkit/eidkit/agent/desk"
	"github.com/eidkit/eidkit/agent/protocol"
	"github.com/eidkit/eidkit/sign"
)

// signParams are those of sign.document.
type signParams struct {
	Documents []protocol.DocumentID `json:"documentIds"`
	Format    string                `json:"format"`
	Level     string                `json:"level"`
	Packaging string                `json:"packaging"`
	Reason    string                `json:"reason"`
	Location  string                `json:"location"`
	Contact   string                `json:"contact"`
	Role      string                `json:"role"`
	Field     string                `json:"field"`
	Visible   *visible              `json:"visible"`
	Certify   int                   `json:"certify"`
	Purpose   string                `json:"purpose"`
	CardID    string                `json:"cardId"`
}

// visible is how a signature looks on a page of a PDF.
type visible struct {
	Page  int       `json:"page"`
	Rect  []float64 `json:"rect"`  // none, or four
	Photo bool      `json:"photo"` // the card's, beside the name
}

// formats are the formats with what is made of a name: the ending, and the media type.
var formats = map[sign.Format]struct{ ending, mediaType string }{
	sign.FormatPAdES: {".pdf", "application/pdf"},
	sign.FormatXAdES: {".xml", "application/xml"},
	sign.FormatCAdES: {".p7m", "application/pkcs7-mime"},
	sign.FormatASiCE: {".asice", "application/vnd.etsi.asic-e+zip"},
}

var levels = map[string]sign.Level{"b": sign.B, "t": sign.T, "lt": sign.LT, "lta": sign.LTA}

var packagings = map[string]sign.Packaging{"": sign.Auto, "enveloping": sign.Enveloping, "enveloped": sign.Enveloped, "detached": sign.Detached}

// check refuses what makes no sense before anybody is asked. The rest sign.Prepare refuses.
func (p *signParams) check() error {
	for _, text := range []struct {
		name, value string
		most        int
	}{{"reason", p.Reason, maxText}, {"location", p.Location, maxText}, {"contact", p.Contact, maxText}, {"role", p.Role, maxText},
		{"field", p.Field, maxText}, {"purpose", p.Purpose, maxPurpose}} {
		if err := checkText(text.name, text.value, text.most); err != nil {
			return err
		}
	}
	format := sign.Format(p.Format)
	_, known := formats[format]
	_, knownLevel := levels[p.Level]
	_, knownPackaging := packagings[p.Packaging]
	pdf := p.Reason != "" || p.Location != "" || p.Contact != "" || p.Field != "" || p.Visible != nil || p.Certify != 0
	switch {
	case !known:
		return invalid("format: pades, xades, cades or asice")
	case !knownLevel:
		return invalid("level: b, t, lt or lta")
	case !knownPackaging:
		return invalid("packaging: enveloping, enveloped or detached")
	case pdf && format != sign.FormatPAdES:
		return invalid("reason, location, contact, field, visible and certify are for pades")
	case p.Certify < 0 || p.Certify > 3:
		return invalid("certify: 1, 2 or 3")
	case len(p.Documents) > 1 && format != sign.FormatASiCE && !(format == sign.FormatXAdES && packagings[p.Packaging] != sign.Enveloped):
		return invalid("documentIds: several documents share a signature in asice, or xades that is enveloping or detached")
	}
	if p.Visible == nil {
		return nil
	}
	if n := len(p.Visible.Rect); n != 0 && n != 4 {
		return invalid("visible.rect: left, bottom, right and top")
	}
	for _, v := range p.Visible.Rect {
		if math.Abs(v) > 1e6 {
			return invalid("visible.rect: not on any page")
		}
	}
	return nil
}

// statements are what the client has signed beside the documents, which no document shows.
func (p *signParams) statements() (list []desk.Statement) {
	for _, s := range []desk.Statement{{Kind: desk.StatementReason, Text: p.Reason}, {Kind: desk.StatementRole, Text: p.Role},
		{Kind: desk.StatementLocation, Text: p.Location}, {Kind: desk.StatementContact, Text: p.Contact}} {
		if s.Text != "" {
			list = append(list, s)
		}
	}
	if p.Certify != 0 {
		list = append(list, desk.Statement{Kind: desk.StatementCertify, Text: strconv.Itoa(p.Certify)})
	}
	return list
}

// options are what the signature is to be like. progress is told how far it is.
func (p *signParams) options(base sign.Options, language string, photo []byte, progress func(sign.Progress)) sign.Options {
	o := base
	o.Level, o.Packaging, o.Progress = levels[p.Level], packagings[p.Packaging], progress
	if p.Role != "" {
		o.Claims.Roles = []string{p.Role}
	}
	o.PDF = sign.PDF{Reason: p.Reason, Location: p.Location, Contact: p.Contact, Field: p.Field, Certify: p.Certify}
	if v := p.Visible; v != nil {
		o.PDF.Visible = &sign.Visible{Page: v.Page, Language: language, Image: photo}
		copy(o.PDF.Visible.Rect[:], v.Rect)
	}
	return o
}

// signedName is what the signed file is called.
func (p *signParams) signedName(document string) (name, mediaType string) {
	f := formats[sign.Format(p.Format)]
	stem, ending := strings.TrimSuffix(document, path.Ext(document)), f.ending
	switch {
	case packagings[p.Packaging] == sign.Detached && sign.Format(p.Format) == sign.FormatCAdES:
		return document + ".p7s", "application/pkcs7-signature"
	case sign.Format(p.Format) == sign.FormatCAdES:
		return document + ending, f.mediaType
	}
	return stem + "-signed" + ending, f.mediaType
}
