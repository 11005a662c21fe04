//go:build unix

package service

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"io"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/eidkit/eidkit/agent/access"
	"github.com/eidkit/eidkit/agent/desk"
	"github.com/eidkit/eidkit/agent/protocol"
	"github.com/eidkit/eidkit/internal/pdf/pdftest"
	"github.com/eidkit/eidkit/testcards"
)

var nonce = strings.Repeat("N", 44)

func TestLogin(t *testing.T) {
	t.Parallel()
	c := testcards.New(testcards.Citizen18)
	b := newBench(t, askingPolicy, c)
	got := b.must(b.site(siteOrigin), "auth.login", m{"challengeNonce": nonce})
	token := got["token"].(m)
	if token["format"] != "web-eid:1.0" || token["algorithm"] != "ES384" || got["cardId"] != b.cardID("Reader 1") {
		t.Errorf("%v", got)
	}
	if !has(c, insVerify) || !has(c, insLogOff) {
		t.Error("no PIN was verified, or its right was left on the card")
	}
	if w := b.waits(); !slices.Equal(w, []string{"consent", "pin"}) {
		t.Errorf("waited for %v", w)
	}
	if !strings.Contains(b.person.heard(t), "site.example") {
		t.Error("the PIN dialog does not say for whom")
	}
}

// TestLoginRefused: nobody but a site logs in, and no parameter names an origin.
func TestLoginRefused(t *testing.T) {
	t.Parallel()
	c := testcards.New(testcards.Citizen18)
	b := newBench(t, askingPolicy, c)
	b.refused(b.site(siteOrigin), "auth.login", m{"challengeNonce": "short"}, protocol.InvalidArgument)
	b.refused(b.site(siteOrigin), "auth.login", m{"challengeNonce": nonce, "origin": "https://bank.example"}, protocol.InvalidArgument)
	b.refused(b.program("till", access.OpReaders, access.OpIdentity), "auth.login", m{"challengeNonce": nonce}, protocol.NotAuthorised)
	b.refused(b.page(), "auth.login", m{"challengeNonce": nonce}, protocol.NotAuthorised)
	b.person.consent = func(desk.Consent) (desk.Answer, error) { return desk.Answer{}, nil }
	b.refused(b.site(siteOrigin), "auth.login", m{"challengeNonce": nonce}, protocol.ConsentDenied)
	untouched(t, c)
}

// TestWrongPIN: one try for each PIN typed, and another only if the user says so.
func TestWrongPIN(t *testing.T) {
	t.Parallel()
	c := testcards.New(testcards.Citizen18)
	b := newBench(t, askingPolicy, c)
	site := b.site(siteOrigin)
	b.person.types(t, "cancel")
	b.refused(site, "auth.login", m{"challengeNonce": nonce}, protocol.PINCancelled)
	if n := c.PINTries(); n != 3 || has(c, insSign) {
		t.Errorf("a cancelled dialog cost a try: %d are left", n)
	}
	b.person.types(t, "wrong", "cancel") // the question whether to try again
	_, err := b.do(site, "auth.login", m{"challengeNonce": nonce})
	if protocol.CodeOf(err) != protocol.PINWrong || c.PINTries() != 2 {
		t.Errorf("%v, %d tries are left", err, c.PINTries())
	}
	b.person.types(t, "wrong", "ok", "right")
	if _, err := b.do(site, "auth.login", m{"challengeNonce": nonce}); err != nil || c.PINTries() != 3 {
		t.Errorf("after another try: %v, %d tries are left", err, c.PINTries())
	}
	heard := b.person.heard(t)
	if !strings.Contains(heard, "2") {
		t.Errorf("no dialog said how many tries are left:\n%s", heard)
	}
	b.person.types(t, "wrong", "ok", "wrong", "ok", "wrong")
	b.refused(site, "auth.login", m{"challengeNonce": nonce}, protocol.PINBlocked)
	before := c.Stats().Commands
	b.refused(site, "auth.login", m{"challengeNonce": nonce}, protocol.PINBlocked)
	if c.PINTries() != 0 || c.Stats().Commands == before {
		t.Errorf("%d tries are left", c.PINTries())
	}
}

