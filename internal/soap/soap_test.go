package soap

import (
	"bytes"
	"context"
	"crypto"
	"encoding/pem"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/eidkit/eidkit/testcards/pki"
)

var noon = time.Date(2026, 3, 15, 11, 0, 0, 0, time.UTC)

func holder(t testing.TB, a pki.Algorithm) (*pki.PKI, *pki.Issued) {
	t.Helper()
	p, err := pki.New(pki.Options{Algorithm: a})
	if err != nil {
		t.Fatal(err)
	}
	issued, err := p.Issue(pki.Request{Kind: pki.Authentication, Subject: pki.Subject{NationalNumber: "71050120404", Surname: "SPECIMEN", GivenNames: "Marijke"}})
	if err != nil {
		t.Fatal(err)
	}
	return p, issued
}

const body = `<q:Ask xmlns:q="urn:test:ask" n="1"><q:Who>é &amp; ü</q:Who></q:Ask>`

var assertion = []byte(`<?xml version="1.0"?><saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:1.0:assertion" AssertionID="_tok1" MajorVersion="1" MinorVersion="1"/>`)

// verifies has xmlsec1 judge a message.
func verifies(t *testing.T, message []byte, cert []byte) error {
	t.Helper()
	tool, err := exec.LookPath("xmlsec1")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip("xmlsec1 is not installed")
	}
	dir := t.TempDir()
	file, key := filepath.Join(dir, "message.xml"), filepath.Join(dir, "cert.pem")
	if err := errors.Join(os.WriteFile(file, message, 0o600),
		os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}), 0o600)); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(tool, "--verify", "--pubkey-cert-pem", key, "--id-attr:Id", nsEnvelope+":Body", "--id-attr:Id", nsWSU+":Timestamp", file).CombinedOutput()
	if err != nil {
		return errors.New(string(out))
	}
	return nil
}

// TestSigned has xmlsec1 verify what Build signs, and refuse it with body or time changed.
func TestSigned(t *testing.T) {
	for _, a := range []pki.Algorithm{pki.RSA, pki.EC} {
		_, issued := holder(t, a)
		for name, s := range map[string]*Security{
			"certificate": {Key: issued.Key, Certificate: issued.Certificate, Created: noon},
			"assertion":   {Key: issued.Key, Assertion: assertion, Created: noon, TTL: 5 * time.Minute},
		} {
			m, err := Build(t.Context(), []byte(body), s)
			if err != nil {
				t.Fatal(err)
			}
			if err := verifies(t, m, issued.Certificate.Raw); err != nil {
				t.Errorf("%v %s: %v\n%s", a, name, err, m)
			}
			for _, change := range [][2]string{{"é &amp;", "e &amp;"}, {"T11:00:00.000Z", "T12:00:00.000Z"}} {
				if !bytes.Contains(m, []byte(change[0])) {
					t.Fatalf("%q is not in the message", change[0])
				}
				if verifies(t, bytes.Replace(m, []byte(change[0]), []byte(change[1]), 1), issued.Certificate.Raw) == nil {
					t.Errorf("%v %s: changed %q and nobody noticed", a, name, change[0])
				}
			}
			got, err := Open(t.Context(), m)
			if err != nil || string(got) != strings.ReplaceAll(body, "&amp;", "&amp;") {
				t.Errorf("%v %s: opened again: %v %s", a, name, err, got)
			}
		}
	}
}

func TestUnsigned(t *testing.T) {
	m, err := Build(t.Context(), []byte(body), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := Open(t.Context(), m); err != nil || string(got) != body {
		t.Errorf("%v %s", err, got)
	}
}

type brokenKey struct{ crypto.Signer }

var errKey = errors.New("the key is gone")

func (brokenKey) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) { return nil, errKey }

func TestBuildFails(t *testing.T) {
	_, issued := holder(t, pki.EC)
	if _, err := Build(t.Context(), []byte(body), &Security{Key: brokenKey{issued.Key}, Certificate: issued.Certificate, Created: noon}); !errors.Is(err, errKey) {
		t.Error(err)
	}
	for name, a := range map[string]string{"none": "", "no XML": "<a", "no identifier": "<a/>", "bad identifier": `<a AssertionID="&quot;&lt;"/>`} {
		if m, err := Build(t.Context(), []byte(body), &Security{Key: issued.Key, Assertion: []byte(a), Created: noon}); err == nil {
			t.Errorf("%s: %s", name, m)
		}
	}
	if m, err := Build(t.Context(), []byte("<a>"), &Security{Key: issued.Key, Certificate: issued.Certificate, Created: noon}); err == nil {
		t.Errorf("a body that is no XML: %s", m)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Build(ctx, []byte(body), &Security{Key: issued.Key, Certificate: issued.Certificate, Created: noon}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

const faultExample = `<S:Envelope xmlns:S="http://schemas.xmlsoap.org/soap/envelope/"><S:Body><S:Fault><faultcode>S:Server</faultcode><faultstring>SOA-02002</faultstring><detail>
<e:SystemError xmlns:e="urn:be:fgov:ehealth:errors:soa:v1" Id="_f1"><Origin>Provider</Origin><Code>SOA-02002</Code><Message xml:lang="en">Service temporarily not available</Message><Retry>true</Retry><e:Environment>Test</e:Environment></e:SystemError></detail></S:Fault></S:Body></S:Envelope>`

func TestFault(t *testing.T) {
	_, err := Open(t.Context(), []byte(faultExample))
	var f *Fault
	if !errors.As(err, &f) || f.Code != "Server" || f.SOA != "SOA-02002" || !f.Retry || f.Message == "" || !strings.Contains(f.Error(), "SOA-02002") {
		t.Errorf("%+v %v", f, err)
	}
	_, err = Open(t.Context(), []byte(`<S:Envelope xmlns:S="http://schemas.xmlsoap.org/soap/envelope/"><S:Body><S:Fault><faultcode>S:Client</faultcode><faultstring>no</faultstring></S:Fault></S:Body></S:Envelope>`))
	if !errors.As(err, &f) || f.Code != "Client" || f.SOA != "" || f.Retry {
		t.Errorf("%+v %v", f, err)
	}
}

func TestOpenRefuses(t *testing.T) {
	e := `<S:Envelope xmlns:S="` + nsEnvelope + `">`
	for name, m := range map[string]string{
		"nothing": "", "HTML": "<html/>", "cut": faultExample[:100], "no body": e + "</S:Envelope>", "empty body": e + "<S:Body/></S:Envelope>",
		"two": e + "<S:Body><a/><b/></S:Body></S:Envelope>", "two bodies": e + "<S:Body><a/></S:Body><S:Body><a/></S:Body></S:Envelope>", "SOAP 1.2": `<S:Envelope xmlns:S="http://www.w3.org/2003/05/soap-envelope"><S:Body><a/></S:Body></S:Envelope>`,
		"DTD": "<!DOCTYPE a>" + faultExample, "deep": e + "<S:Body>" + strings.Repeat("<a>", 200) + strings.Repeat("</a>", 200) + "</S:Body></S:Envelope>",
	} {
		if _, err := Open(t.Context(), []byte(m)); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzOpen: what opens is XML that opens again in an envelope of ours.
func FuzzOpen(f *testing.F) {
	f.Add([]byte(faultExample))
	f.Add(envelope("", []byte(body)))
	f.Fuzz(func(t *testing.T, m []byte) {
		got, err := Open(t.Context(), m)
		if err != nil {
			return
		}
		again, err := Open(t.Context(), envelope("", got))
		if err != nil || !bytes.Equal(got, again) {
			t.Fatalf("%v: %q then %q", err, got, again)
		}
	})
}
