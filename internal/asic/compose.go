package asic

import (
	"encoding/base64"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// maxDataName bounds a new file's name in bytes: what file systems take.
const maxDataName = 255

// DataName makes the name that a file has in a new container: the last part of name, path separators of any system
// counting. It returns ErrUnsafe for what cannot be one: nothing, control characters and others that are not seen, not UTF-8, too long, a
// name that the container itself has a use for, what Windows cannot have as a name or would change.
func DataName(name string) (string, error) {
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	switch {
	case !utf8.ValidString(name):
		return "", unsafe("the name %q is not in UTF-8", name)
	case name == "":
		return "", unsafe("a file without a name")
	case len(name) > maxDataName:
		return "", unsafe("the name %.40q... is longer than %d bytes", name, maxDataName)
	case strings.ContainsAny(name, "\ufffe\uffff"):
		return "", unsafe("the name %q has characters that XML has not", name)
	}
	for _, reserved := range []string{MIMETypeFile, strings.TrimSuffix(MetaInf, "/")} {
		if foldName(name) == foldName(reserved) {
			return "", unsafe("the name %q has a meaning of its own in a container", name)
		}
	}
	if err := portable(name); err != nil {
		return "", err
	}
	return name, checkName(name)
}

// devices are names that Windows has a use for, whatever their extension ("Naming Files, Paths, and Namespaces").
var devices = regexp.MustCompile(`(?i)^(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9\x{b9}\x{b2}\x{b3}]) *(\.|$)`)

// portable refuses names that are not the same file everywhere, or look like another one.
func portable(name string) error {
	switch {
	case strings.ContainsAny(name, `<>:"|?*`):
		return unsafe("the name %q has one of the characters < > : \" | ? *, which Windows does not allow", name)
	case strings.TrimRight(name, ". ") != name:
		return unsafe("the name %q ends in a dot or a blank, which Windows drops", name)
	case devices.MatchString(name):
		return unsafe("the name %q is that of a device on Windows", name)
	case strings.ContainsFunc(name, func(r rune) bool { return unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp) }):
		return unsafe("the name %q has characters that are not seen", name)
	}
	return nil
}

// foldName is what names are compared by that a file system could hold to be the same: whatever their case and Unicode form, and the dots and
// blanks at the ends of their parts, which Windows drops.
func foldName(name string) string {
	parts := strings.Split(norm.NFC.String(cases.Fold().String(norm.NFC.String(name))), "/")
	for i, part := range parts {
		parts[i] = strings.TrimRight(part, ". ")
	}
	return strings.Join(parts, "/")
}

// EscapeName writes a file's name as a relative URI (RFC 3986): all but letters, digits, "-._~" and the slash is
// percent-encoded, so that no reader takes a colon for a scheme.
func EscapeName(name string) string {
	const hex = "0123456789ABCDEF"
	var out strings.Builder
	for i := range len(name) {
		switch c := name[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("-._~/", c) >= 0:
			out.WriteByte(c)
		default:
			out.Write([]byte{'%', hex[c>>4], hex[c&15]})
		}
	}
	return out.String()
}

// attributes of XML in double quotes. Line breaks and tabs would be read as spaces.
var escapeAttribute = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "\t", "&#9;", "\n", "&#10;", "\r", "&#13;").Replace

const xmlDeclaration = `<?xml version="1.0" encoding="UTF-8" standalone="no"?>` + "\n"

// SignaturesSpace is the namespace of ASiC's XML (EN 319 162-1 annex A).
const SignaturesSpace = "http://uri.etsi.org/02918/v1.2.1#"

// Encode writes the manifest (EN 319 162-1 annex A.4). URIs are written as they are, so they have to be encoded; media types
// that are empty are left out.
func (m *ManifestFile) Encode() []byte {
	var out strings.Builder
	attribute := func(name, value string) {
		if value != "" {
			out.WriteString(" " + name + `="` + escapeAttribute(value) + `"`)
		}
	}
	out.WriteString(xmlDeclaration + `<asic:ASiCManifest xmlns:asic="` + SignaturesSpace + `" xmlns:ds="http://www.w3.org/2000/09/xmldsig#">` + "\n<asic:SigReference")
	attribute("URI", m.SigURI)
	attribute("MimeType", m.SigMIMEType)
	out.WriteString("/>\n")
	for _, r := range m.References {
		out.WriteString("<asic:DataObjectReference")
		attribute("URI", r.URI)
		attribute("MimeType", r.MIMEType)
		if r.Root {
			attribute("Rootfile", "true")
		}
		out.WriteString("><ds:DigestMethod")
		attribute("Algorithm", r.Algorithm)
		out.WriteString("/><ds:DigestValue>" + base64.StdEncoding.EncodeToString(r.Digest) + "</ds:DigestValue></asic:DataObjectReference>\n")
	}
	return []byte(out.String() + "</asic:ASiCManifest>\n")
}

// EncodePackageManifest writes META-INF/manifest.xml of an ASiC-E with XAdES: the container itself, and its files
// (OpenDocument 1.3 part 2 section 4; EN 319 162-1 section 4.4.3.2).
func EncodePackageManifest(files []PackageFile) []byte {
	var out strings.Builder
	out.WriteString(xmlDeclaration + `<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0" manifest:version="1.2">` + "\n")
	for _, f := range append([]PackageFile{{Path: "/", MIMEType: asicEType}}, files...) {
		out.WriteString(`<manifest:file-entry manifest:full-path="` + escapeAttribute(f.Path) + `" manifest:media-type="` + escapeAttribute(f.MIMEType) + `"/>` + "\n")
	}
	return []byte(out.String() + "</manifest:manifest>\n")
}
