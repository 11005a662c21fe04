//go:build unix

package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestBrowserThatFails: a program that shows no page is an error, so that the user hears of the question in another way.
func TestBrowserThatFails(t *testing.T) {
	t.Parallel()
	if err := openWithin(t.Context(), "false", "http://127.0.0.1/", nil); err == nil || !strings.Contains(err.Error(), "exit status 1") {
		t.Errorf("a browser that fails: %v", err)
	}
	if err := openWithin(t.Context(), "true", "http://127.0.0.1/", nil); err != nil {
		t.Errorf("one that hands the page over: %v", err)
	}
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	over := make(chan time.Time)
	close(over)
	if err := openWithin(t.Context(), "cat", pipe, over); err != nil {
		t.Errorf("one that goes on: %v", err)
	}
	f, err := os.OpenFile(pipe, os.O_WRONLY, 0) // it ends
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
}

// TestNoBrowser: none is none, and so is a program that is not there.
func TestNoBrowser(t *testing.T) {
	t.Parallel()
	for _, program := range []string{noBrowser, filepath.Join(t.TempDir(), "absent")} {
		if err := openBrowser(t.Context(), program, "http://127.0.0.1/"); err == nil {
			t.Errorf("%s shows a page", program)
		}
	}
}
