package verify_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/eidkit/eidkit/testcards/pki"
	"github.com/eidkit/eidkit/verify"
)

// keyFile writes a private key for openssl to sign with.
func keyFile(t *testing.T, key crypto.Signer) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return writeFile(t, "key.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

func ecKey(t *testing.T, curve elliptic.Curve) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestSignaturesOfOpenSSL(t *testing.T) {
	p := newPKI(t, pki.Options{})
	rsa1024, rsa2048 := p.LeafKeyOf(pki.RSA1024, pki.Basic, ""), p.LeafKeyOf(pki.RSA, pki.Basic, "")
	pss := []string{"-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest"}
	tests := []struct {
		name          string
		key           crypto.Signer
		digest        string
		opts          []string
		alg           x509.SignatureAlgorithm
		weakKey, weak string
	}{
		{"RSA 1024 SHA-1", rsa1024, "-sha1", nil, x509.SHA1WithRSA, "RSA 1024", "SHA-1"},
		{"RSA 2048 SHA-256", rsa2048, "-sha256", nil, x509.SHA256WithRSA, "", ""},
		{"RSA 2048 SHA-384", rsa2048, "-sha384", nil, x509.SHA384WithRSA, "", ""},
		{"RSA 2048 SHA-512", rsa2048, "-sha512", nil, x509.SHA512WithRSA, "", ""},
		{"RSA-PSS SHA-256", rsa2048, "-sha256", pss, x509.SHA256WithRSAPSS, "", ""},
		{"RSA-PSS SHA-384", rsa2048, "-sha384", pss, x509.SHA384WithRSAPSS, "", ""},
		{"RSA-PSS SHA-512", rsa2048, "-sha512", pss, x509.SHA512WithRSAPSS, "", ""},
		{"P-256 SHA-1", ecKey(t, elliptic.P256()), "-sha1", nil, x509.ECDSAWithSHA1, "", "SHA-1"},
		{"P-256 SHA-256", ecKey(t, elliptic.P256()), "-sha256", nil, x509.ECDSAWithSHA256, "", ""},
		{"P-384 SHA-384", ecKey(t, elliptic.P384()), "-sha384", nil, x509.ECDSAWithSHA384, "", ""},
		{"P-521 SHA-512", ecKey(t, elliptic.P521()), "-sha512", nil, x509.ECDSAWithSHA512, "", ""},
	}
	data := []byte("what is signed")
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			file, pub := keyFile(t, tt.key), tt.key.Public()
			in, out := writeFile(t, "data", data), filepath.Join(t.TempDir(), "sig")
			args := append([]string{"dgst", tt.digest, "-sign", file, "-out", out}, tt.opts...)
			if msg, err := openssl(t, append(args, in)...); err != nil {
				t.Fatalf("%v\n%s", err, msg)
			}
			sig, err := os.ReadFile(out)
			if err != nil {
				t.Fatal(err)
			}
			if err := verify.CheckSignature(pub, tt.alg, data, sig); err != nil {
				t.Error(err)
			}
			if err := verify.CheckSignature(pub, tt.alg, append([]byte{1}, data...), sig); !errors.Is(err, verify.ErrBadSignature) {
				t.Errorf("other data: %v", err)
			}
			for i := range sig {
				bad := slices.Clone(sig)
				bad[i] ^= 1
				if err := verify.CheckSignature(pub, tt.alg, data, bad); !errors.Is(err, verify.ErrBadSignature) {
					t.Fatalf("byte %d of the signature changed: %v", i, err)
				}
			}
			for _, bad := range [][]byte{nil, sig[:len(sig)-1], append(slices.Clone(sig), 0)} {
				if err := verify.CheckSignature(pub, tt.alg, data, bad); !errors.Is(err, verify.ErrBadSignature) {
					t.Errorf("signature of %d bytes: %v", len(bad), err)
				}
			}
			if got := verify.WeakKey(pub); got != tt.weakKey {
				t.Errorf("weak key %q", got)
			}
			if got := verify.WeakSignature(tt.alg); got != tt.weak {
				t.Errorf("weak signature %q", got)
			}
		})
	}
}

func TestRefusedAlgorithms(t *testing.T) {
	rsaKey := func(bits uint) *rsa.PublicKey {
		return &rsa.PublicKey{N: new(big.Int).SetBit(big.NewInt(1), int(bits)-1, 1), E: 65537}
	}
	rsa1024 := rsaKey(1024)
	edPub, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		pub  crypto.PublicKey
		alg  x509.SignatureAlgorithm
	}{
		{"MD5", rsa1024, x509.MD5WithRSA},
		{"MD2", rsa1024, x509.MD2WithRSA},
		{"unknown", rsa1024, x509.UnknownSignatureAlgorithm},
		{"RSA 1023", rsaKey(1023), x509.SHA256WithRSA},
		{"RSA 8193", rsaKey(8193), x509.SHA256WithRSA},
		{"RSA with ECDSA", rsa1024, x509.ECDSAWithSHA256},
		{"EC with RSA", ecKey(t, elliptic.P256()).Public(), x509.SHA256WithRSA},
		{"EC with PSS", ecKey(t, elliptic.P256()).Public(), x509.SHA256WithRSAPSS},
		{"P-224", ecKey(t, elliptic.P224()).Public(), x509.ECDSAWithSHA256},
		{"Ed25519", edPub, x509.PureEd25519},
		{"Ed25519 as ECDSA", edPub, x509.ECDSAWithSHA256},
		{"no key", nil, x509.SHA256WithRSA},
	}
	for _, tt := range tests {
		if err := verify.CheckSignature(tt.pub, tt.alg, nil, make([]byte, 128)); !errors.Is(err, verify.ErrAlgorithm) || !errors.Is(err, verify.ErrVerification) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	if err := verify.CheckDigest(rsa1024, x509.SHA256WithRSA, make([]byte, 20), nil); !errors.Is(err, verify.ErrAlgorithm) {
		t.Errorf("short digest: %v", err)
	}
	if err := verify.CheckDigest(rsa1024, x509.MD5WithRSA, make([]byte, 16), nil); !errors.Is(err, verify.ErrAlgorithm) {
		t.Errorf("MD5 digest: %v", err)
	}
}
