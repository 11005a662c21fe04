// Package evidence keeps what was said to a service and what it answered, so that only who has the operator's key can read it again.
//
// Start with Open and Store.Put. Each exchange is a file of its own, FOLDER/2026-03-15/110203.456-REFERENCE.age: JSON, encrypted in the
// age format to X25519 recipients. It is read with `age --decrypt --identity KEYFILE`, or any program that knows the format. The
// program that writes cannot read.
//
// Out of scope: keys, which age-keygen makes; how long files are kept; proof that none was taken away.
//
// References: C2SP age-encryption.org/v1.
package evidence

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"filippo.io/age"

	"github.com/eidkit/eidkit/internal/atomicfile"
)

// Exchange is a message and what came for it.
type Exchange struct {
	Time      time.Time `json:"time"`
	Service   string    `json:"service"`
	Endpoint  string    `json:"endpoint"`
	Reference string    `json:"reference"` // letters and digits
	// Request and Response are as they were sent and received, in base64; Response is empty when nothing came.
	Request  []byte `json:"request"`
	Response []byte `json:"response,omitempty"`
}

// ErrKey: a recipient is none, or there is none.
var ErrKey = errors.New("evidence: no usable key to encrypt to")

// Store is a folder of exchanges. It is safe for concurrent use, also by several programs.
type Store struct {
	folder     string
	recipients []age.Recipient
}

// Open makes the folder if it is missing, for its owner alone. keys are age recipients ("age1..."). Errors: ErrKey, and those of the
// file system.
func Open(folder string, keys []string) (*Store, error) {
	s := &Store{folder: folder}
	for _, k := range keys {
		r, err := age.ParseX25519Recipient(k)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrKey, err)
		}
		s.recipients = append(s.recipients, r)
	}
	if len(s.recipients) == 0 {
		return nil, ErrKey
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("evidence: %w", err)
	}
	return s, nil
}

// Put keeps an exchange. Two with the same time and reference are both kept.
func (s *Store) Put(x Exchange) error {
	if x.Reference == "" || strings.Trim(x.Reference, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		return fmt.Errorf("evidence: the reference %.20q names no file", x.Reference)
	}
	folder := filepath.Join(s.folder, x.Time.UTC().Format(time.DateOnly))
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return fmt.Errorf("evidence: %w", err)
	}
	f, err := atomicfile.Create(folder)
	if err != nil {
		return fmt.Errorf("evidence: %w", err)
	}
	defer f.Abort()
	if err := s.write(f, x); err != nil {
		return fmt.Errorf("evidence: %w", err)
	}
	name := x.Time.UTC().Format("150405.000") + "-" + x.Reference
	for i := 0; ; i++ {
		path := filepath.Join(folder, name+strings.Repeat("+", i)+".age")
		if _, err := os.Lstat(path); errors.Is(err, os.ErrNotExist) {
			if err := f.Commit(path); err != nil {
				return fmt.Errorf("evidence: %w", err)
			}
			return nil
		} else if err != nil {
			return fmt.Errorf("evidence: %w", err)
		}
	}
}

func (s *Store) write(w io.Writer, x Exchange) error {
	sealed, err := age.Encrypt(w, s.recipients...)
	if err != nil {
		return err
	}
	if err := json.NewEncoder(sealed).Encode(x); err != nil {
		return err
	}
	return sealed.Close()
}
