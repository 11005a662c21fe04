// Package asic reads and writes ZIP containers that hold signatures: ASiC-S and
// ASiC-E, the containers that became ASiC (BDOC, ADOC, EDOC), OpenDocument and
// Office Open XML. It gives their files by name, with digests, reads and writes
// their manifests, and makes new containers or new versions of old ones.
//
// Start with Open, then Container.Lookup, Entry.Digest and Entry.Open;
// Container.Kind says what kind of container it is, ParseManifest reads an
// ASiCManifest, ParsePackageManifest an OpenDocument manifest. NewWriter, then
// Writer.Add and Writer.Write make an ASiC-E, or a container with more in it.
//
// The bytes are hostile. What other readers could understand in another way
// is refused (ErrUnsafe): names that stand twice, also when they differ by
// case or Unicode composition only; names that lead out of the container;
// local headers that say something else than the directory; entries that
// overlap or that the directory does not name; encryption; zip bombs. What is
// only odd is in Container.Oddities. Files are streamed: nothing is in memory
// whole but what Bytes is asked for.
//
// The ZIP structures are read here and not by archive/zip, because that
// package neither shows where headers stand nor bounds the number of entries
// before it has read them all; it is the peer in tests.
//
// What is written is deterministic, has its sizes before the data, and nothing
// that this package would not read. Entries of an earlier version are copied
// byte for byte, compressed as they are.
//
// Out of scope: split archives, methods other than stored and deflate, what
// signatures say (internal/ades/container).
//
// References: PKWARE APPNOTE.TXT 6.3.10, ETSI EN 319 162-1 (ASiC), OpenDocument
// 1.3 part 2 (packages), ECMA-376 part 2 (open packaging).
package asic

import (
	"errors"
	"fmt"
	"io"
	"sync/atomic"
)

// Errors of this package.
var (
	// ErrFormat: not a ZIP file, or a broken one.
	ErrFormat = errors.New("not a ZIP container, or a broken one")
	// ErrUnsafe: the container is refused on sight: see the package comment.
	ErrUnsafe = errors.New("container is refused")
	// ErrBomb: it would unpack to too many files or bytes. It is an ErrUnsafe.
	ErrBomb = fmt.Errorf("%w: too much to unpack", ErrUnsafe)
	// ErrManifest: a manifest that is not what it should be.
	ErrManifest = errors.New("manifest cannot be read")
	// ErrTooLarge: a file of the container is larger than the caller takes.
	ErrTooLarge = errors.New("file in the container is too large")
)

// Bounds. Those of the ratio and of the number of files in an ASiC are what EU
// DSS refuses too.
const (
	maxEntries     = 10_000  // in any container
	maxDirectory   = 8 << 20 // bytes of the central directory
	maxName        = 1024    // bytes of one name
	maxTotal       = 8 << 30 // bytes of all files together
	ratioThreshold = 1_000_000
	maxRatio       = 100
	// MaxASiCFiles bounds the files of an ASiC container.
	MaxASiCFiles = 1000
)

// Container is an opened container. It is read-only and may be used from
// several goroutines, as long as its source can be read.
type Container struct {
	// Entries are the files in the order of the directory; folders are not
	// among them.
	Entries []*Entry
	// Comment is the comment of the archive.
	Comment string
	// Oddities are English phrases on what is unusual but can be read.
	Oddities []string

	data   io.ReaderAt
	size   int64
	all    []*Entry // with the folders, in the order of the directory
	layout []*Entry // the same in the order of the file
	raw    []byte   // the comment as it stands
	total  int64    // bytes of all files
	byName map[string]*Entry
	budget atomic.Int64 // bytes that Open may still give
}

// Open reads the directory of a container and checks all local headers
// against it; it reads no file but "mimetype". Errors wrap ErrFormat or
// ErrUnsafe, or are those of data.
func Open(data io.ReaderAt, size int64) (*Container, error) {
	c, err := open(data, size)
	if err != nil {
		return nil, fmt.Errorf("opening container: %w", err)
	}
	return c, nil
}

func open(data io.ReaderAt, size int64) (*Container, error) {
	d, err := readDirectory(data, size)
	if err != nil {
		return nil, err
	}
	c := &Container{data: data, size: size, Comment: d.comment, raw: d.rawComment, Oddities: d.oddities, byName: map[string]*Entry{}}
	all := make([]*Entry, 0, len(d.headers))
	for _, h := range d.headers {
		e, err := newEntry(c, h)
		if err != nil {
			return nil, err
		}
		all = append(all, e)
		if !e.folder {
			c.total += e.Size
		}
	}
	if c.total > maxTotal || c.total > ratioThreshold && c.total/maxRatio > size {
		return nil, fmt.Errorf("%w: %d bytes would become %d", ErrBomb, size, c.total)
	}
	if err := checkNames(all); err != nil {
		return nil, err
	}
	if err := c.checkLayout(all, d); err != nil {
		return nil, err
	}
	c.all = all
	for _, e := range all {
		if !e.folder {
			c.Entries = append(c.Entries, e)
			c.byName[e.Name] = e
		}
		if e.oddName {
			c.odd("the name %q is not in UTF-8", e.Name)
		}
	}
	c.budget.Store(64*c.total + 64<<20)
	return c, c.checkMIMEType()
}

// Lookup returns the file of that name, or nil. Names are compared byte for
// byte.
func (c *Container) Lookup(name string) *Entry { return c.byName[name] }

// maxOddities bounds the list; a container with more is odd enough.
const maxOddities = 50

func (c *Container) odd(format string, args ...any) {
	if len(c.Oddities) < maxOddities {
		c.Oddities = append(c.Oddities, fmt.Sprintf(format, args...))
	}
}

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrFormat, fmt.Sprintf(format, args...))
}

func unsafe(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrUnsafe, fmt.Sprintf(format, args...))
}
