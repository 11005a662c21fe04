package main

import (
	"context"
	"crypto/sha256"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/eidkit/eidkit/internal/fetch"
	"github.com/eidkit/eidkit/internal/truststore"
	"github.com/eidkit/eidkit/testcards/pki"
	"github.com/eidkit/eidkit/verify"
)

// ownTrust gives the test a trust store of its own, and a root in a file.
func ownTrust(t *testing.T) (root, fingerprint string) {
	t.Helper()
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	return testRoot(t, pki.Options{})
}

func testRoot(t *testing.T, o pki.Options) (path, fingerprint string) {
	t.Helper()
	p, err := pki.New(o)
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), "root.pem")
	c := p.Root.Certificate
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	fp := sha256.Sum256(c.Raw)
	return path, upperHex(fp[:])
}

// listed is what `eid trust list --json` says of the anchor, nil if it is not there.
func listed(t *testing.T, fingerprint string) map[string]any {
	t.Helper()
	code, out, errs := eid(t, "trust", "list", "--json")
	wantCode(t, exitOK, code, out, errs)
	validate(t, "trust.json", out)
	for _, a := range decode(t, out)["anchors"].([]any) {
		if m := a.(map[string]any); m["sha256"] == fingerprint {
			return m
		}
	}
	return nil
}

func TestTrust(t *testing.T) {
	root, fp := ownTrust(t)
	if listed(t, fp) != nil {
		t.Fatal("the test root is trusted from the start")
	}
	code, out, errs := eid(t, "trust", "add", root)
	if code != exitUsage || out != "" || !strings.Contains(errs, "--yes") || listed(t, fp) != nil {
		t.Fatalf("unasked: exit code %d, %q %q", code, out, errs)
	}
	code, out, errs = eid(t, "trust", "add", root, "--yes", "--until", "2040-06-01", "--from", "2020-01-01T12:00:00Z")
	wantCode(t, exitOK, code, out, errs)
	for _, want := range []string{"Root", fp[:8] + " " + fp[8:16], "valid", "1 certificate added"} {
		if !strings.Contains(errs, want) {
			t.Errorf("%q is not shown in %q", want, errs)
		}
	}
	got := listed(t, fp)
	if got == nil || got["status"] != "trusted" || got["builtIn"] != false || got["stored"] != true || got["granted"] != "2020-01-01T12:00:00Z" ||
		got["withdrawn"] != "2040-06-01T00:00:00Z" || got["origin"] != root {
		t.Errorf("%v", got)
	}
	code, out, errs = eid(t, "trust", "list")
	wantCode(t, exitOK, code, out, errs)
	if !strings.Contains(out, "from 2020-01-01 until 2040-06-01") || !strings.Contains(out, "Belgium Root CA6") || errs != "" {
		t.Errorf("%s\n%s", out, errs)
	}
	// A card of that PKI is then trusted without --trust, and not after its withdrawal.
	code, out, errs = eid(t, "read", "--reader", "testcard:citizen-1.8", "--json")
	wantCode(t, exitOK, code, out, errs)
	code, out, errs = eid(t, "trust", "add", root, "--yes", "--until", "2025-01-01")
	wantCode(t, exitOK, code, out, errs)
	if got := listed(t, fp); got["status"] != "withdrawn" {
		t.Errorf("%v", got)
	}
	code, out, errs = eid(t, "read", "--reader", "testcard:citizen-1.8", "--json")
	wantCode(t, exitIndeterminate, code, out, errs)

	for _, args := range [][]string{{fp[:7]}, {"xyz"}, {fp + "00"}, {"0000000000"}} {
		if code, _, errs := eid(t, append([]string{"trust", "remove"}, args...)...); code != exitUsage || !strings.Contains(errs, "eid trust list") {
			t.Errorf("%q: exit code %d, %s", args, code, errs)
		}
	}
	code, out, errs = eid(t, "trust", "remove", fp[:8], strings.ToLower(fp[8:16])+":"+fp[16:18])
	wantCode(t, exitOK, code, out, errs)
	if listed(t, fp) != nil {
		t.Error("it is still there")
	}
}

func TestTrustUsage(t *testing.T) {
	root, _ := ownTrust(t)
	for _, args := range [][]string{{"add"}, {"add", root, root}, {"add", root, "--from", "yesterday"}, {"add", root, "--from", "2026-01-01", "--until", "2026-01-01"},
		{"add", filepath.Join(t.TempDir(), "absent"), "--yes"}, {"remove"}, {"nonsense"}, {"list", "extra"}, {"update", "--offline-dir", "/does/not/exist"}} {
		if code, out, errs := eid(t, append([]string{"trust"}, args...)...); code != exitUsage || out != "" || !strings.Contains(errs, "eid: hint: ") {
			t.Errorf("%q: exit code %d, %q %q", args, code, out, errs)
		}
	}
}

