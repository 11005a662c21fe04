package audit

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestTampering: each change to each line is found, and the line named.
func TestTampering(t *testing.T) {
	t.Parallel()
	o := made(t, 4, nil) // nine lines
	edit := func(line []byte) []byte { return bytes.Replace(line, []byte(`"time":"2`), []byte(`"time":"3`), 1) }
	n := len(fileLines(t, o.Dir, 1))
	if n != 9 {
		t.Fatalf("%d lines", n)
	}
	for i := range n {
		seq := uint64(i + 1)
		for name, test := range map[string]struct {
			kind string
			do   func([][]byte) [][]byte
		}{
			"changed": {FaultChanged, func(l [][]byte) [][]byte { l[i] = edit(l[i]); return l }},
			"prev changed": {FaultChanged, func(l [][]byte) [][]byte {
				l[i] = bytes.Replace(l[i], []byte(`"prev":"`), []byte(`"prev":"0`), 1)
				return l
			}},
			"seq changed": {FaultChanged, func(l [][]byte) [][]byte {
				l[i] = bytes.Replace(l[i], []byte(`"seq":`), []byte(`"seq":7`), 1)
				return l
			}},
			"white space":  {FaultChanged, func(l [][]byte) [][]byte { l[i] = bytes.Replace(l[i], []byte(`{`), []byte(`{ `), 1); return l }},
			"no JSON":      {FaultChanged, func(l [][]byte) [][]byte { l[i] = []byte("x\n"); return l }},
			"emptied":      {FaultChanged, func(l [][]byte) [][]byte { l[i] = []byte("\n"); return l }},
			"removed":      {FaultRemoved, func(l [][]byte) [][]byte { return slices.Delete(l, i, i+1) }},
			"cut off":      {FaultCut, func(l [][]byte) [][]byte { return l[:i] }},
			"swapped":      {FaultReordered, func(l [][]byte) [][]byte { l[i], l[i+1] = l[i+1], l[i]; return l }},
			"moved to end": {FaultReordered, func(l [][]byte) [][]byte { return append(slices.Delete(slices.Clone(l), i, i+1), l[i]) }},
			"doubled":      {FaultReordered, func(l [][]byte) [][]byte { return slices.Insert(l, i, l[i]) }},
			"too long":     {FaultChanged, func(l [][]byte) [][]byte { l[i] = append(bytes.Repeat([]byte(" "), 2*maxLine), l[i]...); return l }},
		} {
			kind := test.kind
			if i == n-1 {
				switch name {
				case "removed":
					kind = FaultCut
				case "swapped", "moved to end":
					continue
				}
			}
			dir := copyDir(t, o.Dir)
			putLines(t, dir, 1, test.do(fileLines(t, dir, 1)))
			r, err := Verify(dir)
			must(t, err)
			if r.Fault == nil {
				t.Errorf("line %d %s: not found", seq, name)
				continue
			}
			if r.Fault.Kind != kind || r.Fault.Seq != seq {
				t.Errorf("line %d %s: %+v", seq, name, *r.Fault)
			}
			if i != 3 {
				continue
			}
			// Whoever opens it goes on, and the fault stays to be found.
			l, err := Open(Options{Dir: dir})
			must(t, err)
			note(t, l, 99)
			must(t, l.Close())
			if r, err := Verify(dir); err != nil || r.Fault == nil {
				t.Errorf("line %d %s: forgotten after the log was opened: %v", seq, name, err)
			}
		}
	}
}

