// Package content looks at a document before it is signed: what kind of file it
// is, and what in it acts by itself, so that a signer hears of that before the
// PIN is asked.
//
// Call Look; Text has the words for what it finds, in four languages.
//
// The kind is told by the bytes, and by the name only where that makes a browser
// run what is in the file. What is found is a warning, not a verdict: code that
// is hidden well enough (in a font, in a picture's decoder) is not seen here, and
// a document without any can still be a lie.
//
// Out of scope: showing documents, forbidding them.
//
// References: ISO 32000-1 sections 7.11.4, 12.6 and 8.11; SVG 2 chapter 15; HTML
// Living Standard section 8.1.8 (event handlers); XML 1.0 section 4.2.
package content

import (
	"bytes"
	"io"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/eidkit/eidkit/internal/filekind"
)

// Active is a kind of content that acts by itself, or is not under a signature as it seems to be.
type Active string

// What is looked for.
const (
	Script     Active = "script"     // JavaScript or VBScript, also in links and event handlers
	Launch     Active = "launch"     // starts programs
	Embedded   Active = "embedded"   // holds further files
	Submit     Active = "submit"     // sends or fetches data of forms
	Media      Active = "media"      // films, sounds, 3D models
	DynamicUI  Active = "xfa"        // a form that builds its own pages
	Layers     Active = "layers"     // parts that can be shown or not
	Frames     Active = "frames"     // frames, plug-ins, foreign markup
	External   Active = "external"   // shows what is elsewhere and can change
	Animation  Active = "animation"  // changes while it is looked at
	Entities   Active = "entities"   // its own abbreviations, by which text can be hidden
	Stylesheet Active = "stylesheet" // is shown as a style sheet says
	Macros     Active = "macros"     // programs of an office suite
	Unchecked  Active = "unchecked"  // it could not be looked through whole
)

// Document is what was found.
type Document struct {
	// MediaType is told by the bytes: application/pdf, image/png, image/jpeg,
	// image/gif, image/webp, image/tiff, image/svg+xml, text/html,
	// application/xml, text/plain, application/zip, or application/octet-stream.
	MediaType string
	Active    []Active // sorted, each once
}

// Look looks through a file of that name. Errors are those of reading it.
func Look(r io.ReaderAt, size int64, name string) (Document, error) {
	head := make([]byte, min(size, filekind.HeadSize))
	if n, err := r.ReadAt(head, 0); err != nil && !(err == io.EOF && n == len(head)) {
		return Document{}, err
	}
	d := Document{MediaType: mediaType(head, size)}
	found := map[Active]bool{}
	err := lookBehind(r, size, head, d.MediaType, found)
	if err != nil {
		return d, err
	}
	text := runsByName(name) || slices.Contains([]string{"image/svg+xml", "text/html", "application/xml"}, d.MediaType)
	switch d.MediaType {
	case "application/pdf":
		lookPDF(r, size, found)
		text = text || begins(head, "<")
	case "application/zip":
		err = lookPackage(r, size, found)
	case "application/octet-stream":
		if text { // in an alphabet that is not known here, but perhaps to who opens it
			found[Unchecked] = true
		}
	}
	if text && err == nil {
		m := markup{found: found}
		err = scan(r, size, maxScan, m.piece, found)
	}
	for a := range found {
		d.Active = append(d.Active, a)
	}
	slices.Sort(d.Active)
	return d, err
}

// runsByName tells whether a browser takes the file for a page, whatever is in it.
func runsByName(name string) bool {
	ext := strings.ToLower(path.Ext(name))
	return slices.Contains([]string{".htm", ".html", ".xhtml", ".xht", ".shtml", ".mht", ".mhtml", ".svg", ".hta", ".xml", ".xsl", ".xslt"}, ext)
}

// magic are the first bytes of pictures.
var magic = []struct{ begin, mediaType string }{
	{"\x89PNG\r\n\x1a\n", "image/png"}, {"\xff\xd8\xff", "image/jpeg"}, {"GIF87a", "image/gif"}, {"GIF89a", "image/gif"},
	{"II*\x00", "image/tiff"}, {"MM\x00*", "image/tiff"},
}

// mediaType is told by the beginning of a file.
func mediaType(head []byte, size int64) string {
	for _, m := range magic {
		if bytes.HasPrefix(head, []byte(m.begin)) {
			return m.mediaType
		}
	}
	if len(head) > 12 && string(head[:4]) == "RIFF" && string(head[8:12]) == "WEBP" {
		return "image/webp"
	}
	plain := fold(head)
	kind := filekind.Head(head)
	switch {
	case kind == filekind.PDF:
		return "application/pdf"
	case kind == filekind.ZIP:
		return "application/zip"
	case isPage(plain):
		return "text/html"
	case kind == filekind.XML && isSVG(plain):
		return "image/svg+xml"
	case kind == filekind.XML:
		return "application/xml"
	case isText(head, size):
		return "text/plain"
	}
	return "application/octet-stream"
}

// begins tells whether text begins so, behind a byte order mark and white space.
func begins(head []byte, with string) bool {
	return bytes.HasPrefix(bytes.TrimLeft(fold(head), "\ufeff \t\r\n"), []byte(with))
}

// isText tells whether the beginning of a file is text, in UTF-8 or UTF-16 with its mark.
func isText(head []byte, size int64) bool {
	if bytes.HasPrefix(head, []byte("\xff\xfe")) || bytes.HasPrefix(head, []byte("\xfe\xff")) {
		return len(head)%2 == 0
	}
	if int64(len(head)) < size { // a character may be cut
		for cut := 0; cut < utf8.UTFMax && len(head) > 0 && !utf8.Valid(head); cut++ {
			head = head[:len(head)-1]
		}
	}
	return utf8.Valid(head) && !bytes.ContainsFunc(head, func(r rune) bool {
		return r < ' ' && !strings.ContainsRune("\t\n\r\f", r) || r == 0x7F
	})
}
