package carddata_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/asn1"
	"math/big"
	"testing"

	"github.com/eidkit/eidkit/testcards/pki"
	"github.com/eidkit/eidkit/verify"
	"github.com/eidkit/eidkit/verify/carddata"
)

// testCard says what newTestCard makes.
type testCard struct {
	alg      pki.Algorithm
	seed     uint64
	photo    crypto.Hash // of tag 11; 0: SHA-384
	basicKey bool        // file 4040 and tag 1A
	fill     int         // zero filler after signatures and files
	network  *pki.PKI    // with running services; nil: none, made by alg and seed
}

// builtCard is a card made in the test, field by field and not with the
// project's simulated cards: those have their own idea of what is signed.
type builtCard struct {
	pki   *pki.PKI
	files carddata.Files
}

func (c *builtCard) anchors() *verify.Anchors {
	a := &verify.Anchors{}
	a.Add(c.pki.Root.Certificate)
	return a
}

func newTestCard(t testing.TB, o testCard) *builtCard {
	t.Helper()
	p := o.network
	var err error
	if p == nil {
		if p, err = pki.New(pki.Options{Algorithm: o.alg, Seed: o.seed}); err != nil {
			t.Fatal(err)
		}
	}
	if o.photo == 0 {
		o.photo = crypto.SHA384
	}
	serial := []byte("SLIN0123456789AB")
	f := carddata.Files{
		CardData: append(bytes.Clone(serial), 0xA5, 3, 1, 1, 1, 0x18, 0, 1, 0, 0, 2, 0x0F),
		Photo:    []byte("\xFF\xD8\xFFdrawn"),
		Root:     p.Root.Certificate.Raw, CA: p.CitizenCA.Certificate.Raw, RRN: p.RRN.Certificate.Raw,
	}
	if o.basicKey {
		if f.BasicKey, err = x509.MarshalPKIXPublicKey(p.LeafKeyOf(pki.EC, pki.Basic, "card").Public()); err != nil {
			t.Fatal(err)
		}
	}
	f.Identity = identityFile(serial, sum(o.photo, f.Photo), f.BasicKey)
	f.Address = append(tlv(0x01, "Proefstraat 1"), append(tlv(0x02, "1000"), tlv(0x03, "Brussel")...)...)
	f.Address = append(f.Address, make([]byte, 117-len(f.Address))...)
	c := &builtCard{p, f}
	c.sign(t, o.fill)
	return c
}

// sign writes both signature files as the register does (facts 3.6).
func (c *builtCard) sign(t testing.TB, fill int) {
	t.Helper()
	filler := make([]byte, fill)
	sig, err := c.pki.SignFile(c.files.Identity)
	if err != nil {
		t.Fatal(err)
	}
	c.files.IdentitySignature = append(sig, filler...)
	signed := append(bytes.TrimRight(c.files.Address, "\x00"), c.files.IdentitySignature...)
	if sig, err = c.pki.SignFile(signed); err != nil {
		t.Fatal(err)
	}
	c.files.AddressSignature = append(sig, filler...)
}

func identityFile(serial, photoHash, basicKey []byte) []byte {
	var b []byte
	for _, field := range []struct {
		tag   byte
		value string
	}{
		{0x01, "000000122157"}, {0x02, string(serial)}, {0x03, "23.07.2023"}, {0x04, "23.07.2033"}, {0x05, "Antwerpen"},
		{0x06, "71715100070"}, {0x07, "Proef"}, {0x08, "Zoë"}, {0x09, ""}, {0x0A, "Belg"}, {0x0B, "Hasselt"},
		{0x0C, "01 JAN 1971"}, {0x0D, "V"}, {0x0E, ""}, {0x0F, "1"}, {0x10, "0"}, {0x11, string(photoHash)},
	} {
		b = append(b, tlv(field.tag, field.value)...)
	}
	if basicKey != nil {
		b = append(b, tlv(0x1A, string(sum(crypto.SHA384, basicKey)))...)
	}
	return b
}

func tlv(tag byte, value string) []byte {
	return append([]byte{tag, byte(len(value))}, value...)
}

func sum(hash crypto.Hash, data []byte) []byte {
	h := hash.New()
	h.Write(data)
	return h.Sum(nil)
}

// answer is what the chip makes of a challenge: ECDSA over it as the hash, r
// and s side by side.
func (c *builtCard) answer(t testing.TB, label string, challenge []byte) []byte {
	t.Helper()
	key := c.pki.LeafKeyOf(pki.EC, pki.Basic, label)
	hash := crypto.SHA384
	if len(challenge) == 32 {
		hash = crypto.SHA256
	}
	der, err := key.Sign(nil, challenge, hash)
	if err != nil {
		t.Fatal(err)
	}
	var rs struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(der, &rs); err != nil {
		t.Fatal(err)
	}
	size := (key.Public().(*ecdsa.PublicKey).Params().BitSize + 7) / 8
	return append(rs.R.FillBytes(make([]byte, size)), rs.S.FillBytes(make([]byte, size))...)
}
