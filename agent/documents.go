package agent

import (
	"context"
	"errors"
	"io"
	"sync"

	"github.com/gorilla/websocket"

	"github.com/eidkit/eidkit/agent/protocol"
	"github.com/eidkit/eidkit/agent/service"
	"github.com/eidkit/eidkit/agent/spool"
)

const (
	chunkHeader = len(protocol.DocumentID{}) + 8
	// maxRead is how much of a document one document.read sends.
	maxRead = 8 << 20
	// pieceSize is how much of a frame is in memory while it comes.
	pieceSize = 32 << 10
	// sentSize is how much of a document is in a frame that the agent sends, and so
	// in memory for each connection that reads one.
	sentSize = 64 << 10
)

var (
	incoming = sync.Pool{New: func() any { b := make([]byte, chunkHeader+pieceSize); return &b }}
	outgoers = sync.Pool{New: func() any { b := make([]byte, chunkHeader+sentSize); return &b }}
)

// chunk writes a binary frame to its document while it comes, so that no frame is
// ever whole in memory; the client waits for the disk. A frame for a document
// that is not there (any more) is passed over. An error ends the connection.
func (c *conn) chunk(r io.Reader) error {
	buffer := incoming.Get().(*[]byte)
	defer incoming.Put(buffer)
	n, err := io.ReadFull(r, *buffer)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return err
	}
	first, bad := protocol.ParseChunk((*buffer)[:n])
	if bad != nil {
		return closing{websocket.CloseProtocolError, "a binary frame is too short"}
	}
	data, offset := first.Data, first.Offset
	d, absent := c.shelf.Get(first.Document)
	for {
		if absent == nil {
			if bad := d.WriteChunk(offset, data); bad != nil {
				c.broken(first.Document, bad)
				absent = bad
			}
			c.a.meters.received.Add(len(data))
		}
		if err != nil {
			return nil // the frame is at its end
		}
		offset += uint64(len(data))
		n, err = io.ReadFull(r, *buffer)
		if data = (*buffer)[:n]; n == 0 {
			return ended(err)
		}
		if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
			return err
		}
	}
}

// ended tells the end of a frame from that of the connection.
func ended(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// broken takes a document away whose bytes cannot be used, and says so.
func (c *conn) broken(id protocol.DocumentID, why error) {
	c.shelf.Remove(id)
	var e *protocol.Error
	if !errors.As(why, &e) {
		e = &protocol.Error{Code: protocol.Internal}
	}
	c.notify("document.failed", struct {
		DocumentID protocol.DocumentID `json:"documentId"`
		Error      *protocol.Error     `json:"error"`
	}{id, e})
}

type documentID struct {
	DocumentID protocol.DocumentID `json:"documentId"`
}

// openDocument is document.open.
func openDocument(_ context.Context, c *conn, call *service.Call) (any, error) {
	var p struct {
		Name      string `json:"name"`
		Size      *int64 `json:"size"`
		MediaType string `json:"mediaType"`
	}
	if err := protocol.Params(call.Params, &p); err != nil {
		return nil, err
	}
	if p.Size == nil {
		return nil, protocol.Errorf(protocol.InvalidArgument, "size: how many bytes will come is needed")
	}
	d, err := c.shelf.Create(p.Name, p.MediaType, *p.Size)
	if err != nil {
		return nil, err
	}
	return documentID{d.ID()}, nil
}

// document is the one that the parameters name.
func (c *conn) document(call *service.Call) (*spool.Document, error) {
	var p documentID
	if err := protocol.Params(call.Params, &p); err != nil {
		return nil, err
	}
	return c.shelf.Get(p.DocumentID)
}

// documentInfo is document.info.
func documentInfo(_ context.Context, c *conn, call *service.Call) (any, error) {
	d, err := c.document(call)
	if err != nil {
		return nil, err
	}
	return struct {
		documentID
		Name     string `json:"name"`
		Size     int64  `json:"size"`
		Received int64  `json:"received"`
		SHA256   string `json:"sha256,omitempty"`
	}{documentID{d.ID()}, d.Name(), d.Size(), d.Received(), d.SHA256()}, nil
}

// closeDocument is document.close. One that is not there is as good as closed.
func closeDocument(_ context.Context, c *conn, call *service.Call) (any, error) {
	var p documentID
	if err := protocol.Params(call.Params, &p); err != nil {
		return nil, err
	}
	c.shelf.Remove(p.DocumentID)
	return nil, nil
}

// readDocument is document.read: the frames, then its result.
func readDocument(ctx context.Context, c *conn, call *service.Call) (any, error) {
	var p struct {
		documentID
		Offset int64 `json:"offset"`
		Length int64 `json:"length"`
	}
	if err := protocol.Params(call.Params, &p); err != nil {
		return nil, err
	}
	if p.Offset < 0 || p.Length < 0 || p.Length > maxRead {
		return nil, protocol.Errorf(protocol.InvalidArgument, "offset and length: at most %d bytes at a time", maxRead)
	}
	d, err := c.shelf.Get(p.DocumentID)
	if err != nil {
		return nil, err
	}
	done, err := d.Use()
	if err != nil {
		return nil, err
	}
	defer done()
	c.reading.Lock() // frames of one request follow each other
	defer c.reading.Unlock()
	length := max(0, min(p.Length, d.Size()-p.Offset))
	for sent := int64(0); sent < length; {
		n, err := c.sendChunk(ctx, d, p.Offset+sent, min(length-sent, sentSize))
		if err != nil {
			return nil, err
		}
		sent += n
	}
	return struct {
		Offset int64 `json:"offset"`
		Length int64 `json:"length"`
	}{p.Offset, length}, nil
}

// sendChunk sends one frame of a document and returns when it is gone.
func (c *conn) sendChunk(ctx context.Context, d *spool.Document, offset, n int64) (int64, error) {
	buffer := outgoers.Get().(*[]byte)
	defer outgoers.Put(buffer)
	frame := (*buffer)[:chunkHeader+int(n)]
	copy(frame, protocol.Chunk{Document: d.ID(), Offset: uint64(offset)}.Bytes())
	if _, err := d.ReadAt(frame[chunkHeader:], offset); err != nil && !errors.Is(err, io.EOF) {
		return 0, err
	}
	if err := c.out.sendPiece(ctx, frame); err != nil {
		return 0, err
	}
	c.a.meters.sent.Add(int(n))
	return n, nil
}
