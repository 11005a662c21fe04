package service

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/eidkit/eidkit/agent/access"
	"github.com/eidkit/eidkit/agent/cards"
	"github.com/eidkit/eidkit/agent/reading"
	"github.com/eidkit/eidkit/card/beid"
	"github.com/eidkit/eidkit/card/beid/saved"
)

// fieldAddress is the address among the fields, all of it.
const fieldAddress = "address"

// Lengths of what a client writes in his own words, in bytes.
const (
	maxPurpose = 400
	maxText    = 200
)

// identityParams are those of identity.read.
type identityParams struct {
	CardID  string   `json:"cardId"`
	Fields  []string `json:"fields"`
	Photo   bool     `json:"photo"`
	Purpose string   `json:"purpose"`
}

// cardReading says how the person was identified, as the law has it kept.
type cardReading struct {
	Mode          string `json:"mode"`         // chip, file
	DocumentType  string `json:"documentType"` // eID
	CardNumber    string `json:"cardNumber,omitempty"`
	Authenticated bool   `json:"authenticated"`
}

// verified is each property of what was read.
type verified struct {
	Identity saved.Check `json:"identity"`
	Address  saved.Check `json:"address"`
	Photo    saved.Check `json:"photo"`
	Chip     saved.Check `json:"chipNumber"`
	BasicKey saved.Check `json:"basicKey"`
	ChipKey  saved.Check `json:"chipKey"`
	Chain    saved.Check `json:"chain"`
}

// identityResult is that of identity.read and card.load.
type identityResult struct {
	CardID       string                     `json:"cardId,omitempty"`
	Reading      cardReading                `json:"reading"`
	Identity     map[string]json.RawMessage `json:"identity"`
	Card         map[string]json.RawMessage `json:"card,omitempty"`
	Address      *saved.AddressPart         `json:"address,omitempty"`
	Photo        []byte                     `json:"photo,omitempty"`
	Certificates []certificate              `json:"certificates,omitempty"` // of card.load
	Verified     verified                   `json:"verified"`
	Trusted      bool                       `json:"trusted"`
	TestCard     bool                       `json:"testCard"`
	Warnings     []string                   `json:"warnings"`
}

// identityRead is identity.read.
func (s *Service) identityRead(ctx context.Context, c *Call) (any, error) {
	var p identityParams
	if err := params(c, &p); err != nil {
		return nil, err
	}
	fields, err := fieldsOf(p.Fields, p.Photo)
	if err != nil {
		return nil, err
	}
	if err := checkText("purpose", p.Purpose, maxPurpose); err != nil {
		return nil, err
	}
	var result identityResult
	op := operation{method: "identity.read", kind: access.OpIdentity, fields: fields, purpose: p.Purpose, cardID: p.CardID, cards: eidOnly, role: "patient"}
	err = s.do(ctx, c, op, func(ctx context.Context, t *task) error {
		r, err := t.read(ctx, t.pass.Fields())
		if err != nil {
			return err
		}
		result, err = answerOf(r, t.pass.Fields())
		result.CardID, result.Reading.Mode = t.card.CardID, "chip"
		return err
	})
	if err != nil {
		return nil, err
	}
	return result, nil
}

// read reads of the card what the fields need.
func (t *task) read(ctx context.Context, fields []string) (*reading.Reading, error) {
	var r *reading.Reading
	err := t.use(ctx, func(ctx context.Context, c *beid.Card) error {
		o, err := t.readingOptions(ctx, c, fields)
		if err == nil {
			r, err = reading.Read(ctx, c, o)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	t.outcome.NISS, t.outcome.CardKind = r.Identity.NationalNumber, string(cards.EID)
	return r, nil
}

// readingOptions are those that read what the fields need. A chip whose signed
// identity names a key of its own, or that is of a kind that has one, is to prove
// that it is no copy; others cannot.
func (t *task) readingOptions(ctx context.Context, c *beid.Card, fields []string) (reading.Options, error) {
	o := reading.Options{Address: slices.Contains(fields, fieldAddress), Photo: slices.Contains(fields, access.FieldPhoto),
		Challenge: c.CardData().AppletVersion >= applet18, Anchors: t.s.o.Anchors, Memory: t.s.o.Hub.Memory(t.card.CardID), Now: t.s.o.Now,
		Progress: func(file string, _ *beid.Identity, _ bool) { progress(t.call, file, 0, 0) }}
	if _, err := c.Files(ctx, beid.FileIdentity); err != nil {
		return o, err
	}
	if id, err := c.Identity(ctx); err != nil || len(id.BasicKeyHash) > 0 { // what is wrong with it, reading.Read says
		o.Challenge = true
	}
	return o, nil
}

// applet18 is the first applet whose chips have a key of their own.
const applet18 = 0x18

// fieldsOf checks the fields that a client asks for, and adds the photo.
func fieldsOf(asked []string, photo bool) ([]string, error) {
	known := access.IdentityFields()
	var fields []string
	for _, f := range asked {
		if !slices.Contains(known, f) {
			return nil, invalid("fields: there is no field %.40q", f)
		}
		if slices.Contains(fields, f) {
			return nil, invalid("fields: %s stands there twice", f)
		}
		fields = append(fields, f)
	}
	if photo {
		fields = append(fields, access.FieldPhoto)
	}
	if len(fields) == 0 {
		return nil, invalid("fields: nothing is asked for")
	}
	return fields, nil
}

// answerOf is what of a reading the fields name: nothing else of the holder is in it.
func answerOf(r *reading.Reading, fields []string) (identityResult, error) {
	d, err := r.Document()
	if err != nil {
		return identityResult{}, err
	}
	res := identityResult{Reading: cardReading{DocumentType: "eID", Authenticated: r.Authenticated()}, Trusted: r.Trusted(), TestCard: r.TestCard,
		Warnings: append([]string{}, d.Warnings...), Identity: map[string]json.RawMessage{}}
	if v := d.Verification; v != nil {
		res.Verified = verified{v.Identity, v.Address, v.Photo, v.Chip, v.BasicKey, v.ChipKey, v.Chain}
	}
	if res.Identity, err = pick(d.Identity, fields); err != nil {
		return identityResult{}, err
	}
	if res.Card, err = pick(d.Card, fields); err != nil {
		return identityResult{}, err
	}
	if slices.Contains(fields, "cardNumber") {
		res.Reading.CardNumber = d.Card.CardNumber
	}
	if slices.Contains(fields, fieldAddress) {
		res.Address = d.Address
	}
	if slices.Contains(fields, access.FieldPhoto) && d.Photo != nil {
		res.Photo = d.Photo.Data
	}
	return res, nil
}

// pick is what a part of a document has under the names given.
func pick(part any, names []string) (map[string]json.RawMessage, error) {
	b, err := json.Marshal(part)
	if err != nil {
		return nil, err
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(b, &all); err != nil {
		return nil, err
	}
	picked := map[string]json.RawMessage{}
	for _, name := range names {
		if v, ok := all[name]; ok {
			picked[name] = v
		}
	}
	return picked, nil
}

// checkText refuses a client's words that are too long or that no dialog could show as they are.
func checkText(name, s string, most int) error {
	if len(s) > most {
		return invalid("%s has at most %d bytes", name, most)
	}
	if strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7F || r == '\uFFFD' }) {
		return invalid("%s: no control characters", name)
	}
	return nil
}
