//go:build unix

package attacks

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eidkit/eidkit/agent/access"
	"github.com/eidkit/eidkit/agent/audit"
	"github.com/eidkit/eidkit/agent/protocol"
	"github.com/eidkit/eidkit/testcards"
)

// ask is a request about which the user is asked when a stranger makes it.
var ask = m{"fields": []string{"surname"}, "purpose": "p"}

// TestConsentFlood: a site that asks without end has one dialog on the screen,
// not one each, and a no answers what waits behind it. A site that the policy
// knows is served all the while.
func TestConsentFlood(t *testing.T) {
	t.Parallel()
	r := newRig(t, openPolicy)
	r.person.will(t, "confirm", "hold")
	const perPage, mayWait = 8, 5
	answers, many := make(chan error, 100), 0
	for range 3 {
		c := r.site(t, evil)
		for range perPage {
			many++
			go func() { answers <- c.Call(t.Context(), "identity.read", ask, nil) }()
		}
	}
	<-r.person.ups
	for range many - mayWait {
		if err := <-answers; protocol.CodeOf(err) != protocol.Busy && protocol.CodeOf(err) != protocol.RateLimited {
			t.Errorf("beyond what may wait: %v", err)
		}
	}
	untouched(t, r.card)
	r.site(t, desk1).must("identity.read", ask)
	r.card.ClearStats()
	r.person.says(t, "deny")
	for range mayWait {
		if err := <-answers; protocol.CodeOf(err) != protocol.ConsentDenied {
			t.Errorf("what waited: %v", err)
		}
	}
	if n := r.person.asked(t, "CONFIRM"); n != 1 {
		t.Errorf("%d dialogs were shown", n)
	}
	untouched(t, r.card)
	for _, l := range r.logged(t, evil) {
		if l.Result == "done" {
			t.Errorf("the log has %+v", l)
		}
	}
}

// clientOf is the client that the agent makes of a site's connection.
func (r *rig) clientOf(t *testing.T, origin string) access.Client {
	t.Helper()
	o, err := access.ParseOrigin(origin)
	if err != nil {
		t.Fatal(err)
	}
	return access.Client{Kind: access.Site, Origin: o}
}

// TestMuted: two denials, and the site is not heard for a while: not by new
// connections, and not by the one that it has.
func TestMuted(t *testing.T) {
	t.Parallel()
	r := newRig(t, openPolicy)
	r.person.will(t, "confirm", "deny")
	c := r.site(t, evil)
	for range 2 {
		c.refused("identity.read", ask, protocol.ConsentDenied)
	}
	r.person.will(t, "confirm", "allow")
	c.refused("identity.read", ask, protocol.NotAuthorised)
	c.refused("auth.login", m{"challengeNonce": strings.Repeat("N", 44)}, protocol.NotAuthorised)
	r.dialRefused(t, evil, 429)
	if n := r.person.asked(t, "CONFIRM"); n != 2 {
		t.Errorf("%d dialogs", n)
	}
	untouched(t, r.card)
	other := r.site(t, "https://other.example") // who has done nothing is heard
	other.must("identity.read", ask)
	r.wantLogged(t, "https://other.example", "identity", "done")
}

// TestQuestionsThatGoAway: a page that has a question shown and takes it back, so
// that a window comes up again and again, has a number of them and then no more.
// Nor does it fill the log with what it was refused.
func TestQuestionsThatGoAway(t *testing.T) {
	t.Parallel()
	r := newRig(t, openPolicy)
	r.person.will(t, "confirm", "hold")
	shown := 0
	for ; shown < 100; shown++ {
		page := r.site(t, evil)
		answered := make(chan error, 1)
		go func() { answered <- page.Call(t.Context(), "identity.read", ask, nil) }()
		select {
		case <-r.person.ups:
			page.Close()
			<-answered
			continue
		case err := <-answered:
			if protocol.CodeOf(err) != protocol.RateLimited {
				t.Errorf("got %v", err)
			}
		}
		break
	}
	if shown == 0 || shown > 25 { // one that is being closed does not count yet
		t.Errorf("%d windows came up", shown)
	}
	c := r.site(t, evil)
	for range 100 { // and whatever else it tries
		c.refused("identity.read", ask, protocol.RateLimited)
	}
	untouched(t, r.card)
	if n := len(r.logged(t, evil)); n > 2*25+4 {
		t.Errorf("%d lines of the log", n)
	}
	if !slices.ContainsFunc(r.logged(t, evil), func(l audit.Line) bool { return l.Result == string(protocol.RateLimited) }) {
		t.Error("the log does not say that there was more")
	}
	r.site(t, desk1).must("identity.read", ask)
}

