package verify_test

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/eidkit/eidkit/internal/truststore"
	"github.com/eidkit/eidkit/testcards/pki"
	"github.com/eidkit/eidkit/verify"
)

func day(t testing.TB, s string) time.Time {
	t.Helper()
	d, err := time.Parse(time.DateOnly, s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestTimeOfTrust(t *testing.T) {
	c := newPKI(t, pki.Options{}).Root.Certificate
	from, until := day(t, "2020-01-01"), day(t, "2022-01-01")
	type span struct{ from, until time.Time }
	tests := []struct {
		name  string
		spans []span
		good  []string
		bad   []string
	}{
		{"without bounds", []span{{}}, []string{"1999-01-01", "2030-01-01"}, nil},
		{"both bounds", []span{{from, until}}, []string{"2020-01-01", "2021-12-31"}, []string{"2019-12-31", "2022-01-01"}},
		{"granted", []span{{from, time.Time{}}}, []string{"2030-01-01"}, []string{"2019-12-31"}},
		{"withdrawn", []span{{time.Time{}, until}}, []string{"1999-01-01"}, []string{"2022-01-01"}},
		{"twice", []span{{from, until}, {day(t, "2024-01-01"), time.Time{}}}, []string{"2021-01-01", "2024-06-01"}, []string{"2023-01-01"}},
		{"once for ever", []span{{from, until}, {}}, []string{"2019-01-01", "2023-01-01"}, nil},
	}
	for _, tt := range tests {
		a := &verify.Anchors{}
		for _, s := range tt.spans {
			a.AddPeriod(c, s.from, s.until)
		}
		if !a.Contains(c) || len(a.Added()) != 1 {
			t.Errorf("%s: not one anchor", tt.name)
		}
		for _, at := range tt.good {
			if why := a.Withdrawn(c, day(t, at)); why != "" {
				t.Errorf("%s, %s: %s", tt.name, at, why)
			}
		}
		for _, at := range tt.bad {
			if why := a.Withdrawn(c, day(t, at)); why == "" {
				t.Errorf("%s, %s: trusted", tt.name, at)
			}
		}
	}
	a := &verify.Anchors{}
	a.AddPeriod(c, from, until)
	p := newPKI(t, pki.Options{})
	if _, err := verify.BuildPath(p.RRN.Certificate, nil, a, now); !errors.Is(err, verify.ErrUntrusted) || !strings.Contains(err.Error(), "2022-01-01") {
		t.Errorf("after the withdrawal: %v", err)
	}
}

func TestNamed(t *testing.T) {
	root := issue(t, template("Root", true), nil, nil)
	a := &verify.Anchors{}
	if a.Named(root.cert.RawSubject) != nil || (*verify.Anchors)(nil).Named(nil) != nil {
		t.Error("an empty set has a name")
	}
	a.Add(root.cert)
	other := issue(t, template("ROOT ", true), nil, nil)
	if list := a.Named(other.cert.RawSubject); len(list) != 1 || !list[0].Equal(root.cert) {
		t.Errorf("the same name in other letters: %d", len(list))
	}
}

func TestDigest(t *testing.T) {
	one, two := newPKI(t, pki.Options{}).Root.Certificate, newPKI(t, pki.Options{Seed: 1}).Root.Certificate
	var a, b verify.Anchors
	empty := a.Digest()
	if empty != (*verify.Anchors)(nil).Digest() {
		t.Error("an empty set is not like none")
	}
	a.Add(one)
	a.Add(two)
	b.Add(two)
	b.Add(one)
	if a.Digest() != b.Digest() || a.Digest() == empty {
		t.Error("the order counts, or the certificates do not")
	}
}

func TestLoadTrust(t *testing.T) {
	p, other := newPKI(t, pki.Options{}), newPKI(t, pki.Options{Seed: 1})
	dir := filepath.Join(t.TempDir(), "trust")
	store := truststore.New(dir)
	leaf, others := p.RRN.Certificate, []*x509.Certificate(nil)

	a, warnings, err := verify.LoadTrust(dir)
	if err != nil || warnings != nil || len(a.Added()) != 0 {
		t.Fatalf("no store: %v %v", warnings, err)
	}
	if err := store.Add(context.Background(), truststore.Entry{Certificate: p.Root.Certificate, Withdrawn: now}); err != nil {
		t.Fatal(err)
	}
	a, warnings, err = verify.LoadTrust(dir, writePEM(t, "other.pem", other.Root.Certificate))
	if err != nil || warnings != nil || len(a.Added()) != 2 {
		t.Fatalf("%v %v", warnings, err)
	}
	if _, err := verify.BuildPath(leaf, others, a, now.Add(-time.Second)); err != nil {
		t.Error(err)
	}
	if _, err := verify.BuildPath(leaf, others, a, now); !errors.Is(err, verify.ErrUntrusted) {
		t.Errorf("withdrawn: %v", err)
	}
	// What the caller gives by hand holds whatever the store says.
	if a, _, err = verify.LoadTrust(dir, writePEM(t, "root.pem", p.Root.Certificate)); err != nil {
		t.Fatal(err)
	}
	if _, err := verify.BuildPath(leaf, others, a, now); err != nil {
		t.Error(err)
	}
	if _, _, err := verify.LoadTrust(dir, filepath.Join(dir, "absent.pem")); err == nil {
		t.Error("an absent file was passed over")
	}
	if _, warnings, err := verify.LoadTrust("", writePEM(t, "root.pem", p.Root.Certificate)); err != nil || warnings != nil {
		t.Errorf("no name: %v %v", warnings, err)
	}
}

func TestLoadTrustWarns(t *testing.T) {
	p, other := newPKI(t, pki.Options{}), newPKI(t, pki.Options{Seed: 1})
	dir := t.TempDir()
	store := truststore.New(dir)
	if err := errors.Join(store.Add(context.Background(), truststore.Entry{Certificate: p.Root.Certificate}), store.Add(context.Background(), truststore.Entry{Certificate: other.Root.Certificate})); err != nil {
		t.Fatal(err)
	}
	fp := sha256.Sum256(other.Root.Certificate.Raw)
	files, err := filepath.Glob(filepath.Join(dir, "*.pem"))
	if err != nil || len(files) != 2 {
		t.Fatalf("%q %v", files, err)
	}
	for _, f := range files {
		if strings.Contains(f, hex.EncodeToString(fp[:4])) {
			if err := os.WriteFile(f, []byte("junk"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	a, warnings, err := verify.LoadTrust(dir)
	if err != nil || len(warnings) != 1 || !errors.Is(warnings[0], truststore.ErrEntry) || a.Contains(other.Root.Certificate) || !a.Contains(p.Root.Certificate) {
		t.Errorf("%v %v", warnings, err)
	}
	if err := os.WriteFile(filepath.Join(dir, "index.json"), []byte("junk"), 0o600); err != nil {
		t.Fatal(err)
	}
	a, warnings, err = verify.LoadTrust(dir)
	if err != nil || len(warnings) != 1 || !errors.Is(warnings[0], truststore.ErrIndex) || len(a.Added()) != 0 {
		t.Errorf("%v %v", warnings, err)
	}
}