func TestPinpad(t *testing.T) {
	t.Parallel()
	b := newBench(t, askingPolicy)
	c := testcards.New(testcards.Citizen18)
	r := b.insertWith("Pad", c, testcards.ReaderOptions{Pinpad: true})
	b.cardID("Pad")
	r.Type(testcards.PIN)
	b.must(b.site(siteOrigin), "auth.login", m{"challengeNonce": nonce})
	if w := b.waits(); !slices.Contains(w, "pinpad") || slices.Contains(w, "pin") {
		t.Errorf("waited for %v", w)
	}
	r.Type(testcards.PressCancel)
	b.refused(b.site(siteOrigin), "auth.login", m{"challengeNonce": nonce}, protocol.PINCancelled)
	if strings.Contains(b.person.heard(t), "GETPIN") {
		t.Error("a PIN was asked on the screen")
	}
}

func TestSignHash(t *testing.T) {
	t.Parallel()
	for _, profile := range []testcards.Profile{testcards.Citizen17, testcards.Citizen18} {
		t.Run(profile.Name, func(t *testing.T) {
			t.Parallel()
			c := testcards.New(profile)
			b := newBench(t, askingPolicy, c)
			site := b.site(siteOrigin)
			given := b.must(site, "sign.certificate", m{})
			der, err := base64.StdEncoding.DecodeString(given["certificate"].(string))
			if err != nil {
				t.Fatal(err)
			}
			cert, err := x509.ParseCertificate(der)
			if err != nil || cert.KeyUsage&x509.KeyUsageContentCommitment == 0 {
				t.Fatalf("not the signature certificate: %v", err)
			}
			if has(c, insVerify) {
				t.Error("a PIN was verified for a certificate")
			}
			digest := sha256.Sum256([]byte("content"))
			params := m{"hash": digest[:], "hashFunction": "SHA-256", "certificate": der}
			got := b.must(site, "sign.hash", params)
			signature, err := base64.StdEncoding.DecodeString(got["signature"].(string))
			if err != nil || !signatureHolds(cert, digest[:], signature) {
				t.Errorf("%v: the signature does not hold", got)
			}
			first := given["supportedSignatureAlgorithms"].([]any)[0].(m)
			if a := got["signatureAlgorithm"].(m); a["hashFunction"] != "SHA-256" || a["cryptoAlgorithm"] != first["cryptoAlgorithm"] {
				t.Errorf("%v", a)
			}
			last := b.person.asked()[len(b.person.asked())-1]
			if !last.HashOnly || last.Operation != access.OpSignHash {
				t.Errorf("the dialog does not say that the content cannot be shown: %+v", last)
			}
			if !has(c, insLogOff) {
				t.Error("the right of the PIN was left on the card")
			}
		})
	}
}

func signatureHolds(cert *x509.Certificate, digest, signature []byte) bool {
	switch pub := cert.PublicKey.(type) {
	case *rsa.PublicKey:
		return rsa.VerifyPKCS1v15(pub, crypto.SHA256, digest, signature) == nil
	case *ecdsa.PublicKey:
		n := len(signature) / 2
		return n == 48 && ecdsa.Verify(pub, digest, new(big.Int).SetBytes(signature[:n]), new(big.Int).SetBytes(signature[n:]))
	}
	return false
}

