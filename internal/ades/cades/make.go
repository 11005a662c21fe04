package cades

import (
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/big"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/ber"
	"github.com/eidkit/eidkit/internal/cms"
	"github.com/eidkit/eidkit/internal/sigalg"
)

// MakeOptions say what a new message is like. The zero value has the content
// inside.
type MakeOptions struct {
	// Detached leaves the content out of the message.
	Detached bool
	// ContentType is the OID of the content's type; empty: id-data.
	ContentType string
	// NoTime leaves the signing-time attribute out, as PAdES demands.
	NoTime bool
}

// Body is content that is signed. Open may be called more than once, and gives
// the same Size bytes each time. What it opens may be a Digester.
type Body struct {
	Open func() (io.ReadCloser, error)
	Size int64
	// SHA256 may be the digest made in the pass that made the one that is signed. It
	// is for speed: what is written is compared with it, which takes half as long as
	// with SHA-384.
	SHA256 []byte
}

// Draft is a signature of which only the value is missing.
type Draft struct {
	making    ades.Making
	options   MakeOptions
	content   []byte // its digest
	digestAlg []byte // AlgorithmIdentifiers in DER
	sigAlg    []byte
	signed    []byte // SET OF Attribute in DER
	digest    []byte
}

// Prepare makes the signed attributes. contentDigest is that of the content, by
// m.Algorithm.Hash. Errors: ades.ErrUnsuitable for what CAdES cannot say, those of
// m.ContentStamp.
func Prepare(ctx context.Context, m ades.Making, contentDigest []byte, o MakeOptions) (*Draft, error) {
	if o.ContentType == "" {
		o.ContentType = cms.TypeData
	}
	if o.ContentType == cms.TypeTSTInfo {
		return nil, fmt.Errorf("%w: a time stamp token is signed by its authority alone", ades.ErrUnsuitable)
	}
	return prepare(ctx, m, contentDigest, o)
}

// prepare is Prepare for counter-signatures too, whose content has no type.
func prepare(ctx context.Context, m ades.Making, contentDigest []byte, o MakeOptions) (*Draft, error) {
	d := &Draft{making: m, options: o, content: contentDigest}
	if err := d.algorithms(); err != nil {
		return nil, err
	}
	attributes, err := d.attributes(ctx)
	if err != nil {
		return nil, err
	}
	d.signed = ber.AppendSetOf(nil, attributes...)
	d.digest = digestOf(m.Algorithm.Hash, d.signed)
	return d, nil
}

// strong are the digests that new signatures are made with (ETSI TS 119 312 section 5.2).
var strong = map[crypto.Hash]bool{crypto.SHA256: true, crypto.SHA384: true, crypto.SHA512: true,
	crypto.SHA3_256: true, crypto.SHA3_384: true, crypto.SHA3_512: true}

// algorithms checks them against the key and names them.
func (d *Draft) algorithms() error {
	alg, cert := &d.making.Algorithm, d.making.Certificate
	if cert == nil {
		return errors.New("making a signature: no certificate")
	}
	if !strong[alg.Hash] {
		return fmt.Errorf("%w: %s is not used for new signatures", ades.ErrUnsuitable, sigalg.HashName(alg.Hash))
	}
	if len(d.content) != alg.Hash.Size() {
		return fmt.Errorf("making a signature: content digest of %d bytes for %v", len(d.content), alg)
	}
	fits := false
	switch alg.Scheme {
	case sigalg.PKCS1:
		fits = cert.PublicKeyAlgorithm == x509.RSA
	case sigalg.PSS:
		fits = cert.PublicKeyAlgorithm == x509.RSA
		if alg.MGFHash == 0 {
			alg.MGFHash = alg.Hash
		}
		if alg.SaltLength < 0 {
			alg.SaltLength = alg.Hash.Size()
		}
	case sigalg.ECDSA:
		fits = cert.PublicKeyAlgorithm == x509.ECDSA
	}
	if !fits {
		return fmt.Errorf("%w: %v with a certificate for %s", ades.ErrUnsuitable, alg, sigalg.KeyName(cert.PublicKey))
	}
	var err error
	if d.digestAlg, err = sigalg.DigestIdentifier(alg.Hash); err != nil {
		return err
	}
	d.sigAlg, err = alg.Identifier()
	return err
}

// Digest is what the key has to sign: of the signed attributes in DER, by the
// algorithm's hash.
func (d *Draft) Digest() []byte { return d.digest }

// SignerInfo is the finished SignerInfo in DER (RFC 5652 section 5.3). value is that of the
// signature as crypto.Signer gives it. Errors: ades.ErrValue.
func (d *Draft) SignerInfo(value []byte) ([]byte, error) {
	cert := d.making.Certificate
	if err := d.making.Algorithm.Verify(cert.PublicKey, d.digest, value); err != nil {
		return nil, fmt.Errorf("%w: %w", ades.ErrValue, err)
	}
	return cms.MarshalSigner([][]byte{
		ber.AppendInteger(nil, big.NewInt(1)), // the signer is named by issuer and serial number
		ber.AppendSequence(nil, cert.RawIssuer, ber.AppendInteger(nil, cert.SerialNumber)),
		d.digestAlg,
		append([]byte{0xA0}, d.signed[1:]...), // [0] IMPLICIT
		d.sigAlg,
		ber.Append(nil, ber.Universal, false, ber.TagOctetString, value),
	}, nil), nil
}

