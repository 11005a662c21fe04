package xades

import (
	"slices"
	"strings"
	"testing"

	"github.com/eidkit/eidkit/internal/ades"
)

const (
	certValues = `<xades:CertificateValues` + nsX + `><xades:EncapsulatedX509Certificate>CERT</xades:EncapsulatedX509Certificate></xades:CertificateValues>`
	certRefs   = `<xades:CompleteCertificateRefs` + nsX + `><xades:CertRefs></xades:CertRefs></xades:CompleteCertificateRefs>`
	certRefsV2 = `<xades141:CompleteCertificateRefsV2` + nsX141 + `><xades141:CertRefs></xades141:CertRefs></xades141:CompleteCertificateRefsV2>`
	revRefs    = `<xades:CompleteRevocationRefs` + nsX + `></xades:CompleteRevocationRefs>`
)

// TestTimestamps reads every kind of time stamp, over what the standard says and over anything else.
func TestTimestamps(t *testing.T) {
	t.Parallel()
	s := newSigner(t)
	values := strings.Replace(certValues, "CERT", b64(s.Issuer.Certificate.Raw), 1)
	stamp := func(prefix, name, covered string) string { return s.stampElement(t, prefix, name, "ts", "", covered) }
	for _, c := range []struct {
		name    string
		before  []string                             // unsigned properties before
		make    func(p *parts, before string) string // the time stamp
		kind    ades.TimestampKind
		version string
		level   string
	}{
		{"signature", nil, func(p *parts, _ string) string { return stamp("xades", "SignatureTimeStamp", p.value) }, ades.SignatureTS, "", "B-T"},
		{"references", []string{certRefs, values, revRefs}, func(p *parts, _ string) string { return stamp("xades", "RefsOnlyTimeStamp", certRefs+revRefs) }, ades.RefsOnly, "", "X"},
		{"references, second generation", []string{certRefsV2, revRefs}, func(p *parts, _ string) string { return stamp("xades141", "RefsOnlyTimeStampV2", certRefsV2+revRefs) }, ades.RefsOnly, "", "X"},
		{"signature and references", []string{certRefs, revRefs}, func(p *parts, _ string) string {
			return stamp("xades", "SigAndRefsTimeStamp", p.value+certRefs+revRefs)
		}, ades.SigAndRefs, "", "X"},
		{"signature and references, second generation", []string{certRefsV2, revRefs}, func(p *parts, _ string) string {
			return stamp("xades141", "SigAndRefsTimeStampV2", p.value+certRefsV2+revRefs)
		}, ades.SigAndRefs, "", "X"},
		{"archive", []string{values, revRefs}, func(p *parts, before string) string {
			return stamp("xades141", "ArchiveTimeStamp", object+p.signedProperties+p.signedInfo+p.value+p.keyInfo+before+object)
		}, ades.ArchiveTS, "xades141", "A"},
		{"archive, first generation", []string{values}, func(p *parts, before string) string {
			return stamp("xades", "ArchiveTimeStamp", object+p.signedProperties+p.signedInfo+p.value+p.keyInfo+before)
		}, ades.ArchiveTS, "xades132", "A"},
	} {
		_, p := s.enveloping(t)
		before := strings.Join(c.before, "")
		p.unsigned = append(slices.Clone(c.before), c.make(p, before), `<xades:AnyLater`+nsX+`></xades:AnyLater>`)
		sig := read(t, p.assemble())[0]
		if len(sig.Timestamps) != 1 {
			t.Errorf("%s: %d time stamps, %v", c.name, len(sig.Timestamps), sig.Findings)
			continue
		}
		ts := sig.Timestamps[0]
		if !ts.Found || !ts.Intact || ts.Kind != c.kind || ts.Version != c.version || ts.Token == nil || ts.ID != "ts" || sig.Level != c.level {
			t.Errorf("%s: found %v, intact %v, %s %q, level %s, %v", c.name, ts.Found, ts.Intact, ts.Kind, ts.Version, sig.Level, ts.Findings)
		}
		value := slices.Contains(ts.Covers, ades.ObjectDigest(sig.Value))
		if value != (c.kind != ades.RefsOnly) {
			t.Errorf("%s: covers the signature value: %v", c.name, value)
		}
		issuer := slices.Contains(ts.Covers, ades.ObjectDigest(s.Issuer.Certificate.Raw))
		if issuer != (c.kind == ades.ArchiveTS) {
			t.Errorf("%s: covers the issuer's certificate: %v", c.name, issuer)
		}
		// The signer's certificate is proved where SigningCertificate is in the imprint, not by way of the value.
		own := slices.Contains(ts.Covers, ades.ObjectDigest(s.Certificate.Raw))
		if own != (c.kind == ades.ArchiveTS) {
			t.Errorf("%s: covers the signer's certificate: %v", c.name, own)
		}
		// Over something else, nothing is proved.
		wrong := *p
		wrong.unsigned = slices.Clone(p.unsigned)
		wrong.unsigned[len(c.before)] = s.stampElement(t, "xades", strings.TrimSuffix(nameOf(p.unsigned[len(c.before)]), "V2"), "ts", "", "something else")
		if ts := read(t, wrong.assemble())[0].Timestamps[0]; ts.Intact || len(ts.Covers) > 0 {
			t.Errorf("%s: over something else, intact %v, covers %d", c.name, ts.Intact, len(ts.Covers))
		}
		// After any change before it, an archive time stamp does not fit.
		if c.kind == ades.ArchiveTS {
			wrong.unsigned = append([]string{`<xades:More` + nsX + `></xades:More>`}, p.unsigned...)
			if read(t, wrong.assemble())[0].Timestamps[0].Intact {
				t.Errorf("%s: a property put before it makes no difference", c.name)
			}
		}
	}
}

