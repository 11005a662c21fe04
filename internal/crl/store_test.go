package crl

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/eidkit/eidkit/internal/fetch"
)

// service serves a list, which the test may change, and counts requests.
type service struct {
	*httptest.Server
	mu       sync.Mutex
	body     []byte
	status   int // instead of the list, if not 0
	maxAge   int
	noETag   bool
	requests atomic.Int32
	full     atomic.Int32 // answered with a body
}

func newService(t testing.TB) *service {
	t.Helper()
	s := &service{}
	s.Server = httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(s.Close)
	return s
}

func (s *service) serve(w http.ResponseWriter, r *http.Request) {
	s.requests.Add(1)
	s.mu.Lock()
	body, status, maxAge, noETag := s.body, s.status, s.maxAge, s.noETag
	s.mu.Unlock()
	if status != 0 {
		w.WriteHeader(status)
		return
	}
	if maxAge > 0 {
		w.Header().Set("Cache-Control", fmt.Sprintf("max-age=%d", maxAge))
	}
	if !noETag {
		tag := fmt.Sprintf(`"%x"`, sha256.Sum256(body))
		w.Header().Set("ETag", tag)
		if r.Header.Get("If-None-Match") == tag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
	}
	s.full.Add(1)
	w.Write(body)
}

func (s *service) set(f func(*service)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(s)
}

// clock is one that the test moves.
type clock struct{ offset atomic.Int64 }

func (c *clock) now() time.Time         { return noon.Add(time.Hour).Add(time.Duration(c.offset.Load())) }
func (c *clock) move(d time.Duration)   { c.offset.Add(int64(d)) }
func lists(n int64) x509.RevocationList { return listsAt(n, noon.Add(time.Duration(n)*time.Minute)) }

// listsAt is list number n, which revokes serial numbers 1 to n.
func listsAt(n int64, at time.Time) x509.RevocationList {
	var entries []x509.RevocationListEntry
	for i := int64(1); i <= n; i++ {
		entries = append(entries, revoked(i, 1))
	}
	return x509.RevocationList{Number: big.NewInt(n), ThisUpdate: at, NextUpdate: at.AddDate(0, 0, 7), RevokedCertificateEntries: entries}
}

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

