package cms

import (
	"crypto"
	"hash"
	"maps"
	"slices"

	"github.com/eidkit/eidkit/internal/ber"
)

// checksum is what is known of content that will be written. The zero value knows nothing.
type checksum struct {
	hash   crypto.Hash
	digest []byte
	pieces bool // of what is inside an OCTET STRING that is constructed
}

// state begins making the digest again.
func (c checksum) state() hash.Hash {
	if c.pieces {
		return &octets{Hash: c.hash.New()}
	}
	return c.hash.New()
}

// checksum is one digest that was made, and where the bytes begin that it is over.
func (c *Content) checksum() (is checksum, from int64) {
	if c == nil {
		return is, 0
	}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	is.hash = crypto.SHA256 // the fastest, where processors know it
	if c.known[is.hash] == nil && len(c.known) > 0 {
		is.hash = slices.Max(slices.Collect(maps.Keys(c.known)))
	}
	is.digest = c.known[is.hash]
	if is.pieces = c.OctetString && c.header.Constructed; is.pieces {
		return is, c.offset
	}
	return is, c.offset + int64(c.header.Size)
}

// octets hashes the contents of an OCTET STRING in pieces (X.690 section 8.7.3), which is written to it with all tags and lengths.
type octets struct {
	hash.Hash
	head []byte // tag and length, as far as they were written
	left int64  // of the piece
}

func (o *octets) Write(b []byte) (int, error) {
	n := len(b)
	for len(b) > 0 {
		if part := min(o.left, int64(len(b))); part > 0 {
			o.Hash.Write(b[:part])
			b, o.left = b[part:], o.left-part
			continue
		}
		o.head, b = append(o.head, b[0]), b[1:]
		if len(o.head) < 2 || o.head[1] > 0x80 && len(o.head) < 2+int(o.head[1]&0x7F) {
			continue
		}
		// Whatever else stands there than when it was read gives another digest.
		if h, err := ber.ParseHeader(o.head); err == nil && !h.Constructed {
			o.left = h.Length
		}
		o.head = o.head[:0]
	}
	return n, nil
}
