package xades_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/ades/xades"
	"github.com/eidkit/eidkit/internal/xmldsig"
	"github.com/eidkit/eidkit/testcards/pki"
	"github.com/eidkit/eidkit/testcards/signed"
)

// insertion wants out to be in with something put in at one or more places, and nothing taken away.
func insertion(t *testing.T, what string, in, out []byte) {
	t.Helper()
	for at := 0; len(in) > 0; {
		same := 0
		for same < len(in) && at+same < len(out) && in[same] == out[at+same] {
			same++
		}
		in, at = in[same:], at+same
		if len(in) == 0 {
			return
		}
		if bytes.HasPrefix(in, []byte("/>")) && out[at] == '>' { // an empty element was opened
			in = in[2:]
		}
		next := bytes.Index(out[at:], in[:min(len(in), 60)])
		if next < 0 {
			t.Errorf("%s: %q is gone", what, in[:min(len(in), 60)])
			return
		}
		at += next
	}
}

// TestRaise raises step by step, and at the highest level again and again.
func TestRaise(t *testing.T) {
	t.Parallel()
	m := newMaker(t, pki.RSA, false)
	for _, w := range ways() {
		now := signingTime
		doc := m.sign(t, w.bytes(), w.files, w.o, nil)
		for _, level := range []ades.Level{ades.LevelB, ades.LevelT, ades.LevelT, ades.LevelLT, ades.LevelLT, ades.LevelLTA, ades.LevelLTA} {
			now = now.AddDate(0, 0, 1)
			before := doc
			out, err := xades.Raise(t.Context(), doc, xades.Detached(w.files), *m.raising(level, now))
			if err != nil {
				t.Fatalf("%s to %v: %v", w.name, level, err)
			}
			insertion(t, w.name, before, out)
			m.judge(t, w.name, out, w.files, now.Add(time.Minute), level, 1)
			doc = out
		}
		// Each raising finds newer answers.
		for name, want := range map[string]int{"<xades:SignatureTimeStamp": 1, "<xades141:ArchiveTimeStamp": 2, "<xades141:TimeStampValidationData": 4, "<xades:UnsignedSignatureProperties": 1} {
			if got := bytes.Count(doc, []byte(name)); got != want {
				t.Errorf("%s: %d of %s, want %d", w.name, got, name, want)
			}
		}
		same, err := xades.Raise(t.Context(), doc, xades.Detached(w.files), *m.raising(ades.LevelT, now))
		if err != nil || !bytes.Equal(same, doc) {
			t.Errorf("%s: what has the level already was changed: %v", w.name, err)
		}
	}
}

// TestRaiseOthers raises what the independent maker made, in every form.
func TestRaiseOthers(t *testing.T) {
	t.Parallel()
	m := newMaker(t, pki.RSA, false)
	for _, x := range []signed.XML{{}, {Inclusive: true}, {Packaging: signed.EnvelopedXPath}, {Packaging: signed.Enveloping}} {
		for from := signed.B; from <= signed.LTA; from++ {
			doc, err := signed.XAdES([]byte("<a>Ik verklaar</a>"), x, signed.Options{PKI: m.pki, Signer: m.who, At: signingTime, Level: from, RevocationAt: signingTime.Add(2 * time.Minute)})
			if err != nil {
				t.Fatal(err)
			}
			now := signingTime.AddDate(0, 0, 5)
			for to := ades.LevelB; to <= ades.LevelLTA; to++ {
				out, err := xades.Raise(t.Context(), doc, nil, *m.raising(to, now))
				if err != nil {
					t.Fatalf("from %v to %v: %v", from, to, err)
				}
				insertion(t, "", doc, out)
				m.judge(t, from.String()+" to "+to.String(), out, nil, now.Add(time.Hour), max(to, ades.Level(from)), 1)
			}
		}
	}
}

// TestRaiseShared raises the files of another maker as far as they go.
func TestRaiseShared(t *testing.T) {
	t.Parallel()
	m := newMaker(t, pki.RSA, false)
	for _, c := range []struct {
		name string
		want error
	}{
		{"xades-lta-valid.xml", nil}, {"xades-counter-signature-no-type.xml", nil}, {"xmldsig-only.xml", ades.ErrUnsuitable},
		{"dss-signed-altered-refRemoved.xml", ades.ErrBroken}, {"xades-with-dtd-injection.xml", ades.ErrUnsuitable}, {"broken-dom.xml", ades.ErrUnsuitable},
		{"xsw/XSW-enveloped-fake-signedProperties.xml", ades.ErrBroken}, {"xsw/disable-checks.xml", ades.ErrBroken}, {"xades-wrong-sign-cert-digest.xml", ades.ErrBroken},
	} {
		root := filepath.Join("..", "..", "..", "..", "shared", "data", "signatures", "xades")
		if _, err := os.Stat(root); err != nil {
			t.Skipf("the data of shared/data/signatures are not here: %v", err)
		}
		doc, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(c.name)))
		if err != nil {
			t.Fatal(err)
		}
		r := m.raising(ades.LevelLT, signingTime)
		r.Evidence = func(context.Context, []ades.Need, []*x509.Certificate, ades.Values) (ades.Values, error) {
			return ades.Values{Certificates: [][]byte{m.pki.Root.Certificate.Raw}, OCSPs: [][]byte{{0x30, 0x00}}}, nil
		}
		out, err := xades.Raise(t.Context(), doc, nil, *r)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
			continue
		}
		if _, err := xades.Prepare(t.Context(), m.making, doc, nil, xades.MakeOptions{}); errors.Is(c.want, ades.ErrBroken) != errors.Is(err, ades.ErrBroken) && !errors.Is(err, ades.ErrUnsuitable) {
			t.Errorf("%s: signed beside: %v, raised: %v", c.name, err, c.want)
		}
		if err != nil {
			continue
		}
		insertion(t, c.name, doc, out)
		list, err := xades.ReadDocument(t.Context(), out, nil, xades.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if s := list[0]; len(s.OCSPs) == 0 && s.Level != "B-LTA" || s.Level != "B-LT" && s.Level != "B-LTA" {
			t.Errorf("%s: level %s after raising", c.name, s.Level)
		}
	}
}

