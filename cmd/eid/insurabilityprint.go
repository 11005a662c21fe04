package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/eidkit/eidkit/internal/beidfile"
	"github.com/eidkit/eidkit/internal/termview"
	"github.com/eidkit/eidkit/niss"
	"github.com/eidkit/eidkit/verify/assurability"
)

// statusStates are how a status is shown: what is against the patient in red, what nobody knows in yellow.
var statusStates = map[assurability.Status]termview.State{
	assurability.Insured: termview.Good, assurability.NotInsured: termview.Bad, assurability.ThirdPartyRefused: termview.Bad, assurability.Deceased: termview.Bad,
	assurability.Unknown: termview.Doubtful, assurability.Conflict: termview.Doubtful, assurability.Unavailable: termview.Doubtful,
}

// printInsurability draws the answer as a counter wants it (facts sheet f.2).
func (a *app) printInsurability(r *insured) error {
	n := r.Answer
	days := n.From.String()
	if n.Until != n.From && n.Until != (niss.Date{}) {
		days += " – " + n.Until.String()
	}
	view := termview.Card{Title: a.insuranceWord("title") + " · " + days, Banners: a.banners(r), Rows: a.insurabilityRows(r), Marks: a.insurabilityMarks(r)}
	if r.Test {
		view.Badge = " TEST "
	}
	if n.Status == assurability.Unavailable {
		view.Notes = append(view.Notes, a.insuranceWord("fullPrice"))
	}
	return a.draw(a.out, view)
}

// banners are what nobody may overlook: the status, an increased tariff, and an answer that promises nothing.
func (a *app) banners(r *insured) []termview.Mark {
	n := r.Answer
	list := []termview.Mark{{State: statusStates[n.Status], Text: a.insuranceWord(string(n.Status))}}
	if n.Tariff == assurability.Increased {
		list = append(list, termview.Mark{State: termview.Doubtful, Text: a.insuranceWord(string(n.Tariff))})
	}
	if r.Cached() {
		list = append(list, termview.Mark{State: termview.Doubtful, Text: fmt.Sprintf(a.insuranceWord("cached"), n.Age.Round(time.Second))})
	}
	return list
}

// rowList collects rows; what is empty is left out.
type rowList []termview.Row

func (l *rowList) add(label, value string) {
	if value != "" {
		*l = append(*l, termview.Row{Label: label, Value: value})
	}
}

func (l *rowList) gap() {
	if n := len(*l); n > 0 && (*l)[n-1] != (termview.Row{}) {
		*l = append(*l, termview.Row{})
	}
}

func (a *app) insurabilityRows(r *insured) []termview.Row {
	var l rowList
	n, q, p := r.Answer, r.Question, r.Answer.Person
	number := p.NISS
	if number == "" {
		number = q.Patient.NISS
	}
	l.add(beidfile.Label("nationalNumber", a.lang), formatNumber(string(number)))
	l.add(beidfile.Label("surname", a.lang), p.Surname)
	l.add(beidfile.Label("givenNames", a.lang), p.FirstName)
	l.add(beidfile.Label("birthDate", a.lang), p.Birth.String())
	l.add(beidfile.Label("sex", a.lang), beidfile.Sex(map[string]string{"male": "M", "female": "F"}[p.Sex.String()]).Label(a.lang))
	l.add(a.insuranceWord("deceasedOn"), p.Deceased.String())
	l.gap()
	switch {
	case n.Tariff == assurability.NoTariff && n.Status == assurability.ThirdPartyRefused && n.Service == assurability.Pharmacist:
		l.add(a.insuranceWord("tariff"), a.insuranceWord("none")) // the regime of that name
	case n.Tariff != assurability.NoTariff || len(n.Periods) > 0:
		l.add(a.insuranceWord("tariff"), a.insuranceWord(string(n.Tariff)))
	}
	for _, x := range n.Periods {
		a.periodRows(&l, x, n.Approval.Number)
	}
	if len(n.Periods) == 0 { // a newborn's, as they were asked with
		l.add(a.insuranceWord("mutuality"), q.Patient.Mutuality)
		l.add(a.insuranceWord("affiliate"), q.Patient.Affiliate)
	}
	l.add(a.insuranceWord("approval"), strings.TrimSpace(n.Approval.Number+" "+n.Approval.Seed+" "+n.Approval.CheckDigits))
	a.situationRows(&l, n)
	l.gap()
	l.add(a.insuranceWord("source"), a.insuranceWord(string(n.Service)))
	l.add(a.insuranceWord("time"), clockTime(n.Time))
	l.add(a.insuranceWord("reference"), joined(n.References.Input, joined(n.References.Network, n.References.Output)))
	return l
}

