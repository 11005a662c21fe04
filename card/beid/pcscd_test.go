//go:build linux

package beid_test

import (
	"context"
	"crypto"
	"crypto/rand"
	"errors"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/eidkit/eidkit/card"
	"github.com/eidkit/eidkit/card/beid"
	"github.com/eidkit/eidkit/card/pcsc"
	"github.com/eidkit/eidkit/internal/pcscdtest"
	"github.com/eidkit/eidkit/testcards"
	"github.com/eidkit/eidkit/verify/carddata"
)

// insert makes a card and puts it into the first slot of the machine's pcscd.
func insert(t testing.TB, daemon *pcscdtest.Daemon, profile string) *testcards.Card {
	t.Helper()
	sim, err := testcards.Open(profile, testcards.Options{})
	if err != nil {
		t.Fatal(err)
	}
	daemon.Insert(t, 0, sim)
	return sim
}

// TestThroughPCSC reads and signs through the real service, with openssl as the judge, and leaves nothing open.
func TestThroughPCSC(t *testing.T) {
	openssl := tool(t, "openssl")
	for _, profile := range []string{"citizen-1.7", "citizen-1.8"} {
		t.Run(profile, func(t *testing.T) {
			daemon := pcscdtest.Start(t)
			sim := insert(t, daemon, profile)
			check := pcscdtest.CheckLeaks(t)
			ctx := context.Background()
			reader, err := pcsc.Open(ctx, "")
			if err != nil {
				t.Fatal(err)
			}
			c, err := beid.Open(ctx, reader)
			if err != nil {
				t.Fatal(err)
			}
			f, err := c.ReadAll(ctx, nil)
			if err != nil {
				t.Fatal(err)
			}
			if r := carddata.Verify(f, carddata.Options{Anchors: anchors(sim)}); !r.Trusted() {
				t.Errorf("not trusted: %+v", r)
			}
			message := []byte("through the real service")
			for _, key := range bothKeys(t, c, typed(t, testcards.PIN, nil)) {
				sig, err := key.SignMessage(rand.Reader, message, crypto.SHA384)
				if err != nil {
					t.Fatal(err)
				}
				opensslVerify(t, openssl, key.Certificate(), crypto.SHA384, message, sig)
				// Another PC/SC client that sends PSO right after finds the key closed.
				if err := intrude(ctx, reader); !errors.Is(err, card.ErrSecurityStatus) {
					t.Errorf("another client's PSO after a signature gives %v, want 6982", err)
				}
			}
			c.Close()
			check()
		})
	}
}

// TestTwoProgramsThroughPCSC: two clients read at the same time, and both get everything.
func TestTwoProgramsThroughPCSC(t *testing.T) {
	daemon := pcscdtest.Start(t)
	insert(t, daemon, "citizen-1.8")
	var all [2]beid.Files
	var group sync.WaitGroup
	for i := range all {
		group.Go(func() {
			c, err := beid.Open(context.Background(), pcsc.Named(pcscdtest.Readers[0]))
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			if all[i], err = c.ReadAll(context.Background(), nil); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if !reflect.DeepEqual(all[0], all[1]) || len(all[0].Photo) == 0 {
		t.Error("the two read different things")
	}
}

// TestFrozenService: when pcscd stops answering, a read ends with its context.
func TestFrozenService(t *testing.T) {
	daemon := pcscdtest.Start(t)
	insert(t, daemon, "citizen-1.8")
	c, err := beid.Open(context.Background(), pcsc.Named(pcscdtest.Readers[0]))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	thaw := daemon.Freeze(t)
	defer thaw()
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	if _, err := c.ReadAll(ctx, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("ReadAll = %v, want the context's end", err)
	}
}
