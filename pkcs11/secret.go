package pkcs11

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// Secret is a PIN or password. It is never a Go string, for those cannot be wiped. NewSecret makes one that also prints as REDACTED.
type Secret interface {
	// Reveal calls f with the bytes, which f must neither keep nor change.
	Reveal(f func(secret []byte) error) error
	// Wipe overwrites the bytes. This package does so with every Secret that it has been given, after use.
	Wipe()
}

// NewSecret takes over b: the caller must not use it afterwards. Whatever prints, logs or marshals the Secret gets REDACTED.
func NewSecret(b []byte) Secret {
	p := &b
	return secret{&p}
}

// secret has two pointers because fmt follows one, in the unexported field of somebody's struct.
type secret struct{ bytes **[]byte }

const redacted = "REDACTED"

func (s secret) Reveal(f func([]byte) error) error { return f(**s.bytes) }

func (s secret) Wipe() {
	clear(**s.bytes)
	**s.bytes = nil
}

func (secret) Format(f fmt.State, _ rune)   { fmt.Fprint(f, redacted) }
func (secret) String() string               { return redacted }
func (secret) LogValue() slog.Value         { return slog.StringValue(redacted) }
func (secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// PINFunc asks a person for a PIN, which is digits or any text, as the token has it. An error ends what was being done, and is
// wrapped in its error.
type PINFunc func(context.Context, PINRequest) (Secret, error)

// PINRequest says what a PIN is wanted for.
type PINRequest struct {
	Token Token
	// Certificate is that of the key about to sign; nil when the token is only looked into.
	Certificate *x509.Certificate
	// EachTime: the key wants the PIN for this signature alone, and for the next again (CKA_ALWAYS_AUTHENTICATE).
	EachTime bool
	Tries    Tries
	// Wrong: the PIN given before was wrong.
	Wrong bool
	// MinLen and MaxLen are the bytes that a PIN of this token has; 0 if it does not say.
	MinLen, MaxLen int
}

const maxPIN = 255 // bytes: more than any token takes

// readPINSource reads the PIN from where the URI's pin-source says: file:/path, on the local machine. One line end at the end of the
// file is no part of it. Errors wrap ErrPINSource.
func readPINSource(source string) (Secret, error) {
	path, err := pinPath(source)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPINSource, err)
	}
	b, err := readPINFile(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPINSource, err)
	}
	return NewSecret(b), nil
}

// pinPath takes file:/path, file:///path and file://localhost/path (RFC 8089). Programs to run (|path) and other schemes are refused.
func pinPath(source string) (string, error) {
	scheme, rest, found := strings.Cut(source, ":")
	if !found || !strings.EqualFold(scheme, "file") {
		return "", errors.New("only file:/path is taken")
	}
	if after, slashes := strings.CutPrefix(rest, "//"); slashes {
		host, path, _ := strings.Cut(after, "/")
		if host != "" && !strings.EqualFold(host, "localhost") {
			return "", errors.New("the file is on another machine")
		}
		rest = "/" + path
	}
	// The URI has been decoded once; what is still encoded is so as in any file: address.
	path, err := url.PathUnescape(rest)
	if err != nil {
		return "", errors.New("the path is not well encoded")
	}
	path = filepath.FromSlash(path)
	if runtime.GOOS == "windows" && len(path) > 2 && path[0] == '\\' && path[2] == ':' { // /C:/folder
		path = path[1:]
	}
	if !filepath.IsAbs(path) {
		return "", errors.New("the path is not absolute")
	}
	return path, nil
}

func readPINFile(path string) ([]byte, error) {
	before, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !before.Mode().IsRegular() { // before it is opened: opening a pipe waits
		return nil, fmt.Errorf("%s is not a regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !os.SameFile(before, info) {
		return nil, fmt.Errorf("%s was replaced while it was read", path)
	}
	if err := checkPermissions(path, info); err != nil {
		return nil, err
	}
	buf := make([]byte, maxPIN+3) // a line end and one byte more
	n, err := io.ReadFull(f, buf)
	if err != io.ErrUnexpectedEOF && err != io.EOF {
		clear(buf)
		if err == nil {
			err = fmt.Errorf("%s is longer than a PIN", path)
		}
		return nil, err
	}
	b := bytes.TrimSuffix(bytes.TrimSuffix(buf[:n], []byte{'\n'}), []byte{'\r'})
	if len(b) == 0 || len(b) > maxPIN || bytes.ContainsAny(b, "\x00\r\n") {
		clear(buf)
		return nil, fmt.Errorf("%s does not hold one line with a PIN", path)
	}
	return b, nil
}
