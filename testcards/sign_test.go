package testcards

import (
	"crypto/ecdsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// openssl runs it on files in a directory of its own. Without it the test is not run, but fails under CI.
func openssl(t *testing.T, files map[string][]byte, args ...string) string {
	t.Helper()
	path, err := exec.LookPath("openssl")
	if err != nil && os.Getenv("CI") == "true" {
		t.Fatal("openssl is not installed: apt-get install openssl")
	}
	if err != nil {
		t.Skip("openssl is not installed: apt-get install openssl")
	}
	dir := t.TempDir()
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(path, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Sprintf("%v: %s", err, out)
	}
	return string(out)
}

func publicPEM(t *testing.T, c *Card, id uint16) []byte {
	t.Helper()
	der := c.File(0x4040)
	if id != 0x4040 {
		var err error
		if der, err = x509.MarshalPKIXPublicKey(certificate(t, c, id).PublicKey); err != nil {
			t.Fatal(err)
		}
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

// signed has the card sign data, and returns the signature as openssl takes it.
func signed(t *testing.T, c *Card, reference, key byte, data []byte) []byte {
	t.Helper()
	c.PowerOn()
	block := pinBlock(PIN)
	var resp []byte
	for _, cmd := range [][]byte{
		{0, 0x22, 0x41, 0xB6, 5, 4, 0x80, reference, 0x84, key},
		append([]byte{0, 0x20, 0, 1, 8}, block[:]...),
		append([]byte{0, 0x2A, 0x9E, 0x9A, byte(len(data))}, data...),
	} {
		resp = c.Transmit(cmd)
	}
	if resp[0] != 0x61 {
		t.Fatalf("reference %02X, key %02X: PSO answered %X", reference, key, resp)
	}
	return opensslForm(t, c, c.Transmit([]byte{0, 0xC0, 0, 0, resp[1]}))
}

func opensslForm(t *testing.T, c *Card, resp []byte) []byte {
	t.Helper()
	sig := resp[:len(resp)-2]
	if !c.applet.ec {
		return sig
	}
	if len(sig) != 96 {
		t.Fatalf("EC signature of %d bytes", len(sig))
	}
	der, err := asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(sig[:48]), new(big.Int).SetBytes(sig[48:])})
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// Signatures of every kind, judged by openssl.
func TestOpensslVerifiesSignatures(t *testing.T) {
	message := []byte("judged by another program\n")
	h1, h256, h384, h512 := sha1.Sum(message), sha256.Sum256(message), sha512.Sum384(message), sha512.Sum512(message)
	info256 := append([]byte{0x30, 0x31, 0x30, 0x0D, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20}, h256[:]...)
	pss := []string{"-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest"}
	for _, test := range []struct {
		profile   string
		reference byte
		data      []byte
		options   []string
	}{
		{"citizen-1.1", 0x01, info256, []string{"-sha256"}},
		{"citizen-1.1", 0x02, h1[:], []string{"-sha1"}},
		{"citizen-1.7", 0x01, info256, []string{"-sha256"}},
		{"citizen-1.7", 0x02, h1[:], []string{"-sha1"}},
		{"citizen-1.7", 0x08, h256[:], []string{"-sha256"}},
		{"citizen-1.7", 0x10, h1[:], append([]string{"-sha1"}, pss...)},
		{"citizen-1.7", 0x20, h256[:], append([]string{"-sha256"}, pss...)},
		{"rekeyed-1.7", 0x08, h256[:], []string{"-sha256"}},
		{"citizen-1.8", 0x01, h256[:], []string{"-sha256"}},
		{"citizen-1.8", 0x02, h384[:], []string{"-sha384"}},
		{"citizen-1.8", 0x04, h512[:], []string{"-sha512"}},
		{"citizen-1.8", 0x40, h256[:], []string{"-sha256"}},
		{"citizen-1.8", 0x40, h1[:], []string{"-sha1"}},
	} {
		c := open(t, test.profile, Options{})
		for key, id := range map[byte]uint16{0x82: 0x5038, 0x83: 0x5039} {
			files := map[string][]byte{"data": message, "pub": publicPEM(t, c, id), "sig": signed(t, c, test.reference, key, test.data)}
			args := append([]string{"dgst"}, test.options...)
			args = append(args, "-verify", "pub", "-signature", "sig", "data")
			if out := openssl(t, files, args...); !strings.Contains(out, "Verified OK") {
				t.Errorf("%s, reference %02X, key %02X: %s", test.profile, test.reference, key, out)
			}
			files["data"] = append(files["data"], '!')
			if out := openssl(t, files, args...); strings.Contains(out, "Verified OK") {
				t.Errorf("%s, reference %02X, key %02X: openssl takes another message too", test.profile, test.reference, key)
			}
		}
	}
}

// INTERNAL AUTHENTICATE signs the challenge itself, as a SHA-384 hash, under the key of 4040.
func TestOpensslVerifiesTheCardKey(t *testing.T) {
	c := open(t, "citizen-1.8", Options{})
	c.PowerOn()
	message := []byte("challenge")
	hash := sha512.Sum384(message)
	if resp := c.Transmit(append(unhex(t, "00880281329430"), hash[:]...)); fmt.Sprintf("%X", resp) != "6160" {
		t.Fatalf("%X", resp)
	}
	files := map[string][]byte{"data": message, "pub": publicPEM(t, c, 0x4040), "sig": opensslForm(t, c, c.Transmit(unhex(t, "00C0000060")))}
	if out := openssl(t, files, "dgst", "-sha384", "-verify", "pub", "-signature", "sig", "data"); !strings.Contains(out, "Verified OK") {
		t.Error(out)
	}
}

// The register's signature under 4032, and the chain, judged by openssl.
func TestOpensslVerifiesTheCard(t *testing.T) {
	for _, test := range []struct{ profile, hash string }{
		{"citizen-1.1", "-sha1"}, {"citizen-1.7", "-sha256"}, {"citizen-1.8", "-sha384"}, {"rekeyed-1.7", "-sha384"}, {"foreigner-1.8", "-sha384"},
	} {
		c := open(t, test.profile, Options{})
		sig := c.File(0x4032)
		if sig[0] == 0x30 && test.hash == "-sha384" {
			sig = sig[:2+int(sig[1])]
		}
		files := map[string][]byte{"data": c.File(0x4031), "pub": publicPEM(t, c, 0x503C), "sig": sig}
		if out := openssl(t, files, "dgst", test.hash, "-verify", "pub", "-signature", "sig", "data"); !strings.Contains(out, "Verified OK") {
			t.Errorf("%s: identity: %s", test.profile, out)
		}
		der := func(id uint16) []byte {
			return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate(t, c, id).Raw})
		}
		chain := map[string][]byte{"root": der(0x503B), "ca": der(0x503A), "auth": der(0x5038), "sign": der(0x5039), "rrn": der(0x503C)}
		args := []string{"verify", "-auth_level", "0", "-attime", "1800000000", "-CAfile", "root", "-untrusted", "ca", "auth", "sign", "rrn"}
		if out := openssl(t, chain, args...); strings.Count(out, ": OK") != 3 {
			t.Errorf("%s: chain: %s", test.profile, out)
		}
	}
}

