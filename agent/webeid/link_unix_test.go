//go:build unix

package webeid

import (
	"os"
	"testing"
)

// TestLinkInTheWay does not replace a program that somebody put there.
func TestLinkInTheWay(t *testing.T) {
	t.Parallel()
	s := setup(t)
	put(t, s.linkPath(), "a program")
	if _, err := Install(s); err == nil {
		t.Error("it was replaced")
	}
	if b, err := os.ReadFile(s.linkPath()); err != nil || string(b) != "a program" {
		t.Errorf("%q, %v", b, err)
	}
}
