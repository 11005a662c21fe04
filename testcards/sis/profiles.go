package sis

import (
	"fmt"
	"strconv"
)

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

// holder is a card of an invented person.
func holder(i int, surname, first string, sex byte, birth string, counter int) Data {
	return Data{
		Serial: fmt.Sprintf("4D5445535400%010X", 0x1000+i), Number: number(birth, counter), Surname: surname, FirstName: first, Initials: "T", Sex: sex,
		Birth: birth, Issued: "20110307", LogicalNumber: uint32(700_000_000 + 97*i), ValidFrom: "20110307", ValidUntil: "20301231",
		Insurance: Insurance{Mutuality: "319", Affiliate: fmt.Sprintf("00%011d", 31_415_926+i), From: "20110101", Until: "20131231", CT1: "110", CT2: "110",
			Key1: fmt.Sprintf("%016X", 0x1111*i), Key2: fmt.Sprintf("%016X", 0x2222*i)},
	}
}

func (d Data) with(change func(*Data)) Data {
	change(&d)
	return d
}

// profiles are the cards that Open makes. Their holders say by their names that they are invented.
var profiles = []Profile{
	{Name: "sis-ordinary", Description: "valid, ordinary insurance", data: holder(1, "SPECIMEN", "MARIJKE", '2', "19710501", 204)},
	{Name: "sis-increased", Description: "valid, increased intervention and social franchise", data: holder(2, "PROEFKAART", "JOZEF", '1', "19480923", 117).with(func(d *Data) {
		d.Insurance.CT1, d.Insurance.CT2, d.Insurance.Franchise = "131", "131", 2013
	})},
	{Name: "sis-expired", Description: "validity over since 2012", data: holder(3, "EXEMPLE", "LUC", '1', "19650214", 311).with(func(d *Data) {
		d.ValidUntil = "20120306"
	})},
	{Name: "sis-letters", Description: "names with letters of all kinds", data: holder(4, "ÇELIKÖZ-MÜLLER D'ÉPREUVE", "ÆØÅNN", '2', "20010630", 42)},
	{Name: "sis-directory", Description: "the directory is garbled, the files are not", data: holder(5, "BEISPIEL", "URSULA", '2', "19590101", 8),
		mangle: func(b []byte) { copy(b[30:60], "\xFF\xFF\xFF\xFF\xFF\xFF\x00\x11\x01\x99\x00\x2C") }},
	{Name: "sis-checkdigits", Description: "the check digits of the number are wrong", data: holder(6, "MODEL", "BRAM", '1', "19800229", 333).with(func(d *Data) {
		d.Number = d.Number[:10] + string('0'+(d.Number[10]-'0'+1)%10)
	})},
	{Name: "sis-empty", Description: "no insurance data were ever written", data: holder(7, "VIERGE", "ANAÏS", '2', "19930712", 250),
		mangle: func(b []byte) {
			for i := 204; i < 404; i++ {
				b[i] = 0xFF
			}
		}},
}
