package weblogin

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/eidkit/eidkit/internal/certs"
	"github.com/eidkit/eidkit/internal/holder"
	"github.com/eidkit/eidkit/internal/path"
	"github.com/eidkit/eidkit/internal/sigalg"
	"github.com/eidkit/eidkit/verify"
)

// maxSkew bounds Options.ClockSkew.
const maxSkew = 15 * time.Minute

// validator is the checked options.
type validator struct {
	o                    Options
	now                  time.Time
	required, disallowed []x509.OID
}

func newValidator(o Options) (*validator, error) {
	if err := checkOrigin(o.Origin, o.LoopbackHTTP); err != nil {
		return nil, err
	}
	if o.ClockSkew < 0 || o.ClockSkew > maxSkew {
		return nil, fmt.Errorf("%w: clock skew of %v", ErrOptions, o.ClockSkew)
	}
	if o.Mode < RequireGood || o.Mode > SkipRevocation || o.Revocation == nil && o.Mode != SkipRevocation {
		return nil, fmt.Errorf("%w: no way to find out about revocation", ErrOptions)
	}
	v := &validator{o: o, now: time.Now()}
	if o.Now != nil {
		v.now = o.Now()
	}
	var err error
	if v.required, err = oids(o.RequiredPolicies); err != nil {
		return nil, err
	}
	if v.disallowed, err = oids(o.DisallowedPolicies); err != nil {
		return nil, err
	}
	return v, nil
}

func oids(list []string) ([]x509.OID, error) {
	var out []x509.OID
	for _, s := range list {
		o, err := x509.ParseOID(s)
		if err != nil {
			return nil, fmt.Errorf("%w: policy %q", ErrOptions, s)
		}
		out = append(out, o)
	}
	return out, nil
}

// purpose is what a certificate is to be used for.
type purpose int

const (
	authentication purpose = iota
	signing
)

// checkPurpose looks at the key usage, which has to be there, and for
// authentication at the extended key usage, which need not: Belgian and
// Luxembourg certificates have none.
func (v *validator) checkPurpose(c *x509.Certificate, p purpose) error {
	want, name := x509.KeyUsageDigitalSignature, "digitalSignature"
	if p == signing {
		want, name = x509.KeyUsageContentCommitment, "nonRepudiation"
	}
	switch {
	case c.KeyUsage&want == 0:
		return fmt.Errorf("%w: key usage without %s", ErrPurpose, name)
	case c.IsCA:
		return fmt.Errorf("%w: it is a CA's", ErrPurpose)
	case p == authentication && len(c.ExtKeyUsage)+len(c.UnknownExtKeyUsage) > 0 && !slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageClientAuth):
		return fmt.Errorf("%w: extended key usage without clientAuth", ErrPurpose)
	}
	return nil
}

// checkPolicies holds the certificate's policies against the site's rules. A
// certificate without policies fulfils no requirement.
func (v *validator) checkPolicies(c *x509.Certificate) error {
	has := func(o x509.OID) bool { return slices.ContainsFunc(c.Policies, o.Equal) }
	for _, o := range v.disallowed {
		if has(o) {
			return fmt.Errorf("%w: it has %s", ErrPolicy, o)
		}
	}
	if len(v.required) > 0 && !slices.ContainsFunc(v.required, has) {
		return fmt.Errorf("%w: it has none that is required", ErrPolicy)
	}
	return nil
}

// buildPath finds a path that is valid now, give or take the clock skew.
func (v *validator) buildPath(ctx context.Context, c *x509.Certificate) (verify.Path, error) {
	at := []time.Time{v.now}
	if v.o.ClockSkew > 0 {
		at = append(at, v.now.Add(v.o.ClockSkew), v.now.Add(-v.o.ClockSkew))
	}
	cache := &path.Cache{}
	var first error
	for _, t := range at {
		r, err := path.Build(ctx, c, path.Options{
			Anchors: v.o.Anchors, Others: v.o.Intermediates, Issuers: v.o.Issuers, At: t, AnchorDates: true, Cache: cache,
			CheckSignature: strongSignature,
		})
		if err == nil {
			return r.Path, nil
		}
		if first == nil {
			first = pathError(ctx, err)
		}
		if !errors.Is(first, ErrExpired) {
			break
		}
	}
	return nil, first
}

// strongSignature checks a signature in a path. Logins are made today: what is
// no longer trusted today, SHA-1 above all, needs no leniency.
func strongSignature(child, issuer *x509.Certificate) error {
	alg, err := certs.SignatureAlgorithm(child)
	if err != nil {
		return err
	}
	weak := alg.Hash != 0 && alg.Hash.Size() < 28
	switch key := issuer.PublicKey.(type) {
	case *rsa.PublicKey:
		weak = weak || key.N.BitLen() < minRSA
	case *ecdsa.PublicKey:
		weak = weak || key.Curve.Params().BitSize < 256
	}
	if weak {
		return fmt.Errorf("%v by %s is not accepted", alg, sigalg.KeyName(issuer.PublicKey))
	}
	return certs.CheckSignature(child, issuer)
}

func pathError(ctx context.Context, err error) error {
	var e *path.Error
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case !errors.As(err, &e):
		return fmt.Errorf("%w: %w", ErrUntrusted, err)
	case errors.Is(e.Reason, path.ErrExpired):
		return fmt.Errorf("%w: %s", ErrExpired, e.Detail)
	case errors.Is(e.Reason, path.ErrPolicy):
		return fmt.Errorf("%w: %s", ErrPolicy, e.Detail)
	}
	return fmt.Errorf("%w: %s", ErrUntrusted, strings.TrimSpace(e.Error()))
}

// checkSigning checks a signing certificate of format 1.1 against the
// authentication certificate: same person, same issuer, for signing, trusted.
func (v *validator) checkSigning(ctx context.Context, auth, c *x509.Certificate) error {
	switch {
	case !bytes.Equal(auth.RawSubject, c.RawSubject):
		return errors.New("it is of another subject")
	case !bytes.Equal(auth.RawIssuer, c.RawIssuer), !bytes.Equal(auth.AuthorityKeyId, c.AuthorityKeyId), len(c.AuthorityKeyId) == 0:
		return errors.New("it is of another issuer")
	}
	if err := v.checkPurpose(c, signing); err != nil {
		return err
	}
	_, err := v.buildPath(ctx, c)
	return err
}

// signerOf reads who the certificate is for.
func signerOf(c *x509.Certificate) (signer verify.Signer, serial string) {
	h := holder.Of(c)
	return verify.Signer{
		NISS: h.NISS, Surname: h.Surname, GivenNames: h.GivenNames, CommonName: h.CommonName, Organization: h.Organization, Country: h.Country, Kind: string(h.Kind),
	}, h.SerialNumber
}
