package beid

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/eidkit/eidkit/card"
	"github.com/eidkit/eidkit/internal/beidfile"
)

// FileID names a file of the card.
type FileID int

// The files read, in the order ReadAll reads them: what a person waits for comes first. FileCardData is no file but the answer
// to GET CARD DATA, there since Open. FileBasicKey is on 1.8 only.
const (
	FileCardData FileID = iota
	FileIdentity
	FileAddress
	FileIdentitySignature
	FileAddressSignature
	FileRRN
	FileRoot
	FilePhoto
	FileAuthentication
	FileSignature
	FileCA
	FileBasicKey
	FileTokenInfo
	fileCount
)

// fileSpec says where a file is and how its end is found.
type fileSpec struct {
	name   string
	path   [4]byte // below the MF: directory, file (facts sheet 2.1)
	der    bool    // a DER object, perhaps with filler behind it: its own length is its end
	length func(c *Card) int
	end    func(data []byte) int // where the content says that it ends, for files read by an assumed length
}

// The lengths in the table are those of the cards known (facts sheet 2.1); 0 is unknown: read to the end.
var fileSpecs = [fileCount]fileSpec{
	FileCardData:          {name: "card data"},
	FileIdentity:          {name: "identity", path: [4]byte{0xDF, 0x01, 0x40, 0x31}},
	FileAddress:           {name: "address", path: [4]byte{0xDF, 0x01, 0x40, 0x33}, length: always(117), end: addressEnd},
	FileIdentitySignature: {name: "identity signature", path: [4]byte{0xDF, 0x01, 0x40, 0x32}, length: (*Card).signatureLength, end: derEnd},
	FileAddressSignature:  {name: "address signature", path: [4]byte{0xDF, 0x01, 0x40, 0x34}, length: (*Card).signatureLength, end: derEnd},
	FileRRN:               {name: "national register certificate", path: [4]byte{0xDF, 0x00, 0x50, 0x3C}, der: true},
	FileRoot:              {name: "root certificate", path: [4]byte{0xDF, 0x00, 0x50, 0x3B}, der: true},
	FilePhoto:             {name: "photo", path: [4]byte{0xDF, 0x01, 0x40, 0x35}},
	FileAuthentication:    {name: "authentication certificate", path: [4]byte{0xDF, 0x00, 0x50, 0x38}, der: true},
	FileSignature:         {name: "signature certificate", path: [4]byte{0xDF, 0x00, 0x50, 0x39}, der: true},
	FileCA:                {name: "CA certificate", path: [4]byte{0xDF, 0x00, 0x50, 0x3A}, der: true},
	FileBasicKey:          {name: "basic key", path: [4]byte{0xDF, 0x01, 0x40, 0x40}, length: always(120), end: derEnd},
	FileTokenInfo:         {name: "token information", path: [4]byte{0xDF, 0x00, 0x50, 0x32}, der: true, length: always(41)},
}

func always(n int) func(*Card) int { return func(*Card) int { return n } }

func (id FileID) String() string {
	if id < 0 || id >= fileCount {
		return fmt.Sprintf("file %d", int(id))
	}
	return fileSpecs[id].name
}

// content is what is known of a file: its bytes, and whether they reach its end for certain. No bytes: the file is not there.
type content struct {
	data  []byte
	exact bool
}

// signatureLength is the length to ask of 4032 and 4034: both have the same, so what one showed serves for the other.
func (c *Card) signatureLength() int {
	for _, id := range []FileID{FileIdentitySignature, FileAddressSignature} {
		if f := c.files[id]; f != nil && len(f.data) > 0 {
			return len(f.data)
		}
	}
	switch {
	case c.data.AppletVersion < 0x17:
		return 128
	case c.data.AppletVersion == 0x17:
		return 256
	}
	return 104
}

const (
	chunk   = 256    // READ BINARY with Le 00
	maxFile = 0x8000 // bit 8 of P1 must be 0 (reference manual 1.8, READ BINARY)
)

// file returns the file, reading it unless that was done. The result is nil when the card does not have it.
func (c *Card) file(ctx context.Context, id FileID) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.fileLocked(ctx, id)
}

func (c *Card) fileLocked(ctx context.Context, id FileID) ([]byte, error) {
	if f := c.files[id]; f != nil {
		return f.data, nil
	}
	if data, ok := c.cached(ctx, id); ok {
		c.files[id] = &content{data: data, exact: true}
		return data, nil
	}
	if err := c.readLocked(ctx, id); err != nil {
		return nil, err
	}
	return c.files[id].data, nil
}

