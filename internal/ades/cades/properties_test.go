package cades_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"errors"
	"io"
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/ades/cades"
	"github.com/eidkit/eidkit/testcards/pki"
)

func utf8String(s string) []byte { return tlv(0x0C, []byte(s)) }

// Signed attributes in all their forms.
func TestSignedAttributes(t *testing.T) {
	t.Parallel()
	with := func(attributes ...[]byte) *ades.Signature {
		t.Helper()
		f := newForge(t)
		f.signed = append(f.signed, attributes...)
		return read(t, f.sign(sorted).encode())[0]
	}
	policy := func(value []byte) *ades.SignaturePolicy {
		return with(attribute("1.2.840.113549.1.9.16.2.15", value)).Policy
	}
	if p := policy([]byte{5, 0}); p == nil || !p.Implied {
		t.Errorf("implied: %+v", p)
	}
	uri := seq(seq(oid("1.2.840.113549.1.9.16.5.1"), tlv(0x16, []byte("https://example.be/policy"))))
	hash := seq(seq(oid(sha256OID)), octets(make([]byte, 32)))
	if p := policy(seq(oid("2.999.1"), hash, uri)); p == nil || p.ID != "2.999.1" || p.Hash != crypto.SHA256 || len(p.Digest) != 32 || p.URI != "https://example.be/policy" {
		t.Errorf("%+v", p)
	}
	if p := policy(seq(oid("2.999.1"), uri)); p == nil || p.ID != "2.999.1" || p.Hash != 0 || p.URI != "https://example.be/policy" {
		t.Errorf("no digest: %+v", p)
	}
	if p := policy(seq(oid("2.999.1"))); p == nil || p.ID != "2.999.1" {
		t.Errorf("ID alone: %+v", p)
	}

	s := with(attribute("1.2.840.113549.1.9.16.2.17", seq(tlv(0xA0, utf8String("BE")), tlv(0xA1, tlv(0x13, []byte("Brussel"))), tlv(0xA2, seq(utf8String("Wetstraat 1"), utf8String("1000"))))))
	if s.Place != "Wetstraat 1, 1000, Brussel, BE" {
		t.Errorf("place %q", s.Place)
	}
	role := func(value []byte) []byte { return seq(tlv(0xA0, seq(seq(oid("2.5.4.72"), tlv(0x31, value))))) }
	for id, value := range map[string][]byte{"1.2.840.113549.1.9.16.2.18": role(utf8String("Notary")), "0.4.0.19122.1.1": role(seq(tlv(0xA1, tlv(0x86, []byte("Notary")))))} {
		if s := with(attribute(id, value)); !slices.Equal(s.Roles, []string{"Notary"}) {
			t.Errorf("%s: roles %q", id, s.Roles)
		}
	}
	if s := with(attribute("1.2.840.113549.1.9.16.2.18", seq(tlv(0xA1, utf8String("certified by nobody"))))); s.Roles != nil {
		t.Errorf("roles %q", s.Roles)
	}
	if s := with(attribute("1.2.840.113549.1.9.16.2.16", seq(oid("2.999.1")), seq(oid("2.999.2"), seq()))); !slices.Equal(s.Commitments, []string{"2.999.1", "2.999.2"}) {
		t.Errorf("commitments %q", s.Commitments)
	}
	data := oid("1.2.840.113549.1.7.1")
	for _, test := range []struct {
		id    string
		value []byte
		want  string
	}{
		{"0.4.0.1733.2.1", utf8String("application/pdf"), "application/pdf"},
		{"1.2.840.113549.1.9.16.2.4", seq(utf8String("MIME-Version: 1.0\nContent-Type: text/xml; charset=utf-8\n"), data), "text/xml"},
		{"1.2.840.113549.1.9.16.2.4", seq(utf8String("text/plain"), data), "text/plain"},
		{"1.2.840.113549.1.9.16.2.4", seq(utf8String("a letter"), data), ""},
		{"1.2.840.113549.1.9.16.2.4", seq(data), ""},
	} {
		if s := with(attribute(test.id, test.value)); s.MIMEType != test.want || len(s.Findings) > 0 {
			t.Errorf("%x: media type %q, %v", test.value, s.MIMEType, s.Findings)
		}
	}
	// Broken ones are left out, and said.
	for id, value := range map[string][]byte{"1.2.840.113549.1.9.16.2.15": octets(nil), "0.4.0.1733.2.1": seq(), "1.2.840.113549.1.9.16.2.4": seq()} {
		if s := with(attribute(id, value)); codes(s.Findings) != "ENCODING_ODDITY" || s.Policy != nil || s.MIMEType != "" {
			t.Errorf("%s: %s", id, codes(s.Findings))
		}
	}
	// Unknown ones are nobody's business, and signed like any other.
	if s := with(attribute("2.999.3", octets(nil)), attribute("2.999.4")); !verifies(s) || len(s.Findings) > 0 {
		t.Error(describe(s))
	}
}

