package server

import (
	"crypto"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"
)

// Bounds of a multipart upload beside its files.
const (
	maxParts = 64
	maxField = 4096 // bytes of a form field
)

// upload is what a client sent.
type upload struct {
	name      string
	file      *spooled
	contents  []content // detached, in order
	at        time.Time
	received  []time.Time
	language  string
	certChain bool // answer with the certificates themselves
}

// content is what a detached signature may be over: a file, or its digest
// alone.
type content struct {
	name   string
	file   *spooled
	hash   crypto.Hash
	digest []byte
}

// Close frees the files.
func (u *upload) Close() {
	if u.file != nil {
		u.file.Close()
	}
	for _, c := range u.contents {
		if c.file != nil {
			c.file.Close()
		}
	}
}

// badRequest is a mistake of the client that he should be told about.
type badRequest struct{ error }

func badf(format string, args ...any) error { return badRequest{fmt.Errorf(format, args...)} }

// receive reads the body: multipart/form-data with the parts file, content
// and digest, or the file alone. Parameters stand in the query or in the
// form. On error nothing is left to close.
func (s *Server) receive(r *http.Request, body io.Reader) (*upload, error) {
	u := &upload{}
	for name, values := range r.URL.Query() {
		for _, v := range values {
			if err := u.set(name, v); err != nil {
				return nil, err
			}
		}
	}
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err == nil && kind == "multipart/form-data" {
		err = s.receiveParts(u, &limitedBody{r: body, left: s.options.MaxUpload + maxParts*2*maxField}, params["boundary"])
	} else {
		u.file, err = s.spool(body, s.options.MaxUpload)
	}
	if err == nil && (u.file == nil || u.file.size == 0) {
		err = badf("no file: send it as the body, or as the part \"file\" of multipart/form-data")
	}
	if err != nil {
		u.Close()
		return nil, err
	}
	return u, nil
}

// set takes a parameter.
func (u *upload) set(name, value string) (err error) {
	switch name {
	case "name":
		u.name = value
	case "language":
		u.language = value
	case "certificates":
		u.certChain = value == "true" || value == "1"
	case "at":
		if u.at, err = time.Parse(time.RFC3339, value); err != nil {
			return badf("at: not a time of RFC 3339: %q", value)
		}
	case "receivedAt":
		t, err := time.Parse(time.RFC3339, value)
		if err != nil {
			return badf("receivedAt: not a time of RFC 3339: %q", value)
		}
		u.received = append(u.received, t)
	case "digest":
		c, err := parseDigest(value)
		if err != nil {
			return err
		}
		u.contents = append(u.contents, c)
	default:
		return badf("unknown parameter %q: name, at, receivedAt, digest, language and certificates are known", name)
	}
	return nil
}

// digests are the names of those that a client may send in place of a file.
var digests = map[string]crypto.Hash{
	"sha-256": crypto.SHA256, "sha-384": crypto.SHA384, "sha-512": crypto.SHA512,
	"sha3-256": crypto.SHA3_256, "sha3-384": crypto.SHA3_384, "sha3-512": crypto.SHA3_512, "sha-1": crypto.SHA1,
}

// parseDigest reads "sha-256:HEX-OR-BASE64", after which " name" may follow.
func parseDigest(s string) (content, error) {
	s, name, _ := strings.Cut(s, " ")
	algorithm, value, ok := strings.Cut(s, ":")
	hash := digests[strings.ToLower(algorithm)]
	if !ok || hash == 0 {
		return content{}, badf("digest: not of the form sha-256:VALUE: %q", s)
	}
	raw, err := hex.DecodeString(value)
	if err != nil {
		raw, err = base64.StdEncoding.DecodeString(value)
	}
	if err != nil || len(raw) != hash.Size() {
		return content{}, badf("digest: the value is not %d bytes in hexadecimal or base64: %q", hash.Size(), value)
	}
	return content{name: name, hash: hash, digest: raw}, nil
}

// errBody wraps what went wrong with the connection while a body was read.
var errBody = errors.New("the upload was not completed")

// limitedBody fails with errTooLarge rather than ending early, as
// io.LimitReader would.
type limitedBody struct {
	r    io.Reader
	left int64
}

func (l *limitedBody) Read(p []byte) (int, error) {
	if l.left <= 0 {
		return 0, errTooLarge
	}
	n, err := l.r.Read(p[:min(int64(len(p)), l.left)])
	l.left -= int64(n)
	return n, err
}
