package ber

import (
	"bytes"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"io"
	"math/big"
	"strings"
	"testing"
	"time"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestHeader(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		in   string
		want Header
	}{
		{"30 03", Header{Universal, true, TagSequence, 2, 3}},
		{"30 80", Header{Universal, true, TagSequence, 2, Indefinite}},
		{"04 82 01 00", Header{Universal, false, TagOctetString, 4, 256}},
		{"04 84 00 00 00 05", Header{Universal, false, TagOctetString, 6, 5}},
		{"A1 05", Header{Context, true, 1, 2, 5}},
		{"5F 81 01 00", Header{Application, false, 129, 4, 0}},
		{"DF 7F 00", Header{Private, false, 127, 3, 0}},
		{"9F 80 05 00", Header{Context, false, 5, 4, 0}},
		{"04 88 7F FF FF FF FF FF FF FF", Header{Universal, false, TagOctetString, 10, 1<<63 - 1}},
		{"04 8A 00 00 00 00 00 00 00 00 00 07", Header{Universal, false, TagOctetString, 12, 7}},
	} {
		got, err := ParseHeader(unhex(t, test.in))
		if err != nil || got != test.want {
			t.Errorf("%s: %+v, %v, want %+v", test.in, got, err, test.want)
		}
	}
	for _, in := range []string{"", "30", "1F", "1F 81", "1F FF FF FF FF 7F 00", "04 80", "04 82 01", "04 FF", "04 88 80 00 00 00 00 00 00 00", "10 00", "11 01 00",
		"04 91 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 07"} {
		if h, err := ParseHeader(unhex(t, in)); !errors.Is(err, ErrMalformed) {
			t.Errorf("%q: %+v, %v", in, h, err)
		}
	}
}

