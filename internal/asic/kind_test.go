package asic

import "testing"

func TestKind(t *testing.T) {
	t.Parallel()
	f := func(names ...string) (list []file) {
		for _, n := range names {
			list = append(list, file{name: n, body: "x"})
		}
		return list
	}
	mime := func(m string, more ...file) []file { return append([]file{{name: "mimetype", body: m}}, more...) }
	root := func(m string) file {
		return file{name: "META-INF/manifest.xml", body: `<m:manifest xmlns:m="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"><m:file-entry m:full-path="/" m:media-type="` + m + `"/></m:manifest>`}
	}
	for _, test := range []struct {
		name     string
		comment  string
		fileName string
		files    []file
		want     Kind
	}{
		{"ASiC-S", "", "", mime(asicSType), ASiCS},
		{"ASiC-E with newline", "", "x.asics", mime(asicEType + "\r\n"), ASiCE},
		{"byte order mark", "", "", mime("\ufeff" + asicEType), ASiCE},
		{"BDOC", "", "", mime("application/vnd.bdoc-1.0"), ASiCE},
		{"ODF", "", "", mime("application/vnd.oasis.opendocument.text-template"), ODF},
		{"comment", "mimetype=" + asicEType + "\n", "", f("a"), ASiCE},
		{"comment beside an unknown type", "mimetype=" + asicEType, "", mime("application/zip", f("a")...), Plain},
		{"manifest", "", "", append(f("a"), root(asicEType)), ASiCE},
		{"manifest of something else", "", "", append(f("a"), root("text/plain")), Plain},
		{"broken manifest", "", "", f("a", "META-INF/manifest.xml"), Plain},
		{"OOXML", "", "x.docx", f("[Content_Types].xml", "word/document.xml"), OOXML},
		{"extension", "", "x.SCE", f("a"), ASiCE},
		{"one file", "", "x.adoc", f("a.txt", "metadata/b.xml", "META-INF/signatures/signatures0.xml"), ASiCS},
		{"two files", "", "", f("a.txt", "b.txt", "META-INF/signature.p7s"), ASiCE},
		{"time stamp", "", "", f("a.txt", "META-INF/timestamp.tst"), ASiCS},
		{"no file", "", "", f("META-INF/signature.p7s"), ASiCE},
		{"no signature", "", "", f("a.txt"), Plain},
	} {
		c := openZip(t, makeZip(t, archive{comment: test.comment}, test.files...))
		if got := c.Kind(test.fileName); got != test.want {
			t.Errorf("%s: %q", test.name, got)
		}
	}
}

func TestRole(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]Role{
		"mimetype":                                MIMETypeEntry,
		"a/mimetype":                              Data,
		"signature.p7s":                           Data,
		"meta-inf/signature.p7s":                  Data,
		"META-INF/signature.p7s":                  SignatureCMS,
		"META-INF/signature-7.p7s":                SignatureCMS,
		"META-INF/signatures.xml":                 SignatureXML,
		"META-INF/documentsignatures.xml":         SignatureXML,
		"META-INF/signatures/signatures0.xml":     SignatureXML,
		"META-INF/timestamp.tst":                  Timestamp,
		"META-INF/ASiCManifest.xml":               Manifest,
		"META-INF/ASiCManifest_signature.xml":     Manifest,
		"META-INF/ASiCArchiveManifest001.xml":     ArchiveManifest,
		"META-INF/ASiCEvidenceRecordManifest.xml": EvidenceManifest,
		"META-INF/evidencerecord.ers":             Evidence,
		"META-INF/evidencerecord.xml":             Evidence,
		"META-INF/manifest.xml":                   PackageManifest,
		"META-INF/relations.xml":                  OtherMeta,
	} {
		if got := (&Entry{Name: name}).Role(); got != want {
			t.Errorf("%s: %d, want %d", name, got, want)
		}
	}
	c := openZip(t, makeZip(t, archive{}, mimetype, file{name: "a"}, file{name: "b/c"}, file{name: "META-INF/x"}))
	if data, root := c.DataFiles(), c.RootFiles(); len(data) != 2 || len(root) != 1 || root[0].Name != "a" {
		t.Errorf("%d data files, %d at the root", len(data), len(root))
	}
}
