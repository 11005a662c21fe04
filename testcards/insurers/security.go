package insurers

import (
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/beevik/etree"
)

const (
	typeX509      = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-x509-token-profile-1.0#X509v3"
	typeAssertion = "http://docs.oasis-open.org/wss/oasis-wss-saml-token-profile-1.0#SAMLAssertionID"
	holderOfKey   = "urn:oasis:names:tc:SAML:1.0:cm:holder-of-key"
	stsIssuer     = "urn:be:fgov:ehealth:sts:1_0"
)

// refusal is why a message is answered with a SOAP fault.
type refusal struct {
	code string // SOA-01001
	why  string
}

func (r *refusal) Error() string { return r.code + ": " + r.why }

func refuse(code, format string, args ...any) *refusal {
	return &refusal{code, fmt.Sprintf(format, args...)}
}

// message is an envelope.
type message struct {
	root, security, body *etree.Element
	content              *etree.Element // the one element in the body
	ids                  map[string]*etree.Element
}

// readMessage takes an envelope apart.
func readMessage(raw []byte) (*message, *refusal) {
	root, err := parse(raw)
	if err != nil {
		return nil, refuse("SOA-03001", "the message is no XML: %v", err)
	}
	if !is(root, nsEnvelope, "Envelope") {
		return nil, refuse("SOA-03002", "the message is no SOAP 1.1 envelope")
	}
	m := &message{root: root, body: only(root, nsEnvelope, "Body"), ids: map[string]*etree.Element{}}
	m.security = only(only(root, nsEnvelope, "Header"), nsWSSE, "Security")
	if m.body == nil || len(m.body.ChildElements()) == 0 {
		return nil, refuse("SOA-03003", "the body is missing")
	}
	if len(m.body.ChildElements()) > 1 {
		return nil, refuse("SOA-03004", "several elements in the body")
	}
	m.content = m.body.ChildElements()[0]
	m.index(root)
	return m, nil
}

// index notes the identifiers; one that is there twice names nothing.
func (m *message) index(e *etree.Element) {
	for _, a := range e.Attr {
		if a.Space != "" && a.NamespaceURI() != nsWSU || !slices.Contains([]string{"Id", "ID", "AssertionID"}, a.Key) {
			continue
		}
		if _, there := m.ids[a.Value]; there {
			m.ids[a.Value] = nil
		} else {
			m.ids[a.Value] = e
		}
	}
	for _, c := range e.ChildElements() {
		m.index(c)
	}
}

func (m *message) find(id string) *etree.Element { return m.ids[id] }

// checkTimestamp wants a message of now.
func (m *message) checkTimestamp(now time.Time, skew time.Duration) (*etree.Element, error) {
	stamp := only(m.security, nsWSU, "Timestamp")
	created, err1 := time.Parse(time.RFC3339, text(only(stamp, nsWSU, "Created")))
	expires, err2 := time.Parse(time.RFC3339, text(only(stamp, nsWSU, "Expires")))
	switch {
	case err1 != nil || err2 != nil:
		return nil, errors.New("no timestamp with two times")
	case created.After(now.Add(skew)):
		return nil, errors.New("the timestamp is of the future")
	case !now.Add(-skew).Before(expires) || expires.Sub(created) > time.Hour:
		return nil, errors.New("the timestamp is over, or holds longer than an hour")
	}
	return stamp, nil
}

// checkSigned wants the signature of a key over Body and Timestamp, and key information that leads to the token.
func (m *message) checkSigned(stamp *etree.Element, key crypto.PublicKey) error {
	sig := only(m.security, nsDS, "Signature")
	if sig == nil {
		return errors.New("no signature, or several")
	}
	covered, err := verifySignature(sig, key, m.find)
	if err != nil {
		return err
	}
	if !slices.Contains(covered, m.body) || !slices.Contains(covered, stamp) {
		return errors.New("the signature leaves Body or Timestamp out")
	}
	return nil
}

// keyReference is the reference in the key information of the signature.
func (m *message) keyReference() *etree.Element {
	return only(only(only(m.security, nsDS, "Signature"), nsDS, "KeyInfo"), nsWSSE, "SecurityTokenReference")
}

