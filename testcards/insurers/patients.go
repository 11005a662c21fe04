package insurers

import (
	"github.com/eidkit/eidkit/testcards"
	"github.com/eidkit/eidkit/testcards/internal/patients"
)

// Outcome is what a client has to make of an answer, in the words of package verify/assurability.
type Outcome struct {
	Status, Tariff string
	Warnings       []string
}

// Patient is somebody whom the services know, invented, and in the same situation on whatever day he is asked about.
type Patient struct {
	Name, Description string
	// Number is the national number; empty: none yet, and the question starts from Affiliate and Mutuality, which are those of today.
	Number, Affiliate, Mutuality string
	Surname, FirstName           string
	Birth                        string // YYYYMMDD, empty: not known
	// SIS is the profile of his card in package testcards/sis; empty: he has none.
	SIS string
	// Expected is what comes of the question about today, ambulatory, of one day; Month of that of the hospital to GenIns about the
	// thirty days that end today.
	Expected map[Service]Outcome
	Month    Outcome
}

// Patients lists them, the ordinary one first.
func Patients() []Patient {
	list := make([]Patient, len(table))
	for i, p := range table {
		list[i] = Patient{Name: p.Name, Description: p.Description, Number: p.Number, Surname: p.Surname, FirstName: p.FirstName, Birth: p.Birth,
			Affiliate: p.Card.Affiliate, Mutuality: p.Card.Mutuality, Month: or(p.Month, p.Today),
			Expected: map[Service]Outcome{GenIns: Outcome(p.Today), Pharmacist: or(p.Pharmacist, p.Today), MemberData: or(p.Member, p.Today)}}
		if p.Card.Serial != 0 {
			list[i].SIS = "sis-" + p.Name
		}
		for _, c := range p.Covers {
			if c.From <= 0 && c.Until >= 0 {
				list[i].Affiliate, list[i].Mutuality = c.Affiliate, c.Mutuality
			}
		}
	}
	return list
}

func or(o *patients.Outcome, other patients.Outcome) Outcome {
	if o == nil {
		return Outcome(other)
	}
	return Outcome(*o)
}

// Card makes the patient's eID card of a profile of package testcards; empty: citizen-1.8, or foreigner-1.8 for one with a bis number. It
// fails for one who has no number.
func (p Patient) Card(profile string, o testcards.Options) (*testcards.Card, error) {
	if profile == "" {
		profile = testcards.Citizen18.Name
		if len(p.Number) == 11 && p.Number[2] >= '2' {
			profile = testcards.Foreigner18.Name
		}
	}
	o.Holder = &testcards.Holder{NationalNumber: p.Number, Surname: p.Surname, GivenNames: p.FirstName}
	return testcards.Open(profile, o)
}
