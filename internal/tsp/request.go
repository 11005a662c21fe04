package tsp

import (
	"bytes"
	"context"
	"crypto"
	"encoding/asn1"
	"fmt"
	"math/bits"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/eidkit/eidkit/internal/ber"
	"github.com/eidkit/eidkit/internal/sigalg"
)

// hashes are the digests that a time stamp can be asked for over (NIST CSOR, RFC 3279).
var hashes = map[crypto.Hash]string{
	crypto.SHA1: "1.3.14.3.2.26", crypto.SHA224: "2.16.840.1.101.3.4.2.4", crypto.SHA256: "2.16.840.1.101.3.4.2.1",
	crypto.SHA384: "2.16.840.1.101.3.4.2.2", crypto.SHA512: "2.16.840.1.101.3.4.2.3", crypto.SHA3_256: "2.16.840.1.101.3.4.2.8",
	crypto.SHA3_384: "2.16.840.1.101.3.4.2.9", crypto.SHA3_512: "2.16.840.1.101.3.4.2.10",
}

// Marshal returns the request in DER, of media type application/timestamp-query.
func (r *Request) Marshal() ([]byte, error) {
	name, ok := hashes[r.Hash]
	if !ok || len(r.Imprint) != r.Hash.Size() {
		return nil, fmt.Errorf("%w: request over %d bytes of %s", sigalg.ErrUnsupported, len(r.Imprint), sigalg.HashName(r.Hash))
	}
	oid, err := parseOID(name)
	if err != nil {
		return nil, err
	}
	var policy asn1.ObjectIdentifier
	if r.Policy != "" {
		parsed, err := parseOID(r.Policy)
		if err != nil {
			return nil, err
		}
		policy = parsed
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(1)
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1ObjectIdentifier(oid)
				b.AddASN1NULL()
			})
			b.AddASN1OctetString(r.Imprint)
		})
		if policy != nil {
			b.AddASN1ObjectIdentifier(policy)
		}
		if r.Nonce != nil {
			b.AddASN1BigInt(r.Nonce)
		}
		if !r.NoCertificates {
			b.AddASN1Boolean(true)
		}
	})
	return b.Bytes()
}

func parseOID(text string) (asn1.ObjectIdentifier, error) {
	var oid asn1.ObjectIdentifier
	for arc := range strings.SplitSeq(text, ".") {
		n := 0
		for _, c := range arc {
			if c < '0' || c > '9' || n > 1<<27 {
				return nil, fmt.Errorf("%w: policy %q", ber.ErrMalformed, text)
			}
			n = 10*n + int(c-'0')
		}
		if arc == "" {
			return nil, fmt.Errorf("%w: policy %q", ber.ErrMalformed, text)
		}
		oid = append(oid, n)
	}
	return oid, nil
}

// Status is a PKIStatus, RFC 3161 section 2.4.2.
type Status int

// The statuses; a token is there with the first two.
const (
	Granted Status = iota
	GrantedWithMods
	Rejection
	Waiting
	RevocationWarning
	RevocationNotification
)

// String returns the name that RFC 3161 has for the status.
func (s Status) String() string {
	names := []string{"granted", "grantedWithMods", "rejection", "waiting", "revocationWarning", "revocationNotification"}
	if s < 0 || int(s) >= len(names) {
		return fmt.Sprintf("status %d", int(s))
	}
	return names[s]
}

// failures are the bits of PKIFailureInfo, RFC 3161 section 2.4.2.
var failures = map[int]string{
	0: "badAlg", 2: "badRequest", 5: "badDataFormat", 14: "timeNotAvailable", 15: "unacceptedPolicy", 16: "unacceptedExtension",
	17: "addInfoNotAvailable", 25: "systemFailure",
}

// StatusError is a refusal. It wraps ErrRejected.
type StatusError struct {
	Status   Status
	Text     string   // what the server says, may be empty; at most 1,000 bytes
	Failures []string // names of PKIFailureInfo: "badAlg", "bit 7"
}

// Error implements error.
func (e *StatusError) Error() string {
	text := ErrRejected.Error() + ": " + e.Status.String()
	if len(e.Failures) > 0 {
		text += " (" + strings.Join(e.Failures, ", ") + ")"
	}
	if e.Text != "" {
		text += fmt.Sprintf(": %q", e.Text)
	}
	return text
}

// Unwrap returns ErrRejected.
func (e *StatusError) Unwrap() error { return ErrRejected }

