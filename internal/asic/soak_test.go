//go:build soak

package asic

import (
	"hash/crc32"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// zeros is a file of that many zeros.
type zeros int64

func (z zeros) ReadAt(b []byte, at int64) (int, error) {
	n := max(0, min(int64(len(b)), int64(z)-at))
	clear(b[:n])
	if n < int64(len(b)) {
		return int(n), io.EOF
	}
	return int(n), nil
}

// sparse writes a file without its zeros.
type sparse struct{ f *os.File }

func (s sparse) Write(b []byte) (int, error) {
	for _, v := range b {
		if v != 0 {
			return s.f.Write(b)
		}
	}
	_, err := s.f.Seek(int64(len(b)), io.SeekCurrent)
	return len(b), err
}

// TestSoakZip64 writes a container with a file of more than 4 GiB and one behind it, and adds another to that.
func TestSoakZip64(t *testing.T) {
	const size = 1<<32 + 5
	sum := crc32.NewIEEE()
	if _, err := io.Copy(sum, io.NewSectionReader(zeros(size), 0, size)); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name string, w *Writer) *os.File {
		f, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		if n, err := w.Write(t.Context(), sparse{f}); err != nil || n < size {
			t.Fatalf("%d bytes, %v", n, err)
		}
		return f
	}
	check := func(f *os.File, files int, tools ...[]string) *Container {
		info, err := f.Stat()
		if err != nil {
			t.Fatal(err)
		}
		c, err := Open(f, info.Size())
		if err != nil {
			t.Fatal(err)
		}
		if len(c.Entries) != files || len(c.Oddities) > 0 || c.Lookup("huge.bin").Size != size {
			t.Errorf("%d files, odd: %q", len(c.Entries), c.Oddities)
		}
		for _, args := range tools {
			if out, err := exec.Command(args[0], append(args[1:], f.Name())...).CombinedOutput(); err != nil {
				t.Errorf("%v: %v\n%s", args[0], err, out)
			}
		}
		return c
	}
	w := NewWriter(nil, at)
	w.Add(Source{Name: "huge.bin", Data: zeros(size), Size: size, CRC: sum.Sum32()})
	w.Add(Bytes("behind.txt", []byte(text)))
	c := check(write("first.asice", w), 3, []string{"unzip", "-tqq"})
	w = NewWriter(c, at)
	w.Add(Bytes("added.txt", []byte("x")))
	check(write("second.asice", w), 4, []string{"python3", "-c", "import sys, zipfile\nassert zipfile.ZipFile(sys.argv[1]).testzip() is None"})
}
