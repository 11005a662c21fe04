//go:build linux

package main

import (
	"testing"

	"github.com/eidkit/eidkit/internal/pcscdtest"
	"github.com/eidkit/eidkit/testcards"
)

// TestSignThroughPCSC: a card in a real reader signs, with the PIN from a dialog.
func TestSignThroughPCSC(t *testing.T) {
	pcscdtest.Start(t)
	b := newBench(t)
	serve(t, "citizen-1.8")
	program, _ := fakePinentry(t, true, testcards.PIN, testcards.PIN)
	code, out, errs := eid(t, "sign", "a.txt", "report.pdf", "--pinentry", program, "--trust", b.roots, "--level", "lt", "--tsa", tsaURL)
	wantCode(t, exitOK, code, out, errs)
	b.valid(t, "a.asice", "XAdES-B-LT")
	b.valid(t, "report-signed.pdf", "PAdES-B-LT")
	code, out, errs = eid(t, "sign", "b.csv", "--auto-pin", "--trust", b.roots)
	if code != exitUsage || out != "" {
		t.Errorf("a real reader took a PIN by itself: %d %s%s", code, out, errs)
	}
}
