package beid_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/sha512"
	"fmt"

	"github.com/eidkit/eidkit/card"
	"github.com/eidkit/eidkit/card/beid"
	"github.com/eidkit/eidkit/testcards"
	"github.com/eidkit/eidkit/verify"
	"github.com/eidkit/eidkit/verify/carddata"
)

// Reading a card and checking what it says. A real card is found with pcsc.Open in place of the simulated one, and needs no anchors:
// the Belgian roots are known.
func Example() {
	ctx := context.Background()
	sim := testcards.New(testcards.Citizen18)
	c, err := beid.Open(ctx, sim.Reader())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	id, err := c.Identity(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(id.GivenNames, id.Surname, "born", id.Birth)

	files, err := c.ReadAll(ctx, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	roots := &verify.Anchors{}
	roots.Add(sim.Root())
	fmt.Println("trusted:", carddata.Verify(files, carddata.Options{Anchors: roots}).Trusted())
	fmt.Println("trusted without the test root:", carddata.Verify(files, carddata.Options{}).Trusted())
	// Output:
	// Hanne Margriet Wouters-Specimen born 1987-01-22
	// trusted: true
	// trusted without the test root: false
}

// Signing with the holder's PIN, which is asked for when it is needed and wiped afterwards.
func ExampleCard_SigningKey() {
	ctx := context.Background()
	c, err := beid.Open(ctx, testcards.New(testcards.Citizen18).Reader())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	key, err := c.SigningKey(ctx, func(ctx context.Context, req beid.PINRequest) (card.PIN, error) {
		return card.NewPIN([]byte("1234")) // a real program shows a dialog here
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	digest := sha512.Sum384([]byte("I declare that this is so."))
	sig, err := key.Sign(nil, digest[:], crypto.SHA384)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("valid:", ecdsa.VerifyASN1(key.Public().(*ecdsa.PublicKey), digest[:], sig))
	// Output:
	// valid: true
}