// TestFilesAndHead: what is done to whole files is found too.
func TestFilesAndHead(t *testing.T) {
	t.Parallel()
	o := made(t, 30, func(o *Options) { o.MaxBytes = 3000 })
	older := copyDir(t, o.Dir)
	l, err := Open(o)
	must(t, err)
	note(t, l, 31)
	must(t, l.Close())
	numbers, err := fileNumbers(o.Dir)
	must(t, err)
	if len(numbers) < 5 {
		t.Fatalf("%d files", len(numbers))
	}
	last := numbers[len(numbers)-1]
	at := func(dir string, n int) string { return filepath.Join(dir, fileName(n)) }
	head := func(dir string) string { return filepath.Join(dir, headName) }
	headBytes, err := os.ReadFile(head(o.Dir))
	must(t, err)
	key, err := readKey(o.Dir)
	must(t, err)
	hs, err := readHeads(o.Dir, key)
	must(t, err)
	newer := hs.slot
	for name, test := range map[string]struct {
		kind string
		do   func(dir string) error
	}{
		"first file gone":  {FaultRemoved, func(dir string) error { return os.Remove(at(dir, 1)) }},
		"middle file gone": {FaultRemoved, func(dir string) error { return os.Remove(at(dir, 3)) }},
		"last file gone":   {FaultCut, func(dir string) error { return os.Remove(at(dir, last)) }},
		"files swapped": {FaultReordered, func(dir string) error {
			return errors.Join(os.Rename(at(dir, 2), at(dir, 99)), os.Rename(at(dir, 3), at(dir, 2)), os.Rename(at(dir, 99), at(dir, 3)))
		}},
		"middle file cut":   {FaultChanged, func(dir string) error { return os.Truncate(at(dir, 2), 100) }},
		"last file emptied": {FaultCut, func(dir string) error { return os.Truncate(at(dir, last), 0) }},
		"last line torn":    {FaultCut, func(dir string) error { i, _ := os.Stat(at(dir, last)); return os.Truncate(at(dir, last), i.Size()-3) }},
		"head gone":         {FaultHead, func(dir string) error { return os.Remove(head(dir)) }},
		"head emptied":      {FaultHead, func(dir string) error { return os.Truncate(head(dir), 0) }},
		"head cut":          {FaultHead, func(dir string) error { return os.Truncate(head(dir), slotSize) }},
		"head made up": {FaultHead, func(dir string) error {
			return os.WriteFile(head(dir), bytes.ReplaceAll(headBytes, []byte(`"seq":6`), []byte(`"seq":5`)), 0o600)
		}},
		"one head destroyed": {FaultHead, func(dir string) error { return os.WriteFile(head(dir), destroyed(headBytes, 1-newer), 0o600) }},
		"the newer one":      {"", func(dir string) error { return os.WriteFile(head(dir), destroyed(headBytes, newer), 0o600) }},
		"the newer one and its line": {FaultHead, func(dir string) error {
			lines := fileLines(t, dir, last)
			putLines(t, dir, last, lines[:len(lines)-1])
			return os.WriteFile(head(dir), destroyed(headBytes, newer), 0o600)
		}},
		"an older head": {"", func(dir string) error {
			b, err := os.ReadFile(head(older))
			return errors.Join(err, os.WriteFile(head(dir), b, 0o600))
		}},
		"an older last file": {FaultCut, func(dir string) error {
			b, err := os.ReadFile(at(older, last))
			return errors.Join(err, os.WriteFile(at(dir, last), b, 0o600))
		}},
		"another key": {FaultHead, func(dir string) error {
			return os.WriteFile(filepath.Join(dir, keyName), bytes.Repeat([]byte("k"), keyBytes), 0o600)
		}},
		"all lines gone": {FaultCut, func(dir string) (err error) {
			for _, n := range numbers {
				err = errors.Join(err, os.Remove(at(dir, n)))
			}
			return err
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := copyDir(t, o.Dir)
			must(t, test.do(dir))
			r, err := Verify(dir)
			must(t, err)
			if test.kind == "" { // as after a crash; what was sent away tells (Options.Sink)
				if r.Fault != nil || r.Unconfirmed == 0 {
					t.Errorf("%+v", r)
				}
				return
			}
			if r.Fault == nil || r.Fault.Kind != test.kind {
				t.Fatalf("%+v", r.Fault)
			}
			l, err := Open(Options{Dir: dir})
			must(t, err)
			note(t, l, 99)
			must(t, l.Close())
			if r, err := Verify(dir); err != nil || r.Fault == nil {
				t.Errorf("forgotten after the log was opened: %v", err)
			}
		})
	}
	if r, err := Verify(o.Dir, bytes.Repeat([]byte("k"), keyBytes)); err != nil || r.Fault == nil || r.Fault.Kind != FaultHead {
		t.Errorf("with another key: %+v, %v", r, err)
	}
	without := copyDir(t, o.Dir)
	must(t, os.Remove(filepath.Join(without, keyName)))
	if r, err := Verify(without); err != nil || r.Fault != nil || r.HeadChecked {
		t.Errorf("without a key: %+v, %v", r, err)
	}
	if r, err := Verify(without, key); err != nil || r.Fault != nil || !r.HeadChecked {
		t.Errorf("with the key from elsewhere: %+v, %v", r, err)
	}
}

