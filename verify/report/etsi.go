package report

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/eidkit/eidkit/verify"
)

// Names of ETSI TS 119 102-2 V1.2.1.
const (
	etsiNamespace = "http://uri.etsi.org/19102/v1.2.1#"
	dsigNamespace = "http://www.w3.org/2000/09/xmldsig#"
	urn           = "urn:etsi:019102:"
)

// ETSI writes the report in the XML of ETSI TS 119 102-2 V1.2.1, unsigned. A
// report without signatures cannot be said in that format, which asks for at
// least one: the error is then ErrNothingToReport, and nothing is written.
// Other errors are those of w.
func ETSI(w io.Writer, rep *verify.Report) error {
	if len(rep.Signatures) == 0 {
		return fmt.Errorf("writing ETSI report: %w", ErrNothingToReport)
	}
	out := validationReport{Xmlns: etsiNamespace, DS: dsigNamespace}
	objects := &objectList{seen: map[string]bool{}}
	for _, s := range rep.Signatures {
		out.add(s, rep, objects)
	}
	out.Objects = objects.list
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return fmt.Errorf("writing ETSI report: %w", err)
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(out); err != nil {
		return fmt.Errorf("writing ETSI report: %w", err)
	}
	if _, err := io.WriteString(w, "\n"); err != nil {
		return fmt.Errorf("writing ETSI report: %w", err)
	}
	return nil
}

// add appends the report of a signature and of its counter-signatures.
func (r *validationReport) add(s verify.Signature, rep *verify.Report, objects *objectList) {
	r.Signatures = append(r.Signatures, signatureReport(s, rep, objects, len(r.Signatures)+1))
	for _, c := range s.CounterSignatures {
		r.add(c, rep, objects)
	}
}

func signatureReport(s verify.Signature, rep *verify.Report, objects *objectList, n int) etsiSignature {
	out := etsiSignature{
		Identifier: &etsiIdentifier{ID: fmt.Sprintf("S-%d", n), Name: clean(s.ID)},
		Times:      &etsiTimes{Validation: xmlTime(rep.ValidationTime), Best: etsiPOE{Time: xmlTime(rep.ValidationTime), Proof: urn + "poetype:validation"}},
		Process:    &etsiProcess{ID: process(s.Level)},
		Status:     status(s.Indication, s.SubIndication, s.Errors, s.Warnings, "total-"),
	}
	if s.BestSignatureTime != nil {
		out.Times.Best.Time = xmlTime(*s.BestSignatureTime)
	}
	for _, c := range s.Covered {
		if d := digestOf(c.Digest); d != nil && (c.Kind == "content" || c.Kind == "manifestEntry" || c.Kind == "messageDigest") {
			out.Documents = append(out.Documents, etsiDocument{Digest: *d})
		}
	}
	out.Attributes = attributes(s)
	if s.SigningCertificate != nil {
		out.Signer = &etsiSigner{Certificate: objects.certificate(*s.SigningCertificate), Name: signerName(s)}
	}
	data := &out.Status.Data
	data.chain(s.Chain, objects)
	for _, t := range s.Timestamps {
		objects.timestamp(t, rep)
	}
	for _, v := range s.Revocation {
		object := objects.revocation(v)
		if v.RevokedAt == nil || len(s.Chain) == 0 {
			continue
		}
		data.Revocation = &etsiRevocation{
			Of: etsiRef{certificateID(v.Certificate)}, At: xmlTime(*v.RevokedAt), Reason: revocationReason(v.Reason), By: object,
		}
	}
	return out
}

// status fills in the indications; prefix is "total-" for signatures and
// empty for the time stamps' own validation.
func status(i verify.Indication, sub string, errs, warnings []verify.Message, prefix string) etsiStatus {
	out := etsiStatus{Main: urn + "mainindication:indeterminate"}
	switch i {
	case verify.TotalPassed:
		out.Main = urn + "mainindication:" + prefix + "passed"
	case verify.TotalFailed:
		out.Main = urn + "mainindication:" + prefix + "failed"
	}
	if sub != "" {
		out.Sub = urn + "subindication:" + sub
	}
	for _, m := range append(append([]verify.Message{}, errs...), warnings...) {
		text := m.Text["en"]
		if m.Object != "" {
			text += " (" + clean(m.Object) + ")"
		}
		out.Data.Messages = append(out.Data.Messages, etsiTyped{Type: "urn:eidkit:message:" + m.Code, Value: text})
	}
	return out
}

func attributes(s verify.Signature) *etsiAttributes {
	a := &etsiAttributes{}
	signed := s.Claims != nil && s.Claims.Signed
	if s.ClaimedSigningTime != nil {
		a.SigningTime = &etsiTimeAttribute{Signed: signed, Time: xmlTime(*s.ClaimedSigningTime)}
	}
	if c := s.Claims; c != nil {
		for _, id := range c.Commitments {
			a.Commitments = append(a.Commitments, etsiCommitment{Signed: signed, ID: asURI(clean(id))})
		}
		if c.Policy != "" {
			a.Policy = &etsiPolicy{Signed: signed, ID: asURI(clean(c.Policy))}
		}
		if c.Place != "" {
			a.Place = &etsiPlace{Signed: signed, Address: clean(c.Place)}
		}
		for _, role := range c.Roles {
			a.Roles = append(a.Roles, etsiRole{Signed: signed, Role: clean(role), Endorsement: "claimed"})
		}
		if c.Reason != "" {
			a.Reason = &etsiReason{Signed: signed, Reason: clean(c.Reason)}
		}
	}
	if a.SigningTime == nil && a.Policy == nil && a.Place == nil && a.Reason == nil && len(a.Commitments)+len(a.Roles) == 0 {
		return nil
	}
	return a
}