// Mandatory attributes that are missing, doubled or wrong.
func TestBadAttributes(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(f *forge)
		want   string
	}{
		"no message digest": {func(f *forge) { f.signed = slices.Delete(f.signed, 1, 2) },
			"signer-1 CMS attached  ECDSA with SHA-384; messageDigest true false; does not verify; NO_MESSAGE_DIGEST"},
		"two message digests": {func(f *forge) { f.signed = append(f.signed, f.signed[1]) },
			"signer-1 CMS attached  ECDSA with SHA-384; messageDigest true false; does not verify; BROKEN_ATTRIBUTES"},
		"two values": {func(f *forge) {
			f.signed[1] = attribute("1.2.840.113549.1.9.4", octets(digest(crypto.SHA384, text)), octets(digest(crypto.SHA384)))
		}, "signer-1 CMS attached  ECDSA with SHA-384; messageDigest true false; does not verify; BROKEN_ATTRIBUTES"},
		"empty digest": {func(f *forge) { f.signed[1] = attribute("1.2.840.113549.1.9.4", octets(nil)) },
			"signer-1 CAdES attached B-B ECDSA with SHA-384; messageDigest true false; does not verify"},
		"digest of another type": {func(f *forge) { f.signed[1] = attribute("1.2.840.113549.1.9.4", seq()) },
			"signer-1 CAdES attached B-B ECDSA with SHA-384; messageDigest true false; does not verify; BROKEN_ATTRIBUTES"},
		"unknown digest algorithm": {func(f *forge) { f.digestAlgorithm = seq(oid("2.999.1")) },
			"signer-1 CAdES attached B-B ECDSA with SHA-384; messageDigest true false; does not verify"},
		"no content type": {func(f *forge) { f.signed = slices.Delete(f.signed, 0, 1) },
			"signer-1 CMS attached  ECDSA with SHA-384; messageDigest true true; BROKEN_ATTRIBUTES"},
		"other content type": {func(f *forge) { f.signed[0] = attribute("1.2.840.113549.1.9.3", oid("2.999.1")) },
			"signer-1 CAdES attached B-B ECDSA with SHA-384; messageDigest true true; BROKEN_ATTRIBUTES"},
		"no signing time": {func(f *forge) { f.signed = slices.Delete(f.signed, 2, 3) }, "signer-1 CAdES attached BES ECDSA with SHA-384; messageDigest true true"},
		"no signing certificate": {func(f *forge) { f.signed = slices.Delete(f.signed, 3, 4) },
			"signer-1 CMS attached  ECDSA with SHA-384; messageDigest true true"},
		"empty signing certificate": {func(f *forge) { f.signed[3] = attribute("1.2.840.113549.1.9.16.2.47", seq(seq())) },
			"signer-1 CMS attached  ECDSA with SHA-384; messageDigest true true; NO_SIGNING_CERT_REF"},
		"broken signing certificate": {func(f *forge) { f.signed[3] = attribute("1.2.840.113549.1.9.16.2.47", octets(nil)) },
			"signer-1 CMS attached  ECDSA with SHA-384; messageDigest true true; NO_SIGNING_CERT_REF"},
		"type that needs attributes": {func(f *forge) { f.signed, f.contentType = nil, "2.999.1" },
			"signer-1 CMS attached  ECDSA with SHA-384; content true true; NO_CONTENT_TYPE NO_MESSAGE_DIGEST"},
		"two signing times": {func(f *forge) { f.signed = append(f.signed, f.signed[2]) },
			"signer-1 CMS attached  ECDSA with SHA-384; messageDigest true true; BROKEN_ATTRIBUTES"},
		"unreadable signing time": {func(f *forge) { f.signed[2] = attribute("1.2.840.113549.1.9.5", octets(nil)) },
			"signer-1 CAdES attached B-B ECDSA with SHA-384; messageDigest true true; ENCODING_ODDITY"},
		"two signing certificates": {func(f *forge) { f.signed = append(f.signed, f.signed[3]) },
			"signer-1 CMS attached  ECDSA with SHA-384; messageDigest true true; ENCODING_ODDITY"},
		"signed counter-signature": {func(f *forge) { f.signed = append(f.signed, attribute("1.2.840.113549.1.9.6", seq())) },
			"signer-1 CAdES attached B-B ECDSA with SHA-384; messageDigest true true; BROKEN_ATTRIBUTES"},
		"algorithms protected": {func(f *forge) {
			f.signed = append(f.signed, attribute("1.2.840.113549.1.9.52", seq(seq(oid(sha384OID), []byte{5, 0}), tlv(0xA1, oid("1.2.840.10045.4.3.3")))))
		}, "signer-1 CAdES attached B-B ECDSA with SHA-384; messageDigest true true"},
		"other digest protected": {func(f *forge) {
			f.signed = append(f.signed, attribute("1.2.840.113549.1.9.52", seq(seq(oid(sha256OID)), tlv(0xA1, oid("1.2.840.10045.4.3.3")))))
		}, "signer-1 CAdES attached B-B ECDSA with SHA-384; messageDigest true true; BROKEN_ATTRIBUTES"},
		"other signature algorithm protected": {func(f *forge) {
			f.signed = append(f.signed, attribute("1.2.840.113549.1.9.52", seq(seq(oid(sha384OID)), tlv(0xA1, oid("1.2.840.10045.4.3.2")))))
		}, "signer-1 CAdES attached B-B ECDSA with SHA-384; messageDigest true true; BROKEN_ATTRIBUTES"},
		"broken protection": {func(f *forge) { f.signed = append(f.signed, attribute("1.2.840.113549.1.9.52", seq())) },
			"signer-1 CAdES attached B-B ECDSA with SHA-384; messageDigest true true; BROKEN_ATTRIBUTES"},
		"policy": {func(f *forge) {
			f.signed = append(slices.Delete(f.signed, 2, 3), attribute("1.2.840.113549.1.9.16.2.15", seq(oid("2.999.1"))))
		}, "signer-1 CAdES attached EPES ECDSA with SHA-384; messageDigest true true"},
	} {
		f := newForge(t)
		test.change(f)
		check(t, name, read(t, f.sign(sorted).encode()), test.want)
	}
}

