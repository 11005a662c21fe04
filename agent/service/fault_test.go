//go:build unix

package service

import (
	"context"
	"crypto/sha512"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/eidkit/eidkit/agent/access"
	"github.com/eidkit/eidkit/agent/desk"
	"github.com/eidkit/eidkit/agent/protocol"
	"github.com/eidkit/eidkit/card"
	"github.com/eidkit/eidkit/card/beid"
	"github.com/eidkit/eidkit/testcards"
)

// onCards are the methods that give an eID commands, as they are called in these tests.
var onCards = []struct {
	method string
	page   bool // called by the user's own page; else by a site
	params m
}{
	{"identity.read", false, m{"fields": []string{"surname", "nationalNumber", "address"}, "photo": true}},
	{"insurability.read", false, m{}},
	{"auth.login", false, m{"challengeNonce": nonce}},
	{"sign.certificate", false, m{}},
	{"sign.hash", false, nil}, // its certificate is the card's
	{"sign.document", false, m{"format": "pades", "level": "b", "visible": m{"rect": []float64{10, 10, 200, 60}, "photo": true}}},
	{"pin.status", false, m{}},
	{"pin.change", false, m{}},
	{"card.export", true, m{"format": "json"}},
	{"certificates.read", true, m{}},
}

// mishap is something that happens between two commands.
type mishap struct {
	name string
	do   func(f *faulty)
	// codes are what it may come to, beside the right answer; none: the end of the request's context.
	codes []protocol.Code
	// gone: the card counts as taken out.
	gone bool
}

// mishaps: the first three are those of TestMishaps.
var mishaps = []mishap{
	{"swapped", func(f *faulty) { f.reader.Insert(f.other) }, []protocol.Code{protocol.CardRemoved}, true},
	{"reset", func(f *faulty) { f.reader.ResetByOther() }, []protocol.Code{protocol.CardBusy}, false},
	{"cancelled", func(f *faulty) { f.cancel() }, nil, false},
	{"taken out", func(f *faulty) { f.reader.Remove() }, []protocol.Code{protocol.CardRemoved}, true},
	{"unplugged", func(f *faulty) { f.b.system.RemoveReader(f.reader) }, []protocol.Code{protocol.CardRemoved, protocol.NoReader}, true},
}

// faulty is a bench on which things go wrong.
type faulty struct {
	b           *bench
	reader      *testcards.Reader
	card, other *testcards.Card
	asked       atomic.Int64 // for PINs
	cancel      context.CancelFunc
}

// faultySites are the sites that take turns, as what is cancelled too often is refused; the policy allows them everything.
const faultySites = 20

func faultySite(n int) string { return fmt.Sprintf("https://site%d.example", n%faultySites) }

func faultyPolicy() string {
	var p strings.Builder
	for n := range faultySites {
		fmt.Fprintf(&p, `[[site]]
origin = %q
operations = ["identity", "insurability", "login", "sign.certificate", "sign.hash", "sign.document", "pin.status", "pin.change"]
fields = ["surname", "nationalNumber", "address"]
photo = true
`, faultySite(n))
	}
	return p.String()
}

func newFaulty(t *testing.T) *faulty {
	f := &faulty{card: testcards.New(testcards.Citizen18), other: testcards.New(testcards.Citizen18, testcards.Options{Seed: 7})}
	f.b = newBench(t, faultyPolicy(), f.card)
	f.b.person.Desk = desk.New(desk.Options{AutoPIN: func(beid.Purpose) (card.PIN, error) {
		f.asked.Add(1)
		return card.NewPIN([]byte(testcards.PIN))
	}})
	var err error
	if f.reader, err = f.b.system.Reader("Reader 1"); err != nil {
		t.Fatal(err)
	}
	return f
}

// TestMishaps lets something happen before commands of every method: there is the
// right answer or an error with its code, no PIN try is spent, no PIN verified that
// nobody was asked for, another person's card gets no command, nothing stays open.
func TestMishaps(t *testing.T) {
	t.Parallel()
	mishapsAt(t, mishaps[:3], func(n, commands int) bool { return n == 1 || n == commands/2 || n == commands-1 })
}

