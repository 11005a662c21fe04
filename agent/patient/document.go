package patient

import (
	"slices"
	"time"

	"github.com/eidkit/eidkit/internal/termview"
	"github.com/eidkit/eidkit/verify/assurability"
)

// Document is the JSON of an answer (docs/schema/insurability.json).
type Document struct {
	Schema   int                    `json:"schema"`
	Status   assurability.Status    `json:"status"`
	Tariff   assurability.Tariff    `json:"tariff,omitempty"`
	Service  assurability.Service   `json:"service"`
	From     string                 `json:"from"`
	Until    string                 `json:"until"`
	Time     string                 `json:"time"`
	Asked    asked                  `json:"asked"`
	Person   person                 `json:"person"`
	Periods  []period               `json:"periods"`
	Warnings []assurability.Warning `json:"warnings"`

	MaximumBilling []int              `json:"maximumBilling,omitempty"`
	SocialCategory *bool              `json:"socialCategory,omitempty"`
	Event          assurability.Event `json:"event,omitempty"`
	Transfers      []transfer         `json:"transfers,omitempty"`
	MedicalHouses  []house            `json:"medicalHouses,omitempty"`
	Stay           *stay              `json:"stay,omitempty"`
	Insurers       []string           `json:"insurers,omitempty"`
	Approval       *approval          `json:"approval,omitempty"`
	References     references         `json:"references"`
	Fault          *fault             `json:"fault,omitempty"`
	Cause          string             `json:"cause,omitempty"`
	AgeSeconds     *float64           `json:"ageSeconds,omitempty"`
	Card           *cardPart          `json:"card,omitempty"`
	Differences    []difference       `json:"differences,omitempty"`
	SessionUntil   string             `json:"sessionUntil,omitempty"`
	Test           bool               `json:"test"`
}

type asked struct {
	NationalNumber string               `json:"nationalNumber,omitempty"`
	Affiliate      string               `json:"affiliationNumber,omitempty"`
	Mutuality      string               `json:"mutuality,omitempty"`
	Invoicing      bool                 `json:"invoicing"`
	Reading        assurability.Reading `json:"reading"`
}

type person struct {
	NationalNumber string `json:"nationalNumber,omitempty"`
	Surname        string `json:"surname,omitempty"`
	FirstName      string `json:"firstName,omitempty"`
	BirthDate      string `json:"birthDate,omitempty"`
	Deceased       string `json:"deceased,omitempty"`
	Sex            string `json:"sex,omitempty"`
}

type period struct {
	From        string `json:"from,omitempty"`
	Until       string `json:"until,omitempty"`
	Mutuality   string `json:"mutuality,omitempty"`
	Affiliate   string `json:"affiliationNumber,omitempty"`
	CT1         string `json:"ct1,omitempty"`
	CT2         string `json:"ct2,omitempty"`
	Information string `json:"information,omitempty"`
	Approval    string `json:"approval,omitempty"`
}

type transfer struct {
	Direction string `json:"direction"`
	Insurer   string `json:"insurer,omitempty"`
	On        string `json:"on,omitempty"`
}

type house struct {
	From   string `json:"from,omitempty"`
	Until  string `json:"until,omitempty"`
	Doctor bool   `json:"doctor"`
	Nurse  bool   `json:"nurse"`
	Physio bool   `json:"physiotherapist"`
}

type stay struct {
	Hospital string `json:"hospital"`
	Service  string `json:"service,omitempty"`
	Since    string `json:"since,omitempty"`
}

type approval struct {
	Number      string `json:"number,omitempty"`
	Seed        string `json:"seed,omitempty"`
	CheckDigits string `json:"checkDigits,omitempty"`
}

type references struct {
	Input   string `json:"input"`
	Network string `json:"network,omitempty"`
	Output  string `json:"output,omitempty"`
}

type fault struct {
	Code    string   `json:"code"`
	Source  string   `json:"source,omitempty"`
	Message string   `json:"message,omitempty"`
	Details []detail `json:"details"`
}

type detail struct {
	Code     string `json:"code"`
	Location string `json:"location,omitempty"`
	Message  string `json:"message,omitempty"`
}

