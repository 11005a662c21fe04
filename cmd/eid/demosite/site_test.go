package demosite

import (
	"bytes"
	"context"
	"crypto"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/netip"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/eidkit/eidkit/card"
	"github.com/eidkit/eidkit/card/beid"
	"github.com/eidkit/eidkit/internal/atomicfile"
	"github.com/eidkit/eidkit/sign"
	"github.com/eidkit/eidkit/testcards"
	"github.com/eidkit/eidkit/testcards/network"
	"github.com/eidkit/eidkit/testcards/pki"
	"github.com/eidkit/eidkit/verify"
)

// portal is a demo site with the services and a browser of its own.
type portal struct {
	net      *network.Network
	server   *httptest.Server
	browser  *http.Client
	anchors  *verify.Anchors
	verifier *verify.Verifier
}

func newPortal(t *testing.T) *portal {
	t.Helper()
	n, err := network.Start(context.Background(), network.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	p := &portal{net: n, anchors: &verify.Anchors{}, verifier: &verify.Verifier{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}}
	t.Cleanup(func() { p.verifier.Close() })
	p.anchors.Add(n.Of(pki.EC).Root.Certificate)
	var site *Site
	p.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { site.ServeHTTP(w, r) }))
	t.Cleanup(p.server.Close)
	site = New(Options{Origin: p.server.URL, Agent: "ws://127.0.0.1:1", Client: fstest.MapFS{"eidkit.js": {Data: []byte("export {}")}},
		Anchors: p.anchors, Verifier: p.verifier, Config: map[string]any{"agentPort": 1, "level": "t"}})
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	p.browser = &http.Client{Jar: jar}
	return p
}

