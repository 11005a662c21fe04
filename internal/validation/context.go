package validation

// checkContext is validation context initialization (EN 319 102-1 section
// 5.2.4): which policy the signer named. The constraints come from the
// caller's own policy; a signer's explicit one cannot be fetched or applied
// here, and is not passed over in silence.
func (r *run) checkContext(t *token) {
	p := t.sig.Policy
	if p == nil || p.Implied {
		return
	}
	name := p.ID
	if name == "" {
		name = p.URI
	}
	t.found.add(r.find(CodePolicyNotAvailable, name, p.URI))
}
