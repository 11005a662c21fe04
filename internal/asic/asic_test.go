package asic

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
)

func openZip(t testing.TB, raw []byte) *Container {
	t.Helper()
	c, err := Open(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// mimetype is the first entry of an honest ASiC-E.
var mimetype = file{name: "mimetype", body: asicEType}

func TestRead(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a line of text\n", 1000)
	raw := makeZip(t, archive{comment: "mimetype=" + asicSType},
		mimetype,
		file{name: "folder/"},
		file{name: "folder/größe.txt", body: long, deflate: true, flags: flagUTF8 | flagDescriptor},
		file{name: "empty"},
		file{name: "empty too", deflate: true, flags: flagDescriptor})
	c := openZip(t, raw)
	if len(c.Entries) != 4 || len(c.Oddities) != 0 || c.Comment != "mimetype="+asicSType || c.MIMEType() != asicEType {
		t.Fatalf("%d entries, comment %q, type %q, odd %q", len(c.Entries), c.Comment, c.MIMEType(), c.Oddities)
	}
	for name, want := range map[string]string{"mimetype": asicEType, "folder/größe.txt": long, "empty": "", "empty too": ""} {
		e := c.Lookup(name)
		if e == nil {
			t.Fatalf("no %q", name)
		}
		got, err := e.Bytes(1 << 20)
		if err != nil || string(got) != want {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
		sum := sha256.Sum256([]byte(want))
		if d, err := e.Digest(t.Context(), crypto.SHA256); err != nil || !bytes.Equal(d, sum[:]) {
			t.Errorf("%s: digest %x, %v", name, d, err)
		}
		if want != "" {
			if _, err := e.Bytes(int64(len(want)) - 1); !errors.Is(err, ErrTooLarge) {
				t.Errorf("%s: too large: %v", name, err)
			}
		}
	}
	if c.Lookup("folder") != nil || c.Lookup("folder/") != nil || c.Lookup("EMPTY") != nil {
		t.Error("found what is no file")
	}
}

// TestPeers reads what other writers make: archive/zip, the zip command and
// Python, and has archive/zip read what makeZip makes.
func TestPeers(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	files := map[string]string{"mimetype": asicEType, "a.txt": strings.Repeat("content ", 500), "b/c.bin": "\x00\x01", "b/é.txt": "accent"}
	for name, body := range files {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	check := func(name string, raw []byte) {
		t.Helper()
		c, err := Open(bytes.NewReader(raw), int64(len(raw)))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
		for file, want := range files {
			e := c.Lookup(file)
			if e == nil {
				t.Errorf("%s: no %s", name, file)
				continue
			}
			if got, err := e.Bytes(1 << 20); err != nil || string(got) != want {
				t.Errorf("%s: %s: %q, %v", name, file, got, err)
			}
		}
	}
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for name, body := range files {
		f, err := w.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(f, body); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	check("archive/zip", b.Bytes())
	for name, args := range map[string][]string{
		"zip":           {"zip", "-q", "-r", "%s", "."},
		"zip streamed":  {"sh", "-c", "zip -q -r - . > %s"},
		"zip64":         {"sh", "-c", "zip -q -fz -r %s ."},
		"python":        {"python3", "-m", "zipfile", "-c", "%s", "mimetype", "a.txt", "b"},
		"zip, updated":  {"sh", "-c", "zip -q -r %s . && zip -q -d %[1]s a.txt && zip -q %[1]s a.txt"},
		"zip, appended": {"sh", "-c", "zip -q %s mimetype && zip -q -r -g %[1]s ."},
	} {
		out := filepath.Join(t.TempDir(), "out.zip")
		command := append([]string{}, args...)
		for i := range command {
			if strings.Contains(command[i], "%") {
				command[i] = fmt.Sprintf(command[i], out)
			}
		}
		needTool(t, command[0])
		cmd := exec.Command(command[0], command[1:]...)
		cmd.Dir = dir
		if msg, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, msg)
		}
		raw, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		check(name, raw)
	}
	ours := makeZip(t, archive{zip64: true}, mimetype, file{name: "a", body: "b", deflate: true, flags: flagDescriptor})
	openZip(t, ours)
	r, err := zip.NewReader(bytes.NewReader(ours), int64(len(ours)))
	if err != nil || len(r.File) != 2 {
		t.Fatalf("archive/zip: %v", err)
	}
}

// needTool fails in CI, and skips elsewhere, when a peer is not installed.
func needTool(t *testing.T, name string) {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	a, b := file{name: "a", body: "first"}, file{name: "b", body: "second"}
	link := func(mode uint32) file {
		return file{name: "x", body: "/etc/passwd", madeBy: 3 << 8, attributes: mode << 16}
	}
	named := func(name string) []file { return []file{a, {name: name, body: "x"}} }
	bomb := file{name: "bomb", body: strings.Repeat("\x00", 2_000_000), deflate: true}
	var many []file
	for i := range maxEntries + 1 {
		many = append(many, file{name: fmt.Sprint(i)})
	}
	inner := makeZip(t, archive{}, a)
	cases := []struct {
		name  string
		a     archive
		files []file
		want  error
	}{
		{"same name", archive{}, []file{a, a}, ErrUnsafe},
		{"same name but for case", archive{}, []file{a, {name: "A", body: "x"}}, ErrUnsafe},
		{"same name but for composition", archive{}, []file{{name: "é"}, {name: "e\u0301"}}, ErrUnsafe},
		{"sharp s", archive{}, []file{{name: "STRASSE"}, {name: "straße"}}, ErrUnsafe},
		{"file and folder", archive{}, []file{{name: "a"}, {name: "a/"}}, ErrUnsafe},
		{"file in a file", archive{}, []file{{name: "a/b", body: "x"}, {name: "A", body: "y"}}, ErrUnsafe},
		{"no name", archive{}, named(""), ErrUnsafe},
		{"long name", archive{}, named(strings.Repeat("n", maxName+1)), ErrUnsafe},
		{"parent", archive{}, named("x/../../y"), ErrUnsafe},
		{"parent first", archive{}, named("../y"), ErrUnsafe},
		{"dot", archive{}, named("./y"), ErrUnsafe},
		{"two slashes", archive{}, named("x//y"), ErrUnsafe},
		{"absolute", archive{}, named("/y"), ErrUnsafe},
		{"backslash", archive{}, named(`META-INF\manifest.xml`), ErrUnsafe},
		{"drive", archive{}, named("c:y"), ErrUnsafe},
		{"NUL", archive{}, named("y\x00.txt"), ErrUnsafe},
		{"newline", archive{}, named("y\n"), ErrUnsafe},
		{"right to left", archive{}, named("y\u202etxt.exe"), ErrUnsafe},
		{"not UTF-8 though flagged", archive{}, []file{{name: "\xff", flags: flagUTF8}}, ErrUnsafe},
		{"encrypted", archive{}, []file{{name: "x", body: "y", flags: flagEncrypted}}, ErrUnsafe},
		{"strongly encrypted", archive{}, []file{{name: "x", body: "y", flags: flagStrong}}, ErrUnsafe},
		{"masked", archive{}, []file{{name: "x", body: "y", flags: flagMasked}}, ErrUnsafe},
		{"patch", archive{}, []file{{name: "x", body: "y", flags: flagPatched}}, ErrUnsafe},
		{"method", archive{}, []file{{name: "x", body: "y", method: ptr[uint16](12)}}, ErrUnsafe},
		{"symbolic link", archive{}, []file{link(0xa1ff)}, ErrUnsafe},
		{"device", archive{}, []file{link(0x2000)}, ErrUnsafe},
		{"folder with content", archive{}, []file{{name: "x/", body: "y"}}, ErrUnsafe},
		{"local name", archive{}, []file{{name: "x", body: "y", localName: ptr("z")}}, ErrUnsafe},
		{"local name of another length", archive{}, []file{{name: "x", body: "yyyy", localName: ptr("xx")}}, ErrUnsafe},
		{"local size", archive{}, []file{{name: "x", body: "yyyy", deflate: true, localSize: ptr[uint32](3)}}, ErrUnsafe},
		{"local checksum", archive{}, []file{{name: "x", body: "y", localCRC: ptr[uint32](3)}}, ErrUnsafe},
		{"local size before a descriptor", archive{}, []file{{name: "x", body: "yyyy", deflate: true, flags: flagDescriptor, localSize: ptr[uint32](3)}}, ErrUnsafe},
		{"stored with two sizes", archive{}, []file{{name: "x", body: "yyyy", size: ptr[uint32](3), localSize: ptr[uint32](3)}}, ErrUnsafe},
		{"one body for two", archive{}, []file{a, {name: "b", body: "first", offset: ptr[uint32](0)}}, ErrUnsafe},
		{"header elsewhere", archive{}, []file{a, {name: "b", body: "second", offset: ptr[uint32](3)}}, ErrUnsafe},
		{"header in the directory", archive{}, []file{a, {name: "b", body: "second", offset: ptr[uint32](1 << 20)}}, ErrFormat},
		{"hidden entry between", archive{}, []file{{name: "a", body: "first", behind: string(inner[:sizeLocal+6])}, b}, ErrUnsafe},
		{"hidden entry at the end", archive{beforeDirectory: string(inner[:sizeLocal+6])}, []file{a}, ErrUnsafe},
		{"archive before", archive{before: string(inner)}, []file{b}, ErrUnsafe},
		{"end record in the comment", archive{comment: string(inner[len(inner)-sizeEnd:])}, []file{a}, ErrUnsafe},
		{"more records than counted", archive{entries: ptr[uint16](1)}, []file{a, b}, ErrUnsafe},
		{"fewer records than counted", archive{entries: ptr[uint16](3)}, []file{a, b}, ErrFormat},
		{"too many", archive{}, many, ErrBomb},
		{"bomb", archive{}, []file{bomb}, ErrBomb},
		{"claims of a size", archive{}, []file{{name: "x", body: "y", deflate: true, size: ptr[uint32](1 << 31), localSize: ptr[uint32](1 << 31)}}, ErrUnsafe},
	}
	for _, test := range cases {
		raw := makeZip(t, test.a, test.files...)
		c, err := Open(bytes.NewReader(raw), int64(len(raw)))
		if !errors.Is(err, test.want) || errors.Is(err, ErrUnsafe) == errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v, container %v", test.name, err, c)
		}
	}
	good := makeZip(t, archive{}, a, b)
	for i := range good {
		if _, err := Open(bytes.NewReader(good[:i]), int64(i)); !errors.Is(err, ErrFormat) && !errors.Is(err, ErrUnsafe) {
			t.Fatalf("cut off at %d: %v", i, err)
		}
	}
	two := makeZip(t, archive{zip64: true}, a)
	copy(two[len(two)-sizeEnd+10:], []byte{7, 0}) // entries, no longer the overflow value
	if _, err := Open(bytes.NewReader(two), int64(len(two))); !errors.Is(err, ErrUnsafe) {
		t.Errorf("two counts: %v", err)
	}
	split := makeZip(t, archive{}, a)
	split[len(split)-sizeEnd+4] = 1
	if _, err := Open(bytes.NewReader(split), int64(len(split))); !errors.Is(err, ErrUnsafe) {
		t.Errorf("split: %v", err)
	}
}

func TestOdd(t *testing.T) {
	t.Parallel()
	a := file{name: "a", body: "first"}
	unicodePath := func(raw, name string) []byte {
		field := append([]byte{1}, binary.LittleEndian.AppendUint32(nil, crcOf(raw))...)
		field = append(field, name...)
		return append([]byte{0x75, 0x70, byte(len(field)), 0}, field...)
	}
	for _, test := range []struct {
		name  string
		a     archive
		files []file
		odd   string
		entry string
	}{
		{"bytes before", archive{before: "#!/bin/sh\n"}, []file{a}, "before the archive", "a"},
		{"bytes behind", archive{after: "trailer"}, []file{a}, "behind the archive", "a"},
		{"gap", archive{}, []file{{name: "x", body: "y", behind: "rest of something that was deleted"}, a}, "belong to no file", "a"},
		{"short gap", archive{beforeDirectory: "PK"}, []file{a}, "2 bytes", "a"},
		{"mimetype later", archive{}, []file{a, mimetype}, "not the first", "a"},
		{"mimetype compressed", archive{}, []file{{name: "mimetype", body: asicEType, deflate: true}}, "is compressed", "mimetype"},
		{"mimetype with extra field", archive{}, []file{{name: "mimetype", body: asicEType, localExtra: []byte{1, 2, 0, 0}}}, "extra field", "mimetype"},
		{"mimetype with newline", archive{}, []file{{name: "mimetype", body: asicEType + "\r\n"}}, "more than a media type", "mimetype"},
		{"mimetype too long", archive{}, []file{{name: "mimetype", body: strings.Repeat("x", 300)}}, "cannot be read", "mimetype"},
		{"code page 437", archive{}, []file{{name: "gr\x94sse", body: "x"}}, "not in UTF-8", "grösse"},
		{"Unicode path", archive{}, []file{{name: "gr\x94sse", body: "x", extra: unicodePath("gr\x94sse", "größe")}}, "not in UTF-8", "größe"},
		{"Unicode path of another name", archive{}, []file{{name: "gr\x94sse", body: "x", extra: unicodePath("gr", "größe")}}, "not in UTF-8", "grösse"},
		{"no descriptor", archive{}, []file{{name: "x", body: "y", flags: flagDescriptor, descriptor: []byte{}}, a}, "", "a"},
		{"descriptor without signature", archive{}, []file{{name: "x", body: "y", flags: flagDescriptor, descriptor: descriptorOf(&header{crc: crcOf("y"), packed: 1, size: 1}, false, false)}, a}, "", "a"},
		{"descriptor of zip64", archive{}, []file{{name: "x", body: "y", flags: flagDescriptor, descriptor: descriptorOf(&header{crc: crcOf("y"), packed: 1, size: 1}, true, true)}, a}, "", "a"},
	} {
		raw := makeZip(t, test.a, test.files...)
		c, err := Open(bytes.NewReader(raw), int64(len(raw)))
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		if odd := strings.Join(c.Oddities, "; "); (odd == "") != (test.odd == "") || !strings.Contains(odd, test.odd) {
			t.Errorf("%s: %q", test.name, odd)
		}
		if c.Lookup(test.entry) == nil {
			t.Errorf("%s: no %q", test.name, test.entry)
		}
	}
}

func crcOf(s string) uint32 { return crc32.ChecksumIEEE([]byte(s)) }

func TestBadContent(t *testing.T) {
	t.Parallel()
	body := strings.Repeat("content ", 100)
	for name, f := range map[string]file{
		"stored, other bytes": {name: "x", body: body, crc: ptr[uint32](1), localCRC: ptr[uint32](1)},
		"deflated, checksum":  {name: "x", body: body, deflate: true, crc: ptr[uint32](1), localCRC: ptr[uint32](1)},
		"longer":              {name: "x", body: body, deflate: true, size: ptr[uint32](10), localSize: ptr[uint32](10)},
		"shorter":             {name: "x", body: body, deflate: true, size: ptr[uint32](801), localSize: ptr[uint32](801)},
		"more behind":         {name: "x", body: body, deflate: true, packedTail: "PK\x03\x04 hidden"},
		"no deflate":          {name: "x", body: body, method: ptr[uint16](deflated)},
	} {
		c := openZip(t, makeZip(t, archive{}, f))
		e := c.Lookup("x")
		if _, err := e.Bytes(1 << 20); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: bytes: %v", name, err)
		}
		if _, err := e.Digest(t.Context(), crypto.SHA256); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: digest: %v", name, err)
		}
		r, err := e.Open()
		if err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 7)
		for err == nil {
			_, err = r.Read(buf)
		}
		if _, again := r.Read(buf); !errors.Is(err, ErrFormat) || !errors.Is(again, ErrFormat) {
			t.Errorf("%s: by small reads: %v, then %v", name, err, again)
		}
		r.Close()
	}
}

