//go:build unix

package main

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// TestDemoLeavesNothing: wherever in its end the second signal finds the demo, no folder of it stays.
func TestDemoLeavesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0], "demo", "--json", "--port", "0", "--site-port", "0")
	cmd.Env = append(os.Environ(), envCommand+"=1", "TMPDIR="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	if line, err := lines.ReadString('\n'); err != nil || !strings.Contains(line, `"portal"`) {
		t.Errorf("%q, %v", line, err)
	}
	for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		_ = cmd.Process.Signal(s) // it may have ended already
	}
	_, _ = io.Copy(io.Discard, lines)
	_ = cmd.Wait() // interrupted
	if there, err := os.ReadDir(dir); err != nil || len(there) != 0 {
		t.Errorf("%v is left, %v", there, err)
	}
}
