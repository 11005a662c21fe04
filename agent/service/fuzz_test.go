//go:build unix

package service

import (
	"errors"
	"testing"

	"github.com/eidkit/eidkit/agent/desk"
	"github.com/eidkit/eidkit/agent/protocol"
	"github.com/eidkit/eidkit/testcards"
)

// FuzzParams: whatever a site sends, it gets an error of the protocol or what the
// schema says, and without a yes of the user no command reaches the card.
func FuzzParams(f *testing.F) {
	for method, seed := range map[string]string{
		"identity.read": `{"fields":["surname"],"photo":true,"purpose":"x"}`, "insurability.read": `{"niss":"71050120431","reading":{"mode":"manual","reason":"x"}}`,
		"auth.login": `{"challengeNonce":"` + nonce + `"}`, "sign.hash": `{"hash":"AA==","hashFunction":"SHA-256","certificate":"AA=="}`,
		"sign.document":   `{"documentIds":["00000000000000000000000000000000"],"format":"pades","level":"b","visible":{"rect":[1,2,3,4]}}`,
		"verify.document": `{"documentId":"00000000000000000000000000000000","at":"2026-01-01T00:00:00Z"}`, "pair.request": `{"name":"x","operations":["identity"]}`,
		"log.read": `{"before":1,"limit":-1}`, "card.load": `{"documentId":7}`, "readers.list": `null`, "pin.change": `{"cardId":["x"]}`,
	} {
		f.Add(method, []byte(seed))
	}
	c := testcards.New(testcards.Citizen18)
	b := newBench(f, askingPolicy, c)
	b.person.consent = func(desk.Consent) (desk.Answer, error) { return desk.Answer{}, desk.ErrTimeout }
	site, shelf := b.site(siteOrigin), b.store.Shelf()
	f.Cleanup(shelf.Close)
	f.Fuzz(func(t *testing.T, method string, params []byte) {
		call := &Call{ID: "1", Client: site, Params: params, Documents: shelf}
		do, ok := b.Methods()[method]
		if !ok {
			return
		}
		var known *protocol.Error
		if result, err := do(t.Context(), call); err == nil || !errors.As(err, &known) {
			t.Errorf("%s %s: %v, %v", method, params, result, err)
		}
		untouched(t, c)
	})
}
