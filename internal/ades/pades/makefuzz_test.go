package pades_test

import (
	"bytes"
	"context"
	"testing"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/ades/pades"
	"github.com/eidkit/eidkit/testcards/pki"
	"github.com/eidkit/eidkit/testcards/signed"
)

// FuzzPrepare signs whatever can be signed: the result begins with what was
// there, and is a signature that covers it.
func FuzzPrepare(f *testing.F) {
	p := somebody(f, pki.RSA)
	f.Add(lease(), false)
	f.Add(signed.NewPDF(signed.PDFOptions{XRefStreams: true}).Bytes(), true)
	f.Add(p.sign(f, lease(), noon, pades.MakeOptions{Certify: 2}), true)
	f.Fuzz(func(t *testing.T, b []byte, visible bool) {
		o := pades.MakeOptions{}
		if visible {
			o.Visible = &pades.Visible{Page: -1}
		}
		out, err := p.trySign(b, noon, o)
		if err != nil {
			return
		}
		if !bytes.HasPrefix(out, b) {
			t.Fatal("bytes that were there changed")
		}
		list, err := pades.Read(context.Background(), ades.Input{File: file(out)})
		if err != nil {
			t.Fatal(err)
		}
		if last := list[len(list)-1]; !last.CoversWholeFile || len(last.Findings) > 0 && last.Findings[0].Code != ades.EncodingOddity {
			t.Errorf("covers all %v: %+v", last.CoversWholeFile, last.Findings)
		}
	})
}
