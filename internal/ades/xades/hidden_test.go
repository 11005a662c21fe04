package xades_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/ades/xades"
	"github.com/eidkit/eidkit/testcards/pki"
)

const (
	order = `<order xmlns="urn:o"><line>a</line></order>`
	pay   = `<x:pay xmlns:x="urn:x">1000</x:pay>`
)

// hidings put data into the signature that first is a document with, where it is not over them.
func hidings(first string) map[string]string {
	const key, end = "</ds:KeyInfo>", "</xades:QualifyingProperties>"
	unsigned := func(s string) string {
		return strings.Replace(first, end, "<xades:UnsignedProperties><xades:UnsignedSignatureProperties>"+s+"</xades:UnsignedSignatureProperties></xades:UnsignedProperties>"+end, 1)
	}
	value := func(s string) string {
		return unsigned("<xades:CertificateValues><xades:EncapsulatedX509Certificate>" + s + "</xades:EncapsulatedX509Certificate></xades:CertificateValues>")
	}
	return map[string]string{
		"an element in KeyInfo":         strings.Replace(first, key, pay+key, 1),
		"an element in X509Data":        strings.Replace(first, "</ds:X509Data>", pay+"</ds:X509Data>", 1),
		"an element in a certificate":   strings.Replace(first, "</ds:X509Certificate>", pay+"</ds:X509Certificate>", 1),
		"an attribute of KeyInfo":       strings.Replace(first, "<ds:KeyInfo", `<ds:KeyInfo pay="1000"`, 1),
		"a foreign attribute":           strings.Replace(first, "<ds:KeyInfo", `<ds:KeyInfo xmlns:x="urn:x" x:pay="1000"`, 1),
		"text in KeyInfo":               strings.Replace(first, key, "1000"+key, 1),
		"text in the signature":         strings.Replace(first, "<ds:KeyInfo", "1000<ds:KeyInfo", 1),
		"an instruction":                strings.Replace(first, key, "<?pay 1000?>"+key, 1),
		"MgmtData":                      strings.Replace(first, key, "<ds:MgmtData>1000</ds:MgmtData>"+key, 1),
		"an unsigned property":          unsigned(pay),
		"text among them":               unsigned("1000"),
		"a made-up property":            unsigned("<xades:Pay>1000</xades:Pay>"),
		"text for base64":               value("pay 1000!"),
		"an element for base64":         value(pay),
		"another's certificate":         unsigned("<xades:CertificateValues><xades:OtherCertificate>" + pay + "</xades:OtherCertificate></xades:CertificateValues>"),
		"a data object property":        strings.Replace(first, end, "<xades:UnsignedProperties><xades:UnsignedDataObjectProperties>"+pay+"</xades:UnsignedDataObjectProperties></xades:UnsignedProperties>"+end, 1),
		"an element among properties":   strings.Replace(first, end, pay+end, 1),
		"text among properties":         strings.Replace(first, end, "1000"+end, 1),
		"an object":                     strings.Replace(first, "</ds:Signature>", "<ds:Object>"+pay+"</ds:Object></ds:Signature>", 1),
		"text in an object":             strings.Replace(first, "</ds:Signature>", "<ds:Object>1000</ds:Object></ds:Signature>", 1),
		"a manifest that is not signed": strings.Replace(first, "</ds:Signature>", "<ds:Object><ds:Manifest>"+pay+"</ds:Manifest></ds:Object></ds:Signature>", 1),
		"a fake counter-signature":      unsigned("<xades:CounterSignature><ds:Signature>" + pay + "</ds:Signature></xades:CounterSignature>"),
		"a counter-signature's beside":  unsigned("<xades:CounterSignature>" + pay + "</xades:CounterSignature>"),
		"an element of its own":         strings.Replace(first, "</ds:Signature>", pay+"</ds:Signature>", 1),
	}
}