// TestSignHashRefused: a digest that is none, another card's certificate, the key for logging in, and a policy that has it switched off.
func TestSignHashRefused(t *testing.T) {
	t.Parallel()
	c := testcards.New(testcards.Citizen18)
	b := newBench(t, askingPolicy, c)
	site := b.site(siteOrigin)
	der, digest := c.File(0x5039), sha512.Sum384([]byte("content"))
	for name, params := range map[string]m{
		"too short":       {"hash": digest[:32], "hashFunction": "SHA-384", "certificate": der},
		"too long":        {"hash": append(digest[:], 0), "hashFunction": "SHA-384", "certificate": der},
		"SHA-1":           {"hash": digest[:20], "hashFunction": "SHA-1", "certificate": der},
		"no function":     {"hash": digest[:], "certificate": der},
		"no certificate":  {"hash": digest[:], "hashFunction": "SHA-384"},
		"not base64":      {"hash": "§", "hashFunction": "SHA-384", "certificate": der},
		"a key is chosen": {"hash": digest[:], "hashFunction": "SHA-384", "certificate": der, "key": "authentication"},
	} {
		t.Log(name)
		b.refused(site, "sign.hash", params, protocol.InvalidArgument)
	}
	params := m{"hash": digest[:], "hashFunction": "SHA-384", "certificate": der}
	b.refused(b.page(), "sign.hash", params, protocol.NotAuthorised)
	b.refused(b.program("till", access.OpIdentity), "sign.hash", params, protocol.NotAuthorised)
	untouched(t, c)

	// The certificates of the other key of this card, and of another card.
	other := testcards.New(testcards.Citizen18, testcards.Options{Seed: 9})
	for _, cert := range [][]byte{certificateIn(t, c, 0x5038), certificateIn(t, other, 0x5039)} {
		b.refused(site, "sign.hash", m{"hash": digest[:], "hashFunction": "SHA-384", "certificate": cert}, protocol.CertificateMissing)
	}
	if has(c, insVerify) || has(c, insSign) || strings.Contains(b.person.heard(t), "GETPIN") {
		t.Error("a PIN was asked for another certificate")
	}

	off := newBench(t, "sign_hash = false\n", testcards.New(testcards.Citizen18))
	off.refused(off.site(siteOrigin), "sign.hash", params, protocol.NotAuthorised)
}

// certificateIn is a certificate of a card without its filler.
func certificateIn(t *testing.T, c *testcards.Card, id uint16) []byte {
	t.Helper()
	for der := c.File(id); len(der) > 0; der = der[:len(der)-1] {
		if cert, err := x509.ParseCertificate(der); err == nil {
			return cert.Raw
		}
	}
	t.Fatalf("file %04X has no certificate", id)
	return nil
}

func TestSignWithoutCertificate(t *testing.T) {
	t.Parallel()
	c := testcards.New(testcards.Kid18)
	b := newBench(t, askingPolicy, c)
	b.refused(b.site(siteOrigin), "sign.certificate", m{}, protocol.CertificateMissing)
	if has(c, insVerify) {
		t.Error("a PIN was verified")
	}
}

func TestPINStatusAndChange(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		profile testcards.Profile
		want    any
	}{{testcards.Citizen11, nil}, {testcards.Citizen18, 3.0}} {
		c := testcards.New(test.profile)
		b := newBench(t, askingPolicy, c)
		if got := b.must(b.site(siteOrigin), "pin.status", m{}); got["triesLeft"] != test.want {
			t.Errorf("%s: %v", test.profile.Name, got)
		}
		if c.PINTries() != 3 {
			t.Errorf("%s: asking cost a try", test.profile.Name)
		}
	}
	c := testcards.New(testcards.Citizen18)
	b := newBench(t, askingPolicy, c)
	b.person.types(t, "cancel")
	b.refused(b.site(siteOrigin), "pin.change", m{}, protocol.PINCancelled)
	if has(c, 0x24) {
		t.Error("the PIN was changed")
	}
	b.must(b.site(siteOrigin), "pin.change", m{}) // to the same one: the dialog of the test knows no other
	if !has(c, 0x24) || c.PINTries() != 3 {
		t.Errorf("not changed; %d tries are left", c.PINTries())
	}
	b.refused(b.program("till", access.OpIdentity), "pin.change", m{}, protocol.NotAuthorised)
}

