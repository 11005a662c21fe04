package insurers

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/eidkit/eidkit/card/sis"
	"github.com/eidkit/eidkit/niss"
	"github.com/eidkit/eidkit/testcards"
	testsis "github.com/eidkit/eidkit/testcards/sis"
	"github.com/eidkit/eidkit/verify/assurability"
)

// outcome is what the client makes of an answer.
func outcome(a *assurability.Answer) Outcome {
	o := Outcome{Status: string(a.Status), Tariff: string(a.Tariff)}
	for _, w := range a.Warnings {
		o.Warnings = append(o.Warnings, string(w))
	}
	return o
}

// month is a hospital's question about the thirty days that end today.
func month(q *assurability.Question) {
	q.Until, q.From = q.From, niss.Date{Year: 2026, Month: 2, Day: 14}
}

// TestPatients asks every service about every patient.
func TestPatients(t *testing.T) {
	t.Parallel()
	n := start(t)
	pharmacy, hospital := newTill(t, n, "pharmacy"), newTill(t, n, "hospital")
	for _, p := range Patients() {
		for _, s := range []Service{GenIns, Pharmacist, MemberData} {
			a := pharmacy.ask(s, p, nil)
			if got := outcome(a); !reflect.DeepEqual(got, p.Expected[s]) {
				t.Errorf("%s of %s: %+v, want %+v (%+v, %v)", s, p.Name, got, p.Expected[s], a.Fault, a.Cause)
			}
			if a.Person.Surname != "" && (a.Person.Surname != p.Surname || a.Person.FirstName != p.FirstName) {
				t.Errorf("%s of %s: %+v", s, p.Name, a.Person)
			}
			if len(a.References.Network) != 14 || len(a.References.Output) != 14 {
				t.Errorf("%s of %s: references %+v", s, p.Name, a.References)
			}
		}
		if got := outcome(hospital.ask(GenIns, p, month)); !reflect.DeepEqual(got, p.Month) {
			t.Errorf("month of %s: %+v, want %+v", p.Name, got, p.Month)
		}
	}
	if got := n.Requests(); got[GenIns] != 2*len(Patients()) || got[Pharmacist] != len(Patients()) {
		t.Errorf("counted %v", got)
	}
}

