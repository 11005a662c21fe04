package signed

import (
	"crypto"
	"errors"
	"fmt"

	"github.com/eidkit/eidkit/testcards/internal/cms"
	"github.com/eidkit/eidkit/testcards/internal/der"
)

// Attributes of CAdES, ETSI EN 319 122-1 section 5, and of RFC 5652.
const (
	oidSigningTime   = "1.2.840.113549.1.9.5"
	oidSignatureTS   = "1.2.840.113549.1.9.16.2.14"
	oidContentTS     = "1.2.840.113549.1.9.16.2.20"
	oidPolicy        = "1.2.840.113549.1.9.16.2.15"
	oidCommitment    = "1.2.840.113549.1.9.16.2.16"
	oidMIMEType      = "0.4.0.1733.2.1"
	oidArchiveTSv3   = "0.4.0.1733.2.4"
	oidATSHashIndex3 = "0.4.0.19122.1.5"
)

// CAdES signs content, which stands inside the message or, with detached,
// does not. Several signers sign in parallel. The result is DER.
func CAdES(content []byte, detached bool, signers ...Options) ([]byte, error) {
	m := message{contentType: cms.OIDData, content: content, detached: detached, signingTime: true}
	out, err := m.make(signers)
	if err != nil {
		return nil, fmt.Errorf("making CAdES signature: %w", err)
	}
	return out, nil
}

// message is a CAdES signature in the making. That of a PDF is made by the
// same code: without signing time, and with what is signed given by digest.
type message struct {
	contentType string
	content     []byte
	detached    bool
	signingTime bool

	data cms.SignedData
}

func (m *message) make(signers []Options) ([]byte, error) {
	if len(signers) == 0 {
		return nil, errors.New("nobody signs")
	}
	m.data = cms.SignedData{ContentType: m.contentType}
	if !m.detached {
		m.data.Content = m.content
		if m.content == nil {
			m.data.Content = []byte{}
		}
	}
	for i := range signers {
		o := signers[i]
		if err := o.fill(); err != nil {
			return nil, err
		}
		signers[i] = o
		if err := m.sign(&o); err != nil {
			return nil, err
		}
	}
	// Archive time stamps cover all certificates and answers, so those of
	// all signers come first.
	for i := range signers {
		if signers[i].Level == LTA {
			if err := m.archive(&signers[i], m.data.Signers[i]); err != nil {
				return nil, err
			}
		}
	}
	return m.data.Encode(), nil
}

