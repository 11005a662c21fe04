// Package pdf reads PDF files by ranges: objects, cross-references, and the
// revisions that incremental updates leave behind one another; and it adds
// revisions.
//
// Open gives a File; File.At and File.Last a View, which is the document as one
// revision left it. View.Resolve, View.Catalog, View.Pages and View.Form look into
// it. File.NewUpdate begins an Update: Add and Set put objects into it, and Bytes
// is what is to stand behind the file. No earlier byte is touched.
//
// A file is hostile: recursion, sizes, numbers of objects and the work for one
// file are bounded. What can be read in spite of a fault is read, and
// File.Oddities says what the fault was. A broken cross-reference is rebuilt by
// scanning, once, and File.Repaired then says so.
//
// Out of scope: showing pages, fonts, image filters, writing files from nothing,
// adding to encrypted ones.
//
// References: ISO 32000-1 and 32000-2 sections 7.2 to 7.7, 12.7.
package pdf

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// Errors of Open. Both are wrapped with the reason.
var (
	// ErrBroken: no PDF, or damaged so that its structure cannot be told.
	ErrBroken = errors.New("cannot read PDF")
	// ErrEncrypted: it opens with a password only, or its encryption is not
	// one of those of ISO 32000.
	ErrEncrypted = errors.New("PDF is encrypted")
)

// Limits. They are far above what honest files need.
const (
	maxDepth      = 64        // nesting within one object
	maxNodes      = 1 << 20   // values within one object
	maxString     = 1 << 26   // bytes of one string
	maxDecoded    = 1 << 26   // bytes of one decoded stream
	maxRatio      = 2048      // decoded to raw; deflate reaches 1032
	maxSections   = 1 << 14   // cross-reference sections
	maxChain      = 32        // references to references
	maxObjectNum  = 8_388_607 // ISO 32000-1 annex C.2
	cacheBytes    = 1 << 26   // decoded object streams kept
	cacheObjects  = 1 << 16   // parsed objects kept
	cacheWeight   = 1 << 26   // bytes of memory that they take, about
	entryCost     = 64        // of the work for one file, for each cross-reference entry: what it takes in memory
	headerWindow  = 1024      // where %PDF- may begin, ISO 32000-1 annex H.3.4
	trailerWindow = 1 << 16   // where startxref is searched, from the end
)

// File is a PDF file opened for reading. It is not safe for concurrent use.
type File struct {
	r        io.ReaderAt
	size     int64
	base     int64 // offsets in cross-references count from here
	Version  string
	Repaired bool
	// Oddities are deviations from ISO 32000 that were read over, in English.
	Oddities []string

	sections  []*section // as chained: newest first
	revisions []Revision // oldest first
	versions  []version  // by object number, then revision
	contained map[uint32][]uint32
	crypt     *crypt

	objects map[objectKey]*Indirect
	weight  int64 // of objects
	streams map[objectKey]*objectStream
	held    int64 // bytes in streams
	budget  int64 // bytes that may still be scanned or decoded
}

// Open reads the structure of the file of the given size: header,
// cross-references, encryption. Objects are read when asked for. The password
// is the empty one.
func Open(r io.ReaderAt, size int64) (*File, error) {
	f := &File{
		r: r, size: size,
		objects: map[objectKey]*Indirect{}, streams: map[objectKey]*objectStream{},
		budget: 8*size + 1<<28,
	}
	if err := f.readHeader(); err != nil {
		return nil, err
	}
	err := f.readChain()
	if err == nil {
		err = f.checkRoot()
	}
	if err != nil {
		if errors.Is(err, ErrEncrypted) {
			return nil, err
		}
		f.odd("cross-reference rebuilt by scanning: %v", err)
		if err := f.repair(); err != nil {
			return nil, err
		}
		if err := f.checkRoot(); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// Size is the length of the file in bytes.
func (f *File) Size() int64 { return f.size }

// ReadAt reads raw bytes of the file.
func (f *File) ReadAt(p []byte, off int64) (int, error) { return f.r.ReadAt(p, off) }

func (f *File) odd(format string, args ...any) {
	if len(f.Oddities) < 32 {
		f.Oddities = append(f.Oddities, fmt.Sprintf(format, args...))
	}
}

// spend takes n bytes of work from the budget; false when it is used up, which
// honest files never see.
func (f *File) spend(n int64) bool {
	f.budget -= n
	return f.budget > 0
}

// Spend is for those who work on the file further: it takes n bytes of work
// from what one file may cost, and is false when nothing is left.
func (f *File) Spend(n int64) bool { return f.spend(n) }

// readHeader finds %PDF-n.m in the first bytes.
func (f *File) readHeader() error {
	head := make([]byte, min(headerWindow+8, f.size))
	if _, err := f.r.ReadAt(head, 0); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("reading the header: %w", err)
	}
	at := bytes.Index(head, []byte("%PDF-"))
	if at < 0 || at > headerWindow {
		return fmt.Errorf("%w: no %%PDF- in the first %d bytes", ErrBroken, headerWindow)
	}
	if at > 0 {
		f.odd("%d bytes before the header", at)
	}
	f.base = int64(at)
	version := head[at+5:]
	if len(version) >= 3 && isDigit(version[0]) && version[1] == '.' && isDigit(version[2]) {
		f.Version = string(version[:3])
	}
	return nil
}

// checkRoot looks whether the newest revision has a catalog with pages, and
// sets up decryption.
func (f *File) checkRoot() error {
	if err := f.setupCrypt(); err != nil {
		return err
	}
	last := f.Last()
	catalog := last.Catalog()
	if catalog == nil {
		return fmt.Errorf("%w: no document catalog", ErrBroken)
	}
	if last.Dict(catalog["Pages"]) == nil {
		return fmt.Errorf("%w: no page tree", ErrBroken)
	}
	return nil
}
