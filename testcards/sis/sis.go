// Package sis simulates SIS cards, the readers that can read them, and the
// security module of a care provider.
//
// Start with Open and the name of a profile (Profiles lists them); Card.Insert
// fits a testcards.Reader, and testcards/vpcd takes it too. NewModule makes a
// security module for a second reader. Encode makes images of other persons.
//
// The real insurance data are enciphered by an algorithm that was never
// published. Those of these cards are enciphered by a scheme of this project,
// described at Module, which has nothing to do with the real one.
//
// All persons are invented. The same profile gives the same bytes.
//
// Out of scope: writing to cards, other memory cards.
//
// References: facts sheet sections 11 and 12; PC/SC part 3.
package sis

import (
	"fmt"
	"slices"
	"sync"
)

// Profile is a kind of card that can be made.
type Profile struct {
	Name        string `json:"name"`
	Description string `json:"description"`

	data   Data
	mangle func(image []byte)
}

// Profiles lists them, the ordinary one first.
func Profiles() []Profile { return slices.Clone(profiles) }

// Access is how the reader lets programs read a memory card.
type Access int

// The accesses.
const (
	PCSC  Access = iota // pseudo-commands FF A4 and FF B0 of PC/SC part 3
	ACR38               // a control call, then FF B2
)

// Card is a simulated SIS card together with what its reader does for it: a memory card has no processor that could answer.
// Safe for concurrent use.
type Card struct {
	image  []byte
	access Access

	mu       sync.Mutex
	selected bool
}

// Open makes the card of a profile, for readers of that access.
func Open(name string, access Access) (*Card, error) {
	i := slices.IndexFunc(profiles, func(p Profile) bool { return p.Name == name })
	if i < 0 {
		return nil, fmt.Errorf("no SIS card %q", name)
	}
	image := Encode(profiles[i].data)
	if profiles[i].mangle != nil {
		profiles[i].mangle(image)
	}
	return FromImage(image, access), nil
}

// FromImage makes a card of any 404 bytes.
func FromImage(image []byte, access Access) *Card {
	return &Card{image: slices.Clone(image), access: access}
}

// Image is a copy of the card's memory.
func (c *Card) Image() []byte { return slices.Clone(c.image) }

// ATR is what the reader makes up for the card; an ACR38 that was not told the type of card has none.
func (c *Card) ATR() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.access == ACR38 && !c.selected {
		return nil
	}
	return append([]byte{0x3B, 0x04}, c.image[:4]...)
}

// PowerOn, PowerOff and Reset have the reader forget the type of card; but an ACR38 keeps it.
func (c *Card) PowerOn() { c.forget() }

// PowerOff takes the power away.
func (c *Card) PowerOff() { c.forget() }

// Reset is what a reader does at a warm reset.
func (c *Card) Reset() { c.forget() }

func (c *Card) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.selected = c.selected && c.access == ACR38
}

// What the pseudo-commands answer (PC/SC part 3, section 3.2.2.1).
var (
	done        = []byte{0x90, 0x00}
	notKnown    = []byte{0x6D, 0x00}
	wrongClass  = []byte{0x6E, 0x00}
	wrongLength = []byte{0x67, 0x00}
	wrongPlace  = []byte{0x6B, 0x00}
	notAllowed  = []byte{0x69, 0x86}
)

// sle4428 is the number of the type of card.
const sle4428 = 5

// Transmit is the reader's answer to a command.
func (c *Card) Transmit(cmd []byte) []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case len(cmd) < 5:
		return slices.Clone(wrongLength)
	case cmd[0] != 0xFF:
		return slices.Clone(wrongClass)
	case c.access == PCSC && cmd[1] == 0xA4:
		if len(cmd) != 6 || cmd[4] != 1 || cmd[5] != sle4428 {
			return slices.Clone(wrongLength)
		}
		c.selected = true
		return slices.Clone(done)
	case c.access == PCSC && cmd[1] == 0xB0, c.access == ACR38 && cmd[1] == 0xB2:
		return c.read(cmd)
	}
	return slices.Clone(notKnown)
}

// read answers a command that reads. The memory has 1,024 bytes; those behind the image were never written.
func (c *Card) read(cmd []byte) []byte {
	at, n := int(cmd[2])<<8|int(cmd[3]), int(cmd[4])
	switch {
	case !c.selected:
		return slices.Clone(notAllowed)
	case len(cmd) != 5 || n == 0 || n > 252:
		return slices.Clone(wrongLength)
	case at+n > 1024:
		return slices.Clone(wrongPlace)
	}
	memory := slices.Concat(c.image, slices.Repeat([]byte{0xFF}, 1024-len(c.image)))
	if c.access == ACR38 {
		return append(memory[at:at+n:at+n], 0x90, byte(n)) // its status word says nothing
	}
	return append(memory[at:at+n:at+n], done...)
}

// Control is the ACR38's call that sets the type of card, as the driver for pcsc-lite takes it, and as that of Windows does.
func (c *Card) Control(code uint32, data []byte) (answer []byte, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.access != ACR38 || code != 0 && code != 0x312030 {
		return nil, false
	}
	switch string(data) {
	case "\x00\x00\x00\x00\x05\x00\x00\x00", "\x18\x00\x00\x00":
		c.selected = true
	case "\x00\x00\x00\x00\x00\x00\x00\x00":
		c.selected = false
	default:
		return nil, false
	}
	return nil, true
}