// How the signer's certificate is named and found.
func TestSigningCertificate(t *testing.T) {
	t.Parallel()
	f := newForge(t)
	raw := f.who.Certificate.Raw
	serial := tlv(0x02, f.who.Certificate.SerialNumber.Bytes())
	issuerSerial := seq(seq(tlv(0xA4, f.who.Certificate.RawIssuer)), serial)
	sha1 := octets(digest(crypto.SHA1, raw))
	for name, test := range map[string]struct {
		attribute []byte
		hash      crypto.Hash
		issuer    bool
		level     string
	}{
		"version 1":              {attribute("1.2.840.113549.1.9.16.2.12", seq(seq(seq(sha1)))), crypto.SHA1, false, "B-B"},
		"version 1 with issuer":  {attribute("1.2.840.113549.1.9.16.2.12", seq(seq(seq(sha1, issuerSerial)), seq())), crypto.SHA1, true, "B-B"},
		"version 2, SHA-384":     {attribute("1.2.840.113549.1.9.16.2.47", seq(seq(seq(seq(oid(sha384OID)), octets(digest(crypto.SHA384, raw)), issuerSerial)))), crypto.SHA384, true, "B-B"},
		"version 2 with SHA-1":   {attribute("1.2.840.113549.1.9.16.2.47", seq(seq(seq(seq(oid("1.3.14.3.2.26")), sha1)))), crypto.SHA1, false, ""},
		"other, SHA-1":           {attribute("1.2.840.113549.1.9.16.2.19", seq(seq(seq(sha1)))), crypto.SHA1, false, "BES"},
		"other, named algorithm": {attribute("1.2.840.113549.1.9.16.2.19", seq(seq(seq(seq(seq(oid(sha256OID)), octets(digest(crypto.SHA256, raw))), issuerSerial)))), crypto.SHA256, true, "BES"},
	} {
		f := newForge(t)
		f.signed[3] = test.attribute
		s := read(t, f.sign(sorted).encode())[0]
		if len(s.CertRefs) != 1 || s.CertRefs[0].Hash != test.hash || !bytes.Equal(s.CertRefs[0].Digest, digest(test.hash, raw)) || s.Level != test.level || len(s.Findings) > 0 {
			t.Errorf("%s: %s, %+v", name, describe(s), s.CertRefs)
			continue
		}
		if ref := s.CertRefs[0]; test.issuer != (ref.Serial != nil) || test.issuer && (ref.Serial.Cmp(f.who.Certificate.SerialNumber) != 0 || !bytes.Equal(ref.Issuer, f.who.Certificate.RawIssuer)) {
			t.Errorf("%s: issuer %x, serial %v", name, ref.Issuer, ref.Serial)
		}
	}

	// By key identifier; and by the digest alone if the identifier names nobody.
	f = newForge(t).sign(sorted)
	f.fields[1] = tlv(0x80, f.who.Certificate.SubjectKeyId)
	if s := read(t, f.encode())[0]; !f.who.Certificate.Equal(s.Signer) || len(s.Findings) > 0 {
		t.Errorf("key identifier: %s", describe(s))
	}
	plain, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(5)}, f.p.CitizenCA.Certificate, f.who.Key.Public(), f.p.CitizenCA.Key)
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.MarshalPKIXPublicKey(f.who.Key.Public())
	if err != nil {
		t.Fatal(err)
	}
	var info struct {
		Algorithm asn1.RawValue
		Key       asn1.BitString
	}
	if _, err := asn1.Unmarshal(key, &info); err != nil {
		t.Fatal(err)
	}
	without := newForge(t).sign(sorted) // of a certificate that does not say its key identifier
	without.certificates = [][]byte{plain}
	without.fields[1] = tlv(0x80, digest(crypto.SHA1, info.Key.Bytes))
	if s := read(t, without.encode())[0]; s.Signer == nil || !bytes.Equal(s.Signer.Raw, plain) {
		t.Errorf("key identifier not in the certificate: %s", describe(s))
	}
	without.fields[1] = tlv(0x80, []byte("somebody else"))
	if s := read(t, without.encode())[0]; s.Signer != nil {
		t.Errorf("key identifier of somebody else: %s", describe(s))
	}
	f.fields[1] = seq(f.who.Certificate.RawIssuer, tlv(0x02, []byte{0x55}))
	if s := read(t, f.encode())[0]; !f.who.Certificate.Equal(s.Signer) || codes(s.Findings) != "ENCODING_ODDITY" {
		t.Errorf("wrong serial number: %s", describe(s))
	}
	f.certificates = [][]byte{f.p.CitizenCA.Certificate.Raw}
	if s := read(t, f.encode())[0]; s.Signer != nil || len(s.Certificates) != 1 {
		t.Errorf("no certificate: %s", describe(s))
	}
	// In the certificate-values, and beside the message.
	f = newForge(t).sign(sorted)
	f.certificates = [][]byte{f.p.CitizenCA.Certificate.Raw}
	f.unsigned = [][]byte{attribute("1.2.840.113549.1.9.16.2.23", seq(raw))}
	if s := read(t, f.encode())[0]; !f.who.Certificate.Equal(s.Signer) || len(s.Certificates) != 2 {
		t.Errorf("in the values: %s", describe(s))
	}
	f.unsigned = nil
	list, err := cades.ReadCMS(context.Background(), f.encode(), nil, cades.Options{Certificates: [][]byte{raw}})
	if err != nil || !f.who.Certificate.Equal(list[0].Signer) {
		t.Errorf("beside: %v", err)
	}
}

