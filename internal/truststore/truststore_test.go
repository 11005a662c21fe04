package truststore_test

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eidkit/eidkit/internal/truststore"
	"github.com/eidkit/eidkit/testcards/pki"
)

// roots are certificates with different names and keys.
func roots(t testing.TB, n int) (list []*x509.Certificate) {
	t.Helper()
	for seed := range n {
		p, err := pki.New(pki.Options{Seed: uint64(seed)})
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, p.Root.Certificate, p.CitizenCA.Certificate)
	}
	return list[:n]
}

func fingerprint(c *x509.Certificate) truststore.Fingerprint { return sha256.Sum256(c.Raw) }

func fileOf(s *truststore.Store, c *x509.Certificate) string {
	fp := fingerprint(c)
	return filepath.Join(s.Dir(), hex.EncodeToString(fp[:])+".pem")
}

func list(t testing.TB, s *truststore.Store) ([]truststore.Entry, []truststore.Problem) {
	t.Helper()
	entries, problems, err := s.List()
	if err != nil {
		t.Fatal(err)
	}
	return entries, problems
}

func TestStore(t *testing.T) {
	t.Parallel()
	s := truststore.New(filepath.Join(t.TempDir(), "eidkit", "trust"))
	if entries, problems := list(t, s); len(entries)+len(problems) != 0 {
		t.Fatalf("%d entries in a store that is not there", len(entries))
	}
	c := roots(t, 2)
	granted, withdrawn := time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC), time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	want := truststore.Entry{Certificate: c[0], Granted: granted, Withdrawn: withdrawn, Origin: "/some/file.pem", Added: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	if err := errors.Join(s.Add(context.Background(), want), s.Add(context.Background(), truststore.Entry{Certificate: c[1]})); err != nil {
		t.Fatal(err)
	}
	entries, problems := list(t, s)
	if len(entries) != 2 || len(problems) != 0 {
		t.Fatalf("%d entries, %v", len(entries), problems)
	}
	i := slices.IndexFunc(entries, func(e truststore.Entry) bool { return e.Certificate.Equal(c[0]) })
	got := entries[i]
	if !got.Granted.Equal(granted) || !got.Withdrawn.Equal(withdrawn) || got.Origin != want.Origin || !got.Added.Equal(want.Added) {
		t.Errorf("%+v", got)
	}
	if other := entries[1-i]; !other.Granted.IsZero() || !other.Withdrawn.IsZero() || other.Origin != "" || other.Added.IsZero() {
		t.Errorf("%+v", other)
	}
	// Again: in its place.
	want.Withdrawn = time.Time{}
	if err := s.Add(context.Background(), want); err != nil {
		t.Fatal(err)
	}
	if entries, _ := list(t, s); len(entries) != 2 || !entries[i].Withdrawn.IsZero() {
		t.Errorf("%+v", entries)
	}
	for _, cert := range c {
		if err := s.Remove(context.Background(), fingerprint(cert)); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(fileOf(s, cert)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("its file is still there: %v", err)
		}
	}
	if err := s.Remove(context.Background(), fingerprint(c[0])); !errors.Is(err, truststore.ErrNotFound) {
		t.Error(err)
	}
	if entries, problems := list(t, s); len(entries)+len(problems) != 0 {
		t.Errorf("%v %v", entries, problems)
	}
}

