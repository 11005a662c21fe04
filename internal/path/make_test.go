package path_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/dsa"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/eidkit/eidkit/internal/certs"
	"github.com/eidkit/eidkit/internal/path"
	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

//lint:file-ignore SA1019 DSA is among what PKITS wants

// now is the time of all checks unless a case says otherwise.
var now = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// entity is a name with a key, and its certificate.
type entity struct {
	name []byte // encoded
	key  any    // *ecdsa.PrivateKey or *dsa.PrivateKey
	cert *x509.Certificate
}

// spec is a certificate to be made. The encoding is the test's own, so that nothing of the code under test is in it.
type spec struct {
	subject, issuerName []byte
	key                 any
	from, until         []byte
	version             int
	uids                []byte
	extensions          map[string][]byte // by OID, encoded; nil ones are left out
	order               []string
	breakSignature      bool
}

// option changes a spec.
type option func(*spec)

func der(tag byte, parts ...[]byte) []byte {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.Tag(tag), func(b *cryptobyte.Builder) {
		for _, p := range parts {
			b.AddBytes(p)
		}
	})
	return b.BytesOrPanic()
}

func oidDER(oid string) []byte {
	var list asn1.ObjectIdentifier
	for _, arc := range strings.Split(oid, ".") {
		n, err := strconv.Atoi(arc)
		if err != nil {
			panic(err)
		}
		list = append(list, n)
	}
	var b cryptobyte.Builder
	b.AddASN1ObjectIdentifier(list)
	return b.BytesOrPanic()
}

func integer(n int) []byte {
	var b cryptobyte.Builder
	b.AddASN1Int64(int64(n))
	return b.BytesOrPanic()
}

// types are attribute types by their words.
var types = map[string]string{"CN": "2.5.4.3", "SN": "2.5.4.4", "serialNumber": "2.5.4.5", "C": "2.5.4.6", "L": "2.5.4.7", "ST": "2.5.4.8", "O": "2.5.4.10",
	"OU": "2.5.4.11", "title": "2.5.4.12", "GN": "2.5.4.42", "initials": "2.5.4.43", "generation": "2.5.4.44", "dnQualifier": "2.5.4.46",
	"pseudonym": "2.5.4.65", "DC": "0.9.2342.19200300.100.1.25", "E": "1.2.840.113549.1.9.1"}

// dn encodes a name of attributes such as "CN=Good CA", or "CN:utf8=Good CA".
func dn(attributes ...string) []byte {
	var rdns [][]byte
	for _, a := range attributes {
		kind, value, _ := strings.Cut(a, "=")
		kind, utf8, _ := strings.Cut(kind, ":")
		tag := byte(0x13)
		switch {
		case utf8 != "":
			tag = 0x0c
		case kind == "E" || kind == "DC":
			tag = 0x16
		}
		rdns = append(rdns, der(0x31, der(0x30, oidDER(types[kind]), der(tag, []byte(value)))))
	}
	return der(0x30, rdns...)
}

// named is the name of PKITS's entities.
func named(cn string) []byte { return dn("C=US", "O=Test Certificates", "CN="+cn) }

func utcTime(s string) []byte         { return der(0x17, []byte(s)) }
func generalizedTime(s string) []byte { return der(0x18, []byte(s)) }

// extension is one, encoded.
func extension(oid string, critical bool, value []byte) []byte {
	c := []byte(nil)
	if critical {
		c = []byte{1, 1, 0xff}
	}
	return der(0x30, oidDER(oid), c, der(4, value))
}

func (s *spec) set(oid string, critical bool, value []byte) {
	if _, there := s.extensions[oid]; !there {
		s.order = append(s.order, oid)
	}
	s.extensions[oid] = nil
	if value != nil {
		s.extensions[oid] = extension(oid, critical, value)
	}
}

// ext sets an extension of id-ce.
func ext(number int, critical bool, value []byte) option {
	return func(s *spec) { s.set("2.5.29."+strconv.Itoa(number), critical, value) }
}

func keyUsage(critical bool, bits byte, unused byte) option {
	return ext(15, critical, []byte{3, 2, unused, bits})
}

// Options by the fields of RFC 5280.
var (
	isCA          = ext(19, true, der(0x30, []byte{1, 1, 0xff}))
	certSign      = keyUsage(true, 0x06, 1) // keyCertSign, cRLSign
	noPolicies    = ext(32, false, nil)
	badSignature  = option(func(s *spec) { s.breakSignature = true })
	endEntityCert = option(func(s *spec) { ext(19, true, nil)(s); keyUsage(true, 0xc0, 6)(s) })
)

