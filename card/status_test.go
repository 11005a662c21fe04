package card

import (
	"errors"
	"strings"
	"testing"
)

// Every status word of the facts sheet, sections 2 and 5, and what a caller may branch on.
func TestStatusWords(t *testing.T) {
	all := []error{ErrNoService, ErrNoReader, ErrNoCard, ErrMute, ErrRemoved, ErrReset, ErrBusy, ErrReader, ErrClosed, ErrUnsupported,
		ErrNotFound, ErrOutOfRange, ErrSecurityStatus, ErrConditions, ErrPINBlocked, ErrPINCancelled, ErrPINTimeout}
	tests := []struct {
		sw   uint16
		want error // nil: no meaning beyond the number
	}{
		{0x6283, ErrConditions}, {0x6982, ErrSecurityStatus}, {0x6983, ErrPINBlocked}, {0x6985, ErrConditions},
		{0x6A82, ErrNotFound}, {0x6A83, ErrNotFound}, {0x6A88, ErrNotFound}, {0x6B00, ErrOutOfRange},
		{0x6D00, ErrUnsupported}, {0x6E00, ErrUnsupported}, {0x6881, ErrUnsupported}, {0x6A81, ErrUnsupported},
		{0x63C0, ErrPINBlocked}, {0x63C1, nil}, {0x63C2, nil}, {0x63CF, nil}, {0x6300, nil},
		{0x6282, nil}, {0x6700, nil}, {0x6A80, nil}, {0x6A86, nil}, {0x6984, nil}, {0x6F00, nil}, {0x6400, nil}, {0x0000, nil},
	}
	for _, tt := range tests {
		err := error(&StatusError{INS: 0xB0, SW: tt.sw})
		for _, e := range all {
			if errors.Is(err, e) != (e == tt.want) {
				t.Errorf("%04X: errors.Is(%v) is %v", tt.sw, e, e != tt.want)
			}
		}
		var pin *PINError
		wrong := tt.sw&0xFFF0 == 0x63C0
		if errors.As(err, &pin) != wrong {
			t.Errorf("%04X: PINError is %v", tt.sw, !wrong)
		} else if wrong && pin.TriesLeft != int(tt.sw&0xF) {
			t.Errorf("%04X: %d tries left", tt.sw, pin.TriesLeft)
		}
		var status *StatusError
		if !errors.As(err, &status) || status.SW != tt.sw || !strings.Contains(err.Error(), "instruction B0") {
			t.Errorf("%04X: %v", tt.sw, err)
		}
	}
}

func TestPINErrorText(t *testing.T) {
	for tries, want := range map[int]string{0: "blocked", 1: "1 try left", 2: "2 tries left"} {
		if got := (&PINError{TriesLeft: tries}).Error(); !strings.Contains(got, want) {
			t.Errorf("%d tries: %q", tries, got)
		}
	}
}
