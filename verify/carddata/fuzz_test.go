package carddata_test

import (
	"crypto"
	"testing"

	"github.com/eidkit/eidkit/testcards/pki"
	"github.com/eidkit/eidkit/verify/carddata"
)

func FuzzVerify(f *testing.F) {
	genuine := map[string]bool{}
	add := func(c *builtCard, response []byte) {
		x := c.files
		genuine[string(x.Identity)] = true
		f.Add(x.Identity, x.IdentitySignature, x.Address, x.AddressSignature, x.Photo, x.RRN, x.Root, x.BasicKey, x.CardData, response)
	}
	ec := newTestCard(f, testCard{basicKey: true})
	rsa := newTestCard(f, testCard{alg: pki.RSA, photo: crypto.SHA256, fill: 3})
	old := newTestCard(f, testCard{alg: pki.RSA1024, photo: crypto.SHA1})
	set := ec.anchors()
	set.Add(rsa.pki.Root.Certificate)
	set.Add(old.pki.Root.Certificate)
	add(ec, ec.answer(f, "card", challenge))
	add(rsa, nil)
	add(old, []byte{0})
	f.Add([]byte{1}, []byte{0x30, 0x84}, []byte{0}, []byte{0x30, 0x00}, []byte{}, []byte{0x30, 0x82, 0xFF, 0xFF}, []byte{0x30}, []byte{0x30, 0x01}, []byte{}, []byte{})
	f.Fuzz(func(t *testing.T, identity, identitySignature, address, addressSignature, photo, rrn, root, basicKey, cardData, response []byte) {
		files := carddata.Files{
			Identity: identity, IdentitySignature: identitySignature, Address: address, AddressSignature: addressSignature,
			Photo: photo, RRN: rrn, Root: root, CA: root, BasicKey: basicKey, CardData: cardData,
		}
		r := carddata.Verify(files, carddata.Options{Anchors: set, Time: year(2026), Challenge: challenge, Response: response})
		if r.Trusted() && (r.Failed() || !genuine[string(identity)]) {
			t.Fatalf("trusted: %+v", r)
		}
		for _, c := range r.Checks() {
			if (c.Check.Reason == "") != (c.Check.Status == carddata.Held) {
				t.Fatalf("%s: %+v", c.Name, c.Check)
			}
			if c.Check.Unproven() && r.Trusted() {
				t.Fatalf("trusted with %s unproven: %+v", c.Name, c.Check)
			}
		}
	})
}
