// Package cades reads CAdES and every other signature in CMS, from PKCS #7 to
// CAdES-B-LTA, the older forms -C, -X, -XL and -A, counter-signatures, and time
// stamp tokens, also alone; and makes CAdES at the baseline levels. What it reads
// are facts in the model of package ades.
//
// Read reads a file; ReadCMS reads a message inside another format, such as a
// PDF or a container; ReadTimestamp a token; ReadPKCS1 what PDF calls
// adbe.x509.rsa_sha1.
//
// Prepare makes a signature up to its value and Draft.Message the message with
// it; Begin writes one around content of any size while that is read. Add and
// PrepareCountersignature put signatures into a message, Raise and RaiseCMS bring those
// in it to a higher level, whoever made them. What signatures and time stamps
// cover keeps its bytes.
//
// A time stamp is marked intact only if its imprint was put together as its
// kind prescribes; how makers deviate is tried as well, since any fit proves
// what was stamped.
//
// Out of scope: trust, time and policy, for package verify; where keys, time
// stamps and evidence come from, for package sign; evidence records (RFC 4998), which
// are left alone.
//
// References: ETSI EN 319 122-1 and -2, ETSI TS 101 733 v2.2.1 and v1.8.3 (older
// attributes), RFC 5126, RFC 5652, RFC 5035, RFC 6211, RFC 3161.
package cades

import (
	"bytes"
	"context"
	"crypto"
	"errors"
	"fmt"
	"io"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/ber"
	"github.com/eidkit/eidkit/internal/cms"
	"github.com/eidkit/eidkit/internal/tsp"
)

// Options say how a message is used where it stands. The zero value is right
// for a signature in a file of its own.
type Options struct {
	// ID begins the identifiers of the signatures; "signer" if empty: signer-1,
	// signer-2. A message with one signer has ID itself if ID is set.
	ID string
	// Name is what the content is called.
	Name string
	// SHA1Content: the message holds the SHA-1 of the content in place of the
	// content (PDF's adbe.pkcs7.sha1).
	SHA1Content bool
	// Certificates are known from elsewhere, in DER: a signer may be among them,
	// and they count for the signature's own.
	Certificates [][]byte
}

// Read reads all signatures of a file: CMS in DER, BER, PEM, base64 or S/MIME,
// a TimeStampToken or a TimeStampResp. Of several detached contents each
// signature takes the one that fits. Errors: ades.ErrNoSignature,
// ades.ErrRefused, those of the file and of ctx.
func Read(ctx context.Context, in ades.Input) ([]*ades.Signature, error) {
	message, err := cms.Open(in.Data, in.Size)
	if err != nil {
		return nil, refused(err)
	}
	var sources []*source
	for _, content := range in.Detached {
		sources = append(sources, newSource(content))
	}
	for _, content := range message.Contents {
		sources = append(sources, &source{open: opener(content)})
	}
	if isResponse(message) {
		raw := make([]byte, message.Size)
		if _, err := message.Data.ReadAt(raw, 0); err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		_, token, err := tsp.SplitResponse(raw)
		if err != nil {
			return nil, refused(err)
		}
		if token == nil {
			return nil, fmt.Errorf("%w: time stamp response without a token", ades.ErrNoSignature)
		}
		message = &cms.Message{Data: bytes.NewReader(token), Size: int64(len(token))}
	}
	signed, err := cms.Parse(ctx, message.Data, message.Size)
	if err != nil {
		return nil, refused(err)
	}
	r := newReading(ctx, signed, Options{})
	if signed.ContentType == cms.TypeTSTInfo && signed.Content != nil {
		return r.loneToken(sources)
	}
	if signed.Content == nil {
		r.sources = sources
		return r.signatures()
	}
	r.attached()
	r.beside = sources
	return r.signatures()
}

// opener gives content that is in memory.
func opener(b []byte) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }
}

// maxResponse bounds a TimeStampResp, which is read into memory.
const maxResponse = 16 << 20

// isResponse tells a TimeStampResp by its first element, a SEQUENCE.
func isResponse(m *cms.Message) bool {
	start := make([]byte, min(m.Size, 32))
	if _, err := m.Data.ReadAt(start, 0); err != nil && !errors.Is(err, io.EOF) || m.Size > maxResponse {
		return false
	}
	outer, err := ber.ParseHeader(start)
	if err != nil || !outer.Is(ber.Universal, ber.TagSequence) {
		return false
	}
	inner, err := ber.ParseHeader(start[outer.Size:])
	return err == nil && inner.Is(ber.Universal, ber.TagSequence)
}

// refused turns what the parsers say into the errors of package ades; trouble with the file stays what it is.
func refused(err error) error {
	switch {
	case errors.Is(err, cms.ErrNotSigned):
		return fmt.Errorf("%w: %w", ades.ErrNoSignature, err)
	case errors.Is(err, ber.ErrMalformed), errors.Is(err, ber.ErrTooLarge), errors.Is(err, tsp.ErrNotToken):
		return fmt.Errorf("%w: %w", ades.ErrRefused, err)
	}
	return err
}

// ReadCMS reads the signatures of the message raw, which zero bytes may
// follow. content is what must be signed, whatever the message holds itself;
// nil means that the message holds it, or that it is not there. It may be a
// Digester. Errors as for Read.
func ReadCMS(ctx context.Context, raw []byte, content func() (io.ReadCloser, error), o Options) ([]*ades.Signature, error) {
	signed, err := cms.ParseBytes(ctx, raw)
	if err != nil {
		return nil, refused(err)
	}
	r := newReading(ctx, signed, o)
	switch {
	case o.SHA1Content && signed.Content != nil:
		r.attached()
		if content != nil {
			r.hashed = &source{name: o.Name, open: content}
		}
	case content != nil:
		r.sources = []*source{{name: o.Name, open: content}}
	case signed.Content != nil:
		r.attached()
	}
	return r.signatures()
}

// ReadTimestamp reads one time stamp token. imprint makes the digest of what
// the token should be over; its error means that this is not there.
func ReadTimestamp(raw []byte, imprint func(crypto.Hash) ([]byte, error), kind ades.TimestampKind) ades.Timestamp {
	r := newReading(context.Background(), nil, Options{})
	return r.timestamp(parseStamp(r.ctx, stamp{kind: kind, raw: raw, id: "timestamp"}), imprint)
}
