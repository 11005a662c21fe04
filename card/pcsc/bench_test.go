package pcsc_test

import (
	"context"
	"testing"

	"github.com/eidkit/eidkit/card"
	"github.com/eidkit/eidkit/card/pcsc"
	"github.com/eidkit/eidkit/internal/pcscdtest"
)

// What the way through pcscd and vpcd costs, with a card that answers at once. design.md section 7 wants a full read, some 70
// commands, in under 60 ms.

func BenchmarkTransmit(b *testing.B) {
	d := pcscdtest.Start(b)
	d.Insert(b, 0, newChip())
	tr := connect(b, card.Shared)
	ctx := context.Background()
	if err := tr.Begin(ctx); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := tr.Transmit(ctx, readMuch); err != nil {
			b.Fatal(err)
		}
	}
	b.StopTimer()
	if err := tr.End(context.Background(), card.Leave); err != nil {
		b.Error(err)
	}
}

// BenchmarkConnect is finding the reader, connecting, an empty transaction and closing.
func BenchmarkConnect(b *testing.B) {
	d := pcscdtest.Start(b)
	d.Insert(b, 0, newChip())
	for b.Loop() {
		readCard(b, 0)
	}
}

// BenchmarkSeventyCommands is the same with what a full read sends.
func BenchmarkSeventyCommands(b *testing.B) {
	d := pcscdtest.Start(b)
	d.Insert(b, 0, newChip())
	for b.Loop() {
		readCard(b, 70)
	}
}

func readCard(b *testing.B, commands int) {
	ctx := context.Background()
	r, err := pcsc.Open(ctx, "")
	if err != nil {
		b.Fatal(err)
	}
	tr, err := r.Connect(ctx, card.Shared)
	if err != nil {
		b.Fatal(err)
	}
	defer tr.Close()
	if err := tr.Begin(ctx); err != nil {
		b.Fatal(err)
	}
	for range commands {
		if _, err := tr.Transmit(ctx, readMuch); err != nil {
			b.Fatal(err)
		}
	}
	if err := tr.End(context.Background(), card.Leave); err != nil {
		b.Fatal(err)
	}
}
