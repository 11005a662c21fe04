package sign

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/ades/cades"
	"github.com/eidkit/eidkit/internal/certs"
	"github.com/eidkit/eidkit/internal/fetch"
	"github.com/eidkit/eidkit/internal/policy"
	"github.com/eidkit/eidkit/internal/tsp"
)

const (
	// maxToken bounds an answer; tokens with three certificates have some 6 KB.
	maxToken = 256 << 10
	// clockSkew is how far an authority's clock may be from ours, either way.
	clockSkew = 5 * time.Minute
)

// stamp is ades.Stamper: it asks the authorities in turn, each once more after a failure that may pass, until a token is right.
func (s *session) stamp(ctx context.Context, hash crypto.Hash, digest []byte) ([]byte, error) {
	if err := s.say(stepTimestamp, 0, 0); err != nil {
		return nil, err
	}
	if len(s.o.TSAs) == 0 {
		return nil, ErrNoTSA
	}
	var failed []error
	for _, a := range s.o.TSAs {
		token, at, err := s.ask(ctx, a, hash, digest)
		if err != nil && transient(err) && ctx.Err() == nil {
			token, at, err = s.ask(ctx, a, hash, digest)
		}
		if err == nil {
			s.stamped(at, a)
			return token, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		failed = append(failed, &ServiceError{Service: "TSA", URL: fetch.Shown(a.URL), Err: secretive{err}})
	}
	return nil, fmt.Errorf("%w: %w; try again later or name another authority", ErrTimestamp, fetch.Join(failed...))
}

// stamped notes a token for the report. A token may be had and left out again, when it is larger than the room for it: then the next one
// takes its place. So of a new signature the last one before the evidence counts, which is over the signature; what comes later is over
// that. Of signatures that are raised the last one of all counts.
func (s *session) stamped(at time.Time, a TSA) {
	s.changed = true
	if s.signer == nil || !s.proven || s.report.Stamped.IsZero() {
		s.report.Stamped, s.report.TSA = at, fetch.Shown(a.URL)
	}
}

// secretive is an error without what must not be printed of addresses.
type secretive struct{ error }

var address = regexp.MustCompile(`(?i)https?://[^\s"]+`)

// Error implements error.
func (e secretive) Error() string {
	return address.ReplaceAllStringFunc(e.error.Error(), func(found string) string {
		bare := strings.TrimRight(found, ":;,.")
		return fetch.Shown(bare) + found[len(bare):]
	})
}

// Unwrap returns the error as it is.
func (e secretive) Unwrap() error { return e.error }

// stampContent is the same for the content: not what proves when the signature was made.
func (s *session) stampContent(ctx context.Context, hash crypto.Hash, digest []byte) ([]byte, error) {
	before := s.report
	token, err := s.stamp(ctx, hash, digest)
	s.report.Stamped, s.report.TSA = before.Stamped, before.TSA
	return token, err
}

// transient: asking once more may help. What took too long already is not waited for again.
func transient(err error) bool {
	var status *fetch.StatusError
	if errors.As(err, &status) {
		return status.Code >= http.StatusInternalServerError || status.Code == http.StatusTooManyRequests
	}
	var refused *tsp.StatusError
	if errors.As(err, &refused) {
		return slices.Contains(refused.Failures, "systemFailure") || slices.Contains(refused.Failures, "timeNotAvailable")
	}
	return errors.Is(err, fetch.ErrUnavailable)
}

// ask has one authority stamp a digest (RFC 3161 section 3.4) and checks all that it says.
func (s *session) ask(ctx context.Context, a TSA, hash crypto.Hash, digest []byte) (token []byte, at time.Time, err error) {
	req, err := tsp.NewRequest(hash, digest)
	if err != nil {
		return nil, at, err
	}
	req.Policy = a.Policy
	body, err := req.Marshal()
	if err != nil {
		return nil, at, err
	}
	answer, err := s.client.Post(ctx, a.URL, "application/timestamp-query", body, fetch.Request{Accept: "application/timestamp-reply", MaxBytes: maxToken})
	if err != nil {
		return nil, at, err
	}
	if kind, _, err := mime.ParseMediaType(answer.ContentType); err == nil && kind == "text/html" {
		return nil, at, errors.New("the service answered with a web page")
	}
	resp, err := tsp.ParseResponse(ctx, answer.Body)
	if err != nil {
		return nil, at, fmt.Errorf("the answer is no time stamp: %w", err)
	}
	if err := resp.Check(req); err != nil {
		return nil, at, err
	}
	if err := s.checkToken(ctx, resp.Token); err != nil {
		return nil, at, err
	}
	return resp.Token.Raw, resp.Token.Info.GenTime.UTC(), nil
}

// checkToken checks a token that fits its request: the signature with the certificate inside, and what RFC 3161 sections 2.3 and 2.4.2
// demand of both; the time; and, where evidence about it will be needed, that the certificate leads to an anchor.
func (s *session) checkToken(ctx context.Context, t *tsp.Token) error {
	list, err := cades.Read(ctx, ades.Input{File: ades.File{Data: bytes.NewReader(t.Raw), Size: int64(len(t.Raw))}})
	if err != nil {
		return fmt.Errorf("reading the token: %w", err)
	}
	if len(list) != 1 {
		return fmt.Errorf("the token has %d signatures, not one", len(list))
	}
	sig := list[0]
	signer := sig.Signer
	if signer == nil {
		return errors.New("the token comes without the authority's certificate, which was asked for")
	}
	if err := checkStampSignature(sig); err != nil {
		return err
	}
	if err := checkStampKey(signer); err != nil {
		return err
	}
	at := t.Info.GenTime
	if at.Before(signer.NotBefore) || at.After(signer.NotAfter) {
		return fmt.Errorf("%w: the authority's certificate (%s to %s), when the time stamp was made", ErrExpired,
			signer.NotBefore.UTC().Format(time.DateOnly), signer.NotAfter.UTC().Format(time.DateOnly))
	}
	if now := time.Now(); at.Before(now.Add(-clockSkew)) || at.After(now.Add(clockSkew)) {
		return fmt.Errorf("the time stamp says %s, which is more than %v from the time here, %s: one of the clocks is wrong",
			at.UTC().Format(time.RFC3339), clockSkew, now.UTC().Format(time.RFC3339))
	}
	return s.checkStampTrust(ctx, signer, sig.Certificates)
}

// checkStampSignature checks the value and that what is signed names the certificate (RFC 3161 section 2.4.2, RFC 5816).
func checkStampSignature(sig *ades.Signature) error {
	if sig.AlgorithmError != nil {
		return fmt.Errorf("the token's signature: %w", sig.AlgorithmError)
	}
	for _, ref := range sig.References {
		if ref.Kind == ades.RefMessageDigest && !(ref.Found && ref.Intact) {
			return errors.New("the token's signature is over something else")
		}
	}
	if sig.Digest == nil {
		return errors.New("the token's signature is over nothing")
	}
	if err := certs.CheckDigest(sig.Algorithm, sig.Signer, sig.Digest, sig.Value); err != nil {
		return fmt.Errorf("the token's signature: %w", err)
	}
	now := time.Now()
	if w, weak := policy.Default().Digest(sig.Algorithm.Hash, now); weak {
		return fmt.Errorf("%w: the token is signed with %s", ErrAlgorithm, w.Name)
	}
	if w, weak := policy.Default().Key(sig.Algorithm.Scheme, sig.Signer.PublicKey, now); weak {
		return fmt.Errorf("%w: the authority's key is %s", ErrAlgorithm, w.Name)
	}
	if len(sig.CertRefs) == 0 {
		return errors.New("the token does not name its certificate (signing certificate attribute)")
	}
	ref := sig.CertRefs[0]
	if ref.Hash == 0 || !ref.Hash.Available() {
		return errors.New("the token names its certificate by an unknown digest")
	}
	h := ref.Hash.New()
	h.Write(sig.Signer.Raw)
	if !bytes.Equal(h.Sum(nil), ref.Digest) {
		return errors.New("the token names another certificate than the one in it")
	}
	return nil
}

// checkStampKey: the extended key usage is time stamping alone, and critical (RFC 3161 section 2.3).
func checkStampKey(c *x509.Certificate) error {
	_, critical, ok := certs.Extension(c, certs.OIDExtKeyUsage)
	switch {
	case !ok || !slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageTimeStamping):
		return errors.New("the authority's certificate is not for time stamps (extended key usage)")
	case len(c.ExtKeyUsage) != 1 || len(c.UnknownExtKeyUsage) > 0:
		return errors.New("the authority's certificate is for other things than time stamps too (extended key usage)")
	case !critical:
		return errors.New("the authority's certificate does not say critically that it is for time stamps (extended key usage)")
	}
	return nil
}

// checkStampTrust looks for a path to an anchor. Without one there is no evidence, so that the next authority is better asked; below
// level B-LT the signer is told.
func (s *session) checkStampTrust(ctx context.Context, c *x509.Certificate, pool []*x509.Certificate) error {
	_, err := s.path(ctx, c, slices.Concat(pool, s.chain))
	switch {
	case err == nil || ctx.Err() != nil:
		return ctx.Err()
	case s.o.Level >= LT:
		return fmt.Errorf("%w: the authority's certificate: %w", ErrUntrusted, err)
	}
	s.warn("TIMESTAMP_AUTHORITY_UNTRUSTED", "The time stamp authority does not lead to an authority that is trusted here.", err.Error())
	return nil
}
