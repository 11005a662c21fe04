package ocsp

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/eidkit/eidkit/internal/ber"
	"github.com/eidkit/eidkit/internal/certs"
	"github.com/eidkit/eidkit/internal/sigalg"
)

// Bounds of an answer. Services give one statement and up to four
// certificates; an archive may hold more.
const (
	MaxResponse  = 1 << 20 // bytes
	maxSingles   = 1000
	maxEmbedded  = 32 // certificates
	maxExtension = 32 // extensions of one list
)

// Status is what a statement says (RFC 6960 section 4.2.1, CertStatus).
type Status int

// The statuses.
const (
	Good Status = iota
	Revoked
	Unknown
)

// Single is one statement, about one certificate.
type Single struct {
	ID            ID
	Status        Status
	RevokedAt     time.Time // zero unless revoked
	Reason        int       // CRLReason; -1 if not said
	ThisUpdate    time.Time
	NextUpdate    time.Time // zero if not said
	ArchiveCutoff time.Time // zero if not said
	// Unusable says why the statement cannot be relied on: a critical
	// extension that is not known. Nil if it can.
	Unusable error

	certHash *hashed
}

// Response is a BasicOCSPResponse as read, nobody having checked it yet.
type Response struct {
	Raw   []byte // the BasicOCSPResponse
	Outer []byte // what was around it, as it came: OCSPResponse; nil if nothing

	ResponderName []byte // DER Name, or nil
	ResponderKey  []byte // SHA-1 of the responder's key, or nil
	ProducedAt    time.Time
	Singles       []Single
	Nonce         []byte // nil if there is none
	Certificates  []*x509.Certificate
	// Unusable: a critical extension of the whole that is not known.
	Unusable error

	whole        bool // Outer is an OCSPResponse in DER
	tbs          []byte
	algorithm    sigalg.Algorithm
	algorithmErr error
	signature    []byte
}

// Algorithm is how the answer is signed; the zero value if that is not known.
func (r *Response) Algorithm() sigalg.Algorithm { return r.algorithm }

// Parse reads an OCSPResponse, or a BasicOCSPResponse or ResponseBytes standing
// alone as signatures embed them, in DER or, around what is signed, in BER.
// Certificates in it that cannot be read are left out. Errors: ErrMalformed,
// and a StatusError for an answer without content.
func Parse(der []byte) (*Response, error) {
	if len(der) > MaxResponse {
		return nil, fmt.Errorf("%w: %d bytes", ErrMalformed, len(der))
	}
	r, err := parse(der)
	if errors.Is(err, ErrMalformed) {
		if d, derErr := ber.DER(der); derErr == nil && !bytes.Equal(d, der) {
			if again, err := parse(d); err == nil {
				again.Outer, again.whole = der, false
				return again, nil
			}
		}
	}
	return r, err
}

func parse(der []byte) (*Response, error) {
	in := cryptobyte.String(der)
	var body cryptobyte.String
	if !in.ReadASN1(&body, cbasn1.SEQUENCE) || !in.Empty() {
		return nil, fmt.Errorf("%w: no SEQUENCE, or data behind it", ErrMalformed)
	}
	switch {
	case body.PeekASN1Tag(cbasn1.SEQUENCE):
		return parseBasic(der)
	case body.PeekASN1Tag(cbasn1.OBJECT_IDENTIFIER):
		return parseBytes(body, der)
	}
	var status int
	var wrapped cryptobyte.String
	var hasBytes bool
	if !body.ReadASN1Enum(&status) || !body.ReadOptionalASN1(&wrapped, &hasBytes, cbasn1.Tag(0).Constructed().ContextSpecific()) || !body.Empty() {
		return nil, fmt.Errorf("%w: OCSPResponse", ErrMalformed)
	}
	if status != 0 {
		return nil, StatusError(status)
	}
	var inner cryptobyte.String
	if !hasBytes || !wrapped.ReadASN1(&inner, cbasn1.SEQUENCE) || !wrapped.Empty() {
		return nil, fmt.Errorf("%w: responseBytes", ErrMalformed)
	}
	r, err := parseBytes(inner, der)
	if err == nil {
		r.whole = true
	}
	return r, err
}

