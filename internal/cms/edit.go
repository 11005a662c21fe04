package cms

import (
	"bytes"
	"crypto"
	"fmt"
	"io"
	"math/big"
	"slices"

	"github.com/eidkit/eidkit/internal/ber"
)

// Edit is a SignedData to be written: a new one, or one that was read with
// something added. What was read keeps its bytes: encapContentInfo, each
// certificate, each list and each signer that was not replaced. Sets that were in
// the order of DER stay so; to others what is new is appended.
type Edit struct {
	base         *SignedData // nil: new
	contentType  []byte      // OID
	other        bool        // contentType is not id-data
	content      *body       // nil: detached, or that of encapOf or base
	encapOf      *SignedData // nil: that of base
	detached     bool        // no content, whatever the others say
	algorithms   set
	certificates set
	revocations  set
	signers      set
	// original says that the fields certificates and crls are those of base.
	original bool
}

// body is content of a new message.
type body struct {
	open func() (io.ReadCloser, error)
	size int64
	is   checksum
}

// set is a SET OF while it is changed.
type set struct {
	list     [][]byte
	unsorted bool
}

func newSet(list [][]byte) set {
	return set{list: slices.Clone(list), unsorted: !slices.IsSortedFunc(list, bytes.Compare)}
}

// add adds an element that is not there yet.
func (s *set) add(raw []byte) bool {
	if slices.ContainsFunc(s.list, func(known []byte) bool { return bytes.Equal(known, raw) }) {
		return false
	}
	s.list = append(s.list, raw)
	return true
}

// ordered are the elements as they will stand.
func (s *set) ordered() [][]byte {
	list := slices.Clone(s.list)
	if !s.unsorted {
		slices.SortStableFunc(list, bytes.Compare)
	}
	return list
}

// NewEdit begins a new message without content, for content of that type (an
// OID). Errors: ber.ErrMalformed.
func NewEdit(contentType string) (*Edit, error) {
	oid, err := ber.AppendOID(nil, contentType)
	if err != nil {
		return nil, err
	}
	return &Edit{contentType: oid, other: contentType != TypeData}, nil
}

// Edit begins changing a message that was read. Its file must stay as it is.
func (d *SignedData) Edit() *Edit {
	e := &Edit{base: d, contentType: d.ContentTypeRaw, other: d.ContentType != TypeData, original: true, algorithms: newSet(d.DigestAlgorithms)}
	var certificates, revocations, signers [][]byte
	for _, c := range d.Certificates {
		certificates = append(certificates, c.Raw)
	}
	for _, r := range d.Revocations {
		revocations = append(revocations, r.Raw)
	}
	for _, s := range d.Signers {
		signers = append(signers, s.Raw)
	}
	e.certificates, e.revocations, e.signers = newSet(certificates), newSet(revocations), newSet(signers)
	return e
}

// Attach puts content into a new message, as an OCTET STRING of size bytes. open
// gives it when the message is written, and what it gives is then compared with the
// digest made before; nil: there is none.
func (e *Edit) Attach(size int64, open func() (io.ReadCloser, error), h crypto.Hash, digest []byte) {
	e.content = &body{open, size, checksum{hash: h, digest: digest}}
}

// AddDigest adds a digest algorithm, an AlgorithmIdentifier in DER, unless it is
// there with or without its parameters.
func (e *Edit) AddDigest(algorithm []byte) {
	name := func(raw []byte) []byte {
		if parsed, err := ber.Parse(raw); err == nil {
			if id, err := parsed.Reader().Next(); err == nil {
				return id.Raw
			}
		}
		return raw
	}
	if !slices.ContainsFunc(e.algorithms.list, func(known []byte) bool { return bytes.Equal(name(known), name(algorithm)) }) {
		e.algorithms.add(algorithm)
	}
}

// AddCertificate adds an X.509 certificate in DER.
func (e *Edit) AddCertificate(der []byte) { e.changed(e.certificates.add(der)) }

// AddCRL adds a CertificateList in DER.
func (e *Edit) AddCRL(der []byte) { e.changed(e.revocations.add(der)) }

// AddOCSP adds an OCSPResponse in DER, as OtherRevocationInfoFormat (RFC 5940
// section 2.1).
func (e *Edit) AddOCSP(response []byte) {
	id := []byte{ber.TagOID, 8, 0x2B, 6, 1, 5, 5, 7, 0x10, 2} // oidRevocationOCSP
	e.changed(e.revocations.add(ber.Append(nil, ber.Context, true, 1, id, response)))
}

func (e *Edit) changed(added bool) { e.original = e.original && !added }

