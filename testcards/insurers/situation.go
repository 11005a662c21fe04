package insurers

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/beevik/etree"

	"github.com/eidkit/eidkit/testcards/internal/patients"
)

// day is a day of the calendar, counted.
type day int

var brussels = sync.OnceValue(func() *time.Location {
	zone, err := time.LoadLocation("Europe/Brussels")
	if err != nil {
		panic(err) // it is in the program
	}
	return zone
})

// dayOf is the day in Brussels.
func dayOf(t time.Time) day {
	t = t.In(brussels())
	return day(time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC).Unix() / 86400)
}

// parseDay reads an xs:date that was checked, whose time zone does not count.
func parseDay(s string) day {
	t, _ := time.Parse(time.DateOnly, s[:10])
	return day(t.Unix() / 86400)
}

func (d day) time() time.Time { return time.Unix(int64(d)*86400, 0).UTC() }

func (d day) String() string { return d.time().Format(time.DateOnly) }

// midnight is when it begins in Brussels.
func (d day) midnight() time.Time {
	t := d.time()
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, brussels())
}

// asking is one question in the making of its answer.
type asking struct {
	n       *Network
	token   *token
	content *etree.Element
	now     time.Time
	today   day
	faults  active
}

// question is what was asked, whatever the service.
type question struct {
	number, affiliate, mutuality string
	from, until                  day
	invoicing, stay              bool
	reference                    string
}

// check finds what GenericInsurability and MemberData do not answer; codes are those of the former (facts sheet a.8).
func (q *question) check(who *Provider, today day) (code string) {
	switch {
	case q.number == "" && q.affiliate == "" && q.mutuality == "":
		return "10"
	case q.number != "" && !checkDigits(q.number):
		return "12"
	case q.from > today:
		return "30"
	case q.until < q.from:
		return "31"
	case int(q.until-q.from) >= who.Days:
		return "32"
	case q.from.time().AddDate(5, 0, 0).Before(today.time()):
		return "40"
	}
	return ""
}

// checkDigits are 97 minus the rest of the division by 97, with a 2 in front for births from 2000 on.
func checkDigits(n string) bool {
	nine, err1 := strconv.Atoi(n[:9])
	two, err2 := strconv.Atoi(n[9:])
	return err1 == nil && err2 == nil && (97-nine%97 == two || 97-(2_000_000_000+nine)%97 == two)
}

// patient finds who is asked about; nil: nobody by that number.
func (q *question) patient() *patients.Patient {
	for i := range table {
		p := &table[i]
		if q.number != "" {
			if p.Number == q.number {
				return p
			}
			continue
		}
		if slices.ContainsFunc(p.Covers, func(c patients.Cover) bool { return c.Affiliate == q.affiliate && c.Mutuality == q.mutuality }) {
			return p
		}
	}
	return nil
}

var table = patients.All()

// named is the patient of that name.
func named(name string) patients.Patient {
	return table[slices.IndexFunc(table, func(p patients.Patient) bool { return p.Name == name })]
}

// item is a period of cover within the days asked about.
type item struct {
	patients.Cover
	from, until, information day
}

// situation is what there is to say.
type situation struct {
	patients.Patient
	items     []item
	truncated bool
	event     string
	moved     day // zero: not
	died      day
	house     [2]day
}

// maxItems is how many periods an answer tells.
const maxItems = 5

// situate looks at a patient in the days asked about.
func situate(p patients.Patient, q *question, today day) *situation {
	s := &situation{Patient: p, event: p.Event}
	at := func(n int) day { return today + day(n) }
	before, after := false, false
	for _, c := range p.Covers {
		from, until := max(at(c.From), q.from), min(at(c.Until), q.until)
		switch {
		case at(c.Until) < q.from:
			before = true
		case at(c.From) > q.until:
			after = true
		default:
			s.items = append(s.items, item{c, from, until, at(c.Information)})
		}
	}
	if n := len(s.items); n > maxItems {
		s.items, s.truncated = s.items[n-maxItems:], true
	}
	within := func(d day) bool { return d >= q.from && d <= q.until }
	if p.Transfer != nil && within(at(p.Transfer.On)) {
		s.event, s.moved = "changeDuring", at(p.Transfer.On)
	}
	if len(s.items) == 0 && s.event == "" {
		switch {
		case before:
			s.event = "closedBefore"
		case after:
			s.event = "startLater"
		}
	}
	if p.Died != nil && within(at(*p.Died)) {
		s.died = at(*p.Died)
	}
	if p.House != nil {
		s.house = [2]day{at(p.House.From), at(p.House.Until)}
	}
	return s
}

// paid tells whether the insurer pays the provider.
func (s *situation) paid() bool {
	return !s.Refused && s.event != "closedBefore" && s.event != "startLater"
}

// years in which the maximum billing was reached.
func (s *situation) years(today day) (list []string) {
	for _, y := range s.Years {
		list = append(list, fmt.Sprintf("%04d", today.time().Year()+y))
	}
	return list
}

func (s *situation) sex() string {
	if s.Female {
		return "female"
	}
	return "male"
}

func (s *situation) birthday() string {
	if len(s.Birth) != 8 {
		return ""
	}
	return s.Birth[:4] + "-" + s.Birth[4:6] + "-" + s.Birth[6:]
}

// shown is the number in an answer.
func (s *situation) shown() string {
	if s.NotEchoed {
		return ""
	}
	return s.Number
}

// mislead changes question and patient as the faults want it. Whoever believes such an answer takes the patient for one who is not
// insured, so that it shows.
func (a *asking) mislead(q *question, p *patients.Patient) *patients.Patient {
	if p == nil {
		p = &patients.Patient{Number: q.number, Stranger: true}
	}
	wrong := *p
	closed := named("closed")
	switch {
	case a.faults.has(WrongPerson):
		wrong = closed
		if p.Number == closed.Number {
			wrong = named("later")
		}
	case a.faults.has(WrongReference), a.faults.has(Yesterday), a.faults.has(Replay):
		wrong = patients.Patient{Number: p.Number, Surname: p.Surname, FirstName: p.FirstName, Female: p.Female, Birth: p.Birth, Covers: closed.Covers}
	default:
		return p
	}
	if a.faults.has(WrongReference) || a.faults.has(Replay) { // Replay comes here if nothing was asked before
		q.reference = otherReference(q.reference)
	}
	if a.faults.has(Yesterday) {
		q.from, q.until = q.from-1, q.until-1
		a.now = a.now.Add(-24 * time.Hour) // MemberData names no day to one who is not insured: the answer was made yesterday
	}
	return &wrong
}

// otherReference changes the last digit.
func otherReference(s string) string {
	if s == "" {
		return "00000000000001"
	}
	last := s[len(s)-1]
	return s[:len(s)-1] + strings.Map(func(r rune) rune { return '0' + (r-'0'+1)%10 }, string(last))
}

// references are those that the network and the insurer give a message: 14 digits.
func (a *asking) references() (network, insurer string) {
	n := a.n.number() % 1_000_000
	d := a.today.time().Format("060102")
	return fmt.Sprintf("%s99%06d", d, n), fmt.Sprintf("%s88%06d", d, n)
}

// approval is a promise to pay, which says that it is a test: 32 characters.
func approval(network string) string { return "TEST00000000000000" + network }
