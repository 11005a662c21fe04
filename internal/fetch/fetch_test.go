package fetch

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}

// client is one that may reach the servers of these tests.
func client(t *testing.T, opts Options) *Client {
	t.Helper()
	if opts.Allow == nil {
		opts.Allow = loopback
	}
	c, err := New(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func serve(t *testing.T, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

func wantError(t *testing.T, err error, want ...error) {
	t.Helper()
	for _, w := range want {
		if !errors.Is(err, w) {
			t.Errorf("error %v, want one that is %q", err, w)
		}
	}
}

func TestGet(t *testing.T) {
	t.Parallel()
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("User-Agent") != "tester" || r.Header.Get("Accept") != "application/pkix-crl" || r.ProtoMajor != 1 || len(r.Cookies()) > 0 {
			t.Errorf("request %s %v", r.Proto, r.Header)
		}
		w.Header().Set("ETag", `"a"`)
		w.Header().Set("Last-Modified", "Mon, 02 Mar 2026 10:00:00 GMT")
		w.Header().Set("Cache-Control", "public, Max-Age=600")
		w.Header().Set("Age", "100")
		http.SetCookie(w, &http.Cookie{Name: "c", Value: "d"})
		if r.Header.Get("If-None-Match") == `"a"` && r.Header.Get("If-Modified-Since") != "" {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		io.WriteString(w, "body")
	})
	c := client(t, Options{UserAgent: "tester"})
	resp, err := c.Get(t.Context(), s.URL+"/x", Request{Accept: "application/pkix-crl"})
	if err != nil || string(resp.Body) != "body" || resp.MaxAge != 500*time.Second || resp.NotModified || resp.URL != s.URL+"/x" {
		t.Fatalf("first answer %+v, %v", resp, err)
	}
	resp, err = c.Get(t.Context(), s.URL+"/x", Request{Accept: "application/pkix-crl", ETag: resp.ETag, LastModified: resp.LastModified})
	if err != nil || !resp.NotModified || resp.Body != nil {
		t.Errorf("conditional answer %+v, %v", resp, err)
	}
}

func TestPost(t *testing.T) {
	t.Parallel()
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/302":
			http.Redirect(w, r, "/", http.StatusFound)
		case "/307":
			http.Redirect(w, r, "/", http.StatusTemporaryRedirect)
		default:
			body, _ := io.ReadAll(r.Body)
			fmt.Fprintf(w, "%s %s %s", r.Method, r.Header.Get("Content-Type"), body)
		}
	})
	c := client(t, Options{})
	for _, path := range []string{"/", "/307"} {
		resp, err := c.Post(t.Context(), s.URL+path, "application/ocsp-request", []byte("question"), Request{})
		if err != nil || string(resp.Body) != "POST application/ocsp-request question" {
			t.Errorf("%s: %+v, %v", path, resp, err)
		}
	}
	_, err := c.Post(t.Context(), s.URL+"/302", "application/ocsp-request", []byte("question"), Request{})
	wantError(t, err, ErrRedirect)
}

func TestStatus(t *testing.T) {
	t.Parallel()
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		var code int
		fmt.Sscanf(r.URL.Path, "/%d", &code)
		w.WriteHeader(code)
	})
	c := client(t, Options{})
	for _, code := range []int{204, 206, 304, 403, 404, 500, 503} {
		_, err := c.Get(t.Context(), fmt.Sprintf("%s/%d", s.URL, code), Request{})
		wantError(t, err, ErrStatus)
		var status *StatusError
		if !errors.As(err, &status) || status.Code != code {
			t.Errorf("%d: %v", code, err)
		}
	}
}

