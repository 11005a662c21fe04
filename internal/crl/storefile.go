package crl

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/eidkit/eidkit/internal/atomicfile"
	"github.com/eidkit/eidkit/internal/fetch"
)

// reference is what the folder has under the name KEY.ref: which files hold the list of an address. It is the one file that is ever
// replaced; KEY-DIGEST.crl (the DER) and KEY-DIGEST.idx (the index) are written before it and do not change.
type reference struct {
	URL          string    `json:"url"`
	ETag         string    `json:"etag,omitempty"`
	LastModified string    `json:"lastModified,omitempty"`
	Checked      time.Time `json:"checked"`          // when the service last said that this is its list
	MaxAge       int64     `json:"maxAge,omitempty"` // seconds it may be used from then on, if the service said
	Name         string    `json:"name"`             // of the files, without suffix
}

const (
	refSuffix = ".ref"
	idxSuffix = ".idx"
	crlSuffix = ".crl"
	refHead   = "eidkit-crl-ref-1 "
	maxRef    = 32 << 10
)

// encode writes the reference with a checksum in front.
func (r *reference) encode() ([]byte, error) {
	text, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	return fmt.Appendf(nil, "%s%08x\n%s\n", refHead, crc32.Checksum(text, castagnoli), text), nil
}

func decodeReference(data []byte) (r reference, err error) {
	line, text, _ := bytes.Cut(data, []byte("\n"))
	text = bytes.TrimSuffix(text, []byte("\n"))
	if string(line) != fmt.Sprintf("%s%08x", refHead, crc32.Checksum(text, castagnoli)) || json.Unmarshal(text, &r) != nil {
		return r, fmt.Errorf("%w: reference", ErrCorrupt)
	}
	if r.Name == "" || strings.Trim(r.Name, "0123456789abcdef-") != "" {
		return r, fmt.Errorf("%w: reference to %q", ErrCorrupt, r.Name)
	}
	return r, nil
}

// load returns the list that is kept, nil if there is none.
func (s *Store) load(key string) (*held, error) {
	s.mu.Lock()
	h := s.open[key]
	if h != nil {
		h.used = s.o.Now()
	}
	s.mu.Unlock()
	if s.dir == "" {
		return h, nil
	}
	path := filepath.Join(s.dir, key+refSuffix)
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil && h != nil && os.SameFile(h.info, info) && h.info.ModTime().Equal(info.ModTime()) {
		return h, nil
	}
	// Between the reference and the index somebody may replace both: then there is a new reference to follow.
	for try := 0; err == nil; try++ {
		if h, err = s.follow(path); err == nil {
			s.hold(key, h)
			return h, nil
		}
		if errors.Is(err, fs.ErrNotExist) && try < 3 {
			err = nil
		}
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil // removed meanwhile, or torn out: it is fetched again
	case errors.Is(err, ErrCorrupt):
		return nil, err
	}
	return nil, fmt.Errorf("%w: %w", ErrStore, err)
}

// follow opens what a reference names.
func (s *Store) follow(path string) (*held, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(f, maxRef))
	if err != nil {
		return nil, err
	}
	ref, err := decodeReference(data)
	if err != nil {
		return nil, err
	}
	x, err := OpenIndex(filepath.Join(s.dir, ref.Name+idxSuffix))
	if err != nil {
		return nil, err
	}
	x.path = filepath.Join(s.dir, ref.Name+crlSuffix)
	return &held{index: x, ref: ref, info: info}, nil
}

// errSame says that the service sent once more what is kept.
var errSame = errors.New("the same list")

