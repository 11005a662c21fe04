package container_test

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"

	"github.com/eidkit/eidkit/testcards/pki"
)

// BenchmarkRead reads an ASiC-E with a signature over 100 files of 64 KiB each;
// hashing them is beside it.
func BenchmarkRead(b *testing.B) {
	m := newMaker(b, pki.EC)
	var files []file
	var objects []object
	for i := range 100 {
		f := file{fmt.Sprintf("file%d.txt", i), strings.Repeat(fmt.Sprintf("%07d\n", i), 8<<10)}
		files = append(files, f)
		objects = append(objects, object{name: f.name, body: f.body})
	}
	man := file{"META-INF/ASiCManifest.xml", manifestOver("META-INF/signature.p7s", "", files...)}
	for name, raw := range map[string][]byte{
		"XAdES": pack(b, asicE, append(files, file{"META-INF/signatures.xml", m.xades("S", objects...)})...),
		"CAdES": pack(b, asicE, append(files, man, file{"META-INF/signature.p7s", m.cms(man.body)})...),
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(100 * 64 << 10)
			b.ReportAllocs()
			for b.Loop() {
				if w := wrong(read(b, raw)[0]); w != "" {
					b.Fatal(w)
				}
			}
		})
	}
	b.Run("SHA-256", func(b *testing.B) {
		b.SetBytes(100 * 64 << 10)
		for b.Loop() {
			for _, f := range files {
				h := sha256.New()
				h.Write([]byte(f.body))
				h.Sum(nil)
			}
		}
	})
}
