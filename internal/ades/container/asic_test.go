package container_test

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/ades/container"
	"github.com/eidkit/eidkit/testcards/pki"
)

func crcOf(s string) uint32 { return crc32.ChecksumIEEE([]byte(s)) }

const packageManifest = `<m:manifest xmlns:m="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"><m:file-entry m:full-path="/" m:media-type="` + asicE + `"/>%s</m:manifest>`

func manifestXML(names ...string) file {
	var b strings.Builder
	for _, n := range names {
		fmt.Fprintf(&b, `<m:file-entry m:full-path="%s" m:media-type="text/plain"/>`, n)
	}
	return file{"META-INF/manifest.xml", fmt.Sprintf(packageManifest, b.String())}
}

func TestASiCS(t *testing.T) {
	t.Parallel()
	m := newMaker(t, pki.EC)
	a := file{"a.txt", "content of a"}
	for name, raw := range map[string][]byte{
		"CAdES":          pack(t, asicS, a, file{"META-INF/signature.p7s", m.cms(a.body)}),
		"XAdES":          pack(t, asicS, a, file{"META-INF/signatures.xml", m.xades("S1", object{name: a.name, body: a.body})}),
		"no mimetype":    pack(t, "", a, file{"META-INF/signature.p7s", m.cms(a.body)}),
		"unknown type":   pack(t, "application/vnd.lt.archyvai.adoc-2008", a, file{"META-INF/signatures/signatures0.xml", m.xades("S1", object{name: a.name, body: a.body})}),
		"file with plus": pack(t, asicS, file{"a+b c.txt", a.body}, file{"META-INF/signatures.xml", m.xades("S1", object{name: "a+b c.txt", body: a.body, uri: "a+b%20c.txt"})}),
	} {
		list := read(t, raw)
		if len(list) != 1 {
			t.Fatalf("%s: %d signatures", name, len(list))
		}
		s := list[0]
		if w := wrong(s); w != "" || !s.CoversWholeFile || s.Container != "ASiC-S" || !strings.HasPrefix(s.File, "META-INF/signature") || codes(s) != "" {
			t.Errorf("%s: %s; covers %t, %s %s; %s", name, w, s.CoversWholeFile, s.Container, s.File, codes(s))
		}
		if odd := slices.ContainsFunc(s.Findings, func(f ades.Finding) bool { return f.Object == "mimetype" }); odd == (string(raw[30:38]) == "mimetype" && bytes.Contains(raw, []byte(asicS))) {
			t.Errorf("%s: oddity %t", name, odd)
		}
		r, err := s.References[0].Content()
		if err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(r); err != nil || string(b) != a.body {
			t.Errorf("%s: content %q, %v", name, b, err)
		}
		r.Close()
	}
}

// TestASiCSForm: what stands beside the one file makes it unclear what is signed.
func TestASiCSForm(t *testing.T) {
	t.Parallel()
	m := newMaker(t, pki.RSA)
	a, b := file{"a.txt", "content of a"}, file{"b.txt", "content of b"}
	p7s := file{"META-INF/signature.p7s", m.cms(a.body)}
	xml := file{"META-INF/signatures.xml", m.xades("S1", object{name: a.name, body: a.body})}
	for _, test := range []struct {
		name  string
		files []file
		codes string
		wrong bool
	}{
		{"CAdES and two files", []file{a, b, p7s}, "FILE_NOT_SIGNED a.txt, FILE_NOT_SIGNED b.txt, BAD_CONTAINER", true},
		{"XAdES and two files", []file{a, b, xml}, "FILE_NOT_SIGNED b.txt, BAD_CONTAINER", true},
		{"CAdES and a file in a folder", []file{a, {"folder/b.txt", b.body}, p7s}, "FILE_NOT_SIGNED folder/b.txt", false},
		{"file in a folder alone", []file{{"folder/a.txt", a.body}, p7s}, "BAD_CONTAINER", true},
		{"no file", []file{p7s}, "NO_SIGNED_FILE", true},
		{"another file, CAdES", []file{b, p7s}, "", true},
		{"another file, XAdES", []file{b, xml}, "", true},
		{"renamed, XAdES", []file{{"c.txt", a.body}, xml}, "FILE_NOT_SIGNED c.txt", true},
		{"other things in META-INF", []file{a, p7s, {"META-INF/relations.xml", "<x/>"}}, "", false},
	} {
		list := read(t, pack(t, asicS, test.files...))
		if len(list) != 1 || codes(list[0]) != test.codes || (wrong(list[0]) != "") != test.wrong {
			t.Errorf("%s: %s; %s", test.name, codes(list[0]), wrong(list[0]))
		}
		ref := list[0].References[0]
		switch test.name {
		case "another file, CAdES", "another file, XAdES":
			if !ref.Found || ref.Intact || ref.Name != "b.txt" {
				t.Errorf("%s: %+v", test.name, ref)
			}
		case "renamed, XAdES":
			if ref.Found {
				t.Errorf("%s: %+v", test.name, ref)
			}
		}
	}
}

