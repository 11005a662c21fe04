package revocation

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/eidkit/eidkit/internal/certs"
)

// The situations of the NIST Public Key Interoperability Test Suite (PKITS 1.0.1), sections 4.4 (basic), 4.14 (distribution points) and
// 4.15 (deltas), made anew: same structure, other names and keys. openssl judges each as well.

var pkitsTime = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

// ca is an authority or a CRL issuer.
type ca struct {
	cert *x509.Certificate
	key  crypto.Signer
}

// chain is what one situation is made of: anchor, CA, a certificate of that CA, other certificates, lists.
type chain struct {
	t       *testing.T
	anchor  ca
	ca      ca
	leaf    *x509.Certificate
	others  []ca
	lists   [][]byte
	leafKey crypto.Signer
}

func name(cn string) pkix.Name {
	return pkix.Name{Country: []string{"BE"}, Organization: []string{"TEST Certificates"}, CommonName: cn}
}

func newKey(t testing.TB) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// issue makes a certificate; issuer nil: by itself.
func issue(t testing.TB, cn string, serial *big.Int, issuer *ca, key crypto.Signer, change func(*x509.Certificate)) *x509.Certificate {
	t.Helper()
	spki, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	keyID := sha256.Sum256(spki)
	template := &x509.Certificate{SerialNumber: serial, Subject: name(cn), NotBefore: pkitsTime.AddDate(-2, 0, 0), NotAfter: pkitsTime.AddDate(5, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature, SubjectKeyId: keyID[:20]}
	if change != nil {
		change(template)
	}
	parent, signKey := template, key
	if issuer != nil {
		parent, signKey = issuer.cert, issuer.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signKey)
	if err != nil {
		t.Fatal(err)
	}
	c, _, err := certs.Parse(der) // crypto/x509 does not read relative names of distribution points
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func asCA(c *x509.Certificate) {
	c.IsCA, c.BasicConstraintsValid, c.KeyUsage = true, true, x509.KeyUsageCertSign|x509.KeyUsageCRLSign
}

// newChain is an anchor, a CA, and a leaf with serial number 100 and extensions; the anchor's own list is already there.
func newChain(t *testing.T, leaf ...pkix.Extension) *chain {
	s := &chain{t: t, leafKey: newKey(t)}
	s.anchor.key = newKey(t)
	s.anchor.cert = issue(t, "Trust Anchor", big.NewInt(1), nil, s.anchor.key, asCA)
	s.ca.key = newKey(t)
	s.ca.cert = issue(t, "Good CA", big.NewInt(2), &s.anchor, s.ca.key, asCA)
	s.leaf = issue(t, "User", big.NewInt(100), &s.ca, s.leafKey, func(c *x509.Certificate) { c.ExtraExtensions = leaf })
	s.add(s.anchor, listOf{})
	return s
}

// other adds a certificate that the anchor issued.
func (s *chain) other(cn string, change func(*x509.Certificate)) ca {
	s.t.Helper()
	o := ca{key: newKey(s.t)}
	o.cert = issue(s.t, cn, big.NewInt(int64(10+len(s.others))), &s.anchor, o.key, change)
	s.others = append(s.others, o)
	return o
}

// listOf is what one list says.
type listOf struct {
	number     int64 // 0: 5
	entries    []x509.RevocationListEntry
	extensions []pkix.Extension
	this, next time.Time // zero: yesterday, in 30 days
}

func (s *chain) make(by ca, l listOf) []byte {
	s.t.Helper()
	if l.number == 0 {
		l.number = 5
	}
	if l.this.IsZero() {
		l.this = pkitsTime.AddDate(0, 0, -1)
	}
	if l.next.IsZero() {
		l.next = pkitsTime.AddDate(0, 0, 30)
	}
	issuer := *by.cert
	issuer.KeyUsage = x509.KeyUsageCRLSign // what the library wants before it makes a list
	der, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
		Number: big.NewInt(l.number), ThisUpdate: l.this, NextUpdate: l.next, RevokedCertificateEntries: l.entries, ExtraExtensions: l.extensions,
	}, &issuer, by.key)
	if err != nil {
		s.t.Fatal(err)
	}
	return der
}

func (s *chain) add(by ca, l listOf) { s.lists = append(s.lists, s.make(by, l)) }

func entry(serial int64, reason int, extensions ...pkix.Extension) x509.RevocationListEntry {
	return x509.RevocationListEntry{SerialNumber: big.NewInt(serial), RevocationTime: pkitsTime.AddDate(0, -1, 0), ReasonCode: reason, ExtraExtensions: extensions}
}

