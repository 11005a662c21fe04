package xmldsig

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// Limits on one signature or manifest.
const (
	MaxReferences = 1000
	MaxTransforms = 32
)

// Signature is a ds:Signature as it is written. XML Signature, section 4.
type Signature struct {
	Node       *Node
	ID         string
	SignedInfo *Node
	// Method is the canonicalisation of SignedInfo; MethodError says why there is none.
	Method      Method
	MethodError error
	// AlgorithmURI is the signature algorithm, Algorithm its element, which may hold parameters.
	AlgorithmURI string
	Algorithm    *Node
	References   []*Reference
	ValueNode    *Node // ds:SignatureValue
	Value        []byte
	KeyInfo      *Node // or nil
	Objects      []*Node
}

// Reference is a ds:Reference, of a signature or of a manifest.
type Reference struct {
	Node         *Node
	ID           string
	URI          string
	HasURI       bool
	Type         string
	Transforms   []*Node // ds:Transform
	DigestMethod string
	Digest       []byte // nil if it cannot be read
}

// ReadSignature reads a ds:Signature element. An error says which mandatory part is missing or malformed; what could be read is
// returned with it.
func ReadSignature(n *Node) (*Signature, error) {
	s := &Signature{Node: n, ID: n.Get("Id"), SignedInfo: n.Child(NamespaceDS, "SignedInfo"), KeyInfo: n.Child(NamespaceDS, "KeyInfo"),
		ValueNode: n.Child(NamespaceDS, "SignatureValue"), Algorithm: n.Child(NamespaceDS, "SignedInfo").Child(NamespaceDS, "SignatureMethod")}
	for o := range n.Elements() {
		if o.Is(NamespaceDS, "Object") {
			s.Objects = append(s.Objects, o)
		}
	}
	if s.SignedInfo == nil || s.ValueNode == nil || s.Algorithm == nil {
		return s, fmt.Errorf("ds:Signature without SignedInfo, SignatureMethod or SignatureValue: %w", ErrInvalid)
	}
	s.AlgorithmURI = s.Algorithm.Get("Algorithm")
	if method := s.SignedInfo.Child(NamespaceDS, "CanonicalizationMethod"); method == nil {
		s.MethodError = fmt.Errorf("SignedInfo without CanonicalizationMethod: %w", ErrInvalid)
	} else {
		s.Method, s.MethodError = ReadMethod(method)
	}
	var err error
	s.References, err = readReferences(s.SignedInfo)
	// What is no base64 is no value, and fits no key.
	s.Value, _ = DecodeBase64(s.ValueNode.Text())
	return s, errors.Join(err, s.order())
}

// order checks that the parts stand where the schema has them: SignedInfo, SignatureValue, then at most one KeyInfo among objects. Who
// looks for a part by its place must find the same as who looks for it by its name.
func (s *Signature) order() error {
	at, keys := 0, 0
	for c := range s.Node.Elements() {
		if c.Is(NamespaceDS, "KeyInfo") {
			keys++
		}
		known := c.Is(NamespaceDS, "KeyInfo") || c.Is(NamespaceDS, "Object")
		first, second := c == s.SignedInfo, c == s.ValueNode
		if (at == 0) != first || (at == 1) != second || c.Is(NamespaceDS, "SignedInfo") != first || c.Is(NamespaceDS, "SignatureValue") != second || keys > 1 || at > 1 && !known {
			return fmt.Errorf("ds:Signature with %s as part %d: %w", c.name, at+1, ErrInvalid)
		}
		at++
	}
	return nil
}

// ReadManifest reads the references of a ds:Manifest element.
func ReadManifest(n *Node) ([]*Reference, error) { return readReferences(n) }

func readReferences(parent *Node) ([]*Reference, error) {
	var list []*Reference
	for n := range parent.Elements() {
		if !n.Is(NamespaceDS, "Reference") {
			continue
		}
		if len(list) == MaxReferences {
			return list, fmt.Errorf("more than %d references: %w", MaxReferences, ErrLimit)
		}
		list = append(list, readReference(n))
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%s without a reference: %w", parent.Local(), ErrInvalid)
	}
	return list, nil
}

func readReference(n *Node) *Reference {
	r := &Reference{Node: n, ID: n.Get("Id"), Type: n.Get("Type"), DigestMethod: n.Child(NamespaceDS, "DigestMethod").get("Algorithm")}
	r.URI, r.HasURI = n.Attr("", "URI")
	r.Transforms = Transforms(n)
	if digest, err := DecodeBase64(n.Child(NamespaceDS, "DigestValue").Text()); err == nil {
		r.Digest = digest
	}
	return r
}

// Transforms returns the ds:Transform elements in the ds:Transforms of n.
func Transforms(n *Node) (list []*Node) {
	if t := n.Child(NamespaceDS, "Transforms"); t != nil {
		for c := range t.Elements() {
			if c.Is(NamespaceDS, "Transform") {
				list = append(list, c)
			}
		}
	}
	return list
}

// get is Get for a node that may be absent.
func (n *Node) get(local string) string {
	if n == nil {
		return ""
	}
	return n.Get(local)
}

// Fragment returns the ID that a same-document URI names: "#id" or "#xpointer(id('id'))". XML Signature, section 4.4.3.2. comments
// says that comments belong to what is named.
func Fragment(uri string) (id string, comments, ok bool) {
	fragment, ok := strings.CutPrefix(uri, "#")
	if !ok {
		return "", false, false
	}
	pointer, ok := strings.CutPrefix(fragment, "xpointer(id(")
	if !ok {
		return fragment, false, fragment != "" && !strings.HasPrefix(fragment, "xpointer(")
	}
	pointer, ok = strings.CutSuffix(pointer, "))")
	if !ok || len(pointer) < 3 || pointer[0] != pointer[len(pointer)-1] || pointer[0] != '\'' && pointer[0] != '"' {
		return "", false, false
	}
	return pointer[1 : len(pointer)-1], true, true
}

// DecodeBase64 decodes RFC 2045 base64: white space is passed over, anything else that does not belong there is an error.
func DecodeBase64(s string) ([]byte, error) {
	if strings.ContainsAny(s, " \t\r\n") {
		s = strings.Map(func(r rune) rune {
			if xmlSpace(r) {
				return -1
			}
			return r
		}, s)
	}
	data, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return nil, fmt.Errorf("base64: %w", ErrInvalid)
	}
	return data, nil
}
