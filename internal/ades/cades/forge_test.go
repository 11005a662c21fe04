package cades_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"encoding/asn1"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/eidkit/eidkit/testcards/answers"
	"github.com/eidkit/eidkit/testcards/pki"
)

// tlv is one element in DER.
func tlv(tag byte, parts ...[]byte) []byte {
	body := bytes.Join(parts, nil)
	switch n := len(body); {
	case n < 0x80:
		return append([]byte{tag, byte(n)}, body...)
	case n < 0x100:
		return append([]byte{tag, 0x81, byte(n)}, body...)
	case n < 0x10000:
		return append([]byte{tag, 0x82, byte(n >> 8), byte(n)}, body...)
	default:
		return append([]byte{tag, 0x83, byte(n >> 16), byte(n >> 8), byte(n)}, body...)
	}
}

func seq(parts ...[]byte) []byte { return tlv(0x30, parts...) }
func octets(b []byte) []byte     { return tlv(0x04, b) }

func oid(s string) []byte {
	var id asn1.ObjectIdentifier
	for arc := range strings.SplitSeq(s, ".") {
		n, err := strconv.Atoi(arc)
		if err != nil {
			panic(err)
		}
		id = append(id, n)
	}
	b, err := asn1.Marshal(id)
	if err != nil {
		panic(err)
	}
	return b
}

func attribute(id string, values ...[]byte) []byte { return seq(oid(id), tlv(0x31, values...)) }

func digest(h crypto.Hash, parts ...[]byte) []byte {
	s := h.New()
	for _, p := range parts {
		s.Write(p)
	}
	return s.Sum(nil)
}

const (
	sha256OID = "2.16.840.1.101.3.4.2.1"
	sha384OID = "2.16.840.1.101.3.4.2.2"
)

// forge makes messages of the forms that no tool at hand makes. It builds everything from tags and lengths.
type forge struct {
	t        testing.TB
	p        *pki.PKI
	who      *pki.Issued
	content  []byte
	detached bool
	// certificates and revocations are what stands in the fields; signed and unsigned are attributes.
	certificates, revocations, signed, unsigned [][]byte
	contentType                                 string
	digestAlgorithm                             []byte
	key                                         crypto.Signer // instead of the signer's

	fields [][]byte // of the SignerInfo up to the value
	value  []byte
	// crl and ocsp are about the signer.
	crl, ocsp []byte
}

func newForge(t testing.TB) *forge {
	t.Helper()
	p, who := person(t, pki.EC)
	f := &forge{t: t, p: p, who: who, content: text, contentType: "1.2.840.113549.1.7.1", digestAlgorithm: seq(oid(sha384OID))}
	f.certificates = [][]byte{who.Certificate.Raw, p.CitizenCA.Certificate.Raw}
	var err error
	at := signedAt.Add(time.Hour)
	if f.crl, err = p.CRL(p.CitizenCA, pki.List{Number: 1, ThisUpdate: at, NextUpdate: at.AddDate(0, 0, 7)}); err != nil {
		t.Fatal(err)
	}
	responder, err := p.Responder(p.CitizenCA, pki.Service{At: at})
	if err != nil {
		t.Fatal(err)
	}
	f.ocsp, err = answers.OCSP{Responder: responder, ProducedAt: at, Singles: []answers.Single{{Serial: who.Certificate.SerialNumber, Issuer: p.CitizenCA.Certificate, ThisUpdate: at}}}.Basic()
	if err != nil {
		t.Fatal(err)
	}
	f.signed = [][]byte{
		attribute("1.2.840.113549.1.9.3", oid(f.contentType)),
		attribute("1.2.840.113549.1.9.4", octets(digest(crypto.SHA384, text))),
		attribute("1.2.840.113549.1.9.5", tlv(0x17, []byte("240301120000Z"))),
		attribute("1.2.840.113549.1.9.16.2.47", seq(seq(seq(octets(digest(crypto.SHA256, who.Certificate.Raw)))))),
	}
	return f
}

