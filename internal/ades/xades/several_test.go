package xades_test

import (
	"bytes"
	"crypto"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/ades/xades"
	"github.com/eidkit/eidkit/internal/sigalg"
	"github.com/eidkit/eidkit/internal/xmldsig"
	"github.com/eidkit/eidkit/testcards/pki"
	"github.com/eidkit/eidkit/testcards/signed"
)

// TestSeveral signs a document three times: each signature leaves those before valid, and raising one leaves the others.
func TestSeveral(t *testing.T) {
	t.Parallel()
	m, other := newMaker(t, pki.RSA, false), newMaker(t, pki.EC, false)
	now := signingTime.Add(time.Hour)
	for name, o := range map[string][]xades.MakeOptions{
		"whole document":        {{}, {}, {}},
		"elements and document": {{References: []xades.Ref{{URI: "#a1"}}}, {}, {Parent: "a2", References: []xades.Ref{{URI: "#a2"}, {URI: "#a1"}}}},
		"alone last":            {{}, {Alone: true}},
	} {
		doc := []byte(invoice)
		var ids []string
		for i, o := range o {
			who := m
			if i == 1 && name != "alone last" {
				who = other
			}
			d, err := xades.Prepare(t.Context(), who.making, doc, nil, o)
			if err != nil {
				t.Fatalf("%s, signature %d: %v", name, i+1, err)
			}
			ids = append(ids, d.ID())
			doc = who.finish(t, d, nil)
			for n, id := range ids {
				judge := m
				if n == 1 && name != "alone last" {
					judge = other
				}
				judge.xmlsec(t, fmt.Sprintf("%s, signature %d of %d", name, n+1, i+1), doc, id, nil)
			}
		}
		slices.Sort(ids)
		if len(slices.Compact(ids)) != len(o) {
			t.Errorf("%s: signatures with one Id: %v", name, ids)
		}
		m.anchors.Add(other.pki.Root.Certificate)
		m.judge(t, name, doc, nil, now, ades.LevelB, len(o))
		if name == "alone last" {
			if _, err := xades.Prepare(t.Context(), m.making, doc, nil, xades.MakeOptions{}); !errors.Is(err, ades.ErrUnsuitable) || !strings.Contains(err.Error(), "over the place") {
				t.Errorf("a signature more inside what one is over: %v", err)
			}
			continue
		}
		one := *m.raising(ades.LevelLTA, now)
		one.IDs = ids[:1]
		raised, err := xades.Raise(t.Context(), doc, nil, one)
		if err != nil {
			t.Fatal(err)
		}
		rep := m.report(t, raised, nil, now.Add(time.Hour), ades.LevelB)
		if levels := fmt.Sprint(rep.Signatures[0].Level, rep.Signatures[1].Level, rep.Signatures[2].Level); !rep.Passed() || strings.Count(levels, "LTA") != 1 {
			t.Errorf("%s: one raised: %s %v", name, rep.Indication, levels)
		}
		// Signed again and by others, in between.
		more := m.sign(t, raised, nil, xades.MakeOptions{}, m.raising(ades.LevelT, now))
		if rep := m.report(t, more, nil, now.Add(time.Hour), ades.LevelB); !rep.Passed() || len(rep.Signatures) != 4 {
			t.Errorf("%s: a fourth: %s", name, rep.Indication)
		}
	}
}

