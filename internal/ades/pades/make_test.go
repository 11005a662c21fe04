package pades_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/ades/pades"
	"github.com/eidkit/eidkit/internal/pdf/pdftest"
	"github.com/eidkit/eidkit/testcards/pki"
	"github.com/eidkit/eidkit/testcards/signed"
	"github.com/eidkit/eidkit/verify"
)

var levels = []ades.Level{ades.LevelB, ades.LevelT, ades.LevelLT, ades.LevelLTA}

// lease is a contract with a form and an empty signature field, landlord.
func lease() []byte { return pdftest.New(pdftest.Catalog, pdftest.Contract()).Bytes() }

// changed is the lease with some objects written otherwise.
func changed(objects map[int]string) []byte {
	u := pdftest.Contract()
	for n, text := range objects {
		u.Objects[n] = text
	}
	return pdftest.New(pdftest.Catalog, u).Bytes()
}

// with is an object of the contract with more entries.
func with(object int, entries string) string {
	return strings.Replace(pdftest.Contract().Objects[object], "<<", "<< "+entries, 1)
}

// TestLevels has others and ourselves judge what is made at every level, by
// both kinds of keys, with both kinds of cross-references.
func TestLevels(t *testing.T) {
	t.Parallel()
	for i, level := range levels {
		for _, alg := range []pki.Algorithm{pki.EC, pki.RSA} {
			t.Run(fmt.Sprint(alg, level), func(t *testing.T) {
				t.Parallel()
				p := somebody(t, alg)
				in := signed.NewPDF(signed.PDFOptions{XRefStreams: (alg == pki.EC) == (i%2 == 0)}).Bytes()
				o := pades.MakeOptions{Level: level, Reason: "Akkoord", Location: "Liège", Contact: "jan@example.test", Visible: &pades.Visible{}}
				out := p.sign(t, in, noon, o)
				outside(t, out, 1, level != ades.LevelLT)
				passes(t, out, noon.Add(time.Hour), []string{level.String()}, p)
				if again := p.sign(t, in, noon, o); !bytes.Equal(out, again) {
					t.Error("signed twice it differs")
				}
				s := judge(t, out, noon.Add(time.Hour), p).Signatures[0]
				if s.Format != "PAdES" || s.Claims == nil || s.Claims.Reason != "Akkoord" || s.Claims.Place != "Liège" || s.PDF.Page != 1 || s.ID != "Signature1" {
					t.Errorf("%+v %+v", s, s.PDF)
				}
			})
		}
	}
}

// TestFlip changes single bytes of a file at the highest level: it never passes.
func TestFlip(t *testing.T) {
	t.Parallel()
	flip(t, 10)
}

// flip changes so many bytes of what a signature covers, one at a time.
func flip(t *testing.T, times int64) {
	t.Helper()
	p := somebody(t, pki.RSA)
	out := p.sign(t, signed.NewPDF(signed.PDFOptions{}).Bytes(), noon, pades.MakeOptions{Level: ades.LevelLTA})
	list, err := pades.Read(context.Background(), ades.Input{File: file(out)})
	must(t, err)
	for _, r := range list[0].References[0].Ranges {
		step := max(1, 2*r.Length/times)
		for at := r.Offset; at < r.Offset+r.Length; at += step {
			b := bytes.Clone(out)
			b[at] ^= 0x10
			if r := judge(t, b, noon.Add(time.Hour), p); r.Indication == verify.TotalPassed {
				t.Errorf("byte %d flipped: it passes", at)
			}
		}
	}
}

