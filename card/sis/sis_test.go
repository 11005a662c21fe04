package sis_test

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"testing"

	"github.com/eidkit/eidkit/card"
	"github.com/eidkit/eidkit/card/sis"
	"github.com/eidkit/eidkit/niss"
	"github.com/eidkit/eidkit/testcards"
	testsis "github.com/eidkit/eidkit/testcards/sis"
)

// inReader puts a card of a profile into a reader.
func inReader(t *testing.T, profile string, access testsis.Access) *testcards.Reader {
	t.Helper()
	c, err := testsis.Open(profile, access)
	if err != nil {
		t.Fatal(err)
	}
	r := testcards.NewReader("memory card reader", testcards.ReaderOptions{})
	r.Insert(c)
	return r
}

// TestRead reads every card in both ways.
func TestRead(t *testing.T) {
	for _, c := range []struct {
		profile, name string
		number        string
		valid         bool
		warnings      []sis.Warning
	}{
		{"sis-ordinary", "SPECIMEN MARIJKE", "71050120431", true, nil},
		{"sis-increased", "PROEFKAART JOZEF", "48092311770", true, nil},
		{"sis-expired", "EXEMPLE LUC", "65021431166", false, nil},
		{"sis-letters", "ÇELIKÖZ-MÜLLER D'ÉPREUVE ÆØÅNN", "01063004223", true, nil},
		{"sis-directory", "BEISPIEL URSULA", "59010100844", true, []sis.Warning{sis.DirectoryOdd}},
		{"sis-checkdigits", "MODEL BRAM", "", true, []sis.Warning{sis.NumberWrong}},
		{"sis-empty", "VIERGE ANAÏS", "93071225034", true, []sis.Warning{sis.DirectoryOdd, sis.NoInsurance}},
	} {
		for _, access := range []testsis.Access{testsis.PCSC, testsis.ACR38} {
			r := inReader(t, c.profile, access)
			im, err := sis.Read(t.Context(), r)
			if err != nil {
				t.Fatalf("%s: %v", c.profile, err)
			}
			if c.number != "" {
				if _, err := niss.Parse(c.number); err != nil {
					t.Fatalf("%s: the test expects a wrong number", c.profile)
				}
			}
			if got := im.Surname + " " + im.FirstName; got != c.name || string(im.NISS) != c.number {
				t.Errorf("%s: %q %q", c.profile, got, im.NISS)
			}
			if !reflect.DeepEqual(im.Warnings, c.warnings) {
				t.Errorf("%s: warnings %v, want %v", c.profile, im.Warnings, c.warnings)
			}
			if valid := im.ValidOn(niss.Date{Year: 2013, Month: 6, Day: 1}); valid != c.valid {
				t.Errorf("%s: valid in 2013: %v", c.profile, valid)
			}
			if r.Connections() != 0 {
				t.Errorf("%s: %d connections stay open", c.profile, r.Connections())
			}
		}
	}
}

// TestReaderLeftAsFound: an ACR38 is told that there is no memory card any more.
func TestReaderLeftAsFound(t *testing.T) {
	c, err := testsis.Open("sis-ordinary", testsis.ACR38)
	if err != nil {
		t.Fatal(err)
	}
	r := testcards.NewReader("ACS ACR38U", testcards.ReaderOptions{})
	r.Insert(c)
	if _, err := sis.Read(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if len(c.ATR()) != 0 {
		t.Error("the reader still speaks to a memory card")
	}
}

// TestOtherCards: nothing else than a SIS card gets a command of ours.
func TestOtherCards(t *testing.T) {
	eid := testcards.New(testcards.Citizen18)
	if _, err := sis.Read(t.Context(), eid.Reader()); !errors.Is(err, sis.ErrNotSIS) {
		t.Errorf("eID: %v", err)
	}
	if n := eid.Stats().Commands; n != 0 {
		t.Errorf("the eID got %d commands", n)
	}
	empty := testcards.NewReader("empty", testcards.ReaderOptions{})
	if _, err := sis.Read(t.Context(), empty); !errors.Is(err, card.ErrNoCard) {
		t.Errorf("empty reader: %v", err)
	}
	empty.InsertMute()
	if _, err := sis.Read(t.Context(), empty); !errors.Is(err, card.ErrMute) {
		t.Errorf("mute card: %v", err)
	}
}

// silent is a memory card in a reader that does not know memory cards.
type silent struct{ *testsis.Card }

func (silent) Transmit([]byte) []byte                { return []byte{0x6D, 0x00} }
func (silent) Control(uint32, []byte) ([]byte, bool) { return nil, false }

func TestReaderThatCannot(t *testing.T) {
	c, err := testsis.Open("sis-ordinary", testsis.PCSC)
	if err != nil {
		t.Fatal(err)
	}
	r := testcards.NewReader("other reader", testcards.ReaderOptions{})
	r.Insert(silent{c})
	if _, err := sis.Read(t.Context(), r); !errors.Is(err, sis.ErrReader) {
		t.Errorf("%v", err)
	}
}

// TestFaults fails each step of a read in turn, in both ways: a typed error or the right image, and nothing stays open.
func TestFaults(t *testing.T) {
	want := map[testcards.FaultKind][]error{
		testcards.TakeOut: {card.ErrRemoved, card.ErrNoCard}, testcards.TakeOutAfter: {card.ErrRemoved, card.ErrNoCard},
		testcards.ResetCard: {nil, card.ErrReset}, testcards.BreakReader: {card.ErrReader, sis.ErrReader, card.ErrUnsupported},
		testcards.StopService: {card.ErrNoService}, testcards.Truncate: {sis.ErrReader},
	}
	for _, access := range []testsis.Access{testsis.PCSC, testsis.ACR38} {
		for kind, errs := range want {
			for _, on := range []testcards.Step{testcards.AtCommand, testcards.AtConnect, testcards.AtBegin, testcards.AtEnd} {
				for n := 1; n <= 4; n++ {
					r := inReader(t, "sis-ordinary", access)
					r.SetFaults(testcards.Fault{Kind: kind, On: on, At: n})
					im, err := sis.Read(t.Context(), r)
					if err == nil && im.Surname != "SPECIMEN" {
						t.Errorf("%v %v %v %d: misread", access, kind, on, n)
					}
					if err != nil && !slices.ContainsFunc(errs, func(e error) bool { return e != nil && errors.Is(err, e) }) {
						t.Errorf("%v %v %v %d: %v", access, kind, on, n, err)
					}
					if r.Connections() != 0 {
						t.Errorf("%v %v %v %d: %d connections stay open", access, kind, on, n, r.Connections())
					}
				}
			}
		}
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := sis.Read(ctx, inReader(t, "sis-ordinary", testsis.PCSC)); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}
