package agent

import (
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/eidkit/eidkit/internal/atomicfile"
)

const keyFile = "installation.key"

// installationKey is the key by which clients know this installation again: made
// at the first start, readable by its owner alone, the same ever after.
func installationKey(dir string) (ed25519.PrivateKey, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	path := filepath.Join(dir, keyFile)
	if err := makeKey(dir, path); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	info, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%s can be read by others (mode %v): remove it, and a new one is made", path, info.Mode())
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	seed, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(seed) != ed25519.SeedSize {
		return nil, fmt.Errorf("%s holds no key: remove it, and a new one is made", path)
	}
	return ed25519.NewKeyFromSeed(seed), nil
}

// makeKey writes a new key, unless there is one: fs.ErrExist.
func makeKey(dir, path string) error {
	if _, err := os.Lstat(path); err == nil {
		return fs.ErrExist
	}
	f, err := atomicfile.Create(dir)
	if err != nil {
		return err
	}
	defer f.Abort()
	seed := make([]byte, ed25519.SeedSize)
	rand.Read(seed)
	if _, err := f.WriteString(base64.StdEncoding.EncodeToString(seed) + "\n"); err != nil {
		return err
	}
	return f.CommitNew(path)
}

// keyContext keeps the keys of sites from being those of anything else.
const keyContext = "eidkit installation key v1\x00"

// keyFor is the key that a site sees, which is of this installation and of that
// origin: two sites that compare theirs do not learn that they have the same
// visitor. Programs, which have no origin, see the installation's own.
func keyFor(key ed25519.PrivateKey, origin string) ed25519.PrivateKey {
	if origin == "" {
		return key
	}
	seed, err := hkdf.Key(sha256.New, key.Seed(), nil, keyContext+origin, ed25519.SeedSize)
	if err != nil { // no seed of that size is too long
		panic(err)
	}
	return ed25519.NewKeyFromSeed(seed)
}

// proofContext keeps a proof from being anything else that is signed.
const proofContext = "eidkit agent proof v1\x00"

// prove signs a client's nonce for that client: origin is empty for a program.
func prove(key ed25519.PrivateKey, origin string, nonce []byte) []byte {
	return ed25519.Sign(keyFor(key, origin), append([]byte(proofContext+origin+"\x00"), nonce...))
}