// made are files as many makers leave them.
func made(t *testing.T) map[string][]byte {
	t.Helper()
	packed := pdftest.Contract()
	packed.Packed = true
	hybrid := pdftest.New(pdftest.Catalog, pdftest.Contract())
	hybrid.Append(pdftest.Update{Objects: map[int]string{60: "<<>>"}, Hidden: map[int]string{pdftest.Info: "<< /Title (hidden) >>", pdftest.Remark: pdftest.Contract().Objects[pdftest.Remark]}})
	plain := lease()
	at := bytes.LastIndex(plain, []byte("startxref"))
	files := map[string][]byte{
		"plain":                plain,
		"object streams":       pdftest.New(pdftest.Catalog, packed).Bytes(),
		"hybrid":               hybrid.Bytes(),
		"no line end":          bytes.TrimRight(plain, "\n"),
		"junk at the end":      append(bytes.Clone(plain), "\r\n\x00\x00<!-- served -->"...),
		"bytes before":         append([]byte("HTTP/1.1 200 OK\r\n\r\n"), plain...),
		"broken startxref":     append(plain[:at:at], "startxref\n99\n%%EOF\n"...),
		"fields indirect":      changed(map[int]string{pdftest.Form: "<< /Fields 50 0 R /DA (/Helv 10 Tf 0 g) >>", 50: "[10 0 R 12 0 R 13 0 R 20 0 R]"}),
		"form in the catalog":  changed(map[int]string{pdftest.Catalog: "<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [10 0 R 12 0 R 13 0 R 20 0 R] /XFA [(template) 51 0 R] /NeedAppearances true >> >>", 51: pdftest.Stream("", "<t/>")}),
		"no form":              changed(map[int]string{pdftest.Catalog: "<< /Type /Catalog /Pages 2 0 R >>", pdftest.Page1: strings.Replace(pdftest.Contract().Objects[3], "/Annots [10 0 R 12 0 R 14 0 R]", "", 1), pdftest.Page2: strings.Replace(pdftest.Contract().Objects[7], "/Annots [13 0 R 20 0 R]", "", 1)}),
		"annotations indirect": changed(map[int]string{pdftest.Page1: strings.Replace(pdftest.Contract().Objects[3], "[10 0 R 12 0 R 14 0 R]", "52 0 R", 1), 52: "[10 0 R 12 0 R 14 0 R]"}),
		"annotations shared": changed(map[int]string{pdftest.Page1: strings.Replace(pdftest.Contract().Objects[3], "[10 0 R 12 0 R 14 0 R]", "52 0 R", 1),
			pdftest.Page2: strings.Replace(pdftest.Contract().Objects[7], "[13 0 R 20 0 R]", "52 0 R", 1), 52: "[14 0 R]"}),
		"annotations null": changed(map[int]string{pdftest.Page1: strings.Replace(pdftest.Contract().Objects[3], "[10 0 R 12 0 R 14 0 R]", "88 0 R", 1)}),
		"PDF/A-1": changed(map[int]string{pdftest.Catalog: with(pdftest.Catalog, "/Metadata 53 0 R"),
			53: pdftest.Stream("/Type /Metadata /Subtype /XML", `<rdf:Description pdfaid:part="1" pdfaid:conformance="B"/>`)}),
	}
	for turn := 90; turn < 360; turn += 90 {
		files[fmt.Sprint("turned by ", turn)] = changed(map[int]string{pdftest.Pages: with(pdftest.Pages, fmt.Sprintf("/Rotate %d /CropBox [20 30 560 800]", turn))})
	}
	qpdf := tool(t, "qpdf")
	for name, option := range map[string]string{"linearised": "disable", "linearised, packed": "generate"} {
		out := filepath.Join(t.TempDir(), "out.pdf")
		text, err := exec.Command(qpdf, "--linearize", "--object-streams="+option, save(t, plain), out).CombinedOutput()
		if err != nil {
			t.Fatal(err, string(text))
		}
		files[name], err = os.ReadFile(out)
		must(t, err)
	}
	return files
}

// TestMakers signs files of many makers twice: seen, and not seen.
func TestMakers(t *testing.T) {
	t.Parallel()
	p := somebody(t, pki.RSA)
	pdftoppm := tool(t, "pdftoppm")
	for name, in := range made(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			one := p.sign(t, in, noon, pades.MakeOptions{Visible: &pades.Visible{Image: logo(t)}})
			two := p.sign(t, one, noon.Add(time.Minute), pades.MakeOptions{Level: ades.LevelT})
			outside(t, two, 2, true)
			passes(t, two, noon.Add(time.Hour), []string{"B-B", "B-T"}, p)
			if out, err := exec.Command(pdftoppm, "-r", "20", "-png", save(t, two), filepath.Join(t.TempDir(), "page")).CombinedOutput(); err != nil || len(out) > 0 && name != "hybrid" {
				t.Errorf("pdftoppm: %v %s", err, out) // hidden objects are something that it complains of in any case
			}
		})
	}
}

