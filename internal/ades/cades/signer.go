package cades

import (
	"bytes"
	"crypto"
	"fmt"
	"io"
	"slices"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/ber"
	"github.com/eidkit/eidkit/internal/cms"
	"github.com/eidkit/eidkit/internal/sigalg"
)

// signer is one SignerInfo while it is read.
type signer struct {
	*reading
	info   *cms.SignerInfo
	id     string
	sig    *ades.Signature
	stamps []stamp
	// source is what this signer signed, once it is chosen; nil: not there.
	source *source
	// parent is the one whose value this one counter-signs.
	parent *signer
	// counterSigners are those over this one's value.
	counterSigners []*signer
	depth          int // of counter-signatures
	extra          evidence
	ess            int // values of signing-certificate, both versions

	byHash      map[crypto.Hash]map[string][]ades.Digest // what is embedded, by its digest
	everywhere  map[crypto.Hash]map[string][]ades.Digest // also what is in the time stamps
	byIndex     map[crypto.Hash]map[string][]ades.Digest // what is in the unsigned attributes, by theirs
	inAttribute map[int][]ades.Digest                    // what is in each unsigned attribute
}

func (r *reading) newSigner(info *cms.SignerInfo, id string) *signer {
	s := &signer{reading: r, info: info, id: id, sig: &ades.Signature{ID: id, Format: ades.CMS}}
	s.stamps = s.findStamps()
	return s
}

// contentHash is the digest of the content that the signature needs.
func (s *signer) contentHash() crypto.Hash {
	if s.info.SignedAttrs == nil {
		if alg, _, err := s.algorithm(); err == nil {
			return alg.Hash
		}
	}
	return hashAlgorithm(s.info.DigestAlgorithm)
}

func (s *signer) algorithm() (sigalg.Algorithm, bool, error) {
	digestAlg, err := ber.DER(s.info.DigestAlgorithm)
	if err != nil {
		return sigalg.Algorithm{}, false, err
	}
	sigAlg, err := ber.DER(s.info.SignatureAlgorithm)
	if err != nil {
		return sigalg.Algorithm{}, false, err
	}
	return sigalg.FromCMS(digestAlg, sigAlg)
}

// note adds a finding to the signature.
func (s *signer) note(code ades.Code, object, format string, args ...any) {
	s.sig.Findings = append(s.sig.Findings, ades.Finding{Code: code, Object: object, Detail: fmt.Sprintf(format, args...)})
}

// read fills the signature in.
func (s *signer) read() *ades.Signature {
	s.sig.Findings = append(s.sig.Findings, s.evidence.findings...)
	s.sig.Certificates, s.sig.CRLs, s.sig.OCSPs = s.certificates, s.crls, s.ocsps
	if s.info.Err != nil {
		s.note(ades.BadStructure, "", "SignerInfo: %v", s.info.Err)
		return s.sig
	}
	s.sig.Value = s.info.Signature
	s.sig.SignerID = ades.SignerID{Issuer: s.info.Issuer, Serial: s.info.Serial, KeyID: s.info.KeyID}
	s.sig.SignedProperties = s.info.SignedAttrs != nil
	s.signedAttributes()
	s.format()
	s.values()
	s.sig.Findings = append(s.sig.Findings, s.extra.findings...)
	s.sig.Certificates = append(s.certificates[:len(s.certificates):len(s.certificates)], s.extra.certificates...)
	s.sig.CRLs = append(s.crls[:len(s.crls):len(s.crls)], s.extra.crls...)
	s.sig.OCSPs = append(s.ocsps[:len(s.ocsps):len(s.ocsps)], s.extra.ocsps...)
	s.sig.Signer = s.signerCertificate(s.sig.Certificates, s.sig.SignerID, s.sig.CertRefs)
	if s.sig.Signer != nil && s.sig.SignerID.KeyID == nil && !identifies(s.sig.SignerID, s.sig.Signer) {
		s.note(ades.EncodingOddity, "", "the signer identifier does not name the certificate that the signing-certificate attribute names")
	}
	s.value()
	s.timestamps()
	s.counterSignatures()
	if s.sig.Format == ades.CAdES && !s.extended() {
		s.sig.Format = ades.CMS
	}
	s.sig.Level = s.level()
	return s.sig
}