func subject(name []byte) option      { return func(s *spec) { s.subject = name } }
func issuedBy(name []byte) option     { return func(s *spec) { s.issuerName = name } }
func withKey(key any) option          { return func(s *spec) { s.key = key } }
func validity(from, to []byte) option { return func(s *spec) { s.from, s.until = from, to } }

func pathLen(n int) option { return ext(19, true, der(0x30, []byte{1, 1, 0xff}, integer(n))) }

// testPolicy is NIST-test-policy-n; 0 is anyPolicy.
func testPolicy(n int) string {
	if n == 0 {
		return "2.5.29.32.0"
	}
	return "2.16.840.1.101.3.2.1.48." + strconv.Itoa(n)
}

func policies(list ...int) option {
	var body [][]byte
	for _, n := range list {
		body = append(body, der(0x30, oidDER(testPolicy(n))))
	}
	return ext(32, false, der(0x30, body...))
}

// qualified is a policy with a user notice and a pointer to a practice statement.
func qualified(list ...int) option {
	var body [][]byte
	for _, n := range list {
		notice := der(0x30, oidDER("1.3.6.1.5.5.7.2.2"), der(0x30, der(0x1a, []byte("q: this is a user notice"))))
		cps := der(0x30, oidDER("1.3.6.1.5.5.7.2.1"), der(0x16, []byte("http://csrc.nist.gov/")))
		body = append(body, der(0x30, oidDER(testPolicy(n)), der(0x30, notice, cps)))
	}
	return ext(32, false, der(0x30, body...))
}

// mapping maps pairs: from, to, from, to.
func mapping(pairs ...int) option {
	var body [][]byte
	for i := 0; i < len(pairs); i += 2 {
		body = append(body, der(0x30, oidDER(testPolicy(pairs[i])), oidDER(testPolicy(pairs[i+1]))))
	}
	return ext(33, true, der(0x30, body...))
}

func context8(tag byte, n int) []byte {
	b := integer(n)
	b[0] = 0x80 | tag
	return b
}

func requireExplicit(n int) option { return ext(36, true, der(0x30, context8(0, n))) }
func inhibitAny(n int) option      { return ext(54, true, integer(n)) }

// inhibitMapping also requires a policy, as all of PKITS's CAs of section 4.11 do.
func inhibitMapping(n int) option {
	return ext(36, true, der(0x30, context8(0, 0), context8(1, n)))
}

// General names.
func dirName(name []byte) []byte { return der(0xa4, name) }
func mail(s string) []byte       { return der(0x81, []byte(s)) }
func dns(s string) []byte        { return der(0x82, []byte(s)) }
func uri(s string) []byte        { return der(0x86, []byte(s)) }
func ip(b ...byte) []byte        { return der(0x87, b) }

func altNames(names ...[]byte) option { return ext(17, false, der(0x30, names...)) }

// constraints are permitted and excluded subtrees.
func constraints(permitted, excluded [][]byte) option {
	list := func(tag byte, names [][]byte) []byte {
		var trees [][]byte
		for _, n := range names {
			trees = append(trees, der(0x30, n))
		}
		if trees == nil {
			return nil
		}
		return der(tag, trees...)
	}
	return ext(30, true, der(0x30, list(0xa0, permitted), list(0xa1, excluded)))
}

func permit(names ...[]byte) option  { return constraints(names, nil) }
func exclude(names ...[]byte) option { return constraints(nil, names) }

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

var serial atomic.Int64

// issue makes a certificate; issuer nil is self-signed. The defaults are those of a PKITS CA: policy 1, key usage for certificates.
func issue(t testing.TB, issuer *entity, name []byte, options ...option) *entity {
	t.Helper()
	s := &spec{subject: name, from: utcTime("250101000000Z"), until: utcTime("351231000000Z"), version: 3, extensions: map[string][]byte{}}
	for _, o := range append([]option{isCA, certSign, policies(1)}, options...) {
		o(s)
	}
	if s.key == nil {
		s.key = newKey(t)
	}
	e := &entity{name: s.subject, key: s.key}
	if issuer == nil {
		issuer = e
	}
	if s.issuerName == nil {
		s.issuerName = issuer.name
	}
	subjectKey := keyID(t, s.key)
	s.set("2.5.29.14", false, der(4, subjectKey))
	s.set("2.5.29.35", false, der(0x30, der(0x80, keyID(t, issuer.key))))
	raw := s.sign(t, issuer.key)
	var err error
	if e.cert, _, err = certs.Parse(raw); err != nil {
		t.Fatal(err)
	}
	return e
}

func keyID(t testing.TB, key any) []byte {
	sum := sha256.Sum256(spki(t, key))
	return sum[:20]
}

