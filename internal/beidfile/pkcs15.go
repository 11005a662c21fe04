package beidfile

import (
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// TokenInfo is the content of file 5032 (PKCS#15 TokenInfo with Belgium's own last element).
type TokenInfo struct {
	Version             int
	Serial              []byte // 16 bytes, equals the chip number
	Label               string // "BELPIC"
	Graphical           byte   // version of the printed card
	Electrical          byte   // version of the chip's content
	ElectricalInterface byte
	Reserved            byte
}

const (
	tagTokenLabel    = asn1.Tag(0x80) // [0]
	tagTokenVersions = asn1.Tag(0x9E) // [30], Belgium's
)

// ParseTokenInfo reads file 5032 (facts 7). Elements that are not known are skipped, and bytes after the SEQUENCE. It fails with
// ErrMalformed when the DER is broken, when version or serial is missing, or when the versions are not 4 bytes; ErrTooLarge above
// 64 KiB.
func ParseTokenInfo(b []byte) (TokenInfo, error) {
	var info TokenInfo
	if len(b) > maxFile {
		return info, fmt.Errorf("reading the token information: %w", ErrTooLarge)
	}
	in := cryptobyte.String(b)
	var seq cryptobyte.String
	var serial []byte
	if !in.ReadASN1(&seq, asn1.SEQUENCE) || !seq.ReadASN1Integer(&info.Version) || !seq.ReadASN1Bytes(&serial, asn1.OCTET_STRING) {
		return TokenInfo{}, fmt.Errorf("reading the token information: %w", ErrMalformed)
	}
	info.Serial = append([]byte{}, serial...)
	for !seq.Empty() {
		var value cryptobyte.String
		var tag asn1.Tag
		if !seq.ReadAnyASN1(&value, &tag) || tag == tagTokenVersions && len(value) != 4 {
			return TokenInfo{}, fmt.Errorf("reading the token information: %w", ErrMalformed)
		}
		switch tag {
		case tagTokenLabel:
			info.Label, _, _ = cleanText(value)
		case tagTokenVersions:
			info.Graphical, info.Electrical, info.ElectricalInterface, info.Reserved = value[0], value[1], value[2], value[3]
		}
	}
	return info, nil
}

// CertificateEntry is one certificate listed in file 5037.
type CertificateEntry struct {
	Label     string // Authentication, Signature, CA or Root
	ID        []byte // 02, 03, 04 or 06
	Authority bool   // a certification authority's
	Path      []byte // absolute: 3F00 DF00 and the file
}

// ParseCertificateDirectory reads file 5037 (facts 7, ISO/IEC 7816-15 certificate directory). A removed certificate leaves zeros,
// which are skipped wherever they stand; elements that are not known are skipped too. An empty list is no error. It fails with
// ErrMalformed when an entry's DER is broken, ErrTooLarge above 64 KiB.
func ParseCertificateDirectory(b []byte) ([]CertificateEntry, error) {
	if len(b) > maxFile {
		return nil, fmt.Errorf("reading the certificate directory: %w", ErrTooLarge)
	}
	var entries []CertificateEntry
	for in := cryptobyte.String(b); !in.Empty(); {
		if in[0] == 0 {
			in = in[1:]
			continue
		}
		entry, ok := readCertificateEntry(&in)
		if !ok {
			return nil, fmt.Errorf("reading the certificate directory: entry %d: %w", len(entries)+1, ErrMalformed)
		}
		entries = append(entries, entry)
	}
	return entries, nil
}

// readCertificateEntry reads SEQUENCE { common object attributes, common certificate attributes, [1] { SEQUENCE { path } } }.
func readCertificateEntry(in *cryptobyte.String) (e CertificateEntry, ok bool) {
	var entry, object, label, attributes, specific, choice, path cryptobyte.String
	var id, file []byte
	ok = in.ReadASN1(&entry, asn1.SEQUENCE) &&
		entry.ReadASN1(&object, asn1.SEQUENCE) &&
		object.ReadASN1(&label, asn1.UTF8String) &&
		entry.ReadASN1(&attributes, asn1.SEQUENCE) &&
		attributes.ReadASN1Bytes(&id, asn1.OCTET_STRING) &&
		(!attributes.PeekASN1Tag(asn1.BOOLEAN) || attributes.ReadASN1Boolean(&e.Authority)) &&
		entry.ReadASN1(&specific, asn1.Tag(1).ContextSpecific().Constructed()) &&
		specific.ReadASN1(&choice, asn1.SEQUENCE) &&
		choice.ReadASN1(&path, asn1.SEQUENCE) &&
		path.ReadASN1Bytes(&file, asn1.OCTET_STRING)
	e.Label, _, _ = cleanText(label)
	e.ID = append([]byte{}, id...)
	e.Path = append([]byte{}, file...)
	return e, ok
}