// nameOf is the local name of an element as text.
func nameOf(element string) string {
	_, rest, _ := strings.Cut(element, ":")
	name, _, _ := strings.Cut(rest, " ")
	return name
}

// TestContentTimestamps reads those among the signed properties.
func TestContentTimestamps(t *testing.T) {
	t.Parallel()
	s := newSigner(t)
	second := `<ds:Object` + nsDS + ` Id="more">more data</ds:Object>`
	references := ref("r1", objectType, "#data", tr(exc), sum(object)) + ref("r2", objectType, "#more", tr(exc), sum(second))
	include := func(uri, referenced string) string {
		return `<xades:Include URI="` + uri + `"` + referenced + `></xades:Include>`
	}
	for _, c := range []struct {
		name, property, includes, covered string
		found, intact                     bool
	}{
		{"all", "AllDataObjectsTimeStamp", "", object + second, true, true},
		{"all but one", "AllDataObjectsTimeStamp", "", object, true, false},
		{"one", "IndividualDataObjectsTimeStamp", include("#r2", ` referencedData="true"`), second, true, true},
		{"both, in the order said", "IndividualDataObjectsTimeStamp", include("#r2", ` referencedData="true"`) + include("#r1", ` referencedData="true"`), second + object, true, true},
		{"another", "IndividualDataObjectsTimeStamp", include("#r1", ` referencedData="true"`), second, true, false},
		{"the reference itself", "IndividualDataObjectsTimeStamp", include("#r2", ""), second, false, false},
		{"none", "IndividualDataObjectsTimeStamp", "", "", false, false},
		{"nothing there", "IndividualDataObjectsTimeStamp", include("#r3", ` referencedData="true"`), second, false, false},
	} {
		data := "<xades:SignedDataObjectProperties>" + strings.ReplaceAll(s.stampElement(t, "xades", c.property, "cts", c.includes, c.covered), nsX, "") + "</xades:SignedDataObjectProperties>"
		sig := read(t, s.make(t, &parts{references: references, objects: object + second, signedData: data}))[0]
		if v := verdict(sig); v != "ok" || len(sig.Timestamps) != 1 {
			t.Errorf("%s: %s, %d time stamps", c.name, v, len(sig.Timestamps))
			continue
		}
		if ts := sig.Timestamps[0]; ts.Found != c.found || ts.Intact != c.intact || ts.Kind != ades.ContentTS {
			t.Errorf("%s: found %v, intact %v", c.name, ts.Found, ts.Intact)
		}
	}
}

