package cades

import (
	"context"
	"crypto"
	"crypto/sha1"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/ber"
	"github.com/eidkit/eidkit/internal/certs"
	"github.com/eidkit/eidkit/internal/cms"
	"github.com/eidkit/eidkit/internal/sigalg"
)

// Bounds on what hangs on one another.
const (
	maxTokenDepth   = 3   // tokens in the attributes of tokens
	maxCounterDepth = 5   // counter-signatures of counter-signatures
	maxCounters     = 200 // counter-signatures of one message
	maxStamps       = 100 // time stamps of one signature
	maxArchives     = 32  // archive time stamps of one message that need all of it hashed again
)

// reading is one message while it is read.
type reading struct {
	ctx     context.Context
	signed  *cms.SignedData // nil: a token alone
	options Options
	sources []*source // what the signatures may be over
	beside  []*source // what the caller gave although the message has its content
	hashed  *source   // what the content is the SHA-1 of

	signers  []*signer
	depth    int // of tokens
	counters int
	archives int
	err      error // of reading contents; ends everything

	evidence
	pool     []*x509.Certificate // further ones, in which a signer may be found
	byDigest map[crypto.Hash]map[string]*x509.Certificate
	fields   map[crypto.Hash][2]map[string][]ades.Digest // certificates and crls by their digest
}

// evidence is what comes along with signatures: certificates, lists, answers, and what is wrong with them.
type evidence struct {
	certificates []*x509.Certificate
	crls, ocsps  [][]byte
	findings     []ades.Finding
	seen         map[string]bool // raw certificates
}

// maxFindings bounds what is said about the parts of one message; hostile ones have thousands.
const maxFindings = 20

func (e *evidence) note(code ades.Code, object, detail string) {
	if len(e.findings) < maxFindings {
		e.findings = append(e.findings, ades.Finding{Code: code, Object: object, Detail: detail})
	}
}

func newReading(ctx context.Context, signed *cms.SignedData, o Options) *reading {
	r := &reading{ctx: ctx, signed: signed, options: o}
	if signed == nil {
		return r
	}
	for _, c := range signed.Certificates {
		if c.X509 {
			r.addCertificate(c.Raw)
		}
	}
	for _, der := range o.Certificates {
		r.addCertificate(der)
	}
	for _, info := range signed.Revocations {
		switch info.Kind {
		case cms.KindCRL:
			r.addCRL(info.Value)
		case cms.KindOCSP:
			r.addOCSP(info.Value)
		}
	}
	if signed.Unread {
		r.note(ades.EncodingOddity, "", "elements in the message that nobody reads")
	}
	if signed.Trailing > 0 {
		r.note(ades.EncodingOddity, "", fmt.Sprintf("%d bytes behind the message", signed.Trailing))
	}
	return r
}

// attached makes the content of the message what is signed.
func (r *reading) attached() {
	r.sources = []*source{{name: r.options.Name, open: r.signed.Content.Open, inside: r.signed.Content}}
}

// fail keeps the first trouble with the contents; what is absent is none.
func (r *reading) fail(err error) {
	if r.err == nil && err != nil && !errors.Is(err, errAbsent) {
		r.err = err
	}
}

// signatures reads all signers of the message.
func (r *reading) signatures() ([]*ades.Signature, error) {
	if len(r.signed.Signers) == 0 {
		return nil, fmt.Errorf("%w: message without signers", ades.ErrNoSignature)
	}
	signers := make([]*signer, len(r.signed.Signers))
	for i := range r.signed.Signers {
		signers[i] = r.newSigner(&r.signed.Signers[i], r.signerID(i))
	}
	r.signers = signers
	r.prepare(signers)
	list := make([]*ades.Signature, len(signers))
	for i, s := range signers {
		if err := r.ctx.Err(); err != nil {
			return nil, err
		}
		list[i] = s.read()
	}
	return list, r.err
}

func (r *reading) signerID(i int) string {
	switch {
	case r.options.ID == "":
		return fmt.Sprintf("signer-%d", i+1)
	case len(r.signed.Signers) == 1:
		return r.options.ID
	}
	return fmt.Sprintf("%s-%d", r.options.ID, i+1)
}