// TestFields signs fields that are there, and new ones by name.
func TestFields(t *testing.T) {
	t.Parallel()
	p := somebody(t, pki.RSA)
	kids := map[int]string{
		pdftest.Waiting: "<< /FT /Sig /T (landlord) /Kids [55 0 R] >>", 55: "<< /Type /Annot /Subtype /Widget /Parent 13 0 R /Rect [72 100 272 150] /P 7 0 R /F 4 >>",
		pdftest.Page2: strings.Replace(pdftest.Contract().Objects[7], "13 0 R", "55 0 R", 1),
	}
	nested := map[int]string{
		pdftest.Waiting: with(pdftest.Waiting, "/Parent 56 0 R"), 56: "<< /T (parties) /Kids [13 0 R] >>",
		pdftest.Form: strings.Replace(pdftest.Contract().Objects[pdftest.Form], "13 0 R", "56 0 R", 1),
	}
	unlisted := map[int]string{pdftest.Form: strings.Replace(pdftest.Contract().Objects[pdftest.Form], "13 0 R ", "", 1)}
	for name, c := range map[string]struct {
		objects map[int]string
		field   string
		page    int
	}{
		"there": {nil, "landlord", 2}, "with a widget of its own": {kids, "landlord", 2}, "in a group": {nested, "parties.landlord", 2},
		"not listed": {unlisted, "landlord", 2}, "new": {nil, "Huurder (Ő)", 0}, "in a locked way": {map[int]string{pdftest.Waiting: with(pdftest.Waiting, "/Lock << /Type /SigFieldLock /Action /Include /Fields [(amount)] >>")}, "landlord", 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := changed(c.objects)
			out := p.sign(t, in, noon, pades.MakeOptions{Field: c.field})
			if name == "with a widget of its own" {
				outside(t, out, 0, false) // pdfsig looks for the value in the widget
			} else {
				outside(t, out, 1, true)
			}
			passes(t, out, noon.Add(time.Hour), []string{"B-B"}, p)
			s := judge(t, out, noon.Add(time.Hour), p).Signatures[0]
			if s.ID != c.field || s.PDF.Page != c.page && c.page > 0 {
				t.Errorf("%s on page %d", s.ID, s.PDF.Page)
			}
			_, err := p.trySign(out, noon, pades.MakeOptions{Field: c.field})
			refusal(t, err, ades.ErrUnsuitable, "signed already")
			again := p.sign(t, out, noon.Add(time.Minute), pades.MakeOptions{})
			passes(t, again, noon.Add(time.Hour), []string{"B-B", "B-B"}, p)
		})
	}
}

// refusal wants an error of a kind that says something.
func refusal(t testing.TB, err, kind error, says string) {
	t.Helper()
	if !errors.Is(err, kind) || !strings.Contains(err.Error(), says) {
		t.Errorf("%v, want %v with %q", err, kind, says)
	}
}

// TestCertification: what it allows, and that it comes first.
func TestCertification(t *testing.T) {
	t.Parallel()
	p := somebody(t, pki.RSA)
	for permission := 1; permission <= 3; permission++ {
		out := p.sign(t, lease(), noon, pades.MakeOptions{Certify: permission, Level: ades.LevelLTA})
		outside(t, out, 1, true)
		passes(t, out, noon.Add(time.Hour), []string{"B-LTA"}, p)
		if s := judge(t, out, noon.Add(time.Hour), p).Signatures[0]; s.PDF.Certified != permission {
			t.Errorf("certified for %d", s.PDF.Certified)
		}
		second, err := p.trySign(out, noon.Add(time.Hour), pades.MakeOptions{Field: "landlord"})
		if permission == 1 {
			refusal(t, err, ades.ErrUnsuitable, "final")
			continue
		}
		must(t, err)
		passes(t, second, noon.Add(2*time.Hour), []string{"B-LTA", "B-B"}, p)
		_, err = p.trySign(out, noon, pades.MakeOptions{Certify: 2})
		refusal(t, err, ades.ErrUnsuitable, "first")
	}
	_, err := p.trySign(lease(), noon, pades.MakeOptions{Certify: 4})
	refusal(t, err, ades.ErrUnsuitable, "permission 4")
}

