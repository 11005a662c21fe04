package pki

import (
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/eidkit/eidkit/testcards/internal/der"
)

// Places in the pool of service keys.
const (
	slotTimestampCA = iota
	slotTSA
	slotCRLIssuer
	slotResponder // and one more for each of CAs
)

// Tails of the policies of time stamps: facts sheet "signatures" section 5 for
// the EC hierarchy, one of our own for the RSA ones.
const (
	timestampCAPolicy  = "13.6.3"
	timestampPolicy    = "13.6.3.1000"
	timestampCAPolicy2 = "12.1.1.6"
	timestampPolicy2   = "12.1.1.6.1"
)

// Service asks for the certificate of a service. The zero value asks for the
// ordinary one; the rest is for tests of what must not be accepted.
type Service struct {
	// At is a time at which an OCSP responder is in use: its certificate is
	// valid from 1 January of that year to 31 January of the next, as the
	// Belgian responders change every year. Zero: 2023 to 2032.
	At time.Time
	// NotBefore and NotAfter override the validity.
	NotBefore, NotAfter time.Time
	// NoPurpose leaves the extended key usage out: OCSP signing, or time
	// stamping.
	NoPurpose bool
	// NotCritical makes the extended key usage of a time stamp unit not
	// critical, against RFC 3161 section 2.3.
	NotCritical bool
	// NoCheck of a responder is there unless Checked is set: then the
	// responder itself has to be asked about (RFC 6960 section 4.2.2.2.1).
	Checked bool
	// Key replaces the service's own key.
	Key crypto.Signer
}

// addServices makes the time stamp CA, its unit and the CRL issuer.
func (p *PKI) addServices() error {
	var err error
	if p.TimestampCA, err = p.timestampCA(); err != nil {
		return fmt.Errorf("timestamp: %w", err)
	}
	if p.TSA, err = p.TimestampUnit(Service{}); err != nil {
		return err
	}
	t := &x509.Certificate{NotBefore: authorityNotBefore, NotAfter: authorityNotAfter, KeyUsage: x509.KeyUsageCRLSign,
		BasicConstraintsValid: true, MaxPathLen: -1}
	p.CRLIssuer, err = p.service(t, p.Root, "crl", "CRL Issuer", p.serviceKey("crl", slotCRLIssuer))
	return err
}

func (p *PKI) timestampCA() (*Authority, error) {
	t := &x509.Certificate{NotBefore: authorityNotBefore, NotAfter: authorityNotAfter,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, BasicConstraintsValid: true, IsCA: true, MaxPathLenZero: true}
	var err error
	if t.Policies, err = oids(policyArc + p.timestamp(timestampCAPolicy, timestampCAPolicy2)); err != nil {
		return nil, err
	}
	return p.service(t, p.Root, "timestamp", "Timestamp CA", p.serviceKey("timestamp", slotTimestampCA))
}

// timestamp chooses between the EC and the RSA hierarchies.
func (p *PKI) timestamp(ec, rsa string) string {
	if p.opts.Algorithm == EC {
		return ec
	}
	return rsa
}

// TimestampPolicy is the policy that TSA puts into its time stamps, with
// dots.
func (p *PKI) TimestampPolicy() string {
	return policyArc + p.timestamp(timestampPolicy, timestampPolicy2)
}

// TimestampUnit makes a certificate of the time stamp unit: TSA itself for the
// zero Service, else another certificate for the same key and name.
func (p *PKI) TimestampUnit(s Service) (*Authority, error) {
	t := s.template()
	t.KeyUsage = x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment
	var err error
	if t.Policies, err = oids(p.TimestampPolicy()); err != nil {
		return nil, err
	}
	if !s.NoPurpose {
		t.ExtraExtensions = []pkix.Extension{extendedKeyUsage(oidTimeStamping, !s.NotCritical)}
	}
	key := s.Key
	if key == nil {
		key = p.serviceKey("tsa", slotTSA)
	}
	if v := s.variant(); v != "" {
		t.SerialNumber = p.serial(t, key.Public(), "tsa "+v)
	}
	return p.service(t, p.TimestampCA, "tsa", "TSU", key)
}