// Encoded returns the OCSPResponse: as it came, or made anew around a
// BasicOCSPResponse.
func (r *Response) Encoded() []byte {
	if r.whole {
		return r.Outer
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Enum(0)
		b.AddASN1(cbasn1.Tag(0).Constructed().ContextSpecific(), func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1ObjectIdentifier(oidBasic)
				b.AddASN1OctetString(r.Raw)
			})
		})
	})
	return b.BytesOrPanic() // a constant and bytes: nothing that could fail
}

// parseBytes reads the contents of ResponseBytes; outer is all that there was.
func parseBytes(inner cryptobyte.String, outer []byte) (*Response, error) {
	var kind asn1.ObjectIdentifier
	var content cryptobyte.String
	if !inner.ReadASN1ObjectIdentifier(&kind) || !inner.ReadASN1(&content, cbasn1.OCTET_STRING) || !inner.Empty() {
		return nil, fmt.Errorf("%w: responseBytes", ErrMalformed)
	}
	if !kind.Equal(oidBasic) {
		return nil, fmt.Errorf("%w: response type %v", ErrMalformed, kind)
	}
	r, err := parseBasic(content)
	if err != nil {
		return nil, err
	}
	r.Outer = outer
	return r, nil
}

// parseBasic reads BasicOCSPResponse (RFC 6960 section 4.2.1).
func parseBasic(der []byte) (*Response, error) {
	r := &Response{Raw: der}
	in := cryptobyte.String(der)
	var body, tbs, alg, chain, list cryptobyte.String
	var hasCerts bool
	if !in.ReadASN1(&body, cbasn1.SEQUENCE) || !in.Empty() || !body.ReadASN1Element(&tbs, cbasn1.SEQUENCE) ||
		!body.ReadASN1Element(&alg, cbasn1.SEQUENCE) || !body.ReadASN1BitStringAsBytes(&r.signature) ||
		!body.ReadOptionalASN1(&chain, &hasCerts, cbasn1.Tag(0).Constructed().ContextSpecific()) || !body.Empty() {
		return nil, fmt.Errorf("%w: BasicOCSPResponse", ErrMalformed)
	}
	r.tbs = tbs
	r.algorithm, r.algorithmErr = sigalg.Parse(alg)
	if err := r.parseData(tbs); err != nil {
		return nil, err
	}
	if !hasCerts {
		return r, nil
	}
	if !chain.ReadASN1(&list, cbasn1.SEQUENCE) || !chain.Empty() {
		return nil, fmt.Errorf("%w: certificates", ErrMalformed)
	}
	for !list.Empty() && len(r.Certificates) < maxEmbedded {
		var raw cryptobyte.String
		var tag cbasn1.Tag
		if !list.ReadAnyASN1Element(&raw, &tag) {
			return nil, fmt.Errorf("%w: certificates", ErrMalformed)
		}
		if c, _, err := certs.Parse(raw); err == nil {
			r.Certificates = append(r.Certificates, c)
		}
	}
	return r, nil
}

// parseData reads ResponseData.
func (r *Response) parseData(tbs cryptobyte.String) error {
	var body, version, responder, singles, extensions cryptobyte.String
	var hasExtensions bool
	var hasVersion bool
	var v1 int
	if !tbs.ReadASN1(&body, cbasn1.SEQUENCE) || !body.ReadOptionalASN1(&version, &hasVersion, cbasn1.Tag(0).Constructed().ContextSpecific()) {
		return fmt.Errorf("%w: ResponseData", ErrMalformed)
	}
	if hasVersion && (!version.ReadASN1Integer(&v1) || !version.Empty() || v1 != 0) {
		return fmt.Errorf("%w: unknown version", ErrMalformed)
	}
	switch {
	case body.PeekASN1Tag(cbasn1.Tag(1).Constructed().ContextSpecific()):
		if !body.ReadASN1(&responder, cbasn1.Tag(1).Constructed().ContextSpecific()) {
			return fmt.Errorf("%w: responderID", ErrMalformed)
		}
		r.ResponderName = responder
	case body.PeekASN1Tag(cbasn1.Tag(2).Constructed().ContextSpecific()):
		if !body.ReadASN1(&responder, cbasn1.Tag(2).Constructed().ContextSpecific()) || !responder.ReadASN1((*cryptobyte.String)(&r.ResponderKey), cbasn1.OCTET_STRING) {
			return fmt.Errorf("%w: responderID", ErrMalformed)
		}
	default:
		return fmt.Errorf("%w: no responderID", ErrMalformed)
	}
	var ok bool
	if r.ProducedAt, ok = readTime(&body); !ok || !body.ReadASN1(&singles, cbasn1.SEQUENCE) ||
		!body.ReadOptionalASN1(&extensions, &hasExtensions, cbasn1.Tag(1).Constructed().ContextSpecific()) || !body.Empty() {
		return fmt.Errorf("%w: ResponseData", ErrMalformed)
	}
	for !singles.Empty() {
		if len(r.Singles) >= maxSingles {
			return fmt.Errorf("%w: more than %d statements", ErrMalformed, maxSingles)
		}
		s, err := parseSingle(&singles)
		if err != nil {
			return err
		}
		r.Singles = append(r.Singles, s)
	}
	return eachExtension(extensions, func(id asn1.ObjectIdentifier, critical bool, value []byte) {
		switch {
		case id.Equal(oidNonce):
			r.Nonce = nonceOf(value)
		case critical:
			r.Unusable = fmt.Errorf("%w: critical extension %v is not known", ErrMalformed, id)
		}
	})
}

