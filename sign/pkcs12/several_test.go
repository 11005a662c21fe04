package pkcs12

import (
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"testing"

	"github.com/eidkit/eidkit/internal/ber"
	"github.com/eidkit/eidkit/testcards/pki"

	maker "software.sslmate.com/src/go-pkcs12"
)

// together puts what files without protection hold into one.
func together(t *testing.T, files ...[]byte) []byte {
	t.Helper()
	var parts [][]byte
	for _, data := range files {
		f, err := parse(data)
		if err != nil {
			t.Fatal(err)
		}
		e, err := ber.Parse(f.content)
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, e.Body)
	}
	plain, err := ber.AppendOID(nil, oidData)
	if err != nil {
		t.Fatal(err)
	}
	content := ber.Append(nil, ber.Universal, false, ber.TagOctetString, ber.AppendSequence(nil, parts...))
	version, err := asn1.Marshal(3)
	if err != nil {
		t.Fatal(err)
	}
	return ber.AppendSequence(nil, version, ber.AppendSequence(nil, plain, ber.Append(nil, ber.Context, true, 0, content)))
}

func TestSeveralKeys(t *testing.T) {
	t.Parallel()
	p, err := pki.New(pki.Options{})
	if err != nil {
		t.Fatal(err)
	}
	issue := func(kind pki.Kind, key crypto.Signer) *pki.Issued {
		i, err := p.Issue(pki.Request{Kind: kind, Key: key, Subject: pki.Subject{Surname: "Maes", GivenNames: "Nore", NationalNumber: "85073003328"}})
		if err != nil {
			t.Fatal(err)
		}
		return i
	}
	pack := func(i *pki.Issued, chain ...*x509.Certificate) []byte {
		data, err := maker.Passwordless.Encode(i.Key, i.Certificate, chain, "")
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	one, two := issue(pki.Signature, nil), issue(pki.Authentication, nil)
	if _, err := Open(together(t, pack(one), pack(two)), nil); !errors.Is(err, ErrSeveralKeys) {
		t.Errorf("two keys: %v", err)
	}
	if k, err := Open(together(t, pack(one), pack(one)), nil); err != nil || !k.Certificate().Equal(one.Certificate) {
		t.Errorf("one key twice: %v", err)
	}
	// Of two certificates for one key, the one that the file marks as the key's, wherever it stands.
	renewed, err := maker.Passwordless.EncodeTrustStore([]*x509.Certificate{issue(pki.Authentication, one.Key).Certificate}, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, data := range [][]byte{together(t, renewed, pack(one)), together(t, pack(one), renewed)} {
		if k, err := Open(data, nil); err != nil || !k.Certificate().Equal(one.Certificate) {
			t.Errorf("not the certificate that is marked: %v", err)
		}
	}
	if k, err := Open(together(t, pack(two, one.Certificate), pack(two)), nil); err != nil || !k.Certificate().Equal(two.Certificate) {
		t.Errorf("certificate of another key first: %v", err)
	}
}

// RFC 2268 section 5: the vectors whose effective key length is that of the key.
func TestRC2(t *testing.T) {
	for _, v := range []struct{ key, plain, cipher [8]byte }{
		{[8]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, [8]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, [8]byte{0x27, 0x8b, 0x27, 0xe4, 0x2e, 0x2f, 0x0d, 0x49}},
		{[8]byte{0x30}, [8]byte{0x10, 0, 0, 0, 0, 0, 0, 0x01}, [8]byte{0x30, 0x64, 0x9e, 0xdf, 0x9b, 0xe7, 0xd2, 0xc2}},
	} {
		c, err := newRC2(v.key[:])
		if err != nil {
			t.Fatal(err)
		}
		var out, back [8]byte
		c.Encrypt(out[:], v.plain[:])
		c.Decrypt(back[:], out[:])
		if out != v.cipher || back != v.plain {
			t.Errorf("%x, %x", out, back)
		}
	}
	if _, err := newRC2(nil); err == nil {
		t.Error("an empty key was taken")
	}
}
