package asic

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var at = time.Date(2026, 6, 1, 12, 34, 57, 0, time.FixedZone("", 7200))

// noise is what does not compress.
func noise(n int) string {
	b := make([]byte, n)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return string(b)
}

func written(t testing.TB, w *Writer) []byte {
	t.Helper()
	var out bytes.Buffer
	n, err := w.Write(t.Context(), &out)
	if err != nil {
		t.Fatal(err)
	}
	if n != int64(out.Len()) {
		t.Fatalf("%d bytes, but it says %d", out.Len(), n)
	}
	return out.Bytes()
}

// text compresses, but not as bombs do.
var text = strings.Repeat(base64.StdEncoding.EncodeToString([]byte(noise(300)))+"\n", 10)

// contents are what a new container is made of in these tests.
func contents() map[string]string {
	return map[string]string{"empty": "", "text.txt": text, "größe, 100% & more: #1?.txt": "x", "日本.bin": noise(70_000), "zeros": strings.Repeat("\x00", 1<<16)}
}

func newContainer(t testing.TB, overflow int64) []byte {
	t.Helper()
	w := NewWriter(nil, at)
	if overflow > 0 {
		w.overflow = overflow
	}
	for _, name := range []string{"empty", "text.txt", "größe, 100% & more: #1?.txt", "日本.bin", "zeros"} {
		w.Add(Bytes(name, []byte(contents()[name])))
	}
	return written(t, w)
}

// same checks that a container has these files, for this reader and for archive/zip.
func same(t *testing.T, raw []byte, want map[string]string) *Container {
	t.Helper()
	c := openZip(t, raw)
	if len(c.Oddities) > 0 {
		t.Errorf("odd: %q", c.Oddities)
	}
	peer, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		t.Fatal(err)
	}
	theirs := map[string]string{}
	for _, f := range peer.File {
		if strings.HasSuffix(f.Name, "/") {
			continue
		}
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatalf("%q: %v", f.Name, err)
		}
		theirs[f.Name] = string(b)
	}
	if len(c.Entries) != len(want) || len(theirs) != len(want) {
		t.Fatalf("%d and %d files, want %d", len(c.Entries), len(theirs), len(want))
	}
	for name, body := range want {
		e := c.Lookup(name)
		if e == nil {
			t.Fatalf("no %q", name)
		}
		if got, err := e.Bytes(1 << 30); err != nil || string(got) != body || theirs[name] != body {
			t.Errorf("%q: %d and %d bytes, want %d, %v", name, len(got), len(theirs[name]), len(body), err)
		}
	}
	return c
}

func TestWriteNew(t *testing.T) {
	t.Parallel()
	raw := newContainer(t, 0)
	want := contents()
	want[MIMETypeFile] = asicEType
	c := same(t, raw, want)
	if string(raw[30:38]) != MIMETypeFile || string(raw[38:38+len(asicEType)]) != asicEType || c.Kind("") != ASiCE {
		t.Errorf("begins with %q", raw[:80])
	}
	if !bytes.Equal(raw, newContainer(t, 0)) {
		t.Error("another time it is another container")
	}
	methods := map[string]uint16{MIMETypeFile: stored, "text.txt": deflated, "日本.bin": stored, "zeros": stored, "empty": stored}
	for name, m := range methods {
		if e := c.Lookup(name); e.head.method != m || e.head.flags&flagDescriptor != 0 || e.localExtra || len(e.head.extra) > 0 {
			t.Errorf("%q: method %d, flags %x, extra %t", name, e.head.method, e.head.flags, e.localExtra)
		}
		if got := c.Lookup(name).head.time(); !got.Equal(at.Truncate(2 * time.Second)) {
			t.Errorf("%q: of %v", name, got)
		}
	}
	if c.Lookup("日本.bin").head.flags != flagUTF8 || c.Lookup("text.txt").head.flags != 0 {
		t.Error("the flag for UTF-8")
	}
}

