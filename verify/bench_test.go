package verify_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"testing"
	"time"

	"github.com/eidkit/eidkit/testcards/pki"
	"github.com/eidkit/eidkit/testcards/signed"
	"github.com/eidkit/eidkit/verify"
)

// BenchmarkLT verifies B-LT signatures of the EC PKI (P-384), each one new, by
// one signer, with warm caches: what is asked once for all of a signer's
// signatures is known. Compare with BenchmarkP384.
func BenchmarkLT(b *testing.B) {
	p, err := pki.New(pki.Options{})
	if err != nil {
		b.Fatal(err)
	}
	anchors := &verify.Anchors{}
	anchors.Add(p.Root.Certificate)
	who, err := signed.Citizen(p, pki.Request{})
	if err != nil {
		b.Fatal(err)
	}
	at := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	for format, make := range makers {
		b.Run(format, func(b *testing.B) {
			var v verify.Verifier
			o := verify.Options{Anchors: anchors, At: at.Add(time.Hour), Offline: true}
			var files [][]byte
			for i := range b.N + 1 {
				data, err := make(signed.Options{PKI: p, Signer: who, At: at.Add(-time.Duration(i) * time.Second), Level: signed.LT})
				if err != nil {
					b.Fatal(err)
				}
				files = append(files, data)
			}
			verifyOne(b, &v, files[b.N], o)
			b.ResetTimer()
			for i := range b.N {
				verifyOne(b, &v, files[i], o)
			}
		})
	}
}

func verifyOne(b *testing.B, v *verify.Verifier, data []byte, o verify.Options) {
	b.Helper()
	rep, err := v.File(context.Background(), bytes.NewReader(data), int64(len(data)), o)
	if err != nil || !rep.Passed() {
		b.Fatal(err, rep)
	}
}

// BenchmarkP384 is one public-key operation.
func BenchmarkP384(b *testing.B) {
	key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	digest := make([]byte, 48)
	value, err := ecdsa.SignASN1(rand.Reader, key, digest)
	if err != nil {
		b.Fatal(err)
	}
	for range b.N {
		if !ecdsa.VerifyASN1(&key.PublicKey, digest, value) {
			b.Fatal("does not fit")
		}
	}
}

// BenchmarkManySignatures verifies a PDF with 100 signatures.
func BenchmarkManySignatures(b *testing.B) {
	p, err := pki.New(pki.Options{})
	if err != nil {
		b.Fatal(err)
	}
	anchors := &verify.Anchors{}
	anchors.Add(p.Root.Certificate)
	pdf := signed.NewPDF(signed.PDFOptions{})
	at := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	for i := range 100 {
		who, err := signed.Citizen(p, pki.Request{Subject: pki.Subject{NationalNumber: fmt.Sprintf("717155%05d", i), Surname: "Proefkonijn-Specimen"}})
		if err != nil {
			b.Fatal(err)
		}
		if err := pdf.Sign(signed.Options{PKI: p, Signer: who, At: at.Add(time.Duration(i) * time.Minute), Level: signed.T}, signed.Field{}); err != nil {
			b.Fatal(err)
		}
	}
	data := pdf.Bytes()
	for range b.N {
		var v verify.Verifier // nothing is warm
		rep, err := v.File(context.Background(), bytes.NewReader(data), int64(len(data)), verify.Options{Anchors: anchors, At: at.AddDate(0, 0, 1), Offline: true})
		if err != nil || len(rep.Signatures) != 100 {
			b.Fatal(err, rep)
		}
	}
}
