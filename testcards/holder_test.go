package testcards

import (
	"bytes"
	"testing"
)

// TestHolder: the card of a person who was ordered has his number, names, birth date and sex, and is another card.
func TestHolder(t *testing.T) {
	for number, want := range map[string][2]string{
		"71050120431": {"1971", "F"}, "01063004223": {"2001", "F"}, "50061599733": {"1950", "M"}, "87420302665": {"1987", "F"},
	} {
		h := &Holder{NationalNumber: number, Surname: "SPECIMEN", GivenNames: "Marijke"}
		c, again, other := open(t, "citizen-1.8", Options{Holder: h}), open(t, "citizen-1.8", Options{Holder: h}), open(t, "citizen-1.8", Options{})
		id := c.File(0x4031)
		sex := string(tlvValue(id, 0x0D))
		if sex != "M" {
			sex = "F"
		}
		if string(tlvValue(id, 6)) != number || string(tlvValue(id, 7)) != "SPECIMEN" || string(tlvValue(id, 8)) != "Marijke" ||
			!bytes.Contains(tlvValue(id, 0x0C), []byte(want[0])) || sex != want[1] {
			t.Errorf("%s: %q", number, id)
		}
		if got := certificate(t, c, 0x5038).Subject.SerialNumber; got != number {
			t.Errorf("%s: the certificate says %s", number, got)
		}
		if !sameFiles(c, again) || bytes.Equal(c.Serial(), other.Serial()) {
			t.Errorf("%s: not the same card twice, or the serial of another", number)
		}
	}
	for _, number := range []string{"", "71050120432", "7105012043a"} {
		if _, err := Open("citizen-1.8", Options{Holder: &Holder{NationalNumber: number}}); err == nil {
			t.Errorf("%q is taken", number)
		}
	}
}
