package sts

import (
	"context"
	"crypto"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eidkit/eidkit/internal/fetch"
	"github.com/eidkit/eidkit/internal/soap"
	"github.com/eidkit/eidkit/testcards/pki"
)

var noon = time.Date(2026, 3, 15, 11, 0, 0, 0, time.UTC)

// keys are two holders, made once.
var keys = sync.OnceValue(func() (list [2]*Holder) {
	for i := range list {
		h, err := NewHolder(noon, noon.Add(24*time.Hour))
		if err != nil {
			panic(err)
		}
		list[i] = h
	}
	return list
})

// assertion is one for a holder, whose certificate is given in base64.
func assertion(id, certificate, from, until string) string {
	return fmt.Sprintf(`<saml:Assertion xmlns:saml="%s" AssertionID="%s" Issuer="urn:test:sts" MajorVersion="1" MinorVersion="1" IssueInstant="%s">`+
		`<saml:Conditions NotBefore="%[3]s" NotOnOrAfter="%[4]s"></saml:Conditions><saml:AttributeStatement><saml:Subject><saml:SubjectConfirmation>`+
		`<saml:ConfirmationMethod>%[5]s</saml:ConfirmationMethod><ds:KeyInfo xmlns:ds="%[6]s"><ds:X509Data><ds:X509Certificate>%[7]s</ds:X509Certificate></ds:X509Data></ds:KeyInfo>`+
		`</saml:SubjectConfirmation></saml:Subject><saml:Attribute AttributeName="urn:test:role" AttributeNamespace="urn:test"><saml:AttributeValue xsi:type="xs:string">true</saml:AttributeValue></saml:Attribute></saml:AttributeStatement></saml:Assertion>`,
		nsSAML, id, from, until, holderOfKey, nsDS, certificate)
}

var (
	inCertificate = regexp.MustCompile(`<ds:X509Certificate>([^<]+)<`)
	inContext     = regexp.MustCompile(` Context="([^"]+)"`)
)

// respond is a service that answers with the assertion, whose context it repeats.
func respond(t *testing.T, answer func(certificate, context string) string) *Service {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, err := io.ReadAll(r.Body)
		cert, context := inCertificate.FindSubmatch(raw), inContext.FindSubmatch(raw)
		if err != nil || cert == nil || context == nil || r.Header.Get("SOAPAction") != `"`+DefaultAction+`"` {
			t.Errorf("%v %v %s", err, r.Header, raw)
			return
		}
		fmt.Fprintf(w, `<S:Envelope xmlns:S="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><S:Body>%s</S:Body></S:Envelope>`,
			answer(string(cert[1]), string(context[1])))
	}))
	t.Cleanup(server.Close)
	client, err := fetch.New(fetch.Options{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return &Service{Client: client, URL: server.URL}
}

func response(context, assertion string) string {
	return fmt.Sprintf(`<t:RequestSecurityTokenResponseCollection xmlns:t="%s"><t:RequestSecurityTokenResponse Context="%s"><t:RequestedSecurityToken>%s</t:RequestedSecurityToken></t:RequestSecurityTokenResponse></t:RequestSecurityTokenResponseCollection>`,
		nsTrust, context, assertion)
}

// credential is an eID's.
func credential(t *testing.T) Credential {
	t.Helper()
	p, err := pki.New(pki.Options{Algorithm: pki.RSA})
	if err != nil {
		t.Fatal(err)
	}
	issued, err := p.Issue(pki.Request{Kind: pki.Authentication, Subject: pki.Subject{NationalNumber: "71050120404", Surname: "SPECIMEN", GivenNames: "Marijke"}})
	if err != nil {
		t.Fatal(err)
	}
	return Credential{issued.Key, issued.Certificate}
}

const today, tomorrow, yesterday = "2026-03-15T11:00:00Z", "2026-03-16T11:00:00Z", "2026-03-14T11:00:00Z"

func TestIssue(t *testing.T) {
	t.Parallel()
	other := base64.StdEncoding.EncodeToString(keys()[1].Certificate.Raw)
	r := Request{Credential: credential(t), Claims: []Claim{{"urn:test:ssin", "71050120404"}, {"urn:test:role", ""}}, Holder: keys()[0], Now: noon, Lifetime: time.Hour}
	for name, c := range map[string]struct {
		answer func(cert, context string) string
		want   error
	}{
		"right":       {func(cert, id string) string { return response(id, assertion("_a", cert, today, tomorrow)) }, nil},
		"other key":   {func(_, id string) string { return response(id, assertion("_a", other, today, tomorrow)) }, ErrToken},
		"over":        {func(cert, id string) string { return response(id, assertion("_a", cert, yesterday, today)) }, ErrToken},
		"not yet":     {func(cert, id string) string { return response(id, assertion("_a", cert, tomorrow, tomorrow)) }, ErrToken},
		"other asked": {func(cert, _ string) string { return response("RC-0", assertion("_a", cert, today, tomorrow)) }, ErrToken},
		"nothing":     {func(_, id string) string { return response(id, "") }, ErrToken},
		"not SOAP":    {func(_, _ string) string { return "<a/><b/>" }, soap.ErrMalformed},
	} {
		token, err := respond(t, c.answer).Issue(t.Context(), r)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		if err != nil {
			continue
		}
		if !token.Holds(r.Holder.Key.Public()) || token.Holds(keys()[1].Key.Public()) || token.Attributes["urn:test:role"][0] != "true" || token.ID != "_a" {
			t.Errorf("%s: %+v", name, token)
		}
		if !strings.Contains(string(token.Assertion), "xmlns:xs=") {
			t.Errorf("a namespace that only a value uses is lost: %s", token.Assertion)
		}
		if again, err := Read(token.Assertion); err != nil || !again.Until.Equal(token.Until) {
			t.Errorf("read again: %v", err)
		}
	}
}

type brokenKey struct{ crypto.Signer }

var errCancelled = errors.New("PIN cancelled")

func (brokenKey) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) { return nil, errCancelled }

