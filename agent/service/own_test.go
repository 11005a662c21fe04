//go:build unix

package service

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/eidkit/eidkit/agent/access"
	"github.com/eidkit/eidkit/agent/audit"
	"github.com/eidkit/eidkit/agent/desk"
	"github.com/eidkit/eidkit/agent/protocol"
	"github.com/eidkit/eidkit/testcards"
	"github.com/eidkit/eidkit/verify/assurability"
)

// logHas looks for a result of a method in the audit log that has a text.
func (b *bench) logHas(text, method string) {
	b.t.Helper()
	lines, err := audit.Read(b.auditDir, audit.Filter{})
	if err != nil {
		b.t.Fatal(err)
	}
	raw, err := json.Marshal(lines)
	if err != nil {
		b.t.Fatal(err)
	}
	if !bytes.Contains(raw, []byte(text)) || !bytes.Contains(raw, []byte(`"method":"`+method+`"`)) {
		b.t.Errorf("the audit log has nothing of %s with %s:\n%s", method, text, raw)
	}
}

func TestOwnPagesOnly(t *testing.T) {
	t.Parallel()
	c := testcards.New(testcards.Citizen18)
	b := newBench(t, askingPolicy, c)
	id := strings.Repeat("0", 32)
	for method, params := range map[string]m{"log.read": {}, "grants.list": {}, "grants.revoke": {"id": "x"}, "pairings.list": {}, "pairings.revoke": {"id": "x"},
		"card.export": {"format": "eid"}, "card.load": {"documentId": id}, "certificates.read": {}} {
		b.refused(b.site(siteOrigin), method, params, protocol.NotAuthorised)
		b.refused(b.program("till", access.OpIdentity), method, params, protocol.NotAuthorised)
	}
	if len(b.person.asked()) != 0 {
		t.Error("the user was asked")
	}
	untouched(t, c)
	closed := newBench(t, "launch = false\n")
	closed.refused(closed.page(), "log.read", m{}, protocol.NotAuthorised)
}

func TestLogRead(t *testing.T) {
	t.Parallel()
	c := testcards.New(testcards.Citizen18)
	b := newBench(t, askingPolicy, c)
	got := b.must(b.site(siteOrigin), "identity.read", m{"fields": []string{"surname", "nationalNumber"}, "purpose": "the reason"})
	number := got["identity"].(m)["nationalNumber"].(string)
	lines := b.must(b.page(), "log.read", m{"limit": 10})["lines"].([]any)
	if len(lines) < 2 {
		t.Fatalf("%d lines", len(lines))
	}
	text := fmt.Sprint(lines)
	if !strings.Contains(text, "the reason") || !strings.Contains(text, siteOrigin) || strings.Contains(text, number) {
		t.Errorf("%s", text)
	}
	b.refused(b.page(), "log.read", m{"limit": 501}, protocol.InvalidArgument)
	b.refused(b.page(), "log.read", m{"limit": -1}, protocol.InvalidArgument)
}

func TestGrants(t *testing.T) {
	t.Parallel()
	c := testcards.New(testcards.Citizen18)
	b := newBench(t, askingPolicy, c)
	b.person.consent = func(q desk.Consent) (desk.Answer, error) {
		return desk.Answer{Allowed: true, Always: q.MayRemember}, nil
	}
	read := m{"fields": []string{"surname"}, "purpose": "a test"}
	b.must(b.site(siteOrigin), "identity.read", read)
	b.must(b.site(siteOrigin), "identity.read", read)
	if n := len(b.person.asked()); n != 1 {
		t.Errorf("asked %d times", n)
	}
	grants := b.must(b.page(), "grants.list", m{})["grants"].([]any)
	if len(grants) != 1 || grants[0].(m)["client"] != siteOrigin {
		t.Fatalf("%v", grants)
	}
	b.must(b.page(), "grants.revoke", m{"id": grants[0].(m)["id"]})
	b.refused(b.page(), "grants.revoke", m{"id": grants[0].(m)["id"]}, protocol.InvalidArgument)
	b.must(b.site(siteOrigin), "identity.read", read)
	if n := len(b.person.asked()); n != 2 {
		t.Errorf("asked %d times after the grant was withdrawn", n)
	}
}

