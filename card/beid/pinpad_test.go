package beid_test

import (
	"context"
	"crypto"
	"errors"
	"testing"

	"github.com/eidkit/eidkit/card"
	"github.com/eidkit/eidkit/card/beid"
	"github.com/eidkit/eidkit/testcards"
)

// TestPinpad works with PINs typed on the reader: the program never has them.
func TestPinpad(t *testing.T) {
	ctx := context.Background()
	for _, profile := range []string{"citizen-1.1", "citizen-1.7", "citizen-1.8"} {
		sim, err := testcards.Open(profile, testcards.Options{})
		if err != nil {
			t.Fatal(err)
		}
		reader := testcards.NewReader("pinpad", testcards.ReaderOptions{Pinpad: true})
		reader.Insert(sim)
		c, err := beid.Open(ctx, reader)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		var notice context.Context
		onPad := func(ctx context.Context, req beid.PINRequest) (card.PIN, error) {
			if !req.Pinpad {
				t.Error("the pinpad was not found")
			}
			notice = ctx
			return card.PIN{}, beid.ErrOnPinpad
		}
		keys := bothKeys(t, c, onPad)
		for name, key := range keys {
			reader.Type(testcards.PIN)
			if _, err := key.Sign(nil, make([]byte, 32), crypto.SHA256); err != nil {
				t.Errorf("%s, %s: %v", profile, name, err)
			}
			if notice.Err() == nil {
				t.Error("the notice stays although the PIN is typed")
			}
		}
		for _, test := range []struct {
			typed []string
			want  error
		}{
			{[]string{testcards.PressCancel}, card.ErrPINCancelled},
			{[]string{testcards.LetTimeOut}, card.ErrPINTimeout},
		} {
			reader.Type(test.typed...)
			if err := c.VerifyPIN(ctx, onPad); !errors.Is(err, test.want) || sim.PINTries() != 3 {
				t.Errorf("%s, %v: %v, %d tries left", profile, test.typed, err, sim.PINTries())
			}
		}
		reader.Type("9999")
		var wrong *card.PINError
		if err := c.VerifyPIN(ctx, onPad); !errors.As(err, &wrong) || wrong.TriesLeft != 2 {
			t.Errorf("%s: wrong PIN on the pad: %v", profile, err)
		}
		reader.Type(testcards.PIN, "5678", "5678")
		if err := c.ChangePIN(ctx, onPad); err != nil {
			t.Errorf("%s: changing on the pad: %v", profile, err)
		}
		reader.Type("5678")
		if err := c.VerifyPIN(ctx, onPad); err != nil {
			t.Errorf("%s: after the change: %v", profile, err)
		}
		if err := intrude(ctx, reader); !errors.Is(err, card.ErrSecurityStatus) {
			t.Errorf("%s: another program's PSO gives %v, want 6982", profile, err)
		}
	}
}

// TestOnPinpadWithoutOne: a PINFunc cannot send the holder to keys that are not there.
func TestOnPinpadWithoutOne(t *testing.T) {
	sim, c, trace := simulate(t, "citizen-1.8", testcards.Options{})
	before := trace.Stats().Commands
	err := c.VerifyPIN(context.Background(), func(context.Context, beid.PINRequest) (card.PIN, error) { return card.PIN{}, beid.ErrOnPinpad })
	if !errors.Is(err, beid.ErrOnPinpad) || trace.Stats().Commands != before || sim.PINTries() != 3 {
		t.Errorf("%v, %d commands", err, trace.Stats().Commands-before)
	}
}
