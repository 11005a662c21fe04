//go:build unix

package main

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// withField is a PDF of two pages, with a signature field of some rectangle on the second.
func withField(rect string) string {
	var b strings.Builder
	b.WriteString("%PDF-1.7\n")
	var at []int
	for i, o := range []string{"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [5 0 R] /SigFlags 1 >> >>", "<< /Type /Pages /Kids [3 0 R 4 0 R] /Count 2 >>",
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>", "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Annots [5 0 R] >>",
		"<< /Type /Annot /Subtype /Widget /FT /Sig /T (Tenant) /F 4 /P 4 0 R /Rect [" + rect + "] >>"} {
		at = append(at, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	xref := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(at)+1)
	for _, n := range at {
		fmt.Fprintf(&b, "%010d 00000 n \n", n)
	}
	fmt.Fprintf(&b, "trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(at)+1, xref)
	return b.String()
}

// TestPreviewPage: the page drawn is the one that the stamp will be on, and a field is not said to be elsewhere than it is.
func TestPreviewPage(t *testing.T) {
	b := newBench(t)
	tool(t, "pdftoppm")
	write(t, "lease.pdf", withField("50 50 250 110"))
	for _, test := range []struct {
		args string
		page int
	}{
		{"--field Tenant", 2},
		{"--field Tenant --page 2 --rect 50,50,250,110", 2},
		{"--page -1", 2},
		{"--page -2", 1},
		{"--field New", 1},
		{"--field New --page 2 --rect 50,300,250,400", 2},
	} {
		_, errs := b.again(t, exitOK, append(strings.Fields(test.args), "lease.pdf", "--preview", "page.png", "--force")...)
		if !strings.Contains(errs, fmt.Sprintf("page %d of lease.pdf as it would be", test.page)) {
			t.Errorf("%s: %s", test.args, errs)
		}
	}
	if err := os.Remove("page.png"); err != nil {
		t.Fatal(err)
	}
	for _, args := range []string{"--field Tenant --page 1", "--field Tenant --rect 50,300,250,400", "--field Tenant --page 1 --preview page.png"} {
		if _, errs := b.again(t, exitUsage, append(strings.Fields(args), "lease.pdf")...); !strings.Contains(errs, "on page 2 at 50,50,250,110") {
			t.Errorf("%s: %s", args, errs)
		}
	}
}
