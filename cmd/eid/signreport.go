package main

import (
	"bufio"
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/eidkit/eidkit/internal/holder"
	"github.com/eidkit/eidkit/internal/termview"
	"github.com/eidkit/eidkit/sign"
)

// signOutcome is what came of a task.
type signOutcome struct {
	task    *signTask
	report  *sign.Report
	err     error
	skipped bool // not tried
}

// signDocument is the JSON of `eid sign` and `eid timestamp` (docs/schema/sign.json).
type signDocument struct {
	Schema      int           `json:"schema"`
	Files       []string      `json:"files"`
	Status      string        `json:"status"`
	Output      string        `json:"output,omitempty"`
	Bytes       int64         `json:"bytes,omitempty"`
	Format      sign.Format   `json:"format,omitempty"`
	Level       string        `json:"level,omitempty"`
	ID          string        `json:"id,omitempty"`
	SigningTime time.Time     `json:"signingTime,omitzero"`
	Timestamp   *stampOf      `json:"timestamp,omitempty"`
	Signer      *signerOf     `json:"signer,omitempty"`
	Warnings    []signWarning `json:"warnings,omitempty"`
	Error       *signProblem  `json:"error,omitempty"`
}

type stampOf struct {
	Time time.Time `json:"time"`
	TSA  string    `json:"tsa,omitempty"`
}

type signerOf struct {
	Name   string `json:"name"`
	SHA256 string `json:"sha256"`
}

type signWarning struct {
	Code   string `json:"code"`
	Text   string `json:"text"`
	Detail string `json:"detail,omitempty"`
}

type signProblem struct {
	ExitCode int    `json:"exitCode"`
	Text     string `json:"text"`
	Hint     string `json:"hint,omitempty"`
}

// Outcomes of a task (docs/schema/sign.json).
const (
	statusDone     = "done"
	statusFailed   = "failed"
	statusNotTried = "notTried"
	statusThere    = "there"
)

func (o signOutcome) status() string {
	switch {
	case errors.Is(o.err, errSigned):
		return statusThere
	case o.skipped:
		return statusNotTried
	case o.err != nil:
		return statusFailed
	}
	return statusDone
}

// help is the command that shows the arguments.
func (r *signRun) help() string {
	if r.plan.mode == modeTimestamp {
		return "eid timestamp --help"
	}
	return "eid sign --help"
}

// finish prints what came of all tasks. The error has the exit code of the worst.
func (r *signRun) finish(outcomes []signOutcome) error {
	var err error
	switch {
	case r.result.json:
		err = r.printDocuments(outcomes)
	case len(outcomes) > 1:
		err = r.printList(outcomes)
	default:
		err = r.printOne(outcomes[0])
	}
	if err != nil || len(outcomes) == 1 {
		return errors.Join(err, outcomes[0].failure())
	}
	return r.worst(outcomes)
}

// failure is why a task that was tried failed.
func (o signOutcome) failure() error {
	if o.status() == statusFailed {
		return o.err
	}
	return nil
}

// severity orders the exit codes of several files: what ended the work first, then what the user has to see to.
var severity = []int{exitPIN, exitNoCard, exitFailure, exitUnavailable, exitInvalid, exitIndeterminate, exitUsage}

// worst prints what to do about the worst failure, and is its exit code.
func (r *signRun) worst(outcomes []signOutcome) error {
	found, rank, failed := error(nil), len(severity), 0
	for _, o := range outcomes {
		err := o.failure()
		switch {
		case err != nil:
			failed++
		case o.status() == statusNotTried:
			err = cmp.Or(o.err, context.Canceled)
		default:
			continue
		}
		code, _ := classify(err, r.help())
		for i, c := range severity {
			if c == code && i < rank {
				found, rank = err, i
			}
		}
	}
	if found == nil {
		return nil
	}
	code, hint := classify(found, r.help())
	if errors.Is(found, context.Canceled) {
		r.info("interrupted")
	} else {
		r.info("error: %d of %d files: %s", failed, len(outcomes), termview.Clean(found.Error()))
	}
	if hint != "" {
		r.info("hint: %s", hint)
	}
	return verdict(code)
}

// text is where a report for a person goes.
func (r *signRun) text() *textReport {
	colors := isTerminal(r.out) && termview.Detect(os.Getenv) != termview.NoColors
	return &textReport{app: r.app, w: bufio.NewWriter(r.out), colors: colors, labels: 15}
}

// printList prints a line for each task, and a sum.
func (r *signRun) printList(outcomes []signOutcome) error {
	t := r.text()
	count := map[string]int{}
	for _, o := range outcomes {
		status := o.status()
		count[status]++
		name := termview.Clean(o.task.name())
		switch status {
		case statusDone:
			fmt.Fprintf(t.w, "%s %s → %s (%s)\n", t.style("32", "✓"), name, termview.Clean(o.task.out), r.kindOf(o.task, o.report))
			r.printWarnings(t, o.report)
		case statusFailed:
			fmt.Fprintf(t.w, "%s %s: %s\n", t.style("1;31", "✗"), name, termview.Clean(o.err.Error()))
		case statusNotTried:
			fmt.Fprintf(t.w, "– %s: %s\n", name, r.signWord("notTried"))
		case statusThere:
			fmt.Fprintf(t.w, "– %s: %s\n", name, r.whyThere(o.task))
		}
	}
	var sum []string
	for _, status := range []string{statusDone, statusFailed, statusNotTried, statusThere} {
		if n := count[status]; n > 0 {
			sum = append(sum, fmt.Sprintf(r.signWord("sum-"+status), n))
		}
	}
	fmt.Fprintf(t.w, "\n%s\n", strings.Join(sum, ", "))
	return t.w.Flush()
}