func TestPairing(t *testing.T) {
	t.Parallel()
	b := newBench(t, askingPolicy)
	stranger := access.Client{Kind: access.Program, Executable: "/usr/bin/till", User: "user", Session: "unix"}
	for name, params := range map[string]m{"no name": {"operations": []string{"identity"}}, "nothing": {"name": "till", "operations": []string{}},
		"login": {"name": "till", "operations": []string{"login"}}, "twice": {"name": "till", "operations": []string{"identity", "identity"}},
		"a long name": {"name": strings.Repeat("x", 65), "operations": []string{"identity"}}, "lines": {"name": "a\nb", "operations": []string{"identity"}}} {
		if _, err := b.Methods()["pair.request"](t.Context(), b.call(stranger, params)); protocol.CodeOf(err) != protocol.InvalidArgument {
			t.Errorf("%s: %v", name, err)
		}
	}
	params := m{"name": "till", "operations": []string{"identity", "readers"}}
	b.person.consent = func(desk.Consent) (desk.Answer, error) { return desk.Answer{}, nil }
	b.refused(stranger, "pair.request", params, protocol.ConsentDenied)
	b.refused(b.site(siteOrigin), "pair.request", params, protocol.NotAuthorised)
	b.person.consent = nil
	got := b.must(stranger, "pair.request", params)
	if q := b.person.asked()[1]; q.Operation != access.OpPair || q.Client.Executable != "/usr/bin/till" || !slices.Equal(q.Fields, []string{"identity", "readers"}) {
		t.Errorf("%+v", q)
	}
	if p, ok := b.auth.Paired(got["token"].(string)); !ok || p.ID != got["id"] {
		t.Errorf("%v is no pairing", got)
	}
	list := b.must(b.page(), "pairings.list", m{})["pairings"].([]any)
	if len(list) != 1 || strings.Contains(fmt.Sprint(list), got["token"].(string)) {
		t.Errorf("%v", list)
	}
	b.must(b.page(), "pairings.revoke", m{"id": got["id"]})
	if _, ok := b.auth.Paired(got["token"].(string)); ok {
		t.Error("the token is still good")
	}
	b.refused(b.page(), "pairings.revoke", m{"id": got["id"]}, protocol.InvalidArgument)
}

func TestExportAndLoad(t *testing.T) {
	t.Parallel()
	c := testcards.New(testcards.Citizen18)
	b := newBench(t, askingPolicy, c)
	for _, format := range []string{"eid", "json"} {
		call := b.call(b.page(), m{"format": format})
		got, err := b.doCall(t.Context(), call, "card.export")
		if err != nil {
			t.Fatal(err)
		}
		load := *call
		load.Params = b.call(b.page(), m{"documentId": got["documentId"]}).Params
		loaded, err := b.doCall(t.Context(), &load, "card.load")
		if err != nil {
			t.Fatal(err)
		}
		if loaded["reading"].(m)["mode"] != "file" || loaded["identity"].(m)["surname"] == "" || len(loaded["certificates"].([]any)) < 3 {
			t.Errorf("%s: %v", format, loaded)
		}
		if loaded["reading"].(m)["authenticated"] == true {
			t.Errorf("%s: a file calls itself authenticated", format)
		}
		if signed := loaded["verified"].(m)["identity"].(m)["status"] == "held"; signed != (format == "json") {
			t.Errorf("%s: %v", format, loaded["verified"])
		}
	}
	b.refused(b.page(), "card.export", m{"format": "csv"}, protocol.InvalidArgument)
	call := b.call(b.page(), nil)
	call.Params = b.call(b.page(), m{"documentId": document(t, call, "a.eid", []byte("nothing")).ID()}).Params
	if _, err := b.Methods()["card.load"](t.Context(), call); protocol.CodeOf(err) != protocol.InvalidArgument {
		t.Errorf("%v", err)
	}
	call.Params = b.call(b.page(), m{"documentId": document(t, call, "a.eid", make([]byte, 2<<20)).ID()}).Params
	if _, err := b.Methods()["card.load"](t.Context(), call); protocol.CodeOf(err) != protocol.TooLarge {
		t.Errorf("%v", err)
	}
}

