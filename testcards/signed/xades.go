package signed

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/eidkit/eidkit/testcards/internal/cms"
	"github.com/eidkit/eidkit/testcards/internal/der"
)

// Packaging says where an XML signature stands.
type Packaging int

// The packagings.
const (
	Enveloped      Packaging = iota // in the document, at its end; transform enveloped-signature
	EnvelopedXPath                  // the same, but what is signed leaves all signatures out: for several in parallel
	Enveloping                      // around the content, in a ds:Object
	Detached                        // beside the content
)

// XML says how an XML signature is made. The zero value is an enveloped one
// with exclusive canonicalisation.
type XML struct {
	Packaging Packaging
	// Inclusive uses Canonical XML 1.0 instead of the exclusive one.
	Inclusive bool
	// Name is the URI of detached content; empty: content.
	Name string
}

func (x XML) form() form {
	if x.Inclusive {
		return inclusive
	}
	return exclusive
}

// XAdES signs content and returns the XML document, which for the enveloped
// packagings is the content with the signature before its last end tag.
// Enveloped content must be canonical XML: without declaration, comments and
// needless namespaces; it may hold signatures made before. Enveloping puts XML
// (the same holds for it) into an object as it is, other content as base64.
func XAdES(content []byte, x XML, o Options) ([]byte, error) {
	out, err := makeXAdES(content, x, o)
	if err != nil {
		return nil, fmt.Errorf("making XAdES signature: %w", err)
	}
	return out, nil
}

func makeXAdES(content []byte, x XML, o Options) ([]byte, error) {
	b := xmlBuilder{id: fmt.Sprintf("sig-%d", bytes.Count(content, []byte("<ds:Signature "))+1), form: x.form()}
	c14n := element("ds:Transform").with("Algorithm", b.form.algorithm())
	data := reference{mime: o.MIMEType}
	var object *node
	end := -1
	switch x.Packaging {
	case Enveloped, EnvelopedXPath:
		var err error
		if b.outside, end, err = rootScope(content); err != nil {
			return nil, err
		}
		data.signed = content
		data.transforms = []*node{element("ds:Transform").with("Algorithm", namespaces["ds"]+"enveloped-signature"), c14n}
		if x.Packaging == EnvelopedXPath {
			data.signed = withoutSignatures(content)
			xpath := leaf("ds:XPath", "not(ancestor-or-self::ds:Signature)")
			data.transforms[0] = element("ds:Transform", xpath).with("Algorithm", "http://www.w3.org/TR/1999/REC-xpath-19991116")
		}
	case Enveloping:
		b.id = "sig-1"
		object = element("ds:Object").with("Id", "data")
		data.uri = "#data"
		if bytes.HasPrefix(content, []byte("<")) {
			object.add(&node{raw: string(content)})
			data.transforms, data.object = []*node{c14n}, object
		} else {
			object.with("Encoding", namespaces["ds"]+"base64").text = base64.StdEncoding.EncodeToString(content)
			data.transforms, data.signed = []*node{element("ds:Transform").with("Algorithm", namespaces["ds"]+"base64")}, content
		}
	case Detached:
		b.id, data.uri, data.signed = "sig-1", x.Name, content
		if data.uri == "" {
			data.uri = "content"
		}
	default:
		return nil, fmt.Errorf("%w: packaging %d", ErrOptions, int(x.Packaging))
	}
	signature, err := b.build(o, []reference{data}, object)
	if err != nil {
		return nil, err
	}
	if end < 0 {
		return signature.write(asDocument), nil
	}
	return bytes.Join([][]byte{content[:end], signature.write(asDocument), content[end:]}, nil), nil
}

// withoutSignatures cuts signatures of this package out of a document.
func withoutSignatures(content []byte) []byte {
	for {
		from := bytes.Index(content, []byte("<ds:Signature "))
		if from < 0 {
			return content
		}
		const end = "</ds:Signature>"
		to := from + bytes.Index(content[from:], []byte(end)) + len(end)
		content = append(bytes.Clone(content[:from]), content[to:]...)
	}
}

// reference is something to be signed.
type reference struct {
	uri, kind, mime string
	transforms      []*node
	signed          []byte // after the transforms
	object          *node  // instead: an element, canonicalised
}