func TestForbiddenURLs(t *testing.T) {
	t.Parallel()
	c := client(t, Options{})
	for url, want := range map[string]error{
		"ftp://pki.example/a.crl":                 ErrForbiddenURL,
		"file:///etc/passwd":                      ErrForbiddenURL,
		"ldap://pki.example/cn=x":                 ErrForbiddenURL,
		"http:pki.example":                        ErrForbiddenURL,
		"http://user:secret@pki.example/":         ErrForbiddenURL,
		"http:///path":                            ErrForbiddenURL,
		"http://[::1":                             ErrForbiddenURL,
		"http://pki.example/" + longText(maxURL):  ErrForbiddenURL,
		"":                                        ErrForbiddenURL,
		"http://127.1/":                           ErrForbiddenAddress,
		"http://2130706433/":                      ErrForbiddenAddress,
		"http://0x7f000001/":                      ErrForbiddenAddress,
		"http://0x7f.0.0.0x1./":                   ErrForbiddenAddress,
		"http://0177.0.0.01/":                     ErrForbiddenAddress,
		"http://10.0.0.1/":                        ErrForbiddenAddress,
		"http://[fe80::1%25eth0]/":                ErrForbiddenAddress,
		"http://999999999999999999999999999.1.2/": nil, // a name, if an odd one
	} {
		_, err := c.Get(t.Context(), url, Request{})
		if want == nil {
			want = ErrUnavailable
			if errors.Is(err, ErrTimeout) || errors.Is(err, ErrForbiddenAddress) {
				continue // of a resolver that does not answer, or knows better
			}
		}
		if !errors.Is(err, want) {
			t.Errorf("%.60s: %v, want %q", url, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("the error shows credentials: %v", err)
		}
	}
}

func longText(n int) string { return strings.Repeat("a", n) }

func TestAddresses(t *testing.T) {
	t.Parallel()
	c := client(t, Options{Allow: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("fd00:1::/32")}})
	for text, ok := range map[string]bool{
		"8.8.8.8": true, "193.191.210.1": true, "2a02:578::1": true, "100.63.0.1": true, "172.32.0.1": true,
		"0.0.0.0": false, "0.1.2.3": false, "10.0.0.1": false, "127.0.0.1": false, "127.255.0.9": false, "100.64.0.1": false, "169.254.169.254": false,
		"172.16.0.1": false, "172.31.255.255": false, "192.0.0.8": false, "192.0.2.1": false, "192.168.1.1": false, "198.18.0.1": false,
		"198.51.100.7": false, "203.0.113.9": false, "224.0.0.1": false, "239.1.1.1": false, "240.0.0.1": false, "255.255.255.255": false,
		"::": false, "::1": false, "::127.0.0.1": false, "::ffff:127.0.0.1": false, "::ffff:10.0.0.1": false, "::ffff:8.8.8.8": true,
		"fe80::1": false, "fe80::1%eth0": false, "fec0::1": false, "fc00::1": false, "fd12::1": false, "ff02::1": false, "2001:db8::1": false, "2001::1": false,
		"64:ff9b::7f00:1": false, "64:ff9b::808:808": true, "64:ff9b:1::808:808": false, "2002:7f00:1::": false, "2002:a00:1::1": false, "2002:808:808::1": true,
		"10.1.2.3": true, "::ffff:10.1.2.3": true, "64:ff9b::a01:203": true, "fd00:1::5": true, "fd00:1::5%eth0": true, "fd00:2::5": false,
	} {
		err := c.checkAddress(netip.MustParseAddr(text))
		if ok != (err == nil) || err != nil && !errors.Is(err, ErrForbiddenAddress) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// TestNoConnection sees that nothing reaches a server on an address that is refused, whether it is written out or comes from a name.
func TestNoConnection(t *testing.T) {
	t.Parallel()
	var connections atomic.Int32
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.Config.ConnState = func(net.Conn, http.ConnState) { connections.Add(1) }
	s.Start()
	t.Cleanup(s.Close)
	c := client(t, Options{Allow: []netip.Prefix{}})
	port := s.Listener.Addr().(*net.TCPAddr).Port
	for _, host := range []string{"127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0.0.0.0"} {
		_, err := c.Get(t.Context(), fmt.Sprintf("http://%s:%d/", host, port), Request{})
		wantError(t, err, ErrForbiddenAddress)
	}
	if n := connections.Load(); n != 0 {
		t.Errorf("%d connections were made", n)
	}
}

// TestSOAP: the header is there in quotes, and what comes with status 500 is read.
func TestSOAP(t *testing.T) {
	t.Parallel()
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/busy" {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		w.WriteHeader(http.StatusInternalServerError)
		fmt.Fprint(w, r.Header.Get("SOAPAction"))
	})
	c := client(t, Options{ConnectTimeout: time.Minute, MaxPerHost: 1})
	for action, want := range map[string]string{"": `""`, "urn:a": `"urn:a"`} {
		if resp, err := c.Post(t.Context(), s.URL, "text/xml", nil, Request{SOAP: true, SOAPAction: action}); err != nil || !resp.Failed || string(resp.Body) != want {
			t.Errorf("%+v, %v", resp, err)
		}
	}
	if _, err := c.Post(t.Context(), s.URL+"/busy", "text/xml", nil, Request{SOAP: true}); !errors.Is(err, ErrStatus) {
		t.Errorf("503: %v", err)
	}
	if _, err := c.Post(t.Context(), s.URL, "text/xml", nil, Request{}); !errors.Is(err, ErrStatus) {
		t.Errorf("500 to others: %v", err)
	}
}

