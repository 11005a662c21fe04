package verify

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/eidkit/eidkit/internal/truststore"
)

// TrustDir is the folder of the user's trust store,
// $XDG_CONFIG_HOME/eidkit/trust or what corresponds to it on other systems.
// The error is that there is no home directory.
func TrustDir() (string, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, "eidkit", "trust"), nil
}

// LoadTrust returns the pinned roots together with the trust store in the
// folder store and, as LoadAnchors does, the certificates of the given files
// and folders. An empty name, or a folder that is not there, is an empty
// store. Each anchor of the store holds for its time of trust; a pinned root
// whose certificate is there is not longer trusted by that.
//
// What is not in order in the store is left out, and named in warnings, each
// of which is one sentence. A path that cannot be used is an error; then no
// set is returned.
func LoadTrust(store string, paths ...string) (a *Anchors, warnings []error, err error) {
	if a, err = LoadAnchors(paths...); err != nil || store == "" {
		return a, nil, err
	}
	entries, problems, err := truststore.New(store).List()
	if err != nil {
		return a, []error{fmt.Errorf("the trust store %s is left out: %w", store, err)}, nil
	}
	for _, p := range problems {
		warnings = append(warnings, p.Err)
	}
	for _, e := range entries {
		a.AddPeriod(e.Certificate, e.Granted, earliest(e.Withdrawn, pinnedRoot(sha256.Sum256(e.Certificate.Raw))))
	}
	return a, warnings, nil
}

// earliest is when trust ends: as the store says, or as the pinned root's row
// does if that is before.
func earliest(withdrawn time.Time, r *PinnedRoot) time.Time {
	if r == nil || r.Withdrawn.IsZero() || !withdrawn.IsZero() && withdrawn.Before(r.Withdrawn) {
		return withdrawn
	}
	return r.Withdrawn
}
