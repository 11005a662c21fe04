package patient

import (
	"errors"
	"slices"
	"testing"

	"github.com/eidkit/eidkit/agent/reading"
	"github.com/eidkit/eidkit/card/beid"
	"github.com/eidkit/eidkit/card/sis"
	"github.com/eidkit/eidkit/niss"
	"github.com/eidkit/eidkit/testcards"
	testsis "github.com/eidkit/eidkit/testcards/sis"
	"github.com/eidkit/eidkit/verify"
	"github.com/eidkit/eidkit/verify/assurability"
)

func read(t *testing.T, c *testcards.Card) *reading.Reading {
	t.Helper()
	card, err := beid.Open(t.Context(), c.Reader())
	if err != nil {
		t.Fatal(err)
	}
	defer card.Close()
	anchors := &verify.Anchors{}
	anchors.Add(c.Root())
	r, err := reading.Read(t.Context(), card, reading.Options{Anchors: anchors})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestOfEID(t *testing.T) {
	t.Parallel()
	r := read(t, testcards.New(testcards.Citizen18, testcards.Options{Holder: &testcards.Holder{NationalNumber: "71050120431", Surname: "Peeters", GivenNames: "An Marie"}}))
	p, err := OfEID(r)
	if err != nil {
		t.Fatal(err)
	}
	if p.Kind != "eid" || !p.Authentic || !p.TestCard || p.Given != "An Marie" || p.OnCard.NISS != "71050120431" || p.OnCard.Birth != (niss.Date{Year: 1971, Month: 5, Day: 1}) {
		t.Errorf("%+v", p)
	}
	q := assurability.Question{Patient: assurability.Patient{Affiliate: "1"}}
	p.About(&q)
	if q.Patient != (assurability.Patient{NISS: "71050120431"}) || q.Reading.Mode != "chip" || q.Reading.Document != "eID" || q.Reading.Number != p.Number {
		t.Errorf("%+v", q)
	}
	answer := &assurability.Answer{Status: assurability.Insured, Person: assurability.Person{NISS: p.OnCard.NISS, Surname: "PEETERS", FirstName: "AN", Birth: p.OnCard.Birth, Sex: p.OnCard.Sex}}
	res := Result{Question: q, Answer: answer, Patient: p}
	if d := res.Differences(); len(d) != 0 {
		t.Errorf("a second given name is no difference: %v", d)
	}
	answer.Person.Surname = "Janssens"
	if d := res.Document(); len(d.Differences) != 1 || d.Card == nil || d.Card.Number != p.Number || !d.Test || d.AgeSeconds != nil {
		t.Errorf("%+v", d)
	}
	if res.Patient.OnCard.FirstName != "" {
		t.Error("comparing changed the patient")
	}
	answer.Warnings = []assurability.Warning{assurability.CachedAnswer}
	if !res.Cached() || res.Document().AgeSeconds == nil {
		t.Error("an answer of earlier does not say so")
	}
}

func TestWithoutCard(t *testing.T) {
	t.Parallel()
	r := Result{Answer: &assurability.Answer{Status: assurability.Unavailable, Cause: errors.New("no route\x1b[2J")}}
	d := r.Document()
	if d.Status != assurability.Unavailable || d.Card != nil || r.Differences() != nil || d.Cause != "no route[2J" && d.Cause != "no route" || d.Test {
		t.Errorf("%+v", d)
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	c := testcards.New(testcards.Citizen18)
	file := c.File(0x4031)
	file[20] ^= 1
	c.SetFile(0x4031, file)
	if r := read(t, c); !r.Failed() {
		t.Fatal("the test's card is in order")
	} else if _, err := OfEID(r); !errors.Is(err, ErrForged) {
		t.Errorf("%v", err)
	}
	r := read(t, testcards.New(testcards.Citizen18))
	r.Identity.NationalNumber = "71050120432"
	if _, err := OfEID(r); !errors.Is(err, ErrNumber) {
		t.Errorf("%v", err)
	}
	if _, err := OfSIS(&SIS{Image: &sis.Image{}}); !errors.Is(err, ErrNumber) {
		t.Errorf("%v", err)
	}
}

func TestSIS(t *testing.T) {
	t.Parallel()
	reader := func(chip testcards.Chip) *testcards.Reader {
		r := testcards.NewReader("reader", testcards.ReaderOptions{})
		r.Insert(chip)
		return r
	}
	c, err := testsis.Open("sis-ordinary", testsis.PCSC)
	if err != nil {
		t.Fatal(err)
	}
	s, err := ReadSIS(t.Context(), reader(c), nil)
	if err != nil || s.State() != "closed" {
		t.Fatalf("%v, %+v", err, s)
	}
	s, err = ReadSIS(t.Context(), reader(c), reader(testsis.NewModule(testsis.Providers[0])))
	if err != nil || s.State() != "open" || s.Provider == "" {
		t.Fatalf("%v, %+v", err, s)
	}
	p, err := OfSIS(s)
	if err != nil || p.Kind != "sis" || p.Authentic || p.OnCard.Mutuality == "" || p.Insurance != "open" {
		t.Errorf("%v, %+v", err, p)
	}
	var q assurability.Question
	if p.About(&q); q.Reading.Document != "SIS" {
		t.Errorf("%+v", q)
	}
	if _, err := ReadSIS(t.Context(), reader(testcards.New(testcards.Citizen18)), nil); !errors.Is(err, sis.ErrNotSIS) {
		t.Errorf("%v", err)
	}
	if _, err := ReadSIS(t.Context(), reader(c), reader(testcards.New(testcards.Citizen18))); !errors.Is(err, sis.ErrModule) {
		t.Errorf("%v", err)
	}
	s.Insurance, s.Refused = nil, sis.ErrSealed
	if s.State() != "refused" {
		t.Error(s.State())
	}
	if s.Image.Sealed = nil; s.State() != "absent" {
		t.Error(s.State())
	}
	if !slices.Contains(Modes, NeedsReason[0]) {
		t.Error("a mode that needs a reason is none")
	}
}
