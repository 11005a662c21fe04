package sign

import (
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/fetch"
	"github.com/eidkit/eidkit/verify"
)

// shared is the Verifier of those who name none.
var shared verify.Verifier

// session is one operation: its options, its way to the services and what it found.
type session struct {
	*teller
	o        Options
	verifier *verify.Verifier
	client   *fetch.Client // to time stamp authorities; nil: there are none
	signer   *x509.Certificate
	chain    []*x509.Certificate // known, beside the signer's
	report   Report
	changed  bool // a time stamp or evidence was had
	proven   bool // evidence was asked for
}

// newSession checks the options. The caller closes it.
func newSession(ctx context.Context, what task, f Format, in []Source, o Options) (*session, error) {
	if err := o.check(what, f, in); err != nil {
		return nil, err
	}
	s := &session{teller: &teller{tell: o.Progress, file: in[0].Name, ctx: ctx}, o: o, verifier: o.Verifier, chain: slices.Clone(o.Chain)}
	s.report.Format, s.report.Level = f, o.Level
	if s.verifier == nil {
		s.verifier = &shared
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if len(o.TSAs) > 0 {
		var err error
		s.client, err = fetch.New(fetch.Options{
			Proxy: s.verifier.Proxy, CABundle: s.verifier.CABundle, Timeout: s.verifier.Timeout, Allow: everywhere, SameHost: true,
		})
		if err != nil {
			return nil, fmt.Errorf("setting up the network: %w", err)
		}
	}
	return s, nil
}

// everywhere: the user named the authorities, so that they may be inside his own network.
var everywhere = []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}

func (s *session) close() {
	if s.client != nil {
		s.client.Close()
	}
}

func (s *session) warn(code, text, detail string) {
	w := Warning{code, text, detail}
	if !slices.Contains(s.report.Warnings, w) {
		s.report.Warnings = append(s.report.Warnings, w)
	}
}

// raising is what the formats get for a level; nil for level B-B.
func (s *session) raising(hash crypto.Hash) *ades.Raising {
	if s.o.Level == B {
		return nil
	}
	return &ades.Raising{Level: s.o.Level, Hash: hash, Stamp: s.stamp, Evidence: s.evidence, IDs: s.o.IDs}
}

// options are those of package verify for a certificate that was used at a time.
func (s *session) options(at time.Time, pool []*x509.Certificate) verify.Options {
	return verify.Options{Anchors: s.o.Anchors, At: at, Intermediates: slices.Concat(s.chain, pool), Offline: s.o.Offline}
}

// evidence is ades.Raising.Evidence.
func (s *session) evidence(ctx context.Context, needs []ades.Need, pool []*x509.Certificate, have ades.Values) (ades.Values, error) {
	if err := s.say(stepEvidence, 0, 0); err != nil {
		return ades.Values{}, err
	}
	s.proven = true
	got := newValues(have)
	for _, need := range needs {
		o := s.options(need.At, pool)
		o.CRLs, o.OCSPs = have.CRLs, have.OCSPs
		found, err := s.verifier.Evidence(ctx, need.Certificate, o)
		if ctx.Err() != nil {
			return ades.Values{}, ctx.Err()
		}
		if err != nil {
			return ades.Values{}, s.unproven(need.Certificate, err)
		}
		got.add(found)
	}
	s.changed = s.changed || len(got.Certificates)+len(got.CRLs)+len(got.OCSPs) > 0
	return got.Values, nil
}

// unproven says of whom nothing is proven. What is wrong with a time stamp authority's certificate is not said of the signer's.
func (s *session) unproven(c *x509.Certificate, err error) error {
	if !slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageTimeStamping) || c.Equal(s.signer) {
		return evidenceError("the signer's certificate", err)
	}
	const who = "the certificate of the time stamp authority"
	if errors.Is(err, ErrExpired) || errors.Is(err, ErrRevoked) {
		return fmt.Errorf("%w: %s: %v; use another authority", ErrEvidence, who, err)
	}
	return evidenceError(who, err)
}

// values collects evidence, leaving out what is there already.
type values struct {
	ades.Values
	known map[ades.Digest]bool
}

func newValues(have ades.Values) *values {
	v := &values{known: map[ades.Digest]bool{}}
	for _, der := range slices.Concat(have.Certificates, have.CRLs) {
		v.known[ades.ObjectDigest(der)] = true
	}
	for _, der := range have.OCSPs {
		v.known[basicDigest(der)] = true
	}
	return v
}

// basicDigest names an OCSP answer in whatever wrapping.
func basicDigest(der []byte) ades.Digest {
	if basic := ades.BasicOCSP(der); basic != nil {
		return ades.ObjectDigest(basic)
	}
	return ades.ObjectDigest(der)
}

func (v *values) add(e *verify.Evidence) {
	for _, c := range e.Certificates {
		v.Certificates = v.one(v.Certificates, c.Raw, ades.ObjectDigest(c.Raw))
	}
	for _, der := range e.CRLs {
		v.CRLs = v.one(v.CRLs, der, ades.ObjectDigest(der))
	}
	for _, der := range e.OCSPs {
		v.OCSPs = v.one(v.OCSPs, der, basicDigest(der))
	}
}

func (v *values) one(list [][]byte, der []byte, d ades.Digest) [][]byte {
	if v.known[d] {
		return list
	}
	v.known[d] = true
	return append(list, der)
}
