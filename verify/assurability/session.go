package assurability

import (
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/eidkit/eidkit/internal/fetch"
	"github.com/eidkit/eidkit/internal/sts"
)

// SessionOptions say who opens a session, where, and how the platform is reached. Provider, URL and one of Credential and File are needed.
type SessionOptions struct {
	Provider Provider
	// URL is the security token service; https, or http on loopback. Action is its SOAPAction; empty: that of the platform.
	URL, Action string
	// Claims are the attributes that the token shall have, each "name" or "name=value"; nil: those that the provider's quality wants.
	Claims []string
	// Credential gives the key that proves who asks, and its certificate: of a PKCS#12 file, a PKCS#11 token or an eID card. It is called
	// for each new token, may ask for a PIN, and says itself for how long it remembers one.
	Credential func(context.Context) (crypto.Signer, *x509.Certificate, error)
	// Unattended: Credential needs nobody, so that tokens are renewed without being told to.
	Unattended bool
	// Lifetime is how long a token shall hold; 0: 24 hours. Margin is how long before its end it is renewed or its end announced; 0:
	// 30 minutes.
	Lifetime, Margin time.Duration
	// Expiring is called by Keep when the session will end and was not renewed, with the reason if that was tried.
	Expiring func(until time.Time, err error)
	// File keeps the session, readable by its owner alone, for the other programs of the same provider; empty: it is kept in memory.
	File string

	// Proxy is an http or https URL; empty: none. CABundle are the roots for TLS; nil: the system's.
	Proxy    string
	CABundle *x509.CertPool
	// ConnectTimeout is for connecting and for TLS each; 0: 3 s. Timeout is for a question, or a token, with all that it takes; 0: 8 s.
	ConnectTimeout, Timeout time.Duration
	// Parallel is how many connections a service gets at one time, further questions waiting; 0: 16.
	Parallel int
	// Now is the clock; nil: the system's.
	Now func() time.Time
}

// Session is a provider's stay with the platform: a token of the security token service, bound to a key made for it. It is safe for
// concurrent use.
type Session struct {
	o      SessionOptions
	client *fetch.Client

	turn chan struct{} // held by who opens or renews
	mu   sync.Mutex
	held *held // nil: not open
}

// held is a token with its key, since when it is here.
type held struct {
	token *sts.Token
	key   crypto.Signer
	since time.Time
}

// oneMinute is how long before its end a token is no longer used, and how long after its beginning one that a service refuses is not
// replaced: the next would fare no better.
const oneMinute = time.Minute

// NewSession checks the options. The session is not open yet: see Open and Load.
func NewSession(o SessionOptions) (*Session, error) {
	switch {
	case o.Provider.NIHII == "" || o.Provider.Quality == "":
		return nil, fmt.Errorf("%w: the configuration lacks the provider's number or quality", ErrSession)
	case o.Credential == nil && o.File == "":
		return nil, fmt.Errorf("%w: neither a credential nor a file to load it from", ErrSession)
	}
	if err := checkAddress(o.URL); err != nil {
		return nil, fmt.Errorf("%w: the security token service: %w", ErrSession, err)
	}
	setDefault(&o.Lifetime, 24*time.Hour)
	setDefault(&o.Margin, 30*time.Minute)
	setDefault(&o.ConnectTimeout, 3*time.Second)
	setDefault(&o.Timeout, 8*time.Second)
	setDefault(&o.Parallel, 16)
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Session{o: o, turn: make(chan struct{}, 1)}
	var err error
	s.client, err = fetch.New(fetch.Options{Proxy: o.Proxy, CABundle: o.CABundle, Allow: everywhere, ConnectTimeout: o.ConnectTimeout, StepTimeout: o.Timeout,
		Timeout: o.Timeout, MaxParallel: 4 * o.Parallel, MaxPerHost: o.Parallel, MaxBytes: maxMessage, SameHost: true})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSession, err)
	}
	return s, nil
}

// everywhere are the addresses that a service may have: its URL is the operator's choice.
var everywhere = []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}

