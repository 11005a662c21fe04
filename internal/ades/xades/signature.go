package xades

import (
	"bytes"
	"crypto"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/sigalg"
	"github.com/eidkit/eidkit/internal/xmldsig"
)

// signature is the reading of one ds:Signature.
type signature struct {
	*reading
	out      *ades.Signature
	dsig     *xmldsig.Signature
	parent   *signature // of a counter-signature
	counters []*signature
	// qualifying is QualifyingProperties, or nil; signed and unsigned are
	// SignedProperties and UnsignedSignatureProperties in it, or nil.
	qualifying, signed, unsigned *xmldsig.Node
	// sources are the files that references found, for time stamps over the same.
	sources   map[*xmldsig.Reference]*ades.Content
	manifests map[*xmldsig.Node]bool // dealt with
	pool      pool
	structure error                  // why it is no ds:Signature that can be read, or nil
	leftOut   []*xmldsig.Node        // ds:Signature elements that its references leave out
	targets   map[*xmldsig.Node]bool // what its references are over in whole; nil: not looked for yet
	// explicit are the elements that a time stamp says itself to be over.
	explicit map[*xmldsig.Node][]*xmldsig.Node
}

func (s *signature) note(code ades.Code, object, format string, args ...any) {
	s.out.Findings = append(s.out.Findings, ades.Finding{Code: code, Object: object, Detail: fmt.Sprintf(format, args...)})
}

// signature reads the signature at n; parent is what it counter-signs, or nil.
func (r *reading) signature(n *xmldsig.Node, parent *signature) *signature {
	r.read[n] = true
	s := &signature{reading: r, out: &ades.Signature{Format: ades.XMLDSig, ID: n.Get("Id")}, parent: parent,
		sources: map[*xmldsig.Reference]*ades.Content{}, manifests: map[*xmldsig.Node]bool{}, pool: newPool(),
		explicit: map[*xmldsig.Node][]*xmldsig.Node{}}
	r.byNode[n] = s
	if s.out.ID == "" || r.twice(n) {
		s.out.ID = r.newID()
	}
	var err error
	if s.dsig, err = xmldsig.ReadSignature(n); err != nil {
		code := ades.BadStructure
		if errors.Is(err, xmldsig.ErrLimit) {
			code = ades.UnsupportedPart
		}
		s.structure = err
		s.note(code, s.out.ID, "%v", err)
		if s.dsig.SignedInfo == nil || s.dsig.ValueNode == nil || s.dsig.Algorithm == nil {
			return s
		}
	}
	s.findQualifying()
	s.keyInfo()
	s.algorithm()
	s.references()
	s.signedAttributes()
	s.unsignedAttributes()
	s.chooseSigner()
	s.timestamps()
	s.counterSignatures()
	s.describe()
	return s
}

// twice tells that another signature of the document has the same Id.
func (r *reading) twice(n *xmldsig.Node) bool {
	_, err := r.doc.ByID(n.Get("Id"))
	return errors.Is(err, xmldsig.ErrDuplicateID)
}

// findQualifying finds the QualifyingProperties in this signature's own
// objects, or that they refer to in the same document. EN 319 132-1, 4.3.
func (s *signature) findQualifying() {
	var found []*xmldsig.Node
	for _, o := range s.dsig.Objects {
		for c := range o.Elements() {
			switch {
			case isXAdES(c, "QualifyingProperties"):
				found = append(found, c)
			case isXAdES(c, "QualifyingPropertiesReference"):
				id, _, ok := xmldsig.Fragment(c.Get("URI"))
				q, err := s.doc.ByID(id)
				if !ok || err != nil || !isXAdES(q, "QualifyingProperties") {
					s.note(ades.UnsupportedPart, "QualifyingPropertiesReference", "%.200q names no QualifyingProperties of this document", c.Get("URI"))
					continue
				}
				found = append(found, q)
			}
		}
	}
	if len(found) == 0 {
		return
	}
	s.out.Format = ades.XAdES
	s.qualifying = found[0]
	if len(found) > 1 {
		s.note(ades.BadStructure, "QualifyingProperties", "the signature has %d of them", len(found))
		s.qualifying = s.referenced(found)
	}
	if target := strings.TrimPrefix(s.qualifying.Get("Target"), "#"); target != s.dsig.ID || target == "" {
		code := ades.EncodingOddity // a slip of the pen: where the properties stand says whose they are
		if other, err := s.doc.ByID(target); err == nil && other.Is(xmldsig.NamespaceDS, "Signature") {
			code = ades.BadStructure
		}
		s.note(code, "QualifyingProperties", "Target is %.200q, not this signature", target)
	}
	s.signed = child(s.qualifying, "SignedProperties")
	s.unsigned = child(s.qualifying, "UnsignedProperties", "UnsignedSignatureProperties")
}