func signerName(s verify.Signature) string {
	if s.Signer == nil {
		return ""
	}
	if s.Signer.CommonName != "" {
		return clean(s.Signer.CommonName)
	}
	return clean(strings.TrimSpace(s.Signer.GivenNames + " " + s.Signer.Surname))
}

// chain says which certificates led to which anchor.
func (d *etsiData) chain(chain []verify.Certificate, objects *objectList) {
	if len(chain) == 0 {
		return
	}
	d.Chain = &etsiChain{Signing: objects.certificate(chain[0])}
	for i, c := range chain {
		ref := objects.certificate(c)
		switch {
		case c.Anchor:
			d.Anchor, d.Chain.Anchor = &ref, &ref
		case i > 0:
			d.Chain.Intermediate = append(d.Chain.Intermediate, ref)
		}
	}
}

// objectList gathers the objects that the reports refer to, each once.
type objectList struct {
	list []etsiObject
	seen map[string]bool
}

func (l *objectList) add(o etsiObject) etsiRef {
	if !l.seen[o.ID] {
		l.seen[o.ID] = true
		l.list = append(l.list, o)
	}
	return etsiRef{o.ID}
}

func certificateID(sha256 string) string { return "C-" + strings.ToUpper(sha256) }

func (l *objectList) certificate(c verify.Certificate) etsiRef {
	o := etsiObject{ID: certificateID(c.SHA256), Type: urn + "validationObject:certificate"}
	if len(c.DER) > 0 {
		o.What.Base64 = base64.StdEncoding.EncodeToString(c.DER)
	} else {
		o.What.Digest = digestOf("SHA-256:" + c.SHA256)
	}
	return l.add(o)
}

func (l *objectList) revocation(r verify.Revocation) *etsiRef {
	if r.SHA256 == "" {
		return nil
	}
	kind := "OCSPResponse"
	if r.Kind == "CRL" {
		kind = "CRL"
	}
	ref := l.add(etsiObject{ID: "R-" + strings.ToUpper(r.SHA256), Type: urn + "validationObject:" + kind, What: etsiWhat{Digest: digestOf("SHA-256:" + r.SHA256)}})
	return &ref
}

func (l *objectList) timestamp(t verify.Timestamp, rep *verify.Report) {
	if t.SHA256 == "" {
		return
	}
	o := etsiObject{ID: "T-" + strings.ToUpper(t.SHA256), Type: urn + "validationObject:timestamp", What: etsiWhat{Digest: digestOf("SHA-256:" + t.SHA256)}}
	st := status(t.Indication, t.SubIndication, t.Errors, t.Warnings, "")
	st.Data.chain(t.Chain, l)
	o.POE = &etsiPOE{Time: xmlTime(rep.ValidationTime), Proof: urn + "poetype:validation"}
	if t.Indication == verify.TotalPassed {
		o.Provides = &etsiProvides{Time: xmlTime(t.Time)}
	}
	o.Report = &etsiSignature{Status: st}
	l.add(o)
}

// digestOf turns "SHA-256:hex" into the form of XML signatures; nil if it is
// none.
func digestOf(s string) *etsiDigest {
	name, value, ok := strings.Cut(s, ":")
	raw, err := hex.DecodeString(value)
	uri := digestURIs[name]
	if !ok || err != nil || uri == "" || len(raw) == 0 {
		return nil
	}
	return &etsiDigest{Method: etsiMethod{uri}, Value: base64.StdEncoding.EncodeToString(raw)}
}

// digestURIs are the names of RFC 6931 and RFC 9231.
var digestURIs = map[string]string{
	"SHA-1":     "http://www.w3.org/2000/09/xmldsig#sha1",
	"SHA-224":   "http://www.w3.org/2001/04/xmldsig-more#sha224",
	"SHA-256":   "http://www.w3.org/2001/04/xmlenc#sha256",
	"SHA-384":   "http://www.w3.org/2001/04/xmldsig-more#sha384",
	"SHA-512":   "http://www.w3.org/2001/04/xmlenc#sha512",
	"SHA3-224":  "http://www.w3.org/2007/05/xmldsig-more#sha3-224",
	"SHA3-256":  "http://www.w3.org/2007/05/xmldsig-more#sha3-256",
	"SHA3-384":  "http://www.w3.org/2007/05/xmldsig-more#sha3-384",
	"SHA3-512":  "http://www.w3.org/2007/05/xmldsig-more#sha3-512",
	"RIPEMD160": "http://www.w3.org/2001/04/xmlenc#ripemd160",
}

// process names the validation process of EN 319 102-1 that a level needs.
func process(level string) string {
	switch level {
	case "B-T", "T", "B-LT", "LT":
		return urn + "validationprocess:LTVM"
	case "B-LTA", "LTA", "A":
		return urn + "validationprocess:LTA"
	}
	return urn + "validationprocess:Basic"
}

func revocationReason(reason string) string {
	if reason == "" {
		return ""
	}
	return urn + "revocationReason:" + reason
}

// asURI writes an OID as a URN (RFC 3061) and leaves URIs as they are.
func asURI(id string) string {
	if id != "" && strings.Trim(id, "0123456789.") == "" {
		return "urn:oid:" + id
	}
	return strings.ReplaceAll(id, " ", "%20")
}

func xmlTime(t time.Time) string { return t.UTC().Format(time.RFC3339) }
