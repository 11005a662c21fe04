package pades

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/pdf/pdftest"
	"github.com/eidkit/eidkit/testcards/pki"
	"github.com/eidkit/eidkit/testcards/signed"
)

var noon = time.Date(2025, 6, 1, 12, 0, 0, 0, time.UTC)

// signer is one for all tests: keys take time to make.
var signer = sync.OnceValues(func() (signed.Options, error) {
	p, err := pki.New(pki.Options{Algorithm: pki.EC})
	if err != nil {
		return signed.Options{}, err
	}
	citizen, err := signed.Citizen(p, pki.Request{})
	return signed.Options{PKI: p, Signer: citizen, At: noon, Level: signed.B}, err
})

func options(t testing.TB) signed.Options {
	t.Helper()
	o, err := signer()
	must(t, err)
	return o
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// message makes the CMS message of a signature.
func message(t testing.TB) func([]byte) ([]byte, error) {
	o := options(t)
	return func(b []byte) ([]byte, error) { return signed.CAdES(b, true, o) }
}

// Numbers of the objects of the first signature on a contract.
const (
	tenant      = 40 // its field
	tenantValue = 41
	tenantLook  = 42
)

const sigDict = "/Type /Sig /Filter /Adobe.PPKLite /SubFilter /ETSI.CAdES.detached /M (D:20250601120000Z)"

// widget is a signature field on a page.
func widget(name string, value, page, look int, rect string) string {
	s := fmt.Sprintf("<< /Type /Annot /Subtype /Widget /FT /Sig /T (%s) /Rect [%s] /P %d 0 R /F 132", name, rect, page)
	if value > 0 {
		s += fmt.Sprintf(" /V %d 0 R", value)
	}
	if look > 0 {
		s += fmt.Sprintf(" /AP << /N %d 0 R >>", look)
	}
	return s + " >>"
}

// form is the text of the form dictionary with these fields besides the first four.
func form(more ...int) string {
	s := "<< /Fields [10 0 R 12 0 R 13 0 R 20 0 R"
	for _, n := range more {
		s += fmt.Sprintf(" %d 0 R", n)
	}
	return s + "] /DR << /Font << /Helv 5 0 R >> >> /DA (/Helv 10 Tf 0 g) /SigFlags 3 >>"
}

// page1 and page2 are the pages with these annotations besides their own.
func page1(more ...int) string {
	return page(4, "/XObject << /Im1 6 0 R >>", "10 0 R 12 0 R 14 0 R", more)
}
func page2(more ...int) string { return page(8, "", "13 0 R 20 0 R", more) }

func page(content int, resources, annots string, more []int) string {
	for _, n := range more {
		annots += fmt.Sprintf(" %d 0 R", n)
	}
	return fmt.Sprintf("<< /Type /Page /Parent 2 0 R /Contents %d 0 R /Resources << /Font << /F1 5 0 R >> %s >> /Annots [%s] >>", content, resources, annots)
}

// signFirst signs a contract with a visible signature on page 1; reference is
// its Reference, lock the Lock of its field.
func signFirst(t testing.TB, f *pdftest.File, u pdftest.Update, reference, lock string) {
	t.Helper()
	field := widget("tenant", tenantValue, pdftest.Page1, tenantLook, "300 100 500 150")
	if lock != "" {
		field = strings.Replace(field, "/FT", "/Lock "+lock+" /FT", 1)
	}
	dict := sigDict
	u.Objects = map[int]string{
		tenant: field, tenantLook: pdftest.Look(200, 50, "BT /Helv 8 Tf 4 20 Td (Signed by a tenant) Tj ET"),
		pdftest.Page1: page1(tenant), pdftest.Form: form(tenant),
	}
	if reference != "" {
		dict += " /Reference [" + reference + "]"
		u.Objects[pdftest.Catalog] = catalog("/Perms << /DocMDP 41 0 R >>")
	}
	must(t, f.Sign(pdftest.Signing{Update: u, Dict: dict, Number: tenantValue, Make: message(t)}))
}

// catalog is the contract's with further entries.
func catalog(more string) string {
	return "<< /Type /Catalog /Pages 2 0 R /AcroForm 9 0 R /OCProperties << /OCGs [15 0 R] /D << /Order [15 0 R] /ON [15 0 R] >> >> " + more + " >>"
}

// contract is a signed contract.
func contract(t testing.TB) *pdftest.File {
	t.Helper()
	f := pdftest.New(pdftest.Catalog, pdftest.Contract())
	signFirst(t, f, pdftest.Update{}, "", "")
	return f
}

// certified is one with DocMDP.
func certified(t testing.TB, p int) *pdftest.File {
	t.Helper()
	f := pdftest.New(pdftest.Catalog, pdftest.Contract())
	signFirst(t, f, pdftest.Update{}, fmt.Sprintf("<< /Type /SigRef /TransformMethod /DocMDP /TransformParams << /Type /TransformParams /P %d /V /1.2 >> >>", p), "")
	return f
}

func read(t testing.TB, file []byte) ([]*ades.Signature, error) {
	t.Helper()
	return Read(context.Background(), ades.Input{File: ades.File{Name: "test.pdf", Data: bytes.NewReader(file), Size: int64(len(file))}})
}

// complaints is what speaks against a signature: findings that fail it, changes
// not allowed, references that do not fit, a value that does not verify.
func complaints(s *ades.Signature) []string {
	var all []string
	for _, f := range s.Findings {
		switch f.Code {
		case ades.SigningTimeInPDF, ades.EncodingOddity, ades.OddCertificate, ades.BadCertificate:
		default:
			all = append(all, fmt.Sprintf("%s %s: %s", f.Code, f.Object, f.Detail))
		}
	}
	if s.PDF != nil {
		for _, c := range s.PDF.Changes {
			if !c.Allowed {
				all = append(all, fmt.Sprintf("%s: %s (%s)", c.What, c.Object, c.Detail))
			}
		}
	}
	for _, r := range s.References {
		if !r.Found || !r.Intact {
			all = append(all, fmt.Sprintf("reference %s: found %v, intact %v", r.Name, r.Found, r.Intact))
		}
	}
	if s.Signer == nil || s.AlgorithmError != nil || s.Algorithm.Verify(s.Signer.PublicKey, s.Digest, s.Value) != nil {
		all = append(all, "the value does not verify")
	}
	return all
}

func changed(s *ades.Signature) string {
	var b strings.Builder
	for _, c := range s.PDF.Changes {
		fmt.Fprintf(&b, "%d %s: %s (%s) allowed %v\n", c.Revision, c.What, c.Object, c.Detail, c.Allowed)
	}
	return b.String()
}
