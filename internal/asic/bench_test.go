package asic

import (
	"archive/zip"
	"bytes"
	"crypto"
	"crypto/sha256"
	"fmt"
	"io"
	"testing"
)

// BenchmarkOpen opens a container of 200 files; archive/zip, which looks at no
// local header, is beside it.
func BenchmarkOpen(b *testing.B) {
	files := []file{mimetype}
	for i := range 200 {
		files = append(files, file{name: fmt.Sprintf("folder/file %d.txt", i), body: "content", deflate: true})
	}
	raw := makeZip(b, archive{}, files...)
	b.Run("asic", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := Open(bytes.NewReader(raw), int64(len(raw))); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("archive/zip", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw))); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkDigest hashes a stored file of 64 MiB; hashing alone is beside it.
func BenchmarkDigest(b *testing.B) {
	body := make([]byte, 64<<20)
	raw := makeZip(b, archive{}, file{name: "x", body: string(body)})
	b.Run("asic", func(b *testing.B) {
		b.SetBytes(int64(len(body)))
		b.ReportAllocs()
		for b.Loop() {
			c, err := Open(bytes.NewReader(raw), int64(len(raw)))
			if err != nil {
				b.Fatal(err)
			}
			if _, err := c.Lookup("x").Digest(b.Context(), crypto.SHA256); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("sha256", func(b *testing.B) {
		b.SetBytes(int64(len(body)))
		for b.Loop() {
			if _, err := io.Copy(sha256.New(), bytes.NewReader(body)); err != nil {
				b.Fatal(err)
			}
		}
	})
}
