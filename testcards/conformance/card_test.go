package conformance_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/eidkit/eidkit/card"
	"github.com/eidkit/eidkit/testcards"
	"github.com/eidkit/eidkit/testcards/conformance"
)

// all is everything CheckCard can do to a card.
var all = conformance.Options{PIN: testcards.PIN, WrongPIN: true, Block: true, PUK: testcards.PUK}

func TestEveryProfileConforms(t *testing.T) {
	for _, p := range testcards.Profiles() {
		t.Run(p.Name, func(t *testing.T) {
			o := all
			if strings.HasPrefix(p.Name, "blocked") {
				o = conformance.Options{}
			}
			c, err := testcards.Open(p.Name, testcards.Options{Seed: 11})
			if err != nil {
				t.Fatal(err)
			}
			if err := conformance.CheckCard(context.Background(), c.Reader(), o); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestOptionsConform(t *testing.T) {
	for name, o := range map[string]testcards.Options{
		"any directory": {AnyDF: true},
		"63C0":          {LastTry63C0: true},
		"no filler":     {NoFiller: true},
	} {
		for _, profile := range []string{"citizen-1.1", "citizen-1.7", "citizen-1.8"} {
			c, err := testcards.Open(profile, o)
			if err != nil {
				t.Fatal(err)
			}
			with := all
			with.AnyDF = o.AnyDF
			if err := conformance.CheckCard(context.Background(), c.Reader(), with); err != nil {
				t.Errorf("%s, %s: %v", profile, name, err)
			}
		}
	}
}

// The checks leave a card as they found it: PIN, tries and files.
func TestCheckCardLeavesTheCardAsItWas(t *testing.T) {
	c := testcards.New(testcards.Citizen17)
	before := c.File(0x4039)
	for range 2 {
		if err := conformance.CheckCard(context.Background(), c.Reader(), all); err != nil {
			t.Fatal(err)
		}
		if c.PINTries() != 3 || !slices.Equal(before, c.File(0x4039)) {
			t.Fatalf("%d tries left afterwards", c.PINTries())
		}
	}
}

// Without a PIN in the options no VERIFY, CHANGE REFERENCE DATA or RESET RETRY COUNTER with data reaches the card.
func TestCheckCardSendsNoPINUnasked(t *testing.T) {
	c := testcards.New(testcards.Citizen11)
	if err := conformance.CheckCard(context.Background(), c.Reader(), conformance.Options{}); err != nil {
		t.Fatal(err)
	}
	for _, e := range c.Exchanges() {
		switch e.Command[1] {
		case 0x20, 0x24, 0x2C:
			t.Errorf("sent %X", e.Command)
		}
	}
}

// seeded are the faults a simulated card can be given. Every one must be noticed on every applet that can have it.
const seeded = "other-photo short-address cut-certificate other-serial changed-name other-basic-key missing-file " +
	"ignores-le wrong-6c stale-file wrong-offset no-end same-response answers-at-once any-directory " +
	"no-pin-82 no-pin-83 pin-for-two opens-82 endless-tries forgiving any-pin deaf-log-off remembers any-algorithm other-bytes same-challenge"

// That a card without fault passes is what the tests above show.
func TestEveryCardFaultIsNoticed(t *testing.T) {
	t.Parallel()
	var names []string
	for _, f := range testcards.CardFaults() {
		names = append(names, f.Name)
	}
	if strings.Join(names, " ") != seeded {
		t.Errorf("card faults %v", names)
	}
	for _, f := range testcards.CardFaults() {
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel()
			for _, profile := range []string{"citizen-1.1", "citizen-1.7", "citizen-1.8"} {
				if f.Name == "other-basic-key" && profile != "citizen-1.8" {
					continue // there is no such key
				}
				c, err := testcards.Open(profile, testcards.Options{Mutation: f.Name})
				if err != nil {
					t.Fatal(err)
				}
				err = conformance.CheckCard(context.Background(), c.Reader(), all)
				if v := (conformance.Violation{}); !errors.As(err, &v) {
					t.Errorf("%s: a card that does this passes: %s (%v)", profile, f.Description, err)
				}
			}
		})
	}
}

func TestCheckCardSaysWhenTheReaderFails(t *testing.T) {
	c := testcards.New(testcards.Citizen18)
	r := testcards.NewReader("r", testcards.ReaderOptions{})
	if err := conformance.CheckCard(context.Background(), r, all); !errors.Is(err, card.ErrNoCard) {
		t.Errorf("empty reader: %v", err)
	}
	r.Insert(c)
	for _, at := range []int{1, 40, 200} {
		r.SetFaults(testcards.Fault{Kind: testcards.TakeOut, At: at})
		if err := conformance.CheckCard(context.Background(), r, all); !errors.Is(err, card.ErrRemoved) {
			t.Errorf("taken out at command %d: %v", at, err)
		}
		r.Insert(c)
	}
}
