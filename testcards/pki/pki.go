// Package pki makes a test public-key infrastructure shaped like the one
// behind the Belgian eID: a root, a citizen CA, a foreigner CA, a government
// CA, the national register (RRN) that signs the data of the cards, and a time
// stamp CA with its unit.
//
// Call New, then PKI.Issue for the certificates of a simulated card and
// PKI.LeafKey for its keys; PKI.RRN signs the identity and address files.
// PKI.Responder, PKI.TimestampUnit and PKI.CRL are for revocation and time
// stamping; package testcards/network serves them.
//
// Everything is deterministic: the same Options give the same keys and the
// same certificate bytes, today and in ten years, because keys come from the
// seed, dates are fixed and signatures are not randomised. For that reason
// none of it is secret. Every name says TEST, the policies stand under the
// example arc 2.999, and no program may have such a root among its default
// anchors.
//
// Out of scope: what is revoked and serving it (testcards/network; the
// certificates only name addresses under Options.BaseURL), OCSP answers and
// time stamps (testcards/answers), and random keys.
//
// References: facts sheet 4 and facts sheet "signatures" section
// 5 (shape of the certificates), RFC 5280 (profile), RFC 6979 (deterministic
// ECDSA), RFC 5869 (HKDF).
package pki

import (
	"crypto"
	"crypto/x509"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// DefaultBaseURL is where the addresses in the certificates point when
// Options.BaseURL is empty. Nothing listens there by itself.
const DefaultBaseURL = "http://127.0.0.1:24380"

// Algorithm chooses the keys and signatures of a PKI. The zero value is EC.
type Algorithm int

const (
	// EC is the PKI of applet 1.8: P-384 and SHA-384 everywhere.
	EC Algorithm = iota
	// RSA is the PKI of applet 1.7: RSA 2048 and SHA-256.
	RSA
	// RSA1024 is the PKI of applets 1.0 and 1.1: RSA 1024 for RRN and
	// leaves, RSA 2048 for the CAs, and SHA-1 signatures.
	RSA1024
)

// String returns "EC", "RSA" or "RSA1024".
func (a Algorithm) String() string {
	switch a {
	case EC:
		return "EC"
	case RSA:
		return "RSA"
	case RSA1024:
		return "RSA1024"
	}
	return fmt.Sprintf("Algorithm(%d)", int(a))
}

// Hash returns the hash of the signatures made by the keys of this algorithm,
// in certificates and over card files (facts sheet 3.6).
func (a Algorithm) Hash() crypto.Hash {
	switch a {
	case RSA:
		return crypto.SHA256
	case RSA1024:
		return crypto.SHA1
	}
	return crypto.SHA384
}

// signature is the algorithm of certificate signatures.
func (a Algorithm) signature() x509.SignatureAlgorithm {
	switch a {
	case RSA:
		return x509.SHA256WithRSA
	case RSA1024:
		return x509.SHA1WithRSA
	}
	return x509.ECDSAWithSHA384
}

// Options say which PKI New makes. The zero value is the EC PKI of seed 0.
type Options struct {
	Algorithm Algorithm
	// Seed changes all keys; names stay, so that two seeds give two
	// issuers of one name with different keys.
	Seed uint64
	// BaseURL is put before the CRL, OCSP and certificate addresses; http
	// or https, no trailing slash needed. Empty means DefaultBaseURL.
	BaseURL string
}

// Authority is a certificate together with its private key.
type Authority struct {
	// Name is the file name, without extension, of this authority's CRL
	// and certificate under BaseURL, for example "citizen-ec".
	Name        string
	Certificate *x509.Certificate
	Key         crypto.Signer
}

// PKI is a complete test PKI. It is read-only after New and may be used from
// several goroutines.
type PKI struct {
	// Root is self-signed and issued all below but TSA.
	Root *Authority
	// CitizenCA, ForeignerCA and GovernmentCA issue leaves.
	CitizenCA, ForeignerCA, GovernmentCA *Authority
	// RRN signs identity and address files; it is no CA. Its certificate is
	// file 503C of a card.
	RRN *Authority
	// TimestampCA issued TSA, which signs time stamps.
	TimestampCA, TSA *Authority
	// CRLIssuer is no CA: it signs the one indirect CRL.
	CRLIssuer *Authority

	opts Options
	keys *keyPool
}

// Validity of the authorities. Fixed, so that output does not depend on the
// clock.
var (
	authorityNotBefore = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	authorityNotAfter  = time.Date(2050, 12, 31, 23, 59, 59, 0, time.UTC)
)

// New makes the PKI that the options describe. It fails for an unknown
// algorithm or a BaseURL that is not an absolute http or https address.
func New(o Options) (*PKI, error) {
	if o.Algorithm < EC || o.Algorithm > RSA1024 {
		return nil, fmt.Errorf("making test PKI: unknown algorithm %d", int(o.Algorithm))
	}
	base, err := checkBaseURL(o.BaseURL)
	if err != nil {
		return nil, fmt.Errorf("making test PKI: %w", err)
	}
	o.BaseURL = base
	keys, err := newKeyPool(o.Seed)
	if err != nil {
		return nil, fmt.Errorf("making test PKI: %w", err)
	}
	p := &PKI{opts: o, keys: keys}
	for _, r := range roles {
		a, err := p.authority(r)
		if err != nil {
			return nil, fmt.Errorf("making test PKI: %s: %w", r.name, err)
		}
		*r.field(p) = a
	}
	if err := p.addServices(); err != nil {
		return nil, fmt.Errorf("making test PKI: %w", err)
	}
	return p, nil
}

func checkBaseURL(s string) (string, error) {
	if s == "" {
		return DefaultBaseURL, nil
	}
	u, err := url.Parse(s)
	if err != nil {
		return "", fmt.Errorf("base URL: %w", err)
	}
	if (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return "", fmt.Errorf("base URL %q is not an absolute http or https address", s)
	}
	return strings.TrimRight(s, "/"), nil
}

// Options returns the options of New with the defaults filled in.
func (p *PKI) Options() Options { return p.opts }

// Pool returns the root's certificate alone, for use as a trust anchor by
// crypto/x509.
func (p *PKI) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(p.Root.Certificate)
	return pool
}