func TestASiCEWithXAdES(t *testing.T) {
	t.Parallel()
	m := newMaker(t, pki.EC)
	a, b := file{"a.txt", "content of a"}, file{"größe/b c.txt", "content of b"}
	first := m.xades("S1", object{name: a.name, body: a.body}, object{name: b.name, body: b.body, uri: "gr%C3%B6%C3%9Fe/b%20c.txt"})
	second := m.xades("S1", object{name: a.name, body: a.body})
	third := m.xades("S2", object{name: "META-INF/signatures0.xml", body: first})
	list := read(t, pack(t, asicE, a, b, manifestXML(a.name, b.name), file{"META-INF/signatures0.xml", first},
		file{"META-INF/signatures1.xml", second}, file{"META-INF/signatures2.xml", third}))
	if len(list) != 3 {
		t.Fatalf("%d signatures", len(list))
	}
	for i, want := range []struct {
		id, codes string
		whole     bool
	}{
		{"S1", "", true}, {"S1 (2)", "FILE_NOT_SIGNED größe/b c.txt", false}, {"S2", "FILE_NOT_SIGNED a.txt, FILE_NOT_SIGNED größe/b c.txt", false},
	} {
		s := list[i]
		if w := wrong(s); w != "" || s.ID != want.id || s.CoversWholeFile != want.whole || codes(s) != want.codes || s.Format != ades.XAdES {
			t.Errorf("%d: %s; %s, whole %t, %s", i, w, s.ID, s.CoversWholeFile, codes(s))
		}
	}
	odd := func(list []*ades.Signature) string {
		var all []string
		for _, f := range list[0].Findings {
			if f.Code == ades.ContainerOddity {
				all = append(all, f.Object)
			}
		}
		return strings.Join(all, " ")
	}
	sig := file{"META-INF/signatures0.xml", first}
	for name, test := range map[string]struct {
		files []file
		want  string
	}{
		"good":              {[]file{a, b, manifestXML(a.name, b.name), sig}, ""},
		"no manifest":       {[]file{a, b, sig}, "META-INF/manifest.xml"},
		"broken manifest":   {[]file{a, b, {"META-INF/manifest.xml", "bla"}, sig}, "META-INF/manifest.xml"},
		"one not listed":    {[]file{a, b, manifestXML(a.name), sig}, b.name},
		"one too many":      {[]file{a, b, manifestXML(a.name, b.name, "c", "folder/"), sig}, "c"},
		"listed by its URI": {[]file{a, b, manifestXML(a.name, "gr%C3%B6%C3%9Fe/b%20c.txt"), sig}, ""},
		"evidence record":   {[]file{a, b, manifestXML(a.name, b.name), sig, {"META-INF/evidencerecord.ers", "x"}}, "META-INF/evidencerecord.ers"},
	} {
		if got := odd(read(t, pack(t, asicE, test.files...))); got != test.want {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// TestParts: a file of which only a part is signed is not signed.
func TestParts(t *testing.T) {
	t.Parallel()
	m := newMaker(t, pki.RSA)
	doc := file{"doc.xml", `<?xml version="1.0"?>` + "\n" + `<doc  a='1'><x Id="x">signed</x><y>anything</y></doc>`}
	transform := func(body string) string { return `<ds:Transforms>` + body + `</ds:Transforms>` }
	c14n := func(uri string) string { return `<ds:Transform Algorithm="` + uri + `"/>` }
	xpath := `<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xpath-19991116"><ds:XPath>not(ancestor-or-self::y)</ds:XPath></ds:Transform>`
	for name, test := range map[string]struct{ transform, codes string }{
		"bytes":             {"", ""},
		"canonical":         {transform(c14n("http://www.w3.org/TR/2001/REC-xml-c14n-20010315")), ""},
		"exclusive":         {transform(c14n("http://www.w3.org/2001/10/xml-exc-c14n#")), ""},
		"with comments":     {transform(c14n("http://www.w3.org/2006/12/xml-c14n11#WithComments")), ""},
		"without one child": {transform(xpath + c14n("http://www.w3.org/2001/10/xml-exc-c14n#")), "FILE_NOT_SIGNED doc.xml"},
	} {
		list := read(t, pack(t, asicE, doc, manifestXML(doc.name), file{"META-INF/signatures.xml", m.xades("S1", object{name: doc.name, body: doc.body, transform: test.transform})}))
		if w := wrong(list[0]); w != "" || codes(list[0]) != test.codes || list[0].CoversWholeFile != (test.codes == "") {
			t.Errorf("%s: %s; %s, whole %t", name, w, codes(list[0]), list[0].CoversWholeFile)
		}
	}
}

func TestASiCEWithCAdES(t *testing.T) {
	t.Parallel()
	m := newMaker(t, pki.EC)
	a, b, c := file{"a.txt", "content of a"}, file{"b b.txt", "content of b"}, file{"c.txt", "content of c"}
	escaped := file{"b%20b.txt", b.body}
	const p7s, p7s2 = "META-INF/signature001.p7s", "META-INF/signature002.p7s"
	manifest := manifestOver(p7s, "application/pkcs7-signature", a, escaped)
	other := manifestOver(p7s2, "", a, escaped, c)
	empty := manifestOver(p7s, "")
	critical := strings.Replace(manifest, "</asic:ASiCManifest>", `<asic:ASiCManifestExtensions><asic:Extension Critical="true"/></asic:ASiCManifestExtensions></asic:ASiCManifest>`, 1)
	unknown := strings.Replace(manifest, "xmlenc#sha256", "xmlenc#new", 1)
	sig := file{p7s, m.cms(manifest)}
	man := file{"META-INF/ASiCManifest001.xml", manifest}
	changed := man
	changed.body = strings.Replace(manifest, "a.txt", "c.txt", 1)
	for name, test := range map[string]struct {
		files []file
		codes []string // of each signature
		wrong []string
	}{
		"one":                    {[]file{man, sig, a, b}, []string{""}, []string{""}},
		"one file not listed":    {[]file{man, sig, a, b, c}, []string{"FILE_NOT_SIGNED c.txt"}, []string{""}},
		"two":                    {[]file{man, sig, a, b, c, {"META-INF/ASiCManifest002.xml", other}, {p7s2, m.cms(other)}}, []string{"FILE_NOT_SIGNED c.txt", ""}, []string{"", ""}},
		"file changed":           {[]file{man, sig, {a.name, "content of A"}, b}, []string{""}, []string{"manifestEntry a.txt: found true, intact false"}},
		"file removed":           {[]file{man, sig, b}, []string{""}, []string{"manifestEntry a.txt: found false, intact false"}},
		"file exchanged":         {[]file{man, sig, b, c}, []string{""}, []string{"manifestEntry c.txt: found true, intact false"}},
		"file renamed":           {[]file{man, sig, b, {"d.txt", a.body}}, []string{"FILE_NOT_SIGNED d.txt"}, []string{"manifestEntry a.txt: found false, intact false"}},
		"manifest changed":       {[]file{changed, sig, c, b}, []string{""}, []string{"manifest META-INF/ASiCManifest001.xml: found true, intact false"}},
		"manifest broken":        {[]file{{man.name, "bla"}, sig, a, b}, []string{"MANIFEST_BROKEN META-INF/ASiCManifest001.xml, FILE_NOT_SIGNED a.txt, FILE_NOT_SIGNED b b.txt"}, []string{"finding"}},
		"no manifest":            {[]file{sig, a, b}, []string{"BAD_CONTAINER META-INF/signature001.p7s, FILE_NOT_SIGNED a.txt, FILE_NOT_SIGNED b b.txt"}, []string{"finding"}},
		"manifest of another":    {[]file{{man.name, other}, sig, {p7s2, m.cms(other)}, a, b, c}, []string{"BAD_CONTAINER META-INF/signature001.p7s, FILE_NOT_SIGNED a.txt, FILE_NOT_SIGNED b b.txt, FILE_NOT_SIGNED c.txt", ""}, []string{"finding", ""}},
		"one manifest, misnamed": {[]file{{man.name, other}, {p7s, m.cms(other)}, a, b, c}, []string{""}, []string{""}},
		"two manifests name it":  {[]file{{"META-INF/ASiCManifest000.xml", manifestOver(p7s, "", c)}, man, sig, a, b, c}, []string{"FILE_NOT_SIGNED c.txt"}, []string{""}},
		"empty manifest":         {[]file{{man.name, empty}, {p7s, m.cms(empty)}, a}, []string{"MANIFEST_EMPTY META-INF/ASiCManifest001.xml, FILE_NOT_SIGNED a.txt"}, []string{"finding"}},
		"critical extension":     {[]file{{man.name, critical}, {p7s, m.cms(critical)}, a, b}, []string{"UNSUPPORTED_PART META-INF/ASiCManifest001.xml"}, []string{"finding"}},
		"unknown digest":         {[]file{{man.name, unknown}, {p7s, m.cms(unknown)}, a, b}, []string{"UNSUPPORTED_PART a.txt, FILE_NOT_SIGNED a.txt"}, []string{"finding"}},
		"no data file":           {[]file{{man.name, empty}, {p7s, m.cms(empty)}}, []string{"MANIFEST_EMPTY META-INF/ASiCManifest001.xml, NO_SIGNED_FILE"}, []string{"finding"}},
		"no CMS, but one more":   {[]file{man, sig, a, b, {"META-INF/signature003.xml", "<x/>"}}, []string{""}, []string{""}},
	} {
		list := read(t, pack(t, asicE, test.files...))
		if len(list) != len(test.codes) {
			t.Errorf("%s: %d signatures", name, len(list))
			continue
		}
		for i, s := range list {
			if got := wrong(s); codes(s) != test.codes[i] || got != test.wrong[i] && (test.wrong[i] == "" || !strings.HasPrefix(got, test.wrong[i])) {
				t.Errorf("%s, %d: %s; %s", name, i, codes(s), got)
			}
			whole := !strings.Contains(codes(s), "FILE") && !slices.ContainsFunc(s.References, func(r ades.Reference) bool { return !r.Intact })
			if s.Format != ades.CAdES || s.Container != "ASiC-E" || s.CoversWholeFile != whole {
				t.Errorf("%s, %d: %s in %s, whole %t", name, i, s.Format, s.Container, s.CoversWholeFile)
			}
		}
	}
}

// TestTimestamps: time stamps over a file, over files by a manifest, and over
// signatures.
func TestTimestamps(t *testing.T) {
	t.Parallel()
	m := newMaker(t, pki.RSA)
	at := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	a, b := file{"a.txt", "content of a"}, file{"b.txt", "content of b"}

	list := read(t, pack(t, asicS, a, file{"META-INF/timestamp.tst", m.stamp(a.body, at)}))
	if len(list) != 1 || wrong(list[0]) != "" || list[0].Format != ades.TimestampTkn || list[0].ID != "timestamp" || !list[0].CoversWholeFile || !list[0].SigningTime.Equal(at) {
		t.Errorf("ASiC-S: %d, %s", len(list), wrong(list[0]))
	}
	list = read(t, pack(t, asicS, b, file{"META-INF/timestamp.tst", m.stamp(a.body, at)}))
	if ref := reference(list[0], "b.txt"); !ref.Found || ref.Intact {
		t.Errorf("ASiC-S, another file: %s", wrong(list[0]))
	}

	const tst = "META-INF/timestamp001.tst"
	over := manifestOver(tst, "application/vnd.etsi.timestamp-token", a, b)
	list = read(t, pack(t, asicE, a, b, file{"META-INF/ASiCManifest.xml", over}, file{tst, m.stamp(over, at)}))
	if len(list) != 1 || wrong(list[0]) != "" || !list[0].CoversWholeFile || reference(list[0], "META-INF/ASiCManifest.xml").Kind != ades.RefManifest || reference(list[0], "b.txt").Kind != ades.RefManifestEntry {
		t.Errorf("ASiC-E: %d, %s", len(list), wrong(list[0]))
	}
	list = read(t, pack(t, asicE, a, file{b.name, "changed"}, file{"META-INF/ASiCManifest.xml", over}, file{tst, m.stamp(over, at)}))
	if wrong(list[0]) != "manifestEntry b.txt: found true, intact false" || list[0].CoversWholeFile {
		t.Errorf("ASiC-E, file changed: %s", wrong(list[0]))
	}
	list = read(t, pack(t, asicE, a, b, file{tst, m.stamp(over, at)}))
	if codes(list[0]) != "BAD_CONTAINER META-INF/timestamp001.tst, FILE_NOT_SIGNED a.txt, FILE_NOT_SIGNED b.txt" {
		t.Errorf("ASiC-E, no manifest: %s", codes(list[0]))
	}
}

func TestArchiveTimestamps(t *testing.T) {
	t.Parallel()
	m := newMaker(t, pki.EC)
	first, second := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC), time.Date(2027, 6, 1, 12, 0, 0, 0, time.UTC)
	a := file{"a.txt", "content of a"}
	man := file{"META-INF/ASiCManifest.xml", manifestOver("META-INF/signature.p7s", "", a)}
	sig := file{"META-INF/signature.p7s", m.cms(man.body)}
	archive1 := file{"META-INF/ASiCArchiveManifest001.xml", manifestOver("META-INF/timestamp001.tst", "application/vnd.etsi.timestamp-token", a, man, sig)}
	tst1 := file{"META-INF/timestamp001.tst", m.stamp(archive1.body, first)}
	archive2 := file{"META-INF/ASiCArchiveManifest.xml", manifestOver("META-INF/timestamp002.tst", "", a, man, sig, archive1, tst1)}
	tst2 := file{"META-INF/timestamp002.tst", m.stamp(archive2.body, second)}
	all := []file{a, man, sig, archive1, tst1, archive2, tst2}

	list := read(t, pack(t, asicE, all...))
	if len(list) != 1 || wrong(list[0]) != "" || len(list[0].Timestamps) != 2 {
		t.Fatalf("%d signatures, %s", len(list), wrong(list[0]))
	}
	s := list[0]
	one, two := s.Timestamps[0], s.Timestamps[1]
	for _, ts := range s.Timestamps {
		if ts.Kind != ades.ContainerTS || !ts.Found || !ts.Intact || ts.Token == nil || wrong(ts.Token) != "" {
			t.Errorf("%s: found %t, intact %t", ts.ID, ts.Found, ts.Intact)
		}
		for _, d := range []ades.Digest{ades.ObjectDigest(s.Value), ades.ObjectDigest(s.Signer.Raw)} {
			if !slices.Contains(ts.Covers, d) {
				t.Errorf("%s does not cover the signature or its certificate", ts.ID)
			}
		}
	}
	if one.ID != "timestamp001" || !one.GenTime.Equal(first) || len(one.References) != 4 || len(two.References) != 6 {
		t.Errorf("%s of %v with %d references, then %d", one.ID, one.GenTime, len(one.References), len(two.References))
	}
	if !slices.Contains(two.Covers, ades.ObjectDigest(one.Raw)) || !slices.Contains(two.Covers, ades.ObjectDigest(m.pki.TSA.Certificate.Raw)) || slices.Contains(one.Covers, ades.ObjectDigest(one.Raw)) {
		t.Error("what covers the first token")
	}

	// What was changed after it was stamped is not proven to be older.
	changed := slices.Clone(all)
	changed[4].body = m.stamp(archive1.body, first.Add(time.Hour))
	s = read(t, pack(t, asicE, changed...))[0]
	if two := s.Timestamps[1]; !two.Intact || slices.Contains(two.Covers, ades.ObjectDigest([]byte(changed[4].body))) || !slices.Contains(two.Covers, ades.ObjectDigest(s.Value)) {
		t.Error("another first token")
	}
	changed = slices.Clone(all)
	changed[3].body = strings.Replace(archive1.body, "<asic:Data", " <asic:Data", 1)
	s = read(t, pack(t, asicE, changed...))[0]
	if one := s.Timestamps[0]; !one.Found || one.Intact || len(one.Covers) > 0 {
		t.Error("another first manifest")
	}
	// A time stamp over data alone belongs to no signature.
	data := file{"META-INF/ASiCArchiveManifest.xml", manifestOver("META-INF/timestamp.tst", "", a)}
	list = read(t, pack(t, asicE, a, man, sig, data, file{"META-INF/timestamp.tst", m.stamp(data.body, first)}))
	if len(list) != 2 || len(list[0].Timestamps) != 0 || list[1].Format != ades.TimestampTkn || wrong(list[1]) != "" {
		t.Errorf("over data: %d signatures", len(list))
	}
	// A broken token is a finding, and covers nothing.
	broken := slices.Clone(all)[:5]
	broken[4].body = "no token"
	s = read(t, pack(t, asicE, broken...))[0]
	if len(s.Timestamps) != 1 || s.Timestamps[0].Token != nil || len(s.Timestamps[0].Covers) > 0 || s.Timestamps[0].Findings[0].Code != ades.BadTimestamp {
		t.Errorf("broken token: %+v", s.Timestamps)
	}
}

// TestEveryByte changes each byte of what is signed, of the manifest and of the
// signature value in turn: none of it goes unnoticed.
func TestEveryByte(t *testing.T) {
	t.Parallel()
	m := newMaker(t, pki.EC)
	a, b := file{"a.txt", "content of a"}, file{"b.xml", "<b>content of b</b>"}
	man := file{"META-INF/ASiCManifest.xml", manifestOver("META-INF/signature.p7s", "", a, b)}
	for name, raw := range map[string][]byte{
		"CAdES": pack(t, asicE, a, b, man, file{"META-INF/signature.p7s", m.cms(man.body)}),
		"XAdES": pack(t, asicE, a, b, manifestXML(a.name, b.name), file{"META-INF/signatures.xml", m.xades("S1", object{name: a.name, body: a.body}, object{name: b.name, body: b.body})}),
	} {
		s := read(t, raw)[0]
		if w := wrong(s); w != "" || !s.CoversWholeFile {
			t.Fatalf("%s: %s", name, w)
		}
		regions := []string{a.body, b.body, string(s.Value)}
		if name == "CAdES" {
			regions = append(regions, man.body)
		} else {
			i, j := bytes.Index(raw, []byte("<ds:SignedInfo>")), bytes.Index(raw, []byte("</ds:SignatureValue>"))
			regions[2] = string(raw[i:j])
		}
		for _, region := range regions {
			at := bytes.Index(raw, []byte(region))
			if at < 0 {
				t.Fatalf("%s: region is not there", name)
			}
			for i := at; i < at+len(region); i++ {
				for _, bit := range []byte{0x01, 0x20} {
					bad := fixCRC(bytes.Clone(raw), i, bit)
					list, err := container.Read(t.Context(), input(bad))
					if err != nil {
						if !errors.Is(err, ades.ErrRefused) && !errors.Is(err, ades.ErrNoSignature) {
							t.Fatalf("%s, byte %d: %v", name, i, err)
						}
						continue
					}
					if w := wrong(list[0]); w == "" && !sameXML(raw, bad, i) {
						t.Fatalf("%s: byte %d changed unnoticed: %q", name, i, bad[max(0, i-20):i+20])
					}
				}
			}
		}
	}
}

// sameXML tells changes that canonicalisation and Base64 undo: white space for white space.
func sameXML(raw, bad []byte, i int) bool {
	white := func(c byte) bool { return strings.IndexByte(" \t\r\n", c) >= 0 }
	return white(raw[i]) && white(bad[i])
}

// fixCRC changes a byte of a stored file and makes its checksum right again.
func fixCRC(raw []byte, at int, bit byte) []byte {
	start := bytes.LastIndex(raw[:at], []byte("PK\x03\x04"))
	le := func(i, n int) (v int) {
		for k := n - 1; k >= 0; k-- {
			v = v<<8 | int(raw[i+k])
		}
		return v
	}
	data := start + 30 + le(start+26, 2) + le(start+28, 2)
	size := le(start+18, 4)
	raw[at] ^= bit
	sum := crcOf(string(raw[data : data+size]))
	name := raw[start+30 : start+30+le(start+26, 2)]
	header := bytes.Index(raw[data:], []byte("PK\x01\x02")) + data
	for !bytes.HasPrefix(raw[header+46:], name) {
		header += 4 + bytes.Index(raw[header+4:], []byte("PK\x01\x02"))
	}
	for k := range 4 {
		raw[start+14+k] = byte(sum >> (8 * k))
		raw[header+16+k] = byte(sum >> (8 * k))
	}
	return raw
}
