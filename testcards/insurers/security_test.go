package insurers

import (
	"bytes"
	"encoding/pem"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/eidkit/eidkit/internal/soap"
	"github.com/eidkit/eidkit/testcards"
	"github.com/eidkit/eidkit/testcards/pki"
)

// claims of the pharmacy's certificate.
var pharmacyClaims = []string{ehealth + "pharmacy:nihii-number", ehealth + "certificateholder:pharmacy:nihii-number=29999823", ehealth + "pharmacy:nihii-number:recognisedpharmacy:boolean"}

// TestRefusals: every kind of wrong message gets the code that the platform has for it.
func TestRefusals(t *testing.T) {
	t.Parallel()
	n := start(t)
	c := newTill(t, n, "pharmacy")
	otherKey, otherCert := sessionKey(t)
	by, err := n.Credential("pharmacy")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []Service{GenIns, Pharmacist, MemberData} {
		body := c.body(s)
		right := c.signed(body, nil)
		if _, err := c.post(s, right); err != nil {
			t.Fatalf("%s: the right message: %v", s, err)
		}
		change := func(old, with string) []byte {
			t.Helper()
			if !bytes.Contains(right, []byte(old)) {
				t.Fatalf("%s: %q is not in the message", s, old)
			}
			return bytes.Replace(right, []byte(old), []byte(with), 1)
		}
		resigned := func(old, with string) []byte {
			t.Helper()
			if !bytes.Contains(body, []byte(old)) {
				t.Fatalf("%s: %q is not in the body", s, old)
			}
			return c.signed(bytes.Replace(body, []byte(old), []byte(with), 1), nil)
		}
		unwrapped := strings.Replace(string(right), `<S:Body wsu:Id="body-1">`, `<S:Body><x:a xmlns:x="urn:x"/></S:Body><S:Body wsu:Id="body-1">`, 1)
		signed := string(right[bytes.Index(right, []byte("<S:Body")) : bytes.Index(right, []byte("</S:Body>"))+len("</S:Body>")])
		moved := strings.Replace(string(right), signed, el("S:Body", strings.ReplaceAll(string(body), "71050120431", "88122499820")), 1)
		for what, m := range map[string][]byte{
			"wrapped":            []byte(strings.Replace(moved, "<S:Header>", `<S:Header><x xmlns="urn:x">`+signed+`</x>`, 1)),
			"changed body":       change("example-till", "example-tilt"),
			"changed time":       change("T11:00:00.000Z", "T11:00:01.000Z"),
			"changed token":      change("29999823", "29999824"),
			"old":                c.signed(body, func(s *soap.Security) { s.Created = noon.Add(-10 * time.Minute) }),
			"of the future":      c.signed(body, func(s *soap.Security) { s.Created = noon.Add(10 * time.Minute) }),
			"a day's life":       c.signed(body, func(s *soap.Security) { s.TTL = 24 * time.Hour }),
			"foreign key":        c.signed(body, func(s *soap.Security) { s.Key = otherKey }),
			"certificate":        c.signed(body, func(s *soap.Security) { s.Key, s.Certificate, s.Assertion = by.Key, by.Certificate, nil }),
			"no header":          []byte(el(`S:Envelope xmlns:S="`+nsEnvelope+`"`, el("S:Body", string(body)))),
			"body not signed":    change(`<S:Body wsu:Id="body-1">`, `<S:Body>`),
			"identifier twice":   change("<S:Header>", `<S:Header><x xmlns="urn:x" Id="body-1"/>`),
			"no key information": change("#SAMLAssertionID", "#SAMLID"),
		} {
			_, err := c.post(s, m)
			refusedWith(t, string(s)+", "+what, "SOA-01001", err)
		}
		for what, x := range map[string]struct {
			code string
			m    []byte
		}{
			"licence":        {"SOA-01002", resigned("demo-user", "demo-usor")},
			"password":       {"SOA-01002", resigned("demo-secret", "demo-sacret")},
			"package":        {"SOA-01002", resigned("example-till", "example-bill")},
			"other provider": {"SOA-01002", c.signed(bytes.ReplaceAll(body, []byte("29999823"), []byte("29999824")), nil)},
			"not boolean":    {"SOA-03006", resigned("<c:IsTest>true<", "<c:IsTest>yes<")},
			"left out":       {"SOA-03006", resigned("<c:IsTest>true</c:IsTest>", "")},
			"one too many":   {"SOA-03006", resigned("<c:IsTest>true</c:IsTest>", "<c:IsTest>true</c:IsTest><c:IsTest>true</c:IsTest>")},
			"operation":      {"SOA-03005", c.signed([]byte(`<a xmlns="urn:x"/>`), nil)},
			"no XML":         {"SOA-03001", right[:len(right)-3]},
			"a DTD":          {"SOA-03001", append([]byte("<!DOCTYPE a>"), right...)},
			"no envelope":    {"SOA-03002", body},
			"no body":        {"SOA-03003", []byte(`<S:Envelope xmlns:S="` + nsEnvelope + `"><S:Body/></S:Envelope>`)},
			"two bodies":     {"SOA-03003", []byte(unwrapped)},
		} {
			_, err := c.post(s, x.m)
			refusedWith(t, string(s)+", "+what, x.code, err)
		}
		n.SetNow(func() time.Time { return noon.Add(25 * time.Hour) })
		_, err := c.post(s, c.signed(body, func(s *soap.Security) { s.Created = noon.Add(25 * time.Hour) }))
		refusedWith(t, string(s)+", token over", "SOA-01001", err)
		n.SetNow(func() time.Time { return noon })
	}
	// A token for another key, and one that says too little.
	token, err := c.issue(by, tokenQuestion(otherCert, time.Hour, pharmacyClaims...))
	if err != nil {
		t.Fatal(err)
	}
	body := c.body(GenIns)
	_, err = c.post(GenIns, c.signed(body, func(s *soap.Security) { s.Assertion = token }))
	refusedWith(t, "another's token", "SOA-01001", err)
	if _, err = c.post(GenIns, c.signed(body, func(s *soap.Security) { s.Assertion, s.Key = token, otherKey })); err != nil {
		t.Error(err)
	}
	if token, err = c.issue(by, tokenQuestion(otherCert, time.Hour, pharmacyClaims[0], ehealth+"pharmacy:nihii-number:recognisedbakery:boolean")); err != nil {
		t.Fatal(err)
	}
	_, err = c.post(GenIns, c.signed(body, func(s *soap.Security) { s.Assertion, s.Key = token, otherKey }))
	refusedWith(t, "role not certified", "SOA-01002", err)
}

