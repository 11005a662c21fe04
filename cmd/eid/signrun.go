package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync"
	"time"

	"github.com/eidkit/eidkit/card"
	"github.com/eidkit/eidkit/internal/pinentry"
	"github.com/eidkit/eidkit/internal/termview"
	"github.com/eidkit/eidkit/pkcs11"
	"github.com/eidkit/eidkit/sign"
)

// signRun does what a plan says, file by file, and reports.
type signRun struct {
	*app
	plan   *signPlan
	key    *signingKey // nil where none is needed
	result resultFlags

	mu      sync.Mutex
	current int // the task at work
	printed time.Time
	shown   bool // a line of progress is on the terminal
}

// all does all tasks and prints what came of them.
func (r *signRun) all(ctx context.Context) error {
	outcomes := make([]signOutcome, len(r.plan.tasks))
	var todo []int // tasks
	for i, t := range r.plan.tasks {
		outcomes[i].task = t
		if outcomes[i].err = t.problem; t.problem == nil {
			todo = append(todo, i)
		}
	}
	r.work(ctx, todo, func(i int, o sign.Outcome) {
		outcomes[i].report, outcomes[i].err, outcomes[i].skipped = o.Report, o.Err, o.Skipped
		r.plan.tasks[i].close()
	})
	r.clear()
	if only := outcomes[0]; ctx.Err() != nil && len(outcomes) == 1 && (only.skipped || only.failure() != nil) {
		return ctx.Err()
	}
	return r.finish(outcomes)
}

// work does the tasks named, one after the other, and tells of each.
func (r *signRun) work(ctx context.Context, todo []int, each func(task int, o sign.Outcome)) {
	if r.plan.mode == modeSign {
		jobs := make([]sign.Job, len(todo))
		for n, i := range todo {
			t := r.plan.tasks[i]
			jobs[n] = sign.Job{Format: t.format, In: t.sources(), Options: r.optionsFor(i), Create: func() (sign.Output, error) {
				r.begin(i)
				return t.create(r.plan.force)
			}}
		}
		if len(todo) > 0 {
			r.begin(todo[0])
		}
		sign.Batch(ctx, jobs, r.signer(), r.ends, func(o sign.Outcome) {
			each(todo[o.Job], o)
			if o.Job+1 < len(todo) {
				r.begin(todo[o.Job+1])
			}
		})
		return
	}
	var over error // what ended the work
	for n, i := range todo {
		if over == nil {
			over = ctx.Err()
		}
		if over != nil {
			each(i, sign.Outcome{Job: n, Skipped: true, Err: over})
			continue
		}
		r.begin(i)
		report, err := r.one(ctx, i)
		if r.ends(err) {
			over = err
		}
		each(i, sign.Outcome{Job: n, Report: report, Err: err})
	}
}

// signer is the key as sign takes it.
func (r *signRun) signer() sign.Key {
	if r.key == nil {
		return nil
	}
	return r.key
}

// one does a task that is no new signature.
func (r *signRun) one(ctx context.Context, i int) (*sign.Report, error) {
	t := r.plan.tasks[i]
	out, err := t.create(r.plan.force)
	if err != nil {
		return nil, err
	}
	defer out.Abort()
	in, o := t.inputs[0].source(), r.optionsFor(i)
	var report *sign.Report
	switch r.plan.mode {
	case modeAugment:
		report, err = sign.Augment(ctx, out, in, o)
	case modeCountersign:
		report, err = sign.Countersign(ctx, out, in, r.plan.countersign, r.key, o)
	default:
		report, err = sign.Timestamp(ctx, out, t.format, in, o)
	}
	if errors.Is(err, sign.ErrUnsuitable) && t.format == sign.FormatCAdES && len(o.Content) == 0 && r.plan.mode != modeTimestamp {
		err = hinted{err, "what a detached signature is for is named with: --content FILE"}
	}
	if err != nil {
		return nil, err
	}
	return report, out.Commit()
}

