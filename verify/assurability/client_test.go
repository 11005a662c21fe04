package assurability

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eidkit/eidkit/internal/fetch"
	"github.com/eidkit/eidkit/internal/soap"
	"github.com/eidkit/eidkit/internal/sts"
	"github.com/eidkit/eidkit/niss"
	"github.com/eidkit/eidkit/testcards/insurers"
	"github.com/eidkit/eidkit/testcards/pki"
)

// clock is set by hand.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// till is a counter with its session, its client and the whole network behind it.
type till struct {
	t       testing.TB
	clock   *clock
	network *insurers.Network
	session *Session
	client  *Client
	signed  int // tokens asked for

	mu    sync.Mutex
	calls []Call
}

// services as the network has them.
var services = map[Service]insurers.Service{GenIns: insurers.GenIns, Pharmacist: insurers.Pharmacist, MemberData: insurers.MemberData}

// roleOf is a test provider in our terms.
func roleOf(name string) Provider {
	all := insurers.Providers()
	i := slices.IndexFunc(all, func(p insurers.Provider) bool { return p.Name == name })
	x := all[i]
	p := Provider{Quality: x.Quality, NIHII: x.NIHII, Name: "Example " + name, Organisation: x.Organisation, Package: x.Package, LicenceUser: x.LicenceUser, LicencePassword: x.LicencePassword, Test: true}
	p.Titular.Name, p.Titular.NIHII, p.Titular.NISS = x.TitularName, x.TitularNIHII, niss.Number(x.Person)
	return p
}

// testPKI and sessionKey are made once: keys take their time.
var (
	testPKI = sync.OnceValues(func() (*pki.PKI, error) { return pki.New(pki.Options{}) })

	sessionKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })
)

// newTill opens a session of the provider of that name. change may alter the options.
func newTill(t testing.TB, name string, change func(*SessionOptions, *Options)) *till {
	t.Helper()
	x := &till{t: t, clock: &clock{t: noon}}
	p, err := testPKI()
	if err != nil {
		t.Fatal(err)
	}
	if x.network, err = insurers.Start(t.Context(), insurers.Options{PKI: p, Now: x.clock.now}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { x.network.Close() })
	roots := x509.NewCertPool()
	roots.AddCert(x.network.PKI.Root.Certificate)
	credential, err := x.network.Credential(name)
	if err != nil {
		t.Fatal(err)
	}
	so := SessionOptions{Provider: roleOf(name), URL: x.network.Address(insurers.STS), Unattended: true, Now: x.clock.now, CABundle: roots,
		Credential: func(context.Context) (crypto.Signer, *x509.Certificate, error) {
			x.signed++
			return credential.Key, credential.Certificate, nil
		}}
	o := Options{Endpoints: map[Service]string{}, LogKey: []byte("sixteen bytes and more"), Log: func(c Call) {
		x.mu.Lock()
		defer x.mu.Unlock()
		x.calls = append(x.calls, c)
	}}
	for ours, theirs := range services {
		o.Endpoints[ours] = x.network.Address(theirs)
	}
	if change != nil {
		change(&so, &o)
	}
	if x.session, err = NewSession(so); err != nil {
		t.Fatal(err)
	}
	if so.Unattended { // the first token is for a key that is there
		key, err := sessionKey()
		if err != nil {
			t.Fatal(err)
		}
		x.session.set(&held{token: &sts.Token{}, key: key})
	}
	o.Session = x.session
	if x.client, err = New(o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { x.session.Close() })
	return x
}

// ordinaryPatient is insured without anything particular, otherPatient likewise.
var (
	ordinaryPatient = niss.Number(insurers.Patients()[0].Number)
	otherPatient    = niss.Number(insurers.Patients()[1].Number)
)

func (x *till) ask(q Question) *Answer {
	x.t.Helper()
	if q.Patient == (Patient{}) {
		q.Patient.NISS = ordinaryPatient
	}
	a, err := x.client.Ask(x.t.Context(), q)
	if err != nil {
		x.t.Fatal(err)
	}
	return a
}