// readLocked reads one file from the card, in a transaction of its own: other programs get their turn between files.
func (c *Card) readLocked(ctx context.Context, id FileID) error {
	want := 0
	if f := fileSpecs[id].length; f != nil {
		want = f(c)
	}
	if n, ok := c.cache.length(c.data.Serial, id); ok {
		want = n
	}
	var got *content
	err := c.card.Do(ctx, func(tx *card.Tx) error {
		var err error
		got, err = c.readFile(tx, fileSpecs[id], want)
		return err
	})
	if errors.Is(err, card.ErrNotFound) && isStatus(err) {
		got, err = &content{exact: true}, nil
	}
	if errors.Is(err, card.ErrConditions) && isStatus(err) { // facts sheet 2.2
		c.warnings = append(c.warnings, fmt.Sprintf("the %s is not activated", id))
		got, err = &content{exact: true}, nil
	}
	if err != nil {
		return fmt.Errorf("reading the %s: %w", id, err)
	}
	c.files[id] = got
	c.cache.keepLength(c.data.Serial, id, got)
	return nil
}

// addressEnd says that an address which ends inside one of its fields goes on, to where nobody can say.
func addressEnd(data []byte) int {
	if _, err := beidfile.ParseAddress(data); errors.Is(err, beidfile.ErrTruncated) {
		return maxFile
	}
	return len(data)
}

// derEnd is where a DER object that fits one command ends: an ECDSA signature, a key.
func derEnd(data []byte) int {
	if total, ok := beidfile.DERLength(data); ok && total <= chunk {
		return total
	}
	return len(data)
}

// readFile selects a file and reads it. want is the length to ask for, 0 if none is known.
func (c *Card) readFile(tx *card.Tx, spec fileSpec, want int) (*content, error) {
	if err := c.selectFile(tx, spec); err != nil {
		return nil, err
	}
	switch {
	case spec.der:
		return readDER(tx, want)
	case want > 0:
		return readGuessed(tx, want, spec.end)
	}
	data, err := readToEnd(tx, nil)
	return &content{data: data, exact: true}, err
}

// selectFile makes the file current by its absolute path: the one form that works whatever another program selected before. When
// the card does not know the command, another applet is selected: ours is then selected again, once.
func (c *Card) selectFile(tx *card.Tx, spec fileSpec) error {
	cmd := card.Command{INS: 0xA4, P1: 0x08, P2: 0x0C, Data: append([]byte{0x3F, 0x00}, spec.path[:]...)}
	_, err := tx.Send(cmd)
	if errors.Is(err, card.ErrUnsupported) && isStatus(err) {
		if err = c.reselect(tx); err == nil {
			_, err = tx.Send(cmd)
		}
	}
	return err
}

// read is one READ BINARY: up to n bytes at off of the current file. Fewer mean that the file ends there.
func read(tx *card.Tx, off, n int) ([]byte, error) {
	n = min(n, chunk)
	data, err := tx.Send(card.Command{INS: 0xB0, P1: byte(off >> 8), P2: byte(off), Le: n})
	var status *card.StatusError
	switch {
	case errors.As(err, &status) && status.SW == 0x6B00: // past the end
		return nil, nil
	case errors.As(err, &status) && status.SW == 0x6282 && len(data) < n: // ISO/IEC 7816-4: the end came before Le bytes
		return data, nil
	case err != nil:
		return nil, err
	case len(data) > n:
		return nil, fmt.Errorf("card answered %d bytes where %d were asked for: %w", len(data), n, card.ErrReader)
	}
	return data, nil
}

// readDER reads the DER object at the start of the file and leaves the filler behind it. want is the length to ask for first.
func readDER(tx *card.Tx, want int) (*content, error) {
	if want == 0 {
		want = chunk
	}
	data, err := read(tx, 0, want)
	if err != nil {
		return nil, err
	}
	total, ok := beidfile.DERLength(data)
	switch {
	case !ok && len(bytes.Trim(data, "\x00")) == 0: // zeros where a certificate could be: the card has none (facts sheet 4)
		return &content{exact: true}, nil
	case !ok: // no DER object: what it is worth is for who checks it to say
		return &content{data: data, exact: true}, nil
	}
	if data, err = readUpTo(tx, data, min(total, maxFile)); err != nil {
		return nil, err
	}
	return &content{data: data[:min(total, len(data))], exact: true}, nil
}

// readGuessed reads the want bytes that the file should have. A shorter file shows its end by itself; whether it is longer is
// not asked, since that would cost a command on every card: see Card.ReadTails. But what was read may say so itself: end, if not
// nil, is where the content ends by its own word.
func readGuessed(tx *card.Tx, want int, end func([]byte) int) (*content, error) {
	data, err := readUpTo(tx, nil, want)
	if err != nil {
		return nil, err
	}
	if end != nil && len(data) == want && end(data) > want {
		want = end(data)
		if data, err = readUpTo(tx, data, want); err != nil {
			return nil, err
		}
	}
	return &content{data: data, exact: len(data) < want}, nil
}

// readUpTo reads on from data until there are n bytes or the file ends.
func readUpTo(tx *card.Tx, data []byte, n int) ([]byte, error) {
	for len(data) < n {
		want := min(chunk, n-len(data))
		more, err := read(tx, len(data), want)
		if err != nil {
			return nil, err
		}
		data = append(data, more...)
		if len(more) < want {
			break
		}
	}
	return data, nil
}

// readToEnd reads on from data to the end of the file.
func readToEnd(tx *card.Tx, data []byte) ([]byte, error) { return readUpTo(tx, data, maxFile) }
