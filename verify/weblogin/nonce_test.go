package weblogin_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/eidkit/eidkit/testcards/pki"
	"github.com/eidkit/eidkit/verify/weblogin"
)

func TestNonces(t *testing.T) {
	t.Parallel()
	clock := now
	store := &weblogin.MemoryNonces{Now: func() time.Time { return clock }}
	first, err := weblogin.Challenge(t.Context(), store, "session")
	if err != nil {
		t.Fatal(err)
	}
	second, err := weblogin.Challenge(t.Context(), store, "session")
	if err != nil {
		t.Fatal(err)
	}
	if raw, err := base64.StdEncoding.DecodeString(second); err != nil || len(raw) != 32 || first == second {
		t.Errorf("nonces %q and %q", first, second)
	}
	if got, err := store.Take(t.Context(), "session"); err != nil || got != second {
		t.Errorf("the later nonce counts: %q, %v", got, err)
	}
	for _, session := range []string{"session", "another", ""} {
		if _, err := store.Take(t.Context(), session); !errors.Is(err, weblogin.ErrNonce) {
			t.Errorf("%q: %v", session, err)
		}
	}
	if _, err := weblogin.Challenge(t.Context(), store, "late"); err != nil {
		t.Fatal(err)
	}
	clock = clock.Add(5 * time.Minute)
	if _, err := store.Take(t.Context(), "late"); !errors.Is(err, weblogin.ErrNonce) {
		t.Errorf("after five minutes: %v", err)
	}
	for _, session := range []string{"", strings.Repeat("s", 257)} {
		if _, err := weblogin.Challenge(t.Context(), store, session); !errors.Is(err, weblogin.ErrOptions) {
			t.Errorf("session of %d bytes: %v", len(session), err)
		}
	}
}

func TestNoncesAreBounded(t *testing.T) {
	t.Parallel()
	clock := now
	store := &weblogin.MemoryNonces{Max: 3, Lifetime: time.Minute, Now: func() time.Time { return clock }}
	for i := range 5 {
		if _, err := weblogin.Challenge(t.Context(), store, fmt.Sprint(i)); err != nil {
			t.Fatal(err)
		}
		clock = clock.Add(time.Second)
	}
	for i := range 5 {
		if _, err := store.Take(t.Context(), fmt.Sprint(i)); (err == nil) != (i >= 2) {
			t.Errorf("session %d of 5, at most 3 kept: %v", i, err)
		}
	}
}

// TestNonceOnce: of many takers at one time one gets the nonce.
func TestNonceOnce(t *testing.T) {
	t.Parallel()
	store := &weblogin.MemoryNonces{}
	for range 50 {
		if _, err := weblogin.Challenge(t.Context(), store, "s"); err != nil {
			t.Fatal(err)
		}
		var got atomic.Int32
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				if _, err := store.Take(context.Background(), "s"); err == nil {
					got.Add(1)
				}
			})
		}
		all.Wait()
		if got.Load() != 1 {
			t.Fatalf("%d got the nonce", got.Load())
		}
	}
}

func TestLogin(t *testing.T) {
	t.Parallel()
	p := newPKI(t, pki.Options{})
	card := issue(t, p, pki.Request{Subject: eva})
	store := &weblogin.MemoryNonces{}
	given, err := weblogin.Challenge(t.Context(), store, "session")
	if err != nil {
		t.Fatal(err)
	}
	token := newToken(t, card, "ES384").with("signature", b64(sign(t, card.Key, "ES384", origin, given))).json(t)
	if _, err := weblogin.Login(t.Context(), token, store, "another session", options(p)); !errors.Is(err, weblogin.ErrNonce) {
		t.Errorf("another session: %v", err)
	}
	who, err := weblogin.Login(t.Context(), token, store, "session", options(p))
	if err != nil || who.NISS != eva.NationalNumber {
		t.Fatalf("%v, %v", who, err)
	}
	_, err = weblogin.Login(t.Context(), token, store, "session", options(p))
	if code, status := weblogin.Code(err); code != "NONCE_UNKNOWN" || status != 401 {
		t.Errorf("replayed: %v", err)
	}
	// A bad token uses the nonce up as well.
	if _, err := weblogin.Challenge(t.Context(), store, "session"); err != nil {
		t.Fatal(err)
	}
	if _, err := weblogin.Login(t.Context(), []byte("{}"), store, "session", options(p)); !errors.Is(err, weblogin.ErrToken) {
		t.Errorf("bad token: %v", err)
	}
	if _, err := store.Take(t.Context(), "session"); !errors.Is(err, weblogin.ErrNonce) {
		t.Errorf("the nonce is still there: %v", err)
	}
	for _, short := range []string{"", strings.Repeat("n", 43), strings.Repeat("n", 129)} {
		if _, err := weblogin.Validate(t.Context(), token, short, options(p)); !errors.Is(err, weblogin.ErrNonce) {
			t.Errorf("nonce of %d: %v", len(short), err)
		}
	}
}
