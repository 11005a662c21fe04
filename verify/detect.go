package verify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/ades/cades"
	"github.com/eidkit/eidkit/internal/ades/container"
	"github.com/eidkit/eidkit/internal/ades/pades"
	"github.com/eidkit/eidkit/internal/ades/xades"
)

// headSize is how much of a file is looked at to tell its kind; the header of
// a PDF may be that far in.
const headSize = 1024

// read tells the kind of a file by its content, never by its name, and has it
// read.
func read(ctx context.Context, in ades.Input) ([]*ades.Signature, error) {
	head := make([]byte, min(in.Size, headSize))
	if _, err := in.Data.ReadAt(head, 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("reading the file: %w", err)
	}
	switch {
	case len(head) == 0:
		return nil, fmt.Errorf("%w: the file is empty", ades.ErrNoSignature)
	case isZip(head):
		return container.Read(ctx, in)
	case isSignedData(head): // before PDF: what is signed may be one, and begin near
		return cades.Read(ctx, in)
	case bytes.HasPrefix(head, pdfHeader):
		return pades.Read(ctx, in)
	case isXML(head):
		return xades.Read(ctx, in)
	case bytes.Contains(head, pdfHeader):
		return pades.Read(ctx, in)
	}
	sigs, err := cades.Read(ctx, in)
	if errors.Is(err, ades.ErrRefused) && !isCMS(head) {
		return nil, fmt.Errorf("%w: the file is of no kind that carries signatures", ades.ErrNoSignature)
	}
	return sigs, err
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

func isZip(head []byte) bool {
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

// isCMS: what begins like a SEQUENCE, or is PEM or S/MIME. Base64 alone looks
// like any text and is only tried.
func isCMS(head []byte) bool {
	return head[0] == 0x30 || bytes.Contains(head, []byte("-----BEGIN ")) || isSignedData(head)
}

// baseName takes the folder off a name of whichever system. What has nothing
// behind its folder is no name.
func baseName(name string) string {
	base := path.Base(strings.ReplaceAll(name, `\`, "/"))
	if base == "." || base == "/" {
		return ""
	}
	return base
}
