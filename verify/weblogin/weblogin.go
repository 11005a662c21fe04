// Package weblogin validates Web eID authentication tokens: proof that whoever
// sent a login request holds a card whose key signed this site's origin
// together with a nonce that this site gave out.
//
// Start with Challenge, which gives a nonce to a browser session, and Login,
// which takes the nonce back and judges the token; ExampleLogin is a server to
// begin with. Validate judges a token against a nonce that the caller kept
// himself. Errors are sentinels; Code gives the stable code and the HTTP status
// of each.
//
// The formats web-eid:1.0 and web-eid:1.1 are read, exactly. Order matters: the
// signature is checked before anything is asked of the network, so that a
// worthless token costs nobody else a request. The origin comes from the
// options and never from the token. Nothing is accepted on doubt: an algorithm
// that does not fit the key, a field that stands twice, a certificate whose
// revocation cannot be found out.
//
// Out of scope: sessions and cookies, the JavaScript of the page, signing
// (the signing certificates of format 1.1 are checked as far as can be without
// a signature), what the user saw on his screen.
//
// References: Web eID authentication token format 1.0 and 1.1 (web-eid
// system architecture document), facts sheet "local agents" 2.3 and 2.4,
// RFC 7518 section 3.1 (algorithms), RFC 6454 section 6.2 (origins), RFC 5280.
package weblogin

import (
	"context"
	"crypto/x509"
	"fmt"
	"time"

	"github.com/eidkit/eidkit/verify"
)

// Options say what a site accepts. Origin and Revocation have to be set; all
// else may be zero.
type Options struct {
	// Origin is the site's own, as browsers serialise it in ASCII:
	// "https://example.be", "https://example.be:8443". Lower case, the port
	// only if it is not 443, no slash at the end, names in Punycode.
	Origin string
	// LoopbackHTTP allows "http:" origins of localhost, 127.0.0.1 and [::1],
	// for development.
	LoopbackHTTP bool

	// Anchors are the trusted roots; nil means the pinned Belgian ones.
	Anchors *verify.Anchors
	// Intermediates are further certificates of CAs. They are no anchors.
	Intermediates []*x509.Certificate
	// Issuers, if not nil, is asked for certificates that are missing in a
	// path; the method of verify.Verifier fetches them from where a
	// certificate says.
	Issuers func(ctx context.Context, c *x509.Certificate) []*x509.Certificate

	// Revocation tells whether certificates were revoked; Online asks their
	// issuers. It may be nil only if Mode is SkipRevocation.
	Revocation Revocation
	Mode       RevocationMode

	// RequiredPolicies are certificate policies (OIDs with dots) of which the
	// certificate must have one; DisallowedPolicies are those it must not
	// have.
	RequiredPolicies, DisallowedPolicies []string
	// OnlyV10 refuses format web-eid:1.1.
	OnlyV10 bool
	// ClockSkew is by how much certificates may be not yet, or no longer,
	// valid; at most 15 minutes.
	ClockSkew time.Duration
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Person is who logged in, by a token that holds.
type Person struct {
	verify.Signer
	// SerialNumber is the subject's serialNumber as it stands, for countries
	// whose numbers are not read: "PNOEE-38001085718".
	SerialNumber string
	// Certificate is the authentication certificate, Path its path to the
	// anchor.
	Certificate *x509.Certificate
	Path        verify.Path
	// Algorithm is the JWA name of the token's signature: "ES384".
	Algorithm string
	// Format is "web-eid:1.0" or "web-eid:1.1".
	Format string
	// AppVersion is what the token says it was made by; nobody signed that.
	AppVersion string
	// SigningCertificates came with format 1.1: of the same person by the same
	// issuer. The token's signature does not cover them and their revocation
	// was not checked: they prove nothing before something is signed.
	SigningCertificates []SigningCertificate
	// Warnings say in English what was not found out, with AllowUnknown.
	Warnings []string
}

// SigningCertificate is one that a mobile app offers for signing later.
type SigningCertificate struct {
	Certificate *x509.Certificate
	Algorithms  []SignatureAlgorithm
}

// SignatureAlgorithm is what a device says it can sign with, in the terms of
// Web eID.
type SignatureAlgorithm struct {
	CryptoAlgorithm string // ECC, RSA
	HashFunction    string // SHA-256, SHA3-256, ...
	PaddingScheme   string // NONE, PKCS1.5, PSS
}

// Login takes the session's nonce out of the store, which works once, and
// validates the token with it. The nonce is used up whatever the outcome.
func Login(ctx context.Context, token []byte, store NonceStore, session string, o Options) (*Person, error) {
	nonce, err := store.Take(ctx, session)
	if err != nil {
		return nil, fmt.Errorf("logging in: %w", err)
	}
	return Validate(ctx, token, nonce, o)
}

// Validate judges a token: JSON of 100 to 10,000 characters, as the browser
// sent it. nonce is the text that this site gave to the browser, 44 characters
// at least; it must come from the site's own memory, must be taken out of it
// before, and must not be older than some minutes.
func Validate(ctx context.Context, token []byte, nonce string, o Options) (*Person, error) {
	v, err := newValidator(o)
	if err == nil {
		var p *Person
		if p, err = v.validate(ctx, token, nonce); err == nil {
			return p, nil
		}
	}
	return nil, fmt.Errorf("validating login token: %w", err)
}

// validate goes from what is cheap and local to what costs others.
func (v *validator) validate(ctx context.Context, raw []byte, nonce string) (*Person, error) {
	t, err := parseToken(raw)
	if err != nil {
		return nil, err
	}
	if v.o.OnlyV10 && t.format != format10 {
		return nil, fmt.Errorf("%w: %s", ErrFormat, t.format)
	}
	if err := checkNonce(nonce); err != nil {
		return nil, err
	}
	if err := t.checkSignature(v.o.Origin, nonce); err != nil {
		return nil, err
	}
	if err := v.checkPurpose(t.certificate, authentication); err != nil {
		return nil, err
	}
	if err := v.checkPolicies(t.certificate); err != nil {
		return nil, err
	}
	chain, err := v.buildPath(ctx, t.certificate)
	if err != nil {
		return nil, err
	}
	for i, s := range t.signing {
		if err := v.checkSigning(ctx, t.certificate, s.Certificate); err != nil {
			return nil, fmt.Errorf("%w: number %d: %w", ErrSigningCertificate, i+1, err)
		}
	}
	warnings, err := v.checkRevocation(ctx, chain)
	if err != nil {
		return nil, err
	}
	signer, serial := signerOf(t.certificate)
	return &Person{
		Signer: signer, SerialNumber: serial, Certificate: t.certificate, Path: chain, Algorithm: t.algorithm,
		Format: t.format, AppVersion: t.appVersion, SigningCertificates: t.signing, Warnings: warnings,
	}, nil
}