// TestRefused is what cannot be signed, or not so.
func TestRefused(t *testing.T) {
	t.Parallel()
	p := somebody(t, pki.RSA)
	once := p.sign(t, lease(), noon, pades.MakeOptions{Field: "tenant"})
	broken := bytes.Replace(once, []byte("rent of 850"), []byte("rent of 950"), 1)
	secret := filepath.Join(t.TempDir(), "secret.pdf")
	if out, err := exec.Command(tool(t, "qpdf"), "--encrypt", "", "owner", "256", "--", save(t, lease()), secret).CombinedOutput(); err != nil {
		t.Fatal(err, string(out))
	}
	encrypted, err := os.ReadFile(secret)
	must(t, err)
	seed := func(sv string) []byte {
		return changed(map[int]string{pdftest.Waiting: with(pdftest.Waiting, "/SV << "+sv+" >>")})
	}
	field, seen := pades.MakeOptions{Field: "landlord"}, &pades.Visible{}
	for _, c := range []struct {
		in   []byte
		o    pades.MakeOptions
		kind error
		says string
	}{
		{encrypted, pades.MakeOptions{}, ades.ErrUnsuitable, "encrypted"},
		{[]byte("hello"), pades.MakeOptions{}, ades.ErrUnsuitable, "%PDF-"},
		{broken, pades.MakeOptions{}, ades.ErrBroken, "changed"},
		{append(bytes.Clone(once), "9 0 obj << >> endobj"...), pades.MakeOptions{}, ades.ErrBroken, "changed"},
		{lease(), pades.MakeOptions{Field: "amount"}, ades.ErrUnsuitable, "no signature field"},
		{lease(), pades.MakeOptions{Field: "a.b"}, ades.ErrUnsuitable, "full stop"},
		{once, pades.MakeOptions{Field: "tenant"}, ades.ErrUnsuitable, "signed already"},
		{lease(), pades.MakeOptions{Visible: &pades.Visible{Page: 3}}, ades.ErrUnsuitable, "page 3"},
		{lease(), pades.MakeOptions{Visible: &pades.Visible{Page: -3}}, ades.ErrUnsuitable, "page -3"},
		{lease(), pades.MakeOptions{Visible: &pades.Visible{Rect: [4]float64{500, 10, 700, 60}}}, ades.ErrUnsuitable, "outside"},
		{lease(), pades.MakeOptions{Visible: &pades.Visible{Rect: [4]float64{500, 10, 501, 60}}}, ades.ErrUnsuitable, "too small"},
		{lease(), pades.MakeOptions{Visible: &pades.Visible{Image: []byte("GIF89a")}}, ades.ErrUnsuitable, "neither PNG nor JPEG"},
		{changed(map[int]string{pdftest.Catalog: with(pdftest.Catalog, "/NeedsRendering true")}), pades.MakeOptions{}, ades.ErrUnsuitable, "XFA"},
		{changed(map[int]string{pdftest.Waiting: strings.Replace(pdftest.Contract().Objects[13], "[72 100 272 150]", "[0 0 0 0]", 1)}), pades.MakeOptions{Field: "landlord", Visible: seen}, ades.ErrUnsuitable, "no place"},
		{seed("/Ff 1 /Filter /Adobe.PPKMS"), field, ades.ErrUnsuitable, "handler"},
		{seed("/Ff 2 /SubFilter [/adbe.pkcs7.detached]"), field, ades.ErrUnsuitable, "kind of signature"},
		{seed("/Ff 8 /Reasons [(Approved) (Seen)]"), field, ades.ErrUnsuitable, "reasons"},
		{seed("/Ff 64 /DigestMethod [(SHA512)]"), field, ades.ErrUnsuitable, "digest"},
		{seed("/MDP << /P 2 >>"), field, ades.ErrUnsuitable, "certification"},
		{seed("/TimeStamp << /URL (http://tsa.test) /Ff 1 >>"), field, ades.ErrUnsuitable, "B-T"},
		{seed("/Cert << /Ff 1 /Subject [<3000>] >>"), field, ades.ErrUnsuitable, "somebody else"},
		{seed("/Cert << /Ff 8 /SubjectDN [<< /CN (Jan) >>] >>"), field, ades.ErrUnsuitable, "another name"},
		{seed("/Cert << /Ff 32 /KeyUsage [(1)] >>"), field, ades.ErrUnsuitable, "another use"},
	} {
		_, err := p.trySign(c.in, noon, c.o)
		refusal(t, err, c.kind, c.says)
	}
	for _, sv := range []string{"/Ff 0 /Filter /Adobe.PPKMS /Reasons [(Seen)]", "/Ff 2 /SubFilter [/adbe.pkcs7.detached /ETSI.CAdES.detached]",
		"/Ff 64 /DigestMethod [(SHA256) (SHA384)]", "/Ff 8 /Reasons [(.)]", "/Cert << /Ff 40 /SubjectDN [<< /C (BE) >>] /KeyUsage [(X1X)] >>"} {
		passes(t, p.sign(t, seed(sv), noon, field), noon.Add(time.Hour), []string{"B-B"}, p)
	}
}

