// Package server judges signatures over HTTP: a file comes in, a report of
// package verify goes out.
//
// Start with New, then Server.Serve on a listener, or use the Server as an
// http.Handler in a program of your own.
//
//	POST /v1/verify   the file as the body, or multipart/form-data with the
//	                  parts file, content (what a detached signature signs) and
//	                  digest (in place of content); the answer is JSON, HTML or
//	                  ETSI XML, as Accept says
//	GET  /healthz     200 while the process runs
//	GET  /readyz      200 while it takes requests, 503 once it stops
//	GET  /metrics     counters for Prometheus
//
// It keeps no state beside the verifier's caches: nothing of a file stays
// when its answer is out, and the log names neither files nor persons.
// Everything a client can make large or slow is bounded, and what is too much
// at once is answered with 503 before it costs anything.
//
// Out of scope: who may ask. It listens where it is told, and the command
// listens on loopback; put a proxy that knows its users before it.
package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/eidkit/eidkit/verify"
)

// Options configure a Server. Zero values are replaced by those named.
type Options struct {
	// Verifier judges; its caches are shared with whoever else uses it. Nil: a
	// new one.
	Verifier *verify.Verifier
	// Verify is how each file is judged: anchors, policy, offline. Name,
	// Detached, At and ReceivedAt come from the request.
	Verify verify.Options
	// MaxUpload bounds the files of one request together, in bytes: 64 MiB.
	MaxUpload int64
	// SpoolFolder holds uploads over 256 KiB while they are judged; empty: the
	// system's folder for temporary files.
	SpoolFolder string
	// MaxSpool bounds all uploads at rest together, in bytes: 2 GiB.
	MaxSpool int64
	// Uploads is how many requests may send at a time: 256.
	Uploads int
	// Judged is how many files are judged at a time: two for each processor.
	// Queue is how many may wait for that, for at most Patience: 512, and 5 s.
	Judged, Queue int
	Patience      time.Duration
	// UploadTime bounds the sending of one request, Pause the time between two
	// of its pieces, JudgeTime the judging: 2 min, 10 s, 30 s.
	UploadTime, Pause, JudgeTime time.Duration
	// AllowTimes lets clients say "at" and "receivedAt": a time that a client
	// vouches for is worth what the client is.
	AllowTimes bool
	// Log gets a line for each request, without names; nil: none.
	Log *slog.Logger
}

func (o *Options) fill() {
	def := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	wait := func(v *time.Duration, d time.Duration) {
		if *v <= 0 {
			*v = d
		}
	}
	if o.MaxUpload <= 0 {
		o.MaxUpload = 64 << 20
	}
	if o.MaxSpool <= 0 {
		o.MaxSpool = 2 << 30
	}
	if o.Verifier == nil {
		o.Verifier = &verify.Verifier{}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	def(&o.Uploads, 256)
	def(&o.Judged, 2*runtime.GOMAXPROCS(0))
	def(&o.Queue, 512)
	wait(&o.Patience, 5*time.Second)
	wait(&o.UploadTime, 2*time.Minute)
	wait(&o.Pause, 10*time.Second)
	wait(&o.JudgeTime, 30*time.Second)
}

// Server answers requests. It is safe for concurrent use.
type Server struct {
	options  Options
	mux      *http.ServeMux
	uploads  *gate
	judging  *gate
	metrics  *meters
	disk     budget
	stopping atomic.Bool
}

// New returns a server that listens nowhere yet.
func New(o Options) *Server {
	o.fill()
	s := &Server{options: o, mux: http.NewServeMux()}
	s.uploads = newGate(o.Uploads, 0, time.Millisecond)
	s.judging = newGate(o.Judged, o.Queue, o.Patience)
	s.disk.limit.Store(o.MaxSpool)
	s.metrics = newMeters(s)
	s.mux.HandleFunc("POST /v1/verify", s.verify)
	s.mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	s.mux.HandleFunc("GET /readyz", s.ready)
	s.mux.HandleFunc("GET /metrics", s.metrics.serve)
	return s
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'")
	s.mux.ServeHTTP(w, r)
}

func (s *Server) ready(w http.ResponseWriter, _ *http.Request) {
	if s.stopping.Load() {
		http.Error(w, "stopping", http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, "ok")
}

// Serve answers requests on l until ctx ends, then lets those under way come
// to their end, for at most grace, and returns nil. Requests that come too
// late are refused. Other errors are those of the listener.
func (s *Server) Serve(ctx context.Context, l net.Listener, grace time.Duration) error {
	web := &http.Server{
		Handler: s, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10,
		// Longer than all that a request may take; the answer itself has a
		// deadline of its own.
		WriteTimeout: s.options.UploadTime + s.options.Patience + s.options.JudgeTime + time.Minute,
	}
	done := make(chan error, 1)
	go func() { done <- web.Serve(l) }()
	select {
	case err := <-done:
		return fmt.Errorf("serving: %w", err)
	case <-ctx.Done():
	}
	s.stopping.Store(true)
	late, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	err := web.Shutdown(late)
	if errors.Is(err, context.DeadlineExceeded) {
		err = web.Close()
	}
	<-done
	if err != nil {
		return fmt.Errorf("stopping: %w", err)
	}
	return nil
}
