// Package steer lets running test services be steered over HTTP: their state
// is read by GET and changed by POST.
//
// Start with Serve.
//
// Out of scope: what a command means.
package steer

import (
	"encoding/json"
	"net"
	"net/http"
)

// Serve answers a request to a control path: GET with state as JSON, POST of a C as application/json, of at most limit bytes, by
// applying it and with the state after. What cannot be applied is answered with 400 and a line of text.
func Serve[C, S any](w http.ResponseWriter, r *http.Request, limit int64, apply func(C) error, state func() S) {
	// A page in a browser must not steer it: it cannot send this type without asking first, nor come under this name from elsewhere.
	host, _, err := net.SplitHostPort(r.Host)
	if ip := net.ParseIP(host); err != nil || (host != "localhost" && (ip == nil || !ip.IsLoopback())) {
		http.Error(w, "this address is loopback only", http.StatusForbidden)
		return
	}
	switch r.Method {
	case http.MethodGet:
	case http.MethodPost:
		if r.Header.Get("Content-Type") != "application/json" {
			http.Error(w, "the command has not the type application/json", http.StatusUnsupportedMediaType)
			return
		}
		var c C
		d := json.NewDecoder(http.MaxBytesReader(w, r.Body, limit))
		d.DisallowUnknownFields()
		if err := d.Decode(&c); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		if err := apply(c); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
	default:
		http.Error(w, "GET or POST", http.StatusMethodNotAllowed)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	_ = e.Encode(state()) // to a client that may have gone
}
