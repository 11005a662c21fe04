package beid

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	_ "crypto/sha1" // SHA-1 PSS signatures of the oldest relying parties are checked here
	_ "crypto/sha256"
	_ "crypto/sha3"
	_ "crypto/sha512"
	"encoding/asn1"
	"fmt"
	"math/big"

	"github.com/eidkit/eidkit/card"
	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// RawECDSA asks a key for an ECDSA signature as r and s one after the other, each as long as the curve's order (96 bytes for
// P-384, as XML signatures and JWS want it), instead of DER.
type RawECDSA struct{ Hash crypto.Hash }

// HashFunc makes RawECDSA a crypto.SignerOpts.
func (o RawECDSA) HashFunc() crypto.Hash { return o.Hash }

// Algorithm references of MSE SET (facts sheet 6.1).
const (
	algDigestInfo  = 0x01 // RSA: PKCS#1 v1.5 over a DigestInfo given whole
	algSHA1        = 0x02 // RSA: v1.5 over a SHA-1 hash
	algSHA256      = 0x08 // RSA: v1.5 over a SHA-256 hash, since 1.7
	algPSSSHA1     = 0x10
	algPSSSHA256   = 0x20
	algECUnnamed   = 0x40 // ECDSA, hash not named
	maxDigestInfo1 = 117  // bytes, RSA 1024
	maxDigestInfo7 = 245  // bytes, RSA 2048
)

var ecdsaAlgorithms = map[crypto.Hash]byte{
	crypto.SHA256: 0x01, crypto.SHA384: 0x02, crypto.SHA512: 0x04,
	crypto.SHA3_256: 0x08, crypto.SHA3_384: 0x10, crypto.SHA3_512: 0x20,
	crypto.SHA1: algECUnnamed, crypto.SHA224: algECUnnamed, crypto.SHA3_224: algECUnnamed,
}

// digestOIDs are the DigestInfo algorithm identifiers, content octets.
var digestOIDs = map[crypto.Hash]asn1.ObjectIdentifier{
	crypto.SHA1:   {1, 3, 14, 3, 2, 26},
	crypto.SHA224: {2, 16, 840, 1, 101, 3, 4, 2, 4}, crypto.SHA256: {2, 16, 840, 1, 101, 3, 4, 2, 1},
	crypto.SHA384: {2, 16, 840, 1, 101, 3, 4, 2, 2}, crypto.SHA512: {2, 16, 840, 1, 101, 3, 4, 2, 3},
	crypto.SHA3_256: {2, 16, 840, 1, 101, 3, 4, 2, 8}, crypto.SHA3_384: {2, 16, 840, 1, 101, 3, 4, 2, 9},
	crypto.SHA3_512: {2, 16, 840, 1, 101, 3, 4, 2, 10},
}

// plan is how one signature is made: the algorithm reference, and the bytes for PSO.
type plan struct {
	algorithm byte
	input     []byte
}

// planSignature chooses how the card signs digest for opts with this kind of key. pub decides, not the applet: re-keyed 1.7 cards
// keep RSA keys under elliptic-curve CAs.
func (c *Card) planSignature(pub crypto.PublicKey, digest []byte, opts crypto.SignerOpts) (plan, error) {
	hash := opts.HashFunc()
	if hash == 0 {
		return plan{}, fmt.Errorf("signing without a hash algorithm: %w", card.ErrUnsupported)
	}
	if hash.Size() != len(digest) {
		return plan{}, fmt.Errorf("digest of %d bytes given for %v", len(digest), hash)
	}
	switch pub.(type) {
	case *ecdsa.PublicKey:
		alg, ok := ecdsaAlgorithms[hash]
		if !ok {
			return plan{}, fmt.Errorf("ECDSA with %v: %w", hash, card.ErrUnsupported)
		}
		return plan{alg, digest}, nil
	case *rsa.PublicKey:
		if pss, ok := opts.(*rsa.PSSOptions); ok {
			return c.planPSS(digest, hash, pss)
		}
		return c.planPKCS1(digest, hash)
	}
	return plan{}, fmt.Errorf("key of type %T: %w", pub, card.ErrUnsupported)
}