// TestRaiseOddForms raises signatures that have other prefixes, no unsigned properties or empty ones, and no Id where one is handy.
func TestRaiseOddForms(t *testing.T) {
	t.Parallel()
	m := newMaker(t, pki.RSA, false)
	plain := string(m.sign(t, nil, []ades.Content{file("a", "x")}, xades.MakeOptions{Packaging: xades.PackEnveloping}, nil))
	own := string(m.sign(t, nil, []ades.Content{file("a", "x")}, xades.MakeOptions{Packaging: xades.PackEnveloping}, m.raising(ades.LevelT, signingTime)))
	const end = "</xades:QualifyingProperties>"
	for name, doc := range map[string]string{
		"as made":                          plain,
		"an empty UnsignedProperties":      strings.Replace(plain, end, "<xades:UnsignedProperties/>"+end, 1),
		"an empty UnsignedProperties, end": strings.Replace(plain, end, "<xades:UnsignedProperties>\n</xades:UnsignedProperties>"+end, 1),
		"an empty list":                    strings.Replace(plain, end, "<xades:UnsignedProperties><xades:UnsignedSignatureProperties/></xades:UnsignedProperties>"+end, 1),
		"another prefix":                   strings.Replace(plain, end, `<q:UnsignedProperties xmlns:q="http://uri.etsi.org/01903/v1.3.2#" xmlns:xades="urn:other" xmlns:ds="urn:x"><q:UnsignedSignatureProperties></q:UnsignedSignatureProperties></q:UnsignedProperties>`+end, 1),
		"data object properties alone":     strings.Replace(plain, end, "<xades:UnsignedProperties> <xades:UnsignedDataObjectProperties/></xades:UnsignedProperties>"+end, 1),
		"no Id of the value":               strings.Replace(plain, `SignatureValue Id="`, `SignatureValue n="`, 1),
		"the Id that would be chosen":      strings.Replace(own, "SignatureTimeStamp Id=", "SignatureTimeStamp n=", 1),
	} {
		out, err := xades.Raise(t.Context(), []byte(doc), nil, *m.raising(ades.LevelLTA, signingTime.Add(time.Hour)))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		insertion(t, name, []byte(doc), out)
		m.judge(t, name, out, nil, signingTime.Add(2*time.Hour), ades.LevelLTA, 1)
	}
}

