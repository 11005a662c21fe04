package pcscdtest

import (
	"sync/atomic"
	"testing"
)

// Tests that use the service at the same time take turns.
func TestTurns(t *testing.T) {
	var inside atomic.Int32
	for _, name := range []string{"one", "another", "a third"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			Start(t)
			if n := inside.Add(1); n != 1 {
				t.Errorf("%d tests have the service", n)
			}
			t.Cleanup(func() { inside.Add(-1) })
		})
	}
}
