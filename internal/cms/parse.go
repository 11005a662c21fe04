package cms

import (
	"bytes"
	"cmp"
	"context"
	"crypto"
	"errors"
	"fmt"
	"io"

	"github.com/eidkit/eidkit/internal/ber"
	"github.com/eidkit/eidkit/internal/sigalg"
)

// Bounds: far above what is seen, low enough that hostile files cost little more than their own size.
const (
	maxElement      = 96 << 20  // one certificate, list or signer
	maxLoaded       = 256 << 20 // all that is kept in memory of one message
	maxAlgorithms   = 64
	maxCertificates = 4000
	maxRevocations  = 2000
	maxSigners      = 500
	maxAttributes   = 1000
	maxValues       = 1000
)

// ParseBytes reads a message that is in memory.
func ParseBytes(ctx context.Context, raw []byte) (*SignedData, error) {
	return Parse(ctx, bytes.NewReader(raw), int64(len(raw)))
}

// Parse reads a message of that size. The content is not kept: of one in
// chunks, which has to be gone through to find its end, the digests that the
// message announces are made on the way (see Content.Digests). A SignedData
// without the ContentInfo around it is read too. Errors: ErrNotSigned,
// ber.ErrMalformed, ber.ErrTooLarge, those of src and of ctx.
func Parse(ctx context.Context, src io.ReaderAt, size int64) (*SignedData, error) {
	p := parser{ctx: ctx, d: &SignedData{src: src, size: size}, left: maxLoaded}
	file := ber.NewCursor(src, size, 0, 0)
	in, err := file.Enter(ber.Universal, ber.TagSequence)
	if err != nil {
		return nil, err
	}
	bare, err := in.Peek(ber.Universal, ber.TagInteger)
	switch {
	case err != nil:
	case bare:
		err = p.signedData(in)
	default:
		err = p.contentInfo(in)
	}
	if err != nil {
		return nil, err
	}
	if err := p.leave(in); err != nil {
		return nil, err
	}
	p.d.Trailing, err = trailing(src, size, file.Offset())
	return p.d, err
}

// trailing counts what stands behind the message, if any of it is not zero: signatures in PDF files are padded.
func trailing(src io.ReaderAt, size, offset int64) (int64, error) {
	buf := make([]byte, min(size-offset, 64<<10))
	for at := offset; at < size; {
		b := buf[:min(int64(len(buf)), size-at)]
		n, err := src.ReadAt(b, at)
		if n < len(b) {
			return 0, fmt.Errorf("reading at offset %d: %w", at, cmpErr(err, io.ErrUnexpectedEOF))
		}
		if len(bytes.Trim(b, "\x00")) > 0 {
			return size - offset, nil
		}
		at += int64(n)
	}
	return 0, nil
}

func cmpErr(err, otherwise error) error {
	if err == nil || errors.Is(err, io.EOF) {
		return otherwise
	}
	return err
}

// parser keeps what is common while one message is read.
type parser struct {
	ctx  context.Context
	d    *SignedData
	left int64 // bytes that may still be loaded
}

// load reads the next element into memory.
func (p *parser) load(c *ber.Cursor) (ber.Element, error) {
	e, err := c.Load(min(maxElement, p.left))
	p.left -= int64(len(e.Raw))
	return e, err
}

func (p *parser) contentInfo(in *ber.Cursor) error {
	e, err := in.Expect(ber.Universal, ber.TagOID, 256)
	if err != nil {
		return err
	}
	oid, err := e.OID()
	if err != nil {
		return err
	}
	if oid != TypeSignedData {
		return fmt.Errorf("%w: content type %s", ErrNotSigned, oid)
	}
	explicit, err := in.Enter(ber.Context, 0)
	if err != nil {
		return err
	}
	body, err := explicit.Enter(ber.Universal, ber.TagSequence)
	if err != nil {
		return err
	}
	if err := p.signedData(body); err != nil {
		return err
	}
	for _, c := range []*ber.Cursor{body, explicit} {
		if err := p.leave(c); err != nil {
			return err
		}
	}
	return nil
}

// signedData reads what is inside the SEQUENCE.
func (p *parser) signedData(c *ber.Cursor) error {
	d := p.d
	version, err := c.Expect(ber.Universal, ber.TagInteger, 64)
	if err != nil {
		return err
	}
	if d.Version, err = version.Int(); err != nil {
		return err
	}
	if err := p.algorithms(c); err != nil {
		return err
	}
	start := c.Offset()
	if err := p.encapsulated(c); err != nil {
		return fmt.Errorf("reading encapContentInfo: %w", err)
	}
	d.Encap = Range{start, c.Offset() - start}
	if d.Certs, err = p.field(c, 0, maxCertificates, p.certificate); err != nil {
		return fmt.Errorf("reading the certificates: %w", err)
	}
	if d.CRLs, err = p.field(c, 1, maxRevocations, p.revocation); err != nil {
		return fmt.Errorf("reading the revocation information: %w", err)
	}
	signers, err := c.Enter(ber.Universal, ber.TagSet)
	if err != nil {
		return err
	}
	err = p.each(signers, maxSigners, func(e ber.Element) { d.Signers = append(d.Signers, parseSigner(e)) })
	if err != nil {
		return fmt.Errorf("reading the signers: %w", err)
	}
	_, err = signers.Leave()
	return err
}

