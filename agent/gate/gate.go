// Package gate is the one way to a card: an operation is decided, asked for if
// need be, and written into the log, and then there is a Pass, without which no
// card is touched. What came of it is in the log before the answer leaves.
//
// Start with New and Gate.Enter; Pass.Done ends an operation.
//
// Out of scope: who may do what (package access), the dialogs (package desk), the
// log's form (package audit), cards (package cards).
package gate

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/eidkit/eidkit/agent/access"
	"github.com/eidkit/eidkit/agent/audit"
	"github.com/eidkit/eidkit/agent/desk"
	"github.com/eidkit/eidkit/agent/protocol"
)

// Asker asks the user: a *desk.Desk.
type Asker interface {
	Consent(ctx context.Context, c desk.Consent) (desk.Answer, error)
}

// Gate decides, asks and writes down. It is safe for concurrent use.
type Gate struct {
	authority *access.Authority
	asker     Asker
	log       *audit.Log
	budgets   budgets
	now       func() time.Time
}

// New makes the gate of an agent.
func New(a *access.Authority, d Asker, l *audit.Log) *Gate {
	return &Gate{authority: a, asker: d, log: l, now: time.Now}
}

// Request is an operation that a client wants done.
type Request struct {
	access.Request
	Method string // of the protocol
	Mode   string // how the person is identified: chip, barcode, manual; empty: nobody is

	Insertion string          // the card's, which the consent is bound to; empty: no card
	Gone      <-chan struct{} // closed when that card was taken out; nil: no card
	Card      string          // what the card is called in dialogs

	// Absent is why there is nothing that the user could be asked about: no card,
	// no reader. A client who would have to ask hears it, as he hears a refusal.
	Absent error

	Documents  []desk.Document // that are to be signed
	Statements []desk.Statement
	HashOnly   bool // what is signed cannot be shown
}

// Enter gives a Pass, or an *protocol.Error: NOT_AUTHORISED, ORIGIN_REFUSED,
// CONSENT_DENIED, RATE_LIMITED, BUSY, CARD_REMOVED if the card was taken out
// meanwhile, INTERNAL if the log cannot be written. Refusals are in the log too,
// as many as a client's budget has; beyond, a line says that there were more, and
// the client hears RATE_LIMITED without anybody being asked.
func (g *Gate) Enter(ctx context.Context, r Request) (*Pass, error) {
	decision := g.authority.Decide(r.Request)
	by, refusal := decision.By, error(nil)
	over, first := false, false
	if decision.Verdict != access.Allow || dialogs(r.Request) {
		over, first = g.exhausted(r.Client)
	}
	switch {
	case over:
		if refusal = errExhausted; !first {
			return nil, refusal
		}
	case decision.Verdict == access.Allow:
		refusal = r.Absent
	case decision.Verdict == access.Ask && r.Absent != nil:
		refusal = r.Absent
	case decision.Verdict == access.Ask:
		by = "consent"
		if refusal = g.ask(ctx, r, question(r, decision.MayRemember)); refusal == nil {
			refusal = g.still(r)
		}
	default:
		refusal = refused(decision)
	}
	if refusal == nil && isClosed(r.Gone) {
		refusal = protocol.Errorf(protocol.CardRemoved, "the card was taken out before the operation began")
	}
	if refusal != nil && !over && (decision.Verdict != access.Allow || r.Absent == nil) {
		g.count(r.Client)
	}
	entry, err := g.log.Intent(audit.Event{Session: r.Client.Session, Client: r.Client.String(), Operation: string(r.Operation), Fields: r.Fields,
		Purpose: r.Purpose, By: by, Rule: decision.Rule, Reader: r.Reader, Mode: r.Mode, Method: r.Method})
	if err != nil {
		return nil, unwritten(err)
	}
	p := &Pass{gate: g, request: r, by: by, entry: entry, counted: refusal != nil}
	if refusal != nil {
		return nil, p.Done(audit.Outcome{}, refusal)
	}
	return p, nil
}

// ask has the user decide, for as long as the card is there.
func (g *Gate) ask(ctx context.Context, r Request, c desk.Consent) error {
	if r.Client.Kind != access.Page && g.authority.Muted(r.Client) {
		return protocol.Errorf(protocol.NotAuthorised, "the user has said no twice: wait ten minutes")
	}
	ctx, stop := until(ctx, r.Gone)
	defer stop(nil)
	answer, err := g.asker.Consent(ctx, c)
	switch {
	case isClosed(r.Gone):
		return protocol.Errorf(protocol.CardRemoved, "the card was taken out while the user was asked")
	case errors.Is(err, desk.ErrUnavailable):
		return protocol.Errorf(protocol.NotAuthorised, "%v", err)
	case errors.Is(err, desk.ErrTimeout):
		return protocol.Errorf(protocol.ConsentDenied, "nobody answered in time")
	case errors.Is(err, desk.ErrBusy):
		return protocol.Errorf(protocol.Busy, "another question is open")
	case err != nil:
		return protocol.Errorf(protocol.ConsentDenied, "the question was closed")
	case !answer.Allowed:
		if !answer.Earlier { // a no that was said once counts once
			g.authority.Denied(r.Client)
		}
		return protocol.Errorf(protocol.ConsentDenied, "the user did not allow it")
	}
	if answer.Always && c.MayRemember {
		// That a grant could not be kept takes nothing from this consent: the user is asked again next time.
		_, _ = g.authority.Remember(r.Request, time.Time{})
	}
	return nil
}

