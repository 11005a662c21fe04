package sigalg_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"testing"

	"github.com/eidkit/eidkit/internal/sigalg"
)

// BenchmarkVerify is beside crypto/rsa and crypto/ecdsa, where they take the key.
func BenchmarkVerify(b *testing.B) {
	digest := digestOf(crypto.SHA256, message)
	for _, key := range [][]string{
		{"RSA 2048", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"},
		{"RSA 4096", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:4096"},
		{"P-256", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"},
		{"P-384", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"},
		{"brainpoolP256r1", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:brainpoolP256r1"},
		{"brainpoolP512r1", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:brainpoolP512r1"},
	} {
		file, pub := newKey(b, key[1:]...)
		sig := sign(b, file, "sha256")
		run := func(name string, good func() bool) {
			b.Run(key[0]+" "+name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if !good() {
						b.Fatal("not good")
					}
				}
			})
		}
		switch k := pub.(type) {
		case *rsa.PublicKey:
			run("eidkit", func() bool {
				return (sigalg.Algorithm{Scheme: sigalg.PKCS1, Hash: crypto.SHA256}).Verify(pub, digest, sig) == nil
			})
			run("crypto", func() bool { return rsa.VerifyPKCS1v15(k, crypto.SHA256, digest, sig) == nil })
		case *ecdsa.PublicKey:
			run("eidkit", func() bool {
				return (sigalg.Algorithm{Scheme: sigalg.ECDSA, Hash: crypto.SHA256}).Verify(pub, digest, sig) == nil
			})
			run("crypto", func() bool { return ecdsa.VerifyASN1(k, digest, sig) })
		}
	}
}
