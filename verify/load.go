package verify

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/eidkit/eidkit/internal/certs"
	"github.com/eidkit/eidkit/internal/truststore"
)

// Bounds on what LoadAnchors reads. All anchors of the EU trusted lists
// together are about 5,000 certificates and 10 MB.
const (
	maxAnchorFile  = 16 << 20 // bytes in a file
	maxAnchorCount = 20000    // certificates in all
	maxAnchorFiles = 10000    // files in a folder
)

// anchorExtensions are the files that count in a folder; what else lies there
// (a README, a checksum) is passed over.
var anchorExtensions = []string{".pem", ".crt", ".cer", ".der", ".p7b", ".p7c"}

// LoadAnchors returns the pinned roots together with the certificates of the
// given files and folders. A file holds one certificate or several, as PEM, DER
// or PKCS #7, at most 16 MiB; of a folder the files ending in .pem, .crt, .cer,
// .der, .p7b or .p7c count, without its subfolders. A path that is absent, holds no
// certificate or holds anything that is none (a key, a broken certificate) is
// an error: trust is never guessed. On error no set is returned.
func LoadAnchors(paths ...string) (*Anchors, error) {
	a := &Anchors{}
	for _, path := range paths {
		if err := a.loadPath(path); err != nil {
			return nil, fmt.Errorf("loading trust anchors: %w", err)
		}
	}
	return a, nil
}

func (a *Anchors) loadPath(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err // names the path itself
	}
	if !info.IsDir() {
		return a.loadFile(path)
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return err
	}
	count := 0
	for _, e := range entries {
		if e.IsDir() || !slices.Contains(anchorExtensions, strings.ToLower(filepath.Ext(e.Name()))) {
			continue
		}
		if count++; count > maxAnchorFiles {
			return fmt.Errorf("%s: more than %d files", path, maxAnchorFiles)
		}
		if err := a.loadFile(filepath.Join(path, e.Name())); err != nil {
			return err
		}
	}
	if count == 0 {
		return fmt.Errorf("%s: no file there ends in %s", path, strings.Join(anchorExtensions, ", "))
	}
	return nil
}

func (a *Anchors) loadFile(path string) error {
	data, err := truststore.ReadBounded(path, maxAnchorFile)
	if err != nil {
		return err
	}
	list, _, err := certs.ParseAll(data)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	for _, c := range list {
		a.Add(c)
	}
	if len(a.added) > maxAnchorCount {
		return fmt.Errorf("%s: more than %d certificates in all", path, maxAnchorCount)
	}
	return nil
}
