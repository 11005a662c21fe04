package ocsp

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"

	"github.com/eidkit/eidkit/internal/certs"
)

// maxCandidates bounds the signatures checked for one answer: certificates
// with the responder's name can be made by anybody.
const maxCandidates = 8

// Find returns the statements about the certificate, in the answer's order.
// Errors: ErrOther if there is none.
func (r *Response) Find(cert, issuer *x509.Certificate) ([]Single, error) {
	var found []Single
	for _, s := range r.Singles {
		if !s.ID.Matches(cert, issuer) {
			continue
		}
		if s.certHash != nil && !s.certHash.fits(cert) {
			s.Unusable = fmt.Errorf("%w: its hash is not that of the certificate", ErrOther)
		}
		found = append(found, s)
	}
	if found == nil {
		return nil, ErrOther
	}
	return found, nil
}

// CheckNonce compares the answer's nonce with that of the question. An answer
// without one passes unless it is required: many services answer from a stock.
// Errors: ErrNonce.
func (r *Response) CheckNonce(sent []byte, required bool) error {
	switch {
	case r.Nonce == nil && required:
		return fmt.Errorf("%w: it has none", ErrNonce)
	case r.Nonce != nil && !bytes.Equal(r.Nonce, sent):
		return ErrNonce
	}
	return nil
}

// Verify finds out who signed the answer and whether he may speak for the
// issuer: the issuer himself, or a responder to whom he issued a certificate
// with the OCSPSigning purpose (RFC 6960 section 4.2.2.2). The responder is
// looked for by the answer's ResponderID among the issuer, the certificates in
// the answer and the pool, whatever their order. A delegated responder's
// certificate must have been valid when the answer was produced; whether it
// was revoked is for the caller, who can leave it at NoCheck.
//
// At most ten public-key operations. Errors: ErrResponder, ErrSignature, those
// of sigalg.
func (r *Response) Verify(issuer *x509.Certificate, pool []*x509.Certificate) (signer *x509.Certificate, err error) {
	if r.Unusable != nil {
		return nil, r.Unusable
	}
	if r.algorithmErr != nil {
		return nil, fmt.Errorf("checking OCSP answer: %w", r.algorithmErr)
	}
	best := fmt.Errorf("%w: its certificate is not there", ErrResponder)
	tried := 0
	for i, c := range slices.Concat([]*x509.Certificate{issuer}, r.Certificates, pool) {
		if c == nil || !r.signedBy(c) || i > 0 && c.Equal(issuer) {
			continue
		}
		if tried++; tried > maxCandidates {
			break
		}
		if err := r.checkResponder(c, issuer); err != nil {
			best = err
			continue
		}
		if err := certs.CheckValue(r.algorithm, c, r.tbs, r.signature); err != nil {
			best = fmt.Errorf("%w: %w", ErrSignature, err)
			continue
		}
		return c, nil
	}
	return nil, best
}

// signedBy reports whether the ResponderID names the certificate.
func (r *Response) signedBy(c *x509.Certificate) bool {
	if r.ResponderKey != nil {
		return bytes.Equal(r.ResponderKey, keySHA1(c))
	}
	return certs.EqualName(r.ResponderName, c.RawSubject)
}

// checkResponder checks that the issuer lets c answer for him.
func (r *Response) checkResponder(c, issuer *x509.Certificate) error {
	if c.Equal(issuer) || bytes.Equal(c.RawSubject, issuer.RawSubject) && bytes.Equal(c.RawSubjectPublicKeyInfo, issuer.RawSubjectPublicKeyInfo) {
		return nil
	}
	if !slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageOCSPSigning) {
		return fmt.Errorf("%w: its certificate is not for OCSP", ErrResponder)
	}
	if !certs.EqualName(c.RawIssuer, issuer.RawSubject) {
		return fmt.Errorf("%w: its certificate is from another issuer", ErrResponder)
	}
	if r.ProducedAt.Before(c.NotBefore) || r.ProducedAt.After(c.NotAfter) {
		return fmt.Errorf("%w: its certificate was not valid when the answer was produced", ErrResponder)
	}
	if _, _, has := certs.Extension(c, certs.OIDKeyUsage); has && c.KeyUsage&(x509.KeyUsageDigitalSignature|x509.KeyUsageContentCommitment) == 0 {
		return fmt.Errorf("%w: its key is not for signing", ErrResponder)
	}
	if err := certs.CheckSignature(c, issuer); err != nil {
		return errors.Join(ErrResponder, fmt.Errorf("its certificate was not signed by the issuer: %w", err))
	}
	return nil
}

// NoCheck reports whether a responder's certificate says that its revocation
// need not be looked at (id-pkix-ocsp-nocheck, RFC 6960 section 4.2.2.2.1).
func NoCheck(c *x509.Certificate) bool {
	_, _, has := certs.Extension(c, oidNoCheck)
	return has
}
