package assurability

import (
	"reflect"
	"testing"

	"github.com/eidkit/eidkit/niss"
)

func TestReconcile(t *testing.T) {
	card := OnCard{NISS: "50061599733", Surname: "PERSONNE", FirstName: "EXEMPLE", Birth: day("1950-06-15"), Sex: niss.Male, Mutuality: "126", Affiliate: "0000123456789",
		From: day("2011-01-01"), Until: day("2026-12-31"), CT1: "111", CT2: "111", Franchise: 2025}
	answer := func() *Answer {
		return &Answer{Service: GenIns, Status: Insured, From: day("2026-03-15"), Until: day("2026-03-15"), MaximumBilling: []int{2025, 2026},
			Person:  Person{NISS: "50061599733", Surname: "Personne", FirstName: "Exémple", Birth: day("1950-06-15"), Sex: niss.Male},
			Periods: []Period{{From: day("2026-03-15"), Until: day("2026-03-15"), Mutuality: "126", Affiliate: "0000123456789", CT1: "111", CT2: "111"}}}
	}
	if d := Reconcile(card, answer()); d != nil {
		t.Errorf("the same: %v", d)
	}
	for field, change := range map[string]func(*Answer){
		"niss": func(a *Answer) { a.Person.NISS = "88122499820" }, "surname": func(a *Answer) { a.Person.Surname = "PERSONNES" }, "firstName": func(a *Answer) { a.Person.FirstName = "AUTRE" },
		"birth": func(a *Answer) { a.Person.Birth = day("1950-06-16") }, "sex": func(a *Answer) { a.Person.Sex = niss.Female }, "mutuality": func(a *Answer) { a.Periods[0].Mutuality = "305" },
		"affiliate": func(a *Answer) { a.Periods[0].Affiliate = "1" }, "ct1": func(a *Answer) { a.Periods[0].CT1 = "110" }, "ct2": func(a *Answer) { a.Periods[0].CT2 = "110" },
		"franchise": func(a *Answer) { a.MaximumBilling = nil },
		"until":     func(a *Answer) { a.Status, a.Periods = NotInsured, nil },
	} {
		a := answer()
		change(a)
		d := Reconcile(card, a)
		if len(d) != 1 || d[0].Field != field || d[0].Card == "" || d[0].Network == "" {
			t.Errorf("%s: %v", field, d)
		}
	}
	for _, s := range []Status{Unavailable, Unknown, Conflict} {
		a := answer()
		a.Status, a.Periods = s, nil
		if d := Reconcile(card, a); d != nil {
			t.Errorf("%s: %v", s, d)
		}
	}
	old := card
	old.Until = day("2013-12-31")
	if d := Reconcile(old, answer()); !reflect.DeepEqual(d, []Difference{{"until", "2013-12-31", "2026-03-15 - 2026-03-15"}}) {
		t.Error(d)
	}
	if d := Reconcile(OnCard{NISS: "50061599733"}, answer()); d != nil {
		t.Errorf("a card whose insurance data stay closed: %v", d)
	}
}

func TestSameName(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"Çelik", "CELIK", true}, {"Van den Broeck", "VANDENBROECK", true}, {"Weiß", "WEISS", true}, {"MÜLLER", "Muller", true}, {"Jan", "Janne", false},
		{"ABCDEFGHIJKLMNOPQRSTUVWX", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", true}, {"Øre", "ORE", true}, {"---", "Jan", false},
	} {
		if sameName(c.a, c.b) != c.same || sameName(c.b, c.a) != c.same {
			t.Errorf("%q and %q", c.a, c.b)
		}
	}
}
