// Package truststore keeps trust anchors on disk: a file for each certificate
// and an index that says from when and until when it is trusted, where it came
// from and when.
//
// Start with New and Store.List; Store.Add and Store.Remove change it. What is
// in the folder and not in order is named and not trusted: nothing is guessed.
//
// The folder holds index.json and a file <SHA-256 of the certificate>.pem for
// each entry. Every file is written beside its place and moved there, the
// certificate before the index that names it, so that a crash leaves the old
// state or the new one. Writers lock the folder against each other.
//
// Out of scope: what the anchors are used for, which is for package verify.
package truststore

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/eidkit/eidkit/internal/atomicfile"
	"github.com/eidkit/eidkit/internal/certs"
)

// Bounds of what is read.
const (
	maxIndex   = 32 << 20
	maxEntries = certs.MaxBundle
	maxText    = 1024 // of Origin, in bytes
)

// indexName is the file beside the certificates.
const indexName = "index.json"

// Errors of this package.
var (
	// ErrIndex: the index cannot be read. Nothing in the store is trusted then.
	ErrIndex = errors.New("the index of the trust store cannot be used")
	// ErrEntry: one entry is not in order, and not trusted.
	ErrEntry = errors.New("entry of the trust store cannot be used")
	// ErrNotFound: no entry has that fingerprint.
	ErrNotFound = errors.New("not in the trust store")
)

// Fingerprint is SHA-256 over a DER certificate.
type Fingerprint = [sha256.Size]byte

// Entry is one anchor.
type Entry struct {
	Certificate *x509.Certificate
	// Granted and Withdrawn are the time of trust: from the one up to but not
	// including the other. Zero: without bound.
	Granted, Withdrawn time.Time
	// Origin says where the certificate came from: a file, a URL.
	Origin string
	Added  time.Time
}

// Problem is something in the folder that is not in order. Err wraps ErrEntry.
type Problem struct {
	Name string // of the file, or the fingerprint in the index
	Err  error
}

// Store is a folder of anchors. It need not exist before the first Add. Store
// keeps nothing in memory and is safe for concurrent use, also by several
// processes.
type Store struct{ dir string }

// New returns the store in that folder.
func New(dir string) *Store { return &Store{dir: dir} }

// Dir is the folder.
func (s *Store) Dir() string { return s.dir }

// index is the file index.json.
type index struct {
	Schema  int         `json:"schema"`
	Anchors []indexLine `json:"anchors"`
}

// indexLine is one entry in it. The times are RFC 3339.
type indexLine struct {
	SHA256    string     `json:"sha256"`
	Granted   *time.Time `json:"granted,omitempty"`
	Withdrawn *time.Time `json:"withdrawn,omitempty"`
	Origin    string     `json:"origin,omitempty"`
	Added     time.Time  `json:"added"`
}

// List returns the entries, by subject, and what is not in order. A store that
// is not there is empty. Errors: ErrIndex, or the disk's.
func (s *Store) List() ([]Entry, []Problem, error) {
	lines, err := s.readIndex()
	if err != nil {
		return nil, nil, err
	}
	var entries []Entry
	var problems []Problem
	bad := func(name string, err error) {
		problems = append(problems, Problem{name, fmt.Errorf("%w: %s: %w", ErrEntry, name, err)})
	}
	named := map[string]bool{indexName: true, lockName: true}
	for _, line := range lines {
		fp, err := parseFingerprint(line.SHA256)
		if err != nil {
			bad(fmt.Sprintf("%.80q", line.SHA256), err)
			continue
		}
		name := fileName(fp)
		if named[name] {
			bad(name, errors.New("it stands in the index twice"))
			continue
		}
		named[name] = true
		c, err := s.readCertificate(fp)
		if err != nil {
			bad(name, err)
			continue
		}
		e := Entry{Certificate: c, Origin: line.Origin, Added: line.Added}
		if line.Granted != nil {
			e.Granted = *line.Granted
		}
		if line.Withdrawn != nil {
			e.Withdrawn = *line.Withdrawn
		}
		entries = append(entries, e)
	}
	entries = inOrder(entries, problems)
	strangers, err := s.strangers(named)
	if err != nil {
		return nil, nil, err
	}
	for _, name := range strangers {
		bad(name, errors.New("the index does not name it"))
	}
	return entries, problems, nil
}

// inOrder sorts the entries by subject and leaves out those that were named
// twice: they are trusted in neither way.
func inOrder(entries []Entry, problems []Problem) []Entry {
	twice := map[string]bool{}
	for _, p := range problems {
		twice[p.Name] = true
	}
	type row struct {
		Entry
		subject string
	}
	var rows []row
	for _, e := range entries {
		if !twice[fileName(sha256.Sum256(e.Certificate.Raw))] {
			rows = append(rows, row{e, certs.NameString(e.Certificate.RawSubject)})
		}
	}
	slices.SortStableFunc(rows, func(a, b row) int {
		return cmp.Or(strings.Compare(a.subject, b.subject), a.Certificate.NotAfter.Compare(b.Certificate.NotAfter))
	})
	list := make([]Entry, len(rows))
	for i, r := range rows {
		list[i] = r.Entry
	}
	return list
}