func newClient(t testing.TB) *fetch.Client {
	t.Helper()
	c, err := fetch.New(fetch.Options{Allow: loopback})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// scene is a store, an authority and its service.
type scene struct {
	t     *testing.T
	a     authority
	web   *service
	store *Store
	clock clock
	dir   string
}

func newScene(t *testing.T, dir string, o StoreOptions) *scene {
	s := &scene{t: t, a: newAuthority(t, "Test CA", ecKey()), web: newService(t), dir: dir}
	o.Fetch, o.Now = newClient(t), s.clock.now
	s.store = s.another(o)
	return s
}

func (s *scene) another(o StoreOptions) *Store {
	s.t.Helper()
	store, err := OpenStore(s.dir, o)
	if err != nil {
		s.t.Fatal(err)
	}
	return store
}

func (s *scene) publish(template x509.RevocationList) {
	der := s.a.list(s.t, template)
	s.web.set(func(w *service) { w.body, w.status = der, 0 })
}

// check is what a caller of Update has checked: that the authority signed the list.
func (s *scene) check(l *List) (Digest, error) {
	return sha256.Sum256(s.a.cert.RawSubjectPublicKeyInfo), l.CheckSigner(s.a.cert)
}

func (s *scene) update(fresh time.Duration) (*Index, bool, error) {
	return s.store.Update(s.t.Context(), s.web.URL, s.a.cert, fresh, s.check)
}

// want updates, and wants list number n, fetched or not, with so many requests made since the beginning.
func (s *scene) want(what string, fresh time.Duration, n int64, fetched bool, requests int32) {
	s.t.Helper()
	x, got, err := s.update(fresh)
	if err != nil || got != fetched || s.web.requests.Load() != requests {
		s.t.Fatalf("%s: fetched %v, %v, after %d requests", what, got, err, s.web.requests.Load())
	}
	s.isNumber(what, x, n)
}

func (s *scene) isNumber(what string, x *Index, n int64) {
	s.t.Helper()
	if x == nil || x.List().Number.Int64() != n || !x.SignedBy(s.a.cert) {
		s.t.Fatalf("%s: %+v, want list number %d", what, x, n)
	}
	for _, serial := range []int64{n, n + 1} {
		if f, err := x.Lookup(big.NewInt(serial), s.a.cert.RawSubject); err != nil || (f != nil) != (serial <= n) {
			s.t.Fatalf("%s: serial number %d: %+v, %v", what, serial, f, err)
		}
	}
	if der, err := x.Raw(); err != nil || sha256.Sum256(der) != x.List().Digest {
		s.t.Fatalf("%s: raw: %v", what, err)
	}
}

// everyStore runs a test with a folder and without one.
func everyStore(t *testing.T, o StoreOptions, f func(*testing.T, *scene)) {
	t.Parallel()
	t.Run("folder", func(t *testing.T) { t.Parallel(); f(t, newScene(t, t.TempDir(), o)) })
	t.Run("memory", func(t *testing.T) { t.Parallel(); f(t, newScene(t, "", o)) })
}

func TestStore(t *testing.T) {
	everyStore(t, StoreOptions{}, func(t *testing.T, s *scene) {
		if x, due, err := s.store.Kept(s.web.URL, s.a.cert); x != nil || err != nil || !due {
			t.Errorf("before anything: %+v, %v", x, err)
		}
		s.publish(lists(1))
		s.want("first", 0, 1, true, 1)
		s.want("kept", 0, 1, false, 1)
		if x, due, err := s.store.Kept(s.web.URL, s.a.cert); err != nil || due {
			t.Errorf("kept: due %v, %v", due, err)
		} else {
			s.isNumber("kept", x, 1)
		}
		s.clock.move(time.Hour)
		s.want("fresh enough", 2*time.Hour, 1, false, 1)
		s.want("not fresh enough", 30*time.Minute, 1, true, 2)
		s.want("confirmed a moment ago", 30*time.Minute, 1, false, 2)
		s.publish(lists(2))
		s.clock.move(3 * time.Hour)
		s.want("refresh not due", 0, 1, false, 2)
		s.clock.move(2 * time.Hour)
		if _, due, err := s.store.Kept(s.web.URL, s.a.cert); err != nil || !due {
			t.Errorf("refresh: due %v, %v", due, err)
		}
		s.want("refresh due", 0, 2, true, 3)
		s.web.set(func(w *service) { w.noETag = true })
		s.clock.move(5 * time.Hour)
		s.want("sent again", 0, 2, true, 4)
		s.want("kept again", 0, 2, false, 4)
		if n := s.web.full.Load(); n != 3 {
			t.Errorf("%d downloads, want 3", n)
		}
		s.clock.move(-24 * time.Hour)
		s.want("clock set back", 0, 2, true, 5)
	})
}

// TestMaxAge has the service say how long its list may be used.
func TestMaxAge(t *testing.T) {
	everyStore(t, StoreOptions{}, func(t *testing.T, s *scene) {
		s.web.set(func(w *service) { w.maxAge = 1 })
		s.publish(lists(1))
		s.want("first", 0, 1, true, 1)
		s.clock.move(time.Minute)
		s.want("not every second", 0, 1, false, 1)
		s.web.set(func(w *service) { w.maxAge = 24 * 3600 })
		s.clock.move(5 * time.Minute)
		s.want("due", 0, 1, true, 2)
		s.clock.move(3 * time.Hour)
		s.want("not due", 0, 1, false, 2)
		s.clock.move(2 * time.Hour)
		s.want("refresh comes first", 0, 1, true, 3)
		s.clock.move(8 * 24 * time.Hour)
		x, fetched, err := s.update(0)
		if err != nil || !fetched || x.List().Number.Int64() != 1 {
			t.Errorf("the service has nothing newer: %v, %v", fetched, err)
		}
		if x, _, err := s.store.Kept(s.web.URL, s.a.cert); err != nil || x == nil {
			t.Errorf("a list that is over is still kept for past times: %v", err)
		}
	})
}

// TestReplay serves older lists.
func TestReplay(t *testing.T) {
	everyStore(t, StoreOptions{Retry: time.Nanosecond}, func(t *testing.T, s *scene) {
		s.publish(lists(5))
		s.want("first", 0, 5, true, 1)
		requests := int32(1)
		for name, template := range map[string]x509.RevocationList{
			"lower number": listsAt(4, noon.Add(30*time.Minute)), "earlier": listsAt(6, noon.Add(-time.Minute)), "both": lists(3),
		} {
			s.publish(template)
			s.clock.move(5 * time.Hour)
			x, fetched, err := s.update(0)
			if requests++; !errors.Is(err, ErrOlder) || fetched {
				t.Fatalf("%s: %v, %v", name, fetched, err)
			}
			s.isNumber(name, x, 5)
		}
		s.clock.move(8 * 24 * time.Hour) // the list at hand is over: that is no reason to take an older one
		if x, _, err := s.update(0); x != nil || !errors.Is(err, ErrOlder) {
			t.Errorf("over: %+v, %v", x, err)
		}
		other := s.a
		s.a = newAuthority(t, "Other CA", ecKey())
		s.publish(lists(9))
		s.a = other
		s.clock.move(time.Second)
		if x, _, err := s.update(0); x != nil || !errors.Is(err, ErrScope) {
			t.Errorf("of another issuer: %+v, %v", x, err)
		}
	})
}

func TestServiceDown(t *testing.T) {
	everyStore(t, StoreOptions{}, func(t *testing.T, s *scene) {
		s.web.set(func(w *service) { w.status = 503 })
		if x, _, err := s.update(0); x != nil || !errors.Is(err, fetch.ErrStatus) {
			t.Fatalf("first: %+v, %v", x, err)
		}
		s.publish(lists(1))
		if x, _, err := s.update(0); x != nil || !errors.Is(err, fetch.ErrStatus) || s.web.requests.Load() != 1 {
			t.Fatalf("asked again at once: %v, %d requests", err, s.web.requests.Load())
		}
		s.clock.move(time.Minute)
		s.want("up again", 0, 1, true, 2)
		s.web.set(func(w *service) { w.status = 404 })
		s.clock.move(5 * time.Hour)
		x, fetched, err := s.update(0)
		if !errors.Is(err, fetch.ErrStatus) || fetched {
			t.Errorf("down again: %v, %v", fetched, err)
		}
		s.isNumber("the list at hand", x, 1)
		s.clock.move(8 * 24 * time.Hour)
		if x, _, err := s.update(0); !errors.Is(err, fetch.ErrStatus) || x != nil {
			t.Errorf("over: %+v, %v", x, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		s.clock.move(time.Minute)
		if _, _, err := s.store.Update(ctx, s.web.URL, s.a.cert, 0, s.check); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: %v", err)
		}
		s.publish(listsAt(2, s.clock.now().Add(-time.Minute)))
		s.want("a caller who gave up is no failure", 0, 2, true, s.web.requests.Load()+1)
	})
}

func TestOffline(t *testing.T) {
	t.Parallel()
	s := newScene(t, t.TempDir(), StoreOptions{})
	s.publish(lists(1))
	s.want("first", 0, 1, true, 1)
	offline := s.another(StoreOptions{Now: s.clock.now})
	if x, fetched, err := offline.Update(t.Context(), s.web.URL, s.a.cert, 0, s.check); err != nil || fetched || x == nil {
		t.Errorf("%+v, %v, %v", x, fetched, err)
	}
	s.clock.move(5 * time.Hour)
	if x, _, err := offline.Update(t.Context(), s.web.URL, s.a.cert, 0, s.check); !errors.Is(err, fetch.ErrUnavailable) || x == nil {
		t.Errorf("due: %+v, %v", x, err)
	}
	if x, _, err := offline.Update(t.Context(), s.web.URL+"/x", s.a.cert, 0, s.check); !errors.Is(err, fetch.ErrUnavailable) || x != nil {
		t.Errorf("nothing kept: %+v, %v", x, err)
	}
}

// TestLies has the service answer with what is no list, or not the issuer's.
func TestLies(t *testing.T) {
	everyStore(t, StoreOptions{Retry: time.Nanosecond, MaxList: 5000}, func(t *testing.T, s *scene) {
		s.publish(lists(1))
		good := s.web.body
		tampered := bytes.Clone(good)
		tampered[len(tampered)-1] ^= 1
		for name, lie := range map[string]struct {
			body []byte
			want error
		}{
			"page":      {[]byte("<html>please log in</html>"), ErrMalformed},
			"cut":       {good[:len(good)-5], ErrMalformed},
			"tampered":  {tampered, ErrSigner},
			"others":    {newAuthority(t, "Other CA", ecKey()).list(t, lists(1)), ErrSigner},
			"large":     {s.a.list(t, lists(500)), fetch.ErrTooLarge},
			"nothing":   {nil, ErrMalformed},
			"PEM of it": {pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: tampered}), ErrSigner},
		} {
			s.web.set(func(w *service) { w.body = lie.body })
			s.clock.move(time.Second)
			if x, _, err := s.update(0); x != nil || !errors.Is(err, lie.want) {
				t.Errorf("%s: %+v, %v", name, x, err)
			}
			if x, _, err := s.store.Kept(s.web.URL, s.a.cert); x != nil || err != nil {
				t.Errorf("%s: kept %+v, %v", name, x, err)
			}
		}
		for _, f := range s.files() {
			if !strings.HasPrefix(f, "lock-") {
				t.Errorf("left behind: %s", f)
			}
		}
		s.clock.move(time.Second)
		s.web.set(func(w *service) { w.body = pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: good}) })
		s.want("PEM", 0, 1, true, s.web.requests.Load()+1)
	})
}

