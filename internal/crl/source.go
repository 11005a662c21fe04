package crl

import (
	"crypto"
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
	"sync"
	"sync/atomic"
)

// Sizes of the pieces a list is read in.
const (
	maxElement = 64 << 10 // one entry, the issuer's name, all extensions together
	firstChunk = 32 << 10 // most lists fit in: no more memory and no goroutine for those
	chunkSize  = 256 << 10
	slotCount  = 4
	maxMessage = 4 << 20 // of a list signed with Ed25519, which cannot be hashed on the way
)

// slot is a piece of the stream, with room in front for what was left of the one before.
type slot struct {
	mem  []byte // maxElement bytes, then the chunk
	data []byte // the chunk as read
	at   int64  // its offset in the stream
	use  atomic.Int32
}

// source gives the parser contiguous bytes of a stream. Chunks that it has left are hashed beside it.
type source struct {
	r        io.Reader
	cur      *slot
	buf      []byte // what the parser sees: left over, then chunk
	pos, end int
	at       int64 // offset in the stream of buf[0]
	eof      bool
	hash     digester
	slots    int // made so far
	free     chan *slot
}

func newSource(r io.Reader) *source {
	return &source{r: r, free: make(chan *slot, slotCount)}
}

// newBytesSource reads what is in memory, without copying it.
func newBytesSource(raw []byte) *source {
	s := newSource(nil)
	s.cur = &slot{data: raw}
	s.buf, s.end, s.eof = raw, len(raw), true
	return s
}

// offset is where the parser stands in the stream.
func (s *source) offset() int64 { return s.at + int64(s.pos) }

// need has at least n bytes follow each other at pos, and returns all that do.
func (s *source) need(n int) ([]byte, error) {
	for s.end-s.pos < n {
		if s.eof {
			return nil, fmt.Errorf("%w: it ends in the middle, at byte %d", ErrMalformed, s.at+int64(s.end))
		}
		if n > maxElement {
			return nil, fmt.Errorf("%w: an element of %d bytes", ErrMalformed, n)
		}
		if err := s.fill(); err != nil {
			return nil, err
		}
	}
	return s.buf[s.pos:s.end], nil
}

// fill reads the next chunk behind what is left.
func (s *source) fill() error {
	left := s.buf[s.pos:s.end]
	next := s.slot()
	from := maxElement - len(left)
	copy(next.mem[from:], left)
	n, err := io.ReadFull(s.r, next.mem[maxElement:])
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		s.eof, err = true, nil
	}
	if err != nil {
		return err
	}
	next.at = s.at + int64(s.end)
	next.data = next.mem[maxElement : maxElement+n]
	if s.cur != nil {
		s.hash.push(s.cur, s.free)
	}
	s.at = next.at - int64(len(left))
	s.cur, s.buf, s.pos, s.end = next, next.mem[from:maxElement+n], 0, len(left)+n
	return nil
}

// slot returns one that nobody uses: a small one first, then up to slotCount large ones in turn.
func (s *source) slot() *slot {
	s.slots++
	switch {
	case s.slots == 1:
		return &slot{mem: make([]byte, maxElement+firstChunk)}
	case s.slots <= slotCount+1:
		return &slot{mem: make([]byte, maxElement+chunkSize)}
	}
	return <-s.free
}

// element returns the next element whole if it has that tag and at most limit bytes inside; it stays valid until the next call.
func (s *source) element(tag byte, limit int) (full []byte, err error) {
	n, head, err := s.header(tag)
	if err != nil {
		return nil, err
	}
	if n > int64(limit) {
		return nil, fmt.Errorf("%w: an element of %d bytes at byte %d", ErrMalformed, n, s.offset())
	}
	b, err := s.need(head + int(n))
	if err != nil {
		return nil, err
	}
	s.pos += head + int(n)
	return b[:head+int(n)], nil
}

// peek returns the next tag, 0 at the end of the stream.
func (s *source) peek() (byte, error) {
	if s.end == s.pos && s.eof {
		return 0, nil
	}
	for s.end == s.pos && !s.eof {
		if err := s.fill(); err != nil {
			return 0, err
		}
	}
	if s.end == s.pos {
		return 0, nil
	}
	return s.buf[s.pos], nil
}

