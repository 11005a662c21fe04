// Package pcscdtest gives tests the machine's real PC/SC service, with the virtual reader driver vpcd in it.
//
// Start with [Start]: it waits for its turn among all tests on the machine (there is one pcscd), starts the service if none is
// running and stops it again at the end. [Daemon.Insert] puts a simulated card into a slot.
//
//	d := pcscdtest.Start(t)
//	link := d.Insert(t, 0, chip)
//
// The package is for tests only, of any package above card/pcsc. Where pcscd or vpcd is missing the test is skipped, or fails
// when the environment says CI=true.
//
// References: pcscd(8), facts sheet virtual-readers.
package pcscdtest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/eidkit/eidkit/card"
	"github.com/eidkit/eidkit/card/pcsc"
	"github.com/eidkit/eidkit/testcards/vpcd"
)

// Readers are the names of vpcd's two slots.
var Readers = [2]string{"Virtual PCD 00 00", "Virtual PCD 00 01"}

const (
	runDir  = "/run/pcscd"
	socket  = runDir + "/pcscd.comm"
	drivers = "/usr/lib/pcsc/drivers/serial/libifdvpcd.so*"
	install = "apt-get install pcscd libpcsclite-dev vsmartcard-vpcd"
)

// patience bounds every wait for the service: it is there to end a test that hangs, not to time anything.
const patience = 3 * time.Minute

// Daemon is a running service, or one that Kill or Stop has ended.
type Daemon struct {
	process *process // nil if it was running before the test or is stopped
	found   bool     // it was running before the test
	output  string   // the file that holds what it says
}

// Start returns the service, with both slots there and empty. The test has the service to itself, in the whole machine, until it
// ends.
func Start(t testing.TB) *Daemon {
	t.Helper()
	program := need(t)
	asked := time.Now()
	unlock, err := lock(filepath.Join(os.TempDir(), "eidkit-pcscd.lock"))
	if err != nil {
		t.Fatalf("waiting for the use of pcscd: %v", err)
	}
	t.Cleanup(unlock)
	if waited := time.Since(asked); waited > time.Second {
		t.Logf("waited %v for other tests to be done with pcscd", waited.Round(time.Millisecond))
	}
	d := &Daemon{output: filepath.Join(t.TempDir(), "pcscd.log")}
	if accepting() {
		d.found = true
		d.waitReaders(t)
		return d
	}
	t.Cleanup(func() {
		d.end(os.Kill)
		if t.Failed() {
			if said, err := os.ReadFile(d.output); err == nil && len(said) > 0 {
				t.Logf("pcscd said:\n%s", said)
			}
		}
	})
	d.start(t, program)
	return d
}

// need returns the path of pcscd, or skips the test.
func need(t testing.TB) string {
	t.Helper()
	program, err := exec.LookPath("pcscd")
	if err != nil {
		program, err = exec.LookPath("/usr/sbin/pcscd")
	}
	driver, _ := filepath.Glob(drivers)
	lacks := ""
	if err != nil || len(driver) == 0 {
		lacks = "pcscd or vpcd is not installed: " + install
	} else if _, err := pcsc.Readers(context.Background()); errors.Is(err, card.ErrUnsupported) {
		lacks = err.Error()
	}
	switch {
	case lacks != "" && os.Getenv("CI") == "true":
		t.Fatal(lacks)
	case lacks != "":
		t.Skip(lacks)
	}
	return program
}

// accepting says whether a service answers.
func accepting() bool {
	c, err := net.Dial("unix", socket)
	if err != nil {
		return false
	}
	c.Close()
	return true
}

func (d *Daemon) start(t testing.TB, program string) {
	t.Helper()
	// Nobody answers, so these are of a service that was killed. It would take them for a sign of life of another.
	os.Remove(socket)
	os.Remove(filepath.Join(runDir, "pcscd.pid"))
	p, err := startProcess(program, d.output)
	if err != nil {
		t.Fatalf("starting pcscd: %v", err)
	}
	d.process = p
	deadline := time.Now().Add(patience)
	for pause := time.Millisecond; !accepting(); pause = min(2*pause, 20*time.Millisecond) {
		timer := time.NewTimer(pause)
		select {
		case <-p.done:
			said, _ := os.ReadFile(d.output)
			t.Fatalf("pcscd ended: %v (it must be started by root)\n%s", p.err, said)
		case <-timer.C:
		}
		if time.Now().After(deadline) {
			t.Fatalf("pcscd does not answer at %s", socket)
		}
	}
	d.waitReaders(t)
}