// signed is what a document became.
func (b *bench) signed(c *Call, result m) []byte {
	b.t.Helper()
	var id protocol.DocumentID
	if err := id.UnmarshalText([]byte(result["documentId"].(string))); err != nil {
		b.t.Fatal(err)
	}
	d, err := c.Documents.Get(id)
	if err != nil {
		b.t.Fatal(err)
	}
	content, err := io.ReadAll(io.NewSectionReader(d, 0, d.Size()))
	if err != nil {
		b.t.Fatal(err)
	}
	if sum := sha256.Sum256(content); hex.EncodeToString(sum[:]) != result["sha256"] || float64(len(content)) != result["size"] {
		b.t.Errorf("%d bytes, %v", len(content), result)
	}
	return content
}

// onePage is a PDF of one page.
func onePage(catalog string) []byte {
	return pdftest.New(1, pdftest.Update{Objects: map[int]string{1: `<< /Type /Catalog /Pages 2 0 R ` + catalog + ` >>`,
		2: `<< /Type /Pages /Kids [3 0 R] /Count 1 >>`, 3: `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>`}}).Bytes()
}

func TestSignDocument(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		file      string
		content   []byte
		params    m
		name      string
		mediaType string
	}{
		{"letter.txt", []byte("Dear all"), m{"format": "asice"}, "letter-signed.asice", "text/plain"},
		{"letter.txt", []byte("Dear all"), m{"format": "cades"}, "letter.txt.p7m", "text/plain"},
		{"order.xml", []byte("<?xml version=\"1.0\"?><order/>"), m{"format": "xades"}, "order-signed.xml", "application/xml"},
		{"contract.pdf", onePage(""), m{"format": "pades", "reason": "agreed"}, "contract-signed.pdf", "application/pdf"},
	} {
		t.Run(test.params["format"].(string), func(t *testing.T) {
			t.Parallel()
			c := testcards.New(testcards.Citizen18)
			b := newBench(t, askingPolicy, c)
			call := b.call(b.site(siteOrigin), nil)
			d := document(t, call, test.file, test.content)
			test.params["documentIds"], test.params["level"], test.params["purpose"] = []any{d.ID()}, "b", "a declaration"
			call.Params = b.call(call.Client, test.params).Params
			b.person.consent = func(q desk.Consent) (desk.Answer, error) {
				if has(c, insInitial) || len(q.Documents) != 1 {
					t.Errorf("asked when the card was already read, or about %d documents", len(q.Documents))
				}
				shown, err := io.ReadAll(io.NewSectionReader(q.Documents[0].Preview, 0, q.Documents[0].Preview.Size()))
				sum := sha256.Sum256(shown)
				if err != nil || !bytes.Equal(shown, test.content) || q.Documents[0].SHA256 != hex.EncodeToString(sum[:]) || q.Documents[0].MediaType != test.mediaType {
					t.Errorf("shown: %v, %+v", err, q.Documents[0])
				}
				return desk.Answer{Allowed: true}, nil
			}
			got, err := b.doCall(t.Context(), call, "sign.document")
			if err != nil {
				t.Fatal(err)
			}
			if got["name"] != test.name || got["format"] != test.params["format"] || got["level"] != "b" || got["signingTime"] == "" {
				t.Errorf("%v", got)
			}
			content := b.signed(call, got)
			if test.params["format"] == "pades" && !bytes.HasPrefix(content, test.content) {
				t.Error("the document shown is not what was signed")
			}
			if n := len(b.person.asked()); n != 1 {
				t.Errorf("asked %d times", n)
			}
			if !strings.Contains(b.person.heard(t), test.file) {
				t.Error("the PIN dialog does not name the document")
			}
			b.person.consent = nil
			verified := b.verify(call, got["documentId"])
			report := verified["report"].(m)
			if report["indication"] == "TOTAL-FAILED" || len(report["signatures"].([]any)) != 1 {
				t.Errorf("%v", report)
			}
			b.logHas(d.SHA256(), "sign.document")
		})
	}
}

// verify has the document of a call judged.
func (b *bench) verify(call *Call, id any) m {
	b.t.Helper()
	v := *call
	v.Params = b.call(call.Client, m{"documentId": id}).Params
	got, err := b.doCall(b.t.Context(), &v, "verify.document")
	if err != nil {
		b.t.Fatal(err)
	}
	return got
}

