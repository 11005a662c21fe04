package beid_test

import (
	"context"
	"crypto"
	"errors"
	"strings"
	"testing"

	"github.com/eidkit/eidkit/card"
	"github.com/eidkit/eidkit/card/beid"
	"github.com/eidkit/eidkit/testcards"
)

func tries(t *testing.T, c *beid.Card) int {
	t.Helper()
	n, err := c.PINTries(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestVerifyPIN(t *testing.T) {
	ctx := context.Background()
	for _, profile := range []string{"citizen-1.7", "citizen-1.8"} {
		_, c, _ := simulate(t, profile, testcards.Options{})
		if got := tries(t, c); got != 3 {
			t.Errorf("%s: %d tries on a fresh card", profile, got)
		}
		if err := c.VerifyPIN(ctx, typed(t, testcards.PIN, nil)); err != nil {
			t.Fatal(err)
		}
		asked := 0
		var wrong *card.PINError
		if err := c.VerifyPIN(ctx, typed(t, "9999", &asked)); !errors.As(err, &wrong) || wrong.TriesLeft != 2 || asked != 1 {
			t.Errorf("%s: wrong PIN: %v, asked %d times", profile, err, asked)
		}
		if got := tries(t, c); got != 2 {
			t.Errorf("%s: %d tries after a wrong one", profile, got)
		}
		if err := c.VerifyPIN(ctx, typed(t, testcards.PIN, nil)); err != nil {
			t.Fatal(err)
		}
		if got := tries(t, c); got != 3 {
			t.Errorf("%s: %d tries after the right one", profile, got)
		}
		for range 3 {
			if err := c.VerifyPIN(ctx, typed(t, "9999", nil)); err == nil {
				t.Error("wrong PIN accepted")
			}
		}
		if err := c.VerifyPIN(ctx, typed(t, testcards.PIN, nil)); !errors.Is(err, card.ErrPINBlocked) {
			t.Errorf("%s: blocked card: %v", profile, err)
		}
		if got := tries(t, c); got != 0 {
			t.Errorf("%s: %d tries on a blocked card", profile, got)
		}
	}
}

// TestTriesCostNothing: on 1.1, where asking would be a wrong try, the card is not asked at all.
func TestTriesCostNothing(t *testing.T) {
	sim, c, trace := simulate(t, "citizen-1.1", testcards.Options{})
	before, left := trace.Stats().Commands, sim.PINTries()
	if got := tries(t, c); got != -1 {
		t.Errorf("%d tries, want -1 for unknown", got)
	}
	if trace.Stats().Commands != before || sim.PINTries() != left {
		t.Errorf("%d commands sent, %d tries left of %d", trace.Stats().Commands-before, sim.PINTries(), left)
	}
}

func TestCancelledDialogTouchesNothing(t *testing.T) {
	ctx := context.Background()
	for _, cause := range []error{card.ErrPINCancelled, card.ErrPINTimeout} {
		sim, c, trace := simulate(t, "citizen-1.8", testcards.Options{})
		key, err := c.SigningKey(ctx, func(context.Context, beid.PINRequest) (card.PIN, error) { return card.PIN{}, cause })
		if err != nil {
			t.Fatal(err)
		}
		before := trace.Stats().Commands
		if _, err := key.Sign(nil, make([]byte, 32), crypto.SHA256); !errors.Is(err, cause) {
			t.Errorf("Sign = %v, want %v", err, cause)
		}
		if err := c.VerifyPIN(ctx, func(context.Context, beid.PINRequest) (card.PIN, error) { return card.PIN{}, cause }); !errors.Is(err, cause) {
			t.Errorf("VerifyPIN = %v, want %v", err, cause)
		}
		if trace.Stats().Commands != before || sim.PINTries() != 3 {
			t.Errorf("%d commands were sent", trace.Stats().Commands-before)
		}
	}
}

func TestMalformedPINCostsNoTry(t *testing.T) {
	sim, c, trace := simulate(t, "citizen-1.8", testcards.Options{})
	for _, digits := range []string{"", "123", "1234567890123"} {
		before := trace.Stats().Commands
		if err := c.VerifyPIN(context.Background(), typed(t, digits, nil)); err == nil {
			t.Errorf("PIN of %d digits accepted", len(digits))
		}
		if trace.Stats().Commands != before || sim.PINTries() != 3 {
			t.Errorf("PIN of %d digits was sent", len(digits))
		}
	}
}

func TestChangePIN(t *testing.T) {
	ctx := context.Background()
	for _, profile := range []string{"citizen-1.1", "citizen-1.7", "citizen-1.8"} {
		_, c, _ := simulate(t, profile, testcards.Options{})
		change := func(from, to string) error {
			return c.ChangePIN(ctx, func(ctx context.Context, req beid.PINRequest) (card.PIN, error) {
				digits := from
				if req.Purpose == beid.PurposeNewPIN {
					digits = to
				}
				return typed(t, digits, nil)(ctx, req)
			})
		}
		if err := change(testcards.PIN, "56789"); err != nil {
			t.Fatalf("%s: %v", profile, err)
		}
		if err := c.VerifyPIN(ctx, typed(t, "56789", nil)); err != nil {
			t.Errorf("%s: new PIN: %v", profile, err)
		}
		var wrong *card.PINError
		if err := change("0000", "4321"); !errors.As(err, &wrong) || wrong.TriesLeft != 2 {
			t.Errorf("%s: wrong old PIN: %v", profile, err)
		}
	}
}

func TestUnblockPIN(t *testing.T) {
	ctx := context.Background()
	for _, profile := range []string{"citizen-1.1", "blocked-1.7"} {
		sim, c, _ := simulate(t, profile, testcards.Options{})
		for sim.PINTries() > 0 {
			if err := c.VerifyPIN(ctx, typed(t, "9999", nil)); err == nil {
				t.Fatal("wrong PIN accepted")
			}
		}
		if err := c.UnblockPIN(ctx, typed(t, testcards.PUK, nil)); err != nil {
			t.Fatalf("%s: %v", profile, err)
		}
		if err := c.VerifyPIN(ctx, typed(t, testcards.PIN, nil)); err != nil {
			t.Errorf("%s: after unblocking: %v", profile, err)
		}
	}
	_, c, trace := simulate(t, "blocked-1.8", testcards.Options{})
	before := trace.Stats().Commands
	if err := c.UnblockPIN(ctx, typed(t, testcards.PUK, nil)); !errors.Is(err, card.ErrUnsupported) || trace.Stats().Commands != before {
		t.Errorf("1.8 has no PUK: %v, %d commands", err, trace.Stats().Commands-before)
	}
}

// TestNoRightIsLeft: after each operation that verified the PIN, successful or not, another program on the same card finds key 82
// closed.
func TestNoRightIsLeft(t *testing.T) {
	ctx := context.Background()
	for _, profile := range []string{"citizen-1.1", "citizen-1.7", "citizen-1.8"} {
		sim, err := testcards.Open(profile, testcards.Options{})
		if err != nil {
			t.Fatal(err)
		}
		reader := sim.Reader()
		c, err := beid.Open(ctx, reader)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		keys := bothKeys(t, c, typed(t, testcards.PIN, nil))
		for name, work := range map[string]func() error{
			"authentication": func() error { _, err := keys["authentication"].Sign(nil, make([]byte, 32), crypto.SHA256); return err },
			"signature":      func() error { _, err := keys["signature"].Sign(nil, make([]byte, 32), crypto.SHA256); return err },
			"verify":         func() error { return c.VerifyPIN(ctx, typed(t, testcards.PIN, nil)) },
			"wrong":          func() error { c.VerifyPIN(ctx, typed(t, "9999", nil)); return nil },
			"change":         func() error { return c.ChangePIN(ctx, typed(t, testcards.PIN, nil)) },
		} {
			if err := work(); err != nil {
				t.Fatalf("%s, %s: %v", profile, name, err)
			}
			if err := intrude(ctx, reader); !errors.Is(err, card.ErrSecurityStatus) {
				t.Errorf("%s: after %s another program's PSO gives %v, want 6982", profile, name, err)
			}
		}
	}
}

// intrude is another program that signs with key 82 without a PIN.
func intrude(ctx context.Context, reader card.Reader) error {
	c, err := card.Open(ctx, reader)
	if err != nil {
		return err
	}
	defer c.Close()
	return c.Do(ctx, func(tx *card.Tx) error {
		alg := byte(0x01)
		if _, err := tx.Send(card.Command{INS: 0x22, P1: 0x41, P2: 0xB6, Data: []byte{4, 0x80, alg, 0x84, 0x82}}); err != nil {
			return err
		}
		_, err := tx.Send(card.Command{INS: 0x2A, P1: 0x9E, P2: 0x9A, Data: make([]byte, 32), Le: 256})
		return err
	})
}

// TestErrorsSayWhetherThePINWasSent: after a fault that leaves the try in doubt the error says so, and only then.
func TestErrorsSayWhetherThePINWasSent(t *testing.T) {
	for _, test := range []struct {
		fault testcards.Fault
		said  bool
	}{
		{testcards.Fault{Kind: testcards.TakeOut, At: 2}, true},      // VERIFY: card data come first
		{testcards.Fault{Kind: testcards.TakeOutAfter, At: 2}, true}, // obeyed, then gone
		{testcards.Fault{Kind: testcards.ResetCard, At: 2}, false},   // never sent
		{testcards.Fault{Kind: testcards.TakeOut, On: testcards.AtBegin, At: 3}, false},
	} {
		sim, err := testcards.Open("citizen-1.8", testcards.Options{})
		if err != nil {
			t.Fatal(err)
		}
		reader := sim.Reader()
		reader.SetFaults(test.fault)
		c, err := beid.Open(context.Background(), reader)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		err = c.VerifyPIN(context.Background(), typed(t, testcards.PIN, nil))
		if err == nil || strings.Contains(err.Error(), "the PIN had been sent") != test.said {
			t.Errorf("%+v: %v", test.fault, err)
		}
	}
}
