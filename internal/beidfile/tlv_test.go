package beidfile

import (
	"bytes"
	"encoding/hex"
	"errors"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
)

// unhex reads hexadecimal with blanks.
func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func filled(n int) []byte { return bytes.Repeat([]byte{'x'}, n) }

// The lengths are written out by hand from facts 3.1: FF is worth 255 and goes on.
func TestParseTLV(t *testing.T) {
	tests := []struct {
		name   string
		in     []byte
		fields []Field
		rest   []byte
		err    error
	}{
		{"no bytes", nil, nil, nil, nil},
		{"two fields", unhex(t, "01 02 4142 02 00"), []Field{{1, []byte("AB")}, {2, []byte{}}}, nil, nil},
		{"tag 00 first", unhex(t, "00 02 0002 01 01 41"), []Field{{0, []byte{0, 2}}, {1, []byte("A")}}, nil, nil},
		{"filler", unhex(t, "01 01 41 000000"), []Field{{1, []byte("A")}}, []byte{0, 0, 0}, nil},
		{"one filler byte", unhex(t, "01 01 41 00"), []Field{{1, []byte("A")}}, []byte{0}, nil},
		{"later tag 00 ends", unhex(t, "01 01 41 00 01 42"), []Field{{1, []byte("A")}}, unhex(t, "00 01 42"), nil},
		{"zeros alone", make([]byte, 117), []Field{{0, []byte{}}}, make([]byte, 115), nil},
		{"length 127", append(unhex(t, "07 7F"), filled(127)...), []Field{{7, filled(127)}}, nil, nil},
		{"length 128 is one byte", append(unhex(t, "07 80"), filled(128)...), []Field{{7, filled(128)}}, nil, nil},
		{"length 254", append(unhex(t, "07 FE"), filled(254)...), []Field{{7, filled(254)}}, nil, nil},
		{"length 255", append(unhex(t, "07 FF00"), filled(255)...), []Field{{7, filled(255)}}, nil, nil},
		{"length 300", append(unhex(t, "07 FF2D"), filled(300)...), []Field{{7, filled(300)}}, nil, nil},
		{"length 510", append(unhex(t, "07 FFFF00"), filled(510)...), []Field{{7, filled(510)}}, nil, nil},
		{"length 65000", append(unhex(t, "07"+strings.Repeat("FF", 254)+"E6"), filled(65000)...), []Field{{7, filled(65000)}}, nil, nil},

		{"tag alone", []byte{1}, nil, nil, ErrTruncated},
		{"zero alone", []byte{0}, nil, nil, ErrTruncated},
		{"value cut", unhex(t, "01 03 4142"), nil, nil, ErrTruncated},
		{"long length cut", unhex(t, "01 FF"), nil, nil, ErrTruncated},
		{"long value cut", append(unhex(t, "07 FF2D"), filled(299)...), nil, nil, ErrTruncated},
		{"second field cut", unhex(t, "01 01 41 02 05 41"), nil, nil, ErrTruncated},
		{"lengths without end", bytes.Repeat([]byte{0xFF}, 64<<10), nil, nil, ErrTruncated},
		{"too large", make([]byte, 64<<10+1), nil, nil, ErrTooLarge},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			fields, rest, err := parseTLV(tt.in)
			if !errors.Is(err, tt.err) || !reflect.DeepEqual(fields, tt.fields) || !bytes.Equal(rest, tt.rest) {
				t.Errorf("got %d fields, %d bytes left, %v", len(fields), len(rest), err)
			}
		})
	}
}

// Random bytes either give fields that account for every byte, or an error.
func TestParseTLVRandom(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 20000 {
		b := make([]byte, random.IntN(400))
		for i := range b {
			b[i] = byte(random.UintN(256))
		}
		checkTLV(t, b)
	}
}

// checkTLV holds the lengths of fields and rest against the length of the input.
func checkTLV(t *testing.T, b []byte) {
	t.Helper()
	fields, rest, err := parseTLV(b)
	if err != nil {
		if fields != nil || rest != nil {
			t.Fatalf("%X: an error and values", b)
		}
		return
	}
	total := len(rest)
	for i, f := range fields {
		total += 2 + len(f.Value)/255 + len(f.Value)
		if f.Tag == 0 && i > 0 {
			t.Fatalf("%X: field %d has tag 00", b, i)
		}
	}
	if total != len(b) {
		t.Fatalf("%X: fields and rest are %d of %d bytes", b, total, len(b))
	}
}

func FuzzTLV(f *testing.F) {
	f.Add(unhex(f, "00 02 0002 01 01 41 0000"))
	f.Add(append(unhex(f, "07 FF2D"), filled(300)...))
	f.Add(unhex(f, "01 FF"))
	f.Add(make([]byte, 117))
	f.Fuzz(func(t *testing.T, b []byte) { checkTLV(t, b) })
}