// sign makes the SignerInfo. order says how the signed attributes are put into the message and hashed.
func (f *forge) sign(order func([][]byte) [][]byte) *forge {
	f.t.Helper()
	serial, err := asn1.Marshal(f.who.Certificate.SerialNumber)
	if err != nil {
		f.t.Fatal(err)
	}
	f.fields = [][]byte{{2, 1, 1}, seq(f.who.Certificate.RawIssuer, serial), f.digestAlgorithm}
	var input []byte
	if f.signed != nil {
		list := order(f.signed)
		input = tlv(0x31, list...)
		f.fields = append(f.fields, tlv(0xA0, list...))
	} else {
		input = f.content
	}
	key, algorithm := f.key, seq(oid("1.3.101.112"))
	opts := crypto.Hash(0)
	if key == nil {
		key, algorithm, opts = f.who.Key, seq(oid("1.2.840.10045.4.3.3")), crypto.SHA384
		input = digest(crypto.SHA384, input)
	}
	if f.value, err = key.Sign(rand.Reader, input, opts); err != nil {
		f.t.Fatal(err)
	}
	f.fields = append(f.fields, algorithm, octets(f.value))
	return f
}

// sorted is the order of DER; as written is any other.
func sorted(list [][]byte) [][]byte    { return slices.SortedFunc(slices.Values(list), bytes.Compare) }
func asWritten(list [][]byte) [][]byte { return list }

func (f *forge) encap() []byte {
	if f.detached {
		return seq(oid(f.contentType))
	}
	return seq(oid(f.contentType), tlv(0xA0, octets(f.content)))
}

func (f *forge) certsField() []byte { return tlv(0xA0, f.certificates...) }

func (f *forge) crlsField() []byte {
	if f.revocations == nil {
		return nil
	}
	return tlv(0xA1, f.revocations...)
}

func (f *forge) encode() []byte {
	signer := slices.Clone(f.fields)
	if f.unsigned != nil {
		signer = append(signer, tlv(0xA1, f.unsigned...))
	}
	return seq(oid("1.2.840.113549.1.7.2"), tlv(0xA0, seq([]byte{2, 1, 1}, tlv(0x31, f.digestAlgorithm), f.encap(), f.certsField(), f.crlsField(), tlv(0x31, seq(signer...)))))
}

// stamp is a time stamp over what the parts are together.
func (f *forge) stamp(at time.Time, unsigned [][]byte, parts ...[]byte) []byte {
	f.t.Helper()
	token, err := answers.Timestamp{TSA: f.p.TSA, Certificates: []*x509.Certificate{f.p.TSA.Certificate}, Hash: crypto.SHA256,
		Imprint: digest(crypto.SHA256, parts...), Time: at, Serial: big.NewInt(at.Unix()), Unsigned: unsigned}.Token()
	if err != nil {
		f.t.Fatal(err)
	}
	return token
}

// references are complete-certificate-references and complete-revocation-references.
func (f *forge) references() (certificates, revocations []byte) {
	hash := func(b []byte) []byte { return seq(seq(oid(sha256OID)), octets(digest(crypto.SHA256, b))) }
	certificates = attribute("1.2.840.113549.1.9.16.2.21", seq(seq(hash(f.p.CitizenCA.Certificate.Raw)), seq(octets(digest(crypto.SHA1, f.p.Root.Certificate.Raw)))))
	list := tlv(0xA0, seq(seq(seq(hash(f.crl)))))
	answer := tlv(0xA1, seq(seq(seq(seq(tlv(0xA1, []byte("x")), tlv(0x18, []byte("20240301130000Z"))), hash(f.ocsp)))))
	return certificates, attribute("1.2.840.113549.1.9.16.2.22", seq(seq(list, answer)))
}

func (f *forge) values() (certificates, revocations []byte) {
	return attribute("1.2.840.113549.1.9.16.2.23", seq(f.p.Root.Certificate.Raw)),
		attribute("1.2.840.113549.1.9.16.2.24", seq(tlv(0xA0, seq(f.crl)), tlv(0xA1, seq(f.ocsp))))
}
