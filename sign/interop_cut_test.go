package sign_test

import (
	"bytes"
	"crypto"
	"encoding/asn1"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// What outside tools cannot get at by themselves is cut out here, with
// nothing of the project: the bytes of CMS messages, PDFs and XML.

// stamp is a time stamp token with what it is over: the data, or, where that
// takes canonical forms of half a document, nothing: then the token is judged
// by the digest in it.
type stamp struct {
	what  string
	token []byte
	data  []byte
}

// cmsMessage are the parts of a CMS message with one signer, as they stand in
// it (RFC 5652, section 5).
type cmsMessage struct {
	OID  asn1.ObjectIdentifier
	Data struct {
		Version    int
		Algorithms asn1.RawValue
		Content    struct {
			OID     asn1.RawValue
			Content asn1.RawValue `asn1:"optional,explicit,tag:0"`
		}
		Certs   asn1.RawValue   `asn1:"optional,tag:0"`
		CRLs    asn1.RawValue   `asn1:"optional,tag:1"`
		Signers []asn1.RawValue `asn1:"set"`
	} `asn1:"explicit,tag:0"`
}

// signerInfo is one of its signers.
type signerInfo struct {
	head     []byte // all up to the value, and the value
	signed   []byte // the signed attributes, as they stand
	value    []byte
	unsigned []attribute
}

type attribute struct {
	OID    asn1.ObjectIdentifier
	Values []asn1.RawValue `asn1:"set"`
}

var (
	signatureStamp = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 14} // RFC 3161, appendix A
	archiveStamp   = asn1.ObjectIdentifier{0, 4, 0, 1733, 2, 4}                // EN 319 122-1, section 5.5.3
	hashIndex      = asn1.ObjectIdentifier{0, 4, 0, 19122, 1, 5}               // section 5.5.2
	idSignedData   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
)

func cutCMS(t testing.TB, raw []byte) (m cmsMessage, s signerInfo) {
	t.Helper()
	rest, err := asn1.Unmarshal(raw, &m)
	if err != nil || len(rest) > 0 || !m.OID.Equal(idSignedData) || len(m.Data.Signers) != 1 {
		t.Fatalf("cutting a CMS message: %v, %d bytes left, %d signers", err, len(rest), len(m.Data.Signers))
	}
	for rest := m.Data.Signers[0].Bytes; len(rest) > 0; {
		var part asn1.RawValue
		if rest, err = asn1.Unmarshal(rest, &part); err != nil {
			t.Fatal(err)
		}
		switch {
		case part.Class == asn1.ClassContextSpecific && part.Tag == 1:
			for list := part.Bytes; len(list) > 0; {
				var a attribute
				if list, err = asn1.Unmarshal(list, &a); err != nil {
					t.Fatal(err)
				}
				s.unsigned = append(s.unsigned, a)
			}
			continue
		case part.Class == asn1.ClassContextSpecific && part.Tag == 0:
			s.signed = part.FullBytes
		case part.Tag == asn1.TagOctetString:
			s.value = part.Bytes
		}
		s.head = append(s.head, part.FullBytes...)
	}
	return m, s
}

// cmsStamps are the time stamps in a message over content.
func cmsStamps(t testing.TB, raw, content []byte) (out []stamp) {
	t.Helper()
	m, s := cutCMS(t, raw)
	for _, a := range s.unsigned {
		for _, v := range a.Values {
			switch {
			case a.OID.Equal(signatureStamp):
				out = append(out, stamp{"signature time stamp", v.FullBytes, s.value})
			case a.OID.Equal(archiveStamp):
				_, token := cutCMS(t, v.FullBytes)
				h := imprintOf(t, v.FullBytes).New()
				h.Write(content)
				data := slices.Concat(m.Data.Content.OID.FullBytes, h.Sum(nil), s.head)
				for _, inner := range token.unsigned {
					if inner.OID.Equal(hashIndex) {
						data = append(data, inner.Values[0].FullBytes...)
					}
				}
				out = append(out, stamp{"archive time stamp", v.FullBytes, data})
			}
		}
	}
	return out
}

// tstInfo is the beginning of a time stamp's content (RFC 3161, section 2.4.2).
type tstInfo struct {
	Version int
	Policy  asn1.ObjectIdentifier
	Imprint struct {
		Algorithm struct {
			OID        asn1.ObjectIdentifier
			Parameters asn1.RawValue `asn1:"optional"`
		}
		Digest []byte
	}
}

