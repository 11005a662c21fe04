package ades_test

import (
	"bytes"
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/ades/cades"
	"github.com/eidkit/eidkit/internal/ades/container"
	"github.com/eidkit/eidkit/internal/ades/pades"
	"github.com/eidkit/eidkit/internal/ades/xades"
	"github.com/eidkit/eidkit/testcards/pki"
	"github.com/eidkit/eidkit/testcards/signed"
)

const statement = `<statement xmlns="urn:eidkit:test" xmlns:x="urn:eidkit:test:more" x:y="2"><line n="1">Ik verklaar</line></statement>`

var text = []byte("Ik verklaar dat dit een proef is.\n")

type reader func(context.Context, ades.Input) ([]*ades.Signature, error)

// made is a way to sign and the reader of what comes out.
type made struct {
	name     string
	sign     func(signed.Options) ([]byte, error)
	read     reader
	detached []byte
}

func ways() []made {
	xml := func(name string, x signed.XML, data string) made {
		m := made{name: name, sign: func(o signed.Options) ([]byte, error) { return signed.XAdES([]byte(data), x, o) }, read: xades.Read}
		if x.Packaging == signed.Detached {
			m.detached = []byte(data)
		}
		return m
	}
	files := []signed.File{{Name: "één.txt", Data: text}, {Name: "b/twee.txt", Data: text}}
	box := func(name string, form signed.ContainerForm, n int) made {
		return made{name: name, sign: func(o signed.Options) ([]byte, error) { return signed.ASiC(files[:n], form, o) }, read: container.Read}
	}
	pdf := func(name string, p signed.PDFOptions, f signed.Field) made {
		return made{name: name, read: pades.Read, sign: func(o signed.Options) ([]byte, error) {
			doc := signed.NewPDF(p)
			if err := doc.Sign(o, f); err != nil {
				return nil, err
			}
			return doc.Bytes(), nil
		}}
	}
	return []made{
		{name: "CAdES attached", sign: func(o signed.Options) ([]byte, error) { return signed.CAdES(text, false, o) }, read: cades.Read},
		{name: "CAdES detached", sign: func(o signed.Options) ([]byte, error) { return signed.CAdES(text, true, o) }, read: cades.Read, detached: text},
		pdf("PAdES", signed.PDFOptions{}, signed.Field{}),
		pdf("PAdES with cross-reference streams", signed.PDFOptions{XRefStreams: true, Pages: []string{"a", "b"}}, signed.Field{Page: 2, Rect: [4]int{10, 10, 90, 60}}),
		pdf("PAdES certified", signed.PDFOptions{}, signed.Field{Certify: 1}),
		xml("XAdES enveloped", signed.XML{}, statement),
		xml("XAdES enveloped, inclusive", signed.XML{Inclusive: true}, statement),
		xml("XAdES enveloped, XPath", signed.XML{Packaging: signed.EnvelopedXPath}, statement),
		xml("XAdES enveloping", signed.XML{Packaging: signed.Enveloping}, statement),
		xml("XAdES enveloping, inclusive", signed.XML{Packaging: signed.Enveloping, Inclusive: true}, statement),
		xml("XAdES enveloping, base64", signed.XML{Packaging: signed.Enveloping}, "text"),
		xml("XAdES detached", signed.XML{Packaging: signed.Detached}, "text"),
		box("ASiC-E XAdES", signed.ASiCE, 2),
		box("ASiC-S XAdES", signed.ASiCS, 1),
		box("ASiC-E CAdES", signed.ASiCECAdES, 2),
		box("ASiC-S CAdES", signed.ASiCSCAdES, 1),
	}
}

// Whatever testcards/signed makes, openssl, xmlsec1 and pdfsig having judged
// it, the readers find whole: every reference and time stamp fits, the level is
// the one that was asked for, and nothing is odd.
func TestMade(t *testing.T) {
	t.Parallel()
	for _, alg := range []pki.Algorithm{pki.EC, pki.RSA} {
		p, err := pki.New(pki.Options{Algorithm: alg})
		if err != nil {
			t.Fatal(err)
		}
		signer, err := signed.Citizen(p, pki.Request{})
		if err != nil {
			t.Fatal(err)
		}
		at := time.Date(2025, 6, 1, 12, 0, 0, 0, time.UTC)
		for _, level := range []signed.Level{signed.B, signed.T, signed.LT, signed.LTA} {
			for _, m := range ways() {
				o := signed.Options{PKI: p, Signer: signer, At: at, Level: level}
				if level == signed.LTA {
					o.Archive = []signed.Stamp{{At: at.AddDate(1, 0, 0)}, {At: at.AddDate(2, 0, 0)}}
				}
				raw, err := m.sign(o)
				if err != nil {
					t.Fatal(err)
				}
				in := ades.Input{File: ades.File{Name: "f", Data: bytes.NewReader(raw), Size: int64(len(raw))}}
				if m.detached != nil {
					in.Detached = []ades.Content{{File: ades.File{Name: "content", Data: bytes.NewReader(m.detached), Size: int64(len(m.detached))}}}
				}
				list, err := m.read(context.Background(), in)
				if err != nil {
					t.Errorf("%v %v %s: %v", alg, level, m.name, err)
					continue
				}
				for _, s := range list {
					judge(t, fmt.Sprint(alg, " ", level, " ", m.name, " ", s.ID), s)
				}
				if list[0].Level != level.String() {
					t.Errorf("%v %v %s: read as %q", alg, level, m.name, list[0].Level)
				}
			}
		}
	}
}

func judge(t *testing.T, what string, s *ades.Signature) {
	t.Helper()
	for _, f := range s.Findings {
		t.Errorf("%s: %+v", what, f)
	}
	if s.AlgorithmError != nil || s.Digest == nil || s.Signer == nil || s.Algorithm.Verify(s.Signer.PublicKey, s.Digest, s.Value) != nil {
		t.Errorf("%s: algorithm %v %v, digest %x, signer %v", what, s.Algorithm, s.AlgorithmError, s.Digest, s.Signer != nil)
	}
	for _, r := range s.References {
		if !r.Found || !r.Intact {
			t.Errorf("%s: reference %s %q: found %v, intact %v", what, r.Kind, r.URI, r.Found, r.Intact)
		}
	}
	for _, ts := range s.Timestamps {
		if !ts.Found || !ts.Intact || len(ts.Findings) > 0 || len(ts.Covers) == 0 {
			t.Errorf("%s: %s time stamp of %v: found %v, intact %v, covers %d, %v", what, ts.Kind, ts.GenTime, ts.Found, ts.Intact, len(ts.Covers), ts.Findings)
		}
		if ts.Token != nil {
			judge(t, what+" "+ts.ID, ts.Token)
		}
	}
}
