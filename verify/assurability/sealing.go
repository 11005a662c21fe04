package assurability

import (
	"bytes"
	"compress/flate"
	"compress/zlib"
	"context"
	"encoding/base64"
	"fmt"
	"io"

	"github.com/eidkit/eidkit/internal/xmldsig"
)

// nsEncrypted is the namespace of what is sealed in a message of MemberData, and forTheNetwork says who can open a question (facts sheet
// b.1).
const (
	nsEncrypted   = "urn:be:cin:encrypted"
	forTheNetwork = "encryptedForKnownBED"
)

// sealing is what Options.Sealer offers during one question. Nil: nothing is sealed, and nothing sealed can be read.
type sealing struct {
	ctx     context.Context
	seal    func(context.Context, []byte) ([]byte, error)
	unseal  func(context.Context, []byte) ([]byte, error)
	replyTo []byte
}

// wrap makes the content of a Detail, and its attribute that says that it is sealed.
func (c *sealing) wrap(query []byte) (content []byte, attribute string, err error) {
	if c == nil || c.seal == nil {
		return query, "", nil
	}
	var w writer
	w.in("e:EncryptedKnownContent", attr("xmlns:e", nsEncrypted), func() {
		if len(c.replyTo) > 0 {
			w.leaf("e:Reply-to-Etk", base64.StdEncoding.EncodeToString(c.replyTo))
		}
		w.in("e:BusinessContent", attr("id", "_content")+attr("ContentType", "text/xml")+attr("ContentEncoding", "none"), func() {
			w.WriteString(base64.StdEncoding.EncodeToString(query))
		})
	})
	sealed, err := c.seal(c.ctx, []byte(w.String()))
	if err != nil {
		return nil, "", fmt.Errorf("sealing the question: %w", err)
	}
	return sealed, attr("ContentEncryption", forTheNetwork), nil
}

// unwrap gives the content of a Detail: opened if it is sealed, inflated if it does not say that it is not deflated.
func (c *sealing) unwrap(detail *xmldsig.Node) ([]byte, error) {
	raw, err := xmldsig.DecodeBase64(detail.Text())
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrAnswer, err)
	}
	encoding, ok := detail.Attr("", "ContentEncoding")
	if !ok {
		encoding = "deflate" // the schema's default
	}
	e := detail.Get("ContentEncryption")
	if e == "" {
		return decoded(raw, encoding)
	}
	if c == nil || c.unseal == nil {
		return nil, fmt.Errorf("%w: it is sealed (%.40q), and no key to open it is set up", ErrAnswer, e)
	}
	if raw, err = c.unseal(c.ctx, raw); err != nil {
		return nil, fmt.Errorf("%w: opening the seal: %w", ErrAnswer, err)
	}
	known, err := parse(raw)
	if err != nil {
		return nil, err
	}
	business := known.Child(nsEncrypted, "BusinessContent")
	if !known.Is(nsEncrypted, "EncryptedKnownContent") || business == nil {
		return nil, fmt.Errorf("%w: nothing known under the seal", ErrAnswer)
	}
	if raw, err = xmldsig.DecodeBase64(business.Text()); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrAnswer, err)
	}
	if encoding, ok = business.Attr("", "ContentEncoding"); !ok {
		encoding = "none"
	}
	return decoded(raw, encoding)
}

// decoded undoes a content encoding. What is called deflate comes with the head of zlib (RFC 1950) or without (RFC 1951).
func decoded(raw []byte, encoding string) ([]byte, error) {
	switch encoding {
	case "none":
		return raw, nil
	case "deflate":
	default:
		return nil, fmt.Errorf("%w: content encoding %.20q", ErrAnswer, encoding)
	}
	var r io.Reader = flate.NewReader(bytes.NewReader(raw))
	if z, err := zlib.NewReader(bytes.NewReader(raw)); err == nil {
		r = z
	}
	out, err := io.ReadAll(io.LimitReader(r, maxMessage+1))
	if err != nil || len(out) > maxMessage {
		return nil, fmt.Errorf("%w: it does not inflate, or to more than %d bytes", ErrAnswer, maxMessage)
	}
	return out, nil
}
