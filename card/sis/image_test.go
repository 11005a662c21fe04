package sis_test

import (
	"bytes"
	"errors"
	"reflect"
	"slices"
	"testing"

	"github.com/eidkit/eidkit/card/sis"
	testsis "github.com/eidkit/eidkit/testcards/sis"
)

func image(t testing.TB, profile string) []byte {
	t.Helper()
	c, err := testsis.Open(profile, testsis.PCSC)
	if err != nil {
		t.Fatal(err)
	}
	return c.Image()
}

// unchecked are the parts of a card in which any byte may be right: chip number, number of the card, the four bytes behind the mark at
// the end of each file (what they are is not known), and the enciphered files, which the security module checks.
func unchecked(i int) bool {
	return i >= 6 && i < 17 || i >= 80 && i < 84 || i >= 100 && i < 104 || i >= 200 && i < 204 || i >= 207 && i < 296 || i >= 299
}

// TestAnyByteChanged changes each byte in many ways. The card is then refused, or a warning says so, or the byte is one of a field that
// nothing checks, and then what is read differs.
func TestAnyByteChanged(t *testing.T) {
	good := image(t, "sis-ordinary")
	right, err := sis.Parse(good)
	if err != nil || len(right.Warnings) > 0 {
		t.Fatal(err, right.Warnings)
	}
	for i := range good {
		for change := 1; change < 256; change += 1 + change/16 {
			b := bytes.Clone(good)
			b[i] ^= byte(change)
			v := b[i]
			im, err := sis.Parse(b)
			switch {
			case errors.Is(err, sis.ErrNotSIS), errors.Is(err, sis.ErrDamaged):
				continue
			case err != nil:
				t.Fatalf("byte %d as %02X: %v", i, v, err)
			case len(im.Warnings) > 0:
				if !slices.ContainsFunc(im.Warnings, func(w sis.Warning) bool { return slices.Contains(warned(i), w) }) {
					t.Errorf("byte %d as %02X: %v, want one of %v", i, v, im.Warnings, warned(i))
				}
				continue
			case unchecked(i):
				continue
			}
			im.Raw = right.Raw
			if reflect.DeepEqual(im, right) {
				t.Errorf("byte %d as %02X: nobody notices", i, v)
			}
			if !field(i) {
				t.Errorf("byte %d as %02X: no warning", i, v)
			}
		}
	}
}

// warned are the warnings that a change of the byte may cause: each says what the byte is about.
func warned(i int) []sis.Warning {
	for _, part := range []struct {
		until    int // exclusive
		warnings []sis.Warning
	}{
		{30, []sis.Warning{sis.HeaderOdd}}, {62, []sis.Warning{sis.DirectoryOdd}}, {63, []sis.Warning{sis.VersionUnknown}}, {73, []sis.Warning{sis.CopiesDiffer}},
		{80, []sis.Warning{sis.FillerOdd}}, {84, nil}, {92, []sis.Warning{sis.DateWrong, sis.ValidityOdd}}, {100, []sis.Warning{sis.FillerOdd}}, {104, nil},
		{106, []sis.Warning{sis.DirectoryOdd}}, {107, []sis.Warning{sis.VersionUnknown}}, {117, []sis.Warning{sis.CopiesDiffer}}, {190, []sis.Warning{sis.NameOdd}},
		{191, []sis.Warning{sis.SexUnknown, sis.NumberDiffers}}, {195, []sis.Warning{sis.DateWrong, sis.NumberDiffers}}, {200, []sis.Warning{sis.FillerOdd}},
		{204, nil}, {206, []sis.Warning{sis.NoInsurance}}, {207, []sis.Warning{sis.VersionUnknown}}, {296, nil}, {298, []sis.Warning{sis.DirectoryOdd}},
		{299, []sis.Warning{sis.VersionUnknown}},
	} {
		if i < part.until {
			return part.warnings
		}
	}
	return nil
}

// field tells whether the byte is of a name or of the dates of validity, which have no second copy: another letter or day is as good.
func field(i int) bool { return i >= 84 && i < 92 || i >= 117 && i < 190 }

// TestNumberIsChecked: a wrong number never comes out as NISS, wherever it was changed.
func TestNumberIsChecked(t *testing.T) {
	good := image(t, "sis-ordinary")
	right, _ := sis.Parse(good)
	for i := 107; i < 113; i++ {
		for v := range 256 {
			b := bytes.Clone(good)
			b[i] = byte(v)
			im, err := sis.Parse(b)
			if err != nil {
				t.Fatal(err)
			}
			if im.NISS != right.NISS && !slices.Contains(im.Warnings, sis.CopiesDiffer) {
				t.Errorf("byte %d as %02X: %v", i, v, im.Warnings)
			}
		}
	}
}

func TestParseRefuses(t *testing.T) {
	good := image(t, "sis-ordinary")
	for name, b := range map[string][]byte{"nothing": nil, "short": good[:403], "long": append(bytes.Clone(good), 0), "zeros": make([]byte, 404),
		"FF": bytes.Repeat([]byte{0xFF}, 404)} {
		if _, err := sis.Parse(b); !errors.Is(err, sis.ErrNotSIS) {
			t.Errorf("%s: %v", name, err)
		}
	}
	b := bytes.Clone(good)
	clear(b[30:404])
	if _, err := sis.Parse(b); !errors.Is(err, sis.ErrDamaged) {
		t.Errorf("nothing but a header: %v", err)
	}
}

func TestFields(t *testing.T) {
	im, err := sis.Parse(image(t, "sis-ordinary"))
	if err != nil {
		t.Fatal(err)
	}
	if im.LogicalNumber != 700_000_097 || im.Birth.String() != "1971-05-01" || im.Issued.String() != "2011-03-07" || im.ValidFrom.String() != "2011-03-07" ||
		im.ValidUntil.String() != "2030-12-31" || im.Sex.String() != "female" || im.Initials != "T" || len(im.Sealed) != 89 || len(im.Other) != 105 {
		t.Errorf("%+v", im)
	}
}

func FuzzParse(f *testing.F) {
	for _, p := range testsis.Profiles() {
		f.Add(image(f, p.Name))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		im, err := sis.Parse(b)
		if err != nil {
			if !errors.Is(err, sis.ErrNotSIS) && !errors.Is(err, sis.ErrDamaged) {
				t.Fatal(err)
			}
			return
		}
		if !bytes.Equal(im.Raw, b) {
			t.Fatal("the image changed")
		}
		for _, w := range im.Warnings {
			if w.String() == "" {
				t.Fatalf("%s has no text", string(w))
			}
		}
	})
}
