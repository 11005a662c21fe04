package main

import (
	"os"
	"path/filepath"
	"testing"
)

// TestDemoInterruptedTwice: who presses Ctrl-C again while the demo ends gets out at once, and its folder is gone all the same.
func TestDemoInterruptedTwice(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d := &demo{folder: filepath.Join(dir, "demo")}
	if err := os.MkdirAll(filepath.Join(d.folder, "state", "audit"), 0o700); err != nil {
		t.Fatal(err)
	}
	signals, left := make(chan os.Signal), make(chan int, 1)
	go d.obeySignals(signals, func(code int) { left <- code })
	signals <- os.Interrupt
	if _, err := os.Stat(d.folder); err != nil || len(left) != 0 {
		t.Errorf("after the first: %v, %d", err, len(left))
	}
	signals <- os.Interrupt
	if code := <-left; code != exitFailure {
		t.Errorf("exit code %d", code)
	}
	if there, err := os.ReadDir(dir); err != nil || len(there) != 0 {
		t.Errorf("%v is left, %v", there, err)
	}
}

// TestDemoEndsItsWatch: a demo that has ended by itself leaves signals to others.
func TestDemoEndsItsWatch(t *testing.T) {
	t.Parallel()
	d := &demo{folder: t.TempDir(), signals: make(chan os.Signal)}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		d.obeySignals(d.signals, func(code int) { t.Errorf("it ends the program with %d", code) })
	}()
	d.forgetSignals()
	<-ended
}
