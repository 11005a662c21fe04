package xades

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/asn1"
	"encoding/base64"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/tsp"
	"github.com/eidkit/eidkit/testcards/network"
	"github.com/eidkit/eidkit/testcards/pki"
)

// The maker of these tests writes every part of a signature in the form that exclusive canonicalisation gives it, each with its own
// namespace declarations, so that what is hashed is the text itself: no canonicaliser takes part.
const (
	nsDS    = ` xmlns:ds="http://www.w3.org/2000/09/xmldsig#"`
	nsX     = ` xmlns:xades="http://uri.etsi.org/01903/v1.3.2#"`
	nsX141  = ` xmlns:xades141="http://uri.etsi.org/01903/v1.4.1#"`
	exc     = "http://www.w3.org/2001/10/xml-exc-c14n#"
	sha256U = "http://www.w3.org/2001/04/xmlenc#sha256"
)

func b64(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

func sum(s string) string {
	h := sha256.Sum256([]byte(s))
	return b64(h[:])
}

// services are the test PKI with its time stamp authority, one for all tests.
var services = sync.OnceValues(func() (*network.Network, error) {
	return network.Start(context.Background(), network.Options{PKI: pki.Options{Algorithm: pki.EC}})
})

// signer is a citizen of the test PKI.
type signer struct {
	*pki.Issued
	net *network.Network
}

func newSigner(t testing.TB) *signer {
	t.Helper()
	n, err := services()
	if err != nil {
		t.Fatal(err)
	}
	issued, err := n.PKI.Issue(pki.Request{Subject: pki.Subject{NationalNumber: "85073003328", Surname: "Peeters", GivenNames: "An"}, Kind: pki.Signature})
	if err != nil {
		t.Fatal(err)
	}
	return &signer{issued, n}
}

// stamp has the authority stamp a text; the token is in base64.
func (s *signer) stamp(t testing.TB, covered string) string {
	t.Helper()
	h := sha512.Sum512([]byte(covered))
	req, err := tsp.NewRequest(crypto.SHA512, h[:])
	if err != nil {
		t.Fatal(err)
	}
	query, err := req.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.Post(s.net.PKI.TSAURL(), "application/timestamp-query", bytes.NewReader(query))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	_, token, err := tsp.SplitResponse(raw)
	if err != nil || token == nil {
		t.Fatalf("no time stamp: %v", err)
	}
	return b64(token)
}

// stampElement is a property with a time stamp over covered.
func (s *signer) stampElement(t testing.TB, prefix, name, id, includes, covered string) string {
	t.Helper()
	own, inner := nsX, ""
	if prefix == "xades141" {
		own, inner = nsX141, nsX
	}
	includes = strings.ReplaceAll(includes, "<xades:Include", "<xades:Include"+inner)
	return fmt.Sprintf(`<%s:%s%s Id="%s">%s<ds:CanonicalizationMethod%s Algorithm="%s"></ds:CanonicalizationMethod><xades:EncapsulatedTimeStamp%s>%s</xades:EncapsulatedTimeStamp></%s:%s>`,
		prefix, name, own, id, includes, nsDS, exc, inner, s.stamp(t, covered), prefix, name)
}

// parts are the pieces of a signature in the making; those left empty are made as usual.
type parts struct {
	id, references, objects      string
	signedProperties, keyInfo    string
	signedData                   string // SignedDataObjectProperties
	spReference                  string
	target, qualifying           string
	unsigned                     []string // properties in order
	noProperties                 bool
	signedInfo, value, signature string // made
}

func ref(id, kind, uri, transforms, digest string) string {
	attrs := ""
	if id != "" {
		attrs += ` Id="` + id + `"`
	}
	if kind != "" {
		attrs += ` Type="` + kind + `"`
	}
	if transforms != "" {
		transforms = "<ds:Transforms>" + transforms + "</ds:Transforms>"
	}
	return fmt.Sprintf(`<ds:Reference%s URI="%s">%s<ds:DigestMethod Algorithm="%s"></ds:DigestMethod><ds:DigestValue>%s</ds:DigestValue></ds:Reference>`, attrs, uri, transforms, sha256U, digest)
}

func tr(uri string) string { return `<ds:Transform Algorithm="` + uri + `"></ds:Transform>` }

// properties are SignedProperties with that digest of the certificate.
func properties(id string, cert []byte, data string) string {
	digest := sha256.Sum256(cert)
	return fmt.Sprintf(`<xades:SignedProperties%s Id="sp-%s"><xades:SignedSignatureProperties><xades:SigningTime>2026-05-04T12:00:00Z</xades:SigningTime><xades:SigningCertificateV2><xades:Cert><xades:CertDigest>`+
		`<ds:DigestMethod%s Algorithm="%s"></ds:DigestMethod><ds:DigestValue%s>%s</ds:DigestValue></xades:CertDigest></xades:Cert></xades:SigningCertificateV2></xades:SignedSignatureProperties>%s</xades:SignedProperties>`,
		nsX, id, nsDS, sha256U, nsDS, b64(digest[:]), data)
}

// make fills in what is left open and signs.
func (s *signer) make(t testing.TB, p *parts) string {
	t.Helper()
	if p.id == "" {
		p.id = "sig"
	}
	if p.signedProperties == "" {
		p.signedProperties = properties(p.id, s.Certificate.Raw, p.signedData)
	}
	if p.spReference == "" && !p.noProperties {
		p.spReference = ref("", "http://uri.etsi.org/01903#SignedProperties", "#sp-"+p.id, tr(exc), sum(p.signedProperties))
	}
	if p.keyInfo == "" {
		p.keyInfo = fmt.Sprintf(`<ds:KeyInfo%s Id="ki-%s"><ds:X509Data><ds:X509Certificate>%s</ds:X509Certificate></ds:X509Data></ds:KeyInfo>`, nsDS, p.id, b64(s.Certificate.Raw))
	}
	p.signedInfo = fmt.Sprintf(`<ds:SignedInfo%s><ds:CanonicalizationMethod Algorithm="%s"></ds:CanonicalizationMethod><ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384"></ds:SignatureMethod>%s%s</ds:SignedInfo>`,
		nsDS, exc, p.references, p.spReference)
	p.value = fmt.Sprintf(`<ds:SignatureValue%s Id="value-%s">%s</ds:SignatureValue>`, nsDS, p.id, b64(s.raw(t, p.signedInfo)))
	return p.assemble()
}

// raw signs as XML has it: r and s one after the other.
func (s *signer) raw(t testing.TB, text string) []byte {
	t.Helper()
	h := sha512.Sum384([]byte(text))
	der, err := s.Key.Sign(rand.Reader, h[:], crypto.SHA384)
	if err != nil {
		t.Fatal(err)
	}
	var pair struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(der, &pair); err != nil {
		t.Fatal(err)
	}
	size := (s.Key.Public().(*ecdsa.PublicKey).Curve.Params().BitSize + 7) / 8
	return append(pair.R.FillBytes(make([]byte, size)), pair.S.FillBytes(make([]byte, size))...)
}

// assemble puts the parts together.
func (p *parts) assemble() string {
	unsigned := ""
	if len(p.unsigned) > 0 {
		unsigned = "<xades:UnsignedProperties><xades:UnsignedSignatureProperties>" + strings.Join(p.unsigned, "") + "</xades:UnsignedSignatureProperties></xades:UnsignedProperties>"
	}
	target := p.target
	if target == "" {
		target = "#" + p.id
	}
	qualifying := p.qualifying
	if qualifying == "" {
		qualifying = fmt.Sprintf(`<xades:QualifyingProperties%s Target="%s">%s%s</xades:QualifyingProperties>`, nsX, target, p.signedProperties, unsigned)
	}
	inside := "<ds:Object>" + qualifying + "</ds:Object>"
	if p.noProperties {
		inside = ""
	}
	p.signature = fmt.Sprintf(`<ds:Signature%s%s%s Id="%s">%s%s%s%s%s</ds:Signature>`, nsDS, nsX, nsX141, p.id, p.signedInfo, p.value, p.keyInfo, inside, p.objects)
	return p.signature
}

const (
	invoiceStart = `<invoice xmlns="urn:invoice"><line n="1">ten euro</line>`
	invoiceEnd   = `</invoice>`
	envelopedURI = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
	objectType   = "http://www.w3.org/2000/09/xmldsig#Object"
	manifestType = "http://www.w3.org/2000/09/xmldsig#Manifest"
	counterType  = "http://uri.etsi.org/01903#CountersignedSignature"
)

// enveloped is a document with an enveloped signature over all of it.
func (s *signer) enveloped(t testing.TB) (doc string, p *parts) {
	p = &parts{references: ref("r1", "", "", tr(envelopedURI)+tr(exc), sum(invoiceStart+invoiceEnd))}
	return invoiceStart + s.make(t, p) + invoiceEnd, p
}

const object = `<ds:Object` + nsDS + ` Id="data">some data</ds:Object>`

// enveloping is a signature with its data in an object.
func (s *signer) enveloping(t testing.TB) (doc string, p *parts) {
	p = &parts{references: ref("r1", objectType, "#data", tr(exc), sum(object)), objects: object}
	return s.make(t, p), p
}

// read reads a document that has a signature.
func read(t testing.TB, doc string, detached ...ades.Content) []*ades.Signature {
	t.Helper()
	list, err := Read(t.Context(), ades.Input{File: ades.File{Data: strings.NewReader(doc), Size: int64(len(doc))}, Detached: detached})
	if err != nil {
		t.Fatalf("%v\n%s", err, doc)
	}
	return list
}

// content is a detached file.
func content(name, data string) ades.Content {
	return ades.Content{File: ades.File{Name: name, Data: strings.NewReader(data), Size: int64(len(data))}}
}

// verdict sums up what was found: ok, or what is wrong first.
func verdict(s *ades.Signature) string {
	for _, f := range s.Findings {
		if f.Code != ades.EncodingOddity && f.Code != ades.OddCertificate {
			return string(f.Code)
		}
	}
	for i := range s.References {
		switch r := &s.References[i]; {
		case !r.Found:
			return string(r.Kind) + " not found"
		case !r.Intact:
			return string(r.Kind) + " not intact"
		}
	}
	key := s.PublicKey
	if s.Signer != nil {
		key = s.Signer.PublicKey
	}
	switch {
	case key == nil:
		return "no key"
	case s.AlgorithmError != nil:
		return "algorithm"
	case s.Algorithm.Verify(key, s.Digest, s.Value) != nil:
		return "value"
	}
	return "ok"
}

// codes are the findings' codes.
func codes(s *ades.Signature) string {
	var list []string
	for _, f := range s.Findings {
		list = append(list, string(f.Code))
	}
	return strings.Join(list, " ")
}
