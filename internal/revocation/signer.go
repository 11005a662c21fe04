package revocation

import (
	"bytes"
	"context"
	"crypto/x509"
	"fmt"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/certs"
	"github.com/eidkit/eidkit/internal/crl"
	"github.com/eidkit/eidkit/internal/ocsp"
)

// ocspSigner finds who signed the answer, or recalls it.
func (in *inquiry) ocspSigner(r *ocsp.Response) (*x509.Certificate, error) {
	key := signedBy{ades.ObjectDigest(r.Raw), ades.ObjectDigest(in.Issuer.Raw)}
	if signer, ok := in.signers.get(key); ok {
		return signer, nil
	}
	if in.checks++; in.checks > maxChecks {
		return nil, ErrTooMuch
	}
	signer, err := r.Verify(in.Issuer, in.Pool)
	if err != nil {
		return nil, err
	}
	in.signers.put(key, signer, int64(len(signer.Raw))*2)
	return signer, nil
}

// listSigner finds out whose list it is, or recalls it.
func (in *inquiry) listSigner(ctx context.Context, x *crl.Index) (*x509.Certificate, error) {
	key := signedBy{x.List().Digest, ades.ObjectDigest(in.Issuer.Raw)}
	if signer, ok := in.signers.get(key); ok {
		return signer, nil
	}
	if in.checks++; in.checks > maxChecks {
		return nil, ErrTooMuch
	}
	signer, err := in.signerOf(ctx, x.List(), func(c *x509.Certificate) error {
		if x.SignedBy(c) {
			return nil
		}
		return x.List().CheckSigner(c)
	})
	if err == nil && signer.Equal(in.Issuer) { // of others, whether there is a path depends on the time
		in.signers.put(key, signer, int64(len(signer.Raw)))
	}
	return signer, err
}

// signerOf finds out whose list it is: the issuer's, signed with another key
// of his, or of somebody else who speaks for him (an indirect list). check
// tells whether a certificate's key signed it.
func (in *inquiry) signerOf(ctx context.Context, list *crl.List, check func(*x509.Certificate) error) (*x509.Certificate, error) {
	var best error
	if certs.EqualName(list.Issuer, in.Issuer.RawSubject) {
		if best = check(in.Issuer); best == nil {
			return in.Issuer, nil
		}
	}
	tried := 0
	for _, c := range in.Pool {
		if c == nil || !certs.EqualName(list.Issuer, c.RawSubject) || bytes.Equal(c.RawSubjectPublicKeyInfo, in.Issuer.RawSubjectPublicKeyInfo) {
			continue
		}
		if tried++; tried > maxSigners {
			break
		}
		if err := check(c); err != nil {
			best = err
			continue
		}
		if in.Path == nil {
			best = ErrNoPath
			continue
		}
		if err := in.Question.Path(ctx, c, in.Pool, list.ThisUpdate); err != nil {
			best = fmt.Errorf("%w: %w", ErrNoPath, err)
			continue
		}
		return c, nil
	}
	if best == nil {
		best = fmt.Errorf("%w: the certificate of %s is not there", crl.ErrSigner, certs.NameString(list.Issuer))
	}
	return nil, best
}