// Odd and broken parts beside the signature are said and do no harm.
func TestOddEvidence(t *testing.T) {
	t.Parallel()
	f := newForge(t)
	f.certificates = append(f.certificates, seq(octets(nil)), tlv(0xA1, seq()), f.certificates[0])
	f.revocations = [][]byte{f.crl, seq(), tlv(0xA1, oid("1.3.6.1.5.5.7.16.2"), seq()), tlv(0xA1, oid("2.999.1"), seq()), tlv(0xA1), tlv(0xA1, oid("1.3.6.1.5.5.7.48.1.1"), f.ocsp)}
	f.sign(sorted)
	archival := attribute("1.2.840.113583.1.1.8", seq(tlv(0xA0, seq(f.crl)), tlv(0xA1, seq(seq([]byte{10, 1, 0}, tlv(0xA0, seq(oid("1.3.6.1.5.5.7.48.1.1"), octets(f.ocsp))))))))
	f.unsigned = [][]byte{archival, attribute("1.2.840.113549.1.9.16.2.24", octets([]byte("x"))), attribute("2.999.2", seq())}
	s := read(t, f.encode())[0]
	if !verifies(s) || len(s.Certificates) != 2 || len(s.CRLs) != 2 || len(s.OCSPs) != 2 {
		t.Errorf("%d certificates, %d CRLs, %d answers, %s", len(s.Certificates), len(s.CRLs), len(s.OCSPs), describe(s))
	}
	if got, want := codes(s.Findings), "BAD_CERTIFICATE BAD_REVOCATION_DATA BAD_REVOCATION_DATA BAD_REVOCATION_DATA"; got != want {
		t.Errorf("findings %s, want %s", got, want)
	}
}