// tools judges a container by programs of other makers.
func tools(t *testing.T, raw []byte, want map[string]string) {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "made.asice")
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"unzip", "-tqq", path}, {"zipinfo", "-v", path}, {"unzip", "-qq", path, "-d", filepath.Join(dir, "out")},
		{"python3", "-c", "import sys, zipfile\nz = zipfile.ZipFile(sys.argv[1])\nassert z.testzip() is None\nprint('\\n'.join(i.filename for i in z.infolist()))", path},
	} {
		if _, err := exec.LookPath(args[0]); err != nil {
			if os.Getenv("CI") != "" {
				t.Fatal(err)
			}
			t.Skip(err)
		}
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "PYTHONUTF8=1")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
		for name := range want {
			if args[0] == "python3" && !strings.Contains(string(out), name+"\n") {
				t.Errorf("python3 does not list %q:\n%s", name, out)
			}
		}
	}
	for name, body := range want {
		if got, err := os.ReadFile(filepath.Join(dir, "out", filepath.FromSlash(name))); err != nil || string(got) != body {
			t.Errorf("unzip has %d bytes of %q, want %d, %v", len(got), name, len(body), err)
		}
	}
}

func TestWrittenForOthers(t *testing.T) {
	t.Parallel()
	want := contents()
	want[MIMETypeFile] = asicEType
	tools(t, newContainer(t, 0), want)
	big := newContainer(t, 1000)
	tools(t, big, want)
	c := same(t, big, want)
	for _, name := range []string{"text.txt", "日本.bin"} {
		if _, ok := extraField(c.Lookup(name).head.extra, zip64ID); !ok {
			t.Errorf("%q has no zip64 field", name)
		}
	}
}

// Another version of a container keeps every entry as it stands: names, methods, descriptors, comments.
func TestWriteAgain(t *testing.T) {
	t.Parallel()
	old := makeZip(t, archive{comment: "mimetype=" + asicEType, zip64: true},
		mimetype, file{name: "META-INF/"},
		file{name: "META-INF/ASiCArchiveManifest.xml", body: strings.Repeat("<a/>", 50), deflate: true, flags: flagDescriptor},
		file{name: "größe", body: noise(500), extra: []byte{0x55, 0x54, 1, 0, 0}, madeBy: 3<<8 | 20, flags: flagUTF8, attributes: 0o100644 << 16},
		file{name: "META-INF/signatures001.xml", body: "before"},
		file{name: "e", body: "e", deflate: true, flags: flagDescriptor | flagUTF8})
	base := openZip(t, old)
	for _, overflow := range []int64{overflow32, 200} {
		w := NewWriter(base, at)
		w.overflow = overflow
		w.Rename("META-INF/ASiCArchiveManifest.xml", "META-INF/ASiCArchiveManifest001.xml")
		w.Add(Bytes("META-INF/ASiCArchiveManifest.xml", []byte("newest")))
		w.Replace(Bytes("META-INF/signatures001.xml", []byte(strings.Repeat("after", 400))))
		w.Replace(Bytes("META-INF/signatures002.xml", []byte("new")))
		raw := written(t, w)
		want := map[string]string{"META-INF/ASiCArchiveManifest001.xml": strings.Repeat("<a/>", 50), "META-INF/ASiCArchiveManifest.xml": "newest", "größe": noise(500), "e": "e",
			MIMETypeFile: asicEType, "META-INF/signatures001.xml": strings.Repeat("after", 400), "META-INF/signatures002.xml": "new"}
		c := same(t, raw, want)
		tools(t, raw, want)
		if c.Comment != base.Comment || len(c.all) != 8 {
			t.Errorf("comment %q, %d entries", c.Comment, len(c.all))
		}
		for _, name := range []string{MIMETypeFile, "größe", "e"} {
			before, after := base.Lookup(name), c.Lookup(name)
			if !bytes.Equal(old[before.head.offset:before.end], raw[after.head.offset:after.end]) {
				t.Errorf("%q has changed", name)
			}
			if a, b := before.head, after.head; a.madeBy != b.madeBy || a.attributes != b.attributes || a.flags != b.flags ||
				!bytes.Equal(withoutField(a.extra, zip64ID), withoutField(b.extra, zip64ID)) || a.time() != b.time() {
				t.Errorf("%q: %+v became %+v", name, a, b)
			}
		}
	}
	w := NewWriter(base, at)
	if !bytes.HasPrefix(written(t, w), old[:base.layout[len(base.layout)-1].end]) {
		t.Error("without changes the entries are not what they were")
	}
	w = NewWriter(base, time.Time{})
	w.Add(Bytes("x", nil))
	if c := openZip(t, written(t, w)); c.Lookup("x").head.time() != base.Lookup("e").head.time() {
		t.Errorf("without a time it is of %v", c.Lookup("x").head.time())
	}
}

