package fetch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Request says what to get. The zero value gets whatever is there, up to the client's MaxBytes.
type Request struct {
	// Accept is the media type wanted, empty: any.
	Accept string
	// ETag and LastModified are those of the copy at hand, as Response gave them: the answer is then NotModified if it is still right.
	ETag, LastModified string
	// MaxBytes, if above 0, replaces the client's.
	MaxBytes int64
	// SOAP makes it a SOAP 1.1 request: SOAPAction goes along, in quotes also when it is empty, and an answer with status 500 is one
	// with a body, a fault.
	SOAP       bool
	SOAPAction string
}

// Response is an answer.
type Response struct {
	URL                string // where it came from in the end
	ContentType        string
	ETag, LastModified string
	// NotModified: the copy at hand is still right; Body is nil.
	NotModified bool
	// Failed: the status was 500, and the body says why. Only with Request.SOAP.
	Failed bool
	// MaxAge is how long it may be reused (Cache-Control max-age less Age); 0: not said, or not at all.
	MaxAge time.Duration
	// Body is what came, decompressed. Nil from Stream.
	Body []byte
}

// Get fetches an address. Requests that are alike and run at the same time share one download, and the answer: do not change Body.
// Errors are those of the package, or ctx's when it was cancelled.
func (c *Client) Get(ctx context.Context, address string, req Request) (*Response, error) {
	key := strings.Join([]string{address, req.Accept, req.ETag, req.LastModified, strconv.FormatInt(req.MaxBytes, 10)}, "\x00")
	return c.share(ctx, key, func(ctx context.Context) (*Response, error) {
		return c.whole(ctx, http.MethodGet, address, "", nil, req)
	})
}

// Post sends body and gives the answer. It is never repeated by itself; redirects that would not repeat it are refused.
func (c *Client) Post(ctx context.Context, address, contentType string, body []byte, req Request) (*Response, error) {
	return c.whole(ctx, http.MethodPost, address, contentType, body, req)
}

// Stream fetches an address and has read take the body while it comes; read is not called when the answer is NotModified. It ends with
// the first error of the connection or of read. What read got is only complete when Stream returns nil: a reader that stops before
// the end of the body hides that it was cut short.
func (c *Client) Stream(ctx context.Context, address string, req Request, read func(head *Response, body io.Reader) error) (*Response, error) {
	return c.do(ctx, http.MethodGet, address, "", nil, req, read)
}

func (c *Client) whole(ctx context.Context, method, address, contentType string, body []byte, req Request) (*Response, error) {
	var buf bytes.Buffer
	resp, err := c.do(ctx, method, address, contentType, body, req, func(_ *Response, r io.Reader) error {
		_, err := buf.ReadFrom(r)
		return err
	})
	if err != nil {
		return nil, err
	}
	if !resp.NotModified {
		resp.Body = buf.Bytes()
	}
	return resp, nil
}

// do makes one request, from the wait for a slot to the last byte.
func (c *Client) do(ctx context.Context, method, address, contentType string, body []byte, req Request,
	read func(*Response, io.Reader) error) (*Response, error) {
	if len(address) > maxURL {
		return nil, fmt.Errorf("%w: more than %d bytes", ErrForbiddenURL, maxURL)
	}
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("%w: %q", ErrForbiddenURL, address)
	}
	if err := c.checkURL(u); err != nil {
		return nil, fmt.Errorf("getting %s: %w", u.Redacted(), err)
	}
	outer := ctx
	ctx, end := context.WithTimeoutCause(ctx, c.opts.Timeout, fmt.Errorf("%w: more than %v", ErrTimeout, c.opts.Timeout))
	defer end()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
	case <-ctx.Done():
		return nil, failure(outer, ctx, u, ctx.Err())
	}
	if err := c.checkBehindProxy(ctx, u); err != nil {
		return nil, fmt.Errorf("getting %s: %w", u, err)
	}
	resp, err := c.http.Do(c.request(ctx, method, u, contentType, body, req))
	if err != nil {
		return nil, failure(outer, ctx, u, err)
	}
	defer resp.Body.Close()
	head, err := c.head(resp, req)
	if err != nil || head.NotModified {
		return head, err
	}
	stalled := fmt.Errorf("%w: nothing came for %v", ErrTimeout, c.opts.StepTimeout)
	limited := &bodyReader{r: resp.Body, left: c.limit(req), step: c.opts.StepTimeout}
	limited.timer = time.AfterFunc(c.opts.StepTimeout, func() { cancel(stalled) })
	defer limited.timer.Stop()
	if err := read(head, limited); err != nil {
		if limited.err == nil || limited.err == io.EOF {
			return nil, err // the reader's own
		}
		return nil, failure(outer, ctx, u, limited.err)
	}
	return head, nil
}

