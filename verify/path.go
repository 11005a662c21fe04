package verify

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/eidkit/eidkit/internal/certs"
	"github.com/eidkit/eidkit/internal/path"
	"github.com/eidkit/eidkit/internal/sigalg"
)

// Path is a chain of certificates: first the one in question, then each one's
// issuer, last the trust anchor. A path of one certificate is an anchor.
type Path []*x509.Certificate

// BuildPath looks for a path from leaf to an anchor, over the others and the
// certificates added to the anchors, and checks it for the time at as RFC 5280
// section 6.1 says: each signature, the validity of every certificate (the
// anchor's too), CA bits, key usage, path length, name and policy constraints,
// critical extensions, and the time of trust in the anchor. It tries all
// issuers of one name, so a re-issued root or CA does not hide the right one,
// and ends at the first path that holds. Extended key usages do not limit what
// a CA may issue: Belgian CAs carry some that their leaves go beyond. MD5, DSA,
// RSA below 1024 bits and curves below 256 are refused.
//
// The error is a *PathError for the attempt that came furthest: ErrExpired
// and ErrConstraint tell that all else held, or might have; then
// ErrUntrusted, ErrBadSignature, ErrNoIssuer.
func BuildPath(leaf *x509.Certificate, others []*x509.Certificate, a *Anchors, at time.Time) (Path, error) {
	if leaf == nil {
		return nil, errors.New("building certificate path: no certificate given")
	}
	r, err := path.Build(context.Background(), leaf, path.Options{Anchors: a, Others: others, At: at, AnchorDates: true, CheckSignature: checkSigned})
	if err != nil {
		return nil, pathError(err)
	}
	return r.Path, nil
}

// reasons are those of package path in the words of this one.
var reasons = map[error]error{
	path.ErrNoIssuer: ErrNoIssuer, path.ErrBadSignature: ErrBadSignature, path.ErrAlgorithm: ErrAlgorithm, path.ErrUntrusted: ErrUntrusted,
	path.ErrConstraint: ErrConstraint, path.ErrNames: ErrConstraint, path.ErrPolicy: ErrConstraint, path.ErrExpired: ErrExpired,
	path.ErrLimit: ErrLimit,
}

// pathError turns an error of package path into a *PathError with context.
func pathError(err error) error {
	var e *path.Error
	if !errors.As(err, &e) || reasons[e.Reason] == nil {
		return err
	}
	detail := e.Detail
	if reason := reasons[e.Reason]; reason.Error() != e.Reason.Error() {
		detail = strings.TrimSuffix(e.Reason.Error()+": "+detail, ": ")
	}
	return fmt.Errorf("building certificate path: %w", &PathError{Certificate: e.Certificate, Reason: reasons[e.Reason], Detail: detail})
}

// checkSigned is the signature check of BuildPath: what is broken is refused,
// what is weak accepted.
func checkSigned(child, issuer *x509.Certificate) error {
	alg, err := certs.SignatureAlgorithm(child)
	if err != nil {
		return err
	}
	if !accepted(alg, issuer.PublicKey) {
		return fmt.Errorf("%w: %v by %s", sigalg.ErrUnsupported, alg, sigalg.KeyName(issuer.PublicKey))
	}
	return certs.CheckValue(alg, issuer, child.RawTBSCertificate, child.Signature)
}

// CheckIssued checks that issuer may have issued cert and did: names, CA bit,
// key usage, signature. It looks at no dates and at no trust. Errors are
// *PathError with ErrConstraint (the issuer's), ErrBadSignature, ErrAlgorithm
// or ErrNoIssuer (other name).
func CheckIssued(cert, issuer *x509.Certificate) error {
	if !bytes.Equal(cert.RawIssuer, issuer.RawSubject) && !certs.EqualName(cert.RawIssuer, issuer.RawSubject) {
		return &PathError{Certificate: cert, Reason: ErrNoIssuer, Detail: "the issuer has another name"}
	}
	if !issuer.IsCA { // false also without basic constraints
		return &PathError{Certificate: issuer, Reason: ErrConstraint, Detail: "it issued a certificate but is no CA"}
	}
	if issuer.KeyUsage != 0 && issuer.KeyUsage&x509.KeyUsageCertSign == 0 {
		return &PathError{Certificate: issuer, Reason: ErrConstraint, Detail: "its key usage does not allow to sign certificates"}
	}
	err := checkSigned(cert, issuer)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, sigalg.ErrBadSignature):
		return &PathError{Certificate: cert, Reason: ErrBadSignature}
	}
	return &PathError{Certificate: cert, Reason: ErrAlgorithm, Detail: err.Error()}
}