// sign adds a SignerInfo with what belongs to its level, archive time stamps
// apart.
func (m *message) sign(o *Options) error {
	s := o.signer()
	attributes, err := o.attributes(m.content, m.signingTime)
	if err != nil {
		return err
	}
	s.Attributes = attributes
	info, err := cms.Sign(s, m.contentType, cms.Digest(o.Hash, m.content))
	if err != nil {
		return err
	}
	m.data.Signers = append(m.data.Signers, info)
	m.add(evidence{certs: o.sent()})
	if err := o.stamp(info); err != nil {
		return err
	}
	for i := range o.Counter {
		if err := m.counterSign(o.Counter[i], info); err != nil {
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
	m.add(e)
	return nil
}

// add puts evidence into the message.
func (m *message) add(e evidence) {
	all := evidence{m.data.Certificates, m.data.CRLs, m.data.OCSPs}
	all.add(e)
	m.data.Certificates, m.data.CRLs, m.data.OCSPs = all.certs, all.crls, all.ocsps
}

// stamp adds the signature time stamp.
func (o *Options) stamp(info *cms.SignerInfo) error {
	if o.Level < T {
		return nil
	}
	token, err := o.token(o.Timestamp, nil, info.Value)
	if err != nil {
		return err
	}
	info.Unsigned = append(info.Unsigned, cms.Attribute(oidSignatureTS, token))
	return nil
}

// counterSign adds a counter-signature, RFC 5652 section 11.4.
func (m *message) counterSign(c Options, info *cms.SignerInfo) error {
	if err := c.fill(); err != nil {
		return err
	}
	if c.Level > T || len(c.Counter) > 0 {
		return fmt.Errorf("%w: a counter-signature has level B or T and none of its own", ErrOptions)
	}
	s := c.signer()
	var err error
	if s.Attributes, err = c.attributes(info.Value, true); err != nil {
		return err
	}
	counter, err := cms.Sign(s, "", cms.Digest(c.Hash, info.Value))
	if err != nil {
		return err
	}
	if err := c.stamp(counter); err != nil {
		return err
	}
	info.Unsigned = append(info.Unsigned, cms.Attribute(cms.OIDCounter, counter.Encode()))
	m.add(evidence{certs: c.sent()})
	return nil
}

// attributes are the signed ones that depend on the options.
func (o *Options) attributes(content []byte, signingTime bool) ([][]byte, error) {
	var out [][]byte
	if signingTime {
		out = append(out, cms.Attribute(oidSigningTime, der.X509Time(o.At)))
	}
	if o.Plain {
		return out, nil
	}
	reference := o.Hash
	if reference == crypto.SHA1 {
		reference = crypto.SHA256 // version 2 is for all but SHA-1, and what it refers to may have another hash
	}
	out = append(out, cms.SigningCertificate(o.Signer.Certificate, reference))
	if o.MIMEType != "" {
		out = append(out, cms.Attribute(oidMIMEType, der.UTF8(o.MIMEType)))
	}
	if o.Commitment != "" {
		out = append(out, cms.Attribute(oidCommitment, der.Seq(der.OID(o.Commitment))))
	}
	if o.Policy != "" {
		hash := der.Seq(cms.DigestAlgorithm(crypto.SHA256), der.Octets(cms.Digest(crypto.SHA256, policyDocument(o.Policy))))
		out = append(out, cms.Attribute(oidPolicy, der.Seq(der.OID(o.Policy), hash)))
	}
	if !o.ContentStamp.At.IsZero() {
		token, err := o.token(o.ContentStamp, nil, content)
		if err != nil {
			return nil, err
		}
		out = append(out, cms.Attribute(oidContentTS, token))
	}
	return out, nil
}

// policyDocument stands for the document of a signature policy: nobody has to
// read it.
func policyDocument(oid string) []byte {
	return []byte("signature policy " + oid + " of the test PKI\n")
}

// archive adds the archive time stamps, version 3: ETSI EN 319 122-1 section
// 5.5.3. Each but the first is preceded by the evidence about the one before.
func (m *message) archive(o *Options, info *cms.SignerInfo) error {
	for i, s := range o.Archive {
		if i > 0 {
			e, err := o.aboutStamp(o.Archive[i-1], o.Archive[i-1].RevocationAt)
			if err != nil {
				return err
			}
			m.add(e)
		}
		index := m.hashIndex(s.Hash, info)
		parts := append([][]byte{der.OID(m.contentType), cms.Digest(s.Hash, m.content)}, info.Fields()...)
		token, err := o.token(s, [][]byte{cms.Attribute(oidATSHashIndex3, index)}, append(parts, index)...)
		if err != nil {
			return err
		}
		info.Unsigned = append(info.Unsigned, cms.Attribute(oidArchiveTSv3, token))
	}
	return nil
}

// hashIndex is the ATSHashIndexV3, ETSI EN 319 122-1 section 5.5.2.
func (m *message) hashIndex(h crypto.Hash, info *cms.SignerInfo) []byte {
	list := func(values [][]byte) []byte {
		var out [][]byte
		for _, v := range values {
			out = append(out, der.Octets(cms.Digest(h, v)))
		}
		return der.Seq(out...)
	}
	var certs [][]byte
	for _, c := range m.data.Certificates {
		certs = append(certs, c.Raw)
	}
	return der.Seq(cms.DigestAlgorithm(h), list(certs), list(m.data.Revocations()), list(info.UnsignedValues()))
}
