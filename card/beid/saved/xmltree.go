package saved

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Bounds of an XML file beside its size. The deepest form, XML 3.5, has five levels and a few dozen elements.
const (
	maxDepth    = 16
	maxElements = 2000
)

// element is one element of an XML file. Names are without namespace.
type element struct {
	name       string
	attributes map[string]string
	text       []byte
	children   []*element
}

// parseXML reads an XML file into a tree: UTF-8, one root, no DTD and so no entities but the five of XML itself. White space around
// text stays; comments and processing instructions are skipped.
func parseXML(b []byte) (*element, error) {
	d := xml.NewDecoder(bytes.NewReader(bytes.TrimPrefix(b, byteOrderMark)))
	top := &element{}
	open := []*element{top}
	for count := 0; ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %s", ErrMalformed, cleanText(err.Error()))
		}
		current := open[len(open)-1]
		switch t := token.(type) {
		case xml.StartElement:
			if count++; count > maxElements || len(open) > maxDepth || len(open) == 1 && len(top.children) > 0 {
				return nil, fmt.Errorf("too many elements or levels: %w", ErrMalformed)
			}
			e := &element{name: t.Name.Local, attributes: map[string]string{}}
			for _, a := range t.Attr {
				e.attributes[a.Name.Local] = a.Value
			}
			current.children = append(current.children, e)
			open = append(open, e)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			current.text = append(current.text, t...)
		case xml.Directive:
			return nil, fmt.Errorf("a DTD is not allowed: %w", ErrMalformed)
		}
	}
	if len(top.children) != 1 || len(bytes.TrimSpace(top.text)) > 0 {
		return nil, fmt.Errorf("not one root element: %w", ErrMalformed)
	}
	return top.children[0], nil
}

// find follows a path of element names, the first of a name at each level. It gives an empty element when there is none, so that
// what is read from the result is empty too.
func (e *element) find(path ...string) *element {
	for _, name := range path {
		e = e.child(name)
	}
	return e
}

func (e *element) child(name string) *element {
	for _, c := range e.children {
		if c.name == name {
			return c
		}
	}
	return &element{}
}

// string is the element's text without white space around it.
func (e *element) string() string { return strings.TrimSpace(string(e.text)) }

// base64 is the element's text decoded; nil if it has none.
func (e *element) base64() ([]byte, error) {
	b, err := decodeBase64(string(e.text))
	if err != nil {
		return nil, fmt.Errorf("element %q: %w", e.name, err)
	}
	return b, nil
}

// decodeBase64 decodes base64 with white space anywhere in it; nil if there is nothing.
func decodeBase64(s string) ([]byte, error) {
	b, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		return nil, fmt.Errorf("not base64: %w", ErrMalformed)
	}
	return nilIfEmpty(b), nil
}

// readXML reads any of the XML forms, told by the root element.
func readXML(b []byte) (*Card, error) {
	root, err := parseXML(b)
	if err != nil {
		return nil, err
	}
	switch root.name {
	case "eid":
		return readViewerXML(root)
	case "beid_card":
		return readXML35(root)
	case "MasterFile":
		return readQuickKey(root)
	}
	return nil, fmt.Errorf("root element: %w", ErrUnknownForm)
}
