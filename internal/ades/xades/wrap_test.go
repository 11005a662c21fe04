package xades

import (
	"fmt"
	"strings"
	"testing"

	"github.com/eidkit/eidkit/internal/ades"
)

// assertion is a document as SAML and many others have it: one element signed by its ID.
func (s *signer) assertion(t testing.TB) (element, signature string) {
	element = `<a:assertion xmlns:a="urn:a" ID="A1"><a:subject>An Peeters</a:subject></a:assertion>`
	return element, s.make(t, &parts{references: ref("r1", "", "#A1", tr(envelopedURI)+tr(exc), sum(element))})
}

// TestWrapping goes through the ways to move a signed element and put another in its place (XSW 1 to 8 and those with signed properties).
// Either something does not fit, or what is said to be signed is the element that was signed, and not the document.
func TestWrapping(t *testing.T) {
	t.Parallel()
	s := newSigner(t)
	element, signature := s.assertion(t)
	inside := func(el, more string) string { return strings.Replace(el, "</a:assertion>", more+"</a:assertion>", 1) }
	evil := strings.Replace(strings.Replace(element, "An Peeters", "Eve", 1), "A1", "A2", 1)
	same := strings.Replace(element, "An Peeters", "Eve", 1)
	object := func(s string) string {
		return strings.Replace(signature, "</ds:Signature>", "<ds:Object>"+s+"</ds:Object></ds:Signature>", 1)
	}
	for _, c := range []struct{ name, doc, want, node string }{
		{"as made", "<r>" + inside(element, signature) + "</r>", "ok", "/r/a:assertion"},
		{"beside", "<r>" + element + signature + "</r>", "ok", "/r/a:assertion"},
		{"changed", "<r>" + inside(same, signature) + "</r>", "content not intact", ""},
		{"XSW1: signature of the copy inside the fake", "<r>" + inside(evil, inside(element, "")+signature) + "</r>", "ok", "/r/a:assertion/a:assertion"},
		{"XSW1: same ID", "<r>" + inside(same, signature+element) + "</r>", string(ades.DuplicateID), ""},
		{"XSW2: same ID, detached", "<r>" + same + signature + element + "</r>", string(ades.DuplicateID), ""},
		{"XSW3: fake first", "<r>" + evil + inside(element, signature) + "</r>", "ok", "/r/a:assertion[2]"},
		{"XSW4: fake around", "<r>" + inside(evil, inside(element, signature)) + "</r>", "ok", "/r/a:assertion/a:assertion"},
		{"XSW5: copy at the end", "<r>" + inside(evil, signature) + element + "</r>", "ok", "/r/a:assertion[2]"},
		{"XSW6: copy in the signature", "<r>" + inside(evil, strings.Replace(signature, "</ds:Signature>", "<ds:Object>"+element+"</ds:Object></ds:Signature>", 1)) + "</r>", "ok", "/r/a:assertion/ds:Signature/ds:Object[2]/a:assertion"},
		{"XSW7: extensions", "<r><x>" + same + "</x>" + inside(element, signature) + "</r>", string(ades.DuplicateID), ""},
		{"XSW8: copy in an object", "<r>" + inside(evil, object(element)) + "</r>", "ok", "/r/a:assertion/ds:Signature/ds:Object[2]/a:assertion"},
		{"other spelling of the same ID", "<r>" + strings.Replace(same, "ID=", "id=", 1) + inside(element, signature) + "</r>", string(ades.DuplicateID), ""},
		{"comment in the text", "<r>" + inside(strings.Replace(element, "Peeters", "<!-- -->Peeters", 1), signature) + "</r>", "ok", "/r/a:assertion"},
	} {
		list := read(t, c.doc)
		sig := list[0]
		got := verdict(sig)
		if len(list) > 1 {
			got += " and another signature"
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
			continue
		}
		if got != "ok" {
			continue
		}
		if nodes := strings.Join(sig.References[0].Nodes, " "); nodes != c.node || sig.CoversWholeFile {
			t.Errorf("%s: signed is %q, want %q; whole file %v", c.name, nodes, c.node, sig.CoversWholeFile)
		}
	}
}

