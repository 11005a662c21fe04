// Package atomicfile replaces files so that a reader sees the old one or the new one whole, also when the writer is killed or the
// power fails in between, and lets processes take turns in writing.
//
// Start with [Write], or with [Create] and [File.Commit] for content that comes in pieces. [Lock] is for writers only: readers need
// none.
//
// Out of scope: what is in the files. Who reads them checks that they are whole all the same, since disks lie.
package atomicfile

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// TempPrefix begins the names of files that are being written. One that is left over belongs to a writer that died.
const TempPrefix = ".tmp-"

// File is being written under a name of its own. Commit gives it its name; Abort, which after Commit does nothing, removes it.
type File struct {
	*os.File
	done bool
}

// Create makes a temporary file in dir, readable by its owner alone.
func Create(dir string) (*File, error) {
	f, err := os.CreateTemp(dir, TempPrefix+"*")
	if err != nil {
		return nil, err
	}
	return &File{File: f}, nil
}

// Commit puts the content on the disk and the file in place of whatever had that path, which is in the same folder. The file is closed.
func (f *File) Commit(path string) error {
	if err := f.Sync(); err != nil {
		f.Abort()
		return err
	}
	return f.place(path)
}

// CommitUnsynced is Commit for what can be had again: after a power failure the file may be there with less in it than was written.
func (f *File) CommitUnsynced(path string) error { return f.place(path) }

// CommitNew is Commit for a path at which nothing may be yet: the error wraps fs.ErrExist when there is something, and nothing is changed.
func (f *File) CommitNew(path string) error {
	if err := f.Sync(); err != nil {
		f.Abort()
		return err
	}
	err := os.Link(f.Name(), path)
	if err != nil && !errors.Is(err, fs.ErrExist) { // a file system without links: somebody else may still come between
		if _, err = os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
			return f.place(path)
		} else if err == nil {
			err = fmt.Errorf("%s: %w", filepath.Base(path), fs.ErrExist)
		}
	}
	f.Abort() // the content stays under its new name, if it has one
	return err
}

func (f *File) place(path string) error {
	err := f.Close()
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		f.Abort()
		return err
	}
	f.done = true
	return nil
}

// Abort closes and removes a file that was not committed.
func (f *File) Abort() {
	if !f.done {
		f.done = true
		f.Close()
		os.Remove(f.Name())
	}
}

// Write replaces the file at path by data, and returns when both are on the disk.
func Write(path string, data []byte) error {
	f, err := Create(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer f.Abort()
	if _, err := f.Write(data); err != nil {
		return err
	}
	if err := f.Commit(path); err != nil {
		return err
	}
	return SyncDir(filepath.Dir(path))
}

// ErrLocked says that somebody else holds the lock.
var ErrLocked = errors.New("another process is writing")

// pollLock is how often a lock that somebody holds is tried again: systems offer no wait that a context could end.
const pollLock = 20 * time.Millisecond

// Lock waits until no other process, and nobody else in this one, holds the lock at path, a file that is made when it is missing and
// must never be removed. The system gives it back when the process dies. Errors: ErrLocked when ctx ends first.
func Lock(ctx context.Context, path string) (release func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	var tick *time.Ticker
	for {
		ok, err := tryLock(f)
		if err != nil {
			f.Close()
			return nil, fmt.Errorf("locking %s: %w", filepath.Base(path), err)
		}
		if ok {
			return func() { unlock(f) }, nil
		}
		if tick == nil {
			tick = time.NewTicker(pollLock)
			defer tick.Stop()
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			f.Close()
			return nil, fmt.Errorf("%w: %w", ErrLocked, ctx.Err())
		}
	}
}
