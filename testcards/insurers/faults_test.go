package insurers

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/eidkit/eidkit/internal/soap"
	"github.com/eidkit/eidkit/verify/assurability"
)

// TestFaults switches every fault on and looks at what comes.
func TestFaults(t *testing.T) {
	t.Parallel()
	n := start(t)
	c := newTill(t, n, "pharmacy")
	services := []Service{GenIns, Pharmacist, MemberData}
	messages := map[Service][]byte{}
	for _, s := range services {
		messages[s] = c.signed(c.body(s), nil)
	}
	codes := map[Fault]string{Temporary: "SOA-02002", Unavailable: "SOA-02001", Unspecified: "SOA-00001", Expired: "SOA-01001"}
	for _, s := range services {
		for _, f := range append(Faults(s), Status(503)) {
			if err := n.Set(s, f); err != nil {
				t.Fatal(err)
			}
			if f == Silent || f == Slow {
				ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
				req, err := http.NewRequestWithContext(ctx, http.MethodPost, n.Address(s), bytes.NewReader(messages[s]))
				if err != nil {
					t.Fatal(err)
				}
				resp, err := c.http.Do(req)
				if err == nil {
					_, err = io.ReadAll(resp.Body)
					resp.Body.Close()
				}
				if !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%s, %s: %v", s, f, err)
				}
				cancel()
				continue
			}
			body, err := c.post(s, messages[s])
			switch f {
			case Temporary, Unavailable, Unspecified, Expired:
				refusedWith(t, string(s)+", "+string(f), codes[f], err)
			case Down, Truncated, Garbled, HTML, Empty, EmptyBody, Huge, Error500, Status(503):
				var fault *soap.Fault
				if err == nil || errors.As(err, &fault) {
					t.Errorf("%s, %s: %v", s, f, err)
				}
			default: // wrong, and well-formed
				if err != nil {
					t.Errorf("%s, %s: %v", s, f, err)
				} else if f != NotOK || s != MemberData {
					valid.add(t, s, body)
				}
			}
		}
		if err := n.Set(s); err != nil {
			t.Fatal(err)
		}
		if _, err := c.post(s, messages[s]); err != nil {
			t.Errorf("%s, right again: %v", s, err)
		}
	}
}

// TestMisleading: who reads a wrong answer without looking takes the patient for uninsured, and the program looks.
func TestMisleading(t *testing.T) {
	t.Parallel()
	n := start(t)
	c := newTill(t, n, "pharmacy")
	right := map[Service]string{GenIns: "closedBefore", MemberData: "closedBefore", Pharmacist: "<c:Minor>45<"}
	for s, sign := range right {
		for _, f := range []Fault{WrongReference, WrongPerson, Yesterday, Replay} {
			c.ask(s, patient(t, "closed"), nil) // for Replay
			if err := n.Set(s, f); err != nil {
				t.Fatal(err)
			}
			a := c.ask(s, patient(t, "ordinary"), nil)
			if err := n.Set(s); err != nil {
				t.Fatal(err)
			}
			last := c.lastAnswer()
			answer := string(last)
			if s == MemberData {
				answer = memberAnswer(t, last)
			}
			if !strings.Contains(answer, sign) {
				t.Errorf("%s, %s: the answer does not mislead: %s", s, f, answer)
			}
			if a.Status == assurability.NotInsured {
				t.Errorf("%s, %s: the program was misled", s, f)
			}
		}
	}
	for f, want := range map[Fault]assurability.Status{Deflated: assurability.Insured, PlainFaults: assurability.Insured} {
		if err := n.Set(MemberData, f); err != nil {
			t.Fatal(err)
		}
		if a := c.ask(MemberData, patient(t, "ordinary"), nil); a.Status != want {
			t.Errorf("%s: %+v", f, a)
		}
		if a := c.ask(MemberData, patient(t, "unknown"), nil); a.Status != assurability.Unknown {
			t.Errorf("%s: %+v", f, a)
		}
	}
}

