//go:build cgo || windows

package pcsc

import (
	"errors"
	"runtime"
	"testing"

	"github.com/ebfe/scard"

	"github.com/eidkit/eidkit/card"
)

func TestMeanings(t *testing.T) {
	tests := []struct {
		code              scard.Error
		before, connected error
	}{
		{scard.ErrNoService, card.ErrNoService, card.ErrNoService},
		{scard.ErrServiceStopped, card.ErrNoService, card.ErrNoService},
		{scard.ErrInvalidHandle, card.ErrNoService, card.ErrNoService},
		{scard.ErrSystemCancelled, card.ErrNoService, card.ErrNoService},
		{scard.ErrShutdown, card.ErrNoService, card.ErrNoService},
		{scard.ErrSecurityViolation, card.ErrNoService, card.ErrNoService},
		{scard.ErrNoAccess, card.ErrNoService, card.ErrNoService},
		{6, card.ErrNoService, card.ErrNoService},
		{1722, card.ErrNoService, card.ErrNoService},
		{scard.ErrNoReadersAvailable, card.ErrNoReader, card.ErrRemoved},
		{scard.ErrUnknownReader, card.ErrNoReader, card.ErrRemoved},
		{scard.ErrReaderUnavailable, card.ErrNoReader, card.ErrRemoved},
		{scard.ErrNoSmartcard, card.ErrNoCard, card.ErrRemoved},
		{scard.ErrRemovedCard, card.ErrNoCard, card.ErrRemoved},
		{scard.ErrUnresponsiveCard, card.ErrMute, card.ErrMute},
		{scard.ErrUnsupportedCard, card.ErrMute, card.ErrMute},
		{scard.ErrUnpoweredCard, card.ErrMute, card.ErrReset},
		{scard.ErrResetCard, card.ErrReset, card.ErrReset},
		{scard.ErrSharingViolation, card.ErrBusy, card.ErrBusy},
		{scard.ErrServerTooBusy, card.ErrBusy, card.ErrBusy},
		{scard.ErrProtoMismatch, card.ErrUnsupported, card.ErrReader},
		{scard.ErrNotTransacted, card.ErrReader, card.ErrReader},
		{scard.ErrCommDataLost, card.ErrReader, card.ErrReader},
		{scard.ErrInternalError, card.ErrReader, card.ErrReader},
		{0x12345, card.ErrReader, card.ErrReader}, // unheard of
	}
	if runtime.GOOS == "windows" {
		tests = append(tests, tests[0])
	} else {
		tests = append(tests, struct {
			code              scard.Error
			before, connected error
		}{scard.ErrUnsupportedFeature, card.ErrUnsupported, card.ErrUnsupported})
	}
	for _, tt := range tests {
		for _, side := range []struct {
			got  error
			want error
		}{{before(tt.code), tt.before}, {connected(tt.code), tt.connected}} {
			if !errors.Is(side.got, side.want) {
				t.Errorf("%08X: %v, want %v", uint32(tt.code), side.got, side.want)
			}
			var original scard.Error
			if !errors.As(side.got, &original) || original != tt.code {
				t.Errorf("%08X: the original error is lost in %v", uint32(tt.code), side.got)
			}
		}
	}
}

func TestMeaningsAreWhole(t *testing.T) {
	for code, m := range meanings {
		if m.before == nil || m.connected == nil {
			t.Errorf("%08X has only half a meaning", code)
		}
	}
}
