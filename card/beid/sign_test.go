package beid_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/eidkit/eidkit/card"
	"github.com/eidkit/eidkit/card/beid"
	"github.com/eidkit/eidkit/testcards"
)

// typed is a PINFunc that types digits, and counts how often it was asked.
func typed(t *testing.T, digits string, asked *int) beid.PINFunc {
	return func(context.Context, beid.PINRequest) (card.PIN, error) {
		if asked != nil {
			*asked++
		}
		pin, err := card.NewPIN([]byte(digits))
		if err != nil {
			t.Error(err)
		}
		return pin, nil
	}
}

// bothKeys opens the two keys of a card.
func bothKeys(t *testing.T, c *beid.Card, ask beid.PINFunc) map[string]*beid.Key {
	t.Helper()
	auth, err := c.AuthenticationKey(context.Background(), ask)
	if err != nil {
		t.Fatal(err)
	}
	sign, err := c.SigningKey(context.Background(), ask)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]*beid.Key{"authentication": auth, "signature": sign}
}

// TestSignatures makes every kind of signature each applet can, with both keys, and has openssl check them.
func TestSignatures(t *testing.T) {
	openssl := tool(t, "openssl")
	message := []byte("I declare that this is so.")
	pss := func(h crypto.Hash) crypto.SignerOpts {
		return &rsa.PSSOptions{Hash: h, SaltLength: rsa.PSSSaltLengthEqualsHash}
	}
	for _, test := range []struct {
		profile string
		opts    []crypto.SignerOpts
	}{
		{"citizen-1.1", []crypto.SignerOpts{crypto.SHA1, crypto.SHA256, crypto.SHA384, crypto.SHA512}},
		{"citizen-1.7", []crypto.SignerOpts{crypto.SHA1, crypto.SHA256, crypto.SHA384, crypto.SHA512, crypto.SHA3_256, pss(crypto.SHA1), pss(crypto.SHA256)}},
		{"rekeyed-1.7", []crypto.SignerOpts{crypto.SHA256}},
		{"citizen-1.8", []crypto.SignerOpts{crypto.SHA1, crypto.SHA224, crypto.SHA256, crypto.SHA384, crypto.SHA512, crypto.SHA3_256, crypto.SHA3_384, crypto.SHA3_512}},
	} {
		t.Run(test.profile, func(t *testing.T) {
			_, c, _ := simulate(t, test.profile, testcards.Options{})
			for name, key := range bothKeys(t, c, typed(t, testcards.PIN, nil)) {
				for _, o := range test.opts {
					sig, err := key.SignMessage(rand.Reader, message, o)
					if err != nil {
						t.Errorf("%s, %v: %v", name, o.HashFunc(), err)
						continue
					}
					opensslVerify(t, openssl, key.Certificate(), o, message, sig)
				}
			}
		})
	}
}

// opensslVerify has openssl dgst check a signature over message.
func opensslVerify(t *testing.T, openssl string, cert *x509.Certificate, o crypto.SignerOpts, message, sig []byte) {
	t.Helper()
	dir := t.TempDir()
	pub := filepath.Join(dir, "pub.pem")
	write := func(path string, b []byte) {
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	spki, err := x509.MarshalPKIXPublicKey(cert.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	write(pub, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: spki}))
	write(filepath.Join(dir, "sig"), sig)
	write(filepath.Join(dir, "msg"), message)
	hash := map[crypto.Hash]string{crypto.SHA1: "sha1", crypto.SHA224: "sha224", crypto.SHA256: "sha256", crypto.SHA384: "sha384", crypto.SHA512: "sha512",
		crypto.SHA3_256: "sha3-256", crypto.SHA3_384: "sha3-384", crypto.SHA3_512: "sha3-512"}[o.HashFunc()]
	args := []string{"dgst", "-" + hash, "-verify", pub, "-signature", filepath.Join(dir, "sig")}
	if _, ok := o.(*rsa.PSSOptions); ok {
		args = append(args, "-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest")
	}
	if out, err := exec.Command(openssl, append(args, filepath.Join(dir, "msg"))...).CombinedOutput(); err != nil {
		t.Errorf("openssl does not verify %s: %v\n%s", hash, err, out)
	}
}

// tool finds an outside program; in CI it must be there.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is needed: make test installs it", name)
		}
		t.Skipf("%s is not here: make test installs it", name)
	}
	return path
}

func TestRawECDSA(t *testing.T) {
	_, c, _ := simulate(t, "citizen-1.8", testcards.Options{})
	key, err := c.SigningKey(context.Background(), typed(t, testcards.PIN, nil))
	if err != nil {
		t.Fatal(err)
	}
	digest := make([]byte, 48)
	sig, err := key.Sign(nil, digest, beid.RawECDSA{Hash: crypto.SHA384})
	if err != nil {
		t.Fatal(err)
	}
	if len(sig) != 96 {
		t.Fatalf("%d bytes, want 96", len(sig))
	}
	r, s := new(big.Int).SetBytes(sig[:48]), new(big.Int).SetBytes(sig[48:])
	if !ecdsa.Verify(key.Public().(*ecdsa.PublicKey), digest, r, s) {
		t.Error("does not verify")
	}
}

