package pkcs12_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/eidkit/eidkit/sign/pkcs12"
	"github.com/eidkit/eidkit/testcards/pki"

	maker "software.sslmate.com/src/go-pkcs12"
)

// word is a password for tests.
type word string

func (w word) Reveal(f func([]byte) error) error { return f([]byte(w)) }

type person struct {
	*pki.Issued
	chain []*x509.Certificate
}

var persons = sync.OnceValue(func() map[string]person {
	made := map[string]person{}
	for name, algorithm := range map[string]pki.Algorithm{"rsa": pki.RSA, "ec": pki.EC} {
		p, err := pki.New(pki.Options{Algorithm: algorithm})
		if err != nil {
			panic(err)
		}
		i, err := p.Issue(pki.Request{Kind: pki.Signature, Subject: pki.Subject{Surname: "Maes", GivenNames: "Nore", NationalNumber: "85073003328"}})
		if err != nil {
			panic(err)
		}
		made[name] = person{i, []*x509.Certificate{p.CitizenCA.Certificate, p.Root.Certificate}}
	}
	return made
})

func run(t *testing.T, name string, args ...string) {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil && os.Getenv("CI") == "true" {
		t.Fatalf("%s is not installed: apt-get install openssl libnss3-tools", name)
	}
	if err != nil {
		t.Skipf("%s is not installed: apt-get install openssl libnss3-tools", name)
	}
	if out, err := exec.Command(path, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
}

// folder holds key.pem, cert.pem and chain.pem of a person, root first so that the order tells nothing.
func folder(t *testing.T, p person) (at func(string) string) {
	t.Helper()
	dir := t.TempDir()
	at = func(name string) string { return filepath.Join(dir, name) }
	der, err := x509.MarshalPKCS8PrivateKey(p.Key)
	if err != nil {
		t.Fatal(err)
	}
	var chain []byte
	for i := len(p.chain) - 1; i >= 0; i-- {
		chain = append(chain, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.chain[i].Raw})...)
	}
	for name, b := range map[string][]byte{
		"key.pem":   pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}),
		"cert.pem":  pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.Certificate.Raw}),
		"chain.pem": chain,
	} {
		if err := os.WriteFile(at(name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return at
}

// export has openssl write a file.
func export(t *testing.T, p person, password string, options ...string) []byte {
	t.Helper()
	at := folder(t, p)
	run(t, "openssl", append([]string{"pkcs12", "-export", "-inkey", at("key.pem"), "-in", at("cert.pem"), "-certfile", at("chain.pem"),
		"-name", "handtekening", "-out", at("out.p12"), "-passout", "pass:" + password}, options...)...)
	b, err := os.ReadFile(at("out.p12"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// check opens a file and signs with what is in it.
func check(t *testing.T, data []byte, password string, p person) {
	t.Helper()
	k, err := pkcs12.Open(data, word(password))
	if err != nil {
		t.Error(err)
		return
	}
	if !k.Certificate().Equal(p.Certificate) {
		t.Errorf("certificate of %v", k.Certificate().Subject)
	}
	if c := k.Chain(); len(c) != len(p.chain) || !c[0].Equal(p.chain[0]) || !c[1].Equal(p.chain[1]) {
		t.Errorf("%d certificates above", len(c))
	}
	digest := bytes.Repeat([]byte{7}, 48)
	sig, err := k.Sign(rand.Reader, digest, crypto.SHA384)
	if err != nil {
		t.Fatal(err)
	}
	again, err := k.Sign(nil, digest, crypto.SHA384)
	if err != nil || !bytes.Equal(sig, again) {
		t.Errorf("two signatures of one digest differ: %v", err)
	}
	switch pub := p.Certificate.PublicKey.(type) {
	case *rsa.PublicKey:
		if err := rsa.VerifyPKCS1v15(pub, crypto.SHA384, digest, sig); err != nil {
			t.Error(err)
		}
		pss := &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA384}
		if sig, err = k.Sign(nil, digest, pss); err == nil {
			err = rsa.VerifyPSS(pub, crypto.SHA384, digest, sig, pss)
		}
		if err != nil {
			t.Error(err)
		}
	case *ecdsa.PublicKey:
		if !ecdsa.VerifyASN1(pub, digest, sig) {
			t.Error("the signature is wrong")
		}
	}
	if _, err := k.Sign(nil, digest[:20], crypto.SHA384); err == nil {
		t.Error("a digest of another length was signed")
	}
	for _, wrong := range []string{"", password + "x", strings.ToUpper(password)} {
		if wrong == password {
			continue
		}
		if _, err := pkcs12.Open(data, word(wrong)); !errors.Is(err, pkcs12.ErrPassword) {
			t.Errorf("with the password %q: %v", wrong, err)
		}
	}
}

func TestOpenSSL(t *testing.T) {
	t.Parallel()
	for name, options := range map[string][]string{
		"modern":         nil,
		"legacy":         {"-legacy"}, // RC2 with 40 bits and triple DES
		"AES-128":        {"-keypbe", "AES-128-CBC", "-certpbe", "AES-192-CBC"},
		"3DES":           {"-keypbe", "PBE-SHA1-3DES", "-certpbe", "PBE-SHA1-3DES", "-macalg", "sha1"},
		"2DES":           {"-keypbe", "PBE-SHA1-2DES", "-certpbe", "PBE-SHA1-2DES"},
		"RC2 128":        {"-legacy", "-keypbe", "PBE-SHA1-RC2-128", "-certpbe", "PBE-SHA1-RC2-128"},
		"DES in PBES2":   {"-keypbe", "DES-EDE3-CBC", "-certpbe", "AES-256-CBC"},
		"SHA-512":        {"-macalg", "sha512"},
		"SHA-384":        {"-macalg", "sha384"},
		"no MAC":         {"-nomac"},
		"plain certs":    {"-certpbe", "NONE"},
		"plain key":      {"-keypbe", "NONE"},
		"many rounds":    {"-iter", "9999"},
		"one round":      {"-noiter", "-nomaciter"},
		"key of Outlook": {"-keyex"},
	} {
		for who, p := range persons() {
			t.Run(name+" "+who, func(t *testing.T) {
				t.Parallel()
				check(t, export(t, p, "Geheim 42", options...), "Geheim 42", p)
			})
		}
	}
}

func TestPasswords(t *testing.T) {
	t.Parallel()
	p := persons()["ec"]
	for _, password := range []string{"", "a", "élève €", "\U0001F511 sleutel", strings.Repeat("lang ", 40)} {
		for _, options := range [][]string{nil, {"-legacy"}} {
			data := export(t, p, password, options...)
			if _, err := pkcs12.Open(data, word(password)); err != nil {
				t.Errorf("%q %q: %v", password, options, err)
			}
			if password != "" {
				continue
			}
			if _, err := pkcs12.Open(data, nil); err != nil {
				t.Errorf("nil: %v", err)
			}
		}
	}
}

// indefinite writes an element as BER may: constructed ones without a length, OCTET STRINGs in chunks, and what data strings hold alike.
func indefinite(t *testing.T, b []byte) []byte {
	t.Helper()
	var e asn1.RawValue
	var out []byte
	for rest := b; len(rest) > 0; {
		var err error
		if rest, err = asn1.Unmarshal(rest, &e); err != nil {
			t.Fatal(err)
		}
		tag := e.FullBytes[0]
		switch {
		case e.IsCompound:
			out = append(append(append(out, tag, 0x80), indefinite(t, e.Bytes)...), 0, 0)
		case tag == 0x04 && len(e.Bytes) > 100 && e.Bytes[0] == 0x30 && !isCertificate(e.Bytes): // a ContentInfo's: it holds more of the kind
			b := indefinite(t, e.Bytes)
			out = append(out, 0x24, 0x80)
			for chunk := range slices.Chunk(b, 100) {
				out = append(append(out, 0x04, byte(len(chunk))), chunk...)
			}
			out = append(out, 0, 0)
		default:
			out = append(out, e.FullBytes...)
		}
	}
	return out
}

func isCertificate(b []byte) bool {
	_, err := x509.ParseCertificate(b)
	return err == nil
}

// BER with indefinite lengths, as Firefox and Thunderbird write it; the soak tests have such a file itself.
func TestBER(t *testing.T) {
	t.Parallel()
	for who, p := range persons() {
		data := indefinite(t, export(t, p, "Geheim 42", "-nomac", "-noiter", "-certpbe", "NONE"))
		k, err := pkcs12.Open(data, word("Geheim 42"))
		if err != nil || !k.Certificate().Equal(p.Certificate) || len(k.Chain()) != 2 {
			t.Errorf("%s: %v", who, err)
		}
	}
}

// Another maker in Go, which also knows PBMAC1.
func TestOtherMaker(t *testing.T) {
	t.Parallel()
	for name, encoder := range map[string]*maker.Encoder{
		"RC2": maker.LegacyRC2, "DES": maker.LegacyDES, "2023": maker.Modern2023, "2026": maker.Modern2026,
	} {
		for who, p := range persons() {
			t.Run(name+" "+who, func(t *testing.T) {
				t.Parallel()
				data, err := encoder.Encode(p.Key, p.Certificate, p.chain, "Geheim 42")
				if err != nil {
					t.Fatal(err)
				}
				check(t, data, "Geheim 42", p)
			})
		}
	}
	p := persons()["ec"]
	data, err := maker.Passwordless.Encode(p.Key, p.Certificate, p.chain, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := pkcs12.Open(data, nil); err != nil {
		t.Error(err)
	}
}

// hostile is a file that asks for so many rounds: for its MAC, if not negative, and for what it encrypts.
func hostile(t testing.TB, mac, data int) []byte {
	t.Helper()
	type info struct {
		Type    asn1.ObjectIdentifier
		Content any `asn1:"explicit,tag:0"`
	}
	marshal := func(v any) []byte {
		b, err := asn1.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	type params struct {
		Salt   []byte
		Rounds int
	}
	params3DES := asn1.RawValue{FullBytes: marshal(params{make([]byte, 8), data})}
	type encrypted struct {
		Type      asn1.ObjectIdentifier
		Algorithm pkix.AlgorithmIdentifier
		Content   []byte `asn1:"tag:0"`
	}
	plain, sealed := asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}, asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 6}
	safe := marshal([]info{{sealed, struct {
		Version int
		Data    encrypted
	}{0, encrypted{plain, pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 12, 1, 3}, Parameters: params3DES}, make([]byte, 8)}}}})
	type digest struct {
		Algorithm pkix.AlgorithmIdentifier
		Value     []byte
	}
	type macData struct {
		Digest digest
		Salt   []byte
		Rounds int
	}
	if mac < 0 {
		return marshal(struct {
			Version int
			Safe    info
		}{3, info{plain, safe}})
	}
	return marshal(struct {
		Version int
		Safe    info
		MAC     macData
	}{3, info{plain, safe}, macData{digest{pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 3, 14, 3, 2, 26}}, make([]byte, 20)}, make([]byte, 8), mac}})
}

