package crl

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/eidkit/eidkit/internal/atomicfile"
	"github.com/eidkit/eidkit/internal/certs"
	"github.com/eidkit/eidkit/internal/fetch"
)

// StoreOptions say how lists are fetched and kept. The zero value fetches nothing.
type StoreOptions struct {
	// Fetch reaches the services; nil: nothing is fetched.
	Fetch *fetch.Client
	// Refresh is how long a list is used before the service is asked whether there is a newer one: many publish more often than
	// nextUpdate says. Zero: 4 hours; a shorter time that the service itself gives (Cache-Control) comes first, down to 5 minutes.
	Refresh time.Duration
	// Retry is how long a service that failed is left alone; zero: 20 s.
	Retry time.Duration
	// MaxList bounds one list as it is downloaded, in bytes; zero: 128 MiB.
	MaxList int64
	// MaxBytes bounds the folder, lists that were not asked about for longest going first; zero: 1 GiB. In memory, half of MaxList
	// and 128 MiB are the bounds.
	MaxBytes int64
	// Now is the clock; nil: time.Now.
	Now func() time.Time
}

const (
	minRefresh    = 5 * time.Minute
	maxOpen       = 256              // indexes held open
	maxMemory     = int64(128 << 20) // of all lists when there is no folder
	leftoverAfter = time.Hour        // files nobody refers to belong to a writer that died
)

// Store keeps the lists of each address and issuer: an issuer has a place of its own, so that nobody can push out another's list.
// Several processes may share its folder: readers take no lock and see a list whole, the old one or the new one, whenever a writer
// dies. A list is only kept once it was checked, and never replaced by an older one.
//
// Whoever can write to the folder can forge: it is made accessible to its owner alone. Checksums find what disks do.
type Store struct {
	dir string // empty: in memory
	o   StoreOptions

	mu     sync.Mutex
	open   map[string]*held         // by key
	busy   map[string]chan struct{} // updates that run; closed when they end
	failed map[string]failure       // services that are left alone
}

// held is a list that is open.
type held struct {
	index *Index
	ref   reference
	info  os.FileInfo // of the reference it was opened by; nil in memory
	used  time.Time
}

type failure struct {
	until time.Time
	err   error
}

// OpenStore opens the store in a folder, which is made when it is missing; empty: a store in memory. Errors: ErrStore.
func OpenStore(dir string, o StoreOptions) (*Store, error) {
	if o.Refresh <= 0 {
		o.Refresh = 4 * time.Hour
	}
	if o.Retry <= 0 {
		o.Retry = 20 * time.Second
	}
	if o.MaxList <= 0 {
		o.MaxList = 128 << 20
	}
	if o.MaxBytes <= 0 {
		o.MaxBytes = 1 << 30
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if dir != "" {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrStore, err)
		}
	} else {
		o.MaxBytes, o.MaxList = min(o.MaxBytes, maxMemory), min(o.MaxList, maxMemory/2)
	}
	return &Store{dir: dir, o: o, open: map[string]*held{}, busy: map[string]chan struct{}{}, failed: map[string]failure{}}, nil
}

// keyOf names the place of an issuer's list.
func keyOf(url string, issuer *x509.Certificate) string {
	h := sha256.New()
	for _, part := range []string{url, certs.NameKey(issuer.RawSubject), string(issuer.RawSubjectPublicKeyInfo)} {
		sum := sha256.Sum256([]byte(part))
		h.Write(sum[:])
	}
	return hex.EncodeToString(h.Sum(nil)[:20])
}

// Kept returns the list that is kept for an address and the issuer of the certificates it is asked for, without asking anybody; nil if
// there is none. due says that its service should be asked whether there is a newer one. Errors: ErrStore, ErrCorrupt.
func (s *Store) Kept(url string, issuer *x509.Certificate) (x *Index, due bool, err error) {
	h, err := s.load(keyOf(url, issuer))
	if h == nil || err != nil {
		return nil, true, err
	}
	return h.index, s.due(h, 0), nil
}

// due tells whether the service should be asked again: the list's time is over, or the last answer longer ago than fresh (if above 0)
// or the refresh interval.
func (s *Store) due(h *held, fresh time.Duration) bool {
	now, l := s.o.Now(), h.index.list
	limit := s.o.Refresh
	if age := time.Duration(h.ref.MaxAge) * time.Second; age > 0 {
		limit = min(limit, max(age, minRefresh))
	}
	if fresh > 0 {
		limit = min(limit, fresh)
	}
	return l.NextUpdate.Before(now) || now.Sub(h.ref.Checked) > limit || h.ref.Checked.After(now.Add(limit))
}

