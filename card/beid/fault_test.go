package beid_test

import (
	"bytes"
	"context"
	"crypto"
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/eidkit/eidkit/card"
	"github.com/eidkit/eidkit/card/beid"
	"github.com/eidkit/eidkit/testcards"
	"github.com/eidkit/eidkit/verify/carddata"
)

// operation is something done with a card; its result is compared with that of an undisturbed run.
type operation struct {
	name string
	pin  bool
	run  func(ctx context.Context, c *beid.Card, ask beid.PINFunc) (any, error)
}

var operations = []operation{
	{"read", false, func(ctx context.Context, c *beid.Card, _ beid.PINFunc) (any, error) { return c.ReadAll(ctx, nil) }},
	{"authenticate", true, func(ctx context.Context, c *beid.Card, ask beid.PINFunc) (any, error) {
		key, err := c.AuthenticationKey(ctx, ask)
		if err != nil {
			return nil, err
		}
		_, err = key.Sign(nil, make([]byte, 32), crypto.SHA256) // checked with the certificate by Sign itself
		return nil, err
	}},
	{"sign", true, func(ctx context.Context, c *beid.Card, ask beid.PINFunc) (any, error) {
		key, err := c.SigningKey(ctx, ask)
		if err != nil {
			return nil, err
		}
		_, err = key.SignAll([][]byte{make([]byte, 32), make([]byte, 32)}, crypto.SHA256)
		return nil, err
	}},
	{"verify PIN", true, func(ctx context.Context, c *beid.Card, ask beid.PINFunc) (any, error) {
		return nil, c.VerifyPIN(ctx, ask)
	}},
}

// faultErrors are what may come out of each fault: nil where the work can be repeated.
var faultErrors = map[testcards.FaultKind][]error{
	testcards.TakeOut:      {card.ErrRemoved, card.ErrNoCard},
	testcards.TakeOutAfter: {card.ErrRemoved, card.ErrNoCard},
	testcards.ResetCard:    {nil, card.ErrReset},
	testcards.Silence:      {context.DeadlineExceeded},
	testcards.BreakReader:  {card.ErrReader},
	testcards.StopService:  {card.ErrNoService},
}

// TestFaults lets everything go wrong at every command of every operation, and at every begin and end of a transaction. Each time
// there is a typed error or the right result, nothing stays open, no PIN try is spent and no PIN right is left on the card.
func TestFaults(t *testing.T) {
	profiles := []string{"citizen-1.7", "citizen-1.8"}
	if testing.Short() {
		profiles = profiles[1:]
	}
	for _, profile := range profiles {
		for _, op := range operations {
			t.Run(profile+"/"+op.name, func(t *testing.T) {
				sim, want, steps := undisturbed(t, profile, op)
				for kind, allowed := range faultErrors {
					for _, at := range []testcards.Step{testcards.AtConnect, testcards.AtBegin, testcards.AtCommand, testcards.AtEnd} {
						for n := 1; n <= steps[at]; n++ {
							if kind == testcards.Silence && at == testcards.AtEnd && n > 1 {
								break // one shows that an end is waited for no longer than it should be
							}
							fault := testcards.Fault{Kind: kind, On: at, At: n}
							got, err := disturbed(t, sim, op, fault)
							if !matches(err, allowed) {
								t.Errorf("%+v: %v", fault, err)
							}
							if err == nil && !reflect.DeepEqual(got, want) {
								t.Errorf("%+v: other result than undisturbed", fault)
							}
						}
					}
				}
			})
		}
	}
}

func matches(err error, allowed []error) bool {
	for _, a := range allowed {
		if a == nil && err == nil || a != nil && errors.Is(err, a) {
			return true
		}
	}
	return err == nil // a fault at the very end may come too late to matter; the result is compared
}

// TestGarbledAnswers: a bit or a byte lost on the line is an error or is found by the checks; it never passes for the card's word.
func TestGarbledAnswers(t *testing.T) {
	for _, profile := range []string{"citizen-1.7", "citizen-1.8"} {
		for _, op := range operations {
			sim, want, steps := undisturbed(t, profile, op)
			for _, kind := range []testcards.FaultKind{testcards.Garble, testcards.Truncate} {
				for n := 1; n <= steps[testcards.AtCommand]; n++ {
					got, err := disturbed(t, sim, op, testcards.Fault{Kind: kind, At: n})
					files, read := got.(beid.Files)
					if err != nil || !read || reflect.DeepEqual(got, want) {
						continue
					}
					if r := carddata.Verify(files, carddata.Options{}); !r.Failed() && !onlyUnsigned(files, want.(beid.Files)) {
						t.Errorf("%s, %s at command %d: changed data pass the checks", profile, op.name, n)
					}
				}
			}
		}
	}
}

// onlyUnsigned tells whether two sets of files differ only in what the national register does not vouch for.
func onlyUnsigned(a, b beid.Files) bool {
	return bytes.Equal(a.Identity, b.Identity) && bytes.Equal(a.IdentitySignature, b.IdentitySignature) && bytes.Equal(a.Address, b.Address) &&
		bytes.Equal(a.AddressSignature, b.AddressSignature) && bytes.Equal(a.Photo, b.Photo) && bytes.Equal(a.BasicKey, b.BasicKey)
}

// undisturbed runs op on a fresh card and counts its steps: one Open with it.
func undisturbed(t *testing.T, profile string, op operation) (*testcards.Card, any, map[testcards.Step]int) {
	t.Helper()
	sim, err := testcards.Open(profile, testcards.Options{})
	if err != nil {
		t.Fatal(err)
	}
	count := &counting{Reader: sim.Reader(), steps: map[testcards.Step]int{}}
	c, err := beid.Open(context.Background(), count)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	got, err := op.run(context.Background(), c, typed(t, testcards.PIN, nil))
	if err != nil {
		t.Fatal(err)
	}
	return sim, got, count.steps
}

