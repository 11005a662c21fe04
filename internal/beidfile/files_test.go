package beidfile

import (
	"bytes"
	"errors"
	"testing"
)

func TestDERLength(t *testing.T) {
	tests := []struct {
		in string
		n  int
		ok bool
	}{
		{"30 00", 2, true},
		{"30 7F", 129, true},
		{"30 81 80", 131, true},
		{"30 82 04 03", 1031, true},
		{"30 82 04 03 FFFF", 1031, true},
		{"30 83 010000", 65541, true},
		{"30 66 02 31", 104, true},
		{"", 0, false},
		{"30", 0, false},
		{"30 81", 0, false},
		{"30 82 04", 0, false},
		{"30 80", 0, false},
		{"30 84 00000001", 0, false},
		{"30 FF", 0, false},
		{"00 00 00 00", 0, false},
		{"31 00", 0, false},
	}
	for _, tt := range tests {
		if n, ok := DERLength(unhex(t, tt.in)); n != tt.n || ok != tt.ok {
			t.Errorf("%s: got %d %v, want %d %v", tt.in, n, ok, tt.n, tt.ok)
		}
	}
}

func TestSignedAddress(t *testing.T) {
	address := append([]byte{1, 1, 'A', 2, 1, 'B', 0, 0, 0}, make([]byte, 3)...)[:9]
	signature := []byte{0x30, 1, 2, 0, 0}
	got := SignedAddress(address, signature)
	if want := []byte{1, 1, 'A', 2, 1, 'B', 0x30, 1, 2, 0, 0}; !bytes.Equal(got, want) {
		t.Errorf("got %X, want %X", got, want)
	}
	if !bytes.Equal(address, []byte{1, 1, 'A', 2, 1, 'B', 0, 0, 0}) {
		t.Error("the address was written over")
	}
	versioned := []byte{0, 2, 0, 2, 1, 1, 'A', 0}
	if got := SignedAddress(versioned, signature); !bytes.HasPrefix(got, versioned[:7]) || len(got) != 12 {
		t.Errorf("with tag 00 first: %X", got)
	}
}

// The tail of the 1.1 row stands in facts 1.3; the others are put together from the table's columns.
func TestParseCardData(t *testing.T) {
	const serial = "534C 4790 000102030405060708090A0B"
	tests := []struct {
		name, in string
		want     CardData
		err      error
	}{
		{"1.1", serial + "A50301010111 0002 00 01 01 0F",
			CardData{ComponentCode: 0xA5, OSNumber: 3, OSVersion: 1, SoftMaskNumber: 1, SoftMaskVersion: 1, AppletVersion: 0x11,
				GlobalOSVersion: 2, PKCS1Support: 1, KeyExchangeVersion: 1, LifeCycle: 0x0F, PINTries: -1}, nil},
		{"1.7", serial + "E10301020317 0003 00 21 01 0F",
			CardData{ComponentCode: 0xE1, OSNumber: 3, OSVersion: 1, SoftMaskNumber: 2, SoftMaskVersion: 3, AppletVersion: 0x17,
				GlobalOSVersion: 3, PKCS1Support: 0x21, KeyExchangeVersion: 1, LifeCycle: 0x0F, PINTries: -1}, nil},
		{"1.8, two tries", serial + "E10301020318 0001 05 00 02 0F 02 FFFF",
			CardData{ComponentCode: 0xE1, OSNumber: 3, OSVersion: 1, SoftMaskNumber: 2, SoftMaskVersion: 3, AppletVersion: 0x18,
				GlobalOSVersion: 1, AppletInterfaceVersion: 5, KeyExchangeVersion: 2, LifeCycle: 0x0F, PINTries: 2}, nil},
		{"1.8, blocked", serial + "E10301020318 0001 00 00 02 0F 00 FFFF",
			CardData{ComponentCode: 0xE1, OSNumber: 3, OSVersion: 1, SoftMaskNumber: 2, SoftMaskVersion: 3, AppletVersion: 0x18,
				GlobalOSVersion: 1, KeyExchangeVersion: 2, LifeCycle: 0x0F, PINTries: 0}, nil},
		{"1.8, PIN not found", serial + "E10301020318 0001 00 00 02 0F FF FFFF",
			CardData{ComponentCode: 0xE1, OSNumber: 3, OSVersion: 1, SoftMaskNumber: 2, SoftMaskVersion: 3, AppletVersion: 0x18,
				GlobalOSVersion: 1, KeyExchangeVersion: 2, LifeCycle: 0x0F, PINTries: -1}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := unhex(t, tt.in)
			tt.want.Serial = [16]byte(b)
			if d, err := ParseCardData(b); err != nil || d != tt.want {
				t.Errorf("got %+v, %v\nwant %+v", d, err, tt.want)
			}
			for n := range 28 {
				if d, err := ParseCardData(b[:n]); !errors.Is(err, ErrTruncated) || d != (CardData{}) {
					t.Errorf("cut to %d bytes: %v", n, err)
				}
			}
		})
	}
}
