package service

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/eidkit/eidkit/agent/access"
	"github.com/eidkit/eidkit/agent/audit"
	"github.com/eidkit/eidkit/agent/cards"
	"github.com/eidkit/eidkit/agent/desk"
	"github.com/eidkit/eidkit/agent/gate"
	"github.com/eidkit/eidkit/agent/protocol"
	"github.com/eidkit/eidkit/card/beid"
	"github.com/eidkit/eidkit/sign"
)

// operation is what a method wants to do with a card.
type operation struct {
	method  string
	kind    access.Operation
	fields  []string
	purpose string

	cardID string       // the card meant; empty: the only one, or the one that the user chooses
	cards  []cards.Kind // that will do
	role   string       // of the readers whose cards are meant where several will do

	documents  []desk.Document
	statements []desk.Statement
	hashOnly   bool
}

// task is an operation that was let through.
type task struct {
	s       *Service
	call    *Call
	op      operation
	pass    *gate.Pass
	card    cards.Choice
	outcome audit.Outcome // for the log; its code is set at the end
}

// eidOnly are the cards that sign, log in and have a PIN.
var eidOnly = []cards.Kind{cards.EID}

// do finds the card, has the operation let through, does it, and has what came of
// it written down. f does not end the pass.
func (s *Service) do(ctx context.Context, c *Call, op operation, f func(ctx context.Context, t *task) error) error {
	choice, err := s.choose(ctx, c, op)
	if err != nil {
		return fault(err)
	}
	request := s.request(c, op, choice)
	if s.o.Authority.Decide(request.Request).Verdict == access.Ask {
		waiting(c, "consent", "")
	}
	pass, err := s.o.Gate.Enter(ctx, request)
	if err != nil {
		return fault(err)
	}
	t := &task{s: s, call: c, op: op, pass: pass, card: choice, outcome: audit.Outcome{CardKind: string(choice.Kind)}}
	return discreet(c.Client, through(pass, &t.outcome, func() error {
		return f(cards.OnQueue(ctx, func(holder string) { waiting(c, "queue", told(c.Client, holder)) }), t)
	}))
}

// through does what a pass lets through, and has what came of it written down: also
// when it panics, as the log then says at least that nothing was answered.
func through(pass *gate.Pass, o *audit.Outcome, f func() error) error {
	over := false
	defer func() {
		if !over {
			_ = pass.Done(*o, &protocol.Error{Code: protocol.Internal})
		}
	}()
	err := fault(f())
	over = true
	return fault(pass.Done(*o, err))
}

// told is who has a card, as far as it is a client's business: a site does not
// learn which other sites the user is at.
func told(c access.Client, holder string) string {
	if remote(c) && holder != c.String() {
		return ""
	}
	return holder
}

// remote tells whether what a client hears leaves this machine.
func remote(c access.Client) bool { return c.Kind == access.Site || c.Kind == access.Extension }

// discreet is an error with no more of who has the card than told allows, and for
// sites without the addresses of this network, its proxies and its services.
func discreet(c access.Client, err error) error {
	var known *protocol.Error
	if !errors.As(err, &known) {
		return err
	}
	plain := *known
	plain.Holder = told(c, known.Holder)
	if known.Code == protocol.NetworkUnavailable && remote(c) {
		plain.Detail = ""
		for _, part := range []error{sign.ErrNoTSA, sign.ErrTimestamp, sign.ErrEvidence} {
			if strings.Contains(known.Detail, part.Error()) {
				plain.Detail = part.Error()
			}
		}
	}
	if plain == *known {
		return err
	}
	return &plain
}

// request is what the gate is asked for a card.
func (s *Service) request(c *Call, op operation, choice cards.Choice) gate.Request {
	r := gate.Request{Request: access.Request{Client: c.Client, Operation: op.kind, Fields: op.fields, Purpose: op.purpose,
		Reader: choice.Reader, Role: choice.Role}, Method: op.method, Documents: op.documents, Statements: op.statements, HashOnly: op.hashOnly}
	if choice.CardID != "" {
		r.Mode, r.Insertion, r.Gone, r.Card = "chip", choice.CardID, s.o.Hub.Gone(choice.CardID), cardName(choice.Kind)
	}
	return r
}

// cardName is what a card is called in dialogs.
func cardName(k cards.Kind) string {
	switch k {
	case cards.EID:
		return "eID"
	case cards.SIS:
		return "SIS"
	}
	return ""
}

