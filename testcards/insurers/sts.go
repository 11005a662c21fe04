package insurers

import (
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/beevik/etree"
)

// What a request for a token says (facts sheet c.4).
const (
	tokenType     = "http://docs.oasis-open.org/wss/oasis-wss-saml-token-profile-1.1#SAMLV1.1"
	requestIssue  = nsTrust + "/Issue"
	keyPublic     = nsTrust + "/PublicKey"
	claimsDialect = nsAuth + "/authclaims"
)

// issueToken answers a wst:RequestSecurityToken.
func (n *Network) issueToken(m *message, now time.Time, a active) (string, *refusal) {
	cert, err := m.byCertificate(now, n.opts.Skew)
	if err != nil {
		return "", refuse("SOA-01001", "%v", err)
	}
	who, person, err := n.holder(cert, now)
	if err != nil {
		return "", refuse("SOA-01001", "%v", err)
	}
	if !is(m.content, nsTrust, "RequestSecurityToken") {
		return "", refuse("SOA-03005", "%s is no operation of this service", m.content.Tag)
	}
	if err := tokenRequest.check(m.content); err != nil {
		return "", refuse("SOA-03006", "%v", err)
	}
	claimed, r := claims(child(m.content, nsTrust, "Claims"), attributesOf(who, person))
	if r != nil {
		return "", r
	}
	key := cert
	if use := child(m.content, nsTrust, "UseKey"); use != nil {
		if key, err = certificateIn(use); err != nil {
			return "", refuse("SOA-03007", "UseKey: %v", err)
		}
	}
	until := now.Add(n.opts.TokenLife)
	if asked := text(child(child(m.content, nsTrust, "Lifetime"), nsWSU, "Expires")); asked != "" {
		t, err := time.Parse(time.RFC3339, asked)
		if err != nil || !t.After(now) {
			return "", refuse("SOA-03007", "the lifetime asked for is over")
		}
		if t.Before(until) {
			until = t
		}
	}
	return n.tokenResponse(m.content, assertionOf{cert, key, now, until, claimed}, a)
}

// claims are the attributes asked for that the holder has. Those asserted must be true; a role that he has not is told to be false.
func claims(e *etree.Element, known []attribute) (list []attribute, r *refusal) {
	for _, c := range children(e, nsAuth, "ClaimType") {
		uri := value(c, "Uri")
		space, name := "", uri
		if rest, ok := strings.CutPrefix(uri, "{"); ok {
			space, name, _ = strings.Cut(rest, "}")
		}
		asserted, found := text(child(c, nsAuth, "Value")), false
		for _, k := range known {
			if k.name != name || space != "" && space != k.space {
				continue
			}
			if asserted != "" && asserted != k.value {
				return nil, refuse("SOA-01002", "%s is not what is claimed", name)
			}
			list, found = append(list, k), true
		}
		switch {
		case found:
		case asserted != "":
			return nil, refuse("SOA-01002", "%s is claimed, and is not the signer's", name)
		case strings.HasSuffix(name, ":boolean"):
			list = append(list, attribute{nsCertified, name, "false"})
		}
	}
	return list, nil
}

// assertionOf is what a token says.
type assertionOf struct {
	subject, key *x509.Certificate
	from, until  time.Time
	attributes   []attribute
}

// tokenResponse makes the answer, with the token as the faults want it.
func (n *Network) tokenResponse(request *etree.Element, t assertionOf, a active) (string, *refusal) {
	signer := n.own.sts
	switch {
	case a.has(Expired):
		t.from, t.until = t.from.Add(-25*time.Hour), t.from.Add(-time.Hour)
	case a.has(OtherKey):
		t.key = n.own.foreign.Certificate
	case a.has(Foreign):
		signer = n.own.foreign
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %s %x", n.number(), instant(t.from), t.key.Raw))
	assertion, err := t.sign("_"+hex.EncodeToString(sum[:16]), signer)
	if err != nil {
		return "", refuse("SOA-00001", "%v", err)
	}
	context := ""
	if c := value(request, "Context"); c != "" {
		context = attr("Context", c)
	}
	return el("wst:RequestSecurityTokenResponseCollection"+attr("xmlns:wst", nsTrust)+attr("xmlns:wsu", nsWSU),
		el("wst:RequestSecurityTokenResponse"+context,
			leaf("wst:TokenType", tokenType),
			el("wst:RequestedSecurityToken", assertion),
			el("wst:Lifetime", leaf("wsu:Created", instant(t.from)), leaf("wsu:Expires", instant(t.until))))), nil
}

// sign makes the assertion.
func (t assertionOf) sign(id string, by Credential) (string, error) {
	certificate := func(c *x509.Certificate) string {
		return el("ds:X509Data", leaf("ds:X509Certificate", base64.StdEncoding.EncodeToString(c.Raw)))
	}
	var list strings.Builder
	for _, a := range t.attributes {
		list.WriteString(el("saml:Attribute"+attr("AttributeName", a.name)+attr("AttributeNamespace", a.space), leaf("saml:AttributeValue", a.value)))
	}
	confirmation := el("saml:SubjectConfirmation", leaf("saml:ConfirmationMethod", holderOfKey), el("ds:KeyInfo", certificate(t.key)))
	subject := el("saml:Subject",
		leaf(`saml:NameIdentifier Format="urn:oasis:names:tc:SAML:1.1:nameid-format:X509SubjectName"`, t.subject.Subject.String()), confirmation)
	content := el("saml:Conditions"+attr("NotBefore", instant(t.from))+attr("NotOnOrAfter", instant(t.until))) +
		el("saml:AttributeStatement", subject, list.String())
	whole := func(signature string) string {
		return el("saml:Assertion"+attr("xmlns:saml", nsSAML1)+attr("xmlns:ds", nsDS)+attr("AssertionID", id)+attr("IssueInstant", instant(t.from))+
			attr("Issuer", stsIssuer)+` MajorVersion="1" MinorVersion="1"`, content, signature)
	}
	digest, err := digestOf(whole(""))
	if err != nil {
		return "", err
	}
	info := el("ds:SignedInfo",
		el("ds:CanonicalizationMethod"+attr("Algorithm", algExclusive)), el("ds:SignatureMethod"+attr("Algorithm", algRSA256)),
		el("ds:Reference"+attr("URI", "#"+id),
			el("ds:Transforms", el("ds:Transform"+attr("Algorithm", algEnveloped)), el("ds:Transform"+attr("Algorithm", algExclusive))),
			el("ds:DigestMethod"+attr("Algorithm", algSHA256)), leaf("ds:DigestValue", base64.StdEncoding.EncodeToString(digest))))
	signed, err := digestOf(strings.Replace(info, "<ds:SignedInfo>", "<ds:SignedInfo"+attr("xmlns:ds", nsDS)+">", 1))
	if err != nil {
		return "", err
	}
	raw, err := by.Key.Sign(rand.Reader, signed, crypto.SHA256) // PKCS #1 v1.5: chance has no part in the value
	if err != nil {
		return "", err
	}
	return whole(el("ds:Signature", info, leaf("ds:SignatureValue", base64.StdEncoding.EncodeToString(raw)), el("ds:KeyInfo", certificate(by.Certificate)))), nil
}

// digestOf is the SHA-256 digest of a document in canonical form.
func digestOf(document string) ([]byte, error) {
	root, err := parse([]byte(document))
	if err != nil {
		return nil, err
	}
	b, err := canonical(root, "")
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(b)
	return sum[:], nil
}
