package sign

import (
	"context"
	"io"
)

// Job is one signature of a Batch.
type Job struct {
	Format  Format
	In      []Source
	Options Options
	// Create opens what is written, before the key is used. Commit is called when all is well, else Abort.
	Create func() (Output, error)
}

// Output is where a job's file goes: a temporary file, usually, that Commit gives its name. Nothing is left of it after an error of Commit or after Abort.
type Output interface {
	io.Writer
	Commit() error
	Abort()
}

// Outcome is how a job ended.
type Outcome struct {
	Job    int     // its index
	Report *Report // nil unless all went well
	Err    error
	// Skipped: not tried, since an earlier one ended the batch (PIN cancelled or blocked, card removed, no time stamp to be had), or the
	// context did. Err says which.
	Skipped bool
}

// Batch signs many files, each with its own signature, one after the other. each, if not nil, is called after each job. A failed
// file does not end the batch; what makes all further signatures fail does: stop tells, given the error of the file, before the key is
// used again (an ErrKey with the error of the key, an ErrTimestamp when no authority gave a time stamp); nil: none does. There is an
// outcome for each job.
func Batch(ctx context.Context, jobs []Job, key Key, stop func(error) bool, each func(Outcome)) []Outcome {
	outcomes := make([]Outcome, 0, len(jobs))
	var ended error
	for i, j := range jobs {
		out := Outcome{Job: i}
		if ended == nil {
			ended = ctx.Err()
		}
		if ended != nil {
			out.Skipped, out.Err = true, ended
		} else {
			out.Report, out.Err = j.run(ctx, key)
			if out.Err != nil && stop != nil && stop(out.Err) {
				ended = out.Err
			}
		}
		outcomes = append(outcomes, out)
		if each != nil {
			each(out)
		}
	}
	return outcomes
}

// run signs one file.
func (j *Job) run(ctx context.Context, key Key) (*Report, error) {
	if j.Create == nil {
		return nil, misuse("the job does not say where its file goes")
	}
	out, err := j.Create()
	if err != nil {
		return nil, err
	}
	done := false
	defer func() { // also when something panics
		if !done {
			out.Abort()
		}
	}()
	rep, err := signOne(ctx, out, j.Format, j.In, key, j.Options)
	if err != nil {
		return nil, err
	}
	done = true
	if err := out.Commit(); err != nil {
		return nil, err
	}
	return rep, nil
}
