package vpcd_test

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/eidkit/eidkit/internal/pcscdtest"
	"github.com/eidkit/eidkit/testcards/vpcd"
)

type plainChip struct{ atr, answer []byte }

func (c plainChip) ATR() []byte            { return c.atr }
func (c plainChip) PowerOn()               {}
func (c plainChip) PowerOff()              {}
func (c plainChip) Reset()                 {}
func (c plainChip) Transmit([]byte) []byte { return c.answer }

// OpenSC, as a program that knows nothing of this project, finds the cards in both slots and speaks to them.
func TestOpenSCSeesTheCards(t *testing.T) {
	tool, err := exec.LookPath("opensc-tool")
	if err != nil && os.Getenv("CI") == "true" {
		t.Fatal("opensc-tool is not installed: apt-get install opensc")
	} else if err != nil {
		t.Skip("opensc-tool is not installed: apt-get install opensc")
	}
	d := pcscdtest.Start(t)
	d.Insert(t, 0, plainChip{[]byte{0x3B, 0x02, 0x14, 0x50}, []byte{0xCA, 0xFE, 0x90, 0x00}})
	d.Insert(t, 1, plainChip{[]byte{0x3B, 0x00}, []byte{0xBA, 0xBE, 0x6A, 0x82}})
	for reader, want := range map[string][2]string{"0": {"3b:02:14:50", "CA FE"}, "1": {"3b:00", "BA BE"}} {
		out, err := exec.CommandContext(t.Context(), tool, "-r", reader, "-a", "-c", "default", "-s", "00:B0:00:00:02").CombinedOutput()
		if err != nil {
			t.Errorf("opensc-tool, reader %s: %v\n%s", reader, err, out)
		}
		for _, w := range want {
			if !strings.Contains(string(out), w) {
				t.Errorf("opensc-tool, reader %s, does not say %q:\n%s", reader, w, out)
			}
		}
	}
}

func TestServiceStops(t *testing.T) {
	d := pcscdtest.Start(t)
	link := d.Insert(t, 0, plainChip{[]byte{0x3B, 0x00}, []byte{0x90, 0x00}})
	d.Kill(t)
	<-link.Done()
	if link.Err() != io.EOF {
		t.Errorf("the link ended with %v", link.Err())
	}
	_, err := vpcd.Insert(t.Context(), "", plainChip{})
	if !errors.Is(err, vpcd.ErrNoService) {
		t.Errorf("inserting without a service: %v", err)
	}
}

func TestSlotTaken(t *testing.T) {
	d := pcscdtest.Start(t)
	first := d.Insert(t, 0, plainChip{[]byte{0x3B, 0x00}, []byte{0x90, 0x00}})
	if _, err := vpcd.Insert(t.Context(), "", plainChip{}); !errors.Is(err, vpcd.ErrSlotTaken) {
		t.Errorf("a second card in the slot: %v", err)
	}
	d.Remove(t, 0, first)
	d.Insert(t, 0, plainChip{[]byte{0x3B, 0x00}, []byte{0x90, 0x00}})
}