// TestSameHost: a service that somebody named keeps its requests to itself, and its host may be a private one.
func TestSameHost(t *testing.T) {
	t.Parallel()
	asked := make(chan string, 1)
	other := serve(t, func(w http.ResponseWriter, r *http.Request) { asked <- r.URL.Path })
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/here":
			http.Redirect(w, r, "/there", http.StatusTemporaryRedirect)
		case "/away":
			http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
		}
	})
	c := client(t, Options{SameHost: true})
	if resp, err := c.Post(t.Context(), s.URL+"/here", "text/plain", []byte("x"), Request{}); err != nil || resp.URL != s.URL+"/there" {
		t.Errorf("%+v, %v", resp, err)
	}
	if _, err := c.Post(t.Context(), s.URL+"/away", "text/plain", []byte("x"), Request{}); !errors.Is(err, ErrRedirect) {
		t.Errorf("to another port: %v", err)
	}
	if len(asked) > 0 {
		t.Error("the other host was asked")
	}
}

func TestRedirects(t *testing.T) {
	t.Parallel()
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Referer() != "" {
			t.Errorf("referer %q", r.Referer())
		}
		var left int
		if n, _ := fmt.Sscanf(r.URL.Path, "/again/%d", &left); n == 1 && left > 0 {
			http.Redirect(w, r, fmt.Sprintf("/again/%d", left-1), http.StatusFound)
		} else if to := r.URL.Query().Get("to"); to != "" {
			w.Header().Set("Location", to)
			w.WriteHeader(http.StatusMovedPermanently)
		} else {
			io.WriteString(w, "there")
		}
	})
	secure := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, s.URL, http.StatusFound) }))
	t.Cleanup(secure.Close)
	pool := x509.NewCertPool()
	pool.AddCert(secure.Certificate())
	c := client(t, Options{CABundle: pool})
	if resp, err := c.Get(t.Context(), s.URL+"/again/5", Request{}); err != nil || string(resp.Body) != "there" || resp.URL != s.URL+"/again/0" {
		t.Errorf("five redirects: %+v, %v", resp, err)
	}
	for url, also := range map[string]error{
		s.URL + "/again/6":                          ErrRedirect,
		s.URL + "?to=/?to=/":                        nil,
		secure.URL:                                  ErrRedirect,
		s.URL + "?to=file:///etc/passwd":            ErrForbiddenURL,
		s.URL + "?to=gopher://pki.example/":         ErrForbiddenURL,
		s.URL + "?to=http://a:b@pki.example/":       ErrForbiddenURL,
		s.URL + "?to=http://169.254.169.254/latest": ErrForbiddenAddress,
		s.URL + "?to=http://[fe80::1]/":             ErrForbiddenAddress,
		s.URL + "?to=//10.0.0.1/":                   ErrForbiddenAddress,
	} {
		_, err := c.Get(t.Context(), url, Request{})
		if also == nil {
			if err != nil {
				t.Errorf("%s: %v", url, err)
			}
			continue
		}
		wantError(t, err, ErrRedirect, also)
	}
}

