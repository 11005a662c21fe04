//go:build unix

package attacks

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/sha512"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/eidkit/eidkit/agent/access"
	"github.com/eidkit/eidkit/agent/protocol"
	"github.com/eidkit/eidkit/testcards"
)

// authCertificate reads the authentication certificate behind the card's back.
func authCertificate(t *testing.T, c *testcards.Card) *x509.Certificate {
	t.Helper()
	var der asn1.RawValue // filler follows it in the file
	if _, err := asn1.Unmarshal(c.File(0x5038), &der); err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der.FullBytes)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// TestAuthenticationKeySignsNoDigest: no method takes a digest for the
// authentication key. sign.hash with its certificate ends before a PIN is asked.
func TestAuthenticationKeySignsNoDigest(t *testing.T) {
	t.Parallel()
	r := newRig(t, openPolicy)
	cert := authCertificate(t, r.card)
	digest := sha512.Sum384([]byte("a login at the bank"))
	c := r.site(t, evil)
	for _, params := range []m{
		{"hash": digest[:], "hashFunction": "SHA-384", "certificate": cert.Raw, "key": "authentication"},
		{"hash": digest[:], "hashFunction": "SHA-384", "certificate": cert.Raw, "keyReference": 0x82},
		{"hash": digest[:], "hashFunction": "SHA-384"},
		{"hash": digest[:20], "hashFunction": "SHA-1", "certificate": cert.Raw},
		{"hash": append(digest[:], digest[:]...), "hashFunction": "SHA-384", "certificate": cert.Raw},
	} {
		c.refused("sign.hash", params, protocol.InvalidArgument)
	}
	c.refused("auth.login", m{"challengeNonce": strings.Repeat("N", 44), "hash": digest[:]}, protocol.InvalidArgument)
	untouched(t, r.card)
	c.refused("sign.hash", m{"hash": digest[:], "hashFunction": "SHA-384", "certificate": cert.Raw}, protocol.CertificateMissing)
	noKey(t, r.card)
	r.wantLogged(t, evil, "sign.hash", string(protocol.CertificateMissing))
	if n := r.person.asked(t, "GETPIN"); n != 0 {
		t.Errorf("the PIN was asked %d times", n)
	}
	if told := strings.Join(r.person.told(t), "\n"); !strings.Contains(told, "Only a checksum was handed over") {
		t.Errorf("the dialog does not say that the content cannot be shown: %s", told)
	}
}

// TestLoginNonceIsADigest: a nonce that is itself a digest, or the whole of what
// a token for another site would sign, comes out hashed once more, behind the hash
// of the origin of the connection: what is signed is good for nothing else.
func TestLoginNonceIsADigest(t *testing.T) {
	t.Parallel()
	r := newRig(t, openPolicy)
	key := authCertificate(t, r.card).PublicKey.(*ecdsa.PublicKey)
	bank := sha512.Sum384([]byte("https://bank.example"))
	theirs := sha512.Sum384([]byte(strings.Repeat("B", 44))) // the bank's nonce
	c := r.site(t, evil)
	for _, nonce := range []string{
		base64.StdEncoding.EncodeToString(bank[:]),
		base64.StdEncoding.EncodeToString(append(bank[:], theirs[:]...))[:128],
	} {
		token := c.must("auth.login", m{"challengeNonce": nonce})["token"].(m)
		signature, err := base64.StdEncoding.DecodeString(token["signature"].(string))
		if err != nil || len(signature) != 96 {
			t.Fatalf("%d bytes, %v", len(signature), err)
		}
		rr, ss := new(big.Int).SetBytes(signature[:48]), new(big.Int).SetBytes(signature[48:])
		good := func(message []byte) bool {
			h := sha512.Sum384(message)
			return ecdsa.Verify(key, h[:], rr, ss)
		}
		hash := func(s string) []byte { h := sha512.Sum384([]byte(s)); return h[:] }
		if !good(slices.Concat(hash(evil), hash(nonce))) {
			t.Error("the token is not what the format says")
		}
		raw, err := base64.StdEncoding.DecodeString(nonce)
		if err != nil {
			t.Fatal(err)
		}
		if good(slices.Concat(bank[:], theirs[:])) || good(raw) || good([]byte(nonce)) || ecdsa.Verify(key, raw[:48], rr, ss) {
			t.Error("the site chose what was signed")
		}
	}
	if told := strings.Join(r.person.told(t), "\n"); !strings.Contains(told, evil) || strings.Contains(told, "bank.example") {
		t.Errorf("the dialogs said %s", told)
	}
}