// TestTokenFaults: tokens that no service takes.
func TestTokenFaults(t *testing.T) {
	t.Parallel()
	n := start(t)
	c := newTill(t, n, "pharmacy")
	body := c.body(GenIns)
	key, cert := sessionKey(t)
	by, err := n.Credential("pharmacy")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []Fault{Expired, Foreign, OtherKey} {
		if err := n.Set(STS, f); err != nil {
			t.Fatal(err)
		}
		token, err := c.issue(by, tokenQuestion(cert, time.Hour, pharmacyClaims...))
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.post(GenIns, c.signed(body, func(s *soap.Security) { s.Key, s.Assertion = key, token }))
		refusedWith(t, string(f), "SOA-01001", err)
	}
}

// TestTLSFaults: certificates that no client takes, from the next connection on.
func TestTLSFaults(t *testing.T) {
	t.Parallel()
	n := start(t)
	c := newTill(t, n, "pharmacy")
	m := c.signed(c.body(GenIns), nil)
	for _, f := range Faults(TLS) {
		if err := n.Set(TLS, f); err != nil {
			t.Fatal(err)
		}
		c.http.Transport.(*http.Transport).TLSClientConfig.Time = func() time.Time { return noon }
		if _, err := c.post(GenIns, m); err == nil {
			t.Errorf("%s: the old connection goes on", f)
		}
		c.http.CloseIdleConnections()
		if _, err := c.post(GenIns, m); err == nil || !strings.Contains(err.Error(), "x509: ") {
			t.Errorf("%s: %v", f, err)
		}
		if err := n.Set(TLS); err != nil {
			t.Fatal(err)
		}
		if _, err := c.post(GenIns, m); err != nil {
			t.Errorf("after %s: %v", f, err)
		}
	}
}

func TestNoFault(t *testing.T) {
	t.Parallel()
	n := start(t)
	for s, f := range map[Service]Fault{GenIns: Foreign, TLS: Down, "x": Down, STS: WrongPerson, Pharmacist: "status:99", MemberData: "x"} {
		if err := n.Set(s, f); !errors.Is(err, ErrNoFault) {
			t.Errorf("%s of %s: %v", f, s, err)
		}
	}
	if err := n.Set(TLS, Status(500)); !errors.Is(err, ErrNoFault) {
		t.Error(err)
	}
}

// TestControl steers the services over HTTP.
func TestControl(t *testing.T) {
	t.Parallel()
	n := start(t)
	c := newTill(t, n, "pharmacy")
	do := func(method, kind, body string) (int, State) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, n.URL()+ControlPath, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", kind)
		resp, err := c.http.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		var s State
		if resp.StatusCode == http.StatusOK {
			if err := json.NewDecoder(resp.Body).Decode(&s); err != nil {
				t.Fatal(err)
			}
		}
		return resp.StatusCode, s
	}
	const kind = "application/json"
	if code, s := do(http.MethodPost, kind, `{"service": "genins", "faults": ["temporary"]}`); code != 200 || len(s.Faults[GenIns]) != 1 {
		t.Error(code, s)
	}
	_, err := c.post(GenIns, c.signed([]byte("<a/>"), nil))
	refusedWith(t, "steered", "SOA-02002", err)
	if code, s := do(http.MethodGet, "", ""); code != 200 || s.Requests[GenIns] != 1 || len(s.Known[TLS]) != 3 || !s.Time.Equal(noon) {
		t.Error(code, s)
	}
	for _, x := range []struct {
		method, kind, body string
		code               int
	}{{"PUT", "", "", 405}, {"POST", "text/plain", "{}", 415}, {"POST", kind, `{"service": "x"}`, 400}, {"POST", kind, `{"other": 1}`, 400}} {
		if code, _ := do(x.method, x.kind, x.body); code != x.code {
			t.Errorf("%v: %d", x, code)
		}
	}
	if code, _ := do(http.MethodPost, kind, `{"service": "tls", "faults": ["wrongName"]}`); code != 200 {
		t.Error(code)
	}
}

