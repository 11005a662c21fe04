package sign

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/eidkit/eidkit/internal/policy"
	"github.com/eidkit/eidkit/internal/sigalg"
)

// algorithmFor chooses how a key signs. What counts as weak is as in the default policy of package verify, today: a claimed signing
// time in the past makes no key stronger.
func algorithmFor(pub crypto.PublicKey, o *Options) (sigalg.Algorithm, error) {
	a := sigalg.Algorithm{Hash: o.Hash}
	switch k := pub.(type) {
	case *rsa.PublicKey:
		a.Scheme = sigalg.PKCS1
		setDefault(&a.Hash, crypto.SHA256)
		if o.PSS {
			a.Scheme, a.MGFHash, a.SaltLength = sigalg.PSS, a.Hash, a.Hash.Size()
		}
	case *ecdsa.PublicKey:
		a.Scheme = sigalg.ECDSA
		setDefault(&a.Hash, hashForCurve(sigalg.KeyBits(k)))
		if o.PSS {
			return a, misuse("PSS is for RSA keys, and this one is %s", sigalg.KeyName(pub))
		}
	default:
		return a, fmt.Errorf("%w: %s; RSA and ECDSA are made", ErrAlgorithm, sigalg.KeyName(pub))
	}
	if err := checkHash(a.Hash); err != nil {
		return a, err
	}
	if w, weak := policy.Default().Key(a.Scheme, pub, time.Now()); weak {
		return a, fmt.Errorf("%w: a key of kind %s is too weak", ErrAlgorithm, w.Name)
	}
	return a, nil
}

func checkHash(h crypto.Hash) error {
	if !slices.Contains(accepted, h) {
		return fmt.Errorf("%w: digest %s; SHA-256, SHA-384, SHA-512 and SHA-3 of these lengths are made", ErrAlgorithm, sigalg.HashName(h))
	}
	return nil
}

// hashForCurve is the digest as long as the curve's order, or the longest there is (RFC 5753 section 8, ETSI TS 119 312 section 7.3).
func hashForCurve(bits int) crypto.Hash {
	switch {
	case bits <= 256:
		return crypto.SHA256
	case bits <= 384:
		return crypto.SHA384
	}
	return crypto.SHA512
}

// stampHash is the digest of time stamps where no signature gives one.
func stampHash(o *Options) (crypto.Hash, error) {
	h := o.Hash
	setDefault(&h, crypto.SHA256)
	return h, checkHash(h)
}

func setDefault[T comparable](v *T, def T) {
	var zero T
	if *v == zero {
		*v = def
	}
}

// signerOpts are the options of crypto.Signer.Sign for an algorithm.
func signerOpts(a sigalg.Algorithm) crypto.SignerOpts {
	if a.Scheme == sigalg.PSS {
		return &rsa.PSSOptions{SaltLength: a.SaltLength, Hash: a.Hash}
	}
	return a.Hash
}

// randomFor is the source of randomness that a key is given. On the curves of NIST it is none, so that keys in software sign as RFC
// 6979 says: the same input gives the same signature.
func randomFor(pub crypto.PublicKey) io.Reader {
	k, ok := pub.(*ecdsa.PublicKey)
	if ok && slices.Contains([]elliptic.Curve{elliptic.P256(), elliptic.P384(), elliptic.P521()}, k.Curve) {
		return nil
	}
	return rand.Reader
}
