package validation

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/certs"
	"github.com/eidkit/eidkit/internal/sigalg"
)

// verify is cryptographic verification (EN 319 102-1 section 5.2.7). It comes
// before the certificates are judged, so that a signature that is wrong is
// called wrong whoever is trusted.
func (r *run) verify(t *token) {
	if t.stamp != nil {
		r.checkImprint(t)
	}
	r.checkReferences(t)
	key := t.signer
	if key == nil && t.sig.PublicKey != nil { // a key without a certificate, as ds:KeyValue
		key = &x509.Certificate{PublicKey: t.sig.PublicKey}
	}
	if key != nil {
		r.checkValue(t, key)
	}
	t.intact = key != nil
	for _, f := range t.found {
		// What is broken so that nobody can say what is covered is not intact
		// either; a later change to a document that is covered as it was is.
		unclear := f.block == FormatChecking && Lookup(f.Code).Fixed
		if f.level == levelFail && (unclear || f.block == CryptographicVerification || f.Code == CodeNoSigningCertificate) {
			t.intact = false
		}
	}
	if t.sig.Digest == nil {
		t.intact = false
	}
}

// checkImprint compares what a time stamp is for with its imprint.
func (r *run) checkImprint(t *token) {
	switch {
	case !t.stamp.Found:
		t.found.add(r.find(CodeImprintMissing, t.stamp.ID, ""))
	case !t.stamp.Intact:
		t.found.add(r.find(CodeImprintWrong, t.stamp.ID, ""))
	}
}

// checkReferences weighs what the reader found out about what is signed.
func (r *run) checkReferences(t *token) {
	content := false
	for _, ref := range t.sig.References {
		switch ref.Kind {
		case ades.RefSignedProperties, ades.RefKeyInfo:
		default:
			content = true
		}
		name := referenceName(ref)
		switch {
		case !ref.Found && ref.Kind == ades.RefManifestEntry && onlyListed(t.sig):
			t.found.add(r.find(CodeListedMissing, name, ""))
		case !ref.Found:
			t.found.add(r.find(CodeDataMissing, name, string(ref.Kind)))
		case ref.Intact:
		case ref.Hash == 0 && len(ref.Digest) > 0:
			t.found.add(r.find(CodeDigestUnknown, name, string(ref.Kind)))
		default:
			t.found.add(r.find(CodeDataChanged, name, string(ref.Kind)))
		}
	}
	switch {
	case t.stamp == nil && !content:
		t.found.add(r.find(CodeNothingSigned, "", ""))
	case t.sig.Digest == nil && t.sig.AlgorithmError == nil && !t.found.hasErrorIn(CryptographicVerification):
		t.found.add(r.find(CodeDataMissing, "", "what the signature value is over cannot be put together"))
	}
}

// onlyListed: what a ds:Manifest lists is for the application to have or not
// (XML Signature 1.1 section 5.1); a container must hold what its own does.
func onlyListed(s *ades.Signature) bool {
	return s.Container == "" && (s.Format == ades.XAdES || s.Format == ades.XMLDSig)
}

func (l findings) hasErrorIn(b Block) bool {
	for _, f := range l {
		if f.block == b && f.level == levelFail {
			return true
		}
	}
	return false
}

// referenceName says what a reference is about.
func referenceName(ref ades.Reference) string {
	switch {
	case ref.Name != "":
		return ref.Name
	case ref.URI != "":
		return ref.URI
	}
	return ref.ID
}

// checkValue checks the signature value with the signer's key.
func (r *run) checkValue(t *token, signer *x509.Certificate) {
	err := r.valueFits(t.sig, signer)
	switch {
	case err == nil, errors.Is(err, errNoDigest): // said by checkReferences
	case errors.Is(err, sigalg.ErrUnsupported):
		t.found.add(r.find(CodeAlgorithmUnknown, t.sig.AlgorithmURI, err.Error()))
	case t.found.has(CodeCertDigestMismatch):
		// The signature names another certificate, and the key of this one does
		// not fit: so it was never the signer's.
		t.found.add(r.find(CodeNoSigningCertificate, "", "the certificate that came along is not the one that the signature names"))
	default:
		t.found.add(r.find(CodeSignatureWrong, "", err.Error()))
	}
}

var errNoDigest = errors.New("what is signed is not there")

// valueFits checks the value with the key of c. No pair of key and value is
// checked twice, within a file whatever the outcome, and for longer if it fitted.
func (r *run) valueFits(s *ades.Signature, c *x509.Certificate) error {
	switch {
	case s.AlgorithmError != nil:
		return fmt.Errorf("%w: %w", sigalg.ErrUnsupported, s.AlgorithmError)
	case c.PublicKey == nil:
		return fmt.Errorf("%w: kind of key", sigalg.ErrUnsupported)
	case s.Digest == nil:
		return errNoDigest
	}
	err := r.fits(s, c, s.Digest)
	for _, d := range s.AlternateDigests {
		if err == nil || errors.Is(err, sigalg.ErrUnsupported) {
			return err
		}
		if r.fits(s, c, d) == nil {
			return nil
		}
	}
	return err
}

func (r *run) fits(s *ades.Signature, c *x509.Certificate, digest []byte) error {
	key := valueKey(s, c, digest)
	if r.Cache.values.has(key) {
		return nil
	}
	if err, known := r.wrong[key]; known {
		return err
	}
	err := certs.CheckDigest(s.Algorithm, c, digest, s.Value)
	if err == nil {
		r.Cache.values.add(key)
	} else {
		r.wrong[key] = err
	}
	return err
}

// valueKey names a check: the lengths make its parts unambiguous.
func valueKey(s *ades.Signature, c *x509.Certificate, digest []byte) (key [sha256.Size]byte) {
	h := sha256.New()
	var n [8]byte
	spki := c.RawSubjectPublicKeyInfo
	if len(spki) == 0 { // a bare key
		spki, _ = x509.MarshalPKIXPublicKey(c.PublicKey)
	}
	for _, part := range [][]byte{spki, fmt.Appendf(nil, "%#v", s.Algorithm), digest, s.Value} {
		binary.BigEndian.PutUint64(n[:], uint64(len(part)))
		h.Write(n[:])
		h.Write(part)
	}
	h.Sum(key[:0])
	return key
}
