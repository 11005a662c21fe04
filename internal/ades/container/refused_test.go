package container_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/ades/container"
	"github.com/eidkit/eidkit/testcards/pki"
)

func isError(err, want error) bool { return errors.Is(err, want) }

func TestRefused(t *testing.T) {
	t.Parallel()
	m := newMaker(t, pki.RSA)
	a := file{"a.txt", "content of a"}
	p7s := file{"META-INF/signature.p7s", m.cms(a.body)}
	var many []file
	for i := range 1001 {
		many = append(many, file{name: fmt.Sprint(i)})
	}
	inner := string(pack(t, "", many...))
	fine := string(pack(t, "", a, file{`b\c`, "as old writers name files"}))
	for name, test := range map[string]struct {
		raw  []byte
		want error
	}{
		"no ZIP":                    {[]byte("no ZIP"), ades.ErrRefused},
		"empty":                     {nil, ades.ErrRefused},
		"no signature":              {pack(t, asicE, a), ades.ErrNoSignature},
		"plain ZIP":                 {pack(t, "", a), ades.ErrNoSignature},
		"evidence record only":      {pack(t, asicE, a, file{"META-INF/evidencerecord.ers", "x"}), ades.ErrNoSignature},
		"ODF without signature":     {pack(t, "application/vnd.oasis.opendocument.text", a), ades.ErrNoSignature},
		"OOXML without signature":   {pack(t, "", file{"[Content_Types].xml", "<Types/>"}, a), ades.ErrNoSignature},
		"signature twice":           {pack(t, asicS, a, p7s, p7s), ades.ErrRefused},
		"no CMS":                    {pack(t, asicS, a, file{p7s.name, "no CMS"}), ades.ErrRefused},
		"no XML":                    {pack(t, asicS, a, file{"META-INF/signatures.xml", "no XML"}), ades.ErrRefused},
		"DOCTYPE":                   {pack(t, asicS, a, file{"META-INF/signatures.xml", `<!DOCTYPE x [<!ENTITY e "v">]><x>&e;</x>`}), ades.ErrRefused},
		"empty signature":           {pack(t, asicS, a, file{p7s.name, ""}), ades.ErrRefused},
		"too many files":            {pack(t, asicE, append(many, p7s)...), ades.ErrRefused},
		"too many files in the ZIP": {pack(t, asicS, file{"package.zip", inner}, file{p7s.name, m.cms(inner)}), ades.ErrRefused},
		"a ZIP":                     {pack(t, asicS, file{"package.zip", fine}, file{p7s.name, m.cms(fine)}), nil},
		"a ZIP by name":             {pack(t, asicS, file{"package.zip", a.body}, file{p7s.name, p7s.body}), nil},
	} {
		list, err := container.Read(t.Context(), input(test.raw))
		if !errors.Is(err, test.want) || (err == nil) != (len(list) > 0) {
			t.Errorf("%s: %d signatures, %v", name, len(list), err)
		}
	}
	// A file that its checksum gives away as broken.
	broken := pack(t, asicS, a, p7s)
	broken[strings.Index(string(broken), a.body)] ^= 1
	if _, err := container.Read(t.Context(), input(broken)); !errors.Is(err, ades.ErrRefused) {
		t.Errorf("broken file: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := container.Read(ctx, input(pack(t, asicS, a, p7s))); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	in := input(pack(t, asicS, a, p7s))
	gone := errors.New("the disk is gone")
	for after := range 6 {
		in.Data = &failing{input(pack(t, asicS, a, p7s)).Data, after, gone}
		if _, err := container.Read(t.Context(), in); !errors.Is(err, gone) || errors.Is(err, ades.ErrRefused) {
			t.Errorf("after %d reads: %v", after, err)
		}
	}
}

// TestBounds: signatures times files, and signatures times time stamps.
func TestBounds(t *testing.T) {
	t.Parallel()
	m := newMaker(t, pki.EC)
	files := []file{{"a.txt", "content of a"}}
	signed := m.xades("S1", object{name: files[0].name, body: files[0].body})
	for i := range 300 {
		files = append(files, file{name: fmt.Sprintf("file%d", i)})
	}
	s := read(t, pack(t, asicE, append(files, file{"META-INF/signatures.xml", signed})...))[0]
	if n := strings.Count(codes(s), "FILE_NOT_SIGNED"); n != 101 {
		t.Errorf("%d files are told of", n)
	}
	if len(s.Findings) > 200 {
		t.Errorf("%d findings", len(s.Findings))
	}
	const one = `<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:SignedInfo/></ds:Signature>`
	half := "<x>" + strings.Repeat(one, 501) + "</x>"
	if _, err := container.Read(t.Context(), input(pack(t, asicE, files[0], file{"META-INF/signatures0.xml", half}, file{"META-INF/signatures1.xml", half}))); !errors.Is(err, ades.ErrRefused) {
		t.Errorf("1,002 signatures: %v", err)
	}
	at := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	man := file{"META-INF/ASiCManifest.xml", manifestOver("META-INF/signature.p7s", "", files[0])}
	sig := file{"META-INF/signature.p7s", m.cms(man.body)}
	stamped := []file{files[0], man, sig}
	for i := range 120 {
		tst := fmt.Sprintf("META-INF/timestamp%d.tst", i)
		archive := file{fmt.Sprintf("META-INF/ASiCArchiveManifest%d.xml", i), manifestOver(tst, "", sig, sig, sig)}
		stamped = append(stamped, archive, file{tst, m.stamp(archive.body, at)})
	}
	if n := len(read(t, pack(t, asicE, stamped...))[0].Timestamps); n != 100 {
		t.Errorf("%d time stamps", n)
	}
	var same []file
	for i := range 20 {
		same = append(same, file{fmt.Sprintf("META-INF/ASiCManifest%02d.xml", i), manifestOver(sig.name, "", files[0], file{fmt.Sprint(i), ""})})
	}
	if s := read(t, pack(t, asicE, append(same, files[0], sig)...))[0]; reference(s, "META-INF/ASiCManifest00.xml").Intact {
		t.Error("a manifest that was not signed")
	}
}

// failing is a source that fails after some reads.
type failing struct {
	io.ReaderAt
	left int
	err  error
}

func (f *failing) ReadAt(b []byte, at int64) (int, error) {
	if f.left--; f.left < 0 {
		return 0, f.err
	}
	return f.ReaderAt.ReadAt(b, at)
}
