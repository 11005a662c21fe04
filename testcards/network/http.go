package network

import (
	"bytes"
	"compress/flate"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/pem"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	hugeSize = 60_000_000
	// maxRequest bounds what clients send; real requests have some hundred
	// bytes.
	maxRequest = 1 << 16
	// dripping is how often the fault Slow sends a byte.
	dripping = 100 * time.Millisecond
)

// answer is what a service has to say.
type answer struct {
	body     []byte
	kind     string    // media type
	modified time.Time // zero: not to be cached
	pemType  string    // how the fault PEM labels it
	status   int       // 0: 200
}

// handler makes the answer of a service to one request; body is what was
// sent.
type handler func(r *http.Request, body []byte, a active) answer

func refused(code int, text string) answer {
	return answer{status: code, body: []byte(text + "\n"), kind: "text/plain; charset=utf-8"}
}

func (n *Network) routes() http.Handler {
	mux := http.NewServeMux()
	handle := func(pattern string, s Service, h handler) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { n.serve(w, r, s, h) })
	}
	handle("GET /crl/{file}", CRL, n.crl)
	handle("GET /crt/{file}", Issuers, n.certificate)
	handle("POST /ocsp", OCSP, n.ocsp)
	handle("POST /ocsp/", OCSP, n.ocsp)
	handle("POST /tsa", TSA, n.tsa)
	handle("POST /tsa/{name}", TSA, n.tsa)
	mux.HandleFunc(ControlPath, n.control)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// ServeMux would redirect requests whose base64 holds a double slash.
		if r.Method == http.MethodGet && strings.HasPrefix(r.URL.EscapedPath(), "/ocsp/") {
			n.serve(w, r, OCSP, n.ocspGet)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// serve counts a request, acts out the faults that need no answer, and sends
// the answer through those that do.
func (n *Network) serve(w http.ResponseWriter, r *http.Request, s Service, h handler) {
	n.mu.Lock()
	n.requests[s]++
	n.mu.Unlock()
	a := n.active(s)
	body, err := io.ReadAll(io.LimitReader(r.Body, maxRequest+1))
	if err != nil || len(body) > maxRequest {
		http.Error(w, "request too large or cut short", http.StatusBadRequest)
		return
	}
	if a.instead(w, r) {
		return
	}
	out := h(r, body, a)
	if a.has(PEM) && out.pemType != "" {
		out.body = pem.EncodeToMemory(&pem.Block{Type: out.pemType, Bytes: out.body})
	}
	a.send(w, r, out)
}

// instead acts out the faults that do not depend on the answer, and tells
// whether there was one.
func (a active) instead(w http.ResponseWriter, r *http.Request) bool {
	redirect := func(to string) bool {
		w.Header().Set("Location", to)
		w.WriteHeader(http.StatusTemporaryRedirect)
		return true
	}
	for _, f := range a {
		if code, ok := f.status(); ok {
			w.WriteHeader(code)
			return true
		}
		switch f {
		case Down:
			hangUp(w)
			return true
		case Silent:
			<-r.Context().Done()
			panic(http.ErrAbortHandler) // no answer, not an empty one
		case HTML:
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			fmt.Fprint(w, "<!DOCTYPE html>\n<html><head><title>Welcome</title></head><body><h1>Please log in to this network</h1></body></html>\n")
			return true
		case Empty:
			return true
		case Huge:
			sendHuge(w)
			return true
		case Bomb:
			sendBomb(w)
			return true
		case Redirect:
			if r.URL.Query().Has("redirected") {
				continue
			}
			return redirect(r.URL.EscapedPath() + "?redirected")
		case RedirectFile:
			return redirect("file:///etc/hostname")
		case RedirectPrivate:
			return redirect("http://169.254.169.254/latest/meta-data/")
		case RedirectLoop:
			return redirect(r.URL.EscapedPath())
		}
	}
	return false
}

// hangUp resets the connection.
func hangUp(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // a reset rather than an orderly end; without it the client sees the end all the same
	}
	_ = conn.Close()
}

// hugeStart is a SEQUENCE of hugeSize bytes that begins with another, as CRLs
// and answers do.
var hugeStart = append(longSequence(hugeSize-6), longSequence(hugeSize-12)...)

func longSequence(size uint32) []byte { return binary.BigEndian.AppendUint32([]byte{0x30, 0x84}, size) }

func sendHuge(w io.Writer) {
	chunk := make([]byte, 1<<16)
	copy(chunk, hugeStart)
	for sent := 0; sent < hugeSize; sent += len(chunk) {
		if _, err := w.Write(chunk); err != nil {
			return
		}
		clear(chunk[:len(hugeStart)])
	}
}

func sendBomb(w http.ResponseWriter) {
	w.Header().Set("Content-Encoding", "gzip")
	_, _ = w.Write(bomb())
}

// bomb is what sendHuge sends, compressed. Nearly all of it is zeros: their piece is compressed once and repeated, for compressing
// them all takes seconds.
var bomb = sync.OnceValue(func() []byte {
	var packed bytes.Buffer
	packed.Write([]byte{0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF}) // RFC 1952 section 2.3
	z, _ := flate.NewWriter(&packed, flate.DefaultCompression)  // a level that there is, and into memory: no errors
	piece := make([]byte, 1<<16)
	copy(piece, hugeStart)
	sum, size := uint32(0), 0
	add := func() (begin int) {
		begin = packed.Len()
		_, _ = z.Write(piece)
		_ = z.Flush() // to the end of a byte
		sum, size = crc32.Update(sum, crc32.IEEETable, piece), size+len(piece)
		return begin
	}
	add()
	clear(piece)
	begin := add()
	zeros := bytes.Clone(packed.Bytes()[begin:])
	for size < hugeSize {
		packed.Write(zeros)
		sum, size = crc32.Update(sum, crc32.IEEETable, piece), size+len(piece)
	}
	_ = z.Close()
	return binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(packed.Bytes(), sum), uint32(size))
})

// send writes the answer, in the way of the faults.
func (a active) send(w http.ResponseWriter, r *http.Request, out answer) {
	header := w.Header()
	header.Set("Content-Type", out.kind)
	if a.has(Malformed) {
		half := len(out.body) / 2
		out.body = append(out.body[:half:half], bytes.Repeat([]byte{0xff}, len(out.body)-half)...)
	}
	switch {
	case a.has(Slow):
		drip(w, r, out.body)
		return
	case a.has(Truncated):
		header.Set("Content-Length", strconv.Itoa(len(out.body)))
		_, _ = w.Write(out.body[:len(out.body)/2])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	case out.status != 0:
		w.WriteHeader(out.status)
		_, _ = w.Write(out.body)
		return
	case out.modified.IsZero():
		header.Set("Content-Length", strconv.Itoa(len(out.body)))
		_, _ = w.Write(out.body)
		return
	}
	sum := sha256.Sum256(out.body)
	header.Set("ETag", `"`+base64.RawURLEncoding.EncodeToString(sum[:12])+`"`)
	http.ServeContent(w, r, "", out.modified, bytes.NewReader(out.body))
}

// drip sends a byte now and then until all are sent or the client gives up.
func drip(w http.ResponseWriter, r *http.Request, body []byte) {
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	tick := time.NewTicker(dripping)
	defer tick.Stop()
	for i := range body {
		if _, err := w.Write(body[i : i+1]); err != nil {
			return
		}
		if err := http.NewResponseController(w).Flush(); err != nil {
			return
		}
		select {
		case <-tick.C:
		case <-r.Context().Done():
			return
		}
	}
}
