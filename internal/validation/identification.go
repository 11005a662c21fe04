package validation

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"slices"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/certs"
	"github.com/eidkit/eidkit/internal/sigalg"
)

// maxCandidates bounds the certificates a signature value is tried with.
const maxCandidates = 32

// identify is identification of the signing certificate (EN 319 102-1 section
// 5.2.3). The reader names a candidate by the signer identifier; the
// signing-certificate attribute says by digest which one it must be. Among
// several the one whose key fits is the signer's: certificates are re-issued
// with the same name, and identifiers outside the signature may be wrong.
func (r *run) identify(t *token) {
	candidates := r.candidates(t.sig)
	t.signer = r.choose(t.sig, candidates)
	switch {
	case t.signer != nil:
	case t.sig.PublicKey != nil:
		t.found.add(r.find(CodeKeyOnly, sigalg.KeyName(t.sig.PublicKey), ""))
		return
	default:
		t.found.add(r.find(CodeNoSigningCertificate, t.sig.SignerID.Name, ""))
		return
	}
	if !names(t.sig.SignerID, t.signer) && t.signer != t.sig.Signer {
		t.found.add(r.find(CodeSignerIDMismatch, "", ""))
	}
	r.checkCertRefs(t)
}

// candidates are the certificates that may be the signer's, the likeliest
// first: those the attribute names, the reader's, those the identifier names,
// and then all that came with the signature.
func (r *run) candidates(s *ades.Signature) []*x509.Certificate {
	var list []*x509.Certificate
	add := func(c *x509.Certificate) {
		if c != nil && len(list) < maxCandidates && !slices.ContainsFunc(list, c.Equal) {
			list = append(list, c)
		}
	}
	named := func(pool []*x509.Certificate) {
		for _, c := range pool {
			if len(s.CertRefs) > 0 && digestFits(s.CertRefs[0], c) {
				add(c)
			}
		}
	}
	named([]*x509.Certificate{s.Signer})
	if len(list) == 0 {
		named(s.Certificates)
	}
	if len(list) == 0 { // elsewhere in the file, or with the caller
		named(r.pool)
	}
	add(s.Signer)
	for _, c := range s.Certificates {
		if names(s.SignerID, c) {
			add(c)
		}
	}
	if len(list) == 0 {
		pool := r.pool
		if r.Anchors != nil && len(s.SignerID.Issuer) > 0 {
			pool = append(slices.Clone(pool), r.Anchors.Named(s.SignerID.Issuer)...) // a self-signed signer that is trusted
		}
		for _, c := range pool {
			if names(s.SignerID, c) {
				add(c)
			}
		}
	}
	for _, c := range s.Certificates {
		if s.PublicKey == nil || sameKey(c, s.PublicKey) {
			add(c)
		}
	}
	return list
}

// choose takes the first candidate whose key fits the signature value; if none
// does, the first that is named by something, since the value may be wrong.
func (r *run) choose(s *ades.Signature, candidates []*x509.Certificate) *x509.Certificate {
	for _, c := range candidates {
		if r.valueFits(s, c) == nil {
			return c
		}
	}
	for _, c := range candidates {
		if c == s.Signer || names(s.SignerID, c) || len(s.CertRefs) > 0 && digestFits(s.CertRefs[0], c) ||
			s.PublicKey != nil && sameKey(c, s.PublicKey) {
			return c
		}
	}
	if len(candidates) == 1 && !identified(s) {
		return candidates[0]
	}
	return nil
}

// identified tells whether the signature says anything about its signer.
func identified(s *ades.Signature) bool {
	id := s.SignerID
	return len(id.Issuer) > 0 || id.Serial != nil || len(id.KeyID) > 0 || id.Name != "" || s.PublicKey != nil
}

// checkCertRefs compares the signing-certificate attribute with the signer's
// certificate. The first reference is the signer's (RFC 5035 section 5.4.1);
// XAdES does not say which, so all are tried.
func (r *run) checkCertRefs(t *token) {
	s := t.sig
	if !s.HasCertRefs {
		return
	}
	if len(s.CertRefs) == 0 {
		t.found.add(r.certRef(t, CodeCertDigestUnusable, ""))
		return
	}
	unusable := 0
	for _, ref := range s.CertRefs {
		if ref.Hash == 0 || !ref.Hash.Available() || len(ref.Digest) == 0 {
			unusable++
			continue
		}
		if digestFits(ref, t.signer) {
			t.refOK = true
			r.checkIssuerSerial(t, ref)
			return
		}
	}
	if unusable == len(s.CertRefs) {
		t.found.add(r.certRef(t, CodeCertDigestUnusable, "no digest, or of an unknown algorithm"))
		return
	}
	t.found.add(r.certRef(t, CodeCertDigestMismatch, ""))
}

// certRef weighs a finding about the attribute. In a time stamp it warns
// only: many authorities digest with SHA-1 or name another certificate of
// theirs, and RFC 3161 tokens are bound to their key by the chain.
func (r *run) certRef(t *token, code ades.Code, detail string) finding {
	f := r.find(code, "", detail)
	if t.purpose == forTimestamp && f.level == levelFail {
		f.level = levelWarn
	}
	return f
}

// checkIssuerSerial compares the part of the reference that is for people.
func (r *run) checkIssuerSerial(t *token, ref ades.CertRef) {
	issuer := len(ref.Issuer) == 0 || certs.EqualName(ref.Issuer, t.signer.RawIssuer)
	serial := ref.Serial == nil || t.signer.SerialNumber != nil && ref.Serial.Cmp(t.signer.SerialNumber) == 0
	if !issuer || !serial {
		t.found.add(r.find(CodeIssuerSerialMismatch, ref.Name, ""))
	}
}

func digestFits(ref ades.CertRef, c *x509.Certificate) bool {
	if c == nil || ref.Hash == 0 || !ref.Hash.Available() || len(ref.Digest) == 0 {
		return false
	}
	h := ref.Hash.New()
	h.Write(c.Raw)
	return bytes.Equal(h.Sum(nil), ref.Digest)
}

// names reports whether the signer identifier is that of c.
func names(id ades.SignerID, c *x509.Certificate) bool {
	if len(id.KeyID) > 0 {
		return bytes.Equal(id.KeyID, c.SubjectKeyId)
	}
	if id.Serial == nil || c.SerialNumber == nil || id.Serial.Cmp(c.SerialNumber) != 0 {
		return false
	}
	return len(id.Issuer) == 0 || certs.EqualName(id.Issuer, c.RawIssuer)
}

func sameKey(c *x509.Certificate, pub crypto.PublicKey) bool {
	k, ok := c.PublicKey.(interface{ Equal(x crypto.PublicKey) bool })
	return ok && k.Equal(pub)
}
