package xades

import (
	"crypto"
	"crypto/sha256"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/xmldsig"
)

// TestForms reads the three ways to combine data and signature.
func TestForms(t *testing.T) {
	t.Parallel()
	s := newSigner(t)
	env, _ := s.enveloped(t)
	wrapping, _ := s.enveloping(t)
	detached := s.make(t, &parts{references: ref("r1", "", "letter%20one.txt", "", sum("Dear all,")) + ref("r2", "", "two.xml", tr(exc), sum(`<a b="c"></a>`))})
	sibling := `<r><d Id="d">x</d>` + s.make(t, &parts{references: ref("r1", "", "#d", tr(exc), sum(`<d Id="d">x</d>`))}) + "</r>"
	for _, c := range []struct {
		name, doc, sub, nodes, object string
		whole                         bool
		files                         []ades.Content
	}{
		{"enveloped", env, "XAdES 1.3.2, enveloped", "/invoice", "whole document without signature", true, nil},
		{"enveloping", wrapping, "XAdES 1.3.2, enveloping", "/ds:Signature/ds:Object[2]", "element Object (Id=data)", true, nil},
		{"detached", detached, "XAdES 1.3.2, detached", "", "letter one.txt", true, []ades.Content{content("letter one.txt", "Dear all,"), content("two.xml", "<a  b='c'/>")}},
		{"detached, other names", detached, "XAdES 1.3.2, detached", "", "1.bin", true, []ades.Content{content("2.bin", "<a  b='c'/>"), content("1.bin", "Dear all,")}},
		{"sibling", sibling, "XAdES 1.3.2, detached", "/r/d", "element d (Id=d)", false, nil},
	} {
		sig := read(t, c.doc, c.files...)[0]
		if v := verdict(sig); v != "ok" || len(sig.Findings) > 0 {
			t.Errorf("%s: %s %v", c.name, v, sig.Findings)
		}
		if sig.Format != ades.XAdES || sig.SubFormat != c.sub || sig.Level != "B-B" || sig.ID != "sig" || sig.CoversWholeFile != c.whole || !sig.SignedProperties {
			t.Errorf("%s: %s, %s, level %q, ID %q, whole %v, properties %v", c.name, sig.Format, sig.SubFormat, sig.Level, sig.ID, sig.CoversWholeFile, sig.SignedProperties)
		}
		r := sig.References[0]
		if got := strings.Join(r.Nodes, " "); got != c.nodes || r.Name != c.object {
			t.Errorf("%s: nodes %q, name %q", c.name, got, r.Name)
		}
		for _, r := range sig.References {
			content, err := r.Content()
			if err != nil {
				t.Fatal(err)
			}
			h := sha256.New()
			if _, err := io.Copy(h, content); err != nil || content.Close() != nil || string(h.Sum(nil)) != string(r.Digest) {
				t.Errorf("%s: the content handed out for %s is not what was hashed: %v", c.name, r.URI, err)
			}
		}
		if sig.Signer == nil || !sig.Signer.Equal(s.Certificate) || len(sig.CertRefs) != 1 || sig.CertRefs[0].Hash != crypto.SHA256 || sig.SigningTime == nil || sig.SigningTime.Year() != 2026 {
			t.Errorf("%s: signer or time", c.name)
		}
	}
}

