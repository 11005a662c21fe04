package sign_test

import (
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"fmt"
	"hash"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/eidkit/eidkit/sign"
	"github.com/eidkit/eidkit/testcards/pki"
	"github.com/eidkit/eidkit/testcards/signed"
)

// benchKey is a key in memory with what signing at B-B without a network takes.
func benchKey(t testing.TB, alg pki.Algorithm) (*pki.Issued, sign.Key, sign.Options) {
	t.Helper()
	p, err := pki.New(pki.Options{Algorithm: alg})
	if err != nil {
		t.Fatal(err)
	}
	who, err := signed.Citizen(p, pki.Request{NotAfter: time.Date(2049, 12, 31, 0, 0, 0, 0, time.UTC)})
	if err != nil {
		t.Fatal(err)
	}
	return who, software{who.Key, who.Certificate}, sign.Options{Offline: true, Chain: []*x509.Certificate{p.CitizenCA.Certificate}}
}

// BenchmarkSign is signatures a second at B-B, of small files, with keys in memory.
func BenchmarkSign(b *testing.B) {
	for _, alg := range []pki.Algorithm{pki.RSA, pki.EC} {
		_, key, o := benchKey(b, alg)
		for i := range packagings {
			k := &packagings[i]
			b.Run(k.name+"/"+alg.String(), func(b *testing.B) {
				o := o
				k.options(&o)
				for b.Loop() {
					if _, _, err := signFile(context.Background(), k.format, k.in(), key, o); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "signatures/s")
			})
		}
	}
}

// BenchmarkOpenSSL is the same by `openssl cms -sign -cades`, a process for each file.
func BenchmarkOpenSSL(b *testing.B) {
	for _, alg := range []pki.Algorithm{pki.RSA, pki.EC} {
		who, _, _ := benchKey(b, alg)
		dir := b.TempDir()
		put(b, dir, "key.pem", privatePEM(b, who))
		put(b, dir, "signer.pem", inPEM(who.Certificate))
		put(b, dir, "ca.pem", inPEM(who.Issuer.Certificate))
		put(b, dir, contentName, []byte(contentText))
		b.Run(alg.String(), func(b *testing.B) {
			for b.Loop() {
				mustRun(b, dir, "openssl", "cms", "-sign", "-cades", "-binary", "-nodetach", "-outform", "DER", "-in", contentName, "-out", "signed",
					"-signer", "signer.pem", "-inkey", "key.pem", "-certfile", "ca.pem")
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "signatures/s")
		})
	}
}

// largeVariable has a process of this test sign one large file and say how long it took and how much memory.
const largeVariable = "EIDKIT_SIGN_LARGE"

// large are the files of BenchmarkLarge: MB is the most that the process may have resident; 0: no budget.
var large = []struct {
	name string
	alg  pki.Algorithm
	size int64
	MB   float64
	work func(t testing.TB, alg pki.Algorithm, path string, size int64)
}{
	{"SHA-256 alone, 1 GiB", pki.RSA, 1 << 30, 0, hashAlone(sha256.New)},
	{"SHA-384 alone, 1 GiB", pki.EC, 1 << 30, 0, hashAlone(sha512.New384)},
	{"CAdES attached, RSA, 1 GiB", pki.RSA, 1 << 30, 32, signLarge(0, "")},
	{"CAdES attached, P-384, 1 GiB", pki.EC, 1 << 30, 32, signLarge(0, "")},
	{"CAdES attached, RSA, 1 GiB, to a file", pki.RSA, 1 << 30, 32, signLarge(0, "signed")},
	{"CAdES detached, RSA, 1 GiB", pki.RSA, 1 << 30, 32, signLarge(1, "")},
	{"CAdES detached, P-384, 1 GiB", pki.EC, 1 << 30, 32, signLarge(1, "")},
	{"SHA-256 alone, 500 MB", pki.RSA, 500 << 20, 0, hashAlone(sha256.New)},
	{"PAdES, RSA, 500 MB", pki.RSA, 500 << 20, 64, signLarge(2, "")},
	{"PAdES, RSA, 500 MB, to a file", pki.RSA, 500 << 20, 64, signLarge(2, "signed")},
}

