package pcsc_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/eidkit/eidkit/card"
	"github.com/eidkit/eidkit/card/pcsc"
)

// Which reader is meant, and what to say when none is.
func ExampleOpen() {
	reader, err := pcsc.Open(context.Background(), "")
	var choice *pcsc.ChoiceError
	switch {
	case errors.As(err, &choice):
		fmt.Println("use one of", choice.Readers)
	case errors.Is(err, card.ErrNoService):
		fmt.Println("start pcscd")
	case errors.Is(err, card.ErrNoReader):
		fmt.Println("connect a reader")
	case errors.Is(err, card.ErrNoCard):
		fmt.Println("insert a card")
	case err != nil:
		fmt.Println(err)
	default:
		fmt.Println("the card is in", reader.Name())
	}
}

// Tell of everything that happens to the machine's readers.
func ExampleSystem() {
	err := card.Watch(context.Background(), pcsc.System(), func(e card.Event) error {
		fmt.Println(e.Kind, e.Reader)
		return nil
	})
	fmt.Println(err)
}
