package ocsp

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"testing"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
	peer "golang.org/x/crypto/ocsp"
)

// TestForms reads the forms in which answers are embedded, and gives the one that services send.
func TestForms(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	whole := w.answer(t, w.responder, nil)
	plain, err := Parse(whole)
	if err != nil {
		t.Fatal(err)
	}
	in := cryptobyte.String(whole)
	var body, status, tagged, responseBytes cryptobyte.String
	if !in.ReadASN1(&body, cbasn1.SEQUENCE) || !body.ReadASN1(&status, cbasn1.ENUM) || !body.ReadASN1(&tagged, cbasn1.Tag(0).Constructed().ContextSpecific()) ||
		!tagged.ReadASN1Element(&responseBytes, cbasn1.SEQUENCE) {
		t.Fatal("answer")
	}
	// OCSPResponse of indefinite length: 30 80 ... 00 00.
	indefinite := append(append([]byte{0x30, 0x80}, bytes.TrimPrefix(whole, whole[:len(whole)-len(contents(t, whole))])...), 0, 0)
	for name, form := range map[string]struct {
		der   []byte
		outer bool
	}{"OCSPResponse": {whole, true}, "BasicOCSPResponse": {plain.Raw, false}, "ResponseBytes": {responseBytes, true}, "BER": {indefinite, true}} {
		r, err := Parse(form.der)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !bytes.Equal(r.Raw, plain.Raw) || !bytes.Equal(r.Encoded(), whole) || (r.Outer != nil) != form.outer || form.outer && !bytes.Equal(r.Outer, form.der) {
			t.Errorf("%s: other bytes", name)
		}
		if _, err := r.Verify(w.issuer, nil); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, der := range map[string][]byte{
		"empty": {}, "no sequence": {5, 0}, "empty sequence": {0x30, 0}, "data behind": append(bytes.Clone(whole), 0), "two statuses": {0x30, 6, 10, 1, 0, 10, 1, 0},
		"successful, and nothing": {0x30, 3, 10, 1, 0}, "page": []byte("<html>"), "large": make([]byte, MaxResponse+1), "endless": {0x30, 0x80, 0x30, 0x80},
		"of another type": bytes.Replace(whole, []byte{0x2b, 6, 1, 5, 5, 7, 48, 1, 1}, []byte{0x2b, 6, 1, 5, 5, 7, 48, 1, 99}, 1),
	} {
		if _, err := Parse(der); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func contents(t *testing.T, der []byte) []byte {
	t.Helper()
	in := cryptobyte.String(der)
	var body cryptobyte.String
	if !in.ReadASN1(&body, cbasn1.SEQUENCE) {
		t.Fatal("no SEQUENCE")
	}
	return body
}

// TestCertHash: a service that names the certificate by its hash must mean this one.
func TestCertHash(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	right, wrong := sha256.Sum256(w.cert.Raw), sha256.Sum256(w.other.Raw)
	for name, test := range map[string]struct {
		value    []byte
		critical bool
		usable   bool
	}{
		"right": {right[:], false, true}, "right, critical": {right[:], true, true}, "wrong": {wrong[:], false, false}, "short": {right[:31], false, false},
		"unreadable": {nil, false, true}, "unreadable, critical": {nil, true, false},
	} {
		value := []byte{5, 0}
		if test.value != nil {
			var err error
			if value, err = asn1.Marshal(struct {
				Hash  pkix.AlgorithmIdentifier
				Value []byte
			}{pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}}, test.value}); err != nil {
				t.Fatal(err)
			}
		}
		r, err := Parse(w.answer(t, w.issuer, func(p *peer.Response) {
			p.ExtraExtensions = []pkix.Extension{{Id: oidCertHash, Critical: test.critical, Value: value}}
		}))
		if err != nil {
			t.Fatal(err)
		}
		found, err := r.Find(w.cert, w.issuer)
		if err != nil || len(found) != 1 || (found[0].Unusable == nil) != test.usable {
			t.Errorf("%s: %+v, %v", name, found, err)
		}
	}
}
