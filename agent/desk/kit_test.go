//go:build unix

package desk

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/eidkit/eidkit/agent/access"
	"github.com/eidkit/eidkit/card/beid"
	"github.com/eidkit/eidkit/internal/pinentry"
)

var background = context.Background()

// What the fake dialog program may be told to do with CONFIRM.
const (
	pressFirst  = "OK"
	pressMiddle = "ERR 83886194 Not confirmed <Pinentry>"
	pressCancel = "ERR 83886179 Operation cancelled <Pinentry>"
	hangs       = "hang"
)

// fake is a dialog program that gives the answers, one after the other (the last for ever), and the digits. What it is told is in log.
func fake(t *testing.T, digits string, answers ...string) (d pinentry.Dialog, log func() string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "answers"), []byte(strings.Join(answers, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	script := fmt.Sprintf(`#!/bin/sh
cd %q || exit 1
echo "OK ready"
while read -r line; do
	echo "$line" >> log
	case "$line" in
	GETINFO*) echo "D curses"; echo OK ;;
	GETPIN*) echo "D %s"; echo OK ;;
	CONFIRM*)
		a=$(head -n 1 answers)
		if [ "$(wc -l < answers)" -gt 1 ]; then tail -n +2 answers > rest; mv rest answers; fi
		if [ "$a" = hang ]; then exec cat; fi
		echo "$a" ;;
	MESSAGE*) exec cat ;;
	BYE*) echo OK; exit 0 ;;
	*) echo OK ;;
	esac
done
`, dir, digits)
	program := filepath.Join(dir, "pinentry-fake")
	syscall.ForkLock.RLock() // a process begun meanwhile would hold the file open for writing, and nobody could run it (ETXTBSY)
	err := os.WriteFile(program, []byte(script), 0o700)
	syscall.ForkLock.RUnlock()
	if err != nil {
		t.Fatal(err)
	}
	return pinentry.Dialog{Program: program}, func() string {
		b, err := os.ReadFile(filepath.Join(dir, "log"))
		if err != nil && !os.IsNotExist(err) {
			t.Error(err)
		}
		return string(b)
	}
}

// nobody is a dialog program that is not there.
func nobody(t *testing.T) pinentry.Dialog {
	return pinentry.Dialog{Program: filepath.Join(t.TempDir(), "absent")}
}

func origin(t testing.TB, s string) access.Origin {
	t.Helper()
	o, err := access.ParseOrigin(s)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func site(t testing.TB, s string) access.Client {
	return access.Client{Kind: access.Site, Origin: origin(t, s), User: "anna", Session: "s1"}
}

// opener is OpenPage for tests: it tells which questions were opened.
type opener chan string

func (o opener) open(_ context.Context, id string) error { o <- id; return nil }

// byPage is a desk whose questions are answered on a page.
func byPage(t *testing.T) (*Desk, opener) {
	o := make(opener, 100)
	return New(Options{Dialog: nobody(t), OpenPage: o.open, Timeout: time.Minute, PageWait: time.Minute}), o
}

type said struct {
	answer Answer
	err    error
}

// later asks for consent in the background.
func later(ctx context.Context, d *Desk, c Consent) <-chan said {
	done := make(chan said, 1)
	go func() {
		a, err := d.Consent(ctx, c)
		done <- said{a, err}
	}()
	return done
}

// until waits for changes at the desk until ok.
func until(d *Desk, ok func() bool) {
	for {
		changed := d.Changed()
		if ok() {
			return
		}
		<-changed
	}
}

// preview is a document to look at.
type preview struct{ *bytes.Reader }

func (p preview) Size() int64 { return p.Reader.Size() }

func contract(text string) Document {
	return Document{Name: "contract.txt", Size: int64(len(text)), SHA256: strings.Repeat("ab", 32), MediaType: "text/plain", Preview: preview{bytes.NewReader([]byte(text))}}
}

func login(t testing.TB) Consent {
	return Consent{Client: site(t, "https://portal.example"), Operation: access.OpLogin, Purpose: "prefill my form", Reader: "Reader 0", Card: "eID"}
}

func reading(t testing.TB) Consent {
	return Consent{Client: site(t, "https://portal.example"), Operation: access.OpIdentity, Fields: []string{"surname", "birthDate", "birthDateText"}, MayRemember: true}
}

func request(reader string, tries int) beid.PINRequest {
	return beid.PINRequest{Purpose: beid.PurposeSign, Reader: reader, TriesLeft: func(context.Context) (int, error) { return tries, nil }}
}

func signing(t testing.TB) Consent {
	return Consent{Client: site(t, "https://portal.example"), Operation: access.OpSignDocument, Documents: []Document{contract("I promise.")}}
}
