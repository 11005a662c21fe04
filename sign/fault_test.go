package sign_test

import (
	"bytes"
	"context"
	"crypto"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/eidkit/eidkit/internal/fetch"
	"github.com/eidkit/eidkit/internal/tsp"
	"github.com/eidkit/eidkit/sign"
	"github.com/eidkit/eidkit/testcards/network"
	"github.com/eidkit/eidkit/testcards/pki"
	"github.com/eidkit/eidkit/verify"
)

// TestTimestampFaults: whatever the time stamp service does wrong is told with its address, no byte was written, and level B-B works.
func TestTimestampFaults(t *testing.T) {
	t.Parallel()
	reasons := map[network.Fault]error{
		network.Down: fetch.ErrUnavailable, network.Silent: fetch.ErrTimeout, network.Slow: fetch.ErrTimeout, network.Huge: fetch.ErrTooLarge,
		network.RedirectFile: fetch.ErrRedirect, network.RedirectPrivate: fetch.ErrRedirect, network.RedirectLoop: fetch.ErrRedirect,
		network.Truncated: fetch.ErrUnavailable, network.WrongNonce: tsp.ErrMismatch, network.NoNonce: tsp.ErrMismatch, network.WrongImprint: tsp.ErrMismatch,
		network.WrongPolicy: tsp.ErrMismatch, network.Rejection: tsp.ErrRejected, network.Expired: sign.ErrExpired, network.Status(503): fetch.ErrStatus,
	}
	words := map[network.Fault]string{
		network.HTML: "web page", network.Unauthorised: "extended key usage", network.ClockAhead: "clocks", network.ClockBehind: "clocks",
		network.NoCertificate: "without the authority's certificate", network.WrongSignature: "does not fit", network.Rejection: "systemFailure",
	}
	w := newWorkshop(t)
	key := w.software(usual, 0)
	for _, fault := range append(network.Faults(network.TSA), network.Status(http.StatusServiceUnavailable)) {
		if fault == network.Bomb { // it takes the test service seconds; package fetch has its own
			continue
		}
		t.Run(string(fault), func(t *testing.T) {
			if err := w.net.Set(network.TSA, fault); err != nil {
				t.Fatal(err)
			}
			o := w.options(usual, sign.T)
			o.TSAs[0].Policy = w.net.Of(usual).TimestampPolicy()
			if errors.Is(reasons[fault], fetch.ErrTimeout) {
				o.Verifier = hurried(t, 500*time.Millisecond)
			}
			var out counter
			_, err := sign.CAdES(t.Context(), &out, aText()[0], key, o)
			if fault == network.Redirect { // on the same host, as the user named it
				if err != nil {
					t.Error(err)
				}
				return
			}
			var service *sign.ServiceError
			if !errors.Is(err, sign.ErrTimestamp) || !errors.As(err, &service) || service.Service != "TSA" || service.URL != o.TSAs[0].URL ||
				strings.Count(err.Error(), service.URL) != 1 || reasons[fault] != nil && !errors.Is(err, reasons[fault]) || !strings.Contains(err.Error(), words[fault]) {
				t.Errorf("%v", err)
			}
			if out.n > 0 {
				t.Errorf("%d bytes were written", out.n)
			}
			o.Level = sign.B
			if _, err := sign.CAdES(t.Context(), &out, aText()[0], key, o); err != nil || out.n == 0 {
				t.Errorf("level B-B: %v", err)
			}
		})
	}
}

// TestNothingWritten: of no format a byte is written when the time stamp or the evidence fails after the key was used.
func TestNothingWritten(t *testing.T) {
	t.Parallel()
	w := newWorkshop(t)
	key := &watched{software: w.software(usual, 0)}
	for _, y := range brief {
		t.Run(y.name, func(t *testing.T) {
			for _, tt := range []struct {
				level  sign.Level
				step   string // at which the services go down
				down   []network.Service
				reason error
			}{
				{sign.T, "key", []network.Service{network.TSA}, sign.ErrTimestamp},
				{sign.LTA, "timestamp", []network.Service{network.OCSP, network.CRL}, sign.ErrEvidence}, // about the authority's certificate
			} {
				o := y.options(w, tt.level)
				o.Verifier = newVerifier(t)
				at := 0
				o.Progress = func(p sign.Progress) {
					if p.Step == tt.step {
						at = key.uses
						for _, s := range tt.down {
							if err := w.net.Set(s, network.Down); err != nil {
								t.Error(err)
							}
						}
					}
				}
				key.uses = 0
				var out counter
				_, err := y.sign(t.Context(), &out, key, o)
				var service *sign.ServiceError
				if !errors.Is(err, tt.reason) || !errors.As(err, &service) || !strings.Contains(err.Error(), w.net.URL()) || key.uses != 1 || at > 1 {
					t.Errorf("%v: %v, key used %d times", tt.level, err, key.uses)
				}
				if out.n > 0 {
					t.Errorf("%v: %d bytes were written", tt.level, out.n)
				}
				for _, s := range network.Services() {
					if err := w.net.Set(s); err != nil {
						t.Fatal(err)
					}
				}
			}
		})
	}
}