// question is what the user is asked.
func question(r Request, mayRemember bool) desk.Consent {
	return desk.Consent{Client: r.Client, Operation: r.Operation, Fields: r.Fields, Purpose: r.Purpose, Reader: r.Reader, Card: r.Card,
		Documents: r.Documents, Statements: r.Statements, Insertion: r.Insertion, MayRemember: mayRemember, HashOnly: r.HashOnly}
}

// still refuses what the policy has come to refuse while the user was asked.
func (g *Gate) still(r Request) error {
	if d := g.authority.Decide(r.Request); d.Verdict == access.Refuse && d.Reason != access.ReasonMuted {
		return refused(d)
	}
	return nil
}

// refused is the client's answer to a decision against it.
func refused(d access.Decision) error {
	switch d.Reason {
	case access.ReasonUnknown:
		return protocol.Errorf(protocol.OriginRefused, "%s", d.Why)
	case access.ReasonRate:
		return protocol.Errorf(protocol.RateLimited, "%s", d.Why)
	}
	return protocol.Errorf(protocol.NotAuthorised, "%s", d.Why)
}

func unwritten(err error) error {
	return errors.Join(protocol.Errorf(protocol.Internal, "the log cannot be written, and nothing is done without it"), err)
}

// until is ctx that ends with the card as well.
func until(ctx context.Context, gone <-chan struct{}) (context.Context, context.CancelCauseFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	if gone == nil {
		return ctx, cancel
	}
	go func() {
		select {
		case <-gone:
			cancel(protocol.Errorf(protocol.CardRemoved, "the card was taken out"))
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false // a nil channel is never closed
	}
}

// Pass lets one operation through. It is bound to one insertion of one card.
type Pass struct {
	gate    *Gate
	request Request
	by      string
	entry   *audit.Entry
	counted bool // as a refusal already

	mu        sync.Mutex
	cancelled error
}

// Fields are those that may be answered.
func (p *Pass) Fields() []string { return slices.Clone(p.request.Fields) }

// By is what allowed it: policy, grant, launch, pairing or consent.
func (p *Pass) By() string { return p.by }

// Client is who may.
func (p *Pass) Client() access.Client { return p.request.Client }

// Insertion is the card's that it is for; empty: none.
func (p *Pass) Insertion() string { return p.request.Insertion }

// Bound is ctx that ends, with CARD_REMOVED as its cause, when the card is taken
// out. The function returned lets go of it.
func (p *Pass) Bound(ctx context.Context) (context.Context, context.CancelCauseFunc) {
	return until(ctx, p.request.Gone)
}

// Ask has the user look at documents once more before the operation goes on: as
// they are now, with a signature in its place. Errors are those of Enter; with one
// the operation must not go on.
func (p *Pass) Ask(ctx context.Context, documents []desk.Document) error {
	c := question(p.request, false)
	c.Fields, c.Documents, c.Placed = nil, documents, true
	return p.gate.ask(ctx, p.request, c)
}

// Check is nil as long as the pass holds: its card is still in the reader, and
// nobody has cancelled it.
func (p *Pass) Check() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cancelled == nil && isClosed(p.request.Gone) {
		p.cancelled = protocol.Errorf(protocol.CardRemoved, "the card was taken out")
	}
	return p.cancelled
}

// Cancel ends the pass; why is what Check says from then on.
func (p *Pass) Cancel(why error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cancelled == nil {
		p.cancelled = why
	}
}

// Done writes what came of the operation, err or its success, and returns what
// the client is to be told: err, or INTERNAL if the log could not be written. The
// answer must not leave before. The pass ends with it.
func (p *Pass) Done(o audit.Outcome, err error) error {
	if err != nil {
		o.Code = string(protocol.CodeOf(err))
		if errors.Is(err, context.Canceled) {
			o.Code = "CANCELLED"
		}
	}
	if !p.counted && dialogs(p.request.Request) && closed(err) {
		p.gate.count(p.request.Client)
	}
	p.Cancel(protocol.Errorf(protocol.NotAuthorised, "the operation is over"))
	if unwrittenErr := p.entry.Result(o); unwrittenErr != nil {
		return unwritten(unwrittenErr)
	}
	return err
}