// prepare makes all digests of the contents that the signers need in one pass over each.
func (r *reading) prepare(signers []*signer) {
	var hashes []crypto.Hash
	for _, s := range signers {
		if s.info.Err == nil {
			hashes = append(hashes, s.contentHash())
		}
		for _, stamp := range s.stamps {
			if stamp.token != nil && (stamp.kind == ades.ContentTS || stamp.version == "ATSv3") {
				hashes = append(hashes, stamp.token.Info.Hash)
			}
		}
	}
	slices.Sort(hashes)
	hashes = slices.Compact(hashes)
	for _, s := range slices.Concat(r.sources, r.beside) {
		r.fail(s.prepare(r.ctx, hashes...))
	}
}

// signerCertificate finds the certificate that a signer identifier names, first among the signature's own; of several the one that the
// signing-certificate attribute has the digest of. If none is named rightly that digest alone decides.
func (r *reading) signerCertificate(own []*x509.Certificate, id ades.SignerID, refs []ades.CertRef) *x509.Certificate {
	var named *x509.Certificate
	for _, list := range [][]*x509.Certificate{own, r.pool} {
		for _, c := range list {
			if !identifies(id, c) {
				continue
			}
			if len(refs) > 0 && refFits(refs[0], c) {
				return c
			}
			if named == nil {
				named = c
			}
		}
	}
	if named != nil || len(refs) == 0 || !refs[0].Hash.Available() {
		return named
	}
	if c := r.digests(refs[0].Hash)[string(refs[0].Digest)]; c != nil {
		return c
	}
	for _, c := range own {
		if refFits(refs[0], c) {
			return c
		}
	}
	return nil
}

// digests are the certificates of the message by their digest.
func (r *reading) digests(h crypto.Hash) map[string]*x509.Certificate {
	if r.byDigest[h] == nil {
		if r.byDigest == nil {
			r.byDigest = map[crypto.Hash]map[string]*x509.Certificate{}
		}
		r.byDigest[h] = map[string]*x509.Certificate{}
		for _, c := range r.certificates {
			r.byDigest[h][string(digestOf(h, c.Raw))] = c
		}
	}
	return r.byDigest[h]
}

// identifies tells whether a signer identifier names the certificate, RFC 5652 section 5.3.
func identifies(id ades.SignerID, c *x509.Certificate) bool {
	if id.KeyID != nil {
		if len(c.SubjectKeyId) > 0 {
			return slices.Equal(id.KeyID, c.SubjectKeyId)
		}
		key, err := ber.Parse(c.RawSubjectPublicKeyInfo) // RFC 5280 section 4.2.1.2, method (1)
		if err != nil {
			return false
		}
		in := key.Reader()
		if _, err := in.Next(); err != nil {
			return false
		}
		value, err := in.Expect(ber.Universal, ber.TagBitString)
		if err != nil {
			return false
		}
		bits, err := value.Bits()
		sum := sha1.Sum(bits)
		return err == nil && slices.Equal(id.KeyID, sum[:])
	}
	return id.Serial != nil && c.SerialNumber != nil && id.Serial.Cmp(c.SerialNumber) == 0 && certs.EqualName(id.Issuer, c.RawIssuer)
}

// refFits tells whether a reference has the digest of the certificate.
func refFits(ref ades.CertRef, c *x509.Certificate) bool {
	return ref.Hash.Available() && slices.Equal(ref.Digest, digestOf(ref.Hash, c.Raw))
}

func digestOf(h crypto.Hash, b ...[]byte) []byte {
	state := h.New()
	for _, part := range b {
		state.Write(part)
	}
	return state.Sum(nil)
}

// hashAlgorithm reads an AlgorithmIdentifier as it stands.
func hashAlgorithm(raw []byte) crypto.Hash {
	der, err := ber.DER(raw)
	if err != nil {
		return 0
	}
	h, err := sigalg.HashAlgorithm(der)
	if err != nil {
		return 0
	}
	return h
}
