package cards_test

import (
	"context"
	"fmt"

	"github.com/eidkit/eidkit/agent/cards"
	"github.com/eidkit/eidkit/card"
	"github.com/eidkit/eidkit/testcards"
)

// Watching readers: a card is put in, and can then be found. Hub.Use works with it, for who has a pass. On a real machine System and
// Open are pcsc.System() and pcsc.Named.
func ExampleHub() {
	counter := testcards.NewReader("Counter 1", testcards.ReaderOptions{})
	system := &testcards.System{}
	system.AddReader(counter)

	hub := cards.New(cards.Options{System: system, Open: func(string) card.Reader { return counter }, Roles: map[string]string{"counter": "patient"}})
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() { _ = hub.Run(ctx) }() // until ctx ends
	<-hub.Ready()

	events := make(chan cards.Event, 1)
	now, stop := hub.Subscribe(func(e cards.Event) { events <- e })
	defer stop()
	fmt.Println(now[0].Name, now[0].Card == nil)

	counter.Insert(testcards.New(testcards.Citizen18))
	e := <-events
	fmt.Println(e.Kind, e.Reader, e.Role, e.Card)

	found, err := hub.Find("", []cards.Kind{cards.EID}, []string{"patient"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(found[0].CardID == e.CardID)
	// Output:
	// Counter 1 true
	// card.inserted Counter 1 patient eid
	// true
}