// TestManyOrigins: a site has as many origins as it likes; all that nobody knows
// have one budget together, and the desk's site is served all the same.
func TestManyOrigins(t *testing.T) {
	t.Parallel()
	r := newRig(t, openPolicy)
	number := m{"niss": "85073003328", "purpose": "p", "reading": m{"mode": "manual", "reason": "lost"}}
	refused := 0
	for i := range 70 {
		c := r.site(t, fmt.Sprintf("https://n%d.evil.example", i))
		err := c.Call(t.Context(), "insurability.read", number, nil)
		c.Close()
		if protocol.CodeOf(err) == protocol.NotAuthorised {
			refused++
		} else if protocol.CodeOf(err) != protocol.RateLimited {
			t.Fatalf("origin %d: %v", i, err)
		}
	}
	if refused == 0 || refused > 65 {
		t.Errorf("%d were looked at", refused)
	}
	r.site(t, "https://one-more.evil.example").refused("identity.read", ask, protocol.RateLimited)
	if n := r.person.asked(t, "CONFIRM"); n != 0 {
		t.Errorf("%d dialogs", n)
	}
	untouched(t, r.card)
	r.site(t, desk1).must("identity.read", ask)
}

// TestFieldsBeyondTheGrant: "always" is for the fields, the purpose and the site
// that it was said of. More is asked about, the photo each time.
func TestFieldsBeyondTheGrant(t *testing.T) {
	t.Parallel()
	r := newRig(t, openPolicy)
	const shop = "https://shop.example"
	o := r.clientOf(t, shop)
	if _, err := r.auth.Remember(access.Request{Client: o, Operation: access.OpIdentity, Fields: []string{"surname"}, Purpose: "p", Reader: "Reader 1"}, time.Time{}); err != nil {
		t.Fatal(err)
	}
	r.person.will(t, "confirm", "deny")
	c := r.site(t, shop)
	for i, more := range []m{
		{"fields": []string{"surname", "nationalNumber"}, "purpose": "p"},
		{"fields": []string{"surname"}, "purpose": "p", "photo": true},
	} {
		c.refused("identity.read", more, protocol.ConsentDenied)
		if n := r.person.asked(t, "CONFIRM"); n != i+1 {
			t.Errorf("%v: %d dialogs", more, n)
		}
	}
	c.refused("identity.read", m{"fields": []string{"surname"}, "purpose": "another"}, protocol.NotAuthorised) // muted by now
	for _, look := range []string{"https://shop.example.evil.example", "https://shop.example:444", "https://www.shop.example"} {
		r.site(t, look).refused("identity.read", ask, protocol.ConsentDenied)
	}
	untouched(t, r.card)
	r.site(t, desk1).refused("identity.read", m{"fields": []string{"surname", "nationalNumber"}, "purpose": "p"}, protocol.NotAuthorised) // the policy is not to be stretched
	untouched(t, r.card)
	got := c.must("identity.read", ask)
	if len(got["identity"].(m)) != 1 || got["photo"] != nil || got["address"] != nil {
		t.Errorf("the grant gives %v", got)
	}
	r.wantLogged(t, shop, "identity", "done")
}