// TestNotRaised lists what is refused, and that a wrong answer is not put in.
func TestNotRaised(t *testing.T) {
	t.Parallel()
	m := newMaker(t, pki.RSA, false)
	now := signingTime.Add(time.Minute)
	good := string(m.sign(t, []byte(invoice), nil, xades.MakeOptions{}, nil))
	detached := m.sign(t, nil, []ades.Content{file("a", "x")}, xades.MakeOptions{Packaging: xades.PackDetached}, nil)
	old := strings.ReplaceAll(good, "v1.3.2#", "v1.2.2#")
	for _, c := range []struct {
		name, doc string
		r         *ades.Raising
		want      error
		says      string
	}{
		{"no XML", "text", m.raising(ades.LevelT, now), ades.ErrUnsuitable, "no XML"},
		{"a DOCTYPE", "<!DOCTYPE a><a/>", m.raising(ades.LevelT, now), ades.ErrUnsuitable, "DOCTYPE"},
		{"no signature", "<a/>", m.raising(ades.LevelT, now), ades.ErrNoSignature, ""},
		{"content changed", strings.Replace(good, "uro", "urO", 1), m.raising(ades.LevelT, now), ades.ErrBroken, "changed"},
		{"value changed", strings.Replace(good, `-value">`, `-value">AAAA`, 1), m.raising(ades.LevelT, now), ades.ErrBroken, "value"},
		{"an old version", old, m.raising(ades.LevelT, now), ades.ErrUnsuitable, "1.2.2"},
		{"another signature", good, &ades.Raising{Level: ades.LevelT, IDs: []string{"no"}}, ades.ErrUnsuitable, `"no"`},
		{"nobody to ask", good, &ades.Raising{Level: ades.LevelT}, errors.ErrUnsupported, ""},
		{"files missing for an archive time stamp", string(detached), m.raising(ades.LevelLTA, now), ades.ErrUnsuitable, "not all here"},
	} {
		out, err := xades.Raise(t.Context(), []byte(c.doc), nil, *c.r)
		if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) || len(out) > 0 {
			t.Errorf("%s: %v, want %v; %d bytes", c.name, err, c.want, len(out))
		}
	}
	wrong := m.raising(ades.LevelT, now)
	stamp := wrong.Stamp
	wrong.Stamp = func(ctx context.Context, h crypto.Hash, digest []byte) ([]byte, error) {
		return stamp(ctx, h, append([]byte{digest[0] ^ 1}, digest[1:]...))
	}
	if out, err := xades.Raise(t.Context(), []byte(good), nil, *wrong); !errors.Is(err, ades.ErrValue) || out != nil {
		t.Errorf("a time stamp over something else: %v", err)
	}
	down := errors.New("down")
	wrong.Stamp = func(context.Context, crypto.Hash, []byte) ([]byte, error) { return nil, down }
	if out, err := xades.Raise(t.Context(), []byte(good), nil, *wrong); !errors.Is(err, down) || out != nil {
		t.Errorf("a service that is down: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := xades.Raise(ctx, []byte(good), nil, *m.raising(ades.LevelT, now)); !errors.Is(err, context.Canceled) {
		t.Errorf("ended: %v", err)
	}
}

// TestEvidencePlaces looks at where evidence goes: the signer's into its own properties, the time stamp's beside it.
func TestEvidencePlaces(t *testing.T) {
	t.Parallel()
	m := newMaker(t, pki.RSA, false)
	doc := m.sign(t, []byte(invoice), nil, xades.MakeOptions{}, m.raising(ades.LevelLTA, signingTime.Add(time.Minute)))
	d, err := xmldsig.Parse(doc, xmldsig.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for n := range d.Root().Descendants() {
		if n.Local() != "UnsignedSignatureProperties" {
			continue
		}
		for p := range n.Elements() {
			names = append(names, p.Local())
			data := p.Text()
			authority := strings.Contains(data, base64.StdEncoding.EncodeToString(m.pki.TimestampCA.Certificate.Raw)) || p.Local() == "SignatureTimeStamp" || p.Local() == "ArchiveTimeStamp"
			if (p.Local() == "CertificateValues" || p.Local() == "RevocationValues") && authority {
				t.Errorf("%s has what belongs to the time stamp", p.Local())
			}
			if p.Local() == "TimeStampValidationData" {
				if of, err := d.ByID(strings.TrimPrefix(p.Get("URI"), "#")); err != nil || of.Local() != "SignatureTimeStamp" {
					t.Errorf("TimeStampValidationData of %q", p.Get("URI"))
				}
			}
		}
	}
	if got := strings.Join(names, " "); got != "SignatureTimeStamp TimeStampValidationData CertificateValues RevocationValues ArchiveTimeStamp" {
		t.Errorf("properties in order: %s", got)
	}
}

// FuzzRaise raises and counter-signs anything, with time stamps that never fit: nothing is to come out, and nothing to break.
func FuzzRaise(f *testing.F) {
	m := newMaker(f, pki.RSA, false)
	for _, w := range ways() {
		f.Add(m.sign(f, w.bytes(), w.files, w.o, nil))
	}
	lta := m.sign(f, []byte(invoice), nil, xades.MakeOptions{}, m.raising(ades.LevelLTA, signingTime))
	f.Add(lta)
	f.Add(bytes.ReplaceAll(lta, []byte("xades:"), []byte("x:")))
	r := ades.Raising{Level: ades.LevelLTA,
		Stamp: func(context.Context, crypto.Hash, []byte) ([]byte, error) { return []byte{0x30, 0}, nil },
		Evidence: func(context.Context, []ades.Need, []*x509.Certificate, ades.Values) (ades.Values, error) {
			return ades.Values{Certificates: [][]byte{{0x30, 1}}, CRLs: [][]byte{{0x30, 2}}, OCSPs: [][]byte{{0x30, 3}}}, nil
		}}
	f.Fuzz(func(t *testing.T, doc []byte) {
		if len(doc) > 1<<17 {
			return
		}
		if out, err := xades.Raise(t.Context(), doc, nil, r); err == nil {
			t.Fatalf("raised by time stamps that do not fit: %q", out)
		}
		list, err := xades.ReadDocument(t.Context(), doc, nil, xades.Options{})
		if err != nil {
			return
		}
		d, err := xades.PrepareCountersignature(t.Context(), doc, list[0].ID, m.making)
		if err != nil {
			return
		}
		insertion(t, "counter-signed", doc, m.finish(t, d, nil))
	})
}
