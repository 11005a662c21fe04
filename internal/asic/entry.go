package asic

import (
	"bufio"
	"compress/flate"
	"context"
	"crypto"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"strings"
	"sync"
)

// Entry is one file of a container.
type Entry struct {
	// Name is the file's path in the container, with slashes, in UTF-8.
	Name string
	// Size is the number of its bytes, which reading checks.
	Size int64

	c          *Container
	head       header
	dataAt     int64
	end        int64 // behind it and its descriptor
	folder     bool
	first      bool // its local header is the first of the container
	localExtra bool
	oddName    bool

	mu      sync.Mutex
	sums    map[crypto.Hash][]byte
	section *io.SectionReader
}

// newEntry checks what can be checked on the record alone.
func newEntry(c *Container, h header) (*Entry, error) {
	name, odd, err := decodeName(&h)
	if err != nil {
		return nil, err
	}
	if err := checkName(name); err != nil {
		return nil, err
	}
	e := &Entry{Name: name, Size: h.size, c: c, head: h, oddName: odd, folder: strings.HasSuffix(name, "/")}
	// The host system 3 is Unix (APPNOTE 4.4.2): the file's mode stands above.
	mode := uint32(0)
	if h.madeBy>>8 == 3 {
		mode = h.attributes >> 16 & 0xf000
	}
	switch {
	case h.flags&(flagEncrypted|flagStrong|flagMasked) != 0:
		return nil, unsafe("%q is encrypted", name)
	case h.flags&flagPatched != 0 || h.method != stored && h.method != deflated:
		return nil, unsafe("%q is compressed by method %d", name, h.method)
	case h.method == stored && h.packed != h.size:
		return nil, unsafe("%q is stored with two sizes", name)
	case e.folder && h.size != 0:
		return nil, unsafe("the folder %q has content", name)
	case mode != 0 && mode != 0x8000 && mode != 0x4000:
		return nil, unsafe("%q is neither file nor folder", name)
	case h.size > maxTotal || h.packed > maxTotal:
		return nil, unsafe("%q has %d bytes", name, h.size)
	}
	return e, nil
}

// OddName tells that the name is not in UTF-8 in the file: other readers may decode it differently.
func (e *Entry) OddName() bool { return e.oddName }

// Open returns the content of the file. Reading it ends in an error that wraps
// ErrFormat if length or checksum are not those of the directory. The caller
// closes it. A container gives about 64 times its content in all, and
// ErrUnsafe after that: nothing honest reads more.
func (e *Entry) Open() (io.ReadCloser, error) {
	if e.c.budget.Add(-e.Size) < 0 {
		return nil, fmt.Errorf("reading %q: %w: its files are read too often", e.Name, ErrUnsafe)
	}
	packed := io.NewSectionReader(e.c.data, e.dataAt, e.head.packed)
	r := &reader{e: e, left: e.Size, sum: crc32.NewIEEE()}
	if e.head.method == stored {
		r.from = packed
		return r, nil
	}
	r.flate = inflaters.Get().(*inflater)
	r.flate.in.Reset(packed)
	if err := r.flate.out.(flate.Resetter).Reset(r.flate.in, nil); err != nil {
		return nil, fmt.Errorf("reading %q: %w", e.Name, err)
	}
	r.from = r.flate.out
	return r, nil
}

// inflater is a decompressor with its input buffer, kept for the next file.
type inflater struct {
	in  *bufio.Reader
	out io.ReadCloser
}

var inflaters = sync.Pool{New: func() any {
	in := bufio.NewReaderSize(nil, 64<<10)
	return &inflater{in: in, out: flate.NewReader(in)}
}}

// atEnd reports whether all packed bytes are used up: a reader that goes
// through the file from its start would look for the next entry there.
func (f *inflater) atEnd() bool {
	_, err := f.in.ReadByte()
	return errors.Is(err, io.EOF)
}

// reader gives exactly the bytes that the directory promises.
type reader struct {
	e     *Entry
	from  io.Reader
	flate *inflater
	left  int64
	sum   hash.Hash32
	err   error
}

func (r *reader) Read(b []byte) (int, error) {
	if r.err != nil || len(b) == 0 {
		return 0, r.err
	}
	if r.from == nil {
		return 0, fmt.Errorf("reading %q: closed", r.e.Name)
	}
	// One byte more is asked for at the end, to see that there is none.
	n, err := r.from.Read(b[:min(int64(len(b)), r.left+1)])
	if int64(n) > r.left {
		n, err = int(r.left), malformed("longer than it says")
	}
	r.left -= int64(n)
	r.sum.Write(b[:n])
	if err != nil {
		r.err = r.judge(err)
	}
	return n, r.err
}

// judge turns the end of the data, or what is wrong with them, into what Read
// says from then on.
func (r *reader) judge(err error) error {
	var corrupt flate.CorruptInputError
	switch {
	case errors.Is(err, io.EOF) && r.left > 0, errors.Is(err, io.ErrUnexpectedEOF):
		err = malformed("shorter than it says")
	case errors.Is(err, io.EOF) && r.sum.Sum32() != r.e.head.crc:
		err = malformed("the checksum does not fit")
	case errors.Is(err, io.EOF) && r.flate != nil && !r.flate.atEnd():
		err = malformed("there is more behind its compressed data")
	case errors.As(err, &corrupt):
		err = malformed("%v", corrupt)
	case errors.Is(err, io.EOF):
		return io.EOF
	}
	return fmt.Errorf("reading %q: %w", r.e.Name, err)
}

func (r *reader) Close() error {
	if r.flate != nil {
		r.flate.in.Reset(nil)
		inflaters.Put(r.flate)
	}
	r.flate, r.from = nil, nil
	return nil
}

// Bytes returns the whole content, or ErrTooLarge if that is more than limit.
func (e *Entry) Bytes(limit int64) ([]byte, error) {
	if e.Size > limit {
		return nil, fmt.Errorf("reading %q: %w: %d bytes, at most %d", e.Name, ErrTooLarge, e.Size, limit)
	}
	r, err := e.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

// Digest returns the digest of the content. It is computed once; with several
// algorithms to come, Digests computes them in one pass.
func (e *Entry) Digest(ctx context.Context, h crypto.Hash) ([]byte, error) {
	if err := e.Digests(ctx, h); err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.sums[h], nil
}

// Digests computes the digests that are not known yet, in one pass over the
// content. Algorithms that this program has not are an error.
func (e *Entry) Digests(ctx context.Context, hashes ...crypto.Hash) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	missing := map[crypto.Hash]hash.Hash{}
	var all []io.Writer
	for _, h := range hashes {
		if e.sums[h] != nil || missing[h] != nil {
			continue
		}
		if !h.Available() {
			return fmt.Errorf("hashing %q: no %v", e.Name, h)
		}
		missing[h] = h.New()
		all = append(all, missing[h])
	}
	if len(missing) == 0 {
		return nil
	}
	r, err := e.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	if _, err := io.Copy(io.MultiWriter(all...), withContext{ctx, r}); err != nil {
		return err
	}
	if e.sums == nil {
		e.sums = map[crypto.Hash][]byte{}
	}
	for h, w := range missing {
		e.sums[h] = w.Sum(nil)
	}
	return nil
}

// withContext stops reading when ctx ends.
type withContext struct {
	ctx context.Context
	r   io.Reader
}

func (w withContext) Read(b []byte) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, err
	}
	return w.r.Read(b)
}
