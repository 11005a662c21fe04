package weblogin

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/eidkit/eidkit/verify"
)

// Status is what is known about the revocation of a path.
type Status int

// The statuses. Suspended counts as Revoked.
const (
	Unknown Status = iota
	Good
	Revoked
)

// Revocation finds out whether certificates were revoked; Online asks their
// issuers. Implementations are safe for concurrent use and end when the
// context does.
type Revocation interface {
	// Status looks at all certificates of a path but the anchor, which is the
	// last: Revoked if one of them is, Good if an authentic and current answer
	// says of each that it is not. With Unknown the error says why.
	Status(ctx context.Context, path verify.Path, at time.Time) (Status, error)
}

// RevocationMode is what is made of a status that is not Good. Revoked is
// refused whenever it is asked for.
type RevocationMode int

const (
	// RequireGood refuses the login when the status cannot be found out.
	RequireGood RevocationMode = iota
	// AllowUnknown lets it pass with a warning. Whoever can keep the server
	// from reaching the services can then log in with a stolen card.
	AllowUnknown
	// SkipRevocation does not ask.
	SkipRevocation
)

// checkRevocation asks about a path.
func (v *validator) checkRevocation(ctx context.Context, path verify.Path) (warnings []string, err error) {
	if v.o.Mode == SkipRevocation {
		return nil, nil
	}
	status, err := v.o.Revocation.Status(ctx, path, v.now)
	if err != nil && ctx.Err() != nil {
		return nil, ctx.Err()
	}
	switch {
	case status == Revoked:
		return nil, ErrRevoked
	case status == Good && err == nil:
		return nil, nil
	case err == nil:
		err = ErrRevocationUnknown
	default:
		err = fmt.Errorf("%w: %w", ErrRevocationUnknown, err)
	}
	if v.o.Mode == AllowUnknown {
		return []string{err.Error()}, nil
	}
	return nil, err
}

// Online asks by OCSP and revocation lists, through a Verifier that keeps the
// answers and should live as long as the server.
func Online(v *verify.Verifier) Revocation { return online{v} }

type online struct{ verifier *verify.Verifier }

// Status has the path judged once more, by itself, and takes what was found
// about revocation.
func (o online) Status(ctx context.Context, path verify.Path, at time.Time) (Status, error) {
	if len(path) < 2 {
		return Good, nil // an anchor's revocation is the trust store's affair
	}
	anchor := &verify.Anchors{}
	anchor.Add(path[len(path)-1])
	report, err := o.verifier.CheckCertificate(ctx, path[0], verify.Options{Anchors: anchor, Intermediates: path[1 : len(path)-1], At: at})
	if err != nil {
		return Unknown, err
	}
	good := map[string]bool{}
	var problems []string
	for _, r := range report.Revocation {
		switch r.Status {
		case "good", "notNeeded":
			good[strings.ToLower(r.Certificate)] = true
		case "revoked", "onHold":
			return Revoked, nil
		default:
			problems = append(problems, strings.TrimSpace(r.Kind+" "+r.URL+": "+r.Problem))
		}
	}
	for _, m := range report.Errors {
		// Not fresh, unknown, or from somebody who may not answer.
		if strings.HasPrefix(m.Code, "REVOCATION") {
			return Unknown, errors.New(strings.TrimSuffix(m.Code+": "+m.Detail, ": "))
		}
	}
	for _, c := range path[:len(path)-1] {
		sum := sha256.Sum256(c.Raw)
		if !good[hex.EncodeToString(sum[:])] {
			return Unknown, fmt.Errorf("no answer: %s", strings.Join(problems, "; "))
		}
	}
	return Good, nil
}
