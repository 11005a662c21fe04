package verify

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"testing"
	"time"

	"github.com/eidkit/eidkit/internal/truststore"
	"github.com/eidkit/eidkit/testcards/pki"
)

// The certificate of Root CA2 is not among the test data, so a test root is
// pinned for the length of this test.
func TestWithdrawnRoot(t *testing.T) {
	p, err := pki.New(pki.Options{})
	if err != nil {
		t.Fatal(err)
	}
	old := pinnedRoots
	defer func() { pinnedRoots = old }()
	pinnedRoots = []PinnedRoot{{Name: "Root", SHA256: sha256.Sum256(p.Root.Certificate.Raw), Withdrawn: day("2026-05-19")}}
	others := []*x509.Certificate{p.Root.Certificate}

	if _, err := BuildPath(p.RRN.Certificate, others, nil, day("2026-05-18")); err != nil {
		t.Errorf("before its withdrawal: %v", err)
	}
	if _, err := BuildPath(p.RRN.Certificate, others, nil, day("2026-05-19")); !errors.Is(err, ErrUntrusted) {
		t.Errorf("after its withdrawal: %v", err)
	}
	own := &Anchors{}
	own.Add(p.Root.Certificate)
	if _, err := BuildPath(p.RRN.Certificate, nil, own, day("2026-05-19")); err != nil {
		t.Errorf("added by the caller: %v", err)
	}
	if _, err := BuildPath(p.RRN.Certificate, others, nil, time.Date(2019, 1, 1, 0, 0, 0, 0, time.UTC)); !errors.Is(err, ErrExpired) {
		t.Errorf("before all validity: %v", err)
	}
}

// The certificate of a withdrawn root in the store does not make it trusted for longer.
func TestWithdrawnRootInTheStore(t *testing.T) {
	p, err := pki.New(pki.Options{})
	if err != nil {
		t.Fatal(err)
	}
	old := pinnedRoots
	defer func() { pinnedRoots = old }()
	pinnedRoots = []PinnedRoot{{Name: "Root", SHA256: sha256.Sum256(p.Root.Certificate.Raw), Withdrawn: day("2026-05-19")}}
	for _, tt := range []struct{ store, last string }{{"", "2026-05-18"}, {"2030-01-01", "2026-05-18"}, {"2024-01-01", "2023-12-31"}} {
		dir := t.TempDir()
		e := truststore.Entry{Certificate: p.Root.Certificate}
		if tt.store != "" {
			e.Withdrawn = day(tt.store)
		}
		if err := truststore.New(dir).Add(context.Background(), e); err != nil {
			t.Fatal(err)
		}
		a, _, err := LoadTrust(dir)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := BuildPath(p.RRN.Certificate, nil, a, day(tt.last)); err != nil {
			t.Errorf("%s: %v", tt.last, err)
		}
		if _, err := BuildPath(p.RRN.Certificate, nil, a, day(tt.last).AddDate(0, 0, 1)); !errors.Is(err, ErrUntrusted) {
			t.Errorf("the day after %s: %v", tt.last, err)
		}
	}
}
