package audit

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"filippo.io/age"
)

func TestLog(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 15, 9, 0, 0, 123456789, time.UTC)
	l, o := newLog(t, func(o *Options) { o.Now = func() time.Time { return at } })
	e := note(t, l, 1)
	if err := e.Result(Outcome{}); !errors.Is(err, ErrTwice) {
		t.Errorf("a second result: %v", err)
	}
	denied, err := l.Intent(Event{Client: "Kassa", Operation: "insurability"})
	must(t, err, denied.Result(Outcome{Code: "CARD_REMOVED", Digest: "ABCDEF"}))
	lines, err := Read(o.Dir, Filter{}) // while it is open
	must(t, err)
	if len(lines) != 5 || lines[0].Event != EventBegin || lines[1].Event != EventIntent || lines[1].Host != "counter-3" || lines[1].User != "an" || lines[1].Fields[0] != "surname" ||
		lines[2].Intent != 2 || lines[2].Result != resultDone || lines[2].Client != "https://clinic.example" || lines[2].NationalNumber == nil || !lines[2].Time.Equal(at.Truncate(time.Millisecond)) ||
		lines[4].Result != "CARD_REMOVED" || lines[4].NationalNumber != nil || lines[4].Digest != "abcdef" {
		t.Errorf("%+v", lines)
	}
	if r := sound(t, o.Dir); r.Lines != 5 || r.Files != 1 || !r.HeadChecked || r.Unconfirmed != 0 || !r.First.Equal(lines[0].Time) {
		t.Errorf("%+v", r)
	}
	if runtime.GOOS != "windows" {
		for _, name := range []string{".", fileName(1), headName, keyName} {
			if info, err := os.Stat(filepath.Join(o.Dir, name)); err != nil || info.Mode().Perm()&0o077 != 0 {
				t.Errorf("%s: %v %v", name, info.Mode(), err)
			}
		}
	}
	if _, err := Open(o); !errors.Is(err, ErrInUse) {
		t.Errorf("a second writer: %v", err)
	}
	must(t, l.Close(), l.Close())
	if _, err := l.Intent(Event{}); !errors.Is(err, ErrClosed) {
		t.Errorf("after the end: %v", err)
	}
	again, err := Open(o)
	must(t, err)
	note(t, again, 2)
	must(t, again.Close())
	if r := sound(t, o.Dir); r.Lines != 7 || r.Mended != 0 {
		t.Errorf("%+v", r)
	}
}

func TestFilter(t *testing.T) {
	t.Parallel()
	clock := time.Date(2026, 3, 15, 9, 0, 0, 0, time.UTC)
	o := made(t, 40, func(o *Options) {
		o.MaxBytes = 4000
		o.Now = func() time.Time { clock = clock.Add(time.Second); return clock }
	})
	if r := sound(t, o.Dir); r.Files < 3 || r.Lines != 81 {
		t.Fatalf("%+v", r)
	}
	for _, test := range []struct {
		f           Filter
		first, last uint64
	}{
		{Filter{}, 1, 81}, {Filter{Limit: 3}, 79, 81}, {Filter{Limit: 3, Before: 50}, 47, 49}, {Filter{Client: "https://clinic.example", Limit: -1}, 2, 81},
		{Filter{Since: time.Date(2026, 3, 15, 9, 1, 0, 0, time.UTC), Until: time.Date(2026, 3, 15, 9, 1, 5, 0, time.UTC)}, 60, 64}, {Filter{Operation: "login"}, 0, 0}, {Filter{Before: 1}, 1, 81},
	} {
		lines, err := Read(o.Dir, test.f)
		must(t, err)
		if test.f.Before == 1 && len(lines) == 0 {
			continue
		}
		if test.first == 0 && len(lines) == 0 {
			continue
		}
		if len(lines) != int(test.last-test.first+1) || lines[0].Seq != test.first || lines[len(lines)-1].Seq != test.last {
			t.Errorf("%+v: %d lines", test.f, len(lines))
		}
	}
	for _, dir := range []string{t.TempDir(), filepath.Join(t.TempDir(), "none")} {
		if _, err := Read(dir, Filter{}); !errors.Is(err, ErrNone) {
			t.Error(err)
		}
	}
	if _, err := Verify(t.TempDir()); !errors.Is(err, ErrNone) {
		t.Error(err)
	}
}

