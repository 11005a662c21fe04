package cades_test

import (
	"context"
	"crypto"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/ades/cades"
	"github.com/eidkit/eidkit/testcards/pki"
	"github.com/eidkit/eidkit/testcards/signed"
)

// benchSize is how large the content of the large messages is: 64 MiB, or EIDKIT_BENCH_MIB.
func benchSize(b *testing.B) int64 {
	b.Helper()
	text := os.Getenv("EIDKIT_BENCH_MIB")
	if text == "" {
		return 64 << 20
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n <= 0 {
		b.Fatalf("EIDKIT_BENCH_MIB is %q", text)
	}
	return n << 20
}

// largeMessage writes a message with content of that size, in one piece or in chunks.
func largeMessage(b *testing.B, size int64, chunk int) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), "large.p7m")
	out, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	in := newLargeFile(b, size, chunk)
	if _, err := io.CopyBuffer(struct{ io.Writer }{out}, struct{ io.Reader }{io.NewSectionReader(in, 0, in.size())}, make([]byte, 1<<20)); err != nil {
		b.Fatal(err)
	}
	if err := out.Close(); err != nil {
		b.Fatal(err)
	}
	return path
}

// BenchmarkLarge reads attached CAdES of 64 MiB (EIDKIT_BENCH_MIB=1024: of 1 GiB) beside reading and hashing the same file and nothing
// else. resident-MB is the most that the process has held so far, the making of the files included.
func BenchmarkLarge(b *testing.B) {
	size := benchSize(b)
	for _, kind := range []struct {
		name  string
		chunk int
	}{{"one-piece", 0}, {"chunks-of-4096", 4096}, {"chunks-of-1000", 1000}} {
		path := largeMessage(b, size, kind.chunk)
		b.Run("read-and-hash/"+kind.name, func(b *testing.B) {
			b.SetBytes(size)
			buf := make([]byte, 1<<20)
			for b.Loop() {
				in, err := os.Open(path)
				if err != nil {
					b.Fatal(err)
				}
				h := crypto.SHA256.New()
				if _, err := io.CopyBuffer(h, struct{ io.Reader }{in}, buf); err != nil {
					b.Fatal(err)
				}
				if err := in.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("eidkit/"+kind.name, func(b *testing.B) {
			b.SetBytes(size)
			b.ReportAllocs()
			for b.Loop() {
				in, err := os.Open(path)
				if err != nil {
					b.Fatal(err)
				}
				info, err := in.Stat()
				if err != nil {
					b.Fatal(err)
				}
				list, err := cades.Read(context.Background(), ades.Input{File: ades.File{Data: in, Size: info.Size()}})
				if err != nil || !verifies(list[0]) {
					b.Fatal("does not verify: ", err)
				}
				if err := in.Close(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(resident(), "resident-MB")
		})
	}
}

// resident is the most memory that this process has held, in MB; 0 where the system does not say.
func resident() float64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return 0
	}
	kb, err := strconv.ParseFloat(fields[0], 64)
	if err != nil {
		return 0
	}
	return kb / 1000
}

// BenchmarkSmall reads small messages of the levels, without checking any signature value.
func BenchmarkSmall(b *testing.B) {
	p, who := person(b, pki.EC)
	for _, level := range []signed.Level{signed.B, signed.T, signed.LT, signed.LTA} {
		raw := made(b, text, false, signed.Options{PKI: p, Signer: who, At: signedAt, Level: level})
		b.Run(level.String(), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				read(b, raw)
			}
		})
	}
}