func TestAppend(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 127, 128, 255, 256, 65535, 65536, 1 << 24} {
		for _, tag := range []uint32{0, 30, 31, 127, 128, 1<<14 - 1, 1 << 14, 1<<28 - 1} {
			b := AppendHeader(nil, Context, true, tag, n)
			h, err := ParseHeader(b)
			if want := (Header{Context, true, tag, len(b), int64(n)}); err != nil || h != want {
				t.Errorf("%x: %+v, %v, want %+v", b, h, err, want)
			}
		}
	}
	if got := Append(nil, Universal, false, TagOctetString, []byte("ab"), []byte("c")); !bytes.Equal(got, unhex(t, "04 03 61 62 63")) {
		t.Errorf("%x", got)
	}
	if got := AppendSetOf(nil, unhex(t, "0402 0202"), unhex(t, "0401 FF"), unhex(t, "0402 0101")); !bytes.Equal(got, unhex(t, "310B 0401FF 04020101 04020202")) {
		t.Errorf("%x", got)
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	// SEQUENCE (indefinite) { OCTET STRING (indefinite, chunks, one of them nested) , [0] { NULL } }
	raw := unhex(t, "3080 2480 0402 6162 2405 0403 636465 0400 0000 A002 0500 0000")
	e, err := Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(e.Raw, raw) || len(e.Body) != len(raw)-4 || !e.Is(Universal, TagSequence) {
		t.Errorf("%+v", e)
	}
	r := e.Reader()
	octets, err := r.Expect(Universal, TagOctetString)
	if err != nil {
		t.Fatal(err)
	}
	if octets.Offset != 2 {
		t.Errorf("offset %d", octets.Offset)
	}
	if value, err := octets.Octets(); err != nil || string(value) != "abcde" {
		t.Errorf("%q, %v", value, err)
	}
	if !r.Peek(Context, 0) {
		t.Error("no [0]")
	}
	if _, found, err := r.Optional(Context, 1); found || err != nil {
		t.Errorf("[1]: %t, %v", found, err)
	}
	tagged, found, err := r.Optional(Context, 0)
	if !found || err != nil || r.More() || tagged.Offset != int64(bytes.IndexByte(raw, 0xA0)) {
		t.Errorf("%+v, %t, %v", tagged, found, err)
	}
	if _, err := r.Expect(Universal, TagNull); !errors.Is(err, ErrMalformed) || !strings.Contains(err.Error(), "NULL is missing") {
		t.Error(err)
	}
	for name, in := range map[string]string{
		"cut":                       "3080 0500",
		"too long":                  "3003 0500",
		"something behind":          "3000 00",
		"end mark where none is":    "3002 0000",
		"indefinite, one mark less": "3080 3080 0000",
		"child too long":            "3080 0409 0000",
	} {
		e, err := Parse(unhex(t, in))
		if err == nil {
			_, err = e.Reader().Next()
		}
		if !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDepth(t *testing.T) {
	t.Parallel()
	deep := append(bytes.Repeat([]byte{0x30, 0x80}, 100000), bytes.Repeat([]byte{0, 0}, 100000)...)
	if _, err := Parse(deep); !errors.Is(err, ErrTooLarge) {
		t.Error(err)
	}
	if err := NewCursor(bytes.NewReader(deep), int64(len(deep)), 0, 0).SkipElement(); !errors.Is(err, ErrTooLarge) {
		t.Error(err)
	}
	var definite []byte
	for range 300 {
		definite = Append(nil, Universal, true, TagSequence, definite)
	}
	e, err := Parse(definite)
	if err != nil {
		t.Fatal(err)
	}
	if e.IsDER() {
		t.Error("followed too far")
	}
	if _, err := e.DER(); !errors.Is(err, ErrTooLarge) {
		t.Error(err)
	}
	chunks := append(bytes.Repeat([]byte{0x24, 0x80}, 100), bytes.Repeat([]byte{0, 0}, 100)...)
	h, err := ParseHeader(chunks)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(NewStringReader(bytes.NewReader(chunks), int64(len(chunks)), 0, h)); !errors.Is(err, ErrTooLarge) {
		t.Error(err)
	}
}

func TestDER(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, in, want string }{
		{"as it is", "3005 0201 05 0500", "3005 0201 05 0500"},
		{"indefinite", "3080 0201 05 0000", "3003 0201 05"},
		{"long length", "3081 03 0201 05", "3003 0201 05"},
		{"tag in long form", "9F05 01 00", "8501 00"},
		{"octets in chunks", "2480 0401 61 0401 62 0000", "0402 6162"},
		{"text in chunks of its own type", "2C06 0C01 61 0C01 62", "0C02 6162"},
		{"bits in chunks", "2309 0303 00 0102 0302 04 F0", "0304 04 0102F0"},
		{"set", "3106 0201 02 0201 01", "3106 0201 01 0201 02"},
		{"set inside", "3080 A080 3180 0401 02 0401 01 0000 0000 0000", "300A A008 3106 0401 01 0401 02"},
		{"chunks under an implicit tag", "A080 0401 61 0000", "A003 0401 61"},
	} {
		got, err := DER(unhex(t, test.in))
		if err != nil || !bytes.Equal(got, unhex(t, test.want)) {
			t.Errorf("%s: %x, %v, want %s", test.name, got, err, test.want)
		}
		again, err := DER(got)
		if err != nil || !bytes.Equal(again, got) {
			t.Errorf("%s: %x becomes %x, %v", test.name, got, again, err)
		}
	}
	for name, in := range map[string]string{
		"something else among the chunks": "2403 0201 05",
		"bits not at the end":             "2309 0303 04 0102 0302 04 F0",
		"child cut":                       "3081 03 0201",
	} {
		if got, err := DER(unhex(t, in)); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %x, %v", name, got, err)
		}
	}
}

