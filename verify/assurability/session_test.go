package assurability

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/eidkit/eidkit/internal/fetch"
	"github.com/eidkit/eidkit/internal/soap"
	"github.com/eidkit/eidkit/internal/sts"
	"github.com/eidkit/eidkit/testcards/insurers"
	"github.com/eidkit/eidkit/testcards/pki"
)

// TestSessionFile: another program of the same provider goes on with the session, and closing it is for all.
func TestSessionFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "session.json")
	attended := func(so *SessionOptions, _ *Options) { so.File, so.Unattended = file, false }
	x := newTill(t, "pharmacy", attended)
	if _, err := x.client.Ask(t.Context(), Question{Patient: Patient{NISS: ordinaryPatient}}); !errors.Is(err, ErrSession) {
		t.Errorf("without a session: %v", err)
	}
	if err := x.session.Load(); !errors.Is(err, ErrSession) || !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	if err := x.session.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	if until := x.session.Until(); !until.Equal(noon.Add(24 * time.Hour)) {
		t.Error(until)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Error(info.Mode(), err)
	}
	o := x.session.o
	o.Credential = nil
	other, err := NewSession(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Load(); err != nil {
		t.Fatal(err)
	}
	x.client.o.Session = other
	if a := x.ask(Question{}); a.Status != Insured {
		t.Error(a.Cause)
	}
	assertion, key, err := other.Token(t.Context())
	if token, err2 := sts.Read(assertion); err != nil || err2 != nil || !token.Holds(key.Public()) {
		t.Error(err, err2)
	}
	if err := other.Open(t.Context()); !errors.Is(err, ErrSession) {
		t.Errorf("opened without a credential: %v", err)
	}
	x.clock.pass(24 * time.Hour)
	if _, err := x.client.Ask(t.Context(), Question{Patient: Patient{NISS: ordinaryPatient}}); !errors.Is(err, ErrSession) || !other.Until().IsZero() {
		t.Errorf("over: %v", err)
	}
	if err := other.Load(); !errors.Is(err, ErrSession) {
		t.Errorf("loaded, and is over: %v", err)
	}
	if err := x.session.Open(t.Context()); err != nil { // and the other program finds it
		t.Fatal(err)
	}
	if a := x.ask(Question{}); a.Status != Insured {
		t.Error(a.Cause)
	}
	if err := errors.Join(x.session.Close(), other.Close()); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(file); !errors.Is(err, os.ErrNotExist) {
		t.Error("the file is still there")
	}
}

func TestSessionFileRefused(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "session.json")
	x := newTill(t, "pharmacy", func(so *SessionOptions, _ *Options) { so.File = file })
	if err := x.session.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	right, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string][2]string{"other provider": {"29999823", "29999824"}, "other kind": {`"schema":1`, `"schema":2`}, "a broken key": {"MII", "MIJ"},
		"garbled": {`"key"`, `"key`}, "other token": {"holder-of-key", "bearer"}, "other service": {"/IAM/", "/IAN/"}} {
		if err := os.WriteFile(file, []byte(strings.ReplaceAll(string(right), change[0], change[1])), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := x.session.Load(); !errors.Is(err, ErrSession) || strings.Contains(err.Error(), "MII") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := os.WriteFile(file, right, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := x.session.Load(); err != nil {
		t.Error(err)
	}
	if err := os.Chmod(file, 0o640); err != nil {
		t.Fatal(err)
	}
	if err := x.session.Load(); !errors.Is(err, ErrSession) {
		t.Errorf("others can read it: %v", err)
	}
	reader := x.session.o
	reader.Credential, reader.Unattended = nil, false
	asks := func(want string) { // one who needs the token is told why there is none
		t.Helper()
		s, err := NewSession(reader)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := s.Token(t.Context()); !errors.Is(err, ErrSession) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	asks("can be read by others")
	if err := os.Chmod(file, 0o600); err != nil {
		t.Fatal(err)
	}
	x.clock.pass(25 * time.Hour)
	asks("it ended at")
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	asks("it is not open")
}

// TestNoToken: a token service that fails is the network's failure, a credential that does is its owner's business.
func TestNoToken(t *testing.T) {
	t.Parallel()
	x, hurried := newTill(t, "pharmacy", nil), newTill(t, "pharmacy", func(so *SessionOptions, _ *Options) { so.Timeout = 400 * time.Millisecond })
	for _, f := range insurers.Faults(insurers.STS) {
		asked := x
		switch f {
		case insurers.Foreign: // only the services can tell
			continue
		case insurers.Slow, insurers.Silent:
			asked = hurried
		}
		asked.set(insurers.STS, f)
		if a := asked.ask(Question{}); a.Status != Unavailable || a.Cause == nil {
			t.Errorf("%s: %+v", f, a)
		}
	}
	x.set(insurers.STS, insurers.Down)
	if err := x.session.Open(t.Context()); !errors.Is(err, ErrSession) || !errors.Is(err, fetch.ErrUnavailable) {
		t.Error(err)
	}
	x.set(insurers.STS, insurers.Foreign)
	before := x.network.Requests()[insurers.STS]
	for range 3 { // and nobody asks for token after token
		if a := x.ask(Question{}); a.Status != Unavailable || !errors.Is(a.Cause, ErrSession) || x.last().Reason != "SOA-01001" || len(x.last().Tries) != 1 || x.last().Tries[0] != "SOA-01001" {
			t.Errorf("%+v", a)
		}
	}
	if n := x.network.Requests()[insurers.STS] - before; n != 1 {
		t.Errorf("%d tokens", n)
	}
	x.set(insurers.STS)
	errPIN := errors.New("PIN cancelled")
	x.session.set(nil)
	x.session.o.Credential = func(context.Context) (crypto.Signer, *x509.Certificate, error) { return nil, nil, errPIN }
	if _, err := x.client.Ask(t.Context(), Question{Patient: Patient{NISS: ordinaryPatient}}); !errors.Is(err, errPIN) || !errors.Is(err, ErrSession) {
		t.Error(err)
	}
}

// TestCard: the titular opens the session with his eID card.
func TestCard(t *testing.T) {
	t.Parallel()
	x := newTill(t, "pharmacy", nil)
	o := x.network.PKI.Options()
	o.Algorithm = pki.RSA
	cards, err := pki.New(o)
	if err != nil {
		t.Fatal(err)
	}
	issued, err := cards.Issue(pki.Request{Kind: pki.Authentication, Subject: pki.Subject{NationalNumber: "88122499820", Surname: "TITULAR", GivenNames: "Example"}})
	if err != nil {
		t.Fatal(err)
	}
	x.session.o.Credential = func(context.Context) (crypto.Signer, *x509.Certificate, error) {
		return issued.Key, issued.Certificate, nil
	}
	if a := x.ask(Question{}); a.Status != Insured {
		t.Error(a.Cause)
	}
	token, err := sts.Read(x.session.get().token.Assertion)
	if err != nil || token.Attributes["urn:be:fgov:person:ssin"][0] != "88122499820" {
		t.Error(token, err)
	}
}

// TestOneAtATime: many questions at once get one token.
func TestOneAtATime(t *testing.T) {
	t.Parallel()
	x := newTill(t, "doctor", nil)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if a, err := x.client.Ask(t.Context(), Question{Patient: Patient{NISS: ordinaryPatient}}); err != nil || a.Status != Insured {
				t.Errorf("%+v, %v", a, err)
			}
		})
	}
	all.Wait()
	if x.signed != 1 {
		t.Errorf("%d tokens", x.signed)
	}
}

