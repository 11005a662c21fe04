package revocation

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/eidkit/eidkit/internal/atomicfile"
	"github.com/eidkit/eidkit/internal/fetch"
	"github.com/eidkit/eidkit/internal/ocsp"
)

// Bounds of the OCSP answers on disk.
const (
	maxAnswerFiles = 64 << 20            // bytes of all of them
	maxAnswerAge   = 40 * 24 * time.Hour // then they are of no use to anybody
	sweepEvery     = 256                 // answers written between two looks at the folder
	answerSuffix   = ".ocsp"
)

// answerCache keeps what OCSP services said, by whom it is about: in memory
// and, if it has a folder, in files that processes share. The files are the
// answers themselves, whose signatures are checked when they are used, so that
// nothing else has to be trusted.
type answerCache struct {
	dir     string
	now     func() time.Time
	memory  *lru[subject, *ocsp.Response]
	written atomic.Int64
}

// path is where the answer about a certificate is.
func (c *answerCache) path(s subject) string {
	sum := sha256.Sum256(slices.Concat(s.certificate[:], s.issuer[:]))
	name := hex.EncodeToString(sum[:20])
	return filepath.Join(c.dir, name[:2], name+answerSuffix)
}

// get returns the answer that is kept, nil if there is none.
func (c *answerCache) get(s subject) *ocsp.Response {
	if r, ok := c.memory.get(s); ok {
		return r
	}
	if c.dir == "" {
		return nil
	}
	path := c.path(s)
	if info, err := os.Stat(path); err != nil || info.Size() > maxOCSP {
		return nil
	}
	der, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	r, err := ocsp.Parse(der)
	if err != nil { // torn: the next answer replaces it
		return nil
	}
	c.memory.put(s, r, int64(len(der))*2)
	return r
}

// put keeps an answer; lasting says that it is worth a file.
func (c *answerCache) put(s subject, r *ocsp.Response, lasting bool) error {
	c.memory.put(s, r, int64(len(r.Raw))*2)
	if c.dir == "" || !lasting || r.Outer == nil {
		return nil
	}
	if c.written.Add(1)%sweepEvery == 1 {
		c.sweep()
	}
	path := c.path(s)
	err := os.MkdirAll(filepath.Dir(path), 0o700)
	if err == nil {
		err = writeUnsynced(path, r.Outer)
	}
	if err != nil {
		return fmt.Errorf("keeping the OCSP answer: %w", err)
	}
	return nil
}

// writeUnsynced replaces a file that can be had again.
func writeUnsynced(path string, data []byte) error {
	f, err := atomicfile.Create(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer f.Abort()
	if _, err := f.Write(data); err != nil {
		return err
	}
	return f.CommitUnsynced(path)
}

// sweep removes what is old and, if that is not enough, what was written
// longest ago. What cannot be removed now is removed another time.
func (c *answerCache) sweep() {
	type file struct {
		path string
		size int64
		time time.Time
	}
	var files []file
	total := int64(0)
	err := filepath.WalkDir(c.dir, func(path string, d fs.DirEntry, err error) error {
		ours := err == nil && !d.IsDir() && (strings.HasSuffix(path, answerSuffix) || strings.HasPrefix(d.Name(), atomicfile.TempPrefix))
		if !ours {
			return nil
		}
		if info, err := d.Info(); err == nil {
			files = append(files, file{path, info.Size(), info.ModTime()})
			total += info.Size()
		}
		return nil
	})
	if err != nil {
		return
	}
	slices.SortFunc(files, func(a, b file) int { return cmp.Compare(a.time.UnixNano(), b.time.UnixNano()) })
	for _, f := range files {
		if total <= maxAnswerFiles && c.now().Sub(f.time) <= maxAnswerAge {
			return
		}
		if os.Remove(f.path) == nil {
			total -= f.size
		}
	}
}

// failures remembers which addresses did not answer, so that they are left
// alone for a while: a service that is down must not cost every question its
// timeout.
type failures struct {
	now   func() time.Time
	mu    sync.Mutex
	until map[string]time.Time
	err   map[string]error
}

const (
	retryAfter  = 20 * time.Second
	maxFailures = 1000
)

// lately is why the address failed a moment ago, or nil.
func (f *failures) lately(url string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.until[url].Before(f.now()) {
		return nil
	}
	return fmt.Errorf("not asked again yet: %w", f.err[url])
}

// note remembers what came of asking: err, or nil. Only what the network did
// counts, and not a caller who gave up: the rest depends on the question.
func (f *failures) note(ctx context.Context, url string, err error) {
	down := errors.Is(err, fetch.ErrTimeout) || errors.Is(err, fetch.ErrUnavailable)
	f.mu.Lock()
	defer f.mu.Unlock()
	if !down || ctx.Err() != nil {
		delete(f.until, url)
		delete(f.err, url)
		return
	}
	if len(f.until) >= maxFailures {
		clear(f.until)
		clear(f.err)
	}
	f.until[url], f.err[url] = f.now().Add(retryAfter), err
}

// turns has questions about the same certificate wait for each other, so that
// one request answers all.
type turns struct {
	mu      sync.Mutex
	running map[subject]chan struct{}
}

// take waits for the turn. Errors: that of ctx.
func (t *turns) take(ctx context.Context, s subject) (end func(), err error) {
	for {
		t.mu.Lock()
		other := t.running[s]
		if other == nil {
			break
		}
		t.mu.Unlock()
		select {
		case <-other:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	done := make(chan struct{})
	t.running[s] = done
	t.mu.Unlock()
	return func() {
		t.mu.Lock()
		delete(t.running, s)
		t.mu.Unlock()
		close(done)
	}, nil
}