// referenced is the one among several QualifyingProperties that a reference of
// the signature leads into, or the first.
func (s *signature) referenced(found []*xmldsig.Node) *xmldsig.Node {
	for _, ref := range s.dsig.References {
		target, _, err := s.doc.Target(ref)
		for _, q := range found {
			if err == nil && target != nil && child(q, "SignedProperties") == target {
				return q
			}
		}
	}
	return found[0]
}

// ripemdOfAustria is how some signers in Austria spell the algorithm.
const ripemdOfAustria = "http://www.w3.org/2001/04/xmldsig-more/rsa-ripemd160"

// algorithm reads the signature algorithm and value, and hashes SignedInfo.
func (s *signature) algorithm() {
	uri := s.dsig.AlgorithmURI
	s.out.AlgorithmURI = uri
	if uri == ripemdOfAustria {
		uri = "http://www.w3.org/2001/04/xmldsig-more#rsa-ripemd160"
	}
	alg, err := sigalg.ByURI(uri)
	if err == nil && uri == sigalg.PSSURI {
		err = readPSS(s.dsig.Algorithm, &alg)
	}
	s.out.Algorithm, s.out.AlgorithmError = alg, err
	s.out.Value = s.dsig.Value
	if alg.Scheme == sigalg.ECDSA || alg.Scheme == sigalg.DSA {
		s.out.Value = derValue(s.dsig.Value)
	}
	if s.dsig.MethodError != nil {
		s.note(ades.UnsupportedPart, "CanonicalizationMethod", "%v", s.dsig.MethodError)
		return
	}
	if err != nil {
		return
	}
	s.out.Digest, err = s.hash(alg.Hash, func(w io.Writer) error {
		return s.processor.Canonicalize(s.ctx, w, s.dsig.SignedInfo, s.dsig.Method)
	})
	if err != nil {
		s.note(ades.UnsupportedPart, "SignedInfo", "%v", err)
	}
}

// hash gives the digest of what write writes; with hash 0 it is the octets themselves.
func (s *signature) hash(h crypto.Hash, write func(io.Writer) error) ([]byte, error) {
	if h == 0 {
		var b bytes.Buffer
		err := write(&b)
		s.interrupted()
		return b.Bytes(), err
	}
	hash := h.New()
	if err := write(hash); err != nil {
		s.interrupted()
		return nil, err
	}
	return hash.Sum(nil), nil
}

// interrupted ends the reading when its context has ended.
func (s *signature) interrupted() {
	if err := s.ctx.Err(); err != nil {
		s.fail(err)
	}
}

// derValue brings r and s, as XML has them one after the other, into DER. A
// value that is DER already stays as it is: some makers write that.
func derValue(value []byte) []byte {
	if len(value) > 6 && value[0] == 0x30 && isPair(value) {
		return value
	}
	if der, err := sigalg.ECDSAFromRaw(value); err == nil {
		return der
	}
	return value
}

// readPSS reads RSAPSSParams, RFC 9231 section 2.3.9.
func readPSS(method *xmldsig.Node, alg *sigalg.Algorithm) error {
	const more = "http://www.w3.org/2007/05/xmldsig-more#"
	params := method.Child(more, "RSAPSSParams")
	if params == nil {
		return nil
	}
	digest := func(n *xmldsig.Node, h *crypto.Hash) error {
		if n == nil {
			return nil
		}
		found, ok := sigalg.HashByURI(n.Get("Algorithm"))
		if !ok {
			return fmt.Errorf("RSAPSSParams: digest %.120q: %w", n.Get("Algorithm"), sigalg.ErrUnsupported)
		}
		*h = found
		return nil
	}
	if err := digest(ds(params, "DigestMethod"), &alg.Hash); err != nil {
		return err
	}
	alg.SaltLength = alg.Hash.Size()
	if mgf := params.Child(more, "MaskGenerationFunction"); mgf != nil {
		if mgf.Get("Algorithm") != more+"MGF1" {
			return fmt.Errorf("RSAPSSParams: mask generation %.120q: %w", mgf.Get("Algorithm"), sigalg.ErrUnsupported)
		}
		if err := digest(ds(mgf, "DigestMethod"), &alg.MGFHash); err != nil {
			return err
		}
	}
	if salt := params.Child(more, "SaltLength"); salt != nil {
		n, err := decimal(text(salt), 1024)
		if err != nil {
			return fmt.Errorf("RSAPSSParams: salt length: %w", sigalg.ErrUnsupported)
		}
		alg.SaltLength = n
	}
	if trailer := params.Child(more, "TrailerField"); trailer != nil && text(trailer) != "1" {
		return fmt.Errorf("RSAPSSParams: trailer %.20q: %w", text(trailer), sigalg.ErrUnsupported)
	}
	return nil
}
