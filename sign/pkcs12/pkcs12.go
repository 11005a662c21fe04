// Package pkcs12 reads a private key and its certificates from a PKCS #12 file
// (.p12, .pfx), as openssl, Windows, Java and browsers write them, for signing.
//
// Start with Open; the Key is a crypto.Signer with Certificate and Chain.
//
// Files in DER and BER are read, with keys and certificates encrypted by AES,
// triple DES or RC2, and checked by HMAC before anything in them is believed. A
// file costs at most MaxIterations rounds of key derivation, whatever it asks for.
//
// Out of scope: writing files, files protected by public keys, secrets and lists
// of trusted certificates in them, and keeping the key: it is in memory as long as
// the Key is.
//
// References: RFC 7292 (PKCS #12), RFC 8018 (PBES2), RFC 9579 (PBMAC1), RFC 2268
// (RC2), RFC 6979 (deterministic ECDSA).
package pkcs12

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"slices"
)

// What errors of this package mean.
var (
	ErrFormat        = errors.New("not a PKCS #12 file, or a damaged one")
	ErrPassword      = errors.New("the password of the PKCS #12 file is wrong")
	ErrUnsupported   = errors.New("the PKCS #12 file is protected in a way that is not supported")
	ErrTooLarge      = errors.New("the PKCS #12 file is larger than any that holds a key, or asks for too much work")
	ErrNoKey         = errors.New("the PKCS #12 file has no private key for signing")
	ErrSeveralKeys   = errors.New("the PKCS #12 file has more than one private key: export the one to sign with by itself")
	ErrNoCertificate = errors.New("the PKCS #12 file has no certificate of its private key")
)

// Bounds of what is read.
const (
	// MaxSize is how many bytes a file may have.
	MaxSize = 1 << 20
	// MaxIterations is how many rounds of key derivation a file may ask for in all; openssl asks for 6,144, Firefox for 1,800,000.
	MaxIterations = 10_000_000

	maxBags  = 200
	maxDepth = 4
	maxKey   = 16 << 10 // bytes of a private key: RSA with 16,384 bits has 9,300
)

// Password gives the bytes of a password, UTF-8, for as long as the call lasts. A pkcs11.Secret is one.
type Password interface {
	Reveal(f func(password []byte) error) error
}

// Key is a private key with its certificate. It may be used from several goroutines.
type Key struct {
	private crypto.Signer
	cert    *x509.Certificate
	chain   []*x509.Certificate
}

var _ crypto.Signer = (*Key)(nil)

// Open reads the one private key, RSA or EC, of a file. A nil password is the empty one. What else the file holds is left aside.
// Errors wrap those of this package; ErrPassword also stands for a file without a MAC whose contents make no sense.
func Open(data []byte, password Password) (*Key, error) {
	if len(data) > MaxSize {
		return nil, fmt.Errorf("%w: %d bytes", ErrTooLarge, len(data))
	}
	var k *Key
	read := func(password []byte) (err error) {
		k, err = open(data, password, MaxIterations)
		return err
	}
	var err error
	if password == nil {
		err = read(nil)
	} else {
		err = password.Reveal(read)
	}
	if err != nil {
		return nil, fmt.Errorf("opening a PKCS #12 file: %w", err)
	}
	return k, nil
}

// open reads a file that may ask for so many rounds of key derivation.
func open(data, password []byte, rounds int) (*Key, error) {
	f, err := parse(data)
	if err != nil {
		return nil, err
	}
	s, err := f.unlock(password, rounds)
	if err != nil {
		return nil, err
	}
	defer s.wipe()
	return s.choose()
}

// choose finds the key and its certificate among what the file holds.
func (s *safe) choose() (*Key, error) {
	if len(s.keys) == 0 {
		return nil, ErrNoKey
	}
	k := &Key{private: s.keys[0].signer}
	for _, other := range s.keys[1:] {
		if !samePublic(k.Public(), other.signer.Public()) {
			return nil, ErrSeveralKeys
		}
	}
	var all []*x509.Certificate
	marked := false
	for _, c := range s.certs {
		cert, err := x509.ParseCertificate(c.der)
		if err != nil { // one of the others, or the key is left without
			continue
		}
		all = append(all, cert)
		// With several certificates for one key, the file marks the one that belongs to it.
		mark := len(c.id) > 0 && bytes.Equal(c.id, s.keys[0].id)
		if samePublic(k.Public(), cert.PublicKey) && (k.cert == nil || mark && !marked) {
			k.cert, marked = cert, mark
		}
	}
	if k.cert == nil {
		return nil, ErrNoCertificate
	}
	k.chain = chainOf(k.cert, all)
	return k, nil
}

func samePublic(a, b crypto.PublicKey) bool {
	comparable, ok := a.(interface{ Equal(crypto.PublicKey) bool })
	return ok && comparable.Equal(b)
}

// Bounds of the search for a chain, among certificates that anybody may have put there.
const (
	maxChain  = 10
	maxChecks = 50 // of signatures
)

// chainOf are the certificates above leaf, each once, from those at hand.
func chainOf(leaf *x509.Certificate, at []*x509.Certificate) (chain []*x509.Certificate) {
	checks := 0
	for cert := leaf; len(chain) < maxChain; {
		i := slices.IndexFunc(at, func(c *x509.Certificate) bool {
			if checks == maxChecks || !bytes.Equal(c.RawSubject, cert.RawIssuer) || c.Equal(leaf) || slices.ContainsFunc(chain, c.Equal) {
				return false
			}
			checks++
			return cert.CheckSignatureFrom(c) == nil
		})
		if i < 0 {
			break
		}
		cert = at[i]
		chain = append(chain, cert)
	}
	return chain
}

// Certificate is the key's certificate.
func (k *Key) Certificate() *x509.Certificate { return k.cert }

// Chain are certificates above the key's that are in the file, the issuer first. They are not verified.
func (k *Key) Chain() []*x509.Certificate { return k.chain }

// Public is the public key: *rsa.PublicKey or *ecdsa.PublicKey.
func (k *Key) Public() crypto.PublicKey { return k.private.Public() }

// Sign signs digest, made with opts.HashFunc(). RSA keys give PKCS #1 v1.5, or PSS for *rsa.PSSOptions; EC keys give DER. Only the
// salt of PSS is random: the same digest gives the same signature otherwise (RFC 6979 for ECDSA), whatever random source is passed.
func (k *Key) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	var random io.Reader
	if _, pss := opts.(*rsa.PSSOptions); pss {
		random = rand.Reader
	}
	if _, ec := k.private.(*ecdsa.PrivateKey); ec && (!opts.HashFunc().Available() || len(digest) != opts.HashFunc().Size()) {
		return nil, fmt.Errorf("signing: a digest of %d bytes is none by %v", len(digest), opts.HashFunc())
	}
	sig, err := k.private.Sign(random, digest, opts)
	if err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	return sig, nil
}
