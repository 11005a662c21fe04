package xmldsig

import (
	"fmt"
	"strings"
)

// idEntry is where an ID stands.
type idEntry struct {
	node  *Node
	count int
}

// idNames are the attributes without namespace that SAML uses as IDs, beside those called ID in any spelling.
var idNames = map[string]bool{"AssertionID": true, "RequestID": true, "ResponseID": true, "assertionID": true}

// isID tells whether an attribute is taken for an ID. Without a DTD or schema nothing says so but its name: Id of XML Signature and XAdES,
// ID, id, xml:id, wsu:Id.
func (a *attr) isID() bool {
	switch a.name.space {
	case "":
		return strings.EqualFold(a.name.local, "id") || idNames[a.name.local]
	case namespaceXML, namespaceWSU:
		return strings.EqualFold(a.name.local, "id")
	}
	return false
}

// indexIDs goes through the document once.
func (d *Document) indexIDs() {
	d.ids = map[string]*idEntry{}
	for n := range d.node.Descendants() {
		for i := range n.attrs {
			a := &n.attrs[i]
			if !a.isID() {
				continue
			}
			switch e := d.ids[a.value]; {
			case e == nil:
				d.ids[a.value] = &idEntry{n, 1}
			case e.node != n: // xml:id and Id of one element may agree
				e.count++
			}
		}
	}
}

// ByID returns the element with that ID. Two elements with one ID are ErrDuplicateID: nobody can tell which one was meant.
func (d *Document) ByID(id string) (*Node, error) {
	e := d.ids[id]
	switch {
	case e == nil || id == "":
		return nil, fmt.Errorf("element with ID %.200q: %w", id, ErrNotFound)
	case e.count > 1:
		return nil, fmt.Errorf("element with ID %.200q: %d elements: %w", id, e.count, ErrDuplicateID)
	}
	return e.node, nil
}

// HasID tells whether an element has that ID, or several have.
func (d *Document) HasID(id string) bool { return d != nil && d.ids[id] != nil }

// ID returns the ID of element n, empty if it has none.
func (n *Node) ID() string {
	for i := range n.attrs {
		if n.attrs[i].isID() {
			return n.attrs[i].value
		}
	}
	return ""
}

// Signatures returns the ds:Signature elements of the document in document order, those inside others too.
func (d *Document) Signatures() []*Node {
	var found []*Node
	for n := range d.node.Descendants() {
		if n.Is(NamespaceDS, "Signature") {
			found = append(found, n)
		}
	}
	return found
}