// TestEarlierOfOthers: what others signed stays valid, or nothing is put in.
func TestEarlierOfOthers(t *testing.T) {
	t.Parallel()
	m := newMaker(t, pki.RSA, false)
	sign := func(x signed.XML) []byte {
		doc, err := signed.XAdES([]byte(`<a><b id="b">Ik verklaar</b></a>`), x, signed.Options{PKI: m.pki, Signer: m.who, At: signingTime})
		if err != nil {
			t.Fatal(err)
		}
		return doc
	}
	doc := m.sign(t, sign(signed.XML{Packaging: signed.EnvelopedXPath}), nil, xades.MakeOptions{}, nil)
	m.judge(t, "by XPath", doc, nil, signingTime.Add(time.Hour), ades.LevelB, 2)
	whole := sign(signed.XML{})
	if _, err := xades.Prepare(t.Context(), m.making, whole, nil, xades.MakeOptions{}); !errors.Is(err, ades.ErrUnsuitable) {
		t.Errorf("into what another signed whole: %v", err)
	}
	broken := bytes.Replace(whole, []byte("Ik"), []byte("Wij"), 1)
	if _, err := xades.Prepare(t.Context(), m.making, broken, nil, xades.MakeOptions{}); !errors.Is(err, ades.ErrBroken) {
		t.Errorf("into what is broken: %v", err)
	}
	enveloping := sign(signed.XML{Packaging: signed.Enveloping})
	if _, err := xades.Prepare(t.Context(), m.making, enveloping, nil, xades.MakeOptions{}); !errors.Is(err, ades.ErrUnsuitable) || !strings.Contains(err.Error(), "inside another signature") {
		t.Errorf("into a signature: %v", err)
	}
	around := []byte("<r>" + string(enveloping) + "</r>")
	if _, err := xades.Prepare(t.Context(), m.making, around, nil, xades.MakeOptions{}); !errors.Is(err, ades.ErrUnsuitable) || !strings.Contains(err.Error(), "data inside a signature") {
		t.Errorf("over a document whose data a signature hides: %v", err)
	}
	m.judge(t, "all of it", m.sign(t, around, nil, xades.MakeOptions{Alone: true}, nil), nil, signingTime.Add(time.Hour), ades.LevelB, 2)
}