// BenchmarkLarge signs large files, each in a process of its own, and compares that with hashing them.
func BenchmarkLarge(b *testing.B) {
	dir := b.TempDir()
	pdf := signed.NewPDF(signed.PDFOptions{Padding: 500 << 20}).Bytes()
	put(b, dir, fmt.Sprint(500<<20), pdf)
	f, err := os.Create(filepath.Join(dir, fmt.Sprint(1<<30)))
	if err != nil {
		b.Fatal(err)
	}
	piece := make([]byte, 1<<20)
	for i := range piece {
		piece[i] = byte(i * i >> 3)
	}
	for range 1 << 10 {
		if _, err := f.Write(piece); err != nil {
			b.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
	alone := map[string]float64{}
	for i, l := range large {
		b.Run(l.name, func(b *testing.B) {
			var took, most float64
			for b.Loop() {
				cmd := exec.Command(os.Args[0], "-test.run=^TestLargeChild$")
				cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d %s", largeVariable, i, dir))
				out, err := cmd.CombinedOutput()
				var seconds, resident float64
				if _, scan := fmt.Sscanf(string(out), "%f s %f MB", &seconds, &resident); err != nil || scan != nil {
					b.Fatalf("%v, %v\n%s", err, scan, out)
				}
				took, most = took+seconds, max(most, resident)
			}
			took /= float64(b.N)
			b.ReportMetric(took*1e3, "ms")
			b.ReportMetric(most, "MB-resident")
			key := fmt.Sprint(l.alg, l.size)
			if l.MB == 0 {
				alone[key] = took
			} else {
				b.ReportMetric(100*alone[key]/took, "hash-speed-%")
			}
			if l.MB > 0 && most > l.MB {
				b.Errorf("%.1f MB resident, %.0f allowed", most, l.MB)
			}
		})
	}
}

// TestLargeChild is the work of BenchmarkLarge's processes.
func TestLargeChild(t *testing.T) {
	var i int
	var dir string
	if _, err := fmt.Sscan(os.Getenv(largeVariable), &i, &dir); err != nil {
		if os.Getenv(largeVariable) != "" {
			t.Fatal(err)
		}
		return
	}
	l := large[i]
	begin := time.Now()
	l.work(t, l.alg, filepath.Join(dir, fmt.Sprint(l.size)), l.size)
	took := time.Since(begin)
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	var kB float64
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	if _, err := fmt.Sscan(rest, &kB); err != nil {
		t.Fatal(err)
	}
	fmt.Printf("%f s %f MB\n", took.Seconds(), kB/1024)
}

func hashAlone(of func() hash.Hash) func(testing.TB, pki.Algorithm, string, int64) {
	return func(t testing.TB, _ pki.Algorithm, path string, _ int64) {
		t.Helper()
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := io.CopyBuffer(of(), struct{ io.Reader }{f}, make([]byte, 1<<20)); err != nil {
			t.Fatal(err)
		}
	}
}

// signLarge signs by one of packagings, to nowhere or to a file.
func signLarge(packaging int, to string) func(testing.TB, pki.Algorithm, string, int64) {
	return func(t testing.TB, alg pki.Algorithm, path string, _ int64) {
		t.Helper()
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		info, err := f.Stat()
		if err != nil {
			t.Fatal(err)
		}
		_, key, o := benchKey(t, alg)
		k := packagings[packaging]
		k.options(&o)
		out := io.Discard
		if to != "" {
			file, err := os.Create(filepath.Join(t.TempDir(), to))
			if err != nil {
				t.Fatal(err)
			}
			defer file.Close()
			out = file
		}
		in := sign.Source{Name: "large", Data: f, Size: info.Size()}
		if k.format == sign.FormatPAdES {
			_, err = sign.PAdES(context.Background(), out, in, key, o)
		} else {
			_, err = sign.CAdES(context.Background(), out, in, key, o)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}
