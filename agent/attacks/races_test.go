//go:build unix

package attacks

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/eidkit/eidkit/agent/audit"
	"github.com/eidkit/eidkit/agent/protocol"
)

// balanced wants a result for each intent in the log, and no more, of an agent
// that was stopped. One that was too slow to end what ran has said so.
func (r *rig) balanced(t *testing.T) {
	t.Helper()
	open := map[uint64]bool{}
	slow := strings.Contains(r.log.String(), "some requests do not end")
	for _, l := range r.logged(t, "") {
		switch l.Event {
		case audit.EventIntent:
			open[l.Seq] = true
		case audit.EventResult:
			if !open[l.Intent] {
				t.Errorf("a result of nothing: %+v", l)
			}
			delete(open, l.Intent)
		}
	}
	if len(open) != 0 && !slow {
		t.Errorf("intents without a result: %v", open)
	}
}

// doneOr tells whether an answer is a result, or one of these failures. That the
// card is in use, by the other requests of a test, is one for a machine that is slow.
func doneOr(answer string, codes ...protocol.Code) bool {
	return strings.Contains(answer, `"result"`) ||
		slices.ContainsFunc(append(codes, protocol.CardBusy), func(c protocol.Code) bool { return strings.Contains(answer, `"`+string(c)+`"`) })
}

// TestCancelled: requests that are cancelled at any moment, before they have
// begun, twice, by the wrong ID, or with the connection, leave a card that works,
// three tries, and a log in which each intent has its result.
func TestCancelled(t *testing.T) {
	t.Parallel()
	r := newRig(t, openPolicy)
	nonce := strings.Repeat("N", 44)
	for round := range 6 { // fewer than what a client's budget of refusals has
		page := r.wire(t, desk1)
		page.answer(page.send("operation.cancel", m{"id": page.id + 2}), nil) // what is not there yet
		login := page.send("auth.login", m{"challengeNonce": nonce})
		read := page.send("identity.read", ask)
		for range round { // the further, the later
			page.answer(page.send("agent.info", nil), nil)
		}
		for _, id := range []int{login, login, read, 4711} {
			page.send("operation.cancel", m{"id": id})
		}
		if round%3 == 2 {
			page.Close()
			continue
		}
		for _, id := range []int{login, read} {
			if got := page.answer(id, nil); !doneOr(got, protocol.PINCancelled, protocol.ConsentDenied) {
				t.Errorf("round %d: %s", round, got)
			}
		}
	}
	last := r.site(t, desk1)
	for err := error(nil); ; { // the connections that were closed may still be letting go of the card
		if err = last.Call(t.Context(), "identity.read", ask, nil); protocol.CodeOf(err) == protocol.CardBusy {
			continue
		}
		if err != nil {
			t.Error(err)
		}
		break
	}
	r.stop()
	if n := r.card.PINTries(); n != 3 {
		t.Errorf("%d tries are left", n)
	}
	r.balanced(t)
}

// TestStopped: an agent that is stopped while a question is open, a PIN is asked
// and others wait ends, and nothing was done.
func TestStopped(t *testing.T) {
	t.Parallel()
	for what, method := range map[string]string{"confirm": "identity.read", "pin": "auth.login"} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, openPolicy)
			r.person.will(t, what, "hold")
			origin, params := evil, ask
			if what == "pin" {
				origin, params = desk1, m{"challengeNonce": strings.Repeat("N", 44)}
			}
			page := r.wire(t, origin)
			first := page.send(method, params)
			<-r.person.ups
			second := page.send(method, params)
			r.stop()
			noKey(t, r.card)
			if what == "confirm" {
				untouched(t, r.card)
			}
			for _, id := range []int{first, second} {
				for page.answers[id] == nil {
					_, b, err := page.ReadMessage()
					if err != nil {
						break
					}
					var got struct{ ID *int }
					if json.Unmarshal(b, &got) == nil && got.ID != nil {
						page.answers[*got.ID] = b
					}
				}
				if strings.Contains(string(page.answers[id]), `"result"`) {
					t.Errorf("got %s", page.answers[id])
				}
			}
			r.balanced(t)
		})
	}
}

// TestDocumentTwice: the same document signed twice at once, and read, closed and
// written to meanwhile: two signatures over what was sent, and nothing else.
func TestDocumentTwice(t *testing.T) {
	t.Parallel()
	r := newRig(t, openPolicy)
	const text = "I owe you one euro.\n"
	page := r.wire(t, evil)
	id := page.document("promise.txt", text)
	params := m{"documentIds": []protocol.DocumentID{id}, "format": "cades", "level": "b", "purpose": "p"}
	both := []int{page.send("sign.document", params), page.send("sign.document", params)}
	page.send("document.read", m{"documentId": id, "offset": 0, "length": 100})
	page.chunk(id, uint64(len(text)), "")
	page.send("document.close", m{"documentId": id})
	for _, n := range both {
		if got := page.answer(n, nil); !doneOr(got, protocol.InvalidArgument) {
			t.Errorf("got %s", got)
		}
	}
	for _, l := range r.logged(t, evil) {
		if l.Event == audit.EventResult && l.Result == "done" && l.Digest != hexSum(text) {
			t.Errorf("the log has %+v", l)
		}
	}
	if n := r.card.PINTries(); n != 3 {
		t.Errorf("%d tries", n)
	}
	// Half a document is none.
	var opened struct{ DocumentID protocol.DocumentID }
	page.answer(page.send("document.open", m{"name": "a.txt", "size": 10}), &opened)
	page.chunk(opened.DocumentID, 0, "half")
	r.card.ClearStats()
	params["documentIds"] = []protocol.DocumentID{opened.DocumentID}
	for method, p := range map[string]m{"sign.document": params, "verify.document": {"documentId": opened.DocumentID}, "document.read": {"documentId": opened.DocumentID, "offset": 0, "length": 4}} {
		if got := page.answer(page.send(method, p), nil); !strings.Contains(got, string(protocol.InvalidArgument)) {
			t.Errorf("%s of half a document: %s", method, got)
		}
	}
	untouched(t, r.card)
	r.stop()
	r.balanced(t)
}