// header reads tag and length of the next element without moving: the length of the contents and the size of the header.
func (s *source) header(tag byte) (n int64, head int, err error) {
	b, err := s.need(2)
	if err != nil {
		return 0, 0, err
	}
	if b[0] != tag {
		return 0, 0, fmt.Errorf("%w: tag %#02x at byte %d, %#02x expected", ErrMalformed, b[0], s.offset(), tag)
	}
	if b[1] < 0x80 {
		return int64(b[1]), 2, nil
	}
	count := int(b[1] & 0x7f)
	if count == 0 || count > 5 {
		return 0, 0, fmt.Errorf("%w: length at byte %d", ErrMalformed, s.offset())
	}
	if b, err = s.need(2 + count); err != nil {
		return 0, 0, err
	}
	for _, c := range b[2 : 2+count] {
		n = n<<8 | int64(c)
	}
	return n, 2 + count, nil
}

// finish sees that the stream ends here, and has everything hashed.
func (s *source) finish() error {
	if tag, err := s.peek(); err != nil {
		return err
	} else if tag != 0 || s.pos != s.end {
		return fmt.Errorf("%w: data behind it", ErrMalformed)
	}
	s.hash.push(s.cur, s.free)
	s.hash.stop()
	return nil
}

// digester hashes the chunks of a stream, all of them for the digest of the list and those of tbsCertList for its signature, each in a
// goroutine of its own once there is more than one chunk.
type digester struct {
	whole    hash.Hash
	tbs      hash.Hash // nil: not wanted
	message  []byte    // tbsCertList itself, if wanted
	keep     bool
	from, to int64 // tbsCertList
	work     [2]chan *slot
	free     chan *slot
	wg       sync.WaitGroup
}

// begin says what is to be hashed for the signature: bytes from to to, by h or, if that is 0, kept.
func (d *digester) begin(h crypto.Hash, known bool, from, to int64) error {
	d.whole, d.from, d.to = sha256.New(), from, to
	switch {
	case !known:
	case h != 0:
		d.tbs = h.New()
	case to-from > maxMessage:
		return fmt.Errorf("a list of more than %d bytes cannot be checked with this algorithm", maxMessage)
	default:
		d.keep = true
	}
	return nil
}

// push hashes a chunk: a small one, as the first and the last may be, at once.
func (d *digester) push(s *slot, free chan *slot) {
	if d.whole == nil { // the list is malformed before its algorithm
		return
	}
	if d.work[0] == nil && len(s.data) <= firstChunk {
		d.hashWhole(s)
		d.hashTBS(s)
		return
	}
	if d.work[0] == nil {
		d.free = free
		for i, hash := range []func(*slot){d.hashWhole, d.hashTBS} {
			work := make(chan *slot, slotCount)
			d.work[i] = work
			d.wg.Go(func() {
				for s := range work {
					hash(s)
					if s.use.Add(-1) == 0 {
						d.free <- s // there is room for all
					}
				}
			})
		}
	}
	s.use.Store(2)
	d.work[0] <- s
	d.work[1] <- s
}

func (d *digester) hashWhole(s *slot) { d.whole.Write(s.data) }

func (d *digester) hashTBS(s *slot) {
	from := min(max(d.from-s.at, 0), int64(len(s.data)))
	to := min(max(d.to-s.at, 0), int64(len(s.data)))
	switch part := s.data[from:to]; {
	case d.tbs != nil:
		d.tbs.Write(part)
	case d.keep:
		d.message = append(d.message, part...)
	}
}

// stop waits until all that was pushed is hashed. It may be called again.
func (d *digester) stop() {
	for i := range d.work {
		if d.work[i] != nil {
			close(d.work[i])
			d.work[i] = nil
		}
	}
	d.wg.Wait()
}

// signed is what the signature is over: the digest of tbsCertList or, for some algorithms, tbsCertList.
func (d *digester) signed() []byte {
	if d.tbs != nil {
		return d.tbs.Sum(nil)
	}
	return d.message
}