// TestRoles: a provider whose role the service is not for.
func TestRoles(t *testing.T) {
	t.Parallel()
	n := start(t)
	pharmacy, doctor := newTill(t, n, "pharmacy"), newTill(t, n, "doctor")
	_, err := doctor.post(Pharmacist, doctor.signed(pharmacy.body(Pharmacist), nil))
	refusedWith(t, "a doctor as a pharmacy", "SOA-01002", err)
	_, err = doctor.post(GenIns, doctor.signed(pharmacy.body(GenIns), nil))
	refusedWith(t, "a doctor as a pharmacy", "SOA-01002", err)
	for _, s := range []Service{GenIns, MemberData} {
		doctor.body(s)
	}
	physio := newTill(t, n, "physiotherapist")
	body := physio.body(MemberData)
	answer, err := physio.post(MemberData, physio.signed(memberQuery(t, body, func(q string) string {
		return strings.Replace(q, `</samlp:Extensions>`, `<ext:Facet id="urn:be:cin:nippin:referencePharmacy"/></samlp:Extensions>`, 1)
	}), nil))
	if err != nil || !strings.Contains(memberAnswer(t, answer), "UNAUTHORIZED_FACET") {
		t.Error(err, string(answer))
	}
}

// TestToken: what the token service refuses, and what it certifies.
func TestToken(t *testing.T) {
	t.Parallel()
	n := start(t)
	c := newTill(t, n, "pharmacy")
	_, cert := sessionKey(t)
	by, err := n.Credential("pharmacy")
	if err != nil {
		t.Fatal(err)
	}
	question := func(claims ...string) string { return tokenQuestion(cert, time.Hour, claims...) }
	for what, x := range map[string]struct{ code, question string }{
		"another's number":   {"SOA-01002", question(ehealth + "pharmacy:nihii-number=29999824")},
		"not his":            {"SOA-01002", question(ssinAttribute + "=88122499820")},
		"over before it is":  {"SOA-03007", tokenQuestion(cert, -time.Minute)},
		"SAML 2.0":           {"SOA-03006", strings.Replace(question(), "SAMLV1.1", "SAMLV2.0", 1)},
		"cancelling":         {"SOA-03006", strings.Replace(question(), "/Issue", "/Cancel", 1)},
		"another operation":  {"SOA-03005", `<a xmlns="urn:x"/>`},
		"no key in UseKey":   {"SOA-03007", strings.ReplaceAll(question(), "ds:X509Certificate>", "ds:X509>")},
		"claim without name": {"SOA-03006", strings.Replace(question("a"), ` Uri="a"`, "", 1)},
	} {
		_, err := c.issue(by, x.question)
		refusedWith(t, what, x.code, err)
	}
	stranger, err := pki.New(pki.Options{Seed: 99})
	if err != nil {
		t.Fatal(err)
	}
	other, err := Start(t.Context(), Options{PKI: stranger})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	foreign, err := other.Credential("pharmacy")
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.issue(foreign, question())
	refusedWith(t, "foreign certificate", "SOA-01001", err)
	_, err = c.issue(Credential{by.Certificate, c.key}, question())
	refusedWith(t, "foreign key", "SOA-01001", err)

	again, err1 := c.issue(by, question(pharmacyClaims...))
	token, err2 := c.issue(by, question(pharmacyClaims...))
	if err := errors.Join(err1, err2); err != nil || bytes.Equal(again, token) {
		t.Fatal(err)
	}
	for _, want := range []string{`AttributeName="` + ehealth + `pharmacy:nihii-number:recognisedpharmacy:boolean"`, `AttributeNamespace="` + nsCertified + `"`, holderOfKey,
		`NotOnOrAfter="2026-03-15T12:00:00.000Z"`, `>29999823<`} {
		if !strings.Contains(string(token), want) {
			t.Errorf("no %s in the token", want)
		}
	}
}

