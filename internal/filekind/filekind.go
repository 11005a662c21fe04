// Package filekind tells by its first bytes what kind of file may carry
// signatures: never by its name.
//
// Call Of with a file, or Head with its first HeadSize bytes.
//
// Out of scope: whether the file is well formed, which its reader finds out.
//
// References: RFC 5652 section 5.1 (SignedData), ISO 32000-1 section 7.5.2
// (PDF), XML 1.0 section 2.8, PKWARE APPNOTE section 4.3.
package filekind

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// Kind is a kind of file.
type Kind int

// The kinds.
const (
	Unknown Kind = iota // nothing that is told by its beginning; base64 alone looks so
	Empty               // no bytes
	ZIP                 // a container
	CMS                 // a message in DER or BER, or in S/MIME
	Encoded             // begins like one, or is PEM
	PDF
	XML
)

// HeadSize is how much of a file is looked at; the header of a PDF may be that
// far in.
const HeadSize = 1024

// Of reads the beginning of a file. Errors are those of the file.
func Of(data io.ReaderAt, size int64) (Kind, error) {
	head := make([]byte, max(0, min(size, HeadSize)))
	if _, err := data.ReadAt(head, 0); err != nil && !errors.Is(err, io.EOF) {
		return Unknown, fmt.Errorf("reading the file: %w", err)
	}
	return Head(head), nil
}

// Head tells the kind from the first bytes.
func Head(head []byte) Kind {
	switch {
	case len(head) == 0:
		return Empty
	case isZIP(head):
		return ZIP
	case isSignedData(head): // before PDF: what is signed may be one, and begin near
		return CMS
	case bytes.HasPrefix(head, pdfHeader):
		return PDF
	case isXML(head):
		return XML
	case bytes.Contains(head, pdfHeader):
		return PDF
	case head[0] == 0x30 || bytes.Contains(head, []byte("-----BEGIN ")):
		return Encoded
	}
	return Unknown
}

var (
	pdfHeader = []byte("%PDF-")
	// oidSignedData is 1.2.840.113549.1.7.2, encoded (RFC 5652 section 5.1).
	oidSignedData = []byte{0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02}
)

// isSignedData: a SEQUENCE that begins with the type of SignedData, or a
// message of S/MIME.
func isSignedData(head []byte) bool {
	if head[0] == 0x30 {
		return bytes.Contains(head[:min(len(head), 32)], oidSignedData)
	}
	text := bytes.TrimLeft(head, " \t\r\n")
	return bytes.HasPrefix(text, []byte("MIME-Version:")) || bytes.HasPrefix(text, []byte("Content-Type:"))
}

func isZIP(head []byte) bool {
	return bytes.HasPrefix(head, []byte("PK\x03\x04")) || bytes.HasPrefix(head, []byte("PK\x05\x06"))
}

// isXML: a "<" after what may stand before it, in UTF-8 or UTF-16.
func isXML(head []byte) bool {
	if utf16 := len(head) > 1 && (head[0] == 0xfe && head[1] == 0xff || head[0] == 0xff && head[1] == 0xfe || head[0] == 0 || head[1] == 0); utf16 {
		head = bytes.ReplaceAll(bytes.TrimPrefix(bytes.TrimPrefix(head, []byte{0xfe, 0xff}), []byte{0xff, 0xfe}), []byte{0}, nil)
	}
	head = bytes.TrimPrefix(head, []byte("\xef\xbb\xbf"))
	return bytes.HasPrefix(bytes.TrimLeft(head, " \t\r\n"), []byte("<"))
}
