//go:build unix

package service

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eidkit/eidkit/agent/access"
	"github.com/eidkit/eidkit/agent/desk"
	"github.com/eidkit/eidkit/agent/protocol"
	"github.com/eidkit/eidkit/testcards"
	testsis "github.com/eidkit/eidkit/testcards/sis"
	"github.com/eidkit/eidkit/verify/assurability"
)

func TestInsurabilityOfTheCard(t *testing.T) {
	t.Parallel()
	c := testcards.New(testcards.Citizen18)
	b := newBench(t, askingPolicy, c)
	got := b.must(b.site(siteOrigin), "insurability.read", m{"purpose": "delivery", "date": "2026-11-20", "contact": "day", "service": "genins"})
	q := b.insurer.asked[0]
	if got["status"] != "INSURED" || got["card"].(m)["kind"] != "eid" || got["card"].(m)["authentic"] != true || got["test"] != true {
		t.Errorf("%v", got)
	}
	if r := q.Reading; r.Mode != "chip" || r.Document != "eID" || r.Number == "" || q.Patient.NISS == "" || q.User != "user" ||
		q.From.String() != "2026-11-20" || q.Contact != assurability.DayHospital {
		t.Errorf("%+v", q)
	}
	if len(got["differences"].([]any)) == 0 { // the card's surname is another than that of the answer
		t.Error("card and network were not held against each other")
	}
	for _, e := range c.Exchanges() {
		if h := e.Command; len(h) > 6 && h[1] == 0xA4 && h[len(h)-2] == 0x40 && (h[len(h)-1] == 0x33 || h[len(h)-1] == 0x35) {
			t.Errorf("address or photo was selected: %X", h)
		}
	}
	b.logHas("insurability", "insurability.read")
}

// TestUnavailableIsNoNo: that nobody answers is an answer, and never "not insured".
func TestUnavailableIsNoNo(t *testing.T) {
	t.Parallel()
	b := newBench(t, askingPolicy, testcards.New(testcards.Citizen18))
	b.insurer.with = func(q assurability.Question) *assurability.Answer {
		return &assurability.Answer{Status: assurability.Unavailable, Service: assurability.GenIns, From: assurability.Today(time.Now()),
			Until: assurability.Today(time.Now()), Time: time.Now(), Cause: errors.New("no route"), References: assurability.References{Input: "20260101000000"}}
	}
	got := b.must(b.page(), "insurability.read", m{})
	if got["status"] != "UNAVAILABLE" || got["cause"] != "no route" {
		t.Errorf("%v", got)
	}
	b.insurer.err = assurability.ErrSession
	b.refused(b.page(), "insurability.read", m{}, protocol.ServiceFault)
}

func TestInsurabilityOfSIS(t *testing.T) {
	t.Parallel()
	sis, err := testsis.Open("sis-ordinary", testsis.PCSC)
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t, askingPolicy, sis)
	got := b.must(b.site(siteOrigin), "insurability.read", m{})
	card := got["card"].(m)
	if card["kind"] != "sis" || card["authentic"] != false || card["insurance"] != "closed" || b.insurer.asked[0].Reading.Document != "SIS" {
		t.Errorf("%v", got)
	}
	b.refused(b.site(siteOrigin), "identity.read", m{"fields": []string{"surname"}}, protocol.CardUnsupported)
}

