package container_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/ades/container"
	"github.com/eidkit/eidkit/internal/asic"
	"github.com/eidkit/eidkit/testcards/libreoffice"
	"github.com/eidkit/eidkit/testcards/pki"
	"github.com/eidkit/eidkit/testcards/signed"
	"github.com/eidkit/eidkit/verify"
)

// Containers of our own and of another maker are raised from every level to the next, and to the highest.
func TestRaise(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pki.RSA)
	files := []signed.File{{Name: "één.txt", Data: []byte("a")}, {Name: "map/2.txt", Data: []byte("b")}}
	for _, from := range []int{0, 2, 3} {
		made := map[string][]byte{}
		for _, form := range forms {
			made["own "+form.name] = w.sign(levels[from], form.cms, statements...)
		}
		for name, form := range map[string]signed.ContainerForm{"ASiC-E XAdES": signed.ASiCE, "ASiC-E CAdES": signed.ASiCECAdES, "ASiC-S XAdES": signed.ASiCS, "ASiC-S CAdES": signed.ASiCSCAdES} {
			n := 2
			if form >= signed.ASiCS {
				n = 1
			}
			o := signed.Options{PKI: w.pki, Signer: w.who, At: time.Now().Add(-time.Hour), Level: signed.Level(from)}
			raw, err := signed.ASiC(files[:n], form, o)
			if err != nil {
				t.Fatal(err)
			}
			made[name] = raw
		}
		for name, raw := range made {
			next := levels[min(from+1, len(levels)-1)]
			for _, to := range slices.Compact([]ades.Level{next, ades.LevelLTA}) {
				what := fmt.Sprintf("%s %s to %s", name, levels[from], to)
				raised := w.raise(raw, w.raising(to))
				w.passed(what, raised, to, 1)
				kept(t, what, raw, raised)
				if again := w.raise(raised, w.raising(to)); bytes.Equal(raised, again) != (to < ades.LevelLTA) {
					t.Errorf("%s: raised again: the same is %t", what, bytes.Equal(raised, again))
				}
			}
		}
	}
}

// kept checks that the signed files and the order of what was there are as before, and that others' programs can read the container.
func kept(t *testing.T, what string, before, after []byte) {
	t.Helper()
	old, now := entries(t, before), entries(t, after)
	for i, f := range old {
		switch role := (&asic.Entry{Name: f.name}).Role(); {
		case role == asic.ArchiveManifest:
			if !slices.ContainsFunc(now, func(n file) bool { return n.body == f.body }) {
				t.Errorf("%s: %q is not there any more", what, f.name)
			}
		case f.name != now[i].name, role != asic.SignatureXML && role != asic.SignatureCMS && role != asic.Timestamp && f.body != now[i].body:
			t.Errorf("%s: %q has changed", what, f.name)
		}
	}
	if strings.HasPrefix(what, "own") {
		unzipped(t, after)
	}
}

// Archive time stamps follow each other: the newest manifest has no number, the others keep their bytes, and each token holds what shows that it was good.
func TestRaiseAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pki.EC)
	w.units = true
	raw := w.sign(ades.LevelB, true, statements...)
	var bodies []string
	for n := 1; n <= 3; n++ {
		raw = w.raise(raw, w.raising(ades.LevelLTA))
		w.passed(fmt.Sprint("archived ", n), raw, ades.LevelLTA, 1)
		var names []string
		for _, f := range entries(t, raw) {
			switch {
			case f.name == "META-INF/ASiCArchiveManifest.xml":
				bodies = append(bodies, f.body)
			case strings.Contains(f.name, "Archive"):
				names = append(names, f.name)
				if f.body != bodies[len(names)-1] {
					t.Errorf("%q has changed", f.name)
				}
			}
		}
		if len(names) != n-1 || len(bodies) != n || n == 3 && names[1] != "META-INF/ASiCArchiveManifest002.xml" {
			t.Errorf("%d: %q", n, names)
		}
		if root := fmt.Sprintf(`URI="META-INF/ASiCArchiveManifest%03d.xml" MimeType="text/xml" Rootfile="true"`, n-1); strings.Contains(bodies[n-1], root) != (n > 1) {
			t.Errorf("%d: the root file is not told:\n%s", n, bodies[n-1])
		}
		list := read(t, raw)
		if got := len(list[0].Timestamps); got != n+1 {
			t.Errorf("%d: %d time stamps", n, got)
		}
		for i, ts := range list[0].Timestamps[1:] {
			if proven := len(ts.Token.OCSPs) > 0; proven != (i < n-1) || len(ts.Covers) == 0 {
				t.Errorf("%d: %s: proven %t, covers %d", n, ts.ID, proven, len(ts.Covers))
			}
		}
	}
}