func TestTrustFolder(t *testing.T) {
	_, _ = ownTrust(t)
	folder := t.TempDir()
	var prints []string
	for seed := range 2 {
		path, fp := testRoot(t, pki.Options{Seed: uint64(seed)})
		prints = append(prints, fp)
		if err := os.Rename(path, filepath.Join(folder, fp[:8]+".pem")); err != nil {
			t.Fatal(err)
		}
	}
	code, out, errs := eid(t, "trust", "add", folder, "--yes", "--from", "2050-01-01")
	wantCode(t, exitOK, code, out, errs)
	for _, fp := range prints {
		if got := listed(t, fp); got == nil || got["status"] != "notYet" {
			t.Errorf("%v", got)
		}
	}
	// A file of the store that is spoilt is named, by list and by read, and not trusted.
	store, err := openTrust()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(store.Dir(), strings.ToLower(prints[0])+".pem"), []byte("junk"), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, errs = eid(t, "trust", "list")
	wantCode(t, exitOK, code, out, errs)
	if strings.Contains(out, prints[0][:8]) || !strings.Contains(errs, strings.ToLower(prints[0])) {
		t.Errorf("%s\n%s", out, errs)
	}
	if listed(t, prints[0]) != nil || listed(t, prints[1]) == nil {
		t.Error("the wrong one is left out")
	}
	_, _, errs = eid(t, "read", "--reader", "testcard:citizen-1.8", "--json")
	if !strings.Contains(errs, "eid: warning: ") || !strings.Contains(errs, strings.ToLower(prints[0])) {
		t.Errorf("read does not warn: %s", errs)
	}
	code, out, errs = eid(t, "trust", "remove", prints[0])
	wantCode(t, exitOK, code, out, errs)
}

// The certificates of the Belgian roots are not among the test data: a stranger's under their addresses must not get in.
func TestTrustUpdateTakesNoStranger(t *testing.T) {
	root, fp := ownTrust(t)
	data, err := os.ReadFile(root)
	if err != nil {
		t.Fatal(err)
	}
	store, err := openTrust()
	if err != nil {
		t.Fatal(err)
	}
	var errs strings.Builder
	a := &app{streams: streams{err: &errs}}
	asked := 0
	err = a.updateTrust(context.Background(), store, func(_ context.Context, url string) ([]byte, error) {
		if asked++; asked == 1 {
			return nil, fetch.ErrUnavailable
		}
		return data, nil
	})
	if asked != len(rootURLs) || !errors.Is(err, fetch.ErrUnavailable) || !strings.Contains(errs.String(), "Belgium Root CA6 (to 2040): not found") {
		t.Errorf("%d addresses asked, %v, %s", asked, err, errs.String())
	}
	if entries, _, err := store.List(); err != nil || len(entries) != 0 || listed(t, fp) != nil {
		t.Errorf("%d entries, %v", len(entries), err)
	}
	code, _, text := eid(t, "trust", "update", "--offline-dir", filepath.Dir(root))
	if code != exitFailure || !strings.Contains(text, "are missing") || listed(t, fp) != nil {
		t.Errorf("exit code %d, %s", code, text)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := a.updateTrust(ctx, store, func(ctx context.Context, _ string) ([]byte, error) { return nil, ctx.Err() }); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// With a root of the test PKI in the place of a built-in one the update takes it, keeps the user's bounds, and is content.
func TestTrustUpdate(t *testing.T) {
	root, _ := ownTrust(t)
	p, err := pki.New(pki.Options{})
	if err != nil {
		t.Fatal(err)
	}
	store, err := openTrust()
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(root)
	if err != nil {
		t.Fatal(err)
	}
	bound := p.Root.Certificate.NotAfter
	for _, before := range []*truststore.Entry{nil, {Certificate: p.Root.Certificate, Withdrawn: bound}} {
		if before != nil {
			if err := store.Add(context.Background(), *before); err != nil {
				t.Fatal(err)
			}
		}
		var errs strings.Builder
		u, err := newTrustUpdate(&app{streams: streams{err: &errs}}, store)
		if err != nil {
			t.Fatal(err)
		}
		clear(u.missing)
		u.missing[sha256.Sum256(p.Root.Certificate.Raw)] = verify.PinnedRoot{Name: "Root"}
		if err := errors.Join(u.takeAll(context.Background(), data, "http://example.org/root.crt"), u.finish(nil)); err != nil {
			t.Fatalf("%v, %s", err, errs.String())
		}
		entries, problems, err := store.List()
		if err != nil || len(entries) != 1 || len(problems) != 0 || entries[0].Origin != "http://example.org/root.crt" || (before != nil) != entries[0].Withdrawn.Equal(bound) {
			t.Errorf("%+v %v %v", entries, problems, err)
		}
	}
}
