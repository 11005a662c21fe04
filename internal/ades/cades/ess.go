package cades

import (
	"crypto"
	"fmt"
	"math/big"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/ber"
	"github.com/eidkit/eidkit/internal/cms"
)

// essDefault is the digest of an ESSCertIDv2 that names none, RFC 5035 section 4.
const essDefault = crypto.SHA256

// maxCertRefs bounds the references of one signature; there are as many as a chain is long.
const maxCertRefs = 100

// signingCertificate reads the attributes that name the signer's certificate by its digest: signing-certificate (RFC 2634 section 5.4),
// its version 2 (RFC 5035 section 3), other-signing-certificate (RFC 5126 section 5.7.3.3). Version 2 goes first where both are there.
func (s *signer) signingCertificate() {
	for _, kind := range []struct {
		oid, name string
		entry     func(*ber.Reader) (crypto.Hash, []byte, error)
	}{
		{oidSigningCertV2, "signing-certificate-v2", essHashV2},
		{oidSigningCert, "signing-certificate", essHashV1},
		{oidOtherSigningCert, "other-signing-certificate", essOtherHash},
	} {
		for _, a := range cms.Find(s.info.SignedAttrs, kind.oid) {
			s.sig.HasCertRefs = true
			if kind.oid != oidOtherSigningCert {
				s.ess += len(a.Values)
			}
			for _, raw := range a.Values {
				value, err := ber.Parse(raw)
				var refs []ades.CertRef
				if err == nil {
					refs, err = certRefs(value, kind.entry)
				}
				s.sig.CertRefs = append(s.sig.CertRefs, refs[:min(len(refs), maxCertRefs-len(s.sig.CertRefs))]...)
				if err == nil && len(refs) == 0 {
					err = fmt.Errorf("%w: empty", ber.ErrMalformed)
				}
				if err != nil {
					s.note(ades.NoSigningCertRef, kind.name, "%v", err)
				}
			}
		}
	}
	if s.ess > 1 {
		s.note(ades.EncodingOddity, "signing-certificate", "%d times", s.ess)
	}
}

// certRefs reads SEQUENCE { certs SEQUENCE OF ESSCertID, policies OPTIONAL }.
func certRefs(value ber.Element, entry func(*ber.Reader) (crypto.Hash, []byte, error)) ([]ades.CertRef, error) {
	list, err := value.Reader().Expect(ber.Universal, ber.TagSequence)
	if err != nil {
		return nil, err
	}
	var refs []ades.CertRef
	for r := list.Reader(); r.More() && len(refs) < maxCertRefs; {
		e, err := r.Expect(ber.Universal, ber.TagSequence)
		if err != nil {
			return refs, err
		}
		in := e.Reader()
		var ref ades.CertRef
		if ref.Hash, ref.Digest, err = entry(in); err != nil {
			return refs, err
		}
		if in.More() {
			if ref.Issuer, ref.Serial, err = issuerSerial(in); err != nil {
				return refs, err
			}
		}
		refs = append(refs, ref)
	}
	return refs, nil
}

// essHashV1 reads the hash of an ESSCertID.
func essHashV1(r *ber.Reader) (crypto.Hash, []byte, error) {
	e, err := r.Expect(ber.Universal, ber.TagOctetString)
	if err != nil {
		return 0, nil, err
	}
	digest, err := e.Octets()
	return crypto.SHA1, digest, err
}

// essHashV2 reads the hash of an ESSCertIDv2, whose algorithm is SHA-256 by default.
func essHashV2(r *ber.Reader) (crypto.Hash, []byte, error) {
	h := essDefault
	alg, found, err := r.Optional(ber.Universal, ber.TagSequence)
	if err != nil {
		return 0, nil, err
	}
	if found {
		h = hashAlgorithm(alg.Raw)
	}
	_, digest, err := essHashV1(r)
	return h, digest, err
}

// essOtherHash reads the hash of an OtherCertID.
func essOtherHash(r *ber.Reader) (crypto.Hash, []byte, error) {
	e, err := r.Next()
	if err != nil {
		return 0, nil, err
	}
	return otherHash(e)
}

// issuerSerial reads an IssuerSerial (RFC 5035 section 5): GeneralNames with a directory name, and a serial number. A Name without the
// GeneralNames around it is seen too.
func issuerSerial(r *ber.Reader) (issuer []byte, serial *big.Int, err error) {
	e, err := r.Expect(ber.Universal, ber.TagSequence)
	if err != nil {
		return nil, nil, err
	}
	in := e.Reader()
	names, err := in.Expect(ber.Universal, ber.TagSequence)
	if err != nil {
		return nil, nil, err
	}
	number, err := in.Expect(ber.Universal, ber.TagInteger)
	if err != nil {
		return nil, nil, err
	}
	if serial, err = number.Integer(); err != nil {
		return nil, nil, err
	}
	for list := names.Reader(); list.More(); {
		name, err := list.Next()
		if err != nil {
			return nil, nil, err
		}
		switch {
		case name.Is(ber.Context, 4): // directoryName, EXPLICIT since Name is a choice
			inner, err := ber.Parse(name.Body)
			if err != nil {
				return nil, nil, err
			}
			issuer, err = inner.DER()
			return issuer, serial, err
		case name.Is(ber.Universal, ber.TagSet):
			issuer, err = names.DER()
			return issuer, serial, err
		}
	}
	return nil, serial, nil
}
