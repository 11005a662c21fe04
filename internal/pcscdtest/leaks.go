package pcscdtest

import (
	"os"
	"runtime"
	"testing"
	"time"
)

// CheckLeaks notes how many goroutines and file descriptors there are, and fails the test if there are more when the returned
// function is called; what still ends by itself is given time.
func CheckLeaks(t testing.TB) (check func()) {
	t.Helper()
	goroutines, files := runtime.NumGoroutine(), openFiles()
	return func() {
		t.Helper()
		if Eventually(func() bool { return runtime.NumGoroutine() <= goroutines && openFiles() <= files }) {
			return
		}
		stacks := make([]byte, 1<<20)
		t.Errorf("goroutines: %d, before %d; open files: %d, before %d\n%s", runtime.NumGoroutine(), goroutines,
			openFiles(), files, stacks[:runtime.Stack(stacks, true)])
	}
}

// openFiles counts the process's file descriptors, where the system shows them.
func openFiles() int {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return len(entries)
}

// Eventually says whether cond holds, now or within the patience of a test.
func Eventually(cond func() bool) bool {
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !cond() {
		select {
		case <-deadline.C:
			return cond()
		case <-tick.C:
		}
	}
	return true
}
