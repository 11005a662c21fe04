// Package xmldsig reads XML documents that may carry XML signatures, and puts
// text into them: a parser that keeps the place of every node in the original
// bytes, canonicalisation, the transforms, and the references of ds:Signature.
//
// Start with Parse, then Document.Signatures, ReadSignature and a Processor,
// which resolves and hashes what the references name. Canonicalize writes the
// canonical form of any element or document. Splice puts text into a document
// and keeps every other byte: nothing is ever written anew.
//
// Nothing is fetched and nothing is executed: there is no DTD, no entity but
// the five of XML, no XSLT, and a reference to something outside the document
// is answered by the caller. Whether a signature value fits, and whose key it
// is, is for the packages above; so is XAdES.
//
// References: XML 1.0 fifth edition, Namespaces in XML 1.0, RFC 3741 and the
// W3C recommendations Canonical XML 1.0 and 1.1, Exclusive XML
// Canonicalization 1.0, XML Signature Syntax and Processing 1.1, XPath 1.0,
// XML-Signature XPath Filter 2.0; ECMA-376 part 2 (relationship transform).
package xmldsig

import (
	"errors"
	"fmt"

	"github.com/eidkit/eidkit/internal/ades"
)

// Namespaces that signatures use.
const (
	NamespaceDS    = "http://www.w3.org/2000/09/xmldsig#"
	NamespaceDS11  = "http://www.w3.org/2009/xmldsig11#"
	namespaceXML   = "http://www.w3.org/XML/1998/namespace"
	namespaceXMLNS = "http://www.w3.org/2000/xmlns/"
	namespaceWSU   = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
)

// Errors of references and transforms, wrapped with the particulars. What is wrong with the document as a whole wraps ades.ErrRefused.
var (
	// ErrNotFound: what a reference names is not there.
	ErrNotFound = errors.New("not found")
	// ErrDuplicateID: several elements have the ID that a reference names.
	ErrDuplicateID = errors.New("the ID is not unique")
	// ErrUnsupported: an algorithm or expression that is not known here, or refused.
	ErrUnsupported = errors.New("not supported")
	// ErrInvalid: data that a transform cannot be applied to.
	ErrInvalid = errors.New("not valid")
	// ErrDOCTYPE: the document is refused for its DOCTYPE.
	ErrDOCTYPE = errors.New("document type declaration")
	// ErrLimit: more work than a document may cause.
	ErrLimit = errors.New("limit exceeded")
)

// Limits bound what a document may cost. A zero field means the default.
type Limits struct {
	Bytes      int64 // of the document: 64 MiB
	Depth      int   // of nested elements: 256
	Nodes      int   // elements, attributes, texts and names together: 4 million
	Attributes int   // of one element, namespaces included: 4,096
}

const (
	defaultBytes      = 64 << 20
	defaultDepth      = 256
	defaultNodes      = 4_000_000
	defaultAttributes = 4096
	maxBytes          = 1<<31 - 1 // offsets are kept in 32 bits
)

func (l Limits) withDefaults() Limits {
	set := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	set(&l.Depth, defaultDepth)
	set(&l.Nodes, defaultNodes)
	set(&l.Attributes, defaultAttributes)
	if l.Bytes <= 0 {
		l.Bytes = defaultBytes
	}
	l.Bytes = min(l.Bytes, maxBytes)
	return l
}

// refusedf is an error of the whole document.
func refusedf(format string, args ...any) error {
	return fmt.Errorf("reading XML: %s: %w", fmt.Sprintf(format, args...), ades.ErrRefused)
}