// TestEvidenceFaults: without current answers no level B-LT: told before the key is used, with the addresses; B-B and B-T are made, and
// say that nobody knows.
func TestEvidenceFaults(t *testing.T) {
	t.Parallel()
	evidenceFaults(t, network.Status(http.StatusServiceUnavailable), network.Down, network.Silent, network.HTML, network.WrongSignature, network.Replay, network.Unknowing)
}

func evidenceFaults(t *testing.T, faults ...network.Fault) {
	w := newWorkshop(t)
	key := &watched{software: w.software(usual, 0)}
	for _, fault := range faults {
		t.Run(string(fault), func(t *testing.T) {
			for _, s := range []network.Service{network.OCSP, network.CRL} {
				f := fault
				if _, status := strings.CutPrefix(string(f), "status:"); !status && !slices.Contains(network.Faults(s), f) {
					f = network.Down
				}
				if err := w.net.Set(s, f); err != nil {
					t.Fatal(err)
				}
			}
			o := w.options(usual, sign.LT)
			o.Verifier = newVerifier(t)
			if fault == network.Silent {
				o.Verifier = hurried(t, 500*time.Millisecond)
			}
			key.uses = 0
			var out counter
			_, err := sign.CAdES(t.Context(), &out, aText()[0], key, o)
			var service *sign.ServiceError
			if !errors.Is(err, sign.ErrEvidence) || !errors.As(err, &service) || !strings.Contains(err.Error(), w.net.URL()+"/ocsp") || !strings.Contains(err.Error(), w.net.URL()+"/crl/") {
				t.Errorf("%v", err)
			}
			if out.n > 0 || key.uses > 0 {
				t.Errorf("%d bytes were written, the key was used %d times", out.n, key.uses)
			}
			for _, o.Level = range []sign.Level{sign.B, sign.T} {
				rep, err := sign.CAdES(t.Context(), &out, aText()[0], key, o)
				for limit := time.Second; fault == network.Silent && errors.Is(err, sign.ErrTimestamp) && limit < time.Minute; limit *= 2 {
					o.Verifier = hurried(t, limit) // too little for the time stamp service, which is right, on a busy machine
					rep, err = sign.CAdES(t.Context(), &out, aText()[0], key, o)
				}
				if err != nil || !slices.Equal(codes(rep), []string{"REVOCATION_NOT_CHECKED"}) {
					t.Errorf("%v: %+v, %v", o.Level, rep, err)
				}
			}
		})
	}
}

// TestKeyFaults: an error of the key, a wrong value and a key that is not the certificate's: each is told as what it is, in every format,
// and nothing is written.
func TestKeyFaults(t *testing.T) {
	t.Parallel()
	w := newWorkshop(t)
	mine, other := w.software(usual, 0), w.software(usual, 1)
	for _, y := range brief {
		for name, tt := range map[string]struct {
			key    *watched
			reason error
			also   error
			uses   int
		}{
			"removed": {&watched{software: mine, spoil: func([]byte, crypto.SignerOpts) ([]byte, error) { return nil, errCard }}, sign.ErrKey, errCard, 1},
			"other digest": {&watched{software: mine, spoil: func(d []byte, o crypto.SignerOpts) ([]byte, error) {
				d = bytes.Clone(d)
				d[0] ^= 1
				return mine.Sign(nil, d, o)
			}}, sign.ErrValue, nil, 1},
			"other key":         {&watched{software: mine, spoil: func(d []byte, o crypto.SignerOpts) ([]byte, error) { return other.Sign(nil, d, o) }}, sign.ErrValue, nil, 1},
			"no value":          {&watched{software: mine, spoil: func([]byte, crypto.SignerOpts) ([]byte, error) { return nil, nil }}, sign.ErrValue, nil, 1},
			"other certificate": {&watched{software: mine, named: other.certificate}, sign.ErrKeyMismatch, nil, 0},
		} {
			before := w.net.Requests()[network.TSA]
			var out counter
			_, err := y.sign(t.Context(), &out, tt.key, y.options(w, sign.T))
			if !errors.Is(err, tt.reason) || tt.also != nil && !errors.Is(err, tt.also) || out.n > 0 || tt.key.uses != tt.uses {
				t.Errorf("%s, %s: %v, %d bytes, used %d times", y.name, name, err, out.n, tt.key.uses)
			}
			if w.net.Requests()[network.TSA] != before {
				t.Errorf("%s, %s: a time stamp was asked for", y.name, name)
			}
		}
	}
	if _, err := sign.CAdES(t.Context(), io.Discard, aText()[0], nil, w.options(usual, sign.B)); !errors.Is(err, sign.ErrOptions) {
		t.Errorf("no key: %v", err)
	}
}