// xmlBuilder makes one ds:Signature.
type xmlBuilder struct {
	id      string
	form    form
	outside *node // what declares namespaces around it, or nil

	signature, info, value, keyInfo, object, unsigned *node
	data                                              [][]byte // what each reference covers
}

// build makes the whole signature. The first object, if any, holds content.
func (b *xmlBuilder) build(o Options, references []reference, content *node) (*node, error) {
	if err := o.fill(); err != nil {
		return nil, err
	}
	b.signature = element("ds:Signature").with("Id", b.id).declaring("ds")
	b.signature.parent = b.outside
	b.keyInfo = element("ds:KeyInfo", x509Data(o.sent()))
	b.info = element("ds:SignedInfo", element("ds:CanonicalizationMethod").with("Algorithm", b.form.algorithm()))
	b.signature.add(b.info)
	b.value = element("ds:SignatureValue").with("Id", b.id+"-value")
	b.signature.add(b.value, b.keyInfo, content)
	method, err := o.signatureMethod()
	if err != nil {
		return nil, err
	}
	b.info.add(element("ds:SignatureMethod").with("Algorithm", method))
	for i, r := range references {
		if r.object != nil {
			r.signed = r.object.write(b.form)
		}
		b.refer(&o, r, fmt.Sprintf("%s-ref-%d", b.id, i+1))
	}
	if !o.Plain {
		if err := b.qualify(&o, references); err != nil {
			return nil, err
		}
	}
	value, err := o.signer().Value(cms.Digest(o.Hash, b.info.write(b.form)))
	if err != nil {
		return nil, err
	}
	if value, err = rawECDSA(o.Signer.Key.Public(), value); err != nil {
		return nil, err
	}
	b.value.text = base64.StdEncoding.EncodeToString(value)
	return b.signature, b.extend(&o)
}

// refer adds a ds:Reference.
func (b *xmlBuilder) refer(o *Options, r reference, id string) {
	n := element("ds:Reference")
	if id != "" {
		n.with("Id", id)
	}
	if r.kind != "" {
		n.with("Type", r.kind)
	}
	n.with("URI", r.uri)
	if len(r.transforms) > 0 {
		n.add(element("ds:Transforms", r.transforms...))
	}
	n.add(digest(o.Hash, r.signed)...)
	b.info.add(n)
	b.data = append(b.data, r.signed)
}

// digest are the elements ds:DigestMethod and ds:DigestValue.
func digest(h crypto.Hash, data []byte) []*node {
	return []*node{element("ds:DigestMethod").with("Algorithm", digestURIs[h]),
		leaf("ds:DigestValue", base64.StdEncoding.EncodeToString(cms.Digest(h, data)))}
}

// qualify adds the XAdES properties and the reference to the signed ones.
func (b *xmlBuilder) qualify(o *Options, references []reference) error {
	props := element("xades:SignedProperties").with("Id", b.id+"-props")
	b.object = element("ds:Object", element("xades:QualifyingProperties", props).with("Target", "#"+b.id).declaring("xades"))
	b.signature.add(b.object)
	issuerSerial := der.Seq(der.Seq(der.Explicit(4, o.Signer.Certificate.RawIssuer)), der.BigInt(o.Signer.Certificate.SerialNumber))
	properties := element("xades:SignedSignatureProperties",
		leaf("xades:SigningTime", o.At.UTC().Format(time.RFC3339)),
		element("xades:SigningCertificateV2", element("xades:Cert",
			element("xades:CertDigest", digest(o.Hash, o.Signer.Certificate.Raw)...),
			leaf("xades:IssuerSerialV2", base64.StdEncoding.EncodeToString(issuerSerial)))))
	if o.Policy != "" {
		properties.add(element("xades:SignaturePolicyIdentifier", element("xades:SignaturePolicyId",
			element("xades:SigPolicyId", leaf("xades:Identifier", "urn:oid:"+o.Policy).with("Qualifier", "OIDAsURN")),
			element("xades:SigPolicyHash", digest(crypto.SHA256, policyDocument(o.Policy))...))))
	}
	props.add(properties)
	objects := element("xades:SignedDataObjectProperties")
	for i, r := range references {
		if r.mime != "" {
			objects.add(element("xades:DataObjectFormat", leaf("xades:MimeType", r.mime)).with("ObjectReference", fmt.Sprintf("#%s-ref-%d", b.id, i+1)))
		}
	}
	if o.Commitment != "" {
		objects.add(element("xades:CommitmentTypeIndication",
			element("xades:CommitmentTypeId", leaf("xades:Identifier", "urn:oid:"+o.Commitment).with("Qualifier", "OIDAsURN")),
			element("xades:AllSignedDataObjects")))
	}
	if !o.ContentStamp.At.IsZero() {
		stamp, err := b.timestamp(o, "xades:AllDataObjectsTimeStamp", o.ContentStamp, b.data...)
		if err != nil {
			return err
		}
		objects.add(stamp)
	}
	if len(objects.children) > 0 {
		props.add(objects)
	}
	b.refer(o, reference{uri: "#" + b.id + "-props", kind: "http://uri.etsi.org/01903#SignedProperties",
		transforms: []*node{element("ds:Transform").with("Algorithm", b.form.algorithm())}, signed: props.write(b.form)}, "")
	return nil
}

