//go:build unix

package service

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/eidkit/eidkit/agent/access"
	"github.com/eidkit/eidkit/agent/audit"
	"github.com/eidkit/eidkit/agent/desk"
	"github.com/eidkit/eidkit/agent/protocol"
	"github.com/eidkit/eidkit/card"
	"github.com/eidkit/eidkit/testcards"
	"github.com/eidkit/eidkit/verify/assurability"
)

// opened is the simulated card of a profile by its name.
func opened(t *testing.T, name string) *testcards.Card {
	t.Helper()
	c, err := testcards.Open(name, testcards.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestNothingBesideTheFields: no warning says what a field says that nobody asked for.
func TestNothingBesideTheFields(t *testing.T) {
	t.Parallel()
	b := newBench(t, askingPolicy, opened(t, "expired-1.8"))
	until := b.must(b.page(), "identity.read", m{"fields": []string{"validUntil"}})["card"].(m)["validUntil"].(string)
	got := b.must(b.site(siteOrigin), "identity.read", m{"fields": []string{"surname"}})
	raw, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	if len(until) != len("2024-01-01") || strings.Contains(string(raw), until) || !strings.Contains(string(raw), "no longer valid") {
		t.Errorf("%s is in %s", until, raw)
	}
}

// TestSignedWordsAreShown: what a client has signed beside the document, its
// holder reads before he agrees, and again where the PIN is asked.
func TestSignedWordsAreShown(t *testing.T) {
	t.Parallel()
	b := newBench(t, askingPolicy, testcards.New(testcards.Citizen18))
	call := b.signCall("contract.pdf", onePage(""), m{"format": "pades", "reason": "I owe a million", "role": "Director", "location": "Ostend", "contact": "me@example", "certify": 2})
	if _, err := b.doCall(t.Context(), call, "sign.document"); err != nil {
		t.Fatal(err)
	}
	want := []desk.Statement{{Kind: desk.StatementReason, Text: "I owe a million"}, {Kind: desk.StatementRole, Text: "Director"},
		{Kind: desk.StatementLocation, Text: "Ostend"}, {Kind: desk.StatementContact, Text: "me@example"}, {Kind: desk.StatementCertify, Text: "2"}}
	if got := b.person.asked()[0].Statements; !slices.Equal(got, want) {
		t.Errorf("shown: %v", got)
	}
	for _, text := range []string{"I owe a million", "Director", "Ostend", "me@example", "certifies the document"} {
		if !strings.Contains(b.person.heard(t), text) {
			t.Errorf("the PIN dialog does not say %q", text)
		}
	}
}

// TestHolderIsPrivate: a site that has to wait for a card does not learn at which other site the user is.
func TestHolderIsPrivate(t *testing.T) {
	t.Parallel()
	b := newBench(t, askingPolicy)
	pad := b.insertWith("Pad", testcards.New(testcards.Citizen18), testcards.ReaderOptions{Pinpad: true})
	b.cardID("Pad")
	first, typing := make(chan error, 1), make(chan struct{})
	login := b.call(b.site("https://private.example"), m{"challengeNonce": nonce})
	login.Notify = func(method string, params any) {
		b.notify(method, params)
		if slices.Contains(b.waits(), "pinpad") {
			close(typing)
		}
	}
	go func() {
		_, err := b.Methods()["auth.login"](t.Context(), login)
		first <- err
	}()
	<-typing
	for _, who := range []access.Client{b.site(siteOrigin), b.page()} {
		ctx, cancel := context.WithCancel(t.Context())
		call := b.call(who, m{})
		var holder any
		call.Notify = func(method string, params any) {
			b.notify(method, params)
			raw, err := json.Marshal(params)
			var p m
			if err := errors.Join(err, json.Unmarshal(raw, &p)); err != nil {
				t.Error(err)
			}
			if p["for"] == "queue" {
				holder = p["holder"]
				cancel()
			}
		}
		_, err := b.Methods()["pin.status"](ctx, call)
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
		if told := holder == "https://private.example"; told != (who.Kind == access.Page) {
			t.Errorf("%s was told that %v has the card", who, holder)
		}
	}
	pad.Type(testcards.PIN)
	if err := <-first; err != nil {
		t.Error(err)
	}
}

// TestDiscreet is the same for the answer CARD_BUSY.
func TestDiscreet(t *testing.T) {
	t.Parallel()
	b := newBench(t, askingPolicy)
	site := b.site(siteOrigin)
	for holder, want := range map[string]string{"https://private.example": "", siteOrigin: siteOrigin, "": ""} {
		var got *protocol.Error
		if err := discreet(site, &protocol.Error{Code: protocol.CardBusy, Holder: holder}); !errors.As(err, &got) || got.Code != protocol.CardBusy || got.Holder != want {
			t.Errorf("%q: %v, %q", holder, err, got.Holder)
		}
		if err := discreet(b.page(), &protocol.Error{Code: protocol.CardBusy, Holder: holder}); !errors.As(err, &got) || got.Holder != holder {
			t.Errorf("%q: the own page is told %q", holder, got.Holder)
		}
	}
	if err := discreet(site, card.ErrMute); !errors.Is(err, card.ErrMute) || discreet(site, nil) != nil {
		t.Error(err)
	}
}

// results are the lines of what came of a method.
func (b *bench) results(operation access.Operation) (list []audit.Line) {
	b.t.Helper()
	lines, err := audit.Read(b.auditDir, audit.Filter{Limit: -1})
	if err != nil {
		b.t.Fatal(err)
	}
	for _, l := range lines {
		if l.Event == audit.EventResult && l.Operation == string(operation) {
			list = append(list, l)
		}
	}
	return list
}

// TestLogSaysWhoseCard: of logins and signatures the log has whose card it was, and of which documents.
func TestLogSaysWhoseCard(t *testing.T) {
	t.Parallel()
	c := testcards.New(testcards.Citizen18)
	b := newBench(t, askingPolicy, c)
	site := b.site(siteOrigin)
	b.must(site, "identity.read", m{"fields": []string{"surname"}})
	b.must(site, "auth.login", m{"challengeNonce": nonce})
	cert := b.must(site, "sign.certificate", m{})["certificate"].(string)
	b.must(site, "sign.hash", m{"hash": make([]byte, 32), "hashFunction": "SHA-256", "certificate": cert})
	call := b.call(site, m{})
	one, two := document(t, call, "a.txt", []byte("one")), document(t, call, "b.txt", []byte("two"))
	var err error
	call.Params, err = json.Marshal(m{"documentIds": []protocol.DocumentID{one.ID(), two.ID()}, "format": "asice", "level": "b", "purpose": ""})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.doCall(t.Context(), call, "sign.document"); err != nil {
		t.Fatal(err)
	}
	read := b.results(access.OpIdentity)[0].NationalNumber
	if read == nil || read.HMAC == "" {
		t.Fatal("no number in the log")
	}
	for _, op := range []access.Operation{access.OpLogin, access.OpCertificate, access.OpSignHash, access.OpSignDocument} {
		r := b.results(op)
		if len(r) != 1 || r[0].Result != "done" || r[0].NationalNumber == nil || r[0].NationalNumber.HMAC != read.HMAC {
			t.Errorf("%s: %+v", op, r)
		}
	}
	if r := b.results(access.OpSignDocument)[0]; r.Digest != one.SHA256() || !slices.Equal(r.FurtherDigests, []string{two.SHA256()}) {
		t.Errorf("of the documents: %s, %v", r.Digest, r.FurtherDigests)
	}
}

// TestSignHashExpired: nobody is asked for a PIN for a signature that counts nowhere.
func TestSignHashExpired(t *testing.T) {
	t.Parallel()
	c := opened(t, "expired-1.8")
	b := newBench(t, askingPolicy, c)
	site := b.site(siteOrigin)
	cert, err := base64.StdEncoding.DecodeString(b.must(site, "sign.certificate", m{})["certificate"].(string))
	if err != nil {
		t.Fatal(err)
	}
	b.refused(site, "sign.hash", m{"hash": make([]byte, 32), "hashFunction": "SHA-256", "certificate": cert}, protocol.CertificateExpired)
	if has(c, insVerify) || has(c, insSign) {
		t.Error("the PIN was asked for it")
	}
}

// TestNobodyAnswers: a question that nobody answers is no PIN that nobody typed.
func TestNobodyAnswers(t *testing.T) {
	t.Parallel()
	one, two := testcards.New(testcards.Citizen17), testcards.New(testcards.Citizen18)
	b := newBench(t, askingPolicy, one, two)
	b.person.choose = func(desk.Choice) (int, error) { return 0, desk.ErrTimeout }
	b.refused(b.site(siteOrigin), "pin.status", m{}, protocol.ConsentDenied)
	untouched(t, one, two)
	b.person.choose = nil
	b.person.consent = func(q desk.Consent) (desk.Answer, error) {
		if q.Placed {
			return desk.Answer{}, desk.ErrTimeout
		}
		return desk.Answer{Allowed: true}, nil
	}
	call := b.signCall("contract.pdf", onePage(""), m{"format": "pades", "visible": m{"page": 1, "rect": []float64{100, 100, 300, 160}}})
	if _, err := b.Methods()["sign.document"](t.Context(), call); protocol.CodeOf(err) != protocol.ConsentDenied {
		t.Errorf("%v", err)
	}
	if has(one, insVerify) {
		t.Error("a PIN was verified")
	}
}

// TestPanicByNumber: a question about a number that falls over is in the log as well.
func TestPanicByNumber(t *testing.T) {
	t.Parallel()
	b := newBench(t, namedPolicy)
	pharmacy := b.program("pharmacy", access.OpInsurability)
	b.insurer.with = func(assurability.Question) *assurability.Answer { panic("out of order") }
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed")
			}
		}()
		_, _ = b.Methods()["insurability.read"](t.Context(), b.call(pharmacy, m{"niss": "65021431166", "reading": m{"mode": "barcode"}}))
	}()
	if r := b.results(access.OpInsurability); len(r) != 1 || r[0].Result != string(protocol.Internal) {
		t.Errorf("%+v", r)
	}
}