// addTo adds algorithm and certificates to a message.
func (d *Draft) addTo(e *cms.Edit) {
	e.AddDigest(d.digestAlg)
	e.AddCertificate(d.making.Certificate.Raw)
	for _, c := range d.making.Chain {
		e.AddCertificate(c.Raw)
	}
}

// detached is the message without content.
func (d *Draft) detached(value []byte) (*cms.Edit, error) {
	info, err := d.SignerInfo(value)
	if err != nil {
		return nil, err
	}
	e, err := cms.NewEdit(d.options.ContentType)
	if err != nil {
		return nil, err
	}
	d.addTo(e)
	e.AddSigner(info)
	return e, nil
}

// Message is the whole message, raised if r is not nil. content is needed for
// attached messages, and for archive time stamps with another hash than the
// signature's. Errors: ades.ErrValue, those of Raise.
func (d *Draft) Message(ctx context.Context, value []byte, r *ades.Raising, content Body) (*Message, error) {
	e, err := d.detached(value)
	if err != nil {
		return nil, err
	}
	if r != nil && r.Level > ades.LevelB {
		if e, err = d.raised(ctx, e, *r, content); err != nil {
			return nil, err
		}
	}
	if !d.options.Detached {
		if content.Open == nil {
			return nil, errors.New("making a message: no content to put into it")
		}
		h, digest := d.making.Algorithm.Hash, d.content
		if content.SHA256 != nil {
			h, digest = crypto.SHA256, content.SHA256
		}
		e.Attach(content.Size, content.Open, h, digest)
	}
	return &Message{ctx: ctx, edit: e}, nil
}

// raised is a new message, still without content, at the level wanted.
func (d *Draft) raised(ctx context.Context, e *cms.Edit, o ades.Raising, content Body) (*cms.Edit, error) {
	signed, err := e.Detach(ctx)
	if err != nil {
		return nil, err
	}
	r := newReading(ctx, signed, Options{})
	r.sources = []*source{{open: content.Open, known: map[crypto.Hash][]byte{d.making.Algorithm.Hash: d.content}}}
	o.IDs = nil
	return r.raise(o)
}

// Message is a message that is ready to be written, in DER.
type Message struct {
	ctx  context.Context
	edit *cms.Edit
}

// Size is how many bytes WriteTo writes.
func (m *Message) Size() int64 { return m.edit.Size() }

// WriteTo writes the message; the content is read while it is written, and hashed
// again on another processor. Errors: those of w and of the content, cms.ErrChanged
// if it is not what was signed: then what was written is of no use.
func (m *Message) WriteTo(w io.Writer) (int64, error) { return m.edit.Write(m.ctx, w) }

// Stream is an attached message that is written while its content is read, once.
type Stream struct {
	draft  *Draft
	edit   *cms.Edit
	stream *cms.Stream
}

// Begin writes an attached message up to the end of its content, which is hashed
// meanwhile; o.Detached has no meaning here. The outer lengths are indefinite
// (BER), since what follows is not known yet. What was written is of no use when
// anything fails. Errors: as for Prepare, those of w and of the content.
func Begin(ctx context.Context, w io.Writer, m ades.Making, content Body, o MakeOptions) (*Stream, error) {
	if !m.Algorithm.Hash.Available() {
		return nil, fmt.Errorf("%w: %s", ades.ErrUnsuitable, sigalg.HashName(m.Algorithm.Hash))
	}
	// What cannot be made is found before the content: only the time stamp over that needs it.
	trial := m
	trial.ContentStamp = nil
	d, err := Prepare(ctx, trial, make([]byte, m.Algorithm.Hash.Size()), o)
	if err != nil {
		return nil, err
	}
	e, err := cms.NewEdit(d.options.ContentType)
	if err != nil {
		return nil, err
	}
	e.AddDigest(d.digestAlg)
	stream, digests, err := e.Begin(ctx, w, content.Size, content.Open, m.Algorithm.Hash)
	if err != nil {
		return nil, err
	}
	if d, err = Prepare(ctx, m, digests[m.Algorithm.Hash], o); err != nil {
		return nil, err
	}
	d.addTo(e)
	return &Stream{draft: d, edit: e, stream: stream}, nil
}

// Digest is what the key has to sign.
func (s *Stream) Digest() []byte { return s.draft.digest }

// Finish writes the rest and returns how many bytes the message has. It is
// raised if r is not nil, to level B-T at most: what is above changes the version, which
// stands in front of the content, so such a message is made by Prepare. Errors: ades.ErrValue,
// ades.ErrUnsuitable, those of r and of the writer.
func (s *Stream) Finish(ctx context.Context, value []byte, r *ades.Raising) (int64, error) {
	info, err := s.draft.SignerInfo(value)
	if err != nil {
		return 0, err
	}
	if r != nil && r.Level > ades.LevelT {
		return 0, fmt.Errorf("%w: level %v in one pass", ades.ErrUnsuitable, r.Level)
	}
	if r != nil && r.Level == ades.LevelT {
		parsed := cms.ParseSigner(info)
		if info, err = stampSignature(ctx, &parsed, r); err != nil {
			return 0, err
		}
	}
	s.edit.AddSigner(info)
	return s.stream.End(ctx)
}
