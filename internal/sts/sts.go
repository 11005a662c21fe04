// Package sts asks a security token service for a token and reads it: WS-Trust 1.3 "Issue", and SAML 1.1 assertions bound to a key
// of the asker (holder-of-key).
//
// Start with Service.Issue, which needs a Holder: the key that the token will be bound to, with a certificate that carries it. Read
// reads an assertion that was kept.
//
// The assertion is kept as it came, since its signature covers it. That signature is for the services to check: here the token came
// over TLS from the service that was asked.
//
// Out of scope: SAML 2.0, bearer tokens, renewing and cancelling by WS-Trust, which the platform does not offer: a new token is
// issued instead. Keeping tokens is for the callers.
//
// References: WS-Trust 1.3 sections 3 and 4; SAML 1.1 (core) sections 2.3 and 2.4; WS-Federation 1.2 section 9.3 (claims); facts
// sheet "assurability" c.4.
package sts

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/eidkit/eidkit/internal/fetch"
	"github.com/eidkit/eidkit/internal/soap"
)

// Errors.
var (
	// ErrToken: what came is no token, or none that was asked for: for another key, or not valid now.
	ErrToken = errors.New("not a usable security token")
	// ErrCredential: the key that proves who asks did not sign, because its owner did not want to or it is gone.
	ErrCredential = errors.New("the credential did not sign")
)

// DefaultAction is the SOAPAction of the platform's service.
const DefaultAction = "urn:be:fgov:ehealth:sts:protocol:v1:RequestSecurityToken"

// Skew is how far the service's clock may be ahead of ours.
const Skew = 5 * time.Minute

// maxAnswer bounds an answer; real ones have some 15 KB.
const maxAnswer = 1 << 20

// Claim is an attribute that the token shall have: with a value for what the asker says of himself, without for what the service shall
// look up and certify.
type Claim struct{ Name, Value string }

// Credential proves who asks: a key and its certificate.
type Credential struct {
	Key         crypto.Signer
	Certificate *x509.Certificate
}

// Holder is the key that a token is bound to, with a certificate for it.
type Holder struct {
	Key         crypto.Signer
	Certificate *x509.Certificate
}

// NewHolder makes an RSA key of 2048 bits with a certificate signed by itself, which holds from an hour before now until the end given.
func NewHolder(now, until time.Time) (*Holder, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, fmt.Errorf("making the session's key: %w", err)
	}
	return HolderOf(key, now, until)
}

// HolderOf is NewHolder for a key that is there.
func HolderOf(key crypto.Signer, now, until time.Time) (*Holder, error) {
	spki, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return nil, fmt.Errorf("making the session's certificate: %w", err)
	}
	id := sha256.Sum256(spki)
	template := &x509.Certificate{
		SerialNumber: new(big.Int).SetBytes(append([]byte{1}, id[:8]...)),
		Subject:      pkix.Name{CommonName: "session " + hex.EncodeToString(id[:8])},
		NotBefore:    now.Add(-time.Hour), NotAfter: until.Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("making the session's certificate: %w", err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("making the session's certificate: %w", err)
	}
	return &Holder{Key: key, Certificate: cert}, nil
}

// Service is a security token service.
type Service struct {
	Client *fetch.Client
	URL    string
	// Action is the SOAPAction; empty: DefaultAction.
	Action string
}

// Request is what Issue asks for.
type Request struct {
	Credential Credential
	Claims     []Claim
	Holder     *Holder
	Now        time.Time
	Lifetime   time.Duration
}

// Issue asks for a token. Errors: ErrCredential, ErrToken, *soap.Fault, soap.ErrMalformed, ctx's, and those
// of package fetch.
func (s *Service) Issue(ctx context.Context, r Request) (*Token, error) {
	id, err := newContext()
	if err != nil {
		return nil, err
	}
	message, err := soap.Build(ctx, r.encode(id), &soap.Security{Key: r.Credential.Key, Certificate: r.Credential.Certificate, Created: r.Now, TTL: Skew})
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCredential, err)
	}
	action := s.Action
	if action == "" {
		action = DefaultAction
	}
	answer, err := s.Client.Post(ctx, s.URL, "text/xml; charset=utf-8", message, fetch.Request{Accept: "text/xml", MaxBytes: maxAnswer, SOAP: true, SOAPAction: action})
	if err != nil {
		return nil, err
	}
	body, err := soap.OpenSigned(ctx, answer.Body)
	if err != nil {
		return nil, err
	}
	token, err := readResponse(ctx, body, id)
	if err != nil {
		return nil, err
	}
	switch {
	case !token.Holds(r.Holder.Key.Public()):
		return nil, fmt.Errorf("%w: it is bound to another key", ErrToken)
	case token.From.After(r.Now.Add(Skew)):
		return nil, fmt.Errorf("%w: it is not valid yet", ErrToken)
	case !token.Until.After(r.Now):
		return nil, fmt.Errorf("%w: it is not valid any more", ErrToken)
	}
	return token, nil
}

// newContext makes the identifier that an answer repeats.
func newContext() (string, error) {
	b := make([]byte, 16)
	if _, err := rand.Read(b); err != nil {
		return "", fmt.Errorf("making an identifier: %w", err)
	}
	return "RC-" + hex.EncodeToString(b), nil
}

var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "\r", "&#13;", "\n", "&#10;", "\t", "&#9;")

// encode makes the wst:RequestSecurityToken.
func (r *Request) encode(id string) []byte {
	var b bytes.Buffer
	leaf := func(name, text string) { fmt.Fprintf(&b, "<%s>%s</%s>", name, escaper.Replace(text), name) }
	fmt.Fprintf(&b, `<wst:RequestSecurityToken xmlns:wst="%s" xmlns:auth="%s" xmlns:wsse="%s" xmlns:wsu="%s" xmlns:ds="%s" Context="%s">`, nsTrust, nsAuth, nsWSSE, nsWSU, nsDS, id)
	leaf("wst:TokenType", tokenSAML11)
	leaf("wst:RequestType", nsTrust+"/Issue")
	fmt.Fprintf(&b, `<wst:Claims Dialect="%s">`, dialect)
	for _, c := range r.Claims {
		fmt.Fprintf(&b, `<auth:ClaimType Uri="%s">`, escaper.Replace(c.Name))
		if c.Value != "" {
			leaf("auth:Value", c.Value)
		}
		b.WriteString(`</auth:ClaimType>`)
	}
	b.WriteString(`</wst:Claims><wst:Lifetime>`)
	leaf("wsu:Created", instant(r.Now))
	leaf("wsu:Expires", instant(r.Now.Add(r.Lifetime)))
	b.WriteString(`</wst:Lifetime>`)
	leaf("wst:KeyType", nsTrust+"/PublicKey")
	fmt.Fprintf(&b, `<wst:UseKey><wsse:SecurityTokenReference><ds:X509Data><ds:X509Certificate>%s</ds:X509Certificate></ds:X509Data></wsse:SecurityTokenReference></wst:UseKey>`,
		base64.StdEncoding.EncodeToString(r.Holder.Certificate.Raw))
	b.WriteString(`</wst:RequestSecurityToken>`)
	return b.Bytes()
}

func instant(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
