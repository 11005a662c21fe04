package soap

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"github.com/eidkit/eidkit/internal/sigalg"
	"github.com/eidkit/eidkit/internal/xmldsig"
)

// Security is what the header of a message proves.
type Security struct {
	// Key signs Body and Timestamp. An RSA key signs by PKCS #1 v1.5 with SHA-256, an EC key by ECDSA with SHA-256.
	Key crypto.Signer
	// Certificate is that of the key, sent along; or else Assertion is a SAML 1.1 assertion that names the key, as a document of its own.
	Certificate *x509.Certificate
	Assertion   []byte
	// Created is the time of the message, and TTL how long it holds; 0: 60 s.
	Created time.Time
	TTL     time.Duration
}

// Identifiers in the header, and algorithms.
const (
	idBody      = "body-1"
	idTimestamp = "TS-1"
	idToken     = "X509-1"

	algExclusive = "http://www.w3.org/2001/10/xml-exc-c14n#"
	algSHA256    = "http://www.w3.org/2001/04/xmlenc#sha256"
	algRSA       = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
	algECDSA     = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"

	typeBase64    = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary"
	typeX509      = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-x509-token-profile-1.0#X509v3"
	typeAssertion = "http://docs.oasis-open.org/wss/oasis-wss-saml-token-profile-1.0#SAMLAssertionID"
)

// Build makes a message: body, an element as a document of its own without an XML declaration, under a header that s signs. Without s
// there is no header. Errors are those of the key, of ctx, and of a body or assertion that is no XML.
func Build(ctx context.Context, body []byte, s *Security) ([]byte, error) {
	if s == nil {
		return envelope("", body), nil
	}
	token, reference, err := s.token()
	if err != nil {
		return nil, err
	}
	ttl := s.TTL
	if ttl == 0 {
		ttl = time.Minute
	}
	stamp := fmt.Sprintf(`<wsu:Timestamp wsu:Id="%s"><wsu:Created>%s</wsu:Created><wsu:Expires>%s</wsu:Expires></wsu:Timestamp>`,
		idTimestamp, instant(s.Created), instant(s.Created.Add(ttl)))
	header := func(signature string) string {
		return `<wsse:Security S:mustUnderstand="1">` + token + stamp + signature + `</wsse:Security>`
	}
	digests, err := digestsOf(ctx, envelope(header(""), body))
	if err != nil {
		return nil, err
	}
	info, err := s.signedInfo(digests)
	if err != nil {
		return nil, err
	}
	signature := func(value string) string {
		return `<ds:Signature xmlns:ds="` + xmldsig.NamespaceDS + `">` + info + `<ds:SignatureValue>` + value + `</ds:SignatureValue><ds:KeyInfo>` + reference + `</ds:KeyInfo></ds:Signature>`
	}
	value, err := s.sign(ctx, envelope(header(signature("")), body))
	if err != nil {
		return nil, err
	}
	return envelope(header(signature(value)), body), nil
}

