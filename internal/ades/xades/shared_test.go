package xades

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/eidkit/eidkit/internal/ades"
)

// sharedFile reads a file of the data beside the project.
func sharedFile(t testing.TB, name string) []byte {
	t.Helper()
	root := filepath.Join("..", "..", "..", "..", "shared", "data", "signatures", "xades")
	if _, err := os.Stat(root); err != nil {
		t.Skipf("the data of shared/data/signatures are not here: %v", err)
	}
	data, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestShared reads the files of other makers.
func TestShared(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		file, want, level string
		stamps, counters  int
	}{
		{"dss-signed-altered-refRemoved.xml", "content not found", "B-B", 0, 0},
		{"xades-counter-signature-no-type.xml", "ok", "B-B", 0, 1},
		{"xades-lta-valid.xml", "ok", "B-LTA", 2, 0},
		{"xades-tampered-manifest.xml", "manifest not intact", "B-B", 0, 0},
		{"xades-wrong-sign-cert-digest.xml", "ok", "B-B", 0, 0},
		{"xmldsig-only.xml", "ok", "", 0, 0},
		{"xsw/XSW-enveloped-fake-signedProperties.xml", "PROPERTIES_NOT_SIGNED", "", 0, 0},
		{"xsw/disable-checks.xml", "object not found", "B-B", 0, 0},
	} {
		list, err := ReadDocument(t.Context(), sharedFile(t, c.file), nil, Options{})
		if err != nil || len(list) != 1 {
			t.Errorf("%s: %d signatures, %v", c.file, len(list), err)
			continue
		}
		sig := list[0]
		if got := verdict(sig); got != c.want || sig.Level != c.level || len(sig.Timestamps) != c.stamps || len(sig.CounterSignatures) != c.counters {
			t.Errorf("%s: %s, level %q, %d time stamps, %d counter-signatures, %v", c.file, got, sig.Level, len(sig.Timestamps), len(sig.CounterSignatures), sig.Findings)
		}
		for _, ts := range sig.Timestamps {
			if !ts.Intact || len(ts.Covers) == 0 {
				t.Errorf("%s: a time stamp of kind %s does not fit", c.file, ts.Kind)
			}
		}
		for _, cs := range sig.CounterSignatures {
			if got := verdict(cs); got != "ok" {
				t.Errorf("%s: counter-signature: %s", c.file, got)
			}
		}
	}
	for _, name := range []string{"broken-dom.xml", "xades-with-dtd-injection.xml"} {
		if _, err := ReadDocument(t.Context(), sharedFile(t, name), nil, Options{}); !errors.Is(err, ades.ErrRefused) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestSharedManifest gives the files that a manifest lists, by their names and by others.
func TestSharedManifest(t *testing.T) {
	t.Parallel()
	doc := sharedFile(t, "xades-tampered-manifest.xml")
	for _, prefix := range []string{"", "other-"} {
		var files []ades.Content
		for _, name := range []string{"sample.png", "sample.txt", "sample.xml"} {
			data := sharedFile(t, "dss-xades/"+name)
			files = append(files, ades.Content{File: ades.File{Name: prefix + name, Data: bytes.NewReader(data), Size: int64(len(data))}})
		}
		list, err := ReadDocument(t.Context(), doc, Detached(files), Options{})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range list[0].References {
			if r.Kind == ades.RefManifestEntry && r.Intact {
				got = append(got, r.URI)
			}
		}
		if strings.Join(got, " ") != "sample.txt sample.xml" {
			t.Errorf("with names %q: %v", prefix, got)
		}
	}
}

// TestSharedArchive changes what an archive time stamp covers, piece by piece.
func TestSharedArchive(t *testing.T) {
	t.Parallel()
	doc := string(sharedFile(t, "xades-lta-valid.xml"))
	intact := func(doc string) bool {
		list, err := ReadDocument(t.Context(), []byte(doc), nil, Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, ts := range list[0].Timestamps {
			if ts.Kind == ades.ArchiveTS {
				return ts.Intact
			}
		}
		t.Fatal("no archive time stamp")
		return false
	}
	if !intact(doc) {
		t.Fatal("the file as it is")
	}
	for _, element := range []string{"ds:SignedInfo", "ds:SignatureValue", "ds:KeyInfo", "ds:X509Data", "xades:SignedProperties", "xades:SignatureTimeStamp", "xades:CertificateValues", "xades:RevocationValues", "xades:EncapsulatedCRLValue"} {
		at := strings.Index(doc, "<"+element)
		end := at + strings.IndexByte(doc[at:], '>') + 1
		if intact(doc[:end] + " " + doc[end:]) {
			t.Errorf("a space in %s makes no difference", element)
		}
	}
	if at := strings.LastIndex(doc, "</xades:UnsignedSignatureProperties>"); !intact(doc[:at] + " " + doc[at:]) {
		t.Error("what comes after the time stamp counts for it")
	}
}

// FuzzRead reads anything as a signed document.
func FuzzRead(f *testing.F) {
	f.Add([]byte(`<Signature xmlns="http://www.w3.org/2000/09/xmldsig#"/>`))
	s := newSigner(f)
	_, p := s.enveloping(f)
	p.unsigned = []string{s.stampElement(f, "xades", "SignatureTimeStamp", "ts", "", p.value), certRefs, revRefs, strings.Replace(certValues, "CERT", b64(s.Issuer.Certificate.Raw), 1),
		`<xades:CounterSignature` + nsX + `>` + s.make(f, &parts{id: "c", references: ref("", counterType, "#value-sig", tr(exc), sum(p.value))}) + `</xades:CounterSignature>`}
	f.Add([]byte(p.assemble()))
	doc, _ := s.enveloped(f)
	f.Add([]byte(doc))
	for _, name := range keyValues {
		f.Add([]byte(`<Signature xmlns="http://www.w3.org/2000/09/xmldsig#"><SignedInfo><CanonicalizationMethod Algorithm="` + exc + `"/><SignatureMethod Algorithm="http://www.w3.org/2000/09/xmldsig#rsa-sha1"/><Reference URI="a"/></SignedInfo><SignatureValue>AA==</SignatureValue><KeyInfo>` + name.xml + `</KeyInfo></Signature>`))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<18 {
			return
		}
		list, err := ReadDocument(t.Context(), data, Detached([]ades.Content{content("a", "a"), content("b", "b")}), Options{})
		if err != nil && (len(list) > 0 || !errors.Is(err, ades.ErrNoSignature) && !errors.Is(err, ades.ErrRefused)) {
			t.Fatal(err)
		}
		for _, sig := range list {
			if sig.ID == "" {
				t.Fatal("a signature without ID")
			}
			verdict(sig)
		}
	})
}