// TestCardLogin: the titular pharmacist signs with his eID card, of both kinds of keys.
func TestCardLogin(t *testing.T) {
	t.Parallel()
	n := start(t)
	c := newTill(t, n, "pharmacy")
	key, cert := sessionKey(t)
	claims := append([]string{ssinAttribute + "=88122499820", ssinAttribute + ":ehealth:1.0:fpsph:pharmacist:boolean"}, pharmacyClaims...)
	for _, a := range []pki.Algorithm{pki.EC, pki.RSA} {
		p, err := pki.New(pki.Options{Algorithm: a})
		if err != nil {
			t.Fatal(err)
		}
		titular, err := p.Issue(pki.Request{Kind: pki.Authentication, Subject: pki.Subject{NationalNumber: "88122499820", Surname: "PERSOON", GivenNames: "Voorbeeld"}})
		if err != nil {
			t.Fatal(err)
		}
		token, err := c.issue(Credential{titular.Certificate, titular.Key}, tokenQuestion(cert, time.Hour, claims...))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.post(Pharmacist, c.signed(c.body(Pharmacist), func(s *soap.Security) { s.Key, s.Assertion = key, token })); err != nil {
			t.Error(err)
		}
		nobody, err := p.Issue(pki.Request{Kind: pki.Authentication, Subject: pki.Subject{NationalNumber: "71050120431", Surname: "SPECIMEN"}})
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.issue(Credential{nobody.Certificate, nobody.Key}, tokenQuestion(cert, time.Hour, claims...))
		refusedWith(t, "somebody else's card", "SOA-01002", err)
		sign, err := p.Issue(pki.Request{Kind: pki.Signature, Subject: pki.Subject{NationalNumber: "88122499820", Surname: "PERSOON"}})
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.issue(Credential{sign.Certificate, sign.Key}, tokenQuestion(cert, time.Hour, claims...))
		refusedWith(t, "the certificate for signatures", "SOA-01001", err)
	}
	if _, err := patient(t, "two-periods").Card("citizen-1.8", testcards.Options{PKI: n.PKI}); err != nil {
		t.Error(err) // the titular's card
	}
}

// verifies has xmlsec1 judge a signature in a document.
func verifies(t *testing.T, document, cert []byte, options ...string) {
	t.Helper()
	tool, err := exec.LookPath("xmlsec1")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip("xmlsec1 is not installed")
	}
	dir := t.TempDir()
	file, key := filepath.Join(dir, "document.xml"), filepath.Join(dir, "cert.pem")
	if err := errors.Join(os.WriteFile(file, document, 0o600), os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}), 0o600)); err != nil {
		t.Fatal(err)
	}
	args := append([]string{"--verify", "--pubkey-cert-pem", key, "--id-attr:AssertionID", nsSAML1 + ":Assertion", "--id-attr:Id", nsEnvelope + ":Body", "--id-attr:Id", nsWSU + ":Timestamp"}, options...)
	if out, err := exec.Command(tool, append(args, file)...).CombinedOutput(); err != nil {
		t.Errorf("%v: %s\n%s", err, out, document)
	}
}

// TestXMLSec has another program verify the token, alone and inside a message, and the message.
func TestXMLSec(t *testing.T) {
	t.Parallel()
	c := newTill(t, start(t), "pharmacy")
	verifies(t, c.token, c.n.own.sts.Certificate.Raw)
	m := c.signed(c.body(GenIns), nil)
	root, err := parse(c.token)
	if err != nil {
		t.Fatal(err)
	}
	holder, err := certificateIn(down(root, nsSAML1, "AttributeStatement", "Subject", "SubjectConfirmation"))
	if err != nil {
		t.Fatal(err)
	}
	const security = "/*[local-name()='Envelope']/*[local-name()='Header']/*[local-name()='Security']"
	verifies(t, m, holder.Raw, "--node-xpath", security+"/*[local-name()='Signature']")
	verifies(t, m, c.n.own.sts.Certificate.Raw, "--node-xpath", security+"/*[local-name()='Assertion']/*[local-name()='Signature']")
}
