package cades_test

import (
	"context"
	"crypto"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/ades/cades"
	"github.com/eidkit/eidkit/internal/cms"
	"github.com/eidkit/eidkit/testcards/pki"
)

// BenchmarkMakeLarge signs a file of 64 MiB (EIDKIT_BENCH_MIB=1024: of 1 GiB), attached and detached, beside reading and hashing it and nothing else, beside copying
// it, and beside openssl. resident-MB is the most that the process has held so far.
func BenchmarkMakeLarge(b *testing.B) {
	size := benchSize(b)
	dir := workshop(b)
	path := filepath.Join(dir, "large")
	fill(b, path, size)
	for _, alg := range []pki.Algorithm{pki.RSA, pki.EC} {
		p, who := person(b, alg)
		m := makingOf(p, who)
		body := cades.Body{Size: size, Open: func() (io.ReadCloser, error) { return os.Open(path) }}
		run := func(name string, f func()) {
			b.Run(name+"/"+alg.String(), func(b *testing.B) {
				b.SetBytes(size)
				for b.Loop() {
					f()
				}
				b.ReportMetric(resident(), "resident-MB")
			})
		}
		run("read-and-hash", func() {
			in, err := os.Open(path)
			if err != nil {
				b.Fatal(err)
			}
			defer in.Close()
			if _, err := io.CopyBuffer(m.Algorithm.Hash.New(), struct{ io.Reader }{in}, make([]byte, 1<<20)); err != nil {
				b.Fatal(err)
			}
		})
		run("read-and-write", func() {
			writeFile(b, filepath.Join(dir, "copy"), func(w io.Writer) error {
				in, err := os.Open(path)
				if err != nil {
					return err
				}
				defer in.Close()
				_, err = io.CopyBuffer(struct{ io.Writer }{w}, struct{ io.Reader }{in}, make([]byte, 1<<20))
				return err
			})
		})
		run("detached", func() {
			writeFile(b, filepath.Join(dir, "p7s"), func(w io.Writer) error { return signTwice(b, w, m, who.Key, body, true) })
		})
		run("attached-in-two-steps", func() {
			writeFile(b, filepath.Join(dir, "p7m"), func(w io.Writer) error { return signTwice(b, w, m, who.Key, body, false) })
		})
		run("attached", func() {
			writeFile(b, filepath.Join(dir, "p7m"), func(w io.Writer) error { return signAttached(b, w, m, who.Key, body) })
		})
		name := map[pki.Algorithm]string{pki.RSA: "rsa", pki.EC: "ec"}[alg]
		args := []string{"cms", "-sign", "-cades", "-binary", "-in", "large", "-signer", name + ".crt", "-inkey", name + ".key", "-outform", "DER", "-out", "openssl",
			"-md", map[pki.Algorithm]string{pki.RSA: "sha256", pki.EC: "sha384"}[alg]}
		for kind, more := range map[string][]string{"detached": nil, "attached": {"-nodetach", "-stream"}} {
			run("openssl-"+kind, func() {
				cmd := exec.Command("openssl", append(args, more...)...)
				cmd.Dir = dir
				if out, err := cmd.CombinedOutput(); err != nil {
					b.Fatalf("%v\n%s", err, out)
				}
			})
		}
	}
}

// fill writes a file of that size.
func fill(b *testing.B, path string, size int64) {
	b.Helper()
	writeFile(b, path, func(w io.Writer) error {
		block := make([]byte, 1<<20)
		for i := range block {
			block[i] = byte(i * i >> 5)
		}
		for done := int64(0); done < size; done += int64(len(block)) {
			if _, err := w.Write(block); err != nil {
				return err
			}
		}
		return nil
	})
}

func writeFile(b *testing.B, path string, f func(io.Writer) error) {
	b.Helper()
	out, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	if err := f(out); err != nil {
		b.Fatal(err)
	}
	if err := out.Close(); err != nil {
		b.Fatal(err)
	}
}

// signTwice reads the content twice: for the digest, and to put it into the message unless that is detached.
func signTwice(b *testing.B, w io.Writer, m ades.Making, key crypto.Signer, body cades.Body, detached bool) error {
	ctx := context.Background()
	in, err := body.Open()
	if err != nil {
		return err
	}
	defer in.Close()
	hashes := []crypto.Hash{m.Algorithm.Hash}
	if !detached && hashes[0] != crypto.SHA256 {
		hashes = append(hashes, crypto.SHA256)
	}
	digests, _, err := cms.Digests(ctx, in, hashes...)
	if err != nil {
		return err
	}
	body.SHA256 = digests[crypto.SHA256]
	d, err := cades.Prepare(ctx, m, digests[m.Algorithm.Hash], cades.MakeOptions{Detached: detached})
	if err != nil {
		return err
	}
	message, err := d.Message(ctx, sign(b, key, m.Algorithm, d.Digest()), nil, body)
	if err != nil {
		return err
	}
	_, err = message.WriteTo(w)
	return err
}

func signAttached(b *testing.B, w io.Writer, m ades.Making, key crypto.Signer, body cades.Body) error {
	ctx := context.Background()
	stream, err := cades.Begin(ctx, w, m, body, cades.MakeOptions{})
	if err != nil {
		return err
	}
	_, err = stream.Finish(ctx, sign(b, key, m.Algorithm, stream.Digest()), nil)
	return err
}

// BenchmarkMakeSmall signs a small file at each level, with a software key and services in the same process.
func BenchmarkMakeSmall(b *testing.B) {
	for _, alg := range []pki.Algorithm{pki.RSA, pki.EC} {
		p, who := person(b, alg)
		for level := ades.LevelB; level <= ades.LevelLTA; level++ {
			b.Run(alg.String()+"/"+level.String(), func(b *testing.B) {
				for b.Loop() {
					r := newServices(p, signedAt).raising(level)
					makeMessage(b, makingOf(p, who), who.Key, statement, cades.MakeOptions{}, &r)
				}
			})
		}
	}
}
