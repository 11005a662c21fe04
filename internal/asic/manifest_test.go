package asic

import (
	"crypto"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

const manifestOf2 = `<?xml version="1.0" encoding="UTF-8" standalone="no"?><!-- a comment -->
<a:ASiCManifest xmlns:a="http://uri.etsi.org/02918/v1.2.1#" xmlns:ds="http://www.w3.org/2000/09/xmldsig#">
  <a:SigReference MimeType="application/pkcs7-signature" URI="META-INF/signature001.p7s"/>
  <a:DataObjectReference MimeType="text/plain" URI="a%20b.txt" Rootfile="true">
    <ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/>
    <ds:DigestValue>AA
      EC<!-- inside --></ds:DigestValue>
  </a:DataObjectReference>
  <a:DataObjectReference URI="c">
    <ds:DigestMethod Algorithm="urn:new"/><ds:DigestValue>not base64</ds:DigestValue>
  </a:DataObjectReference>
</a:ASiCManifest>`

func TestManifest(t *testing.T) {
	t.Parallel()
	want := &ManifestFile{SigURI: "META-INF/signature001.p7s", SigMIMEType: "application/pkcs7-signature", References: []DataObject{
		{URI: "a%20b.txt", MIMEType: "text/plain", Root: true, Algorithm: "http://www.w3.org/2001/04/xmlenc#sha256", Hash: crypto.SHA256, Digest: []byte{0, 1, 2}},
		{URI: "c", Algorithm: "urn:new"},
	}}
	for name, raw := range map[string]string{
		"plain":              strings.Replace(manifestOf2, "AA\n      EC", "AAEC", 1),
		"white space":        strings.Replace(manifestOf2, "AA\n      EC<!-- inside -->", " AA\n\tEC ", 1),
		"byte order mark":    "\ufeff" + strings.Replace(manifestOf2, "AA\n      EC<!-- inside -->", "AAEC", 1),
		"older namespace":    strings.Replace(strings.Replace(manifestOf2, "v1.2.1", "v1.1.1", 1), "AA\n      EC", "AAEC", 1),
		"comment":            manifestOf2,
		"default namespace":  strings.NewReplacer("<a:", "<", "</a:", "</", "xmlns:a=", "xmlns=").Replace(manifestOf2),
		"foreign elements":   strings.Replace(manifestOf2, "<a:SigReference", `<x:SigReference xmlns:x="urn:x" URI="other"/><x:y xmlns:x="urn:x"><a:SigReference URI="third"/></x:y><a:SigReference`, 1),
		"prefixed attribute": strings.Replace(manifestOf2, `URI="META`, `a:URI="other" URI="META`, 1),
	} {
		m, err := ParseManifest([]byte(raw))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !reflect.DeepEqual(m, want) {
			t.Errorf("%s: %+v", name, m)
		}
	}
	critical := strings.Replace(manifestOf2, "</a:ASiCManifest>", `<a:ASiCManifestExtensions><a:Extension Critical="true"><x/></a:Extension></a:ASiCManifestExtensions></a:ASiCManifest>`, 1)
	if m, err := ParseManifest([]byte(critical)); err != nil || !m.CriticalExtension {
		t.Errorf("critical extension: %+v, %v", m, err)
	}
	if m, err := ParseManifest([]byte(strings.Replace(critical, `Critical="true"`, `Critical="false"`, 1))); err != nil || m.CriticalExtension {
		t.Errorf("other extension: %+v, %v", m, err)
	}
}

func TestManifestRefused(t *testing.T) {
	t.Parallel()
	root := `<ASiCManifest xmlns="http://uri.etsi.org/02918/v1.2.1#">%s</ASiCManifest>`
	for name, raw := range map[string]string{
		"empty":               "",
		"text":                "bla",
		"other root":          `<manifest/>`,
		"other namespace":     `<ASiCManifest xmlns="urn:x"/>`,
		"no namespace":        `<ASiCManifest/>`,
		"not closed":          strings.TrimSuffix(manifestOf2, "</a:ASiCManifest>"),
		"two roots":           fmt.Sprintf(root, "") + fmt.Sprintf(root, ""),
		"two SigReference":    fmt.Sprintf(root, `<SigReference URI="a"/><SigReference URI="b"/>`),
		"attribute twice":     fmt.Sprintf(root, `<SigReference URI="a" URI="b"/>`),
		"DOCTYPE":             `<!DOCTYPE x [<!ENTITY e "v">]>` + fmt.Sprintf(root, ""),
		"entity":              fmt.Sprintf(root, `<SigReference URI="&e;"/>`),
		"UTF-16":              `<?xml version="1.0" encoding="UTF-16"?>` + fmt.Sprintf(root, ""),
		"deep":                fmt.Sprintf(root, strings.Repeat("<x>", 100)+strings.Repeat("</x>", 100)),
		"too many":            fmt.Sprintf(root, strings.Repeat("<DataObjectReference/>", maxReferences+1)),
		"too many attributes": fmt.Sprintf(root, "<x "+attributes(101)+"/>"),
		"too large":           fmt.Sprintf(root, strings.Repeat(" ", MaxManifest)),
	} {
		if m, err := ParseManifest([]byte(raw)); !errors.Is(err, ErrManifest) {
			t.Errorf("%s: %v, %v", name, m, err)
		}
	}
}

func attributes(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, ` a%d=""`, i)
	}
	return b.String()
}