// signCall is a sign.document of one file that was sent.
func (b *bench) signCall(name string, content []byte, params m) *Call {
	call := b.call(b.site(siteOrigin), nil)
	all := m{"documentIds": []any{document(b.t, call, name, content).ID()}, "level": "b"}
	for k, v := range params {
		all[k] = v
	}
	call.Params = b.call(call.Client, all).Params
	return call
}

func TestSignDocumentRefused(t *testing.T) {
	t.Parallel()
	c := testcards.New(testcards.Citizen18)
	b := newBench(t, askingPolicy, c)
	for name, params := range map[string]m{
		"no format": {}, "level": {"format": "cades", "level": "x"}, "packaging": {"format": "cades", "packaging": "x"}, "certify": {"format": "pades", "certify": 4},
		"PDF options elsewhere": {"format": "cades", "reason": "x"}, "no documents": {"format": "cades", "documentIds": []any{}},
		"no such document": {"format": "cades", "documentIds": []any{protocol.DocumentID{}}}, "three corners": {"format": "pades", "visible": m{"rect": []float64{0, 0, 1}}}, "far off": {"format": "pades", "visible": m{"rect": []float64{0, 0, 1e9, 1}}},
		"long text": {"format": "pades", "reason": strings.Repeat("x", 201)}, "control character": {"format": "pades", "location": "a\x1bb"},
		"a key": {"format": "cades", "key": "authentication"}, "no number": {"format": "pades", "visible": m{"rect": []any{"NaN", 0, 1, 1}}},
	} {
		if _, err := b.Methods()["sign.document"](t.Context(), b.signCall("a.txt", []byte("a"), params)); protocol.CodeOf(err) != protocol.InvalidArgument {
			t.Errorf("%s: %v", name, err)
		}
	}
	half := b.call(b.site(siteOrigin), nil)
	d, err := half.Documents.Create("a.txt", "", 5)
	if err != nil {
		t.Fatal(err)
	}
	half.Params = b.call(half.Client, m{"documentIds": []any{d.ID()}, "format": "cades", "level": "b"}).Params
	if _, err := b.Methods()["sign.document"](t.Context(), half); protocol.CodeOf(err) != protocol.InvalidArgument {
		t.Errorf("a document that has not come: %v", err)
	}
	if len(b.person.asked()) != 0 {
		t.Errorf("asked about what makes no sense: %v", b.person.asked())
	}
	b.person.consent = func(desk.Consent) (desk.Answer, error) { return desk.Answer{}, nil }
	if _, err := b.Methods()["sign.document"](t.Context(), b.signCall("a.txt", []byte("a"), m{"format": "cades"})); protocol.CodeOf(err) != protocol.ConsentDenied {
		t.Errorf("denied: %v", err)
	}
	untouched(t, c)
}

// TestActiveContentIsNamed: before the PIN, and before the card is touched.
func TestActiveContentIsNamed(t *testing.T) {
	t.Parallel()
	c := testcards.New(testcards.Citizen18)
	b := newBench(t, askingPolicy, c)
	b.person.consent = func(desk.Consent) (desk.Answer, error) { return desk.Answer{}, nil }
	for name, content := range map[string][]byte{
		"a.pdf":  onePage(`/OpenAction << /S /JavaScript /JS (x) >>`),
		"b.svg":  []byte(`<svg xmlns="http://www.w3.org/2000/svg" onload="x()"/>`),
		"c.html": []byte(`<html><script>x()</script>`),
	} {
		b.auth.Denied(access.Client{}) // another's: does not count
		if _, err := b.Methods()["sign.document"](t.Context(), b.signCall(name, content, m{"format": "asice"})); err == nil {
			t.Errorf("%s was signed", name)
		}
	}
	asked := b.person.asked()
	for _, q := range asked {
		if !slices.Equal(q.Documents[0].Active, []string{"script"}) {
			t.Errorf("%s: %v", q.Documents[0].Name, q.Documents[0].Active)
		}
	}
	if len(asked) < 2 { // the third is muted away
		t.Errorf("asked %d times", len(asked))
	}
	untouched(t, c)
}

