package xades

import (
	"strings"

	"github.com/eidkit/eidkit/internal/xmldsig"
)

// versions are the namespaces of XAdES.
var versions = map[string]string{
	"http://uri.etsi.org/01903/v1.1.1#": "1.1.1",
	"http://uri.etsi.org/01903/v1.2.2#": "1.2.2",
	namespace132:                        "1.3.2",
	namespace141:                        "1.4.1",
}

const (
	namespace132 = "http://uri.etsi.org/01903/v1.3.2#"
	namespace141 = "http://uri.etsi.org/01903/v1.4.1#"
)

// Types of references. TS 101 903 names them with and without the version.
const (
	typePrefix        = "http://uri.etsi.org/01903"
	typeSigned        = "#SignedProperties"
	typeCounterSigned = "#CountersignedSignature"
	typeManifest      = xmldsig.NamespaceDS + "Manifest"
	typeObject        = xmldsig.NamespaceDS + "Object"
)

// isType tells whether a reference type is that of XAdES, of any version.
func isType(t, suffix string) bool {
	return strings.HasPrefix(t, typePrefix) && strings.HasSuffix(t, suffix)
}

// isXAdES tells whether n is an element of that name in a namespace of XAdES.
func isXAdES(n *xmldsig.Node, local string) bool {
	return n != nil && n.Local() == local && versions[n.Space()] != ""
}

// child is the first child element of that name in a namespace of XAdES.
func child(n *xmldsig.Node, path ...string) *xmldsig.Node {
	for _, local := range path {
		n = first(n, local)
	}
	return n
}

func first(n *xmldsig.Node, local string) *xmldsig.Node {
	if n == nil {
		return nil
	}
	for c := range n.Elements() {
		if isXAdES(c, local) {
			return c
		}
	}
	return nil
}

// children are all of them.
func children(n *xmldsig.Node, local string) (list []*xmldsig.Node) {
	if n == nil {
		return nil
	}
	for c := range n.Elements() {
		if isXAdES(c, local) {
			list = append(list, c)
		}
	}
	return list
}

// ds is a child element of XML Signature.
func ds(n *xmldsig.Node, local string) *xmldsig.Node { return n.Child(xmldsig.NamespaceDS, local) }

// text is the content of a simple element.
func text(n *xmldsig.Node) string { return strings.TrimSpace(n.Text()) }