// strangers are files in the folder that nobody named. Remains of a write that
// was cut short begin with a dot and are no matter.
func (s *Store) strangers(named map[string]bool) ([]string, error) {
	files, err := os.ReadDir(s.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the trust store: %w", err)
	}
	var list []string
	for _, f := range files {
		if !named[f.Name()] && !strings.HasPrefix(f.Name(), ".") && len(list) < maxEntries {
			list = append(list, f.Name())
		}
	}
	return list, nil
}

// readIndex returns the lines of the index; none if there is no index.
func (s *Store) readIndex() ([]indexLine, error) {
	data, err := ReadBounded(filepath.Join(s.dir, indexName), maxIndex)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrIndex, err)
	}
	var x index
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields() // a bound that is misspelt must not be lost
	if err := d.Decode(&x); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrIndex, indexName, err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("%w: %s: data behind the end", ErrIndex, indexName)
	}
	if x.Schema != 1 {
		return nil, fmt.Errorf("%w: %s: schema %d, not 1", ErrIndex, indexName, x.Schema)
	}
	if len(x.Anchors) > maxEntries {
		return nil, fmt.Errorf("%w: %s: more than %d anchors", ErrIndex, indexName, maxEntries)
	}
	return x.Anchors, nil
}

// readCertificate reads the file of an entry and holds it to its fingerprint.
func (s *Store) readCertificate(fp Fingerprint) (*x509.Certificate, error) {
	data, err := ReadBounded(filepath.Join(s.dir, fileName(fp)), 2*certs.MaxCertificate)
	if err != nil {
		return nil, err
	}
	list, _, err := certs.ParseAll(data)
	if err != nil {
		return nil, err
	}
	if len(list) != 1 || sha256.Sum256(list[0].Raw) != fp {
		return nil, errors.New("it is not the certificate that its name says")
	}
	return list[0], nil
}

// Add puts an entry in, in place of one with the same certificate. Added is set
// to now if it is zero. ctx ends the wait for other writers.
func (s *Store) Add(ctx context.Context, e Entry) error {
	if e.Certificate == nil {
		return errors.New("adding to the trust store: no certificate given")
	}
	if !e.Granted.IsZero() && !e.Withdrawn.IsZero() && !e.Granted.Before(e.Withdrawn) {
		return errors.New("adding to the trust store: trust would end before it begins")
	}
	if e.Added.IsZero() {
		e.Added = time.Now()
	}
	fp := Fingerprint(sha256.Sum256(e.Certificate.Raw))
	line := indexLine{SHA256: hex.EncodeToString(fp[:]), Added: e.Added.UTC().Truncate(time.Second), Origin: strings.ToValidUTF8(e.Origin[:min(len(e.Origin), maxText)], "")}
	if !e.Granted.IsZero() {
		t := e.Granted.UTC()
		line.Granted = &t
	}
	if !e.Withdrawn.IsZero() {
		t := e.Withdrawn.UTC()
		line.Withdrawn = &t
	}
	return s.change(ctx, func(lines []indexLine) ([]indexLine, error) {
		text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: e.Certificate.Raw})
		if err := atomicfile.Write(filepath.Join(s.dir, fileName(fp)), text); err != nil {
			return nil, err
		}
		return append(without(lines, fp), line), nil
	}, nil)
}

// Remove takes an entry out, and its file. Errors: ErrNotFound.
func (s *Store) Remove(ctx context.Context, fp Fingerprint) error {
	path := filepath.Join(s.dir, fileName(fp))
	return s.change(ctx, func(lines []indexLine) ([]indexLine, error) {
		rest := without(lines, fp)
		if _, err := os.Lstat(path); err != nil && len(rest) == len(lines) {
			return nil, fmt.Errorf("%s: %w", hex.EncodeToString(fp[:]), ErrNotFound)
		}
		return rest, nil
	}, func() error {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	})
}

func without(lines []indexLine, fp Fingerprint) []indexLine {
	return slices.DeleteFunc(slices.Clone(lines), func(l indexLine) bool {
		other, err := parseFingerprint(l.SHA256)
		return err == nil && other == fp
	})
}

func fileName(fp Fingerprint) string { return hex.EncodeToString(fp[:]) + ".pem" }

func parseFingerprint(s string) (fp Fingerprint, err error) {
	if len(s) != hex.EncodedLen(len(fp)) {
		return fp, errors.New("it is no SHA-256 fingerprint")
	}
	if _, err := hex.Decode(fp[:], []byte(s)); err != nil {
		return fp, errors.New("it is no SHA-256 fingerprint")
	}
	return fp, nil
}
