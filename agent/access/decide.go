package access

import (
	"slices"
	"strings"
	"time"
)

// What may be done by whom, and what no grant and no rule changes.
var (
	// paired is all that a program's token can give.
	paired = []Operation{OpReaders, OpIdentity, OpInsurability}
	// relayed is all that Web eID has.
	relayed = []Operation{OpLogin, OpCertificate, OpSignHash}
	// rememberable is what "always" can cover: not the photo, no signing, no login, no PIN.
	rememberable = []Operation{OpReaders, OpIdentity, OpInsurability, OpVerify}
	// shown is what the user has to see each time, whatever the policy says: what is signed, and that a PIN changes. Of an extension,
	// whose word is all there is for the origin, sign.certificate too: a name would leave without any dialog.
	shown = []Operation{OpSignHash, OpSignDocument, OpPINChange}
)

func refuse(reason Reason, why string) Decision {
	return Decision{Verdict: Refuse, Reason: reason, Why: why}
}

// Connect says whether a client may hold a connection: Allow when policy, grants
// or a pairing know it, Ask when it may connect to ask, else Refuse.
func (a *Authority) Connect(c Client) Decision {
	s := a.current()
	if s.policy == nil && c.Kind != Page {
		return refuse(ReasonBroken, "the policy of this computer cannot be read")
	}
	switch c.Kind {
	case Page:
		return a.page(s, OpOwn, false)
	case Program:
		p, ok := s.pairing(c.PairingID)
		if !ok {
			return refuse(ReasonUnknown, "the program is not paired")
		}
		rules, ok := s.programRules(c, p)
		if !ok || deniesAll(rules) {
			return refuse(ReasonPolicy, "the policy refuses this program")
		}
		if len(rules) > 0 {
			return Decision{Verdict: Allow, By: "policy", Rule: rules[0].ID}
		}
		if s.policy.UnknownPrograms.refuse {
			return refuse(ReasonUnknown, "the policy does not name this program")
		}
		return Decision{Verdict: Allow, By: "pairing", Rule: p.ID}
	case Site, Extension:
		return a.connectSite(s, c)
	}
	return refuse(ReasonKind, "a client of no known kind")
}

func (a *Authority) connectSite(s snapshot, c Client) Decision {
	if !a.takes(c.Origin) {
		return refuse(ReasonUnknown, "not an origin of the web")
	}
	rules := s.siteRules(c.Origin)
	switch {
	case deniesAll(rules):
		return refuse(ReasonPolicy, "the policy refuses this site")
	case len(rules) > 0:
		return Decision{Verdict: Allow, By: "policy", Rule: rules[0].ID}
	}
	if given := s.grants(c); len(given) > 0 {
		return Decision{Verdict: Allow, By: "grant", Rule: given[0].ID}
	}
	if s.policy.UnknownOrigins.refuse {
		return refuse(ReasonUnknown, "the policy does not name this site")
	}
	return a.ask(c, Decision{Verdict: Ask, By: "consent"})
}

// takes tells whether the origin is one at all, and of https outside the developer mode.
func (a *Authority) takes(o Origin) bool {
	return o.scheme == "https" || o.scheme == "http" && a.developer
}

// ask is the decision unless the client is muted.
func (a *Authority) ask(c Client, d Decision) Decision {
	if d.Verdict == Ask && a.Muted(c) {
		return refuse(ReasonMuted, "the user has refused twice: wait ten minutes")
	}
	return d
}

// Decide says what comes of a request: policy before grants before asking. A free
// national number that is allowed counts against the program's rate.
func (a *Authority) Decide(r Request) Decision {
	s := a.current()
	c := r.Client
	if r.Operation != OpIdentity {
		r.Fields = nil
	}
	if i := slices.IndexFunc(r.Fields, func(f string) bool { return f != FieldPhoto && !slices.Contains(identityFields, f) }); i >= 0 {
		return refuse(ReasonKind, "there is no such field")
	}
	if c.Kind == Page {
		return a.page(s, r.Operation, r.NISS)
	}
	if s.policy == nil {
		return refuse(ReasonBroken, "the policy of this computer cannot be read")
	}
	if r.Operation == OpSignHash && !s.policy.settings.SignHash {
		return refuse(ReasonPolicy, "the policy allows no signatures over digests")
	}
	switch c.Kind {
	case Program:
		return a.decideProgram(s, r)
	case Site, Extension:
		if !a.takes(c.Origin) {
			return refuse(ReasonUnknown, "not an origin of the web")
		}
		if !slices.Contains(ruled, r.Operation) || c.Kind == Extension && !slices.Contains(relayed, r.Operation) {
			return refuse(ReasonKind, "no "+c.Kind.String()+" may do that")
		}
		if r.NISS {
			return refuse(ReasonKind, "a site asks about the inserted card only")
		}
		return a.weigh(s, r, s.siteRules(c.Origin), func() Decision {
			if len(s.siteRules(c.Origin)) == 0 && s.policy.UnknownOrigins.refuse {
				return refuse(ReasonUnknown, "the policy does not name this site")
			}
			return Decision{Verdict: Ask, By: "consent"}
		})
	}
	return refuse(ReasonKind, "a client of no known kind")
}