// disturbed runs op, from Open to Close, with one fault, and checks what must hold whatever happens: so the card is as good as new
// for the next.
func disturbed(t *testing.T, sim *testcards.Card, op operation, f testcards.Fault) (any, error) {
	t.Helper()
	reader := sim.Reader()
	reader.SetFaults(f)
	limit := time.Minute
	if f.Kind == testcards.Silence {
		limit = 5 * time.Millisecond
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	got, err := func() (any, error) {
		c, err := beid.Open(ctx, reader)
		if err != nil {
			return nil, err
		}
		defer c.Close()
		return op.run(ctx, c, typed(t, testcards.PIN, nil))
	}()
	what := fmt.Sprintf("%s, %s, %+v", sim.Profile().Name, op.name, f)
	if n := reader.Connections(); n != 0 {
		t.Errorf("%s: %d connections left open", what, n)
	}
	if n := sim.PINTries(); n != 3 {
		t.Errorf("%s: %d PIN tries left", what, n)
	}
	reader.SetFaults()
	if f.Kind == testcards.StopService {
		return got, err
	}
	if f.Kind == testcards.TakeOut || f.Kind == testcards.TakeOutAfter {
		reader.Insert(sim)
	}
	if intruded := intrude(context.Background(), reader); op.pin && !errors.Is(intruded, card.ErrSecurityStatus) {
		t.Errorf("%s: another program's PSO afterwards gives %v, want 6982", what, intruded)
	}
	return got, err
}

// counting counts the steps that faults can happen at.
type counting struct {
	card.Reader
	steps map[testcards.Step]int
}

func (r *counting) Connect(ctx context.Context, mode card.Mode) (card.Transport, error) {
	r.steps[testcards.AtConnect]++
	t, err := r.Reader.Connect(ctx, mode)
	return countingTransport{t, r.steps}, err
}

type countingTransport struct {
	card.Transport
	steps map[testcards.Step]int
}

func (t countingTransport) Transmit(ctx context.Context, b []byte) ([]byte, error) {
	t.steps[testcards.AtCommand]++
	return t.Transport.Transmit(ctx, b)
}

func (t countingTransport) Begin(ctx context.Context) error {
	t.steps[testcards.AtBegin]++
	return t.Transport.Begin(ctx)
}

func (t countingTransport) End(ctx context.Context, d card.Disposition) error {
	t.steps[testcards.AtEnd]++
	return t.Transport.End(ctx, d)
}

// TestSwappedCard: a card exchanged for another while both look alike to the reader ends the work.
func TestSwappedCard(t *testing.T) {
	ctx := context.Background()
	first, _ := testcards.Open("citizen-1.8", testcards.Options{})
	second, _ := testcards.Open("citizen-1.8", testcards.Options{Seed: 7})
	reader := first.Reader()
	c, err := beid.Open(ctx, reader)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	key, err := c.SigningKey(ctx, func(ctx context.Context, r beid.PINRequest) (card.PIN, error) {
		reader.Insert(second) // while the person types
		return typed(t, testcards.PIN, nil)(ctx, r)
	})
	if err != nil {
		t.Fatal(err)
	}
	before := second.Stats().Commands
	if _, err := key.Sign(nil, make([]byte, 32), crypto.SHA256); !errors.Is(err, card.ErrRemoved) {
		t.Errorf("Sign = %v, want the card removed", err)
	}
	if got := second.Stats().Commands; got != before {
		t.Errorf("the other card got %d commands", got-before)
	}
}

// TestTwoPrograms reads one card from two connections at the same time: both get everything.
func TestTwoPrograms(t *testing.T) {
	sim, err := testcards.Open("citizen-1.8", testcards.Options{})
	if err != nil {
		t.Fatal(err)
	}
	reader := sim.Reader()
	results := make(chan beid.Files, 2)
	for range 2 {
		go func() {
			c, err := beid.Open(context.Background(), reader)
			if err != nil {
				t.Error(err)
				results <- beid.Files{}
				return
			}
			defer c.Close()
			f, err := c.ReadAll(context.Background(), nil)
			if err != nil {
				t.Error(err)
			}
			results <- f
		}()
	}
	a, b := <-results, <-results
	if !reflect.DeepEqual(a, b) || len(a.Photo) == 0 {
		t.Error("two programs read different things")
	}
}

// TestCloseFromElsewhere: Close ends a call that the card does not answer.
func TestCloseFromElsewhere(t *testing.T) {
	sim, err := testcards.Open("citizen-1.8", testcards.Options{})
	if err != nil {
		t.Fatal(err)
	}
	reader := sim.Reader()
	c, err := beid.Open(context.Background(), reader)
	if err != nil {
		t.Fatal(err)
	}
	reader.SetFaults(testcards.Fault{Kind: testcards.Silence, At: 5})
	failed := make(chan error)
	go func() {
		_, err := c.ReadAll(context.Background(), func(id beid.FileID, _ beid.Files) error {
			if id == beid.FileIdentity {
				go c.Close()
			}
			return nil
		})
		failed <- err
	}()
	if err := <-failed; !errors.Is(err, card.ErrClosed) {
		t.Errorf("ReadAll = %v, want closed", err)
	}
	if _, err := c.Photo(context.Background()); !errors.Is(err, card.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}
