package sis

import (
	"fmt"

	"github.com/eidkit/eidkit/testcards/internal/patients"
)

// holder is the card of a patient.
func holder(p patients.Patient) Data {
	c, i := p.Card, p.Card.Serial
	d := Data{
		Serial: fmt.Sprintf("4D5445535400%010X", 0x1000+i), Number: p.Number, Surname: p.Surname, FirstName: p.FirstName, Initials: "T", Sex: '1',
		Birth: p.Birth, Issued: "20110307", LogicalNumber: uint32(700_000_000 + 97*i), ValidFrom: "20110307", ValidUntil: c.ValidUntil,
		Insurance: Insurance{Mutuality: c.Mutuality, Affiliate: c.Affiliate, From: "20110101", Until: "20131231", CT1: "110", CT2: "110", Franchise: c.Franchise,
			Key1: fmt.Sprintf("%016X", 0x1111*i), Key2: fmt.Sprintf("%016X", 0x2222*i)},
	}
	if p.Female {
		d.Sex = '2'
	}
	if c.Mutuality == "" {
		d.Insurance.Mutuality, d.Insurance.Affiliate = p.Covers[0].Mutuality, p.Covers[0].Affiliate
	}
	if c.CT != "" {
		d.Insurance.CT1, d.Insurance.CT2 = c.CT, c.CT
	}
	return d
}

// mangles make images wrong after they were made, by the name of the patient.
var mangles = map[string]func(image []byte){
	"directory": func(b []byte) { copy(b[30:60], "\xFF\xFF\xFF\xFF\xFF\xFF\x00\x11\x01\x99\x00\x2C") },
	"empty": func(b []byte) {
		for i := 204; i < 404; i++ {
			b[i] = 0xFF
		}
	},
}

// profiles are the cards that Open makes: those of the patients of the simulated insurers, and one that leads to nobody. Their holders
// say by their names that they are invented.
var profiles = makeProfiles()

func makeProfiles() (list []Profile) {
	for _, p := range patients.All() {
		if p.Card.Serial != 0 {
			list = append(list, Profile{Name: "sis-" + p.Name, Description: p.Card.Description, data: holder(p), mangle: mangles[p.Name]})
		}
		if p.Name != "directory" {
			continue
		}
		model := patients.Patient{Surname: "MODEL", FirstName: "BRAM", Birth: "19800229", Number: "80022933307",
			Card: patients.Card{Serial: 6, ValidUntil: "20301231", Mutuality: "319", Affiliate: "0000031415932"}}
		list = append(list, Profile{Name: "sis-checkdigits", Description: "the check digits of the number are wrong", data: holder(model)})
	}
	return list
}
