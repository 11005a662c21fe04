package assurability

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/eidkit/eidkit/internal/evidence"
	"github.com/eidkit/eidkit/internal/fetch"
	"github.com/eidkit/eidkit/niss"
)

// Options say whom to ask. Session and Endpoints are needed.
type Options struct {
	// Session proves who asks; its options hold for questions too. It may be opened later, and serve several clients.
	Session *Session
	// Service is asked when a question does not say which; empty: Pharmacist for a pharmacy, else GenIns.
	Service Service
	// Endpoints are the addresses of the services: https, or http on loopback. Actions are their SOAPActions where they are not the
	// known ones; GenIns has none that is known.
	Endpoints, Actions map[Service]string
	// Sealer seals and opens messages of MemberData (ETEE); ReplyTo is the token (ETK) under which answers shall be sealed. Without Seal,
	// questions go as they are; without Unseal, sealed answers cannot be read.
	Sealer struct {
		Seal, Unseal func(context.Context, []byte) ([]byte, error)
		ReplyTo      []byte
	}
	// Log gets a record of each question before its answer is returned. LogKey turns national numbers into what stands for them there:
	// the same number gives the same under the same key, of 16 bytes or more; empty: a key of this client alone.
	Log    func(Call)
	LogKey []byte
	// Evidence is a folder where each message and its answer is kept, encrypted to EvidenceKeys, X25519 recipients of age ("age1...").
	// Empty: nothing is kept.
	Evidence     string
	EvidenceKeys []string
}

// Client asks the services. It is safe for concurrent use.
type Client struct {
	o        Options
	provider Provider
	now      func() time.Time
	fetch    *fetch.Client // the session's
	cache    cache
	breakers map[Service]*breaker
	evidence *evidence.Store
}

// knownActions are the SOAPActions that are known (facts sheet c.2 and b.1).
var knownActions = map[Service]string{Pharmacist: nsPharm + ":GetInsurabilityForPharmacist", MemberData: nsMember + ":MemberDataConsultation"}

// New checks the options. Errors: ErrQuestion for what no question could be asked with.
func New(o Options) (*Client, error) {
	if o.Session == nil {
		return nil, fmt.Errorf("%w: no session is set up", ErrQuestion)
	}
	c := &Client{provider: o.Session.o.Provider, now: o.Session.o.Now, fetch: o.Session.client, breakers: map[Service]*breaker{GenIns: {}, Pharmacist: {}, MemberData: {}}}
	if o.Service == "" {
		o.Service = GenIns
		if strings.EqualFold(c.provider.Quality, "pharmacy") {
			o.Service = Pharmacist
		}
	}
	c.o = o
	switch {
	case c.breakers[o.Service] == nil:
		return nil, fmt.Errorf("%w: no service %q", ErrQuestion, o.Service)
	case o.Endpoints[o.Service] == "":
		return nil, fmt.Errorf("%w: no address of the service %q", ErrQuestion, o.Service)
	case len(o.LogKey) > 0 && len(o.LogKey) < 16:
		return nil, fmt.Errorf("%w: the key of the log has fewer than 16 bytes", ErrQuestion)
	}
	if err := c.provider.check(o.Service); err != nil {
		return nil, err
	}
	for s, address := range o.Endpoints {
		if err := checkAddress(address); err != nil {
			return nil, fmt.Errorf("%w: service %q: %w", ErrQuestion, s, err)
		}
	}
	if len(o.LogKey) == 0 {
		c.o.LogKey = make([]byte, 32)
		if _, err := rand.Read(c.o.LogKey); err != nil {
			return nil, fmt.Errorf("making the key of the log: %w", err)
		}
	}
	if o.Evidence != "" {
		var err error
		if c.evidence, err = evidence.Open(o.Evidence, o.EvidenceKeys); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrQuestion, err)
		}
	}
	return c, nil
}

// checkAddress wants https, or http on this machine.
func checkAddress(address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil {
		return errors.New("its address is no URL, or holds credentials")
	}
	ip, err := netip.ParseAddr(u.Hostname())
	local := u.Hostname() == "localhost" || err == nil && ip.IsLoopback()
	if u.Scheme != "https" && !(u.Scheme == "http" && local) {
		return errors.New("its address is not https")
	}
	return nil
}

// Ask asks. Whatever goes wrong with the network or a service is an answer: Unavailable with its Cause, or one of earlier today, which
// has the warning CachedAnswer, an Age, no Approval and, if the network was asked in vain, a Cause. Errors: ErrQuestion for what cannot
// be asked, ErrSession if somebody has to open a session first or the credential fails, and ctx's when it was cancelled.
func (c *Client) Ask(ctx context.Context, q Question) (*Answer, error) {
	start := c.now()
	if q.Service == "" {
		q.Service = c.o.Service
	}
	if q.From == (niss.Date{}) {
		q.From = Today(start)
	}
	q.Sent = start
	if q.Reference == "" {
		q.Reference = newReference(start)
	}
	if _, err := Encode(q.Service, &q, &c.provider); err != nil {
		return nil, err
	}
	if c.o.Endpoints[q.Service] == "" {
		return nil, fmt.Errorf("%w: no address of the service %q", ErrQuestion, q.Service)
	}
	key := keyOf(q.Service, &q)
	if q.Recent {
		if a := c.cache.find(key, start); a != nil {
			c.log(&q, a, nil, start)
			return a, nil
		}
	}
	within, end := context.WithTimeout(ctx, c.o.Session.o.Timeout)
	defer end()
	a, tries, err := c.try(within, &q)
	if err != nil {
		if ctx.Err() == context.Canceled {
			err = ctx.Err()
		}
		c.log(&q, &Answer{Status: Unavailable, Service: q.Service, Cause: err}, tries, start)
		return nil, err
	}
	now := c.now()
	c.cache.note(key, a, now)
	if a.Status == Unavailable && mayFallBack(a) {
		if earlier := c.cache.find(key, now); earlier != nil {
			earlier.Cause = a.Cause
			a = earlier
		}
	}
	c.log(&q, a, tries, start)
	return a, nil
}

// standIn is what stands for a patient in the log.
func (c *Client) standIn(p Patient) string {
	h := hmac.New(sha256.New, c.o.LogKey)
	fmt.Fprintf(h, "%s|%s|%s", p.NISS, p.Affiliate, p.Mutuality)
	return fmt.Sprintf("%x", h.Sum(nil)[:16])
}
