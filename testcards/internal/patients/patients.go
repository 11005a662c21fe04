// Package patients is the one table of the invented patients that simulated
// SIS cards, simulated eID cards and the simulated insurers' services share.
//
// All is the table. Days in it are counted from today, so that the same
// patient is in the same situation whenever he is asked about.
//
// Out of scope: what cards and messages look like (testcards/sis,
// testcards/insurers).
//
// References: facts sheet "assurability" a.5, a.7 and c.7; facts sheet 12
// (check digits).
package patients

import (
	"fmt"
	"strconv"
)

// Ever and Open are days before and after all others.
const (
	Ever = -100_000
	Open = 100_000
)

// Cover is insurance with one mutuality under one pair of codes, from a day to a day, both included. Information is the day that the
// insurer's information is of.
type Cover struct {
	From, Until          int
	Mutuality, Affiliate string
	CT1, CT2             string // empty: none
	Information          int
}

// House is an enrolment in a medical house.
type House struct {
	From, Until         int
	Doctor, Nurse, Kine bool
}

// Stay is a stay in hospital that lasts.
type Stay struct {
	Hospital, Service string
	Since             int
}

// Transfer is a change of insurer: from the union of that code.
type Transfer struct {
	From string // "300"
	On   int
}

// Card is what the patient's SIS card says otherwise than one would expect of a valid card of an insured person.
type Card struct {
	Description string
	Serial      int // of the chip and the logical number; 0: no card
	ValidUntil  string
	CT          string // both codes; empty: 110
	Mutuality   string // empty: that of the first cover
	Affiliate   string
	Franchise   uint16
}

// Outcome is what a client has to make of an answer: words of package verify/assurability.
type Outcome struct {
	Status, Tariff string
	Warnings       []string
}

// Patient is one of them.
type Patient struct {
	Name, Description  string
	Number             string // national number; empty: none yet
	Surname, FirstName string
	Female             bool
	Birth              string // YYYYMMDD; empty: not known to the insurers
	Card               Card

	Covers    []Cover
	Refused   bool  // the insurer does not pay the provider
	Years     []int // in which the maximum billing was reached, counted from this year
	Social    bool  // the flag of that name is told, and is set
	Event     string
	Transfer  *Transfer
	House     *House
	Stay      *Stay
	Died      *int
	Insurers  []string // several that claim him, by first digit
	Stranger  bool     // no insurer knows him
	Mute      bool     // the insurer answers and says nothing
	NotEchoed bool     // answers do not repeat the number

	// Today is what comes of a question about today. Pharmacist and Member are those of these services, where they differ; Month that
	// of a hospital's question about the thirty days that end today.
	Today              Outcome
	Pharmacist, Member *Outcome
	Month              *Outcome
}

// number makes a national number of birth date and counter.
func number(birth string, counter int) string {
	nine := birth[2:] + fmt.Sprintf("%03d", counter)
	n, err := strconv.Atoi(nine)
	if err != nil {
		panic(err)
	}
	if birth >= "2000" {
		n += 2_000_000_000
	}
	return fmt.Sprintf("%s%02d", nine, 97-n%97)
}

// person begins a patient: insured for ever under 110/110.
func person(serial int, name, description, surname, first string, female bool, birth string, counter int) Patient {
	said := "valid; on the network: " + description
	if serial < 8 { // the first cards, whose names for it are older than the network
		said = "valid, " + description
	}
	return Patient{
		Name: name, Description: description, Number: number(birth, counter), Surname: surname, FirstName: first, Female: female, Birth: birth,
		Card:   Card{Serial: serial, Description: said, ValidUntil: "20301231"},
		Covers: []Cover{{From: Ever, Until: Open, Mutuality: "319", Affiliate: fmt.Sprintf("00%011d", 31_415_926+serial), CT1: "110", CT2: "110"}},
		Today:  Outcome{Status: "INSURED", Tariff: "ORDINARY"},
	}
}

func (p Patient) with(change func(*Patient)) Patient {
	change(&p)
	return p
}

// codes sets both codes of the first cover.
func (p *Patient) codes(ct1, ct2 string) { p.Covers[0].CT1, p.Covers[0].CT2 = ct1, ct2 }

// at sets mutuality and affiliate number of the first cover.
func (p *Patient) at(mutuality, affiliate string) {
	p.Covers[0].Mutuality, p.Covers[0].Affiliate = mutuality, affiliate
}

// all sets what comes of it for every service and period.
func (p *Patient) all(status, tariff string, warnings ...string) {
	p.Today = Outcome{status, tariff, warnings}
	p.Pharmacist, p.Member, p.Month = nil, nil, nil
}

func outcome(status, tariff string, warnings ...string) *Outcome {
	return &Outcome{status, tariff, warnings}
}
