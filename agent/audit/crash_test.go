package audit

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// The test program runs itself as the process that dies.
const childVar = "EIDKIT_TEST_AUDIT_CHILD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childVar); dir != "" {
		child(dir)
	}
	os.Exit(m.Run())
}

// child writes until it is killed, and says on standard output which results are on the disk.
func child(dir string) {
	l, err := Open(Options{Dir: dir, MaxBytes: 4000})
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	var mu sync.Mutex
	for range 4 {
		go func() {
			for {
				e, err := l.Intent(Event{Client: "https://clinic.example", Operation: "identity", Purpose: strings.Repeat("p", 300)})
				if err == nil {
					err = e.Result(Outcome{CardKind: "eid"})
				}
				mu.Lock()
				if err != nil {
					fmt.Println("error", err)
					os.Exit(1)
				}
				fmt.Println(e.line.Seq)
				mu.Unlock()
			}
		}()
	}
	select {}
}

// TestKilled kills a writer at many points: what it said is on the disk is there,
// and what it left counts as a crash, never as tampering.
func TestKilled(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "audit")
	answered := map[uint64]bool{}
	for round := range 5 {
		cmd := exec.Command(os.Args[0], "-test.run=^$")
		cmd.Env = append(os.Environ(), childVar+"="+dir)
		out, err := cmd.StdoutPipe()
		must(t, err, cmd.Start())
		lines := bufio.NewScanner(out)
		for n := 0; lines.Scan(); n++ {
			if n == 5*round+1 {
				must(t, cmd.Process.Kill())
			}
			seq, err := strconv.ParseUint(lines.Text(), 10, 64)
			must(t, err)
			answered[seq] = true
		}
		if cmd.Wait() == nil {
			t.Fatal("it was not killed")
		}
		sound(t, dir)
	}
	l, err := Open(Options{Dir: dir})
	must(t, err, l.Close())
	r := sound(t, dir)
	if r.Unconfirmed != 0 || r.Torn != 0 {
		t.Errorf("%+v", r)
	}
	all, err := Read(dir, Filter{Limit: -1})
	must(t, err)
	for _, line := range all {
		if line.Event == EventResult {
			delete(answered, line.Intent)
		}
	}
	if len(answered) != 0 || len(all) != r.Lines {
		t.Errorf("%d results were on the disk and are gone; %d lines of %d", len(answered), len(all), r.Lines)
	}
}

// TestTornAtEachByte: a crash while lines are written leaves any part of them.
func TestTornAtEachByte(t *testing.T) {
	t.Parallel()
	before := made(t, 1, nil)
	after := copyDir(t, before.Dir)
	l, err := Open(Options{Dir: after})
	must(t, err)
	note(t, l, 2)
	must(t, l.Close())
	old := len(slices.Concat(fileLines(t, before.Dir, 1)...))
	whole := slices.Concat(fileLines(t, after, 1)...)
	for cut := old; cut <= len(whole); cut += 1 + (len(whole)-old)/23 {
		dir := copyDir(t, before.Dir) // with the head of before
		must(t, os.WriteFile(filepath.Join(dir, fileName(1)), whole[:cut], 0o600))
		r := sound(t, dir)
		ends := strings.Count(string(whole[old:cut]), "\n")
		if torn := cut - old - strings.LastIndex("\n"+string(whole[old:cut]), "\n"); r.Torn != torn || r.Unconfirmed != ends {
			t.Errorf("cut at %d: %+v", cut, r)
		}
		l, err := Open(Options{Dir: dir})
		must(t, err)
		note(t, l, 3)
		must(t, l.Close())
		r = sound(t, dir)
		if mended := cut > old; r.Torn != 0 || (r.Mended == 1) != mended {
			t.Errorf("cut at %d, then mended: %+v", cut, r)
		}
	}
}

// TestBegun: a crash while the log is made leaves no fault.
func TestBegun(t *testing.T) {
	t.Parallel()
	for name, keep := range map[string][]string{"key": {keyName}, "key and head": {keyName, headName}, "all, the file empty": {keyName, headName, fileName(1)}} {
		o := made(t, 0, nil)
		key, err := readKey(o.Dir)
		must(t, err)
		dir := t.TempDir()
		for _, k := range keep {
			b := key
			switch k {
			case headName:
				h := head{Hash: hash{}.String(), File: 1}
				b = append(h.slot(key), h.slot(key)...)
			case fileName(1):
				b = nil
			}
			must(t, os.WriteFile(filepath.Join(dir, k), b, 0o600))
		}
		l, err := Open(Options{Dir: dir})
		must(t, err)
		note(t, l, 1)
		must(t, l.Close())
		if r := sound(t, dir); r.Lines != 3 {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

// TestRotationKilled: a new file was begun and nothing written to it.
func TestRotationKilled(t *testing.T) {
	t.Parallel()
	o := made(t, 1, nil)
	must(t, os.WriteFile(filepath.Join(o.Dir, fileName(2)), nil, 0o600))
	sound(t, o.Dir)
	l, err := Open(o)
	must(t, err)
	note(t, l, 2)
	must(t, l.Close())
	if r := sound(t, o.Dir); r.Files != 2 || r.Lines != 5 || r.Mended != 0 {
		t.Errorf("%+v", r)
	}
	if n := len(fileLines(t, o.Dir, 2)); n != 2 {
		t.Errorf("%d lines in the second file", n)
	}
}

// TestFailingDisk: an error at any write leaves a log that goes on when the disk does.
func TestFailingDisk(t *testing.T) {
	t.Parallel()
	l, o := newLog(t, nil)
	note(t, l, 1)
	must(t, os.Rename(o.Dir, o.Dir+".away")) // as when a disk is gone
	if _, err := l.Intent(Event{}); err == nil {
		t.Error("an intent that is nowhere")
	}
	e := &Entry{log: l, line: &Line{Seq: 2}}
	if err := e.Result(Outcome{}); err == nil || errors.Is(err, ErrTwice) {
		t.Error(err)
	}
	must(t, os.Rename(o.Dir+".away", o.Dir))
	must(t, e.Result(Outcome{})) // the answer may be tried again
	note(t, l, 2)
	must(t, l.Close())
	sound(t, o.Dir)
}
