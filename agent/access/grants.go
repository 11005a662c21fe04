package access

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/pelletier/go-toml/v2"

	"github.com/eidkit/eidkit/internal/atomicfile"
)

// Limits of the file of grants.
const (
	maxGrantsFile = 2 << 20 // bytes
	maxGrants     = 1000
	maxPairings   = 100
	maxName       = 64
	keyBytes      = 32
)

// Files in the state folder.
const (
	grantsName = "grants.toml"
	keyName    = "grants.key"
	lockName   = "grants.lock"
)

const (
	grantsHead    = "# Written by eidkit alone: after any edit from outside the whole file is refused.\nmac = \""
	grantsHeadEnd = "\"\n"
	pairingPrefix = "pairing:"
)

// grantsFile is what grants.toml holds under its MAC.
type grantsFile struct {
	Schema   int       `toml:"schema"`
	Grants   []Grant   `toml:"grant"`
	Pairings []Pairing `toml:"pairing"`
}

// parseGrants reads the file, which must carry the MAC that the key gives. Errors: ErrGrants.
func parseGrants(b, key []byte) (*grantsFile, error) {
	mac, body, err := splitMAC(b)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrGrants, err)
	}
	if len(key) != keyBytes || !hmac.Equal(mac, grantsMAC(key, body)) {
		return nil, ErrGrants
	}
	var g grantsFile
	d := toml.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(&g); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrGrants, err)
	}
	if g.Schema != 1 || len(g.Grants) > maxGrants || len(g.Pairings) > maxPairings {
		return nil, fmt.Errorf("%w: written by another version", ErrGrants)
	}
	return &g, nil
}

func splitMAC(b []byte) (mac, body []byte, err error) {
	if len(b) > maxGrantsFile {
		return nil, nil, errors.New("too large")
	}
	rest, ok := bytes.CutPrefix(b, []byte(grantsHead))
	written, body, found := bytes.Cut(rest, []byte(grantsHeadEnd))
	mac, err = hex.DecodeString(string(written))
	if !ok || !found || err != nil {
		return nil, nil, errors.New("the MAC is not where it belongs")
	}
	return mac, body, nil
}

func grantsMAC(key, body []byte) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte("eidkit grants v1\x00"))
	m.Write(body)
	return m.Sum(nil)
}

func (g *grantsFile) encode(key []byte) ([]byte, error) {
	body, err := toml.Marshal(g)
	if err != nil {
		return nil, err
	}
	out := []byte(grantsHead + hexMAC(key, body) + grantsHeadEnd)
	if out = append(out, body...); len(out) > maxGrantsFile {
		return nil, ErrFull
	}
	return out, nil
}

// readKey is the key of the MAC, nil when there is none yet. A key that others
// could read is none.
func readKey(dir string) ([]byte, error) {
	path := filepath.Join(dir, keyName)
	b, err := readPrivate(path, keyBytes+1)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if len(b) != keyBytes {
		return nil, fmt.Errorf("%s has not %d bytes", path, keyBytes)
	}
	return b, nil
}

// makeKey makes the key when it is missing; of two that do so at once one wins.
func makeKey(dir string) ([]byte, error) {
	if k, err := readKey(dir); k != nil || err != nil {
		return k, err
	}
	f, err := atomicfile.Create(dir)
	if err != nil {
		return nil, err
	}
	defer f.Abort()
	key := make([]byte, keyBytes)
	rand.Read(key) // never fails (crypto/rand)
	if _, err := f.Write(key); err != nil {
		return nil, err
	}
	if err := f.CommitNew(filepath.Join(dir, keyName)); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	return readKey(dir)
}

// key is how grants name the client; "" for one that can have none.
func (c Client) key() string {
	switch {
	case c.Kind == Site && !c.Origin.IsZero():
		return c.Origin.String()
	case c.Kind == Program && c.PairingID != "":
		return pairingPrefix + c.PairingID
	}
	return ""
}

// matches tells whether the grant is about such a request, fields apart.
func (g Grant) matches(r Request) bool {
	return g.Operation == r.Operation && (!hasPurpose(r.Operation) || g.Purpose == r.Purpose) && (unread(r) || readersHold(g.Readers, r.Reader, r.Role))
}

func (g Grant) sameAs(o Grant) bool {
	return g.Client == o.Client && g.Operation == o.Operation && g.Purpose == o.Purpose && slices.Equal(g.Fields, o.Fields) && slices.Equal(g.Readers, o.Readers)
}

func (g Grant) expired(now time.Time) bool { return !g.Expires.IsZero() && !now.Before(g.Expires) }

// grantFor is the grant that answers a request for good.
func grantFor(r Request, now, until time.Time) Grant {
	g := Grant{ID: newID("g"), Client: r.Client.key(), Operation: r.Operation, Created: now.UTC().Truncate(time.Second)}
	if !until.IsZero() {
		g.Expires = until.UTC().Truncate(time.Second)
	}
	if hasPurpose(r.Operation) {
		g.Purpose = r.Purpose
	}
	if r.Operation == OpIdentity {
		g.Fields = slices.Compact(slices.Sorted(slices.Values(r.Fields)))
	}
	switch {
	case r.Role != "":
		g.Readers = []string{rolePrefix + r.Role}
	case r.Reader != "":
		g.Readers = []string{namePrefix + readerModel(r.Reader)}
	}
	return g
}

func newID(kind string) string {
	b := make([]byte, 8)
	rand.Read(b)
	return kind + "-" + hex.EncodeToString(b)
}

// newToken is a token and what is kept of it.
func newToken() (token, hash string) {
	b := make([]byte, 32)
	rand.Read(b)
	token = base64.RawURLEncoding.EncodeToString(b)
	return token, hashToken(token)
}

func hashToken(token string) string {
	h := sha256.Sum256([]byte(token))
	return hex.EncodeToString(h[:])
}

// goodName tells whether a program may call itself that: what a dialog shows must
// not look like something else.
func goodName(s string) bool {
	if s == "" || len(s) > maxName || strings.TrimSpace(s) != s {
		return false
	}
	return strings.IndexFunc(s, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune(" .,-_+()&'", r)
	}) < 0
}

func hexMAC(key, body []byte) string { return hex.EncodeToString(grantsMAC(key, body)) }
