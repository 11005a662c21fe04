// Package patient takes from a card who the patient is, and puts him together
// with what the insurers' network answers: for the command and for the agent.
//
// Start with OfEID or OfSIS, then Patient.About for the question, and
// Result.Document for the JSON of the answer (docs/schema/insurability.json).
//
// Out of scope: reading cards (agent/reading, card/sis), asking the network
// (verify/assurability), and who may ask.
//
// References: facts sheet "assurability", sections d and g.
package patient

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/eidkit/eidkit/agent/reading"
	"github.com/eidkit/eidkit/card"
	"github.com/eidkit/eidkit/card/beid"
	"github.com/eidkit/eidkit/card/sis"
	"github.com/eidkit/eidkit/niss"
	"github.com/eidkit/eidkit/verify/assurability"
	"github.com/eidkit/eidkit/verify/carddata"
)

// Why nobody is asked about the holder of a card.
var (
	// ErrForged: the data on the card fail their checks.
	ErrForged = errors.New("the data on the card fail their checks: nothing is asked about its holder")
	// ErrNumber: the national number is none.
	ErrNumber = errors.New("the national number on the card is not right: nobody can be asked about")
)

// Patient is the holder of a card.
type Patient struct {
	OnCard assurability.OnCard // FirstName is set by Result.Differences
	Given  string              // all given names

	Kind      string // "eid", "sis"
	Number    string // of the card
	Authentic bool   // a chain to an anchor vouches for the identity; never of a SIS card
	Insurance string // of a SIS card: "open", "closed", "absent" or "refused"
	TestCard  bool
}

// OfEID is the holder of an eID that was read and verified. Errors: ErrForged, ErrNumber.
func OfEID(r *reading.Reading) (*Patient, error) {
	if r.Failed() {
		return nil, ErrForged
	}
	id := r.Identity
	number, err := niss.Parse(id.NationalNumber)
	if err != nil {
		return nil, ErrNumber
	}
	return &Patient{Given: id.GivenNames, Kind: "eid", Number: id.CardNumber, TestCard: r.TestCard,
		Authentic: r.Checks != nil && r.Checks.Identity.Status == carddata.Held && r.Checks.Chain.Status == carddata.Held,
		OnCard: assurability.OnCard{NISS: number, Surname: id.Surname, Sex: sexOf(id),
			Birth: wholeDate(niss.Date{Year: id.Birth.Year, Month: id.Birth.Month, Day: id.Birth.Day})}}, nil
}

// OfSIS is the holder of a SIS card that was read. Errors: ErrNumber.
func OfSIS(s *SIS) (*Patient, error) {
	im := s.Image
	if im.NISS == "" {
		return nil, ErrNumber
	}
	p := &Patient{Given: im.FirstName, Kind: "sis", Number: strconv.FormatUint(uint64(im.LogicalNumber), 10), Insurance: s.State(),
		OnCard: assurability.OnCard{NISS: im.NISS, Surname: im.Surname, Birth: wholeDate(im.Birth), Sex: im.Sex}}
	if i := s.Insurance; i != nil {
		on := &p.OnCard
		on.Mutuality, on.Affiliate, on.From, on.Until, on.CT1, on.CT2, on.Franchise = i.Mutuality, i.Affiliate, i.From, i.Until, i.CT1, i.CT2, i.Franchise
	}
	return p, nil
}

// About puts the patient into a question: who he is, and how that is known.
func (p *Patient) About(q *assurability.Question) {
	document := "eID"
	if p.Kind == "sis" {
		document = "SIS"
	}
	q.Patient = assurability.Patient{NISS: p.OnCard.NISS}
	q.Reading = assurability.Reading{Mode: "chip", Document: document, Number: p.Number}
}

// SIS is a SIS card that was read.
type SIS struct {
	Image     *sis.Image
	Provider  string         // whose security module was asked; empty: none
	Insurance *sis.Insurance // nil: not opened
	Refused   error          // why the module did not open the insurance data
}

// ReadSIS reads the card in a reader, and its insurance data by the security
// module in another, if module is not nil. Errors: those of package sis.
func ReadSIS(ctx context.Context, r, module card.Reader) (*SIS, error) {
	im, err := sis.Read(ctx, r)
	if err != nil {
		return nil, err
	}
	s := &SIS{Image: im}
	if module == nil {
		return s, nil
	}
	return s, s.Unseal(ctx, module)
}

// Unseal has the security module in a reader open the insurance data. That it
// does not is no error: see Refused.
func (s *SIS) Unseal(ctx context.Context, module card.Reader) error {
	m, err := sis.OpenModule(ctx, module)
	if err != nil {
		return err
	}
	defer m.Close()
	s.Provider = m.Provider()
	if s.Insurance, err = m.Open(ctx, s.Image); errors.Is(err, sis.ErrSealed) {
		s.Refused, err = err, nil
	}
	return err
}

// State says in a word what is known of the insurance data: open, closed, absent or refused.
func (s *SIS) State() string {
	switch {
	case s.Insurance != nil:
		return "open"
	case s.Image.Sealed == nil:
		return "absent"
	case s.Refused != nil:
		return "refused"
	}
	return "closed"
}

func sexOf(id *beid.Identity) niss.Sex {
	switch id.Sex.Label("en") {
	case "M":
		return niss.Male
	case "F":
		return niss.Female
	}
	return niss.Unknown
}

// wholeDate is a birth date that can be compared: of some, only the year is known.
func wholeDate(d niss.Date) niss.Date {
	if d.Month == 0 || d.Day == 0 {
		return niss.Date{}
	}
	return d
}

// firstNameAs is as many of the given names as the network tells.
func firstNameAs(given, network string) string {
	if n := len(network); n > 0 && n < len(given) && given[n] == ' ' && strings.EqualFold(given[:n], network) {
		return given[:n]
	}
	return given
}

// Contacts are the kinds of care by the words for them.
var Contacts = map[string]assurability.Contact{"ambulatory": assurability.Ambulatory, "day": assurability.DayHospital,
	"hospital": assurability.Hospitalised, "other": assurability.OtherContact}

// Modes are how a number can come that is on no chip, and NeedsReason those of
// them for which the law has it kept why there was none.
var (
	Modes       = []string{"barcode", "vignette", "manual"}
	NeedsReason = []string{"vignette", "manual"}
)