// hold puts a token into a session that holds for so long.
func hold(t *testing.T, s *Session, id string, left time.Duration) {
	t.Helper()
	s.set(&held{token: &sts.Token{ID: id, Until: time.Now().Add(left)}})
}

// TestKeep: the end is announced once, half an hour before, or does not come.
func TestKeep(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var announced []time.Duration
		start := time.Now()
		s, err := NewSession(SessionOptions{Provider: roleOf("doctor"), URL: "https://sts.invalid/", File: filepath.Join(t.TempDir(), "none"), Expiring: func(until time.Time, err error) {
			if err != nil {
				t.Error(err)
			}
			announced = append(announced, time.Since(start))
		}})
		if err != nil {
			t.Fatal(err)
		}
		hold(t, s, "a", 24*time.Hour)
		ctx, cancel := context.WithTimeout(t.Context(), 25*time.Hour)
		defer cancel()
		if err := s.Keep(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		if len(announced) != 1 || announced[0] != 23*time.Hour+30*time.Minute {
			t.Error(announced)
		}
	})
}

// TestKeepTries: a renewal that fails is announced with its reason, and tried again.
func TestKeepTries(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tries, announced := 0, 0
		errCard := errors.New("the card is gone")
		s, err := NewSession(SessionOptions{Provider: roleOf("doctor"), URL: "https://sts.invalid/", Unattended: true,
			Credential: func(context.Context) (crypto.Signer, *x509.Certificate, error) { tries++; return nil, nil, errCard },
			Expiring: func(_ time.Time, err error) {
				if announced++; !errors.Is(err, errCard) {
					t.Error(err)
				}
			}})
		if err != nil {
			t.Fatal(err)
		}
		hold(t, s, "a", time.Hour)
		ctx, cancel := context.WithTimeout(t.Context(), 40*time.Minute)
		defer cancel()
		if err := s.Keep(ctx); !errors.Is(err, context.DeadlineExceeded) || announced != 1 || tries < 5 {
			t.Error(err, announced, tries)
		}
	})
}

// TestRenewed: Keep's renewal gets a new token.
func TestRenewed(t *testing.T) {
	t.Parallel()
	x := newTill(t, "doctor", nil)
	x.ask(Question{})
	before := x.session.get().token.ID
	x.clock.pass(23*time.Hour + 45*time.Minute)
	if err := x.session.renew(t.Context()); err != nil || x.session.get().token.ID == before || !x.session.Until().Equal(noon.Add(47*time.Hour+45*time.Minute)) {
		t.Error(err, x.session.Until())
	}
	if a := x.ask(Question{}); a.Status != Insured {
		t.Error(a.Cause)
	}
}

func TestSessionRefused(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]SessionOptions{
		"no provider": {URL: "https://sts.invalid/", File: "x"}, "no credential": {Provider: roleOf("doctor"), URL: "https://sts.invalid/"},
		"http": {Provider: roleOf("doctor"), URL: "http://sts.invalid/", File: "x"}, "proxy": {Provider: roleOf("doctor"), URL: "https://sts.invalid/", File: "x", Proxy: "x"}, "no address": {Provider: roleOf("doctor"), File: "x"},
	} {
		if _, err := NewSession(o); !errors.Is(err, ErrSession) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestOtherCertificate: a key that nobody certified gets no token.
func TestOtherCertificate(t *testing.T) {
	t.Parallel()
	x := newTill(t, "doctor", nil)
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	self, err := sts.HolderOf(key, noon, noon.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	x.session.o.Credential = func(context.Context) (crypto.Signer, *x509.Certificate, error) { return key, self.Certificate, nil }
	var fault *soap.Fault
	if a := x.ask(Question{}); a.Status != Unavailable || !errors.As(a.Cause, &fault) || fault.SOA != "SOA-01001" || errors.Is(a.Cause, fetch.ErrUnavailable) {
		t.Errorf("%+v", a)
	}
}