func (x *till) set(s insurers.Service, faults ...insurers.Fault) {
	x.t.Helper()
	if err := x.network.Set(s, faults...); err != nil {
		x.t.Fatal(err)
	}
}

// last is the record of the last call.
func (x *till) last() Call {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.calls[len(x.calls)-1]
}

func TestAsk(t *testing.T) {
	t.Parallel()
	x := newTill(t, "pharmacy", nil)
	for _, s := range []Service{"", GenIns, Pharmacist, MemberData} {
		a := x.ask(Question{Service: s, User: "till 1", Reading: Reading{Mode: "manual", Reason: "no card"}})
		if a.Status != Insured || a.Tariff != Ordinary || a.Cause != nil || len(a.Periods) == 0 || a.From != Today(noon) {
			t.Errorf("%s: %+v", s, a)
		}
		c := x.last()
		if c.Status != Insured || c.Input != a.References.Input || c.Network == "" || c.User != "till 1" || c.Reading.Reason != "no card" || c.Cached || strings.Contains(c.Patient, string(ordinaryPatient)) || len(c.Patient) != 32 {
			t.Errorf("%s: log %+v", s, c)
		}
	}
	if x.signed != 1 {
		t.Errorf("%d tokens for four questions", x.signed)
	}
}

// patient is the test patient of that name.
func patient(t testing.TB, name string) insurers.Patient {
	t.Helper()
	all := insurers.Patients()
	i := slices.IndexFunc(all, func(p insurers.Patient) bool { return p.Name == name })
	if i < 0 {
		t.Fatalf("no patient %q", name)
	}
	return all[i]
}

// questionAbout is about one of the test patients.
func questionAbout(p insurers.Patient) Question {
	if p.Number == "" {
		return Question{Patient: Patient{Affiliate: p.Affiliate, Mutuality: p.Mutuality}}
	}
	return Question{Patient: Patient{NISS: niss.Number(p.Number)}}
}

// TestPatients asks every service about every patient.
func TestPatients(t *testing.T) {
	t.Parallel()
	x := newTill(t, "pharmacy", nil)
	for _, p := range insurers.Patients() {
		for ours, theirs := range services {
			q := questionAbout(p)
			q.Service = ours
			want, a := p.Expected[theirs], x.ask(q)
			var warnings []string
			for _, w := range a.Warnings {
				warnings = append(warnings, string(w))
			}
			if string(a.Status) != want.Status || string(a.Tariff) != want.Tariff || !slices.Equal(warnings, want.Warnings) || a.Status == Unavailable && a.Cause == nil {
				t.Errorf("%s of %s: %s %s %v (%v), want %v", ours, p.Name, a.Status, a.Tariff, warnings, a.Cause, want)
			}
		}
	}
}

// TestNoAnswer: whatever a service does, the answer is Unavailable, with its cause, in time.
func TestNoAnswer(t *testing.T) {
	t.Parallel()
	for _, s := range []Service{GenIns, Pharmacist, MemberData} {
		t.Run(string(s), func(t *testing.T) {
			t.Parallel()
			x := newTill(t, "pharmacy", func(so *SessionOptions, o *Options) { o.Service, so.Timeout = s, 700*time.Millisecond })
			for _, f := range append(insurers.Faults(services[s]), insurers.Status(404), insurers.Status(503)) {
				x.set(services[s])
				x.clock.pass(time.Minute) // no pause
				switch f {
				case insurers.PlainFaults, insurers.Deflated: // no faults
					continue
				case insurers.Replay: // an answer to replay
					x.ask(Question{Patient: Patient{NISS: otherPatient}})
				}
				x.set(services[s], f)
				if a := x.ask(Question{}); a.Status != Unavailable || a.Cause == nil || a.Approval != (Approval{}) || x.last().Reason == "" {
					t.Errorf("%s: %s %v, %q", f, a.Status, a.Cause, x.last().Reason)
				}
			}
		})
	}
}

