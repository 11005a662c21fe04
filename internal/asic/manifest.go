package asic

import (
	"bytes"
	"crypto"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/eidkit/eidkit/internal/sigalg"
)

// MaxManifest bounds a manifest in bytes.
const MaxManifest = 4 << 20

// Bounds inside a manifest.
const (
	maxManifestDepth = 32
	maxReferences    = maxEntries
)

// ManifestFile is an ASiCManifest, an ASiCArchiveManifest or an
// ASiCEvidenceRecordManifest (EN 319 162-1 annex A.4).
type ManifestFile struct {
	// SigURI names the signature or time stamp over this manifest, as written.
	SigURI      string
	SigMIMEType string
	References  []DataObject
	// CriticalExtension: there is an extension that says it must be understood.
	CriticalExtension bool
}

// DataObject is one DataObjectReference.
type DataObject struct {
	URI       string // as written
	MIMEType  string
	Root      bool        // Rootfile="true"
	Algorithm string      // URI of the digest, as written
	Hash      crypto.Hash // 0: not known
	Digest    []byte      // nil if it cannot be read
}

// ParseManifest reads an ASiCManifest. Elements are those of TS 102 918 and of EN 319 162-1; what
// it does not know is passed over. Errors wrap ErrManifest: not well-formed XML, a DOCTYPE, another
// root element, two SigReference. A manifest without references is none.
func ParseManifest(raw []byte) (*ManifestFile, error) {
	m := &ManifestFile{}
	signatures := 0
	err := walk(raw, func(path []xml.Name, start *xml.StartElement, text string) error {
		if path[0].Local != "ASiCManifest" || !isASiC(path[0].Space) {
			return badManifest("the root element is %q", path[0].Local)
		}
		switch elementAt(path) {
		case "SigReference":
			if start == nil {
				return nil
			}
			if signatures++; signatures > 1 {
				return badManifest("two SigReference")
			}
			m.SigURI, m.SigMIMEType = attribute(start, "URI"), attribute(start, "MimeType")
		case "DataObjectReference":
			if start == nil {
				return nil
			}
			if len(m.References) == maxReferences {
				return badManifest("more than %d references", maxReferences)
			}
			root := strings.TrimSpace(attribute(start, "Rootfile"))
			m.References = append(m.References, DataObject{URI: attribute(start, "URI"), MIMEType: attribute(start, "MimeType"), Root: root == "true" || root == "1"})
		case "DataObjectReference/DigestMethod":
			if start != nil {
				r := &m.References[len(m.References)-1]
				r.Algorithm = attribute(start, "Algorithm")
				r.Hash, _ = sigalg.HashByURI(strings.TrimSpace(r.Algorithm))
			}
		case "DataObjectReference/DigestValue":
			if start == nil {
				m.References[len(m.References)-1].Digest = decodeBase64(text)
			}
		case "ASiCManifestExtensions/Extension", "DataObjectReference/DataObjectReferenceExtensions/Extension":
			if start != nil {
				if critical := strings.TrimSpace(attribute(start, "Critical")); critical == "true" || critical == "1" {
					m.CriticalExtension = true
				}
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return m, nil
}

// isASiC accepts the namespaces of TS 102 918 and EN 319 162-1.
func isASiC(space string) bool {
	return strings.HasPrefix(space, "http://uri.etsi.org/02918/v") || strings.HasPrefix(space, "http://uri.etsi.org/2918/v")
}

// elementAt joins the names below the root, "" where a namespace is neither ASiC's nor XMLDSig's.
func elementAt(path []xml.Name) string {
	var names []string
	for _, n := range path[1:] {
		if !isASiC(n.Space) && n.Space != "http://www.w3.org/2000/09/xmldsig#" {
			return ""
		}
		names = append(names, n.Local)
	}
	return strings.Join(names, "/")
}

func decodeBase64(text string) []byte {
	b, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil || len(b) == 0 {
		return nil
	}
	return b
}

// attribute returns the attribute of that name in no namespace.
func attribute(e *xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Space == "" && a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// PackageFile is one file-entry of an OpenDocument manifest.
type PackageFile struct {
	Path      string
	MIMEType  string
	Encrypted bool
}

// packageSpaces are the namespaces of META-INF/manifest.xml: OpenDocument 1.0 to 1.3, and
// OpenOffice.org 1.
var packageSpaces = map[string]bool{
	"urn:oasis:names:tc:opendocument:xmlns:manifest:1.0": true,
	"http://openoffice.org/2001/manifest":                true,
}

// ParsePackageManifest reads META-INF/manifest.xml. Errors wrap ErrManifest.
func ParsePackageManifest(raw []byte) ([]PackageFile, error) {
	var files []PackageFile
	err := walk(raw, func(path []xml.Name, start *xml.StartElement, _ string) error {
		if path[0].Local != "manifest" || !packageSpaces[path[0].Space] {
			return badManifest("the root element is %q", path[0].Local)
		}
		last := path[len(path)-1]
		if start == nil || !packageSpaces[last.Space] {
			return nil
		}
		switch {
		case len(path) == 2 && last.Local == "file-entry":
			if len(files) == maxReferences {
				return badManifest("more than %d files", maxReferences)
			}
			var f PackageFile
			for _, a := range start.Attr {
				if !packageSpaces[a.Name.Space] {
					continue
				}
				switch a.Name.Local {
				case "full-path":
					f.Path = a.Value
				case "media-type":
					f.MIMEType = a.Value
				}
			}
			files = append(files, f)
		case len(path) == 3 && last.Local == "encryption-data" && len(files) > 0:
			files[len(files)-1].Encrypted = true
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return files, nil
}

// walk goes through a small XML document and calls visit at the beginning of each element, with
// its start tag, and at its end, with its text. A DOCTYPE is refused, as are attributes that stand twice and
// encodings other than UTF-8.
func walk(raw []byte, visit func(path []xml.Name, start *xml.StartElement, text string) error) error {
	if len(raw) > MaxManifest {
		return badManifest("%d bytes", len(raw))
	}
	d := xml.NewDecoder(bytes.NewReader(bytes.TrimPrefix(raw, []byte("\ufeff"))))
	var path []xml.Name
	var text strings.Builder
	roots := 0
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return badManifest("%v", err)
		}
		switch t := token.(type) {
		case xml.Directive:
			return badManifest("a DOCTYPE")
		case xml.StartElement:
			if len(path) == 0 {
				roots++
			}
			if len(path) == maxManifestDepth || roots > 1 {
				return badManifest("too deep, or two root elements")
			}
			if err := uniqueAttributes(t.Attr); err != nil {
				return err
			}
			path = append(path, t.Name)
			text.Reset()
			err = visit(path, &t, "")
		case xml.CharData:
			if len(path) > 0 {
				text.Write(t)
			}
		case xml.EndElement:
			err = visit(path, nil, text.String())
			path = path[:len(path)-1]
			text.Reset()
		}
		if err != nil {
			return err
		}
	}
	if roots != 1 {
		return badManifest("no root element")
	}
	return nil
}

func badManifest(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrManifest, fmt.Sprintf(format, args...))
}

func uniqueAttributes(list []xml.Attr) error {
	if len(list) > 100 {
		return badManifest("%d attributes", len(list))
	}
	seen := make(map[xml.Name]bool, len(list))
	for _, a := range list {
		if seen[a.Name] {
			return badManifest("the attribute %q stands twice", a.Name.Local)
		}
		seen[a.Name] = true
	}
	return nil
}

// Resolve returns the file that a relative reference of a signature or a manifest means, or nil:
// percent-encoding is undone (RFC 3986 section 2.1), the root of the container is the base. If there is no
// such file, one named exactly as written is taken: some makers do not encode.
func (c *Container) Resolve(uri string) *Entry {
	uri = strings.TrimPrefix(strings.TrimPrefix(uri, "./"), "/")
	if name, err := url.PathUnescape(uri); err == nil && utf8.ValidString(name) {
		if e := c.Lookup(name); e != nil {
			return e
		}
	}
	return c.Lookup(uri)
}

// ReadManifest reads and parses the manifest in e. Errors wrap ErrManifest, ErrFormat, ErrTooLarge or
// are those of the source.
func (e *Entry) ReadManifest() (*ManifestFile, error) {
	raw, err := e.Bytes(MaxManifest)
	if err != nil {
		return nil, err
	}
	m, err := ParseManifest(raw)
	if err != nil {
		return nil, fmt.Errorf("reading %q: %w", e.Name, err)
	}
	return m, nil
}
