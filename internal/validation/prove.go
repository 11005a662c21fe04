package validation

import (
	"context"
	"crypto/x509"
	"slices"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/revocation"
)

// Proof is what shows that a certificate was good: what a signature embeds at
// level B-LT so that this can be seen without the network. Each object is there
// once; CRLs are CertificateLists, OCSPs OCSPResponses, in DER.
type Proof struct {
	Certificates []*x509.Certificate // the path with its anchor, and who signed answers
	CRLs, OCSPs  [][]byte
}

// Prove judges a certificate alone at the validation time, as Certificate does,
// and returns what the verdict rests on: the answers that counted, everything
// that they rest on, and the same for who signed them. Unless the verdict is
// Passed, the proof is nil. The error is that of the context, or that an
// answer's bytes cannot be had any more.
func (e *Engine) Prove(ctx context.Context, c *x509.Certificate) (*Proof, *Result, error) {
	r := e.newRun(ctx)
	t := &token{signer: c, purpose: forCertificate}
	var found findings
	r.chainOf(t, r.Time)
	best := t.best()
	found.add(r.evaluate(best, r.Time)...)
	found.add(r.laterRevoked(best)...)
	res := &Result{Verdict: found.verdict(), Signer: c}
	res.Chain, res.Anchored, res.Statuses = t.report()
	res.Errors, res.Warnings = found.messages()
	if err := ctx.Err(); err != nil || res.Indication != Passed {
		return nil, res, err
	}
	b := &proving{run: r, given: map[ades.Digest][]byte{}, taken: map[ades.Digest]bool{}}
	for _, der := range r.evidence.CRLs {
		b.given[ades.ObjectDigest(der)] = der
	}
	for _, cert := range best.path {
		b.certificate(cert)
	}
	for _, s := range best.statuses {
		if a := s.used(); s.NotNeeded == "" && a != nil {
			if err := b.answer(s, *a); err != nil {
				return nil, res, err
			}
		}
	}
	return &b.Proof, res, ctx.Err()
}

// laterRevoked are the authorities of a chain that were revoked after the
// validation time: whoever validates today meets that, and nothing that is
// gathered now proves anything from before.
func (r *run) laterRevoked(c *chain) findings {
	var l findings
	for i, s := range c.statuses {
		if a := s.used(); i > 0 && a != nil && a.Status == revocation.Revoked && a.RevokedAt.After(r.Time) {
			l.add(r.find(CodeCARevoked, subject(s.Certificate), revocationDetail(*a)))
		}
	}
	return l
}

// proving puts a Proof together.
type proving struct {
	*run
	Proof
	given map[ades.Digest][]byte // embedded lists, whose bytes only the caller has
	taken map[ades.Digest]bool
}

func (b *proving) certificate(c *x509.Certificate) {
	if d := certDigest(c); !b.taken[d] {
		b.taken[d] = true
		b.Certificates = append(b.Certificates, c)
	}
}

// answer takes what is known about a certificate, and who said so.
func (b *proving) answer(s *status, a revocation.Answer) error {
	if err := b.signedAnswer(a); err != nil {
		return err
	}
	p := b.signerPath(s, a)
	if len(p) < 2 { // the issuer himself
		return nil
	}
	delegated := len(p) == 2 && p[1].Equal(s.issuer)
	for i, cert := range p[:len(p)-1] {
		b.certificate(cert)
		if a.NoCheck && delegated {
			return nil
		}
		about := b.aboutSigner(s, a, cert, p[i+1])
		used := about.used()
		if used == nil || used.Status != revocation.Good {
			continue // unclear, which the policy has let pass
		}
		if err := b.signedAnswer(*used); err != nil {
			return err
		}
		if used.Signer != nil {
			b.certificate(used.Signer)
		}
	}
	b.certificate(p[len(p)-1])
	return nil
}

// signedAnswer takes the bytes of an answer and of what it rests on.
func (b *proving) signedAnswer(a revocation.Answer) error {
	if err := b.object(a.Kind, a.Digest, a.Raw); err != nil {
		return err
	}
	for i, d := range a.Also {
		if err := b.object(a.Kind, d, a.AlsoRaw[i]); err != nil {
			return err
		}
	}
	return nil
}

func (b *proving) object(kind string, d ades.Digest, raw func() ([]byte, error)) error {
	if b.taken[d] {
		return nil
	}
	der, ok := b.given[d]
	if !ok {
		var err error
		if der, err = raw(); err != nil {
			return err
		}
	}
	b.taken[d] = true
	if kind == "OCSP" {
		b.OCSPs = append(b.OCSPs, slices.Clone(der))
	} else {
		b.CRLs = append(b.CRLs, der)
	}
	return nil
}
