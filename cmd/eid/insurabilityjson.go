package main

import (
	"time"

	"github.com/eidkit/eidkit/internal/termview"
	"github.com/eidkit/eidkit/verify/assurability"
)

// insurabilityDocument is the JSON of `eid insurability` (docs/schema/insurability.json).
type insurabilityDocument struct {
	Schema   int                    `json:"schema"`
	Status   assurability.Status    `json:"status"`
	Tariff   assurability.Tariff    `json:"tariff,omitempty"`
	Service  assurability.Service   `json:"service"`
	From     string                 `json:"from"`
	Until    string                 `json:"until"`
	Time     string                 `json:"time"`
	Asked    insurabilityAsked      `json:"asked"`
	Person   insurabilityPerson     `json:"person"`
	Periods  []insurabilityPeriod   `json:"periods"`
	Warnings []assurability.Warning `json:"warnings"`

	MaximumBilling []int                    `json:"maximumBilling,omitempty"`
	SocialCategory *bool                    `json:"socialCategory,omitempty"`
	Event          assurability.Event       `json:"event,omitempty"`
	Transfers      []insurabilityTransfer   `json:"transfers,omitempty"`
	MedicalHouses  []insurabilityHouse      `json:"medicalHouses,omitempty"`
	Stay           *insurabilityStay        `json:"stay,omitempty"`
	Insurers       []string                 `json:"insurers,omitempty"`
	Approval       *insurabilityApproval    `json:"approval,omitempty"`
	References     insurabilityReferences   `json:"references"`
	Fault          *insurabilityFault       `json:"fault,omitempty"`
	Cause          string                   `json:"cause,omitempty"`
	AgeSeconds     *float64                 `json:"ageSeconds,omitempty"`
	Card           *insurabilityCard        `json:"card,omitempty"`
	Differences    []insurabilityDifference `json:"differences,omitempty"`
	SessionUntil   string                   `json:"sessionUntil,omitempty"`
	Test           bool                     `json:"test"`
}

type insurabilityAsked struct {
	NationalNumber string               `json:"nationalNumber,omitempty"`
	Affiliate      string               `json:"affiliationNumber,omitempty"`
	Mutuality      string               `json:"mutuality,omitempty"`
	Invoicing      bool                 `json:"invoicing"`
	Reading        assurability.Reading `json:"reading"`
}

type insurabilityPerson struct {
	NationalNumber string `json:"nationalNumber,omitempty"`
	Surname        string `json:"surname,omitempty"`
	FirstName      string `json:"firstName,omitempty"`
	BirthDate      string `json:"birthDate,omitempty"`
	Deceased       string `json:"deceased,omitempty"`
	Sex            string `json:"sex,omitempty"`
}

type insurabilityPeriod struct {
	From        string `json:"from,omitempty"`
	Until       string `json:"until,omitempty"`
	Mutuality   string `json:"mutuality,omitempty"`
	Affiliate   string `json:"affiliationNumber,omitempty"`
	CT1         string `json:"ct1,omitempty"`
	CT2         string `json:"ct2,omitempty"`
	Information string `json:"information,omitempty"`
	Approval    string `json:"approval,omitempty"`
}

type insurabilityTransfer struct {
	Direction string `json:"direction"`
	Insurer   string `json:"insurer,omitempty"`
	On        string `json:"on,omitempty"`
}

type insurabilityHouse struct {
	From   string `json:"from,omitempty"`
	Until  string `json:"until,omitempty"`
	Doctor bool   `json:"doctor"`
	Nurse  bool   `json:"nurse"`
	Physio bool   `json:"physiotherapist"`
}

type insurabilityStay struct {
	Hospital string `json:"hospital"`
	Service  string `json:"service,omitempty"`
	Since    string `json:"since,omitempty"`
}

type insurabilityApproval struct {
	Number      string `json:"number,omitempty"`
	Seed        string `json:"seed,omitempty"`
	CheckDigits string `json:"checkDigits,omitempty"`
}