// whyThere says why nothing was done about a task: its output is there, or its input is such an output.
func (r *signRun) whyThere(t *signTask) string {
	if t.out == t.inputs[0].path {
		return r.signWord("before")
	}
	return r.signWord("already") + ": " + termview.Clean(t.out)
}

// printOne prints what was written, by whom and when.
func (r *signRun) printOne(o signOutcome) error {
	t := r.text()
	switch o.status() {
	case statusThere:
		fmt.Fprintf(t.w, "%s: %s\n", termview.Clean(o.task.name()), r.whyThere(o.task))
	case statusDone:
		rep := o.report
		fmt.Fprintf(t.w, "%s: %s (%s)\n", termview.Clean(o.task.out), t.style("1;32", r.signWord(r.done(rep))), r.kindOf(o.task, rep))
		if r.key != nil {
			t.row("", r.signWord("signer"), signerName(r.key.Certificate()))
		}
		if r.plan.mode != modeTimestamp {
			t.row("", r.signWord("id"), rep.ID)
		}
		if !rep.Time.IsZero() {
			t.row("", r.signWord("claimedTime"), formatTime(rep.Time))
		}
		if !rep.Stamped.IsZero() {
			t.row("", r.signWord("stamp"), strings.TrimSuffix(formatTime(rep.Stamped)+", "+rep.TSA, ", "))
		}
		r.printWarnings(t, rep)
	}
	return t.w.Flush()
}

func (r *signRun) printWarnings(t *textReport, rep *sign.Report) {
	for _, w := range rep.Warnings {
		fmt.Fprintf(t.w, "    %s %s\n", t.style("33", "!"), termview.Clean(w.Text))
	}
}

// done is the word for what was done.
func (r *signRun) done(rep *sign.Report) string {
	switch r.plan.mode {
	case modeAugment:
		if slices.ContainsFunc(rep.Warnings, func(w sign.Warning) bool { return w.Code == "NOTHING_TO_RAISE" }) {
			return "unchanged"
		}
		return "raised"
	case modeCountersign:
		return "countersigned"
	case modeTimestamp:
		return "stamped"
	}
	return "signed"
}

// formatTitles are the formats as they are written.
var formatTitles = map[sign.Format]string{sign.FormatCAdES: "CAdES", sign.FormatPAdES: "PAdES", sign.FormatXAdES: "XAdES", sign.FormatASiCE: "ASiC-E"}

// kindOf is format and level: "PAdES-B-LT".
func (r *signRun) kindOf(t *signTask, rep *sign.Report) string {
	switch title := formatTitles[rep.Format]; {
	case r.plan.mode == modeTimestamp && t.format != sign.FormatPAdES:
		return "RFC 3161"
	case r.plan.mode == modeTimestamp:
		return title
	case rep.Format == sign.FormatASiCE:
		return title + ", " + rep.Level.String()
	default:
		return title + "-" + rep.Level.String()
	}
}

// signerName is who a certificate names.
func signerName(c *x509.Certificate) string {
	h := holder.Of(c)
	for _, name := range []string{joined(h.GivenNames, h.Surname), h.CommonName, h.Organization} {
		if name != "" {
			return name
		}
	}
	return c.Subject.String()
}

// printDocuments prints a JSON object for each task.
func (r *signRun) printDocuments(outcomes []signOutcome) error {
	if len(outcomes) == 1 {
		return writeJSON(r.out, r.document(outcomes[0]))
	}
	lines := json.NewEncoder(r.out) // JSON Lines
	for _, o := range outcomes {
		if err := lines.Encode(r.document(o)); err != nil {
			return err
		}
	}
	return nil
}

func (r *signRun) document(o signOutcome) signDocument {
	d := signDocument{Schema: 1, Status: o.status()}
	for _, in := range o.task.inputs {
		d.Files = append(d.Files, in.path)
	}
	switch d.Status {
	case statusThere:
		d.Output = o.task.out
	case statusFailed:
		code, hint := classify(o.err, r.help())
		d.Error = &signProblem{ExitCode: code, Text: termview.Clean(o.err.Error()), Hint: hint}
	case statusDone:
		rep := o.report
		d.Output, d.Bytes, d.Format, d.ID, d.SigningTime = o.task.out, rep.Bytes, rep.Format, rep.ID, rep.Time.UTC()
		if r.plan.mode != modeTimestamp {
			d.Level = rep.Level.String()
		} else if o.task.format != sign.FormatPAdES {
			d.Format = "" // a token of its own
		}
		if !rep.Stamped.IsZero() {
			d.Timestamp = &stampOf{rep.Stamped.UTC(), rep.TSA}
		}
		if r.key != nil {
			sum := sha256.Sum256(r.key.Certificate().Raw)
			d.Signer = &signerOf{signerName(r.key.Certificate()), strings.ToUpper(hex.EncodeToString(sum[:]))}
		}
		for _, w := range rep.Warnings {
			d.Warnings = append(d.Warnings, signWarning(w))
		}
	}
	return d
}