func TestDigests(t *testing.T) {
	t.Parallel()
	src := &countingReader{ReaderAt: bytes.NewReader(makeZip(t, archive{}, file{name: "x", body: "content"}))}
	c, err := Open(src, src.ReaderAt.(*bytes.Reader).Size())
	if err != nil {
		t.Fatal(err)
	}
	e := c.Lookup("x")
	if err := e.Digests(t.Context(), crypto.SHA256, crypto.SHA512, crypto.SHA256); err != nil {
		t.Fatal(err)
	}
	before := src.reads
	for _, h := range []crypto.Hash{crypto.SHA256, crypto.SHA512} {
		w := h.New()
		w.Write([]byte("content"))
		if d, err := e.Digest(t.Context(), h); err != nil || !bytes.Equal(d, w.Sum(nil)) {
			t.Errorf("%v: %x, %v", h, d, err)
		}
	}
	if src.reads != before {
		t.Error("digests are not kept")
	}
	if _, err := e.Digest(t.Context(), crypto.BLAKE2b_512); err == nil {
		t.Error("a digest that is not linked in")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := e.Digest(ctx, crypto.SHA1); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	src.err = errors.New("the disk is gone")
	if _, err := e.Digest(t.Context(), crypto.SHA1); !errors.Is(err, src.err) || errors.Is(err, ErrFormat) {
		t.Errorf("fault of the source: %v", err)
	}
	if _, err := Open(src, 100); !errors.Is(err, src.err) {
		t.Errorf("opening: %v", err)
	}
}

type countingReader struct {
	io.ReaderAt
	reads int
	err   error
}

func (c *countingReader) ReadAt(b []byte, at int64) (int, error) {
	c.reads++
	if c.err != nil {
		return 0, c.err
	}
	return c.ReaderAt.ReadAt(b, at)
}

// TestReadOften: what is read again and again has an end.
func TestReadOften(t *testing.T) {
	t.Parallel()
	c := openZip(t, makeZip(t, archive{}, file{name: "x", body: strings.Repeat("0123456789", 99_000), deflate: true}))
	e := c.Lookup("x")
	for i := 0; ; i++ {
		r, err := e.Open()
		if errors.Is(err, ErrUnsafe) {
			if i < 64 {
				t.Errorf("only %d times", i)
			}
			return
		}
		if err != nil || i > 1000 {
			t.Fatalf("%d: %v", i, err)
		}
		r.Close()
		if _, err := r.Read(make([]byte, 1)); err == nil {
			t.Fatal("reading after Close")
		}
	}
}

func TestReaderAt(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for i := range 6_000 {
		fmt.Fprintf(&b, "line %d\n", i*7919)
	}
	body := b.String()
	c := openZip(t, makeZip(t, archive{}, file{name: "x", body: body, deflate: true}, file{name: "empty"},
		file{name: "bad", body: body, deflate: true, crc: ptr[uint32](1), localCRC: ptr[uint32](1)}))
	r := c.Lookup("x").ReaderAt()
	if r != c.Lookup("x").ReaderAt() || r.Size() != int64(len(body)) {
		t.Error("not always the same")
	}
	if err := iotest.TestReader(io.NewSectionReader(r, 0, r.Size()), []byte(body)); err != nil {
		t.Error(err)
	}
	for _, at := range []int64{0, 50_000, 5, 50_001, 49_000, int64(len(body)) - 3, 0} {
		buf := make([]byte, 100)
		n, err := r.ReadAt(buf, at)
		want := body[at:min(int64(len(body)), at+100)]
		if string(buf[:n]) != want || (err != nil) != (n < 100) {
			t.Errorf("at %d: %q, %v", at, buf[:n], err)
		}
	}
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() {
			got, err := io.ReadAll(io.NewSectionReader(r, 0, r.Size()))
			if err != nil || string(got) != body {
				t.Errorf("%d bytes, %v", len(got), err)
			}
		})
	}
	all.Wait()
	if got, err := io.ReadAll(io.NewSectionReader(c.Lookup("bad").ReaderAt(), 0, int64(len(body)))); !errors.Is(err, ErrFormat) {
		t.Errorf("checksum: %d bytes, %v", len(got), err)
	}
	if n, err := c.Lookup("empty").ReaderAt().ReadAt(make([]byte, 5), 0); n != 0 || err != io.EOF {
		t.Errorf("empty: %d, %v", n, err)
	}
}
