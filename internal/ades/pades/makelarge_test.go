package pades_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/ades/pades"
	"github.com/eidkit/eidkit/testcards/pki"
)

// largePDF is a file on disk with a stream of that size, of which nothing but its place is there.
func largePDF(t testing.TB, size int64) ades.File {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "large.pdf"))
	must(t, err)
	t.Cleanup(func() { f.Close() })
	var at [5]int64
	var pos int64
	write := func(s string) {
		n, err := f.WriteAt([]byte(s), pos)
		must(t, err)
		pos += int64(n)
	}
	write("%PDF-1.7\n")
	for i, text := range []string{
		"<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [3 0 R] /Count 1 >>", "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>",
		fmt.Sprintf("<< /Type /EmbeddedFile /Length %d >>\nstream\n", size),
	} {
		at[i+1] = pos
		write(fmt.Sprintf("%d 0 obj\n%s", i+1, text))
		if i == 3 {
			pos += size
			write("\nendstream")
		}
		write("\nendobj\n")
	}
	xref := pos
	var b strings.Builder
	b.WriteString("xref\n0 5\n0000000000 65535 f \n")
	for _, offset := range at[1:] {
		fmt.Fprintf(&b, "%010d 00000 n \n", offset)
	}
	fmt.Fprintf(&b, "trailer\n<< /Size 5 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", xref)
	write(b.String())
	return ades.File{Name: "large.pdf", Data: f, Size: pos}
}

func (p person) signLarge(t testing.TB, in ades.File, level ades.Level) int64 {
	t.Helper()
	m := p.making(noon)
	d, err := pades.Prepare(context.Background(), in, m, pades.MakeOptions{Visible: &pades.Visible{}, Level: level})
	must(t, err)
	value, err := p.Key.Sign(nil, d.Digest(), m.Algorithm.Hash)
	must(t, err)
	n, err := d.Finish(context.Background(), value, p.raising(level, noon), io.Discard)
	must(t, err)
	return n
}

// TestLargeFile: what is allocated does not grow with the file. Not parallel,
// for what others allocate would count.
func TestLargeFile(t *testing.T) {
	p := somebody(t, pki.RSA)
	in := largePDF(t, 64<<20)
	p.signLarge(t, largePDF(t, 1), ades.LevelLTA) // fonts and keys
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	n := p.signLarge(t, in, ades.LevelLTA)
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; n < in.Size || got > 32<<20 {
		t.Errorf("%d bytes written, %d allocated", n, got)
	}
}

// BenchmarkMakeLarge signs 500 MB; the memory is what the process had at most.
func BenchmarkMakeLarge(b *testing.B) {
	p := somebody(b, pki.EC)
	in := largePDF(b, 500_000_000)
	b.SetBytes(in.Size)
	for b.Loop() {
		p.signLarge(b, in, ades.LevelB)
	}
	b.ReportMetric(peak(b), "MiB-resident")
}

// BenchmarkMake is a small file with a signature that is seen, by a key in software.
func BenchmarkMake(b *testing.B) {
	for _, alg := range []pki.Algorithm{pki.EC, pki.RSA} {
		b.Run(alg.String(), func(b *testing.B) {
			p, in := somebody(b, alg), lease()
			b.ReportAllocs()
			for b.Loop() {
				p.sign(b, in, noon, pades.MakeOptions{Visible: &pades.Visible{}})
			}
		})
	}
}

// peak is the most memory that was resident, in MiB; 0 where the system does not say it.
func peak(t testing.TB) float64 {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	var kib float64
	if _, after, ok := strings.Cut(string(status), "VmHWM:"); ok {
		fmt.Sscan(after, &kib)
	}
	return kib / 1024
}