// Responder makes the certificate of the OCSP responder that ca delegates to
// (RFC 6960 section 4.2.2.2). All CAs give their responders the same name, and
// each has a key of its own. It fails if ca is no CA of this PKI.
func (p *PKI) Responder(ca *Authority, s Service) (*Authority, error) {
	n := slices.Index(p.CAs(), ca)
	if n < 0 {
		return nil, fmt.Errorf("OCSP responder of %s: not a CA of this PKI", ca.Name)
	}
	t := s.template()
	t.KeyUsage = x509.KeyUsageDigitalSignature
	if !s.NoPurpose {
		t.ExtraExtensions = append(t.ExtraExtensions, extendedKeyUsage(oidOCSPSigning, false))
	}
	if !s.Checked {
		t.ExtraExtensions = append(t.ExtraExtensions, pkix.Extension{Id: oidNoCheck, Value: der.Null()})
	}
	key := s.Key
	if key == nil {
		key = p.serviceKey("ocsp "+ca.Name, slotResponder+n)
	}
	t.SerialNumber = p.serial(t, key.Public(), "ocsp "+ca.Name+" "+s.variant())
	return p.service(t, ca, "ocsp-"+ca.Name, "OCSP Responder", key)
}

// template has the validity that s asks for.
func (s Service) template() *x509.Certificate {
	t := &x509.Certificate{NotBefore: leafNotBefore, NotAfter: leafNotAfter}
	if !s.At.IsZero() {
		year := s.At.UTC().Year()
		t.NotBefore = time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)
		t.NotAfter = time.Date(year+1, 1, 31, 23, 59, 59, 0, time.UTC)
	}
	if !s.NotBefore.IsZero() {
		t.NotBefore = s.NotBefore
	}
	if !s.NotAfter.IsZero() {
		t.NotAfter = s.NotAfter
	}
	return t
}

// variant names what the serial number would not depend on otherwise.
func (s Service) variant() string {
	var parts []string
	for name, set := range map[string]bool{"no purpose": s.NoPurpose, "not critical": s.NotCritical, "checked": s.Checked} {
		if set {
			parts = append(parts, name)
		}
	}
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}

// service completes the template with name and file name and has it signed.
func (p *PKI) service(t *x509.Certificate, issuer *Authority, name, title string, key crypto.Signer) (*Authority, error) {
	alg := p.opts.Algorithm.String()
	suffix := "-" + strings.ToLower(alg)
	a := &Authority{Name: strings.TrimSuffix(name, suffix) + suffix, Key: key}
	var err error
	t.RawSubject, err = marshalName([]attribute{
		{oidCountry, "BE"},
		{oidOrganization, "eidkit TEST"},
		{oidCommonName, "eidkit TEST " + title + " " + alg},
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if a.Certificate, err = p.sign(t, issuer, key); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return a, nil
}

const (
	oidOCSPSigning  = "1.3.6.1.5.5.7.3.9"
	oidTimeStamping = "1.3.6.1.5.5.7.3.8"
)

var (
	oidNoCheck            = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 5}
	oidExtendedKeyUsage   = asn1.ObjectIdentifier{2, 5, 29, 37}
	oidDistributionPoints = asn1.ObjectIdentifier{2, 5, 29, 31}
)

func extendedKeyUsage(purpose string, critical bool) pkix.Extension {
	return pkix.Extension{Id: oidExtendedKeyUsage, Critical: critical, Value: der.Seq(der.OID(purpose))}
}

// indirectPoint is a distribution point whose list CRLIssuer signs.
func (p *PKI) indirectPoint() pkix.Extension {
	point := der.Explicit(0, der.Explicit(0, der.Implicit(6, der.IA5(p.CRLURL(p.CRLIssuer)))))
	issuer := der.Explicit(2, der.Explicit(4, p.CRLIssuer.Certificate.RawSubject))
	return pkix.Extension{Id: oidDistributionPoints, Value: der.Seq(der.Seq(point, issuer))}
}
