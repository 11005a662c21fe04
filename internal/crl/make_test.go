package crl

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/binary"
	"math/big"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// authority is a CA of these tests.
type authority struct {
	cert *x509.Certificate
	key  crypto.Signer
}

var ecKey = sync.OnceValue(func() crypto.Signer {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return key
})

var rsaKey = sync.OnceValue(func() crypto.Signer {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

func newAuthority(t testing.TB, name string, key crypto.Signer) authority {
	t.Helper()
	return newAuthorityFrom(t, &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{Country: []string{"BE"}, CommonName: name}, NotBefore: noon.AddDate(-5, 0, 0), NotAfter: noon.AddDate(5, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}, key)
}

func newAuthorityFrom(t testing.TB, template *x509.Certificate, key crypto.Signer) authority {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return authority{cert, key}
}

// revoked is an entry of a list that crypto/x509 makes.
func revoked(serial int64, reason int) x509.RevocationListEntry {
	return x509.RevocationListEntry{SerialNumber: big.NewInt(serial), RevocationTime: noon.Add(-time.Duration(serial) * time.Hour), ReasonCode: reason}
}

// list makes a list with crypto/x509.
func (a authority) list(t testing.TB, template x509.RevocationList) []byte {
	t.Helper()
	if template.Number == nil {
		template.Number = big.NewInt(1)
	}
	if template.ThisUpdate.IsZero() {
		template.ThisUpdate, template.NextUpdate = noon, noon.AddDate(0, 0, 7)
	}
	der, err := x509.CreateRevocationList(rand.Reader, &template, a.cert, a.key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// extend makes an extension.
func extend(oid asn1.ObjectIdentifier, critical bool, value []byte) pkix.Extension {
	return pkix.Extension{Id: oid, Critical: critical, Value: value}
}

// raw is a list put together by hand, for what crypto/x509 refuses to make.
type raw struct {
	version    []byte // element, nil: none
	inner      []byte // AlgorithmIdentifiers, nil: what fits
	outer      []byte
	issuer     []byte
	this, next []byte // elements, next nil: none
	entries    []byte // contents of revokedCertificates, nil: none
	extensions []byte // contents of [0], nil: none
	hash       crypto.Hash
}

func utc(t time.Time) []byte {
	return append([]byte{tagUTCTime, 13}, t.UTC().Format("060102150405Z")...)
}

func seq(parts ...[]byte) []byte { return wrap(tagSequence, parts...) }

func wrap(tag byte, parts ...[]byte) []byte {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.Tag(tag), func(b *cryptobyte.Builder) { b.AddBytes(bytes.Join(parts, nil)) })
	return b.BytesOrPanic()
}

// algorithms of the keys of these tests, with SHA-256.
var (
	ecdsaSHA256 = seq([]byte{6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2})
	rsaSHA256   = seq([]byte{6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11, 5, 0})
)

func (a authority) raw(t testing.TB, r raw) []byte {
	t.Helper()
	if r.hash == 0 {
		r.hash = crypto.SHA256
	}
	alg := ecdsaSHA256
	if _, ok := a.key.(*rsa.PrivateKey); ok {
		alg = rsaSHA256
	}
	if r.inner == nil {
		r.inner = alg
	}
	if r.outer == nil {
		r.outer = r.inner
	}
	if r.issuer == nil {
		r.issuer = a.cert.RawSubject
	}
	if r.this == nil {
		r.this = utc(noon)
	}
	tbs := [][]byte{r.version, r.inner, r.issuer, r.this, r.next}
	if r.entries != nil {
		tbs = append(tbs, seq(r.entries))
	}
	if r.extensions != nil {
		tbs = append(tbs, wrap(tagExtensions, r.extensions))
	}
	signed := seq(tbs...)
	h := r.hash.New()
	h.Write(signed)
	value, err := a.key.Sign(rand.Reader, h.Sum(nil), r.hash)
	if err != nil {
		t.Fatal(err)
	}
	return seq(signed, r.outer, wrap(tagBitString, []byte{0}, value))
}

// rawEntry is one entry with extensions as encoded, nil for none.
func rawEntry(serial []byte, when []byte, extensions []byte) []byte {
	return seq(wrap(tagInteger, serial), when, extensions)
}

// largeSerial is the serial number of the i-th entry of a large list: 16 bytes like those of Belgian cards.
func largeSerial(i int) []byte {
	sum := sha1.Sum(binary.BigEndian.AppendUint64(nil, uint64(i)))
	return append([]byte{0x10, 0, 0, 0, 0, 0}, sum[:10]...)
}

// large is a list of n entries of 36 to 50 bytes, a third of them on hold.
func (a authority) large(t testing.TB, n int) []byte {
	t.Helper()
	entries := make([]byte, 0, n*43)
	when := utc(noon)
	hold := seq(append(append([]byte{}, onlyReason[2:]...), OnHold))
	for i := range n {
		size := 2 + 16 + len(when)
		if i%3 == 0 {
			size += len(hold)
		}
		entries = append(entries, tagSequence, byte(size), tagInteger, 16)
		entries = append(entries, largeSerial(i)...)
		entries = append(entries, when...)
		if i%3 == 0 {
			entries = append(entries, hold...)
		}
	}
	return a.raw(t, raw{version: []byte{2, 1, 1}, next: utc(noon.AddDate(0, 0, 7)), entries: entries})
}