// citizen is a card with certificates of the portal's PKI.
func (p *portal) citizen(t *testing.T, seed uint64) *beid.Card {
	t.Helper()
	sim, err := testcards.Open("citizen-1.8", testcards.Options{Seed: seed, PKI: p.net.Of(pki.EC)})
	if err != nil {
		t.Fatal(err)
	}
	c, err := beid.Open(t.Context(), sim.Reader())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func pin(context.Context, beid.PINRequest) (card.PIN, error) {
	return card.NewPIN([]byte(testcards.PIN))
}

func (p *portal) post(t *testing.T, path string, body []byte, headers ...string) (int, http.Header, []byte) {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, p.server.URL+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Origin", p.server.URL)
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := p.browser.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, b
}

// login does what page and agent do, from the token's definition.
func (p *portal) login(t *testing.T, c *beid.Card, origin string) (int, []byte) {
	t.Helper()
	status, _, b := p.post(t, "/api/challenge", nil)
	var challenge struct{ Nonce string }
	if err := json.Unmarshal(b, &challenge); err != nil || status != http.StatusOK {
		t.Fatalf("%d %s", status, b)
	}
	key, err := c.AuthenticationKey(t.Context(), pin)
	if err != nil {
		t.Fatal(err)
	}
	hash := func(parts ...[]byte) []byte {
		h := crypto.SHA384.New()
		for _, part := range parts {
			h.Write(part)
		}
		return h.Sum(nil)
	}
	value, err := key.Sign(nil, hash(hash([]byte(origin)), hash([]byte(challenge.Nonce))), beid.RawECDSA{Hash: crypto.SHA384})
	if err != nil {
		t.Fatal(err)
	}
	token, err := json.Marshal(map[string]string{"format": "web-eid:1.0", "algorithm": "ES384", "appVersion": "https://eidkit.example/test",
		"unverifiedCertificate": base64.StdEncoding.EncodeToString(key.Certificate().Raw), "signature": base64.StdEncoding.EncodeToString(value)})
	if err != nil {
		t.Fatal(err)
	}
	status, _, b = p.post(t, "/api/login", token)
	return status, b
}

// declaration has one made.
func (p *portal) declaration(t *testing.T, format string) (number string, body []byte) {
	t.Helper()
	status, h, b := p.post(t, "/api/declaration", []byte(`{"address": "Proefstraat 12 bus 3, 9000 Gent", "persons": 3, "language": "nl", "format": "`+format+`"}`))
	if status != http.StatusOK {
		t.Fatalf("%d %s", status, b)
	}
	return h.Get("X-Declaration"), b
}

// signed has the card sign it.
func (p *portal) signed(t *testing.T, c *beid.Card, format string, body []byte) []byte {
	t.Helper()
	key, err := c.SigningKey(t.Context(), pin)
	if err != nil {
		t.Fatal(err)
	}
	o := sign.Options{Level: sign.LT, Anchors: p.anchors, Verifier: p.verifier, TSAs: []sign.TSA{{URL: p.net.Of(pki.EC).TSAURL()}}}
	in := sign.Source{Name: "declaration." + format, Data: bytes.NewReader(body), Size: int64(len(body))}
	var out bytes.Buffer
	if format == "pdf" {
		_, err = sign.PAdES(t.Context(), &out, in, key, o)
	} else {
		_, err = sign.XAdES(t.Context(), &out, []sign.Source{in}, key, o)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestDeclaration(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	citizen, other := p.citizen(t, 1), p.citizen(t, 2)
	if status, _, b := p.post(t, "/api/declaration", []byte(`{}`)); status != http.StatusUnauthorized {
		t.Fatalf("not logged in: %d %s", status, b)
	}
	if status, b := p.login(t, citizen, "https://elsewhere.example"); status != http.StatusUnauthorized || !bytes.Contains(b, []byte("SIGNATURE_INVALID")) {
		t.Fatalf("token for another site: %d %s", status, b)
	}
	if status, b := p.login(t, citizen, p.server.URL); status != http.StatusOK {
		t.Fatalf("%d %s", status, b)
	}
	for _, format := range []string{"pdf", "xml"} {
		number, body := p.declaration(t, format)
		refuse := func(what string, signed []byte, code string) {
			t.Helper()
			status, _, b := p.post(t, "/api/submit", signed, "X-Declaration", number)
			if status != http.StatusUnprocessableEntity || !strings.Contains(string(b), code) {
				t.Errorf("%s, %s: %d %s", format, what, status, b)
			}
		}
		refuse("unsigned", body, "SIGNATURE_NOT_ACCEPTED")
		refuse("signed by another", p.signed(t, other, format, body), "SIGNED_BY_ANOTHER")
		richer := bytes.Replace(body, []byte("Proefstraat"), []byte("Slotstraat."), 1)
		refuse("another document", p.signed(t, citizen, format, richer), "ANOTHER_DOCUMENT")
		if format == "pdf" {
			refuse("a page laid over it before signing", p.signed(t, citizen, format, overlaid(body)), "ANOTHER_DOCUMENT")
		}
		signed := p.signed(t, citizen, format, body)
		if i := bytes.Index(signed, []byte("Proefstraat")); i < 0 {
			t.Fatal("the address is not in it")
		} else {
			refuse("changed afterwards", append(append(slices.Clone(signed[:i]), 'Q'), signed[i+1:]...), "SIGNATURE_NOT_ACCEPTED")
		}
		var r Receipt
		var taken atomic.Int32
		var all sync.WaitGroup
		for range 4 { // at the same time: it is taken once
			all.Go(func() {
				status, _, b := p.post(t, "/api/submit", signed, "X-Declaration", number)
				switch {
				case status == http.StatusOK && taken.Add(1) == 1:
					if err := json.Unmarshal(b, &r); err != nil {
						t.Errorf("%s: %v in %s", format, err, b)
					}
				case status != http.StatusBadRequest:
					t.Errorf("%s: %d %s", format, status, b)
				}
			})
		}
		all.Wait()
		if taken.Load() != 1 {
			t.Fatalf("%s was taken %d times", format, taken.Load())
		}
		if r.Verdict != "TOTAL-PASSED" || r.Number != number || len(r.SHA256) != 64 || r.Received.IsZero() || r.Signer == " " {
			t.Errorf("%s: %+v", format, r)
		}
		if status, _, b := p.post(t, "/api/submit", signed, "X-Declaration", number); status != http.StatusBadRequest {
			t.Errorf("%s a second time: %d %s", format, status, b)
		}
	}
}

func TestForeignOrigin(t *testing.T) {
	t.Parallel()
	p := newPortal(t)
	for _, origin := range []string{"", "null", "https://evil.example", p.server.URL + ".evil.example"} {
		status, h, _ := p.post(t, "/api/challenge", nil, "Origin", origin)
		if status != http.StatusForbidden || h.Get("Set-Cookie") != "" {
			t.Errorf("Origin %q: %d", origin, status)
		}
	}
}

// TestDocuments has independent tools read what is to be signed.
func TestDocuments(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for lang, w := range words {
		d := Declaration{Surname: "Specimen (Zoë) \\ <&>", GivenNames: "Émile", NISS: "71715100070", Address: "Straße 1, 4700 Eupen " + strings.Repeat("lang ", 30), Persons: 3,
			Language: lang, Number: "D-TEST", Day: time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)}
		pdf, xml := filepath.Join(dir, lang+".pdf"), filepath.Join(dir, lang+".xml")
		for name, b := range map[string][]byte{pdf: d.PDF(), xml: d.XML()} {
			if err := atomicfile.Write(name, b); err != nil {
				t.Fatal(err)
			}
		}
		if out := run(t, "qpdf", "--check", pdf); !strings.Contains(out, "No syntax or stream encoding errors") {
			t.Errorf("qpdf: %s", out)
		}
		text := strings.Join(strings.Fields(run(t, "pdftotext", "-layout", pdf, "-")), " ")
		for _, want := range []string{w.title, w.truth, "Émile Specimen (Zoë) \\ <&>", "Straße 1, 4700 Eupen", "71715100070"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s: %q is not in %q", lang, want, text)
			}
		}
		if canonical := run(t, "xmllint", "--c14n", xml); canonical != string(d.XML()) {
			t.Errorf("%s is not canonical:\n%s\n%s", lang, d.XML(), canonical)
		}
	}
}

func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).Output()
	if err != nil {
		t.Fatalf("%s: %v (make test installs it)", name, err)
	}
	return string(out)
}

