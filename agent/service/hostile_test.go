//go:build unix

package service

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eidkit/eidkit/agent/access"
	"github.com/eidkit/eidkit/agent/audit"
	"github.com/eidkit/eidkit/agent/desk"
	"github.com/eidkit/eidkit/agent/protocol"
	"github.com/eidkit/eidkit/card"
	"github.com/eidkit/eidkit/card/beid"
	"github.com/eidkit/eidkit/sign"
	"github.com/eidkit/eidkit/testcards"
	"github.com/eidkit/eidkit/verify/assurability"
)

// filePhoto is the photo's file.
const filePhoto = 0x4035

// TestPhotoOfAnother: a photo that is not the one that the identity names gets onto no page.
func TestPhotoOfAnother(t *testing.T) {
	t.Parallel()
	c, other := testcards.New(testcards.Citizen18), testcards.New(testcards.Citizen18, testcards.Options{Seed: 3})
	if !c.SetFile(filePhoto, other.File(filePhoto)) {
		t.Fatal("no such file")
	}
	b := newBench(t, askingPolicy, c)
	call := b.signCall("contract.pdf", onePage(""), m{"format": "pades", "visible": m{"rect": []float64{10, 10, 200, 60}, "photo": true}})
	if _, err := b.doCall(t.Context(), call, "sign.document"); protocol.CodeOf(err) != protocol.ReaderError {
		t.Errorf("got %v", err)
	}
	if has(c, insVerify) || len(b.person.asked()) != 1 {
		t.Errorf("asked %d times, PIN verified: %v", len(b.person.asked()), has(c, insVerify))
	}
}

// TestLooksTakeTurns: looking through documents, which a client gets done without anybody being asked, takes turns and ends with the request.
func TestLooksTakeTurns(t *testing.T) {
	t.Parallel()
	b := newBench(t, askingPolicy, testcards.New(testcards.Citizen18))
	for range maxLooks {
		b.looks <- struct{}{}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.doCall(ctx, b.signCall("a.txt", []byte("a"), m{"format": "cades"}), "sign.document"); !errors.Is(err, context.Canceled) {
		t.Errorf("in the queue: %v", err)
	}
	<-b.looks
	if _, err := b.doCall(ctx, b.signCall("a.txt", []byte("a"), m{"format": "cades"}), "sign.document"); !errors.Is(err, context.Canceled) || len(b.person.asked()) != 0 {
		t.Errorf("at its turn: %v, asked %d times", err, len(b.person.asked()))
	}
	b.person.consent = func(desk.Consent) (desk.Answer, error) {
		if len(b.looks) != maxLooks-1 {
			t.Errorf("%d look while the user is asked", len(b.looks))
		}
		return desk.Answer{Allowed: true}, nil
	}
	if _, err := b.doCall(t.Context(), b.signCall("a.txt", []byte("a"), m{"format": "cades"}), "sign.document"); err != nil {
		t.Error(err)
	}
}

// TestNoCardIsCounted: whether there is a card, a site that would have to ask
// cannot find out again and again, and it stands in the log; for one that is
// allowed to read it, be it in one reader only, it costs nothing.
func TestNoCardIsCounted(t *testing.T) {
	t.Parallel()
	b := newBench(t, namedPolicy+`
[[site]]
origin = "https://patients.example"
operations = ["identity"]
fields = ["surname"]
readers = ["patient"]
`)
	b.system.AddReader(testcards.NewReader("Patient 1", testcards.ReaderOptions{}))
	for len(b.o.Hub.Readers()) == 0 {
		<-b.changed()
	}
	params := m{"fields": []string{"surname"}}
	counted := 0
	for ; counted < 100; counted++ {
		if _, err := b.do(b.site(siteOrigin), "identity.read", params); protocol.CodeOf(err) == protocol.RateLimited {
			break
		} else if protocol.CodeOf(err) != protocol.NoCard {
			t.Fatalf("try %d: %v", counted, err)
		}
	}
	if counted == 0 || counted == 100 {
		t.Errorf("told %d times", counted)
	}
	lines, err := audit.Read(b.auditDir, audit.Filter{Limit: -1})
	if err != nil || len(lines) < 2*counted {
		t.Errorf("%d lines in the log, %v", len(lines), err)
	}
	for range 2 * counted {
		b.refused(b.site("https://named.example"), "identity.read", params, protocol.NoCard)
		b.refused(b.site("https://patients.example"), "identity.read", params, protocol.NoCard)
		b.refused(b.page(), "identity.read", params, protocol.NoCard)
	}
	if len(b.person.asked()) != 0 {
		t.Errorf("asked %d times", len(b.person.asked()))
	}
}

// TestExportThatIsNotLogged: a card's data that no line of the log tells of are not kept.
func TestExportThatIsNotLogged(t *testing.T) {
	t.Parallel()
	b := newBench(t, askingPolicy, testcards.New(testcards.Citizen18))
	b.cardID("Reader 1")
	b.strikeAt(1, func() { b.audit.Close() })
	call := b.call(b.page(), m{"format": "json"})
	if _, err := b.doCall(t.Context(), call, "card.export"); protocol.CodeOf(err) != protocol.Internal {
		t.Errorf("got %v", err)
	}
	if n := b.store.Used(); n != 0 {
		t.Errorf("%d bytes of the card are still there", n)
	}
}

// TestNetworkIsPrivate: a site does not hear which proxies and services there are here; the user's own page does.
func TestNetworkIsPrivate(t *testing.T) {
	t.Parallel()
	b := newBench(t, askingPolicy)
	why := fault(fmt.Errorf("signing: %w: https://tsa.internal.example: proxyconnect tcp 10.1.2.3:3128: refused", sign.ErrTimestamp))
	for _, c := range []access.Client{b.site(siteOrigin), {Kind: access.Extension, Origin: b.site(siteOrigin).Origin}} {
		if err := discreet(c, why); protocol.CodeOf(err) != protocol.NetworkUnavailable || strings.Contains(err.Error(), "internal") || !strings.Contains(err.Error(), sign.ErrTimestamp.Error()) {
			t.Errorf("%s hears %v", c, err)
		}
	}
	if err := discreet(b.page(), why); !strings.Contains(err.Error(), "tsa.internal.example") {
		t.Errorf("the page hears %v", err)
	}
}

// TestNoRoom: where there is no room for the signed document, no PIN is asked; what was reserved is given back.
func TestNoRoom(t *testing.T) {
	t.Parallel()
	c := testcards.New(testcards.Citizen18)
	b := newBench(t, askingPolicy, c)
	content := bytes.Repeat([]byte("word "), 100_000)
	call := b.signCall("a.txt", content, m{"format": "asice"})
	sent := b.store.Used()
	filler := b.store.Shelf()
	if _, err := filler.Create("filler", "", benchQuota-sent-overhead); err != nil {
		t.Fatal(err)
	}
	if _, err := b.doCall(t.Context(), call, "sign.document"); protocol.CodeOf(err) != protocol.TooLarge {
		t.Errorf("got %v", err)
	}
	if has(c, insVerify) || has(c, insSign) || strings.Contains(b.person.heard(t), "GETPIN") {
		t.Error("a PIN was asked in vain")
	}
	if n := b.store.Used(); n != benchQuota-overhead {
		t.Errorf("%d bytes are taken", n)
	}
	filler.Close()
	got, err := b.doCall(t.Context(), call, "sign.document")
	if err != nil {
		t.Fatal(err)
	}
	if n := b.store.Used(); n != sent+int64(got["size"].(float64)) {
		t.Errorf("%d bytes are taken for %d and %v", n, sent, got["size"])
	}
}

// TestTwoSignaturesAtOnce: the same document signed twice at the same time is the same document twice.
func TestTwoSignaturesAtOnce(t *testing.T) {
	t.Parallel()
	c := testcards.New(testcards.Citizen18)
	b := newBench(t, askingPolicy, c)
	b.person.Desk = desk.New(desk.Options{AutoPIN: func(beid.Purpose) (card.PIN, error) { return card.NewPIN([]byte(testcards.PIN)) }})
	call := b.signCall("order.xml", []byte(`<?xml version="1.0"?><order n="1"/>`), m{"format": "xades"})
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			got, err := b.doCall(t.Context(), call, "sign.document")
			if protocol.CodeOf(err) == protocol.CardBusy && err != nil {
				return // on a slow machine
			}
			if err != nil {
				t.Error(err)
				return
			}
			if signed := b.signed(call, got); !bytes.Contains(signed, []byte(`<order n="1">`)) || bytes.Count(signed, []byte("<ds:SignatureValue")) != 1 {
				t.Errorf("%s", signed)
			}
		})
	}
	all.Wait()
	if c.PINTries() != 3 {
		t.Errorf("%d tries", c.PINTries())
	}
}

