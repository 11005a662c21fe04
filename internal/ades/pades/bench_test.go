package pades

import (
	"bytes"
	"context"
	"crypto/sha512"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/testcards/signed"
)

// manySignatures is a document of the given number of pages with n signatures
// of a level.
func manySignatures(t testing.TB, pages, n int, level signed.Level) []byte {
	t.Helper()
	var texts []string
	for i := range pages {
		texts = append(texts, fmt.Sprintf("Page %d of an agreement between many.", i+1))
	}
	p := signed.NewPDF(signed.PDFOptions{Pages: texts, XRefStreams: pages%2 == 0})
	o := options(t)
	o.Level = level
	for i := range n {
		o.At = noon.Add(time.Duration(i) * time.Hour)
		must(t, p.Sign(o, signed.Field{Page: i%pages + 1, Rect: [4]int{300, 100, 500, 150}}))
	}
	return p.Bytes()
}

func benchmarkRead(b *testing.B, file []byte, want int) {
	in := ades.Input{File: ades.File{Data: bytes.NewReader(file), Size: int64(len(file))}}
	b.SetBytes(int64(len(file)))
	b.ReportAllocs()
	for b.Loop() {
		list, err := Read(context.Background(), in)
		if err != nil || len(list) != want {
			b.Fatal(len(list), err)
		}
	}
}

// BenchmarkHundred is the file of design section 7: 100 signatures under 2 s, of
// which this is the reading; the engine adds its public-key operations.
func BenchmarkHundred(b *testing.B) {
	for _, c := range []struct {
		name  string
		pages int
		level signed.Level
	}{{"B-B", 1, signed.B}, {"B-B, 300 pages", 300, signed.B}, {"B-T", 1, signed.T}, {"B-LT", 1, signed.LT}} {
		file := manySignatures(b, c.pages, 100, c.level)
		b.Run(c.name, func(b *testing.B) { benchmarkRead(b, file, 100) })
	}
}

// BenchmarkOne is a small file with one signature, as a server gets them.
func BenchmarkOne(b *testing.B) {
	file := manySignatures(b, 1, 1, signed.LT)
	benchmarkRead(b, file, 1)
}

// BenchmarkPdfsig is the same by poppler, certificates apart.
func BenchmarkPdfsig(b *testing.B) {
	program, err := exec.LookPath("pdfsig")
	if err != nil {
		b.Skip("pdfsig is not there: nothing to compare with")
	}
	path := filepath.Join(b.TempDir(), "hundred.pdf")
	must(b, os.WriteFile(path, manySignatures(b, 1, 100, signed.B), 0o600))
	for b.Loop() {
		if out, err := exec.Command(program, "-nocert", path).CombinedOutput(); err != nil {
			b.Fatal(err, string(out))
		}
	}
}

// BenchmarkLarge is one signature over 64 MiB, to be held against the digest
// alone: reading takes a buffer, not the file.
func BenchmarkLarge(b *testing.B) {
	p := signed.NewPDF(signed.PDFOptions{Padding: 64 << 20})
	must(b, p.Sign(options(b), signed.Field{}))
	file := p.Bytes()
	b.Run("read", func(b *testing.B) { benchmarkRead(b, file, 1) })
	b.Run("digest alone", func(b *testing.B) {
		b.SetBytes(int64(len(file)))
		for b.Loop() {
			sha512.Sum384(file)
		}
	})
}
