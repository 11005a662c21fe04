package verify

import (
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"time"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/certs"
	"github.com/eidkit/eidkit/internal/holder"
	"github.com/eidkit/eidkit/internal/revocation"
	"github.com/eidkit/eidkit/internal/sigalg"
	"github.com/eidkit/eidkit/internal/validation"
)

// newSignature takes the verdict on a signature into the report.
func newSignature(r *validation.Result, o Options) Signature {
	s := r.Signature
	out := Signature{
		ID: s.ID, Format: string(s.Format), SubFormat: s.SubFormat, Container: s.Container, File: s.File, Level: s.Level,
		Indication: Indication(r.Indication), SubIndication: string(r.SubIndication),
		ClaimedSigningTime: utc(s.SigningTime), CoversWholeFile: s.CoversWholeFile, CryptographicallyValid: r.Intact,
		Algorithm: algorithmName(s), Covered: newCovered(s.References), Claims: newClaims(s), PDF: newPDF(s.PDF),
		Chain: newChain(r.Chain, r.Anchored, o), Revocation: newRevocations(r.Statuses),
		Errors: newMessages(r.Errors), Warnings: newMessages(r.Warnings),
	}
	if r.Signer != nil {
		signer, cert := newSigner(r.Signer), newCertificate(r.Signer, o)
		out.Signer, out.SigningCertificate = &signer, &cert
	}
	if !r.BestTime.IsZero() {
		out.BestSignatureTime, out.BestSignatureTimeProof = utc(&r.BestTime), r.BestProof
	}
	for _, t := range r.Timestamps {
		out.Timestamps = append(out.Timestamps, newTimestamp(t, o))
	}
	for _, c := range r.CounterSignatures {
		out.CounterSignatures = append(out.CounterSignatures, newSignature(c, o))
	}
	for i, ref := range s.References {
		if ref.Found && ref.Intact && ref.Content != nil && handedOut(ref.Kind) {
			out.content = append(out.content, Content{Name: ref.Name, Covered: out.Covered[i], Open: ref.Content})
		}
	}
	return out
}

// handedOut: what a caller may want to parse, unlike the signature's own parts.
func handedOut(k ades.ReferenceKind) bool {
	switch k {
	case ades.RefSignedProperties, ades.RefKeyInfo, ades.RefCounterSigned, ades.RefManifest:
		return false
	}
	return true
}

func newTimestamp(t *validation.Stamp, o Options) Timestamp {
	sum := sha256.Sum256(t.Timestamp.Raw)
	out := Timestamp{
		ID: t.Timestamp.ID, Kind: string(t.Timestamp.Kind), SHA256: upperHex(sum[:]), Time: t.Timestamp.GenTime.UTC(),
		Indication: Indication(t.Indication), SubIndication: string(t.SubIndication), ImprintIntact: t.Imprint, Policy: t.Timestamp.Policy,
		Covered: newCovered(t.Timestamp.References), Chain: newChain(t.Chain, t.Anchored, o), Revocation: newRevocations(t.Statuses),
		Errors: newMessages(t.Errors), Warnings: newMessages(t.Warnings),
	}
	if t.Signer != nil {
		out.Authority = certs.NameString(t.Signer.RawSubject)
	}
	return out
}

func newSigner(c *x509.Certificate) Signer {
	h := holder.Of(c)
	return Signer{
		NISS: h.NISS, Surname: h.Surname, GivenNames: h.GivenNames, CommonName: h.CommonName, Organization: h.Organization,
		Country: h.Country, Kind: string(h.Kind),
	}
}

func newCertificate(c *x509.Certificate, o Options) Certificate {
	sum := sha256.Sum256(c.Raw)
	out := Certificate{
		Subject: certs.NameString(c.RawSubject), Issuer: certs.NameString(c.RawIssuer), NotBefore: c.NotBefore.UTC(), NotAfter: c.NotAfter.UTC(),
		SHA256: upperHex(sum[:]), Key: sigalg.KeyName(c.PublicKey),
	}
	if c.SerialNumber != nil {
		out.Serial = upperHex(c.SerialNumber.Bytes())
		if c.SerialNumber.Sign() < 0 { // odd, but there
			out.Serial = "-" + out.Serial
		}
	}
	if o.Certificates {
		out.DER = c.Raw
	}
	return out
}

// upperHex is the form of binary numbers and hashes in all our JSON.
func upperHex(b []byte) string { return fmt.Sprintf("%X", b) }

