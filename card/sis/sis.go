// Package sis reads the Belgian SIS card, the social security card of 1998 to
// 2016: a memory card without a processor.
//
// Start with Read on a reader; Parse takes an image apart that was read before.
// OpenModule opens the security module of a care provider in another reader,
// by which the enciphered insurance data become legible.
//
// What a SIS card says must not be relied on. It proves nothing (whoever has a
// writer can change it), its insurance data were not kept up to date after
// 2013, and since 2017 it is not valid at all: the network decides (package
// verify/assurability).
//
// Out of scope: writing; the algorithm of the real security modules, which was
// never published: only those of the simulated cards are known here.
//
// References: facts sheet sections 11 and 12; PC/SC part 3 (memory cards); the
// ACR38 reference manual; royal decree of 22 February 1998.
package sis

import "errors"

// Errors beside those of package card.
var (
	// ErrNotSIS: there is something else than a SIS card.
	ErrNotSIS = errors.New("not a SIS card")
	// ErrDamaged: a SIS card from which the holder's data cannot be read.
	ErrDamaged = errors.New("the SIS card is damaged")
	// ErrReader: the reader cannot read memory cards, or not in a way known here.
	ErrReader = errors.New("this reader cannot read SIS cards")
	// ErrModule: what is in the reader is no security module known here.
	ErrModule = errors.New("not a security module known here: the commands of the real ones were never published")
	// ErrSealed: the module does not open this card's insurance data.
	ErrSealed = errors.New("the security module does not open the insurance data of this card")
)
