package path

import (
	"crypto/sha256"
	"crypto/x509"
	"sync"
)

// Cache remembers which key signed which certificate, so that no pair is
// checked twice. The zero value is ready; it is safe for concurrent use. It
// holds some 8,000 pairs, about 1 MB, and forgets the oldest.
type Cache struct {
	mu       sync.Mutex
	new, old map[[sha256.Size]byte]error // nil: the signature fits
}

// maxGeneration is half of what a Cache holds.
const maxGeneration = 4096

// get returns the outcome for a pair.
func (c *Cache) get(key [sha256.Size]byte) (err error, known bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err, known = c.new[key]; known {
		return err, true
	}
	if err, known = c.old[key]; known {
		c.store(key, err)
	}
	return err, known
}

func (c *Cache) put(key [sha256.Size]byte, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.store(key, err)
}

func (c *Cache) store(key [sha256.Size]byte, err error) {
	if len(c.new) >= maxGeneration {
		c.old, c.new = c.new, nil
	}
	if c.new == nil {
		c.new = make(map[[sha256.Size]byte]error)
	}
	c.new[key] = err
}

// pairKey names a certificate and a key. The lengths are in the DER of both.
func pairKey(child, issuer *x509.Certificate) (key [sha256.Size]byte) {
	h := sha256.New()
	h.Write(child.Raw)
	h.Write(issuer.RawSubjectPublicKeyInfo)
	h.Sum(key[:0])
	return key
}
