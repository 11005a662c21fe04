package saved

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"time"

	"github.com/eidkit/eidkit/internal/beidfile"
)

// CertificatesPart are the certificates on a card; those that it does not have are absent.
type CertificatesPart struct {
	Authentication *CertificatePart `json:"authentication,omitempty"`
	Signature      *CertificatePart `json:"signature,omitempty"`
	CA             *CertificatePart `json:"ca,omitempty"`
	Root           *CertificatePart `json:"root,omitempty"`
	RRN            *CertificatePart `json:"rrn,omitempty"`
}

// CertificatePart is a certificate. All but the DER is there for reading convenience and absent when the DER cannot be parsed;
// nothing of it is read back.
type CertificatePart struct {
	Subject            string `json:"subject,omitempty"`            // RFC 4514
	Issuer             string `json:"issuer,omitempty"`             // RFC 4514
	SerialNumber       string `json:"serialNumber,omitempty"`       // hexadecimal
	NotBefore          string `json:"notBefore,omitempty"`          // RFC 3339, UTC
	NotAfter           string `json:"notAfter,omitempty"`           // RFC 3339, UTC
	PublicKey          string `json:"publicKey,omitempty"`          // "RSA 2048", "EC P-384"
	SignatureAlgorithm string `json:"signatureAlgorithm,omitempty"` // "SHA256-RSA", as crypto/x509 names it
	DER                []byte `json:"der"`
}

// NewCertificates gives the certificates in f, nil if there are none. It shares memory with f.
func NewCertificates(f beidfile.Files) *CertificatesPart {
	p := CertificatesPart{
		Authentication: newCertificate(f.Authentication),
		Signature:      newCertificate(f.Signature),
		CA:             newCertificate(f.CA),
		Root:           newCertificate(f.Root),
		RRN:            newCertificate(f.RRN),
	}
	if p == (CertificatesPart{}) {
		return nil
	}
	return &p
}

func newCertificate(der []byte) *CertificatePart {
	if len(der) == 0 {
		return nil
	}
	p := &CertificatePart{DER: der}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return p
	}
	p.Subject, p.Issuer = cleanText(cert.Subject.String()), cleanText(cert.Issuer.String())
	p.SerialNumber = upperHex(cert.SerialNumber.Bytes())
	p.NotBefore, p.NotAfter = cert.NotBefore.UTC().Format(time.RFC3339), cert.NotAfter.UTC().Format(time.RFC3339)
	p.SignatureAlgorithm = cert.SignatureAlgorithm.String()
	switch key := cert.PublicKey.(type) {
	case *rsa.PublicKey:
		p.PublicKey = fmt.Sprintf("RSA %d", key.N.BitLen())
	case *ecdsa.PublicKey:
		p.PublicKey = "EC " + key.Curve.Params().Name
	}
	return p
}

// files puts the certificates back among the raw files.
func (p *CertificatesPart) files(f *beidfile.Files) {
	for _, place := range []struct {
		from *CertificatePart
		to   *[]byte
	}{{p.Authentication, &f.Authentication}, {p.Signature, &f.Signature}, {p.CA, &f.CA}, {p.Root, &f.Root}, {p.RRN, &f.RRN}} {
		if place.from != nil {
			*place.to = nilIfEmpty(place.from.DER)
		}
	}
}