// TestHTTP: what is wrong around a message.
func TestHTTP(t *testing.T) {
	t.Parallel()
	n := start(t)
	c := newTill(t, n, "pharmacy")
	m := c.signed(c.body(Pharmacist), nil)
	for _, x := range []struct{ kind, action string }{{"application/soap+xml", pharmacistAction}, {"text/xml", ""}, {"text/xml", strings.Trim(pharmacistAction, `"`)}} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, n.Address(Pharmacist), bytes.NewReader(m))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", x.kind)
		req.Header.Set("SOAPAction", x.action)
		resp, err := c.http.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		_, err = soap.Open(t.Context(), raw)
		refusedWith(t, x.kind+" "+x.action, "SOA-03004", err)
	}
}

// TestExamples: the outside examples of questions are answered, and not with a SOAP fault.
func TestExamples(t *testing.T) {
	t.Parallel()
	n := start(t)
	tills := map[string]*till{"pharmacy": newTill(t, n, "pharmacy"), "hospital": newTill(t, n, "hospital")}
	read := func(name string) []byte {
		b, err := os.ReadFile(filepath.Join(exampleDir, name))
		if os.IsNotExist(err) {
			t.Skip("the outside examples in shared are not there")
		}
		if err != nil {
			t.Fatal(err)
		}
		if i := bytes.Index(b, []byte("?>")); i > 0 && bytes.HasPrefix(b, []byte("<?xml")) {
			b = b[i+2:]
		}
		return b
	}
	for file, x := range map[string]struct {
		service  Service
		provider string
		want     string
	}{
		"genins-01-request-by-niss.xml":                {GenIns, "pharmacy", "<c:CT1>111</c:CT1>"},
		"genins-02-request-by-mutuality-affiliate.xml": {GenIns, "pharmacy", "<c:Inss>50061599733</c:Inss>"},
		"genins-03-request-hospital-period.xml":        {GenIns, "hospital", "<c:AdmissionService>210</c:AdmissionService>"},
		"pharm-01-request-by-niss.xml":                 {Pharmacist, "pharmacy", ">elevated<"},
		"pharm-02-request-by-mutuality-affiliate.xml":  {Pharmacist, "pharmacy", ">elevated<"},
		"mda-30-soapbody-request.xml":                  {MemberData, "pharmacy", "insurability:period"},
	} {
		c := tills[x.provider]
		answer, err := c.post(x.service, c.signed(bytes.TrimSpace(read(file)), nil))
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		valid.add(t, x.service, answer)
		if x.service == MemberData {
			answer = []byte(memberAnswer(t, answer))
		}
		if !bytes.Contains(answer, []byte(x.want)) {
			t.Errorf("%s: no %s in %s", file, x.want, answer)
		}
	}
	c := tills["pharmacy"]
	_, err := c.post(GenIns, c.signed(bytes.TrimSpace(read("genins-04-request-as-flat.xml")), nil))
	refusedWith(t, "fixed width", "SOA-02001", err)
	envelope := bytes.TrimSpace(read("mda-30-soapbody-request.xml"))
	for file, want := range map[string]string{"mda-01-query-by-niss.xml": "50061599733", "mda-02-query-by-affiliate-at-mutuality.xml": "paymentApproval", "mda-03-query-by-niss-at-mutuality.xml": "MISMATCHED_CONTACTTYPE"} {
		query := read(file)
		answer, err := c.post(MemberData, c.signed(memberQuery(t, envelope, func(string) string { return string(query) + " " }), nil))
		if err != nil || !strings.Contains(memberAnswer(t, answer), want) {
			t.Errorf("%s: %v %s", file, err, answer)
		}
	}
}

