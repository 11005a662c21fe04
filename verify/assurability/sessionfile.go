package assurability

import (
	"crypto"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"time"

	"github.com/eidkit/eidkit/internal/atomicfile"
	"github.com/eidkit/eidkit/internal/sts"
)

// sessionFile is a session as it is kept: JSON, in a file that its owner alone can read, since it holds a private key.
type sessionFile struct {
	Schema int `json:"schema"` // 1
	// Service is the address of the security token service, Quality and NIHII are the provider's.
	Service string    `json:"service"`
	Quality string    `json:"quality"`
	NIHII   string    `json:"nihii"`
	Until   time.Time `json:"until"`
	// Assertion is the SAML 1.1 assertion as XML, Key the key that it is bound to as PEM (PKCS #8).
	Assertion string `json:"assertion"`
	Key       string `json:"key"`
}

// maxSessionFile bounds a session's file in bytes.
const maxSessionFile = 2 << 20

// Load takes the session that another program has opened and kept in the file. Errors: ErrSession with the reason; one that wraps
// os.ErrNotExist says that there is none.
func (s *Session) Load() error {
	h, err := s.load()
	if err != nil {
		return err
	}
	if !s.good(h) {
		return fmt.Errorf("%w: it ended at %s", ErrSession, h.token.Until.In(brussels()).Format(time.DateTime))
	}
	s.set(h)
	return nil
}

// load reads the file.
func (s *Session) load() (*held, error) {
	raw, err := readPrivate(s.o.File)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSession, err)
	}
	var f sessionFile
	if err := json.Unmarshal(raw, &f); err != nil || f.Schema != 1 {
		return nil, fmt.Errorf("%w: the file is no session", ErrSession)
	}
	if f.NIHII != s.o.Provider.NIHII || f.Quality != s.o.Provider.Quality || f.Service != s.o.URL {
		return nil, fmt.Errorf("%w: the file is of another provider or service", ErrSession)
	}
	block, _ := pem.Decode([]byte(f.Key))
	if block == nil {
		return nil, fmt.Errorf("%w: the file holds no key", ErrSession)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%w: the file holds no key", ErrSession) // without the reason, which may quote it
	}
	key, ok := parsed.(crypto.Signer)
	token, err := sts.Read([]byte(f.Assertion))
	if err != nil || !ok || !token.Holds(key.Public()) {
		return nil, fmt.Errorf("%w: key and token in the file do not belong together", ErrSession)
	}
	return &held{token, key, s.o.Now()}, nil
}

// readPrivate reads a file that its owner alone may read.
func readPrivate(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%s can be read by others than its owner", path)
	}
	raw, err := io.ReadAll(io.LimitReader(f, maxSessionFile+1))
	if err == nil && len(raw) > maxSessionFile {
		err = errors.New("the file is too large")
	}
	return raw, err
}

// save writes the file, if there is one.
func (s *Session) save(h *held) error {
	if s.o.File == "" {
		return nil
	}
	der, err := x509.MarshalPKCS8PrivateKey(h.key)
	if err != nil {
		return fmt.Errorf("%w: keeping it: %w", ErrSession, err)
	}
	raw, err := json.Marshal(sessionFile{Schema: 1, Service: s.o.URL, Quality: s.o.Provider.Quality, NIHII: s.o.Provider.NIHII, Until: h.token.Until.UTC(),
		Assertion: string(h.token.Assertion), Key: string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))})
	if err != nil {
		return fmt.Errorf("%w: keeping it: %w", ErrSession, err)
	}
	if err := atomicfile.Write(s.o.File, raw); err != nil {
		return fmt.Errorf("%w: keeping it: %w", ErrSession, err)
	}
	return nil
}