// The encodings of extensions.

func tlv(tag byte, parts ...[]byte) []byte {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.Tag(tag), func(b *cryptobyte.Builder) { b.AddBytes(bytes.Join(parts, nil)) })
	return b.BytesOrPanic()
}

func extension(last int, critical bool, value []byte) pkix.Extension {
	return pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, last}, Critical: critical, Value: value}
}

// unknownCritical is an extension that nobody knows.
var unknownCritical = pkix.Extension{Id: asn1.ObjectIdentifier{2, 16, 840, 1, 101, 2, 1, 12, 2}, Critical: true, Value: []byte{5, 0}}

func raw(n pkix.Name) []byte {
	der, err := asn1.Marshal(n.ToRDNSequence())
	if err != nil {
		panic(err)
	}
	return der
}

// fullName and relativeName are DistributionPointNames.
func fullName(names ...[]byte) []byte  { return tlv(0xa0, tlv(0xa0, names...)) }
func relativeName(value string) []byte { return tlv(0xa0, tlv(0xa1, attribute(value))) }
func dirName(n pkix.Name) []byte       { return tlv(0xa4, raw(n)) }
func urlName(url string) []byte        { return tlv(0x86, []byte(url)) }
func attribute(value string) []byte {
	return tlv(0x30, []byte{6, 3, 0x55, 4, 3}, tlv(0x0c, []byte(value)))
}

// below is n with one more relative name, as relativeName makes it.
func below(n pkix.Name, value string) []byte {
	whole := cryptobyte.String(raw(n))
	var rdns cryptobyte.String
	whole.ReadASN1(&rdns, cbasn1.SEQUENCE)
	return tlv(0xa4, tlv(0x30, rdns, tlv(0x31, attribute(value))))
}

func reasons(tag byte, bits ...int) []byte {
	value := []byte{0, 0}
	for _, b := range bits {
		value[b/8] |= 0x80 >> (b % 8)
	}
	return tlv(tag, append([]byte{0}, value...))
}

// points is the CRL distribution points extension: each point's fields.
func points(list ...[]byte) pkix.Extension { return extension(31, false, tlv(0x30, list...)) }
func point(fields ...[]byte) []byte        { return tlv(0x30, fields...) }
func crlIssuer(n pkix.Name) []byte         { return tlv(0xa2, dirName(n)) }

// issuing is the issuing distribution point extension.
func issuing(fields ...[]byte) pkix.Extension { return extension(28, true, tlv(0x30, fields...)) }

var (
	onlyUser      = []byte{0x81, 1, 0xff}
	onlyCA        = []byte{0x82, 1, 0xff}
	indirectList  = []byte{0x84, 1, 0xff}
	onlyAttribute = []byte{0x85, 1, 0xff}
	goodCA        = name("Good CA")
	partA, partB  = fullName(dirName(name("Part A"))), fullName(dirName(name("Part B")))
)

func someReasons(bits ...int) []byte { return reasons(0x83, bits...) }

// ofIssuer says of an entry whose certificate it is about.
func ofIssuer(n pkix.Name) pkix.Extension { return extension(29, true, tlv(0x30, dirName(n))) }

// base makes a list a delta.
func base(n int64) pkix.Extension {
	der, err := asn1.Marshal(n)
	if err != nil {
		panic(err)
	}
	return extension(27, true, der)
}

// freshest says in a complete list that there are deltas.
func freshest() pkix.Extension {
	return extension(46, false, tlv(0x30, point(fullName(urlName("http://crl.example/delta")))))
}

// verdict is what comes out for the whole chain.
type verdict string

const (
	valid        verdict = "valid"
	invalid      verdict = "revoked"
	undetermined verdict = "undetermined"
)

// judge asks about the leaf, unless it is about the CA alone, and the CA.
func (s *chain) judge() (verdict, []Problem) {
	s.t.Helper()
	pool := []*x509.Certificate{s.ca.cert, s.anchor.cert}
	for _, o := range s.others {
		pool = append(pool, o.cert)
	}
	service := New(Options{Now: func() time.Time { return pkitsTime }})
	result := valid
	var problems []Problem
	for _, about := range [][2]*x509.Certificate{{s.leaf, s.ca.cert}, {s.ca.cert, s.anchor.cert}} {
		q := Question{Certificate: about[0], Issuer: about[1], At: pkitsTime, Pool: pool, Evidence: Evidence{CRLs: s.lists}, Offline: true, Path: s.path}
		answers, trouble := service.Check(s.t.Context(), q)
		problems = append(problems, trouble...)
		one := undetermined
		for _, a := range answers {
			switch {
			case a.Status == Revoked:
				return invalid, problems
			case a.Status == Good && !a.NextUpdate.Before(pkitsTime) && !a.ThisUpdate.After(pkitsTime):
				one = valid
			}
		}
		if one != valid {
			result = undetermined
		}
	}
	return result, problems
}