// format says what the message is: the ESS attribute makes it CAdES.
func (s *signer) format() {
	switch {
	case s.parent == nil && s.signed.ContentType == cms.TypeTSTInfo:
		s.sig.Format = ades.TimestampTkn
	case s.sig.HasCertRefs:
		s.sig.Format = ades.CAdES
	case s.parent == nil && s.signed.Content != nil && !s.signed.Content.OctetString:
		s.sig.Format = ades.PKCS7
	}
	switch {
	case s.parent != nil:
		s.sig.SubFormat = "counter-signature"
	case s.signed.Content != nil:
		s.sig.SubFormat = "attached"
	default:
		s.sig.SubFormat = "detached"
	}
}

// value finds what the signature value is over, and whether the content is what was signed.
func (s *signer) value() {
	alg, mismatch, err := s.algorithm()
	if mismatch {
		defer s.mismatch()
	}
	s.sig.Algorithm, s.sig.AlgorithmError = alg, err
	if e, perr := ber.Parse(s.info.SignatureAlgorithm); perr == nil {
		if id, perr := e.Reader().Expect(ber.Universal, ber.TagOID); perr == nil {
			s.sig.AlgorithmURI, _ = id.OID()
		}
	}
	if s.info.SignedAttrs == nil {
		s.unattributed()
		return
	}
	s.messageDigest()
	inputs, err := s.info.SignedInput()
	if err != nil {
		s.note(ades.BadStructure, "", "signed attributes: %v", err)
		return
	}
	if len(inputs) > 1 {
		s.note(ades.EncodingOddity, "", "the signed attributes are not in DER")
	}
	if s.sig.AlgorithmError != nil {
		return
	}
	for i, input := range inputs {
		if alg.Scheme != sigalg.Ed25519 {
			input = digestOf(alg.Hash, input)
		}
		if i == 0 {
			s.sig.Digest = input
		} else {
			s.sig.AlternateDigests = append(s.sig.AlternateDigests, input)
		}
	}
}

// mismatch is for a digest algorithm other than that of the signature algorithm. RFC 5754 section 3 wants them the same, and signatures with
// two are made and accepted. But makers have also named one digest and signed with the other: then it is why the value does not fit.
func (s *signer) mismatch() {
	fits := func(digest []byte) bool {
		return s.sig.Algorithm.Verify(s.sig.Signer.PublicKey, digest, s.sig.Value) == nil
	}
	code := ades.EncodingOddity
	if s.sig.Signer != nil && s.sig.Digest != nil && !fits(s.sig.Digest) && !slices.ContainsFunc(s.sig.AlternateDigests, fits) {
		code = ades.AlgorithmMismatch
	}
	s.note(code, "", "digest algorithm %s, signature algorithm %s", sigalg.HashName(hashAlgorithm(s.info.DigestAlgorithm)), s.sig.Algorithm)
}

// candidates are what the signature may be over.
func (s *signer) candidates() []*source {
	if s.parent != nil {
		value := s.parent.info.Signature
		return []*source{{open: opener(value)}}
	}
	return s.sources
}

// messageDigest compares the content with the message-digest attribute, RFC 5652 section 11.2.
func (s *signer) messageDigest() {
	ref := ades.Reference{Kind: ades.RefMessageDigest, Hash: s.contentHash()}
	value, found, err := cms.One(s.info.SignedAttrs, oidMessageDigest)
	if err == nil && found && !value.Is(ber.Universal, ber.TagOctetString) {
		err = fmt.Errorf("%w: %s", ber.ErrMalformed, value.Header)
	}
	if err == nil && found {
		ref.Digest, err = value.Octets()
	}
	switch {
	case !found:
		s.note(ades.NoMessageDigest, "", "")
	case err != nil:
		s.note(ades.BrokenAttributes, "message-digest", "%v", err)
		ref.Digest = nil
	}
	fits := func(c *source) bool {
		digest, err := c.digest(s.ctx, ref.Hash)
		s.fail(err)
		return err == nil && len(ref.Digest) > 0 && bytes.Equal(digest, ref.Digest)
	}
	candidates := s.candidates()
	for _, c := range candidates {
		if fits(c) {
			s.source, ref.Intact = c, true
			break
		}
	}
	if s.source == nil && len(candidates) > 0 {
		s.source = candidates[0]
	}
	if len(s.beside) > 0 && s.parent == nil && !slices.ContainsFunc(s.beside, fits) {
		s.note(ades.OtherContent, "", "the message holds the content that it signs, which is not the one given")
	}
	s.reference(ref)
}