// TestExplicit: a time stamp that lists what it is over covers that and no more.
func TestExplicit(t *testing.T) {
	t.Parallel()
	s := newSigner(t)
	_, p := s.enveloping(t)
	include := `<xades:Include URI="#value-sig"></xades:Include>`
	other := `<xades:Include URI="#data"></xades:Include>`
	p.unsigned = []string{s.stampElement(t, "xades", "SignatureTimeStamp", "t1", include, p.value), s.stampElement(t, "xades", "SignatureTimeStamp", "t2", other, object),
		s.stampElement(t, "xades", "ArchiveTimeStamp", "t3", include+other, p.value+object), s.stampElement(t, "xades", "SignatureTimeStamp", "t4", `<xades:Include URI="#none"></xades:Include>`, p.value)}
	sig := read(t, p.assemble())[0]
	want := []struct{ intact, value bool }{{true, true}, {true, false}, {true, true}, {false, false}}
	for i, ts := range sig.Timestamps {
		if value := slices.Contains(ts.Covers, ades.ObjectDigest(sig.Value)); ts.Intact != want[i].intact || value != want[i].value {
			t.Errorf("%s: intact %v, covers the value %v", ts.ID, ts.Intact, value)
		}
	}
}

// TestOddTimestamps: what is no token is a finding, and the rest is read.
func TestOddTimestamps(t *testing.T) {
	t.Parallel()
	s := newSigner(t)
	_, p := s.enveloping(t)
	good := s.stampElement(t, "xades", "SignatureTimeStamp", "good", "", p.value)
	strange := func(in string) string {
		return `<xades:SignatureTimeStamp` + nsX + `>` + in + `</xades:SignatureTimeStamp>`
	}
	p.unsigned = []string{strange("<xades:EncapsulatedTimeStamp>!</xades:EncapsulatedTimeStamp>"), strange("<xades:XMLTimeStamp></xades:XMLTimeStamp>"), strange(""),
		strange("<xades:EncapsulatedTimeStamp>MAA=</xades:EncapsulatedTimeStamp>"), good,
		strings.Replace(good, exc, "urn:unknown", 1), `<xades:CertificateValues` + nsX + `><xades:EncapsulatedX509Certificate>MAA=</xades:EncapsulatedX509Certificate></xades:CertificateValues>`,
		`<xades:RevocationValues` + nsX + `><xades:OCSPValues><xades:EncapsulatedOCSPValue>AAAA</xades:EncapsulatedOCSPValue></xades:OCSPValues></xades:RevocationValues>`}
	sig := read(t, p.assemble())[0]
	if got := codes(sig); strings.Count(got, string(ades.BadTimestamp)) < 3 || !strings.Contains(got, string(ades.BadCertificate)) || !strings.Contains(got, string(ades.BadRevocation)) {
		t.Errorf("findings: %s", got)
	}
	intact := 0
	for _, ts := range sig.Timestamps {
		if ts.Intact {
			intact++
		}
	}
	if intact != 1 || !sig.References[0].Intact {
		t.Errorf("%d of %d time stamps are intact", intact, len(sig.Timestamps))
	}
}

// TestStampedNoise: a time stamp over bytes that later stand as the value of a signature proves these bytes, and no certificate that
// somebody names beside them.
func TestStampedNoise(t *testing.T) {
	t.Parallel()
	s := newSigner(t)
	_, p := s.enveloping(t)
	p.value = `<ds:SignatureValue` + nsDS + ` Id="value-sig">` + b64(make([]byte, 96)) + `</ds:SignatureValue>`
	p.unsigned = []string{s.stampElement(t, "xades", "SignatureTimeStamp", "ts", "", p.value)}
	sig := read(t, p.assemble())[0]
	if len(sig.Timestamps) != 1 || !sig.Timestamps[0].Intact || len(sig.CertRefs) != 1 {
		t.Fatalf("%d time stamps, %v", len(sig.Timestamps), sig.Findings)
	}
	for _, d := range sig.Timestamps[0].Covers {
		if d == ades.ObjectDigest(s.Certificate.Raw) {
			t.Error("the certificate is said to have existed")
		}
	}
	if got := verdict(sig); got != "value" {
		t.Errorf("the signature: %s", got)
	}
}