func TestRefused(t *testing.T) {
	t.Parallel()
	ec, rsa := persons()["ec"], persons()["rsa"]
	data := export(t, ec, "x")
	certsOnly, err := maker.Modern.EncodeTrustStore(ec.chain, "x")
	if err != nil {
		t.Fatal(err)
	}
	other, err := maker.Modern.Encode(ec.Key, rsa.Certificate, nil, "x")
	if err != nil {
		t.Fatal(err)
	}
	_, edwards, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	unsigning, err := maker.Modern.Encode(edwards, ec.Certificate, nil, "x")
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		data []byte
		want error
	}{
		"nothing":               {nil, pkcs12.ErrFormat},
		"text":                  {[]byte("-----BEGIN CERTIFICATE-----"), pkcs12.ErrFormat},
		"a certificate":         {ec.Certificate.Raw, pkcs12.ErrFormat},
		"cut":                   {data[:len(data)-1], pkcs12.ErrFormat},
		"more behind":           {append(bytes.Clone(data), 0), pkcs12.ErrFormat},
		"too large":             {make([]byte, pkcs12.MaxSize+1), pkcs12.ErrTooLarge},
		"certificates":          {certsOnly, pkcs12.ErrNoKey},
		"another's certificate": {other, pkcs12.ErrNoCertificate},
		"Ed25519":               {unsigning, pkcs12.ErrNoKey},
		"Camellia":              {export(t, ec, "x", "-keypbe", "CAMELLIA-256-CBC"), pkcs12.ErrUnsupported},
		"RC4":                   {export(t, ec, "x", "-legacy", "-certpbe", "PBE-SHA1-RC4-128"), pkcs12.ErrUnsupported},
		"SHA-3 MAC":             {export(t, ec, "x", "-macalg", "sha3-256"), pkcs12.ErrUnsupported},
		"no rounds":             {hostile(t, 0, 1), pkcs12.ErrFormat},
		"too many for the MAC":  {hostile(t, pkcs12.MaxIterations+1, 1), pkcs12.ErrTooLarge},
		"as many as there are":  {hostile(t, math.MaxInt32, 1), pkcs12.ErrTooLarge},
		"too many for the data": {hostile(t, -1, math.MaxInt32), pkcs12.ErrTooLarge},
		"too many in all":       {hostile(t, -1, pkcs12.MaxIterations/2), pkcs12.ErrTooLarge},
		"no data":               {hostile(t, -1, 0), pkcs12.ErrFormat},
	} {
		k, err := pkcs12.Open(test.data, word("x"))
		if !errors.Is(err, test.want) || (err == nil) != (k != nil) {
			t.Errorf("%s: %v", name, err)
		}
	}
	data = export(t, ec, "x", "-noiter", "-nomaciter")
	// A byte changed anywhere is no key, or the same one: what is under no MAC is names and orders of no importance.
	for i := range data {
		changed := bytes.Clone(data)
		changed[i] ^= 1
		if k, err := pkcs12.Open(changed, word("x")); err == nil && !k.Certificate().Equal(ec.Certificate) {
			t.Errorf("byte %d changed: another key", i)
		}
	}
}
