package beidfile

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"
)

const tokenInfoHex = "30 27 02 01 00 04 10 000102030405060708090A0B0C0D0E0F 80 06 42454C504943 03 02 04 30 9E 04 04 02 01 40"

func TestParseTokenInfo(t *testing.T) {
	serial := []byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}
	full := TokenInfo{Serial: serial, Label: "BELPIC", Graphical: 4, Electrical: 2, ElectricalInterface: 1, Reserved: 0x40}
	tests := []struct {
		name, in string
		want     TokenInfo
		err      error
	}{
		{"as documented", tokenInfoHex, full, nil},
		{"filler", tokenInfoHex + "00000000", full, nil},
		{"no optional elements", "30 06 02 01 01 04 01 07", TokenInfo{Version: 1, Serial: []byte{7}}, nil},
		{"unknown elements", "30 0E 02 01 00 04 01 07 30 02 05 00 A5 02 05 00", TokenInfo{Serial: []byte{7}}, nil},
		{"nothing", "", TokenInfo{}, ErrMalformed},
		{"zeros", "00000000", TokenInfo{}, ErrMalformed},
		{"cut", tokenInfoHex[:len(tokenInfoHex)-3], TokenInfo{}, ErrMalformed},
		{"not a sequence", "31" + tokenInfoHex[2:], TokenInfo{}, ErrMalformed},
		{"no serial", "30 03 02 01 00", TokenInfo{}, ErrMalformed},
		{"version too long", "30 0F 02 0A 7F000000000000000000 04 01 07", TokenInfo{}, ErrMalformed},
		{"versions of 3 bytes", "30 0B 02 01 00 04 01 07 9E 03 010203", TokenInfo{}, ErrMalformed},
		{"versions of 5 bytes", "30 0D 02 01 00 04 01 07 9E 05 0102030405", TokenInfo{}, ErrMalformed},
		{"element cut", "30 08 02 01 00 04 01 07 9E 04", TokenInfo{}, ErrMalformed},
		{"too large", strings.Repeat("00", 64<<10+1), TokenInfo{}, ErrTooLarge},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			info, err := ParseTokenInfo(unhex(t, tt.in))
			if !errors.Is(err, tt.err) || !reflect.DeepEqual(info, tt.want) {
				t.Errorf("got %+v, %v\nwant %+v, %v", info, err, tt.want, tt.err)
			}
		})
	}
}

// The directory of a 1.1 or 1.7 card (163 bytes) and of a 1.8 card (175 bytes), from facts 7.
var (
	cdfRSA = []string{
		"30 2C 30 17 0C 0E 41757468656E7469636174696F6E 03 02 06 C0 04 01 01 30 03 04 01 02 A1 0C 30 0A 30 08 04 06 3F00DF005038",
		"30 27 30 12 0C 09 5369676E6174757265 03 02 06 C0 04 01 01 30 03 04 01 03 A1 0C 30 0A 30 08 04 06 3F00DF005039",
		"30 23 30 0B 0C 02 4341 03 02 06 C0 04 01 01 30 06 04 01 04 01 01 FF A1 0C 30 0A 30 08 04 06 3F00DF00503A",
		"30 25 30 0D 0C 04 526F6F74 03 02 06 C0 04 01 01 30 06 04 01 06 01 01 FF A1 0C 30 0A 30 08 04 06 3F00DF00503B",
	}
	cdfEC = []string{
		"30 2F 30 17 0C 0E 41757468656E7469636174696F6E 03 02 06 40 04 01 01 30 06 04 01 02 83 01 00 A1 0C 30 0A 30 08 04 06 3F00DF005038",
		"30 2A 30 12 0C 09 5369676E6174757265 03 02 06 40 04 01 01 30 06 04 01 03 83 01 00 A1 0C 30 0A 30 08 04 06 3F00DF005039",
		"30 26 30 0B 0C 02 4341 03 02 06 40 04 01 01 30 09 04 01 04 01 01 FF 83 01 00 A1 0C 30 0A 30 08 04 06 3F00DF00503A",
		"30 28 30 0D 0C 04 526F6F74 03 02 06 40 04 01 01 30 09 04 01 06 01 01 FF 83 01 00 A1 0C 30 0A 30 08 04 06 3F00DF00503B",
	}
	cdfEntries = []CertificateEntry{
		{"Authentication", []byte{2}, false, []byte{0x3F, 0, 0xDF, 0, 0x50, 0x38}},
		{"Signature", []byte{3}, false, []byte{0x3F, 0, 0xDF, 0, 0x50, 0x39}},
		{"CA", []byte{4}, true, []byte{0x3F, 0, 0xDF, 0, 0x50, 0x3A}},
		{"Root", []byte{6}, true, []byte{0x3F, 0, 0xDF, 0, 0x50, 0x3B}},
	}
)