// CRLURL, CertificateURL and OCSPURL are the addresses that certificates
// issued by a carry.
func (p *PKI) CRLURL(a *Authority) string { return p.opts.BaseURL + "/crl/" + a.Name + ".crl" }

// CertificateURL is the CA-issuers address of a's own certificate (DER).
func (p *PKI) CertificateURL(a *Authority) string { return p.opts.BaseURL + "/crt/" + a.Name + ".crt" }

// OCSPURL is the one OCSP address of the whole PKI.
func (p *PKI) OCSPURL() string { return p.opts.BaseURL + "/ocsp" }

// DeltaURL is where the delta CRL of a is, if there is one.
func (p *PKI) DeltaURL(a *Authority) string { return p.opts.BaseURL + "/crl/" + a.Name + "-delta.crl" }

// TSAURL is the address of the time stamp service whose unit is TSA.
func (p *PKI) TSAURL() string { return p.opts.BaseURL + "/tsa/" + p.TSA.Name }

// CAs returns the certificate authorities, the root first.
func (p *PKI) CAs() []*Authority {
	return []*Authority{p.Root, p.CitizenCA, p.ForeignerCA, p.GovernmentCA, p.TimestampCA}
}

// SignFile signs the bytes of a card file as the national register does: the
// content of files 4032 and 4034 before zero fill. RSA gives PKCS #1 v1.5 of
// the key's length, EC a DER SEQUENCE of at most 104 bytes; the hash is that
// of the PKI's algorithm (facts sheet 3.6). What exactly is signed
// under 4034 is the caller's knowledge.
func (p *PKI) SignFile(signed []byte) ([]byte, error) {
	hash := p.opts.Algorithm.Hash()
	h := hash.New()
	h.Write(signed)
	sig, err := p.RRN.Key.Sign(nil, h.Sum(nil), hash)
	if err != nil {
		return nil, fmt.Errorf("signing card file: %w", err)
	}
	return sig, nil
}

// LeafKey returns a key for a card: kind says which of its keys, label names
// the card. The algorithm is the PKI's. The same kind, label, algorithm and
// seed give the same key. EC keys differ whenever kind or label differ. RSA
// keys come from a small pool: those of two kinds always differ, those of two
// labels may be the same.
func (p *PKI) LeafKey(kind Kind, label string) crypto.Signer {
	return p.LeafKeyOf(p.opts.Algorithm, kind, label)
}

// LeafKeyOf is LeafKey with another algorithm than the PKI's own: a re-keyed
// 1.7 card has RSA keys under EC authorities (facts sheet 4).
// An unknown algorithm is taken as EC.
func (p *PKI) LeafKeyOf(a Algorithm, kind Kind, label string) crypto.Signer {
	switch a {
	case RSA:
		return p.keys.leafRSA(p.keys.rsa2048, leafSlots2048, kind, label)
	case RSA1024:
		return p.keys.leafRSA(p.keys.rsa1024, leafSlots1024, kind, label)
	}
	return p.keys.ec("leaf", kind.String(), label)
}
