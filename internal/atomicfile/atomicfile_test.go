package atomicfile

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

func names(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return strings.Join(list, " ")
}

func TestWrite(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	for _, text := range []string{"one", "two"} {
		if err := Write(path, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != text {
			t.Errorf("%q, %v", got, err)
		}
	}
	if got := names(t, dir); got != "a" {
		t.Errorf("files %s", got)
	}
	if err := Write(filepath.Join(dir, "missing", "a"), nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("folder missing: %v", err)
	}
}

func TestCommitNew(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	for i, text := range []string{"one", "two"} {
		f, err := Create(dir)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteString(text); err != nil {
			t.Fatal(err)
		}
		if err := f.CommitNew(path); i == 0 && err != nil || i == 1 && !errors.Is(err, os.ErrExist) {
			t.Errorf("%s: %v", text, err)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != "one" {
			t.Errorf("%q, %v", got, err)
		}
		if got := names(t, dir); got != "a" {
			t.Errorf("files %s", got)
		}
	}
}

func TestAbort(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f, err := Create(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got := names(t, dir); !strings.HasPrefix(got, TempPrefix) {
		t.Errorf("files %s", got)
	}
	f.Abort()
	f.Abort()
	if got := names(t, dir); got != "" {
		t.Errorf("files %s", got)
	}
	f, err = Create(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Commit(filepath.Join(dir, "missing", "a")); err == nil {
		t.Error("committed to a folder that is not there")
	}
	if got := names(t, dir); got != "" {
		t.Errorf("files %s", got)
	}
	f, err = Create(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.CommitUnsynced(filepath.Join(dir, "b")); err != nil {
		t.Error(err)
	}
	f.Abort()
	if got := names(t, dir); got != "b" {
		t.Errorf("files %s", got)
	}
}

func TestLock(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "lock")
	unlock, err := Lock(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Lock(ctx, path); !errors.Is(err, ErrLocked) || !errors.Is(err, context.Canceled) {
		t.Errorf("held by another: %v", err)
	}
	unlock()
	var holders atomic.Int32
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			unlock, err := Lock(t.Context(), path)
			if err != nil {
				t.Error(err)
				return
			}
			if n := holders.Add(1); n != 1 {
				t.Errorf("%d hold the lock", n)
			}
			holders.Add(-1)
			unlock()
		})
	}
	wg.Wait()
	if _, err := Lock(t.Context(), filepath.Join(path, "a")); err == nil {
		t.Error("locked a file below a file")
	}
}
