package xades

//lint:file-ignore SA1019 points of curves that crypto/ecdh does not have

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"strings"
	"testing"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/sigalg"
	"github.com/eidkit/eidkit/internal/xmldsig"
)

// keyValues are ds:KeyValue as makers write them, with what comes out of it.
var keyValues = []struct{ xml, want string }{
	{`<KeyValue><RSAKeyValue><Modulus>` + strings.Repeat("qqqq", 64) + `</Modulus><Exponent>AQAB</Exponent></RSAKeyValue></KeyValue>`, "RSA 1536"},
	{`<KeyValue><RSAKeyValue><Modulus></Modulus><Exponent>AQAB</Exponent></RSAKeyValue></KeyValue>`, ""},
	{`<KeyValue><RSAKeyValue><Modulus>qqqq</Modulus><Exponent>` + strings.Repeat("qqqq", 4) + `</Exponent></RSAKeyValue></KeyValue>`, ""},
	{`<KeyValue><DSAKeyValue><P>` + strings.Repeat("qqqq", 43) + `</P><Q>qqqq</Q><G>qqqq</G><Y>qqqq</Y></DSAKeyValue></KeyValue>`, "DSA 1032"},
	{`<KeyValue><ECKeyValue xmlns="http://www.w3.org/2009/xmldsig11#"><NamedCurve URI="urn:oid:1.2.840.10045.3.1.7"/><PublicKey>BAAA</PublicKey></ECKeyValue></KeyValue>`, ""},
	{`<KeyValue><ECKeyValue xmlns="http://www.w3.org/2009/xmldsig11#"><NamedCurve URI="urn:oid:1.2.3"/><PublicKey>BAAA</PublicKey></ECKeyValue></KeyValue>`, ""},
	{`<KeyValue><ECDSAKeyValue xmlns="http://www.w3.org/2001/04/xmldsig-more#"><DomainParameters><NamedCurve URN="urn:oid:1.2.840.10045.3.1.7"/></DomainParameters><PublicKey><X Value="1"/><Y Value="2"/></PublicKey></ECDSAKeyValue></KeyValue>`, ""},
	{`<KeyValue/>`, ""},
}

