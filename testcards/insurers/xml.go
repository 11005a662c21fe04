package insurers

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/beevik/etree"
)

// Namespaces.
const (
	nsEnvelope    = "http://schemas.xmlsoap.org/soap/envelope/"
	nsWSSE        = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
	nsWSU         = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
	nsDS          = "http://www.w3.org/2000/09/xmldsig#"
	nsSAML1       = "urn:oasis:names:tc:SAML:1.0:assertion"
	nsTrust       = "http://docs.oasis-open.org/ws-sx/ws-trust/200512"
	nsAuth        = "http://docs.oasis-open.org/wsfed/authorization/200706"
	nsErrors      = "urn:be:fgov:ehealth:errors:soa:v1"
	nsGenIns      = "urn:be:fgov:ehealth:genericinsurability:protocol:v1"
	nsGenInsCore  = "urn:be:fgov:ehealth:genericinsurability:core:v1"
	nsPharm       = "urn:be:fgov:ehealth:insurability:protocol:v2"
	nsPharmCore   = "urn:be:fgov:ehealth:insurability:core:v2"
	nsMember      = "urn:be:fgov:ehealth:mycarenet:memberdata:protocol:v1"
	nsCommons     = "urn:be:fgov:ehealth:mycarenet:commons:protocol:v3"
	nsCommonsCore = "urn:be:fgov:ehealth:mycarenet:commons:core:v3"
	nsSAMLP       = "urn:oasis:names:tc:SAML:2.0:protocol"
	nsSAML        = "urn:oasis:names:tc:SAML:2.0:assertion"
	nsExtension   = "urn:be:cin:nippin:memberdata:saml:extension"
	nsXSI         = "http://www.w3.org/2001/XMLSchema-instance"
)

var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "\r", "&#xD;")

// el writes an element around others. The name may have attributes after it.
func el(name string, inner ...string) string {
	tag, _, _ := strings.Cut(name, " ")
	return "<" + name + ">" + strings.Join(inner, "") + "</" + tag + ">"
}

// leaf writes an element with text; an empty text leaves it out.
func leaf(name, text string) string {
	if text == "" {
		return ""
	}
	return el(name, escaper.Replace(text))
}

// attr is an attribute behind a name.
func attr(name, value string) string { return " " + name + `="` + escaper.Replace(value) + `"` }

func instant(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// Bounds of requests.
const (
	maxRequest = 1 << 20
	maxDepth   = 64
)

// parse reads a document: well-formed, without DTD, processing instructions and attributes that are there twice.
func parse(raw []byte) (*etree.Element, error) {
	d := etree.NewDocument()
	d.ReadSettings = etree.ReadSettings{MaxDepth: maxDepth, PreserveDuplicateAttrs: true}
	if err := d.ReadFromBytes(raw); err != nil {
		return nil, err
	}
	var root *etree.Element
	for _, t := range d.Child {
		switch t := t.(type) {
		case *etree.Element:
			if root != nil {
				return nil, errors.New("two roots")
			}
			root = t
		case *etree.CharData:
			if !t.IsWhitespace() {
				return nil, errors.New("text outside the root")
			}
		case *etree.ProcInst:
			if t.Target != "xml" {
				return nil, errors.New("a processing instruction")
			}
		case *etree.Directive:
			return nil, errors.New("a DTD")
		}
	}
	if root == nil {
		return nil, errors.New("no root")
	}
	return root, wellFormed(root)
}

// wellFormed finds what the parser lets pass.
func wellFormed(e *etree.Element) error {
	seen := make(map[string]bool, len(e.Attr))
	for _, a := range e.Attr {
		key := a.FullKey()
		if a.Space != "" && a.Space != "xmlns" && a.Space != "xml" {
			if key = a.NamespaceURI() + " " + a.Key; key[0] == ' ' {
				return fmt.Errorf("the prefix %.20q is not declared", a.Space)
			}
		}
		if seen[key] {
			return fmt.Errorf("attribute %.40q twice", key)
		}
		seen[key] = true
	}
	if e.Space != "" && e.NamespaceURI() == "" {
		return fmt.Errorf("the prefix %.20q is not declared", e.Space)
	}
	for _, t := range e.Child {
		switch t := t.(type) {
		case *etree.Element:
			if err := wellFormed(t); err != nil {
				return err
			}
		case *etree.ProcInst, *etree.Directive:
			return errors.New("a processing instruction or DTD")
		}
	}
	return nil
}

func is(e *etree.Element, space, local string) bool {
	return e != nil && e.Tag == local && e.NamespaceURI() == space
}

// child is the first child element of that name; nil if there is none.
func child(e *etree.Element, space, local string) *etree.Element {
	if list := children(e, space, local); len(list) > 0 {
		return list[0]
	}
	return nil
}

// only is the child element of that name if there is exactly one.
func only(e *etree.Element, space, local string) *etree.Element {
	if list := children(e, space, local); len(list) == 1 {
		return list[0]
	}
	return nil
}

func children(e *etree.Element, space, local string) []*etree.Element {
	if e == nil {
		return nil
	}
	return slices.DeleteFunc(e.ChildElements(), func(c *etree.Element) bool { return !is(c, space, local) })
}

// down follows names of one namespace.
func down(e *etree.Element, space string, path ...string) *etree.Element {
	for _, local := range path {
		e = child(e, space, local)
	}
	return e
}

// text is the text of an element and of nothing below it, trimmed; empty if e is nil.
func text(e *etree.Element) string {
	if e == nil {
		return ""
	}
	var b strings.Builder
	for _, t := range e.Child {
		if c, ok := t.(*etree.CharData); ok {
			b.WriteString(c.Data)
		}
	}
	return strings.TrimSpace(b.String())
}

// value is an attribute without namespace; empty if it is not there.
func value(e *etree.Element, name string) string {
	if e == nil {
		return ""
	}
	for _, a := range e.Attr {
		if a.Space == "" && a.Key == name {
			return a.Value
		}
	}
	return ""
}
