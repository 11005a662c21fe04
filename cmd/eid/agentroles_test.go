//go:build linux

package main

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/eidkit/eidkit/agent/access"
	"github.com/eidkit/eidkit/agent/cards"
	"github.com/eidkit/eidkit/card"
	"github.com/eidkit/eidkit/testcards"
)

// TestRolesFollowThePolicy: a reader's role is that of the policy in force, without the agent being started anew.
func TestRolesFollowThePolicy(t *testing.T) {
	t.Parallel()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	policy := filepath.Join(dir, "policy.toml")
	write0600(t, policy, "")
	authority, err := access.Open(access.Options{PolicyPath: policy, StateDir: filepath.Join(dir, "state"), OwnerUID: os.Geteuid()})
	if err != nil {
		t.Fatal(err)
	}
	system := &testcards.System{}
	system.AddReader(testcards.NewReader("Counter", testcards.ReaderOptions{}))
	hub := cards.New(cards.Options{System: system, Open: func(name string) card.Reader { return goneReader(name) }})
	ctx, stop := context.WithCancel(t.Context())
	ended, tick := make(chan error, 2), make(chan time.Time)
	r := &runningAgent{hub: hub, authority: authority}
	go func() { ended <- hub.Run(ctx) }()
	go func() { r.followRoles(ctx, tick); ended <- nil }()
	<-hub.Ready()
	for _, want := range []string{"", "patient", ""} {
		text := ""
		if want != "" {
			text = "[readers.roles]\nCounter = \"" + want + "\"\n"
		}
		write0600(t, policy, text)
		tick <- time.Time{}
		tick <- time.Time{} // taken when the one before has been followed
		if got := hub.Readers()[0].Role; got != want {
			t.Errorf("the reader's role is %q, the policy says %q", got, want)
		}
	}
	stop()
	<-ended
	<-ended
}
