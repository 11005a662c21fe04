package signed

import (
	"archive/zip"
	"bytes"
	"crypto"
	"errors"
	"fmt"
	"hash/crc32"
	"net/url"
	"strings"
	"time"
)

// File is a file of a container.
type File struct {
	Name     string // with slashes
	Data     []byte
	MIMEType string // may be empty
}

// ContainerForm is a kind of container, ETSI EN 319 162-1.
type ContainerForm int

// The forms.
const (
	ASiCE      ContainerForm = iota // ASiC-E with XAdES
	ASiCECAdES                      // ASiC-E with a manifest and CAdES
	ASiCS                           // ASiC-S with XAdES: one file
	ASiCSCAdES                      // ASiC-S with CAdES: one file
	ASiCSToken                      // ASiC-S with a time stamp token alone: one file, one signer whose Timestamp it is
)

// Media types, ETSI EN 319 162-1 sections 4.3.3 and 4.4.3.
const (
	mimeASiCE = "application/vnd.etsi.asic-e+zip"
	mimeASiCS = "application/vnd.etsi.asic-s+zip"
)

// ASiC puts files into a container and has each signer sign all of them. The
// level LTA of ASiCECAdES has an ASiCArchiveManifest for each archive time
// stamp, the evidence about the one before being in its token, and of the other
// forms what CAdES and XAdES have.
func ASiC(files []File, form ContainerForm, signers ...Options) ([]byte, error) {
	c := container{form: form, files: files, mime: mimeASiCE}
	if form >= ASiCS {
		c.mime = mimeASiCS
	}
	if err := c.sign(signers); err != nil {
		return nil, fmt.Errorf("making ASiC container: %w", err)
	}
	out, err := c.zip()
	if err != nil {
		return nil, fmt.Errorf("making ASiC container: %w", err)
	}
	return out, nil
}

type container struct {
	form  ContainerForm
	mime  string
	files []File
	meta  []File // below META-INF
}

func (c *container) sign(signers []Options) error {
	if len(c.files) == 0 || len(signers) == 0 {
		return errors.New("nothing to sign, or nobody to do it")
	}
	if c.form >= ASiCS && (len(c.files) > 1 || len(signers) > 1 && c.form != ASiCSCAdES) {
		return fmt.Errorf("%w: ASiC-S has one file", ErrOptions)
	}
	switch c.form {
	case ASiCE:
		c.meta = append(c.meta, c.listing())
		for i, o := range signers {
			if err := c.xades(o, fmt.Sprintf("META-INF/signatures%d.xml", i+1)); err != nil {
				return err
			}
		}
	case ASiCS:
		return c.xades(signers[0], "META-INF/signatures.xml")
	case ASiCECAdES:
		for i, o := range signers {
			if err := c.cades(o, i+1); err != nil {
				return err
			}
		}
	case ASiCSCAdES:
		raw, err := CAdES(c.files[0].Data, true, signers...)
		c.meta = append(c.meta, File{Name: "META-INF/signature.p7s", Data: raw})
		return err
	case ASiCSToken:
		o := signers[0]
		if err := o.fill(); err != nil {
			return err
		}
		token, err := o.token(o.Timestamp, nil, c.files[0].Data)
		c.meta = append(c.meta, File{Name: "META-INF/timestamp.tst", Data: token})
		return err
	default:
		return fmt.Errorf("%w: form %d", ErrOptions, int(c.form))
	}
	return nil
}

// xades adds a signature file with XAdES over all files.
func (c *container) xades(o Options, name string) error {
	root := element("asic:XAdESSignatures").declaring("asic")
	b := xmlBuilder{id: "sig-1", form: exclusive, outside: root}
	var references []reference
	for _, f := range c.files {
		references = append(references, reference{uri: escapePath(f.Name), signed: f.Data, mime: f.mimeType()})
	}
	signature, err := b.build(o, references, nil)
	if err != nil {
		return err
	}
	c.meta = append(c.meta, File{Name: name, Data: document(root.add(signature))})
	return nil
}