// ends tells whether an error ends the work on several files: what makes every further signature fail, and, unless the user wants to go on, that no
// time stamp could be had, or no proof for one: a PIN would be typed for each file in vain.
func (r *signRun) ends(err error) bool {
	services := errors.Is(err, sign.ErrTimestamp) || r.plan.mode == modeSign && errors.Is(err, sign.ErrEvidence)
	return ends(err) || services && !r.plan.keepGoing
}

// ends tells whether an error makes every further signature fail: the holder does not want, or the card is gone.
func ends(err error) bool {
	for _, e := range []error{card.ErrPINCancelled, card.ErrPINBlocked, card.ErrPINTimeout, card.ErrRemoved, card.ErrNoCard, card.ErrMute,
		card.ErrNoReader, card.ErrNoService, pinentry.ErrNoProgram, pkcs11.ErrPINWrong, pkcs11.ErrPINBlocked, pkcs11.ErrCancelled, pkcs11.ErrNoPIN,
		pkcs11.ErrPINExpired, pkcs11.ErrPINUnset, pkcs11.ErrPINSource, pkcs11.ErrRemoved, pkcs11.ErrNoToken, context.Canceled} {
		if errors.Is(err, e) {
			return true
		}
	}
	var wrong *card.PINError
	return errors.As(err, &wrong)
}

// optionsFor are the options of the plan with the progress of a task.
func (r *signRun) optionsFor(i int) sign.Options {
	o := r.plan.optionsFor(r.plan.tasks[i])
	o.Progress = func(p sign.Progress) { r.progress(i, p) }
	return o
}

// begin notes that a task is at work: dialogs name it.
func (r *signRun) begin(i int) {
	r.mu.Lock()
	r.current = i
	r.mu.Unlock()
	r.progress(i, sign.Progress{})
}

// maxNamed is how many files of a container a dialog names.
const maxNamed = 5

// about is what is being signed, for the dialogs: a line each.
func (r *signRun) about() []string {
	r.mu.Lock()
	i := r.current
	r.mu.Unlock()
	var lines []string
	t := r.plan.tasks[i]
	for n, in := range t.inputs {
		if n == maxNamed {
			lines = append(lines, fmt.Sprintf(r.word("more"), len(t.inputs)-n))
			break
		}
		lines = append(lines, r.signWord("signature")+": "+in.path)
	}
	if n := len(r.plan.tasks); n > 1 {
		lines[0] += " (" + fmt.Sprintf(r.signWord("of"), i+1, n) + ")"
	}
	return lines
}

// progressEvery is how often a line of progress is drawn at most.
const progressEvery = 100 * time.Millisecond

// progress draws a line on a terminal: which file, what is being done to it, and how far that is. While the key is asked nothing is
// drawn: a dialog may be on that terminal.
func (r *signRun) progress(i int, p sign.Progress) {
	if !isTerminal(r.err) {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if p.Step == "key" {
		r.clearLocked()
		return
	}
	now := time.Now()
	if p.Step != "" && p.Done > 0 && p.Done < p.Total && now.Sub(r.printed) < progressEvery {
		return
	}
	r.printed, r.shown = now, true
	io.WriteString(r.err, "\r\x1b[K"+r.progressLine(i, p))
}

// progressLine is "3 of 12  report.pdf  time stamp".
func (r *signRun) progressLine(i int, p sign.Progress) string {
	line := termview.Clean(r.plan.tasks[i].name())
	if n := len(r.plan.tasks); n > 1 {
		line = fmt.Sprintf(r.signWord("of"), i+1, n) + "  " + line
	}
	if p.Step == "" {
		return line
	}
	line += "  " + r.signWord("step-"+p.Step)
	if p.Total >= longFile {
		line += " " + strconv.FormatInt(min(100, 100*p.Done/p.Total), 10) + " %"
	}
	return line
}

// clear takes the line of progress away.
func (r *signRun) clear() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.clearLocked()
}

func (r *signRun) clearLocked() {
	if r.shown {
		io.WriteString(r.err, "\r\x1b[K")
		r.shown = false
	}
}
