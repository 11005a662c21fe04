package sign_test

import (
	"bytes"
	"crypto"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/eidkit/eidkit/sign"
	"github.com/eidkit/eidkit/testcards/pki"
	"github.com/eidkit/eidkit/testcards/signed"
	"github.com/eidkit/eidkit/verify"
)

func (y way) asSources() []sign.Source {
	if !y.beside {
		return nil
	}
	return y.in()
}

// raised brings a file to a level and has it judged.
func raised(t *testing.T, w *workshop, file []byte, level sign.Level, beside []sign.Source) []byte {
	t.Helper()
	o := w.options(usual, level)
	o.Content = beside
	var out bytes.Buffer
	rep, err := sign.Augment(t.Context(), &out, source("verklaring", "", file), o)
	if err != nil {
		t.Fatalf("to %v: %v", level, err)
	}
	if rep.Level != level || rep.Bytes != int64(out.Len()) || !rep.Time.IsZero() {
		t.Errorf("%+v, %d bytes", rep, out.Len())
	}
	verdict := w.judged(t, out.Bytes(), level >= sign.LT, content(beside)...)
	if err := complaint(verdict, 1); err != nil {
		t.Fatalf("at %v: %v", level, err)
	}
	if verdict.Signatures[0].Level != level.String() {
		t.Errorf("it says to be %s, not %v", verdict.Signatures[0].Level, level)
	}
	return out.Bytes()
}

// testAugment: from level to level, and once more with a further archive time stamp.
func testAugment(t *testing.T, w *workshop) {
	t.Parallel()
	key := w.software(usual, 0)
	for _, y := range ways {
		t.Run(y.name, func(t *testing.T) {
			t.Parallel()
			file := y.must(t, key, y.options(w, sign.B))
			for _, level := range []sign.Level{sign.T, sign.LT, sign.LTA, sign.LTA} {
				file = raised(t, w, file, level, y.asSources())
			}
		})
	}
}

// testAugmentNothing: what has more than is asked for stays as it is, and the report says what is there.
func testAugmentNothing(t *testing.T, w *workshop) {
	t.Parallel()
	first, second := w.software(usual, 0), w.software(usual, 1)
	for _, y := range brief {
		t.Run(y.name, func(t *testing.T) {
			t.Parallel()
			file := y.must(t, first, y.options(w, sign.LTA))
			var same, more, mixed bytes.Buffer
			rep, err := sign.Augment(t.Context(), &same, source("verklaring", "", file), w.options(usual, sign.LT))
			if err != nil || rep.Level != sign.LTA || !rep.Stamped.IsZero() || rep.TSA != "" || !slices.Equal(codes(rep), []string{"NOTHING_TO_RAISE"}) || !bytes.Equal(same.Bytes(), file) {
				t.Fatalf("%+v, %v, %d bytes of %d", rep, err, same.Len(), len(file))
			}
			if y.format != sign.FormatCAdES && y.format != sign.FormatASiCE {
				return // PDF: what comes later is not covered; XML: the signature would be over the whole
			}
			o := w.options(usual, sign.B)
			o.Add = true
			if y.format == sign.FormatCAdES {
				_, err = sign.CAdES(t.Context(), &more, source("verklaring", "", file), second, o)
			} else {
				_, err = sign.ASiCE(t.Context(), &more, []sign.Source{source("verklaring", "", file)}, second, o)
			}
			if err != nil {
				t.Fatal(err)
			}
			rep, err = sign.Augment(t.Context(), &mixed, source("verklaring", "", more.Bytes()), w.options(usual, sign.T))
			if err != nil || rep.Level != sign.T || rep.Stamped.IsZero() || len(codes(rep)) > 0 {
				t.Errorf("one of two: %+v, %v", rep, err)
			}
		})
	}
}

// testAugmentOthers: what another maker made, at once to the highest level.
func testAugmentOthers(t *testing.T, w *workshop) {
	t.Parallel()
	p := w.net.Of(usual)
	o := signed.Options{PKI: p, Signer: w.citizen(usual, 0), At: time.Now().Add(-time.Hour)}
	for name, make := range map[string]func() ([]byte, error){
		"CAdES": func() ([]byte, error) { return signed.CAdES([]byte("inhoud"), false, o) },
		"XAdES": func() ([]byte, error) { return signed.XAdES([]byte("<a>inhoud</a>"), signed.XML{}, o) },
		"PAdES": func() ([]byte, error) { return signed.PAdES(o) },
		"ASiC-E": func() ([]byte, error) {
			return signed.ASiC([]signed.File{{Name: "a.txt", Data: []byte("inhoud")}}, signed.ASiCE, o)
		},
		"ASiC-E with CAdES": func() ([]byte, error) {
			return signed.ASiC([]signed.File{{Name: "a.txt", Data: []byte("inhoud")}}, signed.ASiCECAdES, o)
		},
	} {
		t.Run(name, func(t *testing.T) {
			file, err := make()
			if err != nil {
				t.Fatal(err)
			}
			raised(t, w, file, sign.LTA, nil)
		})
	}
}