// nonceOf takes the OCTET STRING out of the extension's value; services that
// forget it are understood too (RFC 9654 section 2.1 notes them).
func nonceOf(value []byte) []byte {
	s := cryptobyte.String(value)
	var inner cryptobyte.String
	if s.ReadASN1(&inner, cbasn1.OCTET_STRING) && s.Empty() {
		return bytes.Clone(inner)
	}
	return bytes.Clone(value)
}

// parseSingle reads SingleResponse.
func parseSingle(in *cryptobyte.String) (s Single, err error) {
	var body, id, revoked, extensions, skip cryptobyte.String
	bad := func(what string) (Single, error) { return Single{}, fmt.Errorf("%w: %s", ErrMalformed, what) }
	if !in.ReadASN1(&body, cbasn1.SEQUENCE) || !body.ReadASN1(&id, cbasn1.SEQUENCE) {
		return bad("SingleResponse")
	}
	if s.ID, err = parseID(id); err != nil {
		return Single{}, err
	}
	s.Reason = -1
	var tag cbasn1.Tag
	if !body.ReadAnyASN1(&revoked, &tag) {
		return bad("CertStatus")
	}
	switch tag {
	case cbasn1.Tag(0).ContextSpecific():
		s.Status = Good
	case cbasn1.Tag(1).Constructed().ContextSpecific():
		s.Status = Revoked
		var ok bool
		if s.RevokedAt, ok = readTime(&revoked); !ok {
			return bad("RevokedInfo")
		}
		var reason cryptobyte.String
		var has bool
		if !revoked.ReadOptionalASN1(&reason, &has, cbasn1.Tag(0).Constructed().ContextSpecific()) || has && !reason.ReadASN1Enum(&s.Reason) {
			return bad("RevokedInfo")
		}
	case cbasn1.Tag(2).ContextSpecific(), cbasn1.Tag(2).Constructed().ContextSpecific():
		s.Status = Unknown
	default:
		return bad("CertStatus")
	}
	var ok bool
	if s.ThisUpdate, ok = readTime(&body); !ok {
		return bad("thisUpdate")
	}
	var next cryptobyte.String
	var has bool
	if !body.ReadOptionalASN1(&next, &has, cbasn1.Tag(0).Constructed().ContextSpecific()) {
		return bad("nextUpdate")
	}
	if has {
		if s.NextUpdate, ok = readTime(&next); !ok {
			return bad("nextUpdate")
		}
	}
	if !body.ReadOptionalASN1(&extensions, nil, cbasn1.Tag(1).Constructed().ContextSpecific()) || !body.Empty() {
		return bad("SingleResponse")
	}
	err = eachExtension(extensions, func(id asn1.ObjectIdentifier, critical bool, value []byte) {
		skip = cryptobyte.String(value)
		if id.Equal(oidArchiveCutoff) {
			if t, ok := readTime(&skip); ok {
				s.ArchiveCutoff = t
				return
			}
		}
		if id.Equal(oidCertHash) {
			if s.certHash = certHash(value); s.certHash != nil {
				return
			}
		}
		if critical {
			s.Unusable = fmt.Errorf("%w: critical extension %v is not known", ErrMalformed, id)
		}
	})
	return s, err
}
