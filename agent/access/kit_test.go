package access

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// clock is a time that tests move.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// bench is an authority in a folder of its own.
type bench struct {
	*Authority
	t      *testing.T
	dir    string
	policy string
	clock  *clock
}

// newBench opens an authority under a policy; "": there is no file.
func newBench(t *testing.T, policy string) *bench {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, dir: dir, policy: filepath.Join(dir, "policy.toml"), clock: &clock{at: time.Date(2026, 3, 15, 9, 0, 0, 0, time.UTC)}}
	if policy != "" {
		b.write(policy)
	}
	b.open()
	return b
}

func (b *bench) open() {
	b.t.Helper()
	a, err := Open(Options{PolicyPath: b.policy, StateDir: filepath.Join(b.dir, "state"), OwnerUID: os.Geteuid(), Now: b.clock.now})
	if err != nil {
		b.t.Fatal(err)
	}
	b.Authority = a
}

// write puts another policy in the place of the one that is there.
func (b *bench) write(policy string) {
	b.t.Helper()
	if err := os.WriteFile(b.policy+".new", []byte(policy), 0o644); err != nil {
		b.t.Fatal(err)
	}
	if err := os.Rename(b.policy+".new", b.policy); err != nil {
		b.t.Fatal(err)
	}
}

func origin(t *testing.T, s string) Origin {
	t.Helper()
	o, err := ParseOrigin(s)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func site(t *testing.T, s string) Client { return Client{Kind: Site, Origin: origin(t, s)} }

// want checks a verdict and who gave it.
func (b *bench) want(r Request, v Verdict, by string) Decision {
	b.t.Helper()
	d := b.Decide(r)
	if d.Verdict != v || d.By != by {
		b.t.Errorf("%v %s %v for %q: %v by %q (%s), want %v by %q", r.Client, r.Operation, r.Fields, r.Purpose, d.Verdict, d.By, d.Why, v, by)
	}
	return d
}

func (b *bench) refused(r Request, why Reason) {
	b.t.Helper()
	if d := b.want(r, Refuse, ""); d.Reason != why || d.Why == "" || d.MayRemember {
		b.t.Errorf("%v %s: refused for %q (%s), want %q", r.Client, r.Operation, d.Reason, d.Why, why)
	}
}
