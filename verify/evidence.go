package verify

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/certs"
	"github.com/eidkit/eidkit/internal/fetch"
	"github.com/eidkit/eidkit/internal/revocation"
	"github.com/eidkit/eidkit/internal/validation"
)

// Evidence is what shows, without the network, that a certificate was good: what signatures embed at level B-LT. Each object is there
// once, in DER.
type Evidence struct {
	Certificates []*x509.Certificate // the path with its anchor, OCSP responders and CRL issuers
	CRLs         [][]byte            // CertificateLists
	OCSPs        [][]byte            // OCSPResponses
}

// Evidence gathers it for a certificate that was used at o.At (zero: now). The path goes over o.Intermediates and what the
// certificates name as their issuers'. Of each certificate but the anchor there is an answer that it was not revoked, and so for
// those who signed answers, unless they need not be asked about. Answers in o.CRLs and o.OCSPs come first, then the cache, then, unless
// o.Offline, the services; what was used of them is in the result. With the same policy, it is enough for File offline.
//
// The errors are ErrUntrusted (no path to an anchor), ErrExpired (a certificate was not valid at that time), ErrRevoked,
// ErrRevocationUnknown with a ServiceError for each service that failed (package sign has the type), ErrConstraint and ErrAlgorithm.
// Otherwise nothing could be judged, as for File.
func (v *Verifier) Evidence(ctx context.Context, cert *x509.Certificate, o Options) (*Evidence, error) {
	if cert == nil {
		return nil, errors.New("gathering evidence: no certificate given")
	}
	engine, err := v.engine(o)
	if err != nil {
		return nil, err
	}
	proof, res, err := engine.Prove(ctx, cert)
	if err != nil {
		return nil, fmt.Errorf("gathering evidence: %w", err)
	}
	if proof == nil {
		return nil, fmt.Errorf("gathering evidence: %w", evidenceError(res))
	}
	return &Evidence{proof.Certificates, proof.CRLs, proof.OCSPs}, nil
}

// evidenceErrors are the findings in the words of this package.
var evidenceErrors = map[ades.Code]error{
	validation.CodeNoChain: ErrUntrusted, validation.CodeAnchorWithdrawn: ErrUntrusted, validation.CodeChainInvalid: ErrUntrusted,
	validation.CodeChainConstraint: ErrConstraint,
	validation.CodeRevoked:         ErrRevoked, validation.CodeRevokedAtTime: ErrRevoked, validation.CodeCARevoked: ErrRevoked, validation.CodeOnHold: ErrRevoked,
	validation.CodeExpiredAtTime: ErrExpired, validation.CodeNotYetValid: ErrExpired, validation.CodeCANotValid: ErrExpired,
	validation.CodeWeakCertificate: ErrAlgorithm, validation.CodeWeakRevocation: ErrAlgorithm,
}

// evidenceError is the first finding against the certificate.
func evidenceError(res *validation.Result) error {
	first := res.Errors[0]
	reason := evidenceErrors[first.Code]
	switch reason {
	case nil:
		return fmt.Errorf("%w: %w", ErrRevocationUnknown, serviceErrors(res.Statuses, first))
	case ErrRevoked:
		return revokedError(res.Statuses)
	case ErrUntrusted:
		detail := strings.TrimPrefix(strings.TrimPrefix(first.Detail, reason.Error()), ": ")
		if last := res.Chain[len(res.Chain)-1]; last.Issuer.CommonName != "" {
			detail = strings.TrimSuffix(fmt.Sprintf("it leads to %q, which is not trusted: %s", shortName(last.Issuer.CommonName), detail), ": ")
		}
		return fmt.Errorf("%w: %s", reason, detail)
	}
	return fmt.Errorf("%w: %s", reason, first.Detail)
}

// revokedError says what was revoked, when, and who says so.
func revokedError(list []validation.Status) error {
	for _, s := range list {
		for _, a := range s.Answers {
			if a.Status != revocation.Revoked {
				continue
			}
			detail := certificateName(s.Certificate)
			if !a.RevokedAt.IsZero() {
				detail += ", on " + a.RevokedAt.UTC().Format(time.RFC3339)
			}
			if a.Reason == 6 {
				detail += ", suspended for now"
			}
			if a.URL != "" {
				detail += ", says " + a.Kind + " service " + a.URL
			}
			return fmt.Errorf("%w: %s", ErrRevoked, detail)
		}
	}
	return ErrRevoked
}

// serviceErrors are what stood in the way of knowing about the certificate of a finding.
func serviceErrors(list []validation.Status, about validation.Message) error {
	for _, s := range list {
		if !strings.HasPrefix(certs.NameString(s.Certificate.RawSubject), strings.TrimSuffix(about.Object, "…")) {
			continue
		}
		var all []error
		for _, p := range s.Problems {
			if p.Err != nil && p.URL != "" {
				all = append(all, &fetch.ServiceError{Service: p.Kind, URL: p.URL, Err: p.Err})
			}
		}
		for _, a := range s.Answers {
			if a.Status == revocation.Unknown {
				all = append(all, &fetch.ServiceError{Service: a.Kind, URL: a.URL, Err: errors.New("it does not know the certificate")})
			}
		}
		if len(all) > 0 {
			return fmt.Errorf("%s: %w", certificateName(s.Certificate), fetch.Join(all...))
		}
	}
	if about.Detail == "" {
		return errors.New("the certificate names no service")
	}
	return errors.New(about.Detail)
}
