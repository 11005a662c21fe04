package card_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/eidkit/eidkit/card"
)

const recording = `
reader Example Reader 00
atr 3B9813400AA503010101AD1311
> 00A4080C063F00DF014031
< 9000
> 00B0000000
< 6C04
> 00B0000004
< 010203049000
> 0020000108****************
< 63C2
`

func ExampleCard_Do() {
	reader, err := card.ParseScript(strings.NewReader(recording))
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	c, err := card.Open(ctx, reader)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()

	var data []byte
	err = c.Do(ctx, func(tx *card.Tx) error {
		path := []byte{0x3F, 0x00, 0xDF, 0x01, 0x40, 0x31}
		if _, err := tx.Send(card.Command{INS: 0xA4, P1: 8, P2: 0x0C, Data: path}); err != nil {
			return err
		}
		data, err = tx.Send(card.Command{INS: 0xB0, Le: 256})
		return err
	})
	fmt.Printf("%X %v\n", data, err)
	// Output: 01020304 <nil>
}

func ExampleTrace() {
	reader, err := card.ParseScript(strings.NewReader(recording))
	if err != nil {
		fmt.Println(err)
		return
	}
	trace := card.Trace{Out: os.Stdout}
	ctx := context.Background()
	c, err := card.Open(ctx, trace.Reader(reader))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()

	pin, _ := card.NewPIN([]byte{'1', '2', '3', '4'})
	defer pin.Wipe()
	err = c.Do(ctx, func(tx *card.Tx) error {
		tx.Send(card.Command{INS: 0xA4, P1: 8, P2: 0x0C, Data: []byte{0x3F, 0x00, 0xDF, 0x01, 0x40, 0x31}})
		tx.Send(card.Command{INS: 0xB0, Le: 256})
		tx.NoRepeat() // from here a try may be spent
		block, err := pin.Block()
		if err != nil {
			return err
		}
		defer clear(block)
		_, err = tx.Send(card.Command{INS: 0x20, P2: 1, Data: block})
		return err
	})
	var wrong *card.PINError
	if errors.As(err, &wrong) {
		fmt.Println(pin, "is wrong, tries left:", wrong.TriesLeft)
	}
	// Output:
	// == "Example Reader 00": ATR 3B9813400AA503010101AD1311
	// >> 00A4080C063F00DF014031
	// << 9000
	// >> 00B0000000
	// << 6C04
	// >> 00B0000004
	// << 01020304 9000
	// >> 0020000108****************
	// << 63C2
	// REDACTED is wrong, tries left: 2
}
