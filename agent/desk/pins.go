package desk

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/eidkit/eidkit/card"
	"github.com/eidkit/eidkit/card/beid"
	"github.com/eidkit/eidkit/internal/pinentry"
)

// PINs asks the holder for the PINs of one piece of work: in a PIN dialog, on the reader's own keys, or, for a simulated card, not at
// all. It remembers a wrong PIN until the next one. Not for concurrent use.
type PINs struct {
	o     PINOptions
	wrong bool // the last PIN was wrong, and the holder wants another try
	left  int  // tries left after it

	enter   func(context.Context) (leave func(), err error) // waits for the turn; nil: there is no line
	show    func(context.Context) (done func(), err error)  // waits for the screen
	notices sync.WaitGroup                                  // dialogs that say to type on the reader
}

// PINOptions say how PINs asks.
type PINOptions struct {
	Dialog pinentry.Dialog

	// From says who wants the PIN, shown first; empty: the program's own user.
	From string

	// About tells what the PIN is wanted for, a line each, shown before the reader; nil: nothing to add.
	About func() []string

	// Auto gives the PIN of a simulated card; nil: the holder is asked.
	Auto func(beid.Purpose) (card.PIN, error)
}

// NewPINs is for programs without a desk: nobody else is asked at the same time.
func NewPINs(o PINOptions) *PINs { return &PINs{o: o} }

// PINs asks for the PIN of what the holder consented to, in the client's turn.
func (d *Desk) PINs(about Consent) *PINs {
	return &PINs{
		o: PINOptions{Dialog: d.o.Dialog, From: pinFrom(about, d.o.Language), About: func() []string { return signedLines(about, d.o.Language) }, Auto: d.o.AutoPIN},
		enter: func(ctx context.Context) (func(), error) {
			leave, _, err := d.enter(ctx, about.Client, false)
			return leave, err
		},
		show: d.show,
	}
}

var purposes = map[beid.Purpose]pinentry.Purpose{
	beid.PurposeVerify: pinentry.Verify, beid.PurposeAuthenticate: pinentry.Authenticate, beid.PurposeSign: pinentry.Sign,
	beid.PurposeChange: pinentry.Change, beid.PurposeNewPIN: pinentry.NewPIN, beid.PurposeUnblock: pinentry.Unblock,
}

// Ask is a beid.PINFunc. The tries left are looked at first: with none left nobody is asked, and the error is card.ErrPINBlocked. On a
// pinpad it shows what to do, until ctx ends, and returns beid.ErrOnPinpad. Other errors wrap card.ErrPINCancelled, card.ErrPINTimeout,
// ErrUnavailable or ErrBusy, or are ctx's. No try is spent here.
func (p *PINs) Ask(ctx context.Context, req beid.PINRequest) (card.PIN, error) {
	switch {
	case p.o.Auto != nil:
		return p.o.Auto(req.Purpose)
	case req.Pinpad:
		tries, err := p.tries(ctx, req)
		if err != nil {
			return card.PIN{}, err
		}
		texts := pinentry.TextsIn(p.o.Dialog.Language)
		text := texts.OnPinpad(purposes[req.Purpose])
		if tries == 1 || tries > 1 && p.wrong {
			text += "\n" + texts.Tries(tries)
		}
		p.notices.Go(func() { // in place until the reader is done; without a dialog program the reader's display has to do
			done, err := p.turn(ctx)
			if err != nil {
				return
			}
			defer done()
			_ = p.o.Dialog.Message(ctx, pinentry.Question{Text: p.above(text), About: p.lines(req)})
		})
		return card.PIN{}, beid.ErrOnPinpad
	}
	tries, err := p.tries(ctx, req)
	if err != nil {
		return card.PIN{}, err
	}
	r := pinentry.Request{Purpose: purposes[req.Purpose], Wrong: p.wrong && req.Purpose != beid.PurposeNewPIN, From: p.o.From, About: p.lines(req), TriesLeft: tries}
	done, err := p.turn(ctx)
	if err != nil {
		return card.PIN{}, fmt.Errorf("asking for the PIN: %w", err)
	}
	defer done()
	pin, err := p.o.Dialog.PIN(ctx, r)
	return pin, unavailable(err)
}

// tries are those left of the PIN that will be asked: 0 or less if that is not known, card.ErrPINBlocked if there is none.
func (p *PINs) tries(ctx context.Context, req beid.PINRequest) (int, error) {
	if req.Purpose == beid.PurposeNewPIN || req.Purpose == beid.PurposeUnblock {
		return 0, nil
	}
	tries, err := req.TriesLeft(ctx)
	switch {
	case err != nil:
		return 0, err
	case tries < 0 && p.wrong: // the card cannot be asked, but it has said
		return p.left, nil
	case tries == 0: // before anybody types in vain
		return 0, card.ErrPINBlocked
	}
	return tries, nil
}

// Again asks whether the holder wants another try after a wrong PIN, with triesLeft left. Errors are those of Ask.
func (p *PINs) Again(ctx context.Context, triesLeft int) (bool, error) {
	if p.o.Auto != nil || triesLeft == 0 {
		return false, nil
	}
	p.notices.Wait()
	done, err := p.turn(ctx)
	if err != nil {
		return false, fmt.Errorf("asking whether to try again: %w", err)
	}
	defer done()
	ok, err := p.o.Dialog.TryAgain(ctx, triesLeft)
	if err != nil {
		return false, fmt.Errorf("asking whether to try again: %w", unavailable(err))
	}
	p.wrong, p.left = ok, triesLeft
	return ok, nil
}

// Retry runs work, and again after a wrong PIN if the holder says so. It returns work's error; without tries left nobody is asked.
func (p *PINs) Retry(ctx context.Context, work func() error) error {
	p.wrong = false
	defer p.notices.Wait()
	for {
		err := work()
		var wrong *card.PINError
		if !errors.As(err, &wrong) || wrong.TriesLeft == 0 {
			return err
		}
		again, askErr := p.Again(ctx, wrong.TriesLeft)
		if askErr != nil || !again {
			return err
		}
	}
}

// Wait returns when the notices of PINs typed on the reader are gone.
func (p *PINs) Wait() { p.notices.Wait() }

// turn waits for the client's turn and for the screen.
func (p *PINs) turn(ctx context.Context) (done func(), err error) {
	leave, hide := func() {}, func() {}
	if p.enter != nil {
		if leave, err = p.enter(ctx); err != nil {
			return nil, err
		}
	}
	if p.show != nil {
		if hide, err = p.show(ctx); err != nil {
			leave()
			return nil, err
		}
	}
	return func() { hide(); leave() }, nil
}

// above is text below who wants it.
func (p *PINs) above(text string) string {
	if p.o.From == "" {
		return text
	}
	return p.o.From + "\n" + text
}

// lines are what a dialog is about.
func (p *PINs) lines(req beid.PINRequest) []string {
	if p.o.About == nil {
		return []string{req.Reader}
	}
	return append(p.o.About(), req.Reader)
}

// unavailable makes a missing program ErrUnavailable too.
func unavailable(err error) error {
	if errors.Is(err, pinentry.ErrNoProgram) {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return err
}
