package reading_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eidkit/eidkit/agent/reading"
	"github.com/eidkit/eidkit/card"
	"github.com/eidkit/eidkit/card/beid"
	"github.com/eidkit/eidkit/card/beid/saved"
	"github.com/eidkit/eidkit/testcards"
	"github.com/eidkit/eidkit/verify"
	"github.com/eidkit/eidkit/verify/carddata"
)

// open connects to a simulated card, with a memory if one is given.
func open(t *testing.T, sim *testcards.Card, m *reading.Memory) *beid.Card {
	t.Helper()
	c, err := beid.OpenWith(t.Context(), sim.Reader(), beid.Options{Cache: m.Cache()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func simulated(t *testing.T, profile string, mutation string) *testcards.Card {
	t.Helper()
	sim, err := testcards.Open(profile, testcards.Options{Mutation: mutation})
	if err != nil {
		t.Fatal(err)
	}
	return sim
}

func trusting(sim *testcards.Card) *verify.Anchors {
	a := &verify.Anchors{}
	a.Add(sim.Root())
	return a
}

// selected are the files that were selected on the card, in order.
func selected(sim *testcards.Card) (files []string) {
	for _, e := range sim.Exchanges() {
		if c := e.Command; c[1] == 0xA4 && c[2] == 0x08 && len(c) >= 11 {
			files = append(files, fmt.Sprintf("%X", c[9:11]))
		}
	}
	return files
}

func challenges(sim *testcards.Card) (n int) {
	for _, e := range sim.Exchanges() {
		if e.Command[1] == 0x88 {
			n++
		}
	}
	return n
}

func sorted(files ...string) []string { return slices.Sorted(slices.Values(files)) }

// TestReadsOnlyWhatIsAsked: no file is selected on the card that nothing asked for needs, and what was read is verified all the same.
func TestReadsOnlyWhatIsAsked(t *testing.T) {
	t.Parallel()
	identity := []string{"4031", "4032", "503B", "503C"}
	certificates := []string{"5038", "5039", "503A", "5032"}
	for _, tt := range []struct {
		name string
		o    reading.Options
		want []string
	}{
		{"identity", reading.Options{}, identity},
		{"address", reading.Options{Address: true}, slices.Concat(identity, []string{"4033", "4034"})},
		{"photo", reading.Options{Photo: true}, slices.Concat(identity, []string{"4035"})},
		{"all", reading.Options{Address: true, Photo: true, Certificates: true}, slices.Concat(identity, certificates, []string{"4033", "4034", "4035"})},
		{"unverified", reading.Options{Unverified: true}, []string{"4031"}},
		{"unverified address", reading.Options{Unverified: true, Address: true}, []string{"4031", "4033"}},
	} {
		for _, profile := range []string{"citizen-1.1", "citizen-1.7", "citizen-1.8", "kid-1.8", "foreigner-1.8"} {
			t.Run(tt.name+"/"+profile, func(t *testing.T) {
				t.Parallel()
				sim := simulated(t, profile, "")
				o := tt.o
				o.Anchors = trusting(sim)
				r, err := reading.Read(t.Context(), open(t, sim, nil), o)
				if err != nil {
					t.Fatal(err)
				}
				want := tt.want
				if strings.HasSuffix(profile, "1.8") && !o.Unverified {
					want = append(slices.Clone(want), "4040") // the identity names its hash
				}
				if got := sorted(selected(sim)...); !slices.Equal(got, sorted(want...)) {
					t.Errorf("selected %v, want %v", got, sorted(want...))
				}
				if r.Trusted() == o.Unverified || r.Failed() || !r.TestCard && !o.Unverified || r.Identity.Surname == "" {
					t.Errorf("trusted %v, failed %v, test card %v, %+v", r.Trusted(), r.Failed(), r.TestCard, r.Checks)
				}
				if (r.Address != nil) != o.Address || (len(r.Files.Photo) > 0) != o.Photo {
					t.Errorf("address %v, %d bytes of photo", r.Address, len(r.Files.Photo))
				}
				if n := challenges(sim); n != 0 {
					t.Errorf("%d challenges that nobody asked for", n)
				}
			})
		}
	}
}

// TestForgeries: what was changed is noticed, whichever of the files it is in.
func TestForgeries(t *testing.T) {
	t.Parallel()
	for _, mutation := range []string{"other-photo", "other-serial", "changed-name", "other-basic-key"} {
		t.Run(mutation, func(t *testing.T) {
			t.Parallel()
			sim := simulated(t, "citizen-1.8", mutation)
			r, err := reading.Read(t.Context(), open(t, sim, nil), reading.Options{Address: true, Photo: true, Challenge: true, Anchors: trusting(sim)})
			if err != nil {
				t.Fatal(err)
			}
			if !r.Failed() || r.Trusted() {
				t.Errorf("failed %v, trusted %v", r.Failed(), r.Trusted())
			}
		})
	}
	t.Run("address signature", func(t *testing.T) {
		t.Parallel()
		sim := simulated(t, "citizen-1.7", "")
		sig := sim.File(0x4034)
		sig[9] ^= 1
		sim.SetFile(0x4034, sig)
		o := reading.Options{Anchors: trusting(sim)}
		if r, err := reading.Read(t.Context(), open(t, sim, nil), o); err != nil || !r.Trusted() {
			t.Errorf("the identity alone: %+v, %v", r.Checks, err)
		}
		o.Address = true
		if r, err := reading.Read(t.Context(), open(t, sim, nil), o); err != nil || !r.Failed() {
			t.Errorf("with the address: %v", err)
		}
	})
	t.Run("nothing legible", func(t *testing.T) {
		t.Parallel()
		sim := simulated(t, "citizen-1.8", "")
		sim.SetFile(0x4031, bytes.Repeat([]byte{0xFF}, 200))
		if _, err := reading.Read(t.Context(), open(t, sim, nil), reading.Options{}); !errors.Is(err, reading.ErrForged) {
			t.Error(err)
		}
	})
	t.Run("no anchor", func(t *testing.T) {
		t.Parallel()
		r, err := reading.Read(t.Context(), open(t, simulated(t, "citizen-1.8", ""), nil), reading.Options{})
		if err != nil || r.Trusted() || r.Failed() || r.Checks.Chain.Status != carddata.Untrusted {
			t.Errorf("%+v, %v", r.Checks, err)
		}
	})
}

// copied is a card of the same holder with all files of another, as far as a card can be copied: the chip's key stays its own.
func copied(t *testing.T) *testcards.Card {
	t.Helper()
	original, err := testcards.Open("citizen-1.8", testcards.Options{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	sim := simulated(t, "citizen-1.8", "")
	for _, id := range []uint16{0x4031, 0x4032, 0x4033, 0x4034, 0x4035, 0x4040, 0x5038, 0x5039, 0x503A, 0x503B, 0x503C} {
		sim.SetFile(id, original.File(id))
	}
	return sim
}

// TestChallenge: a chip that answers is authenticated; a copy is not, and is not trusted.
func TestChallenge(t *testing.T) {
	t.Parallel()
	sim := simulated(t, "citizen-1.8", "")
	r, err := reading.Read(t.Context(), open(t, sim, nil), reading.Options{Challenge: true, Anchors: trusting(sim)})
	if err != nil || !r.Authenticated() || !r.Trusted() || challenges(sim) != 1 {
		t.Errorf("%+v, %d challenges, %v", r.Checks, challenges(sim), err)
	}
	sim = copied(t)
	r, err = reading.Read(t.Context(), open(t, sim, nil), reading.Options{Challenge: true, Anchors: trusting(sim)})
	if err != nil || r.Authenticated() || r.Trusted() || r.Checks.ChipKey.Status != carddata.Failed {
		t.Errorf("a copy: %+v, %v", r.Checks, err)
	}
	sim = simulated(t, "citizen-1.7", "")
	r, err = reading.Read(t.Context(), open(t, sim, nil), reading.Options{Challenge: true, Anchors: trusting(sim)})
	if err != nil || r.Authenticated() || challenges(sim) != 0 {
		t.Errorf("a card without a key of its own: %+v, %v", r.Checks, err)
	}
}

// TestMemory: the same card is challenged once, and what held is not read again; what did not hold is.
func TestMemory(t *testing.T) {
	t.Parallel()
	sim := simulated(t, "citizen-1.8", "")
	m := reading.NewMemory()
	o := reading.Options{Address: true, Photo: true, Challenge: true, Anchors: trusting(sim), Memory: m}
	first, err := reading.Read(t.Context(), open(t, sim, m), o)
	if err != nil || !first.Trusted() {
		t.Fatal(first, err)
	}
	sim.ClearStats()
	again, err := reading.Read(t.Context(), open(t, sim, m), o)
	if err != nil || !again.Trusted() || !again.Authenticated() {
		t.Fatalf("%+v, %v", again, err)
	}
	if got, want := sorted(selected(sim)...), []string{"4034", "4040", "503B"}; !slices.Equal(got, want) || challenges(sim) != 0 {
		t.Errorf("selected again: %v, want %v; %d challenges", got, want, challenges(sim))
	}
	if again.Identity.Birth != first.Identity.Birth || !bytes.Equal(again.Files.Photo, first.Files.Photo) {
		t.Error("what was remembered differs from what was read")
	}

	garbled := simulated(t, "citizen-1.8", "")
	m = reading.NewMemory()
	photo := garbled.File(0x4035)
	bent := bytes.Clone(photo)
	bent[700] ^= 1
	garbled.SetFile(0x4035, bent)
	o.Memory = m
	if r, err := reading.Read(t.Context(), open(t, garbled, m), o); err != nil || !r.Failed() {
		t.Fatal(r, err)
	}
	garbled.SetFile(0x4035, photo)
	if r, err := reading.Read(t.Context(), open(t, garbled, m), o); err != nil || !r.Trusted() {
		t.Errorf("what failed was remembered: %+v, %v", r, err)
	}
}

// TestMemoryOfAnotherCard: a proof that was remembered proves nothing of a copy.
func TestMemoryOfAnotherCard(t *testing.T) {
	t.Parallel()
	sim := simulated(t, "citizen-1.8", "")
	m := reading.NewMemory()
	o := reading.Options{Challenge: true, Anchors: trusting(sim), Memory: m}
	if r, err := reading.Read(t.Context(), open(t, sim, m), o); err != nil || !r.Authenticated() {
		t.Fatal(r, err)
	}
	other, err := testcards.Open("citizen-1.8", testcards.Options{Seed: 7})
	if err != nil {
		t.Fatal(err)
	}
	r, err := reading.Read(t.Context(), open(t, other, m), o)
	if err != nil || r.Authenticated() || r.Trusted() {
		t.Errorf("%+v, %v", r.Checks, err)
	}
}

// TestFaults lets every command fail in turn: there is an error of the right kind, and the next reading is whole.
func TestFaults(t *testing.T) {
	t.Parallel()
	o := reading.Options{Address: true, Challenge: true}
	whole := simulated(t, "citizen-1.8", "")
	if _, err := reading.Read(t.Context(), open(t, whole, nil), o); err != nil {
		t.Fatal(err)
	}
	commands := whole.Stats().Commands
	for kind, want := range map[testcards.FaultKind]error{testcards.TakeOutAfter: card.ErrRemoved,
		testcards.BreakReader: card.ErrReader, testcards.StopService: card.ErrNoService} {
		sim := simulated(t, "citizen-1.8", "")
		for n := 1; n < commands; n++ { // one was for opening the card
			r := testcards.NewReader("reader", testcards.ReaderOptions{})
			system := &testcards.System{}
			system.AddReader(r)
			r.Insert(sim)
			c, err := beid.Open(t.Context(), r)
			if err != nil {
				t.Fatal(err)
			}
			r.SetFaults(testcards.Fault{Kind: kind, At: n})
			if got, err := reading.Read(t.Context(), c, o); !errors.Is(err, want) || got != nil {
				t.Errorf("fault %d at command %d: %v, %v", kind, n, got, err)
			}
			c.Close()
			if r.Connections() != 0 || sim.PINTries() != 3 {
				t.Errorf("fault %d at command %d: %d connections, %d tries", kind, n, r.Connections(), sim.PINTries())
			}
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := reading.Read(ctx, open(t, whole, nil), o); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// TestProgress: name first, proven before the photo comes.
func TestProgress(t *testing.T) {
	t.Parallel()
	sim := simulated(t, "citizen-1.8", "")
	var steps []string
	_, err := reading.Read(t.Context(), open(t, sim, nil), reading.Options{Photo: true, Anchors: trusting(sim), Progress: func(file string, id *beid.Identity, proven bool) {
		steps = append(steps, fmt.Sprint(file, " ", id != nil, " ", proven))
	}})
	want := "card data false false, identity true false, identity signature true false, national register certificate true false, " +
		"root certificate true true, photo true true, basic key true true"
	if got := strings.Join(steps, ", "); err != nil || got != want {
		t.Errorf("%s, %v", got, err)
	}
}

// TestGaps: what the identity promises and the card has not is told, and keeps the reading from being trusted.
func TestGaps(t *testing.T) {
	t.Parallel()
	sim := simulated(t, "citizen-1.8", "")
	sim.SetFile(0x4035, nil)
	r, err := reading.Read(t.Context(), open(t, sim, nil), reading.Options{Photo: true, Anchors: trusting(sim)})
	if err != nil || r.Trusted() || r.Failed() || len(r.Gaps) != 1 {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestOdd: a card that has ended is told of.
func TestOdd(t *testing.T) {
	t.Parallel()
	sim := simulated(t, "citizen-1.8", "")
	late := func() time.Time { return time.Date(2060, 1, 1, 0, 0, 0, 0, time.UTC) }
	r, err := reading.Read(t.Context(), open(t, sim, nil), reading.Options{Now: late, Anchors: trusting(sim)})
	if err != nil || r.Trusted() || !slices.ContainsFunc(r.Warnings, func(w string) bool { return strings.Contains(w, "no longer valid") }) {
		t.Errorf("%v, %v", r.Warnings, err)
	}
}

// TestDocument: the reading as JSON has what was read and judged, and a saved card is judged as far as it can be.
func TestDocument(t *testing.T) {
	t.Parallel()
	sim := simulated(t, "citizen-1.8", "")
	r, err := reading.Read(t.Context(), open(t, sim, nil), reading.Options{Address: true, Photo: true, Certificates: true, Challenge: true, Anchors: trusting(sim)})
	if err != nil {
		t.Fatal(err)
	}
	r.Commands, r.Took = 42, 3*time.Millisecond
	d, err := r.Document()
	if err != nil {
		t.Fatal(err)
	}
	if d.Reading == nil || d.Reading.Commands != 42 || d.Reading.DurationMS != 3 || !d.Reading.TestCard || d.Verification == nil ||
		!d.Verification.Trusted || d.Verification.ChipKey.Status != "held" {
		t.Errorf("%+v, %+v", d.Reading, d.Verification)
	}
	c, err := r.Card()
	if err != nil {
		t.Fatal(err)
	}
	var xml bytes.Buffer
	if err := c.WriteXML(&xml); err != nil {
		t.Fatal(err)
	}
	back, err := saved.Read(xml.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	kept := reading.Of(back, "card.eid", reading.Options{Anchors: trusting(sim)})
	d, err = kept.Document()
	if err != nil || kept.Trusted() || d.Reading != nil || d.Verification == nil || kept.Source != "card.eid" {
		t.Errorf("%+v, %v", d, err)
	}
	if kept := reading.Of(back, "card.eid", reading.Options{Unverified: true}); kept.Checks != nil || kept.Trusted() {
		t.Error("judged, though nobody asked")
	}
}