// TestNoPersonalData: whatever a page writes, no national number reaches the disk, in
// no notation, and nothing of the person but what stands for the number.
func TestNoPersonalData(t *testing.T) {
	t.Parallel()
	officer, err := age.GenerateX25519Identity()
	must(t, err)
	for _, recipient := range []string{"", officer.Recipient().String()} {
		l, o := newLog(t, func(o *Options) { o.Recipient = recipient })
		for _, purpose := range []string{"Visit of 85073003328", "Visit of 85.07.30-033.28", "85 07 30 033 28", "n° 85/07/30 - 033 - 28!", "850730\u200b03328", "850730\n03328", "٨٥٠٧٣٠٠٣٣٢٨", strings.Repeat("x", 490) + "85073003328"} {
			e, err := l.Intent(Event{Client: "https://clinic.example", Operation: "identity", Fields: []string{"nationalNumber", "surname"}, Purpose: purpose, Reader: "R 00 00"})
			must(t, err, e.Result(Outcome{NISS: "85.07.30-033.28", CardKind: "eid", Mode: "manual", Reason: purpose}))
		}
		must(t, l.Close())
		text := all(t, o.Dir)
		digits := strings.NewReplacer(".", "", "-", "", " ", "", "/", "").Replace(text)
		for _, secret := range []string{"85073003328", "850730", "٨٥٠", "033.28", "03328"} {
			if strings.Contains(text, secret) || strings.Contains(digits, "85073003328") {
				t.Errorf("%q is in the log", secret)
			}
		}
		lines, err := Read(o.Dir, Filter{})
		must(t, err)
		seen := map[string]bool{}
		for _, line := range lines {
			n := line.NationalNumber
			switch {
			case line.Event != EventResult:
			case n == nil:
				t.Errorf("line %d has no number", line.Seq)
			case recipient == "":
				seen[n.HMAC] = true
				if len(n.HMAC) != 64 || n.Sealed != nil {
					t.Errorf("%+v", n)
				}
			default:
				r, err := age.Decrypt(bytes.NewReader(n.Sealed), officer)
				must(t, err)
				if got, err := io.ReadAll(r); err != nil || string(got) != "85073003328" || n.HMAC != "" {
					t.Errorf("sealed is %q, %v", got, err)
				}
			}
		}
		if recipient == "" && len(seen) != 1 {
			t.Errorf("one number has %d HMACs", len(seen))
		}
	}
	if _, err := Open(Options{Dir: t.TempDir(), Recipient: "age1nonsense"}); !errors.Is(err, ErrKey) {
		t.Error(err)
	}
}

func TestTextsAreCleaned(t *testing.T) {
	t.Parallel()
	l, o := newLog(t, nil)
	e, err := l.Intent(Event{Client: "a\nb\x00c\u202ed", Purpose: strings.Repeat("é\"", 100_000), Fields: make([]string, 1000), Reader: "\xff", Rule: strings.Repeat("r", 5000)})
	must(t, err, e.Result(Outcome{Code: strings.Repeat("E", 5000), Digest: "no digest", Reason: strings.Repeat("1a", 10000)}))
	lines, err := Read(o.Dir, Filter{})
	must(t, err)
	i := lines[1]
	if i.Client != "abcd" || len([]rune(i.Purpose)) > maxText || len(i.Fields) > maxFields || i.Reader != "\ufffd" || len([]rune(i.Rule)) > maxText || len(lines[2].Result) > 110 || lines[2].Digest != "" {
		t.Errorf("%+v", i)
	}
	for _, line := range fileLines(t, o.Dir, 1) {
		if len(line) > 8000 {
			t.Errorf("a line of %d bytes", len(line))
		}
	}
	sound(t, o.Dir)
}

func TestManyWriters(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var heads []string
	l, o := newLog(t, func(o *Options) {
		o.MaxBytes = 20_000
		o.Sink = func(h string) { mu.Lock(); defer mu.Unlock(); heads = append(heads, h) }
	})
	var wg sync.WaitGroup
	for i := range 32 {
		wg.Go(func() {
			for j := range 10 {
				e := note(t, l, 100*i+j)
				if e.line.Seq == 0 {
					t.Error("no number")
				}
			}
		})
	}
	wg.Wait()
	must(t, l.Close())
	if r := sound(t, o.Dir); r.Lines != 641 || r.Files < 5 {
		t.Errorf("%+v", r)
	}
	key, err := readKey(o.Dir)
	must(t, err)
	last := parseHead([]byte(heads[len(heads)-1]), key)
	if last == nil || last.Seq != 641 {
		t.Errorf("the sink's last is %s", heads[len(heads)-1])
	}
}

// TestCloseAmongWriters: who was told that his line is there finds it, who was not does not wait for ever.
func TestCloseAmongWriters(t *testing.T) {
	t.Parallel()
	l, o := newLog(t, nil)
	var wg sync.WaitGroup
	var mu sync.Mutex
	there := 1
	begun := make(chan struct{})
	var once sync.Once
	for range 16 {
		wg.Go(func() {
			for {
				_, err := l.Intent(Event{Operation: "x"})
				if errors.Is(err, ErrClosed) {
					return
				}
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				there++
				mu.Unlock()
				once.Do(func() { close(begun) })
			}
		})
	}
	<-begun
	must(t, l.Close())
	wg.Wait()
	if r := sound(t, o.Dir); r.Lines != there {
		t.Errorf("%d lines, %d acknowledged", r.Lines, there)
	}
}

func FuzzMasked(f *testing.F) {
	for _, s := range []string{"Visit of 85.07.30-033.28", "85073003328", strings.Repeat("\u200b", 4000) + "85073003328", "1 2  3   4    5", "\xff1\xfe2"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := masked(s)
		if number.MatchString(got) || len([]rune(got)) > maxText || strings.ContainsAny(got, "\n\r\x00\x1b\u202e") {
			t.Fatalf("%q becomes %q", s, got)
		}
	})
}