func TestSizes(t *testing.T) {
	t.Parallel()
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	z.Write(make([]byte, 4<<20))
	z.Close()
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/announced":
			w.Header().Set("Content-Length", "100000")
		case "/chunked":
			for range 100 {
				w.Write(make([]byte, 1000))
			}
		case "/bomb":
			w.Header().Set("Content-Encoding", "gzip")
			w.Write(bomb.Bytes())
		case "/brotli":
			w.Header().Set("Content-Encoding", "br")
			w.Write([]byte{1})
		case "/exact":
			w.Write(make([]byte, 1000))
		}
	})
	c := client(t, Options{MaxBytes: 1000})
	for path, want := range map[string]error{"/announced": ErrTooLarge, "/chunked": ErrTooLarge, "/bomb": ErrTooLarge, "/brotli": ErrUnavailable} {
		_, err := c.Get(t.Context(), s.URL+path, Request{})
		wantError(t, err, want)
	}
	if resp, err := c.Get(t.Context(), s.URL+"/exact", Request{}); err != nil || len(resp.Body) != 1000 {
		t.Errorf("exactly the limit: %v", err)
	}
	if resp, err := c.Get(t.Context(), s.URL+"/chunked", Request{MaxBytes: 100000}); err != nil || len(resp.Body) != 100000 {
		t.Errorf("with a limit of its own: %v", err)
	}
	_, err := c.Get(t.Context(), s.URL+"/exact", Request{MaxBytes: 999})
	wantError(t, err, ErrTooLarge)
}

func TestStream(t *testing.T) {
	t.Parallel()
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/cut" {
			w.Header().Set("Content-Length", "2000")
		}
		w.Write(make([]byte, 1000))
	})
	c := client(t, Options{})
	n := int64(0)
	all := func(_ *Response, r io.Reader) (err error) {
		n, err = io.Copy(io.Discard, r)
		return err
	}
	if _, err := c.Stream(t.Context(), s.URL+"/whole", Request{}, all); err != nil || n != 1000 {
		t.Errorf("whole: %d bytes, %v", n, err)
	}
	_, err := c.Stream(t.Context(), s.URL+"/cut", Request{}, all)
	wantError(t, err, ErrUnavailable)
	own := errors.New("own")
	_, err = c.Stream(t.Context(), s.URL+"/whole", Request{}, func(*Response, io.Reader) error { return own })
	if err != own {
		t.Errorf("error of the reader: %v", err)
	}
}

// TestSlow has a service that does not accept, says nothing, says half a head, or drips.
func TestSlow(t *testing.T) {
	t.Parallel()
	deaf, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { deaf.Close() })
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body) // only then does the server see the client go
		switch r.URL.Path {
		case "/half":
			w.Header().Set("Content-Length", "10")
			w.Write([]byte("half"))
			w.(http.Flusher).Flush()
		case "/drip":
			tick := time.NewTicker(5 * time.Millisecond)
			defer tick.Stop()
			for r.Context().Err() == nil {
				w.Write([]byte("."))
				w.(http.Flusher).Flush()
				<-tick.C
			}
		}
		<-r.Context().Done()
	})
	c := client(t, Options{Timeout: 300 * time.Millisecond, StepTimeout: 100 * time.Millisecond})
	for _, url := range []string{"http://" + deaf.Addr().String(), s.URL + "/silent", s.URL + "/half", s.URL + "/drip"} {
		_, err := c.Get(t.Context(), url, Request{})
		wantError(t, err, ErrTimeout)
		_, err = c.Post(t.Context(), url, "text/plain", []byte("x"), Request{})
		wantError(t, err, ErrTimeout)
	}
	patient := client(t, Options{})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = patient.Get(ctx, s.URL+"/drip", Request{})
	wantError(t, err, ErrTimeout)
	_, err = patient.Post(ctx, s.URL+"/drip", "text/plain", nil, Request{})
	wantError(t, err, ErrTimeout)
}

func TestDown(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.NotFoundHandler())
	s.Close()
	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	t.Cleanup(secure.Close)
	rude := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		conn, _, _ := w.(http.Hijacker).Hijack()
		io.WriteString(conn, "SSH-2.0-x\r\n")
		conn.Close()
	})
	c := client(t, Options{})
	for _, url := range []string{s.URL, secure.URL, rude.URL} {
		_, err := c.Get(t.Context(), url, Request{})
		wantError(t, err, ErrUnavailable)
	}
}

// waiting blocks until n callers wait for the one download that runs.
func waiting(c *Client, n int) {
	for {
		c.mu.Lock()
		total := 0
		for _, f := range c.flights {
			total += f.waiters
		}
		c.mu.Unlock()
		if total == n {
			return
		}
		runtime.Gosched()
	}
}

