package sis_test

import (
	"errors"
	"testing"

	"github.com/eidkit/eidkit/card"
	"github.com/eidkit/eidkit/card/sis"
	"github.com/eidkit/eidkit/testcards"
	testsis "github.com/eidkit/eidkit/testcards/sis"
)

func module(t *testing.T, provider uint32) (*sis.CardModule, *testcards.Reader) {
	t.Helper()
	r := testcards.NewReader("module", testcards.ReaderOptions{})
	r.Insert(testsis.NewModule(provider))
	m, err := sis.OpenModule(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m, r
}

func TestModule(t *testing.T) {
	for _, provider := range testsis.Providers {
		m, _ := module(t, provider)
		im, err := sis.Parse(image(t, "sis-increased"))
		if err != nil {
			t.Fatal(err)
		}
		i, err := m.Open(t.Context(), im)
		if err != nil {
			t.Fatal(err)
		}
		if i.Mutuality != "319" || i.Affiliate != "0000031415928" || i.CT1 != "131" || i.CT2 != "131" || i.Franchise != 2013 ||
			i.From.String() != "2011-01-01" || i.Until.String() != "2013-12-31" || len(i.Key1) != 8 || len(i.Key2) != 8 {
			t.Errorf("%+v", i)
		}
	}
}

// TestModuleRefuses: another provider, another chip, any byte of the enciphered files changed.
func TestModuleRefuses(t *testing.T) {
	stranger, _ := module(t, 10009999)
	good := image(t, "sis-ordinary")
	im, err := sis.Parse(good)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stranger.Open(t.Context(), im); !errors.Is(err, sis.ErrSealed) {
		t.Errorf("a provider whom the card does not admit: %v", err)
	}
	m, _ := module(t, testsis.Providers[0])
	for i := range good {
		if !(i >= 6 && i < 17 || i >= 207 && i < 296 || i >= 299 && i < 299+48) { // chip number, file 0010, this provider's part of file 0043
			continue
		}
		good[i] ^= 1
		im, err := sis.Parse(good)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := m.Open(t.Context(), im); !errors.Is(err, sis.ErrSealed) {
			t.Errorf("byte %d: %v", i, err)
		}
		good[i] ^= 1
	}
	im, err = sis.Parse(image(t, "sis-empty"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Open(t.Context(), im); !errors.Is(err, sis.ErrSealed) {
		t.Errorf("nothing there: %v", err)
	}
}

// TestNotAModule: an eID is no security module.
func TestNotAModule(t *testing.T) {
	r := testcards.New(testcards.Citizen18).Reader()
	if _, err := sis.OpenModule(t.Context(), r); !errors.Is(err, sis.ErrModule) {
		t.Errorf("%v", err)
	}
	if r.Connections() != 0 {
		t.Error("a connection stays open")
	}
}

func TestModuleFaults(t *testing.T) {
	for kind, want := range map[testcards.FaultKind]error{testcards.TakeOut: card.ErrRemoved, testcards.BreakReader: card.ErrReader, testcards.StopService: card.ErrNoService} {
		for n := 1; n <= 4; n++ {
			m, r := module(t, testsis.Providers[0])
			im, err := sis.Parse(image(t, "sis-ordinary"))
			if err != nil {
				t.Fatal(err)
			}
			r.SetFaults(testcards.Fault{Kind: kind, At: n})
			if _, err := m.Open(t.Context(), im); !errors.Is(err, want) {
				t.Errorf("%v at %d: %v", kind, n, err)
			}
		}
	}
}