// TestCards: the cards of a patient name him as the network does.
func TestCards(t *testing.T) {
	t.Parallel()
	numbers := map[string]bool{}
	for _, p := range Patients() {
		if p.Number != "" {
			if _, err := niss.Parse(p.Number); err != nil || numbers[p.Number] {
				t.Errorf("%s: %s: %v", p.Name, p.Number, err)
			}
			numbers[p.Number] = true
		}
		if p.SIS != "" {
			c, err := testsis.Open(p.SIS, testsis.PCSC)
			if err != nil {
				t.Fatal(err)
			}
			im, err := sis.Parse(c.Image())
			if err != nil || string(im.NISS) != p.Number || im.Surname != p.Surname || im.FirstName != p.FirstName {
				t.Errorf("%s: %v %+v", p.SIS, err, im)
			}
		}
	}
	for name, profile := range map[string]string{"letters": "citizen-1.8", "bis": "foreigner-1.8"} {
		c, err := patient(t, name).Card("", testcards.Options{})
		if err != nil || c.Profile().Name != profile || !bytes.Contains(c.File(0x4031), []byte(patient(t, name).Number)) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := patient(t, "newborn").Card("", testcards.Options{}); err == nil {
		t.Error("a card for one who has no number")
	}
}

// TestDetails looks at what the outcomes do not tell.
func TestDetails(t *testing.T) {
	t.Parallel()
	n := start(t)
	pharmacy, hospital := newTill(t, n, "pharmacy"), newTill(t, n, "hospital")
	ask := func(c *till, s Service, name string, change func(*assurability.Question)) *assurability.Answer {
		t.Helper()
		return c.ask(s, patient(t, name), change)
	}
	stay := func(q *assurability.Question) { q.Contact = assurability.Hospitalised }
	if a := ask(pharmacy, GenIns, "maximum", nil); !slices.Equal(a.MaximumBilling, []int{2025, 2026}) || a.SocialCategory == nil || !*a.SocialCategory {
		t.Errorf("%+v", a)
	}
	if a := ask(pharmacy, GenIns, "transfer", nil); len(a.Transfers) != 1 || a.Transfers[0] != (assurability.Transfer{Insurer: "3", On: assurability.Today(noon)}) || a.Periods[0].Mutuality != "126" {
		t.Errorf("%+v", a)
	}
	for _, s := range []Service{GenIns, MemberData} {
		if a := ask(pharmacy, s, "medicalhouse", nil); len(a.MedicalHouses) == 0 || !a.MedicalHouses[0].Doctor {
			t.Errorf("%s: %+v", s, a.MedicalHouses)
		}
		if a := ask(hospital, s, "hospitalised", stay); a.Stay == nil || a.Stay.Since.String() != "2026-03-12" {
			t.Errorf("%s: %+v", s, a.Stay)
		}
		if a := ask(hospital, s, "ordinary", stay); a.Status != assurability.Unavailable || a.Fault == nil {
			t.Errorf("%s: not in hospital: %+v", s, a)
		}
		if a := ask(pharmacy, s, "conflict", nil); s == GenIns && !slices.Equal(a.Insurers, []string{"1", "3"}) {
			t.Errorf("%s: %+v", s, a)
		}
	}
	if a := ask(pharmacy, Pharmacist, "ordinary", nil); len(a.Approval.Number) != 32 || a.Approval.Number[:4] != "TEST" {
		t.Errorf("%+v", a.Approval)
	}
	if a := ask(pharmacy, MemberData, "ordinary", func(q *assurability.Question) { q.Invoicing = true }); len(a.Approval.Number) != 32 {
		t.Errorf("%+v", a.Approval)
	}
	if a := ask(hospital, GenIns, "truncated", month); len(a.Periods) != 5 {
		t.Errorf("%+v", a.Periods)
	}
	if a := ask(pharmacy, GenIns, "transfer", func(q *assurability.Question) { q.From.Day-- }); a.Periods[0].Mutuality != "319" || len(a.Transfers) != 0 {
		t.Errorf("the day before: %+v", a)
	}
}

// TestBusinessFaults: questions that are answered with the code for what is wrong.
func TestBusinessFaults(t *testing.T) {
	t.Parallel()
	n := start(t)
	pharmacy, hospital := newTill(t, n, "pharmacy"), newTill(t, n, "hospital")
	for _, c := range []struct {
		till     *till
		what     string
		change   func(*assurability.Question)
		gen, mda string
	}{
		{pharmacy, "tomorrow", func(q *assurability.Question) { q.From.Day++ }, "30", "START_DATE_IN_FUTURE"},
		{pharmacy, "a period", func(q *assurability.Question) { q.Until = q.From; q.From.Day-- }, "32", "INVALID_PERIOD_FOR_SECTOR"},
		{hospital, "too long a period", func(q *assurability.Question) { q.Until = q.From; q.From.Year -= 2 }, "32", "INVALID_PERIOD_FOR_SECTOR"},
		{pharmacy, "long ago", func(q *assurability.Question) { q.From.Year -= 6 }, "40", "PERIOD_TOO_FAR_IN_PAST"},
		{pharmacy, "a stranger", func(q *assurability.Question) { q.Patient.NISS = "71050120629" }, "23", "UNKNOWN_NISS_ROUTING"},
		{pharmacy, "a stay", func(q *assurability.Question) { q.Contact = assurability.Hospitalised }, "42", "MISMATCHED_CONTACTTYPE"},
		{pharmacy, "invoicing", func(q *assurability.Question) { q.Invoicing = true }, "99", ""},
	} {
		for s, want := range map[Service]string{GenIns: c.gen, MemberData: c.mda} {
			a, got := c.till.ask(s, patient(t, "ordinary"), c.change), ""
			if a.Fault != nil && len(a.Fault.Details) > 0 {
				got = a.Fault.Details[0].Code
			}
			if got != want {
				t.Errorf("%s, %s: %q, want %q (%+v)", s, c.what, got, want, a)
			}
		}
	}
	// The program does not ask with wrong check digits: the number is changed in its question.
	for s, want := range map[Service]string{GenIns: "<c:DetailCode>12<", Pharmacist: "<c:Minor>12<", MemberData: "INVALID_INSS_VALUE"} {
		body := pharmacy.body(s)
		if s == MemberData {
			body = memberQuery(t, body, func(q string) string { return strings.Replace(q, ">71050120431<", ">71050120432<", 1) })
		}
		answer, err := pharmacy.post(s, pharmacy.signed(bytes.Replace(body, []byte(">71050120431<"), []byte(">71050120432<"), 1), nil))
		if err != nil {
			t.Errorf("%s: %v", s, err)
			continue
		}
		valid.add(t, s, answer)
		if s == MemberData {
			answer = []byte(memberAnswer(t, answer))
		}
		if !bytes.Contains(answer, []byte(want)) {
			t.Errorf("%s: no %s in %s", s, want, answer)
		}
	}
}

// memberQuery changes the query inside a question to MemberData.
func memberQuery(t testing.TB, body []byte, change func(string) string) []byte {
	t.Helper()
	root, err := parse(body)
	if err != nil {
		t.Fatal(err)
	}
	was := text(child(root, nsCommons, "Detail"))
	query, err := decode(was)
	if err != nil {
		t.Fatal(err)
	}
	now := change(string(query))
	if now == string(query) {
		t.Fatal("the query has not changed")
	}
	return bytes.Replace(body, []byte(was), []byte(base64.StdEncoding.EncodeToString([]byte(now))), 1)
}

// memberAnswer is what is inside an answer of MemberData.
func memberAnswer(t testing.TB, body []byte) string {
	t.Helper()
	root, err := parse(body)
	if err != nil {
		t.Fatal(err)
	}
	b, err := decode(text(down(root, nsCommons, "Return", "Detail")))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestStartRefuses(t *testing.T) {
	t.Parallel()
	if _, err := Start(context.Background(), Options{Addr: "0.0.0.0:0"}); !errors.Is(err, ErrNotLoopback) {
		t.Error(err)
	}
	if _, err := start(t).Credential("nobody"); err == nil {
		t.Error("a credential for nobody")
	}
}
