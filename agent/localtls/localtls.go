// Package localtls gives the agent a certificate for this machine's loopback,
// for browsers that refuse ws: from a secure page (Safari) and for sites whose
// content policy knows wss: alone.
//
// Start with Install, Remove and Status; Load is what the agent serves with.
//
// The certificate is a leaf that signs itself: no authority comes into any trust
// store, so there is no key that could make certificates for other names. Each
// installation has its own, made here; the key stays in the user's state folder
// and is given to no program. It is for localhost, 127.0.0.1 and ::1, and for
// servers alone.
//
// Out of scope: certificates for other machines, system-wide stores.
//
// References: facts sheet "local agents" 3.4; RFC 5280 sections 4.2.1.9 and
// 4.2.1.12; RFC 6125.
package localtls

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/eidkit/eidkit/internal/atomicfile"
)

// ErrNotInstalled says that there is no certificate: Install makes one.
var ErrNotInstalled = errors.New("no certificate for this machine")

// Life of a certificate, which is below what Apple's systems accept of a server
// certificate, and how long before its end Install makes a new one.
const (
	life  = 397 * 24 * time.Hour
	renew = 30 * 24 * time.Hour
)

const fileName = "localhost.pem" // key and certificate

// Options say where.
type Options struct {
	Dir  string           // the user's state folder
	Home string           // his home folder, for the browsers' stores; empty: the environment's
	Now  func() time.Time // nil: time.Now
}

func (o Options) now() time.Time {
	if o.Now == nil {
		return time.Now()
	}
	return o.Now()
}

// Store is a trust store of a browser or of the system.
type Store struct {
	Name    string // "Chrome, Chromium, Edge", "Firefox", ...
	Path    string // folder, or what the system calls it
	Trusted bool   // the certificate is in it
	Err     error  // why it could not be looked at or changed
}

// Report is what there is.
type Report struct {
	Certificate *x509.Certificate
	SHA256      string // of the certificate, hexadecimal
	Made        bool   // it was made just now
	Stores      []Store
}

// Install makes a certificate, unless there is one with 30 days to go and its key,
// and has the browsers of this user trust it. The one before is taken out of the stores.
// A store that cannot be changed has its Err; the error is about the certificate.
func Install(ctx context.Context, o Options) (*Report, error) {
	old, err := read(o.Dir)
	if err != nil && !errors.Is(err, ErrNotInstalled) {
		return nil, err
	}
	r := &Report{}
	if old != nil && old.PrivateKey != nil && o.now().Before(old.Leaf.NotAfter.Add(-renew)) {
		r.Certificate = old.Leaf
	} else {
		if r.Certificate, err = create(o); err != nil {
			return nil, err
		}
		r.Made = true
	}
	r.SHA256 = fingerprint(r.Certificate)
	for _, s := range stores(ctx, o) {
		if r.Made && old != nil {
			_ = s.remove(ctx, old.Leaf) // it may not be there
		}
		s.Err = s.add(ctx, r.Certificate)
		s.Trusted = s.Err == nil
		r.Stores = append(r.Stores, s.Store)
	}
	return r, nil
}

// Status tells which stores have the certificate. ErrNotInstalled: there is none.
func Status(ctx context.Context, o Options) (*Report, error) {
	have, err := read(o.Dir)
	if err != nil {
		return nil, err
	}
	r := &Report{Certificate: have.Leaf, SHA256: fingerprint(have.Leaf)}
	for _, s := range stores(ctx, o) {
		s.Trusted, s.Err = s.has(ctx, have.Leaf)
		r.Stores = append(r.Stores, s.Store)
	}
	return r, nil
}

// Remove takes the certificate out of every store and deletes it with its key.
// If a store cannot be changed, the certificate stays on the disk, without its
// key, so that Remove can be called again.
func Remove(ctx context.Context, o Options) (*Report, error) {
	have, err := read(o.Dir)
	if err != nil {
		return nil, err
	}
	r := &Report{Certificate: have.Leaf, SHA256: fingerprint(have.Leaf)}
	failed := false
	for _, s := range stores(ctx, o) {
		if s.Trusted, s.Err = s.has(ctx, have.Leaf); s.Err == nil && s.Trusted {
			s.Err = s.remove(ctx, have.Leaf)
			s.Trusted = s.Err != nil
		}
		failed = failed || s.Err != nil
		r.Stores = append(r.Stores, s.Store)
	}
	path := filepath.Join(o.Dir, fileName)
	if failed {
		return r, atomicfile.Write(path, pemOf("CERTIFICATE", have.Leaf.Raw))
	}
	return r, os.Remove(path)
}

// Load is the certificate with its key. ErrNotInstalled: there is none.
func Load(dir string) (*tls.Certificate, error) {
	c, err := read(dir)
	if err == nil && c.PrivateKey == nil {
		err = ErrNotInstalled
	}
	if err != nil {
		return nil, err
	}
	return c, nil
}

// read is what Load has; of a half-removed certificate there is no key.
func read(dir string) (*tls.Certificate, error) {
	b, err := os.ReadFile(filepath.Join(dir, fileName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNotInstalled
	}
	if err != nil {
		return nil, fmt.Errorf("reading the certificate of this machine: %w", err)
	}
	c := &tls.Certificate{}
	for block, rest := pem.Decode(b); block != nil; block, rest = pem.Decode(rest) {
		switch block.Type {
		case "CERTIFICATE":
			c.Certificate = [][]byte{block.Bytes}
			c.Leaf, err = x509.ParseCertificate(block.Bytes)
		case keyBlock:
			c.PrivateKey, err = x509.ParsePKCS8PrivateKey(block.Bytes)
		}
		if err != nil {
			return nil, fmt.Errorf("reading the certificate of this machine: %w", err)
		}
	}
	if c.Leaf == nil {
		return nil, errors.New("the file of this machine's certificate holds none: remove " + filepath.Join(dir, fileName))
	}
	return c, nil
}

// keyBlock is the PEM type of PKCS #8 keys (RFC 7468, section 10).
const keyBlock = "PRIVATE" + " KEY"

func create(o Options) (*x509.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, err
	}
	host, err := os.Hostname()
	if err != nil {
		host = "this machine"
	}
	now := o.now()
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "localhost", Organization: []string{"eidkit agent on " + host}},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(life),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true, // CA: false
		DNSNames:              []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	b.Write(pemOf(keyBlock, private))
	b.Write(pemOf("CERTIFICATE", der))
	defer clear(b.Bytes())
	if err := atomicfile.Write(filepath.Join(o.Dir, fileName), b.Bytes()); err != nil { // for its owner alone
		return nil, fmt.Errorf("keeping the certificate of this machine: %w", err)
	}
	return x509.ParseCertificate(der)
}

func pemOf(kind string, b []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b})
}

func fingerprint(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	return hex.EncodeToString(sum[:])
}

// nickname is what the stores call the certificate.
func nickname(c *x509.Certificate) string { return "eidkit agent " + fingerprint(c)[:16] }
