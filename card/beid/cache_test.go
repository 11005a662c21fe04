package beid_test

import (
	"bytes"
	"context"
	"testing"

	"github.com/eidkit/eidkit/card"
	"github.com/eidkit/eidkit/card/beid"
	"github.com/eidkit/eidkit/testcards"
	"github.com/eidkit/eidkit/verify/carddata"
)

func addressHolds(f beid.Files) bool {
	return carddata.Verify(f, carddata.Options{}).Address.Status == carddata.Held
}

// readCached reads identity, address and photo of a card, and returns what was read and with how many commands.
func readCached(t *testing.T, sim *testcards.Card, cache *beid.Cache) (beid.Files, int) {
	t.Helper()
	ctx := context.Background()
	trace := &card.Trace{}
	c, err := beid.OpenWith(ctx, trace.Reader(sim.Reader()), beid.Options{Cache: cache})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	f, err := c.Files(ctx, beid.FileIdentity, beid.FileAddress, beid.FileIdentitySignature, beid.FileAddressSignature, beid.FileRRN, beid.FilePhoto)
	if err != nil {
		t.Fatal(err)
	}
	if addressHolds(f) {
		cache.Keep(c)
	}
	return f, trace.Stats().Commands
}

func TestCache(t *testing.T) {
	for _, profile := range []string{"citizen-1.7", "citizen-1.8"} {
		sim, err := testcards.Open(profile, testcards.Options{})
		if err != nil {
			t.Fatal(err)
		}
		cache := &beid.Cache{Verify: addressHolds}
		first, many := readCached(t, sim, cache)
		second, few := readCached(t, sim, cache)
		if !bytes.Equal(first.Identity, second.Identity) || !bytes.Equal(first.Address, second.Address) || !bytes.Equal(first.Photo, second.Photo) {
			t.Errorf("%s: the cache gives something else than the card", profile)
		}
		if few != 3 { // card data, SELECT and READ of the address signature
			t.Errorf("%s: %d commands with the cache, %d without; want 3", profile, few, many)
		}

		// The holder has moved: a fresh signature that does not fit the old address.
		moved := sim.File(0x4033)
		copy(moved[2:], "Nieuwe Laan 9")
		sim.SetFile(0x4033, moved)
		resign(t, sim, sim.File(0x4032))
		third, _ := readCached(t, sim, cache)
		if !bytes.Contains(third.Address, []byte("Nieuwe Laan 9")) {
			t.Errorf("%s: an old address came out of the cache", profile)
		}

		// Without a way to verify, no address is taken from the cache; after Forget nothing is.
		cache.Verify = nil
		if _, n := readCached(t, sim, cache); n <= 3 {
			t.Errorf("%s: cached address used without verification", profile)
		}
		cache.Forget()
		if _, n := readCached(t, sim, cache); n < many {
			t.Errorf("%s: %d commands after Forget, %d at first", profile, n, many)
		}
	}
}

// TestCacheIsPerCard: another serial is another card.
func TestCacheIsPerCard(t *testing.T) {
	cache := &beid.Cache{Verify: addressHolds}
	one, _ := testcards.Open("citizen-1.8", testcards.Options{Seed: 1})
	two, _ := testcards.Open("citizen-1.8", testcards.Options{Seed: 2})
	a, _ := readCached(t, one, cache)
	b, _ := readCached(t, two, cache)
	if bytes.Equal(a.Identity, b.Identity) {
		t.Error("one card's identity was given for another's")
	}
}

// TestLengthsAreRemembered: what was learned of a card's files saves the repeats after 6Cxx, also when the files are not kept.
func TestLengthsAreRemembered(t *testing.T) {
	sim, err := testcards.Open("citizen-1.7", testcards.Options{})
	if err != nil {
		t.Fatal(err)
	}
	cache := &beid.Cache{}
	read := func() int {
		sim.ClearStats()
		c, err := beid.OpenWith(context.Background(), sim.Reader(), beid.Options{Cache: cache})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := c.ReadAll(context.Background(), nil); err != nil {
			t.Fatal(err)
		}
		return sim.Stats().WrongLength
	}
	if first, second := read(), read(); first != 2 || second != 0 {
		t.Errorf("%d wrong lengths the first time, %d the second; want 2 and 0", first, second)
	}
}