// Lengths of sheet 6.1, at and beside their limits.
func TestSignatureLengths(t *testing.T) {
	for _, test := range []struct {
		profile   string
		reference byte
		good, bad []int
	}{
		{"citizen-1.1", 0x01, []int{1, 117}, []int{118, 128}},
		{"citizen-1.1", 0x02, []int{20}, []int{19, 21, 32}},
		{"citizen-1.1", 0x04, []int{16}, []int{15, 20}},
		{"citizen-1.7", 0x01, []int{1, 245}, []int{246, 255}},
		{"citizen-1.7", 0x10, []int{20}, []int{32}},
		{"citizen-1.7", 0x20, []int{32}, []int{20, 48}},
		{"citizen-1.8", 0x08, []int{32}, []int{20, 48}},
		{"citizen-1.8", 0x20, []int{64}, []int{48}},
		{"citizen-1.8", 0x40, []int{20, 28, 32, 48, 64}, []int{16, 33, 63, 65}},
	} {
		c := open(t, test.profile, Options{})
		for _, n := range test.good {
			signed(t, c, test.reference, 0x82, make([]byte, n))
		}
		for _, n := range test.bad {
			c.PowerOn()
			say(t, c, "PIN")
			c.Transmit([]byte{0, 0x22, 0x41, 0xB6, 5, 4, 0x80, test.reference, 0x84, 0x82})
			if resp := c.Transmit(append([]byte{0, 0x2A, 0x9E, 0x9A, byte(n)}, make([]byte, n)...)); fmt.Sprintf("%X", resp) != "6700" {
				t.Errorf("%s, reference %02X, %d bytes: %X", test.profile, test.reference, n, resp)
			}
		}
	}
}

// The same data give the same EC signature, so that runs can be compared.
func TestSignaturesRepeat(t *testing.T) {
	c := open(t, "citizen-1.8", Options{})
	a, b := signed(t, c, 0x02, 0x82, make([]byte, 48)), signed(t, c, 0x02, 0x82, make([]byte, 48))
	if string(a) != string(b) || !ecdsa.VerifyASN1(certificate(t, c, 0x5038).PublicKey.(*ecdsa.PublicKey), make([]byte, 48), a) {
		t.Errorf("%X\n%X", a, b)
	}
}
