//go:build unix

package service

import (
	"context"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/eidkit/eidkit/agent/access"
	"github.com/eidkit/eidkit/agent/desk"
	"github.com/eidkit/eidkit/agent/protocol"
	"github.com/eidkit/eidkit/testcards"
)

func TestIdentityRead(t *testing.T) {
	t.Parallel()
	for _, profile := range []testcards.Profile{testcards.Citizen11, testcards.Citizen17, testcards.Citizen18, testcards.Foreigner18} {
		t.Run(profile.Name, func(t *testing.T) {
			t.Parallel()
			c := testcards.New(profile)
			b := newBench(t, askingPolicy, c)
			got := b.must(b.site(siteOrigin), "identity.read", m{"fields": []string{"surname", "nationalNumber", "cardNumber"}, "purpose": "a test"})
			if keys(got["identity"]) == nil || !slices.Equal(keys(got["identity"]), []string{"nationalNumber", "surname"}) ||
				!slices.Equal(keys(got["card"]), []string{"cardNumber"}) || got["address"] != nil || got["photo"] != nil {
				t.Errorf("more or less than asked: %v", got)
			}
			reading := got["reading"].(m)
			if got["trusted"] != true || got["cardId"] != b.cardID("Reader 1") || got["testCard"] != true || reading["mode"] != "chip" ||
				reading["cardNumber"] != got["card"].(m)["cardNumber"] {
				t.Errorf("%v", got)
			}
			if v := got["verified"].(m); v["identity"].(m)["status"] != "held" || v["chain"].(m)["status"] != "held" || v["address"].(m)["status"] != "notChecked" {
				t.Errorf("verified: %v", v)
			}
			if reading["authenticated"] != (profile.Applet == "1.8") {
				t.Errorf("authenticated: %v", reading)
			}
			for _, e := range c.Exchanges() {
				if h := e.Command; len(h) > 6 && h[1] == 0xA4 && slices.Contains([]byte{0x33, 0x34, 0x35, 0x38, 0x39}, h[len(h)-1]) {
					t.Errorf("a file that nobody asked for was selected: %X", h)
				}
			}
			asked := b.person.asked()
			if len(asked) != 1 || asked[0].Insertion != got["cardId"] || asked[0].Card != "eID" || asked[0].Purpose != "a test" ||
				!slices.Equal(asked[0].Fields, []string{"surname", "nationalNumber", "cardNumber"}) {
				t.Errorf("asked: %+v", asked)
			}
			if w := b.waits(); !slices.Equal(w, []string{"consent"}) {
				t.Errorf("waited for %v", w)
			}
		})
	}
}

func TestIdentityReadAll(t *testing.T) {
	t.Parallel()
	c := testcards.New(testcards.Citizen18)
	b := newBench(t, askingPolicy, c)
	params := m{"fields": access.IdentityFields(), "photo": true, "purpose": "", "cardId": b.cardID("Reader 1")}
	got := b.must(b.page(), "identity.read", params)
	photo, err := base64.StdEncoding.DecodeString(got["photo"].(string))
	if err != nil || !strings.HasPrefix(string(photo), "\xff\xd8") || got["address"].(m)["municipality"] == "" || got["reading"].(m)["authenticated"] != true {
		t.Errorf("%v", got)
	}
	if v := got["verified"].(m); v["photo"].(m)["status"] != "held" || v["address"].(m)["status"] != "held" || v["chipKey"].(m)["status"] != "held" {
		t.Errorf("verified: %v", v)
	}
	c.ClearStats()
	again := b.must(b.page(), "identity.read", params)
	if n := c.Stats().Commands; n > 10 || has(c, 0x88) {
		t.Errorf("reading it again took %d commands, a further challenge: %v", n, has(c, 0x88))
	}
	if again["photo"] != got["photo"] || len(b.person.asked()) != 0 {
		t.Errorf("asked %v", b.person.asked())
	}
}

