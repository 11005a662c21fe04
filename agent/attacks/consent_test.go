//go:build unix

package attacks

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eidkit/eidkit/agent/access"
	"github.com/eidkit/eidkit/agent/protocol"
	"github.com/eidkit/eidkit/testcards"
)

// ask is a request about which the user is asked when a stranger makes it.
var ask = m{"fields": []string{"surname"}, "purpose": "p"}

// TestConsentFlood: a site that asks without end has one dialog on the screen,
// not one each; a no answers what waits behind it, a second one mutes the site.
// Sites that the policy knows are served all the while.
func TestConsentFlood(t *testing.T) {
	t.Parallel()
	r := newRig(t, openPolicy)
	r.person.will(t, "confirm", "hold")
	pages := []*client{r.site(t, evil), r.site(t, evil), r.site(t, evil)}
	flood := func() (answers chan error, many int) {
		answers = make(chan error, 100)
		for _, c := range pages {
			for range 8 {
				many++
				go func() { answers <- c.Call(t.Context(), "identity.read", ask, nil) }()
			}
		}
		return answers, many
	}
	for round := 1; round <= 2; round++ {
		answers, many := flood()
		r.person.sees(t)
		for range many - 5 { // five may wait
			if err := <-answers; protocol.CodeOf(err) != protocol.Busy && protocol.CodeOf(err) != protocol.RateLimited {
				t.Errorf("round %d: %v", round, err)
			}
		}
		if round == 1 {
			r.site(t, desk1).must("identity.read", ask)
			r.card.ClearStats()
		}
		r.person.says(t, "deny")
		for range 5 {
			if err := <-answers; !slices.Contains([]protocol.Code{protocol.ConsentDenied, protocol.NotAuthorised}, protocol.CodeOf(err)) {
				t.Errorf("round %d, what waited: %v", round, err)
			}
		}
		if n := r.person.asked(t, "CONFIRM"); n != round {
			t.Errorf("round %d: %d dialogs were shown", round, n)
		}
		if round == 1 { // its budget is spent; what is spent comes back, which this test does not wait for
			if r.auth.Muted(r.clientOf(t, evil)) {
				t.Error("muted after one no")
			}
			break
		}
	}
	untouched(t, r.card)
	for _, l := range r.logged(t, evil) {
		if l.Event == "result" && l.Result == "done" {
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
	c := r.site(t, evil)
	shown := 0
	for ; shown < 100; shown++ {
		ctx, cancel := context.WithCancel(t.Context())
		answered := make(chan error, 1)
		go func() { answered <- c.Call(ctx, "identity.read", ask, nil) }()
		up := make(chan struct{})
		if shown < 20 {
			go func() { r.person.sees(t); close(up) }()
		}
		select {
		case <-up:
			cancel()
			<-answered
			c.must("agent.info", nil) // the cancel has been read
			continue
		case err := <-answered:
			cancel()
			if protocol.CodeOf(err) != protocol.RateLimited {
				t.Errorf("got %v", err)
			}
		}
		break
	}
	if shown == 0 || shown > 20 {
		t.Errorf("%d windows came up", shown)
	}
	for range 100 { // and whatever else it tries
		c.refused("identity.read", ask, protocol.RateLimited)
	}
	untouched(t, r.card)
	if n := len(r.logged(t, evil)); n > 2*20+4 {
		t.Errorf("%d lines of the log", n)
	}
	if all := r.logged(t, evil); all[len(all)-1].Result != string(protocol.RateLimited) {
		t.Errorf("the log does not say that there was more: %+v", all[len(all)-1])
	}
	r.site(t, desk1).must("identity.read", ask)
}

// TestManyOrigins: a site has as many origins as it likes; all that nobody knows
// have one budget together, and the desk's site is served all the same.
func TestManyOrigins(t *testing.T) {
	t.Parallel()
	r := newRig(t, openPolicy)
	r.person.will(t, "confirm", "deny")
	asked := 0
	for i := range 70 {
		c := r.site(t, fmt.Sprintf("https://n%d.evil.example", i))
		err := c.Call(t.Context(), "insurability.read", m{"purpose": "p"}, nil)
		c.Close()
		if protocol.CodeOf(err) == protocol.ConsentDenied {
			asked++
		} else if protocol.CodeOf(err) != protocol.RateLimited {
			t.Fatalf("origin %d: %v", i, err)
		}
	}
	if asked == 0 || asked > 65 {
		t.Errorf("%d questions", asked)
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
	r.person.sees(t)
	r.reader.Insert(second)
	if err := <-answered; protocol.CodeOf(err) != protocol.CardRemoved {
		t.Errorf("got %v", err)
	}
	untouched(t, r.card, second)
	r.wantLogged(t, evil, "identity", string(protocol.CardRemoved))
	for _, name := range []string{"told"} { // and no yes of the dialog's is waiting for anybody
		if _, err := os.Stat(filepath.Join(r.person.dir, name)); err != nil {
			t.Error(err)
		}
	}
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
