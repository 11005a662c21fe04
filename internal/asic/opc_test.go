package asic

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestContentTypes(t *testing.T) {
	t.Parallel()
	raw := `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="XML" ContentType="application/xml"/>
<Override PartName="/word/document.xml" ContentType="application/vnd.word+xml"/><x:Default xmlns:x="urn:x" Extension="png" ContentType="no"/></Types>`
	types, err := ParseContentTypes([]byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	for part, want := range map[string]string{"word/document.xml": "application/vnd.word+xml", "Word/Document.XML": "application/vnd.word+xml",
		"word/styles.xml": "application/xml", "a.png": "", "noextension": ""} {
		if got := types.Of(part); got != want {
			t.Errorf("%s: %q", part, got)
		}
	}
	for name, raw := range map[string]string{
		"two defaults":  strings.Replace(raw, "<Override", `<Default Extension="xml" ContentType="text/plain"/><Override`, 1),
		"two overrides": strings.Replace(raw, "<Override", `<Override PartName="/WORD/document.xml" ContentType="text/plain"/><Override`, 1),
		"other root":    `<Types/>`,
	} {
		if _, err := ParseContentTypes([]byte(raw)); !errors.Is(err, ErrManifest) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, test := range []struct {
		a, b string
		same bool
	}{
		{"application/xml", "Application/XML", true}, {"text/xml; charset=utf-8", "text/xml;charset=UTF-8", false},
		{"text/xml; charset=utf-8", `text/xml;  charset="utf-8"`, true}, {"application/xml", "application/xml+x", false}, {"", "", true}, {"", "x/y", false},
	} {
		if SameType(test.a, test.b) != test.same {
			t.Errorf("%q and %q", test.a, test.b)
		}
	}
}

func TestPackageSignatures(t *testing.T) {
	t.Parallel()
	rels := func(links ...string) string {
		var b strings.Builder
		b.WriteString(`<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">`)
		for i := 0; i < len(links); i += 2 {
			fmt.Fprintf(&b, `<Relationship Id="r%d" Type="%s" Target="%s"/>`, i, links[i], links[i+1])
		}
		return b.String() + `</Relationships>`
	}
	c := openZip(t, makeZip(t, archive{},
		file{name: "_rels/.rels", body: rels(relOrigin, "_xmlsignatures/origin.sigs", "urn:other", "word/document.xml")},
		file{name: "_xmlsignatures/origin.sigs"},
		file{name: "_xmlsignatures/_rels/origin.sigs.rels", body: rels(relSignature, "sig1.xml", relSignature, "/_xmlsignatures/sig2.xml", relSignature, "sig1.xml", relSignature, "missing.xml", relSignature, "../../x")},
		file{name: "_xmlsignatures/sig1.xml", body: "1"}, file{name: "_xmlsignatures/sig2.xml", body: "2"}, file{name: "_xmlsignatures/sig3.xml", body: "3"}))
	list, err := c.PackageSignatures()
	if err != nil || len(list) != 2 || list[0].Name != "_xmlsignatures/sig1.xml" || list[1].Name != "_xmlsignatures/sig2.xml" {
		t.Errorf("%v, %v", list, err)
	}
	if list, err := openZip(t, makeZip(t, archive{}, mimetype)).PackageSignatures(); err != nil || len(list) > 0 {
		t.Errorf("none: %v, %v", list, err)
	}
	external := strings.Replace(rels(relOrigin, "x"), "/>", ` TargetMode="External"/>`, 1)
	if list, err := openZip(t, makeZip(t, archive{}, file{name: "_rels/.rels", body: external}, file{name: "x"})).PackageSignatures(); err != nil || len(list) > 0 {
		t.Errorf("external: %v, %v", list, err)
	}
	for _, raw := range []string{"bla", "<Relationships/>", rels(strings.Split(strings.Repeat("t,x,", maxReferences+1)+"t,x", ",")...)} {
		if _, err := openZip(t, makeZip(t, archive{}, file{name: "_rels/.rels", body: raw, deflate: true})).PackageSignatures(); !errors.Is(err, ErrManifest) {
			t.Errorf("%.40s: %v", raw, err)
		}
	}
}