// waitReaders waits until both slots are there and empty.
func (d *Daemon) waitReaders(t testing.TB) {
	t.Helper()
	for slot, name := range Readers {
		if _, err := wait(name, func(s card.ReaderState) bool { return s.Card == card.Absent }); err != nil {
			t.Fatalf("waiting for slot %d to be there and empty (is there a card from elsewhere, or no /etc/reader.conf.d/vpcd?): %v", slot, err)
		}
	}
}

// Own says whether the test started the service and may therefore stop it.
func (d *Daemon) Own() bool { return !d.found }

// Stop ends the service as the system does, and waits until it is gone.
func (d *Daemon) Stop(t testing.TB) { d.mustOwn(t); d.end(syscall.SIGTERM) }

// Kill ends the service as kill -9 does, and waits until it is gone.
func (d *Daemon) Kill(t testing.TB) { d.mustOwn(t); d.end(os.Kill) }

// StartAgain starts the service after Stop or Kill, with both slots there and empty.
func (d *Daemon) StartAgain(t testing.TB) {
	t.Helper()
	d.mustOwn(t)
	if d.process != nil {
		t.Fatal("pcscd is running already")
	}
	d.start(t, need(t))
}

// Restart is Kill and StartAgain.
func (d *Daemon) Restart(t testing.TB) {
	t.Helper()
	d.Kill(t)
	d.StartAgain(t)
}

func (d *Daemon) mustOwn(t testing.TB) {
	t.Helper()
	if d.Own() {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("pcscd was running before this test, which must stop and start it: stop it")
	}
	t.Skip("pcscd was running before this test, which must stop and start it: stop it")
}

func (d *Daemon) end(signal os.Signal) {
	if d.process == nil {
		return
	}
	d.process.end(signal)
	d.process = nil
}

// Insert puts chip into a slot and waits until the service reports it, present or mute. It waits for an earlier card to be out
// first. The card is removed at the end of the test, if it is still in.
func (d *Daemon) Insert(t testing.TB, slot int, chip vpcd.Chip) *vpcd.Link {
	t.Helper()
	name := Readers[slot]
	if _, err := wait(name, func(s card.ReaderState) bool { return s.Card == card.Absent }); err != nil {
		t.Fatalf("waiting for slot %d to be empty: %v", slot, err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	link, err := vpcd.Insert(ctx, vpcd.Slots[slot], chip)
	for errors.Is(err, vpcd.ErrSlotTaken) { // it is empty: the service is slow to look
		link, err = vpcd.Insert(ctx, vpcd.Slots[slot], chip)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(link.Remove)
	if _, err := wait(name, func(s card.ReaderState) bool { return s.Card != card.Absent }); err != nil {
		t.Fatalf("waiting for the card in slot %d: %v", slot, err)
	}
	return link
}

// Remove takes the card out and waits until the service reports it.
func (d *Daemon) Remove(t testing.TB, slot int, link *vpcd.Link) {
	t.Helper()
	link.Remove()
	if _, err := wait(Readers[slot], func(s card.ReaderState) bool { return s.Card == card.Absent }); err != nil {
		t.Fatalf("waiting for the card in slot %d to be out: %v", slot, err)
	}
}

// wait returns the state of the reader once it is as wanted.
func wait(reader string, wanted func(card.ReaderState) bool) (card.ReaderState, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var known []card.ReaderState
	for {
		now, err := pcsc.System().Wait(ctx, known)
		if err != nil {
			if errors.Is(err, context.DeadlineExceeded) {
				return card.ReaderState{}, fmt.Errorf("not so after %v; readers: %+v", patience, known)
			}
			return card.ReaderState{}, err
		}
		if i := slices.IndexFunc(now, func(s card.ReaderState) bool { return s.Name == reader }); i >= 0 && wanted(now[i]) {
			return now[i], nil
		}
		if known = now; known == nil {
			known = []card.ReaderState{}
		}
	}
}
