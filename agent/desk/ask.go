package desk

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/eidkit/eidkit/agent/access"
	"github.com/eidkit/eidkit/card"
)

// question is one that is asked.
type question struct {
	item       Item
	documents  []Document
	insertions []string // Withdraw of one of them ends it
	page       bool     // a page shows it better than a dialog
	denies     bool     // a no is a no to what waits as well
	dialog     func(context.Context) (Answer, error)

	withdraw context.CancelCauseFunc
	answer   chan Answer // from a page; one
	seen     bool        // a consent page has shown it; guarded by Desk.mu
}

// errWithdrawn is what ends a question about a card that has gone.
var errWithdrawn = fmt.Errorf("the question is closed: %w", card.ErrRemoved)

// ask has a question answered, in its turn.
func (d *Desk) ask(ctx context.Context, c access.Client, q *question) (Answer, error) {
	ctx, q.withdraw = context.WithCancelCause(ctx)
	defer q.withdraw(nil)
	d.hold(q)
	defer d.release(q)
	leave, said, err := d.enter(ctx, c, q.denies)
	if err != nil || said {
		return Answer{Earlier: said}, err
	}
	defer leave()
	ctx, cancel := context.WithTimeoutCause(ctx, d.o.Timeout, ErrTimeout)
	defer cancel()
	a, err := d.route(ctx, q)
	switch {
	case ctx.Err() != nil && err != nil:
		err = context.Cause(ctx)
	case errors.Is(err, card.ErrPINTimeout):
		err = ErrTimeout
	case err == nil && !a.Allowed && q.denies:
		d.deny(c)
	}
	if err != nil || !a.Allowed {
		return Answer{}, err
	}
	return a, nil
}

// route asks by page or dialog: by the better one, and where there is none by the other.
func (d *Desk) route(ctx context.Context, q *question) (Answer, error) {
	if d.hasPage() && q.page {
		return d.askPage(ctx, q)
	}
	a, err := d.askDialog(ctx, q)
	if errors.Is(err, ErrUnavailable) && ctx.Err() == nil && d.hasPage() {
		return d.askPage(ctx, q)
	}
	return a, err
}

// askDialog asks by the dialog program. Whatever is wrong with it is ErrUnavailable, unless the time is up.
func (d *Desk) askDialog(ctx context.Context, q *question) (Answer, error) {
	done, err := d.show(ctx)
	if err != nil {
		return Answer{}, err
	}
	defer done()
	a, err := q.dialog(ctx)
	if err != nil && ctx.Err() == nil && !errors.Is(err, card.ErrPINTimeout) {
		err = fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return a, err
}

// result is what came of one way of asking.
type result struct {
	answer Answer
	err    error
}

// askPage puts the question on the consent page, and opens one if there is none. If none comes, the dialog program asks as well,
// and the first answer counts. A page that was there and went without an answer is a no.
func (d *Desk) askPage(ctx context.Context, q *question) (Answer, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil) // closes the dialog, if there is one
	d.publish(ctx, q)
	defer d.unpublish(q)
	opened := d.openPage(ctx, q)
	var dialog chan result        // nil: not asked
	var noDialog error            // what is wrong with the program
	failed := d.o.OpenPage == nil // no page is opened
	departed := d.pages(q).departed
	late := time.NewTimer(d.o.PageWait)
	defer late.Stop()
	for {
		changed, now := d.Changed(), d.pages(q)
		if now.departed != departed {
			departed = now.departed
			late.Reset(d.o.PageWait)
		}
		fall := failed && !now.seen && !now.pointing
		if fall && noDialog != nil {
			return Answer{}, noDialog
		}
		if fall && dialog == nil {
			dialog = d.startDialog(ctx, q)
		}
		select {
		case a := <-q.answer:
			return a, nil
		case r := <-dialog:
			if !errors.Is(r.err, ErrUnavailable) {
				return r.answer, r.err
			}
			dialog, noDialog = nil, r.err
		case err := <-opened:
			opened, failed = nil, err != nil
		case <-late.C:
			switch now := d.pages(q); {
			case now.present:
			case now.seen:
				return Answer{}, nil
			case dialog == nil && noDialog == nil:
				dialog = d.startDialog(ctx, q)
			}
		case <-changed:
		case <-ctx.Done():
			return Answer{}, context.Cause(ctx)
		}
	}
}

// startDialog asks by the dialog program beside a page.
func (d *Desk) startDialog(ctx context.Context, q *question) chan result {
	answered := make(chan result, 1)
	go func() {
		a, err := d.askDialog(ctx, q)
		answered <- result{a, err}
	}()
	return answered
}

