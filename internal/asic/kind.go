package asic

import (
	"errors"
	"path"
	"strings"
)

// Kind is the kind of a container.
type Kind string

// The kinds.
const (
	ASiCS Kind = "ASiC-S" // one signed file
	ASiCE Kind = "ASiC-E" // several
	ODF   Kind = "ODF"
	OOXML Kind = "OOXML"
	Plain Kind = "" // a ZIP file of no such kind
)

// MIMETypeFile is the name of the entry that tells the kind.
const MIMETypeFile = "mimetype"

// maxMIMEType bounds that entry; the longest of OpenDocument has 66 bytes.
const maxMIMEType = 256

// MIMEType returns the content of the entry "mimetype" without white space
// around it, or else what a comment "mimetype=..." says (EN 319 162-1 annex
// A.1), or "".
func (c *Container) MIMEType() string {
	if e := c.Lookup(MIMETypeFile); e != nil {
		b, err := e.Bytes(maxMIMEType)
		if err != nil {
			return ""
		}
		return strings.TrimSpace(strings.TrimPrefix(string(b), "\ufeff"))
	}
	if _, s, ok := strings.Cut(c.Comment, "mimetype="); ok {
		return strings.TrimSpace(s)
	}
	return ""
}

// checkMIMEType notes what is odd about the entry "mimetype". A container is
// told by its first bytes only if that entry is the first, stored and without
// extra field (EN 319 162-1 annex A.1, OpenDocument 1.3 part 2 section 3.3).
func (c *Container) checkMIMEType() error {
	e := c.Lookup(MIMETypeFile)
	if e == nil {
		return nil // whether it has to be there depends on the kind
	}
	b, err := e.Bytes(maxMIMEType)
	switch {
	case errors.Is(err, ErrTooLarge), errors.Is(err, ErrFormat):
		c.odd("the file mimetype cannot be read")
		return nil
	case err != nil:
		return err
	}
	if !e.first {
		c.odd("the file mimetype is not the first")
	}
	if e.head.method != stored {
		c.odd("the file mimetype is compressed")
	}
	if e.localExtra {
		c.odd("the file mimetype has an extra field")
	}
	if string(b) != c.MIMEType() {
		c.odd("the file mimetype holds more than a media type")
	}
	return nil
}

// Types of containers. BDOC 1.0 and ADOC 2008 came before ASiC-E.
const (
	asicSType = "application/vnd.etsi.asic-s+zip"
	asicEType = "application/vnd.etsi.asic-e+zip"
	bdocType  = "application/vnd.bdoc-1."
	odfTypes  = "application/vnd.oasis.opendocument."
)

// extensions tell the kind where no media type does (EN 319 162-1 sections
// 4.3.3.1 and 4.4.3.1).
var extensions = map[string]Kind{
	".asics": ASiCS, ".scs": ASiCS,
	".asice": ASiCE, ".sce": ASiCE, ".bdoc": ASiCE, ".edoc": ASiCE,
}

// kindOf tells the kind by a media type, Plain if it does not know that.
func kindOf(mediaType string) Kind {
	switch {
	case mediaType == asicSType:
		return ASiCS
	case mediaType == asicEType, strings.HasPrefix(mediaType, bdocType):
		return ASiCE
	case strings.HasPrefix(mediaType, odfTypes):
		return ODF
	}
	return Plain
}

// Kind tells the kind of container by its media type, that of its root in
// META-INF/manifest.xml, its parts, the extension of its file name (which may
// be empty), and at last, if it holds signatures at all, by the number of its
// files: one file at the root makes an ASiC-S.
func (c *Container) Kind(fileName string) Kind {
	if k := kindOf(c.MIMEType()); k != Plain {
		return k
	}
	if k := kindOf(c.rootType()); k != Plain {
		return k
	}
	if c.Lookup("[Content_Types].xml") != nil {
		return OOXML
	}
	if k, ok := extensions[strings.ToLower(path.Ext(fileName))]; ok {
		return k
	}
	if !c.signed() {
		return Plain
	}
	if len(c.RootFiles()) == 1 {
		return ASiCS
	}
	return ASiCE
}

// rootType is the media type that META-INF/manifest.xml gives to "/".
func (c *Container) rootType() string {
	e := c.Lookup(MetaInf + "manifest.xml")
	if e == nil {
		return ""
	}
	raw, err := e.Bytes(MaxManifest)
	if err != nil {
		return ""
	}
	files, err := ParsePackageManifest(raw)
	if err != nil {
		return ""
	}
	for _, f := range files {
		if f.Path == "/" {
			return f.MIMEType
		}
	}
	return ""
}

// signed reports whether there is a file that ASiC reserves for signatures or
// time stamps.
func (c *Container) signed() bool {
	for _, e := range c.Entries {
		switch e.Role() {
		case SignatureXML, SignatureCMS, Timestamp:
			return true
		}
	}
	return false
}

// Role is what a file of an ASiC container is for, by its name.
type Role int

// The roles (EN 319 162-1 sections 4.3.3.2 and 4.4.3.2, 4.4.4.2).
const (
	Data             Role = iota // signed, or to be signed
	MIMETypeEntry                // "mimetype"
	SignatureXML                 // META-INF/*signature*.xml
	SignatureCMS                 // META-INF/*signature*.p7s
	Timestamp                    // META-INF/*timestamp*.tst
	Manifest                     // META-INF/*ASiCManifest*.xml
	ArchiveManifest              // META-INF/*ASiCArchiveManifest*.xml
	EvidenceManifest             // META-INF/*ASiCEvidenceRecordManifest*.xml
	Evidence                     // META-INF/*evidencerecord*.ers or .xml
	PackageManifest              // META-INF/manifest.xml
	OtherMeta                    // anything else in META-INF
)

// MetaInf is the folder of what is about the container, not in it.
const MetaInf = "META-INF/"

// Role tells the role of the file by its name. The names are matched as loosely
// as EN 319 162-1 allows: "META-INF/signatures/signatures0.xml" of ADOC is one.
func (e *Entry) Role() Role {
	name, meta := strings.CutPrefix(e.Name, MetaInf)
	if !meta {
		if e.Name == MIMETypeFile {
			return MIMETypeEntry
		}
		return Data
	}
	xml := strings.HasSuffix(name, ".xml")
	switch {
	case xml && strings.Contains(name, "ASiCManifest"):
		return Manifest
	case xml && strings.Contains(name, "ASiCArchiveManifest"):
		return ArchiveManifest
	case xml && strings.Contains(name, "ASiCEvidenceRecordManifest"):
		return EvidenceManifest
	case name == "manifest.xml":
		return PackageManifest
	case strings.Contains(name, "evidencerecord") && (xml || strings.HasSuffix(name, ".ers")):
		return Evidence
	case strings.Contains(name, "timestamp") && strings.HasSuffix(name, ".tst"):
		return Timestamp
	case strings.Contains(name, "signature") && xml:
		return SignatureXML
	case strings.Contains(name, "signature") && strings.HasSuffix(name, ".p7s"):
		return SignatureCMS
	}
	return OtherMeta
}

// DataFiles returns the files with Role Data, in order.
func (c *Container) DataFiles() []*Entry {
	var list []*Entry
	for _, e := range c.Entries {
		if e.Role() == Data {
			list = append(list, e)
		}
	}
	return list
}

// RootFiles returns those of DataFiles that lie in no folder.
func (c *Container) RootFiles() []*Entry {
	var list []*Entry
	for _, e := range c.DataFiles() {
		if !strings.Contains(e.Name, "/") {
			list = append(list, e)
		}
	}
	return list
}