// algorithms reads digestAlgorithms.
func (p *parser) algorithms(c *ber.Cursor) error {
	set, err := c.Enter(ber.Universal, ber.TagSet)
	if err != nil {
		return err
	}
	err = p.each(set, maxAlgorithms, func(e ber.Element) { p.d.DigestAlgorithms = append(p.d.DigestAlgorithms, e.Raw) })
	if err != nil {
		return fmt.Errorf("reading the digest algorithms: %w", err)
	}
	_, err = set.Leave()
	return err
}

// each loads the elements inside c, at most so many.
func (p *parser) each(c *ber.Cursor, most int, f func(ber.Element)) error {
	for n := 0; ; n++ {
		if _, err := c.Header(); errors.Is(err, io.EOF) {
			return nil
		}
		if n == most {
			return fmt.Errorf("%w: more than %d elements", ber.ErrTooLarge, most)
		}
		if err := p.ctx.Err(); err != nil {
			return err
		}
		e, err := p.load(c)
		if err != nil {
			return err
		}
		f(e)
	}
}

// field reads an optional field of SignedData and where it stands.
func (p *parser) field(c *ber.Cursor, tag uint32, most int, f func(ber.Element)) (Range, error) {
	if there, err := c.Peek(ber.Context, tag); err != nil || !there {
		return Range{}, err
	}
	start := c.Offset()
	set, err := c.Enter(ber.Context, tag)
	if err != nil {
		return Range{}, err
	}
	if err := p.each(set, most, f); err != nil {
		return Range{}, err
	}
	if _, err := set.Leave(); err != nil {
		return Range{}, err
	}
	return Range{start, c.Offset() - start}, nil
}

func (p *parser) certificate(e ber.Element) {
	p.d.Certificates = append(p.d.Certificates, Certificate{X509: e.Is(ber.Universal, ber.TagSequence), Raw: e.Raw})
}

// OIDs of OtherRevocationInfoFormat, RFC 5940 sections 2.1 and 2.2, and what some makers write instead (RFC 6960 section 4.2.1).
const (
	oidRevocationOCSP = "1.3.6.1.5.5.7.16.2"
	oidOCSPBasic      = "1.3.6.1.5.5.7.48.1.1"
	oidOCSPResponse   = "1.3.6.1.5.5.7.48.1.2"
)

func (p *parser) revocation(e ber.Element) {
	r := Revocation{Raw: e.Raw}
	switch {
	case e.Is(ber.Universal, ber.TagSequence):
		r.Kind, r.Value = KindCRL, e.Raw
	case e.Is(ber.Context, 1):
		in := e.Reader()
		id, err := in.Expect(ber.Universal, ber.TagOID)
		if err != nil {
			break
		}
		oid, _ := id.OID()
		value, err := in.Next()
		if err != nil {
			break
		}
		r.Value = value.Raw
		switch oid {
		case oidRevocationOCSP, oidOCSPBasic, oidOCSPResponse:
			r.Kind = KindOCSP
		}
	}
	p.d.Revocations = append(p.d.Revocations, r)
}

// encapsulated reads encapContentInfo, RFC 5652 section 5.2; in PKCS #7 1.5 the content is any element.
func (p *parser) encapsulated(c *ber.Cursor) error {
	d := p.d
	in, err := c.Enter(ber.Universal, ber.TagSequence)
	if err != nil {
		return err
	}
	e, err := in.Expect(ber.Universal, ber.TagOID, 256)
	if err != nil {
		return err
	}
	if d.ContentType, err = e.OID(); err != nil {
		return err
	}
	d.ContentTypeRaw = e.Raw
	there, err := in.Peek(ber.Context, 0)
	if err != nil {
		return err
	}
	if there {
		explicit, err := in.Enter(ber.Context, 0)
		if err != nil {
			return err
		}
		h, err := explicit.Header()
		switch {
		case errors.Is(err, io.EOF): // [0] without anything inside: detached, by careless makers
		case err != nil:
			return err
		default:
			if err := p.content(explicit, h); err != nil {
				return err
			}
		}
		if left, err := explicit.Leave(); err != nil || left {
			return cmp.Or(err, fmt.Errorf("%w: more than one content", ber.ErrMalformed))
		}
	}
	return p.leave(in)
}

// leave leaves a structure and notes if there is something in it that nobody reads.
func (p *parser) leave(c *ber.Cursor) error {
	left, err := c.Leave()
	p.d.Unread = p.d.Unread || left
	return err
}

// content notes where the content stands and moves behind it.
func (p *parser) content(c *ber.Cursor, h ber.Header) error {
	d := p.d
	d.Content = &Content{src: d.src, size: d.size, offset: c.Offset(), header: h, OctetString: h.Is(ber.Universal, ber.TagOctetString)}
	if !d.Content.OctetString || !h.Constructed {
		start := c.Offset()
		if err := c.SkipElement(); err != nil {
			return err
		}
		d.Content.Length = c.Offset() - start - int64(h.Size)
		if h.Length == ber.Indefinite {
			d.Content.Length -= 2
		}
		return nil
	}
	var hashes []crypto.Hash
	for _, alg := range d.DigestAlgorithms {
		if hash, err := sigalg.HashAlgorithm(alg); err == nil && len(hashes) < 4 {
			hashes = append(hashes, hash)
		}
	}
	r := ber.NewStringReader(d.src, d.size, d.Content.offset, h)
	known, n, err := Digests(p.ctx, r, hashes...)
	if err != nil {
		return err
	}
	d.Content.known, d.Content.Length = known, n
	return c.SkipTo(r.End())
}