// TestDetached checks what is said when the files are not those that were signed.
func TestDetached(t *testing.T) {
	t.Parallel()
	s := newSigner(t)
	doc := s.make(t, &parts{references: ref("r1", "", "a.txt", "", sum("a")) + ref("r2", "", "b.txt", "", sum("b"))})
	digests := ades.Content{File: ades.File{Name: "a.txt"}, Digests: map[crypto.Hash][]byte{crypto.SHA256: hashOf("a")}}
	for _, c := range []struct {
		name  string
		files []ades.Content
		want  string
	}{
		{"none", nil, "content not found"},
		{"both", []ades.Content{content("b.txt", "b"), content("a.txt", "a")}, "ok"},
		{"one changed", []ades.Content{content("a.txt", "x"), content("b.txt", "b")}, "content not intact"},
		{"one missing", []ades.Content{content("a.txt", "a")}, "content not intact"},
		{"names shuffled", []ades.Content{content("1", "b"), content("2", "a"), content("3", "c")}, "ok"},
		{"names gone, one changed", []ades.Content{content("1", "b"), content("2", "x")}, "content not found"},
		{"digest alone", []ades.Content{digests, content("b.txt", "b")}, "ok"},
		{"in a folder", []ades.Content{content("/tmp/a.txt", "a"), content("/tmp/b.txt", "b")}, "ok"},
	} {
		if got := verdict(read(t, doc, c.files...)[0]); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func hashOf(s string) []byte {
	h := sha256.Sum256([]byte(s))
	return h[:]
}

// TestManifest checks manifests: their entries are compared, and a broken one is told apart.
func TestManifest(t *testing.T) {
	t.Parallel()
	s := newSigner(t)
	manifest := `<ds:Manifest` + nsDS + ` Id="m">` + ref("e1", "", "a.txt", "", sum("a")) + ref("e2", "", "b.txt", "", sum("b")) + `</ds:Manifest>`
	byType := s.make(t, &parts{references: ref("r1", manifestType, "#m", tr(exc), sum(manifest)), objects: "<ds:Object>" + manifest + "</ds:Object>"})
	inObject := `<ds:Object` + nsDS + ` Id="o">` + strings.Replace(manifest, nsDS, "", 1) + `</ds:Object>`
	byObject := s.make(t, &parts{references: ref("r1", objectType, "#o", tr(exc), sum(inObject)), objects: inObject})
	for name, doc := range map[string]string{"by type": byType, "in an object": byObject} {
		for want, files := range map[string][]ades.Content{
			"ok":                       {content("a.txt", "a"), content("b.txt", "b")},
			"manifestEntry not intact": {content("a.txt", "a"), content("b.txt", "c")},
			"manifestEntry not found":  {},
		} {
			sig := read(t, doc, files...)[0]
			if got := verdict(sig); got != want {
				t.Errorf("%s: %s, want %s", name, got, want)
			}
			if len(sig.References) != 4 || sig.References[1].Kind != ades.RefManifestEntry || sig.References[1].ID != "e1" {
				t.Errorf("%s: %+v", name, sig.References)
			}
		}
	}
	broken := strings.Replace(byType, sum("b"), sum("c"), 1)
	if got := verdict(read(t, broken, content("a.txt", "a"), content("b.txt", "b"))[0]); got != "manifest not intact" {
		t.Error(got)
	}
}

// TestAttributes reads the signed properties, of both generations.
func TestAttributes(t *testing.T) {
	t.Parallel()
	s := newSigner(t)
	const policy = `<xades:SignaturePolicyIdentifier><xades:SignaturePolicyId><xades:SigPolicyId><xades:Identifier Qualifier="OIDAsURN">urn:oid:1.2.3</xades:Identifier></xades:SigPolicyId><xades:SigPolicyHash>` +
		`<ds:DigestMethod xmlns:ds="http://www.w3.org/2000/09/xmldsig#" Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/><ds:DigestValue xmlns:ds="http://www.w3.org/2000/09/xmldsig#">AAEC</ds:DigestValue></xades:SigPolicyHash>` +
		`<xades:SigPolicyQualifiers><xades:SigPolicyQualifier><xades:SPURI>http://e.be/p</xades:SPURI></xades:SigPolicyQualifier></xades:SigPolicyQualifiers></xades:SignaturePolicyId></xades:SignaturePolicyIdentifier>`
	const rest = `<xades:SignatureProductionPlaceV2><xades:City>Gent</xades:City><xades:CountryName>BE</xades:CountryName></xades:SignatureProductionPlaceV2>` +
		`<xades:SignerRoleV2><xades:ClaimedRoles><xades:ClaimedRole>notary</xades:ClaimedRole></xades:ClaimedRoles></xades:SignerRoleV2></xades:SignedSignatureProperties><xades:SignedDataObjectProperties>` +
		`<xades:DataObjectFormat ObjectReference="#r1"><xades:MimeType>text/xml</xades:MimeType></xades:DataObjectFormat><xades:CommitmentTypeIndication><xades:CommitmentTypeId><xades:Identifier>http://uri.etsi.org/01903/v1.2.2#ProofOfOrigin</xades:Identifier>` +
		`</xades:CommitmentTypeId><xades:AllSignedDataObjects/></xades:CommitmentTypeIndication></xades:SignedDataObjectProperties>`
	p := properties("sig", s.Certificate.Raw, "")
	p = strings.Replace(p, "</xades:SignedSignatureProperties>", policy+rest, 1)
	doc := s.make(t, &parts{references: ref("r1", objectType, "#data", tr(exc), sum(object)), objects: object, signedProperties: p})
	sig := read(t, doc)[0]
	if sig.Policy == nil || sig.Policy.ID != "1.2.3" || sig.Policy.URI != "http://e.be/p" || sig.Policy.Hash != crypto.SHA256 || string(sig.Policy.Digest) != "\x00\x01\x02" || sig.Policy.Implied {
		t.Errorf("policy %+v", sig.Policy)
	}
	if sig.Place != "Gent, BE" || !slices.Equal(sig.Roles, []string{"notary"}) || sig.MIMEType != "text/xml" || !slices.Equal(sig.Commitments, []string{"http://uri.etsi.org/01903/v1.2.2#ProofOfOrigin"}) {
		t.Errorf("%q %q %q %q", sig.Place, sig.Roles, sig.MIMEType, sig.Commitments)
	}

	v1 := `<xades:SignedProperties` + nsX + ` Id="sp-sig"><xades:SignedSignatureProperties><xades:SigningTime>2009-01-02T03:04:05.678+01:00</xades:SigningTime><xades:SigningCertificate><xades:Cert><xades:CertDigest>` +
		`<ds:DigestMethod` + nsDS + ` Algorithm="` + sha256U + `"></ds:DigestMethod><ds:DigestValue` + nsDS + `>` + b64(hashOf(string(s.Certificate.Raw))) + `</ds:DigestValue></xades:CertDigest><xades:IssuerSerial><ds:X509IssuerName` + nsDS + `>CN=Somebody</ds:X509IssuerName>` +
		`<ds:X509SerialNumber` + nsDS + `>18446744073709551617</ds:X509SerialNumber></xades:IssuerSerial></xades:Cert></xades:SigningCertificate><xades:SignaturePolicyIdentifier><xades:SignaturePolicyImplied></xades:SignaturePolicyImplied></xades:SignaturePolicyIdentifier></xades:SignedSignatureProperties></xades:SignedProperties>`
	sig = read(t, s.make(t, &parts{references: ref("r1", objectType, "#data", tr(exc), sum(object)), objects: object, signedProperties: v1}))[0]
	if v := verdict(sig); v != "ok" || sig.Policy == nil || !sig.Policy.Implied || sig.SigningTime.UTC().Hour() != 2 || sig.CertRefs[0].Name != "CN=Somebody" || sig.CertRefs[0].Serial.String() != "18446744073709551617" {
		t.Errorf("%s %+v %v %+v", v, sig.Policy, sig.SigningTime, sig.CertRefs)
	}
}

// TestVersions reads the namespaces of all versions.
func TestVersions(t *testing.T) {
	t.Parallel()
	s := newSigner(t)
	for _, version := range []string{"1.1.1", "1.2.2", "1.3.2"} {
		p := strings.ReplaceAll(properties("sig", s.Certificate.Raw, ""), "v1.3.2", "v"+version)
		q := `<xades:QualifyingProperties xmlns:xades="http://uri.etsi.org/01903/v` + version + `#" Target="#sig">` + p + `</xades:QualifyingProperties>`
		doc := s.make(t, &parts{references: ref("r1", objectType, "#data", tr(exc), sum(object)), objects: object, qualifying: q,
			spReference: ref("", "http://uri.etsi.org/01903/v"+version+"#SignedProperties", "#sp-sig", tr(exc), sum(p))})
		sig := read(t, doc)[0]
		if v := verdict(sig); v != "ok" || sig.SubFormat != "XAdES "+version+", enveloping" || !sig.HasCertRefs {
			t.Errorf("%s: %s %s", version, v, sig.SubFormat)
		}
	}
}

// TestPlain reads a signature without properties.
func TestPlain(t *testing.T) {
	t.Parallel()
	s := newSigner(t)
	sig := read(t, s.make(t, &parts{references: ref("", "", "#data", tr(exc), sum(object)), objects: object, noProperties: true}))[0]
	if v := verdict(sig); v != "ok" || sig.Format != ades.XMLDSig || sig.Level != "" || len(sig.Findings) > 0 || sig.HasCertRefs {
		t.Errorf("%s %s %q %v", v, sig.Format, sig.Level, sig.Findings)
	}
}

// TestNone: files without a signature, and those that are refused.
func TestNone(t *testing.T) {
	t.Parallel()
	for doc, want := range map[string]error{
		"<a/>":                       ades.ErrNoSignature,
		`<Signature xmlns="urn:x"/>`: ades.ErrNoSignature,
		"<a>":                        ades.ErrRefused,
		"<!DOCTYPE a><a/>":           ades.ErrRefused,
		"":                           ades.ErrRefused,
		"<r>" + strings.Repeat(`<Signature xmlns="http://www.w3.org/2000/09/xmldsig#"/>`, 1200) + "</r>": ades.ErrRefused,
	} {
		if _, err := ReadDocument(t.Context(), []byte(doc), nil, Options{}); !errors.Is(err, want) {
			t.Errorf("%.40q: %v", doc, err)
		}
	}
	list := read(t, `<r><Signature xmlns="http://www.w3.org/2000/09/xmldsig#"/><Signature xmlns="http://www.w3.org/2000/09/xmldsig#"/></r>`)
	if len(list) != 2 || list[0].ID == list[1].ID || verdict(list[0]) != string(ades.BadStructure) {
		t.Errorf("%d empty signatures", len(list))
	}
}

// TestFlips changes every byte of a signed document: never may everything fit again.
func TestFlips(t *testing.T) {
	t.Parallel()
	s := newSigner(t)
	for _, make := range []func(testing.TB) (string, *parts){s.enveloped, s.enveloping} {
		doc, p := make(t)
		if verdict(read(t, doc)[0]) != "ok" {
			t.Fatal("the document itself")
		}
		// What nobody signs: KeyInfo, the properties' frame, and where the value stands, its Id and namespaces.
		free := []string{p.keyInfo, p.value, "<ds:Object><xades:QualifyingProperties" + nsX + ` Target="#sig">`, "</xades:QualifyingProperties></ds:Object>", `<ds:Signature` + nsDS + nsX + nsX141 + ` Id="sig">`, "</ds:Signature>"}
		skip := map[int]bool{}
		for _, f := range free {
			at := strings.Index(doc, f)
			for i := range f {
				skip[at+i] = true
			}
		}
		for i := range doc {
			if skip[i] {
				continue
			}
			changed := []byte(doc)
			changed[i] ^= 1 << (i % 7)
			list, err := ReadDocument(t.Context(), changed, nil, Options{})
			if err != nil || canonical(t, changed) == canonical(t, []byte(doc)) {
				continue // not XML, or the same XML: an unused namespace prefix, white space in a tag
			}
			for _, sig := range list {
				if verdict(sig) == "ok" && sig.CoversWholeFile {
					t.Errorf("byte %d (%q to %q) of %s makes no difference", i, doc[i], changed[i], doc[max(0, i-30):min(len(doc), i+30)])
				}
			}
		}
	}
}

// canonical is the exclusive canonical form.
func canonical(t testing.TB, doc []byte) string {
	t.Helper()
	d, err := xmldsig.Parse(doc, xmldsig.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := d.Canonicalize(t.Context(), &b, nil, xmldsig.Method{Exclusive: true}); err != nil {
		return ""
	}
	return b.String()
}
