package xades

import (
	"fmt"
	"strings"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/xmldsig"
)

// spaces are the namespaces of what may stand in a ds:Signature, by the prefixes used here.
var spaces = map[string]string{
	xmldsig.NamespaceDS: "ds", xmldsig.NamespaceDS11: "ds11", exclusive: "ec", xmldsig.TransformXPath2: "xf",
	"http://www.w3.org/2001/04/xmldsig-more#": "more", "http://www.w3.org/2007/05/xmldsig-more#": "more",
	"http://uri.etsi.org/01903/v1.1.1#": "x", "http://uri.etsi.org/01903/v1.2.2#": "x", namespace132: "x", namespace141: "x",
}

// Contents of elements that hold no others.
const (
	isText   = "text"
	isBase64 = "base64"
	isSigned = "signed" // whatever it holds, a signature has to be over it
)

// grammar is what the parts of a signature that it is not over itself may hold: element names, or one of the contents above. What the schemas leave to
// anybody (OtherCertificate, XMLTimeStamp, MgmtData, PGPData) is not in it. XML Signature 1.1, section 4; EN 319 132-1, 5; TS 101 903, 7.
var grammar = func() map[string]string {
	g := map[string]string{
		"ds:Signature": "ds:SignedInfo ds:SignatureValue ds:KeyInfo ds:Object", "ds:SignedInfo": isSigned, "ds:SignatureValue": isBase64,
		"ds:KeyInfo":  "ds:KeyName ds:KeyValue ds:X509Data ds11:DEREncodedKeyValue ds:RetrievalMethod",
		"ds:KeyValue": "ds:RSAKeyValue ds:DSAKeyValue ds11:ECKeyValue more:ECDSAKeyValue", "ds:RetrievalMethod": "",
		"ds:RSAKeyValue": "ds:Modulus ds:Exponent", "ds:DSAKeyValue": "ds:P ds:Q ds:G ds:Y ds:J ds:Seed ds:PgenCounter",
		"ds11:ECKeyValue": "ds11:NamedCurve ds11:PublicKey", "ds11:NamedCurve": "",
		"more:ECDSAKeyValue": "more:DomainParameters more:PublicKey", "more:DomainParameters": "more:NamedCurve", "more:NamedCurve": "",
		"more:PublicKey": "more:X more:Y", "more:X": "", "more:Y": "",
		"ds:X509Data":         "ds:X509Certificate ds:X509CRL ds:X509IssuerSerial ds:X509SKI ds:X509SubjectName ds11:X509Digest",
		"ds:X509IssuerSerial": "ds:X509IssuerName ds:X509SerialNumber",
		"ds:Object":           "x:QualifyingProperties x:QualifyingPropertiesReference ds:Manifest ds:SignatureProperties",
		"ds:Manifest":         isSigned, "ds:SignatureProperties": isSigned, "x:SignedProperties": isSigned,
		"x:QualifyingPropertiesReference": "", "x:QualifyingProperties": "x:SignedProperties x:UnsignedProperties",
		"x:UnsignedProperties": "x:UnsignedSignatureProperties x:UnsignedDataObjectProperties", "x:UnsignedDataObjectProperties": "",
		"x:CounterSignature": "ds:Signature",
		"x:Include":          "ds:Transforms", "x:HashDataInfo": "ds:Transforms", "ds:Transforms": "ds:Transform", "ds:Transform": "ec:InclusiveNamespaces",
		"ds:CanonicalizationMethod": "ec:InclusiveNamespaces", "ec:InclusiveNamespaces": "",
		"x:CRLValues": "x:EncapsulatedCRLValue", "x:OCSPValues": "x:EncapsulatedOCSPValue",
		"x:TimeStampValidationData": "x:CertificateValues x:RevocationValues", "x:AnyValidationData": "x:CertificateValues x:RevocationValues",
		"x:CertRefs": "x:Cert", "x:Cert": "x:CertDigest x:IssuerSerial x:IssuerSerialV2", "x:CertDigest": "ds:DigestMethod ds:DigestValue",
		"x:DigestAlgAndValue": "ds:DigestMethod ds:DigestValue", "ds:DigestMethod": "", "x:IssuerSerial": "ds:X509IssuerName ds:X509SerialNumber",
		"x:CRLRefs": "x:CRLRef", "x:CRLRef": "x:DigestAlgAndValue x:CRLIdentifier", "x:CRLIdentifier": "x:Issuer x:IssueTime x:Number",
		"x:OCSPRefs": "x:OCSPRef", "x:OCSPRef": "x:OCSPIdentifier x:DigestAlgAndValue", "x:OCSPIdentifier": "x:ResponderID x:ProducedAt",
		"x:ResponderID": "x:ByName x:ByKey",
	}
	unsigned := "x:CounterSignature x:TimeStampValidationData x:AnyValidationData"
	for name := range stampKinds {
		g["x:"+name] = "x:Include x:HashDataInfo ds:CanonicalizationMethod x:EncapsulatedTimeStamp"
		unsigned += " x:" + name
	}
	for content, names := range map[string]string{
		"x:CertRefs":                    "CompleteCertificateRefs CompleteCertificateRefsV2 AttributeCertificateRefs AttributeCertificateRefsV2",
		"x:CRLRefs x:OCSPRefs":          "CompleteRevocationRefs AttributeRevocationRefs",
		"x:EncapsulatedX509Certificate": "CertificateValues AttrAuthoritiesCertValues",
		"x:CRLValues x:OCSPValues":      "RevocationValues AttributeRevocationValues",
	} {
		for name := range strings.FieldsSeq(names) {
			g["x:"+name] = content
			unsigned += " x:" + name
		}
	}
	g["x:UnsignedSignatureProperties"] = unsigned
	for content, names := range map[string]string{
		isText: "ds:KeyName ds:X509IssuerName ds:X509SerialNumber ds:X509SubjectName x:Issuer x:IssueTime x:Number x:ByName x:ProducedAt",
		isBase64: "ds:Modulus ds:Exponent ds:P ds:Q ds:G ds:Y ds:J ds:Seed ds:PgenCounter ds11:PublicKey ds11:DEREncodedKeyValue ds:X509Certificate ds:X509CRL ds:X509SKI " +
			"ds11:X509Digest ds:DigestValue x:EncapsulatedTimeStamp x:EncapsulatedX509Certificate x:EncapsulatedCRLValue x:EncapsulatedOCSPValue x:IssuerSerialV2 x:ByKey",
	} {
		for name := range strings.FieldsSeq(names) {
			g[name] = content
		}
	}
	return g
}()

