// Package tsp is the Time-Stamp Protocol: it makes requests and reads responses
// and tokens.
//
// A client calls NewRequest, sends Request.Marshal, reads the answer with
// ParseResponse and holds it against the request with Response.Check. For a token
// found in a signature there is ParseToken.
//
// Out of scope: the way to the server, and judging a token: its signature, its
// certificate and the key usage that certificate must have are for package
// verify, as for any other signature.
//
// References: RFC 3161, RFC 5816 (ESSCertIDv2), ETSI EN 319 422.
package tsp

import (
	"context"
	"crypto"
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/eidkit/eidkit/internal/ber"
	"github.com/eidkit/eidkit/internal/cms"
	"github.com/eidkit/eidkit/internal/sigalg"
)

// Errors of this package. Bytes that cannot be read are ber.ErrMalformed or ber.ErrTooLarge.
var (
	// ErrNotToken: a CMS message that is no time stamp token.
	ErrNotToken = errors.New("not a time stamp token")
	// ErrRejected: the server refused; the error is a *StatusError.
	ErrRejected = errors.New("time stamp refused")
	// ErrMismatch: the token is not the answer to the request.
	ErrMismatch = errors.New("time stamp does not fit its request")
)

// Info is the TSTInfo of a token, RFC 3161 section 2.4.2.
type Info struct {
	Version       int
	Policy        string      // OID
	Hash          crypto.Hash // 0: not known
	HashAlgorithm []byte      // AlgorithmIdentifier as it stands
	Imprint       []byte
	Serial        *big.Int
	GenTime       time.Time
	Accuracy      time.Duration // 0: not said
	Ordering      bool
	Nonce         *big.Int // nil: none
	TSA           []byte   // GeneralName, or nil
	Extensions    []byte   // as they stand, or nil
	Raw           []byte
}

// Token is a TimeStampToken.
type Token struct {
	Raw    []byte
	Signed *cms.SignedData
	Info   *Info
}

// maxInfo bounds a TSTInfo; real ones have some 200 bytes.
const maxInfo = 1 << 20

// ParseToken reads a TimeStampToken: a SignedData around a TSTInfo. Zero bytes
// behind it are cut off.
func ParseToken(ctx context.Context, raw []byte) (*Token, error) {
	e, err := ber.ParsePrefix(raw)
	if err != nil {
		return nil, err
	}
	signed, err := cms.ParseBytes(ctx, e.Raw)
	if err != nil {
		return nil, err
	}
	return NewToken(signed, e.Raw)
}

// NewToken reads the token that a parsed message is; raw is the message.
func NewToken(signed *cms.SignedData, raw []byte) (*Token, error) {
	if signed.ContentType != cms.TypeTSTInfo {
		return nil, fmt.Errorf("%w: content type %s", ErrNotToken, signed.ContentType)
	}
	if signed.Content == nil {
		return nil, fmt.Errorf("%w: no content", ErrNotToken)
	}
	content, err := signed.Content.Bytes(maxInfo)
	if err != nil {
		return nil, err
	}
	info, err := ParseInfo(content)
	if err != nil {
		return nil, fmt.Errorf("reading the TSTInfo: %w", err)
	}
	return &Token{Raw: raw, Signed: signed, Info: info}, nil
}

// ParseInfo reads a TSTInfo.
func ParseInfo(raw []byte) (*Info, error) {
	e, err := ber.Parse(raw)
	if err != nil {
		return nil, err
	}
	if !e.Is(ber.Universal, ber.TagSequence) {
		return nil, fmt.Errorf("%w: %s instead of a TSTInfo", ber.ErrMalformed, e.Header)
	}
	i := &Info{Raw: raw}
	r := e.Reader()
	if err := i.mandatory(r); err != nil {
		return nil, err
	}
	return i, i.optional(r)
}

