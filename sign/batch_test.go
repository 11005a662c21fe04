package sign_test

import (
	"bytes"
	"context"
	"crypto"
	"errors"
	"slices"
	"testing"

	"github.com/eidkit/eidkit/sign"
)

// sheetOut is where a job's file goes in tests.
type sheetOut struct {
	bytes.Buffer
	committed, aborted bool
	fail               error
}

func (s *sheetOut) Commit() error {
	s.committed = true
	return s.fail
}

func (s *sheetOut) Abort() { s.aborted = true }

var errDisk = errors.New("the disk is full")

// testBatch: every file has its outcome; a failed one does not end the batch, a cancelled PIN does, and the rest is skipped.
func testBatch(t *testing.T, w *workshop) {
	t.Parallel()
	key := &watched{software: w.software(usual, 0)}
	var outs []*sheetOut
	job := func(y way, in func() []sign.Source, fail error) sign.Job {
		out := &sheetOut{fail: fail}
		outs = append(outs, out)
		return sign.Job{Format: y.format, In: in(), Options: y.options(w, sign.B), Create: func() (sign.Output, error) { return out, nil }}
	}
	noFile := sign.Job{Format: sign.FormatCAdES, In: aText(), Options: w.options(usual, sign.B), Create: func() (sign.Output, error) { return nil, errDisk }}
	jobs := []sign.Job{
		job(ways[0], aText, nil), job(ways[2], aText, nil), // no PDF
		job(ways[3], anXML, nil), job(ways[0], aText, errDisk), noFile, {Format: sign.FormatCAdES, In: aText()}, job(ways[2], aPDF, nil), job(ways[0], aText, nil),
	}
	cancelled := errors.New("the PIN was cancelled")
	key.spoil = func(digest []byte, opts crypto.SignerOpts) ([]byte, error) {
		if key.uses == 4 { // the second PDF
			return nil, cancelled
		}
		return key.software.Sign(nil, digest, opts)
	}
	var told []int
	all := sign.Batch(t.Context(), jobs, key, func(err error) bool { return errors.Is(err, cancelled) }, func(o sign.Outcome) { told = append(told, o.Job) })
	if !slices.Equal(told, []int{0, 1, 2, 3, 4, 5, 6, 7}) || len(all) != len(jobs) {
		t.Fatalf("told of %v, %d outcomes", told, len(all))
	}
	for i, reason := range []error{nil, sign.ErrUnsuitable, nil, errDisk, errDisk, sign.ErrOptions, sign.ErrKey, cancelled} {
		o := all[i]
		if o.Job != i || !errors.Is(o.Err, reason) || (o.Report != nil) != (reason == nil) || o.Skipped != (i == 7) {
			t.Errorf("%d: %+v, want %v", i, o, reason)
		}
	}
	for i, want := range []struct{ committed, aborted bool }{{true, false}, {false, true}, {true, false}, {true, false}, {false, true}, {false, false}} {
		if outs[i].committed != want.committed || outs[i].aborted != want.aborted {
			t.Errorf("file %d: committed %v, aborted %v", i, outs[i].committed, outs[i].aborted)
		}
	}
	if err := complaint(w.judged(t, outs[0].Bytes(), false), 1); err != nil {
		t.Error(err)
	}

	// No authority gives a time stamp: the key is not used for the next file.
	key.uses, key.spoil = 0, nil
	outs = nil
	all = sign.Batch(t.Context(), []sign.Job{stampless(w, job(ways[0], aText, nil)), job(ways[0], aText, nil)}, key,
		func(err error) bool { return errors.Is(err, sign.ErrTimestamp) }, nil)
	if !errors.Is(all[0].Err, sign.ErrTimestamp) || all[0].Skipped || !all[1].Skipped || !errors.Is(all[1].Err, sign.ErrTimestamp) || key.uses != 1 {
		t.Errorf("%+v, key used %d times", all, key.uses)
	}

	// What panics leaves nothing behind.
	outs = nil
	key.spoil = func([]byte, crypto.SignerOpts) ([]byte, error) { panic("broken key") }
	func() {
		defer func() { recover() }()
		sign.Batch(t.Context(), []sign.Job{job(ways[0], aText, nil)}, key, nil, nil)
	}()
	if !outs[0].aborted {
		t.Error("a panic left the file")
	}
	key.spoil = nil

	// Without stop nothing ends it, and each signature uses the key once.
	key.uses = 0
	all = sign.Batch(t.Context(), []sign.Job{job(ways[0], aText, nil), job(ways[0], aText, nil)}, key, nil, nil)
	if key.uses != 2 || all[0].Err != nil || all[1].Err != nil {
		t.Errorf("%+v, key used %d times", all, key.uses)
	}
	ctx, cancel := context.WithCancel(t.Context())
	all = sign.Batch(ctx, []sign.Job{job(ways[0], aText, nil), job(ways[0], aText, nil), job(ways[0], aText, nil)}, key, nil, func(sign.Outcome) { cancel() })
	if all[0].Err != nil || !all[1].Skipped || !errors.Is(all[1].Err, context.Canceled) || !all[2].Skipped {
		t.Errorf("%+v", all)
	}
}

// stampless has a job ask an authority that is not there.
func stampless(w *workshop, j sign.Job) sign.Job {
	j.Options = w.options(usual, sign.T)
	j.Options.TSAs = []sign.TSA{{URL: "http://127.0.0.1:1/"}}
	return j
}