// TestNoFaults: what MemberData may do and others do not.
func TestNoFaults(t *testing.T) {
	t.Parallel()
	x := newTill(t, "hospital", func(_ *SessionOptions, o *Options) { o.Service = MemberData })
	stranger := patient(t, "unknown")
	for _, f := range []insurers.Fault{insurers.Deflated, insurers.PlainFaults} {
		x.set(insurers.MemberData, f)
		if a := x.ask(Question{}); a.Status != Insured {
			t.Errorf("%s: %v", f, a.Cause)
		}
		if a := x.ask(questionAbout(stranger)); a.Status != Unknown || a.Fault == nil {
			t.Errorf("%s: %+v", f, a)
		}
	}
}

// TestWrongCertificate: a service that cannot prove that it is the one.
func TestWrongCertificate(t *testing.T) {
	t.Parallel()
	x := newTill(t, "pharmacy", nil)
	x.ask(Question{})
	for _, f := range insurers.Faults(insurers.TLS) {
		x.set(insurers.TLS, f)
		if a := x.ask(Question{Patient: Patient{NISS: otherPatient}}); a.Status != Unavailable || !errors.Is(a.Cause, fetch.ErrUnavailable) {
			t.Errorf("%s: %+v", f, a)
		}
	}
}

// TestRetries: only what may pass is asked again, once, under another reference.
func TestRetries(t *testing.T) {
	t.Parallel()
	x := newTill(t, "pharmacy", nil)
	for f, want := range map[insurers.Fault]int{insurers.Temporary: 2, insurers.Unavailable: 1, insurers.Unspecified: 1, insurers.Expired: 2, insurers.Down: 1, insurers.Error500: 1, insurers.WrongPerson: 1} {
		x.clock.pass(time.Minute)
		x.set(insurers.Pharmacist, f)
		before := x.network.Requests()[insurers.Pharmacist]
		a := x.ask(Question{})
		if got := x.network.Requests()[insurers.Pharmacist] - before; got != want || len(x.last().Tries) != want-1 {
			t.Errorf("%s: %d messages, want %d; %+v", f, got, want, x.last())
		}
		var fault *soap.Fault
		if errors.As(a.Cause, &fault) && f == insurers.Temporary && x.last().Tries[0] != "SOA-02002" {
			t.Errorf("%s: %v", f, x.last().Tries)
		}
	}
	if x.signed != 2 {
		t.Errorf("%d tokens, want one more after the fault that says that it is over", x.signed)
	}
}

// TestCached: an answer of earlier today stands in, marked, and promises nothing.
func TestCached(t *testing.T) {
	t.Parallel()
	x := newTill(t, "pharmacy", nil)
	first := x.ask(Question{})
	if first.Approval.Number == "" {
		t.Fatal("the service promises nothing")
	}
	x.clock.pass(time.Hour)
	x.set(insurers.Pharmacist, insurers.Down)
	a := x.ask(Question{})
	if a.Status != Insured || !slices.Contains(a.Warnings, CachedAnswer) || a.Age != time.Hour || a.Cause == nil || a.Approval != (Approval{}) || a.Periods[0].Approval != "" {
		t.Errorf("%+v", a)
	}
	if c := x.last(); !c.Cached || c.Approval != "" || c.Reason == "" || c.Age != time.Hour {
		t.Errorf("log %+v", c)
	}
	if first.Approval.Number == "" || slices.Contains(first.Warnings, CachedAnswer) {
		t.Error("the first answer was changed")
	}
	a.Periods[0].CT1 = "999"
	if b := x.ask(Question{}); b.Periods[0].CT1 == "999" {
		t.Error("callers share the answer kept")
	}
	for name, q := range map[string]Question{"another day": {From: dayAfter(Today(noon))}, "another service": {Service: GenIns, Contact: OtherContact}, "another patient": {Patient: Patient{NISS: otherPatient}}} {
		x.set(insurers.GenIns, insurers.Down)
		if a := x.ask(q); a.Status != Unavailable {
			t.Errorf("%s: %s", name, a.Status)
		}
	}
	x.clock.pass(12 * time.Hour) // past midnight in Brussels
	if a := x.ask(Question{From: Today(noon)}); a.Status != Unavailable {
		t.Errorf("of yesterday: %+v", a)
	}
}

