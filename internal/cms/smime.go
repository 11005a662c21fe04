package cms

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	"mime/quotedprintable"
	"strings"

	"github.com/eidkit/eidkit/internal/ber"
)

// maxParts bounds the parts of a multipart message; a signed one has two.
const maxParts = 16

// part is one MIME entity.
type part struct {
	mediaType string
	boundary  string
	encoding  string
	body      []byte
}

// openMIME reads an S/MIME message, RFC 8551 section 3: application/pkcs7-mime, or multipart/signed. nil, nil: no such message.
func openMIME(text []byte) (*Message, error) {
	p, ok := parsePart(text)
	if !ok {
		return nil, nil
	}
	if isPKCS7(p.mediaType) {
		raw, err := p.decode()
		if err != nil {
			return nil, err
		}
		return inMemory(raw, "S/MIME"), nil
	}
	if p.mediaType != "multipart/signed" || p.boundary == "" {
		return nil, nil
	}
	parts := splitParts(p.body, p.boundary)
	if len(parts) < 2 {
		return nil, fmt.Errorf("%w: multipart/signed with %d parts", ber.ErrMalformed, len(parts))
	}
	signature, ok := parsePart(parts[1])
	if !ok || !isPKCS7(signature.mediaType) {
		return nil, fmt.Errorf("%w: the second part of the multipart/signed is no signature", ber.ErrMalformed)
	}
	raw, err := signature.decode()
	if err != nil {
		return nil, err
	}
	m := inMemory(raw, "S/MIME")
	m.Contents = [][]byte{canonicalLines(parts[0])}
	if !bytes.Equal(m.Contents[0], parts[0]) {
		m.Contents = append(m.Contents, parts[0])
	}
	return m, nil
}

func isPKCS7(mediaType string) bool {
	switch mediaType {
	case "application/pkcs7-mime", "application/x-pkcs7-mime", "application/pkcs7-signature", "application/x-pkcs7-signature":
		return true
	}
	return false
}

// parsePart splits headers and body of an entity; false if there is no Content-Type.
func parsePart(text []byte) (part, bool) {
	end, skip := bytes.Index(text, []byte("\n\n")), 2
	if crlf := bytes.Index(text, []byte("\r\n\r\n")); crlf >= 0 && (end < 0 || crlf < end) {
		end, skip = crlf, 4
	}
	if end < 0 || end > 64<<10 {
		return part{}, false
	}
	p := part{body: text[end+skip:]}
	head := strings.ReplaceAll(string(text[:end]), "\r\n", "\n")
	head = strings.NewReplacer("\n ", " ", "\n\t", " ").Replace(head) // folded lines
	for line := range strings.SplitSeq(head, "\n") {
		name, value, _ := strings.Cut(line, ":")
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "content-type":
			mediaType, params, err := mime.ParseMediaType(value)
			if err != nil {
				return part{}, false
			}
			p.mediaType, p.boundary = mediaType, params["boundary"]
		case "content-transfer-encoding":
			p.encoding = strings.ToLower(strings.TrimSpace(value))
		}
	}
	return p, p.mediaType != ""
}

// decode takes the transfer encoding off.
func (p part) decode() ([]byte, error) {
	switch p.encoding {
	case "", "binary", "8bit":
		if len(p.body) > 0 && p.body[0] == 0x30 {
			return p.body, nil
		}
	case "quoted-printable":
		return io.ReadAll(quotedprintable.NewReader(bytes.NewReader(p.body)))
	}
	if raw, ok := decodeBase64(p.body); ok {
		return raw, nil
	}
	return nil, fmt.Errorf("%w: transfer encoding %.40q", ber.ErrMalformed, p.encoding)
}

// splitParts cuts a multipart body at its boundary lines (RFC 2046 section 5.1.1). The line end in front of a boundary belongs to it.
func splitParts(body []byte, boundary string) [][]byte {
	delimiter := []byte("--" + boundary)
	var parts [][]byte
	start := -1
	for at := 0; at < len(body) && len(parts) < maxParts; {
		end := bytes.IndexByte(body[at:], '\n')
		if end < 0 {
			end = len(body)
		} else {
			end += at + 1
		}
		if rest, found := bytes.CutPrefix(body[at:end], delimiter); found {
			if start >= 0 {
				part := bytes.TrimSuffix(body[start:at], []byte("\n"))
				parts = append(parts, bytes.TrimSuffix(part, []byte("\r")))
			}
			if bytes.HasPrefix(rest, []byte("--")) {
				break
			}
			start = end
		}
		at = end
	}
	return parts
}

// canonicalLines gives every line the end CR LF, RFC 8551 section 3.1.1.
func canonicalLines(b []byte) []byte {
	b = bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n"))
	return bytes.ReplaceAll(b, []byte("\n"), []byte("\r\n"))
}