// mandatory reads what every TSTInfo has.
func (i *Info) mandatory(r *ber.Reader) error {
	for _, field := range []struct {
		name string
		tag  uint32
		set  func(ber.Element) error
	}{
		{"version", ber.TagInteger, func(e ber.Element) (err error) { i.Version, err = e.Int(); return err }},
		{"policy", ber.TagOID, func(e ber.Element) (err error) { i.Policy, err = e.OID(); return err }},
		{"messageImprint", ber.TagSequence, i.imprint},
		{"serialNumber", ber.TagInteger, func(e ber.Element) (err error) { i.Serial, err = e.Integer(); return err }},
		{"genTime", ber.TagGeneralizedTime, func(e ber.Element) (err error) { i.GenTime, err = e.Time(); return err }},
	} {
		e, err := r.Expect(ber.Universal, field.tag)
		if err == nil {
			err = field.set(e)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", field.name, err)
		}
	}
	return nil
}

func (i *Info) imprint(e ber.Element) error {
	r := e.Reader()
	alg, err := r.Expect(ber.Universal, ber.TagSequence)
	if err != nil {
		return err
	}
	i.HashAlgorithm = alg.Raw
	if h, err := sigalg.HashAlgorithm(alg.Raw); err == nil {
		i.Hash = h
	}
	value, err := r.Expect(ber.Universal, ber.TagOctetString)
	if err != nil {
		return err
	}
	i.Imprint, err = value.Octets()
	return err
}

// optional reads the fields behind genTime.
func (i *Info) optional(r *ber.Reader) error {
	for r.More() {
		e, err := r.Next()
		if err != nil {
			return err
		}
		switch {
		case e.Is(ber.Universal, ber.TagSequence):
			err = i.accuracy(e)
		case e.Is(ber.Universal, ber.TagBoolean):
			i.Ordering, err = e.Bool()
		case e.Is(ber.Universal, ber.TagInteger):
			i.Nonce, err = e.Integer()
		case e.Is(ber.Context, 0):
			i.TSA = e.Body
		case e.Is(ber.Context, 1):
			i.Extensions = e.Raw
		default:
			err = fmt.Errorf("%w: unexpected %s", ber.ErrMalformed, e.Header)
		}
		if err != nil {
			return fmt.Errorf("optional fields: %w", err)
		}
	}
	return nil
}

func (i *Info) accuracy(e ber.Element) error {
	for r := e.Reader(); r.More(); {
		part, err := r.Next()
		if err != nil {
			return err
		}
		n, err := part.Int()
		if err != nil {
			return err
		}
		unit := time.Second
		switch {
		case part.Is(ber.Context, 0):
			unit = time.Millisecond
		case part.Is(ber.Context, 1):
			unit = time.Microsecond
		case !part.Is(ber.Universal, ber.TagInteger):
			return fmt.Errorf("%w: %s in the accuracy", ber.ErrMalformed, part.Header)
		}
		if n < 0 {
			return fmt.Errorf("%w: negative accuracy", ber.ErrMalformed)
		}
		i.Accuracy += time.Duration(n) * unit
	}
	return nil
}

// Request is a TimeStampReq, RFC 3161 section 2.4.1.
type Request struct {
	Hash    crypto.Hash
	Imprint []byte
	Policy  string   // OID asked for, or empty
	Nonce   *big.Int // or nil
	// NoCertificates asks for a token without certificates in it.
	NoCertificates bool
}

// NewRequest asks for a time stamp over data with that digest, with a fresh
// nonce of 64 bits.
func NewRequest(hash crypto.Hash, digest []byte) (*Request, error) {
	if !hash.Available() || len(digest) != hash.Size() {
		return nil, fmt.Errorf("%w: digest of %d bytes for %s", sigalg.ErrUnsupported, len(digest), sigalg.HashName(hash))
	}
	nonce, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 64))
	if err != nil {
		return nil, err
	}
	return &Request{Hash: hash, Imprint: digest, Nonce: nonce}, nil
}