// TestRecent: nobody is asked if the caller does not want it, unless there is nothing.
func TestRecent(t *testing.T) {
	t.Parallel()
	x := newTill(t, "pharmacy", nil)
	for range 3 {
		x.ask(Question{Recent: true})
	}
	if n := x.network.Requests()[insurers.Pharmacist]; n != 1 {
		t.Errorf("asked %d times", n)
	}
	if c := x.last(); !c.Cached || c.Reason != "" || c.Network != "" {
		t.Errorf("%+v", c)
	}
	if a := x.ask(Question{}); len(a.Warnings) != 0 || a.Approval.Number == "" {
		t.Errorf("not asked anew: %+v", a)
	}
}

// TestCacheForgets: an answer that is not positive drives out an older one.
func TestCacheForgets(t *testing.T) {
	t.Parallel()
	var c cache
	k := cacheKey{service: GenIns}
	for _, s := range []Status{NotInsured, ThirdPartyRefused, Deceased, Unknown, Conflict} {
		c.note(k, &Answer{Status: Insured}, noon)
		c.note(k, &Answer{Status: Unavailable}, noon)
		if c.find(k, noon) == nil {
			t.Error("forgotten because nobody answered")
		}
		if c.note(k, &Answer{Status: s}, noon); c.find(k, noon) != nil {
			t.Errorf("%s is kept, or what was before it", s)
		}
	}
	for i := range maxCached + 5 {
		c.note(cacheKey{from: niss.Date{Year: i}}, &Answer{Status: Insured}, noon)
	}
	if len(c.answers) > maxCached || c.find(cacheKey{from: niss.Date{Year: 1}}, noon) != nil || c.find(cacheKey{from: niss.Date{Year: maxCached}}, noon) == nil {
		t.Errorf("%d are kept", len(c.answers))
	}
}

func TestBreaker(t *testing.T) {
	t.Parallel()
	x := newTill(t, "pharmacy", nil)
	x.set(insurers.Pharmacist, insurers.Down)
	for i := range breakerFailures + 3 {
		if a := x.ask(Question{}); errors.Is(a.Cause, ErrPaused) != (i >= breakerFailures) {
			t.Fatalf("%d: %v", i, a.Cause)
		}
	}
	if n := x.network.Requests()[insurers.Pharmacist]; n != breakerFailures {
		t.Errorf("asked %d times", n)
	}
	if a := x.ask(Question{Service: GenIns}); a.Status != Insured {
		t.Errorf("another service is paused too: %v", a.Cause)
	}
	x.clock.pass(breakerPause)
	if a := x.ask(Question{}); errors.Is(a.Cause, ErrPaused) {
		t.Error("nobody tries whether it is there again")
	}
	if a := x.ask(Question{}); !errors.Is(a.Cause, ErrPaused) {
		t.Error("one that failed again is asked at once")
	}
	x.clock.pass(breakerPause)
	x.set(insurers.Pharmacist)
	for range 2 {
		if a := x.ask(Question{}); a.Status != Insured {
			t.Error(a.Cause)
		}
	}
}

// TestOneProbe: while one question tries the service, the others do not wait for it.
func TestOneProbe(t *testing.T) {
	t.Parallel()
	var b breaker
	var late []func(outcome, time.Time)
	for range breakerFailures + 1 {
		done, err := b.enter(noon)
		if err != nil {
			t.Fatal(err)
		}
		late = append(late, done)
	}
	for _, done := range late[1:] {
		done(failed, noon)
	}
	late[0](worked, noon) // of before it was paused: says nothing
	if _, err := b.enter(noon); !errors.Is(err, ErrPaused) {
		t.Fatal(err)
	}
	probe, err := b.enter(noon.Add(breakerPause))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.enter(noon.Add(breakerPause)); !errors.Is(err, ErrPaused) {
		t.Error("two tries at a time")
	}
	probe(abandoned, noon.Add(breakerPause))
	if probe, err = b.enter(noon.Add(breakerPause)); err != nil {
		t.Fatal("one that gave up keeps all others away")
	}
	probe(worked, noon.Add(breakerPause))
	for range 2 {
		if _, err := b.enter(noon.Add(breakerPause)); err != nil {
			t.Error(err)
		}
	}
	if done, err := b.enter(noon); err != nil {
		t.Error(err)
	} else {
		done(worked, noon)
	}
	b.until = noon.Add(240 * time.Hour) // the clock was set back
	if _, err := b.enter(noon); err != nil {
		t.Error(err)
	}
}

