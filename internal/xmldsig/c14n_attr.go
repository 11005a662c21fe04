package xmldsig

import "strings"

// inherit adds to the attributes of n, whose parent is not in the set, those of namespace xml that it would lose its ancestors' values
// of. Canonical XML 1.0, section 2.4; 1.1, section 2.4.
func (c *canonicalizer) inherit(n *Node, list []*attr, at place) []*attr {
	have := map[string]bool{}
	for i := range n.attrs {
		if a := &n.attrs[i]; a.name.space == namespaceXML {
			have[a.name.local] = true
		}
	}
	stop := at.output
	if !c.method.Version11 {
		stop = nil
	}
	for m := n.parent; m != stop && m != nil; m = m.parent {
		for i := range m.attrs {
			a := &m.attrs[i]
			if a.name.space != namespaceXML || have[a.name.local] {
				continue
			}
			if c.method.Version11 && a.name.local != "lang" && a.name.local != "space" {
				continue
			}
			have[a.name.local] = true
			list = append(list, a)
		}
	}
	if c.method.Version11 {
		return c.fixBase(n, list, at)
	}
	return list
}

// fixBase joins the xml:base of n with those of the ancestors left out. Canonical XML 1.1, section 2.4.
func (c *canonicalizer) fixBase(n *Node, list []*attr, at place) []*attr {
	value, name, lost := "", (*qname)(nil), false
	for m := n; m != at.output && m != nil; m = m.parent {
		for i := range m.attrs {
			a := &m.attrs[i]
			if a.name.space != namespaceXML || a.name.local != "base" {
				continue
			}
			switch {
			case name == nil:
				name, value = a.name, a.value
			default:
				value = joinURI(a.value, value)
			}
			lost = lost || m != n
		}
	}
	if !lost {
		return list
	}
	kept := list[:0:0]
	for _, a := range list {
		if a.name.space != namespaceXML || a.name.local != "base" {
			kept = append(kept, a)
		}
	}
	if value != "" {
		kept = append(kept, &attr{name, value})
	}
	return kept
}

// uriParts is a URI reference in its parts, RFC 3986 appendix B. query and fragment keep their mark.
type uriParts struct{ scheme, authority, path, query string }

func splitURI(s string) (u uriParts) {
	if i := strings.IndexByte(s, '#'); i >= 0 {
		s = s[:i]
	}
	if i := strings.IndexByte(s, '?'); i >= 0 {
		s, u.query = s[:i], s[i:]
	}
	if i := strings.IndexAny(s, ":/"); i > 0 && s[i] == ':' {
		u.scheme, s = s[:i+1], s[i+1:]
	}
	if rest, ok := strings.CutPrefix(s, "//"); ok {
		end := strings.IndexByte(rest, '/')
		if end < 0 {
			end = len(rest)
		}
		u.authority, s = "//"+rest[:end], rest[end:]
	}
	u.path = s
	return u
}

// joinURI resolves reference against base, which may be relative itself: the function join-URI-References of Canonical XML 1.1, which is
// RFC 3986, section 5.2, with the dot segments that lead out of a relative base kept.
func joinURI(base, reference string) string {
	b, r := splitURI(base), splitURI(reference)
	if strings.HasSuffix(b.path, "/..") || strings.HasSuffix(b.path, "/.") || b.path == ".." || b.path == "." {
		b.path += "/"
	}
	switch {
	case r.scheme != "":
	case r.authority != "":
		r.scheme = b.scheme
	default:
		switch {
		case r.path == "":
			r.path = b.path
			if r.query == "" {
				r.query = b.query
			}
		case !strings.HasPrefix(r.path, "/"):
			if b.authority != "" && b.path == "" {
				r.path = "/" + r.path
			} else {
				r.path = b.path[:strings.LastIndexByte(b.path, '/')+1] + r.path
			}
		}
		r.scheme, r.authority = b.scheme, b.authority
	}
	return r.scheme + r.authority + removeDots(r.path) + r.query
}

// removeDots is RFC 3986, section 5.2.4, with the changes of Canonical XML 1.1: repeated slashes are one, and ".." that nothing goes before
// stays in a relative path.
func removeDots(path string) string {
	absolute := strings.HasPrefix(path, "/")
	var out []string
	segments := strings.Split(path, "/")
	for i, s := range segments {
		last := i == len(segments)-1
		switch {
		case s == "" && !last, s == ".":
		case s == "..":
			if n := len(out); n > 0 && out[n-1] != ".." {
				out = out[:n-1]
			} else if !absolute {
				out = append(out, "..")
			}
		default:
			if !last || s != "" {
				out = append(out, s)
			}
			continue
		}
		if last && len(out) > 0 && out[len(out)-1] != ".." {
			out = append(out, "")
		}
	}
	joined := strings.Join(out, "/")
	if n := len(segments); n > 1 && segments[n-1] == "" && joined != "" && !strings.HasSuffix(joined, "/") {
		joined += "/"
	}
	if strings.HasSuffix(joined, "..") && (joined == ".." || strings.HasSuffix(joined, "/..")) {
		joined += "/"
	}
	if absolute {
		joined = "/" + joined
	}
	return joined
}