func newChain(list []*x509.Certificate, anchored bool, o Options) []Certificate {
	var out []Certificate
	for i, c := range list {
		row := newCertificate(c, o)
		row.Anchor = anchored && i == len(list)-1
		out = append(out, row)
	}
	return out
}

func newMessages(list []validation.Message) []Message {
	var out []Message
	for _, m := range list {
		row := Message{Code: string(m.Code), Text: map[string]string{}, Object: m.Object, Detail: m.Detail}
		for i, text := range validation.Lookup(m.Code).Text {
			row.Text[validation.Languages[i]] = text
		}
		out = append(out, row)
	}
	return out
}

// newRevocations lists the answers that counted, and where there was none, why.
func newRevocations(list []validation.Status) []Revocation {
	var out []Revocation
	for _, s := range list {
		sum := sha256.Sum256(s.Certificate.Raw)
		name := upperHex(sum[:])
		switch {
		case s.NotNeeded != "":
			out = append(out, Revocation{Certificate: name, Status: "notNeeded", Problem: s.NotNeeded})
		case len(s.Answers) > 0:
			out = append(out, newRevocation(name, s.Answers[0]))
		default:
			for _, p := range s.Problems {
				row := Revocation{Certificate: name, Kind: p.Kind, Status: "unavailable", Origin: string(p.Origin), URL: p.URL}
				if p.Err != nil {
					row.Problem = p.Err.Error()
				}
				out = append(out, row)
			}
		}
	}
	return out
}

func newRevocation(certificate string, a revocation.Answer) Revocation {
	out := Revocation{
		Certificate: certificate, Kind: a.Kind, Status: "unknown", Origin: string(a.Origin), URL: a.URL, SHA256: upperHex(a.Digest[:]),
		ProducedAt: moment(a.ProducedAt), ThisUpdate: moment(a.ThisUpdate), NextUpdate: moment(a.NextUpdate),
	}
	if a.Signer != nil {
		out.Signer = certs.NameString(a.Signer.RawSubject)
	}
	switch a.Status {
	case revocation.Good:
		out.Status = "good"
	case revocation.Revoked:
		out.Status, out.RevokedAt = "revoked", moment(a.RevokedAt)
		if a.Reason >= 0 && a.Reason < len(reasonNames) {
			out.Reason = reasonNames[a.Reason]
		}
		if a.Reason == 6 {
			out.Status = "onHold"
		}
	}
	return out
}

// reasonNames are those of CRLReason, RFC 5280 section 5.3.1.
var reasonNames = [...]string{"unspecified", "keyCompromise", "cACompromise", "affiliationChanged", "superseded", "cessationOfOperation",
	"certificateHold", "", "removeFromCRL", "privilegeWithdrawn", "aACompromise"}

func newCovered(list []ades.Reference) []Covered {
	var out []Covered
	for _, r := range list {
		c := Covered{Kind: string(r.Kind), Name: r.Name, URI: r.URI, Found: r.Found, Intact: r.Found && r.Intact, Nodes: r.Nodes}
		if len(r.Digest) > 0 {
			c.Digest = digestName(r.Hash) + ":" + upperHex(r.Digest)
		}
		for _, part := range r.Ranges {
			c.Ranges = append(c.Ranges, ByteRange{part.Offset, part.Length})
		}
		out = append(out, c)
	}
	return out
}

func digestName(h crypto.Hash) string {
	if h == 0 {
		return "unknown"
	}
	return sigalg.HashName(h)
}

func algorithmName(s *ades.Signature) string {
	if s.AlgorithmError != nil {
		return s.AlgorithmURI
	}
	return s.Algorithm.String()
}

func newClaims(s *ades.Signature) *Claims {
	c := &Claims{Signed: s.SignedProperties, Roles: s.Roles, Commitments: s.Commitments, Place: s.Place, Reason: s.Reason}
	if s.Policy != nil {
		c.Policy = s.Policy.ID
	}
	if len(c.Roles) == 0 && len(c.Commitments) == 0 && c.Place == "" && c.Reason == "" && c.Policy == "" {
		return nil
	}
	return c
}

func newPDF(f *ades.PDFFacts) *PDFSignature {
	if f == nil {
		return nil
	}
	out := &PDFSignature{
		Field: f.Field, Page: f.Page, Rect: f.Rect, PageSize: f.PageSize, Revision: f.Revision, Revisions: f.Revisions, Certified: f.Certified,
	}
	for _, c := range f.Changes {
		out.Changes = append(out.Changes, Change{c.Revision, c.Object, c.What, c.Detail, c.Allowed})
	}
	return out
}

func utc(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	u := t.UTC()
	return &u
}

// moment is nil for the zero time.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return utc(&t)
}
