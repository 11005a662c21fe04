package signed_test

import (
	"bytes"
	"crypto"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/eidkit/eidkit/testcards/pki"
	"github.com/eidkit/eidkit/testcards/signed"
)

const statement = `<statement xmlns="urn:eidkit:test" xmlns:x="urn:eidkit:test:more" x:y="2"><line n="1">Ik verklaar &amp; teken</line></statement>`

// xmlsec has xmlsec1 verify the first signature of a document, or the one with
// the Id given. Content is put beside it.
func xmlsec(t testing.TB, p *pki.PKI, document []byte, flags ...string) (string, error) {
	t.Helper()
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "content"), content, 0o600))
	must(t, os.WriteFile(filepath.Join(dir, "document.xml"), document, 0o600))
	path, err := exec.LookPath("xmlsec1")
	if err != nil {
		t.Fatalf("xmlsec1 is needed to judge our signatures: %v", err)
	}
	args := append([]string{"--verify", "--enabled-key-data", "x509", "--trusted-pem", pemFile(t, p.Root.Certificate), "--verification-gmt-time", "2025-06-01 12:00:00",
		"--id-attr:Id", "http://uri.etsi.org/01903/v1.3.2#:SignedProperties", "--id-attr:Id", "http://www.w3.org/2000/09/xmldsig#:SignatureValue"}, flags...)
	cmd := exec.Command(path, append(args, "document.xml")...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func TestXAdESWithXmlsec(t *testing.T) {
	t.Parallel()
	for _, alg := range []pki.Algorithm{pki.EC, pki.RSA} {
		for _, level := range levels {
			for _, packaging := range []signed.Packaging{signed.Enveloped, signed.EnvelopedXPath, signed.Enveloping, signed.Detached} {
				for _, inclusive := range []bool{false, true} {
					o := options(t, alg, level)
					what := fmt.Sprint(alg, level, " packaging ", packaging, " inclusive ", inclusive)
					data := []byte(statement)
					if packaging == signed.Detached {
						data = content
					}
					x := signed.XML{Packaging: packaging, Inclusive: inclusive}
					raw, err := signed.XAdES(data, x, o)
					must(t, err)
					if out, err := xmlsec(t, o.PKI, raw); err != nil {
						t.Errorf("%s: %v\n%s\n%s", what, err, out, raw)
					}
					if again, err := signed.XAdES(data, x, o); err != nil || !bytes.Equal(again, raw) {
						t.Errorf("%s: other bytes the second time (%v)", what, err)
					}
					if packaging == signed.Detached {
						continue
					}
					if out, err := xmlsec(t, o.PKI, bytes.Replace(raw, []byte("verklaar"), []byte("verkleer"), 1)); err == nil {
						t.Errorf("%s: changed content accepted\n%s", what, out)
					}
				}
			}
		}
	}
}

func TestXAdESVariants(t *testing.T) {
	t.Parallel()
	rsa, ec := options(t, pki.RSA, signed.B), options(t, pki.EC, signed.LT)
	for name, tt := range map[string]struct {
		options signed.Options
		xml     signed.XML
		data    string
		change  func(*signed.Options)
		want    string
	}{
		"plain":            {rsa, signed.XML{}, statement, func(o *signed.Options) { o.Plain = true }, "SignedInfo References (ok/all): 1/1"},
		"base64":           {rsa, signed.XML{Packaging: signed.Enveloping}, "no XML", func(*signed.Options) {}, "SignedInfo References (ok/all): 2/2"},
		"SHA-1":            {rsa, signed.XML{}, statement, func(o *signed.Options) { o.Hash = crypto.SHA1 }, "OK"},
		"SHA-512":          {ec, signed.XML{}, statement, func(o *signed.Options) { o.Hash = crypto.SHA512 }, "OK"},
		"properties":       {ec, signed.XML{}, statement, properties, "OK"},
		"counter":          {ec, signed.XML{}, statement, func(o *signed.Options) { c := *o; c.Level = signed.T; o.Counter = []signed.Options{c, c} }, "OK"},
		"counter alone":    {rsa, signed.XML{Inclusive: true}, statement, func(o *signed.Options) { o.Counter = []signed.Options{*o} }, "OK"},
		"archived 3 times": {ec, signed.XML{}, statement, func(o *signed.Options) { o.Level, o.Archive = signed.LTA, threeStamps(o) }, "OK"},
	} {
		o := tt.options
		tt.change(&o)
		raw, err := signed.XAdES([]byte(tt.data), tt.xml, o)
		must(t, err)
		out, err := xmlsec(t, o.PKI, raw)
		if err != nil {
			t.Errorf("%s: %v\n%s", name, err, raw)
		}
		wants(t, name, out, tt.want)
		for id := range strings.SplitSeq(string(raw), `<ds:Signature Id="`) {
			id, _, found := strings.Cut(id, `"`)
			if !found || !strings.Contains(id, "counter") {
				continue
			}
			if out, err := xmlsec(t, o.PKI, raw, "--node-xpath", fmt.Sprintf("//*[@Id='%s']", id)); err != nil {
				t.Errorf("%s: %v\n%s", id, err, out)
			}
		}
	}
}

func threeStamps(o *signed.Options) []signed.Stamp {
	return []signed.Stamp{{At: o.At.AddDate(1, 0, 0)}, {At: o.At.AddDate(2, 0, 0), Hash: crypto.SHA512}, {At: o.At.AddDate(3, 0, 0)}}
}

// Two signatures in parallel, and a third over both.
func TestXAdESTwice(t *testing.T) {
	t.Parallel()
	o := options(t, pki.EC, signed.T)
	one, err := signed.XAdES([]byte(statement), signed.XML{Packaging: signed.EnvelopedXPath}, o)
	must(t, err)
	two, err := signed.XAdES(one, signed.XML{Packaging: signed.EnvelopedXPath, Inclusive: true}, o)
	must(t, err)
	three, err := signed.XAdES(two, signed.XML{}, o)
	must(t, err)
	for _, id := range []string{"sig-1", "sig-2", "sig-3"} {
		if out, err := xmlsec(t, o.PKI, three, "--node-xpath", fmt.Sprintf("//*[@Id='%s']", id)); err != nil {
			t.Errorf("%s: %v\n%s", id, err, out)
		}
	}
	// The third covers the first, the second does not.
	spoilt := bytes.Replace(three, []byte(`<xades:SigningTime>2025`), []byte(`<xades:SigningTime>2026`), 1)
	for id, good := range map[string]bool{"sig-1": false, "sig-2": true, "sig-3": false} {
		if out, err := xmlsec(t, o.PKI, spoilt, "--node-xpath", fmt.Sprintf("//*[@Id='%s']", id)); (err == nil) != good {
			t.Errorf("%s: %v\n%s", id, err, out)
		}
	}
}

// What is hashed for time stamps cannot be had from xmlsec1, but that the
// canonical forms are what xmllint makes can.
func TestCanonicalFormsWithXmllint(t *testing.T) {
	t.Parallel()
	o := options(t, pki.EC, signed.LTA)
	properties(&o)
	for flag, x := range map[string]signed.XML{"--exc-c14n": {}, "--c14n": {Inclusive: true}} {
		raw, err := signed.XAdES([]byte(statement), x, o)
		must(t, err)
		out, err := tool(t, "xmllint", flag, file(t, "document.xml", raw))
		if err != nil || out != string(raw) {
			t.Errorf("%s changes the document: %v\n%s\n%s", flag, err, raw, out)
		}
	}
}

func TestXAdESRefused(t *testing.T) {
	t.Parallel()
	o := options(t, pki.RSA, signed.B)
	counter := o
	counter.Counter = []signed.Options{{Level: signed.LT}}
	sha3 := o
	sha3.Hash = crypto.SHA3_256
	for name, err := range map[string]error{
		"comment":     second(signed.XAdES([]byte("<a><!-- --></a>"), signed.XML{}, o)),
		"not closed":  second(signed.XAdES([]byte("<a>"), signed.XML{}, o)),
		"declaration": second(signed.XAdES([]byte(`<?xml version="1.0"?><a></a>`), signed.XML{}, o)),
		"packaging":   second(signed.XAdES([]byte(statement), signed.XML{Packaging: 9}, o)),
		"counter":     second(signed.XAdES([]byte(statement), signed.XML{}, counter)),
		"SHA-3":       second(signed.XAdES([]byte(statement), signed.XML{}, sha3)),
		"no options":  second(signed.XAdES([]byte(statement), signed.XML{}, signed.Options{})),
	} {
		if !errors.Is(err, signed.ErrOptions) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func second(_ []byte, err error) error { return err }
