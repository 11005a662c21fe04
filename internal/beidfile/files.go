// Package beidfile turns the files of a Belgian eID card from bytes into values: identity, address, card data, PKCS#15 token
// information and certificate directory, with the words and labels of the codes in them. It also knows which bytes the national
// register signs and where a DER object ends.
//
// Start with [ParseIdentity] and [ParseAddress]; [Files] is how the raw files of one card travel between packages. Everything here
// is hostile input: sizes are bounded, nothing panics, odd values become warnings as far as the rest can still be read.
//
// Out of scope: reading cards (card/beid), signatures and hashes (verify/carddata), check digits (niss), writing card files.
//
// References: the project's facts sheet on the Belgian eID, sections 1.3, 3, 4, 7 and 10.1, which names the public documents
// behind each figure; ISO/IEC 7816-15 (PKCS#15); ITU-T X.690 (DER).
package beidfile

import (
	"bytes"
	"slices"
)

// Files are the raw files as read from one card. Nil means not read, or not on the card.
type Files struct {
	ATR       []byte
	CardData  []byte // answer of GET CARD DATA, 28 or 31 bytes
	TokenInfo []byte // 5032

	Identity          []byte // 4031
	IdentitySignature []byte // 4032, whole with its zero filler: the address signature covers it
	Address           []byte // 4033
	AddressSignature  []byte // 4034
	Photo             []byte // 4035, JPEG

	Authentication []byte // 5038; certificates are cut to their DER length
	Signature      []byte // 5039
	CA             []byte // 503A
	Root           []byte // 503B
	RRN            []byte // 503C, the national register's

	BasicKey []byte // 4040, SubjectPublicKeyInfo (applet 1.8)
}

// DERLength is the total length of the DER object at the start of b, told from its header alone: b may be longer or shorter. It is
// not ok when the header is cut, when the object is no SEQUENCE (30; an absent certificate is a file of zeros), or when its length
// is indefinite or needs more than three bytes (X.690, section 8.1.3).
func DERLength(b []byte) (n int, ok bool) {
	if len(b) < 2 || b[0] != 0x30 {
		return 0, false
	}
	if b[1] < 0x80 {
		return 2 + int(b[1]), true
	}
	count := int(b[1] & 0x7F)
	if count < 1 || count > 3 || len(b) < 2+count {
		return 0, false
	}
	for _, c := range b[2 : 2+count] {
		n = n<<8 | int(c)
	}
	return 2 + count + n, true
}

// SignedAddress is what the signature in 4034 covers: the address file without its trailing zeros, then the whole file 4032,
// filler included (facts 3.6). The result is a new slice.
func SignedAddress(address, identitySignature []byte) []byte {
	return slices.Concat(bytes.TrimRight(address, "\x00"), identitySignature)
}
