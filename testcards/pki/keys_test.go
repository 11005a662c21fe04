package pki_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"

	"github.com/eidkit/eidkit/testcards/pki"
)

func TestKeys(t *testing.T) {
	for _, alg := range algorithms {
		for seed := uint64(0); seed < 40; seed++ {
			p := mustNew(t, pki.Options{Algorithm: alg, Seed: seed})
			keys := []crypto.Signer{
				p.Root.Key, p.CitizenCA.Key, p.ForeignerCA.Key, p.GovernmentCA.Key, p.RRN.Key,
				p.LeafKey(pki.Authentication, "a"), p.LeafKey(pki.Signature, "a"), p.LeafKey(pki.Basic, "a"),
			}
			seen := map[string]bool{}
			for i, k := range keys {
				der, err := x509.MarshalPKIXPublicKey(k.Public())
				if err != nil {
					t.Fatal(err)
				}
				if seen[string(der)] {
					t.Fatalf("%v seed %d: key %d is there twice", alg, seed, i)
				}
				seen[string(der)] = true
			}
		}
	}
}

func TestLeafKeyOf(t *testing.T) {
	p := mustNew(t, pki.Options{Algorithm: pki.EC})
	for alg, bits := range map[pki.Algorithm]int{pki.RSA: 2048, pki.RSA1024: 1024} {
		key, ok := p.LeafKeyOf(alg, pki.Signature, "x").Public().(*rsa.PublicKey)
		if !ok || key.Size()*8 != bits {
			t.Errorf("%v: %T", alg, key)
		}
	}
	key, ok := p.LeafKey(pki.Basic, "x").Public().(*ecdsa.PublicKey)
	if !ok || key.Curve.Params().Name != "P-384" {
		t.Errorf("EC: %T", key)
	}
	other, _ := p.LeafKey(pki.Basic, "y").Public().(*ecdsa.PublicKey)
	if key.Equal(other) {
		t.Error("two labels, one EC key")
	}
}

func TestSignFileWithOpenSSL(t *testing.T) {
	for _, alg := range algorithms {
		p := mustNew(t, pki.Options{Algorithm: alg})
		data := []byte("the bytes of an identity file")
		sig, err := p.SignFile(data)
		if err != nil {
			t.Fatal(err)
		}
		spki, err := x509.MarshalPKIXPublicKey(p.RRN.Certificate.PublicKey)
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		for name, b := range map[string][]byte{
			"data": data, "sig": sig,
			"key": pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: spki}),
		} {
			if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		digest := map[pki.Algorithm]string{pki.EC: "-sha384", pki.RSA: "-sha256", pki.RSA1024: "-sha1"}[alg]
		openssl(t, "dgst", digest, "-verify", filepath.Join(dir, "key"), "-signature", filepath.Join(dir, "sig"), filepath.Join(dir, "data"))
	}
}