// TestSameDocumentTwice: a request that names a document twice, or two of one name, is refused before the PIN.
func TestSameDocumentTwice(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"asice", "xades"} {
		c := testcards.New(testcards.Citizen18)
		b := newBench(t, askingPolicy, c)
		call := b.call(b.site(siteOrigin), nil)
		first, second := document(t, call, "a.txt", []byte("one")).ID(), document(t, call, "a.txt", []byte("two")).ID()
		for _, ids := range [][]any{{first, first}, {first, second}} {
			call.Params = b.call(call.Client, m{"documentIds": ids, "format": format, "level": "b"}).Params
			if _, err := b.doCall(t.Context(), call, "sign.document"); protocol.CodeOf(err) != protocol.InvalidArgument || has(c, insVerify) {
				t.Errorf("%s: %v", format, err)
			}
		}
	}
}

// TestCauseIsPrivate is the same for what the insurers' network did not answer.
func TestCauseIsPrivate(t *testing.T) {
	t.Parallel()
	b := newBench(t, askingPolicy, testcards.New(testcards.Citizen18))
	b.insurer.with = func(q assurability.Question) *assurability.Answer {
		day := assurability.Today(time.Now())
		return &assurability.Answer{Status: assurability.Unavailable, Service: assurability.GenIns, From: day, Until: day, Time: time.Now(),
			Person: assurability.Person{NISS: q.Patient.NISS}, References: assurability.References{Input: "20260101000000"},
			Cause: errors.New("proxyconnect tcp 10.1.2.3:3128: refused")}
	}
	for _, c := range []access.Client{b.site(siteOrigin), b.page()} {
		got := b.must(c, "insurability.read", m{})
		if _, told := got["cause"]; told == remote(c) || got["status"] != string(assurability.Unavailable) {
			t.Errorf("%s: %v, %v", c, got["status"], got["cause"])
		}
	}
}