// OpenDocument that LibreOffice signed is raised too, and stays as it is but for the signature.
func TestRaiseOpenDocument(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pki.RSA)
	raw, err := os.ReadFile(libreoffice.Document(t, "odt", libreoffice.Signer{Certificate: w.who.Certificate, Key: w.who.Key, Authorities: []*x509.Certificate{w.pki.CitizenCA.Certificate, w.pki.Root.Certificate}}))
	if err != nil {
		t.Fatal(err)
	}
	raised := w.raise(raw, w.raising(ades.LevelLTA))
	if list := read(t, raised); list[0].Level != "B-LTA" || w.indication(raised) != verify.TotalPassed {
		t.Errorf("level %s, %s: %v", list[0].Level, w.indication(raised), list[0].Findings)
	}
	old, now := entries(t, raw), entries(t, raised)
	for i, f := range old {
		if f.name != now[i].name || f.body != now[i].body && f.name != "META-INF/documentsignatures.xml" {
			t.Errorf("%q has changed", f.name)
		}
	}
	if !bytes.Equal(raw[:80], raised[:80]) {
		t.Errorf("begins with %q", raised[:80])
	}
}

// Only what is named is raised, and what another one has to keep its bytes for is refused.
func TestRaiseSome(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pki.EC)
	for _, form := range forms {
		one := w.sign(ades.LevelB, form.cms, statements...)
		raw, second := w.add(ades.LevelB, form.cms, one)
		first := read(t, one)[0].ID
		for _, to := range levels[3:] {
			raised := w.raise(raw, w.raising(to, second))
			list := read(t, raised)
			if len(list) != 2 || list[0].ID != first || list[0].Level != "B-B" || list[1].ID != second || list[1].Level != to.String() {
				t.Errorf("%s to %s: %s has %s, %s has %s", form.name, to, list[0].ID, list[0].Level, list[1].ID, list[1].Level)
			}
			raised = w.raise(raised, w.raising(to, first))
			w.passed(fmt.Sprint(form.name, " one after the other to ", to), raised, to, 2)
		}
		if err := container.Raise(t.Context(), input(raw).File, w.raising(ades.LevelT, "nobody"), &bytes.Buffer{}); !errors.Is(err, ades.ErrNoSignature) {
			t.Errorf("%s: %v", form.name, err)
		}
	}
}

func TestRaiseRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pki.EC)
	m := &maker{t: t, pki: w.pki, signer: w.who, dir: t.TempDir()}
	plain := w.sign(ades.LevelB, true, file{"a.txt", "a"}, file{"b.txt", "b"})
	archived := entries(t, plain)
	man := manifestOver("META-INF/timestamp.tst", "", archived[1:]...)
	archived = append(archived, file{"META-INF/ASiCArchiveManifest.xml", man}, file{"META-INF/timestamp.tst", m.stamp(man, time.Now())})
	broken := entries(t, plain)
	broken[1].body += "x"
	for what, test := range map[string]struct {
		raw  []byte
		want error
	}{
		"covered at B-B": {pack(t, "", archived...), ades.ErrUnsuitable},
		"broken":         {pack(t, "", broken...), ades.ErrBroken},
		"unsigned":       {pack(t, asicE, file{"a", "a"}), ades.ErrNoSignature},
		"stamp alone":    {pack(t, asicS, file{"a", "a"}, file{"META-INF/timestamp.tst", m.stamp("a", time.Now())}), ades.ErrUnsuitable},
		"with evidence":  {pack(t, "", append(entries(t, plain), file{"META-INF/evidencerecord.ers", ""})...), ades.ErrUnsuitable},
		"no container":   {[]byte("PK"), ades.ErrUnsuitable},
		"Office":         {pack(t, "", file{"[Content_Types].xml", "<a/>"}), ades.ErrUnsuitable},
	} {
		var out bytes.Buffer
		if err := container.Raise(t.Context(), input(test.raw).File, w.raising(ades.LevelLT), &out); !errors.Is(err, test.want) || out.Len() > 0 {
			t.Errorf("%s: %v, %d bytes", what, err, out.Len())
		}
	}
}

