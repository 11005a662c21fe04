package assurability

import (
	"slices"

	"github.com/eidkit/eidkit/niss"
)

// The holder codes that exist (facts sheet a.7).
var (
	knownCT1 = []string{"100", "101", "110", "111", "120", "121", "130", "131", "140", "141", "150", "151", "410", "411", "420", "421", "430", "431", "440", "441",
		"450", "451", "470", "480"}
	knownCT2 = []string{"000", "100", "101", "110", "111", "114", "120", "121", "130", "131", "140", "141", "144", "150", "151", "460", "461", "464", "481", "701",
		"900", "901", "911"}
)

// last is the last day asked about.
func (q *Question) last() niss.Date {
	if q.Until == (niss.Date{}) {
		return q.From
	}
	return q.Until
}

// covers tells whether a day lies in the period.
func (p *Period) covers(day niss.Date) bool {
	return !day.Before(p.From) && (p.Until == (niss.Date{}) || !p.Until.Before(day))
}

// judge derives the status from what was read (facts sheet a.5): the services have no field that says "insured". It is about the
// last of the days asked about. paid says whether the insurer pays the provider, nil if the service does not say.
func (a *Answer) judge(q *Question, paid *bool) {
	day := q.last()
	i := slices.IndexFunc(a.Periods, func(p Period) bool { return p.covers(day) })
	closed := a.Event == ClosedBefore || a.Event == StartLater
	if closed && (i >= 0 || paid != nil && *paid) {
		a.warn(Contradiction)
	}
	switch {
	case q.Patient.NISS == "" && !a.confirmed: // about whom this is nobody knows
		a.Status = Unknown
	case a.Person.Deceased != (niss.Date{}) && !day.Before(a.Person.Deceased):
		a.Status = Deceased
	case closed && a.saysNothingElse(q):
		a.Status = NotInsured
	case closed:
		a.Status = Unknown
	case paid != nil && !*paid:
		a.Status = ThirdPartyRefused
	case i >= 0:
		a.Status = Insured
	default:
		a.Status = Unknown
	}
	if a.Person.Deceased != (niss.Date{}) && day.Before(a.Person.Deceased) {
		a.warn(DiedSince)
	}
	if i >= 0 {
		a.tariff(&a.Periods[i])
		a.oneCover(day, &a.Periods[i])
	}
	if len(a.Periods) > 0 {
		a.coverage(q)
	}
	if a.Status == Insured && paid == nil { // whether the insurer pays was not told
		a.warn(PartialAnswer)
	}
	if len(a.Transfers) > 0 || a.Event == ChangeDuring {
		a.warn(InsurerChanged)
	}
	if len(a.MedicalHouses) > 0 {
		a.warn(InMedicalHouse)
	}
}

// saysNothingElse tells whether an answer by which the cover is closed leaves no doubt about it: it names the patient, is whole, has no
// cover and no promise to pay in it, and no other insurer who may have taken over.
func (a *Answer) saysNothingElse(q *Question) bool {
	for _, w := range []Warning{Contradiction, PartialAnswer, Truncated} {
		if slices.Contains(a.Warnings, w) {
			return false
		}
	}
	return len(a.Periods) == 0 && len(a.Transfers) == 0 && (q.Patient.NISS == "" || a.Person.NISS != "")
}

// oneCover warns if a second period covers the same day otherwise: then neither mutuality nor tariff is sure.
func (a *Answer) oneCover(day niss.Date, first *Period) {
	for i := range a.Periods {
		p := &a.Periods[i]
		if p == first || !p.covers(day) || p.Mutuality == first.Mutuality && p.CT1 == first.CT1 && p.CT2 == first.CT2 {
			continue
		}
		a.warn(Contradiction)
		if p.CT1 != first.CT1 {
			a.Tariff = NoTariff
		}
	}
}

// tariff is told by the last digit of CT1 (facts sheet a.7): CT2 only warns.
func (a *Answer) tariff(p *Period) {
	if p.Information != (niss.Date{}) && p.Information.Before(a.From) {
		a.warn(OldInformation)
	}
	if len(p.CT1) != 3 {
		a.warn(NoCodes)
		return
	}
	if !slices.Contains(knownCT1, p.CT1) || p.CT2 != "" && !slices.Contains(knownCT2, p.CT2) {
		a.warn(CodeUnknown)
	}
	if !slices.Contains(knownCT1, p.CT1) {
		return // nothing is said of codes that nobody knows
	}
	increased := (p.CT1[2]-'0')%2 == 1
	a.Tariff = Ordinary
	if increased {
		a.Tariff = Increased
	}
	if len(p.CT2) == 3 && p.CT2 != "000" && (p.CT2[2]-'0')%2 == 1 != increased {
		a.warn(CodesDiffer)
	}
}

// coverage warns if days at the beginning or in between are not covered.
func (a *Answer) coverage(q *Question) {
	periods := slices.Clone(a.Periods)
	slices.SortFunc(periods, func(x, y Period) int {
		switch {
		case x.From.Before(y.From):
			return -1
		case y.From.Before(x.From):
			return 1
		}
		return 0
	})
	next := q.From
	for _, p := range periods {
		if next.Before(p.From) {
			break
		}
		if p.Until == (niss.Date{}) {
			return
		}
		if end := dayAfter(p.Until); next.Before(end) {
			next = end
		}
	}
	if !q.last().Before(next) {
		a.warn(PartlyCovered)
	}
}

// warn notes a warning once.
func (a *Answer) warn(w Warning) {
	if !slices.Contains(a.Warnings, w) {
		a.Warnings = append(a.Warnings, w)
	}
}