// TestFilesEditedByHand: grants that the agent has not written count for nothing,
// and neither does a policy that is not the administrator's.
func TestFilesEditedByHand(t *testing.T) {
	t.Parallel()
	r := newRig(t, openPolicy)
	const shop = "https://shop.example"
	o := r.clientOf(t, shop)
	if _, err := r.auth.Remember(access.Request{Client: o, Operation: access.OpIdentity, Fields: []string{"surname"}, Purpose: "p", Reader: "Reader 1"}, time.Time{}); err != nil {
		t.Fatal(err)
	}
	r.person.will(t, "confirm", "deny")
	path := r.path("state/grants.toml")
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	edited := strings.Replace(string(good), shop, evil, 1)
	if edited == string(good) {
		t.Fatal("the file does not name the site")
	}
	put := func(name, text string, mode os.FileMode) {
		t.Helper()
		if err := errors.Join(os.WriteFile(name+".x", []byte(text), mode), os.Chmod(name+".x", mode), os.Rename(name+".x", name)); err != nil {
			t.Fatal(err)
		}
	}
	put(path, edited, 0o600)
	r.site(t, evil).refused("identity.read", ask, protocol.ConsentDenied)
	r.site(t, shop).refused("identity.read", ask, protocol.ConsentDenied) // none of it counts
	put(path, string(good), 0o666)
	r.site(t, shop).refused("identity.read", ask, protocol.ConsentDenied, protocol.NotAuthorised)
	put(path, string(good), 0o600)
	r.site(t, "https://third.example").refused("identity.read", ask, protocol.ConsentDenied)

	mine := strings.Replace(openPolicy, desk1, evil, 1)
	r.writePolicy(mine, 0o666) // anybody could have written it
	r.site(t, evil).refused("identity.read", ask, protocol.ConsentDenied, protocol.NotAuthorised)
	if os.Getuid() == 0 {
		if err := os.Chown(r.path("policy.toml"), 54321, 54321); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(r.path("policy.toml"), 0o644); err != nil {
			t.Fatal(err)
		}
		r.site(t, "https://fourth.example").refused("identity.read", ask, protocol.ConsentDenied)
	}
	untouched(t, r.card)
	r.site(t, desk1).must("identity.read", ask) // the policy that was good stays in force
	for _, want := range []string{"the grants are refused", "the policy is refused"} {
		if !strings.Contains(r.log.String(), want) {
			t.Errorf("the log does not say that %s: %s", want, r.log)
		}
	}
}

// TestSwappedCard: what was allowed for one card is not done with another that
// was put in its place while the user was asked.
func TestSwappedCard(t *testing.T) {
	t.Parallel()
	r := newRig(t, openPolicy)
	r.person.will(t, "confirm", "hold")
	second := testcards.New(testcards.Citizen17)
	c := r.site(t, evil)
	answered := make(chan error, 1)
	go func() { answered <- c.Call(t.Context(), "identity.read", ask, nil) }()
	<-r.person.ups
	r.reader.Insert(second)
	if err := <-answered; protocol.CodeOf(err) != protocol.CardRemoved {
		t.Errorf("got %v", err)
	}
	untouched(t, r.card, second)
	r.wantLogged(t, evil, "identity", string(protocol.CardRemoved))
	r.person.will(t, "confirm", "deny")
	c.refused("identity.read", ask, protocol.ConsentDenied)
	untouched(t, r.card, second)
}

// TestEventsWithoutAGrant: a site that was not allowed to know the readers hears
// nothing of them, though it has subscribed, and errors tell it nothing either.
func TestEventsWithoutAGrant(t *testing.T) {
	t.Parallel()
	r := newRig(t, openPolicy)
	r.person.will(t, "confirm", "deny")
	c := r.site(t, evil)
	c.refused("events.subscribe", m{}, protocol.ConsentDenied)
	known := r.site(t, desk1)
	known.must("events.subscribe", m{})
	r.reader.Remove()
	r.reader.Insert(r.card)
	for strings.Count(known.notified(), "card.inserted") == 0 {
		known.must("agent.info", nil)
	}
	info := c.must("agent.info", nil)
	if heard := c.notified() + fmt.Sprint(info); strings.Contains(heard, "Reader 1") || strings.Contains(heard, "card.") {
		t.Errorf("it heard %s", heard)
	}
	untouched(t, r.card)
}
