package verify

import (
	"context"
	"crypto/x509"
	"errors"
	"io"
	"time"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/revocation"
	"github.com/eidkit/eidkit/internal/validation"
)

// shared is the Verifier of the package's functions.
var shared Verifier

// File verifies the signatures of a file: CAdES, XAdES, PAdES, containers
// (ASiC, ODF, OOXML), time stamp tokens, and what is older or plainer of their
// kind. The kind is told by the content. size is the number of bytes in data.
//
// The report is the verdict, also on a file that cannot be parsed or has no
// signature: see Report.Error. An error means that nothing could be judged:
// the file could not be read, or the context ended.
//
// It uses a Verifier shared by the process, with its zero value's settings;
// see there for what is fetched from the network and for caches.
func File(ctx context.Context, data io.ReaderAt, size int64, o Options) (*Report, error) {
	return shared.File(ctx, data, size, o)
}

// File verifies the signatures of a file, see the function of that name.
func (v *Verifier) File(ctx context.Context, data io.ReaderAt, size int64, o Options) (*Report, error) {
	engine, err := v.engine(o)
	if err != nil {
		return nil, err
	}
	rep := v.newReport(o, engine.Time)
	sigs, err := read(ctx, ades.Input{File: ades.File{Name: rep.File, Data: data, Size: size}, Detached: detached(o.Detached)})
	switch {
	case errors.Is(err, ades.ErrNoSignature):
		rep.Error, rep.Reason = ErrorNoSignature, err.Error()
		return rep, nil
	case errors.Is(err, ades.ErrRefused):
		rep.Error, rep.Reason = ErrorRefused, err.Error()
		return rep, nil
	case err != nil:
		return nil, err
	case len(sigs) == 0:
		rep.Error, rep.Reason = ErrorNoSignature, ades.ErrNoSignature.Error()
		return rep, nil
	}
	results, err := engine.Validate(ctx, sigs)
	if err != nil {
		return nil, err
	}
	rep.fill(results, o)
	return rep, nil
}

// engine puts the options together.
func (v *Verifier) engine(o Options) (*validation.Engine, error) {
	net, err := v.network()
	if err != nil {
		return nil, err
	}
	e := &validation.Engine{
		Time: o.At, Received: o.ReceivedAt, Policy: o.Policy.get(), Anchors: o.Anchors, Others: o.Intermediates,
		Issuers: net.issuers, Checker: net.checker, Offline: o.Offline, Cache: &v.cache,
		Evidence: revocation.Evidence{CRLs: o.CRLs, OCSPs: o.OCSPs},
	}
	if e.Time.IsZero() {
		e.Time = time.Now()
	}
	return e, nil
}

func (v *Verifier) newReport(o Options, at time.Time) *Report {
	sum, trust := o.Policy.get().SHA256(), v.net.digest(o.Anchors)
	rep := &Report{
		Schema: 1, File: baseName(o.Name), ValidationTime: at.UTC(), Tool: o.Tool,
		Policy: Basis{o.Policy.ID(), upperHex(sum[:])}, Trust: Basis{SHA256: upperHex(trust[:])},
		Signatures: []Signature{},
	}
	if rep.Tool == "" {
		rep.Tool = "eidkit"
	}
	return rep
}

// fill takes over the verdicts. The file's is the worst of its signatures'.
func (rep *Report) fill(results []*validation.Result, o Options) {
	var worst validation.Verdict
	for _, r := range results {
		rep.Signatures = append(rep.Signatures, newSignature(r, o))
		if r.Verdict.Worse(worst) {
			worst = r.Verdict
		}
	}
	rep.Indication, rep.SubIndication = Indication(worst.Indication), string(worst.SubIndication)
}

// CertificateReport is the verdict on a certificate alone. Its JSON form is
// held by docs/schema/certificate.json.
type CertificateReport struct {
	Schema         int           `json:"schema"` // 1
	File           string        `json:"file"`
	ValidationTime time.Time     `json:"validationTime"`
	Policy         Basis         `json:"policy"`
	Trust          Basis         `json:"trust"`
	Tool           string        `json:"tool"`
	Indication     Indication    `json:"indication"`
	SubIndication  string        `json:"subIndication,omitempty"`
	Certificate    Certificate   `json:"certificate"`
	Holder         Signer        `json:"holder"`
	Chain          []Certificate `json:"chain,omitempty"` // the certificate first, the anchor last
	Revocation     []Revocation  `json:"revocation,omitempty"`
	Errors         []Message     `json:"errors,omitempty"`
	Warnings       []Message     `json:"warnings,omitempty"`
}

// CheckCertificate judges a certificate alone, at the validation time: its
// chain to an anchor, revocation, validity and algorithms. What it may be used
// for is not judged. Errors are as for File.
func CheckCertificate(ctx context.Context, cert *x509.Certificate, o Options) (*CertificateReport, error) {
	return shared.CheckCertificate(ctx, cert, o)
}

// CheckCertificate judges a certificate, see the function of that name.
func (v *Verifier) CheckCertificate(ctx context.Context, cert *x509.Certificate, o Options) (*CertificateReport, error) {
	if cert == nil {
		return nil, errors.New("checking a certificate: none given")
	}
	engine, err := v.engine(o)
	if err != nil {
		return nil, err
	}
	res, err := engine.Certificate(ctx, cert)
	if err != nil {
		return nil, err
	}
	base := v.newReport(o, engine.Time)
	rep := &CertificateReport{
		Schema: 1, File: base.File, ValidationTime: base.ValidationTime, Policy: base.Policy, Trust: base.Trust, Tool: base.Tool,
		Indication: Indication(res.Indication), SubIndication: string(res.SubIndication),
		Certificate: newCertificate(cert, o), Holder: newSigner(cert), Revocation: newRevocations(res.Statuses),
		Errors: newMessages(res.Errors), Warnings: newMessages(res.Warnings),
	}
	rep.Chain = newChain(res.Chain, res.Anchored, o)
	return rep, nil
}