func TestCoalescing(t *testing.T) {
	t.Parallel()
	var requests atomic.Int32
	release := make(chan struct{})
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		requests.Add(1)
		<-release
		io.WriteString(w, "once")
	})
	c := client(t, Options{})
	first, cancel := context.WithCancel(t.Context())
	gone := make(chan error)
	go func() {
		_, err := c.Get(first, s.URL, Request{})
		gone <- err
	}()
	waiting(c, 1)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if resp, err := c.Get(t.Context(), s.URL, Request{}); err != nil || string(resp.Body) != "once" {
				t.Errorf("%+v, %v", resp, err)
			}
		})
	}
	waiting(c, 21)
	cancel() // the caller that began it
	wantError(t, <-gone, context.Canceled)
	close(release)
	wg.Wait()
	if n := requests.Load(); n != 1 {
		t.Errorf("%d requests, want 1", n)
	}
	if len(c.flights) != 0 {
		t.Error("a download that ended is still listed")
	}
}

// TestAbandoned sees that a download nobody waits for any more is ended.
func TestAbandoned(t *testing.T) {
	t.Parallel()
	begun, ended := make(chan struct{}), make(chan struct{})
	s := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		close(begun)
		<-r.Context().Done()
		close(ended)
	})
	c := client(t, Options{})
	ctx, cancel := context.WithCancel(t.Context())
	gone := make(chan error)
	go func() {
		_, err := c.Get(ctx, s.URL, Request{})
		gone <- err
	}()
	<-begun
	cancel()
	wantError(t, <-gone, context.Canceled)
	<-ended
}

func TestParallelCap(t *testing.T) {
	t.Parallel()
	var now, most atomic.Int32
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		if n := now.Add(1); n > most.Load() {
			most.Store(n)
		}
		runtime.Gosched()
		now.Add(-1)
	})
	c := client(t, Options{MaxParallel: 2})
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			if _, err := c.Get(t.Context(), fmt.Sprintf("%s/%d", s.URL, i), Request{}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if most.Load() > 2 {
		t.Errorf("%d at one time, at most 2 wanted", most.Load())
	}
	c.slots <- struct{}{}
	c.slots <- struct{}{}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := c.Post(ctx, s.URL, "", nil, Request{})
	wantError(t, err, context.Canceled)
}

func TestProxy(t *testing.T) {
	t.Parallel()
	var asked []string
	proxy := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.String()+" "+r.Header.Get("Proxy-Authorization"))
		if r.URL.Path == "/away" {
			http.Redirect(w, r, "http://127.0.0.1:1/", http.StatusFound)
		}
		io.WriteString(w, "by proxy")
	})
	c := client(t, Options{Proxy: strings.Replace(proxy.URL, "//", "//user:secret@", 1), Allow: []netip.Prefix{}, StepTimeout: 2 * time.Second})
	resp, err := c.Get(t.Context(), "http://crl.invalid/a.crl", Request{})
	if err != nil || string(resp.Body) != "by proxy" || len(asked) != 1 || asked[0] != "http://crl.invalid/a.crl Basic dXNlcjpzZWNyZXQ=" {
		t.Fatalf("%+v, %v; the proxy was asked for %q", resp, err, asked)
	}
	for _, url := range []string{"http://127.0.0.1/", "http://10.0.0.1/", "http://localhost/", "http://2130706433/", "http://[::1]/"} {
		_, err := c.Get(t.Context(), url, Request{})
		wantError(t, err, ErrForbiddenAddress)
	}
	if len(asked) != 1 {
		t.Errorf("the proxy was asked for %q", asked[1:])
	}
	_, err = c.Get(t.Context(), "http://crl.invalid/away", Request{})
	wantError(t, err, ErrRedirect, ErrForbiddenAddress)
	for _, bad := range []string{"socks5://proxy.example:1080", "proxy.example:3128", "http://", "http://user:secret@[::1"} {
		if _, err := New(Options{Proxy: bad}); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("proxy %q: %v", bad, err)
		}
	}
}

func TestMaxAge(t *testing.T) {
	t.Parallel()
	for control, want := range map[string]time.Duration{
		"": 0, "max-age=60": time.Minute, `max-age="60"`: time.Minute, "no-store, max-age=60": 0, "max-age=60, no-cache": 0, "max-age=-1": 0,
		"max-age=x": 0, "max-age=99999999999999999999": 0, "max-age=9999999999": 365 * 24 * time.Hour,
	} {
		if got := maxAge(http.Header{"Cache-Control": {control}}); got != want {
			t.Errorf("%q: %v, want %v", control, got, want)
		}
	}
}
