package beidfile

import (
	"bytes"
	"errors"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// file writes fields of fewer than 255 bytes, in the order of their tags.
func file(fields map[byte]string) []byte {
	var b []byte
	for _, tag := range slices.Sorted(maps.Keys(fields)) {
		b = append(b, tag, byte(len(fields[tag])))
		b = append(b, fields[tag]...)
	}
	return b
}

// fullIdentity has every tag of the sheet, and one that is not on it. The person is invented.
func fullIdentity() map[byte]string {
	return map[byte]string{
		0x00: "\x00\x02", 0x01: "B123456748", 0x02: "0123456789ABCDEF", 0x03: "01.02.2023", 0x04: "01.02.2033", 0x05: "Liège",
		0x06: "85073000259", 0x07: "Ōé'ÄËÏÖÜŸ-Çñ", 0x08: "Zoë Noëlle", 0x09: "É", 0x0A: "Österreich", 0x0B: "Sankt Vith",
		0x0C: "30.JUL. 1985", 0x0D: "W", 0x0E: "Gräfin", 0x0F: "31", 0x10: "5", 0x11: strings.Repeat("h", 48), 0x12: "01", 0x13: "2",
		0x14: "", 0x15: "03.04.2005-FR", 0x16: "A", 0x17: "0123.456.789", 0x18: "0987.654.321", 0x19: "REG-2023/17",
		0x1A: strings.Repeat("k", 48), 0x1B: "B", 0x1C: "C", 0x1D: "F", 0x1E: "K", 0x1F: "05.06.2022", 0x20: "new", 0xFE: "\xFF\x00",
	}
}

func TestParseIdentityFull(t *testing.T) {
	b := append(file(fullIdentity()), make([]byte, 30)...)
	got, err := ParseIdentity(b)
	if err != nil {
		t.Fatal(err)
	}
	clear(b) // the result must share nothing with it
	want := &Identity{
		StructureVersion: []byte{0, 2}, CardNumber: "B123456748", ChipNumber: []byte("0123456789ABCDEF"),
		ValidFrom: Date{2023, 2, 1}, ValidUntil: Date{2033, 2, 1}, DeliveryMunicipality: "Liège", NationalNumber: "85073000259",
		Surname: "Ōé'ÄËÏÖÜŸ-Çñ", GivenNames: "Zoë Noëlle", ThirdInitial: "É", Nationality: "Österreich", BirthPlace: "Sankt Vith",
		Birth: Date{1985, 7, 30}, BirthText: "30.JUL. 1985", Sex: Female, NobleCondition: "Gräfin", DocumentType: "31",
		SpecialStatus: "5", PhotoHash: []byte(strings.Repeat("h", 48)), Duplicate: "01", SpecialOrganisation: "2",
		MemberOfFamily: true, ProtectionDateCountry: "03.04.2005-FR", WorkPermit: "A", EmployerVAT1: "0123.456.789",
		EmployerVAT2: "0987.654.321", RegionalFile: "REG-2023/17", BasicKeyHash: []byte(strings.Repeat("k", 48)),
		BrexitMention1: "B", BrexitMention2: "C", CardAMention1: "F", CardAMention2: "K", EUStart: Date{2022, 6, 5},
		Unknown: []Field{{0x20, []byte("new")}, {0xFE, []byte{0xFF, 0}}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// One field is changed (nil: taken away); what is expected is the warning and the value that comes of it.
func TestParseIdentityOdd(t *testing.T) {
	cut := func(s string) *string { return &s }
	tests := []struct {
		name    string
		tag     byte
		value   *string
		warning string // part of it; empty: none
		get     func(*Identity) any
		want    any
	}{
		{"Latin-1 name", 0x07, cut("Andr\xE9"), "name (tag 07) is not UTF-8", func(i *Identity) any { return i.Surname }, "André"},
		{"control characters", 0x07, cut("A\x1B[2JB"), "has control characters", func(i *Identity) any { return i.Surname }, "A\uFFFD[2JB"},
		{"right-to-left override", 0x08, cut("A\u202EB"), "has control characters", func(i *Identity) any { return i.GivenNames }, "A\uFFFDB"},
		{"padded name", 0x07, cut("Peeters   "), "", func(i *Identity) any { return i.Surname }, "Peeters"},
		{"empty name", 0x07, cut(""), "name (tag 07) is empty", func(i *Identity) any { return i.Surname }, ""},
		{"man", 0x0D, cut("M"), "", func(i *Identity) any { return i.Sex }, Male},
		{"vrouw", 0x0D, cut("V"), "", func(i *Identity) any { return i.Sex }, Female},
		{"femme", 0x0D, cut("F"), "", func(i *Identity) any { return i.Sex }, Female},
		{"sex X", 0x0D, cut("X"), "sex (tag 0D) is a letter", func(i *Identity) any { return i.Sex }, SexUnknown},
		{"no sex", 0x0D, nil, "sex (tag 0D) is missing", func(i *Identity) any { return i.Sex }, SexUnknown},
		{"year alone", 0x0C, cut("1985"), "", func(i *Identity) any { return i.Birth }, Date{1985, 0, 0}},
		{"birth blank", 0x0C, cut("            "), "", func(i *Identity) any { return i.Birth }, Date{}},
		{"birth nonsense", 0x0C, cut("unknown"), "birth date (tag 0C) is not", func(i *Identity) any { return i.BirthText }, "unknown"},
		{"birth in Latin-1", 0x0C, cut("03.M\xC4R. 1980"), "is not UTF-8", func(i *Identity) any { return i.Birth }, Date{1980, 3, 3}},
		{"no validity", 0x03, cut(""), "", func(i *Identity) any { return i.ValidFrom }, Date{}},
		{"validity nonsense", 0x04, cut("31.02.2030"), "end of validity (tag 04) is not a date", func(i *Identity) any { return i.ValidUntil }, Date{}},
		{"old foreigner", 0x01, cut("123456789"), "", func(i *Identity) any { return i.CardNumber }, "123456789"},
		{"citizen", 0x01, cut("591000012331"), "", func(i *Identity) any { return i.CardNumber }, "591000012331"},
		{"card number odd", 0x01, cut("1234567890"), "card number (tag 01)", func(i *Identity) any { return i.CardNumber }, "1234567890"},
		{"card number empty", 0x01, cut(""), "card number (tag 01)", func(i *Identity) any { return i.CardNumber }, ""},
		{"national number odd", 0x06, cut("8507300025X"), "national number (tag 06)", func(i *Identity) any { return i.NationalNumber }, "8507300025X"},
		{"chip number short", 0x02, cut("abc"), "chip number (tag 02) has an odd length", func(i *Identity) any { return i.ChipNumber }, []byte("abc")},
		{"SHA-1", 0x11, cut(strings.Repeat("h", 20)), "", func(i *Identity) any { return len(i.PhotoHash) }, 20},
		{"SHA-256", 0x11, cut(strings.Repeat("h", 32)), "", func(i *Identity) any { return len(i.PhotoHash) }, 32},
		{"hash of 16", 0x11, cut(strings.Repeat("h", 16)), "photo hash (tag 11) has an odd length", func(i *Identity) any { return len(i.PhotoHash) }, 16},
		{"document 99", 0x0F, cut("99"), "document type (tag 0F)", func(i *Identity) any { return i.DocumentType }, DocumentType("99")},
		{"status 9", 0x10, cut("9"), "special status (tag 10)", func(i *Identity) any { return i.SpecialStatus }, SpecialStatus("9")},
		{"no status", 0x10, nil, "", func(i *Identity) any { return i.SpecialStatus.Word() }, "NO_STATUS"},
		{"family absent", 0x14, nil, "", func(i *Identity) any { return i.MemberOfFamily }, false},
		{"family with a value", 0x14, cut("1"), "", func(i *Identity) any { return i.MemberOfFamily }, true},
		{"no basic key", 0x1A, cut(""), "", func(i *Identity) any { return i.BasicKeyHash }, []byte(nil)},
		{"no tag 00", 0x00, nil, "", func(i *Identity) any { return i.StructureVersion }, []byte(nil)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			fields := fullIdentity()
			delete(fields, tt.tag)
			if tt.value != nil {
				fields[tt.tag] = *tt.value
			}
			id, err := ParseIdentity(file(fields))
			if err != nil {
				t.Fatal(err)
			}
			if got := tt.get(id); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if tt.warning == "" && len(id.Warnings) > 0 {
				t.Errorf("warnings %q", id.Warnings)
			}
			if tt.warning != "" && (len(id.Warnings) != 1 || !strings.Contains(id.Warnings[0], tt.warning)) {
				t.Errorf("warnings %q, want %q", id.Warnings, tt.warning)
			}
		})
	}
}

func TestParseIdentityStructure(t *testing.T) {
	full := file(fullIdentity())

	twice := append(bytes.Clone(full), 0x07, 1, 'Z', 0x07, 1, 'Y', 0x20, 1, 'X')
	id, err := ParseIdentity(twice)
	if err != nil || id.Surname != fullIdentity()[0x07] || len(id.Unknown) != 2 || len(id.Warnings) != 2 {
		t.Errorf("duplicate tags: %v, %+v", err, id)
	}

	id, err = ParseIdentity(append(bytes.Clone(full), 0, 0, 7, 0))
	if err != nil || len(id.Warnings) != 1 || !strings.Contains(id.Warnings[0], "filler") {
		t.Errorf("data in the filler: %v, %+v", err, id)
	}

	for _, tag := range []byte{0x01, 0x06, 0x07} {
		fields := fullIdentity()
		delete(fields, tag)
		if id, err := ParseIdentity(file(fields)); !errors.Is(err, ErrMissing) || id != nil {
			t.Errorf("without tag %02X: %v", tag, err)
		}
	}
	for name, b := range map[string][]byte{"nothing": nil, "zeros": make([]byte, 256)} {
		if _, err := ParseIdentity(b); !errors.Is(err, ErrMissing) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := ParseIdentity(make([]byte, 1<<20)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("1 MiB: %v", err)
	}

	// Cut anywhere but between two fields, the file does not parse; between two fields it may.
	whole := map[int]bool{0: true}
	for at := 0; at < len(full); {
		at += 2 + int(full[at+1])
		whole[at] = true
	}
	for n := range len(full) {
		if _, err := ParseIdentity(full[:n]); !whole[n] && !errors.Is(err, ErrTruncated) {
			t.Errorf("cut to %d bytes: %v", n, err)
		}
	}
}

// Warnings and errors travel into logs: no value may be in them.
func TestWarningsHoldNoValues(t *testing.T) {
	const secret = "QQQQ"
	fields := fullIdentity()
	for tag := range fields {
		fields[tag] = secret + "\xFF"
	}
	id, err := ParseIdentity(file(fields))
	if err != nil {
		t.Fatal(err)
	}
	if len(id.Warnings) < 10 {
		t.Errorf("only %d warnings", len(id.Warnings))
	}
	if s := strings.Join(id.Warnings, "\n"); strings.Contains(s, "QQ") {
		t.Error(s)
	}
}

func FuzzIdentity(f *testing.F) {
	f.Add(append(file(fullIdentity()), 0, 0, 0))
	f.Add(file(map[byte]string{1: "591000012331", 6: "85073000259", 7: "Peeters", 0x0C: "   JAN 1985"}))
	f.Add(file(map[byte]string{1: "", 6: "", 7: "\xFF\x1B", 0x0C: "03.M\xC4R. 1980"}))
	f.Add(make([]byte, 64))
	f.Fuzz(func(t *testing.T, b []byte) {
		id, err := ParseIdentity(b)
		if err != nil {
			return
		}
		for _, s := range []string{id.Surname, id.GivenNames, id.BirthText, id.CardNumber, string(id.DocumentType)} {
			checkText(t, s)
		}
		if d := id.Birth; d.Month > 12 || d.Day > 31 || d.Year > 9999 || d.Month == 0 && d.Day != 0 {
			t.Errorf("birth %v", d)
		}
		if len(id.Warnings) > 600 {
			t.Errorf("%d warnings", len(id.Warnings))
		}
	})
}