// TestSignatureCommands holds a signature to MSE, VERIFY, PSO, GET RESPONSE and LOG OFF, and a further one with the
// authentication key, in the same transaction, to two.
func TestSignatureCommands(t *testing.T) {
	for _, profile := range []string{"citizen-1.1", "citizen-1.7", "citizen-1.8"} {
		_, c, trace := simulate(t, profile, testcards.Options{})
		asked := 0
		keys := bothKeys(t, c, typed(t, testcards.PIN, &asked))
		digest := make([]byte, 32)
		for name, key := range keys {
			before := trace.Stats().Commands
			if _, err := key.Sign(nil, digest, crypto.SHA256); err != nil {
				t.Fatal(err)
			}
			if got := trace.Stats().Commands - before; got != 5 {
				t.Errorf("%s, %s key: %d commands for a signature, want 5", profile, name, got)
			}
		}
		before, askedBefore := trace.Stats().Commands, asked
		if _, err := keys["authentication"].SignAll([][]byte{digest, digest, digest}, crypto.SHA256); err != nil {
			t.Fatal(err)
		}
		if got := trace.Stats().Commands - before; got != 5+2+2 {
			t.Errorf("%s: %d commands for three signatures, want 9", profile, got)
		}
		if asked != askedBefore+1 {
			t.Errorf("%s: asked %d times for one batch", profile, asked-askedBefore)
		}
		if _, err := keys["signature"].SignAll([][]byte{digest, digest}, crypto.SHA256); err != nil {
			t.Fatal(err)
		}
		if asked != askedBefore+3 {
			t.Errorf("%s: the signature key wants the PIN each time, asked %d times for two", profile, asked-askedBefore-1)
		}
	}
}

// TestRefusedWithoutPIN: what the card cannot do is refused before anybody is asked for a PIN, and before the card hears of it.
func TestRefusedWithoutPIN(t *testing.T) {
	for _, test := range []struct {
		profile string
		size    int
		opts    crypto.SignerOpts
	}{
		{"citizen-1.8", 32, crypto.SHA384}, // digest does not fit
		{"citizen-1.8", 0, crypto.Hash(0)},
		{"citizen-1.8", 16, crypto.MD5},
		{"citizen-1.7", 64, &rsa.PSSOptions{Hash: crypto.SHA512}},
		{"citizen-1.7", 32, &rsa.PSSOptions{Hash: crypto.SHA256, SaltLength: 20}},
		{"citizen-1.1", 32, &rsa.PSSOptions{Hash: crypto.SHA256}},
		{"citizen-1.7", 16, crypto.MD5},
	} {
		_, c, trace := simulate(t, test.profile, testcards.Options{})
		asked := 0
		key, err := c.SigningKey(context.Background(), typed(t, testcards.PIN, &asked))
		if err != nil {
			t.Fatal(err)
		}
		before := trace.Stats().Commands
		if _, err := key.Sign(nil, make([]byte, test.size), test.opts); err == nil {
			t.Errorf("%s: %v over %d bytes was signed", test.profile, test.opts, test.size)
		}
		if asked != 0 || trace.Stats().Commands != before {
			t.Errorf("%s, %v: asked for the PIN %d times, sent %d commands", test.profile, test.opts, asked, trace.Stats().Commands-before)
		}
	}
}

func TestNoCertificate(t *testing.T) {
	_, c, _ := simulate(t, "kid-1.8", testcards.Options{})
	if _, err := c.SigningKey(context.Background(), typed(t, testcards.PIN, nil)); !errors.Is(err, beid.ErrNoCertificate) {
		t.Errorf("SigningKey = %v", err)
	}
}

func TestChallenge(t *testing.T) {
	_, c, _ := simulate(t, "citizen-1.8", testcards.Options{})
	ctx := context.Background()
	challenge := make([]byte, 48)
	rand.Read(challenge)
	answer, err := c.Challenge(ctx, challenge)
	if err != nil {
		t.Fatal(err)
	}
	f, err := c.Files(ctx, beid.FileBasicKey)
	if err != nil {
		t.Fatal(err)
	}
	pub, err := x509.ParsePKIXPublicKey(f.BasicKey)
	if err != nil {
		t.Fatal(err)
	}
	r, s := new(big.Int).SetBytes(answer[:48]), new(big.Int).SetBytes(answer[48:])
	if !ecdsa.Verify(pub.(*ecdsa.PublicKey), challenge, r, s) {
		t.Error("the answer does not verify")
	}
	_, old, _ := simulate(t, "citizen-1.7", testcards.Options{})
	if _, err := old.Challenge(ctx, challenge); !errors.Is(err, card.ErrUnsupported) {
		t.Errorf("on 1.7: %v", err)
	}
}