// Response is a TimeStampResp, RFC 3161 section 2.4.2.
type Response struct {
	Status   Status
	Text     string // PKIFreeText, its lines joined
	Failures []string
	Token    *Token // nil if there is none
}

// ParseResponse reads a TimeStampResp, of media type
// application/timestamp-reply. A refusal is no error here: see Check.
func ParseResponse(ctx context.Context, raw []byte) (*Response, error) {
	status, token, err := SplitResponse(raw)
	if err != nil {
		return nil, err
	}
	resp := &Response{}
	if err := resp.status(status); err != nil {
		return nil, fmt.Errorf("reading the status: %w", err)
	}
	if token != nil {
		if resp.Token, err = ParseToken(ctx, token); err != nil {
			return nil, fmt.Errorf("reading the token: %w", err)
		}
	}
	return resp, nil
}

// SplitResponse returns the PKIStatusInfo and the token, as they stand, of a
// TimeStampResp. token is nil if there is none.
func SplitResponse(raw []byte) (status, token []byte, err error) {
	e, err := ber.ParsePrefix(raw)
	if err != nil {
		return nil, nil, err
	}
	if !e.Is(ber.Universal, ber.TagSequence) {
		return nil, nil, fmt.Errorf("%w: %s instead of a TimeStampResp", ber.ErrMalformed, e.Header)
	}
	r := e.Reader()
	info, err := r.Expect(ber.Universal, ber.TagSequence)
	if err != nil {
		return nil, nil, err
	}
	if h, err := ber.ParseHeader(info.Body); err != nil || !h.Is(ber.Universal, ber.TagInteger) {
		return nil, nil, fmt.Errorf("%w: not a TimeStampResp", ber.ErrMalformed)
	}
	if !r.More() {
		return info.Raw, nil, nil
	}
	t, err := r.Expect(ber.Universal, ber.TagSequence)
	if err == nil && r.More() {
		err = fmt.Errorf("%w: something follows the token", ber.ErrMalformed)
	}
	return info.Raw, t.Raw, err
}

// status reads the PKIStatusInfo.
func (resp *Response) status(raw []byte) error {
	e, err := ber.Parse(raw)
	if err != nil {
		return err
	}
	r := e.Reader()
	number, err := r.Expect(ber.Universal, ber.TagInteger)
	if err != nil {
		return err
	}
	n, err := number.Int()
	if err != nil {
		return err
	}
	resp.Status = Status(n)
	lines, found, err := r.Optional(ber.Universal, ber.TagSequence)
	if err != nil {
		return err
	}
	if found {
		var text []string
		for in := lines.Reader(); in.More(); {
			line, err := in.Next()
			if err != nil {
				return err
			}
			s, err := line.Text()
			if err != nil {
				return err
			}
			text = append(text, s)
		}
		resp.Text = strings.Join(text, "\n")
		resp.Text = strings.ToValidUTF8(resp.Text[:min(len(resp.Text), 1000)], "")
	}
	failure, found, err := r.Optional(ber.Universal, ber.TagBitString)
	if err != nil || !found {
		return err
	}
	flags, err := failure.Bits()
	if err != nil {
		return err
	}
	for i := 0; i < min(8*len(flags), 64); i++ {
		if bits.Reverse8(flags[i/8])>>(i%8)&1 == 0 {
			continue
		}
		name := failures[i]
		if name == "" {
			name = fmt.Sprintf("bit %d", i)
		}
		resp.Failures = append(resp.Failures, name)
	}
	return nil
}

// Check holds the response against the request (RFC 3161 section 2.2): granted, over
// the same imprint, with the nonce, and with the policy if one was asked for.
// Errors: *StatusError, ErrMismatch.
func (resp *Response) Check(r *Request) error {
	if resp.Status != Granted && resp.Status != GrantedWithMods {
		return &StatusError{Status: resp.Status, Text: resp.Text, Failures: resp.Failures}
	}
	if resp.Token == nil {
		return fmt.Errorf("%w: granted, but without a token", ErrMismatch)
	}
	info := resp.Token.Info
	switch {
	case info.Hash != r.Hash || !bytes.Equal(info.Imprint, r.Imprint):
		return fmt.Errorf("%w: it is over something else", ErrMismatch)
	case r.Nonce != nil && (info.Nonce == nil || info.Nonce.Cmp(r.Nonce) != 0):
		return fmt.Errorf("%w: nonce", ErrMismatch)
	case r.Policy != "" && info.Policy != r.Policy:
		return fmt.Errorf("%w: policy %s instead of %s", ErrMismatch, info.Policy, r.Policy)
	}
	return nil
}