// download fetches a list and keeps it, or confirms the one at hand.
func (s *Store) download(ctx context.Context, key, url string, old *held, check func(*List) (Digest, error)) (*held, error) {
	req := fetch.Request{MaxBytes: s.o.MaxList}
	if old != nil {
		req.ETag, req.LastModified = old.ref.ETag, old.ref.LastModified
	}
	to, err := s.newSink()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrStore, err)
	}
	defer to.abort()
	var list *List
	resp, err := s.o.Fetch.Stream(ctx, url, req, func(_ *fetch.Response, body io.Reader) error {
		der, err := DER(body)
		if err != nil {
			return err
		}
		list, err = Pack(io.TeeReader(der, to.der), to.index, func(l *List) (Digest, error) {
			if old != nil && l.Digest == old.index.list.Digest {
				return Digest{}, errSame
			}
			if old != nil {
				if err := l.NewerThan(old.index.list); err != nil {
					return Digest{}, err
				}
			}
			return check(l)
		})
		return err
	})
	same := errors.Is(err, errSame)
	switch {
	case same:
		resp = &fetch.Response{ETag: req.ETag, LastModified: req.LastModified}
	case err != nil && to.err() != nil:
		return nil, fmt.Errorf("%w: %w", ErrStore, to.err())
	case err != nil:
		return nil, err
	}
	ref := reference{URL: url, ETag: resp.ETag, LastModified: resp.LastModified, Checked: s.o.Now().UTC(), MaxAge: int64(resp.MaxAge / time.Second)}
	if same || resp.NotModified {
		return s.confirm(key, old, ref)
	}
	ref.Name = key + "-" + hex.EncodeToString(list.Digest[:8])
	h, err := s.place(key, ref, to)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrStore, err)
	}
	return h, nil
}

// confirm notes that the list at hand is still the service's.
func (s *Store) confirm(key string, old *held, ref reference) (*held, error) {
	ref.Name = old.ref.Name
	if ref.ETag == "" {
		ref.ETag = old.ref.ETag
	}
	if ref.LastModified == "" {
		ref.LastModified = old.ref.LastModified
	}
	if s.dir == "" {
		return &held{index: old.index, ref: ref}, nil
	}
	h, err := s.refer(key, ref)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrStore, err)
	}
	return h, nil
}

// place puts a list that was downloaded where readers find it.
func (s *Store) place(key string, ref reference, to *sink) (*held, error) {
	if s.dir == "" {
		x, err := openBytes(to.memory[1].Bytes())
		if err != nil {
			return nil, err
		}
		x.der = to.memory[0].Bytes()
		return &held{index: x, ref: ref}, nil
	}
	for i, suffix := range []string{crlSuffix, idxSuffix} {
		if err := to.files[i].Commit(filepath.Join(s.dir, ref.Name+suffix)); err != nil {
			return nil, err
		}
	}
	h, err := s.refer(key, ref)
	if err == nil {
		s.sweep(key, ref.Name)
	}
	return h, err
}

// refer writes the reference and opens what it names.
func (s *Store) refer(key string, ref reference) (*held, error) {
	data, err := ref.encode()
	if err != nil {
		return nil, err
	}
	path := filepath.Join(s.dir, key+refSuffix)
	if err := atomicfile.Write(path, data); err != nil {
		return nil, err
	}
	return s.follow(path)
}

// sink takes the DER and the index of a list that is downloaded: two files, or memory.
type sink struct {
	der, index io.Writer
	files      [2]*atomicfile.File
	memory     [2]bytes.Buffer
	failed     error
}

func (s *Store) newSink() (*sink, error) {
	to := &sink{}
	if s.dir == "" {
		to.der, to.index = &to.memory[0], &to.memory[1]
		return to, nil
	}
	for i := range to.files {
		f, err := atomicfile.Create(s.dir)
		if err != nil {
			to.abort()
			return nil, err
		}
		to.files[i] = f
	}
	to.der, to.index = noting{to, to.files[0]}, noting{to, to.files[1]}
	return to, nil
}

func (to *sink) abort() {
	for _, f := range to.files {
		if f != nil {
			f.Abort()
		}
	}
}

// err is what went wrong with the disk, as opposed to the network and the list.
func (to *sink) err() error { return to.failed }

// noting remembers that it was the disk that failed.
type noting struct {
	to *sink
	w  io.Writer
}

func (n noting) Write(p []byte) (int, error) {
	k, err := n.w.Write(p)
	if err != nil {
		n.to.failed = err
	}
	return k, err
}

// Raw returns the DER of the list, where it is kept beside the index: not for those of PackBytes and OpenIndex. Errors: ErrCorrupt, those
// of the file.
func (x *Index) Raw() ([]byte, error) {
	der := x.der
	if der == nil {
		if x.path == "" {
			return nil, fmt.Errorf("%w: the list is not kept", fs.ErrNotExist)
		}
		var err error
		if der, err = os.ReadFile(x.path); err != nil {
			return nil, err
		}
	}
	if sha256.Sum256(der) != x.list.Digest {
		return nil, fmt.Errorf("%w: %s", ErrCorrupt, filepath.Base(x.path))
	}
	return der, nil
}