func mishapsAt(t *testing.T, happen []mishap, when func(n, commands int) bool) {
	for _, op := range onCards {
		t.Run(op.method, func(t *testing.T) {
			t.Parallel()
			f := newFaulty(t)
			params := op.params
			if params == nil {
				digest := sha512.Sum384([]byte("content"))
				params = m{"hash": digest[:], "hashFunction": "SHA-384", "certificate": certificateIn(t, f.card, 0x5039)}
			}
			client := func(n int) access.Client {
				if op.page {
					return f.b.page()
				}
				return f.b.site(faultySite(n))
			}
			f.b.cardID("Reader 1")
			f.card.ClearStats()
			want, err := f.run(client(0), op.method, params)
			if err != nil {
				t.Fatal(err)
			}
			commands := f.card.Stats().Commands
			for _, what := range happen {
				struck := false
				for n := 1; n <= commands; n++ {
					if when(n, commands) {
						struck = f.mishap(t, client(n), op.method, params, want, what, n) || struck
					}
				}
				if !struck {
					t.Errorf("%s: never at any command", what.name)
				}
			}
			if got, err := f.run(client(0), op.method, params); err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("afterwards: %v, %v", got, err)
			}
		})
	}
}

// mishap has one thing happen before the nth command of a request; it tells
// whether the request came so far.
func (f *faulty) mishap(t *testing.T, client access.Client, method string, params, want m, what mishap, n int) bool {
	t.Helper()
	id := f.b.cardID("Reader 1")
	f.card.ClearStats()
	f.asked.Store(0)
	happened := false
	f.b.strikeAt(n, func() {
		happened = true
		what.do(f)
	})
	got, err := f.run(client, method, params)
	f.b.strikeAt(0, nil)
	switch {
	case err == nil && !reflect.DeepEqual(got, want):
		t.Errorf("%s at %d: %v", what.name, n, got)
	case err != nil && len(what.codes) == 0 && !errors.Is(err, context.Canceled) && protocol.CodeOf(err) != protocol.ConsentDenied,
		err != nil && len(what.codes) > 0 && !slices.Contains(what.codes, protocol.CodeOf(err)):
		t.Errorf("%s at %d: %v", what.name, n, err)
	}
	verified := 0
	for _, e := range f.card.Exchanges() {
		if len(e.Command) > 5 && e.Command[1] == insVerify {
			verified++
		}
	}
	if f.card.PINTries() != 3 || int64(verified) > f.asked.Load() || f.reader.Connections() != 0 {
		t.Errorf("%s at %d: %d tries, %d times verified and %d times asked, %d connections", what.name, n, f.card.PINTries(), verified, f.asked.Load(), f.reader.Connections())
	}
	untouched(t, f.other)
	if happened && what.gone {
		f.b.gone(id)
		switch what.name {
		case "unplugged":
			f.b.system.AddReader(f.reader)
		case "swapped":
			second := f.b.cardID("Reader 1")
			f.reader.Insert(f.card)
			f.b.gone(second)
		default:
			f.reader.Insert(f.card)
		}
		f.b.cardID("Reader 1")
	}
	return happened
}

func withDocument(params m, id protocol.DocumentID) m {
	params = maps.Clone(params)
	params["documentIds"] = []any{id}
	return params
}

// run is a request, and what of its answer is the same each time.
func (f *faulty) run(client access.Client, method string, params m) (m, error) {
	f.b.t.Helper()
	ctx, cancel := context.WithCancel(f.b.t.Context())
	defer cancel()
	f.cancel = cancel
	call := f.b.call(client, params)
	if method == "sign.document" {
		call.Params = f.b.call(client, withDocument(params, document(f.b.t, call, "contract.pdf", onePage("")).ID())).Params
	}
	defer call.Documents.Close()
	got, err := f.b.doCall(ctx, call, method)
	for _, name := range []string{"cardId", "documentId", "sha256", "size", "signingTime", "signature", "time"} {
		delete(got, name)
	}
	if token, ok := got["token"].(m); ok {
		delete(token, "signature")
	}
	return got, err
}
