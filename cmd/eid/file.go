package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/eidkit/eidkit/agent/reading"
	"github.com/eidkit/eidkit/card/beid/saved"
	"github.com/eidkit/eidkit/verify"
)

// readFile prints a saved card instead of one in a reader. What it holds is checked as far as its form carries signatures; a
// form without them is never more than somebody's word, and exits as not trusted.
func (a *app) readFile(ctx context.Context, f readFlags, anchors *verify.Anchors) error {
	b, err := readLimited(f.file)
	if err != nil {
		return fmt.Errorf("reading %s: %w", f.file, err)
	}
	c, err := saved.Read(b)
	if err != nil {
		return err
	}
	return a.finish(ctx, reading.Of(c, f.file, reading.Options{Unverified: f.noVerify, Anchors: anchors}), f, anchors)
}

// readLimited reads a file that is no larger than a saved card can be.
func readLimited(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, errors.Join(err, errors.New("not a regular file"))
	}
	b, err := io.ReadAll(io.LimitReader(f, saved.MaxSize+1))
	if err == nil && len(b) > saved.MaxSize {
		err = saved.ErrTooLarge
	}
	return b, err
}
