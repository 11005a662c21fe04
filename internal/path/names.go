package path

import (
	"crypto/x509"
	"errors"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/eidkit/eidkit/internal/certs"
)

// nameState are the name constraints of the CAs so far (RFC 5280 section 6.1.2
// b and c). A permitted subtree of one CA narrows those of the ones above, so
// each CA's set is kept and a name must fit one of each.
type nameState struct {
	permitted []map[certs.NameForm][]subtree // a CA each
	excluded  map[certs.NameForm][]subtree
	compared  int
}

// maxCompared bounds the comparisons of one path: hostile names times hostile
// constraints.
const maxCompared = 1 << 18

// subtree is the base of a constraint, made ready to compare.
type subtree struct {
	raw  []byte
	text string   // of the forms that are text, in lower case
	rdns []string // of a directory name
	ok   bool
}

// comparable form of a name or of the base of a subtree.
func newSubtree(n certs.GeneralName) subtree {
	t := subtree{raw: n.Value, ok: true}
	switch n.Form {
	case certs.DirectoryName:
		t.rdns, t.ok = certs.NameRDNs(n.Value)
	case certs.RFC822Name, certs.DNSName, certs.URIName:
		t.text = string(n.Value)
		t.ok = isASCII(t.text)
	}
	return t
}

// add takes in the constraints of a CA.
func (s *nameState) add(c *x509.Certificate) *Error {
	k, err := certs.NameConstraintsOf(c)
	if err != nil {
		return &Error{Certificate: c, Reason: ErrConstraint, Detail: err.Error(), Cause: err}
	}
	if k == nil {
		return nil
	}
	level := map[certs.NameForm][]subtree{}
	for _, n := range k.Permitted {
		level[n.Form] = append(level[n.Form], newSubtree(n))
	}
	s.permitted = append(s.permitted, level)
	if s.excluded == nil {
		s.excluded = map[certs.NameForm][]subtree{}
	}
	for _, n := range k.Excluded {
		s.excluded[n.Form] = append(s.excluded[n.Form], newSubtree(n))
	}
	return nil
}

// check holds all names of the certificate against the constraints.
func (s *nameState) check(c *x509.Certificate) *Error {
	if len(s.permitted) == 0 {
		return nil
	}
	names, err := namesOf(c)
	if err != nil {
		return &Error{Certificate: c, Reason: ErrConstraint, Detail: err.Error(), Cause: err}
	}
	for _, n := range names {
		name := newSubtree(n)
		fits := func(list []subtree) (bool, error) {
			for _, base := range list {
				if s.compared++; s.compared > maxCompared {
					return false, ErrLimit
				}
				in, ok := within(n.Form, name, base)
				if !ok {
					return false, errNotCompared
				}
				if in {
					return true, nil
				}
			}
			return false, nil
		}
		in, err := fits(s.excluded[n.Form])
		for i := 0; err == nil && !in && i < len(s.permitted); i++ {
			if list := s.permitted[i][n.Form]; len(list) > 0 {
				var permitted bool
				permitted, err = fits(list)
				in = !permitted
			}
		}
		switch {
		case err == ErrLimit:
			return &Error{Certificate: c, Reason: ErrLimit, Detail: "name constraints"}
		case err != nil:
			return &Error{Certificate: c, Reason: ErrNames, Detail: err.Error()}
		case in:
			return &Error{Certificate: c, Reason: ErrNames}
		}
	}
	return nil
}

var errNotCompared = errors.New("a name of this form cannot be compared")

// namesOf are the names that constraints are about (RFC 5280 section 6.1.3 b):
// the subject, the subject alternative names and, if there are none of those,
// the subject's mail addresses (section 4.2.1.10).
func namesOf(c *x509.Certificate) ([]certs.GeneralName, error) {
	var names []certs.GeneralName
	attributes, ok := certs.NameAttributes(c.RawSubject)
	if !ok {
		return nil, errors.New("subject cannot be read")
	}
	if len(attributes) > 0 {
		names = append(names, certs.GeneralName{Form: certs.DirectoryName, Value: c.RawSubject})
	}
	if value, _, has := certs.Extension(c, certs.OIDSubjectAltName); has {
		alternative, err := certs.ParseGeneralNames(value)
		return append(names, alternative...), err
	}
	for _, a := range attributes {
		if text, ok := a.Text(); ok && a.Type.String() == "1.2.840.113549.1.9.1" {
			names = append(names, certs.GeneralName{Form: certs.RFC822Name, Value: []byte(text)})
		}
	}
	return names, nil
}

// within tells whether a name lies in a subtree (RFC 5280 section 4.2.1.10);
// ok is false if that cannot be said.
func within(form certs.NameForm, name, base subtree) (in, ok bool) {
	if !name.ok || !base.ok {
		return false, false
	}
	switch form {
	case certs.DirectoryName:
		return len(base.rdns) <= len(name.rdns) && slices.Equal(base.rdns, name.rdns[:len(base.rdns)]), true
	case certs.DNSName:
		return inDomain(name.text, base.text, true), true
	case certs.RFC822Name:
		return mailWithin(name.text, base.text)
	case certs.URIName:
		return uriWithin(name.text, base.text)
	case certs.IPAddress:
		return ipWithin(name.raw, base.raw)
	}
	return false, false // forms without rules, such as otherName
}

// inDomain: a base that begins with a dot takes in what is below it, any other
// the host itself and, for DNS names, what is below it as well.
func inDomain(host, base string, below bool) bool {
	host, base = strings.ToLower(strings.TrimSuffix(host, ".")), strings.ToLower(strings.TrimSuffix(base, "."))
	switch {
	case base == "":
		return true
	case strings.HasPrefix(base, "."):
		return len(host) > len(base) && strings.HasSuffix(host, base)
	case below && strings.HasSuffix(host, "."+base):
		return true
	}
	return host == base
}

// mailWithin: the base is a mailbox, a host, or a domain with a dot in front.
func mailWithin(mail, base string) (in, ok bool) {
	at := strings.LastIndexByte(mail, '@')
	if at <= 0 || at == len(mail)-1 {
		return false, false
	}
	if i := strings.LastIndexByte(base, '@'); i >= 0 {
		return mail[:at] == base[:i] && strings.EqualFold(mail[at+1:], base[i+1:]), true
	}
	return inDomain(mail[at+1:], base, false), true
}

// uriWithin: the host counts; a URI without one, or with an address, cannot be
// held against a constraint.
func uriWithin(uri, base string) (in, ok bool) {
	u, err := url.Parse(uri)
	if err != nil || u.Hostname() == "" {
		return false, false
	}
	if _, err := netip.ParseAddr(u.Hostname()); err == nil {
		return false, false
	}
	return inDomain(u.Hostname(), base, false), true
}

// ipWithin: the base is an address and a mask.
func ipWithin(ip, base []byte) (in, ok bool) {
	if len(ip) != 4 && len(ip) != 16 || len(base) != 8 && len(base) != 32 {
		return false, false
	}
	if len(base) != 2*len(ip) {
		return false, true
	}
	for i := range ip {
		if (ip[i]^base[i])&base[len(ip)+i] != 0 {
			return false, true
		}
	}
	return true, true
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= 0x80 })
}