// planPSS: the card has a salt as long as the hash, and two hashes, since 1.7.
func (c *Card) planPSS(digest []byte, hash crypto.Hash, o *rsa.PSSOptions) (plan, error) {
	switch o.SaltLength {
	case rsa.PSSSaltLengthAuto, rsa.PSSSaltLengthEqualsHash, hash.Size():
	default:
		return plan{}, fmt.Errorf("RSASSA-PSS with a salt of %d bytes: %w", o.SaltLength, card.ErrUnsupported)
	}
	if c.data.AppletVersion >= 0x17 {
		switch hash {
		case crypto.SHA1:
			return plan{algPSSSHA1, digest}, nil
		case crypto.SHA256:
			return plan{algPSSSHA256, digest}, nil
		}
	}
	return plan{}, fmt.Errorf("RSASSA-PSS with %v on applet %X: %w", hash, c.data.AppletVersion, card.ErrUnsupported)
}

// planPKCS1: a bare hash where the card knows the algorithm, else a DigestInfo.
func (c *Card) planPKCS1(digest []byte, hash crypto.Hash) (plan, error) {
	switch {
	case hash == crypto.SHA1:
		return plan{algSHA1, digest}, nil
	case hash == crypto.SHA256 && c.data.AppletVersion >= 0x17:
		return plan{algSHA256, digest}, nil
	}
	oid, ok := digestOIDs[hash]
	if !ok {
		return plan{}, fmt.Errorf("RSA with %v: %w", hash, card.ErrUnsupported)
	}
	var b cryptobyte.Builder // DigestInfo, RFC 8017, appendix A.2.4
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(oid)
			b.AddASN1NULL()
		})
		b.AddASN1OctetString(digest)
	})
	info, err := b.Bytes()
	if err != nil {
		return plan{}, err
	}
	limit := maxDigestInfo7
	if c.data.AppletVersion < 0x17 {
		limit = maxDigestInfo1
	}
	if len(info) > limit {
		return plan{}, fmt.Errorf("DigestInfo of %d bytes: %w", len(info), card.ErrUnsupported)
	}
	return plan{algDigestInfo, info}, nil
}

// checkSignature verifies what the card answered, as r||s or RSA block, with the certificate's key: a garbled answer must not
// leave as a signature.
func checkSignature(pub crypto.PublicKey, digest, sig []byte, opts crypto.SignerOpts) error {
	ok := false
	switch pub := pub.(type) {
	case *ecdsa.PublicKey:
		r, s, err := splitECDSA(pub, sig)
		if err != nil {
			return err
		}
		ok = ecdsa.Verify(pub, digest, r, s)
	case *rsa.PublicKey:
		if pss, isPSS := opts.(*rsa.PSSOptions); isPSS {
			ok = rsa.VerifyPSS(pub, pss.HashFunc(), digest, sig, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}) == nil
		} else {
			ok = rsa.VerifyPKCS1v15(pub, opts.HashFunc(), digest, sig) == nil
		}
	}
	if !ok {
		return fmt.Errorf("the card's signature does not verify with its certificate: %w", card.ErrReader)
	}
	return nil
}

func splitECDSA(pub *ecdsa.PublicKey, sig []byte) (r, s *big.Int, err error) {
	size := (pub.Params().N.BitLen() + 7) / 8
	if len(sig) != 2*size {
		return nil, nil, fmt.Errorf("card answered %d bytes for an ECDSA signature of %d: %w", len(sig), 2*size, card.ErrReader)
	}
	return new(big.Int).SetBytes(sig[:size]), new(big.Int).SetBytes(sig[size:]), nil
}

// derECDSA codes r||s as the Ecdsa-Sig-Value of RFC 5753, section 7.2.
func derECDSA(r, s *big.Int) ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1BigInt(r)
		b.AddASN1BigInt(s)
	})
	return b.Bytes()
}