// TestLocked: what an earlier signature locks stays.
func TestLocked(t *testing.T) {
	t.Parallel()
	p := somebody(t, pki.RSA)
	for lock, says := range map[string]string{
		"/Action /Include /Fields [(landlord)]": "locked", "/Action /All /P 1": "final", "/Action /Include /Fields [(amount)]": "",
	} {
		in := changed(map[int]string{
			40:           "<< /Type /Annot /Subtype /Widget /FT /Sig /T (tenant) /Rect [300 100 500 150] /P 3 0 R /F 4 /Lock << /Type /SigFieldLock " + lock + " >> >>",
			pdftest.Form: strings.Replace(pdftest.Contract().Objects[pdftest.Form], "20 0 R]", "20 0 R 40 0 R]", 1), pdftest.Page1: strings.Replace(pdftest.Contract().Objects[3], "14 0 R]", "14 0 R 40 0 R]", 1),
		})
		one := p.sign(t, in, noon, pades.MakeOptions{Field: "tenant"})
		passes(t, one, noon.Add(time.Hour), []string{"B-B"}, p)
		if !bytes.Contains(one[len(in):], []byte("/FieldMDP")) {
			t.Error("the lock is not in the signature")
		}
		_, err := p.trySign(one, noon, pades.MakeOptions{Field: "landlord"})
		if says == "" {
			must(t, err)
		} else {
			refusal(t, err, ades.ErrUnsuitable, says)
		}
	}
}

// TestValue: a value that does not fit is refused, and nothing is written.
func TestValue(t *testing.T) {
	t.Parallel()
	p := somebody(t, pki.RSA)
	d, err := pades.Prepare(context.Background(), file(lease()), p.making(noon), pades.MakeOptions{})
	must(t, err)
	value, err := p.Key.Sign(nil, make([]byte, len(d.Digest())), p.making(noon).Algorithm.Hash)
	must(t, err)
	var out bytes.Buffer
	if _, err := d.Finish(context.Background(), value, nil, &out); !errors.Is(err, ades.ErrValue) || out.Len() > 0 {
		t.Errorf("%v, %d bytes", err, out.Len())
	}
	failing := p.raising(ades.LevelLT, noon)
	failing.Evidence = func(context.Context, []ades.Need, []*x509.Certificate, ades.Values) (ades.Values, error) {
		return ades.Values{}, errors.New("no answer")
	}
	value, err = p.Key.Sign(nil, d.Digest(), p.making(noon).Algorithm.Hash)
	must(t, err)
	if _, err := d.Finish(context.Background(), value, failing, &out); err == nil || out.Len() > 0 {
		t.Errorf("%v, %d bytes", err, out.Len())
	}
	must(t, d.Preview(&out))
	if r := judge(t, out.Bytes(), noon, p); r.Error != verify.ErrorNoSignature {
		t.Errorf("the preview is signed: %v", r.Error)
	}
	out.Reset()
	// Room for no time stamp was asked for: there is one all the same.
	_, err = d.Finish(context.Background(), value, p.raising(ades.LevelT, noon), &out)
	must(t, err)
	passes(t, out.Bytes(), noon.Add(time.Hour), []string{"B-T"}, p)
}
