package sigalg_test

import (
	"crypto"
	"errors"
	"testing"

	"github.com/eidkit/eidkit/internal/sigalg"
)

// Identifiers are read as what they are of.
func TestIdentifier(t *testing.T) {
	t.Parallel()
	hashes := []crypto.Hash{crypto.SHA1, crypto.SHA224, crypto.SHA256, crypto.SHA384, crypto.SHA512, crypto.SHA3_256, crypto.SHA3_384, crypto.SHA3_512}
	var all []sigalg.Algorithm
	for _, h := range hashes {
		all = append(all, sigalg.Algorithm{Scheme: sigalg.PKCS1, Hash: h}, sigalg.Algorithm{Scheme: sigalg.ECDSA, Hash: h}, sigalg.Algorithm{Scheme: sigalg.PlainECDSA, Hash: h},
			sigalg.Algorithm{Scheme: sigalg.PSS, Hash: h, MGFHash: h, SaltLength: h.Size()}, sigalg.Algorithm{Scheme: sigalg.PSS, Hash: h, MGFHash: crypto.SHA1, SaltLength: 0})
		raw, err := sigalg.DigestIdentifier(h)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := sigalg.HashAlgorithm(raw); err != nil || got != h {
			t.Errorf("%v: %x read as %v, %v", h, raw, got, err)
		}
	}
	for _, a := range append(all, sigalg.Algorithm{Scheme: sigalg.Ed25519}) {
		raw, err := a.Identifier()
		if err != nil {
			t.Errorf("%v: %v", a, err)
			continue
		}
		if got, err := sigalg.Parse(raw); err != nil || got != a {
			t.Errorf("%v: %x read as %v, %v", a, raw, got, err)
		}
	}
	raw, err := sigalg.Algorithm{Scheme: sigalg.PSS, Hash: crypto.SHA256, MGFHash: crypto.SHA256, SaltLength: -1}.Identifier()
	if got, perr := sigalg.Parse(raw); err != nil || perr != nil || got.SaltLength != 32 {
		t.Errorf("salt %d, %v, %v", got.SaltLength, err, perr)
	}
	for _, a := range []sigalg.Algorithm{{}, {Scheme: sigalg.DSA, Hash: crypto.SHA256}, {Scheme: sigalg.ECDSA}, {Scheme: sigalg.PSS, Hash: crypto.SHA256}, {Scheme: sigalg.PKCS1, Hash: crypto.BLAKE2b_256}} {
		if raw, err := a.Identifier(); !errors.Is(err, sigalg.ErrUnsupported) {
			t.Errorf("%v: %x, %v", a, raw, err)
		}
	}
	if raw, err := sigalg.DigestIdentifier(crypto.BLAKE2b_256); !errors.Is(err, sigalg.ErrUnsupported) {
		t.Errorf("%x, %v", raw, err)
	}
}