func TestCredentialFails(t *testing.T) {
	t.Parallel()
	c := credential(t)
	c.Key = brokenKey{c.Key}
	s := respond(t, func(string, string) string { t.Error("the service was asked"); return "" })
	if _, err := s.Issue(t.Context(), Request{Credential: c, Holder: keys()[0], Now: noon}); !errors.Is(err, ErrCredential) || !errors.Is(err, errCancelled) {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c.Key = c.Key.(brokenKey).Signer
	if _, err := s.Issue(ctx, Request{Credential: c, Holder: keys()[0], Now: noon}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	right := assertion("_a", base64.StdEncoding.EncodeToString(keys()[0].Certificate.Raw), today, tomorrow)
	for name, change := range map[string][2]string{
		"SAML 1.0": {`MinorVersion="1"`, `MinorVersion="0"`}, "no identifier": {` AssertionID="_a"`, ""}, "no end": {` NotOnOrAfter="` + tomorrow + `"`, ""},
		"bearer": {holderOfKey, "urn:oasis:names:tc:SAML:1.0:cm:bearer"}, "no key": {"KeyInfo", "Info"}, "broken key": {"<ds:X509Certificate>M", "<ds:X509Certificate>N"},
		"a DTD": {"<saml:Assertion", "<!DOCTYPE a><saml:Assertion"},
	} {
		if _, err := Read([]byte(strings.ReplaceAll(right, change[0], change[1]))); !errors.Is(err, ErrToken) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	right := assertion("_a", base64.StdEncoding.EncodeToString(keys()[0].Certificate.Raw), today, tomorrow)
	f.Add(right)
	f.Add(strings.NewReplacer("X509Data", "KeyValue", "X509Certificate", "RSAKeyValue").Replace(right))
	f.Fuzz(func(t *testing.T, raw string) {
		token, err := Read([]byte(raw))
		if err == nil && (token.ID == "" || len(token.holders) == 0 || token.Until.IsZero()) {
			t.Fatalf("%+v", token)
		}
	})
}