// setDefault gives an option that is not set its value.
func setDefault[T comparable](v *T, value T) {
	var zero T
	if *v == zero {
		*v = value
	}
}

// claims are the attributes that the services want of a provider's quality (facts sheet c.4), as far as the signer of the request can
// claim them: an organisation's certificate does not speak for its titular, whose eID card does.
func (p *Provider) claims(signer *x509.Certificate) []sts.Claim {
	const ehealth, person, certified = "urn:be:fgov:ehealth:1.0:", "urn:be:fgov:person:ssin", "urn:be:fgov:person:ssin:ehealth:1.0:"
	quality := strings.ToLower(p.Quality)
	var list []sts.Claim
	titular := p.Titular.NISS != "" && signer.Subject.SerialNumber == string(p.Titular.NISS)
	if p.Titular.NISS != "" && (titular || !p.Organisation) {
		list = append(list, sts.Claim{Name: ehealth + "certificateholder:person:ssin", Value: string(p.Titular.NISS)}, sts.Claim{Name: person, Value: string(p.Titular.NISS)})
	}
	if !p.Organisation {
		return append(list, sts.Claim{Name: certified + "fpsph:" + quality + ":boolean"}, sts.Claim{Name: certified + "nihii:" + quality + ":nihii11"})
	}
	number := ehealth + quality + ":nihii-number"
	list = append(list, sts.Claim{Name: ehealth + "certificateholder:" + quality + ":nihii-number", Value: p.NIHII}, sts.Claim{Name: number, Value: p.NIHII},
		sts.Claim{Name: number + ":recognised" + quality + ":boolean"})
	if titular && p.Titular.NIHII != "" {
		list = append(list, sts.Claim{Name: certified + "fpsph:pharmacist:boolean"}, sts.Claim{Name: certified + "nihii:pharmacist:nihii11"})
	}
	return list
}

// Open gets a new token, also when there is one. Errors: ErrSession with the reason, which is the credential's, the network's or the
// service's, or ctx's when it was cancelled.
func (s *Session) Open(ctx context.Context) error {
	release, err := s.myTurn(ctx)
	if err != nil {
		return err
	}
	defer release()
	return s.issue(ctx, true)
}

func (s *Session) myTurn(ctx context.Context) (release func(), err error) {
	select {
	case s.turn <- struct{}{}:
		return func() { <-s.turn }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// issue gets a token, keeps it and writes it to the file; for a new key, or for that of the token before. Who calls it has the turn.
func (s *Session) issue(ctx context.Context, newKey bool) error {
	if s.o.Credential == nil {
		return fmt.Errorf("%w: no credential to open it with", ErrSession)
	}
	key, cert, err := s.o.Credential(ctx)
	if err != nil {
		return fmt.Errorf("%w: %w: %w", ErrSession, sts.ErrCredential, err)
	}
	now := s.o.Now()
	var holder *sts.Holder
	if h := s.get(); h != nil && !newKey {
		holder, err = sts.HolderOf(h.key, now, now.Add(s.o.Lifetime))
	} else {
		holder, err = sts.NewHolder(now, now.Add(s.o.Lifetime))
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrSession, err)
	}
	claims := s.o.Provider.claims(cert)
	if s.o.Claims != nil {
		claims = nil
		for _, c := range s.o.Claims {
			name, value, _ := strings.Cut(c, "=")
			claims = append(claims, sts.Claim{Name: name, Value: value})
		}
	}
	service := sts.Service{Client: s.client, URL: s.o.URL, Action: s.o.Action}
	token, err := service.Issue(ctx, sts.Request{Credential: sts.Credential{Key: key, Certificate: cert}, Claims: claims, Holder: holder, Now: now, Lifetime: s.o.Lifetime})
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrSession, err)
	}
	h := &held{token, holder.Key, now}
	s.set(h)
	return s.save(h)
}

func (s *Session) set(h *held) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held = h
}

func (s *Session) get() *held {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.held
}

// Until is when the session ends; zero: it is not open.
func (s *Session) Until() time.Time {
	if h := s.get(); h != nil && s.good(h) {
		return h.token.Until
	}
	return time.Time{}
}

