package ades

import "github.com/eidkit/eidkit/internal/ber"

// BasicOCSP returns the BasicOCSPResponse inside an OCSPResponse, DER or BER
// (RFC 6960 section 4.2.1); nil if raw is no such thing. Time stamps prove
// either form: both have a Digest.
func BasicOCSP(raw []byte) []byte {
	e, err := ber.Parse(raw)
	if err != nil || !e.Is(ber.Universal, ber.TagSequence) {
		return nil
	}
	r := e.Reader()
	if _, err := r.Expect(ber.Universal, ber.TagEnumerated); err != nil {
		return nil
	}
	explicit, err := r.Expect(ber.Context, 0)
	if err != nil {
		return nil
	}
	in, err := explicit.Reader().Expect(ber.Universal, ber.TagSequence)
	if err != nil {
		return nil
	}
	fields := in.Reader()
	if _, err := fields.Expect(ber.Universal, ber.TagOID); err != nil {
		return nil
	}
	octets, err := fields.Expect(ber.Universal, ber.TagOctetString)
	if err != nil {
		return nil
	}
	basic, err := octets.Octets()
	if err != nil {
		return nil
	}
	return basic
}
