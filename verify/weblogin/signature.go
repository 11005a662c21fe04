package weblogin

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"errors"
	"fmt"
	"strings"

	"github.com/eidkit/eidkit/internal/sigalg"
)

// RSA keys from here to there are accepted for login.
const (
	minRSA = 2048
	maxRSA = 8192
)

// algorithms are those of RFC 7518 section 3.1 that Web eID allows. An ES algorithm
// goes with one curve only.
var algorithms = map[string]struct {
	scheme sigalg.Scheme
	hash   crypto.Hash
	curve  elliptic.Curve
}{
	"ES256": {sigalg.ECDSA, crypto.SHA256, elliptic.P256()},
	"ES384": {sigalg.ECDSA, crypto.SHA384, elliptic.P384()},
	"ES512": {sigalg.ECDSA, crypto.SHA512, elliptic.P521()},
	"PS256": {sigalg.PSS, crypto.SHA256, nil},
	"PS384": {sigalg.PSS, crypto.SHA384, nil},
	"PS512": {sigalg.PSS, crypto.SHA512, nil},
	"RS256": {sigalg.PKCS1, crypto.SHA256, nil},
	"RS384": {sigalg.PKCS1, crypto.SHA384, nil},
	"RS512": {sigalg.PKCS1, crypto.SHA512, nil},
}

// checkSignature checks the token's signature over H(H(origin) || H(nonce)), H
// being the algorithm's hash (facts sheet "local agents" 2.3).
func (t *token) checkSignature(origin, nonce string) error {
	a, ok := algorithms[t.algorithm]
	if !ok {
		return fmt.Errorf("%w: %.40q", ErrAlgorithm, t.algorithm)
	}
	value := t.signature
	switch key := t.certificate.PublicKey.(type) {
	case *ecdsa.PublicKey:
		if key.Curve != a.curve {
			return fmt.Errorf("%w: %s with a key on %s", ErrAlgorithm, t.algorithm, key.Curve.Params().Name)
		}
		// JWS style: r and s of the curve's length each (RFC 7518 section 3.4).
		if len(value) != 2*((key.Curve.Params().BitSize+7)/8) {
			return fmt.Errorf("%w: %d bytes", ErrSignature, len(value))
		}
		var err error
		if value, err = sigalg.ECDSAFromRaw(value); err != nil {
			return ErrSignature
		}
	case *rsa.PublicKey:
		if bits := key.N.BitLen(); a.curve != nil || bits < minRSA || bits > maxRSA {
			return fmt.Errorf("%w: %s with an RSA key of %d bits", ErrAlgorithm, t.algorithm, bits)
		}
	default:
		return fmt.Errorf("%w: key of type %T", ErrAlgorithm, key)
	}
	algorithm := sigalg.Algorithm{Scheme: a.scheme, Hash: a.hash}
	if a.scheme == sigalg.PSS {
		algorithm.MGFHash, algorithm.SaltLength = a.hash, a.hash.Size() // RFC 7518 section 3.5
	}
	digest := sum(a.hash, sum(a.hash, []byte(origin)), sum(a.hash, []byte(nonce)))
	switch err := algorithm.Verify(t.certificate.PublicKey, digest, value); {
	case err == nil:
		return nil
	case errors.Is(err, sigalg.ErrBadSignature):
		return ErrSignature
	default:
		return fmt.Errorf("%w: %s", ErrAlgorithm, strings.TrimSpace(err.Error()))
	}
}

func sum(h crypto.Hash, parts ...[]byte) []byte {
	w := h.New()
	for _, p := range parts {
		w.Write(p)
	}
	return w.Sum(nil)
}