// TestHiddenIsNotSigned: a new signature leaves out no ds:Signature that is more, or less, than a sound one.
func TestHiddenIsNotSigned(t *testing.T) {
	t.Parallel()
	m := newMaker(t, pki.EC, false)
	first := string(m.sign(t, []byte(order), nil, xades.MakeOptions{}, nil))
	cases := hidings(first)
	for name, fake := range map[string]string{
		"empty": "", "an element": pay, "text": "1000", "KeyInfo": "<ds:KeyInfo>" + pay + "</ds:KeyInfo>", "properties": "<ds:Object><QualifyingProperties>" + pay + "</QualifyingProperties></ds:Object>",
		"a manifest": "<ds:Object><ds:Manifest>" + pay + "</ds:Manifest></ds:Object>", "empty parts": "<ds:SignedInfo/><ds:SignatureValue/>",
		"no key":            `<ds:SignedInfo><ds:CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/><ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"/><ds:Reference URI="a.txt"><ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/><ds:DigestValue>AAAA</ds:DigestValue></ds:Reference></ds:SignedInfo><ds:SignatureValue>AAAA</ds:SignatureValue>`,
		"another algorithm": `<ds:SignedInfo><ds:CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/><ds:SignatureMethod Algorithm="urn:mine"/><ds:Reference URI="a.txt"><ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/><ds:DigestValue>AAAA</ds:DigestValue></ds:Reference></ds:SignedInfo><ds:SignatureValue>AAAA</ds:SignatureValue>`,
	} {
		cases["fake: "+name] = strings.Replace(order, "</order>", `<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#">`+fake+"</ds:Signature></order>", 1)
	}
	for name, doc := range cases {
		if doc == first {
			t.Fatalf("%s: nothing is hidden", name)
		}
		out, err := xades.Prepare(t.Context(), m.making, []byte(doc), nil, xades.MakeOptions{})
		if !errors.Is(err, ades.ErrUnsuitable) && !errors.Is(err, ades.ErrBroken) || out != nil {
			t.Errorf("%s: signed: %v", name, err)
		}
	}
	// What another signer is over can be changed by him, with a new value: only parts of signatures may stand there.
	theirs := newMaker(t, pki.EC, false)
	theirs.making.Roles = []string{"director"}
	m.sign(t, theirs.sign(t, []byte(order), nil, xades.MakeOptions{}, nil), nil, xades.MakeOptions{}, nil)
	signs, err := xades.Prepare(t.Context(), m.making, []byte("<r>"+string(enveloping(t, m))+"</r>"), nil, xades.MakeOptions{})
	if !errors.Is(err, ades.ErrUnsuitable) || signs != nil {
		t.Errorf("data that another signed: %v", err)
	}
}

// enveloping is a signature with data in it that it is over.
func enveloping(t *testing.T, m *maker) []byte {
	t.Helper()
	doc := m.sign(t, nil, []ades.Content{file("pay", pay)}, xades.MakeOptions{Packaging: xades.PackEnveloping, Inline: true}, nil)
	return doc[strings.Index(string(doc), "<ds:Signature"):]
}

// TestHiddenIsSeen: the verifier warns of data inside what a signature leaves out, in others and in itself.
func TestHiddenIsSeen(t *testing.T) {
	t.Parallel()
	m := newMaker(t, pki.RSA, false)
	now := signingTime.Add(time.Hour)
	warned := func(doc []byte) (count, signatures int, passed bool) {
		rep := m.report(t, doc, nil, now, ades.LevelB)
		for _, s := range rep.Signatures {
			for _, w := range s.Warnings {
				if w.Code == string(ades.DataInSignature) {
					count++
				}
			}
		}
		return count, len(rep.Signatures), rep.Passed()
	}
	first := m.sign(t, []byte(order), nil, xades.MakeOptions{}, nil)
	for name, doc := range hidings(string(first)) {
		if count, _, _ := warned([]byte(doc)); count == 0 && name != "a fake counter-signature" {
			t.Errorf("%s: no warning", name)
		}
	}
	two := m.sign(t, first, nil, xades.MakeOptions{}, nil)
	for name, doc := range hidings(string(two)) { // put in afterwards, by others
		if count, _, _ := warned([]byte(doc)); count != 2 && name != "a fake counter-signature" {
			t.Errorf("%s, of two signatures: %d warnings", name, count)
		}
	}
	inserted := []byte(strings.Replace(string(first), "</order>", `<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:Object>`+pay+"</ds:Object></ds:Signature></order>", 1))
	if count, _, passed := warned(inserted); count == 0 || passed {
		t.Errorf("a fake put in: %d warnings, passed %t", count, passed)
	}
	// Signatures as they should be: none.
	lta := m.sign(t, two, nil, xades.MakeOptions{}, m.raising(ades.LevelLTA, signingTime.Add(time.Minute)))
	d, err := xades.PrepareCountersignature(t.Context(), lta, readIDs(t, lta)[0], m.making)
	if err != nil {
		t.Fatal(err)
	}
	all := m.finish(t, d, nil)
	if count, signatures, passed := warned(m.sign(t, all, nil, xades.MakeOptions{}, nil)); count != 0 || signatures != 4 || !passed {
		t.Errorf("four signatures: %d of them, %d warnings, passed %t", signatures, count, passed)
	}
	objects := m.sign(t, []byte(order), []ades.Content{}, xades.MakeOptions{Alone: true}, nil)
	if count, _, _ := warned(objects); count != 0 {
		t.Error("alone: a warning")
	}
}

// readIDs are the names of the signatures.
func readIDs(t *testing.T, doc []byte) (ids []string) {
	t.Helper()
	list, err := xades.ReadDocument(t.Context(), doc, nil, xades.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range list {
		ids = append(ids, s.ID)
	}
	return ids
}
