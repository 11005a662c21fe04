package cms

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"

	"github.com/eidkit/eidkit/internal/ber"
)

// maxText bounds a message in a text encoding, which is decoded in memory.
const maxText = 64 << 20

// Message is a message without the text around it.
type Message struct {
	Data     io.ReaderAt
	Size     int64
	Encoding string // "BER", "PEM", "base64", "S/MIME"
	// Contents are what a multipart/signed has beside the signature: the first part
	// with the line ends that S/MIME prescribes, and as it stands if that is not the same.
	Contents [][]byte
}

// Open finds the message in a file of that size: binary, in PEM with any label
// or none, in base64, or as an S/MIME message (RFC 8551 section 3). A binary
// file is not read. Errors: ber.ErrMalformed for anything else, ber.ErrTooLarge for text
// above 64 MiB, those of src.
func Open(src io.ReaderAt, size int64) (*Message, error) {
	if size == 0 {
		return nil, fmt.Errorf("%w: empty file", ber.ErrMalformed)
	}
	start := make([]byte, min(size, 4<<10))
	if n, err := src.ReadAt(start, 0); n < len(start) {
		return nil, fmt.Errorf("reading the beginning: %w", cmpErr(err, io.ErrUnexpectedEOF))
	}
	if start[0] == 0x30 { // SEQUENCE; base64 of one begins with M
		return &Message{Data: src, Size: size, Encoding: "BER"}, nil
	}
	if !isText(start) {
		return nil, fmt.Errorf("%w: neither a SEQUENCE nor text", ber.ErrMalformed)
	}
	if size > maxText {
		return nil, fmt.Errorf("%w: text of %d bytes, at most %d", ber.ErrTooLarge, size, maxText)
	}
	text := make([]byte, size)
	if n, err := src.ReadAt(text, 0); n < len(text) {
		return nil, fmt.Errorf("reading the text: %w", cmpErr(err, io.ErrUnexpectedEOF))
	}
	return openText(bytes.TrimPrefix(text, []byte("\xEF\xBB\xBF")))
}

// isText tells whether b has nothing that cannot stand in ASCII or UTF-8 text.
func isText(b []byte) bool {
	for _, c := range b {
		if c < ' ' && c != '\n' && c != '\r' && c != '\t' && c != '\f' || c == 0x7F {
			return false
		}
	}
	return true
}

func openText(text []byte) (*Message, error) {
	if raw, ok := decodePEM(text); ok {
		return inMemory(raw, "PEM"), nil
	}
	if raw, ok := decodeBase64(text); ok && len(raw) > 0 && raw[0] == 0x30 {
		return inMemory(raw, "base64"), nil
	}
	if m, err := openMIME(text); m != nil || err != nil {
		return m, err
	}
	return nil, fmt.Errorf("%w: text without PEM, base64 or an S/MIME message", ber.ErrMalformed)
}

func inMemory(raw []byte, encoding string) *Message {
	return &Message{Data: bytes.NewReader(raw), Size: int64(len(raw)), Encoding: encoding}
}

// decodePEM takes the first block that is no certificate and no key. Line ends may be missing, also next to the labels, and the last
// label too.
func decodePEM(text []byte) ([]byte, bool) {
	for {
		_, rest, found := bytes.Cut(text, []byte("-----BEGIN"))
		if !found {
			return nil, false
		}
		label, body, found := bytes.Cut(rest, []byte("-----"))
		if !found {
			return nil, false
		}
		body, text, _ = bytes.Cut(body, []byte("-----END"))
		label = bytes.TrimSpace(label)
		if bytes.HasSuffix(label, []byte("CERTIFICATE")) || bytes.HasSuffix(label, []byte("KEY")) || bytes.HasSuffix(label, []byte("CRL")) {
			continue
		}
		if head, after, found := bytes.Cut(bytes.ReplaceAll(body, []byte("\r\n"), []byte("\n")), []byte("\n\n")); found && bytes.Contains(head, []byte(":")) {
			body = after // RFC 1421 headers
		}
		return decodeBase64(body)
	}
}

// decodeBase64 decodes text with white space anywhere and with padding or without.
func decodeBase64(text []byte) ([]byte, bool) {
	packed := make([]byte, 0, len(text))
	for _, c := range text {
		switch c {
		case ' ', '\t', '\r', '\n', '\f':
		case '-':
			packed = append(packed, '+')
		case '_':
			packed = append(packed, '/')
		default:
			packed = append(packed, c)
		}
	}
	packed = bytes.TrimRight(packed, "=")
	raw := make([]byte, base64.RawStdEncoding.DecodedLen(len(packed)))
	n, err := base64.RawStdEncoding.Decode(raw, packed)
	return raw[:n], err == nil
}