func TestParseCertificateDirectory(t *testing.T) {
	if a, b := len(unhex(t, strings.Join(cdfRSA, ""))), len(unhex(t, strings.Join(cdfEC, ""))); a != 163 || b != 175 {
		t.Fatalf("vectors of %d and %d bytes, the sheet has 163 and 175", a, b)
	}
	zeros := func(n int) string { return strings.Repeat("00", n) }
	tests := []struct {
		name, in string
		want     []CertificateEntry
	}{
		{"RSA", strings.Join(cdfRSA, ""), cdfEntries},
		{"EC", strings.Join(cdfEC, ""), cdfEntries},
		{"without Signature", cdfEC[0] + cdfEC[2] + cdfEC[3] + zeros(44), []CertificateEntry{cdfEntries[0], cdfEntries[2], cdfEntries[3]}},
		{"authorities alone", cdfRSA[2] + cdfRSA[3] + zeros(87), cdfEntries[2:]},
		{"zeros between", cdfRSA[0] + zeros(41) + cdfRSA[2], []CertificateEntry{cdfEntries[0], cdfEntries[2]}},
		{"zeros alone", zeros(175), nil},
		{"nothing", "", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ParseCertificateDirectory(unhex(t, tt.in))
			if err != nil || !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
}

func TestParseCertificateDirectoryRefuses(t *testing.T) {
	whole := unhex(t, cdfEC[0])
	for n := 1; n < len(whole); n++ {
		if _, err := ParseCertificateDirectory(whole[:n]); !errors.Is(err, ErrMalformed) {
			t.Errorf("cut to %d bytes: %v", n, err)
		}
	}
	tests := map[string]struct {
		in  []byte
		err error
	}{
		"other tag":       {unhex(t, "31"+cdfEC[0][2:]), ErrMalformed},
		"second is wrong": {unhex(t, cdfEC[0]+"04 01 02"), ErrMalformed},
		"label not UTF8":  {unhex(t, strings.Replace(cdfEC[0], "0C 0E", "13 0E", 1)), ErrMalformed},
		"empty sequence":  {[]byte{0x30, 0}, ErrMalformed},
		"nested deep":     {nested(2000), ErrMalformed},
		"too large":       {bytes.Repeat(unhex(t, cdfEC[0]), 2000), ErrTooLarge},
	}
	for name, tt := range tests {
		if got, err := ParseCertificateDirectory(tt.in); !errors.Is(err, tt.err) || got != nil {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

// nested is a SEQUENCE in a SEQUENCE, depth times.
func nested(depth int) []byte {
	var b []byte
	for range depth {
		b = append([]byte{0x30, 0x82, byte(len(b) >> 8), byte(len(b))}, b...)
	}
	return b
}

func FuzzTokenInfo(f *testing.F) {
	f.Add(unhex(f, tokenInfoHex))
	f.Add(unhex(f, "30 0E 02 01 00 04 01 07 30 02 05 00 A5 02 05 00"))
	f.Add(nested(5))
	f.Fuzz(func(t *testing.T, b []byte) {
		if info, err := ParseTokenInfo(b); err == nil {
			checkText(t, info.Label)
		}
	})
}

func FuzzCertificateDirectory(f *testing.F) {
	f.Add(unhex(f, strings.Join(cdfRSA, "")))
	f.Add(unhex(f, cdfEC[0]+"0000"+cdfEC[2]))
	f.Add(nested(5))
	f.Fuzz(func(t *testing.T, b []byte) {
		entries, err := ParseCertificateDirectory(b)
		if err != nil && entries != nil {
			t.Error("an error and entries")
		}
		for _, e := range entries {
			checkText(t, e.Label)
		}
	})
}