// TestIdentityRefused: whoever may not, gets no command to the card.
func TestIdentityRefused(t *testing.T) {
	t.Parallel()
	c := testcards.New(testcards.Citizen18)
	b := newBench(t, namedPolicy, c)
	site := b.site("https://named.example")
	read := func(fields ...string) m { return m{"fields": fields, "purpose": ""} }

	for name, params := range map[string]m{"nothing": {"fields": []string{}}, "no such field": read("pin"), "twice": read("surname", "surname"),
		"unknown member": {"fields": []string{"surname"}, "origin": siteOrigin}, "a long purpose": {"fields": []string{"surname"}, "purpose": strings.Repeat("x", 401)},
		"control characters": {"fields": []string{"surname"}, "purpose": "a\nb"}} {
		_, err := b.Methods()["identity.read"](t.Context(), b.call(site, params))
		if protocol.CodeOf(err) != protocol.InvalidArgument {
			t.Errorf("%s: %v", name, err)
		}
	}
	b.person.consent = func(c desk.Consent) (desk.Answer, error) { return desk.Answer{}, nil }
	b.refused(site, "identity.read", read("surname", "address"), protocol.NotAuthorised) // beyond the rule
	b.refused(b.site(siteOrigin), "identity.read", read("surname"), protocol.ConsentDenied)
	b.refused(b.site(siteOrigin), "identity.read", read("surname"), protocol.ConsentDenied)
	before := len(b.person.asked())
	b.refused(b.site(siteOrigin), "identity.read", read("surname"), protocol.NotAuthorised) // muted
	if len(b.person.asked()) != before {
		t.Error("a muted site was asked for")
	}
	b.person.consent = func(desk.Consent) (desk.Answer, error) { return desk.Answer{}, desk.ErrUnavailable }
	b.refused(b.site("https://other.example"), "identity.read", read("surname"), protocol.NotAuthorised)
	b.person.consent = func(desk.Consent) (desk.Answer, error) { return desk.Answer{}, desk.ErrTimeout }
	b.refused(b.site("https://other.example"), "identity.read", read("surname"), protocol.ConsentDenied)
	untouched(t, c)
}

// TestConsentIsForOneInsertion: a card that was put in the place of the one that the user was asked about is not read.
func TestConsentIsForOneInsertion(t *testing.T) {
	t.Parallel()
	first, second := testcards.New(testcards.Citizen18), testcards.New(testcards.Citizen18, testcards.Options{Seed: 2})
	b := newBench(t, askingPolicy, first)
	r, err := b.system.Reader("Reader 1")
	if err != nil {
		t.Fatal(err)
	}
	id := b.cardID("Reader 1")
	b.person.consent = func(desk.Consent) (desk.Answer, error) {
		r.Remove()
		b.gone(id)
		r.Insert(second)
		return desk.Answer{Allowed: true}, nil
	}
	b.refused(b.site(siteOrigin), "identity.read", m{"fields": []string{"surname"}}, protocol.CardRemoved)
	b.refused(b.site(siteOrigin), "identity.read", m{"fields": []string{"surname"}, "cardId": id}, protocol.CardRemoved)
	untouched(t, first, second)
}

// TestAnotherCardInNoTime: as before, but so fast that nobody has noticed when the card is opened.
func TestAnotherCardInNoTime(t *testing.T) {
	t.Parallel()
	first, second := testcards.New(testcards.Citizen18), testcards.New(testcards.Citizen18, testcards.Options{Seed: 2})
	b := newBench(t, askingPolicy, first)
	r, err := b.system.Reader("Reader 1")
	if err != nil {
		t.Fatal(err)
	}
	b.person.consent = func(desk.Consent) (desk.Answer, error) {
		r.Insert(second)
		return desk.Answer{Allowed: true}, nil
	}
	b.refused(b.site(siteOrigin), "identity.read", m{"fields": []string{"surname"}}, protocol.CardRemoved)
	untouched(t, first)
	for _, e := range second.Exchanges() {
		if e.Command[1] == 0xB0 {
			t.Errorf("a file of the other card was read: %X", e.Command)
		}
	}
}

func TestReadersEmptyOrNone(t *testing.T) {
	t.Parallel()
	b := newBench(t, askingPolicy)
	b.refused(b.site(siteOrigin), "identity.read", m{"fields": []string{"surname"}}, protocol.NoReader)
	b.system.AddReader(testcards.NewReader("Empty", testcards.ReaderOptions{}))
	waitFor(b, func() bool { return len(b.o.Hub.Readers()) == 1 })
	b.refused(b.site(siteOrigin), "identity.read", m{"fields": []string{"surname"}}, protocol.NoCard)
	b.refused(b.page(), "identity.read", m{"fields": []string{"surname"}, "cardId": "gone"}, protocol.CardRemoved)
	if len(b.person.asked()) != 0 {
		t.Errorf("asked about nothing: %v", b.person.asked())
	}
}