// TestTexts: four languages mean four.
func TestTexts(t *testing.T) {
	t.Parallel()
	b, err := static.ReadFile("static/texts.js")
	if err != nil {
		t.Fatal(err)
	}
	script := string(b) + "\nconsole.log(JSON.stringify(texts));\n"
	cmd := exec.Command("node", "--input-type=module", "-")
	cmd.Stdin = strings.NewReader(script)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("node: %v (make test installs it)", err)
	}
	var texts map[string]map[string]string
	if err := json.Unmarshal(out, &texts); err != nil {
		t.Fatal(err)
	}
	same := map[string]bool{"fr signature": true}
	for key, english := range texts["en"] {
		for _, lang := range []string{"nl", "fr", "de"} {
			if translated := texts[lang][key]; translated == "" || translated == english && !same[lang+" "+key] {
				t.Errorf("%s, %s: %q", lang, key, translated)
			}
		}
	}
	page, err := static.ReadFile("static/index.html")
	if err != nil {
		t.Fatal(err)
	}
	for part := range strings.SplitSeq(string(page), `data-t="`) {
		if key, _, ok := strings.Cut(part, `"`); ok && !strings.HasPrefix(part, "<!doctype") && texts["en"][key] == "" {
			t.Errorf("the page wants %q", key)
		}
	}
}

// overlaid is a declaration with a further revision that shows another page: object 4 is what is painted (Declaration.PDF).
func overlaid(body []byte) []byte {
	var b bytes.Buffer
	b.Write(body)
	at := b.Len()
	page := "BT /R 11 Tf 72 700 Td (I declare that I own the castle.) Tj ET"
	fmt.Fprintf(&b, "4 0 obj\n<< /Length %d >>\nstream\n%s\nendstream\nendobj\n", len(page), page)
	xref := b.Len()
	last := bytes.LastIndex(body, []byte("startxref\n")) + len("startxref\n")
	earlier, _, _ := strings.Cut(string(body[last:]), "\n")
	fmt.Fprintf(&b, "xref\n4 1\n%010d 00000 n \ntrailer\n<< /Size 8 /Root 1 0 R /Prev %s >>\nstartxref\n%d\n%%%%EOF\n", at, earlier, xref)
	return b.Bytes()
}