// What encoding/asn1 writes is DER, and is read as what it was.
func TestValues(t *testing.T) {
	t.Parallel()
	when := time.Date(2031, 2, 28, 23, 59, 58, 0, time.UTC)
	big129 := new(big.Int).Lsh(big.NewInt(-3), 129)
	raw, err := asn1.Marshal(struct {
		OID     asn1.ObjectIdentifier
		Number  *big.Int
		Small   int
		Yes     bool
		UTC     time.Time `asn1:"utc"`
		General time.Time `asn1:"generalized"`
		UTF8    string    `asn1:"utf8"`
		IA5     string    `asn1:"ia5"`
		Bits    asn1.BitString
	}{asn1.ObjectIdentifier{2, 999, 16383, 16384}, big129, -129, true, when, when, "Zoë", "a@b", asn1.BitString{Bytes: []byte{0xA0}, BitLength: 3}})
	if err != nil {
		t.Fatal(err)
	}
	e, err := Parse(raw)
	if err != nil || !e.IsDER() {
		t.Fatalf("%v, DER %t", err, e.IsDER())
	}
	r := e.Reader()
	next := func() Element {
		e, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	if oid, err := next().OID(); oid != "2.999.16383.16384" || err != nil {
		t.Errorf("%s, %v", oid, err)
	}
	if n, err := next().Integer(); err != nil || n.Cmp(big129) != 0 {
		t.Errorf("%v, %v", n, err)
	}
	if n, err := next().Int(); n != -129 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if yes, err := next().Bool(); !yes || err != nil {
		t.Error(yes, err)
	}
	for range 2 {
		if got, err := next().Time(); !got.Equal(when) || err != nil {
			t.Errorf("%v, %v", got, err)
		}
	}
	for _, want := range []string{"Zoë", "a@b"} {
		if text, err := next().Text(); text != want || err != nil {
			t.Errorf("%q, %v", text, err)
		}
	}
	if bits, err := next().Bits(); err != nil || !bytes.Equal(bits, []byte{0xA0}) {
		t.Errorf("%x, %v", bits, err)
	}
}

func TestOddValues(t *testing.T) {
	t.Parallel()
	parse := func(in string) Element {
		e, err := Parse(unhex(t, in))
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	text := func(tag byte, s string) Element {
		return parse(hex.EncodeToString(append([]byte{tag, byte(len(s))}, s...)))
	}
	for _, test := range []struct {
		e    Element
		want string
	}{
		{text(TagUTCTime, "500101000000Z"), "1950-01-01T00:00:00Z"},
		{text(TagUTCTime, "491231235959Z"), "2049-12-31T23:59:59Z"},
		{text(TagUTCTime, "2412312359Z"), "2024-12-31T23:59:00Z"},
		{text(TagUTCTime, "241231235959+0100"), "2024-12-31T22:59:59Z"},
		{text(TagGeneralizedTime, "20241231235959.25Z"), "2024-12-31T23:59:59.25Z"},
		{text(TagGeneralizedTime, "20241231235959,5Z"), "2024-12-31T23:59:59.5Z"},
	} {
		got, err := test.e.Time()
		if err != nil || got.Format(time.RFC3339Nano) != test.want {
			t.Errorf("%q: %v, %v, want %s", test.e.Body, got, err, test.want)
		}
	}
	for _, e := range []Element{text(TagUTCTime, "24"), text(TagGeneralizedTime, "20241331000000Z"), text(TagGeneralizedTime, "20241231000000"), text(TagUTF8String, "2024")} {
		if got, err := e.Time(); !errors.Is(err, ErrMalformed) {
			t.Errorf("%q: %v, %v", e.Body, got, err)
		}
	}
	for _, test := range []struct{ in, want string }{
		{"1E04 0041 00E9", "Aé"}, {"1C08 00000041 0001F600", "A😀"}, {"1402 41E9", "Aé"}, {"1401 41", "A"}, {"3606 1601 61 1601 62", "ab"},
	} {
		if got, err := parse(test.in).Text(); err != nil || got != test.want {
			t.Errorf("%s: %q, %v, want %q", test.in, got, err, test.want)
		}
	}
	for _, in := range []string{"1E03 004100", "1C02 0041", "0401 41", "8001 41"} {
		if got, err := parse(in).Text(); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %q, %v", in, got, err)
		}
	}
	for _, in := range []string{"0600", "0601 80", "0602 8180", "0201 05", "060B 2A FFFFFFFFFFFFFFFFFF7F"} {
		if got, err := parse(in).OID(); err == nil {
			t.Errorf("%s: %s", in, got)
		}
	}
	if _, err := parse("0205 0100000000").Int(); !errors.Is(err, ErrTooLarge) {
		t.Error(err)
	}
	if _, err := parse("0200").Integer(); !errors.Is(err, ErrMalformed) {
		t.Error(err)
	}
	if _, err := parse("0301 08").Bits(); !errors.Is(err, ErrMalformed) {
		t.Error(err)
	}
}
