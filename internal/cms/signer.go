package cms

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/eidkit/eidkit/internal/ber"
)

// parseSigner reads one SignerInfo. What is wrong with it stays with it.
func parseSigner(e ber.Element) SignerInfo {
	s := SignerInfo{Raw: e.Raw, Offset: e.Offset}
	if err := s.parse(e); err != nil {
		return SignerInfo{Raw: e.Raw, Offset: e.Offset, Err: err}
	}
	return s
}

// ParseSigner reads a SignerInfo that stands alone: the value of a
// countersignature attribute (RFC 5652 section 11.4).
func ParseSigner(raw []byte) SignerInfo {
	e, err := ber.Parse(raw)
	if err != nil {
		return SignerInfo{Raw: raw, Err: err}
	}
	return parseSigner(e)
}

func (s *SignerInfo) parse(e ber.Element) error {
	if !e.Is(ber.Universal, ber.TagSequence) {
		return fmt.Errorf("%w: %s instead of a SignerInfo", ber.ErrMalformed, e.Header)
	}
	r := e.Reader()
	version, err := r.Expect(ber.Universal, ber.TagInteger)
	if err != nil {
		return fmt.Errorf("reading the version: %w", err)
	}
	if s.Version, err = version.Int(); err != nil {
		return fmt.Errorf("reading the version: %w", err)
	}
	sid, err := r.Next()
	if err == nil {
		err = s.identifier(sid)
	}
	if err != nil {
		return fmt.Errorf("reading the signer identifier: %w", err)
	}
	digestAlg, err := r.Expect(ber.Universal, ber.TagSequence)
	if err != nil {
		return fmt.Errorf("reading the digest algorithm: %w", err)
	}
	s.DigestAlgorithm = digestAlg.Raw
	s.Fields = [][]byte{version.Raw, sid.Raw, digestAlg.Raw}
	signed, found, err := r.Optional(ber.Context, 0)
	if err == nil && found {
		s.signedRaw, s.Fields = signed.Raw, append(s.Fields, signed.Raw)
		s.SignedAttrs, err = attributes(signed)
	}
	if err != nil {
		return fmt.Errorf("reading the signed attributes: %w", err)
	}
	sigAlg, err := r.Expect(ber.Universal, ber.TagSequence)
	if err != nil {
		return fmt.Errorf("reading the signature algorithm: %w", err)
	}
	s.SignatureAlgorithm = sigAlg.Raw
	value, err := r.Expect(ber.Universal, ber.TagOctetString)
	if err == nil {
		s.Signature, err = value.Octets()
	}
	if err != nil {
		return fmt.Errorf("reading the signature: %w", err)
	}
	s.Fields = append(s.Fields, sigAlg.Raw, value.Raw)
	unsigned, found, err := r.Optional(ber.Context, 1)
	if err == nil && found {
		s.UnsignedRaw = unsigned.Raw
		s.UnsignedAttrs, err = attributes(unsigned)
	}
	if err != nil {
		return fmt.Errorf("reading the unsigned attributes: %w", err)
	}
	if r.More() {
		return fmt.Errorf("%w: something follows the unsigned attributes", ber.ErrMalformed)
	}
	return nil
}

// identifier reads the SignerIdentifier.
func (s *SignerInfo) identifier(e ber.Element) (err error) {
	if e.Is(ber.Context, 0) {
		s.KeyID, err = e.Octets()
		return err
	}
	if !e.Is(ber.Universal, ber.TagSequence) {
		return fmt.Errorf("%w: %s", ber.ErrMalformed, e.Header)
	}
	r := e.Reader()
	issuer, err := r.Expect(ber.Universal, ber.TagSequence)
	if err != nil {
		return err
	}
	if s.Issuer, err = issuer.DER(); err != nil {
		return err
	}
	serial, err := r.Expect(ber.Universal, ber.TagInteger)
	if err != nil {
		return err
	}
	s.Serial, err = serial.Integer()
	return err
}

