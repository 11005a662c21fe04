package spool

import (
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"os"
	"sync"

	"github.com/eidkit/eidkit/agent/protocol"
)

// unknownSize is the size of a document that is being made.
const unknownSize = -1

func newHash() hash.Hash { return sha256.New() }

// Document is one document: first written, then sealed, then only read. It is
// safe for concurrent use.
type Document struct {
	store           *Store
	guest           bool // its bytes count as a guest's
	id              protocol.DocumentID
	name, mediaType string
	file            *os.File

	mu       sync.Mutex
	size     int64 // unknownSize while it is being made
	received int64
	taken    int64 // of the quota
	hash     hash.Hash
	sum      string // SHA-256 in hexadecimal; empty: not sealed
	broken   bool   // a write failed: it is never sealed
	users    int    // 0: the file is closed
}

// ID names the document on its connection.
func (d *Document) ID() protocol.DocumentID { return d.id }

// Name is the file's name, without folder.
func (d *Document) Name() string { return d.name }

// MediaType is what the client said it is; it proves nothing, and may be empty.
func (d *Document) MediaType() string { return d.mediaType }

// Size is how many bytes the document has, or will have; of one that is being made, has so far.
func (d *Document) Size() int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.size == unknownSize {
		return d.received
	}
	return d.size
}

// Received is how many bytes are there.
func (d *Document) Received() int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.received
}

// Complete tells whether the document is sealed.
func (d *Document) Complete() bool { return d.SHA256() != "" }

// SHA256 is the digest of the document in lower-case hexadecimal; empty before it is sealed.
func (d *Document) SHA256() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.sum
}

// WriteChunk adds bytes of a document from Create: each piece follows the one
// before. With the last byte the document is sealed. The error is an *Error of
// package protocol: INVALID_ARGUMENT for a piece out of its place, of which
// nothing is kept; INTERNAL when the disk fails, and the document is lost.
func (d *Document) WriteChunk(offset uint64, data []byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.size == unknownSize:
		return protocol.Errorf(protocol.InvalidArgument, "this document is the agent's")
	case d.sum != "":
		return protocol.Errorf(protocol.InvalidArgument, "the document is complete: it cannot be changed")
	case offset != uint64(d.received):
		return protocol.Errorf(protocol.InvalidArgument, "offset %d: %d bytes are there, and pieces come in order", offset, d.received)
	case int64(len(data)) > d.size-d.received:
		return protocol.Errorf(protocol.InvalidArgument, "more bytes than the document was to have (%d)", d.size)
	}
	if err := d.append(data); err != nil {
		return err
	}
	if d.received == d.size {
		return d.seal()
	}
	return nil
}

// Write adds bytes to a document from Make.
func (d *Document) Write(data []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.size != unknownSize {
		return 0, protocol.Errorf(protocol.Internal, "the document is sealed, or a client's")
	}
	if grown := d.received + int64(len(data)) - d.taken; grown > 0 {
		if err := d.store.take(grown, d.guest); err != nil {
			return 0, err
		}
		d.taken += grown
	}
	if err := d.append(data); err != nil {
		return 0, err
	}
	return len(data), nil
}

// Reserve sees to it that a document from Make finds room for size bytes in the
// quota; what is not used is given back by Seal. The error is TOO_LARGE.
func (d *Document) Reserve(size int64) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.size != unknownSize || size <= d.taken {
		return nil
	}
	if err := d.store.take(size-d.taken, d.guest); err != nil {
		return err
	}
	d.taken = size
	return nil
}

// append writes and hashes. The caller has the lock.
func (d *Document) append(data []byte) error {
	if d.users == 0 || d.broken {
		return protocol.Errorf(protocol.InvalidArgument, "the document is closed")
	}
	if _, err := d.file.WriteAt(data, d.received); err != nil {
		d.broken = true
		return protocol.Errorf(protocol.Internal, "the document cannot be kept: %v", plain(err))
	}
	d.hash.Write(data)
	d.received += int64(len(data))
	return nil
}

// Seal ends a document from Make: from here on it is only read.
func (d *Document) Seal() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.seal()
}

func (d *Document) seal() error {
	if d.broken || d.users == 0 {
		return protocol.Errorf(protocol.Internal, "the document was not written to its end")
	}
	d.store.give(d.taken-d.received, d.guest)
	d.size, d.taken = d.received, d.received
	d.sum = hex.EncodeToString(d.hash.Sum(nil))
	return nil
}

// ReadAt is io.ReaderAt's, for sealed documents that the caller uses (Use).
func (d *Document) ReadAt(p []byte, offset int64) (int, error) {
	d.mu.Lock()
	ready, size := d.sum != "" && d.users > 0, d.size
	d.mu.Unlock()
	switch {
	case !ready:
		return 0, protocol.Errorf(protocol.InvalidArgument, "the document is not there to its end, or closed")
	case offset < 0:
		return 0, protocol.Errorf(protocol.InvalidArgument, "offset: less than nothing")
	case offset >= size:
		return 0, io.EOF
	}
	short := int64(len(p)) > size-offset
	if short {
		p = p[:size-offset]
	}
	n, err := d.file.ReadAt(p, offset)
	if err == nil && short {
		err = io.EOF
	}
	return n, err
}

// Use keeps the document readable till done is called, whatever the client
// closes meanwhile. One that is not sealed cannot be used: INVALID_ARGUMENT.
func (d *Document) Use() (done func(), err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.sum == "" || d.users == 0 {
		return nil, protocol.Errorf(protocol.InvalidArgument, "document %s is not there to its end, or closed", d.id)
	}
	d.users++
	return sync.OnceFunc(d.release), nil
}

// release lets go of the file once nobody uses it.
func (d *Document) release() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.users--; d.users > 0 {
		return
	}
	d.file.Close()
	if !unlinkAtOnce {
		os.Remove(d.file.Name())
	}
	d.store.give(d.taken, d.guest)
}
