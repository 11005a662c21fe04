package sign

import (
	"errors"
	"fmt"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/fetch"
	"github.com/eidkit/eidkit/verify"
)

// The errors, each wrapped with what it is about. Those up to ErrUntrusted come before the key is used; after any of them nothing that
// was written is of use.
var (
	// ErrOptions: the options contradict each other, the format or the file: a mistake of the caller.
	ErrOptions = errors.New("the options do not fit")
	// ErrNoTSA: a level above B-B, or a time stamp, is asked for, and no time stamp authority is named.
	ErrNoTSA = errors.New("no time stamp authority is named")
	// ErrUnsuitable: the file cannot be signed in that way, or at all.
	ErrUnsuitable = ades.ErrUnsuitable
	// ErrBroken: what is signed in the file already does not hold, so that a further signature would mislead.
	ErrBroken = ades.ErrBroken
	// ErrKeyMismatch: the key is not that of its certificate.
	ErrKeyMismatch = errors.New("the key does not belong to the certificate")
	// ErrAuthenticationKey: the key is for logging in, or for something else that is no document.
	ErrAuthenticationKey = errors.New("the key is not for signing documents")
	// ErrAlgorithm: the key or the digest is too weak, or of a kind that is not made.
	ErrAlgorithm = errors.New("the algorithm is not accepted")
	// ErrExpired: a certificate is not valid any more, or not yet. It is that of package verify.
	ErrExpired = verify.ErrExpired
	// ErrRevoked: a certificate was revoked or is suspended. It is that of package verify.
	ErrRevoked = verify.ErrRevoked
	// ErrUntrusted: a certificate does not lead to an anchor. It is that of package verify.
	ErrUntrusted = verify.ErrUntrusted
	// ErrKey: the key gave an error, which is wrapped: the PIN was wrong or cancelled, the card was removed.
	ErrKey = errors.New("the key did not sign")
	// ErrValue: the key gave a value that does not fit its certificate and what was to be signed.
	ErrValue = ades.ErrValue
	// ErrTimestamp: no authority gave a time stamp; there is a *ServiceError for each.
	ErrTimestamp = errors.New("no time stamp could be had")
	// ErrEvidence: what level B-LT embeds could not be gathered; there is a *ServiceError for each service that failed.
	ErrEvidence = errors.New("the evidence for level B-LT could not be gathered")
)

// ServiceError is what went wrong with one service, which it names: "TSA", "OCSP" or "CRL", and its URL. That of a TSA has no query, which may
// be a secret: "?..." stands for it, also in the text of the error.
type ServiceError = fetch.ServiceError

// misuse is an ErrOptions with its reason.
func misuse(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrOptions, fmt.Errorf(format, args...))
}

// evidenceError says whose certificate could not be proven, and what to do.
func evidenceError(who string, err error) error {
	hint := ""
	switch {
	case errors.Is(err, ErrUntrusted):
		hint = "; add its root to the anchors, or sign at a level below B-LT"
	case errors.Is(err, ErrExpired), errors.Is(err, ErrRevoked):
		hint = "; levels B-B and B-T only warn of that"
	case errors.Is(err, verify.ErrRevocationUnknown):
		return fmt.Errorf("%w: %s: %w; try again later, or sign at a level below B-LT", ErrEvidence, who, err)
	}
	return fmt.Errorf("%s: %w%s", who, err, hint)
}
