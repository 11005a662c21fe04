package pki

import (
	"bytes"
	"crypto"
	"crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"math/big"
	"strings"
)

// role describes one authority. Roles are made in this order: an issuer stands
// before those it issues.
type role struct {
	name  string // of files and key derivation
	title string // in the common name
	slot  int    // in the pool of RSA keys
	ca    bool
	field func(*PKI) **Authority
	// policies under the example arc: last arcs for RSA and for EC.
	rsaPolicy, ecPolicy string
}

var roles = []role{
	{"root", "Belgium Root CA", 0, true, func(p *PKI) **Authority { return &p.Root }, "12.1.1", "13.6.1"},
	{"citizen", "Citizen CA", 1, true, func(p *PKI) **Authority { return &p.CitizenCA }, "12.1.1.2", ""},
	{"foreigner", "Foreigner CA", 2, true, func(p *PKI) **Authority { return &p.ForeignerCA }, "12.1.1.7", ""},
	{"government", "Government CA", 3, true, func(p *PKI) **Authority { return &p.GovernmentCA }, "12.1.1.3", ""},
	{"rrn", "RRN", 4, false, func(p *PKI) **Authority { return &p.RRN }, "12.1.1.4", "12.1.1.4"},
}

const (
	// The real policies stand under 2.16.56 (Belgium); ours under 2.999,
	// the arc for examples (ITU-T X.660), with the same tail.
	policyArc = "2.999.56."
	// anyPolicy, which the EC citizen and foreigner CAs carry.
	anyPolicy = "2.5.29.32.0"
)

// authority makes the certificate of one role, issued by the root.
func (p *PKI) authority(r role) (*Authority, error) {
	alg := p.opts.Algorithm
	a := &Authority{Name: r.name + "-" + strings.ToLower(alg.String()), Key: p.authorityKey(r)}
	subject, err := marshalName([]attribute{
		{oidCountry, "BE"},
		{oidOrganization, "eidkit TEST"},
		{oidCommonName, "eidkit TEST " + r.title + " " + alg.String()},
	})
	if err != nil {
		return nil, err
	}
	t := &x509.Certificate{
		RawSubject:            subject,
		NotBefore:             authorityNotBefore,
		NotAfter:              authorityNotAfter,
		BasicConstraintsValid: true,
		IsCA:                  r.ca,
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment,
		MaxPathLen:            -1,
	}
	if r.ca {
		t.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
		p.constrainCA(t, r)
	}
	policy := policyArc + r.rsaPolicy
	if alg == EC {
		policy = policyArc + r.ecPolicy
		if r.ecPolicy == "" {
			policy = anyPolicy
		}
	}
	if t.Policies, err = oids(policy); err != nil {
		return nil, err
	}
	a.Certificate, err = p.sign(t, p.Root, a.Key)
	return a, err
}

// constrainCA sets the path length and the extended key usages of a CA
// (facts sheet "signatures" section 5: EC root 1, EC CA 0 with clientAuth and
// emailProtection; RSA roots none).
func (p *PKI) constrainCA(t *x509.Certificate, r role) {
	isRoot := r.name == "root"
	switch {
	case !isRoot:
		t.MaxPathLen, t.MaxPathLenZero = 0, true
	case p.opts.Algorithm == EC:
		t.MaxPathLen = 1
	}
	if p.opts.Algorithm == EC && !isRoot {
		t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageEmailProtection}
	}
}

// sign completes the template (identifiers, addresses, serial number) and has
// the issuer sign it; a nil issuer makes it self-signed with key. The
// signature does not depend on chance: PKCS #1 v1.5, or ECDSA of RFC 6979,
// which crypto/ecdsa uses when its source of randomness is nil.
func (p *PKI) sign(t *x509.Certificate, issuer *Authority, key crypto.Signer) (*x509.Certificate, error) {
	pub := key.Public()
	var err error
	if t.SubjectKeyId, err = keyID(pub); err != nil {
		return nil, err
	}
	parent, signer := t, key
	if issuer != nil {
		parent, signer = issuer.Certificate, issuer.Key
		t.CRLDistributionPoints = []string{p.CRLURL(issuer)}
		t.OCSPServer = []string{p.OCSPURL()}
		t.IssuingCertificateURL = []string{p.CertificateURL(issuer)}
	} else {
		t.AuthorityKeyId = t.SubjectKeyId
	}
	t.SignatureAlgorithm = p.opts.Algorithm.signature()
	if t.SerialNumber == nil {
		t.SerialNumber = p.serial(t, pub, "")
	}
	der, err := x509.CreateCertificate(nil, t, parent, pub, signer)
	if err != nil {
		return nil, fmt.Errorf("signing certificate: %w", err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("reading own certificate back: %w", err)
	}
	if !bytes.Equal(cert.RawSubject, t.RawSubject) {
		return nil, fmt.Errorf("subject changed while signing")
	}
	return cert, nil
}

// serial derives a 16-byte serial number from what the certificate says, and
// from variant, which tells apart those that differ in other things alone. The
// first byte is 10 hex, as on real cards, so it is positive.
func (p *PKI) serial(t *x509.Certificate, pub crypto.PublicKey, variant string) *big.Int {
	spki, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		spki = nil // CreateCertificate refuses the key with a better message
	}
	parts := []string{"serial", p.opts.Algorithm.String(), string(t.RawSubject), string(spki),
		t.NotBefore.UTC().String(), t.NotAfter.UTC().String()}
	if variant != "" {
		parts = append(parts, variant)
	}
	raw := p.keys.derive(16, parts...)
	raw[0] = 0x10
	return new(big.Int).SetBytes(raw)
}

// keyID is method 1 of RFC 5280 section 4.2.1.2, as on the real cards; it is
// an identifier, not a protection.
func keyID(pub crypto.PublicKey) ([]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		return nil, fmt.Errorf("public key: %w", err)
	}
	var spki struct {
		Algorithm pkix.AlgorithmIdentifier
		Key       asn1.BitString
	}
	if _, err := asn1.Unmarshal(der, &spki); err != nil {
		return nil, fmt.Errorf("public key: %w", err)
	}
	sum := sha1.Sum(spki.Key.Bytes)
	return sum[:], nil
}

func oids(list ...string) ([]x509.OID, error) {
	var out []x509.OID
	for _, s := range list {
		o, err := x509.ParseOID(s)
		if err != nil {
			return nil, fmt.Errorf("policy %s: %w", s, err)
		}
		out = append(out, o)
	}
	return out, nil
}
