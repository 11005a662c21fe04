// Package login makes Web eID authentication tokens: proof to a website that its
// visitor holds the card and knows the PIN.
//
// Start with ParseNonce and Token. This package is the one place where a
// client's request reaches the authentication key, and what the key signs is
// built here: the hash of an origin, which access.Origin vouches for, followed
// by the hash of a nonce. No function takes a digest, or bytes of any length.
//
// Out of scope: who may ask (agent/access), dialogs (agent/desk), judging tokens
// (verify/weblogin).
//
// References: Web eID authentication token format 1.0, facts sheet "local
// agents" 2.2 and 2.3; RFC 7518, sections 3.1, 3.3 and 3.4; RFC 6454, section 6.2.
package login

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/eidkit/eidkit/agent/access"
	"github.com/eidkit/eidkit/agent/protocol"
	"github.com/eidkit/eidkit/card"
	"github.com/eidkit/eidkit/card/beid"
)

const (
	format = "web-eid:1.0"

	// appVersion says which program made the token: a URL, as the format wants.
	// Nobody decides anything by it, and the version of a visitor's program is no
	// business of the site.
	appVersion = "https://github.com/eidkit/eidkit"
)

// Lengths of a nonce, in characters (facts sheet "local agents" 2.2).
const (
	minNonce = 44
	maxNonce = 128
)

// Nonce is a server's challenge. Only ParseNonce makes one; Token refuses the
// zero Nonce.
type Nonce struct{ text string }

// ParseNonce takes the text that a server gave out: 44 to 128 characters of
// printable ASCII without spaces, which is signed as it stands. The error is a
// *protocol.Error, INVALID_ARGUMENT.
func ParseNonce(s string) (Nonce, error) {
	if len(s) < minNonce || len(s) > maxNonce {
		return Nonce{}, protocol.Errorf(protocol.InvalidArgument, "challengeNonce has %d to %d characters", minNonce, maxNonce)
	}
	if strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return Nonce{}, protocol.Errorf(protocol.InvalidArgument, "challengeNonce is printable ASCII without spaces")
	}
	return Nonce{s}, nil
}

// token is the format web-eid:1.0; byte slices are written in base64.
type token struct {
	Certificate []byte `json:"unverifiedCertificate"` // DER
	Algorithm   string `json:"algorithm"`             // RFC 7518, section 3.1
	Signature   []byte `json:"signature"`
	Format      string `json:"format"`
	AppVersion  string `json:"appVersion"`
}

// Token has the card sign origin and nonce and returns the token, JSON of format
// web-eid:1.0: RS256 for an RSA key of 2048 bits or more, ES384 for P-384. The PIN
// is asked through ask and verified each time; the card keeps no right from it.
//
// Errors are those of beid's PIN functions, or wrap beid.ErrNoCertificate, or
// card.ErrUnsupported for other keys, or are a *protocol.Error:
// CERTIFICATE_EXPIRED, INVALID_ARGUMENT for a zero origin or nonce. All but the
// first come before the PIN is asked.
func Token(ctx context.Context, c *beid.Card, origin access.Origin, nonce Nonce, ask beid.PINFunc) ([]byte, error) {
	if origin == (access.Origin{}) || nonce == (Nonce{}) {
		return nil, protocol.Errorf(protocol.InvalidArgument, "a login needs the origin of a page and a nonce")
	}
	key, err := c.AuthenticationKey(ctx, ask)
	if err != nil {
		return nil, fmt.Errorf("logging in: %w", err)
	}
	cert := key.Certificate()
	if now := time.Now(); now.After(cert.NotAfter) {
		return nil, protocol.Errorf(protocol.CertificateExpired, "the authentication certificate has expired")
	}
	algorithm, opts, err := algorithmOf(key.Public())
	if err != nil {
		return nil, fmt.Errorf("logging in: %w", err)
	}
	signature, err := key.SignMessage(nil, signed(origin, nonce, opts.HashFunc()), opts)
	if err != nil {
		return nil, fmt.Errorf("logging in: %w", err)
	}
	return json.Marshal(token{cert.Raw, algorithm, signature, format, appVersion})
}

// algorithmOf is how a key signs a token: its name of RFC 7518, section 3.1, and
// what the card is asked for. ECDSA values are r and s as they are (section 3.4).
func algorithmOf(pub crypto.PublicKey) (string, crypto.SignerOpts, error) {
	switch pub := pub.(type) {
	case *rsa.PublicKey:
		if pub.N.BitLen() < 2048 { // section 3.3
			return "", nil, fmt.Errorf("an RSA key of %d bits, 2048 wanted: %w", pub.N.BitLen(), card.ErrUnsupported)
		}
		return "RS256", crypto.SHA256, nil
	case *ecdsa.PublicKey:
		if pub.Curve == elliptic.P384() {
			return "ES384", beid.RawECDSA{Hash: crypto.SHA384}, nil
		}
	}
	return "", nil, fmt.Errorf("a key of type %T: %w", pub, card.ErrUnsupported)
}

// signed is what the key signs: the hash of the origin followed by that of the
// nonce, both as text.
func signed(origin access.Origin, nonce Nonce, h crypto.Hash) []byte {
	return append(digest(h, origin.String()), digest(h, nonce.text)...)
}

func digest(h crypto.Hash, text string) []byte {
	d := h.New()
	d.Write([]byte(text))
	return d.Sum(nil)
}
