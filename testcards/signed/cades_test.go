package signed_test

import (
	"bytes"
	"crypto"
	"encoding/asn1"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/eidkit/eidkit/testcards/pki"
	"github.com/eidkit/eidkit/testcards/signed"
)

// opensslCMS has openssl verify a message and returns what was signed.
func opensslCMS(t testing.TB, p *pki.PKI, message []byte, flags ...string) (string, []byte, error) {
	t.Helper()
	out := filepath.Join(t.TempDir(), "out")
	args := append([]string{"cms", "-verify", "-inform", "DER", "-binary", "-in", file(t, "message", message), "-out", out,
		"-CAfile", pemFile(t, p.Root.Certificate), "-attime", attime, "-auth_level", "0"}, flags...)
	text, err := tool(t, "openssl", args...)
	got, _ := os.ReadFile(out)
	return text, got, err
}

func TestCAdESWithOpenSSL(t *testing.T) {
	t.Parallel()
	for _, alg := range []pki.Algorithm{pki.EC, pki.RSA, pki.RSA1024} {
		for _, level := range levels {
			o := options(t, alg, level)
			for _, detached := range []bool{false, true} {
				raw, err := signed.CAdES(content, detached, o)
				must(t, err)
				flags := []string{"-cades"}
				if detached {
					flags = append(flags, "-content", file(t, "content", content))
				}
				text, got, err := opensslCMS(t, o.PKI, raw, flags...)
				if err != nil || !strings.Contains(text, "CAdES Verification successful") || !bytes.Equal(got, content) {
					t.Errorf("%v %v, detached %v: %v\n%s", alg, level, detached, err, text)
				}
				again, err := signed.CAdES(content, detached, o)
				if err != nil || !bytes.Equal(again, raw) {
					t.Errorf("%v %v: other bytes the second time (%v)", alg, level, err)
				}
			}
		}
	}
}

func TestCAdESVariants(t *testing.T) {
	t.Parallel()
	rsa := options(t, pki.RSA, signed.B)
	ec := options(t, pki.EC, signed.LT)
	other := ec
	var err error
	other.Signer, err = signed.Citizen(ec.PKI, pki.Request{Issuer: ec.PKI.ForeignerCA, Subject: pki.Subject{NationalNumber: "00000000097", Surname: "Specimen"}})
	must(t, err)
	alone := ec
	alone.Level, alone.OnlySigner = signed.B, true
	for name, tt := range map[string]struct {
		signers []signed.Options
		change  func(*signed.Options)
		flags   []string
		want    string
	}{
		"PSS":           {[]signed.Options{rsa}, func(o *signed.Options) { o.PSS = true }, []string{"-cades"}, "successful"},
		"PSS SHA-512":   {[]signed.Options{rsa}, func(o *signed.Options) { o.PSS, o.Hash = true, crypto.SHA512 }, []string{"-cades"}, "successful"},
		"SHA-512":       {[]signed.Options{ec}, func(o *signed.Options) { o.Hash = crypto.SHA512 }, []string{"-cades"}, "successful"},
		"SHA-1":         {[]signed.Options{rsa}, func(o *signed.Options) { o.Hash = crypto.SHA1 }, []string{"-cades"}, "successful"},
		"plain":         {[]signed.Options{rsa}, func(o *signed.Options) { o.Plain = true }, nil, "CMS Verification successful"},
		"plain, CAdES":  {[]signed.Options{rsa}, func(o *signed.Options) { o.Plain = true }, []string{"-cades"}, "missing signing certificate"},
		"two signers":   {[]signed.Options{ec, other}, func(*signed.Options) {}, []string{"-cades"}, "successful"},
		"properties":    {[]signed.Options{ec}, properties, []string{"-cades"}, "successful"},
		"counter":       {[]signed.Options{ec}, func(o *signed.Options) { c := other; c.Level = signed.T; o.Counter = []signed.Options{c} }, []string{"-cades"}, "successful"},
		"signer alone":  {[]signed.Options{alone}, func(*signed.Options) {}, []string{"-cades"}, "unable to get local issuer certificate"},
		"archived once": {[]signed.Options{ec}, func(o *signed.Options) { o.Level = signed.LTA }, []string{"-cades"}, "successful"},
	} {
		signers := append([]signed.Options(nil), tt.signers...)
		tt.change(&signers[0])
		raw, err := signed.CAdES(content, false, signers...)
		must(t, err)
		text, _, _ := opensslCMS(t, signers[0].PKI, raw, tt.flags...)
		wants(t, name, text, tt.want)
		bad := bytes.Replace(raw, content[:10], []byte("Ik verKlaa"), 1)
		if text, _, err := opensslCMS(t, signers[0].PKI, bad, tt.flags...); err == nil {
			t.Errorf("%s: changed content accepted\n%s", name, text)
		}
	}
}