func cutTSTInfo(t testing.TB, token []byte) (info tstInfo) {
	t.Helper()
	m, _ := cutCMS(t, token)
	var octets []byte
	if _, err := asn1.Unmarshal(m.Data.Content.Content.Bytes, &octets); err != nil {
		t.Fatal(err)
	}
	var all asn1.RawValue
	if _, err := asn1.Unmarshal(octets, &all); err != nil {
		t.Fatal(err)
	}
	rest := all.Bytes
	for _, into := range []any{&info.Version, &info.Policy, &info.Imprint} {
		var err error
		if rest, err = asn1.Unmarshal(rest, into); err != nil {
			t.Fatal(err)
		}
	}
	return info
}

// imprintOf is the hash that a token is over the digest of.
func imprintOf(t testing.TB, token []byte) crypto.Hash {
	t.Helper()
	oid := cutTSTInfo(t, token).Imprint.Algorithm.OID.String()
	h, ok := map[string]crypto.Hash{"2.16.840.1.101.3.4.2.1": crypto.SHA256, "2.16.840.1.101.3.4.2.2": crypto.SHA384, "2.16.840.1.101.3.4.2.3": crypto.SHA512}[oid]
	if !ok {
		t.Fatalf("imprint by %s", oid)
	}
	return h
}

// pdfPart is a signature or document time stamp of a PDF: the value of
// Contents and what its ByteRange covers, and the ends of both ranges.
type pdfPart struct {
	value, data []byte
	stamp       bool
	ranges      [4]int
}

var byteRange = regexp.MustCompile(`/ByteRange\s*\[\s*(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s*\]`)

// pdfParts are those of a file, in its order.
func pdfParts(t testing.TB, file []byte) (out []pdfPart) {
	t.Helper()
	for _, m := range byteRange.FindAllSubmatch(file, -1) {
		var p pdfPart
		for i := range p.ranges {
			p.ranges[i], _ = strconv.Atoi(string(m[i+1]))
		}
		r := p.ranges
		if r[0] != 0 || r[1] > r[2] || r[2]+r[3] > len(file) || file[r[1]] != '<' || file[r[2]-1] != '>' {
			t.Fatalf("ByteRange %v of %d bytes", r, len(file))
		}
		padded, err := hex.DecodeString(string(file[r[1]+1 : r[2]-1]))
		if err != nil {
			t.Fatal(err)
		}
		var value asn1.RawValue
		if _, err := asn1.Unmarshal(padded, &value); err != nil {
			t.Fatal(err)
		}
		p.value = value.FullBytes
		p.data = slices.Concat(file[:r[1]], file[r[2]:r[2]+r[3]])
		around := file[max(0, r[1]-400):min(len(file), r[2]+400)]
		p.stamp = bytes.Contains(around, []byte("/ETSI.RFC3161"))
		out = append(out, p)
	}
	return out
}

var (
	xmlStamp   = regexp.MustCompile(`(?s)<(\w+:)?(SignatureTimeStamp|ArchiveTimeStamp)\b.*?</(\w+:)?(SignatureTimeStamp|ArchiveTimeStamp)>`)
	xmlToken   = regexp.MustCompile(`(?s)<(?:\w+:)?EncapsulatedTimeStamp[^>]*>(.*?)</`)
	xmlValue   = regexp.MustCompile(`(?s)<(\w+):SignatureValue([^>]*)>(.*?)</\w+:SignatureValue>`)
	xmlC14N    = regexp.MustCompile(`CanonicalizationMethod Algorithm="([^"]*)"`)
	xmlDSig    = "http://www.w3.org/2000/09/xmldsig#"
	xmlExclude = "http://www.w3.org/2001/10/xml-exc-c14n#"
)

// xmlStamps are the time stamps in an XML signature that uses prefixes and no
// other namespaces than those of signatures in scope.
func xmlStamps(t testing.TB, doc []byte) (out []stamp) {
	t.Helper()
	for _, element := range xmlStamp.FindAllSubmatch(doc, -1) {
		token, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(string(xmlToken.FindSubmatch(element[0])[1])), ""))
		if err != nil {
			t.Fatal(err)
		}
		s := stamp{what: string(element[2]), token: token}
		if s.what == "SignatureTimeStamp" {
			method := xmlC14N.FindSubmatch(element[0])
			if method == nil || string(method[1]) != xmlExclude {
				t.Fatalf("signature time stamp by %s", method)
			}
			// Exclusive: the element and the one namespace that it uses.
			v := xmlValue.FindSubmatch(doc)
			s.data = fmt.Appendf(nil, `<%s:SignatureValue xmlns:%s="%s"%s>%s</%s:SignatureValue>`, v[1], v[1], xmlDSig, v[2], v[3], v[1])
		}
		out = append(out, s)
	}
	return out
}