// Update returns the list of an address, fetched if what is kept is due or its last confirmation is longer ago than fresh (zero: as
// often as the store's options say). check is asked before a list is kept, and names the key that it was checked with: its error ends
// the update. fetched tells that the service answered now.
//
// When the service fails, the list is returned beside the error if there is one at hand whose nextUpdate has not passed. Errors: ErrOlder,
// ErrStore, those of check, Parse and fetch.
func (s *Store) Update(ctx context.Context, url string, issuer *x509.Certificate, fresh time.Duration, check func(*List) (signer Digest, err error)) (x *Index, fetched bool, err error) {
	key := keyOf(url, issuer)
	h, err := s.load(key)
	if err == nil && h != nil && !s.due(h, fresh) {
		return h.index, false, nil
	}
	if s.o.Fetch == nil {
		return s.stillRight(h), false, fmt.Errorf("%w: nothing may be fetched", fetch.ErrUnavailable)
	}
	unlock, err := s.turn(ctx, key)
	if err != nil {
		return s.stillRight(h), false, err
	}
	defer unlock()
	// Whoever had the turn before may have done the work, or found that it cannot be done.
	h, err = s.load(key)
	if err == nil && h != nil && !s.due(h, fresh) {
		return h.index, false, nil
	}
	if err := s.lately(key); err != nil {
		return s.stillRight(h), false, err
	}
	got, err := s.download(ctx, key, url, h, check)
	if err != nil {
		s.remember(ctx, key, err)
		return s.stillRight(h), false, err
	}
	s.hold(key, got)
	return got.index, true, nil
}

// stillRight is the list at hand if its time is not over.
func (s *Store) stillRight(h *held) *Index {
	if h == nil || h.index.list.NextUpdate.Before(s.o.Now()) {
		return nil
	}
	return h.index
}

// lately is why the service failed a moment ago, nil if it did not.
func (s *Store) lately(key string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, ok := s.failed[key]
	if !ok || f.until.Before(s.o.Now()) {
		delete(s.failed, key)
		return nil
	}
	return fmt.Errorf("not asked again yet: %w", f.err)
}

// remember keeps a failure, unless it is the caller who gave up.
func (s *Store) remember(ctx context.Context, key string, err error) {
	if errors.Is(ctx.Err(), context.Canceled) || errors.Is(err, ErrStore) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.failed) >= 10*maxOpen {
		clear(s.failed)
	}
	s.failed[key] = failure{s.o.Now().Add(s.o.Retry), err}
}

// turn waits until nobody else, in this process or another, updates the list.
func (s *Store) turn(ctx context.Context, key string) (func(), error) {
	for {
		s.mu.Lock()
		running := s.busy[key]
		if running == nil {
			break
		}
		s.mu.Unlock()
		select {
		case <-running:
		case <-ctx.Done():
			return nil, fmt.Errorf("%w: %w", atomicfile.ErrLocked, ctx.Err())
		}
	}
	done := make(chan struct{})
	s.busy[key] = done
	s.mu.Unlock()
	end := func() {
		s.mu.Lock()
		delete(s.busy, key)
		s.mu.Unlock()
		close(done)
	}
	if s.dir == "" {
		return end, nil
	}
	unlock, err := atomicfile.Lock(ctx, filepath.Join(s.dir, "lock-"+key[:2]))
	if err != nil {
		end()
		if !errors.Is(err, atomicfile.ErrLocked) {
			err = fmt.Errorf("%w: %w", ErrStore, err)
		}
		return nil, err
	}
	return func() { unlock(); end() }, nil
}

// hold keeps an open list for the next question, and closes those not used for longest when there are many.
func (s *Store) hold(key string, h *held) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h.used = s.o.Now()
	s.open[key] = h
	for {
		size, oldest := int64(0), ""
		for k, o := range s.open {
			size += o.index.Size() + int64(len(o.index.der))
			if k != key && (oldest == "" || o.used.Before(s.open[oldest].used)) {
				oldest = k
			}
		}
		if oldest == "" || len(s.open) <= maxOpen && (s.dir != "" || size <= s.o.MaxBytes) {
			return
		}
		delete(s.open, oldest)
	}
}