// Certificates are the elements of the field certificates as they will stand.
func (e *Edit) Certificates() [][]byte { return e.certificates.ordered() }

// Revocations are the elements of the field crls as they will stand.
func (e *Edit) Revocations() [][]byte { return e.revocations.ordered() }

// ContentType is the OID of the content's type as it will stand.
func (e *Edit) ContentType() []byte { return e.contentType }

// AddSigner adds a SignerInfo and returns its index.
func (e *Edit) AddSigner(raw []byte) int {
	e.signers.list = append(e.signers.list, raw)
	return len(e.signers.list) - 1
}

// Signer is the SignerInfo with that index: those that were read in file order,
// then those added.
func (e *Edit) Signer(i int) []byte { return e.signers.list[i] }

// SetSigner replaces a SignerInfo.
func (e *Edit) SetSigner(i int, raw []byte) { e.signers.list[i] = raw }

// Place is where, from 0, the SignerInfo with that index will stand.
func (e *Edit) Place(i int) int {
	raw := e.signers.list[i]
	return slices.IndexFunc(e.signers.ordered(), func(other []byte) bool { return bytes.Equal(raw, other) })
}

// version is the CMSVersion by the rules of RFC 5652 section 5.1, not below that which was there.
func (e *Edit) version() int {
	v := 1
	raise := func(to int, list [][]byte, is func(ber.Header) bool) {
		for _, raw := range list {
			if h, err := ber.ParseHeader(raw); err == nil && is(h) {
				v = max(v, to)
			}
		}
	}
	tagged := func(tag uint32) func(ber.Header) bool {
		return func(h ber.Header) bool { return h.Is(ber.Context, tag) }
	}
	if e.base != nil {
		v = e.base.Version
	}
	if e.other {
		v = max(v, 3)
	}
	for _, raw := range e.signers.list {
		if ParseSigner(raw).Version == 3 {
			v = max(v, 3)
		}
	}
	raise(3, e.certificates.list, tagged(1)) // attribute certificate of version 1
	raise(4, e.certificates.list, tagged(2)) // of version 2
	raise(5, e.certificates.list, tagged(3))
	raise(5, e.revocations.list, tagged(1))
	return v
}

func (e *Edit) versionElement() []byte {
	return ber.AppendInteger(nil, big.NewInt(int64(e.version())))
}

// MarshalAttribute is an Attribute in DER, its values put in order. Errors: ber.ErrMalformed
// for what is no OID.
func MarshalAttribute(oid string, values ...[]byte) ([]byte, error) {
	b, err := ber.AppendOID(nil, oid)
	if err != nil {
		return nil, err
	}
	return ber.AppendSequence(nil, ber.AppendSetOf(b, values...)), nil
}

// MarshalSigner is a SignerInfo of the fields in front of the unsigned
// attributes and of these.
func MarshalSigner(fields, unsigned [][]byte) []byte {
	if len(unsigned) > 0 {
		fields = append(slices.Clone(fields), ber.Append(nil, ber.Context, true, 1, unsigned...))
	}
	return ber.AppendSequence(nil, fields...)
}

// WithUnsigned is the SignerInfo with more unsigned attributes. All that it has
// keeps its bytes. The order of DER is kept if there is one and keepOrder is
// not set, which is for what a time stamp covers in the order it has.
func (s *SignerInfo) WithUnsigned(keepOrder bool, attributes ...[]byte) []byte {
	var list [][]byte
	for _, a := range s.UnsignedAttrs {
		list = append(list, a.Raw)
	}
	all := newSet(list)
	all.unsorted = all.unsorted || keepOrder
	all.list = append(all.list, attributes...)
	return MarshalSigner(s.Fields, all.ordered())
}

// ReplaceUnsigned is the SignerInfo with the value of an unsigned attribute, both
// counted from 0, replaced. Errors: ber.ErrMalformed if there is none.
func (s *SignerInfo) ReplaceUnsigned(attribute, value int, raw []byte) ([]byte, error) {
	if attribute >= len(s.UnsignedAttrs) || value >= len(s.UnsignedAttrs[attribute].Values) {
		return nil, fmt.Errorf("%w: value %d of unsigned attribute %d", ber.ErrMalformed, value, attribute)
	}
	var list [][]byte
	for i, a := range s.UnsignedAttrs {
		one := a.Raw
		if i == attribute {
			values := slices.Clone(a.Values)
			values[value] = raw
			one = ber.AppendSequence(nil, a.TypeRaw, ber.Append(nil, ber.Universal, true, ber.TagSet, values...))
		}
		list = append(list, one)
	}
	return MarshalSigner(s.Fields, list), nil
}