// TestVisibleSignature: what a signature that is seen does to the page is shown before the PIN, and the user can still say no.
func TestVisibleSignature(t *testing.T) {
	t.Parallel()
	c := testcards.New(testcards.Citizen18)
	b := newBench(t, askingPolicy, c)
	params := m{"format": "pades", "visible": m{"page": 1, "rect": []float64{100, 100, 300, 160}, "photo": true}}
	original := onePage("")
	allow := true
	var looks [][]byte
	b.person.consent = func(q desk.Consent) (desk.Answer, error) {
		look, err := io.ReadAll(io.NewSectionReader(q.Documents[0].Preview, 0, q.Documents[0].Preview.Size()))
		if err != nil {
			t.Error(err)
		}
		looks = append(looks, look)
		if second := len(looks)%2 == 0; q.Placed != second {
			t.Errorf("question %d says that the signature is in its place: %v", len(looks), q.Placed)
		} else if place := q.Documents[0].Place; second != (place != nil) || second && *place != (desk.Place{Page: 1, Rect: [4]float64{100, 100, 300, 160}}) {
			t.Errorf("question %d opens at %v", len(looks), place)
		}
		return desk.Answer{Allowed: len(looks)%2 == 1 || allow}, nil
	}
	call := b.signCall("contract.pdf", original, params)
	got, err := b.doCall(t.Context(), call, "sign.document")
	if err != nil {
		t.Fatal(err)
	}
	if len(looks) != 2 || !bytes.Equal(looks[0], original) || !bytes.HasPrefix(looks[1], original) || len(looks[1]) <= len(original) {
		t.Fatalf("%d looks", len(looks))
	}
	if first := b.person.asked()[0]; !slices.Equal(first.Fields, []string{"photo"}) {
		t.Errorf("the user was not told of the photo: %v", first.Fields)
	}
	// What was signed is what was shown, but for the value.
	signed := b.signed(call, got)
	if len(signed) != len(looks[1]) {
		t.Errorf("%d bytes shown, %d signed", len(looks[1]), len(signed))
	} else if n := differing(signed, looks[1]); n == 0 || n > 40_000 {
		t.Errorf("%d bytes differ from what was shown", n)
	}
	c.ClearStats()
	allow = false
	if _, err := b.Methods()["sign.document"](t.Context(), b.signCall("contract.pdf", original, params)); protocol.CodeOf(err) != protocol.ConsentDenied {
		t.Errorf("denied: %v", err)
	}
	if has(c, insVerify) || has(c, insSign) {
		t.Error("signed although the user did not like it")
	}
}

// differing is the length of the one place where two files differ.
func differing(a, b []byte) int {
	first, last := -1, -1
	for i := range a {
		if a[i] != b[i] {
			if first < 0 {
				first = i
			}
			last = i
		}
	}
	return last - first + 1
}

// TestDocumentsDoNotChange: between preview and signature nothing can be written, taken away or put in their place.
func TestDocumentsDoNotChange(t *testing.T) {
	t.Parallel()
	c := testcards.New(testcards.Citizen18)
	b := newBench(t, askingPolicy, c)
	content := []byte("<?xml version=\"1.0\"?><pay amount=\"1\"/>")
	call := b.call(b.site(siteOrigin), nil)
	d := document(t, call, "pay.xml", content)
	call.Params = b.call(call.Client, m{"documentIds": []any{d.ID()}, "format": "xades", "level": "b"}).Params
	b.person.consent = func(desk.Consent) (desk.Answer, error) {
		for _, offset := range []uint64{0, uint64(len(content))} {
			if err := d.WriteChunk(offset, []byte("X")); err == nil {
				t.Error("the document was changed after it was shown")
			}
		}
		call.Documents.Remove(d.ID())
		if _, err := call.Documents.Get(d.ID()); err == nil {
			t.Error("the document is still there for others")
		}
		return desk.Answer{Allowed: true}, nil
	}
	got, err := b.doCall(t.Context(), call, "sign.document")
	if err != nil {
		t.Fatal(err)
	}
	if signed := b.signed(call, got); !bytes.Contains(signed, []byte(`<pay amount="1">`)) {
		t.Errorf("signed: %s", signed)
	}
}

