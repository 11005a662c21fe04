package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/eidkit/eidkit/internal/termview"
	"github.com/eidkit/eidkit/verify"
)

// fileOptions are the options of all files, with what they keep open.
type fileOptions struct {
	verify.Options
	open []func()
}

func (o *fileOptions) close() {
	for _, c := range o.open {
		c()
	}
}

// verifyOptions reads what the flags name. Mistakes in them are usage errors.
func (a *app) verifyOptions(f verifyFlags) (_ *fileOptions, err error) {
	o := &fileOptions{Options: verify.Options{Offline: f.offline, Tool: "eid " + currentVersion().Version}}
	defer func() {
		if err != nil {
			o.close()
		}
	}()
	if o.Anchors, err = a.anchorsOf(f.trust, f.onlyTrust); err != nil {
		return nil, err
	}
	if f.policy != "" {
		source, err := os.ReadFile(f.policy)
		if err != nil {
			return nil, usageError{err}
		}
		if o.Policy, err = verify.ParsePolicy(source); err != nil {
			return nil, usageError{fmt.Errorf("%s: %w", f.policy, err)}
		}
	}
	if f.at != "" {
		if o.At, err = moment("--at", f.at); err != nil {
			return nil, err
		}
	}
	for _, s := range f.receivedAt {
		t, err := moment("--received-at", s)
		if err != nil {
			return nil, err
		}
		o.ReceivedAt = append(o.ReceivedAt, t)
	}
	for _, name := range f.content {
		in, size, done, err := a.openInput(name)
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", name, err)
		}
		o.open = append(o.open, done)
		o.Detached = append(o.Detached, verify.Content{Name: filepath.Base(name), Data: in, Size: size})
	}
	return o, nil
}

func moment(flag, s string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return t, usagef("%s takes a time such as 2026-11-20T14:00:00Z, not %q", flag, termview.Clean(s))
	}
	return t, nil
}

// openInput opens a file, or spools standard input. done closes and cleans up.
func (a *app) openInput(name string) (in io.ReaderAt, size int64, done func(), err error) {
	if name == "-" {
		return a.spool()
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, 0, nil, plainPathError(err)
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("not a regular file")
	}
	if err != nil {
		file.Close()
		return nil, 0, nil, plainPathError(err)
	}
	return file, info.Size(), func() { file.Close() }, nil
}

// plainPathError leaves out the path, which the caller says.
func plainPathError(err error) error {
	var p *os.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// spool keeps standard input in a file that nobody else can read, since
// verifying needs to go back and forth in it.
func (a *app) spool() (io.ReaderAt, int64, func(), error) {
	file, err := os.CreateTemp("", "eid-verify-*") // mode 0600
	if err != nil {
		return nil, 0, nil, err
	}
	done := func() {
		file.Close()
		os.Remove(file.Name())
	}
	size, err := io.Copy(file, a.in)
	if err != nil {
		done()
		return nil, 0, nil, err
	}
	return file, size, done, nil
}
