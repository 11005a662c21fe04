package xades

import (
	"fmt"
	"strings"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/sigalg"
	"github.com/eidkit/eidkit/internal/xmldsig"
)

// counter tells whether it is a counter-signature.
func (b *building) counter() bool {
	return len(b.items) == 1 && isType(b.items[0].kind, typeCounterSigned)
}

// write makes the text of the signature, with holes for the digests of the references and the value.
func (b *building) write() (holes []int, err error) {
	w := &writer{}
	size := b.making.Algorithm.Hash.Size()
	w.start("ds:Signature", "xmlns:ds", xmldsig.NamespaceDS, "Id", b.id)
	w.start("ds:SignedInfo")
	w.empty("ds:CanonicalizationMethod", "Algorithm", b.options.Canonicalization)
	w.empty("ds:SignatureMethod", "Algorithm", b.algorithm)
	for i := range b.items {
		it := &b.items[i]
		uri := it.uri
		if it.object {
			uri = "#" + b.objectID(i)
		}
		w.start("ds:Reference", "Id", b.referenceID(i), "Type", it.kind, "URI", uri)
		w.transforms(it.transforms)
		holes = append(holes, w.digest(b.digest, size))
		w.end(1)
	}
	w.start("ds:Reference", "Type", typePrefix+typeSigned, "URI", "#"+b.propertiesID())
	w.transforms([]string{b.options.Canonicalization})
	holes = append(holes, w.digest(b.digest, size))
	w.end(2)
	length, err := valueSize(b.making)
	if err != nil {
		return nil, err
	}
	b.value = w.hole("ds:SignatureValue", length, "Id", b.valueID())
	w.start("ds:KeyInfo", "Id", b.keyID())
	w.start("ds:X509Data")
	w.base64("ds:X509Certificate", b.making.Certificate.Raw)
	for _, c := range b.making.Chain {
		if !c.Equal(b.making.Certificate) {
			w.base64("ds:X509Certificate", c.Raw)
		}
	}
	w.end(2)
	w.start("ds:Object")
	w.start("xades:QualifyingProperties", "xmlns:xades", namespace132, "Target", "#"+b.id)
	w.start("xades:SignedProperties", "Id", b.propertiesID())
	if err := b.signatureProperties(w); err != nil {
		return nil, err
	}
	b.dataProperties(w)
	w.end(3)
	for i := range b.items {
		b.objectOf(w, i)
	}
	w.end(1)
	b.text = w.buf
	return holes, w.err
}

// objectOf writes the ds:Object of an item that has one.
func (b *building) objectOf(w *writer, i int) {
	it := &b.items[i]
	if !it.object {
		return
	}
	attrs := []string{"Id", b.objectID(i), "MimeType", it.mime, "Encoding", it.encoding}
	if it.encoding != "" {
		w.base64("ds:Object", it.content, attrs...)
		return
	}
	w.start("ds:Object", attrs...)
	w.buf = append(w.buf, it.content...)
	w.end(1)
}

// transforms writes ds:Transforms, unless there are none.
func (w *writer) transforms(list []string) {
	if len(list) == 0 {
		return
	}
	w.start("ds:Transforms")
	for _, uri := range list {
		if uri != xmldsig.TransformXPath2 {
			w.empty("ds:Transform", "Algorithm", uri)
			continue
		}
		// All signatures are left out, so that further ones can come. XPath Filter 2.0, section 3.
		w.start("ds:Transform", "Algorithm", uri)
		w.leaf("filter:XPath", "/descendant::ds:Signature", "xmlns:filter", uri, "Filter", "subtract")
		w.end(1)
	}
	w.end(1)
}

// digest writes DigestMethod and DigestValue, the latter to be filled.
func (w *writer) digest(uri string, size int) (hole int) {
	w.empty("ds:DigestMethod", "Algorithm", uri)
	return w.hole("ds:DigestValue", size)
}