// TestCardGoneBeforeThePIN: the consent ends with the insertion.
func TestCardGoneBeforeThePIN(t *testing.T) {
	t.Parallel()
	first, second := testcards.New(testcards.Citizen18), testcards.New(testcards.Citizen18, testcards.Options{Seed: 4})
	b := newBench(t, askingPolicy, first)
	r, err := b.system.Reader("Reader 1")
	if err != nil {
		t.Fatal(err)
	}
	id := b.cardID("Reader 1")
	n := 0
	b.person.consent = func(desk.Consent) (desk.Answer, error) {
		if n++; n == 2 { // the look at the signature
			r.Remove()
			b.gone(id)
			r.Insert(second)
		}
		return desk.Answer{Allowed: true}, nil
	}
	call := b.signCall("contract.pdf", onePage(""), m{"format": "pades", "visible": m{"rect": []float64{10, 10, 200, 60}}})
	if _, err := b.Methods()["sign.document"](t.Context(), call); protocol.CodeOf(err) != protocol.CardRemoved {
		t.Errorf("%v", err)
	}
	untouched(t, second)
	if has(first, insVerify) {
		t.Error("a PIN was verified")
	}
	if strings.Contains(b.person.heard(t), "GETPIN") {
		t.Error("the PIN was asked")
	}
}

func TestSignSeveral(t *testing.T) {
	t.Parallel()
	c := testcards.New(testcards.Citizen18)
	b := newBench(t, askingPolicy, c)
	call := b.call(b.site(siteOrigin), nil)
	ids := []any{document(t, call, "a.txt", []byte("a")).ID(), document(t, call, "b.txt", []byte("b")).ID()}
	call.Params = b.call(call.Client, m{"documentIds": ids, "format": "cades", "level": "b"}).Params
	if _, err := b.Methods()["sign.document"](t.Context(), call); protocol.CodeOf(err) != protocol.InvalidArgument {
		t.Errorf("two documents in one CAdES: %v", err)
	}
	untouched(t, c)
	call.Params = b.call(call.Client, m{"documentIds": ids, "format": "asice", "level": "b"}).Params
	got, err := b.doCall(t.Context(), call, "sign.document")
	if err != nil {
		t.Fatal(err)
	}
	if q := b.person.asked()[0]; len(q.Documents) != 2 || q.Documents[1].Name != "b.txt" {
		t.Errorf("%+v", q.Documents)
	}
	if n := len(b.verify(call, got["documentId"])["report"].(m)["signatures"].([]any)); n != 1 {
		t.Errorf("%d signatures", n)
	}
}

// TestSignNeedsServices: a level without the services for it fails before the PIN.
func TestSignNeedsServices(t *testing.T) {
	t.Parallel()
	c := testcards.New(testcards.Citizen18)
	b := newBench(t, askingPolicy, c)
	_, err := b.Methods()["sign.document"](t.Context(), b.signCall("a.txt", []byte("a"), m{"format": "cades", "level": "t"}))
	if code := protocol.CodeOf(err); code != protocol.NetworkUnavailable && code != protocol.InvalidArgument || has(c, insVerify) {
		t.Errorf("%v", err)
	}
	call := b.signCall("a.pdf", []byte("%PDF-1.7\nbroken"), m{"format": "pades"})
	if _, err := b.Methods()["sign.document"](t.Context(), call); protocol.CodeOf(err) != protocol.InvalidArgument || has(c, insVerify) {
		t.Errorf("a broken PDF: %v", err)
	}
	if n := b.store.Used(); n == 0 {
		t.Error("the test's documents are gone")
	}
}