// A file that keeps its bytes has the level that it claims only if there is something about its signer in it.
func TestRaiseEmptyEvidence(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pki.EC)
	now := time.Now()
	other, err := w.pki.CRL(w.pki.TimestampCA, pki.List{Number: 1, ThisUpdate: now, NextUpdate: now.AddDate(0, 0, 7)})
	if err != nil {
		t.Fatal(err)
	}
	for proven, want := range map[bool]error{true: nil, false: ades.ErrUnsuitable} {
		r := w.raising(ades.LevelLTA)
		if !proven {
			r.Evidence = func(context.Context, []ades.Need, []*x509.Certificate, ades.Values) (ades.Values, error) {
				return ades.Values{CRLs: [][]byte{other}}, nil
			}
		}
		raw := w.raise(w.sign(ades.LevelT, true, statements...), r)
		if got := read(t, raw)[0].Level; got != "B-LTA" {
			t.Fatalf("proven %t: level %s", proven, got)
		}
		for _, to := range []ades.Level{ades.LevelLT, ades.LevelLTA} {
			if err := container.Raise(t.Context(), input(raw).File, w.raising(to), &bytes.Buffer{}); !errors.Is(err, want) {
				t.Errorf("proven %t, to %s: %v", proven, to, err)
			}
		}
	}
}

// TestSharedAgain: containers of other makers get a further signature and a time stamp where that can be, and are refused with the right error where not.
func TestSharedAgain(t *testing.T) {
	t.Parallel()
	dir := filepath.Join("..", "..", "..", "..", "shared", "data", "signatures")
	if _, err := os.Stat(dir); err != nil {
		t.Skip("the test data beside the project (../shared/data/signatures) are absent")
	}
	w := newWorld(t, pki.EC)
	for name, want := range map[string][2]error{ // of adding, of raising
		"asic-cades/brokenReference.asice":                  {ades.ErrBroken, ades.ErrBroken},
		"asic-cades/removed-doc.asics":                      {ades.ErrUnsuitable, ades.ErrBroken},
		"asic-cades/removedReference.asice":                 {ades.ErrBroken, ades.ErrBroken},
		"asic-xades/Signature-A-EE_AS-19.asice":             {nil, nil},
		"asic-xades/container-signed.adoc":                  {ades.ErrUnsuitable, nil},
		"asic-xades/container-with-counter-signature.asice": {nil, nil},
		"asic-xades/multifiles-wrong-file.asics":            {ades.ErrUnsuitable, ades.ErrBroken},
		"asic-xades/no-signed-file.asice":                   {ades.ErrUnsuitable, ades.ErrBroken},
		"asic-xades/onefile-no-mimetype.asice":              {nil, nil},
		"asic-xades/onefile-wrong-file.asice":               {ades.ErrBroken, ades.ErrBroken},
		"asic-xades/xades_no-signedpropref.asice_.zip":      {ades.ErrBroken, ades.ErrBroken},
	} {
		raw, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
		if err != nil {
			t.Error(err)
			continue
		}
		before := read(t, raw)
		m, in := w.making(), input(raw).File
		d, err := container.Prepare(t.Context(), nil, &in, m, container.MakeOptions{})
		if !errors.Is(err, want[0]) {
			t.Errorf("%s: adding: %v", name, err)
		}
		if err == nil {
			after := read(t, w.finish(d, m, nil))
			if len(after) != len(before)+1 || wrong(after[len(before)]) != "" || !after[len(before)].CoversWholeFile || wrong(before[0]) != wrong(after[0]) {
				t.Errorf("%s: added: %d signatures, %s, %s", name, len(after), wrong(after[0]), wrong(after[len(after)-1]))
			}
		}
		var out bytes.Buffer
		err = container.Raise(t.Context(), in, w.raising(ades.LevelT), &out)
		if !errors.Is(err, want[1]) || err != nil && out.Len() > 0 {
			t.Errorf("%s: raising: %v", name, err)
		}
		if err == nil {
			if after := read(t, out.Bytes()); len(after) != len(before) || len(after[0].Timestamps) == 0 || wrong(before[0]) != wrong(after[0]) {
				t.Errorf("%s: raised: %d time stamps, %s", name, len(after[0].Timestamps), wrong(after[0]))
			}
		}
	}
}
