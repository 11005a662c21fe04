package insurers

import (
	"crypto"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/eidkit/eidkit/testcards/pki"
)

// Credential is what a care provider signs his request for a token with: a certificate as eHealth issues them, and its RSA key.
type Credential struct {
	Certificate *x509.Certificate
	Key         crypto.Signer
}

// certificates are those that a Network has.
type certificates struct {
	pki       *pki.PKI
	tls       map[Fault]*tls.Certificate // empty: the right one
	sts       Credential
	foreign   Credential            // of a token service that nobody knows
	providers map[string]Credential // by name
	roots     *x509.CertPool        // of providers and eID cards
	middle    *x509.CertPool
}

// Validity of everything issued here. Fixed, so that nothing depends on the clock.
var (
	notBefore = time.Date(2023, 1, 1, 0, 0, 0, 0, time.UTC)
	notAfter  = time.Date(2032, 12, 31, 23, 59, 59, 0, time.UTC)
)

// ordinary are those under the EC PKI of seed 0, made once: they are the same every time.
var ordinary = sync.OnceValues(func() (*certificates, error) {
	p, err := pki.New(pki.Options{})
	if err != nil {
		return nil, err
	}
	return makeCertificates(p)
})

func makeCertificates(p *pki.PKI) (*certificates, error) {
	o := p.Options()
	o.Algorithm = pki.RSA
	cards, err := pki.New(o)
	if err != nil {
		return nil, err
	}
	o.Algorithm, o.Seed = pki.EC, o.Seed+1
	other, err := pki.New(o)
	if err != nil {
		return nil, err
	}
	c := &certificates{pki: p, tls: map[Fault]*tls.Certificate{}, providers: map[string]Credential{}, roots: x509.NewCertPool(), middle: x509.NewCertPool()}
	for _, x := range []*pki.PKI{p, cards} {
		c.roots.AddCert(x.Root.Certificate)
		for _, ca := range x.CAs() {
			c.middle.AddCert(ca.Certificate)
		}
	}
	if err := c.makeTLS(p, other); err != nil {
		return nil, err
	}
	if c.sts, err = issue(p, p.GovernmentCA, "STS", cards.LeafKey(pki.Signature, "token service"), nil); err != nil {
		return nil, err
	}
	if c.foreign, err = issue(other, other.GovernmentCA, "STS", cards.LeafKey(pki.Signature, "a service that nobody knows"), nil); err != nil {
		return nil, err
	}
	if c.foreign.Key == c.sts.Key {
		return nil, errors.New("the keys of both token services are the same")
	}
	for _, who := range providers {
		key := cards.LeafKey(pki.Authentication, who.Name)
		if c.providers[who.Name], err = issue(p, p.GovernmentCA, who.commonName(), key, nil); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// makeTLS makes the right certificate and the wrong ones.
func (c *certificates) makeTLS(p, other *pki.PKI) error {
	key := p.LeafKeyOf(pki.EC, pki.Authentication, "insurers' TLS")
	server := func(t *x509.Certificate) {
		t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
		t.DNSNames, t.IPAddresses = []string{"localhost"}, []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}
	}
	for fault, change := range map[Fault]func(*x509.Certificate){
		"": func(*x509.Certificate) {}, ForeignCA: func(*x509.Certificate) {},
		WrongName:   func(t *x509.Certificate) { t.DNSNames, t.IPAddresses = []string{"insurers.invalid"}, nil },
		ExpiredCert: func(t *x509.Certificate) { t.NotAfter = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC) },
	} {
		issuer := p
		if fault == ForeignCA {
			issuer = other
		}
		made, err := issue(issuer, issuer.Root, "insurers "+string(fault), key, func(t *x509.Certificate) { server(t); change(t) })
		if err != nil {
			return err
		}
		c.tls[fault] = &tls.Certificate{Certificate: [][]byte{made.Certificate.Raw}, PrivateKey: made.Key, Leaf: made.Certificate}
	}
	return nil
}

// issue makes a certificate whose serial number derives from its content, with a signature that does not depend on chance.
func issue(p *pki.PKI, ca *pki.Authority, name string, key crypto.Signer, change func(*x509.Certificate)) (Credential, error) {
	sum := sha256.Sum256(fmt.Appendf(nil, "insurers %d %s", p.Options().Seed, name))
	t := &x509.Certificate{
		Subject:      pkix.Name{Country: []string{"BE"}, Organization: []string{"eidkit TEST"}, OrganizationalUnit: []string{"eHealth-platform TEST"}, CommonName: name},
		SerialNumber: new(big.Int).SetBytes(append([]byte{0x10}, sum[:15]...)), NotBefore: notBefore, NotAfter: notAfter, KeyUsage: x509.KeyUsageDigitalSignature,
	}
	if change != nil {
		change(t)
	}
	der, err := x509.CreateCertificate(nil, t, ca.Certificate, key.Public(), ca.Key)
	if err != nil {
		return Credential{}, fmt.Errorf("issuing the certificate of %s: %w", name, err)
	}
	cert, err := x509.ParseCertificate(der)
	return Credential{cert, key}, err
}

// tlsCertificate is the one that the faults of TLS call for.
func (n *Network) tlsCertificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	for _, f := range n.active(TLS) {
		if c := n.own.tls[f]; c != nil {
			return c, nil
		}
	}
	return n.own.tls[""], nil
}

// Credential is that of the provider of that name.
func (n *Network) Credential(provider string) (Credential, error) {
	c, ok := n.own.providers[provider]
	if !ok {
		return c, fmt.Errorf("there is no test provider %q", provider)
	}
	return c, nil
}

// holder finds who signs with a certificate: a provider, or else a person with an eID card, by his national number.
func (n *Network) holder(c *x509.Certificate, now time.Time) (*Provider, string, error) {
	_, err := c.Verify(x509.VerifyOptions{Roots: n.own.roots, Intermediates: n.own.middle, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
	if err != nil {
		return nil, "", fmt.Errorf("the certificate is not of this test PKI: %w", err)
	}
	if i := slices.IndexFunc(providers, func(p Provider) bool { return p.commonName() == c.Subject.CommonName }); i >= 0 {
		return &providers[i], "", nil
	}
	if c.KeyUsage&x509.KeyUsageDigitalSignature == 0 || len(c.Subject.SerialNumber) != 11 {
		return nil, "", errors.New("the certificate is neither a provider's nor for authentication by an eID card")
	}
	number := c.Subject.SerialNumber
	if i := slices.IndexFunc(providers, func(p Provider) bool { return p.Person == number }); i >= 0 {
		return &providers[i], number, nil
	}
	return nil, number, nil
}
