package sign_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"io"
	"net/netip"
	"testing"
	"time"

	"github.com/eidkit/eidkit/internal/pdf/pdftest"
	"github.com/eidkit/eidkit/sign"
	"github.com/eidkit/eidkit/testcards/pki"
	"github.com/eidkit/eidkit/verify"
)

// way is a way to sign: a format with a packaging.
type way struct {
	name   string
	format sign.Format
	set    func(*sign.Options)
	in     func() []sign.Source
	beside bool // the content is not in the file
}

func aText() []sign.Source {
	return []sign.Source{source("verklaring.txt", "text/plain", []byte("Ik verklaar dat dit een proef is.\n"))}
}

func anXML() []sign.Source {
	return []sign.Source{source("verklaring.xml", "", []byte("<?xml version=\"1.0\"?>\n<verklaring Id=\"v\">\n <tekst>één proef</tekst>\n</verklaring>\n"))}
}

func aPDF() []sign.Source {
	return []sign.Source{source("verklaring.pdf", "", pdftest.New(pdftest.Catalog, pdftest.Contract()).Bytes())}
}

func someFiles() []sign.Source {
	return append(aText(), source("beeld.bin", "", []byte{1, 2, 3}))
}

// ways are all of them.
var ways = []way{
	{"CAdES", sign.FormatCAdES, nil, aText, false},
	{"CAdES detached", sign.FormatCAdES, func(o *sign.Options) { o.Packaging = sign.Detached }, aText, true},
	{"PAdES", sign.FormatPAdES, nil, aPDF, false},
	{"XAdES enveloped", sign.FormatXAdES, nil, anXML, false},
	{"XAdES enveloping", sign.FormatXAdES, nil, aText, false},
	{"XAdES detached", sign.FormatXAdES, func(o *sign.Options) { o.Packaging = sign.Detached }, someFiles, true},
	{"ASiC-E", sign.FormatASiCE, nil, someFiles, false},
	{"ASiC-E with CAdES", sign.FormatASiCE, func(o *sign.Options) { o.CMS = true }, someFiles, false},
}

// brief is one way of each maker.
var brief = []way{ways[0], ways[2], ways[3], ways[6], ways[7]}

// usual is the kind of the keys where it does not matter: checking RSA takes the least time.
const usual = pki.RSA

// options are those of a workshop for the way.
func (y way) options(w *workshop, level sign.Level) sign.Options {
	o := w.options(usual, level)
	if y.set != nil {
		y.set(&o)
	}
	return o
}

// sign is one signature of this way.
func (y way) sign(ctx context.Context, out io.Writer, key sign.Key, o sign.Options) (*sign.Report, error) {
	switch in := y.in(); y.format {
	case sign.FormatCAdES:
		return sign.CAdES(ctx, out, in[0], key, o)
	case sign.FormatPAdES:
		return sign.PAdES(ctx, out, in[0], key, o)
	case sign.FormatXAdES:
		return sign.XAdES(ctx, out, in, key, o)
	default:
		return sign.ASiCE(ctx, out, in, key, o)
	}
}

// must is the same where it has to be good.
func (y way) must(t testing.TB, key sign.Key, o sign.Options) []byte {
	t.Helper()
	var out bytes.Buffer
	rep, err := y.sign(t.Context(), &out, key, o)
	if err != nil {
		t.Fatal(err)
	}
	if rep.Format != y.format || rep.Level != o.Level || rep.ID == "" || rep.Bytes != int64(out.Len()) || rep.Time.IsZero() || rep.Stamped.IsZero() == (o.Level > sign.B) {
		t.Errorf("%+v, %d bytes", rep, out.Len())
	}
	return out.Bytes()
}

// content is what verify needs to know of sources that are not in the file.
func content(list []sign.Source) []verify.Content {
	var out []verify.Content
	for _, s := range list {
		out = append(out, verify.Content{Name: s.Name, Data: s.Data, Size: s.Size})
	}
	return out
}

func (y way) content() []verify.Content {
	if !y.beside {
		return nil
	}
	return content(y.in())
}

// hurried is a Verifier that does not wait long, for services that say nothing.
func hurried(t testing.TB, limit time.Duration) *verify.Verifier {
	v := &verify.Verifier{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, Timeout: limit}
	t.Cleanup(func() { v.Close() })
	return v
}

// counter counts what is written; it is where a file would go.
type counter struct{ n int }

func (c *counter) Write(p []byte) (int, error) {
	c.n += len(p)
	return len(p), nil
}

// watched is a key that counts how often it is used, and may do it wrongly.
type watched struct {
	software
	uses  int
	spoil func(digest []byte, opts crypto.SignerOpts) ([]byte, error)
	named *x509.Certificate
}

func (k *watched) Sign(r io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	k.uses++
	if k.spoil != nil {
		return k.spoil(digest, opts)
	}
	return k.software.Sign(r, digest, opts)
}

func (k *watched) Certificate() *x509.Certificate {
	if k.named != nil {
		return k.named
	}
	return k.certificate
}

var errCard = errors.New("the card was removed")

// codes are those of warnings.
func codes(rep *sign.Report) (list []string) {
	for _, w := range rep.Warnings {
		list = append(list, w.Code)
	}
	return list
}

// TestSign runs what can share the services and the keys, which take longer to make than the signatures.
func TestSign(t *testing.T) {
	t.Parallel()
	w := newWorkshop(t)
	for _, tt := range []struct {
		name string
		run  func(*testing.T, *workshop)
	}{
		{"Levels", testLevels},
		{"TwoSteps", testTwoSteps},
		{"Algorithms", testAlgorithms},
		{"SignerOpts", testSignerOpts},
		{"Large", testLarge},
		{"Visible", testVisible},
		{"ContentTimestamp", testContentTimestamp},
		{"Close", testClose},
		{"Chain", testChain},
		{"Augment", testAugment},
		{"AugmentNothing", testAugmentNothing},
		{"AugmentOthers", testAugmentOthers},
		{"Further", testFurther},
		{"Countersign", testCountersign},
		{"Timestamp", testTimestamp},
		{"NotForThat", testNotForThat},
		{"Batch", testBatch},
		{"Cancelled", testCancelled},
		{"OnceMore", testOnceMore},
		{"OtherAuthority", testOtherAuthority},
		{"SecretAddress", testSecretAddress},
		{"LargeToken", testLargeToken},
	} {
		t.Run(tt.name, func(t *testing.T) { tt.run(t, w) })
	}
}
