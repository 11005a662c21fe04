package pkcs12

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"slices"
	"testing"
	"time"
)

// forger issues certificates of any names by any keys.
type forger struct {
	t    *testing.T
	last int64
}

func (f *forger) key() *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		f.t.Fatal(err)
	}
	return key
}

func (f *forger) issue(subject string, key *ecdsa.PrivateKey, issuer string, by *ecdsa.PrivateKey) *x509.Certificate {
	f.t.Helper()
	f.last++
	named := func(cn string) *x509.Certificate {
		return &x509.Certificate{Subject: pkix.Name{CommonName: cn}, SerialNumber: big.NewInt(f.last), NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1<<32, 0),
			IsCA: true, BasicConstraintsValid: true}
	}
	der, err := x509.CreateCertificate(rand.Reader, named(subject), named(issuer), key.Public(), by)
	if err != nil {
		f.t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		f.t.Fatal(err)
	}
	return cert
}

// Authorities that certified each other are there once, however many there are, and the search ends.
func TestChainOf(t *testing.T) {
	t.Parallel()
	f := &forger{t: t}
	a, b, own := f.key(), f.key(), f.key()
	leaf := f.issue("Lotte", own, "A", a)
	ab, ba, root := f.issue("A", a, "B", b), f.issue("B", b, "A", a), f.issue("B", b, "B", b)
	for _, at := range [][]*x509.Certificate{{leaf, ab, ba}, {leaf, ab, ba, ab, ba, ba}} {
		if chain := chainOf(leaf, at); !slices.EqualFunc(chain, []*x509.Certificate{ab, ba}, (*x509.Certificate).Equal) {
			t.Errorf("%d certificates above", len(chain))
		}
	}
	if chain := chainOf(leaf, []*x509.Certificate{root, leaf, ab}); !slices.EqualFunc(chain, []*x509.Certificate{ab, root}, (*x509.Certificate).Equal) {
		t.Errorf("%d certificates above", len(chain))
	}
	var decoys []*x509.Certificate
	for range maxChecks {
		decoys = append(decoys, f.issue("A", b, "B", b))
	}
	if chain := chainOf(leaf, append(decoys, ab)); chain != nil {
		t.Errorf("more than %d signatures were checked", maxChecks)
	}
	if chain := chainOf(leaf, append(decoys[1:], ab)); len(chain) != 1 {
		t.Errorf("%d certificates above", len(chain))
	}
	var long []*x509.Certificate
	for range maxChain + 5 {
		key := f.key()
		long = append(long, f.issue("A", a, "A", key))
		a = key
	}
	if chain := chainOf(leaf, long); len(chain) != maxChain {
		t.Errorf("%d certificates above", len(chain))
	}
}