func TestWriteRefuses(t *testing.T) {
	t.Parallel()
	many := func(n int) []string {
		var list []string
		for i := range n {
			list = append(list, fmt.Sprint("f", i))
		}
		return list
	}
	for what, test := range map[string]struct {
		names []string
		want  error
	}{
		"twice":         {[]string{"a", "a"}, ErrUnsafe},
		"by case":       {[]string{"Größe", "GRÖSSE"}, ErrUnsafe},
		"by form":       {[]string{"\u00e9", "e\u0301"}, ErrUnsafe},
		"mimetype":      {[]string{"MimeType"}, ErrUnsafe},
		"file as dir":   {[]string{"a", "a/b"}, ErrUnsafe},
		"leads out":     {[]string{"../a"}, ErrUnsafe},
		"control":       {[]string{"a\nb"}, ErrUnsafe},
		"long":          {[]string{strings.Repeat("a", maxName+1)}, ErrUnsafe},
		"none":          {[]string{""}, ErrUnsafe},
		"too many":      {many(MaxASiCFiles), ErrBomb}, // and mimetype
		"just so many":  {many(MaxASiCFiles - 1), nil},
		"longest names": {[]string{strings.Repeat("a", maxName)}, nil},
	} {
		w := NewWriter(nil, at)
		for _, name := range test.names {
			w.Add(Bytes(name, nil))
		}
		var out bytes.Buffer
		if _, err := w.Write(t.Context(), &out); !errors.Is(err, test.want) || (err == nil) != (out.Len() > 0) {
			t.Errorf("%s: %v, %d bytes", what, err, out.Len())
		}
	}
	w := NewWriter(nil, at)
	w.Add(Source{Name: "huge", Data: strings.NewReader(""), Size: maxTotal})
	if err := w.Check(); !errors.Is(err, ErrBomb) {
		t.Errorf("huge: %v", err)
	}
}