// TestQueries: what is wrong inside a question to MemberData.
func TestQueries(t *testing.T) {
	t.Parallel()
	c := newTill(t, start(t), "pharmacy")
	body := c.body(MemberData)
	for detail, change := range map[string][2]string{
		"CROSSCHECK_ID": {` ID="_`, ` ID="_9`}, "CROSSCHECK_ISSUER": {">29999823000<", ">29999824000<"}, "MISSING_ISSUER_TAG": {"saml:Issuer", "saml:Issuers"},
		"INVALID_ISSUER_FORMAT": {"nippin:nihii11", "nippin:nihii"}, "FORBIDDEN_ATTRIBUTES": {"</samlp:AttributeQuery>", `<saml:Attribute Name="a"/></samlp:AttributeQuery>`},
		"MISSING_EXTENSIONS_TAG": {"samlp:Extensions", "samlp:Extension"}, "MISSING_OR_BAD_EXTENSIONS_TYPE": {"ext:ExtensionsType", "ext:Type"},
		"UNKNOWN_FACET": {"nippin:insurability", "nippin:assurability"}, "EMPTY_CONTACTTYPE": {">other<", "><"}, "UNALLOWED_REQUESTTYPE": {">information<", ">all<"},
		"INVALID_NAMEID_FORMAT": {"urn:be:fgov:person:ssin", "urn:x"}, "INVALID_INSS_FORMAT": {">71050120431<", ">7105012043<"},
		"INVALID_SUBJECT_CONFIRMATION_METHOD_VALUE": {"memberIdentification", "identification"}, "EMPTY_STARTDATE": {"NotBefore=", "After="},
		"DUPLICATED_FACET": {"</samlp:Extensions>", `<ext:Facet id="urn:be:cin:nippin:insurability"/></samlp:Extensions>`},
	} {
		answer, err := c.post(MemberData, c.signed(memberQuery(t, body, func(q string) string { return strings.ReplaceAll(q, change[0], change[1]) }), nil))
		if err != nil {
			t.Errorf("%s: %v", detail, err)
			continue
		}
		valid.add(t, MemberData, answer)
		if got := memberAnswer(t, answer); !strings.Contains(got, ">"+detail+"<") {
			t.Errorf("%s: %s", detail, got)
		}
	}
	for what, change := range map[string][2]string{"sealed": {` ContentType=`, ` ContentEncryption="encryptedForKnownBED" ContentType=`}, "encoding": {`ContentEncoding="none"`, `ContentEncoding="gzip"`},
		"not deflated": {` ContentEncoding="none"`, ``}} {
		_, err := c.post(MemberData, c.signed(bytes.Replace(body, []byte(change[0]), []byte(change[1]), 1), nil))
		refusedWith(t, what, "SOA-03007", err)
	}
}

// TestDeterministic: the same clock and the same messages give the same bytes.
func TestDeterministic(t *testing.T) {
	t.Parallel()
	var before [sha256.Size]byte
	_, cert := sessionKey(t)
	var by Credential
	for i := range 2 {
		n := start(t)
		c := newTill(t, n, "hospital")
		h := sha256.New()
		var err error
		if by, err = n.Credential("hospital"); err != nil {
			t.Fatal(err)
		}
		token, err := c.issue(by, tokenQuestion(cert, time.Hour, pharmacyClaims[2]))
		if err != nil {
			t.Fatal(err)
		}
		h.Write(token)
		for _, s := range []Service{GenIns, MemberData} {
			c.ask(s, patient(t, "medicalhouse"), func(q *assurability.Question) { q.Reference, q.Until = "26031500000001", q.From })
			h.Write(c.lastAnswer())
		}
		sum := [sha256.Size]byte(h.Sum(nil))
		if i > 0 && sum != before {
			t.Error("two networks answer differently")
		}
		before = sum
	}
}

// BenchmarkQuestions measures the services without the client's work, which was done before.
func BenchmarkQuestions(b *testing.B) {
	c := newTill(b, start(b), "pharmacy")
	m := c.signed(c.body(Pharmacist), nil)
	c.http.Transport.(*http.Transport).MaxIdleConnsPerHost = 16
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, status, err := c.send(Pharmacist, m, pharmacistAction); err != nil || status != http.StatusOK {
				b.Error(status, err)
			}
		}
	})
}

// TestDocumented: each fault is in the table that users read.
func TestDocumented(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile(filepath.Join("..", "..", "docs", "testing.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, ok := strings.Cut(string(b), "## The insurers' network")
	for _, s := range Services() {
		for _, f := range Faults(s) {
			if !ok || !strings.Contains(section, "`"+string(f)+"`") {
				t.Errorf("docs/testing.md does not tell of the fault %s of %s", f, s)
			}
		}
	}
}
