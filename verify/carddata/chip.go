package carddata

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"

	"github.com/eidkit/eidkit/internal/beidfile"
)

// photo compares the photo with the hash in tag 11, whose length tells the
// algorithm (facts 3.2).
func (v *verifier) photo() Check {
	if v.files.Photo == nil {
		return absent("The photo was not given.")
	}
	if c, ok := v.needIdentity("photo"); !ok {
		return c
	}
	hash := hashByLength(v.id.PhotoHash)
	if hash == 0 {
		return failed(fmt.Sprintf("The identity file holds no hash of the photo that is known (%d bytes).", len(v.id.PhotoHash)), nil)
	}
	if !bytes.Equal(digest(hash, v.files.Photo), v.id.PhotoHash) {
		return failed("The photo is not the one named in the identity file.", nil)
	}
	if hash == crypto.SHA1 {
		v.weak("photo hash", "SHA-1")
	}
	return held()
}

// chipNumber compares tag 02 with the serial number that the chip tells.
func (v *verifier) chipNumber() Check {
	if v.files.CardData == nil {
		return absent("The card data were not given.")
	}
	if c, ok := v.needIdentity("chip number"); !ok {
		return c
	}
	if len(v.files.CardData) < 16 {
		return failed(fmt.Sprintf("The card data are too short (%d bytes).", len(v.files.CardData)), nil)
	}
	if !bytes.Equal(v.files.CardData[:16], v.id.ChipNumber) {
		return failed("The identity file is not that of this chip.", nil)
	}
	return held()
}

// basicKey compares tag 1A with SHA-384 over file 4040 (facts 3.2). A key that
// the identity names must be there: leaving the file out would otherwise hide
// that a card is another's.
func (v *verifier) basicKey() Check {
	switch {
	case len(v.files.BasicKey) > 0:
	case v.id != nil && len(v.id.BasicKeyHash) > 0:
		return unproven("The identity names a card key, and the card's key was not read.", nil)
	default:
		return absent("The card's public key was not given.")
	}
	if c, ok := v.needIdentity("card's public key"); !ok {
		return c
	}
	if len(v.id.BasicKeyHash) == 0 {
		return failed("The identity file names no card key, but there is one.", nil)
	}
	for _, key := range [][]byte{v.files.BasicKey, trimKey(v.files.BasicKey)} {
		if bytes.Equal(digest(crypto.SHA384, key), v.id.BasicKeyHash) {
			return held()
		}
	}
	return failed("The card's public key is not the one named in the identity file.", nil)
}

// chipKey checks the chip's answer to the challenge. The answer proves
// something only if the identity names the key.
func (v *verifier) chipKey() Check {
	o := v.opts
	switch {
	case len(o.Challenge) == 0 && len(o.Response) == 0:
		return absent("The chip was not challenged.")
	case len(o.Response) == 0:
		return unproven("The chip was not challenged, or did not answer.", nil)
	case len(o.Challenge) == 0:
		return unproven("The challenge that the chip answered was not given.", nil)
	case len(v.files.BasicKey) == 0:
		return unproven("The card's public key was not given.", nil)
	}
	if err := checkResponse(trimKey(v.files.BasicKey), o.Challenge, o.Response); err != nil {
		return failed("The chip's answer to the challenge does not fit its public key.", err)
	}
	if v.res.BasicKey.Status != Held {
		return untrusted("The chip's answer fits a public key for which the identity file does not vouch.", nil)
	}
	return held()
}

// checkResponse checks r and s, each as long as the curve's order, over the
// challenge, which the chip takes as the hash (facts 6.4).
func checkResponse(spki, challenge, response []byte) error {
	pub, err := x509.ParsePKIXPublicKey(spki)
	if err != nil {
		return fmt.Errorf("reading the card's public key: %w", err)
	}
	key, ok := pub.(*ecdsa.PublicKey)
	if !ok {
		return fmt.Errorf("the card's public key is a %T", pub)
	}
	hash := curveHash(key.Curve)
	if hash == 0 {
		return errors.New("the curve of the card's public key is unknown")
	}
	size := (key.Curve.Params().N.BitLen() + 7) / 8
	if len(challenge) != hash.Size() || len(response) != 2*size {
		return fmt.Errorf("challenge of %d and response of %d bytes, not %d and %d", len(challenge), len(response), hash.Size(), 2*size)
	}
	r, s := new(big.Int).SetBytes(response[:size]), new(big.Int).SetBytes(response[size:])
	if !ecdsa.Verify(key, challenge, r, s) {
		return errors.New("the signature does not fit")
	}
	return nil
}

// needIdentity returns false and the check to report when there is no readable
// identity to compare with.
func (v *verifier) needIdentity(what string) (Check, bool) {
	switch {
	case v.files.Identity == nil:
		return unproven("The identity file, which vouches for the "+what+", was not given.", nil), false
	case v.idErr != nil:
		return failed("The identity file, which vouches for the "+what+", cannot be read.", v.idErr), false
	}
	return Check{}, true
}

func hashByLength(sum []byte) crypto.Hash {
	switch len(sum) {
	case 20:
		return crypto.SHA1
	case 32:
		return crypto.SHA256
	case 48:
		return crypto.SHA384
	}
	return 0
}

func digest(hash crypto.Hash, data []byte) []byte {
	h := hash.New()
	h.Write(data)
	return h.Sum(nil)
}

// trimKey cuts zero filler off a public key file.
func trimKey(file []byte) []byte {
	if n, ok := beidfile.DERLength(file); ok && n <= len(file) && allZero(file[n:]) {
		return file[:n]
	}
	return file
}