// TestFakeProperties: properties that are not those signed must never count as signed, wherever the signed ones are kept.
func TestFakeProperties(t *testing.T) {
	t.Parallel()
	s := newSigner(t)
	doc, p := s.enveloping(t)
	fake := strings.ReplaceAll(strings.Replace(p.signedProperties, "2026-05-04", "2020-01-01", 1), "sp-sig", "sp-fake")
	same := strings.Replace(p.signedProperties, "2026-05-04", "2020-01-01", 1)
	frame := func(in string) string {
		return `<xades:QualifyingProperties` + nsX + ` Target="#sig">` + in + `</xades:QualifyingProperties>`
	}
	q := frame(p.signedProperties)
	second := strings.NewReplacer(`"sig"`, `"two"`, `"#sig"`, `"#two"`, `-sig"`, `-two"`, `data"`, `data2"`).Replace(doc)
	for _, c := range []struct{ name, doc, want string }{
		{"as made", doc, "ok"},
		{"the signed ones in an object of their own", strings.Replace(doc, q, frame(fake)+"</ds:Object><ds:Object>"+p.signedProperties, 1), string(ades.PropertiesUnsigned)},
		{"the signed ones beside the signature", "<r>" + strings.Replace(doc, p.signedProperties, fake, 1) + p.signedProperties + "</r>", string(ades.PropertiesUnsigned)},
		{"in unsigned properties", strings.Replace(doc, p.signedProperties, fake+"<xades:UnsignedProperties>"+p.signedProperties+"</xades:UnsignedProperties>", 1), string(ades.PropertiesUnsigned)},
		{"the same ID twice", strings.Replace(doc, q, frame(same)+"</ds:Object><ds:Object>"+p.signedProperties, 1), string(ades.DuplicateID)},
		{"two frames, the fake first", strings.Replace(doc, q, frame(fake)+q, 1), string(ades.BadStructure)},
		{"two frames in two objects", strings.Replace(doc, q, frame(fake)+"</ds:Object><ds:Object>"+q, 1), string(ades.BadStructure)},
		{"two in one frame", strings.Replace(doc, p.signedProperties, fake+p.signedProperties, 1), string(ades.PropertiesUnsigned)},
		{"gone", strings.Replace(doc, p.signedProperties, "", 1), string(ades.NoSigningCertRef)},
		{"those of another signature", "<r>" + strings.Replace(doc, "#sp-sig", "#sp-two", 1) + second + "</r>", string(ades.PropertiesUnsigned)},
		{"a frame for another signature", "<r>" + strings.Replace(doc, `Target="#sig"`, `Target="#two"`, 1) + second + "</r>", string(ades.BadStructure)},
		{"a frame for nothing", strings.Replace(doc, `Target="#sig"`, `Target="#nothing"`, 1), "ok"},
	} {
		sig := read(t, c.doc)[0]
		if got := verdict(sig); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
		if sig.SignedProperties && sig.SigningTime.Year() == 2020 {
			t.Errorf("%s: the false time counts as signed", c.name)
		}
	}
}

