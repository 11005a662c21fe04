package sign_test

import (
	"crypto/x509"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/eidkit/eidkit/sign"
	"github.com/eidkit/eidkit/testcards/answers"
	"github.com/eidkit/eidkit/testcards/pki"
)

// stamping is a time stamp authority whose tokens are as change makes them; n counts from 1. It has a key in the query of its address, which it
// wants.
func stamping(t *testing.T, w *workshop, change func(n int, stamp *answers.Timestamp)) (url string) {
	t.Helper()
	n := 0
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		req, bad := answers.ParseRequest(body)
		if err != nil || bad != nil || r.URL.Query().Get("apikey") != "hunter2" {
			rw.WriteHeader(http.StatusForbidden)
			return
		}
		n++
		p := w.net.Of(usual)
		stamp := answers.Timestamp{TSA: p.TSA, Certificates: []*x509.Certificate{p.TSA.Certificate, p.TimestampCA.Certificate}, Hash: req.Hash, Imprint: req.Imprint,
			Nonce: req.Nonce, Time: time.Now().UTC().Truncate(time.Second)}
		change(n, &stamp)
		answer, err := stamp.Response()
		if err != nil {
			rw.WriteHeader(http.StatusInternalServerError)
			return
		}
		rw.Header().Set("Content-Type", "application/timestamp-reply")
		rw.Write(answer)
	}))
	t.Cleanup(server.Close)
	return server.URL + "/stamp?apikey=hunter2"
}

// testSecretAddress: what an address holds of secrets is in no report and no error.
func testSecretAddress(t *testing.T, w *workshop) {
	t.Parallel()
	key := w.software(usual, 0)
	o := w.options(usual, sign.T)
	url := stamping(t, w, func(int, *answers.Timestamp) {})
	shown := strings.TrimSuffix(url, "apikey=hunter2") + "..."
	o.TSAs = []sign.TSA{{URL: url}}
	rep, err := sign.CAdES(t.Context(), io.Discard, aText()[0], key, o)
	if err != nil || rep.TSA != shown {
		t.Errorf("%+v, %v", rep, err)
	}
	closed := httptest.NewServer(nil)
	closed.Close()
	redirect := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		http.Redirect(rw, r, "http://127.0.0.2:1/?key=hunter2", http.StatusTemporaryRedirect)
	}))
	t.Cleanup(redirect.Close)
	refusing := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(refusing.Close)
	for _, base := range []string{closed.URL, redirect.URL, refusing.URL, "http://tsa.example.invalid", "HTTP://me:hunter2@tsa.example", "http://hunter2%zz/", "ftp://hunter2@x"} {
		o.TSAs = []sign.TSA{{URL: base + "/p?apikey=hunter2&x=%20hunter2#hunter2"}}
		_, err := sign.CAdES(t.Context(), io.Discard, aText()[0], key, o)
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", base, err)
		}
	}
}

// testLargeToken: of a time stamp that has no room in a PDF signature nothing is told, but of the one that took its place.
func testLargeToken(t *testing.T, w *workshop) {
	t.Parallel()
	early := time.Now().UTC().Truncate(time.Second).Add(-time.Minute)
	p := w.net.Of(usual)
	list := pki.List{Number: 1, ThisUpdate: early, NextUpdate: early.Add(time.Hour), Entries: make([]pki.Entry, 1500)}
	for i := range list.Entries {
		list.Entries[i] = pki.Entry{Serial: big.NewInt(int64(i + 1)), At: early}
	}
	large, err := p.CRL(p.Root, list)
	if err != nil {
		t.Fatal(err)
	}
	o := w.options(usual, sign.T)
	o.TSAs = []sign.TSA{{URL: stamping(t, w, func(n int, stamp *answers.Timestamp) {
		if n == 1 {
			stamp.Time = early
			stamp.CRLs = [][]byte{large}
		}
	})}}
	rep, err := sign.PAdES(t.Context(), io.Discard, aPDF()[0], w.software(usual, 0), o)
	if err != nil || rep.Stamped.Equal(early) || rep.Stamped.IsZero() {
		t.Errorf("%+v, %v", rep, err)
	}
}
