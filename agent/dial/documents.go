package dial

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"io"

	"github.com/gorilla/websocket"

	"github.com/eidkit/eidkit/agent/protocol"
)

// Document is one that the agent has for this connection.
type Document struct {
	ID       protocol.DocumentID `json:"documentId"`
	Name     string              `json:"name"`
	Size     int64               `json:"size"`
	Received int64               `json:"received"`
	SHA256   string              `json:"sha256"` // hexadecimal; empty: not all of it is there
}

// Send gives the agent a document of size bytes, and returns when it has all of
// them. The agent sets the pace.
func (c *Conn) Send(ctx context.Context, name, mediaType string, size int64, r io.Reader) (Document, error) {
	var d Document
	if err := c.Call(ctx, "document.open", map[string]any{"name": name, "mediaType": mediaType, "size": size}, &d); err != nil {
		return d, err
	}
	about := map[string]any{"documentId": d.ID}
	b := make([]byte, protocol.MaxChunk)
	for at := int64(0); at < size; {
		if err := ctx.Err(); err != nil {
			return d, errors.Join(err, c.drop(about))
		}
		n, err := io.ReadFull(r, b[:min(size-at, int64(len(b)))])
		if err != nil {
			return d, errors.Join(fmt.Errorf("reading the document: %w", err), c.drop(about))
		}
		if err := c.write(websocket.BinaryMessage, protocol.Chunk{Document: d.ID, Offset: uint64(at), Data: b[:n]}.Bytes()); err != nil {
			return d, err
		}
		at += int64(n)
	}
	if err := c.Call(ctx, "document.info", about, &d); err != nil {
		return d, err
	}
	if d.SHA256 == "" {
		return d, fmt.Errorf("the agent has %d of %d bytes of the document", d.Received, d.Size)
	}
	return d, nil
}

// drop has the agent forget a document, also when the caller's context is over.
func (c *Conn) drop(about any) error {
	ctx, cancel := context.WithTimeout(context.Background(), writeTimeout)
	defer cancel()
	return c.Call(ctx, "document.close", about, nil)
}

// readSize is how much of a document is asked for at a time.
const readSize = 8 << 20

// Fetch writes a document of the agent to w. One document is fetched once at a
// time.
func (c *Conn) Fetch(ctx context.Context, id protocol.DocumentID, w io.Writer) error {
	f := &fetch{w: w}
	c.mu.Lock()
	if c.fetches == nil {
		c.fetches = map[protocol.DocumentID]*fetch{}
	}
	_, twice := c.fetches[id]
	if !twice {
		c.fetches[id] = f
	}
	c.mu.Unlock()
	if twice {
		return errors.New("the document is being fetched already")
	}
	defer func() {
		c.mu.Lock()
		delete(c.fetches, id)
		c.mu.Unlock()
	}()
	for at := uint64(0); ; {
		var got struct{ Length uint64 }
		if err := c.Call(ctx, "document.read", map[string]any{"documentId": id, "offset": at, "length": readSize}, &got); err != nil {
			return err
		}
		at += got.Length
		f.mu.Lock()
		have, err := f.at, f.err
		f.mu.Unlock()
		switch {
		case err != nil:
			return fmt.Errorf("writing the document: %w", err)
		case have != at:
			return errors.New("the agent sent less of the document than it says")
		case got.Length < readSize:
			return nil
		}
	}
}

// frame writes a piece of a document to whoever fetches it.
func (c *Conn) frame(b []byte) {
	k, err := protocol.ParseChunk(b)
	if err != nil {
		return
	}
	c.mu.Lock()
	f := c.fetches[k.Document]
	c.mu.Unlock()
	if f == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err != nil {
		return
	}
	if k.Offset != f.at {
		f.err = errors.New("its pieces came out of order")
		return
	}
	if _, f.err = f.w.Write(k.Data); f.err == nil {
		f.at += uint64(len(k.Data))
	}
}

const proofContext = "eidkit agent proof v1\x00"

// Prove has the agent prove that it has the private key of this installation, so
// that nothing is sent to a program that has only taken its port. A program has
// no origin; of ForOrigin the same one is given here. Errors: ErrProof.
func (c *Conn) Prove(ctx context.Context, key ed25519.PublicKey, origin string) error {
	nonce := make([]byte, 32)
	rand.Read(nonce)
	var p struct{ Key, Signature []byte }
	if err := c.Call(ctx, "agent.prove", map[string]any{"nonce": nonce}, &p); err != nil {
		return err
	}
	if len(key) != ed25519.PublicKeySize || !ed25519.Verify(key, append([]byte(proofContext+origin+"\x00"), nonce...), p.Signature) {
		return ErrProof
	}
	return nil
}