// TestTypes: a reference whose type says what its target is, and it is something else, counts as not found.
func TestTypes(t *testing.T) {
	t.Parallel()
	s := newSigner(t)
	const manifest = `<ds:Manifest` + nsDS + ` Id="m">`
	entries := manifest + ref("", "", "#data", tr(exc), sum(object)) + "</ds:Manifest>"
	for _, c := range []struct{ name, kind, uri, target, want string }{
		{"object", objectType, "#data", object, "ok"},
		{"object that is none", objectType, "#d", `<d Id="d"></d>`, "object not found"},
		{"object elsewhere", objectType, "#o", `<ds:Object` + nsDS + ` Id="o"></ds:Object>`, "object not found"},
		{"manifest", manifestType, "#m", entries, "ok"},
		{"manifest that is none", manifestType, "#d", `<d Id="d"></d>`, "manifest not found"},
		{"unknown type", "urn:x", "#d", `<d Id="d"></d>`, "ok"},
		{"counter-signed that is none", counterType, "#d", `<d Id="d"></d>`, "counterSigned not found"},
	} {
		body := object + "<ds:Object>" + entries + "</ds:Object>"
		beside := ""
		if c.target != object && c.target != entries {
			beside = c.target
		}
		doc := "<r>" + beside + s.make(t, &parts{references: ref("r1", c.kind, c.uri, tr(exc), sum(c.target)), objects: body}) + "</r>"
		if got := verdict(read(t, doc)[0]); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// TestTypeObject: makers say Object of their KeyInfo, or of what stands in an object. That counts as found, and KeyInfo is no data.
func TestTypeObject(t *testing.T) {
	t.Parallel()
	s := newSigner(t)
	key := fmt.Sprintf(`<ds:KeyInfo%s Id="ki"><ds:X509Data><ds:X509Certificate>%s</ds:X509Certificate></ds:X509Data></ds:KeyInfo>`, nsDS, b64(s.Certificate.Raw))
	data := ref("", objectType, "#data", tr(exc), sum(object))
	entries := func(digest string) string {
		return `<ds:Manifest` + nsDS + ` Id="m">` + ref("", "", "#data", tr(exc), digest) + `</ds:Manifest>`
	}
	typed := func(uri, text string) string { return ref("r1", objectType, uri, tr(exc), sum(text)) }
	signatureProperties := `<ds:SignatureProperties` + nsDS + ` Id="p"></ds:SignatureProperties>`
	for _, c := range []struct{ name, references, inside, beside, want string }{
		{"KeyInfo and data", typed("#ki", key) + data, "", "", "ok"},
		{"KeyInfo alone", typed("#ki", key), "", "", "content not found"},
		{"KeyInfo that was changed", typed("#ki", key+" ") + data, "", "", "keyInfo not intact"},
		{"manifest", typed("#m", entries(sum(object))), "<ds:Object>" + entries(sum(object)) + "</ds:Object>", "", "ok"},
		{"manifest with a wrong entry", typed("#m", entries(sum("x"))), "<ds:Object>" + entries(sum("x")) + "</ds:Object>", "", "manifestEntry not intact"},
		{"properties and data", typed("#p", signatureProperties) + data, "<ds:Object>" + signatureProperties + "</ds:Object>", "", "ok"},
		{"KeyInfo of nobody", typed("#k2", strings.Replace(key, `"ki"`, `"k2"`, 1)) + data, "", strings.Replace(key, `"ki"`, `"k2"`, 1), "object not found"},
		{"properties deeper down", typed("#p", signatureProperties) + data, "<ds:Object><x>" + signatureProperties + "</x></ds:Object>", "", "object not found"},
		{"object deeper down", typed("#o", `<ds:Object`+nsDS+` Id="o"></ds:Object>`) + data, "<ds:Object><x>" + `<ds:Object` + nsDS + ` Id="o"></ds:Object>` + "</x></ds:Object>", "", "object not found"},
	} {
		doc := "<r>" + c.beside + s.make(t, &parts{references: c.references, keyInfo: key, objects: object + c.inside}) + "</r>"
		if got := verdict(read(t, doc)[0]); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// TestMisplacedManifest: a manifest counts right in an object of the signature, as it was signed, and not where it was moved to so that
// another takes its place.
func TestMisplacedManifest(t *testing.T) {
	t.Parallel()
	s := newSigner(t)
	entries := `<ds:Manifest` + nsDS + ` Id="m">` + ref("", "", "#data", tr(exc), sum(object)) + "</ds:Manifest>"
	evil := `<ds:Object><ds:Manifest` + nsDS + ` Id="evil">` + ref("", "", "#data", tr(exc), sum("x")) + "</ds:Manifest></ds:Object>"
	for _, c := range []struct{ name, inside, beside, want string }{
		{"in an object", "<ds:Object>" + entries + "</ds:Object>", "", "ok"},
		{"second in an object", "<ds:Object><x></x>" + entries + "</ds:Object>", "", "ok"},
		{"in an object in an object", evil + "<ds:Object><wrapper><ds:Object>" + entries + "</ds:Object></wrapper></ds:Object>", "", "manifest not found"},
		{"right in it", evil + "<ds:Object><ds:Object>" + entries + "</ds:Object></ds:Object>", "", "manifest not found"},
		{"beside the signature", evil, entries, "manifest not found"},
		{"in somebody else's object", evil, "<ds:Object" + nsDS + ">" + entries + "</ds:Object>", "manifest not found"},
	} {
		doc := "<r>" + c.beside + s.make(t, &parts{references: ref("r1", manifestType, "#m", tr(exc), sum(entries)), objects: object + c.inside}) + "</r>"
		if got := verdict(read(t, doc)[0]); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// TestReferenceToProperties: without its type, or with a transform that could leave something out, or missing.
func TestReferenceToProperties(t *testing.T) {
	t.Parallel()
	s := newSigner(t)
	p := properties("sig", s.Certificate.Raw, "")
	const cut = `<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xpath-19991116"><ds:XPath>true()</ds:XPath></ds:Transform>`
	for _, c := range []struct {
		name, reference, want string
		signed                bool
	}{
		{"usual", ref("", "http://uri.etsi.org/01903#SignedProperties", "#sp-sig", tr(exc), sum(p)), "ok", true},
		{"no type", ref("", "", "#sp-sig", tr(exc), sum(p)), string(ades.PropertiesUntyped), true},
		{"filtered", ref("", "http://uri.etsi.org/01903#SignedProperties", "#sp-sig", cut+tr(exc), sum(p)), string(ades.PropertiesUnsigned), false},
		{"other digest", ref("", "http://uri.etsi.org/01903#SignedProperties", "#sp-sig", tr(exc), sum("x")), "signedProperties not intact", false},
		{"none", " ", string(ades.PropertiesUnsigned), false},
		{"whole signature instead", ref("", "", "#data", tr(exc), sum(object)), string(ades.PropertiesUnsigned), false},
	} {
		sig := read(t, s.make(t, &parts{references: ref("r1", objectType, "#data", tr(exc), sum(object)), objects: object, spReference: c.reference}))[0]
		if got := verdict(sig); got != c.want || sig.SignedProperties != c.signed {
			t.Errorf("%s: %s, signed %v", c.name, got, sig.SignedProperties)
		}
	}
}

// TestNoData: a signature over its properties alone signs nothing.
func TestNoData(t *testing.T) {
	t.Parallel()
	s := newSigner(t)
	if got := verdict(read(t, s.make(t, &parts{references: " "}))[0]); got != "content not found" {
		t.Error(got)
	}
	p := &parts{keyInfo: `<ds:KeyInfo` + nsDS + ` Id="ki"><ds:KeyName>x</ds:KeyName></ds:KeyInfo>`}
	p.references = ref("", "", "#ki", tr(exc), sum(p.keyInfo))
	if got := verdict(read(t, s.make(t, p))[0]); got != "content not found" {
		t.Error(got)
	}
}