func instant(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

func envelope(header string, body []byte) []byte {
	var b bytes.Buffer
	b.WriteString(`<S:Envelope xmlns:S="` + nsEnvelope + `" xmlns:wsse="` + nsWSSE + `" xmlns:wsu="` + nsWSU + `"><S:Header>` + header + `</S:Header><S:Body wsu:Id="` + idBody + `">`)
	b.Write(body)
	b.WriteString(`</S:Body></S:Envelope>`)
	return b.Bytes()
}

// token is the security token, and the reference to it in KeyInfo.
func (s *Security) token() (token, reference string, err error) {
	wrap := func(inner string) string {
		return `<wsse:SecurityTokenReference>` + inner + `</wsse:SecurityTokenReference>`
	}
	if s.Certificate != nil {
		return fmt.Sprintf(`<wsse:BinarySecurityToken EncodingType="%s" ValueType="%s" wsu:Id="%s">%s</wsse:BinarySecurityToken>`,
				typeBase64, typeX509, idToken, base64.StdEncoding.EncodeToString(s.Certificate.Raw)),
			wrap(fmt.Sprintf(`<wsse:Reference URI="#%s" ValueType="%s"/>`, idToken, typeX509)), nil
	}
	d, err := xmldsig.Parse(s.Assertion, xmldsig.Limits{Bytes: maxAnswer})
	if err != nil {
		return "", "", fmt.Errorf("reading the SAML assertion: %w", err)
	}
	id := d.Root().Get("AssertionID")
	if id == "" || strings.ContainsAny(id, `"<>&`) {
		return "", "", fmt.Errorf("%w: a SAML assertion without a proper identifier", ErrMalformed)
	}
	return d.Source(d.Root()), wrap(fmt.Sprintf(`<wsse:KeyIdentifier ValueType="%s">%s</wsse:KeyIdentifier>`, typeAssertion, id)), nil
}

// digestsOf are the digests of Body and Timestamp.
func digestsOf(ctx context.Context, message []byte) (digests [2]string, err error) {
	d, err := xmldsig.Parse(message, xmldsig.Limits{Bytes: 2 * maxAnswer})
	if err != nil {
		return digests, fmt.Errorf("putting the message together: %w", err)
	}
	root := d.Root()
	for i, n := range []*xmldsig.Node{root.Child(nsEnvelope, "Body"), root.Child(nsEnvelope, "Header").Child(nsWSSE, "Security").Child(nsWSU, "Timestamp")} {
		h := sha256.New()
		if err := d.Canonicalize(ctx, h, n, exclusive); err != nil {
			return digests, fmt.Errorf("putting the message together: %w", err)
		}
		digests[i] = base64.StdEncoding.EncodeToString(h.Sum(nil))
	}
	return digests, nil
}

func (s *Security) signedInfo(digests [2]string) (string, error) {
	alg := algRSA
	switch s.Key.Public().(type) {
	case *rsa.PublicKey:
	case *ecdsa.PublicKey:
		alg = algECDSA
	default:
		return "", fmt.Errorf("keys of type %T do not sign messages", s.Key.Public())
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<ds:SignedInfo><ds:CanonicalizationMethod Algorithm="%s"/><ds:SignatureMethod Algorithm="%s"/>`, algExclusive, alg)
	for i, id := range []string{idBody, idTimestamp} {
		fmt.Fprintf(&b, `<ds:Reference URI="#%s"><ds:Transforms><ds:Transform Algorithm="%s"/></ds:Transforms><ds:DigestMethod Algorithm="%s"/><ds:DigestValue>%s</ds:DigestValue></ds:Reference>`,
			id, algExclusive, algSHA256, digests[i])
	}
	b.WriteString(`</ds:SignedInfo>`)
	return b.String(), nil
}

// sign signs the SignedInfo of a message and returns the value in base64.
func (s *Security) sign(ctx context.Context, message []byte) (string, error) {
	d, err := xmldsig.Parse(message, xmldsig.Limits{Bytes: 2 * maxAnswer})
	if err != nil {
		return "", fmt.Errorf("putting the message together: %w", err)
	}
	info := d.Root().Child(nsEnvelope, "Header").Child(nsWSSE, "Security").Child(xmldsig.NamespaceDS, "Signature").Child(xmldsig.NamespaceDS, "SignedInfo")
	h := sha256.New()
	if err := d.Canonicalize(ctx, h, info, exclusive); err != nil {
		return "", fmt.Errorf("putting the message together: %w", err)
	}
	value, err := s.Key.Sign(nil, h.Sum(nil), crypto.SHA256)
	if err != nil {
		return "", fmt.Errorf("signing the message: %w", err)
	}
	if pub, ok := s.Key.Public().(*ecdsa.PublicKey); ok {
		if value, err = sigalg.ECDSAToRaw(value, 2*((pub.Params().N.BitLen()+7)/8)); err != nil {
			return "", fmt.Errorf("signing the message: %w", err)
		}
	}
	return base64.StdEncoding.EncodeToString(value), nil
}
