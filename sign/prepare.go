package sign

import (
	"context"
	"crypto"
	"crypto/x509"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/sigalg"
)

// Prepared is a signature of which only the value is missing. It is made by Prepare and used once, by one goroutine at a time:
// Finish or Close ends it.
type Prepared struct {
	s         *session
	draft     draft
	algorithm sigalg.Algorithm
	out       *writer // nil: not known yet
	used      bool
}

// Prepare does everything that comes before the key: reading, checks, digests. The certificate's chain comes from o.Chain, the anchors
// and the network. The same input, certificate and Options with a Time give the same digest again, so a server need not keep a
// Prepared between two requests; a time stamp over the content (Options.ContentTimestamp) is another each time.
//
// Finish writes the same bytes as the one-step functions do, except that attached CAdES above 16 MiB and below B-LT then has definite lengths.
func Prepare(ctx context.Context, f Format, in []Source, cert *x509.Certificate, o Options) (*Prepared, error) {
	if cert == nil {
		return nil, misuse("there is no certificate")
	}
	s, err := newSession(ctx, toSign, f, in, o)
	if err != nil {
		return nil, err
	}
	p, err := s.prepare(ctx, cert, nil, in, nil)
	if err != nil {
		s.close()
		return nil, err
	}
	return p, nil
}

// Close lets go of the connections of a Prepared that will not be finished. After Finish it does nothing.
func (p *Prepared) Close() {
	p.used = true
	p.s.close()
}

// prepare makes all checks and then the draft. w is where the file goes, nil if that is not known yet.
func (s *session) prepare(ctx context.Context, cert *x509.Certificate, chain []*x509.Certificate, in []Source, w io.Writer) (*Prepared, error) {
	p := &Prepared{s: s}
	if w != nil {
		p.out = &writer{teller: s.teller, w: w}
	}
	m, err := s.making(ctx, cert, chain, in)
	if err != nil {
		return nil, err
	}
	p.algorithm = m.Algorithm
	if err := s.beginHash(in); err != nil {
		return nil, err
	}
	if p.draft, err = s.newDraft(ctx, s.report.Format, in, m, p.out); err != nil {
		return nil, s.interrupted(err)
	}
	return p, s.endHash(in)
}

// interrupted is err, or that of the context where this is why.
func (s *session) interrupted(err error) error {
	if ended := s.err(); ended != nil {
		return ended
	}
	return err
}

func (s *session) beginHash(in []Source) error { return s.say(stepHash, 0, sizeOf(in)) }

func (s *session) endHash(in []Source) error { return s.say(stepHash, sizeOf(in), sizeOf(in)) }

func sizeOf(in []Source) (n int64) {
	for _, src := range in {
		n += src.Size
	}
	return n
}

// making checks the certificate and puts together what every format needs to know.
func (s *session) making(ctx context.Context, cert *x509.Certificate, chain []*x509.Certificate, in []Source) (ades.Making, error) {
	s.signer, s.chain = cert, slices.Concat(chain, s.chain)
	algorithm, err := algorithmFor(cert.PublicKey, &s.o)
	if err != nil {
		return ades.Making{}, err
	}
	if err := s.checkUsage(); err != nil {
		return ades.Making{}, err
	}
	if err := s.checkDates(); err != nil {
		return ades.Making{}, err
	}
	m := ades.Making{
		Certificate: cert, Chain: s.completeChain(ctx), Algorithm: algorithm, Time: s.o.Time,
		Commitments: s.o.Claims.Commitments, Roles: s.o.Claims.Roles, Place: s.o.Claims.Place,
	}
	if err := s.checkStatus(ctx); err != nil {
		return ades.Making{}, err
	}
	if m.Time.IsZero() {
		m.Time = time.Now()
	}
	m.Time = m.Time.UTC().Truncate(time.Second)
	s.report.Time = m.Time
	if p := s.o.Claims.Policy; p != nil {
		m.Policy = &ades.SignaturePolicy{ID: p.ID, URI: p.URI, Hash: p.Hash, Digest: p.Digest}
	}
	if len(in) == 1 {
		m.MIMEType = in[0].MIMEType
	}
	if s.o.ContentTimestamp {
		m.ContentStamp = s.stampContent
	}
	return m, nil
}

// Digest is what the key has to sign, and the digest's algorithm.
func (p *Prepared) Digest() (hash crypto.Hash, digest []byte) {
	return p.algorithm.Hash, slices.Clone(p.draft.Digest())
}

// SignerOpts are the options for crypto.Signer.Sign: the hash, or *rsa.PSSOptions.
func (p *Prepared) SignerOpts() crypto.SignerOpts { return signerOpts(p.algorithm) }

// Finish puts the value in, brings the signature to its level and writes the file. value is as crypto.Signer gives it: of ECDSA the
// DER. Nothing is written before the last service was asked.
func (p *Prepared) Finish(ctx context.Context, w io.Writer, value []byte) (*Report, error) {
	if p.used {
		return nil, misuse("the signature was finished or closed already")
	}
	p.used = true
	s := p.s
	defer s.close()
	s.enter(ctx)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if p.out == nil {
		p.out = &writer{teller: s.teller, w: w}
	}
	id, err := p.draft.finish(ctx, value, s.raising(p.algorithm.Hash), p.out)
	if err != nil {
		return nil, s.interrupted(err)
	}
	s.report.ID, s.report.Bytes = id, p.out.n
	return s.finished()
}

// finished is the report of what was done.
func (s *session) finished() (*Report, error) {
	if err := s.err(); err != nil {
		return nil, err
	}
	rep := s.report
	return &rep, nil
}

// Preview writes a PDF as it will look, with an empty signature: nothing is signed. Other formats have none (ErrUnsuitable).
func (p *Prepared) Preview(w io.Writer) error {
	d, ok := p.draft.(padesDraft)
	if !ok {
		return fmt.Errorf("%w: only a PDF has a preview", ErrUnsuitable)
	}
	return d.Preview(w)
}

// Place is the page, from 1, on which a PDF signature will be seen, and left, bottom, right, top of it there in points, as shown. Page 0:
// it will not be seen.
func (p *Prepared) Place() (page int, rect [4]float64) {
	if d, ok := p.draft.(padesDraft); ok {
		return d.Draft.Place()
	}
	return 0, rect
}

// signOne is all in one step.
func signOne(ctx context.Context, w io.Writer, f Format, in []Source, key Key, o Options) (*Report, error) {
	cert, err := checkKey(key)
	if err != nil {
		return nil, err
	}
	s, err := newSession(ctx, toSign, f, in, o)
	if err != nil {
		return nil, err
	}
	defer s.close()
	p, err := s.prepare(ctx, cert, chainOf(key), in, w)
	if err != nil {
		return nil, err
	}
	return p.signWith(ctx, key, w)
}

// chainOf is what a key knows to be above its certificate.
func chainOf(key Key) []*x509.Certificate {
	if k, ok := key.(interface{ Chain() []*x509.Certificate }); ok {
		return slices.DeleteFunc(slices.Clone(k.Chain()), func(c *x509.Certificate) bool { return c == nil })
	}
	return nil
}

// signWith uses the key: the only place where that happens.
func (p *Prepared) signWith(ctx context.Context, key Key, w io.Writer) (*Report, error) {
	if err := p.s.say(stepKey, 0, 0); err != nil {
		return nil, err
	}
	value, err := key.Sign(randomFor(key.Public()), p.draft.Digest(), p.SignerOpts())
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	return p.Finish(ctx, w, value)
}