// TestLoginForWhom: nobody logs in but a site by https, in its own name.
func TestLoginForWhom(t *testing.T) {
	t.Parallel()
	r := newRig(t, openPolicy)
	nonce := m{"challengeNonce": strings.Repeat("N", 44)}
	r.page(t).refused("auth.login", nonce, protocol.NotAuthorised)
	r.program(t, "Till", access.OpReaders, access.OpIdentity).refused("auth.login", nonce, protocol.NotAuthorised)
	r.socket(t).refused("auth.login", nonce, protocol.NotAuthorised)
	c := r.site(t, evil)
	for _, origin := range []string{"origin", "Origin", "clientOrigin"} {
		c.refused("auth.login", m{"challengeNonce": strings.Repeat("N", 44), origin: "https://bank.example"}, protocol.InvalidArgument)
	}
	for _, bad := range []string{"http://desk.example", "http://localhost:3000", "null", "file://", "chrome-extension://abc"} {
		r.dialRefused(t, bad, 403)
	}
	untouched(t, r.card)
}

// TestProofIsNothingElse: agent.prove signs under a name of its own with the
// origin of the connection, so that no nonce makes a proof for another site, and
// sites that compare their keys do not learn that they have the same visitor.
func TestProofIsNothingElse(t *testing.T) {
	t.Parallel()
	r := newRig(t, openPolicy)
	prove := func(c *client, nonce []byte) (key ed25519.PublicKey, signature []byte) {
		t.Helper()
		got := c.must("agent.prove", m{"nonce": nonce})
		k, err := base64.StdEncoding.DecodeString(got["key"].(string))
		if err != nil {
			t.Fatal(err)
		}
		s, err := base64.StdEncoding.DecodeString(got["signature"].(string))
		if err != nil {
			t.Fatal(err)
		}
		return k, s
	}
	message := func(origin string, nonce []byte) []byte {
		return slices.Concat([]byte("eidkit agent proof v1\x00"+origin+"\x00"), nonce)
	}
	site, program := r.site(t, evil), r.socket(t)
	nonce := []byte("0123456789abcdef")
	deskKey, s := prove(r.site(t, desk1), nonce)
	if !ed25519.Verify(deskKey, message(desk1, nonce), s) {
		t.Error("no proof")
	}
	crafted := append([]byte(desk1+"\x00"), nonce...) // what stands before the nonce in the desk's proof
	for _, c := range []*client{site, program} {
		key, s := prove(c, crafted)
		if slices.Equal(key, deskKey) {
			t.Error("two clients see one key")
		}
		if ed25519.Verify(key, message(desk1, nonce), s) || ed25519.Verify(deskKey, message(desk1, nonce), s) {
			t.Error("a nonce made another's proof")
		}
	}
	again, _ := prove(r.site(t, evil), nonce)
	first, _ := prove(site, nonce)
	if !slices.Equal(again, first) || !slices.Equal(again, toldKey(t, site)) {
		t.Error("a site does not see the same key again")
	}
	for _, bad := range [][]byte{nil, make([]byte, 15), make([]byte, 65)} {
		site.refused("agent.prove", m{"nonce": bad}, protocol.InvalidArgument)
	}
	untouched(t, r.card)
}

// toldKey is the key that agent.info tells.
func toldKey(t *testing.T, c *client) []byte {
	t.Helper()
	key, err := base64.StdEncoding.DecodeString(c.must("agent.info", nil)["installation"].(m)["key"].(string))
	if err != nil {
		t.Fatal(err)
	}
	return key
}