// TestCountersign signs signatures, and signatures over these, in signatures of this maker and another.
func TestCountersign(t *testing.T) {
	t.Parallel()
	m, other := newMaker(t, pki.RSA, false), newMaker(t, pki.EC, false)
	m.anchors.Add(other.pki.Root.Certificate)
	theirs, err := signed.XAdES([]byte("<a>Ik verklaar</a>"), signed.XML{}, signed.Options{PKI: m.pki, Signer: m.who, At: signingTime, Level: signed.T})
	if err != nil {
		t.Fatal(err)
	}
	now := signingTime.Add(time.Hour)
	for name, doc := range map[string][]byte{
		"level B":   m.sign(t, []byte(invoice), nil, xades.MakeOptions{}, nil),
		"level LTA": m.sign(t, []byte(invoice), nil, xades.MakeOptions{}, m.raising(ades.LevelLTA, signingTime.Add(time.Minute))),
		"no Id":     bytes.Replace(m.sign(t, []byte(invoice), nil, xades.MakeOptions{}, nil), []byte(`SignatureValue Id="`), []byte(`SignatureValue n="`), 1),
		"another's": theirs,
	} {
		list, err := xades.ReadDocument(t.Context(), doc, nil, xades.Options{})
		if err != nil {
			t.Fatal(err)
		}
		id := list[0].ID
		for _, who := range []*maker{other, m, other} {
			d, err := xades.PrepareCountersignature(t.Context(), doc, id, who.making)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			next := who.finish(t, d, nil)
			insertion(t, name, doc, next)
			who.xmlsec(t, name, next, d.ID(), nil)
			if doc = next; who == m {
				id = d.ID() // the third is over the second
			}
		}
		rep := m.report(t, doc, nil, now, ades.LevelB)
		s := rep.Signatures[0]
		if !rep.Passed() || len(rep.Signatures) != 1 || len(s.CounterSignatures) != 2 || len(s.CounterSignatures[1].CounterSignatures) != 1 || len(s.CounterSignatures[0].Errors) > 0 {
			t.Errorf("%s: %s %s, %d counter-signatures: %+v", name, rep.Indication, rep.SubIndication, len(s.CounterSignatures), s.Errors)
		}
		raising := *m.raising(ades.LevelT, now)
		raising.IDs = []string{id}
		if doc, err = xades.Raise(t.Context(), doc, nil, raising); err != nil {
			t.Fatalf("%s: raising a counter-signature: %v", name, err)
		}
		if s := m.report(t, doc, nil, now, ades.LevelB).Signatures[0]; s.CounterSignatures[1].Level != "B-T" {
			t.Errorf("%s: counter-signature at %s", name, s.CounterSignatures[1].Level)
		}
	}
	plain := strings.NewReplacer("<ds:Object>", "<!--", "</ds:Object>", "-->").Replace(string(theirs))
	for name, c := range map[string]struct {
		doc, id string
		want    error
	}{
		"plain":      {plain, "sig-1", ades.ErrBroken},
		"none":       {string(theirs), "other", ades.ErrUnsuitable},
		"DOCTYPE":    {"<!DOCTYPE a [<!ENTITY b '1'>]><a/>", "a", ades.ErrUnsuitable},
		"unsigned":   {"<a/>", "a", ades.ErrNoSignature},
		"value gone": {strings.Replace(string(theirs), `-value">`, `-value">AAAA`, 1), "sig-1", ades.ErrBroken},
	} {
		_, err := xades.PrepareCountersignature(t.Context(), []byte(c.doc), c.id, m.making)
		if name == "plain" && errors.Is(err, ades.ErrUnsuitable) {
			continue
		}
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

// TestRefused lists what is not signed, with words that a user understands.
func TestRefused(t *testing.T) {
	t.Parallel()
	m := newMaker(t, pki.RSA, false)
	files := []ades.Content{file("a", "x"), file("b", "<!DOCTYPE b><b/>")}
	with := func(change func(*ades.Making)) ades.Making {
		making := m.making
		change(&making)
		return making
	}
	for _, c := range []struct {
		says   string
		making ades.Making
		doc    string
		files  []ades.Content
		o      xades.MakeOptions
	}{
		{"no XML", m.making, "text", nil, xades.MakeOptions{}},
		{"DOCTYPE", m.making, "<!DOCTYPE a SYSTEM 'http://localhost/'><a/>", nil, xades.MakeOptions{}},
		{"needs a document", m.making, "", nil, xades.MakeOptions{}},
		{"document of its own", m.making, "<a/>", files, xades.MakeOptions{Packaging: xades.PackEnveloping}},
		{"0 references", m.making, "", nil, xades.MakeOptions{Packaging: xades.PackDetached}},
		{"no file", m.making, "<a/>", files, xades.MakeOptions{References: []xades.Ref{{URI: "c"}}}},
		{"two files", m.making, "", []ades.Content{files[0], files[0]}, xades.MakeOptions{Packaging: xades.PackDetached, References: []xades.Ref{{URI: "a"}}}},
		{"not found", m.making, "<a/>", nil, xades.MakeOptions{References: []xades.Ref{{URI: "#b"}}}},
		{"not found", m.making, "<a/>", nil, xades.MakeOptions{Parent: "b"}},
		{"not unique", m.making, "<a><b id='x'/><c id='x'/></a>", nil, xades.MakeOptions{References: []xades.Ref{{URI: "#x"}}}},
		{"relative namespace", m.making, "<a xmlns='b'/>", nil, xades.MakeOptions{}},
		{"no document", m.making, "", files, xades.MakeOptions{Packaging: xades.PackDetached, References: []xades.Ref{{}}}},
		{"DOCTYPE", m.making, "", files, xades.MakeOptions{Packaging: xades.PackEnveloping, Inline: true}},
		{"another file", m.making, "", []ades.Content{file("//evil/x", "x")}, xades.MakeOptions{Packaging: xades.PackDetached}},
		{"another file", m.making, "", []ades.Content{file("/etc/passwd", "x")}, xades.MakeOptions{Packaging: xades.PackDetached}},
		{"another file", m.making, "", []ades.Content{file("../x", "x")}, xades.MakeOptions{Packaging: xades.PackDetached}},
		{"another file", m.making, "", []ades.Content{file("a/./b", "x")}, xades.MakeOptions{Packaging: xades.PackDetached}},
		{"another file", m.making, "", []ades.Content{file("a/", "x")}, xades.MakeOptions{Packaging: xades.PackDetached}},
		{"only its digest", m.making, "", []ades.Content{{File: ades.File{Name: "a"}, Digests: map[crypto.Hash][]byte{crypto.SHA256: make([]byte, 32)}}}, xades.MakeOptions{Packaging: xades.PackEnveloping}},
		{"cannot be hashed", m.making, "", []ades.Content{{File: ades.File{Name: "a"}}}, xades.MakeOptions{Packaging: xades.PackDetached}},
		{"canonicalisation", m.making, "<a/>", nil, xades.MakeOptions{Canonicalization: "urn:none"}},
		{"does not go with", with(func(m *ades.Making) { m.Algorithm.Scheme = sigalg.ECDSA }), "<a/>", nil, xades.MakeOptions{}},
		{"no name in XML", with(func(m *ades.Making) { m.Algorithm.Hash = crypto.SHA512_256 }), "<a/>", nil, xades.MakeOptions{}},
		{"does not allow", with(func(m *ades.Making) { m.Roles = []string{"a\x00"} }), "<a/>", nil, xades.MakeOptions{}},
		{"does not allow", with(func(m *ades.Making) { m.Place.City = "\xff" }), "<a/>", nil, xades.MakeOptions{}},
		{"policy", with(func(m *ades.Making) { m.Policy = &ades.SignaturePolicy{ID: "1.2.3"} }), "<a/>", nil, xades.MakeOptions{}},
	} {
		var doc []byte
		if c.doc != "" {
			doc = []byte(c.doc)
		}
		if _, err := xades.Prepare(t.Context(), c.making, doc, c.files, c.o); !errors.Is(err, ades.ErrUnsuitable) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", c.says, err)
		}
	}
	d, err := xades.Prepare(t.Context(), m.making, []byte("<a/>"), nil, xades.MakeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	value := m.value(t, d.Digest())
	for _, wrong := range [][]byte{nil, value[:len(value)-1], m.value(t, make([]byte, 32))} {
		if out, err := d.Finish(t.Context(), wrong, nil); !errors.Is(err, ades.ErrValue) || out != nil {
			t.Errorf("a value that does not fit: %v", err)
		}
	}
}

// TestProperties makes a signature with all that can be claimed, and reads it back.
func TestProperties(t *testing.T) {
	t.Parallel()
	m := newMaker(t, pki.RSA, false)
	m.making.Policy = &ades.SignaturePolicy{ID: "2.16.56.1", Hash: crypto.SHA256, Digest: make([]byte, 32), URI: "https://example.test/policy?a=1&b=2"}
	m.making.Commitments = []string{"1.2.840.113549.1.9.16.6.1", "http://uri.etsi.org/01903/v1.2.2#ProofOfOrigin"}
	m.making.Roles = []string{`Zaakvoerder & "co" <€>`, "line\r\nbreak", "😀"}
	m.making.Place = ades.Place{Street: "Rue Haute 1", City: "Liège", Province: "Liège", PostalCode: "4000", Country: "BE"}
	m.making.MIMEType = "application/invoice+xml"
	m.making.ContentStamp = m.raising(ades.LevelT, signingTime.Add(-time.Minute)).Stamp
	for _, in := range []string{invoice, `<?xml version="1.0" encoding="ISO-8859-1"?><a/>`, "\xFE\xFF\x00<\x00a\x00/\x00>"} {
		doc := m.sign(t, []byte(in), nil, xades.MakeOptions{}, m.raising(ades.LevelLTA, signingTime.Add(time.Minute)))
		if rep := m.report(t, doc, nil, signingTime.Add(time.Hour), ades.LevelLTA); !rep.Passed() || rep.Signatures[0].Level != "B-LTA" {
			t.Errorf("%s: %s %s", in, rep.Indication, rep.SubIndication)
		}
		m.xmlsec(t, in, doc, "", nil)
		list, err := xades.ReadDocument(t.Context(), doc, nil, xades.Options{})
		if err != nil {
			t.Fatal(err)
		}
		s := list[0]
		got := fmt.Sprint(s.Policy.ID, s.Policy.URI, s.Policy.Hash, s.Commitments, s.Roles, s.Place, s.MIMEType, s.SigningTime.Equal(signingTime), len(s.CertRefs), s.Timestamps[0].Kind, s.Timestamps[0].Intact, s.CoversWholeFile)
		want := fmt.Sprint("2.16.56.1", "https://example.test/policy?a=1&b=2", crypto.SHA256, m.making.Commitments, m.making.Roles, "Liège, Rue Haute 1, Liège, 4000, BE", "application/invoice+xml", true, 1, ades.ContentTS, true, true)
		if got != want {
			t.Errorf("read back: %s\nwant: %s", got, want)
		}
	}
	m.making.Policy = &ades.SignaturePolicy{ID: "urn:oid:2.16.56.1", Hash: crypto.SHA256, Digest: make([]byte, 32)}
	if doc := m.sign(t, []byte(invoice), nil, xades.MakeOptions{}, nil); !bytes.Contains(doc, []byte(`<xades:Identifier Qualifier="OIDAsURN">urn:oid:2.16.56.1<`)) {
		t.Error("an OID given as a URN is not marked as one")
	}
	m.making.Policy = &ades.SignaturePolicy{Implied: true}
	list, err := xades.ReadDocument(t.Context(), m.sign(t, []byte(invoice), nil, xades.MakeOptions{}, nil), nil, xades.Options{})
	if err != nil || !list[0].Policy.Implied {
		t.Errorf("an implied policy: %v", err)
	}
}

// TestDeterministic: the same input, certificate and time give the same digest and, of RSA PKCS #1, the same bytes.
func TestDeterministic(t *testing.T) {
	t.Parallel()
	m := newMaker(t, pki.RSA, false)
	for _, w := range ways()[4:8] {
		var first []byte
		for range 2 {
			doc := m.sign(t, w.bytes(), w.files, w.o, m.raising(ades.LevelLTA, signingTime.Add(time.Minute)))
			if first == nil {
				first = doc
			}
			if !bytes.Equal(doc, first) {
				t.Fatalf("%s: the same input gives other bytes", w.name)
			}
		}
	}
	a, err := xades.Prepare(t.Context(), m.making, []byte(invoice), nil, xades.MakeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	m.making.Time = m.making.Time.Add(time.Second)
	b, err := xades.Prepare(t.Context(), m.making, []byte(invoice), nil, xades.MakeOptions{})
	if err != nil || a.ID() == b.ID() || bytes.Equal(a.Digest(), b.Digest()) {
		t.Errorf("another time gives the same signature: %v", err)
	}
}

// TestFlips changes bytes of what is signed: never does the signature pass with something else in it.
func TestFlips(t *testing.T) {
	t.Parallel()
	m := newMaker(t, pki.RSA, false)
	m.making.Roles = []string{"director"}
	random := rand.New(rand.NewPCG(1, 2))
	for _, level := range []ades.Level{ades.LevelB, ades.LevelLTA} {
		doc := m.sign(t, []byte(invoice), nil, xades.MakeOptions{}, m.raising(level, signingTime.Add(time.Minute)))
		meaning := func(data []byte) string {
			d, err := xmldsig.Parse(data, xmldsig.Limits{})
			if err != nil {
				return "no XML"
			}
			var b bytes.Buffer
			for _, n := range []*xmldsig.Node{nil, d.Root()} { // without comments, which nobody signs
				if err := d.Canonicalize(t.Context(), &b, n, xmldsig.Method{Exclusive: true}); err != nil {
					return "not canonical"
				}
			}
			return b.String()
		}
		want := meaning(doc)
		var region []int // places of what is signed
		within := func(from, to string) {
			start := max(0, bytes.Index(doc, []byte(from)))
			for i := range bytes.Index(doc[start:], []byte(to)) {
				region = append(region, start+i)
			}
		}
		within("", "<ds:Signature ")
		within("<ds:SignedInfo>", "<ds:SignatureValue")
		within("-value\">", "</ds:SignatureValue>")
		within("<xades:SignedProperties", "</xades:SignedProperties>")
		for range map[ades.Level]int{ades.LevelB: 100, ades.LevelLTA: 40}[level] {
			i := region[random.IntN(len(region))]
			changed := bytes.Clone(doc)
			changed[i] ^= 1 << random.IntN(8)
			if changed[i] == 0 || meaning(changed) == want {
				continue
			}
			if rep := m.report(t, changed, nil, signingTime.Add(time.Hour), level); rep.Passed() {
				at := max(0, i-30)
				t.Errorf("level %v, byte %d from %q to %q: passed: %q", level, i, doc[i], changed[i], changed[at:i+20])
			}
		}
	}
}
