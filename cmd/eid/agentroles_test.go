//go:build linux

package main

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
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
	go func() { r.followPolicy(ctx, tick); ended <- nil }()
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

// TestSettingsThatWait: the agent says once which settings of a changed policy count at its next start only.
func TestSettingsThatWait(t *testing.T) {
	t.Parallel()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	policy := filepath.Join(dir, "policy.toml")
	write0600(t, policy, "[readers]\nignore = [\"YubiKey\"]\n")
	authority, err := access.Open(access.Options{PolicyPath: policy, StateDir: filepath.Join(dir, "state"), OwnerUID: os.Geteuid()})
	if err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	r := &runningAgent{hub: cards.New(cards.Options{System: &testcards.System{}}), authority: authority, started: authority.Settings(),
		log: slog.New(slog.NewTextHandler(&said, nil))}
	ctx, stop := context.WithCancel(t.Context())
	ended, tick := make(chan error, 1), make(chan time.Time)
	go func() { r.followPolicy(ctx, tick); ended <- nil }()
	for _, text := range []string{
		"[readers]\nignore = [\"YubiKey\"]\n[readers.roles]\nCounter = \"patient\"\n", // counts at once
		"[readers]\nignore = [\"Windows Hello\"]\n[audit]\nsyslog = true\n",
		"[readers]\nignore = [\"Windows Hello\"]\n[audit]\nsyslog = true\n# the same\n",
		"[readers]\nignore = [\"YubiKey\"]\n",
	} {
		write0600(t, policy+".new", text)
		if err := os.Rename(policy+".new", policy); err != nil { // half a file would be another policy
			t.Fatal(err)
		}
		tick <- time.Time{}
		tick <- time.Time{} // taken when the one before has been followed
	}
	stop()
	<-ended
	if n := strings.Count(said.String(), "\n"); n != 1 || !strings.Contains(said.String(), `settings="audit.syslog, readers.ignore"`) {
		t.Errorf("%d lines:\n%s", n, said.String())
	}
}

// TestEverySettingCounts: a setting of the policy counts at once, or is one of those that the agent names as waiting.
func TestEverySettingCounts(t *testing.T) {
	t.Parallel()
	live := []string{"Roles", "SignHash", "Launch"}
	for i := range reflect.TypeFor[access.Settings]().NumField() {
		name := reflect.TypeFor[access.Settings]().Field(i).Name
		var now access.Settings
		switch v := reflect.ValueOf(&now).Elem().Field(i); v.Kind() {
		case reflect.String:
			v.SetString("other")
		case reflect.Bool:
			v.SetBool(true)
		case reflect.Int64:
			v.SetInt(1)
		case reflect.Slice:
			v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		case reflect.Map:
			v.Set(reflect.MakeMap(v.Type()))
		default:
			t.Fatalf("%s: a %s", name, v.Kind())
		}
		if waits := len(waitingSettings(access.Settings{}, now)) == 1; waits == slices.Contains(live, name) {
			t.Errorf("%s: waits for the next start: %v", name, waits)
		}
	}
}
