package sign_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/eidkit/eidkit/card"
	"github.com/eidkit/eidkit/card/beid"
	"github.com/eidkit/eidkit/pkcs11"
	"github.com/eidkit/eidkit/sign"
	"github.com/eidkit/eidkit/sign/pkcs12"
	"github.com/eidkit/eidkit/testcards"
	"github.com/eidkit/eidkit/testcards/pki"
)

// heldKey is a key as its holder has it.
type heldKey struct {
	name string
	alg  pki.Algorithm
	key  sign.Key
}

// everyKey are the keys of the table: all of the test PKIs, so that their services know them.
func (w *workshop) everyKey(t *testing.T) []heldKey {
	t.Helper()
	rsa, ec := w.softHSM(t)
	return []heldKey{
		{"eID 1.7", pki.RSA, w.card(t, testcards.Citizen17, pki.RSA)},
		{"eID 1.8", pki.EC, w.card(t, testcards.Citizen18, pki.EC)},
		{"SoftHSM RSA", pki.RSA, rsa},
		{"SoftHSM EC", pki.EC, ec},
		{"PKCS #12", pki.RSA, w.pkcs12(t)},
	}
}

// card is the signing key of a simulated eID, whose holder types the PIN whenever the card wants it.
func (w *workshop) card(t *testing.T, profile testcards.Profile, alg pki.Algorithm) sign.Key {
	t.Helper()
	c, err := beid.Open(context.Background(), testcards.New(profile, testcards.Options{PKI: w.net.Of(alg)}).Reader())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	key, err := c.SigningKey(context.Background(), func(context.Context, beid.PINRequest) (card.PIN, error) { return card.NewPIN([]byte(testcards.PIN)) })
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// softHSM are two keys on a token of SoftHSM, through package pkcs11.
func (w *workshop) softHSM(t *testing.T) (rsa, ec sign.Key) {
	t.Helper()
	dir := t.TempDir()
	put(t, dir, "tokens/README", nil)
	put(t, dir, "softhsm2.conf", fmt.Appendf(nil, "directories.tokendir = %s\nlog.level = ERROR\n", filepath.Join(dir, "tokens")))
	// The module reads it when it is loaded, which nobody else does in this process.
	if err := os.Setenv("SOFTHSM2_CONF", filepath.Join(dir, "softhsm2.conf")); err != nil {
		t.Fatal(err)
	}
	mustRun(t, dir, "softhsm2-util", "--init-token", "--free", "--label", "eidkit", "--so-pin", "123456", "--pin", "1234")
	put(t, dir, "pin", []byte("1234"))
	library, err := pkcs11.ParseURI("pkcs11:token=eidkit?module-name=softhsm2")
	if err != nil {
		t.Fatal(err)
	}
	module, err := pkcs11.FindModule(library)
	if err != nil {
		t.Fatal(err)
	}
	var keys [2]sign.Key
	for i, alg := range []pki.Algorithm{pki.RSA, pki.EC} {
		who := w.citizen(alg, 0)
		put(t, dir, "key.pem", privatePEM(t, who))
		put(t, dir, "cert.der", who.Certificate.Raw)
		id := fmt.Sprintf("0%d", i+1)
		mustRun(t, dir, "softhsm2-util", "--import", "key.pem", "--token", "eidkit", "--label", alg.String(), "--id", id, "--pin", "1234")
		mustRun(t, dir, "pkcs11-tool", "--module", module, "--token-label", "eidkit", "--login", "--pin", "1234", "--write-object", "cert.der", "--type", "cert", "--id", id, "--label", alg.String())
		uri, err := pkcs11.ParseURI(fmt.Sprintf("pkcs11:token=eidkit;id=%%%s?module-name=softhsm2&pin-source=file:%s", id, filepath.Join(dir, "pin")))
		if err != nil {
			t.Fatal(err)
		}
		key, err := pkcs11.OpenKey(context.Background(), uri, pkcs11.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { key.Close() })
		keys[i] = key
	}
	return keys[0], keys[1]
}

// pkcs12 is a key in a file that openssl wrote.
func (w *workshop) pkcs12(t *testing.T) sign.Key {
	t.Helper()
	dir, who := t.TempDir(), w.citizen(pki.RSA, 1)
	put(t, dir, "key.pem", privatePEM(t, who))
	put(t, dir, "signer.pem", inPEM(who.Certificate))
	put(t, dir, "ca.pem", inPEM(who.Issuer.Certificate))
	mustRun(t, dir, "openssl", "pkcs12", "-export", "-inkey", "key.pem", "-in", "signer.pem", "-certfile", "ca.pem", "-name", "signer", "-passout", "pass:geheim", "-out", "signer.p12")
	key, err := pkcs12.Open(readFile(t, filepath.Join(dir, "signer.p12")), pkcs11.NewSecret([]byte("geheim")))
	if err != nil {
		t.Fatal(err)
	}
	return key
}