// attributes reads a SET OF Attribute under whatever tag. The slice is never nil.
func attributes(set ber.Element) ([]Attribute, error) {
	if !set.Constructed {
		return nil, fmt.Errorf("%w: primitive set of attributes", ber.ErrMalformed)
	}
	list := []Attribute{}
	for r := set.Reader(); r.More(); {
		if len(list) == maxAttributes {
			return nil, fmt.Errorf("%w: more than %d attributes", ber.ErrTooLarge, maxAttributes)
		}
		e, err := r.Expect(ber.Universal, ber.TagSequence)
		if err != nil {
			return nil, err
		}
		in := e.Reader()
		id, err := in.Expect(ber.Universal, ber.TagOID)
		if err != nil {
			return nil, err
		}
		a := Attribute{Raw: e.Raw, TypeRaw: id.Raw, Offset: e.Offset}
		if a.Type, err = id.OID(); err != nil {
			return nil, err
		}
		values, err := in.Expect(ber.Universal, ber.TagSet)
		if err != nil {
			return nil, fmt.Errorf("attribute %s: %w", a.Type, err)
		}
		a.SetRaw = values.Raw
		for v := values.Reader(); v.More(); {
			if len(a.Values) == maxValues {
				return nil, fmt.Errorf("%w: more than %d values of attribute %s", ber.ErrTooLarge, maxValues, a.Type)
			}
			value, err := v.Next()
			if err != nil {
				return nil, fmt.Errorf("attribute %s: %w", a.Type, err)
			}
			a.Values = append(a.Values, value.Raw)
		}
		list = append(list, a)
	}
	return list, nil
}

// ParseAttributes reads the attributes of raw, an element with a SET OF
// Attribute inside, under whatever tag.
func ParseAttributes(raw []byte) ([]Attribute, error) {
	e, err := ber.Parse(raw)
	if err != nil {
		return nil, err
	}
	return attributes(e)
}

// Find returns the attributes of that type, in file order.
func Find(list []Attribute, oid string) []Attribute {
	var found []Attribute
	for _, a := range list {
		if a.Type == oid {
			found = append(found, a)
		}
	}
	return found
}

// One returns the only value of the only attribute of that type. found tells
// whether there is any at all; more than one is an error.
func One(list []Attribute, oid string) (value ber.Element, found bool, err error) {
	all := Find(list, oid)
	if len(all) == 0 {
		return ber.Element{}, false, nil
	}
	if len(all) > 1 || len(all[0].Values) != 1 {
		return ber.Element{}, true, fmt.Errorf("%w: attribute %s does not have exactly one value", ber.ErrMalformed, oid)
	}
	value, err = ber.Parse(all[0].Values[0])
	return value, true, err
}

// SignedInput returns what the signature is over when there are signed
// attributes: their DER as a SET OF (RFC 5652 section 5.4), and, if they do not
// stand so in the file, other encodings that makers have hashed instead: in file
// order, and as they stand. All are different; the first alone is by the book.
// Without signed attributes the result is nil.
func (s *SignerInfo) SignedInput() (inputs [][]byte, err error) {
	if s.SignedAttrs == nil {
		return nil, nil
	}
	var asIs, der [][]byte
	for _, a := range s.SignedAttrs {
		canonical, err := ber.DER(a.Raw)
		if err != nil {
			return nil, err
		}
		asIs, der = append(asIs, a.Raw), append(der, canonical)
	}
	first := ber.AppendSetOf(nil, der...)
	inputs = [][]byte{first}
	if bytes.Equal(first[1:], s.signedRaw[1:]) { // the tag alone is not that of a SET
		return inputs, nil
	}
	literal := append([]byte{first[0]}, s.signedRaw[1:]...) // whatever its length looks like
	for _, other := range [][]byte{
		ber.Append(nil, ber.Universal, true, ber.TagSet, der...),
		ber.Append(nil, ber.Universal, true, ber.TagSet, asIs...),
		ber.AppendSetOf(nil, asIs...),
		literal,
	} {
		if !slices.ContainsFunc(inputs, func(known []byte) bool { return bytes.Equal(known, other) }) {
			inputs = append(inputs, other)
		}
	}
	return inputs, nil
}

// SignedField is the [0] field as it stands, or nil.
func (s *SignerInfo) SignedField() []byte { return s.signedRaw }