func TestAddRefuses(t *testing.T) {
	t.Parallel()
	s := truststore.New(filepath.Join(t.TempDir(), "trust"))
	c := roots(t, 1)[0]
	now := time.Now()
	for _, e := range []truststore.Entry{{}, {Certificate: c, Granted: now, Withdrawn: now}, {Certificate: c, Granted: now, Withdrawn: now.Add(-time.Hour)}} {
		if err := s.Add(context.Background(), e); err == nil {
			t.Errorf("%+v was added", e)
		}
	}
	if err := os.WriteFile(filepath.Join(filepath.Dir(s.Dir()), "trust"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.Add(context.Background(), truststore.Entry{Certificate: c}); err == nil {
		t.Error("added to a file")
	}
}

// What is not in order is named, not trusted, and does no harm to the rest.
func TestProblems(t *testing.T) {
	t.Parallel()
	c := roots(t, 2)
	good, bad := c[0], c[1]
	for name, tt := range map[string]struct {
		spoil func(s *truststore.Store, file string) error
		want  string
	}{
		"file gone":      {func(_ *truststore.Store, file string) error { return os.Remove(file) }, "no such file"},
		"file empty":     {func(_ *truststore.Store, file string) error { return os.WriteFile(file, nil, 0o600) }, "empty"},
		"other contents": {func(_ *truststore.Store, file string) error { return os.WriteFile(file, pemOf(good), 0o600) }, "not the certificate"},
		"two certificates": {func(_ *truststore.Store, file string) error {
			return os.WriteFile(file, append(pemOf(bad), pemOf(good)...), 0o600)
		}, "not the certificate"},
		"cut short": {func(_ *truststore.Store, file string) error { return os.Truncate(file, 100) }, "only 0 can be read"},
		"a folder": {func(_ *truststore.Store, file string) error {
			return errors.Join(os.Remove(file), os.Mkdir(file, 0o700))
		}, "not a regular file"},
		"too large": {func(_ *truststore.Store, file string) error { return os.Truncate(file, 3<<20) }, "larger than"},
		"named twice": {func(s *truststore.Store, _ string) error {
			return editIndex(s, func(lines []map[string]any) []map[string]any {
				return append(lines, lines[slices.IndexFunc(lines, func(l map[string]any) bool { return l["origin"] == "bad" })])
			})
		}, "twice"},
		"no fingerprint": {func(s *truststore.Store, file string) error {
			return errors.Join(os.Remove(file), editIndex(s, func(lines []map[string]any) []map[string]any {
				for _, l := range lines {
					if l["origin"] == "bad" {
						l["sha256"] = "../../etc/passwd"
					}
				}
				return lines
			}))
		}, "no SHA-256 fingerprint"},
		"not in the index": {func(s *truststore.Store, _ string) error {
			return editIndex(s, func(lines []map[string]any) []map[string]any {
				return slices.DeleteFunc(lines, func(l map[string]any) bool { return l["origin"] == "bad" })
			})
		}, "does not name it"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := truststore.New(t.TempDir())
			if err := errors.Join(s.Add(context.Background(), truststore.Entry{Certificate: good}), s.Add(context.Background(), truststore.Entry{Certificate: bad, Origin: "bad"}), tt.spoil(s, fileOf(s, bad))); err != nil {
				t.Fatal(err)
			}
			entries, problems := list(t, s)
			if len(entries) != 1 || !entries[0].Certificate.Equal(good) || len(problems) != 1 || !errors.Is(problems[0].Err, truststore.ErrEntry) ||
				!strings.Contains(problems[0].Err.Error(), tt.want) {
				t.Errorf("%d entries, %v", len(entries), problems)
			}
			// It can be mended: by taking it out and adding it again.
			if err := s.Remove(context.Background(), fingerprint(bad)); err != nil && name != "no fingerprint" && name != "a folder" {
				t.Errorf("removing: %v", err)
			}
			if name == "a folder" || name == "no fingerprint" {
				return
			}
			if err := s.Add(context.Background(), truststore.Entry{Certificate: bad}); err != nil {
				t.Fatal(err)
			}
			if entries, problems := list(t, s); len(entries) != 2 || len(problems) != 0 {
				t.Errorf("mended: %d entries, %v", len(entries), problems)
			}
		})
	}
}

func pemOf(c *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
}

// editIndex changes the index behind the store's back.
func editIndex(s *truststore.Store, edit func([]map[string]any) []map[string]any) error {
	name := filepath.Join(s.Dir(), "index.json")
	b, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	var x struct {
		Schema  int              `json:"schema"`
		Anchors []map[string]any `json:"anchors"`
	}
	if err := json.Unmarshal(b, &x); err != nil {
		return err
	}
	x.Anchors = edit(x.Anchors)
	if b, err = json.Marshal(x); err != nil {
		return err
	}
	return os.WriteFile(name, b, 0o600)
}

// Without an index that can be read nothing is trusted: who knows what was withdrawn.
func TestBrokenIndex(t *testing.T) {
	t.Parallel()
	c := roots(t, 1)[0]
	for _, text := range []string{"", "{", "[]", `{"schema":2,"anchors":[]}`, `{"schema":1,"anchors":[]} x`, `{"schema":1,"anchors":[{"sha256":"00","withdrawm":"2020-01-01T00:00:00Z"}]}`,
		`{"schema":1,"anchors":[{"sha256":"00","withdrawn":"soon"}]}`} {
		s := truststore.New(t.TempDir())
		if err := s.Add(context.Background(), truststore.Entry{Certificate: c}); err != nil {
			t.Fatal(err)
		}
		name := filepath.Join(s.Dir(), "index.json")
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if entries, _, err := s.List(); entries != nil || !errors.Is(err, truststore.ErrIndex) {
			t.Errorf("%q: %d entries, %v", text, len(entries), err)
		}
		// Nor is it written over.
		if err := s.Add(context.Background(), truststore.Entry{Certificate: c}); !errors.Is(err, truststore.ErrIndex) {
			t.Errorf("%q: adding: %v", text, err)
		}
		if b, err := os.ReadFile(name); err != nil || string(b) != text {
			t.Errorf("%q became %q", text, b)
		}
	}
}

// Several writers at once lose nothing.
func TestWritersAtOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := roots(t, 8)
	var wg sync.WaitGroup
	errs := make([]error, len(c))
	for i := range c {
		wg.Go(func() { errs[i] = truststore.New(dir).Add(context.Background(), truststore.Entry{Certificate: c[i]}) })
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	if entries, problems := list(t, truststore.New(dir)); len(entries) != len(c) || len(problems) != 0 {
		t.Errorf("%d entries, %v", len(entries), problems)
	}
	left, err := filepath.Glob(filepath.Join(dir, ".tmp-*"))
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %q %v", left, err)
	}
}

