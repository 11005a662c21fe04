// Package protocol has the messages between the agent and its clients: JSON-RPC
// 2.0 in text frames, documents in binary frames, and the table of errors.
//
// Start with ParseRequest, Result, Notification, Failure and Chunk. Faults is
// the table of errors: code, Web eID's code, texts in four languages, whether
// trying again makes sense.
//
// Out of scope: what the methods do and who may call them. docs/protocol.md has
// every method with its parameters.
//
// References: JSON-RPC 2.0 specification (no batches here), RFC 6455.
package protocol

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// What a client has to know to connect.
const (
	Subprotocol = "eidkit.v1" // Sec-WebSocket-Protocol
	Path        = "/v1"
	Port        = 24340 // below the ephemeral range of every system
)

// Limits of a message, a binary frame's payload and a document, in bytes.
const (
	MaxMessage  = 64 << 10
	MaxChunk    = 256 << 10
	MaxDocument = 512 << 20
)

// Request is what a client asks.
type Request struct {
	ID     json.RawMessage // a string or an integer; nil: a notification, which nobody answers
	Method string
	Params json.RawMessage // an object; nil: none
}

// Call is the request's ID as a key: two requests of one connection that are
// under way have different ones.
func (r *Request) Call() string { return string(r.ID) }

const maxID = 64 // bytes of an ID

// ParseRequest reads a request strictly: one object, no member that JSON-RPC
// does not have, none twice, an ID that is a string or an integer of at most 64
// bytes. The error is an *Error, INVALID_ARGUMENT. What of the ID could be read
// is in the request also then.
func ParseRequest(b []byte) (*Request, error) {
	var r Request
	if len(b) > MaxMessage {
		return &r, Errorf(TooLarge, "a message has at most %d bytes", MaxMessage)
	}
	members, err := object(b)
	if err != nil {
		return &r, Errorf(InvalidArgument, "the message is no JSON-RPC request: %v", err)
	}
	if id, ok := members["id"]; ok {
		if !validID(id) {
			return &r, Errorf(InvalidArgument, "id must be a string or an integer of at most %d bytes", maxID)
		}
		r.ID = id
	}
	var version string
	for name, value := range members {
		switch name {
		case "jsonrpc":
			err = json.Unmarshal(value, &version)
		case "method":
			err = json.Unmarshal(value, &r.Method)
		case "params":
			if r.Params = value; value[0] != '{' {
				err = errors.New("params must be an object")
			}
		case "id":
		default:
			err = fmt.Errorf("unknown member %q", name)
		}
		if err != nil {
			return &r, Errorf(InvalidArgument, "the message is no JSON-RPC request: %v", err)
		}
	}
	if version != "2.0" || r.Method == "" {
		return &r, Errorf(InvalidArgument, `a request has "jsonrpc": "2.0" and a method`)
	}
	return &r, nil
}

func validID(id json.RawMessage) bool {
	if len(id) > maxID {
		return false
	}
	if id[0] == '"' {
		return true
	}
	var n int64
	return json.Unmarshal(id, &n) == nil && id[0] != 'n'
}

// object reads one JSON object, and nothing after it, into its members; a name
// that occurs twice is an error.
func object(b []byte) (map[string]json.RawMessage, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, errors.New("not an object")
	}
	members := map[string]json.RawMessage{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, err
		}
		name, _ := t.(string)
		if _, twice := members[name]; twice {
			return nil, fmt.Errorf("member %q twice", name)
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, err
		}
		members[name] = value
	}
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("something follows the object")
	}
	return members, nil
}

// Result is the answer to a request.
func Result(id json.RawMessage, result any) ([]byte, error) {
	if result == nil {
		result = struct{}{}
	}
	return json.Marshal(struct {
		Version string          `json:"jsonrpc"`
		ID      json.RawMessage `json:"id"`
		Result  any             `json:"result"`
	}{"2.0", id, result})
}

// Failure is the answer to a request that failed; a nil id is written as null.
func Failure(id json.RawMessage, e *Error) []byte {
	if id == nil {
		id = json.RawMessage("null")
	}
	b, err := json.Marshal(struct {
		Version string          `json:"jsonrpc"`
		ID      json.RawMessage `json:"id"`
		Error   *Error          `json:"error"`
	}{"2.0", id, e})
	if err != nil { // an ID comes from ParseRequest, and an Error is always written
		panic(err)
	}
	return b
}

// Notification is a message of the agent that nobody asked for.
func Notification(method string, params any) ([]byte, error) {
	return json.Marshal(struct {
		Version string `json:"jsonrpc"`
		Method  string `json:"method"`
		Params  any    `json:"params"`
	}{"2.0", method, params})
}

// DocumentID names a document of one connection; its text is 32 hexadecimal digits.
type DocumentID [16]byte

func (id DocumentID) String() string { return hex.EncodeToString(id[:]) }

// MarshalText writes the digits.
func (id DocumentID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText reads them.
func (id *DocumentID) UnmarshalText(b []byte) error {
	if len(b) != 2*len(id) {
		return errors.New("a document ID has 32 hexadecimal digits")
	}
	_, err := hex.Decode(id[:], b)
	return err
}

// Chunk is a piece of a document: a binary frame.
type Chunk struct {
	Document DocumentID
	Offset   uint64
	Data     []byte
}

const chunkHeader = len(DocumentID{}) + 8

// Bytes are the frame: the ID, the offset as 8 bytes, most significant first, and the data.
func (c Chunk) Bytes() []byte {
	b := make([]byte, chunkHeader, chunkHeader+len(c.Data))
	copy(b, c.Document[:])
	binary.BigEndian.PutUint64(b[len(c.Document):], c.Offset)
	return append(b, c.Data...)
}

// ParseChunk reads a frame; Data is part of b. The error is an *Error:
// INVALID_ARGUMENT or TOO_LARGE.
func ParseChunk(b []byte) (Chunk, error) {
	var c Chunk
	switch {
	case len(b) < chunkHeader:
		return c, Errorf(InvalidArgument, "a binary frame begins with %d bytes of document ID and offset", chunkHeader)
	case len(b) > chunkHeader+MaxChunk:
		return c, Errorf(TooLarge, "a binary frame has at most %d bytes of a document", MaxChunk)
	}
	copy(c.Document[:], b)
	c.Offset, c.Data = binary.BigEndian.Uint64(b[len(c.Document):]), b[chunkHeader:]
	return c, nil
}
