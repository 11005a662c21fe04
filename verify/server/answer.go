package server

import (
	"bytes"
	"context"
	"crypto"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/eidkit/eidkit/verify"
	"github.com/eidkit/eidkit/verify/report"
)

// verify answers POST /v1/verify.
func (s *Server) verify(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	a, size, rep := s.judge(w, r, began)
	status := a.send(w) // no place is held while a client takes his answer
	verdict := ""
	if rep != nil {
		if verdict = string(rep.Indication); rep.Error != "" {
			verdict = rep.Error
		}
	}
	s.metrics.request(status, verdict, size, began)
	s.options.Log.LogAttrs(r.Context(), slog.LevelInfo, "verify", slog.Int("status", status), slog.Int64("bytes", size),
		slog.String("verdict", verdict), slog.Int64("milliseconds", time.Since(began).Milliseconds()))
}

// answer is what goes back to the client.
type answer struct {
	status int
	kind   string
	body   []byte
}

// answerTime is how long a client may take to read his answer.
const answerTime = 20 * time.Second

// send writes the answer and returns its status. That a client has gone is no
// fault of ours.
func (a answer) send(w http.ResponseWriter) int {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(answerTime))
	h := w.Header()
	h.Set("Content-Type", a.kind)
	h.Set("Content-Length", strconv.Itoa(len(a.body)))
	if a.status == http.StatusServiceUnavailable {
		h.Set("Retry-After", "1")
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body)
	return a.status
}

// judge does the work.
func (s *Server) judge(w http.ResponseWriter, r *http.Request, began time.Time) (a answer, size int64, rep *verify.Report) {
	if s.stopping.Load() {
		return s.fail(http.StatusServiceUnavailable, "the server is stopping"), 0, nil
	}
	if r.ContentLength > s.options.MaxUpload+maxParts*2*maxField {
		return s.fail(http.StatusRequestEntityTooLarge, "at most "+strconv.FormatInt(s.options.MaxUpload, 10)+" bytes"), 0, nil
	}
	if err := s.uploads.enter(r.Context()); err != nil {
		return s.fail(http.StatusServiceUnavailable, err.Error()), 0, nil
	}
	body := &pacedBody{r: r.Body, control: http.NewResponseController(w), pause: s.options.Pause, end: began.Add(s.options.UploadTime)}
	u, err := s.receive(r, body)
	s.uploads.leave()
	if err != nil {
		return s.refuse(err), 0, nil
	}
	defer u.Close()
	if !s.options.AllowTimes && (!u.at.IsZero() || len(u.received) > 0) {
		return s.fail(http.StatusForbidden, "this server does not take times from its clients"), u.file.size, nil
	}
	if err := s.judging.enter(r.Context()); err != nil {
		return s.fail(http.StatusServiceUnavailable, err.Error()), u.file.size, nil
	}
	defer s.judging.leave()
	ctx, cancel := context.WithTimeout(r.Context(), s.options.JudgeTime)
	defer cancel()
	start := time.Now()
	rep, err = s.options.Verifier.File(ctx, u.file, u.file.size, s.verifyOptions(u))
	s.metrics.judged.UpdateDuration(start)
	if err != nil {
		if errors.Is(err, context.DeadlineExceeded) {
			return s.fail(http.StatusServiceUnavailable, "the file could not be judged in time"), u.file.size, nil
		}
		s.options.Log.Error("verify", "error", err.Error())
		return s.fail(http.StatusInternalServerError, "the file could not be judged"), u.file.size, nil
	}
	return s.render(ctx, r, u, rep), u.file.size, rep
}

func (s *Server) verifyOptions(u *upload) verify.Options {
	o := s.options.Verify
	o.Name, o.At, o.ReceivedAt, o.Certificates = u.name, u.at, u.received, u.certChain
	o.Detached = nil
	for _, c := range u.contents {
		if c.file != nil {
			o.Detached = append(o.Detached, verify.Content{Name: c.name, Data: c.file, Size: c.file.size})
		} else {
			o.Detached = append(o.Detached, verify.Content{Name: c.name, Digests: map[crypto.Hash][]byte{c.hash: c.digest}})
		}
	}
	return o
}