// cardPart is the card that the patient was read from.
type cardPart struct {
	Kind      string `json:"kind"` // "eid", "sis"
	Number    string `json:"number,omitempty"`
	Authentic bool   `json:"authentic"`
	Insurance string `json:"insurance,omitempty"` // of a SIS card: as in sis.json
}

type difference struct {
	Field   string `json:"field"`
	Card    string `json:"card"`
	Network string `json:"network"`
}

// Result is a question with all that came of it.
type Result struct {
	Question     assurability.Question
	Answer       *assurability.Answer
	Patient      *Patient // nil: no card was read
	Test         bool     // the messages are tests, or the card is simulated
	SessionUntil time.Time
}

// Differences are the fields in which card and network do not agree.
func (r *Result) Differences() []assurability.Difference {
	if r.Patient == nil {
		return nil
	}
	on := r.Patient.OnCard
	on.FirstName = firstNameAs(r.Patient.Given, r.Answer.Person.FirstName)
	return assurability.Reconcile(on, r.Answer)
}

// Cached tells whether the answer is of earlier today.
func (r *Result) Cached() bool { return slices.Contains(r.Answer.Warnings, assurability.CachedAnswer) }

// Document is the JSON.
func (r *Result) Document() Document {
	a, q := r.Answer, r.Question
	d := Document{Schema: 1, Status: a.Status, Tariff: a.Tariff, Service: a.Service, From: a.From.String(), Until: a.Until.String(),
		Time:     a.Time.UTC().Format(time.RFC3339),
		Asked:    asked{string(q.Patient.NISS), q.Patient.Affiliate, q.Patient.Mutuality, q.Invoicing, q.Reading},
		Person:   person{string(a.Person.NISS), a.Person.Surname, a.Person.FirstName, a.Person.Birth.String(), a.Person.Deceased.String(), a.Person.Sex.String()},
		Periods:  []period{},
		Warnings: append([]assurability.Warning{}, a.Warnings...), MaximumBilling: a.MaximumBilling, SocialCategory: a.SocialCategory, Event: a.Event,
		Insurers: a.Insurers, References: references(a.References), Test: r.Test || r.Patient != nil && r.Patient.TestCard}
	if d.Person.Sex == "unknown" {
		d.Person.Sex = ""
	}
	for _, p := range a.Periods {
		d.Periods = append(d.Periods, period{p.From.String(), p.Until.String(), p.Mutuality, p.Affiliate, p.CT1, p.CT2, p.Information.String(), p.Approval})
	}
	for _, t := range a.Transfers {
		direction := "from"
		if t.ToOther {
			direction = "to"
		}
		d.Transfers = append(d.Transfers, transfer{direction, t.Insurer, t.On.String()})
	}
	for _, h := range a.MedicalHouses {
		d.MedicalHouses = append(d.MedicalHouses, house{h.From.String(), h.Until.String(), h.Doctor, h.Nurse, h.Physio})
	}
	if s := a.Stay; s != nil {
		d.Stay = &stay{s.Hospital, s.Service, s.Since.String()}
	}
	if a.Approval != (assurability.Approval{}) {
		v := approval(a.Approval)
		d.Approval = &v
	}
	if f := a.Fault; f != nil {
		d.Fault = &fault{f.Code, f.Source, termview.Clean(f.Message), []detail{}}
		for _, x := range f.Details {
			d.Fault.Details = append(d.Fault.Details, detail{x.Code, x.Location, termview.Clean(x.Message)})
		}
	}
	r.surroundings(&d)
	return d
}

// surroundings adds what is not the network's answer.
func (r *Result) surroundings(d *Document) {
	if r.Answer.Cause != nil {
		d.Cause = termview.Clean(r.Answer.Cause.Error())
	}
	if r.Cached() {
		age := r.Answer.Age.Seconds()
		d.AgeSeconds = &age
	}
	if p := r.Patient; p != nil {
		d.Card = &cardPart{p.Kind, p.Number, p.Authentic, p.Insurance}
		for _, x := range r.Differences() {
			d.Differences = append(d.Differences, difference(x))
		}
	}
	if !r.SessionUntil.IsZero() {
		d.SessionUntil = r.SessionUntil.UTC().Format(time.RFC3339)
	}
}