func keyOf(t testing.TB, xml string) crypto.PublicKey {
	t.Helper()
	d, err := xmldsig.Parse([]byte(`<x xmlns="http://www.w3.org/2000/09/xmldsig#">`+xml+`</x>`), xmldsig.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	for n := range d.Root().Elements() {
		return keyValue(n)
	}
	return nil
}

func TestKeyValues(t *testing.T) {
	t.Parallel()
	for _, c := range keyValues {
		got := ""
		if key := keyOf(t, c.xml); key != nil {
			got = sigalg.KeyName(key)
		}
		if got != c.want {
			t.Errorf("%.120s: %q, want %q", c.xml, got, c.want)
		}
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for _, curve := range append(sigalg.Curves(), elliptic.P256()) {
		key, err := ecdsa.GenerateKey(curve, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		size := (curve.Params().BitSize + 7) / 8
		point := append(append([]byte{4}, key.X.FillBytes(make([]byte, size))...), key.Y.FillBytes(make([]byte, size))...)
		oid := oidOfCurve(curve)
		for _, xml := range []string{
			fmt.Sprintf(`<KeyValue><ECKeyValue xmlns="http://www.w3.org/2009/xmldsig11#"><NamedCurve URI="urn:oid:%s"/><PublicKey>%s</PublicKey></ECKeyValue></KeyValue>`, oid, b64(point)),
			fmt.Sprintf(`<KeyValue><ECDSAKeyValue xmlns="http://www.w3.org/2001/04/xmldsig-more#"><DomainParameters><NamedCurve URN="urn:oid:%s"/></DomainParameters><PublicKey><X Value="%s"/><Y Value="%s"/></PublicKey></ECDSAKeyValue></KeyValue>`, oid, key.X, key.Y),
		} {
			if got := keyOf(t, xml); oid != "" && !equalKeys(got, &key.PublicKey) {
				t.Errorf("%s: %v", sigalg.CurveName(curve), got)
			}
		}
	}
	der, err := x509.MarshalPKIXPublicKey(&rsaKey.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	if !equalKeys(keyOf(t, `<DEREncodedKeyValue xmlns="http://www.w3.org/2009/xmldsig11#">`+b64(der)+`</DEREncodedKeyValue>`), &rsaKey.PublicKey) {
		t.Error("DEREncodedKeyValue")
	}
}

// oidOfCurve is the OID by which XML names a curve.
func oidOfCurve(c elliptic.Curve) string {
	for name, oid := range map[string]string{"P-224": "1.3.132.0.33", "P-256": "1.2.840.10045.3.1.7", "P-384": "1.3.132.0.34", "P-521": "1.3.132.0.35", "brainpoolP256r1": "1.3.36.3.3.2.8.1.1.7",
		"brainpoolP384r1": "1.3.36.3.3.2.8.1.1.11", "brainpoolP512r1": "1.3.36.3.3.2.8.1.1.13"} {
		if sigalg.CurveName(c) == name {
			return oid
		}
	}
	return ""
}

// TestSigner finds the signer's certificate among others, however they are ordered and whatever names it.
func TestSigner(t *testing.T) {
	t.Parallel()
	s := newSigner(t)
	leaf, ca := b64(s.Certificate.Raw), b64(s.Issuer.Certificate.Raw)
	certificate := func(b string) string { return "<ds:X509Certificate>" + b + "</ds:X509Certificate>" }
	serial := "<ds:X509IssuerSerial><ds:X509IssuerName>CN=x</ds:X509IssuerName><ds:X509SerialNumber>" + s.Certificate.SerialNumber.String() + "</ds:X509SerialNumber></ds:X509IssuerSerial>"
	for _, c := range []struct {
		name, keyInfo string
		plain         bool
		found         bool
	}{
		{"alone", certificate(leaf), false, true},
		{"behind its issuer", certificate(ca) + certificate(leaf), false, true},
		{"without properties", certificate(ca) + certificate(leaf), true, true},
		{"by serial number", serial + certificate(ca) + certificate(leaf), true, true},
		{"by key identifier", "<ds:X509SKI>" + b64(s.Certificate.SubjectKeyId) + "</ds:X509SKI>" + certificate(ca) + certificate(leaf), true, true},
		{"named only", serial, false, false},
	} {
		p := &parts{references: ref("r1", objectType, "#data", tr(exc), sum(object)), objects: object, noProperties: c.plain,
			keyInfo: `<ds:KeyInfo` + nsDS + `><ds:X509Data>` + c.keyInfo + `</ds:X509Data></ds:KeyInfo>`}
		sig := read(t, s.make(t, p))[0]
		if found := sig.Signer != nil && sig.Signer.Equal(s.Certificate); found != c.found {
			t.Errorf("%s: found %v", c.name, found)
		}
		if c.found != (verdict(sig) == "ok") {
			t.Errorf("%s: %s", c.name, verdict(sig))
		}
	}
	p := &parts{references: ref("r1", objectType, "#data", tr(exc), sum(object)), objects: object, keyInfo: " "}
	p.unsigned = []string{strings.Replace(certValues, "CERT", leaf, 1)}
	if sig := read(t, s.make(t, p))[0]; verdict(sig) != "ok" {
		t.Errorf("among CertificateValues: %s", verdict(sig))
	}
}

// TestAlgorithms: MACs and unknown algorithms are told as such, and parameters of RSASSA-PSS are read.
func TestAlgorithms(t *testing.T) {
	t.Parallel()
	s := newSigner(t)
	doc, _ := s.enveloping(t)
	const usual = `<ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384"></ds:SignatureMethod>`
	method := func(uri, inside string) *ades.Signature {
		return read(t, strings.Replace(doc, usual, `<ds:SignatureMethod Algorithm="`+uri+`">`+inside+`</ds:SignatureMethod>`, 1))[0]
	}
	for _, uri := range []string{"http://www.w3.org/2000/09/xmldsig#hmac-sha1", "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256", "urn:x", ""} {
		if sig := method(uri, "<ds:HMACOutputLength>8</ds:HMACOutputLength>"); sig.AlgorithmError == nil || sig.Digest != nil {
			t.Errorf("%q is an algorithm", uri)
		}
	}
	const pss = "http://www.w3.org/2007/05/xmldsig-more#rsa-pss"
	const more = `<p:RSAPSSParams xmlns:p="http://www.w3.org/2007/05/xmldsig-more#">`
	for inside, want := range map[string]string{
		"": "RSA-PSS with SHA-256",
		more + `<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha512"/><p:MaskGenerationFunction Algorithm="http://www.w3.org/2007/05/xmldsig-more#MGF1"><ds:DigestMethod Algorithm="http://www.w3.org/2000/09/xmldsig#sha1"/></p:MaskGenerationFunction><p:SaltLength>20</p:SaltLength><p:TrailerField>1</p:TrailerField></p:RSAPSSParams>`: "RSA-PSS with SHA-512, MGF1 SHA-1, salt 20",
		more + `<p:TrailerField>2</p:TrailerField></p:RSAPSSParams>`:            "error",
		more + `<p:SaltLength>-1</p:SaltLength></p:RSAPSSParams>`:               "error",
		more + `<p:MaskGenerationFunction Algorithm="urn:x"/></p:RSAPSSParams>`: "error",
		more + `<ds:DigestMethod Algorithm="urn:x"/></p:RSAPSSParams>`:          "error",
	} {
		sig := method(pss, inside)
		got := sig.Algorithm.String()
		if sig.AlgorithmError != nil {
			got = "error"
		}
		if got != want {
			t.Errorf("%s: %s, want %s", inside, got, want)
		}
	}
	if sig := method("http://www.w3.org/2001/04/xmldsig-more/rsa-ripemd160", ""); sig.AlgorithmError != nil {
		t.Error(sig.AlgorithmError)
	}
	raw, err := xmldsig.DecodeBase64("AAECAw==")
	if err != nil {
		t.Fatal(err)
	}
	der := derValue(raw)
	if string(derValue(der)) != string(der) || len(der) == len(raw) {
		t.Errorf("%x and %x", raw, der)
	}
}
