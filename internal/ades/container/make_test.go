package container_test

import (
	"bytes"
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/ades/container"
	"github.com/eidkit/eidkit/internal/asic"
	"github.com/eidkit/eidkit/testcards/pki"
	"github.com/eidkit/eidkit/testcards/signed"
	"github.com/eidkit/eidkit/verify"
)

func openContainer(t testing.TB, raw []byte) *asic.Container {
	t.Helper()
	c, err := asic.Open(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// statements are what is signed in these tests.
var statements = []file{{"verklaring.txt", "Ik verklaar dat dit een proef is.\n"}, {"één & twee; 100%.xml", "<a>\r\n</a>"}, {"#1.bin", ""}}

var forms = []struct {
	name string
	cms  bool
}{{"XAdES", false}, {"CAdES", true}}

var levels = []ades.Level{ades.LevelB, ades.LevelT, ades.LevelLT, ades.LevelLTA}

// Containers of every form and level are right for our own judge, for unzip, openssl and xmlsec1, and are ASiC-E by the letter.
func TestMake(t *testing.T) {
	t.Parallel()
	for _, alg := range []pki.Algorithm{pki.EC, pki.RSA} {
		w := newWorld(t, alg)
		for _, form := range forms {
			for _, level := range levels {
				what := fmt.Sprint(alg, " ", form.name, " ", level)
				raw := w.sign(level, form.cms, statements...)
				w.passed(what, raw, level, 1)
				byTheLetter(t, what, raw, form.cms)
				otherTools(t, w, raw, form.cms)
			}
		}
	}
}

// byTheLetter checks EN 319 162-1 section 4.4 and annex A.1.
func byTheLetter(t *testing.T, what string, raw []byte, cms bool) {
	t.Helper()
	if string(raw[30:38]) != "mimetype" || !bytes.HasPrefix(raw[38:], []byte(asicE+"PK\x03\x04")) || raw[8] != 0 || raw[28] != 0 {
		t.Errorf("%s: begins with %q", what, raw[:80])
	}
	want := []string{"META-INF/manifest.xml", "META-INF/signatures001.xml"}
	if cms {
		want = []string{"META-INF/ASiCManifest001.xml", "META-INF/signature001.p7s"}
	}
	var names []string
	for _, e := range openContainer(t, raw).Entries {
		names = append(names, e.Name)
		if e.OddName() {
			t.Errorf("%s: %q", what, e.Name)
		}
	}
	for _, f := range append([]file{{"mimetype", ""}}, statements...) {
		want = append(want, f.name)
	}
	for _, name := range want {
		if !slices.Contains(names, name) {
			t.Errorf("%s: there is no %q among %q", what, name, names)
		}
	}
}

// otherTools has openssl judge the message over the manifest, or xmlsec1 the signature over the files around it.
func otherTools(t *testing.T, w *world, raw []byte, cms bool) {
	t.Helper()
	f := unzipped(t, raw)
	for _, one := range statements {
		if b, err := os.ReadFile(filepath.Join(f.dir, one.name)); err != nil || string(b) != one.body {
			t.Errorf("unzip made %q of %q: %v", b, one.name, err)
		}
	}
	f.write("root.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: w.pki.Root.Certificate.Raw}))
	if cms {
		f.run("openssl", "cms", "-verify", "-cades", "-binary", "-inform", "DER", "-in", "META-INF/signature001.p7s", "-content", "META-INF/ASiCManifest001.xml",
			"-CAfile", "root.pem", "-purpose", "any", "-out", "content")
		return
	}
	f.run("xmlsec1", "--verify", "--trusted-pem", "root.pem", "--enabled-reference-uris", "empty,same-doc,remote",
		"--id-attr:Id", "http://uri.etsi.org/01903/v1.3.2#:SignedProperties", "META-INF/signatures001.xml")
}

// The same key, time and files make the same container; the value has to fit.
func TestMakeIsDeterministic(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pki.EC)
	w.at = time.Now().Truncate(time.Second)
	for _, form := range forms {
		m := w.making()
		make := func() []byte {
			w.stamps = 0
			d, err := container.Prepare(t.Context(), dataOf(statements), nil, m, container.MakeOptions{CMS: form.cms})
			if err != nil {
				t.Fatal(err)
			}
			if list := read(t, w.finish(d, m, nil)); list[0].ID != d.ID() {
				t.Errorf("%s: read as %q, not %q", form.name, list[0].ID, d.ID())
			}
			var out bytes.Buffer
			if _, err := d.Finish(t.Context(), []byte("no value"), nil, &out); !errors.Is(err, ades.ErrValue) || out.Len() > 0 {
				t.Errorf("%s: %v, %d bytes", form.name, err, out.Len())
			}
			d, err = container.Prepare(t.Context(), dataOf(statements), nil, m, container.MakeOptions{CMS: form.cms})
			if err != nil {
				t.Fatal(err)
			}
			r := w.raising(ades.LevelT)
			return w.finish(d, m, &r)
		}
		if !bytes.Equal(make(), make()) {
			t.Errorf("%s: another time it is another container", form.name)
		}
	}
}

// No byte of a signed file can be changed, nor of a manifest.
func TestFlippedBytes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pki.EC)
	for _, form := range forms {
		files := entries(t, w.sign(ades.LevelLTA, form.cms, file{"a.txt", "Ik"}, file{"b.txt", "verklaar"}))
		if got := w.indication(pack(t, "", files...)); got != verify.TotalPassed {
			t.Fatalf("%s: packed again it is %s", form.name, got)
		}
		for i, f := range files {
			flip := func(at int) []byte {
				changed, body := slices.Clone(files), []byte(f.body)
				body[at] ^= 1
				changed[i].body = string(body)
				return pack(t, "", changed...)
			}
			step := 1
			switch role := (&asic.Entry{Name: f.name}).Role(); {
			case role == asic.Manifest:
				step = 3
			case role == asic.ArchiveManifest:
				if list := read(t, flip(len(f.body)-1)); list[0].Level != "B-LT" || list[0].Timestamps[1].Intact {
					t.Errorf("%s: %q can be changed", form.name, f.name)
				}
				continue
			case role != asic.Data:
				continue
			}
			if got := w.indication(flip(0)); got == verify.TotalPassed {
				t.Fatalf("%s: the first byte of %q can be changed", form.name, f.name)
			}
			for at := 0; at < len(f.body); at += step {
				if wrong(read(t, flip(at))[0]) == "" {
					t.Fatalf("%s: byte %d of %q can be changed", form.name, at, f.name)
				}
			}
		}
	}
}

