//go:build !windows

package access

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestWhoOwnsThePolicy: what another user could have written is not read.
func TestWhoOwnsThePolicy(t *testing.T) {
	t.Parallel()
	good := "unknown_origins = \"ask\"\n"
	for name, spoil := range map[string]func(b *bench) error{
		"file for the group": func(b *bench) error { return os.Chmod(b.policy, 0o664) },
		"file for all":       func(b *bench) error { return os.Chmod(b.policy, 0o646) },
		"folder for all":     func(b *bench) error { return os.Chmod(b.dir, 0o777) },
		"a link to a folder for all": func(b *bench) error {
			open := filepath.Join(b.dir, "open")
			return errors.Join(os.Mkdir(open, 0o700), os.Chmod(open, 0o777), os.Rename(b.policy, filepath.Join(open, "p")), os.Symlink(filepath.Join("open", "p"), b.policy))
		},
		"a folder": func(b *bench) error { return errors.Join(os.Remove(b.policy), os.Mkdir(b.policy, 0o755)) },
		"a loop":   func(b *bench) error { return errors.Join(os.Remove(b.policy), os.Symlink(b.policy, b.policy)) },
		"a device": func(b *bench) error { return errors.Join(os.Remove(b.policy), os.Symlink("/dev/zero", b.policy)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, good)
			if err := b.PolicyError(); err != nil {
				t.Fatal(err)
			}
			if err := spoil(b); err != nil {
				t.Fatal(err)
			}
			if err := b.Reload(); !errors.Is(err, ErrPolicy) {
				t.Errorf("%v", err)
			}
		})
	}
	b := newBench(t, good)
	if err := errors.Join(os.Rename(b.policy, b.policy+".real"), os.Symlink("policy.toml.real", b.policy)); err != nil {
		t.Fatal(err)
	}
	if err := b.Reload(); err != nil {
		t.Errorf("a link between files of the administrator: %v", err)
	}
	if os.Geteuid() == 0 { // as root the file can be given away
		if err := os.Chown(b.policy+".real", 65534, 65534); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := readTrusted(b.policy, 0, maxPolicy); err == nil || !strings.Contains(err.Error(), "belong") {
		t.Errorf("somebody else's policy is read: %v", err)
	}
	b.write("[dialogs]\npinentry = \"" + b.dir + "/pinentry\"\n")
	if err := b.Reload(); !errors.Is(err, ErrPolicy) {
		t.Errorf("a dialog program that is not there: %v", err)
	}
	if err := os.WriteFile(filepath.Join(b.dir, "pinentry"), nil, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := b.Reload(); err != nil || b.Settings().Pinentry == "" {
		t.Error(err)
	}
	if err := os.Chmod(filepath.Join(b.dir, "pinentry"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := b.Reload(); !errors.Is(err, ErrPolicy) {
		t.Errorf("a dialog program that anybody can change: %v", err)
	}
}
