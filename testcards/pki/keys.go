package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	_ "embed"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
)

// The RSA keys were made once with "openssl genrsa -traditional": Go offers no
// way to derive an RSA key from a seed, and one is not worth writing.
var (
	//go:embed rsa2048.pem
	rsa2048PEM []byte
	//go:embed rsa1024.pem
	rsa1024PEM []byte
	//go:embed services2048.pem
	servicesPEM []byte
)

// slots is a run of places in a pool of RSA keys.
type slots struct{ first, count int }

// Places in the pools. Each authority has its own key; authentication and
// signature keys come from separate runs, so that a card never has one key
// twice.
var (
	leafSlots2048 = map[Kind]slots{Authentication: {5, 5}, Signature: {10, 5}, Basic: {15, 1}}
	leafSlots1024 = map[Kind]slots{Authentication: {1, 3}, Signature: {4, 3}, Basic: {7, 1}}
)

const (
	rsa2048Count = 16
	rsa1024Count = 8
	serviceCount = 12
)

// serviceKeys is the pool of the authorities and services that the first
// cards did without: time stamps, OCSP, indirect CRLs.
var serviceKeys = sync.OnceValues(func() ([]*rsa.PrivateKey, error) { return parsePool(servicesPEM, serviceCount) })

// keyPool gives keys for one seed.
type keyPool struct {
	seed                       uint64
	rsa2048, rsa1024, services []*rsa.PrivateKey
}

func newKeyPool(seed uint64) (*keyPool, error) {
	p := &keyPool{seed: seed}
	var err error
	if p.rsa2048, err = parsePool(rsa2048PEM, rsa2048Count); err != nil {
		return nil, fmt.Errorf("RSA 2048 test keys: %w", err)
	}
	if p.rsa1024, err = parsePool(rsa1024PEM, rsa1024Count); err != nil {
		return nil, fmt.Errorf("RSA 1024 test keys: %w", err)
	}
	if p.services, err = serviceKeys(); err != nil {
		return nil, fmt.Errorf("RSA test keys of services: %w", err)
	}
	return p, nil
}

func parsePool(text []byte, want int) ([]*rsa.PrivateKey, error) {
	var keys []*rsa.PrivateKey
	for {
		block, rest := pem.Decode(text)
		if block == nil {
			break
		}
		text = rest
		key, err := x509.ParsePKCS1PrivateKey(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("key %d: %w", len(keys)+1, err)
		}
		keys = append(keys, key)
	}
	if len(keys) != want {
		return nil, errors.New("found " + strconv.Itoa(len(keys)) + " keys, not " + strconv.Itoa(want))
	}
	return keys, nil
}

// at returns the key of a slot; the seed turns the pool round.
func (p *keyPool) at(pool []*rsa.PrivateKey, slot int) *rsa.PrivateKey {
	n := uint64(len(pool))
	return pool[(p.seed%n+uint64(slot))%n]
}

func (p *keyPool) leafRSA(pool []*rsa.PrivateKey, runs map[Kind]slots, kind Kind, label string) crypto.Signer {
	run, ok := runs[kind]
	if !ok {
		run = runs[Basic]
	}
	sum := sha256.Sum256([]byte(label))
	return p.at(pool, run.first+int(sum[0])%run.count)
}

// derive gives n bytes that depend on the seed and on every part (RFC 5869).
func (p *keyPool) derive(n int, parts ...string) []byte {
	var seed [8]byte
	binary.BigEndian.PutUint64(seed[:], p.seed)
	quoted := make([]string, len(parts))
	for i, s := range parts {
		quoted[i] = strconv.Quote(s)
	}
	out, err := hkdf.Key(sha256.New, seed[:], []byte("eidkit testcards/pki 1"), strings.Join(quoted, " "), n)
	if err != nil {
		// Only for n above 255 hashes, which no caller asks.
		panic("pki: deriving test key: " + err.Error())
	}
	return out
}

// ec derives a P-384 key. A candidate not below the group order is thrown
// away; that happens once in 2^190.
func (p *keyPool) ec(parts ...string) *ecdsa.PrivateKey {
	for try := 0; ; try++ {
		raw := p.derive(48, append(parts, strconv.Itoa(try))...)
		if key, err := ecdsa.ParseRawPrivateKey(elliptic.P384(), raw); err == nil {
			return key
		}
	}
}

// serviceKey returns the key of a service in the given slot of its pool.
func (p *PKI) serviceKey(name string, slot int) crypto.Signer {
	if p.opts.Algorithm == EC {
		return p.keys.ec("service", name)
	}
	return p.keys.at(p.keys.services, slot)
}

// authorityKey returns the key of the authority in the given pool slot.
func (p *PKI) authorityKey(r role) crypto.Signer {
	switch {
	case p.opts.Algorithm == EC:
		return p.keys.ec("authority", r.name)
	case p.opts.Algorithm == RSA1024 && !r.ca:
		return p.keys.at(p.keys.rsa1024, 0)
	}
	return p.keys.at(p.keys.rsa2048, r.slot)
}