// periodRows are the rows of one period of cover. approval is that of the whole answer, which need not be told twice.
func (a *app) periodRows(l *rowList, p assurability.Period, approval string) {
	l.add(a.insuranceWord("mutuality"), p.Mutuality)
	l.add(a.insuranceWord("affiliate"), p.Affiliate)
	if p.CT1 != "" || p.CT2 != "" {
		l.add(a.insuranceWord("codes"), p.CT1+" / "+p.CT2)
	}
	l.add(a.insuranceWord("covered"), p.From.String()+" – "+p.Until.String())
	l.add(a.insuranceWord("information"), p.Information.String())
	if p.Approval != approval {
		l.add(a.insuranceWord("approval"), p.Approval)
	}
}

// situationRows are what some answers tell beside the cover.
func (a *app) situationRows(l *rowList, n *assurability.Answer) {
	years := make([]string, len(n.MaximumBilling))
	for i, y := range n.MaximumBilling {
		years[i] = strconv.Itoa(y)
	}
	l.add(a.insuranceWord("maximum"), strings.Join(years, ", "))
	for _, h := range n.MedicalHouses {
		l.add(a.insuranceWord("house"), h.From.String()+" – "+h.Until.String())
	}
	if s := n.Stay; s != nil {
		since := ""
		if s.Since != (niss.Date{}) {
			since = fmt.Sprintf(a.insuranceWord("since"), s.Since)
		}
		l.add(a.insuranceWord("stay"), joined(s.Hospital, joined(s.Service, since)))
	}
	for _, t := range n.Transfers {
		word, insurer := "transfer-from", t.Insurer
		if t.ToOther {
			word = "transfer-to"
		}
		if insurer == "" {
			insurer = "?"
		}
		l.add(a.insuranceWord("transfer"), fmt.Sprintf(a.insuranceWord(word), insurer, t.On))
	}
	l.add(a.insuranceWord("insurers"), strings.Join(n.Insurers, ", "))
	if n.Event != assurability.NoEvent {
		l.add(a.insuranceWord("event"), a.insuranceWord(string(n.Event)))
	}
}

// insurabilityMarks are the warnings, why there is no answer, and how the card compares.
func (a *app) insurabilityMarks(r *insured) (marks []termview.Mark) {
	n := r.Answer
	for _, w := range n.Warnings {
		marks = append(marks, termview.Mark{State: termview.Doubtful, Text: a.warningText(w)})
	}
	switch {
	case n.Cause != nil:
		marks = append(marks, termview.Mark{State: termview.Bad, Text: a.insuranceWord("cause") + ": " + a.causeText(n)})
	case n.Fault != nil:
		marks = append(marks, termview.Mark{State: termview.Doubtful, Text: a.faultText(n)})
	}
	if r.Patient == nil {
		return marks
	}
	marks = append(marks, r.marks...)
	differences := r.Differences()
	for _, d := range differences {
		marks = append(marks, termview.Mark{State: termview.Doubtful, Text: a.differenceText(d)})
	}
	if len(differences) == 0 && (len(n.Periods) > 0 || n.Person.NISS != "") && n.Status != assurability.Unavailable {
		marks = append(marks, termview.Mark{State: termview.Good, Text: a.insuranceWord("agrees")})
	}
	return marks
}

// differenceText says in what card and network differ.
func (a *app) differenceText(d assurability.Difference) string {
	label := a.insuranceWord(d.Field)
	switch d.Field {
	case "niss":
		label = beidfile.Label("nationalNumber", a.lang)
	case "surname", "sex":
		label = beidfile.Label(d.Field, a.lang)
	case "firstName":
		label = beidfile.Label("givenNames", a.lang)
	case "birth":
		label = beidfile.Label("birthDate", a.lang)
	case "ct1", "ct2":
		label = strings.ToUpper(d.Field)
	case "until":
		label = a.insuranceWord("covered")
	}
	said := func(s string) string {
		if s == "none" || s == "not insured" {
			return a.insuranceWord(s)
		}
		return s
	}
	return fmt.Sprintf(a.insuranceWord("differs"), label, said(d.Card), said(d.Network))
}