func TestPackageManifest(t *testing.T) {
	t.Parallel()
	raw := `<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0" manifest:version="1.2">
 <manifest:file-entry manifest:full-path="/" manifest:media-type="application/vnd.oasis.opendocument.text"/>
 <manifest:file-entry manifest:full-path="content.xml" full-path="other" manifest:media-type="text/xml"><manifest:encryption-data/></manifest:file-entry>
 <x:file-entry xmlns:x="urn:x" manifest:full-path="no"/>
</manifest:manifest>`
	files, err := ParsePackageManifest([]byte(raw))
	want := []PackageFile{{"/", "application/vnd.oasis.opendocument.text", false}, {"content.xml", "text/xml", true}}
	if err != nil || !reflect.DeepEqual(files, want) {
		t.Errorf("%+v, %v", files, err)
	}
	for name, raw := range map[string]string{
		"other root": `<m:file-entry xmlns:m="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>`,
		"broken":     raw[:100],
		"too many":   `<m xmlns="http://openoffice.org/2001/manifest"/>`,
		"many":       `<manifest xmlns="http://openoffice.org/2001/manifest">` + strings.Repeat("<file-entry/>", maxReferences+1) + `</manifest>`,
	} {
		if _, err := ParsePackageManifest([]byte(raw)); !errors.Is(err, ErrManifest) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestResolve(t *testing.T) {
	t.Parallel()
	c := openZip(t, makeZip(t, archive{}, file{name: "a b"}, file{name: "a%20b", body: "x"}, file{name: "test+test.txt"},
		file{name: "100%.txt"}, file{name: "f/größe"}, file{name: "f/größe%2"}))
	for uri, want := range map[string]string{
		"a%20b":             "a b",
		"a b":               "a b",
		"a%2520b":           "a%20b",
		"./a%20b":           "a b",
		"/a%20b":            "a b",
		"test+test.txt":     "test+test.txt",
		"test%2Btest.txt":   "test+test.txt",
		"100%.txt":          "100%.txt",
		"100%25.txt":        "100%.txt",
		"f/gr%C3%B6%C3%9Fe": "f/größe",
		"f/größe%2":         "f/größe%2",
		"f/gr%F6%DFe":       "",
		"../a b":            "",
		"":                  "",
		"A%20B":             "",
	} {
		e := c.Resolve(uri)
		if (e == nil) != (want == "") || e != nil && e.Name != want {
			t.Errorf("%q: %v", uri, e)
		}
	}
}

func TestReadManifest(t *testing.T) {
	t.Parallel()
	c := openZip(t, makeZip(t, archive{}, file{name: "good", body: manifestOf2}, file{name: "bad", body: "bla"},
		file{name: "broken", body: manifestOf2, crc: ptr[uint32](1), localCRC: ptr[uint32](1)}))
	if m, err := c.Lookup("good").ReadManifest(); err != nil || len(m.References) != 2 {
		t.Errorf("%v, %v", m, err)
	}
	if _, err := c.Lookup("bad").ReadManifest(); !errors.Is(err, ErrManifest) || !strings.Contains(err.Error(), `"bad"`) {
		t.Errorf("bad: %v", err)
	}
	if _, err := c.Lookup("broken").ReadManifest(); !errors.Is(err, ErrFormat) {
		t.Errorf("broken: %v", err)
	}
}
