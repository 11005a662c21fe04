package ber

import (
	"bytes"
	"encoding/asn1"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"
)

// What is written is what encoding/asn1 writes.
func TestWriteValues(t *testing.T) {
	t.Parallel()
	same := func(what any, got []byte, value any, params string) {
		t.Helper()
		want, err := asn1.MarshalWithParams(value, params)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%v: %x instead of %x, %v", what, got, want, err)
		}
	}
	for _, oid := range []asn1.ObjectIdentifier{{1, 2, 840, 113549, 1, 7, 2}, {2, 999, 16383, 16384}, {0, 0}, {1, 39}, {2, 5, 29, 15}, {0, 4, 0, 19122, 1, 5}, {2, 47}} {
		got, err := AppendOID(nil, oid.String())
		if err != nil {
			t.Error(oid, err)
		}
		same(oid, got, oid, "")
	}
	for _, text := range []string{"", "1", "3.1", "1.40", "0.40.1", "1.2.", ".1.2", "1..2", "1.2.x", "1.2.03", "1.2.-3", "1.2.99999999999999999999", "1.2" + strings.Repeat(".1234567", 60), "urn:oid:1.2"} {
		if got, err := AppendOID(nil, text); !errors.Is(err, ErrMalformed) {
			t.Errorf("%q: %x, %v", text, got, err)
		}
	}
	for _, n := range []int64{0, 1, 127, 128, 255, 256, -1, -127, -128, -129, -256, -32768, -32769, 1 << 62, -1 << 62} {
		same(n, AppendInteger(nil, big.NewInt(n)), n, "")
	}
	wide := new(big.Int).Lsh(big.NewInt(-5), 300)
	same(wide, AppendInteger(nil, wide), wide, "")
	for _, year := range []int{1950, 1999, 2026, 2049} {
		when := time.Date(year, 2, 3, 4, 5, 6, 7, time.UTC)
		same(when, AppendTime(nil, when.In(time.FixedZone("", 3600))), when, "utc")
	}
	for _, year := range []int{1949, 2050, 2126} {
		when := time.Date(year, 2, 3, 4, 5, 6, 0, time.UTC)
		same(when, AppendTime(nil, when), when, "generalized")
	}
	same("text", AppendText(nil, "Zoë"), "Zoë", "utf8")
	same("sequence", AppendSequence(nil, AppendText(nil, "a"), AppendInteger(nil, big.NewInt(5))), struct {
		A string `asn1:"utf8"`
		N int
	}{"a", 5}, "")
}
