package sign

import (
	"context"
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/eidkit/eidkit/internal/holder"
)

// checkKey: the key is the certificate's.
func checkKey(key Key) (*x509.Certificate, error) {
	if key == nil {
		return nil, misuse("there is no key")
	}
	c := key.Certificate()
	if c == nil {
		return nil, fmt.Errorf("%w: it has no certificate", ErrKeyMismatch)
	}
	pub, ok := key.Public().(interface{ Equal(x crypto.PublicKey) bool })
	if !ok || !pub.Equal(c.PublicKey) {
		return nil, fmt.Errorf("%w: the public keys differ", ErrKeyMismatch)
	}
	return c, nil
}

// checkStatus looks whether the certificate was revoked. At level B-LT and above all that will be embedded about it is gathered now,
// before anybody types a PIN, and what cannot be had is an error; below it only warns, and is not waited for long.
func (s *session) checkStatus(ctx context.Context) error {
	if err := s.say(stepEvidence, 0, 0); err != nil {
		return err
	}
	within := ctx
	if s.o.Level < LT {
		var end context.CancelFunc
		within, end = context.WithTimeout(ctx, patience)
		defer end()
	}
	_, err := s.verifier.Evidence(within, s.signer, s.options(time.Time{}, nil))
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err == nil:
	case s.o.Level >= LT:
		return evidenceError("the signer's certificate", err)
	case errors.Is(err, ErrExpired): // said by checkDates
	case errors.Is(err, ErrRevoked):
		s.warn("CERTIFICATE_REVOKED", "The signer's certificate was revoked or is suspended: nobody will accept the signature.", err.Error())
	default:
		s.warn("REVOCATION_NOT_CHECKED", "Whether the signer's certificate was revoked was not found out.", err.Error())
	}
	return nil
}

// checkDates: the certificate must be valid now, when the key is used, and at the claimed time.
func (s *session) checkDates() error {
	c, now := s.signer, time.Now()
	period := fmt.Sprintf("%s to %s", c.NotBefore.UTC().Format(time.DateOnly), c.NotAfter.UTC().Format(time.DateOnly))
	claimed := now
	if !s.o.Time.IsZero() {
		claimed = s.o.Time
	}
	code, text := "", ""
	switch {
	case now.After(c.NotAfter), claimed.After(c.NotAfter):
		code, text = "CERTIFICATE_EXPIRED", "The signer's certificate has expired."
	case now.Before(c.NotBefore), claimed.Before(c.NotBefore):
		code, text = "CERTIFICATE_NOT_YET_VALID", "The signer's certificate is not valid yet, or was not at the signing time."
	}
	if code != "" && s.o.Level >= LT {
		return evidenceError("the signer's certificate", fmt.Errorf("%w: %s", ErrExpired, period))
	}
	if code != "" {
		s.warn(code, text, period)
	}
	if claimed.After(now.Add(clockSkew)) {
		s.warn("SIGNING_TIME_IN_FUTURE", "The claimed signing time is in the future.", claimed.UTC().Format(time.RFC3339))
	}
	return nil
}

// Purposes of keys (extended key usage) that x509 has no constant for: smart card logon (Microsoft), document signing (RFC 9336 and
// Microsoft's older one), authentic documents (Adobe).
var (
	oidSmartcardLogon  = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 20, 2, 2}
	oidDocumentSigning = []asn1.ObjectIdentifier{
		{1, 3, 6, 1, 5, 5, 7, 3, 36}, {1, 3, 6, 1, 4, 1, 311, 10, 3, 12}, {1, 2, 840, 113583, 1, 1, 5},
	}
)

// checkUsage refuses keys that are not for documents. A certificate with key usage nonRepudiation (contentCommitment) is for them,
// and so is one without key usage. One with digitalSignature alone may be either: organisations have seals like that, so that it is
// refused only if it
//   - is an eID's of a citizen or foreigner, or another that calls itself "(Authentication)", or
//   - has extended key usages, clientAuth or smart card logon among them, and none that is for documents or mail.
//
// One with neither of the two key usages (encryption, key agreement, issuing certificates) is refused always.
func (s *session) checkUsage() error {
	c := s.signer
	switch {
	case c.KeyUsage == 0 || c.KeyUsage&x509.KeyUsageContentCommitment != 0:
		return nil
	case c.KeyUsage&x509.KeyUsageDigitalSignature == 0:
		return fmt.Errorf("%w: its certificate allows no signatures (key usage)", ErrAuthenticationKey)
	case isEID(c), onlyLogin(c):
		return fmt.Errorf("%w: it is for logging in; choose the signature key", ErrAuthenticationKey)
	}
	s.warn("KEY_USAGE", "The signer's certificate is not marked as one for signing documents (non-repudiation).", "")
	return nil
}

func isEID(c *x509.Certificate) bool {
	switch holder.Of(c).Kind {
	case holder.Citizen, holder.Foreigner, holder.Kid:
		return true
	}
	return strings.HasSuffix(c.Subject.CommonName, "(Authentication)")
}

func onlyLogin(c *x509.Certificate) bool {
	login := slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageClientAuth) || slices.ContainsFunc(c.UnknownExtKeyUsage, oidSmartcardLogon.Equal)
	documents := slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageEmailProtection) || slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageAny)
	for _, oid := range oidDocumentSigning {
		documents = documents || slices.ContainsFunc(c.UnknownExtKeyUsage, oid.Equal)
	}
	return login && !documents
}
