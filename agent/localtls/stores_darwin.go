package localtls

import (
	"context"
	"crypto/x509"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/eidkit/eidkit/internal/atomicfile"
)

// stores are the user's login keychain, which Safari and Chrome look into, and those of Firefox's profiles.
func stores(_ context.Context, o Options) []store {
	keychain := filepath.Join(o.home(), "Library", "Keychains", "login.keychain-db")
	run := func(ctx context.Context, args ...string) (string, error) {
		out, err := exec.CommandContext(ctx, "/usr/bin/security", args...).CombinedOutput()
		if err != nil {
			return "", fmt.Errorf("security: %w: %s", err, strings.TrimSpace(string(out)))
		}
		return string(out), nil
	}
	login := store{
		Store: Store{Name: "login keychain (Safari, Chrome)", Path: keychain},
		add: func(ctx context.Context, c *x509.Certificate) error {
			path := filepath.Join(o.Dir, "localhost.cer")
			if err := atomicfile.Write(path, c.Raw); err != nil {
				return err
			}
			defer os.Remove(path)
			_, err := run(ctx, "add-trusted-cert", "-r", "trustAsRoot", "-p", "ssl", "-k", keychain, path)
			return err
		},
		remove: func(ctx context.Context, c *x509.Certificate) error {
			_, err := run(ctx, "delete-certificate", "-Z", strings.ToUpper(fingerprint(c)), "-t", keychain)
			return err
		},
		has: func(ctx context.Context, c *x509.Certificate) (bool, error) {
			out, err := run(ctx, "find-certificate", "-a", "-Z", "-c", "localhost", keychain)
			return strings.Contains(strings.ToLower(out), fingerprint(c)), err
		},
	}
	return append([]store{login}, firefoxStores(filepath.Join(o.home(), "Library", "Application Support", "Firefox", "Profiles"))...)
}