// files lists the store's folder.
func (s *scene) files() (names []string) {
	s.t.Helper()
	if s.dir == "" {
		return nil
	}
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// TestPlaces: an issuer's list does not push out another's at the same address.
func TestPlaces(t *testing.T) {
	everyStore(t, StoreOptions{}, func(t *testing.T, s *scene) {
		s.publish(lists(5))
		s.want("first", 0, 5, true, 1)
		ours := s.a
		s.a = newAuthority(t, "Other CA", ecKey())
		s.publish(lists(9))
		s.want("the other", 0, 9, true, 2)
		s.a = ours
		s.want("ours again", 0, 5, false, 2)
	})
}

func TestFolder(t *testing.T) {
	t.Parallel()
	s := newScene(t, filepath.Join(t.TempDir(), "a", "b"), StoreOptions{})
	s.publish(lists(1))
	s.want("first", 0, 1, true, 1)
	second := s.another(StoreOptions{Now: s.clock.now}) // as another process would
	x, _, err := second.Kept(s.web.URL, s.a.cert)
	if err != nil {
		t.Fatal(err)
	}
	s.isNumber("second process", x, 1)
	s.publish(lists(2))
	s.clock.move(5 * time.Hour)
	s.want("replaced", 0, 2, true, 2)
	if y, _, err := second.Kept(s.web.URL, s.a.cert); err != nil {
		t.Error(err)
	} else {
		s.isNumber("second process, afterwards", y, 2)
	}
	if _, err := x.Lookup(big.NewInt(1), s.a.cert.RawSubject); err != nil {
		t.Errorf("the list that was replaced is still read: %v", err)
	}
	if names := s.files(); len(names) != 4 {
		t.Errorf("files: %v", names)
	}
	info, err := os.Stat(s.dir)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("folder: %v, %v", info.Mode(), err)
	}
	if _, err := OpenStore(filepath.Join(s.dir, s.files()[0], "x"), StoreOptions{}); !errors.Is(err, ErrStore) {
		t.Errorf("below a file: %v", err)
	}
}

