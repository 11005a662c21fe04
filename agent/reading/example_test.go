package reading_test

import (
	"context"
	"fmt"

	"github.com/eidkit/eidkit/agent/reading"
	"github.com/eidkit/eidkit/card/beid"
	"github.com/eidkit/eidkit/testcards"
	"github.com/eidkit/eidkit/verify"
)

// Name and photo of a card, verified, without its address or certificates being read.
func ExampleRead() {
	ctx := context.Background()
	sim := testcards.New(testcards.Citizen18)
	c, err := beid.Open(ctx, sim.Reader())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	roots := &verify.Anchors{}
	roots.Add(sim.Root())
	r, err := reading.Read(ctx, c, reading.Options{Photo: true, Challenge: true, Anchors: roots})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(r.Identity.GivenNames, r.Identity.Surname, r.Trusted(), r.Authenticated(), r.Address == nil)
	// Output:
	// Hanne Margriet Wouters-Specimen true true true
}
