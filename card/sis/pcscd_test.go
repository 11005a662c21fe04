//go:build linux

package sis_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/eidkit/eidkit/card/pcsc"
	"github.com/eidkit/eidkit/card/sis"
	"github.com/eidkit/eidkit/internal/pcscdtest"
	testsis "github.com/eidkit/eidkit/testcards/sis"
)

// TestThroughPCSC reads a card and opens it with a security module through the real service, both in their own readers. Another program
// sees the card too.
func TestThroughPCSC(t *testing.T) {
	daemon := pcscdtest.Start(t)
	c, err := testsis.Open("sis-increased", testsis.PCSC)
	if err != nil {
		t.Fatal(err)
	}
	daemon.Insert(t, 0, c)
	daemon.Insert(t, 1, testsis.NewModule(testsis.Providers[1]))
	check := pcscdtest.CheckLeaks(t)
	im, err := sis.Read(t.Context(), pcsc.Named(pcscdtest.Readers[0]))
	if err != nil {
		t.Fatal(err)
	}
	m, err := sis.OpenModule(t.Context(), pcsc.Named(pcscdtest.Readers[1]))
	if err != nil {
		t.Fatal(err)
	}
	i, err := m.Open(t.Context(), im)
	if err != nil || i.CT1 != "131" || im.Surname != "PROEFKAART" {
		t.Errorf("%+v %+v %v", im, i, err)
	}
	if err := m.Close(); err != nil {
		t.Error(err)
	}
	check()
	tool, err := exec.LookPath("opensc-tool")
	if err != nil && os.Getenv("CI") == "true" {
		t.Fatal(err)
	}
	if err == nil {
		out, err := exec.Command(tool, "-r", "0", "-c", "default", "-s", "FF A4 00 00 01 05", "-s", "FF B0 00 15 05").CombinedOutput()
		if err != nil || !strings.Contains(string(out), "A0 00 00 00 33") {
			t.Errorf("opensc-tool: %v\n%s", err, out)
		}
	}
}