// signatureProperties writes SignedSignatureProperties. EN 319 132-1, 5.2.
func (b *building) signatureProperties(w *writer) error {
	m := &b.making
	w.start("xades:SignedSignatureProperties")
	w.leaf("xades:SigningTime", m.Time.UTC().Format("2006-01-02T15:04:05Z"))
	w.start("xades:SigningCertificateV2")
	w.start("xades:Cert")
	w.start("xades:CertDigest")
	h := m.Algorithm.Hash.New()
	h.Write(m.Certificate.Raw)
	w.empty("ds:DigestMethod", "Algorithm", b.digest)
	w.base64("ds:DigestValue", h.Sum(nil))
	w.end(3)
	if m.Policy != nil {
		if err := w.policy(m.Policy); err != nil {
			return err
		}
	}
	if p := m.Place; p != (ades.Place{}) {
		w.start("xades:SignatureProductionPlaceV2")
		w.optional("xades:City", p.City)
		w.optional("xades:StreetAddress", p.Street)
		w.optional("xades:StateOrProvince", p.Province)
		w.optional("xades:PostalCode", p.PostalCode)
		w.optional("xades:CountryName", p.Country)
		w.end(1)
	}
	if len(m.Roles) > 0 {
		w.start("xades:SignerRoleV2")
		w.start("xades:ClaimedRoles")
		for _, role := range m.Roles {
			w.leaf("xades:ClaimedRole", role)
		}
		w.end(2)
	}
	w.end(1)
	return nil
}

// policy writes SignaturePolicyIdentifier. EN 319 132-1, 5.2.9.
func (w *writer) policy(p *ades.SignaturePolicy) error {
	w.start("xades:SignaturePolicyIdentifier")
	if p.Implied {
		w.empty("xades:SignaturePolicyImplied")
		w.end(1)
		return nil
	}
	uri := sigalg.HashURI(p.Hash)
	if p.ID == "" || uri == "" || len(p.Digest) == 0 {
		return fmt.Errorf("%w: XML names a signature policy by its identifier and its digest", ades.ErrUnsuitable)
	}
	w.start("xades:SignaturePolicyId")
	w.identifier("xades:SigPolicyId", p.ID)
	w.start("xades:SigPolicyHash")
	w.empty("ds:DigestMethod", "Algorithm", uri)
	w.base64("ds:DigestValue", p.Digest)
	w.end(1)
	if p.URI != "" {
		w.start("xades:SigPolicyQualifiers")
		w.start("xades:SigPolicyQualifier")
		w.leaf("xades:SPURI", p.URI)
		w.end(2)
	}
	w.end(2)
	return nil
}

// identifier writes ObjectIdentifierType: an OID as URN, anything else is a URI.
func (w *writer) identifier(name, id string) {
	w.start(name)
	oid := id
	if prefix := "urn:oid:"; len(id) > len(prefix) && strings.EqualFold(id[:len(prefix)], prefix) {
		oid = id[len(prefix):]
	}
	if strings.Trim(oid, "0123456789.") == "" {
		w.leaf("xades:Identifier", "urn:oid:"+oid, "Qualifier", "OIDAsURN")
	} else {
		w.leaf("xades:Identifier", id)
	}
	w.end(1)
}

// dataProperties writes SignedDataObjectProperties. EN 319 132-1, 5.2.3, 5.2.4 and 5.2.8.1.
func (b *building) dataProperties(w *writer) {
	m := &b.making
	if b.counter() && len(m.Commitments) == 0 {
		return // its one object is no data
	}
	w.start("xades:SignedDataObjectProperties")
	for i := range b.items {
		if b.counter() {
			break
		}
		w.start("xades:DataObjectFormat", "ObjectReference", "#"+b.referenceID(i))
		w.leaf("xades:MimeType", b.items[i].mime)
		w.end(1)
	}
	for _, c := range m.Commitments {
		w.start("xades:CommitmentTypeIndication")
		w.identifier("xades:CommitmentTypeId", c)
		w.empty("xades:AllSignedDataObjects")
		w.end(1)
	}
	if b.stamp != nil {
		w.start("xades:AllDataObjectsTimeStamp", "Id", b.stampID())
		w.empty("ds:CanonicalizationMethod", "Algorithm", b.options.Canonicalization)
		w.base64("xades:EncapsulatedTimeStamp", b.stamp)
		w.end(1)
	}
	w.end(1)
}