// choose finds the card that is meant. It gets no command, and nobody is asked on
// behalf of a client that would be refused: the gate tells him so.
func (s *Service) choose(ctx context.Context, c *Call, op operation) (cards.Choice, error) {
	found, err := s.o.Hub.Find(op.cardID, op.cards, nil)
	if err != nil {
		return cards.Choice{}, s.absent(ctx, c, op, err)
	}
	open := slices.DeleteFunc(slices.Clone(found), func(ch cards.Choice) bool {
		return s.o.Authority.Decide(s.request(c, op, ch).Request).Verdict == access.Refuse
	})
	switch len(open) {
	case 0:
		return found[0], nil
	case 1:
		return open[0], nil
	}
	if of := withRole(open, op.role); len(of) > 0 {
		open = of
	}
	if len(open) == 1 {
		return open[0], nil
	}
	choice := desk.Choice{Client: c.Client, Operation: op.kind}
	for _, ch := range open {
		choice.Options = append(choice.Options, desk.Option{Reader: ch.Reader, Role: ch.Role, Card: cardName(ch.Kind), Insertion: ch.CardID})
	}
	waiting(c, "choice", "")
	i := 0
	err = s.o.Gate.Question(c.Client, func() (err error) {
		i, err = s.o.Desk.Choose(ctx, choice)
		return err
	})
	switch {
	case errors.Is(err, desk.ErrCancelled):
		s.o.Authority.Denied(c.Client) // a no is a no, whatever was asked
		return cards.Choice{}, err
	case errors.Is(err, desk.ErrTimeout):
		return cards.Choice{}, protocol.Errorf(protocol.ConsentDenied, "nobody said in time which card is meant")
	case errors.Is(err, desk.ErrUnavailable):
		return cards.Choice{}, protocol.Errorf(protocol.NotAuthorised, "there are several cards, and nobody can be asked which one is meant: name it by cardId")
	case err != nil:
		return cards.Choice{}, err
	case i < 0 || i >= len(open):
		return cards.Choice{}, protocol.Errorf(protocol.ConsentDenied, "no card was chosen")
	}
	return open[i], nil
}

// absent is the answer where the card that is meant is not there. Who would be
// refused hears that instead, as what is in the readers is no business of his; who
// would have to ask cannot find it out again and again, nor without a line in the log.
func (s *Service) absent(ctx context.Context, c *Call, op operation, why error) error {
	allowed := func(reader, role string) bool {
		return s.o.Authority.Decide(s.request(c, op, cards.Choice{Reader: reader, Role: role}).Request).Verdict == access.Allow
	}
	if allowed("", "") || slices.ContainsFunc(s.o.Hub.Readers(), func(r cards.Reader) bool { return allowed(r.Name, r.Role) }) {
		return why
	}
	r := s.request(c, op, cards.Choice{})
	r.Absent = why
	_, err := s.o.Gate.Enter(ctx, r) // which nothing enters
	return err
}

// refusal has the gate refuse a client whom no card would change anything for.
func (s *Service) refusal(ctx context.Context, c *Call, op operation) error {
	r := s.request(c, op, cards.Choice{})
	if s.o.Authority.Decide(r.Request).Verdict != access.Refuse {
		return nil
	}
	pass, err := s.o.Gate.Enter(ctx, r)
	if err != nil {
		return err
	}
	return pass.Done(audit.Outcome{}, protocol.Errorf(protocol.NotAuthorised, "this is not allowed to the client"))
}

func withRole(choices []cards.Choice, role string) []cards.Choice {
	var of []cards.Choice
	for _, ch := range choices {
		if role != "" && ch.Role == role {
			of = append(of, ch)
		}
	}
	return of
}

// use works with the card.
func (t *task) use(ctx context.Context, f func(ctx context.Context, c *beid.Card) error) error {
	return t.s.o.Hub.Use(ctx, t.pass, t.card.CardID, f)
}

// pins asks for the PIN, which the client is told of but never sees.
func (t *task) pins(documents []desk.Document) (*desk.PINs, func(context.Context, beid.PINRequest) (pin, error)) {
	p := t.s.o.Desk.PINs(desk.Consent{Client: t.call.Client, Operation: t.op.kind, Fields: t.op.fields, Purpose: t.op.purpose, Reader: t.card.Reader,
		Card: cardName(t.card.Kind), Documents: documents, Statements: t.op.statements, Insertion: t.card.CardID, HashOnly: t.op.hashOnly})
	return p, func(ctx context.Context, req beid.PINRequest) (pin, error) {
		if err := t.pass.Check(); err != nil { // the card may have gone since it was agreed upon
			return pin{}, err
		}
		if req.Pinpad {
			waiting(t.call, "pinpad", "")
		} else {
			waiting(t.call, "pin", "")
		}
		return p.Ask(ctx, req)
	}
}

// callID is the ID of the request as the client wrote it.
func callID(c *Call) json.RawMessage {
	if id := json.RawMessage(c.ID); json.Valid(id) {
		return id
	}
	return json.RawMessage("null")
}

// waiting tells the client what its request is waiting for.
func waiting(c *Call, what, holder string) {
	if c.Notify == nil {
		return
	}
	c.Notify("operation.waiting", struct {
		ID     json.RawMessage `json:"id"`
		For    string          `json:"for"`
		Holder string          `json:"holder,omitempty"`
	}{callID(c), what, holder})
}

// progress tells the client how far its request is.
func progress(c *Call, step string, done, total int64) {
	if c.Notify == nil {
		return
	}
	c.Notify("operation.progress", struct {
		ID    json.RawMessage `json:"id"`
		Step  string          `json:"step"`
		Done  int64           `json:"done"`
		Total int64           `json:"total"`
	}{callID(c), step, done, total})
}