func spki(t testing.TB, key any) []byte {
	t.Helper()
	if k, ok := key.(*dsa.PrivateKey); ok {
		var b cryptobyte.Builder
		b.AddASN1BigInt(k.Y)
		params := cryptobyte.NewBuilder(nil)
		params.AddASN1BigInt(k.P)
		params.AddASN1BigInt(k.Q)
		params.AddASN1BigInt(k.G)
		return der(0x30, der(0x30, oidDER("1.2.840.10040.4.1"), der(0x30, params.BytesOrPanic())), der(3, []byte{0}, b.BytesOrPanic()))
	}
	b, err := x509.MarshalPKIXPublicKey(key.(crypto.Signer).Public())
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// sign encodes and signs the certificate.
func (s *spec) sign(t testing.TB, signer any) []byte {
	t.Helper()
	alg := der(0x30, oidDER("1.2.840.10045.4.3.2"))
	if _, ok := signer.(*dsa.PrivateKey); ok {
		alg = der(0x30, oidDER("2.16.840.1.101.3.4.3.2"))
	}
	body := [][]byte{der(0xa0, integer(s.version-1)), integer(int(serial.Add(1))), alg, s.issuerName, der(0x30, s.from, s.until), s.subject, spki(t, s.key), s.uids}
	var list [][]byte
	for _, oid := range s.order {
		if e := s.extensions[oid]; e != nil {
			list = append(list, e)
		}
	}
	if s.version == 3 {
		body = append(body, der(0xa3, der(0x30, list...)))
	} else {
		body[0] = nil
	}
	tbs := der(0x30, body...)
	digest := sha256.Sum256(tbs)
	var sig []byte
	switch k := signer.(type) {
	case *ecdsa.PrivateKey:
		var err error
		if sig, err = ecdsa.SignASN1(rand.Reader, k, digest[:]); err != nil {
			t.Fatal(err)
		}
	case *dsa.PrivateKey:
		r, v, err := dsa.Sign(rand.Reader, k, digest[:k.Q.BitLen()/8])
		if err != nil {
			t.Fatal(err)
		}
		var b cryptobyte.Builder
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddASN1BigInt(r); b.AddASN1BigInt(v) })
		sig = b.BytesOrPanic()
	}
	if s.breakSignature {
		sig[len(sig)-1] ^= 1
	}
	return der(0x30, tbs, alg, der(3, []byte{0}, sig))
}

// anchorSet is a set of anchors for tests.
type anchorSet struct {
	list      []*x509.Certificate
	withdrawn time.Time
}

func anchors(list ...*entity) anchorSet { return anchorSet{list: certificates(list...)} }

func (a anchorSet) Named(subject []byte) (found []*x509.Certificate) {
	for _, c := range a.list {
		if certs.EqualName(c.RawSubject, subject) {
			found = append(found, c)
		}
	}
	return found
}

func (a anchorSet) Contains(c *x509.Certificate) bool {
	for _, own := range a.list {
		if own.Equal(c) {
			return true
		}
	}
	return false
}

func (a anchorSet) Withdrawn(_ *x509.Certificate, at time.Time) string {
	if !a.withdrawn.IsZero() && !at.Before(a.withdrawn) {
		return "withdrawn"
	}
	return ""
}

func certificates(list ...*entity) (out []*x509.Certificate) {
	for _, e := range list {
		out = append(out, e.cert)
	}
	return out
}

func writePEM(t testing.TB, name string, list ...*x509.Certificate) string {
	t.Helper()
	var b bytes.Buffer
	for _, c := range list {
		b.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
	}
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// opensslVerify is openssl's verdict on a path, and what it says.
func opensslVerify(t testing.TB, leaf *x509.Certificate, others, roots []*x509.Certificate, at time.Time, flags ...string) (bool, string) {
	t.Helper()
	program, err := exec.LookPath("openssl")
	if err != nil {
		t.Fatalf("openssl is needed as an independent judge: %v", err)
	}
	args := append([]string{"verify", "-auth_level", "0", "-no-CApath", "-no-CAstore", "-attime", strconv.FormatInt(at.Unix(), 10),
		"-CAfile", writePEM(t, "roots.pem", roots...)}, flags...)
	if len(others) > 0 {
		args = append(args, "-untrusted", writePEM(t, "others.pem", others...))
	}
	out, err := exec.Command(program, append(args, writePEM(t, "leaf.pem", leaf))...).CombinedOutput()
	return err == nil, string(out)
}

func build(leaf *entity, o path.Options) (*path.Result, error) {
	if o.At.IsZero() {
		o.At = now
	}
	return path.Build(context.Background(), leaf.cert, o)
}
