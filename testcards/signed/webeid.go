package signed

import (
	"crypto"
	"crypto/ecdsa"
	"encoding/base64"
	"encoding/json"
	"fmt"

	"github.com/eidkit/eidkit/testcards/internal/cms"
	"github.com/eidkit/eidkit/testcards/pki"
)

// Login is a Web eID authentication token to be made (facts sheet "local
// agents" section 2.3).
type Login struct {
	// Signer is the authentication certificate.
	Signer *pki.Issued
	// Origin as the browser writes it, and the nonce as the server gave it.
	Origin, Nonce string
	// Format; empty: web-eid:1.0.
	Format string
	// Signing, for format 1.1, is the signature certificate.
	Signing *pki.Issued
	// PSS uses PS256 instead of RS256.
	PSS bool
	// Claimed replaces the algorithm's name in the token, for tests of what
	// must not be accepted.
	Claimed string
}

// token is the JSON of a login.
type token struct {
	Certificate string    `json:"unverifiedCertificate"`
	Signing     []signing `json:"unverifiedSigningCertificates,omitempty"`
	Algorithm   string    `json:"algorithm"`
	Signature   string    `json:"signature"`
	Format      string    `json:"format"`
	AppVersion  string    `json:"appVersion"`
}

type signing struct {
	Certificate string      `json:"certificate"`
	Algorithms  []algorithm `json:"supportedSignatureAlgorithms"`
}

type algorithm struct {
	Crypto  string `json:"cryptoAlgorithm"`
	Hash    string `json:"hashFunction"`
	Padding string `json:"paddingScheme"`
}

// WebEID makes the token: the signature is over the hash of the origin followed
// by the hash of the nonce, an ECDSA signature being r and s one after the
// other.
func WebEID(l Login) ([]byte, error) {
	if l.Signer == nil {
		return nil, fmt.Errorf("making login token: %w: nobody logs in", ErrOptions)
	}
	o := Options{Signer: l.Signer, Hash: cms.HashFor(l.Signer.Key.Public()), PSS: l.PSS}
	value, err := o.signer().Value(cms.Digest(o.Hash, cms.Digest(o.Hash, []byte(l.Origin)), cms.Digest(o.Hash, []byte(l.Nonce))))
	if err != nil {
		return nil, fmt.Errorf("making login token: %w", err)
	}
	if value, err = rawECDSA(l.Signer.Key.Public(), value); err != nil {
		return nil, fmt.Errorf("making login token: %w", err)
	}
	out := token{Certificate: base64.StdEncoding.EncodeToString(l.Signer.Certificate.Raw), Algorithm: l.Claimed,
		Signature: base64.StdEncoding.EncodeToString(value), Format: l.Format, AppVersion: "https://web-eid.eu/web-eid-app/releases/2.5.0+0"}
	if out.Algorithm == "" {
		out.Algorithm = o.jwa()
	}
	if out.Format == "" {
		out.Format = "web-eid:1.0"
	}
	if l.Signing != nil {
		a := algorithm{"ECC", "SHA-384", "NONE"}
		if _, ec := l.Signing.Key.Public().(*ecdsa.PublicKey); !ec {
			a = algorithm{"RSA", "SHA-256", "PKCS1.5"}
		}
		out.Signing = []signing{{base64.StdEncoding.EncodeToString(l.Signing.Certificate.Raw), []algorithm{a}}}
	}
	return json.Marshal(out)
}

// jwa is the name of the algorithm, RFC 7518 section 3.1.
func (o *Options) jwa() string {
	size := map[crypto.Hash]string{crypto.SHA256: "256", crypto.SHA384: "384", crypto.SHA512: "512"}[o.Hash]
	if _, ec := o.Signer.Key.Public().(*ecdsa.PublicKey); ec {
		return "ES" + size
	}
	if o.PSS {
		return "PS" + size
	}
	return "RS" + size
}