// openPage opens a page, unless a consent page has shown the question: what comes of it is sent once.
func (d *Desk) openPage(ctx context.Context, q *question) <-chan error {
	if d.o.OpenPage == nil || d.pages(q).seen {
		return nil
	}
	opened := make(chan error, 1)
	go func() { opened <- d.o.OpenPage(ctx, q.item.ID) }()
	return opened
}

// pages are the agent's pages as an open question has met them.
type pages struct {
	pointing bool // a page is there that shows the way to the question
	present  bool // a consent page is there
	seen     bool // one is there, or was since the question was published
	departed int  // how often the last consent page went
}

func (d *Desk) pages(q *question) pages {
	d.mu.Lock()
	defer d.mu.Unlock()
	return pages{pointing: d.watchers > 0, present: d.attending > 0, seen: q.seen, departed: d.departed}
}

// hasPage tells whether a page can be had: one that is opened, or one that is there and points to the question.
func (d *Desk) hasPage() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.o.OpenPage != nil || d.watchers > 0 || d.attending > 0
}

func (d *Desk) hold(q *question) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.holders[q] = true
}

func (d *Desk) release(q *question) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.holders, q)
}

// publish makes the question one that pages may answer.
func (d *Desk) publish(ctx context.Context, q *question) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.serial++
	q.item.serial, q.item.ID = d.serial, strconv.FormatUint(d.serial, 10)
	q.item.Expires, _ = ctx.Deadline()
	q.answer, q.seen = make(chan Answer, 1), d.attending > 0
	d.open[q.item.ID] = q
	d.change()
}

func (d *Desk) unpublish(q *question) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.open, q.item.ID)
	d.change()
}

// change wakes those who wait for a change; d.mu is held.
func (d *Desk) change() {
	close(d.changed)
	d.changed = make(chan struct{})
}

// Pending are the open questions that a page may answer, oldest first.
func (d *Desk) Pending() []Item {
	d.mu.Lock()
	defer d.mu.Unlock()
	items := make([]Item, 0, len(d.open))
	for _, q := range d.open {
		items = append(items, q.item)
	}
	slices.SortFunc(items, func(a, b Item) int { return int(a.serial) - int(b.serial) })
	return items
}

// Changed is closed when Pending changes, or a page comes or goes: take it before Pending, then wait for it.
func (d *Desk) Changed() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.changed
}

// ErrAnswer means an answer that the question does not have.
var ErrAnswer = errors.New("the question has no such answer")

// Answer answers the open question id, for a page of the agent's own. Errors: ErrNoItem when it is not open (any more), ErrAnswer.
func (d *Desk) Answer(id string, a Answer) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	q := d.open[id]
	switch {
	case q == nil:
		return ErrNoItem
	case a.Always && !(a.Allowed && q.item.MayRemember):
		return fmt.Errorf("%w: always", ErrAnswer)
	case a.Allowed && q.item.Kind == KindChoice && (a.Choice < 0 || a.Choice >= len(q.item.Options)),
		q.item.Kind != KindChoice && a.Choice != 0:
		return fmt.Errorf("%w: choice %d", ErrAnswer, a.Choice)
	}
	q.answer <- a
	delete(d.open, id)
	d.change()
	return nil
}

// Document is a document of the open question id, by its place, to be looked at on a page. Errors: ErrNoItem when the question is not
// open or has no such document.
func (d *Desk) Document(id string, index int) (Document, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	q := d.open[id]
	if q == nil || index < 0 || index >= len(q.documents) {
		return Document{}, ErrNoItem
	}
	return q.documents[index], nil
}

// Watch tells the desk that one of the agent's pages is there, which points to open questions, until the function returned is called.
func (d *Desk) Watch() (done func()) {
	return d.come(func(n int) { d.watchers += n })
}

// Attend tells the desk that a consent page is there, which shows the questions, until the function returned is called: if that is
// before the answer, the answer is no.
func (d *Desk) Attend() (done func()) {
	return d.come(func(n int) {
		if d.attending += n; d.attending == 0 {
			d.departed++
		}
		for _, q := range d.open {
			q.seen = true
		}
	})
}

// come counts a page, with d.mu held, by 1, and once by -1 when it goes.
func (d *Desk) come(count func(n int)) (gone func()) {
	add := func(n int) {
		d.mu.Lock()
		defer d.mu.Unlock()
		count(n)
		d.change()
	}
	add(1)
	var once sync.Once
	return func() { once.Do(func() { add(-1) }) }
}

// Withdraw closes every question about a card's insertion, open or waiting, with an error that wraps card.ErrRemoved.
func (d *Desk) Withdraw(insertion string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for q := range d.holders {
		if insertion != "" && slices.Contains(q.insertions, insertion) {
			q.withdraw(errWithdrawn)
		}
	}
}
