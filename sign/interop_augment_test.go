package sign_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eidkit/eidkit/sign"
	"github.com/eidkit/eidkit/testcards/pki"
	"github.com/eidkit/eidkit/testcards/signed"
	"github.com/eidkit/eidkit/verify"
)

// TestInteropAugmented: signatures at B-B, ours and those of another maker in turn, are raised to B-T, B-LT, B-LTA, and B-LTA once more.
// TestSoakAugmented has all of both.
func TestInteropAugmented(t *testing.T) {
	t.Parallel()
	w := newWorkshop(t)
	w.nssdir(t)
	for i := range packagings {
		augmented(t, w, &packagings[i], []pki.Algorithm{pki.EC, pki.RSA}[i/2%2], i%2 == 1)
	}
}

// foreign is a signature that testcards/signed made, at B-B.
func (w *workshop) foreign(t testing.TB, k *packaging, alg pki.Algorithm) []byte {
	t.Helper()
	o := signed.Options{PKI: w.net.Of(alg), Signer: w.citizen(alg, 0), At: time.Now().Truncate(time.Second)}
	files := []signed.File{{Name: "verklaring één.txt", Data: []byte(contentText), MIMEType: "text/plain"}, {Name: "plan.bin", Data: []byte{0, 1, 2, 3}}}
	var data []byte
	var err error
	switch k.name {
	case "CAdES, attached", "CAdES, detached":
		data, err = signed.CAdES([]byte(contentText), k.detached, o)
	case "PAdES":
		data, err = signed.PAdES(o)
	case "XAdES, enveloped":
		data, err = signed.XAdES([]byte(`<verklaring xmlns="urn:eidkit:test"><regel>Ik verklaar</regel></verklaring>`), signed.XML{Packaging: signed.Enveloped}, o)
	case "XAdES, enveloping":
		data, err = signed.XAdES([]byte(contentText), signed.XML{Packaging: signed.Enveloping}, o)
	case "XAdES, detached":
		data, err = signed.XAdES([]byte(contentText), signed.XML{Packaging: signed.Detached}, o)
	case "ASiC-E with XAdES":
		data, err = signed.ASiC(files, signed.ASiCE, o)
	case "ASiC-E with CAdES":
		data, err = signed.ASiC(files, signed.ASiCECAdES, o)
	}
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func augmented(t *testing.T, w *workshop, k *packaging, alg pki.Algorithm, foreign bool) {
	t.Helper()
	t.Run(fmt.Sprintf("%s/%v/foreign %v", k.name, alg, foreign), func(t *testing.T) {
		t.Parallel()
		var data []byte
		name := contentName
		if foreign {
			data, name = w.foreign(t, k, alg), "content"
		} else {
			o := w.options(alg, sign.B)
			k.options(&o)
			var err error
			if data, _, err = signFile(context.Background(), k.format, k.in(), w.software(alg, 0), o); err != nil {
				t.Fatal(err)
			}
		}
		for n, level := range []sign.Level{sign.T, sign.LT, sign.LTA, sign.LTA} {
			o := w.options(alg, level)
			if k.detached {
				o.Content = []sign.Source{source(name, "", []byte(contentText))}
			}
			var b bytes.Buffer
			if _, err := sign.Augment(context.Background(), &b, source("signed", "", data), o); err != nil {
				t.Fatalf("step %d, to %v: %v", n+1, level, err)
			}
			data = b.Bytes()
			w.judgeRaised(t, &made{kind: k, level: level, alg: alg, data: data, w: w, stamped: []int{1, 1, 2, 3}[n]}, name)
		}
	})
}

// judgeRaised is cell's judging for a file whose signature was raised: stamps by their number, and content by its name.
func (w *workshop) judgeRaised(t *testing.T, m *made, name string) {
	t.Helper()
	if m.kind.format == sign.FormatASiCE {
		m.unpack(t)
	}
	var beside []verify.Content
	if m.kind.detached {
		beside = append(beside, verify.Content{Name: name, Data: strings.NewReader(contentText), Size: int64(len(contentText))})
	}
	for _, offline := range []bool{false, true}[:1+min(1, int(m.level)/2)] {
		rep := w.judged(t, m.data, offline, beside...)
		if err := complaint(rep, 1); err != nil {
			t.Errorf("%v, offline %v: %v", m.level, offline, err)
		} else if rep.Signatures[0].Level != m.level.String() {
			t.Errorf("%v is called %s", m.level, rep.Signatures[0].Level)
		}
	}
	for _, j := range judges {
		// A PDF is raised to B-T by a document time stamp, of which pdfsig says the same as at B-LTA.
		if !slices.Contains([]string{"openssl cms", "openssl ts", "qpdf", "pdfsig", "unzip", "ASiC rules"}, j.name) || !j.of(m.kind, m.level) {
			continue
		}
		if err := j.says(t, m); err != nil {
			t.Errorf("%v: %s: %v", m.level, j.name, err)
		}
	}
}
