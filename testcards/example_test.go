package testcards_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/eidkit/eidkit/card"
	"github.com/eidkit/eidkit/testcards"
)

// A simulated card in a simulated reader, read by the code that reads real ones.
func ExampleOpen() {
	chip, err := testcards.Open("citizen-1.8", testcards.Options{Seed: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	c, err := card.Open(ctx, chip.Reader())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	err = c.Do(ctx, func(tx *card.Tx) error {
		data, err := tx.Send(card.Command{CLA: 0x80, INS: 0xE4, Le: 28})
		if err == nil {
			fmt.Printf("applet %02X, %d bytes of card data\n", data[21], len(data))
		}
		return err
	})
	fmt.Println(err, chip.Stats().Commands)
	// Output:
	// applet 18, 28 bytes of card data
	// <nil> 1
}

// The card is taken out while it is being read.
func ExampleReader_SetFaults() {
	r := testcards.New(testcards.Citizen18).Reader()
	r.SetFaults(testcards.Fault{Kind: testcards.TakeOut, At: 2})
	c, err := r.Connect(context.Background(), card.Shared)
	if err != nil {
		fmt.Println(err)
		return
	}
	for range 2 {
		_, err = c.Transmit(context.Background(), []byte{0x80, 0xE4, 0x00, 0x00, 0x1C})
		fmt.Println(errors.Is(err, card.ErrRemoved))
	}
	// Output:
	// false
	// true
}

// Readers that come and go, as card.Watch sees them.
func ExampleSystem() {
	var s testcards.System
	r := testcards.NewReader("desk", testcards.ReaderOptions{})
	r.Insert(testcards.New(testcards.Kid18))
	s.AddReader(r)
	ctx, cancel := context.WithCancel(context.Background())
	card.Watch(ctx, &s, func(e card.Event) error {
		fmt.Println(e.Reader, e.Kind)
		if e.Kind == card.CardInserted {
			cancel()
		}
		return nil
	})
	// Output:
	// desk reader added
	// desk card inserted
}