// TestStrangersLearnNothing: whom the policy refuses is not told what is in the readers.
func TestStrangersLearnNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t, "unknown_origins = \"refuse\"\n"+namedPolicy)
	b.refused(b.site(siteOrigin), "identity.read", m{"fields": []string{"surname"}}, protocol.OriginRefused)
	b.refused(b.program("till", access.OpReaders), "identity.read", m{"fields": []string{"surname"}}, protocol.NotAuthorised)
}

func TestSeveralCards(t *testing.T) {
	t.Parallel()
	one, two := testcards.New(testcards.Citizen17), testcards.New(testcards.Citizen18)
	b := newBench(t, askingPolicy, one, two)
	b.person.choose = func(c desk.Choice) (int, error) {
		return slices.IndexFunc(c.Options, func(o desk.Option) bool { return o.Reader == "Reader 2" && o.Card == "eID" }), nil
	}
	got := b.must(b.site(siteOrigin), "identity.read", m{"fields": []string{"surname"}})
	if got["cardId"] != b.cardID("Reader 2") || !slices.Equal(b.waits(), []string{"choice", "consent"}) {
		t.Errorf("%v, waited for %v", got, b.waits())
	}
	untouched(t, one)

	b.person.choose = func(desk.Choice) (int, error) { return 0, desk.ErrCancelled }
	b.refused(b.site(siteOrigin), "identity.read", m{"fields": []string{"surname"}}, protocol.ConsentDenied)
	b.person.choose = func(desk.Choice) (int, error) { return 0, desk.ErrUnavailable }
	b.refused(b.site(siteOrigin), "identity.read", m{"fields": []string{"surname"}}, protocol.NotAuthorised)
	b.person.choose = func(desk.Choice) (int, error) { return 7, nil }
	b.refused(b.site(siteOrigin), "identity.read", m{"fields": []string{"surname"}}, protocol.ConsentDenied)
	untouched(t, one)

	// A reader with the role that fits is meant without a question.
	three := testcards.New(testcards.Citizen18, testcards.Options{Seed: 3})
	b.insert("Patient reader", three)
	id := b.cardID("Patient reader")
	b.person.choose = func(desk.Choice) (int, error) { t.Error("asked which card"); return 0, nil }
	if got := b.must(b.site(siteOrigin), "identity.read", m{"fields": []string{"surname"}}); got["cardId"] != id {
		t.Errorf("the card of %v was read", got["cardId"])
	}
	untouched(t, one)
}

// TestForged: data that fail their checks come with the verdict; nothing calls them trusted.
func TestForged(t *testing.T) {
	t.Parallel()
	c := testcards.New(testcards.Citizen18)
	file := c.File(0x4031)
	at := strings.Index(string(file), string(c.File(0x4031)[4:8]))
	file[at+2] ^= 1
	c.SetFile(0x4031, file)
	b := newBench(t, askingPolicy, c)
	got, err := b.do(b.page(), "identity.read", m{"fields": []string{"surname"}})
	if err == nil && (got["trusted"] == true || got["verified"].(m)["identity"].(m)["status"] != "failed") {
		t.Errorf("%v", got)
	}
	if err != nil && protocol.CodeOf(err) != protocol.ReaderError {
		t.Error(err)
	}
}

func TestCancelled(t *testing.T) {
	t.Parallel()
	c := testcards.New(testcards.Citizen18)
	b := newBench(t, askingPolicy, c)
	ctx, cancel := context.WithCancel(t.Context())
	b.person.consent = func(desk.Consent) (desk.Answer, error) {
		cancel()
		return desk.Answer{}, context.Canceled
	}
	if _, err := b.doCall(ctx, b.call(b.site(siteOrigin), m{"fields": []string{"surname"}}), "identity.read"); err == nil || errors.Is(err, nil) {
		t.Error("a cancelled request was answered")
	}
	untouched(t, c)
}

// waitFor waits for something that events of the hub bring about.
func waitFor(b *bench, happened func() bool) {
	b.t.Helper()
	changed := make(chan struct{}, 100)
	_, stop := b.o.Hub.Subscribe(func(cardsEvent) { changed <- struct{}{} })
	defer stop()
	for !happened() {
		<-changed
	}
}