// path accepts what the anchor issued.
func (s *chain) path(_ context.Context, c *x509.Certificate, _ []*x509.Certificate, at time.Time) error {
	if at.Before(c.NotBefore) || at.After(c.NotAfter) {
		return errors.New("not valid at that time")
	}
	return certs.CheckSignature(c, s.anchor.cert)
}

// openssl has it judged by openssl verify.
func (s *chain) openssl() verdict {
	s.t.Helper()
	if _, err := exec.LookPath("openssl"); err != nil {
		if os.Getenv("CI") != "" {
			s.t.Fatal("openssl is not installed")
		}
		s.t.Skip("openssl is not installed")
	}
	dir := s.t.TempDir()
	write := func(file, kind string, ders ...[]byte) string {
		var text []byte
		for _, der := range ders {
			text = append(text, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})...)
		}
		path := filepath.Join(dir, file)
		if err := os.WriteFile(path, text, 0o600); err != nil {
			s.t.Fatal(err)
		}
		return path
	}
	untrusted := [][]byte{s.ca.cert.Raw}
	for _, o := range s.others {
		untrusted = append(untrusted, o.cert.Raw)
	}
	cmd := exec.Command("openssl", "verify", "-crl_check_all", "-extended_crl", "-use_deltas", "-attime", fmt.Sprint(pkitsTime.Unix()),
		"-no-CApath", "-no-CAstore", "-CAfile", write("anchor.pem", "CERTIFICATE", s.anchor.cert.Raw), "-untrusted", write("others.pem", "CERTIFICATE", untrusted...),
		"-CRLfile", write("lists.pem", "X509 CRL", s.lists...), write("leaf.pem", "CERTIFICATE", s.leaf.Raw))
	out, err := cmd.CombinedOutput()
	switch text := string(out); {
	case err == nil:
		return valid
	case strings.Contains(text, "certificate revoked"):
		return invalid
	case strings.Contains(text, "CRL") || strings.Contains(text, "scope") || strings.Contains(text, "revocation"):
		return undetermined
	default:
		s.t.Fatalf("openssl: %v: %s", err, text)
		return ""
	}
}

// situation is one case: what is made, what comes out, and why openssl says otherwise, if it does.
type situation struct {
	name    string
	want    verdict
	make    func(*testing.T) *chain
	differs string
}

func TestPKITS(t *testing.T) {
	t.Parallel()
	var all []situation
	for _, group := range [][]situation{basicSituations, pointSituations, indirectSituations, deltaSituations} {
		all = append(all, group...)
	}
	if len(all) < 60 {
		t.Fatalf("%d situations", len(all))
	}
	for _, s := range all {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			c := s.make(t)
			got, problems := c.judge()
			if got != s.want {
				t.Errorf("%s, want %s: %v", got, s.want, problems)
			}
			if peer := c.openssl(); (peer != s.want) != (s.differs != "") {
				t.Errorf("openssl says %s, we %s (known difference: %q)", peer, s.want, s.differs)
			}
		})
	}
}

// withSerial makes the leaf anew with the contents of its serial number as given, also such as no library makes.
func (s *chain) withSerial(content []byte) *chain {
	s.t.Helper()
	in := cryptobyte.String(s.leaf.RawTBSCertificate)
	var tbs, version, serial cryptobyte.String
	if !in.ReadASN1(&tbs, cbasn1.SEQUENCE) || !tbs.ReadASN1Element(&version, cbasn1.Tag(0).Constructed().ContextSpecific()) || !tbs.ReadASN1(&serial, cbasn1.INTEGER) {
		s.t.Fatal("certificate")
	}
	signed := tlv(0x30, version, tlv(2, content), tbs)
	digest := sha256.Sum256(signed)
	value, err := s.ca.key.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		s.t.Fatal(err)
	}
	algorithm := tlv(0x30, []byte{6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2})
	c, _, err := certs.Parse(tlv(0x30, signed, algorithm, tlv(3, []byte{0}, value)))
	if err != nil {
		s.t.Fatal(err)
	}
	s.leaf = c
	return s
}