// A further signature covers all files and leaves every entry that is there as it was; those of other makers too.
func TestFurtherSignature(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pki.RSA)
	files := []signed.File{{Name: "verklaring één.txt", Data: []byte("a")}, {Name: "map/2.txt", Data: []byte("b")}}
	other := func(form signed.ContainerForm, level signed.Level) []byte {
		o := signed.Options{PKI: w.pki, Signer: w.who, At: time.Now().Add(-time.Hour), Level: level}
		raw, err := signed.ASiC(files, form, o, o)
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	for name, test := range map[string]struct {
		raw   []byte
		level ades.Level
		want  int
		added []string
	}{
		"own XAdES":     {w.sign(ades.LevelT, false, statements...), ades.LevelT, 2, []string{"META-INF/signatures002.xml"}},
		"own CAdES":     {w.sign(ades.LevelT, true, statements...), ades.LevelT, 2, []string{"META-INF/ASiCManifest002.xml", "META-INF/signature002.p7s"}},
		"other's XAdES": {other(signed.ASiCE, signed.LT), ades.LevelLT, 3, []string{"META-INF/signatures001.xml"}},
		"other's CAdES": {other(signed.ASiCECAdES, signed.T), ades.LevelT, 3, []string{"META-INF/ASiCManifest001.xml", "META-INF/signature001.p7s"}},
		"archived":      {other(signed.ASiCECAdES, signed.LTA), ades.LevelLTA, 3, []string{"META-INF/ASiCManifest001.xml", "META-INF/signature001.p7s", "META-INF/ASiCArchiveManifest.xml", "META-INF/timestamp001.tst"}},
		"BDOC": {pack(t, asicE, append([]file{{"a.txt", "a"}, manifestXML("a.txt")}, entries(t, w.sign(ades.LevelB, false, file{"a.txt", "a"}))[3:]...)...), ades.LevelB, 2,
			[]string{"META-INF/signatures002.xml"}},
	} {
		before := entries(t, test.raw)
		raw, id := w.add(test.level, false, test.raw)
		after := entries(t, raw)
		w.passed(name, raw, test.level, test.want)
		list := read(t, raw)
		if list[len(list)-1].ID != id {
			t.Errorf("%s: the new one is %q, not %q", name, list[len(list)-1].ID, id)
		}
		var added []string
		for _, f := range after {
			if !slices.ContainsFunc(before, func(b file) bool { return b.name == f.name }) {
				added = append(added, f.name)
			}
		}
		if fmt.Sprint(added) != fmt.Sprint(test.added) {
			t.Errorf("%s: added %q", name, added)
		}
		if name == "archived" {
			continue // what is known of the last time stamp's authority goes into its token
		}
		if !bytes.HasPrefix(raw, test.raw[:bytes.LastIndex(test.raw, []byte("PK\x03\x04"))]) || fmt.Sprint(before) != fmt.Sprint(after[:len(before)]) {
			t.Errorf("%s: earlier entries have changed", name)
		}
	}
}

