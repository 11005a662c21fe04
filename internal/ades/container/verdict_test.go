package container_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/eidkit/eidkit/testcards/libreoffice"
	"github.com/eidkit/eidkit/testcards/network"
	"github.com/eidkit/eidkit/testcards/pki"
	"github.com/eidkit/eidkit/verify"
)

// TestVerdicts judges containers of other makers with the test PKI trusted and
// its services running.
func TestVerdicts(t *testing.T) {
	t.Parallel()
	n, err := network.Start(context.Background(), network.Options{PKI: pki.Options{Algorithm: pki.RSA}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	v := &verify.Verifier{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
	t.Cleanup(func() { v.Close() })
	anchors := &verify.Anchors{}
	anchors.Add(n.PKI.Root.Certificate)

	m := newMakerOf(t, n.PKI)
	a, b := file{"a.txt", "content of a"}, file{"b.txt", "content of b"}
	man := file{"META-INF/ASiCManifest.xml", manifestOver("META-INF/signature.p7s", "", a, b)}
	sig := file{"META-INF/signature.p7s", m.cms(man.body)}
	archive := file{"META-INF/ASiCArchiveManifest.xml", manifestOver("META-INF/timestamp.tst", "", a, b, man, sig)}
	xml := file{"META-INF/signatures.xml", m.xades("S1", object{name: a.name, body: a.body}, object{name: b.name, body: b.body})}
	signer := libreoffice.Signer{Certificate: m.signer.Certificate, Key: m.signer.Key, Authorities: []*x509.Certificate{n.PKI.CitizenCA.Certificate, n.PKI.Root.Certificate}}
	office := func(path string) []byte {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	for name, test := range map[string]struct {
		raw             []byte
		indication, sub string
	}{
		"ASiC-S, openssl":         {pack(t, asicS, a, file{"META-INF/signature.p7s", m.cms(a.body)}), "TOTAL-PASSED", ""},
		"ASiC-E, xmlsec1":         {pack(t, asicE, a, b, manifestXML(a.name, b.name), xml), "TOTAL-PASSED", ""},
		"ASiC-E, openssl":         {pack(t, asicE, a, b, man, sig), "TOTAL-PASSED", ""},
		"with archive time stamp": {pack(t, asicE, a, b, man, sig, archive, file{"META-INF/timestamp.tst", m.stamp(archive.body, time.Now().Add(-time.Minute))}), "TOTAL-PASSED", ""},
		"time stamp alone":        {pack(t, asicS, a, file{"META-INF/timestamp.tst", m.stamp(a.body, time.Now().Add(-time.Minute))}), "TOTAL-PASSED", ""},
		"ODF, LibreOffice":        {office(libreoffice.Document(t, "odt", signer)), "TOTAL-PASSED", ""},
		"OOXML, LibreOffice":      {office(libreoffice.Document(t, "docx", signer)), "TOTAL-PASSED", ""},
		"PDF, LibreOffice":        {office(libreoffice.PDF(t, signer)), "TOTAL-PASSED", ""},
		"file changed":            {pack(t, asicE, a, file{b.name, "changed"}, man, sig), "TOTAL-FAILED", "HASH_FAILURE"},
		"file exchanged":          {pack(t, asicE, file{"c.txt", "another"}, b, manifestXML("c.txt", b.name), xml), "TOTAL-FAILED", "HASH_FAILURE"},
		"file missing":            {pack(t, asicE, a, man, sig), "INDETERMINATE", "SIGNED_DATA_NOT_FOUND"},
		"manifest missing":        {pack(t, asicE, a, b, sig), "TOTAL-FAILED", "FORMAT_FAILURE"},
		"manifest broken":         {pack(t, asicE, a, b, file{man.name, "bla"}, sig), "TOTAL-FAILED", "FORMAT_FAILURE"},
		"no file":                 {pack(t, asicE, xml), "TOTAL-FAILED", "FORMAT_FAILURE"},
		"two files in an ASiC-S":  {pack(t, asicS, a, b, file{"META-INF/signature.p7s", m.cms(a.body)}), "TOTAL-FAILED", "FORMAT_FAILURE"},
	} {
		rep, err := v.File(t.Context(), bytes.NewReader(test.raw), int64(len(test.raw)), verify.Options{Anchors: anchors})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if string(rep.Indication) != test.indication || rep.SubIndication != test.sub {
			t.Errorf("%s: %s %s %s", name, rep.Indication, rep.SubIndication, rep.Error)
			for _, s := range rep.Signatures {
				for _, e := range s.Errors {
					t.Logf("%s: %s %s %s", name, e.Code, e.Object, e.Detail)
				}
			}
		}
		if test.sub == "" && len(rep.Signatures) > 0 && len(rep.Signatures[0].SignedContent()) == 0 {
			t.Errorf("%s: no content is handed out", name)
		}
	}
}