// byCertificate checks a message that is signed with a certificate sent along, as requests for tokens are.
func (m *message) byCertificate(now time.Time, skew time.Duration) (*x509.Certificate, error) {
	stamp, err := m.checkTimestamp(now, skew)
	if err != nil {
		return nil, err
	}
	binary := only(m.security, nsWSSE, "BinarySecurityToken")
	ref := value(only(m.keyReference(), nsWSSE, "Reference"), "URI")
	if binary == nil || value(binary, "ValueType") != typeX509 || ref == "" || m.find(ref[1:]) != binary {
		return nil, errors.New("the key information does not lead to an X.509 certificate in the header")
	}
	der, err := decode(text(binary))
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return cert, m.checkSigned(stamp, cert.PublicKey)
}

// attributeKey is namespace and name of an attribute.
type attributeKey struct{ space, name string }

// token is a SAML assertion that was checked.
type token struct {
	id         string
	key        crypto.PublicKey
	attributes map[attributeKey]string
}

// byToken checks a message that is signed with the key that a token of this token service names.
func (n *Network) byToken(m *message, now time.Time, a active) (*token, error) {
	stamp, err := m.checkTimestamp(now, n.opts.Skew)
	if err != nil {
		return nil, err
	}
	assertion := only(m.security, nsSAML1, "Assertion")
	if assertion == nil {
		return nil, errors.New("no SAML 1.1 assertion, or several")
	}
	t, err := n.readToken(assertion, m.find, now)
	if err != nil {
		return nil, err
	}
	if a.has(Expired) {
		return nil, errTokenOver
	}
	id := only(m.keyReference(), nsWSSE, "KeyIdentifier")
	if value(id, "ValueType") != typeAssertion || text(id) != t.id {
		return nil, errors.New("the key information does not lead to the assertion")
	}
	return t, m.checkSigned(stamp, t.key)
}

var errTokenOver = errors.New("the token is not valid yet, or not any more")

// readToken checks an assertion: signed by this token service as a whole, valid now, holder-of-key.
func (n *Network) readToken(e *etree.Element, find func(string) *etree.Element, now time.Time) (*token, error) {
	sig := only(e, nsDS, "Signature")
	if sig == nil {
		return nil, errors.New("the token is not signed")
	}
	covered, err := verifySignature(sig, n.own.sts.Certificate.PublicKey, find)
	if err != nil {
		return nil, fmt.Errorf("the token is not of this token service: %w", err)
	}
	if len(covered) != 1 || covered[0] != e || value(e, "Issuer") != stsIssuer {
		return nil, errors.New("the token's signature is about something else")
	}
	conditions := only(e, nsSAML1, "Conditions")
	from, err1 := time.Parse(time.RFC3339, value(conditions, "NotBefore"))
	until, err2 := time.Parse(time.RFC3339, value(conditions, "NotOnOrAfter"))
	if err1 != nil || err2 != nil || now.Before(from.Add(-n.opts.Skew)) || !now.Before(until) {
		return nil, errTokenOver
	}
	statement := only(e, nsSAML1, "AttributeStatement")
	confirmation := down(statement, nsSAML1, "Subject", "SubjectConfirmation")
	if text(only(confirmation, nsSAML1, "ConfirmationMethod")) != holderOfKey {
		return nil, errors.New("the token is not for the holder of a key")
	}
	cert, err := certificateIn(only(confirmation, nsDS, "KeyInfo"))
	if err != nil {
		return nil, err
	}
	t := &token{id: value(e, "AssertionID"), key: cert.PublicKey, attributes: map[attributeKey]string{}}
	for _, a := range children(statement, nsSAML1, "Attribute") {
		t.attributes[attributeKey{value(a, "AttributeNamespace"), value(a, "AttributeName")}] = text(only(a, nsSAML1, "AttributeValue"))
	}
	return t, nil
}

// certificateIn finds the X.509 certificate somewhere below an element.
func certificateIn(e *etree.Element) (*x509.Certificate, error) {
	if e == nil {
		return nil, errors.New("no key")
	}
	for _, c := range e.ChildElements() {
		if is(c, nsDS, "X509Certificate") {
			der, err := decode(text(c))
			if err != nil {
				return nil, err
			}
			return x509.ParseCertificate(der)
		}
		if cert, err := certificateIn(c); err == nil {
			return cert, nil
		}
	}
	return nil, errors.New("no certificate")
}