// page is for the agent's own pages: all that they show and do, asked by the user
// himself who opened them.
func (a *Authority) page(s snapshot, op Operation, niss bool) Decision {
	switch {
	case s.policy == nil && op != OpOwn:
		return refuse(ReasonBroken, "the policy of this computer cannot be read")
	case s.policy != nil && !s.policy.settings.Launch:
		return refuse(ReasonPolicy, "the policy has the agent's own pages switched off")
	case op != OpOwn && (!slices.Contains(ruled, op) || op == OpSignHash):
		return refuse(ReasonKind, "the agent's pages do not do that")
	case niss && (op != OpInsurability || s.policy.Pages.FreeNumbers == nil):
		return refuse(ReasonPolicy, "the policy has the agent's own pages ask about the inserted card only")
	case niss:
		if !a.rates.take("[pages]", *s.policy.Pages.FreeNumbers, a.now()) {
			return refuse(ReasonRate, "too many numbers were asked about")
		}
		return Decision{Verdict: Allow, By: "policy", Rule: "pages"}
	}
	return Decision{Verdict: Allow, By: "launch"}
}

// decideProgram: a token gives no more than it was paired for, whatever a rule says.
func (a *Authority) decideProgram(s snapshot, r Request) Decision {
	c := r.Client
	if r.Operation == OpPair {
		if !goodName(c.Name) { // before anybody reads it
			return refuse(ReasonKind, "no program can be called that")
		}
		return a.ask(c, s.mayPair(c.Name, c.Executable))
	}
	p, ok := s.pairing(c.PairingID)
	if !ok {
		return refuse(ReasonUnknown, "the program is not paired")
	}
	if !slices.Contains(paired, r.Operation) || !slices.Contains(p.Operations, r.Operation) {
		return refuse(ReasonKind, "the program is not paired for that")
	}
	rules, ok := s.programRules(c, p)
	if !ok {
		return refuse(ReasonPolicy, "the policy names another executable for this program")
	}
	if r.NISS {
		return a.freeNumber(s, r, rules)
	}
	plain := make([]*siteRule, len(rules)) // weighed like those of sites
	for i, pr := range rules {
		plain[i] = &siteRule{rule: pr.rule}
	}
	return a.weigh(s, r, plain, func() Decision {
		switch {
		case len(rules) == 0 && s.policy.UnknownPrograms.refuse:
			return refuse(ReasonUnknown, "the policy does not name this program")
		case wantsPhoto(r):
			return Decision{Verdict: Ask, By: "consent", Fields: without(r.Fields, FieldPhoto)}
		}
		return Decision{Verdict: Allow, By: "pairing", Rule: p.ID, Fields: r.Fields}
	})
}

// mayPair says what the policy thinks of a program that wants a token.
func (s snapshot) mayPair(name, executable string) Decision {
	rules, ok := s.programRules(Client{Executable: executable}, Pairing{Name: name, Executable: executable})
	switch {
	case !ok || deniesAll(rules):
		return refuse(ReasonPolicy, "the policy refuses this program, or knows another executable under its name")
	case len(rules) == 0 && s.policy.UnknownPrograms.refuse:
		return refuse(ReasonUnknown, "the policy does not name this program")
	}
	return Decision{Verdict: Ask, By: "consent"}
}

func (a *Authority) freeNumber(s snapshot, r Request, rules []*programRule) Decision {
	if r.Operation != OpInsurability {
		return refuse(ReasonKind, "no operation but insurability takes a number")
	}
	for _, p := range rules {
		if p.denies(r.Operation) {
			return refuse(ReasonPolicy, "rule "+p.ID+" denies it")
		}
	}
	for _, p := range rules {
		if p.FreeNumbers == nil || !p.matches(r) {
			continue
		}
		if !a.rates.take(p.ID, *p.FreeNumbers, a.now()) {
			return refuse(ReasonRate, "too many numbers were asked about")
		}
		return Decision{Verdict: Allow, By: "policy", Rule: p.ID}
	}
	return refuse(ReasonPolicy, "no rule lets this program ask about numbers")
}