// cades adds a manifest over all files, the signature over the manifest, and
// for level LTA the archive manifests with their time stamps.
func (c *container) cades(o Options, number int) error {
	if err := o.fill(); err != nil {
		return err
	}
	signature := fmt.Sprintf("META-INF/signature%d.p7s", number)
	manifest := File{Name: fmt.Sprintf("META-INF/ASiCManifest%d.xml", number), MIMEType: "text/xml",
		Data: document(c.manifest(signature, "application/pkcs7-signature", o.Hash, c.files, ""))}
	inside := o
	inside.Level = min(o.Level, LT)
	raw, err := CAdES(manifest.Data, true, inside)
	if err != nil {
		return err
	}
	signed := File{Name: signature, Data: raw, MIMEType: "application/pkcs7-signature"}
	c.meta = append(c.meta, manifest, signed)
	if o.Level < LTA {
		return nil
	}
	covered := append(append([]File(nil), c.files...), manifest, signed)
	for i, s := range o.Archive {
		name := fmt.Sprintf("META-INF/timestamp%d-%d.tst", number, i+1)
		archive := File{Name: fmt.Sprintf("META-INF/ASiCArchiveManifest%d-%d.xml", number, i+1), MIMEType: "text/xml",
			Data: document(c.manifest(name, "application/vnd.etsi.timestamp-token", s.Hash, covered, manifest.Name))}
		var known evidence
		if i+1 < len(o.Archive) { // the next one covers this one with what is known of its authority by then
			var err error
			if known, err = o.aboutStamp(s, s.RevocationAt); err != nil {
				return err
			}
		}
		token, err := o.tokenWith(s, known, archive.Data)
		if err != nil {
			return err
		}
		stamp := File{Name: name, Data: token, MIMEType: "application/vnd.etsi.timestamp-token"}
		c.meta = append(c.meta, archive, stamp)
		covered = append(covered, archive, stamp)
	}
	return nil
}

// manifest lists files, ETSI EN 319 162-1 annex A.4; root is the name of the
// one that is the root file, or empty.
func (c *container) manifest(signature, mime string, h crypto.Hash, files []File, root string) *node {
	out := element("asic:ASiCManifest", element("asic:SigReference").with("MimeType", mime, "URI", escapePath(signature))).declaring("asic")
	for _, f := range files {
		n := element("asic:DataObjectReference", digest(h, f.Data)...).with("MimeType", f.mimeType())
		if root != "" && f.Name == root {
			n.with("Rootfile", "true")
		}
		for _, child := range n.children {
			child.declaring("ds")
		}
		out.add(n.with("URI", escapePath(f.Name)))
	}
	return out
}

func (f File) mimeType() string {
	if f.MIMEType == "" {
		return "application/octet-stream"
	}
	return f.MIMEType
}

// listing is META-INF/manifest.xml as OpenDocument has it.
func (c *container) listing() File {
	var out strings.Builder
	out.WriteString(`<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0" manifest:version="1.2">` + "\n")
	add := func(name, mime string) {
		fmt.Fprintf(&out, `<manifest:file-entry manifest:full-path="%s" manifest:media-type="%s"/>`+"\n", attributeEscapes.Replace(name), mime)
	}
	add("/", c.mime)
	for _, f := range c.files {
		add(f.Name, f.mimeType())
	}
	return File{Name: "META-INF/manifest.xml", Data: []byte(xmlDeclaration + out.String() + "</manifest:manifest>\n")}
}

const xmlDeclaration = `<?xml version="1.0" encoding="UTF-8" standalone="no"?>` + "\n"

func document(root *node) []byte { return append([]byte(xmlDeclaration), root.write(asDocument)...) }

// escapePath is a file name as a relative URI.
func escapePath(name string) string {
	parts := strings.Split(name, "/")
	for i, p := range parts {
		parts[i] = url.PathEscape(p)
	}
	return strings.Join(parts, "/")
}

// zip writes the container. The file mimetype comes first, stored, with its
// length in its own header, so that its text stands at offset 38 (ETSI EN 319
// 162-1 annex A.1).
func (c *container) zip() ([]byte, error) {
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	mime := []byte(c.mime)
	first, err := w.CreateRaw(&zip.FileHeader{Name: "mimetype", Method: zip.Store, CRC32: crc32.ChecksumIEEE(mime),
		CompressedSize64: uint64(len(mime)), UncompressedSize64: uint64(len(mime))})
	if err != nil {
		return nil, err
	}
	if _, err := first.Write(mime); err != nil {
		return nil, err
	}
	for _, f := range append(append([]File(nil), c.files...), c.meta...) {
		header := &zip.FileHeader{Name: f.Name, Method: zip.Deflate, Modified: time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)}
		one, err := w.CreateHeader(header)
		if err != nil {
			return nil, err
		}
		if _, err := one.Write(f.Data); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}
