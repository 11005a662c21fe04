package testcards

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"encoding/asn1"
	"math/big"
	"slices"

	// The hashes that the algorithm references name; the card itself hashes nothing.
	_ "crypto/md5"
	_ "crypto/sha1"
	_ "crypto/sha256"
	_ "crypto/sha512"
)

// environment is what MSE SET has set.
type environment struct {
	key       byte // 0: nothing
	algorithm algorithm
}

// algorithm is an algorithm reference of MSE SET (sheet 6.1). Either lengths or longest says how many bytes are signed.
type algorithm struct {
	scheme  scheme
	hash    crypto.Hash // 0: the data are a DigestInfo already, or a hash of any kind
	lengths []int
	longest int
}

type scheme int

const (
	pkcs1 scheme = iota
	pss
	ecdsaRaw
)

// Algorithm references by applet. RSA signs at most what leaves 11 bytes for the padding.
var (
	algorithms11 = map[byte]algorithm{
		0x01: {scheme: pkcs1, longest: 117},
		0x02: {scheme: pkcs1, hash: crypto.SHA1, lengths: []int{20}},
		0x04: {scheme: pkcs1, hash: crypto.MD5, lengths: []int{16}},
	}
	algorithms17 = map[byte]algorithm{
		0x01: {scheme: pkcs1, longest: 245},
		0x02: {scheme: pkcs1, hash: crypto.SHA1, lengths: []int{20}},
		0x04: {scheme: pkcs1, hash: crypto.MD5, lengths: []int{16}},
		0x08: {scheme: pkcs1, hash: crypto.SHA256, lengths: []int{32}},
		0x10: {scheme: pss, hash: crypto.SHA1, lengths: []int{20}},
		0x20: {scheme: pss, hash: crypto.SHA256, lengths: []int{32}},
	}
	algorithms18 = map[byte]algorithm{
		0x01: {scheme: ecdsaRaw, lengths: []int{32}},
		0x02: {scheme: ecdsaRaw, lengths: []int{48}},
		0x04: {scheme: ecdsaRaw, lengths: []int{64}},
		0x08: {scheme: ecdsaRaw, lengths: []int{32}}, // SHA-3
		0x10: {scheme: ecdsaRaw, lengths: []int{48}},
		0x20: {scheme: ecdsaRaw, lengths: []int{64}},
		0x40: {scheme: ecdsaRaw, lengths: []int{20, 28, 32, 48, 64}},
	}
)

// manageSecurityEnvironment is MSE SET for a signature (sheet 6.1). A refusal leaves nothing set: the next signature is refused
// rather than made with another key than the caller believes.
func (c *Card) manageSecurityEnvironment(cmd command) uint16 {
	switch {
	case cmd.p1 != 0x41 || cmd.p2 != 0xB6:
		return swWrongOffset
	case !cmd.complete() || len(cmd.data) != 5:
		return swWrongLength
	}
	c.vol.mse = environment{}
	d := cmd.data
	if d[0] != 0x04 || d[1] != 0x80 || d[3] != 0x84 {
		return swWrongData
	}
	alg, ok := c.applet.algorithms[d[2]]
	if !ok {
		return swWrongData
	}
	key, ok := c.keys[d[4]]
	switch {
	case !ok:
		return swKeyNotFound
	case key.inactive:
		return swConditions
	}
	c.vol.mse = environment{key: d[4], algorithm: alg}
	return swOK
}

// computeSignature is PSO COMPUTE DIGITAL SIGNATURE (sheet 6.2).
func (c *Card) computeSignature(cmd command, since int) ([]byte, uint16) {
	mse := c.vol.mse
	switch {
	case cmd.p1 != 0x9E || cmd.p2 != 0x9A:
		return nil, swWrongParameters
	case mse.key == 0:
		return nil, swConditions
	case mse.key == 0x81: // signs challenges only
		return nil, swConditions
	case mse.key == 0x82 && !c.vol.rights.use82():
		return nil, swSecurity
	case mse.key == 0x83 && !c.vol.rights.may83(since, c.applet.between):
		return nil, swSecurity
	case !cmd.complete() || !mse.algorithm.takes(len(cmd.data)):
		return nil, swWrongLength
	}
	sig, err := mse.algorithm.sign(c.keys[mse.key].signer, cmd.data)
	if err != nil {
		return nil, swFailure
	}
	if mse.key == 0x83 {
		c.vol.rights.used83()
	}
	return sig, swOK
}

// internalAuthenticate has the card key sign a challenge (sheet 6.4). The security environment is gone afterwards.
func (c *Card) internalAuthenticate(cmd command) ([]byte, uint16) {
	d := cmd.data
	switch {
	case !c.applet.cardKey:
		return nil, swInstruction
	case cmd.p1 != 2: // P-384
		return nil, swWrongParameters
	case cmd.p2 != 0x81:
		return nil, swKeyNotFound
	case !cmd.complete() || len(d) != 0x32:
		return nil, swWrongLength
	case d[0] != 0x94 || d[1] != 0x30:
		return nil, swWrongData
	}
	c.vol.mse = environment{}
	sig, err := c.applet.algorithms[0x02].sign(c.keys[0x81].signer, d[2:])
	if err != nil {
		return nil, swFailure
	}
	return sig, swOK
}

func (a algorithm) takes(n int) bool {
	if a.lengths == nil {
		return n > 0 && n <= a.longest
	}
	return slices.Contains(a.lengths, n)
}

func (a algorithm) sign(key crypto.Signer, data []byte) ([]byte, error) {
	switch a.scheme {
	case ecdsaRaw:
		return signRaw(key.(*ecdsa.PrivateKey), data)
	case pss:
		return rsa.SignPSS(rand.Reader, key.(*rsa.PrivateKey), a.hash, data, &rsa.PSSOptions{SaltLength: a.hash.Size()})
	}
	return rsa.SignPKCS1v15(nil, key.(*rsa.PrivateKey), a.hash, data)
}

// hashOfLength names a hash for RFC 6979, which makes the same signature of the same data and key every time.
var hashOfLength = map[int]crypto.Hash{20: crypto.SHA1, 28: crypto.SHA224, 32: crypto.SHA256, 48: crypto.SHA384, 64: crypto.SHA512}

// signRaw is ECDSA with r and s side by side, each as long as the group order.
func signRaw(key *ecdsa.PrivateKey, hash []byte) ([]byte, error) {
	der, err := key.Sign(nil, hash, hashOfLength[len(hash)])
	if err != nil {
		return nil, err
	}
	var rs struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(der, &rs); err != nil {
		return nil, err
	}
	size := (key.Params().N.BitLen() + 7) / 8
	out := make([]byte, 2*size)
	rs.R.FillBytes(out[:size])
	rs.S.FillBytes(out[size:])
	return out, nil
}