// weigh puts rules before grants before otherwise.
func (a *Authority) weigh(s snapshot, r Request, rules []*siteRule, otherwise func() Decision) Decision {
	for _, p := range rules {
		if p.denies(r.Operation) {
			return refuse(ReasonPolicy, "rule "+p.ID+" denies it")
		}
	}
	var c cover
	for _, p := range rules {
		if p.matches(r) {
			c.add(p.ID, p.limits(), r.Fields, p.covers)
		}
	}
	if c.all(r) {
		if slices.Contains(shown, r.Operation) || r.Client.Kind == Extension && r.Operation == OpCertificate {
			return a.ask(r.Client, Decision{Verdict: Ask, By: "consent", Rule: c.rule()})
		}
		return Decision{Verdict: Allow, By: "policy", Rule: c.rule(), Fields: c.fields, Readers: c.readers()}
	}
	if len(rules) > 0 && !rules[0].Beyond.ask() {
		return refuse(ReasonPolicy, "the policy does not let "+r.Client.String()+" do that")
	}
	if r.Client.Kind != Extension { // what it says of itself is no proof enough for a standing grant
		for _, g := range s.grants(r.Client) {
			if g.matches(r) {
				c.add(g.ID, g.Readers, r.Fields, func(field string) bool { return field != FieldPhoto && slices.Contains(g.Fields, field) })
			}
		}
		if c.all(r) && slices.Contains(rememberable, r.Operation) {
			return Decision{Verdict: Allow, By: "grant", Rule: c.rule(), Fields: c.fields, Readers: c.readers()}
		}
	}
	d := otherwise()
	if d.Verdict != Ask {
		return d
	}
	for _, f := range c.fields {
		if !slices.Contains(d.Fields, f) {
			d.Fields = append(d.Fields, f)
		}
	}
	d.MayRemember = s.mayRemember(r)
	return a.ask(r.Client, d)
}

// cover collects what rules and grants allow of a request.
type cover struct {
	ids    []string
	fields []string
	limits [][]string
}

func (c *cover) add(id string, readers, asked []string, allows func(field string) bool) {
	found := len(asked) == 0
	for _, f := range asked {
		if allows(f) {
			found = true
			if !slices.Contains(c.fields, f) {
				c.fields = append(c.fields, f)
			}
		}
	}
	if found {
		c.ids = append(c.ids, id)
		c.limits = append(c.limits, readers)
	}
}

// all tells that nothing of the request is left to ask. Operations other than
// identity have no fields.
func (c *cover) all(r Request) bool {
	if len(c.ids) == 0 {
		return false
	}
	return r.Operation != OpIdentity || !slices.ContainsFunc(r.Fields, func(f string) bool { return !slices.Contains(c.fields, f) })
}

func (c *cover) rule() string { return strings.Join(c.ids, "+") }

// readers are the limits to readers; none when one of the rules has none.
func (c *cover) readers() (all []string) {
	for _, l := range c.limits {
		if len(l) == 0 {
			return nil
		}
		all = append(all, l...)
	}
	return all
}

// matches tells whether the rule is about such a request, fields apart.
func (r *rule) matches(q Request) bool {
	if !r.has(q.Operation) || hasPurpose(q.Operation) && len(r.Purposes) > 0 && !slices.Contains(r.Purposes, q.Purpose) {
		return false
	}
	return unread(q) || len(r.Readers) == 0 || slices.Contains(r.Readers, q.Role)
}

// limits are the roles of readers as Decision.Readers has them.
func (r *rule) limits() (l []string) {
	for _, role := range r.Readers {
		l = append(l, rolePrefix+role)
	}
	return l
}

func (r *rule) covers(field string) bool {
	if field == FieldPhoto {
		return r.Photo
	}
	return slices.ContainsFunc(r.Fields, func(f fieldName) bool { return f.name == field || f.name == everything })
}

func (r *rule) denies(op Operation) bool {
	return slices.ContainsFunc(r.Deny, func(d denyName) bool { return d.op == op || d.op == "" })
}

func (r *rule) expired(now time.Time) bool { return !r.Expires.IsZero() && !now.Before(r.Expires) }

func deniesAll[R interface{ denies(Operation) bool }](rules []R) bool {
	return slices.ContainsFunc(rules, func(r R) bool { return r.denies(everything) })
}

// hasPurpose tells of which operations a purpose is part of what is allowed.
func hasPurpose(op Operation) bool { return op == OpIdentity || op == OpInsurability }

// unread: no reader is touched. Of the list of readers Decision.Readers says which are meant.
func unread(r Request) bool {
	return r.NISS || r.Operation == OpVerify || r.Operation == OpReaders && r.Reader == "" && r.Role == ""
}

func wantsPhoto(r Request) bool {
	return r.Operation == OpIdentity && slices.Contains(r.Fields, FieldPhoto)
}

func without(list []string, s string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(x string) bool { return x == s })
}