// TestNoValue: a SignatureValue that is empty or no base64 fits no key; the structure stands.
func TestNoValue(t *testing.T) {
	t.Parallel()
	s := newSigner(t)
	doc, p := s.enveloping(t)
	for _, value := range []string{"", " ", "?", "MAA=", "AAAA?"} {
		sig := read(t, strings.Replace(doc, p.value, `<ds:SignatureValue`+nsDS+` Id="value-sig">`+value+`</ds:SignatureValue>`, 1))[0]
		if got := verdict(sig); got != "value" {
			t.Errorf("%q: %s, %v", value, got, sig.Findings)
		}
	}
}

// TestEmptyValues: RevocationValues with nothing in a list of it is not what the schema asks for.
func TestEmptyValues(t *testing.T) {
	t.Parallel()
	s := newSigner(t)
	const value = `<xades:EncapsulatedOCSPValue>MAA=</xades:EncapsulatedOCSPValue>`
	for _, c := range []struct {
		values string
		bad    bool
	}{
		{``, false},
		{`<xades:OCSPValues></xades:OCSPValues>`, true},
		{`<xades:CRLValues></xades:CRLValues>`, true},
		{`<xades:OCSPValues> <!-- --> </xades:OCSPValues>`, true},
		{`<xades:CRLValues>` + value + `</xades:CRLValues>`, true},
		{`<xades:OCSPValues>` + value + `</xades:OCSPValues>`, false},
		{`<xades:CRLValues></xades:CRLValues><xades:OCSPValues>` + value + `</xades:OCSPValues>`, true},
	} {
		for _, frame := range []string{"xades:RevocationValues", "xades:AttributeRevocationValues"} {
			_, p := s.enveloping(t)
			p.unsigned = []string{`<` + frame + nsX + `>` + c.values + `</` + frame + `>`}
			if got := codes(read(t, p.assemble())[0]); strings.Contains(got, string(ades.BadStructure)) != c.bad {
				t.Errorf("%s with %s: %q", frame, c.values, got)
			}
		}
	}
}

// TestCounterSignatures reads signatures over a signature, and what only looks like one.
func TestCounterSignatures(t *testing.T) {
	t.Parallel()
	s := newSigner(t)
	for _, c := range []struct{ name, kind, uri, want string }{
		{"typed", counterType, "#value-sig", "ok"},
		{"without type", "", "#value-sig", "ok"},
		{"over something else", "", "#data", string(ades.BadStructure)},
	} {
		_, p := s.enveloping(t)
		covered := p.value
		if c.uri == "#data" {
			covered = object
		}
		counter := s.make(t, &parts{id: "counter", references: ref("", c.kind, c.uri, tr(exc), sum(covered))})
		p.unsigned = []string{`<xades:CounterSignature` + nsX + `>` + counter + `</xades:CounterSignature>`}
		list := read(t, p.assemble())
		if len(list) != 1 || len(list[0].CounterSignatures) != 1 || verdict(list[0]) != "ok" {
			t.Errorf("%s: %d signatures", c.name, len(list))
			continue
		}
		cs := list[0].CounterSignatures[0]
		if got := verdict(cs); got != c.want || cs.ID != "counter" {
			t.Errorf("%s: %s", c.name, got)
		}
	}
	_, p := s.enveloping(t)
	counter := s.make(t, &parts{id: "counter", references: ref("", counterType, "#value-sig", tr(exc), sum(p.value))})
	if list := read(t, "<r><xades:CounterSignature"+nsX+">"+counter+"</xades:CounterSignature>"+p.assemble()+"</r>"); len(list) != 2 || verdict(list[0]) != "ok" || verdict(list[1]) != "ok" {
		t.Errorf("a counter-signature that stands elsewhere: %d signatures", len(list))
	}
}