func (c *Client) limit(req Request) int64 {
	if req.MaxBytes > 0 {
		return req.MaxBytes
	}
	return c.opts.MaxBytes
}

func (c *Client) request(ctx context.Context, method string, u *url.URL, contentType string, body []byte, req Request) *http.Request {
	r := (&http.Request{Method: method, URL: u, Host: u.Host, Header: http.Header{}}).WithContext(ctx)
	if method == http.MethodPost {
		r.ContentLength = int64(len(body))
		r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
		r.Body, _ = r.GetBody()
	}
	for name, value := range map[string]string{
		"User-Agent": c.opts.UserAgent, "Accept": req.Accept, "Content-Type": contentType, "If-None-Match": req.ETag, "If-Modified-Since": req.LastModified,
	} {
		if value != "" {
			r.Header.Set(name, value)
		}
	}
	if req.SOAP {
		r.Header["SOAPAction"] = []string{`"` + req.SOAPAction + `"`} // SOAP 1.1 section 6.1.1, spelled as there
	}
	return r
}

// head judges an answer by its status line and header.
func (c *Client) head(resp *http.Response, req Request) (*Response, error) {
	u := resp.Request.URL
	head := &Response{
		URL:          u.String(),
		ContentType:  resp.Header.Get("Content-Type"),
		ETag:         resp.Header.Get("ETag"),
		LastModified: resp.Header.Get("Last-Modified"),
		NotModified:  resp.StatusCode == http.StatusNotModified,
		Failed:       req.SOAP && resp.StatusCode == http.StatusInternalServerError,
		MaxAge:       maxAge(resp.Header),
	}
	switch {
	case head.NotModified && (req.ETag != "" || req.LastModified != ""):
		return head, nil
	case resp.StatusCode != http.StatusOK && !head.Failed:
		return nil, &StatusError{Code: resp.StatusCode, URL: u.Redacted()}
	case resp.Header.Get("Content-Encoding") != "" && resp.Header.Get("Content-Encoding") != "identity":
		return nil, fmt.Errorf("%w: %s answered in an encoding that nobody asked for", ErrUnavailable, u.Redacted())
	case resp.ContentLength > c.limit(req):
		return nil, fmt.Errorf("%w: %s announced %d bytes, at most %d are taken", ErrTooLarge, u.Redacted(), resp.ContentLength, c.limit(req))
	}
	return head, nil
}

// maxAge is how long an answer may be reused without asking (RFC 9111 section 4.2).
func maxAge(h http.Header) time.Duration {
	var age time.Duration
	for directive := range strings.SplitSeq(h.Get("Cache-Control"), ",") {
		name, value, _ := strings.Cut(strings.ToLower(strings.TrimSpace(directive)), "=")
		switch name {
		case "no-store", "no-cache":
			return 0
		case "max-age":
			age = seconds(strings.Trim(value, `"`))
		}
	}
	return max(0, age-seconds(h.Get("Age")))
}

// seconds reads a number of seconds, at most a year.
func seconds(text string) time.Duration {
	n, err := strconv.ParseUint(text, 10, 63)
	if err != nil {
		return 0
	}
	return time.Duration(min(n, 365*24*3600)) * time.Second
}

// bodyReader counts what is read and starts the clock anew with each piece.
type bodyReader struct {
	r     io.Reader
	left  int64
	step  time.Duration
	timer *time.Timer
	err   error // what ended it
}

func (b *bodyReader) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1] // one more byte than allowed tells whether there is more
	}
	n, err := b.r.Read(p)
	b.timer.Reset(b.step)
	if b.left -= int64(n); b.left < 0 {
		n, err = n-1, ErrTooLarge
	}
	b.err = err
	return n, err
}

// failure says what went wrong in the package's terms. outer is the caller's context, ctx the request's.
func failure(outer, ctx context.Context, u *url.URL, err error) error {
	var urlErr *url.Error
	if errors.As(err, &urlErr) {
		err = urlErr.Err // without it, the address would be there twice
	}
	var timeout net.Error
	switch cause := context.Cause(ctx); {
	case errors.Is(outer.Err(), context.Canceled):
		return fmt.Errorf("getting %s: %w", u, context.Canceled)
	case errors.Is(err, ErrForbiddenAddress), errors.Is(err, ErrForbiddenURL), errors.Is(err, ErrRedirect), errors.Is(err, ErrTooLarge):
	case errors.Is(cause, ErrTimeout):
		err = cause
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		err = fmt.Errorf("%w: %w", ErrTimeout, err)
	default:
		err = fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return fmt.Errorf("getting %s: %w", u, err)
}
