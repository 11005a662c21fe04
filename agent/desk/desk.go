// Package desk asks the person at the computer: whether a site or program may do what it wants, which card is meant, and for the
// PIN. Questions are shown by a pinentry program or on the agent's own consent page, the PIN by pinentry or on the reader's keys,
// never on a page.
//
// Start with [New]; [Desk.Consent], [Desk.Choose] and [Desk.PINs] ask. The consent page is served by [Desk.Pending],
// [Desk.Changed] and [Desk.Answer]. [NewPINs] is for programs without an agent.
//
// Nothing is allowed by silence: Deny is the default, a closed window denies, nobody there denies, and without any way to ask there
// is ErrUnavailable. Out of scope: who may ask (agent/access) and what becomes of the answer (agent/gate).
//
// References: design.md section 4 on dialogs and section 5 on consent; pinentry manual, "Pinentry's Assuan protocol".
package desk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/eidkit/eidkit/agent/access"
	"github.com/eidkit/eidkit/card"
	"github.com/eidkit/eidkit/card/beid"
	"github.com/eidkit/eidkit/internal/pinentry"
)

// What can go wrong besides the errors of ctx. None of them allows anything.
var (
	ErrUnavailable = errors.New("nobody can be asked: there is no dialog program and no browser")
	ErrTimeout     = errors.New("nobody answered the question in time")
	ErrBusy        = errors.New("too many questions are waiting for an answer")
	ErrCancelled   = errors.New("no card was chosen")
	ErrNoItem      = errors.New("this question is no longer open")
)

// Options say how a Desk asks. The zero Options are a desk that uses the pinentry program it finds, in English.
type Options struct {
	Dialog   pinentry.Dialog // its Language and Timeout are overridden
	Language string          // "en", "nl", "fr", "de", or a locale of one

	// OpenPage opens the agent's consent page for the item with this id in a browser; nil: there is none.
	OpenPage func(ctx context.Context, id string) error

	// AutoPIN gives the PIN of simulated cards; nil: the holder is asked. A real reader never gets one.
	AutoPIN func(beid.Purpose) (card.PIN, error)

	// Timeout is how long a question is open, and how long it waits for its turn; zero is two minutes.
	Timeout time.Duration

	// PageWait is how long an opened page may take to come, before the dialog program is used as well; zero is 15 s.
	PageWait time.Duration
}

// Consent is a question whether a client may do what it asked for.
type Consent struct {
	Client    access.Client
	Operation access.Operation
	Fields    []string // of docs/schema/read.json, "address" and "photo"
	Purpose   string   // the client's own words
	Reader    string
	Card      string // what the card is called
	Documents []Document
	Insertion string // opaque name of the card's insertion; Withdraw ends the question with it
	// MayRemember offers "always".
	MayRemember bool
	TriesLeft   int  // of the PIN that will be asked; 0 or less: not known
	HashOnly    bool // a digest is signed: of what, nobody can show
	Placed      bool // the documents are shown a second time, now with the signature in its place
	// Statements are what the client has signed beside the documents.
	Statements []Statement
}

// Statement is something that a signature says in the holder's name.
type Statement struct {
	Kind string // StatementReason or one of the others
	Text string // the client's words; of StatementCertify the digit
}

// The kinds of statements.
const (
	StatementReason   = "reason"
	StatementLocation = "location"
	StatementContact  = "contact"
	StatementRole     = "role"
	// StatementCertify is what a PDF's certification forbids from then on: 1, 2 or 3 (DocMDP, ISO 32000-2 table 257).
	StatementCertify = "certify"
)

// Document is one that is to be signed.
type Document struct {
	Name      string
	Size      int64  // bytes
	SHA256    string // hexadecimal
	MediaType string
	Preview   Previewer // nil: it cannot be shown
	Active    []string  // active content found in it: values of content.Active
	Place     *Place    // where to look first; nil: at the beginning
}

// Place is where on a PDF something stands.
type Place struct {
	Page int        `json:"page"` // from 1
	Rect [4]float64 `json:"rect"` // left, bottom, right, top in points, as shown
}

// Previewer gives a document to look at: the very bytes that will be signed.
type Previewer interface {
	io.ReaderAt
	Size() int64
}

// Bounds on what one question shows.
const (
	maxDocuments = 1000
	maxFields    = 100
	maxOptions   = 16
)