// testOtherAuthority: the next authority is asked when one fails, and all failures are told when all do. One that is not trusted is no
// use where it must be proven; below that the signer is told.
func testOtherAuthority(t *testing.T, w *workshop) {
	t.Parallel()
	key := w.software(usual, 0)
	broken := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(broken.Close)
	closed := httptest.NewServer(nil)
	closed.Close()
	right := w.options(usual, sign.T).TSAs[0]
	foreign := sign.TSA{URL: w.net.Of(pki.EC).TSAURL()}
	for _, tt := range []struct {
		name   string
		level  sign.Level
		tsas   []sign.TSA
		used   string
		warns  []string
		errors []error
	}{
		{"the second", sign.T, []sign.TSA{{URL: broken.URL}, right}, right.URL, nil, nil},
		{"the first", sign.T, []sign.TSA{right, {URL: broken.URL}}, right.URL, nil, nil},
		{"none", sign.T, []sign.TSA{{URL: broken.URL}, {URL: closed.URL}}, "", nil, []error{sign.ErrTimestamp, fetch.ErrStatus, fetch.ErrUnavailable}},
		{"untrusted", sign.T, []sign.TSA{foreign}, foreign.URL, []string{"TIMESTAMP_AUTHORITY_UNTRUSTED"}, nil},
		{"untrusted above", sign.LT, []sign.TSA{foreign}, "", nil, []error{sign.ErrTimestamp, sign.ErrUntrusted}},
		{"untrusted, then right", sign.LT, []sign.TSA{foreign, right}, right.URL, nil, nil},
	} {
		o := w.options(usual, tt.level)
		o.TSAs, o.Anchors = tt.tsas, onlyUsual(w)
		rep, err := sign.CAdES(t.Context(), io.Discard, aText()[0], key, o)
		if tt.errors == nil && (err != nil || rep.TSA != tt.used || rep.Stamped.IsZero() || !slices.Equal(codes(rep), tt.warns)) {
			t.Errorf("%s: %+v, %v", tt.name, rep, err)
		}
		for _, reason := range tt.errors {
			if !errors.Is(err, reason) {
				t.Errorf("%s: %v", tt.name, err)
			}
		}
		for _, a := range tt.tsas {
			if err != nil && !strings.Contains(err.Error(), a.URL) {
				t.Errorf("%s: %v: no word of %s", tt.name, err, a.URL)
			}
		}
	}
}

func onlyUsual(w *workshop) *verify.Anchors {
	a := &verify.Anchors{}
	a.Add(w.net.Of(usual).Root.Certificate)
	return a
}

// testOnceMore: what may pass is tried once more, and no more than that.
func testOnceMore(t *testing.T, w *workshop) {
	t.Parallel()
	real := w.options(usual, sign.T).TSAs[0].URL
	for _, tt := range []struct {
		fails int32
		code  int
		asked int32
		good  bool
	}{{1, 503, 2, true}, {2, 503, 2, false}, {1, 404, 1, false}} {
		var asked atomic.Int32
		front := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if asked.Add(1) <= tt.fails {
				rw.WriteHeader(tt.code)
				return
			}
			answer, err := http.Post(real, r.Header.Get("Content-Type"), r.Body)
			if err != nil {
				rw.WriteHeader(http.StatusBadGateway)
				return
			}
			defer answer.Body.Close()
			rw.Header().Set("Content-Type", answer.Header.Get("Content-Type"))
			io.Copy(rw, answer.Body)
		}))
		o := w.options(usual, sign.T)
		o.TSAs[0].URL = front.URL
		_, err := sign.CAdES(t.Context(), io.Discard, aText()[0], w.software(usual, 0), o)
		front.Close()
		if (err == nil) != tt.good || asked.Load() != tt.asked {
			t.Errorf("%+v: asked %d times, %v", tt, asked.Load(), err)
		}
	}
}

// testCancelled: a context that ends at whatever step ends the work there: nothing is written from then on.
func testCancelled(t *testing.T, w *workshop) {
	t.Parallel()
	key := w.software(usual, 0)
	for _, y := range brief {
		t.Run(y.name, func(t *testing.T) {
			t.Parallel()
			var steps []string
			o := y.options(w, sign.LTA)
			o.Progress = func(p sign.Progress) { steps = append(steps, p.Step) }
			y.must(t, key, o)
			for _, step := range []string{"hash", "key", "timestamp", "evidence", "write"} {
				if !slices.Contains(steps, step) {
					t.Fatalf("no step %q in %v", step, steps)
				}
			}
			for i, step := range steps {
				if slices.Contains(steps[:i], step) && slices.Contains(steps[i+1:], step) {
					continue // the first and the last of each will do
				}
				ctx, cancel := context.WithCancel(t.Context())
				var out counter
				n, written := 0, 0
				o.Progress = func(sign.Progress) {
					if n == i {
						written = out.n
						cancel()
					}
					n++
				}
				_, err := y.sign(ctx, &out, key, o)
				cancel()
				if !errors.Is(err, context.Canceled) || out.n != written {
					t.Errorf("at step %d, %q: %v; %d bytes before, %d after", i, step, err, written, out.n)
				}
			}
		})
	}
}