// What changes while it is written, or ends early, is an error, as is a context that ends.
func TestWriteFails(t *testing.T) {
	t.Parallel()
	for _, size := range []int64{100, maxDeflated + 100} {
		data := bytes.NewReader(make([]byte, size))
		for what, s := range map[string]Source{"changed": {Name: "a", Data: data, Size: size, CRC: 1}, "shorter": {Name: "a", Data: data, Size: size + 1, CRC: 1}} {
			w := NewWriter(nil, at)
			w.Add(s)
			if _, err := w.Write(t.Context(), io.Discard); err == nil || what == "changed" && !errors.Is(err, errChanged) || what == "shorter" && !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("%s, %d bytes: %v", what, size, err)
			}
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w := NewWriter(nil, at)
	w.Add(Bytes("a", []byte(noise(10))))
	big := make([]byte, maxDeflated+1)
	w.Add(Source{Name: "b", Data: bytes.NewReader(big), Size: int64(len(big)), CRC: crc32.ChecksumIEEE(big)})
	if _, err := w.Write(ctx, io.Discard); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	disk := errors.New("disk full")
	if _, err := w.Write(t.Context(), failing{disk}); !errors.Is(err, disk) {
		t.Error(err)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

func TestDataName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"a.txt": "a.txt", "/tmp/x/a.txt": "a.txt", `D:\brieven\a b.txt`: "a b.txt", "été 1.pdf": "été 1.pdf", ".hidden": ".hidden", "#a": "#a",
		"": "", "dir/": "", "..": "", "a/..": "", "mimetype": "", "x/MIMETYPE": "", "meta-inf": "", "a\x00b": "", "a\u202eb": "", "\xff": "", "a\uffff": "", "c:x": "",
		"a.": "", "a.txt ": "", "META-INF ": "", "mimetype.": "", "CON": "", "nul.txt": "", "lpt1 .x": "", "COM¹": "", "console.txt": "console.txt", "com10": "com10", "a?.txt": "", "a*b": "", "a|b": "", "a:b": "", "<a>": "", `a"b`: "",
		"a\u200b.txt": "", "a\u2028b": "", "a\u00adb": "", " a": " a", strings.Repeat("a", 256): ""} {
		got, err := DataName(name)
		if err != nil {
			got = ""
		}
		if got != want || (err != nil) != (want == "") || err != nil && !errors.Is(err, ErrUnsafe) {
			t.Errorf("%q: %q, %v", name, got, err)
		}
	}
}

// What is encoded is what the parsers and the resolver read.
func TestEncode(t *testing.T) {
	t.Parallel()
	sum := sha256.Sum256(nil)
	names := []string{"a b.txt", "50%.txt", "a%20b.txt", "größe.txt", `q"<&>'.xml`, "x/y z", "Re: 1.txt", "#f?.txt", "a+b"}
	m := &ManifestFile{SigURI: EscapeName("META-INF/signature001.p7s"), SigMIMEType: "application/pkcs7-signature"}
	var listed []PackageFile
	w := NewWriter(nil, at)
	for i, name := range names {
		m.References = append(m.References, DataObject{URI: EscapeName(name), MIMEType: `text/"x"`, Root: i == 1, Algorithm: "http://www.w3.org/2001/04/xmlenc#sha256", Hash: crypto.SHA256, Digest: sum[:]})
		listed = append(listed, PackageFile{Path: name, MIMEType: "text/plain"})
		w.Add(Bytes(name, []byte(name)))
	}
	got, err := ParseManifest(m.Encode())
	if err != nil || fmt.Sprint(got) != fmt.Sprint(m) {
		t.Errorf("%v, %v", got, err)
	}
	c := openZip(t, written(t, w))
	for i, r := range got.References {
		if e := c.Resolve(r.URI); e == nil || e.Name != names[i] {
			t.Errorf("%q does not lead to %q", r.URI, names[i])
		}
	}
	files, err := ParsePackageManifest(EncodePackageManifest(listed))
	if err != nil || fmt.Sprint(files) != fmt.Sprint(append([]PackageFile{{Path: "/", MIMEType: asicEType}}, listed...)) {
		t.Errorf("%v, %v", files, err)
	}
}

// FuzzWrite: whatever opens can be written again, with more in it, and is then what it was.
func FuzzWrite(f *testing.F) {
	f.Add(makeZip(f, archive{}, mimetype, file{name: "a", body: text[:200], deflate: true}))
	f.Add(makeZip(f, archive{zip64: true, before: "#!", after: "x", comment: "c"}, mimetype, file{name: "f/"}, file{name: "f/\x94", body: "y", behind: "gap"}))
	f.Add(makeZip(f, archive{}, file{name: "a", body: "b", deflate: true, flags: flagDescriptor, extra: []byte{1, 0, 0, 0, 9}}))
	f.Fuzz(func(t *testing.T, raw []byte) {
		old, err := Open(bytes.NewReader(raw), int64(len(raw)))
		if err != nil || old.Lookup("added") != nil {
			return
		}
		w := NewWriter(old, time.Time{})
		w.Add(Bytes("added", []byte("more")))
		var out bytes.Buffer
		if _, err := w.Write(t.Context(), &out); err != nil {
			if w.Check() == nil {
				t.Fatal(err)
			}
			return
		}
		c, err := Open(bytes.NewReader(out.Bytes()), int64(out.Len()))
		if err != nil {
			t.Fatal(err)
		}
		if len(c.Entries) != len(old.Entries)+1 || c.Comment != old.Comment {
			t.Fatalf("%d files of %d, comment %q", len(c.Entries), len(old.Entries), c.Comment)
		}
		for i, e := range old.Entries {
			before, err := e.Bytes(1 << 20)
			after, err2 := c.Entries[i].Bytes(1 << 20)
			if e.Name != c.Entries[i].Name || (err == nil) != (err2 == nil) || !bytes.Equal(before, after) {
				t.Fatalf("%q: %v, %v", e.Name, err, err2)
			}
		}
	})
}
