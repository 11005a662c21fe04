package der_test

import (
	"bytes"
	"encoding/asn1"
	"math/big"
	"testing"
	"time"

	"github.com/eidkit/eidkit/testcards/internal/der"
)

// encoding/asn1 reads back what is written here.
func TestReadBack(t *testing.T) {
	type all struct {
		Int    int
		Big    *big.Int
		Enum   asn1.Enumerated
		Bool   bool
		OID    asn1.ObjectIdentifier
		Octets []byte
		Bits   asn1.BitString
		Text   string `asn1:"utf8"`
		IA5    string `asn1:"ia5"`
		Time   time.Time
		UTC    time.Time
		Set    []int           `asn1:"set"`
		Null   asn1.RawValue   `asn1:"optional"`
		Inner  struct{ A int } `asn1:"explicit,tag:0"`
		Impl   []byte          `asn1:"tag:1"`
	}
	at := time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)
	long := bytes.Repeat([]byte{7}, 70000)
	raw := der.Seq(der.Int(-5), der.BigInt(big.NewInt(1<<40)), der.Enum(3), der.Bool(true), der.OID("2.999.5"), der.Octets(long),
		der.Bits([]byte{1, 2}), der.UTF8("é"), der.IA5("a"), der.Time(at), der.X509Time(at), der.Set(der.Int(9), der.Int(3)), der.Null(),
		der.Explicit(0, der.Seq(der.Int(1))), der.Implicit(1, der.Octets([]byte{4})))
	var got all
	rest, err := asn1.Unmarshal(raw, &got)
	if err != nil || len(rest) != 0 {
		t.Fatalf("%v, %d bytes left", err, len(rest))
	}
	if got.Int != -5 || got.Big.Int64() != 1<<40 || got.Enum != 3 || !got.Bool || got.OID.String() != "2.999.5" || !bytes.Equal(got.Octets, long) ||
		!bytes.Equal(got.Bits.Bytes, []byte{1, 2}) || got.Text != "é" || got.IA5 != "a" || !got.Time.Equal(at) || !got.UTC.Equal(at) ||
		got.Set[0] != 3 || got.Inner.A != 1 || got.Impl[0] != 4 {
		t.Errorf("read back %+v", got)
	}
}

func TestLengths(t *testing.T) {
	for _, n := range []int{0, 127, 128, 255, 256, 65535, 65536, 1 << 24} {
		var out []byte
		if _, err := asn1.Unmarshal(der.Octets(make([]byte, n)), &out); err != nil || len(out) != n {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
}

func TestLateTime(t *testing.T) {
	if got := der.X509Time(time.Date(2051, 1, 1, 0, 0, 0, 0, time.UTC)); got[0] != 0x18 {
		t.Errorf("% x", got)
	}
}