// TestInsurabilityByNumber: for programs that the policy names, at their rate, and for nobody else.
func TestInsurabilityByNumber(t *testing.T) {
	t.Parallel()
	c := testcards.New(testcards.Citizen18)
	b := newBench(t, namedPolicy, c)
	number := func(more m) m {
		p := m{"niss": "71050120431", "reading": m{"mode": "barcode", "documentType": "ISI+"}}
		for k, v := range more {
			p[k] = v
		}
		return p
	}
	named := b.program("pharmacy", access.OpInsurability)
	other := b.program("till", access.OpInsurability)
	for name, params := range map[string]m{"no reading": {"niss": "71050120431"}, "no number": number(m{"niss": "71050120432"}),
		"both": number(m{"cardId": "x"}), "no reason": number(m{"reading": m{"mode": "manual"}}), "chip": number(m{"reading": m{"mode": "chip"}}),
		"a reading of a card": {"reading": m{"mode": "barcode"}}, "day": {"date": "20.11.2026"}, "contact": {"contact": "x"}, "service": {"service": "x"},
		"lines": number(m{"reading": m{"mode": "manual", "reason": "a\nb"}})} {
		if _, err := b.Methods()["insurability.read"](t.Context(), b.call(named, params)); protocol.CodeOf(err) != protocol.InvalidArgument {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, client := range []access.Client{b.site("https://named.example"), b.site(siteOrigin), b.page(), other} {
		b.refused(client, "insurability.read", number(nil), protocol.NotAuthorised)
	}
	if len(b.insurer.asked) != 0 {
		t.Fatalf("asked for strangers: %v", b.insurer.asked)
	}
	got := b.must(named, "insurability.read", number(m{"reading": m{"mode": "manual", "reason": "the chip does not answer"}}))
	if got["asked"].(m)["nationalNumber"] != "71050120431" || got["card"] != nil {
		t.Errorf("%v", got)
	}
	b.must(named, "insurability.read", number(nil))
	b.refused(named, "insurability.read", number(nil), protocol.RateLimited)
	if n := len(b.insurer.asked); n != 2 {
		t.Errorf("%d questions were asked", n)
	}
	untouched(t, c)
}

func TestInsurabilityRefused(t *testing.T) {
	t.Parallel()
	c := testcards.New(testcards.Citizen18)
	b := newBench(t, askingPolicy, c)
	b.person.consent = func(desk.Consent) (desk.Answer, error) { return desk.Answer{}, nil }
	b.refused(b.site(siteOrigin), "insurability.read", m{}, protocol.ConsentDenied)
	b.o.Insurance = nil
	b.refused(b.page(), "insurability.read", m{}, protocol.ServiceFault)
	untouched(t, c)
	if len(b.insurer.asked) != 0 {
		t.Error("the network was asked")
	}
}

// TestInsurabilityOfAForgery: nobody is asked about the holder of a card that fails its checks.
func TestInsurabilityOfAForgery(t *testing.T) {
	t.Parallel()
	c := testcards.New(testcards.Citizen18)
	file := c.File(0x4031)
	file[strings.Index(string(file), "Specimen")] ^= 1
	c.SetFile(0x4031, file)
	b := newBench(t, askingPolicy, c)
	b.refused(b.page(), "insurability.read", m{}, protocol.ReaderError)
	if len(b.insurer.asked) != 0 {
		t.Error("the network was asked")
	}
}

func TestReadersList(t *testing.T) {
	t.Parallel()
	c := testcards.New(testcards.Citizen18)
	b := newBench(t, `
[[site]]
origin = "https://named.example"
operations = ["readers"]
readers = ["patient"]
`, c)
	b.insert("Patient reader", testcards.New(testcards.Citizen17))
	b.cardID("Patient reader")
	names := func(got m) (list []string) {
		for _, r := range got["readers"].([]any) {
			list = append(list, r.(m)["name"].(string))
		}
		return list
	}
	if got := names(b.must(b.page(), "readers.list", m{})); !slices.Equal(got, []string{"Reader 1", "Patient reader"}) {
		t.Errorf("%v", got)
	}
	if got := names(b.must(b.site("https://named.example"), "readers.list", m{})); !slices.Equal(got, []string{"Patient reader"}) {
		t.Errorf("beyond the rule: %v", got)
	}
	if len(b.person.asked()) != 0 {
		t.Error("the user was asked")
	}
	if got := names(b.must(b.site(siteOrigin), "readers.list", m{})); len(got) != 2 || len(b.person.asked()) != 1 {
		t.Errorf("%v, asked %v", got, b.person.asked())
	}
	b.person.consent = func(desk.Consent) (desk.Answer, error) { return desk.Answer{}, nil }
	b.refused(b.site(siteOrigin), "readers.list", m{}, protocol.ConsentDenied)
	untouched(t, c)
}

// TestEvents: of readers that a client may know of, once it was allowed to.
func TestEvents(t *testing.T) {
	t.Parallel()
	c := testcards.New(testcards.Citizen18)
	b := newBench(t, `
[[site]]
origin = "https://named.example"
operations = ["readers"]
readers = ["patient"]
`)
	type heard struct{ who, method, params string }
	events := make(chan heard, 100)
	listen := func(who, origin string, list bool) {
		client := b.site(origin)
		client.Session = who
		cancel := b.Subscribe(client, func(method string, params any) {
			b.notify(method, params)
			raw, err := json.Marshal(params)
			if err != nil {
				t.Error(err)
			}
			events <- heard{who, method, string(raw)}
		})
		t.Cleanup(cancel)
		if list {
			b.must(client, "readers.list", m{})
		}
	}
	listen("named", "https://named.example", true)
	listen("asked", siteOrigin, true)
	listen("stranger", "https://other.example", false)
	// until waits for an event of a client; what else comes is kept.
	var got []heard
	until := func(who, method, reader string) {
		t.Helper()
		for !slices.ContainsFunc(got, func(h heard) bool { return h.who == who && h.method == method && strings.Contains(h.params, reader) }) {
			got = append(got, <-events)
		}
	}
	r := b.insert("Reader 1", c)
	until("asked", "reader.added", "Reader 1")
	until("asked", "card.inserted", `"cardId"`)
	p := b.insert("Patient reader", testcards.New(testcards.Citizen17))
	until("named", "card.inserted", "patient")
	until("asked", "card.inserted", "patient")
	r.Remove()
	until("asked", "card.removed", "Reader 1")
	b.system.RemoveReader(p)
	until("named", "reader.removed", "Patient reader")
	for _, h := range got {
		if h.who == "stranger" || h.who == "named" && strings.Contains(h.params, "Reader 1") {
			t.Errorf("%s heard %s %s", h.who, h.method, h.params)
		}
	}
	untouched(t, c)
}