// render writes the report in the form that the client asked for.
func (s *Server) render(ctx context.Context, r *http.Request, u *upload, rep *verify.Report) answer {
	var out bytes.Buffer
	var err error
	kind := accepted(r.Header.Get("Accept"))
	switch kind {
	case "text/html":
		kind = "text/html; charset=utf-8"
		pages, problem := drawPages(ctx, u, rep, s.options.SpoolFolder)
		if problem != nil { // the report goes out without its pictures
			s.options.Log.Warn("verify", "pages", problem.Error())
		}
		err = report.HTML(&out, rep, report.HTMLOptions{Language: wanted(u.language, r.Header.Get("Accept-Language")), Pages: pages})
	case "application/xml":
		if err = report.ETSI(&out, rep); errors.Is(err, report.ErrNothingToReport) {
			return s.fail(http.StatusUnprocessableEntity, rep.Error+": "+rep.Reason)
		}
	case "application/json":
		err = json.NewEncoder(&out).Encode(rep)
	default:
		return s.fail(http.StatusNotAcceptable, "application/json, text/html and application/xml are there")
	}
	if err != nil {
		s.options.Log.Error("verify", "error", err.Error())
		return s.fail(http.StatusInternalServerError, "the report could not be written")
	}
	return answer{http.StatusOK, kind, out.Bytes()}
}

// accepted picks the first form of an Accept header that is there; JSON where
// the client does not care.
func accepted(header string) string {
	if header == "" {
		return "application/json"
	}
	for _, entry := range strings.Split(header, ",") {
		kind, _, err := mime.ParseMediaType(entry)
		if err != nil {
			continue
		}
		switch kind {
		case "application/json", "application/xml", "text/html":
			return kind
		case "*/*", "application/*":
			return "application/json"
		case "text/xml":
			return "application/xml"
		case "text/*":
			return "text/html"
		}
	}
	return ""
}

// wanted is the language of the request: its own parameter, or the first of
// the browser's.
func wanted(parameter, header string) string {
	if parameter != "" {
		return parameter
	}
	first, _, _ := strings.Cut(header, ",")
	return strings.TrimSpace(first)
}

// drawPages draws the pages of a PDF that has fields on them.
func drawPages(ctx context.Context, u *upload, rep *verify.Report, dir string) ([]report.Page, error) {
	visible := false
	for _, sig := range rep.Signatures {
		visible = visible || sig.PDF != nil && sig.PDF.Page > 0
	}
	if !visible {
		return nil, nil
	}
	f, err := os.CreateTemp(dir, "eid-upload-*")
	if err != nil {
		return nil, err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	if _, err := io.Copy(f, io.NewSectionReader(u.file, 0, u.file.size)); err != nil {
		return nil, err
	}
	return report.PDFPages(ctx, f.Name(), rep)
}

// refuse answers a request that could not be received.
func (s *Server) refuse(err error) answer {
	var bad badRequest
	switch {
	case errors.As(err, &bad):
		return s.fail(http.StatusBadRequest, bad.Error())
	case errors.Is(err, errTooLarge):
		return s.fail(http.StatusRequestEntityTooLarge, "at most "+strconv.FormatInt(s.options.MaxUpload, 10)+" bytes")
	case errors.Is(err, errBusy):
		return s.fail(http.StatusServiceUnavailable, err.Error())
	case errors.Is(err, errBody):
		return s.fail(http.StatusRequestTimeout, errBody.Error())
	}
	s.options.Log.Error("verify", "error", err.Error())
	return s.fail(http.StatusInternalServerError, "the upload could not be kept")
}

// fail answers with an error as JSON. What is left of the body is not read.
func (s *Server) fail(status int, text string) answer {
	body, _ := json.Marshal(map[string]string{"error": text}) // of strings: cannot fail
	return answer{status, "application/json", append(body, '\n')}
}