// Answer is what the person said.
type Answer struct {
	Allowed bool
	Always  bool // from now on, without asking; only where MayRemember was set
	Choice  int  // index into Choice.Options, for a choice
	// Earlier tells of a no that it was said to the question before this one, which answers those that wait too.
	Earlier bool
}

// Choice is a question which card is meant.
type Choice struct {
	Client    access.Client
	Operation access.Operation
	Options   []Option
}

// Option is a card that can be chosen.
type Option struct {
	Reader    string `json:"reader"`
	Role      string `json:"role,omitempty"` // of the reader, from the policy; empty: none
	Card      string `json:"card"`           // what the card is called
	Insertion string `json:"-"`
}

// Desk asks. Its methods are safe for concurrent use.
type Desk struct {
	o      Options
	screen chan struct{} // held by the one dialog of a program that is shown

	mu                  sync.Mutex
	lines               map[string]*line     // of clients that ask
	inside              int                  // questions that are open or wait
	open                map[string]*question // by id: those that a page may answer
	holders             map[*question]bool   // all, for Withdraw
	serial              uint64
	watchers, attending int           // pages
	departed            int           // how often attending has come down to none
	changed             chan struct{} // closed when open or watchers changes
}

const (
	defaultTimeout  = 2 * time.Minute
	defaultPageWait = 15 * time.Second
)

// New makes a desk; nothing is started or looked for.
func New(o Options) *Desk {
	if o.Timeout <= 0 {
		o.Timeout = defaultTimeout
	}
	if o.PageWait <= 0 {
		o.PageWait = defaultPageWait
	}
	o.Dialog.Language, o.Dialog.Timeout = o.Language, o.Timeout
	return &Desk{o: o, screen: make(chan struct{}, 1), lines: map[string]*line{}, open: map[string]*question{},
		holders: map[*question]bool{}, changed: make(chan struct{})}
}

// Available is nil when a question can be asked now, else an error that wraps ErrUnavailable and says what to install.
func (d *Desk) Available() error {
	if d.hasPage() {
		return nil
	}
	if _, err := d.o.Dialog.Find(); err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return nil
}

// Consent asks whether the client may. The zero Answer is a no; with an error nothing is allowed. A no answers all questions of that
// client that wait behind this one.
func (d *Desk) Consent(ctx context.Context, c Consent) (Answer, error) {
	if len(c.Documents) > maxDocuments || len(c.Fields) > maxFields {
		return Answer{}, fmt.Errorf("asking for consent: %d documents and %d fields are too many to be shown", len(c.Documents), len(c.Fields))
	}
	q := &question{item: consentItem(c), documents: c.Documents, insertions: []string{c.Insertion}, denies: true,
		page: len(c.Fields) > 0 || slices.ContainsFunc(c.Documents, func(f Document) bool { return f.Preview != nil })}
	q.dialog = func(ctx context.Context) (Answer, error) {
		p, err := d.o.Dialog.Permit(ctx, permission(c, d.o.Language))
		return Answer{Allowed: p != pinentry.Denied, Always: p == pinentry.PermittedAlways}, err
	}
	a, err := d.ask(ctx, c.Client, q)
	if err != nil {
		return Answer{}, fmt.Errorf("asking for consent: %w", err)
	}
	return a, nil
}

// Choose asks which card is meant: an index into c.Options. ErrCancelled: none. A single card is no question.
func (d *Desk) Choose(ctx context.Context, c Choice) (int, error) {
	switch n := len(c.Options); {
	case n == 0:
		return 0, fmt.Errorf("asking for a card: %w", ErrCancelled)
	case n == 1:
		return 0, nil
	case n > maxOptions:
		c.Options = c.Options[:maxOptions]
	}
	q := &question{item: choiceItem(c), page: true}
	for _, o := range c.Options {
		q.insertions = append(q.insertions, o.Insertion)
	}
	q.dialog = func(ctx context.Context) (Answer, error) {
		i, err := d.o.Dialog.ChooseOne(ctx, choice(c, d.o.Language))
		return Answer{Allowed: i >= 0, Choice: max(i, 0)}, err
	}
	a, err := d.ask(ctx, c.Client, q)
	if err == nil && !a.Allowed {
		err = ErrCancelled
	}
	if err != nil {
		return 0, fmt.Errorf("asking for a card: %w", err)
	}
	return a.Choice, nil
}