// reference completes the reference to the content and puts it in front.
func (s *signer) reference(ref ades.Reference) {
	_, err := s.source.digest(s.ctx, ref.Hash)
	s.fail(err)
	ref.Found = err == nil || s.source != nil && s.source.open != nil
	if s.source != nil {
		ref.Name, ref.Content = s.source.name, s.source.open
	}
	if s.parent != nil {
		ref.Kind, ref.Name = ades.RefCounterSigned, "signature "+s.parent.id
	}
	s.sig.References = append([]ades.Reference{ref}, s.sig.References...)
	s.sig.CoversWholeFile = ref.Found && s.parent == nil && s.signed.Trailing == 0
	if s.hashed != nil && s.parent == nil {
		s.hashedReference()
	}
}

// hashedReference is for a message whose content is the SHA-1 of what is signed.
func (s *signer) hashedReference() {
	ref := ades.Reference{Kind: ades.RefContent, Name: s.hashed.name, Hash: crypto.SHA1, Content: s.hashed.open}
	digest, err := s.hashed.digest(s.ctx, crypto.SHA1)
	s.fail(err)
	if written, werr := s.source.bytes(); werr == nil {
		ref.Digest = written
	} else {
		s.fail(werr)
	}
	ref.Found = err == nil
	ref.Intact = ref.Found && bytes.Equal(digest, ref.Digest)
	s.sig.References = append([]ades.Reference{ref}, s.sig.References...)
}

// unattributed is for a signature over the content itself, RFC 5652 section 5.4.
func (s *signer) unattributed() {
	s.note(ades.NoMessageDigest, "", "no signed attributes: the signature is over the content itself")
	alg := s.sig.Algorithm
	ref := ades.Reference{Kind: ades.RefContent, Hash: alg.Hash}
	candidates := s.candidates()
	for _, c := range candidates {
		digest, err := s.signedContent(c)
		s.fail(err)
		if err != nil {
			continue
		}
		fits := len(candidates) > 1 && s.sig.Signer != nil && alg.Verify(s.sig.Signer.PublicKey, digest, s.sig.Value) == nil
		if s.source == nil || fits {
			s.source, s.sig.Digest = c, digest
		}
		if fits {
			break
		}
	}
	if s.source == nil && len(candidates) > 0 {
		s.source = candidates[0]
	}
	ref.Intact = s.sig.Digest != nil // that the value fits is all there is to check
	if alg.Scheme != sigalg.Ed25519 {
		ref.Digest = s.sig.Digest
	}
	s.reference(ref)
	if s.looksLikeAttributes() {
		s.note(ades.AmbiguousContent, "", "the content reads as signed attributes, whose signature is the same as that of a message without them")
	}
}

// signedContent is what the value is over when there are no signed attributes.
func (s *signer) signedContent(c *source) ([]byte, error) {
	if s.sig.AlgorithmError != nil {
		return nil, errAbsent
	}
	if s.sig.Algorithm.Scheme == sigalg.Ed25519 {
		return c.bytes()
	}
	return c.digest(s.ctx, s.sig.Algorithm.Hash)
}

// looksLikeAttributes finds content that is the DER of signed attributes: somebody took them off a message, whose signature fits all
// the same. RFC 5652 has no means against it.
func (s *signer) looksLikeAttributes() bool {
	if s.source == nil || s.source.open == nil {
		return false
	}
	in, err := s.source.open()
	if err != nil {
		return false
	}
	defer in.Close()
	const most = 64 << 10
	b, err := io.ReadAll(io.LimitReader(in, most))
	if err != nil || len(b) == 0 || b[0] != 0x31 || len(b) == most {
		return false
	}
	list, err := cms.ParseAttributes(b)
	return err == nil && len(cms.Find(list, oidMessageDigest)) > 0
}
