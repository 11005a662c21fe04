package signed

import (
	"crypto/x509"
	"encoding/base64"
	"fmt"
)

// extend adds the unsigned properties that the level asks for, and the
// counter-signatures.
func (b *xmlBuilder) extend(o *Options) error {
	if o.Level == B && len(o.Counter) == 0 {
		return nil
	}
	b.unsigned = element("xades:UnsignedSignatureProperties")
	b.object.children[0].add(element("xades:UnsignedProperties", b.unsigned))
	if o.Level >= T {
		stamp, err := b.timestamp(o, "xades:SignatureTimeStamp", o.Timestamp, b.value.write(b.form))
		if err != nil {
			return err
		}
		b.unsigned.add(stamp)
	}
	for i := range o.Counter {
		if err := b.counterSign(o.Counter[i], i+1); err != nil {
			return err
		}
	}
	if o.Level < LT {
		return nil
	}
	e, err := o.aboutSigner()
	if err != nil {
		return err
	}
	b.unsigned.add(values(e)...)
	if o.Level == LTA {
		return b.archive(o)
	}
	return nil
}

// counterSign adds a counter-signature, ETSI EN 319 132-1 section 5.2.7.
func (b *xmlBuilder) counterSign(c Options, number int) error {
	if c.Level > T || len(c.Counter) > 0 {
		return fmt.Errorf("%w: a counter-signature has level B or T and none of its own", ErrOptions)
	}
	property := element("xades:CounterSignature")
	b.unsigned.add(property)
	inner := xmlBuilder{id: fmt.Sprintf("%s-counter-%d", b.id, number), form: b.form, outside: property}
	signature, err := inner.build(c, []reference{{uri: "#" + b.id + "-value", kind: "http://uri.etsi.org/01903#CountersignedSignature",
		transforms: []*node{element("ds:Transform").with("Algorithm", b.form.algorithm())}, signed: b.value.write(b.form)}}, nil)
	if err != nil {
		return err
	}
	property.add(signature)
	return nil
}

// values are the properties CertificateValues and RevocationValues.
func values(e evidence) []*node {
	revocation := element("xades:RevocationValues")
	if len(e.crls) > 0 {
		revocation.add(encapsulated("xades:CRLValues", "xades:EncapsulatedCRLValue", e.crls))
	}
	if len(e.ocsps) > 0 {
		revocation.add(encapsulated("xades:OCSPValues", "xades:EncapsulatedOCSPValue", e.ocsps))
	}
	out := []*node{encapsulated("xades:CertificateValues", "xades:EncapsulatedX509Certificate", certificates(e.certs))}
	if len(revocation.children) > 0 {
		out = append(out, revocation)
	}
	return out
}

func certificates(list []*x509.Certificate) (out [][]byte) {
	for _, c := range list {
		out = append(out, c.Raw)
	}
	return out
}

func encapsulated(qname, each string, raws [][]byte) *node {
	out := element(qname)
	for _, raw := range raws {
		out.add(leaf(each, base64.StdEncoding.EncodeToString(raw)))
	}
	return out
}

// archive adds the archive time stamps, ETSI EN 319 132-1 section 5.5.2: each
// covers what every reference covers, SignedInfo, SignatureValue, KeyInfo, the
// unsigned properties before it, and the objects other than that of the
// properties.
func (b *xmlBuilder) archive(o *Options) error {
	for i, s := range o.Archive {
		if i > 0 {
			e, err := o.aboutStamp(o.Archive[i-1], o.Archive[i-1].RevocationAt)
			if err != nil {
				return err
			}
			b.unsigned.add(element("xades141:TimeStampValidationData", values(e)...).declaring("xades141"))
		}
		parts := append([][]byte{}, b.data...)
		for _, n := range append([]*node{b.info, b.value, b.keyInfo}, b.unsigned.children...) {
			parts = append(parts, n.write(b.form))
		}
		for _, n := range b.signature.children {
			if n.name == "Object" && n != b.object {
				parts = append(parts, n.write(b.form))
			}
		}
		stamp, err := b.timestamp(o, "xades141:ArchiveTimeStamp", s, parts...)
		if err != nil {
			return err
		}
		b.unsigned.add(stamp.declaring("xades141"))
	}
	return nil
}
