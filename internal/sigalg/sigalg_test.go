package sigalg_test

//lint:file-ignore SA1019 keys that no newer API would take

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/asn1"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/eidkit/eidkit/internal/certs"
	"github.com/eidkit/eidkit/internal/sigalg"
)

// openssl runs the tool; it is on every machine that runs the tests.
func openssl(t testing.TB, args ...string) []byte {
	t.Helper()
	path, err := exec.LookPath("openssl")
	if err != nil {
		t.Fatalf("openssl is needed as an independent signer: %v", err)
	}
	out, err := exec.Command(path, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("openssl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// newKey has openssl make a key and returns its file and the public half.
func newKey(t testing.TB, args ...string) (file string, pub crypto.PublicKey) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "key.pem")
	openssl(t, append(append([]string{"genpkey"}, args...), "-out", file)...)
	block, _ := pem.Decode(openssl(t, "pkey", "-in", file, "-pubout"))
	if block == nil {
		t.Fatal("no public key")
	}
	pub, _, err := certs.ParsePublicKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return file, pub
}

var message = []byte("what is signed")

// sign has openssl sign the message.
func sign(t testing.TB, key, digest string, opts ...string) []byte {
	t.Helper()
	dir := t.TempDir()
	in, out := filepath.Join(dir, "data"), filepath.Join(dir, "sig")
	if err := os.WriteFile(in, message, 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"dgst", "-" + digest, "-sign", key, "-out", out}
	if digest == "" {
		args = []string{"pkeyutl", "-sign", "-inkey", key, "-rawin", "-out", out, "-in", in}
		openssl(t, args...)
	} else {
		openssl(t, append(append(args, opts...), in)...)
	}
	sig, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return sig
}

func digestOf(h crypto.Hash, data []byte) []byte {
	if h == 0 {
		return data
	}
	w := h.New()
	w.Write(data)
	return w.Sum(nil)
}

// hashNames are the digests as openssl calls them.
var hashNames = map[crypto.Hash]string{
	crypto.MD5: "md5", crypto.SHA1: "sha1", crypto.RIPEMD160: "ripemd160", crypto.SHA224: "sha224", crypto.SHA256: "sha256",
	crypto.SHA384: "sha384", crypto.SHA512: "sha512", crypto.SHA512_224: "sha512-224", crypto.SHA512_256: "sha512-256",
	crypto.SHA3_224: "sha3-224", crypto.SHA3_256: "sha3-256", crypto.SHA3_384: "sha3-384", crypto.SHA3_512: "sha3-512",
}

// check wants the signature to fit, and no other one made of it to do so.
func check(t *testing.T, a sigalg.Algorithm, pub crypto.PublicKey, sig []byte) {
	t.Helper()
	d := digestOf(a.Hash, message)
	if err := a.Verify(pub, d, sig); err != nil {
		t.Errorf("%v with %s: %v", a, sigalg.KeyName(pub), err)
	}
	if err := a.Verify(pub, digestOf(a.Hash, []byte("something else")), sig); !errors.Is(err, sigalg.ErrBadSignature) {
		t.Errorf("%v, other data: %v", a, err)
	}
	for i := 0; i < len(sig); i += 1 + len(sig)/20 {
		bad := slices.Clone(sig)
		bad[i] ^= 1
		if err := a.Verify(pub, d, bad); !errors.Is(err, sigalg.ErrBadSignature) {
			t.Errorf("%v, byte %d changed: %v", a, i, err)
		}
	}
	for _, bad := range [][]byte{nil, sig[:len(sig)-1], append(slices.Clone(sig), 0), append([]byte{0}, sig...)} {
		if err := a.Verify(pub, d, bad); !errors.Is(err, sigalg.ErrBadSignature) {
			t.Errorf("%v, %d bytes: %v", a, len(bad), err)
		}
	}
}

func TestSignaturesOfOpenSSL(t *testing.T) {
	t.Parallel()
	for _, bits := range []string{"512", "1024", "2048", "3072"} {
		t.Run("RSA "+bits, func(t *testing.T) {
			t.Parallel()
			file, pub := newKey(t, "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:"+bits)
			for h, name := range hashNames {
				if bits == "512" && h.Size() > 30 { // does not fit into the key
					continue
				}
				check(t, sigalg.Algorithm{Scheme: sigalg.PKCS1, Hash: h}, pub, sign(t, file, name))
			}
		})
	}
	for _, curve := range []string{"prime192v1", "secp224r1", "P-256", "P-384", "P-521", "brainpoolP256r1", "brainpoolP256t1",
		"brainpoolP384r1", "brainpoolP384t1", "brainpoolP512r1", "brainpoolP512t1"} {
		t.Run(curve, func(t *testing.T) {
			t.Parallel()
			file, pub := newKey(t, "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:"+curve)
			for _, h := range []crypto.Hash{crypto.SHA1, crypto.SHA256, crypto.SHA512, crypto.SHA3_384} {
				check(t, sigalg.Algorithm{Scheme: sigalg.ECDSA, Hash: h}, pub, sign(t, file, hashNames[h]))
			}
		})
	}
	t.Run("Ed25519", func(t *testing.T) {
		t.Parallel()
		file, pub := newKey(t, "-algorithm", "ED25519")
		check(t, sigalg.Algorithm{Scheme: sigalg.Ed25519}, pub, sign(t, file, ""))
	})
	t.Run("DSA", func(t *testing.T) {
		t.Parallel()
		params := filepath.Join(t.TempDir(), "params.pem")
		openssl(t, "genpkey", "-genparam", "-algorithm", "DSA", "-pkeyopt", "dsa_paramgen_bits:1024", "-pkeyopt", "dsa_paramgen_q_bits:160", "-out", params)
		file, pub := newKey(t, "-paramfile", params)
		for _, h := range []crypto.Hash{crypto.SHA1, crypto.SHA256, crypto.SHA512} {
			check(t, sigalg.Algorithm{Scheme: sigalg.DSA, Hash: h}, pub, sign(t, file, hashNames[h]))
		}
	})
}

func TestPSSOfOpenSSL(t *testing.T) {
	t.Parallel()
	for _, bits := range []string{"768", "1024", "1025", "1031", "1032", "2048"} {
		file, pub := newKey(t, "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:"+bits)
		for _, hash := range []crypto.Hash{crypto.SHA1, crypto.SHA256, crypto.SHA3_256} {
			for _, mgf := range []crypto.Hash{crypto.SHA1, crypto.SHA256} {
				for _, salt := range []int{0, 1, 20, 32} {
					sig := sign(t, file, hashNames[hash], "-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_mgf1_md:"+hashNames[mgf],
						"-sigopt", "rsa_pss_saltlen:"+big.NewInt(int64(salt)).String())
					a := sigalg.Algorithm{Scheme: sigalg.PSS, Hash: hash, MGFHash: mgf, SaltLength: salt}
					check(t, a, pub, sig)
					a.SaltLength = -1
					check(t, a, pub, sig)
					a.SaltLength = salt + 1
					if err := a.Verify(pub, digestOf(hash, message), sig); !errors.Is(err, sigalg.ErrBadSignature) {
						t.Errorf("%s bits, %v, salt of %d: %v", bits, a, salt, err)
					}
				}
			}
		}
	}
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestParse(t *testing.T) {
	t.Parallel()
	tests := []struct{ der, want string }{
		{"300d 06092a864886f70d01010b 0500", "RSA with SHA-256"},
		{"300b 06092a864886f70d01010b", "RSA with SHA-256"},
		{"300d 06092a864886f70d010105 0500", "RSA with SHA-1"},
		{"300d 06092a864886f70d010104 0500", "RSA with MD5"},
		{"300d 0609608648016503040310 0500", "RSA with SHA3-512"},
		{"300a 06082a8648ce3d040303", "ECDSA with SHA-384"},
		{"300c 06082a8648ce3d040303 0500", "ECDSA with SHA-384"},
		{"3019 06072a8648ce3d0403 300e 060960864801650304020105000000", ""},
		{"3018 06072a8648ce3d0403 300d 06096086480165030402010500", "ECDSA with SHA-256"},
		{"300c 060a04007f00070101040103", "plain ECDSA with SHA-256"},
		{"3005 06032b6570", "Ed25519"},
		{"3009 06072a8648ce380403", "DSA with SHA-1"},
		{"300d 06092a864886f70d01010a 3000", "RSA-PSS with SHA-1"},
		{"3041 06092a864886f70d01010a 3034 a00f 300d 06096086480165030402010500 a11c 301a 06092a864886f70d010108 300d 06096086480165030402010500 a203 020120", "RSA-PSS with SHA-256"},
		{"3041 06092a864886f70d01010a 3034 a00f 300d 06096086480165030402010500 a11c 301a 06092a864886f70d010108 300d 06096086480165030402010500 a203 02010a", "RSA-PSS with SHA-256, salt 10"},
		{"3023 06092a864886f70d01010a 3016 a00f 300d 06096086480165030402010500 a203 020120", "RSA-PSS with SHA-256, MGF1 SHA-1"},
		// Refused.
		{"", ""},
		{"3000", ""},
		{"300d 06092a864886f70d01010b 0500 00", ""},
		{"300e 06092a864886f70d01010b 020101", ""},
		{"300d 06092a864886f70d010101 0500", ""}, // a key, no algorithm
		{"300b 06092a864886f70d01010a", ""},      // PSS without parameters
		{"3012 06092a864886f70d01010a 3005 a303 020102", ""},
		{"3012 06092a864886f70d01010a 3005 a203 0201ff", ""},
		{"3013 06092a864886f70d01010a 3006 a204 02027fff", ""},
		{"300d 06092a864886f70d0101ff 0500", ""},
		{"3005 06032b6571", ""}, // Ed448
	}
	for _, tt := range tests {
		a, err := sigalg.Parse(unhex(t, tt.der))
		switch {
		case tt.want == "" && !errors.Is(err, sigalg.ErrUnsupported):
			t.Errorf("%s: %v %v", tt.der, a, err)
		case tt.want != "" && (err != nil || a.String() != tt.want):
			t.Errorf("%s: %v %v, want %s", tt.der, a, err, tt.want)
		}
	}
}

func TestFromCMS(t *testing.T) {
	t.Parallel()
	const (
		sha256 = "300d 0609608648016503040201 0500"
		sha512 = "300b 0609608648016503040203"
		rsa    = "300d 06092a864886f70d010101 0500"
	)
	tests := []struct {
		digest, sig, want string
		mismatch          bool
	}{
		{sha256, rsa, "RSA with SHA-256", false},
		{sha512, rsa, "RSA with SHA-512", false},
		{"300d 06092a864886f70d01010b 0500", rsa, "RSA with SHA-256", false}, // the signature's OID in the digest's place
		{sha256, "300d 06092a864886f70d01010b 0500", "RSA with SHA-256", false},
		{sha512, "300d 06092a864886f70d01010b 0500", "RSA with SHA-256", true},
		{sha256, "300a 06082a8648ce3d040303", "ECDSA with SHA-384", true},
		{sha256, "3009 06072a8648ce3d0201", "ECDSA with SHA-256", false},
		{sha256, "3009 06072a8648ce380401", "DSA with SHA-256", false},
		{sha256, "300b 06092a864886f70d01010a", "RSA-PSS with SHA-256", false},
		{sha256, "300d 06092a864886f70d01010a 3000", "RSA-PSS with SHA-1", true},
		{sha512, "3005 06032b6570", "Ed25519", false},
		{"3005 06032a0304", "300d 06092a864886f70d01010b 0500", "RSA with SHA-256", false},
		{"3005 06032a0304", rsa, "", false},
		{sha256, "3005 06032a0304", "", false},
		{sha256, "0500", "", false},
	}
	for _, tt := range tests {
		a, mismatch, err := sigalg.FromCMS(unhex(t, tt.digest), unhex(t, tt.sig))
		if tt.want == "" {
			if !errors.Is(err, sigalg.ErrUnsupported) {
				t.Errorf("%s, %s: %v", tt.digest, tt.sig, err)
			}
		} else if err != nil || a.String() != tt.want || mismatch != tt.mismatch {
			t.Errorf("%s, %s: %v %t %v, want %s %t", tt.digest, tt.sig, a, mismatch, err, tt.want, tt.mismatch)
		}
	}
}

func TestHashes(t *testing.T) {
	t.Parallel()
	for h, name := range hashNames {
		// openssl's own hash of nothing must be ours.
		want := strings.Fields(string(openssl(t, "dgst", "-r", "-"+name, os.DevNull)))[0]
		if got := hex.EncodeToString(digestOf(h, nil)); got != want || sigalg.HashName(h) == "unknown digest" {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	if h, ok := sigalg.HashByOID(asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 2}); !ok || h != crypto.SHA384 {
		t.Error(h, ok)
	}
	if _, ok := sigalg.HashByOID(asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 2}); ok { // MD2
		t.Error("MD2 is known")
	}
	if h, ok := sigalg.HashByURI("http://www.w3.org/2001/04/xmlenc#sha256"); !ok || h != crypto.SHA256 {
		t.Error(h, ok)
	}
	if _, ok := sigalg.HashByURI(""); ok {
		t.Error("an empty URI is known")
	}
	if h, err := sigalg.HashAlgorithm(unhex(t, "3010 0609608648016503040201 0403010203")); !errors.Is(err, sigalg.ErrUnsupported) {
		t.Error(h, err)
	}
	if sigalg.HashName(crypto.Hash(99)) != "unknown digest" {
		t.Error(sigalg.HashName(crypto.Hash(99)))
	}
}

func TestByURI(t *testing.T) {
	t.Parallel()
	for uri, want := range map[string]string{
		"http://www.w3.org/2000/09/xmldsig#rsa-sha1":               "RSA with SHA-1",
		"http://www.w3.org/2001/04/xmldsig-more#rsa-sha512":        "RSA with SHA-512",
		"http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384":      "ECDSA with SHA-384",
		"http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1":   "RSA-PSS with SHA-256",
		"http://www.w3.org/2007/05/xmldsig-more#sha3-512-rsa-MGF1": "RSA-PSS with SHA3-512",
		"http://www.w3.org/2021/04/xmldsig-more#eddsa-ed25519":     "Ed25519",
		"http://www.w3.org/2000/09/xmldsig#dsa-sha1":               "DSA with SHA-1",
		"http://www.w3.org/2000/09/xmldsig#hmac-sha1":              "",
		"": "",
	} {
		a, err := sigalg.ByURI(uri)
		if want == "" && !errors.Is(err, sigalg.ErrUnsupported) || want != "" && (err != nil || a.String() != want) {
			t.Errorf("%s: %v %v", uri, a, err)
		}
	}
}

// pair encodes r and s as they are given, with BER's freedom.
func pair(parts ...[]byte) []byte {
	body := bytes.Join(parts, nil)
	return append([]byte{0x30, 0x81, byte(len(body))}, body...)
}

func integer(b []byte) []byte { return append([]byte{2, byte(len(b))}, b...) }

func TestECDSAEncodings(t *testing.T) {
	t.Parallel()
	file, pub := newKey(t, "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")
	var rs struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(sign(t, file, "sha256"), &rs); err != nil {
		t.Fatal(err)
	}
	n := elliptic.P256().Params().N
	der, plain := sigalg.Algorithm{Scheme: sigalg.ECDSA, Hash: crypto.SHA256}, sigalg.Algorithm{Scheme: sigalg.PlainECDSA, Hash: crypto.SHA256}
	d := digestOf(crypto.SHA256, message)
	padded := func(n *big.Int, zeros int) []byte { return integer(append(make([]byte, zeros), n.Bytes()...)) }
	raw := append(rs.R.FillBytes(make([]byte, 32)), rs.S.FillBytes(make([]byte, 32))...)
	fromRaw, err := sigalg.ECDSAFromRaw(raw)
	if err != nil {
		t.Fatal(err)
	}
	wide := append(rs.R.FillBytes(make([]byte, 40)), rs.S.FillBytes(make([]byte, 40))...)
	tests := []struct {
		name  string
		a     sigalg.Algorithm
		value []byte
		good  bool
	}{
		{"needless zeros", der, pair(padded(rs.R, 2), padded(rs.S, 5)), true},
		{"raw to DER", der, fromRaw, true},
		{"raw", plain, raw, true},
		{"raw with zeros", plain, wide, true},
		{"raw as DER", der, raw, false},
		{"DER as raw", plain, fromRaw, false},
		{"behind the pair", der, append(pair(padded(rs.R, 1), padded(rs.S, 1)), 0), false},
		{"inside the pair", der, pair(padded(rs.R, 1), padded(rs.S, 1), integer([]byte{0})), false},
		{"r and s exchanged", der, pair(padded(rs.S, 1), padded(rs.R, 1)), false},
		{"s above the order", der, pair(padded(rs.R, 1), padded(new(big.Int).Add(rs.S, n), 1)), false},
		{"r above the order", der, pair(padded(new(big.Int).Add(rs.R, n), 1), padded(rs.S, 1)), false},
		{"r zero", der, pair(integer([]byte{0}), padded(rs.S, 1)), false},
		{"s zero", der, pair(padded(rs.R, 1), integer([]byte{0})), false},
		{"both zero", plain, make([]byte, 64), false},
		{"empty integers", der, []byte{0x30, 4, 2, 0, 2, 0}, false},
		{"negative", der, pair(integer([]byte{0xff}), padded(rs.S, 1)), false},
		{"odd raw", plain, raw[:63], false},
		{"huge raw", plain, make([]byte, 4096), false},
		{"indefinite", der, append([]byte{0x30, 0x80}, pair(padded(rs.R, 1), padded(rs.S, 1))[3:]...), false},
	}
	for _, tt := range tests {
		if err := tt.a.Verify(pub, d, tt.value); tt.good && err != nil || !tt.good && !errors.Is(err, sigalg.ErrBadSignature) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestVerifyRefuses(t *testing.T) {
	t.Parallel()
	rsaKey := func(bits uint, e int) *rsa.PublicKey {
		return &rsa.PublicKey{N: new(big.Int).SetBit(big.NewInt(1), int(bits)-1, 1), E: e}
	}
	even := rsaKey(2048, 65537)
	even.N.SetBit(even.N, 0, 0)
	off := &ecdsa.PublicKey{Curve: elliptic.P256(), X: big.NewInt(1), Y: big.NewInt(1)}
	pkcs1, ec := sigalg.Algorithm{Scheme: sigalg.PKCS1, Hash: crypto.SHA256}, sigalg.Algorithm{Scheme: sigalg.ECDSA, Hash: crypto.SHA256}
	tests := []struct {
		name string
		a    sigalg.Algorithm
		pub  crypto.PublicKey
		want error
	}{
		{"RSA 511", pkcs1, rsaKey(511, 65537), sigalg.ErrUnsupported},
		{"RSA 512", pkcs1, rsaKey(512, 65537), sigalg.ErrBadSignature},
		{"RSA 16384", pkcs1, rsaKey(16384, 1<<62-1), sigalg.ErrBadSignature},
		{"RSA 16385", pkcs1, rsaKey(16385, 65537), sigalg.ErrUnsupported},
		{"even modulus", pkcs1, even, sigalg.ErrUnsupported},
		{"even exponent", pkcs1, rsaKey(2048, 4), sigalg.ErrUnsupported},
		{"exponent 1", pkcs1, rsaKey(2048, 1), sigalg.ErrUnsupported},
		{"no modulus", pkcs1, &rsa.PublicKey{E: 3}, sigalg.ErrUnsupported},
		{"EC key, RSA algorithm", pkcs1, off, sigalg.ErrMismatch},
		{"RSA key, EC algorithm", ec, rsaKey(2048, 3), sigalg.ErrMismatch},
		{"point off the curve", ec, off, sigalg.ErrUnsupported},
		{"no curve", ec, &ecdsa.PublicKey{}, sigalg.ErrUnsupported},
		{"own curve", ec, &ecdsa.PublicKey{Curve: &elliptic.CurveParams{P: big.NewInt(7), N: big.NewInt(7), B: big.NewInt(1), Gx: big.NewInt(1), Gy: big.NewInt(1)}, X: big.NewInt(1), Y: big.NewInt(1)}, sigalg.ErrUnsupported},
		{"no key", pkcs1, nil, sigalg.ErrMismatch},
		{"short Ed25519 key", sigalg.Algorithm{Scheme: sigalg.Ed25519}, ed25519.PublicKey{1}, sigalg.ErrMismatch},
		{"no algorithm", sigalg.Algorithm{}, rsaKey(2048, 3), sigalg.ErrUnsupported},
		{"no hash", sigalg.Algorithm{Scheme: sigalg.PKCS1}, rsaKey(2048, 3), sigalg.ErrUnsupported},
		{"unknown scheme", sigalg.Algorithm{Scheme: 99, Hash: crypto.SHA256}, rsaKey(2048, 3), sigalg.ErrUnsupported},
		{"short digest", sigalg.Algorithm{Scheme: sigalg.PKCS1, Hash: crypto.SHA512}, rsaKey(2048, 3), sigalg.ErrMismatch},
	}
	for _, tt := range tests {
		value := make([]byte, (sigalg.KeyBits(tt.pub)+7)/8)
		if err := tt.a.Verify(tt.pub, make([]byte, 32), value); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

// PKCS #1 signatures whose DigestInfo lacks the NULL, as RFC 8017 appendix A.2.4 allows, made here with the private key.
func TestDigestInfoWithoutNull(t *testing.T) {
	t.Parallel()
	file, pub := newKey(t, "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024")
	d := digestOf(crypto.SHA256, message)
	info := append(unhex(t, "302f 300b 0609608648016503040201 0420"), d...)
	dir := t.TempDir()
	for name, tt := range map[string]struct {
		info []byte
		good bool
	}{
		"without":  {info, true},
		"with":     {append(unhex(t, "3031 300d 0609608648016503040201 0500 0420"), d...), true},
		"trailing": {append(append(unhex(t, "3032 300b 0609608648016503040201 0420"), d...), 1, 2, 3), false},
		"other":    {append(unhex(t, "302f 300b 0609608648016503040204 0420"), d...), false},
		"bare":     {d, false},
	} {
		in, out := filepath.Join(dir, name), filepath.Join(dir, name+".sig")
		if err := os.WriteFile(in, tt.info, 0o600); err != nil {
			t.Fatal(err)
		}
		openssl(t, "pkeyutl", "-sign", "-inkey", file, "-in", in, "-out", out) // pads what it is given
		sig, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		if err := (sigalg.Algorithm{Scheme: sigalg.PKCS1, Hash: crypto.SHA256}).Verify(pub, d, sig); (err == nil) != tt.good {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	for curve, want := range map[elliptic.Curve]string{elliptic.P384(): "EC P-384", sigalg.Curves()[5]: "EC brainpoolP256r1", &elliptic.CurveParams{N: big.NewInt(5)}: "EC unknown curve"} {
		if got := sigalg.KeyName(&ecdsa.PublicKey{Curve: curve}); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	if got := sigalg.KeyName(&rsa.PublicKey{N: big.NewInt(1 << 40)}); got != "RSA 41" {
		t.Error(got)
	}
	if got := sigalg.KeyName(nil); got != "unknown key" {
		t.Error(got)
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"300d06092a864886f70d01010b0500", "300a06082a8648ce3d040303", "300d06092a864886f70d01010a3000",
		"304106092a864886f70d01010a3034a00f300d06096086480165030402010500a11c301a06092a864886f70d010108300d06096086480165030402010500a203020120"} {
		f.Add(unhex(f, seed))
	}
	pub := &ecdsa.PublicKey{Curve: elliptic.P256(), X: elliptic.P256().Params().Gx, Y: elliptic.P256().Params().Gy}
	f.Fuzz(func(t *testing.T, der []byte) {
		a, err := sigalg.Parse(der)
		if err != nil && !errors.Is(err, sigalg.ErrUnsupported) {
			t.Fatal(err)
		}
		if err == nil && a.Scheme != sigalg.Ed25519 && !a.Hash.Available() {
			t.Fatalf("%v cannot be computed", a)
		}
		if b, mismatch, err := sigalg.FromCMS(der, der); err == nil && (mismatch || a.Scheme != 0 && a != b) {
			t.Fatalf("%v and %v, %t", a, b, mismatch)
		}
		// The bytes as a signature: never good, never a panic.
		ec := sigalg.Algorithm{Scheme: sigalg.ECDSA, Hash: crypto.SHA256}
		if err := ec.Verify(pub, make([]byte, 32), der); !errors.Is(err, sigalg.ErrBadSignature) {
			t.Fatal(err)
		}
	})
}

// TestECDSAToRaw is the way back of ECDSAFromRaw, and refuses what is no value or does not fit.
func TestECDSAToRaw(t *testing.T) {
	raw := append(bytes.Repeat([]byte{0x81}, 48), append(make([]byte, 47), 1)...)
	der, err := sigalg.ECDSAFromRaw(raw)
	if err != nil {
		t.Fatal(err)
	}
	if back, err := sigalg.ECDSAToRaw(der, 96); err != nil || !bytes.Equal(back, raw) {
		t.Errorf("%x, %v", back, err)
	}
	for name, bad := range map[string][]byte{"nothing": nil, "cut": der[:len(der)-1], "more behind": append(bytes.Clone(der), 0), "zero": {0x30, 6, 2, 1, 0, 2, 1, 1}, "negative": {0x30, 6, 2, 1, 0x80, 2, 1, 1}} {
		if got, err := sigalg.ECDSAToRaw(bad, 96); !errors.Is(err, sigalg.ErrBadSignature) {
			t.Errorf("%s: %x, %v", name, got, err)
		}
	}
	if _, err := sigalg.ECDSAToRaw(der, 64); !errors.Is(err, sigalg.ErrBadSignature) {
		t.Errorf("too large: %v", err)
	}
}
