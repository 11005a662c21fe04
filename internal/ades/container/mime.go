package container

import (
	"crypto"
	"path"
	"strings"

	"github.com/eidkit/eidkit/internal/asic"
	"github.com/eidkit/eidkit/internal/sigalg"
)

// Media types of what a container holds beside the data (EN 319 162-1 annex A.4, RFC 8933 section 1).
const (
	manifestMIME  = "text/xml"
	signatureMIME = "application/pkcs7-signature"
	tokenMIME     = "application/vnd.etsi.timestamp-token"
	unknownMIME   = "application/octet-stream"
)

// mimeTypes are those of the files that people sign, by extension. The machine's own table is not asked: what is signed must not depend on it.
var mimeTypes = map[string]string{
	".csv": "text/csv", ".doc": "application/msword", ".gif": "image/gif", ".htm": "text/html", ".html": "text/html", ".jpeg": "image/jpeg",
	".jpg": "image/jpeg", ".json": "application/json", ".odp": "application/vnd.oasis.opendocument.presentation",
	".ods": "application/vnd.oasis.opendocument.spreadsheet", ".odt": "application/vnd.oasis.opendocument.text", ".pdf": "application/pdf",
	".png": "image/png", ".rtf": "application/rtf", ".tif": "image/tiff", ".tiff": "image/tiff", ".txt": "text/plain",
	".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
	".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
	".xls":  "application/vnd.ms-excel", ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
	".xml": "text/xml", ".zip": "application/zip",
}

func mimeOf(name string) string {
	if m := mimeTypes[strings.ToLower(path.Ext(name))]; m != "" {
		return m
	}
	return unknownMIME
}

// wellFormed tells whether a media type can stand in a manifest.
func wellFormed(mime string) bool {
	return len(mime) <= 255 && !strings.ContainsFunc(mime, func(r rune) bool { return r < ' ' || r > '~' })
}

// findTypes gives each part of an older container the type that its META-INF/manifest.xml or an ASiCManifest says, or else the one
// of its name.
func (b *box) findTypes() {
	told := map[string]string{}
	if e := b.base.Lookup(asic.MetaInf + "manifest.xml"); e != nil {
		if raw, err := e.Bytes(asic.MaxManifest); err == nil {
			files, _ := asic.ParsePackageManifest(raw)
			for _, f := range files {
				told[f.Path] = f.MIMEType
			}
		}
	}
	for _, e := range b.base.Entries {
		if e.Role() != asic.Manifest {
			continue
		}
		if m, err := e.ReadManifest(); err == nil {
			for _, ref := range m.References {
				if e := b.base.Resolve(ref.URI); e != nil && told[e.Name] == "" {
					told[e.Name] = ref.MIMEType
				}
			}
		}
	}
	for _, p := range b.parts {
		switch p.role() {
		case asic.Manifest, asic.ArchiveManifest, asic.EvidenceManifest:
			p.mime = manifestMIME
		case asic.SignatureCMS:
			p.mime = signatureMIME
		case asic.Timestamp:
			p.mime = tokenMIME
		default:
			if p.mime = told[p.name]; p.mime == "" || !wellFormed(p.mime) {
				p.mime = mimeOf(p.name)
			}
		}
	}
}

// digestURI names a digest in XML, "" if it has no name there.
func digestURI(h crypto.Hash) string {
	for _, uri := range []string{"http://www.w3.org/2001/04/xmlenc#sha256", "http://www.w3.org/2001/04/xmldsig-more#sha384", "http://www.w3.org/2001/04/xmlenc#sha512",
		"http://www.w3.org/2007/05/xmldsig-more#sha3-256", "http://www.w3.org/2007/05/xmldsig-more#sha3-384", "http://www.w3.org/2007/05/xmldsig-more#sha3-512"} {
		if known, ok := sigalg.HashByURI(uri); ok && known == h {
			return uri
		}
	}
	return ""
}
