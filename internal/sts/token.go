package sts

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/eidkit/eidkit/internal/xmldsig"
)

// Namespaces and names.
const (
	nsTrust = "http://docs.oasis-open.org/ws-sx/ws-trust/200512"
	nsAuth  = "http://docs.oasis-open.org/wsfed/authorization/200706"
	nsWSSE  = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
	nsWSU   = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
	nsDS    = xmldsig.NamespaceDS
	nsSAML  = "urn:oasis:names:tc:SAML:1.0:assertion"

	dialect     = nsAuth + "/authclaims"
	tokenSAML11 = "http://docs.oasis-open.org/wss/oasis-wss-saml-token-profile-1.1#SAMLV1.1"
	holderOfKey = "urn:oasis:names:tc:SAML:1.0:cm:holder-of-key"
)

// Token is a SAML 1.1 assertion.
type Token struct {
	// Assertion is it, as a document of its own: what its signature covers is unchanged.
	Assertion  []byte
	ID, Issuer string
	// From and Until bound its validity; Until itself is outside.
	From, Until time.Time
	// Attributes are what it says of the asker, by their names.
	Attributes map[string][]string

	holders []crypto.PublicKey
}

// Holds tells whether the token is bound to the key, and to no other.
func (t *Token) Holds(key crypto.PublicKey) bool {
	for _, h := range t.holders {
		if k, ok := h.(interface{ Equal(crypto.PublicKey) bool }); !ok || !k.Equal(key) {
			return false
		}
	}
	return len(t.holders) > 0
}

// limits of a token and of the answer around it.
var limits = xmldsig.Limits{Bytes: maxAnswer, Depth: 64, Nodes: 50_000}

// readResponse reads a wst:RequestSecurityTokenResponse, alone or as the only one of a collection, in answer to the request with that
// context.
func readResponse(ctx context.Context, raw []byte, id string) (*Token, error) {
	d, err := xmldsig.Parse(raw, limits)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrToken, err)
	}
	response := d.Root()
	if response.Is(nsTrust, "RequestSecurityTokenResponseCollection") {
		response = response.Child(nsTrust, "RequestSecurityTokenResponse")
	}
	if response == nil || !response.Is(nsTrust, "RequestSecurityTokenResponse") {
		return nil, fmt.Errorf("%w: element %.60q", ErrToken, d.Root().Local())
	}
	if got := response.Get("Context"); got != id && got != "" {
		return nil, fmt.Errorf("%w: the answer is to another request", ErrToken)
	}
	assertion := response.Child(nsTrust, "RequestedSecurityToken").Child(nsSAML, "Assertion")
	if assertion == nil {
		return nil, fmt.Errorf("%w: no SAML 1.1 assertion in the answer", ErrToken)
	}
	var b bytes.Buffer
	if err := d.Canonicalize(ctx, &b, assertion, xmldsig.Method{Comments: true}); err != nil { // with all namespaces declared around it
		return nil, fmt.Errorf("%w: %w", ErrToken, err)
	}
	return Read(b.Bytes())
}

// Read reads an assertion, a document of its own. Errors: ErrToken.
func Read(raw []byte) (*Token, error) {
	d, err := xmldsig.Parse(raw, limits)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrToken, err)
	}
	root := d.Root()
	if !root.Is(nsSAML, "Assertion") || root.Get("MajorVersion") != "1" || root.Get("MinorVersion") != "1" {
		return nil, fmt.Errorf("%w: not a SAML 1.1 assertion", ErrToken)
	}
	t := &Token{Assertion: raw, ID: root.Get("AssertionID"), Issuer: root.Get("Issuer"), Attributes: map[string][]string{}}
	if t.ID == "" {
		return nil, fmt.Errorf("%w: it has no identifier", ErrToken)
	}
	conditions := root.Child(nsSAML, "Conditions")
	if conditions == nil {
		return nil, fmt.Errorf("%w: it has no end", ErrToken)
	}
	if t.From, err = readInstant(conditions.Get("NotBefore")); err != nil {
		return nil, err
	}
	if t.Until, err = readInstant(conditions.Get("NotOnOrAfter")); err != nil {
		return nil, err
	}
	for statement := range root.Elements() {
		if !statement.Is(nsSAML, "AttributeStatement") && !statement.Is(nsSAML, "AuthenticationStatement") {
			continue
		}
		if err := t.readSubject(statement.Child(nsSAML, "Subject")); err != nil {
			return nil, err
		}
		for a := range statement.Elements() {
			for v := range a.Elements() {
				if a.Is(nsSAML, "Attribute") && v.Is(nsSAML, "AttributeValue") {
					t.Attributes[a.Get("AttributeName")] = append(t.Attributes[a.Get("AttributeName")], strings.TrimSpace(v.Text()))
				}
			}
		}
	}
	if len(t.holders) == 0 {
		return nil, fmt.Errorf("%w: it is bound to no key", ErrToken)
	}
	return t, nil
}

// readSubject notes the key to which a statement is bound. Statements confirmed in another way bind to none.
func (t *Token) readSubject(subject *xmldsig.Node) error {
	confirmation := subject.Child(nsSAML, "SubjectConfirmation")
	method := confirmation.Child(nsSAML, "ConfirmationMethod")
	if method == nil || strings.TrimSpace(method.Text()) != holderOfKey {
		return nil
	}
	info := confirmation.Child(nsDS, "KeyInfo")
	if c := info.Child(nsDS, "X509Data").Child(nsDS, "X509Certificate"); c != nil {
		der, err := xmldsig.DecodeBase64(c.Text())
		if err != nil {
			return fmt.Errorf("%w: the certificate of its key: %w", ErrToken, err)
		}
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			return fmt.Errorf("%w: the certificate of its key: %w", ErrToken, err)
		}
		t.holders = append(t.holders, cert.PublicKey)
		return nil
	}
	value := info.Child(nsDS, "KeyValue").Child(nsDS, "RSAKeyValue")
	modulus, exponent := value.Child(nsDS, "Modulus"), value.Child(nsDS, "Exponent")
	if modulus == nil || exponent == nil {
		return fmt.Errorf("%w: its key is given in no known way", ErrToken)
	}
	n, err := xmldsig.DecodeBase64(modulus.Text())
	e, err2 := xmldsig.DecodeBase64(exponent.Text())
	if err != nil || err2 != nil || len(e) > 4 || len(n) > 1024 {
		return fmt.Errorf("%w: its key is malformed", ErrToken)
	}
	t.holders = append(t.holders, &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(new(big.Int).SetBytes(e).Int64())})
	return nil
}

// readInstant reads an xs:dateTime, in UTC if it has no zone (SAML 1.1 section 1.2.2).
func readInstant(s string) (time.Time, error) {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%w: the time %.40q", ErrToken, s)
}