// What cannot be signed is refused with the reason, and before the files are read where that can be.
func TestPrepareRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pki.EC)
	xml, cms := w.sign(ades.LevelB, false, statements...), w.sign(ades.LevelB, true, statements...)
	change := func(raw []byte, name string) []byte {
		files := entries(t, raw)
		for i := range files {
			if files[i].name == name {
				files[i].body += " "
			}
		}
		return pack(t, "", files...)
	}
	foreign, err := pki.New(pki.Options{Seed: 7})
	if err != nil {
		t.Fatal(err)
	}
	var many []file
	for i := range asic.MaxASiCFiles {
		many = append(many, file{name: fmt.Sprint(i)})
	}
	for what, test := range map[string]struct {
		files    []file
		existing []byte
		cms      bool
		want     error
		reason   string
	}{
		"no file":          {nil, nil, false, ades.ErrUnsuitable, "no file"},
		"twice":            {[]file{{"a", ""}, {"b/A", ""}}, nil, false, ades.ErrUnsuitable, "same name"},
		"reserved":         {[]file{{"mimetype", ""}}, nil, true, ades.ErrUnsuitable, "meaning of its own"},
		"control":          {[]file{{"a\nb", ""}}, nil, false, ades.ErrUnsuitable, "control characters"},
		"too many":         {many, nil, false, ades.ErrUnsuitable, "at most 1000"},
		"with signatures":  {many[:998], nil, false, ades.ErrUnsuitable, "at most 1000"},
		"added files":      {statements, xml, false, ades.ErrUnsuitable, "would not cover"},
		"broken XAdES":     {nil, change(xml, "verklaring.txt"), false, ades.ErrBroken, "verklaring.txt"},
		"broken CAdES":     {nil, change(cms, "verklaring.txt"), true, ades.ErrBroken, "verklaring.txt"},
		"broken manifest":  {nil, change(cms, "META-INF/ASiCManifest001.xml"), true, ades.ErrBroken, "changed after"},
		"CAdES to XAdES":   {nil, xml, true, ades.ErrUnsuitable, "not in the standard"},
		"ASiC-S":           {nil, pack(t, asicS, file{"a", "a"}), false, ades.ErrUnsuitable, "ASiC-S"},
		"office":           {nil, pack(t, "application/vnd.oasis.opendocument.text", file{"content.xml", "<a/>"}), false, ades.ErrUnsuitable, "office"},
		"plain ZIP":        {nil, pack(t, "", file{"a", "a"}), false, ades.ErrUnsuitable, "no ASiC-E"},
		"no ZIP":           {nil, []byte("%PDF-1.7"), false, ades.ErrUnsuitable, "not a ZIP"},
		"nothing in it":    {nil, pack(t, asicE), false, ades.ErrUnsuitable, "no file in"},
		"names in CP 437":  {nil, pack(t, asicE, file{"\x82t\x82", "a"}), false, ades.ErrUnsuitable, "UTF-8"},
		"two of a kind":    {nil, pack(t, asicE, file{"a", "a"}, file{"A", "b"}), false, ades.ErrUnsuitable, "same name"},
		"other rules":      {nil, pack(t, "application/vnd.lt.archyvai.adoc-2008", append([]file{{"a", "a"}}, entries(t, w.sign(0, false, file{"a", "a"}))[3:]...)...), false, ades.ErrUnsuitable, "rules of its own"},
		"foreign is right": {nil, foreignContainer(t, foreign), false, nil, ""},
	} {
		m := w.making()
		var in *ades.File
		if test.existing != nil {
			in = &ades.File{Data: bytes.NewReader(test.existing), Size: int64(len(test.existing))}
		}
		_, err := container.Prepare(t.Context(), dataOf(test.files), in, m, container.MakeOptions{CMS: test.cms})
		if !errors.Is(err, test.want) || err != nil && !strings.Contains(err.Error(), test.reason) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// foreignContainer is signed by somebody whom nobody here trusts: no reason not to sign it too.
func foreignContainer(t *testing.T, p *pki.PKI) []byte {
	t.Helper()
	who, err := signed.Citizen(p, pki.Request{})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := signed.ASiC([]signed.File{{Name: "a", Data: []byte("a")}}, signed.ASiCE, signed.Options{PKI: p, Signer: who, At: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// What fails while a signature is raised leaves nothing written.
func TestFinishFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pki.EC)
	down := errors.New("the service is down")
	for _, form := range forms {
		for _, level := range levels[1:] {
			m := w.making()
			d, err := container.Prepare(t.Context(), dataOf(statements), nil, m, container.MakeOptions{CMS: form.cms})
			if err != nil {
				t.Fatal(err)
			}
			w.err = down
			var out bytes.Buffer
			r := w.raising(level)
			if _, err := d.Finish(t.Context(), w.value(d, m), &r, &out); !errors.Is(err, down) || out.Len() > 0 {
				t.Errorf("%s %s: %v, %d bytes", form.name, level, err, out.Len())
			}
			w.err = nil
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := container.Prepare(ctx, dataOf(statements), nil, w.making(), container.MakeOptions{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// As many files as a container may have, with the three or four that signing adds.
func TestManyFiles(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pki.EC)
	var files []file
	for i := range asic.MaxASiCFiles - 3 {
		files = append(files, file{fmt.Sprintf("file %d.txt", i), fmt.Sprint(i)})
	}
	for _, form := range forms {
		list := read(t, w.sign(ades.LevelB, form.cms, files...))
		if bad := wrong(list[0]); bad != "" || !list[0].CoversWholeFile || len(list[0].References) < len(files) {
			t.Errorf("%s: %s, %d references", form.name, bad, len(list[0].References))
		}
	}
}

// A large file goes through, and is never in memory.
func TestLargeFile(t *testing.T) {
	w := newWorld(t, pki.EC)
	const size = 40 << 20
	for _, form := range forms {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		m := w.making()
		d, err := container.Prepare(t.Context(), []container.Data{{File: ades.File{Name: "large.bin", Data: endless(size), Size: size}}}, nil, m, container.MakeOptions{CMS: form.cms})
		if err != nil {
			t.Fatal(err)
		}
		var out counter
		n, err := d.Finish(t.Context(), w.value(d, m), nil, &out)
		runtime.ReadMemStats(&after)
		if err != nil || n != int64(out) || n < size || after.TotalAlloc-before.TotalAlloc > 16<<20 {
			t.Errorf("%s: %d bytes, %d MiB allocated, %v", form.name, n, (after.TotalAlloc-before.TotalAlloc)>>20, err)
		}
	}
}

type counter int64

func (c *counter) Write(b []byte) (int, error) {
	*c += counter(len(b))
	return len(b), nil
}

// FuzzAdd: whatever container somebody hands in, a further signature either leaves all that was signed in it as it was, or is refused.
func FuzzAdd(f *testing.F) {
	p, err := pki.New(pki.Options{})
	if err != nil {
		f.Fatal(err)
	}
	who, err := signed.Citizen(p, pki.Request{})
	if err != nil {
		f.Fatal(err)
	}
	w := &world{t: f, pki: p, who: who}
	m := w.making()
	for _, form := range forms {
		d, err := container.Prepare(f.Context(), dataOf(statements), nil, m, container.MakeOptions{CMS: form.cms})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(w.finish(d, m, nil))
	}
	f.Add(pack(f, "", file{"mimetype", asicE}, file{"a", "a"}, file{"META-INF/ASiCManifest.xml", manifestOver("META-INF/signature.p7s", "", file{"a", "a"})}))
	f.Fuzz(func(t *testing.T, raw []byte) {
		in := input(raw).File
		_ = container.Raise(t.Context(), in, ades.Raising{}, &bytes.Buffer{})
		d, err := container.Prepare(t.Context(), nil, &in, m, container.MakeOptions{})
		if err != nil {
			return
		}
		before, _ := container.Read(t.Context(), input(raw))
		after := read(t, (&world{t: t, pki: p, who: who}).finish(d, m, nil))
		if len(after) != len(before)+1 {
			t.Fatalf("%d signatures became %d", len(before), len(after))
		}
		for _, s := range after {
			for _, r := range s.References {
				if !r.Found || !r.Intact {
					t.Fatalf("%s: %s %q: found %t, intact %t", s.ID, r.Kind, r.Name, r.Found, r.Intact)
				}
			}
		}
	})
}