type insurabilityReferences struct {
	Input   string `json:"input"`
	Network string `json:"network,omitempty"`
	Output  string `json:"output,omitempty"`
}

type insurabilityFault struct {
	Code    string               `json:"code"`
	Source  string               `json:"source,omitempty"`
	Message string               `json:"message,omitempty"`
	Details []insurabilityDetail `json:"details"`
}

type insurabilityDetail struct {
	Code     string `json:"code"`
	Location string `json:"location,omitempty"`
	Message  string `json:"message,omitempty"`
}

// insurabilityCard is the card that the patient was read from.
type insurabilityCard struct {
	Kind      string `json:"kind"` // "eid", "sis"
	Number    string `json:"number,omitempty"`
	Authentic bool   `json:"authentic"`
	Insurance string `json:"insurance,omitempty"` // of a SIS card: as in sis.json
}

type insurabilityDifference struct {
	Field   string `json:"field"`
	Card    string `json:"card"`
	Network string `json:"network"`
}

func (r *insured) document() insurabilityDocument {
	a, q := r.answer, r.question
	d := insurabilityDocument{Schema: 1, Status: a.Status, Tariff: a.Tariff, Service: a.Service, From: a.From.String(), Until: a.Until.String(),
		Time:     a.Time.UTC().Format(time.RFC3339),
		Asked:    insurabilityAsked{string(q.Patient.NISS), q.Patient.Affiliate, q.Patient.Mutuality, q.Invoicing, q.Reading},
		Person:   insurabilityPerson{string(a.Person.NISS), a.Person.Surname, a.Person.FirstName, a.Person.Birth.String(), a.Person.Deceased.String(), a.Person.Sex.String()},
		Periods:  []insurabilityPeriod{},
		Warnings: append([]assurability.Warning{}, a.Warnings...), MaximumBilling: a.MaximumBilling, SocialCategory: a.SocialCategory, Event: a.Event,
		Insurers: a.Insurers, References: insurabilityReferences(a.References), Test: r.test}
	if d.Person.Sex == "unknown" {
		d.Person.Sex = ""
	}
	for _, p := range a.Periods {
		d.Periods = append(d.Periods, insurabilityPeriod{p.From.String(), p.Until.String(), p.Mutuality, p.Affiliate, p.CT1, p.CT2, p.Information.String(), p.Approval})
	}
	for _, t := range a.Transfers {
		direction := "from"
		if t.ToOther {
			direction = "to"
		}
		d.Transfers = append(d.Transfers, insurabilityTransfer{direction, t.Insurer, t.On.String()})
	}
	for _, h := range a.MedicalHouses {
		d.MedicalHouses = append(d.MedicalHouses, insurabilityHouse{h.From.String(), h.Until.String(), h.Doctor, h.Nurse, h.Physio})
	}
	if s := a.Stay; s != nil {
		d.Stay = &insurabilityStay{s.Hospital, s.Service, s.Since.String()}
	}
	if a.Approval != (assurability.Approval{}) {
		v := insurabilityApproval(a.Approval)
		d.Approval = &v
	}
	if f := a.Fault; f != nil {
		d.Fault = &insurabilityFault{f.Code, f.Source, termview.Clean(f.Message), []insurabilityDetail{}}
		for _, x := range f.Details {
			d.Fault.Details = append(d.Fault.Details, insurabilityDetail{x.Code, x.Location, termview.Clean(x.Message)})
		}
	}
	r.surroundings(&d)
	return d
}

// surroundings adds what is not the network's answer.
func (r *insured) surroundings(d *insurabilityDocument) {
	if r.answer.Cause != nil {
		d.Cause = termview.Clean(r.answer.Cause.Error())
	}
	if r.cached() {
		age := r.answer.Age.Seconds()
		d.AgeSeconds = &age
	}
	if r.card != nil {
		d.Card = &r.card.doc
		for _, x := range r.differences {
			d.Differences = append(d.Differences, insurabilityDifference(x))
		}
	}
	if !r.sessionEnd.IsZero() {
		d.SessionUntil = r.sessionEnd.UTC().Format(time.RFC3339)
	}
}
