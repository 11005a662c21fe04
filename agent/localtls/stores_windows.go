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

// stores are the user's own store of Windows, where Windows asks him whether he wants it, and those of Firefox's profiles.
func stores(_ context.Context, o Options) []store {
	run := func(ctx context.Context, args ...string) error {
		program := filepath.Join(os.Getenv("SystemRoot"), "System32", "certutil.exe") // not the certutil of NSS
		out, err := exec.CommandContext(ctx, program, args...).CombinedOutput()
		if err != nil {
			return fmt.Errorf("certutil.exe: %w: %s", err, strings.TrimSpace(string(out)))
		}
		return nil
	}
	user := store{
		Store: Store{Name: "Windows (Chrome, Edge)", Path: `Current User\Root`},
		add: func(ctx context.Context, c *x509.Certificate) error {
			path := filepath.Join(o.Dir, "localhost.cer")
			if err := atomicfile.Write(path, c.Raw); err != nil {
				return err
			}
			defer os.Remove(path)
			return run(ctx, "-user", "-addstore", "Root", path)
		},
		remove: func(ctx context.Context, c *x509.Certificate) error {
			return run(ctx, "-user", "-delstore", "Root", c.SerialNumber.Text(16))
		},
		has: func(ctx context.Context, c *x509.Certificate) (bool, error) {
			return run(ctx, "-user", "-verifystore", "Root", c.SerialNumber.Text(16)) == nil, nil
		},
	}
	return append([]store{user}, firefoxStores(filepath.Join(os.Getenv("APPDATA"), "Mozilla", "Firefox", "Profiles"))...)
}
