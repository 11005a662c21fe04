package pdf_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/eidkit/eidkit/internal/pdf"
	"github.com/eidkit/eidkit/internal/pdf/pdftest"
)

// hostile are files that mean ill, and some that do not.
func hostile() [][]byte {
	loop := "%PDF-1.7\n1 0 obj << /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [3 0 R] >> >> endobj\n2 0 obj << /Kids [2 0 R 2 0 R] /Count 9 >> endobj\n3 0 obj << /T (a) /Kids [3 0 R 3 0 R] >> endobj\n"
	refs := "%PDF-1.7\n1 0 obj << /Type /Catalog /Pages 2 0 R >> endobj\n2 0 obj 3 0 R endobj\n3 0 obj 2 0 R endobj\n4 0 obj << /Length 4 0 R >> stream\nendstream endobj\n"
	table := "%PDF-1.7\nxref\n0 8388607\n0000000000 65535 f \ntrailer << /Root 1 0 R >>\nstartxref\n9\n%%EOF\n"
	stream := func(dict, data string) string {
		return fmt.Sprintf("%%PDF-1.7\n1 0 obj\n%s\nendobj\nstartxref\n9\n%%%%EOF\n", pdftest.Stream("/Type /XRef "+dict, data))
	}
	all := []string{
		loop, refs, table, stream("/W [0 0 0] /Size 8000000", ""), stream("/W [1 8 8] /Size 8000000", "x"),
		stream("/W [1 1 1] /Index [0 8388608]", "abc"), stream("/W [1 1 1] /Size 3 /Prev 9", "\x02\x01\x00\x02\x01\x01\x02\x01\x02"),
		"%PDF-1.7\n" + strings.Repeat("xref\n0 0\ntrailer<</Prev 9>>\n", 20) + "startxref\n9\n%%EOF",
		"%PDF-1.7\n" + strings.Repeat("1 0 obj<<>>stream\n", 500), "%PDF-1.7\n1 0 obj " + strings.Repeat("[", 5000),
		"%PDF-1.7\n1 0 obj " + strings.Repeat("<</A", 5000), strings.Repeat("%PDF-1.7 obj 0 0 obj", 100),
		"%PDF-1.7\n1 0 obj << /Type /ObjStm /N 9999999 /First 9999999 /Length 3 >> stream\n1 0\nendstream endobj trailer << /Root 1 0 R /Encrypt << /Filter /Standard /V 5 /R 6 /U (" + strings.Repeat("a", 48) + ") /UE (" + strings.Repeat("a", 32) + ") >> >>",
	}
	out := [][]byte{contract().Bytes(), packed().Bytes()}
	both := packed()
	both.Append(pdftest.Update{Objects: other, Packed: true})
	both.Append(pdftest.Update{Objects: other, Hidden: map[int]string{90: "(hidden)"}})
	out = append(out, both.Bytes(), bytes.ReplaceAll(both.Bytes(), []byte("startxref"), []byte("startxxxx")))
	for _, s := range all {
		out = append(out, []byte(s))
	}
	return out
}

func FuzzFile(f *testing.F) {
	for _, seed := range hostile() {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, b []byte) { readEverything(bytes.NewReader(b), int64(len(b))) })
}

func FuzzOperators(f *testing.F) {
	for _, s := range []string{pdftest.FirstContent, "BI /W 1 ID xEI EI Q", "[[[[(", "<< /A << >> >> BDC", "1 2 R 3 0 R cm", strings.Repeat("(", 100)} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		n := 0
		pdf.Operators(b, func(op string, args []pdf.Object) bool {
			n++
			if op == "" {
				t.Error("empty operator")
			}
			return true
		})
		if n > len(b) {
			t.Errorf("%d operators in %d bytes", n, len(b))
		}
	})
}