// Text around a message makes no difference.
func TestEncodings(t *testing.T) {
	t.Parallel()
	f := newForge(t).sign(sorted)
	plain := base64.StdEncoding.EncodeToString(f.encode())
	for _, in := range []string{plain, "-----BEGIN PKCS7-----" + plain + "-----END PKCS7-----"} {
		check(t, in[:20], read(t, []byte(in)), "signer-1 CAdES attached B-B ECDSA with SHA-384; messageDigest true true")
	}
	for name, in := range map[string]string{"nothing": "", "text": "hello", "PDF": "%PDF-1.7\n", "zip": "PK\x03\x04"} {
		if list, err := tryRead([]byte(in)); !errors.Is(err, ades.ErrRefused) {
			t.Errorf("%s: %d signatures, %v", name, len(list), err)
		}
	}
}

// adbe.x509.rsa_sha1: a bare PKCS #1 value.
func TestPKCS1(t *testing.T) {
	t.Parallel()
	p, who := person(t, pki.RSA)
	key, ok := who.Key.(*rsa.PrivateKey)
	if !ok {
		t.Fatalf("key %T", who.Key)
	}
	certificates := [][]byte{who.Certificate.Raw, p.CitizenCA.Certificate.Raw}
	for _, h := range []crypto.Hash{crypto.SHA1, crypto.SHA256} {
		value, err := rsa.SignPKCS1v15(nil, key, h, digest(h, text))
		if err != nil {
			t.Fatal(err)
		}
		raw := append(octets(value), 0, 0)
		s, err := cades.ReadPKCS1(context.Background(), raw, certificates, opener(text), cades.Options{ID: "Field"})
		if err != nil || !verifies(s) || s.Algorithm.Hash != h || s.ID != "Field" || len(s.Certificates) != 2 || contentOf(t, s) != string(text) {
			t.Errorf("%v: %+v", err, s)
		}
		if s, err := cades.ReadPKCS1(context.Background(), raw, certificates, opener([]byte("x")), cades.Options{}); err != nil || verifies(s) {
			t.Errorf("other content: %v", err)
		}
		if s, err := cades.ReadPKCS1(context.Background(), raw, nil, nil, cades.Options{}); err != nil || s.Signer != nil || s.Digest != nil || s.References[0].Found {
			t.Errorf("nothing else: %v", err)
		}
	}
	for name, raw := range map[string][]byte{"nothing": nil, "SEQUENCE": seq(), "cut": {4, 5}} {
		if _, err := cades.ReadPKCS1(context.Background(), raw, certificates, opener(text), cades.Options{}); !errors.Is(err, ades.ErrRefused) {
			t.Errorf("%s: %v", name, err)
		}
	}
	trouble := errors.New("disk on fire")
	if _, err := cades.ReadPKCS1(context.Background(), octets(make([]byte, 256)), certificates, func() (io.ReadCloser, error) { return nil, trouble }, cades.Options{}); !errors.Is(err, trouble) {
		t.Error(err)
	}
}

// A time stamp of TS 101 733's long-term-validation is listed as what is not understood, and what it brings is used.
func TestLongTermValidation(t *testing.T) {
	t.Parallel()
	f := newForge(t).sign(sorted)
	token := f.stamp(signedAt.Add(time.Hour), nil, []byte("?"))
	f.unsigned = [][]byte{attribute("0.4.0.1733.2.2", seq(tlv(0x18, []byte("20240301130000Z")), tlv(0xA0, token), tlv(0xA0, f.p.Root.Certificate.Raw), tlv(0xA1, f.crl)))}
	s := read(t, f.encode())[0]
	if len(s.Certificates) != 3 || len(s.CRLs) != 1 || len(s.Timestamps) != 1 || s.Timestamps[0].Found || codes(s.Timestamps[0].Findings) != "UNSUPPORTED_PART" {
		t.Errorf("%s: %d certificates, %d CRLs", describe(s), len(s.Certificates), len(s.CRLs))
	}
}
