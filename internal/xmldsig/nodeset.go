package xmldsig

// nodeSet is a set of nodes of one document: the subtree of apex, less what the filters take out. Attributes and namespace nodes belong
// to it with their element unless a filter decides on them one by one.
type nodeSet struct {
	doc      *Document
	apex     *Node
	comments bool
	filters  []filter
}

// xnode is a node of the XPath data model: a node of the tree, or an attribute or namespace node of element n.
type xnode struct {
	n    *Node
	attr *attr    // or nil
	ns   *binding // or nil
}

// filter takes nodes out of a set.
type filter interface {
	// prune tells whether n and all in it are out.
	prune(n *Node) bool
	// keep tells whether the node stays.
	keep(x xnode) (bool, error)
	// single tells whether attributes and namespace nodes must be asked for one by one.
	single() bool
}

// subtree is the set of n and all in it.
func (d *Document) subtree(n *Node, comments bool) *nodeSet {
	return &nodeSet{doc: d, apex: n, comments: comments}
}

// with adds a filter; the set it is called on stays as it is.
func (s *nodeSet) with(f filter) *nodeSet {
	c := *s
	c.filters = append(s.filters[:len(s.filters):len(s.filters)], f)
	return &c
}

func (s *nodeSet) single() bool {
	for _, f := range s.filters {
		if f.single() {
			return true
		}
	}
	return false
}

func (s *nodeSet) prune(n *Node) bool {
	for _, f := range s.filters {
		if f.prune(n) {
			return true
		}
	}
	return false
}

// keep tells whether a node of the apex's subtree that is not pruned is in the set.
func (s *nodeSet) keep(x xnode) (bool, error) {
	if x.n.kind == CommentNode && !s.comments {
		return false, nil
	}
	for _, f := range s.filters {
		if ok, err := f.keep(x); err != nil || !ok {
			return false, err
		}
	}
	return true, nil
}

// each calls f for the nodes of the tree in the set, in document order.
func (s *nodeSet) each(f func(*Node) error) error {
	for n := s.apex; n != nil; {
		if s.prune(n) {
			n = n.after(s.apex)
			continue
		}
		in, err := s.keep(xnode{n: n})
		if err != nil {
			return err
		}
		if in {
			if err := f(n); err != nil {
				return err
			}
		}
		n = n.following(s.apex)
	}
	return nil
}

// without takes one subtree out: the enveloped-signature transform.
type without struct{ node *Node }

func (w without) prune(n *Node) bool       { return n == w.node }
func (w without) keep(xnode) (bool, error) { return true, nil }
func (w without) single() bool             { return false }
