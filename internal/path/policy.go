package path

import (
	"encoding/asn1"
	"slices"

	"github.com/eidkit/eidkit/internal/certs"
)

// policyState is the valid_policy_graph of RFC 9618, which replaces the tree of
// RFC 5280 section 6.1: a tree doubles with each mapping, while the graph has
// at most one node for each policy that a certificate names.
type policyState struct {
	levels []map[string]*policyNode // by valid_policy; the last one is the current depth
	null   bool                     // no policy is left

	explicit, mapping, any int // the counters; 0 is in force

	accepted map[string]bool // user-initial-policy-set; nil: any
	oids     map[string]asn1.ObjectIdentifier
	domain   []string // what wrapUp found
}

// policyNode is one policy at one depth.
type policyNode struct {
	expected []string // expected_policy_set
	parents  []string // valid policies at the depth above
}

var anyPolicy = certs.OIDAnyPolicy.String()

func newPolicyState(o *Options, n int) policyState {
	counter := func(now bool) int {
		if now {
			return 0
		}
		return n + 1
	}
	p := policyState{
		levels:   []map[string]*policyNode{{anyPolicy: {expected: []string{anyPolicy}}}},
		explicit: counter(o.ExplicitPolicy), mapping: counter(o.InhibitMapping), any: counter(o.InhibitAny),
		oids: map[string]asn1.ObjectIdentifier{anyPolicy: certs.OIDAnyPolicy},
	}
	if o.Policies != nil {
		p.accepted = map[string]bool{}
		for _, oid := range o.Policies {
			if oid.Equal(certs.OIDAnyPolicy) {
				p.accepted = nil
				break
			}
			p.accepted[p.name(oid)] = true
		}
	}
	return p
}

// name gives an OID its key.
func (p *policyState) name(oid asn1.ObjectIdentifier) string {
	key := oid.String()
	p.oids[key] = oid
	return key
}

// take adds the depth of a certificate (RFC 9618 section 5.3, steps d to e).
// anyAllowed: it is self-issued and not the last, so that inhibitAnyPolicy does
// not hold for it.
func (p *policyState) take(policies []certs.PolicyInformation, anyAllowed bool) {
	if p.null {
		return
	}
	above := p.levels[len(p.levels)-1]
	expectedBy := map[string][]string{} // policy to the nodes above that expect it
	for name, node := range above {
		for _, e := range node.expected {
			expectedBy[e] = append(expectedBy[e], name)
		}
	}
	level := map[string]*policyNode{}
	hasAny := false
	for _, info := range policies {
		name := p.name(info.Policy)
		if name == anyPolicy {
			hasAny = true
			continue
		}
		parents := expectedBy[name]
		if len(parents) == 0 && above[anyPolicy] != nil {
			parents = []string{anyPolicy}
		}
		if len(parents) > 0 {
			level[name] = &policyNode{expected: []string{name}, parents: parents}
		}
	}
	if hasAny && (p.any > 0 || anyAllowed) {
		for name, parents := range expectedBy {
			if level[name] == nil {
				level[name] = &policyNode{expected: []string{name}, parents: parents}
			}
		}
	}
	p.levels = append(p.levels, level)
	p.null = len(level) == 0
}

// allowed is step (f) of RFC 5280 section 6.1.3.
func (p *policyState) allowed() bool { return p.explicit > 0 || !p.null }

// mapTo is steps (a) and (b) of section 6.1.4; false if anyPolicy is mapped.
func (p *policyState) mapTo(mappings []certs.PolicyMapping) bool {
	targets := map[string][]string{}
	for _, m := range mappings {
		from, to := p.name(m.Issuer), p.name(m.Subject)
		if from == anyPolicy || to == anyPolicy {
			return false
		}
		targets[from] = append(targets[from], to)
	}
	if p.null {
		return true
	}
	level := p.levels[len(p.levels)-1]
	for from, to := range targets {
		node := level[from]
		switch {
		case p.mapping == 0:
			delete(level, from)
		case node != nil:
			slices.Sort(to)
			node.expected = slices.Compact(to)
		case level[anyPolicy] != nil:
			slices.Sort(to)
			level[from] = &policyNode{expected: slices.Compact(to), parents: []string{anyPolicy}}
		}
	}
	p.null = len(level) == 0
	return true
}

// prepare is steps (h) to (j) of section 6.1.4.
func (p *policyState) prepare(k certs.Constraints, selfIssued bool) {
	if !selfIssued {
		for _, counter := range []*int{&p.explicit, &p.mapping, &p.any} {
			if *counter > 0 {
				*counter--
			}
		}
	}
	lower := func(counter *int, to int) {
		if to >= 0 && to < *counter {
			*counter = to
		}
	}
	lower(&p.explicit, k.RequireExplicitPolicy)
	lower(&p.mapping, k.InhibitPolicyMapping)
	lower(&p.any, k.InhibitAnyPolicy)
}

// wrapUp is section 6.1.5, steps (a), (b) and (g), for the last certificate.
func (p *policyState) wrapUp(k certs.Constraints) {
	if p.explicit > 0 {
		p.explicit--
	}
	if k.RequireExplicitPolicy == 0 {
		p.explicit = 0
	}
	if p.null {
		return
	}
	// Walk up from the last depth: what is not met has no descendant there.
	// The policies of the anchor's domain are those right below anyPolicy.
	domain := map[string]bool{}
	last := len(p.levels) - 1
	alive := map[string]bool{}
	for name := range p.levels[last] {
		alive[name] = true
	}
	if alive[anyPolicy] {
		domain[anyPolicy] = true
	}
	for depth := last; depth > 0; depth-- {
		above := map[string]bool{}
		for name := range alive {
			for _, parent := range p.levels[depth][name].parents {
				above[parent] = true
				if parent == anyPolicy && name != anyPolicy {
					domain[name] = true
				}
			}
		}
		alive = above
	}
	if p.accepted != nil {
		accepted := map[string]bool{}
		for name := range p.accepted {
			if domain[anyPolicy] || domain[name] {
				accepted[name] = true
			}
		}
		domain = accepted
	}
	for name := range domain {
		p.domain = append(p.domain, name)
	}
	slices.Sort(p.domain)
}

// satisfied tells whether the policies of a whole path will do. For a path of
// an anchor alone there was no certificate to ask.
func (p *policyState) satisfied() bool {
	return len(p.levels) == 1 && !p.null || p.explicit > 0 || len(p.domain) > 0
}

func (p *policyState) result() []asn1.ObjectIdentifier {
	list := make([]asn1.ObjectIdentifier, len(p.domain))
	for i, name := range p.domain {
		list[i] = p.oids[name]
	}
	return list
}
