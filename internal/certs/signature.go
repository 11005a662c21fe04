package certs

import (
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"

	"github.com/eidkit/eidkit/internal/sigalg"
)

// ErrAlgorithms: the signature algorithm inside the signed part is another one
// than that beside the signature (RFC 5280 section 4.1.1.2).
var ErrAlgorithms = errors.New("the certificate names two signature algorithms")

// SignatureAlgorithm returns the algorithm by which the certificate was
// signed, read from its bytes: also those that crypto/x509 has no name for.
// Errors: ErrAlgorithms, sigalg.ErrUnsupported.
func SignatureAlgorithm(c *x509.Certificate) (sigalg.Algorithm, error) {
	if a, ok := plainAlgorithms[c.SignatureAlgorithm]; ok {
		return a, nil // crypto/x509 has compared the two places
	}
	outer, inner, err := algorithmIdentifiers(c.Raw)
	if err != nil {
		return sigalg.Algorithm{}, fmt.Errorf("%w: %w", sigalg.ErrUnsupported, err)
	}
	if string(outer) != string(inner) {
		return sigalg.Algorithm{}, ErrAlgorithms
	}
	return sigalg.Parse(outer)
}

// plainAlgorithms are those of crypto/x509 without parameters.
var plainAlgorithms = map[x509.SignatureAlgorithm]sigalg.Algorithm{
	x509.SHA1WithRSA:     {Scheme: sigalg.PKCS1, Hash: crypto.SHA1},
	x509.SHA256WithRSA:   {Scheme: sigalg.PKCS1, Hash: crypto.SHA256},
	x509.SHA384WithRSA:   {Scheme: sigalg.PKCS1, Hash: crypto.SHA384},
	x509.SHA512WithRSA:   {Scheme: sigalg.PKCS1, Hash: crypto.SHA512},
	x509.ECDSAWithSHA1:   {Scheme: sigalg.ECDSA, Hash: crypto.SHA1},
	x509.ECDSAWithSHA256: {Scheme: sigalg.ECDSA, Hash: crypto.SHA256},
	x509.ECDSAWithSHA384: {Scheme: sigalg.ECDSA, Hash: crypto.SHA384},
	x509.ECDSAWithSHA512: {Scheme: sigalg.ECDSA, Hash: crypto.SHA512},
	x509.PureEd25519:     {Scheme: sigalg.Ed25519},
}

// CheckSignature checks that the key of issuer signed child. It looks at no
// name, no date and no constraint: see package path for those. Errors:
// sigalg.ErrBadSignature, sigalg.ErrMismatch, sigalg.ErrUnsupported,
// ErrAlgorithms.
func CheckSignature(child, issuer *x509.Certificate) error {
	alg, err := SignatureAlgorithm(child)
	if err != nil {
		return err
	}
	return CheckValue(alg, issuer, child.RawTBSCertificate, child.Signature)
}

// CheckValue checks value, made with that algorithm by the key of signer, over
// the signed bytes, of a CRL or an OCSP answer for instance. Errors: those of
// CheckDigest.
func CheckValue(alg sigalg.Algorithm, signer *x509.Certificate, signed, value []byte) error {
	digest := signed
	if alg.Hash != 0 {
		if !alg.Hash.Available() {
			return fmt.Errorf("%w: %v", sigalg.ErrUnsupported, alg)
		}
		h := alg.Hash.New()
		h.Write(signed)
		digest = h.Sum(nil)
	}
	return CheckDigest(alg, signer, digest, value)
}

// CheckDigest is sigalg.Algorithm.Verify with the key of signer; a key for
// RSASSA-PSS alone is held to that and to its parameters (RFC 4055 section
// 3.3). Errors: sigalg.ErrBadSignature, sigalg.ErrMismatch,
// sigalg.ErrUnsupported.
func CheckDigest(alg sigalg.Algorithm, signer *x509.Certificate, digest, value []byte) error {
	if signer.PublicKey == nil {
		return fmt.Errorf("%w: public key of the signer", sigalg.ErrUnsupported)
	}
	if _, ok := signer.PublicKey.(*rsa.PublicKey); ok {
		if err := pssOnly(alg, signer.RawSubjectPublicKeyInfo); err != nil {
			return err
		}
	}
	return alg.Verify(signer.PublicKey, digest, value)
}

// pssOnly holds the algorithm against what the key is for.
func pssOnly(alg sigalg.Algorithm, spki []byte) error {
	oid, id, params, _, ok := readSPKI(spki)
	if !ok || oid.String() != keyPSS {
		return nil
	}
	if alg.Scheme != sigalg.PSS {
		return fmt.Errorf("%w: key for RSASSA-PSS and %v", sigalg.ErrMismatch, alg)
	}
	if params == nil {
		return nil
	}
	key, err := sigalg.Parse(id)
	if err != nil {
		return err
	}
	if alg.Hash != key.Hash || alg.MGFHash != key.MGFHash || alg.SaltLength >= 0 && alg.SaltLength < key.SaltLength {
		return fmt.Errorf("%w: key for %v and %v", sigalg.ErrMismatch, key, alg)
	}
	return nil
}

// algorithmIdentifiers returns the encoded signatureAlgorithm and the
// signature field of the tbsCertificate.
func algorithmIdentifiers(der []byte) (outer, inner []byte, err error) {
	l := &lenient{}
	input := reader{data: der, l: l}
	whole, ok1 := input.next(tagSequence)
	input.data = whole.body
	tbs, ok2 := input.next(tagSequence)
	out, ok3 := input.next(tagSequence)
	body := reader{data: tbs.body, l: l}
	_, _ = body.optional(0xa0)
	_, ok4 := body.next(tagInteger)
	in, ok5 := body.next(tagSequence)
	if !ok1 || !ok2 || !ok3 || !ok4 || !ok5 {
		return nil, nil, ErrMalformed
	}
	return out.full, in.full, nil
}