// TestCannotBeAsked: errors are for what is the caller's business.
func TestCannotBeAsked(t *testing.T) {
	t.Parallel()
	x := newTill(t, "pharmacy", nil)
	if _, err := x.client.Ask(t.Context(), Question{Patient: Patient{NISS: "71050120405"}}); !errors.Is(err, ErrQuestion) {
		t.Error(err)
	}
	if _, err := x.client.Ask(t.Context(), Question{Patient: Patient{NISS: ordinaryPatient}, Service: "x"}); !errors.Is(err, ErrQuestion) {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := x.client.Ask(ctx, Question{Patient: Patient{NISS: ordinaryPatient}}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	x.ask(Question{})
	ctx, leave := context.WithCancel(t.Context())
	leaving := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		leave()
		<-r.Context().Done()
	}))
	t.Cleanup(leaving.Close)
	x.client.o.Endpoints[Pharmacist] = leaving.URL
	if _, err := x.client.Ask(ctx, Question{Patient: Patient{NISS: ordinaryPatient}}); !errors.Is(err, context.Canceled) || x.last().Reason != "cancelled" {
		t.Error(err, x.last())
	}
	ctx, cancel = context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if a, err := x.client.Ask(ctx, Question{Patient: Patient{NISS: otherPatient}}); err != nil || a.Status != Unavailable || !errors.Is(a.Cause, fetch.ErrTimeout) {
		t.Error(a, err)
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	session := func(p Provider) *Session {
		s, err := NewSession(SessionOptions{Provider: p, URL: "https://sts.invalid/", File: "x"})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	unlicensed := roleOf("doctor")
	unlicensed.LicenceUser = ""
	for name, change := range map[string]func(*Options){
		"no session": func(o *Options) { o.Session = nil }, "no address": func(o *Options) { o.Endpoints = nil }, "http": func(o *Options) { o.Endpoints[GenIns] = "http://insurers.invalid/" },
		"no licence": func(o *Options) { o.Session = session(unlicensed) }, "no service": func(o *Options) { o.Service = "x" }, "short key": func(o *Options) { o.LogKey = []byte("x") },
		"no evidence key": func(o *Options) { o.Evidence = t.TempDir() }, "password": func(o *Options) { o.Endpoints[GenIns] = "https://a:b@insurers.invalid/" },
	} {
		o := Options{Session: session(roleOf("doctor")), Endpoints: map[Service]string{GenIns: "https://insurers.invalid/"}}
		change(&o)
		if _, err := New(o); !errors.Is(err, ErrQuestion) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestNotAllowed: who may not ask is not given what he got when he might.
func TestNotAllowed(t *testing.T) {
	t.Parallel()
	fault := `<S:Envelope xmlns:S="http://schemas.xmlsoap.org/soap/envelope/"><S:Body><S:Fault><faultcode>S:Client</faultcode><faultstring>SOA-01002</faultstring><detail>` +
		`<e:SystemError xmlns:e="urn:be:fgov:ehealth:errors:soa:v1"><Code>SOA-01002</Code></e:SystemError></detail></S:Fault></S:Body></S:Envelope>`
	refusing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = w.Write([]byte(fault))
	}))
	t.Cleanup(refusing.Close)
	x := newTill(t, "pharmacy", nil)
	x.ask(Question{})
	x.client.o.Endpoints[Pharmacist] = refusing.URL
	for range 2 * breakerFailures {
		if a := x.ask(Question{}); a.Status != Unavailable || x.last().Reason != "SOA-01002" {
			t.Errorf("%+v", a)
		}
	}
}
