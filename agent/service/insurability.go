package service

import (
	"context"
	"slices"
	"time"

	"github.com/eidkit/eidkit/agent/access"
	"github.com/eidkit/eidkit/agent/audit"
	"github.com/eidkit/eidkit/agent/cards"
	"github.com/eidkit/eidkit/agent/gate"
	"github.com/eidkit/eidkit/agent/patient"
	"github.com/eidkit/eidkit/agent/protocol"
	"github.com/eidkit/eidkit/card"
	"github.com/eidkit/eidkit/niss"
	"github.com/eidkit/eidkit/verify/assurability"
)

// insurabilityParams are those of insurability.read.
type insurabilityParams struct {
	CardID  string `json:"cardId"`
	Date    string `json:"date"`
	Until   string `json:"until"`
	Service string `json:"service"`
	Contact string `json:"contact"`
	Purpose string `json:"purpose"`
	NISS    string `json:"niss"`
	Reading *struct {
		Mode     string `json:"mode"`
		Document string `json:"documentType"`
		Number   string `json:"documentNumber"`
		Reason   string `json:"reason"`
	} `json:"reading"`
}

// insurabilityRead is insurability.read: the holder of the card in the reader or,
// for programs that the policy names, a number.
func (s *Service) insurabilityRead(ctx context.Context, c *Call) (any, error) {
	var p insurabilityParams
	if err := params(c, &p); err != nil {
		return nil, err
	}
	q, err := p.question()
	if err != nil {
		return nil, err
	}
	if s.o.Insurance == nil {
		return nil, &protocol.Error{Code: protocol.ServiceFault, Service: "NOT_CONFIGURED", Detail: "this agent has no insurers' network configured"}
	}
	q.User = c.Client.User
	r := &patient.Result{Question: q}
	if p.NISS != "" {
		err = s.byNumber(ctx, c, &p, r)
	} else {
		op := operation{method: "insurability.read", kind: access.OpInsurability, purpose: p.Purpose, cardID: p.CardID,
			cards: []cards.Kind{cards.EID, cards.SIS}, role: "patient"}
		err = s.do(ctx, c, op, func(ctx context.Context, t *task) error { return t.insured(ctx, r) })
	}
	if err != nil {
		return nil, err
	}
	d := r.Document()
	if remote(c.Client) {
		d.Cause = "" // in it are addresses of this network
	}
	return d, nil
}

// question is what is asked, but for whom it is about if that is on a card.
func (p *insurabilityParams) question() (q assurability.Question, err error) {
	if err := checkText("purpose", p.Purpose, maxPurpose); err != nil {
		return q, err
	}
	if q.From, err = day("date", p.Date); err != nil {
		return q, err
	}
	if q.Until, err = day("until", p.Until); err != nil {
		return q, err
	}
	if p.Contact == "" {
		p.Contact = "ambulatory"
	}
	var known bool
	if q.Contact, known = patient.Contacts[p.Contact]; !known {
		return q, invalid("contact: ambulatory, day, hospital or other")
	}
	q.Service = assurability.Service(p.Service)
	if !slices.Contains([]assurability.Service{"", assurability.GenIns, assurability.Pharmacist, assurability.MemberData}, q.Service) {
		return q, invalid("service: genins, pharmacist or memberdata")
	}
	if p.NISS == "" {
		if p.Reading != nil {
			return q, invalid("reading: for a number; a card says so itself")
		}
		return q, nil
	}
	return q, p.number(&q)
}

// number is the part of a question that names the patient by a number.
func (p *insurabilityParams) number(q *assurability.Question) (err error) {
	r := p.Reading
	switch {
	case p.CardID != "":
		return invalid("niss and cardId: one of them")
	case r == nil || !slices.Contains(patient.Modes, r.Mode):
		return invalid("reading.mode: how the number came: barcode, vignette or manual")
	case slices.Contains(patient.NeedsReason, r.Mode) && r.Reason == "":
		return invalid("reading.reason: why there is no chip to read has to be kept")
	}
	for _, text := range []struct{ name, value string }{{"reading.documentType", r.Document}, {"reading.documentNumber", r.Number}, {"reading.reason", r.Reason}} {
		if err := checkText(text.name, text.value, maxText); err != nil {
			return err
		}
	}
	q.Reading = assurability.Reading{Mode: r.Mode, Document: r.Document, Number: r.Number, Reason: r.Reason}
	if q.Patient.NISS, err = niss.Parse(p.NISS); err != nil {
		return invalid("niss: not a national number")
	}
	return nil
}

// day reads a day of the calendar; zero: none is given.
func day(name, s string) (niss.Date, error) {
	if s == "" {
		return niss.Date{}, nil
	}
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return niss.Date{}, invalid("%s: a day, YYYY-MM-DD", name)
	}
	return niss.Date{Year: t.Year(), Month: int(t.Month()), Day: t.Day()}, nil
}

// byNumber asks about a number that is on no card here.
func (s *Service) byNumber(ctx context.Context, c *Call, p *insurabilityParams, r *patient.Result) error {
	pass, err := s.o.Gate.Enter(ctx, gate.Request{Method: "insurability.read", Mode: p.Reading.Mode,
		Request: access.Request{Client: c.Client, Operation: access.OpInsurability, Purpose: p.Purpose, NISS: true}})
	if err != nil {
		return fault(err)
	}
	return through(pass, &audit.Outcome{NISS: string(r.Question.Patient.NISS), Mode: p.Reading.Mode, Reason: p.Reading.Reason},
		func() error { return s.askInsurers(ctx, r) })
}

// insured reads who the patient is and asks.
func (t *task) insured(ctx context.Context, r *patient.Result) (err error) {
	switch t.card.Kind {
	case cards.SIS, cards.Mute: // older readers say nothing of a memory card
		r.Patient, err = t.patientOnSIS(ctx)
	default:
		r.Patient, err = t.patientOnEID(ctx)
	}
	if err != nil {
		return err
	}
	r.Patient.About(&r.Question)
	t.outcome.NISS, t.outcome.CardKind = string(r.Patient.OnCard.NISS), r.Patient.Kind
	progress(t.call, "network", 0, 0)
	return t.s.askInsurers(ctx, r)
}

func (t *task) patientOnEID(ctx context.Context) (*patient.Patient, error) {
	read, err := t.read(ctx, nil)
	if err != nil {
		return nil, err
	}
	return patient.OfEID(read)
}

func (t *task) patientOnSIS(ctx context.Context) (*patient.Patient, error) {
	var read *patient.SIS
	err := t.s.o.Hub.UseSIS(ctx, t.pass, t.card.CardID, func(ctx context.Context, r, module card.Reader) (err error) {
		if read, err = patient.ReadSIS(ctx, r, nil); err != nil || module == nil {
			return err
		}
		if err := read.Unseal(ctx, module); err != nil { // who the patient is does not depend on it
			if ctx.Err() != nil {
				return err
			}
			read.Refused = err
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return patient.OfSIS(read)
}

// askInsurers asks the network. That nobody answered is an answer, and never "not insured".
func (s *Service) askInsurers(ctx context.Context, r *patient.Result) (err error) {
	if r.Answer, err = s.o.Insurance.Ask(ctx, r.Question); err != nil {
		return err
	}
	r.SessionUntil, r.Test = s.o.InsuranceSession()
	return nil
}