// good tells whether a token holds now, and for a message's time longer.
func (s *Session) good(h *held) bool { return h.token.Until.After(s.o.Now().Add(oneMinute)) }

// Token gives the assertion, as XML, and the key that it is bound to, for the provider's other services. One that is over is replaced
// by that of the file, if another program has renewed it, or renewed here if that needs nobody. Errors: as Open.
func (s *Session) Token(ctx context.Context) (assertion []byte, key crypto.Signer, err error) {
	h, err := s.current(ctx, nil)
	if err != nil {
		return nil, nil, err
	}
	return h.token.Assertion, h.key, nil
}

// current is a token that holds, and is not the one that a service has refused.
func (s *Session) current(ctx context.Context, refused *held) (*held, error) {
	usable := func(h *held) bool { return h != nil && s.good(h) && (refused == nil || h.token.ID != refused.token.ID) }
	if h := s.get(); usable(h) {
		return h, nil
	}
	release, err := s.myTurn(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	if h := s.get(); usable(h) { // somebody was faster
		return h, nil
	}
	var unread error // why the file gives no session, other than that there is none
	if s.o.File != "" {
		h, err := s.load()
		if err == nil && usable(h) {
			s.set(h)
			return h, nil
		}
		if err == nil && s.get() == nil { // to say when it ended
			s.set(h)
		}
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			unread = err
		}
	}
	switch h := s.get(); {
	case refused != nil && s.o.Now().Sub(refused.since) < oneMinute:
		return nil, fmt.Errorf("%w: the service does not take a token that is new", ErrSession)
	case s.o.Unattended:
		err := s.issue(ctx, false)
		if h := s.get(); usable(h) { // it may be there and not be kept
			return h, nil
		}
		return nil, err
	case h == nil && unread != nil:
		return nil, unread
	case h == nil:
		return nil, fmt.Errorf("%w: it is not open", ErrSession)
	case refused != nil:
		return nil, fmt.Errorf("%w: the service does not take its token any more", ErrSession)
	default:
		return nil, fmt.Errorf("%w: it ended at %s", ErrSession, h.token.Until.In(brussels()).Format(time.DateTime))
	}
}

// Keep renews the session before it ends, or announces its end, until ctx ends. It returns ctx's error.
func (s *Session) Keep(ctx context.Context) error {
	var announced string // identifier of the token whose end was announced
	for {
		wait := time.Minute
		if h := s.get(); h != nil {
			due := h.token.Until.Add(-s.o.Margin)
			switch left := due.Sub(s.o.Now()); {
			case left > 0:
				wait = min(left, time.Hour) // the system's clock may be set
			default:
				err := s.renew(ctx)
				if err != nil && ctx.Err() == nil && announced != h.token.ID {
					announced = h.token.ID
					s.announce(h.token.Until, err)
				}
			}
		}
		timer := time.NewTimer(max(wait, time.Second))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
	}
}

// errAttended: a person has to open the session again.
var errAttended = errors.New("it has to be opened again")

// renew replaces a token that will end, if nobody is needed for it.
func (s *Session) renew(ctx context.Context) error {
	if s.o.File != "" {
		if h, err := s.load(); err == nil && h.token.Until.Add(-s.o.Margin).After(s.o.Now()) {
			s.set(h)
			return nil
		}
	}
	if !s.o.Unattended {
		return errAttended
	}
	release, err := s.myTurn(ctx)
	if err != nil {
		return err
	}
	defer release()
	return s.issue(ctx, false)
}

func (s *Session) announce(until time.Time, err error) {
	if err == errAttended {
		err = nil
	}
	if s.o.Expiring != nil {
		s.o.Expiring(until, err)
	}
}

// Close ends the session for all programs that share it: the file is removed, the key forgotten. The platform has no call for it.
func (s *Session) Close() error {
	s.set(nil)
	s.client.Close()
	if s.o.File == "" {
		return nil
	}
	if err := os.Remove(s.o.File); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%w: %w", ErrSession, err)
	}
	return nil
}