func TestCertificates(t *testing.T) {
	t.Parallel()
	c := testcards.New(testcards.Citizen18)
	b := newBench(t, askingPolicy, c)
	b.o.Verifier.Proxy = "http://127.0.0.1:1" // nothing is there: the services are not to be had
	list := b.must(b.page(), "certificates.read", m{})["certificates"].([]any)
	if len(list) != 5 || list[0].(m)["name"] != "authentication" || list[0].(m)["status"] != "INDETERMINATE" {
		t.Errorf("%v", list)
	}
	for _, e := range c.Exchanges() {
		if h := e.Command; len(h) > 6 && h[1] == 0xA4 && slices.Contains([]byte{0x31, 0x33, 0x35}, h[len(h)-1]) && h[len(h)-2] == 0x40 {
			t.Errorf("more than certificates was selected: %X", h)
		}
	}
}

func TestVerifyRefused(t *testing.T) {
	t.Parallel()
	b := newBench(t, askingPolicy)
	call := b.call(b.site(siteOrigin), nil)
	d := document(t, call, "a.txt", []byte("nothing signed"))
	v := b.verify(call, d.ID())["report"].(m)
	if v["error"] == nil || v["file"] != "a.txt" {
		t.Errorf("%v", v)
	}
	b.refused(b.site(siteOrigin), "verify.document", m{"documentId": d.ID()}, protocol.InvalidArgument) // another connection's
	b.refused(b.site(siteOrigin), "verify.document", m{}, protocol.InvalidArgument)
	b.person.consent = func(desk.Consent) (desk.Answer, error) { return desk.Answer{}, nil }
	call.Client = b.site("https://other.example")
	call.Params = b.call(call.Client, m{"documentId": d.ID(), "at": "2026-01-01T00:00:00Z"}).Params
	if _, err := b.Methods()["verify.document"](t.Context(), call); protocol.CodeOf(err) != protocol.ConsentDenied {
		t.Errorf("%v", err)
	}
}

// TestChoiceFlood: who is told no twice when cards are to be chosen, asks no more.
func TestChoiceFlood(t *testing.T) {
	t.Parallel()
	one, two := testcards.New(testcards.Citizen17), testcards.New(testcards.Citizen18)
	b := newBench(t, askingPolicy, one, two)
	b.person.choose = func(desk.Choice) (int, error) { return 0, desk.ErrCancelled }
	for range 2 {
		b.refused(b.site(siteOrigin), "pin.status", m{}, protocol.ConsentDenied)
	}
	b.person.choose = func(desk.Choice) (int, error) { t.Error("asked again"); return 0, nil }
	b.refused(b.site(siteOrigin), "pin.status", m{}, protocol.NotAuthorised)
	untouched(t, one, two)
}

// TestPanic: what falls over in the middle is in the log, and the card is free for the next one.
func TestPanic(t *testing.T) {
	t.Parallel()
	b := newBench(t, askingPolicy, testcards.New(testcards.Citizen18))
	b.insurer.with = func(assurability.Question) *assurability.Answer { panic("out of order") }
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed")
			}
		}()
		_, _ = b.Methods()["insurability.read"](t.Context(), b.call(b.page(), m{}))
	}()
	b.logHas("INTERNAL", "insurability.read")
	b.insurer.with = nil
	b.must(b.page(), "insurability.read", m{})
}