// A writer killed at any point leaves the old store or the new one: what it may leave is a file that the index does not name yet, and
// pieces that begin with a dot.
func TestAfterACrash(t *testing.T) {
	t.Parallel()
	c := roots(t, 2)
	s := truststore.New(t.TempDir())
	if err := s.Add(context.Background(), truststore.Entry{Certificate: c[0]}); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.WriteFile(filepath.Join(s.Dir(), ".tmp-123"), []byte("half a fi"), 0o600), os.WriteFile(fileOf(s, c[1]), pemOf(c[1]), 0o600)); err != nil {
		t.Fatal(err)
	}
	entries, problems := list(t, s)
	if len(entries) != 1 || len(problems) != 1 {
		t.Errorf("%d entries, %v", len(entries), problems)
	}
	if err := s.Add(context.Background(), truststore.Entry{Certificate: c[1]}); err != nil {
		t.Fatal(err)
	}
	if entries, problems := list(t, s); len(entries) != 2 || len(problems) != 0 {
		t.Errorf("%d entries, %v", len(entries), problems)
	}
}

// FuzzIndex gives List whatever an index may hold.
func FuzzIndex(f *testing.F) {
	c := roots(f, 1)[0]
	s := truststore.New(f.TempDir())
	if err := s.Add(context.Background(), truststore.Entry{Certificate: c, Granted: time.Unix(1e9, 0), Origin: "x"}); err != nil {
		f.Fatal(err)
	}
	seed, err := os.ReadFile(filepath.Join(s.Dir(), "index.json"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	f.Add([]byte(`{"schema":1,"anchors":[{"sha256":"00"},{"sha256":"zz","added":"2026-01-01T00:00:00Z"}]}`))
	f.Fuzz(func(t *testing.T, index []byte) {
		if err := os.WriteFile(filepath.Join(s.Dir(), "index.json"), index, 0o600); err != nil {
			t.Fatal(err)
		}
		entries, _, err := s.List()
		if len(entries) > 1 || err != nil && (entries != nil || !errors.Is(err, truststore.ErrIndex)) {
			t.Fatalf("%d entries, %v", len(entries), err)
		}
		if len(entries) == 1 && !entries[0].Certificate.Equal(c) {
			t.Fatal("another certificate")
		}
	})
}
