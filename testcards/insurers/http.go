package insurers

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

const (
	hugeSize = 60_000_000
	// dripping is how often the fault Slow sends a byte.
	dripping = 100 * time.Millisecond
	kindXML  = "text/xml; charset=utf-8"
)

// pharmacistAction is the SOAPAction of the one service whose WSDL is public.
const pharmacistAction = `"` + nsPharm + `:GetInsurabilityForPharmacist"`

func (n *Network) routes() http.Handler {
	mux := http.NewServeMux()
	for s, path := range paths {
		mux.HandleFunc("POST "+path, func(w http.ResponseWriter, r *http.Request) { n.serve(w, r, s) })
	}
	mux.HandleFunc(ControlPath, n.control)
	return mux
}

// serve counts a request, acts out the faults that need no answer, and sends the answer through those that do.
func (n *Network) serve(w http.ResponseWriter, r *http.Request, s Service) {
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
	status, out := http.StatusOK, []byte(nil)
	if content, refused := n.answer(s, r, body, a); refused != nil {
		status, out = http.StatusInternalServerError, envelope(refused.fault())
	} else {
		out = envelope(content)
		if before := n.remember(s, out); a.has(Replay) && before != nil {
			out = before
		}
	}
	a.send(w, r, status, out)
}

func envelope(content string) []byte {
	return []byte(`<?xml version="1.0" encoding="UTF-8"?>` + "\n<!-- TEST -->\n" + el("S:Envelope"+attr("xmlns:S", nsEnvelope), el("S:Body", content)))
}

// fault is the SOAP fault of a refusal (facts sheet c.5).
func (r *refusal) fault() string {
	origin, party, retry := "Consumer", "S:Client", ""
	if r.code < "SOA-01" || strings.HasPrefix(r.code, "SOA-02") {
		origin, party = "Provider", "S:Server"
		retry = leaf("Retry", strconv.FormatBool(r.code == "SOA-02002"))
	}
	return el("S:Fault", leaf("faultcode", party), leaf("faultstring", r.code), el("detail",
		el("e:SystemError"+attr("xmlns:e", nsErrors)+` Id="_f1"`, leaf("Origin", origin), leaf("Code", r.code),
			leaf(`Message xml:lang="en"`, "TEST: "+printable(r.why)), retry, leaf("e:Environment", "Simulation"))))
}

// printable leaves out what no XML can hold: reasons repeat what came.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
}

// answer makes what stands in the body of the answer.
func (n *Network) answer(s Service, r *http.Request, raw []byte, a active) (string, *refusal) {
	for f, code := range map[Fault]string{Temporary: "SOA-02002", Unavailable: "SOA-02001", Unspecified: "SOA-00001"} {
		if a.has(f) {
			return "", refuse(code, "as was asked of this test service")
		}
	}
	if kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); strings.TrimSpace(strings.ToLower(kind)) != "text/xml" {
		return "", refuse("SOA-03004", "the content type is not text/xml")
	}
	action := r.Header.Get("SOAPAction")
	if s == Pharmacist && action != pharmacistAction || action != "" && (len(action) < 2 || action[0] != '"' || action[len(action)-1] != '"') {
		return "", refuse("SOA-03004", "the SOAPAction is not that of the WSDL, in quotes")
	}
	m, refused := readMessage(raw)
	if refused != nil {
		return "", refused
	}
	if a.has(EmptyBody) {
		return "", nil
	}
	now := n.clock()
	if s == STS {
		return n.issueToken(m, now, a)
	}
	t, err := n.byToken(m, now, a)
	if err != nil {
		return "", refuse("SOA-01001", "%v", err)
	}
	ask := &asking{n: n, token: t, content: m.content, now: now, today: dayOf(now), faults: a}
	switch s {
	case Pharmacist:
		return ask.pharmacist()
	case MemberData:
		return ask.memberData()
	}
	return ask.genIns()
}

// instead acts out the faults that do not depend on the answer, and tells whether there was one.
func (a active) instead(w http.ResponseWriter, r *http.Request) bool {
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
		case Error500:
			http.Error(w, "TEST: internal error", http.StatusInternalServerError)
			return true
		case Empty:
			w.Header().Set("Content-Type", kindXML)
			return true
		case Huge:
			sendHuge(w)
			return true
		}
	}
	return false
}

// hangUp closes the connection without an answer.
func hangUp(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	hardClose(conn)
}

func sendHuge(w http.ResponseWriter) {
	w.Header().Set("Content-Type", kindXML)
	if _, err := io.WriteString(w, "<S:Envelope"+attr("xmlns:S", nsEnvelope)+"><S:Body>"); err != nil {
		return
	}
	chunk := bytes.Repeat([]byte("<a>TEST</a>"), 5_000)
	for sent := 0; sent < hugeSize; sent += len(chunk) {
		if _, err := w.Write(chunk); err != nil {
			return
		}
	}
}

// send writes the answer, in the way of the faults.
func (a active) send(w http.ResponseWriter, r *http.Request, status int, out []byte) {
	header := w.Header()
	header.Set("Content-Type", kindXML)
	header.Set("Content-Length", strconv.Itoa(len(out)))
	half := len(out) / 2
	if a.has(Garbled) {
		out = append(out[:half:half], bytes.Repeat([]byte{'<', 0xFF}, len(out)-half)[:len(out)-half]...)
	}
	switch {
	case a.has(Slow):
		w.WriteHeader(status)
		drip(w, r, out)
	case a.has(Truncated):
		w.WriteHeader(status)
		_, _ = w.Write(out[:half])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	default:
		w.WriteHeader(status)
		_, _ = w.Write(out) // to a client that may have gone
	}
}

// drip sends a byte now and then until all are sent or the client gives up.
func drip(w http.ResponseWriter, r *http.Request, body []byte) {
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