// testFurther: signatures beside those that are there, which stay valid.
func testFurther(t *testing.T, w *workshop) {
	t.Parallel()
	first, second := w.software(usual, 0), w.software(usual, 1)
	for _, y := range ways {
		if y.format == sign.FormatXAdES && y.name != "XAdES enveloped" {
			continue
		}
		file := y.must(t, first, y.options(w, sign.LT))
		o := w.options(usual, sign.LT)
		o.CMS = y.name == "ASiC-E with CAdES"
		o.Add = y.format == sign.FormatCAdES || y.format == sign.FormatASiCE
		if o.Add {
			o.Content = y.asSources()
		}
		again := way{name: y.name, format: y.format, in: func() []sign.Source { return []sign.Source{source("verklaring", "", file)} }}
		if err := complaint(w.judged(t, again.must(t, second, o), true, y.content()...), 2); err != nil {
			t.Errorf("%s: %v", y.name, err)
		}
	}
}

// testCountersign: a signature over a signature, in CMS and XML.
func testCountersign(t *testing.T, w *workshop) {
	t.Parallel()
	first, second := w.software(usual, 0), w.software(usual, 1)
	for _, y := range ways {
		var out bytes.Buffer
		file := y.must(t, first, y.options(w, sign.B))
		id := w.judged(t, file, true, y.content()...).Signatures[0].ID
		o := w.options(usual, sign.T)
		o.Content = y.asSources()
		rep, err := sign.Countersign(t.Context(), &out, source("verklaring", "", file), id, second, o)
		if y.format == sign.FormatPAdES || y.format == sign.FormatASiCE {
			if !errors.Is(err, sign.ErrUnsuitable) {
				t.Errorf("%s: %v", y.name, err)
			}
			continue
		}
		if err != nil {
			t.Fatalf("%s: %v", y.name, err)
		}
		verdict := w.judged(t, out.Bytes(), false, y.content()...)
		if err := complaint(verdict, 1); err != nil {
			t.Fatalf("%s: %v", y.name, err)
		}
		list := verdict.Signatures[0].CounterSignatures
		if len(list) != 1 || list[0].Indication != verify.TotalPassed || list[0].Level != "B-T" || list[0].ID != rep.ID {
			t.Errorf("%s: %+v, the report says %+v", y.name, list, rep)
		}
		if _, err := sign.Countersign(t.Context(), &counter{}, source("verklaring", "", file), "geen", second, o); err == nil {
			t.Errorf("%s: a signature that is not there was signed", y.name)
		}
	}
}

// testTimestamp: a token over a file, and a PDF with a document time stamp.
func testTimestamp(t *testing.T, w *workshop) {
	t.Parallel()
	for _, alg := range []pki.Algorithm{pki.EC, pki.RSA} {
		o := w.options(alg, sign.B)
		o.Hash = crypto.SHA512
		var token, pdf bytes.Buffer
		rep, err := sign.Timestamp(t.Context(), &token, sign.FormatCAdES, aText()[0], o)
		if err != nil || rep.TSA != o.TSAs[0].URL || time.Since(rep.Stamped) > time.Hour || rep.Bytes != int64(token.Len()) || len(rep.Warnings) > 0 {
			t.Fatalf("%+v, %v", rep, err)
		}
		verdict := w.judged(t, token.Bytes(), false, content(aText())...)
		if err := complaint(verdict, 1); err != nil || verdict.Signatures[0].Format != "TimestampToken" {
			t.Error(err)
		}
		if _, err = sign.Timestamp(t.Context(), &pdf, sign.FormatPAdES, aPDF()[0], o); err != nil {
			t.Fatal(err)
		}
		verdict = w.judged(t, pdf.Bytes(), false)
		if err := complaint(verdict, 1); err != nil || verdict.Signatures[0].Format != "DocTimestamp" {
			t.Error(err)
		}
	}
	for _, f := range []sign.Format{sign.FormatXAdES, sign.FormatASiCE, ""} {
		if _, err := sign.Timestamp(t.Context(), &counter{}, f, aText()[0], w.options(usual, sign.B)); !errors.Is(err, sign.ErrOptions) {
			t.Errorf("%q: %v", f, err)
		}
	}
	o := w.options(usual, sign.B)
	o.TSAs = nil
	if _, err := sign.Timestamp(t.Context(), &counter{}, sign.FormatCAdES, aText()[0], o); !errors.Is(err, sign.ErrNoTSA) {
		t.Errorf("no authority: %v", err)
	}
}

// testNotForThat: files that carry no signatures, or none of that kind.
func testNotForThat(t *testing.T, w *workshop) {
	t.Parallel()
	o := w.options(usual, sign.T)
	for name, in := range map[string]sign.Source{"text": aText()[0], "empty": source("leeg", "", nil), "unsigned PDF": aPDF()[0], "unsigned XML": anXML()[0]} {
		var out counter
		if _, err := sign.Augment(t.Context(), &out, in, o); err == nil || out.n > 0 {
			t.Errorf("%s: raised, %v", name, err)
		}
		if _, err := sign.Countersign(t.Context(), &out, in, "signer-1", w.software(usual, 0), o); err == nil || out.n > 0 {
			t.Errorf("%s: counter-signed, %v", name, err)
		}
	}
	if _, err := sign.Augment(t.Context(), &counter{}, sign.Source{}, o); !errors.Is(err, sign.ErrOptions) {
		t.Errorf("no data: %v", err)
	}
}
