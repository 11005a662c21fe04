// Package spool keeps the documents of connections in files while they are
// looked at, signed or judged.
//
// Start with New, Store.Shelf for each connection, and Shelf.Create for a
// document that a client sends or Shelf.Make for one that the agent writes. A
// document is written once, from its first byte to its last; then it is sealed:
// nothing changes it any more, and its SHA-256, computed while the bytes came, is
// that of every byte read from it. So what a person looks at is what is signed.
//
// Files have mode 0600 and, on Unix, no name: nobody else opens them and nothing
// is left of them after a crash. All documents of a store share a quota.
//
// Out of scope: who may send documents, and what is done with them. Another
// program of the same user can reach into this one's open files; docs/security.md
// says what holds then.
package spool

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/eidkit/eidkit/agent/protocol"
)

// maxDocuments is how many documents a connection may have.
const maxDocuments = 64

// maxName is how many bytes the name of a document, and its media type, have at most.
const maxName = 255

const filePattern = "eidkit-document-*.tmp"

// Store is the folder that documents are kept in. It is safe for concurrent use.
type Store struct {
	dir   string
	quota int64

	mu     sync.Mutex
	used   int64
	guests int64 // of them, by guests
}

// New makes the folder if need be, for its owner alone, and removes what an
// earlier run left in it. All documents together have at most quota bytes, and no
// more than half of what is free in the folder now: it is often in memory, and
// other programs need room there too.
func New(dir string, quota int64) (*Store, error) {
	if quota <= 0 {
		return nil, errors.New("opening the document store: no quota")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("opening the document store: %w", err)
	}
	left, err := filepath.Glob(filepath.Join(dir, filePattern))
	if err != nil {
		return nil, fmt.Errorf("opening the document store: %w", err)
	}
	for _, path := range left {
		os.Remove(path) // one that is in use, which Windows keeps, is its owner's
	}
	if room := free(dir) / 2; room < quota {
		quota = room
	}
	return &Store{dir: dir, quota: quota}, nil
}

// Used is how many bytes of the quota are taken.
func (s *Store) Used() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.used
}

// take reserves n bytes of the quota.
func (s *Store) take(n int64, guest bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n > s.quota-s.used || guest && n > s.quota/2-s.guests {
		return protocol.Errorf(protocol.TooLarge, "there is no room for the document now: close others first")
	}
	s.used += n
	if guest {
		s.guests += n
	}
	return nil
}

func (s *Store) give(n int64, guest bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.used -= n
	if guest {
		s.guests -= n
	}
}

// Shelf holds the documents of one connection. It is safe for concurrent use.
type Shelf struct {
	store *Store
	guest bool

	mu        sync.Mutex
	documents map[protocol.DocumentID]*Document
	closed    bool
}

// Shelf is an empty shelf. Close it when the connection ends.
func (s *Store) Shelf() *Shelf {
	return &Shelf{store: s, documents: map[protocol.DocumentID]*Document{}}
}

// Guest is an empty shelf for a client that nobody knows yet: all guests together
// have half of the quota, whatever they say they will send.
func (s *Store) Guest() *Shelf {
	shelf := s.Shelf()
	shelf.guest = true
	return shelf
}

// Create opens a document of size bytes that WriteChunk will fill. One of no
// bytes is sealed at once. The error is an *Error of package protocol:
// INVALID_ARGUMENT for the name, TOO_LARGE, or INTERNAL.
func (s *Shelf) Create(name, mediaType string, size int64) (*Document, error) {
	switch {
	case size < 0:
		return nil, protocol.Errorf(protocol.InvalidArgument, "size: less than nothing")
	case size > protocol.MaxDocument:
		return nil, protocol.Errorf(protocol.TooLarge, "a document has at most %d bytes", protocol.MaxDocument)
	}
	if err := checkName(name); err != nil {
		return nil, err
	}
	if len(mediaType) > maxName || !printable(mediaType) {
		return nil, protocol.Errorf(protocol.InvalidArgument, "mediaType: not a media type")
	}
	d, err := s.open(name, mediaType, size)
	if err == nil && size == 0 {
		err = d.Seal()
	}
	return d, err
}

// Make opens a document that the agent writes, whose size is not known before
// Seal. Whoever makes it removes it unless it is sealed.
func (s *Shelf) Make(name, mediaType string) (*Document, error) {
	return s.open(name, mediaType, unknownSize)
}

func (s *Shelf) open(name, mediaType string, size int64) (*Document, error) {
	d := &Document{store: s.store, guest: s.guest, name: name, mediaType: mediaType, size: size, users: 1, hash: newHash()}
	rand.Read(d.id[:])
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return nil, protocol.Errorf(protocol.Internal, "the connection is over")
	case len(s.documents) >= maxDocuments:
		return nil, protocol.Errorf(protocol.TooLarge, "a connection has at most %d documents open", maxDocuments)
	}
	if err := s.store.take(max(size, 0), s.guest); err != nil {
		return nil, err
	}
	d.taken = max(size, 0)
	var err error
	if d.file, err = s.store.newFile(); err != nil {
		s.store.give(d.taken, s.guest)
		return nil, protocol.Errorf(protocol.Internal, "the document cannot be kept: %v", plain(err))
	}
	s.documents[d.id] = d
	return d, nil
}

// newFile is a new file that nobody else can open.
func (s *Store) newFile() (*os.File, error) {
	f, err := os.CreateTemp(s.dir, filePattern) // mode 0600
	if err != nil {
		return nil, err
	}
	if unlinkAtOnce {
		if err := os.Remove(f.Name()); err != nil {
			f.Close()
			return nil, err
		}
	}
	return f, nil
}

// Get is the document of that ID; INVALID_ARGUMENT if there is none.
func (s *Shelf) Get(id protocol.DocumentID) (*Document, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if d := s.documents[id]; d != nil {
		return d, nil
	}
	return nil, protocol.Errorf(protocol.InvalidArgument, "there is no document %s", id)
}

// Remove takes the document away, if it is there. Who is using it (Document.Use)
// keeps it till he is done.
func (s *Shelf) Remove(id protocol.DocumentID) {
	s.mu.Lock()
	d := s.documents[id]
	delete(s.documents, id)
	s.mu.Unlock()
	if d != nil {
		d.release()
	}
}

// Close removes all documents and takes no further ones.
func (s *Shelf) Close() {
	s.mu.Lock()
	all := s.documents
	s.documents, s.closed = nil, true
	s.mu.Unlock()
	for _, d := range all {
		d.release()
	}
}

// checkName refuses names that are no base names of files, or that nobody could read in a dialog.
func checkName(name string) error {
	if name == "" || len(name) > maxName || !printable(name) || strings.ContainsAny(name, `/\`) || name == "." || name == ".." {
		return protocol.Errorf(protocol.InvalidArgument, "name: a file name without folder, of at most %d bytes, is wanted", maxName)
	}
	return nil
}

func printable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}

// plain is an error of a file without its path.
func plain(err error) error {
	var p *os.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}