// destroyed is a head of which one slot cannot be read.
func destroyed(head []byte, slot int) []byte {
	head = slices.Clone(head)
	copy(head[slot*slotSize:], bytes.Repeat([]byte("x"), slotSize))
	return head
}

// TestTouchedWhileOpen: who takes the file away under the agent is found out at the next line.
func TestTouchedWhileOpen(t *testing.T) {
	t.Parallel()
	for name, do := range map[string]func(path string) error{
		"removed": os.Remove,
		"cut":     func(path string) error { return os.Truncate(path, 300) },
		"longer": func(path string) error {
			f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
			if err != nil {
				return err
			}
			_, err = f.WriteString("{\"seq\":99}\n")
			return errors.Join(err, f.Close())
		},
		"replaced": func(path string) error {
			b, err := os.ReadFile(path)
			return errors.Join(err, os.Remove(path), os.WriteFile(path, append([]byte("x"), b[1:]...), 0o600))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, o := newLog(t, nil)
			note(t, l, 1)
			must(t, do(filepath.Join(o.Dir, fileName(1))))
			note(t, l, 2)
			must(t, l.Close())
			r, err := Verify(o.Dir)
			must(t, err)
			if r.Fault == nil {
				t.Error("not found")
			}
			lines, err := Read(o.Dir, Filter{Limit: 3})
			must(t, err)
			if name != "replaced" && (len(lines) != 3 || lines[0].Event != EventFault) {
				t.Errorf("%+v", lines)
			}
		})
	}
}

func FuzzVerify(f *testing.F) {
	o := made(f, 2, nil)
	head, err := os.ReadFile(filepath.Join(o.Dir, headName))
	must(f, err)
	good := bytes.Join(fileLines(f, o.Dir, 1), nil)
	f.Add(good, head)
	f.Add(good[:len(good)-5], head)
	f.Add([]byte("{}\n"), []byte{})
	f.Add(bytes.Replace(good, []byte("intent"), []byte("fault"), 1), head)
	key, err := readKey(o.Dir)
	must(f, err)
	dir := f.TempDir()
	must(f, os.WriteFile(filepath.Join(dir, keyName), key, 0o600))
	w := writer{dir: dir, key: key}
	f.Fuzz(func(t *testing.T, log, head []byte) {
		must(t, os.WriteFile(filepath.Join(dir, fileName(1)), log, 0o600), os.WriteFile(filepath.Join(dir, headName), head, 0o600))
		r, err := Verify(dir)
		must(t, err)
		_, err = Read(dir, Filter{})
		must(t, err)
		hs, err := readHeads(dir, key)
		must(t, err)
		met, err := w.look(hs, []int{1})
		must(t, err)
		if r.Fault == nil && (met.fault != "" || met.taken != r.Unconfirmed || int(met.torn) != r.Torn || met.at.Seq != uint64(r.Lines)) {
			t.Fatalf("nothing is wrong, and the writer meets %+v", met)
		}
	})
}

// TestRolledBack: an older state of the whole folder passes by itself; a head that was sent away tells.
func TestRolledBack(t *testing.T) {
	t.Parallel()
	var sent []string
	o := made(t, 2, func(o *Options) { o.Sink = func(h string) { sent = append(sent, h) } })
	older := copyDir(t, o.Dir)
	l, err := Open(o)
	must(t, err)
	note(t, l, 3)
	must(t, l.Close())
	head := sent[len(sent)-1]
	sound(t, older)
	if f, err := VerifyHead(older, head); err != nil || f == nil || f.Kind != FaultCut || f.Seq != 7 {
		t.Errorf("%+v, %v", f, err)
	}
	if f, err := VerifyHead(o.Dir, head); err != nil || f != nil {
		t.Errorf("%+v, %v", f, err)
	}
	l, err = Open(Options{Dir: older}) // another line in its place
	must(t, err)
	note(t, l, 4)
	must(t, l.Close())
	if f, err := VerifyHead(older, head); err != nil || f == nil || f.Kind != FaultChanged {
		t.Errorf("%+v, %v", f, err)
	}
	for _, wrong := range []string{"", "{}", head[:len(head)-3], "x" + head} {
		if _, err := VerifyHead(o.Dir, wrong); !errors.Is(err, ErrKey) {
			t.Errorf("%q: %v", wrong, err)
		}
	}
}