func properties(o *signed.Options) {
	o.MIMEType, o.Policy, o.Commitment, o.ContentStamp = "text/plain", "2.999.9", "1.2.840.113549.1.9.16.6.1", signed.Stamp{At: noon.Add(-time.Minute)}
}

// openssl ts verifies the tokens inside, each over what it should cover, as
// far as that can be cut out without a reader: the signature value.
func TestSignatureTimestampWithOpenSSL(t *testing.T) {
	t.Parallel()
	o := options(t, pki.EC, signed.T)
	raw, err := signed.CAdES(content, false, o)
	must(t, err)
	value, tokens := signatureAndTokens(t, raw)
	if len(tokens) != 1 {
		t.Fatalf("%d tokens", len(tokens))
	}
	text, err := tool(t, "openssl", "ts", "-verify", "-token_in", "-in", file(t, "token", tokens[0]), "-data", file(t, "value", value),
		"-CAfile", pemFile(t, o.PKI.Root.Certificate), "-attime", attime)
	if err != nil {
		t.Error(text)
	}
}

// signatureAndTokens cuts the value and the unsigned attributes' values out of
// a message with one signer.
func signatureAndTokens(t testing.TB, raw []byte) (value []byte, tokens [][]byte) {
	t.Helper()
	var info struct {
		OID  asn1.ObjectIdentifier
		Data struct {
			Version    int
			Algorithms asn1.RawValue
			Content    asn1.RawValue
			Certs      asn1.RawValue `asn1:"optional,tag:0"`
			CRLs       asn1.RawValue `asn1:"optional,tag:1"`
			Signers    []struct {
				Version    int
				SID        asn1.RawValue
				Digest     asn1.RawValue
				Attributes asn1.RawValue `asn1:"optional,tag:0"`
				Algorithm  asn1.RawValue
				Value      []byte
				Unsigned   []struct {
					OID    asn1.ObjectIdentifier
					Values []asn1.RawValue `asn1:"set"`
				} `asn1:"set,optional,tag:1"`
			} `asn1:"set"`
		} `asn1:"explicit,tag:0"`
	}
	rest, err := asn1.Unmarshal(raw, &info)
	if err != nil || len(rest) > 0 || len(info.Data.Signers) != 1 {
		t.Fatalf("%v, %d bytes left", err, len(rest))
	}
	for _, u := range info.Data.Signers[0].Unsigned {
		tokens = append(tokens, u.Values[0].FullBytes)
	}
	return info.Data.Signers[0].Value, tokens
}

func TestOptionsRefused(t *testing.T) {
	t.Parallel()
	good := options(t, pki.EC, signed.B)
	for name, change := range map[string]func(*signed.Options){
		"no PKI":     func(o *signed.Options) { o.PKI = nil },
		"no signer":  func(o *signed.Options) { o.Signer = nil },
		"no time":    func(o *signed.Options) { o.At = time.Time{} },
		"level":      func(o *signed.Options) { o.Level = 9 },
		"plain T":    func(o *signed.Options) { o.Plain, o.Level = true, signed.T },
		"counter LT": func(o *signed.Options) { c := *o; c.Level = signed.LT; o.Counter = []signed.Options{c} },
	} {
		o := good
		change(&o)
		if _, err := signed.CAdES(content, false, o); !errors.Is(err, signed.ErrOptions) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := signed.CAdES(content, false); err == nil {
		t.Error("nobody signed")
	}
	good.PSS = true
	if _, err := signed.CAdES(content, false, good); err == nil {
		t.Error("PSS with an EC key")
	}
}
