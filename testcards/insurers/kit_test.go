package insurers

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eidkit/eidkit/internal/soap"
	"github.com/eidkit/eidkit/niss"
	"github.com/eidkit/eidkit/verify/assurability"
)

// noon is in Brussels' winter, on the day of the outside examples.
var noon = time.Date(2026, 3, 15, 11, 0, 0, 0, time.UTC)

// start runs the services at noon.
func start(t testing.TB) *Network {
	t.Helper()
	n, err := Start(t.Context(), Options{Now: func() time.Time { return noon }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	return n
}

// till is the program's client with what stands between it and the services: somebody who keeps the messages.
type till struct {
	t        testing.TB
	n        *Network
	http     *http.Client
	provider Provider
	session  *assurability.Session
	client   *assurability.Client
	token    []byte // the assertion
	key      crypto.Signer

	mu               sync.Mutex
	question, answer []byte // bodies of the last messages
}

func newTill(t testing.TB, n *Network, provider string) *till {
	t.Helper()
	c := &till{t: t, n: n, http: &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: n.PKI.Pool()}}}}
	t.Cleanup(c.http.CloseIdleConnections)
	for _, p := range Providers() {
		if p.Name == provider {
			c.provider = p
		}
	}
	between := httptest.NewServer(http.HandlerFunc(c.pass))
	t.Cleanup(between.Close)
	by, err := n.Credential(provider)
	if err != nil {
		t.Fatal(err)
	}
	now := func() time.Time { return noon }
	p := c.provider
	asker := assurability.Provider{Quality: p.Quality, NIHII: p.NIHII, Name: "Example", Organisation: p.Organisation, Package: p.Package, LicenceUser: p.LicenceUser,
		LicencePassword: p.LicencePassword, Test: true}
	asker.Titular.Name, asker.Titular.NIHII, asker.Titular.NISS = p.TitularName, p.TitularNIHII, niss.Number(p.Person)
	c.session, err = assurability.NewSession(assurability.SessionOptions{Provider: asker, URL: between.URL + paths[STS], Now: now,
		File:       filepath.Join(sessionDir, provider),
		Credential: func(context.Context) (crypto.Signer, *x509.Certificate, error) { return by.Key, by.Certificate, nil }})
	if err != nil {
		t.Fatal(err)
	}
	o := assurability.Options{Session: c.session, Endpoints: map[assurability.Service]string{}}
	for _, s := range []Service{GenIns, Pharmacist, MemberData} {
		o.Endpoints[assurability.Service(s)] = between.URL + paths[s]
	}
	if c.client, err = assurability.New(o); err != nil {
		t.Fatal(err)
	}
	opening.Lock() // tokens of one network are good in all, and keys take long to make
	defer opening.Unlock()
	if err := c.session.Load(); err != nil {
		if err := c.session.Open(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if c.token, c.key, err = c.session.Token(t.Context()); err != nil {
		t.Fatal(err)
	}
	return c
}

// sessionDir is for the sessions of all tests.
var (
	sessionDir string
	opening    sync.Mutex
)

// pass hands a message on and keeps it.
func (c *till) pass(w http.ResponseWriter, r *http.Request) {
	raw, _ := io.ReadAll(r.Body)
	for s, path := range paths {
		if path != r.URL.Path {
			continue
		}
		answer, status, err := c.send(s, raw, r.Header.Get("SOAPAction"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		c.keep(s, raw, answer)
		w.Header().Set("Content-Type", "text/xml; charset=utf-8")
		w.WriteHeader(status)
		_, _ = w.Write(answer)
	}
}

// keep notes the bodies of messages, and gives them to the judge.
func (c *till) keep(s Service, raw, answered []byte) {
	question, err1 := soap.Open(context.Background(), raw)
	answer, err2 := soap.Open(context.Background(), answered)
	if s != STS && err1 == nil && err2 == nil {
		valid.add(c.t, s, question)
		valid.add(c.t, s, answer)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.question, c.answer = question, answer
}

// ask puts the program's question. Until zero: one day.
func (c *till) ask(s Service, p Patient, change func(*assurability.Question)) *assurability.Answer {
	c.t.Helper()
	q := assurability.Question{Patient: assurability.Patient{NISS: niss.Number(p.Number)}, Service: assurability.Service(s), From: assurability.Today(noon), UserReference: "TILL1-000042"}
	if p.Number == "" {
		q.Patient = assurability.Patient{Affiliate: p.Affiliate, Mutuality: p.Mutuality}
	}
	if change != nil {
		change(&q)
	}
	a, err := c.client.Ask(c.t.Context(), q)
	if err != nil {
		c.t.Fatalf("%s of %s: %v", s, p.Name, err)
	}
	return a
}

// lastAnswer is the body of the last answer.
func (c *till) lastAnswer() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.answer
}

// body is the body of a question of the program about the ordinary patient.
func (c *till) body(s Service) []byte {
	c.t.Helper()
	if a := c.ask(s, patient(c.t, "ordinary"), nil); a.Status != assurability.Insured {
		c.t.Fatalf("%s: %+v", s, a)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.question
}

// signed is the signed message of a body; change may alter who signs, and when.
func (c *till) signed(body []byte, change func(*soap.Security)) []byte {
	c.t.Helper()
	s := &soap.Security{Key: c.key, Assertion: c.token, Created: noon}
	if change != nil {
		change(s)
	}
	m, err := soap.Build(c.t.Context(), body, s)
	if err != nil {
		c.t.Fatal(err)
	}
	return m
}

// post sends a message and opens the answer. A SOAP fault is a *soap.Fault, whose detail must be as its schema has it.
func (c *till) post(s Service, m []byte) ([]byte, error) {
	c.t.Helper()
	action := ""
	if s == Pharmacist {
		action = pharmacistAction
	}
	raw, status, err := c.send(s, m, action)
	if err != nil {
		return nil, err
	}
	body, err := soap.Open(c.t.Context(), raw)
	if err == nil && status != http.StatusOK {
		c.t.Errorf("%s: status %d", s, status)
	}
	var fault *soap.Fault
	if errors.As(err, &fault) {
		if status != http.StatusInternalServerError {
			c.t.Errorf("%s: a fault with status %d", s, status)
		}
		if root, err := parse(raw); err == nil {
			if detail, err := canonical(root.FindElement("//SystemError"), ""); err == nil {
				valid.add(c.t, STS, detail)
			}
		}
	}
	return body, err
}

func (c *till) send(s Service, m []byte, action string) (body []byte, status int, err error) {
	req, err := http.NewRequestWithContext(c.t.Context(), http.MethodPost, c.n.Address(s), bytes.NewReader(m))
	if err != nil {
		return nil, 0, err
	}
	req.Header.Set("Content-Type", "text/xml; charset=utf-8")
	if action != "" {
		req.Header.Set("SOAPAction", action)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, 0, err
	}
	defer resp.Body.Close()
	body, err = io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	return body, resp.StatusCode, err
}

// sessionKey makes a key with a certificate of its own.
func sessionKey(t testing.TB) (crypto.Signer, *x509.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "session"}, NotBefore: noon, NotAfter: noon.Add(24 * time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return key, cert
}

// tokenQuestion is a request for a token, for a key: "name" or "name=value".
func tokenQuestion(key *x509.Certificate, life time.Duration, claims ...string) string {
	var list strings.Builder
	for _, c := range claims {
		name, asserted, _ := strings.Cut(c, "=")
		list.WriteString(el("auth:ClaimType"+attr("Uri", name), leaf("auth:Value", asserted)))
	}
	return el("wst:RequestSecurityToken"+attr("xmlns:wst", nsTrust)+attr("xmlns:auth", nsAuth)+attr("xmlns:wsu", nsWSU)+attr("xmlns:wsse", nsWSSE)+attr("xmlns:ds", nsDS)+attr("Context", "c1"),
		leaf("wst:TokenType", tokenType), leaf("wst:RequestType", requestIssue), el("wst:Claims"+attr("Dialect", claimsDialect), list.String()),
		el("wst:Lifetime", leaf("wsu:Created", instant(noon)), leaf("wsu:Expires", instant(noon.Add(life)))), leaf("wst:KeyType", keyPublic),
		el("wst:UseKey", el("wsse:SecurityTokenReference", el("ds:X509Data", leaf("ds:X509Certificate", base64.StdEncoding.EncodeToString(key.Raw))))))
}

// issue asks for a token and returns the assertion.
func (c *till) issue(by Credential, question string) ([]byte, error) {
	c.t.Helper()
	body, err := c.post(STS, c.signed([]byte(question), func(s *soap.Security) { s.Key, s.Certificate, s.Assertion = by.Key, by.Certificate, nil }))
	if err != nil {
		return nil, err
	}
	root, err := parse(body)
	if err != nil {
		c.t.Fatal(err)
	}
	token := down(root, nsTrust, "RequestSecurityTokenResponse", "RequestedSecurityToken").ChildElements()[0]
	b, err := canonical(token, "")
	if err != nil {
		c.t.Fatal(err)
	}
	return b, nil
}

func patient(t testing.TB, name string) Patient {
	t.Helper()
	for _, p := range Patients() {
		if p.Name == name {
			return p
		}
	}
	t.Fatalf("no patient %q", name)
	return Patient{}
}

// refusedWith wants a SOAP fault with that code.
func refusedWith(t testing.TB, what, code string, err error) {
	t.Helper()
	var fault *soap.Fault
	if !errors.As(err, &fault) || fault.SOA != code {
		t.Errorf("%s: %v, want %s", what, err, code)
		if fault != nil {
			t.Log(fault.Message)
		}
		return
	}
	if !strings.HasPrefix(fault.Message, "TEST: ") || fault.Retry != (code == "SOA-02002") {
		t.Errorf("%s: %+v", what, fault)
	}
}

// judge collects messages for xmllint, which starts once a schema.
type judge struct {
	mu    sync.Mutex
	dir   string
	count int
}

var (
	valid   judge
	schemas = map[Service]string{GenIns: "ehealth-mycarenet-genins/XSD/ehealth-genins-protocol-1_1.xsd", Pharmacist: "ehealth-insurability/XSD/insurabilityservices_protocol-2_0.xsd",
		MemberData: "ehealth-mycarenet-memberdata/XSD/mycarenet-memberdata-protocol-1_0.xsd", STS: "ehealth-errors/XSD/ehealth-errors-schema-soa-1_1.xsd"}
	// schemaDir holds the outside schemas, exampleDir the outside examples.
	schemaDir  = filepath.Join("..", "..", "..", "shared", "schemas", "assurability")
	exampleDir = filepath.Join("..", "..", "..", "shared", "data", "assurability")
)

// add keeps a message to be judged; of STS it is the detail of a fault.
func (j *judge) add(t testing.TB, s Service, body []byte) {
	if j.dir == "" {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.count++
	if err := os.WriteFile(filepath.Join(j.dir, fmt.Sprintf("%s-%05d.xml", s, j.count)), body, 0o600); err != nil {
		t.Error(err)
	}
}

// TestMain has xmllint judge every message that any test sent or got.
func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "insurers")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(dir)
		sessionDir = dir
		if _, err := os.Stat(schemaDir); err == nil {
			valid.dir = dir
		}
		code := m.Run()
		if valid.dir != "" && code == 0 {
			code = valid.lint()
		}
		return code
	}())
}

func (j *judge) lint() int {
	tool, err := exec.LookPath("xmllint")
	if err != nil {
		if os.Getenv("CI") == "true" {
			fmt.Println(err)
			return 1
		}
		return 0
	}
	code := 0
	for s, schema := range schemas {
		files, err := filepath.Glob(filepath.Join(j.dir, string(s)+"-*.xml"))
		if err != nil || len(files) == 0 {
			continue
		}
		if out, err := exec.Command(tool, append([]string{"--nonet", "--noout", "--schema", filepath.Join(schemaDir, schema)}, files...)...).CombinedOutput(); err != nil {
			fmt.Printf("%s: %v\n%s\n", schema, err, complaints(out))
			code = 1
		}
	}
	return code
}

// complaints are the first lines that do not praise.
func complaints(out []byte) string {
	var keep []string
	for l := range strings.Lines(string(out)) {
		if !strings.HasSuffix(strings.TrimSpace(l), "validates") {
			keep = append(keep, l)
		}
	}
	return strings.Join(keep[:min(len(keep), 30)], "")
}