// timestamp is an element with a token over the parts.
func (b *xmlBuilder) timestamp(o *Options, qname string, s Stamp, parts ...[]byte) (*node, error) {
	token, err := o.token(s, nil, parts...)
	if err != nil {
		return nil, err
	}
	return element(qname, element("ds:CanonicalizationMethod").with("Algorithm", b.form.algorithm()),
		leaf("xades:EncapsulatedTimeStamp", base64.StdEncoding.EncodeToString(token))), nil
}

func x509Data(certs []*x509.Certificate) *node {
	out := element("ds:X509Data")
	for _, c := range certs {
		out.add(leaf("ds:X509Certificate", base64.StdEncoding.EncodeToString(c.Raw)))
	}
	return out
}

const (
	xmldsigMore = "http://www.w3.org/2001/04/xmldsig-more#"
	xmldsigNew  = "http://www.w3.org/2007/05/xmldsig-more#"
	xmlenc      = "http://www.w3.org/2001/04/xmlenc#"
)

// digestURIs are those of RFC 9231 section 2.1.
var digestURIs = map[crypto.Hash]string{
	crypto.SHA1:     "http://www.w3.org/2000/09/xmldsig#sha1",
	crypto.SHA224:   xmldsigMore + "sha224",
	crypto.SHA256:   xmlenc + "sha256",
	crypto.SHA384:   xmldsigMore + "sha384",
	crypto.SHA512:   xmlenc + "sha512",
	crypto.SHA3_256: xmldsigNew + "sha3-256",
	crypto.SHA3_384: xmldsigNew + "sha3-384",
	crypto.SHA3_512: xmldsigNew + "sha3-512",
}

// signatureMethod is the URI of RFC 9231 section 2.3 for SHA-1 and SHA-2.
func (o *Options) signatureMethod() (string, error) {
	name := map[crypto.Hash]string{crypto.SHA1: "sha1", crypto.SHA224: "sha224", crypto.SHA256: "sha256", crypto.SHA384: "sha384", crypto.SHA512: "sha512"}[o.Hash]
	_, ec := o.Signer.Key.Public().(*ecdsa.PublicKey)
	switch {
	case name == "":
		return "", fmt.Errorf("%w: no XML signature method with hash %v here", ErrOptions, o.Hash)
	case ec:
		return xmldsigMore + "ecdsa-" + name, nil
	case o.PSS:
		return xmldsigNew + name + "-rsa-MGF1", nil
	case o.Hash == crypto.SHA1:
		return namespaces["ds"] + "rsa-sha1", nil
	}
	return xmldsigMore + "rsa-" + name, nil
}

// rawECDSA turns an ECDSA signature from DER into r and s one after the other
// (RFC 9231 section 2.3.6); others stay as they are.
func rawECDSA(key crypto.PublicKey, value []byte) ([]byte, error) {
	k, ok := key.(*ecdsa.PublicKey)
	if !ok {
		return value, nil
	}
	var rs struct{ R, S *big.Int }
	if rest, err := asn1.Unmarshal(value, &rs); err != nil || len(rest) > 0 {
		return nil, errors.New("own ECDSA signature cannot be read")
	}
	size := (k.Curve.Params().BitSize + 7) / 8
	out := make([]byte, 2*size)
	rs.R.FillBytes(out[:size])
	rs.S.FillBytes(out[size:])
	return out, nil
}