// TestDamagedFolder damages each file at each of some places: what comes of it is the right list, none, or an error, and an update mends it.
func TestDamagedFolder(t *testing.T) {
	t.Parallel()
	s := newScene(t, t.TempDir(), StoreOptions{})
	s.publish(lists(3))
	s.want("first", 0, 3, true, 1)
	for _, name := range s.files() {
		path := filepath.Join(s.dir, name)
		good, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		damages := map[string][]byte{"gone": nil, "empty": {}}
		for i := 0; i < len(good); i += 1 + len(good)/40 {
			bad := bytes.Clone(good)
			bad[i] ^= 0x20
			damages[fmt.Sprintf("byte %d", i)], damages[fmt.Sprintf("cut at %d", i)] = bad, good[:i]
		}
		for what, bad := range damages {
			os.Remove(path)
			if what != "gone" {
				if err := os.WriteFile(path, bad, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			store := s.another(s.store.o)
			x, _, err := store.Kept(s.web.URL, s.a.cert)
			if err != nil && !errors.Is(err, ErrCorrupt) {
				t.Fatalf("%s, %s: %v", name, what, err)
			}
			for serial := int64(1); x != nil && serial <= 4; serial++ {
				if f, err := x.Lookup(big.NewInt(serial), s.a.cert.RawSubject); err != nil && !errors.Is(err, ErrCorrupt) || err == nil && (f != nil) != (serial <= 3) {
					t.Fatalf("%s, %s: serial number %d: %+v, %v", name, what, serial, f, err)
				}
			}
			if x != nil {
				if _, err := x.Raw(); err != nil && !errors.Is(err, ErrCorrupt) && !errors.Is(err, fs.ErrNotExist) {
					t.Fatalf("%s, %s: %v", name, what, err)
				}
			}
			if x, _, err = store.Update(t.Context(), s.web.URL, s.a.cert, 0, s.check); err != nil || x.List().Number.Int64() != 3 {
				t.Fatalf("%s, %s: update: %v", name, what, err)
			}
			if err := os.WriteFile(path, good, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestSizeCap: the lists confirmed longest ago make room; what dead writers left goes after a while.
func TestSizeCap(t *testing.T) {
	t.Parallel()
	s := newScene(t, t.TempDir(), StoreOptions{MaxBytes: 30_000})
	left := []string{".tmp-old", strings.Repeat("0", 40) + "-00.idx"}
	for _, name := range append(left, ".tmp-new", strings.Repeat("1", 40)+"-00.idx", "notes.txt") {
		if err := os.WriteFile(filepath.Join(s.dir, name), make([]byte, 10), 0o600); err != nil {
			t.Fatal(err)
		}
		age := time.Duration(0)
		if strings.HasSuffix(name, "old") || strings.HasPrefix(name, "0") {
			age = 2 * time.Hour
		}
		if err := os.Chtimes(filepath.Join(s.dir, name), time.Time{}, s.clock.now().Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	s.publish(lists(100))
	for i := range 8 {
		url := fmt.Sprintf("%s/%d", s.web.URL, i)
		if _, _, err := s.store.Update(t.Context(), url, s.a.cert, 0, s.check); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(filepath.Join(s.dir, keyOf(url, s.a.cert)+refSuffix), time.Time{}, s.clock.now().Add(time.Duration(i)*time.Second)); err != nil {
			t.Fatal(err)
		}
	}
	total, refs := int64(0), 0
	for _, name := range s.files() {
		info, err := os.Stat(filepath.Join(s.dir, name))
		if err != nil {
			t.Fatal(err)
		}
		total += info.Size()
		if strings.HasSuffix(name, refSuffix) {
			refs++
		}
		for _, l := range left {
			if name == l {
				t.Errorf("%s was left", name)
			}
		}
	}
	if total > 31_000 || refs < 2 || refs > 6 {
		t.Errorf("%d bytes in %d lists: %v", total, refs, s.files())
	}
	for i, want := range map[int]bool{0: false, 7: true, 6: true} {
		if x, _, err := s.store.Kept(fmt.Sprintf("%s/%d", s.web.URL, i), s.a.cert); err != nil || (x != nil) != want {
			t.Errorf("list %d: %+v, %v", i, x, err)
		}
	}
	memory := newScene(t, "", StoreOptions{MaxBytes: 30_000})
	memory.publish(lists(100))
	for i := range 8 {
		memory.clock.move(time.Second)
		if _, _, err := memory.store.Update(t.Context(), fmt.Sprintf("%s/%d", memory.web.URL, i), memory.a.cert, 0, memory.check); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(memory.store.open); n < 2 || n > 6 {
		t.Errorf("%d lists in memory", n)
	}
}

// TestManyCallers: one download for all of them.
func TestManyCallers(t *testing.T) {
	everyStore(t, StoreOptions{}, func(t *testing.T, s *scene) {
		s.publish(lists(3))
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				if x, _, err := s.update(0); err != nil || x.List().Number.Int64() != 3 {
					t.Errorf("%+v, %v", x, err)
				}
			})
		}
		wg.Wait()
		if n := s.web.requests.Load(); n != 1 {
			t.Errorf("%d requests", n)
		}
	})
}

func TestFullDisk(t *testing.T) {
	t.Parallel()
	s := newScene(t, t.TempDir(), StoreOptions{})
	s.publish(lists(1))
	if err := os.RemoveAll(s.dir); err != nil {
		t.Fatal(err)
	}
	if x, _, err := s.update(0); x != nil || !errors.Is(err, ErrStore) {
		t.Errorf("folder gone: %+v, %v", x, err)
	}
	to := &sink{}
	w := noting{to, &fullDisk{3}}
	if _, err := w.Write([]byte("four")); err != errFull || to.err() != errFull {
		t.Errorf("%v, %v", err, to.err())
	}
}