// attributes are those without a namespace that elements of signatures have.
var attributes = map[string]bool{"Id": true, "Algorithm": true, "URI": true, "uri": true, "URN": true, "Type": true, "Encoding": true, "MimeType": true, "Target": true,
	"referencedData": true, "Value": true, "PrefixList": true}

// attributeSpaces are the namespaces of others.
var attributeSpaces = map[string]bool{"http://www.w3.org/XML/1998/namespace": true, "http://www.w3.org/2001/XMLSchema-instance": true}

// stray is the first thing in a ds:Signature that does not belong to a signature, nil if all does.
//
// strict is for who leaves the whole of it out of what he signs: nothing but parts of signatures is allowed, signed or not, as who made that
// signature can make another in its place. Otherwise what the signature itself is over may hold anything.
func (r *reading) stray(n *xmldsig.Node, strict bool) error {
	s := r.byNode[n]
	if s == nil || s.structure != nil {
		return fmt.Errorf("%s is no signature that can be read", n.Path())
	}
	return s.look(n, strict)
}

// look is stray for an element in the signature.
func (s *signature) look(n *xmldsig.Node, strict bool) error {
	covered := s.coveredPart(n)
	if covered && !strict && !n.Is(xmldsig.NamespaceDS, "Signature") {
		return nil
	}
	content, known := grammar[named(n)]
	switch {
	case !known:
		return fmt.Errorf("%s does not belong in a signature", n.Path())
	case content == isSigned && !covered:
		return fmt.Errorf("%s is not signed", n.Path())
	case content == isSigned:
		return onlyParts(n)
	}
	for space, local := range n.Attributes() {
		if space == "" && !attributes[local] || space != "" && !attributeSpaces[space] {
			return fmt.Errorf("%s has the attribute %.60s, which does not belong in a signature", n.Path(), local)
		}
	}
	if content == isBase64 {
		if _, err := xmldsig.DecodeBase64(n.Text()); err != nil {
			if _, ok := unarmour(n.Text()); !ok {
				return fmt.Errorf("%s is not base64", n.Path())
			}
		}
	}
	leaf := content == isText || content == isBase64
	for c := range n.Children() {
		switch c.Kind() {
		case xmldsig.TextNode:
			if !leaf && strings.TrimSpace(c.Text()) != "" {
				return fmt.Errorf("%s has text in it", n.Path())
			}
		case xmldsig.PINode:
			return fmt.Errorf("%s has a processing instruction in it", n.Path())
		case xmldsig.ElementNode:
			if err := s.lookChild(c, content, strict); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *signature) lookChild(c *xmldsig.Node, content string, strict bool) error {
	allowed := false
	for name := range strings.FieldsSeq(content) {
		allowed = allowed || name == named(c)
	}
	switch {
	case !allowed && (strict || !s.coveredPart(c)):
		return fmt.Errorf("%s does not belong there", c.Path())
	case c.Is(xmldsig.NamespaceDS, "Signature"):
		return s.stray(c, strict)
	}
	return s.look(c, strict)
}

// named is the name of an element as the grammar has it.
func named(n *xmldsig.Node) string { return spaces[n.Space()] + ":" + n.Local() }

// coveredPart tells whether the signature is over an element of its own: SignedInfo, or the whole of what a reference names.
func (s *signature) coveredPart(n *xmldsig.Node) bool {
	if n == s.dsig.SignedInfo {
		return true
	}
	if s.targets == nil {
		s.targets = map[*xmldsig.Node]bool{}
		for i, ref := range s.dsig.References {
			target, same, err := s.doc.Target(ref)
			if i < len(s.out.References) && same && err == nil && target != nil && s.out.References[i].Intact && wholeTarget(ref) {
				s.targets[target] = true
			}
		}
	}
	for up := n; up != nil && up != s.dsig.Node; up = up.Parent() {
		if s.targets[up] {
			return true
		}
	}
	return false
}

// wholeTarget tells that a reference leaves out nothing of what it names.
func wholeTarget(ref *xmldsig.Reference) bool {
	for _, t := range ref.Transforms {
		if _, ok := xmldsig.MethodByURI(t.Get("Algorithm")); !ok && t.Get("Algorithm") != xmldsig.TransformBase64 {
			return false
		}
	}
	return true
}

// onlyParts fails if what is signed holds elements that are no parts of signatures, or text beside elements.
func onlyParts(n *xmldsig.Node) error {
	if spaces[n.Space()] == "" {
		return fmt.Errorf("%s does not belong in a signature", n.Path())
	}
	text, elements := false, false
	for c := range n.Children() {
		switch c.Kind() {
		case xmldsig.PINode:
			return fmt.Errorf("%s has a processing instruction in it", n.Path())
		case xmldsig.TextNode:
			text = text || strings.TrimSpace(c.Text()) != ""
		case xmldsig.ElementNode:
			elements = true
			if err := onlyParts(c); err != nil {
				return err
			}
		}
	}
	if text && elements {
		return fmt.Errorf("%s has text in it", n.Path())
	}
	return nil
}

// findStray notes what hides in signatures that others of the document leave out of what they are over.
func (r *reading) findStray() {
	known := map[*xmldsig.Node]error{}
	for s := range r.all() {
		for _, n := range s.leftOut {
			err, ok := known[n]
			if !ok {
				err = r.stray(n, false)
				known[n] = err
			}
			if err != nil {
				s.note(ades.DataInSignature, n.Get("Id"), "%v", err)
				break
			}
		}
	}
}

// whole fails if the signature at n, which a new one is to leave out of what it is over, or one in it, is not sound, cannot be checked, or
// holds anything but signatures.
func (r *reading) whole(n *xmldsig.Node) error {
	for s := range r.all() {
		if !n.Contains(s.dsig.Node) {
			continue
		}
		if err := s.sound(); err != nil {
			return err
		}
		if why := s.unchecked(); why != "" {
			return fmt.Errorf("%w: signature %.200q, which the new one would leave out, cannot be checked: %s; %s", ades.ErrUnsuitable, s.out.ID, why, otherwise)
		}
	}
	if err := r.stray(n, true); err != nil {
		return fmt.Errorf("%w: the document has data inside a signature that is there already, and the new signature would not be over these: %w; %s", ades.ErrUnsuitable, err, otherwise)
	}
	return nil
}

// otherwise is what can be done instead.
const otherwise = "sign the file as a whole, detached or in a container"

// unchecked says why it cannot be told whether a signature's value fits, empty if it can.
func (s *signature) unchecked() string {
	for _, f := range s.out.Findings {
		if f.Code == ades.UnsupportedPart || f.Code == ades.BadStructure || f.Code == ades.DuplicateID {
			return strings.TrimSpace(string(f.Code) + " " + f.Detail)
		}
	}
	switch {
	case s.out.AlgorithmError != nil:
		return s.out.AlgorithmError.Error()
	case s.key() == nil || s.out.Digest == nil:
		return "it comes without the signer's certificate"
	}
	if err := s.out.Algorithm.Verify(s.key(), s.out.Digest, s.out.Value); err != nil {
		return err.Error()
	}
	return ""
}

// key is the one that the value is to fit, nil if there is none.
func (s *signature) key() any {
	if s.out.Signer != nil {
		return s.out.Signer.PublicKey
	}
	return s.out.PublicKey
}
