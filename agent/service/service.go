// Package service has the agent's methods over cards and documents: what a
// request reads, asks, signs and answers.
//
// Start with New and Service.Methods, which package agent serves; Service.Subscribe
// gives it the comings and goings of readers and cards.
//
// Every method that reaches a card goes the same way: the card is found without
// a command to it, package gate lets the operation through for that insertion or
// refuses it, only then is anything read, and only what was asked and allowed;
// the log has the result before the answer leaves. Errors are *protocol.Error.
//
// Out of scope: connections and documents' bytes (package agent), who may do what
// (agent/access), dialogs (agent/desk), one owner per card (agent/cards).
//
// References: design.md section 5; docs/schema/agent.json.
package service

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/eidkit/eidkit/agent/access"
	"github.com/eidkit/eidkit/agent/audit"
	"github.com/eidkit/eidkit/agent/cards"
	"github.com/eidkit/eidkit/agent/desk"
	"github.com/eidkit/eidkit/agent/gate"
	"github.com/eidkit/eidkit/sign"
	"github.com/eidkit/eidkit/verify"
	"github.com/eidkit/eidkit/verify/assurability"
)

// Desk asks the person at the computer: a *desk.Desk.
type Desk interface {
	Consent(ctx context.Context, c desk.Consent) (desk.Answer, error)
	Choose(ctx context.Context, c desk.Choice) (int, error)
	PINs(about desk.Consent) *desk.PINs
}

// Insurer asks the insurers' network: an *assurability.Client.
type Insurer interface {
	Ask(ctx context.Context, q assurability.Question) (*assurability.Answer, error)
}

// Options are the parts of a Service. Hub, Gate, Desk and Authority must be there.
type Options struct {
	Hub       *cards.Hub
	Gate      *gate.Gate
	Desk      Desk
	Authority *access.Authority

	// Log reads the audit log; nil: log.read has nothing to show.
	Log func(audit.Filter) ([]audit.Line, error)

	Verifier *verify.Verifier // nil: one of its own
	Anchors  *verify.Anchors  // nil: the pinned Belgian roots alone
	// SignOptions are what every signature begins with: time stamp authorities,
	// anchors, the way to the network. nil: none.
	SignOptions func() sign.Options

	Insurance Insurer // nil: not configured
	// InsuranceSession tells when the session with the platform ends, zero if
	// that is not known, and whether its messages are tests. nil: neither.
	InsuranceSession func() (until time.Time, test bool)

	Language string // of what is written into documents: en, nl, fr, de
	Version  string // of this program
	Now      func() time.Time
}

// Service does the work of the methods. It is safe for concurrent use.
type Service struct {
	o     Options
	looks chan struct{} // one for each document that is being looked through

	mu   sync.Mutex
	subs map[*subscription]struct{}
}

// New checks the options.
func New(o Options) (*Service, error) {
	if o.Hub == nil || o.Gate == nil || o.Desk == nil || o.Authority == nil {
		return nil, errors.New("service: hub, gate, desk and authority are needed")
	}
	if o.Verifier == nil {
		o.Verifier = &verify.Verifier{}
	}
	if o.SignOptions == nil {
		o.SignOptions = func() sign.Options { return sign.Options{} }
	}
	if o.Log == nil {
		o.Log = func(audit.Filter) ([]audit.Line, error) { return nil, nil }
	}
	if o.InsuranceSession == nil {
		o.InsuranceSession = func() (time.Time, bool) { return time.Time{}, false }
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Service{o: o, looks: make(chan struct{}, maxLooks), subs: map[*subscription]struct{}{}}, nil
}

// Methods are the methods by name.
func (s *Service) Methods() map[string]Method {
	return map[string]Method{
		"readers.list":      s.readersList,
		"identity.read":     s.identityRead,
		"insurability.read": s.insurabilityRead,
		"auth.login":        s.authLogin,
		"sign.certificate":  s.signCertificate,
		"sign.hash":         s.signHash,
		"sign.document":     s.signDocument,
		"verify.document":   s.verifyDocument,
		"pin.status":        s.pinStatus,
		"pin.change":        s.pinChange,
		"pair.request":      s.pairRequest,
		"card.export":       s.cardExport,
		"card.load":         s.cardLoad,
		"certificates.read": s.certificatesRead,
		"log.read":          s.logRead,
		"grants.list":       s.grantsList,
		"grants.revoke":     s.grantsRevoke,
		"pairings.list":     s.pairingsList,
		"pairings.revoke":   s.pairingsRevoke,
	}
}
