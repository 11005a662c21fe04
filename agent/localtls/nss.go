package localtls

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// store is a Store with the ways to change it.
type store struct {
	Store
	add, remove func(context.Context, *x509.Certificate) error
	has         func(context.Context, *x509.Certificate) (bool, error)
}

// nssStore is a key store of NSS, which the browsers of Linux use, and Firefox everywhere.
func nssStore(name, dir string) store {
	db := "sql:" + dir
	return store{
		Store: Store{Name: name, Path: dir},
		add: func(ctx context.Context, c *x509.Certificate) error {
			if _, err := os.Stat(filepath.Join(dir, "cert9.db")); err != nil {
				if err := os.MkdirAll(dir, 0o700); err != nil {
					return err
				}
				if _, err := certutil(ctx, nil, "-N", "-d", db, "--empty-password"); err != nil {
					return err
				}
			}
			// P: trusted as a server's own certificate; nothing can be issued by it.
			_, err := certutil(ctx, c.Raw, "-A", "-d", db, "-n", nickname(c), "-t", "P,,")
			return err
		},
		remove: func(ctx context.Context, c *x509.Certificate) error {
			_, err := certutil(ctx, nil, "-D", "-d", db, "-n", nickname(c))
			return err
		},
		has: func(ctx context.Context, c *x509.Certificate) (bool, error) {
			if _, err := os.Stat(filepath.Join(dir, "cert9.db")); err != nil {
				return false, nil
			}
			out, err := certutil(ctx, nil, "-L", "-d", db)
			return strings.Contains(out, nickname(c)), err
		},
	}
}

// errNoCertutil says what is missing.
var errNoCertutil = errors.New("certutil of NSS is not installed (Debian: libnss3-tools)")

func certutil(ctx context.Context, in []byte, args ...string) (string, error) {
	program, err := exec.LookPath("certutil")
	if err != nil {
		return "", errNoCertutil
	}
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Stdin = bytes.NewReader(in)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("certutil: %w: %s", err, strings.TrimSpace(string(out)))
	}
	return string(out), nil
}

// firefoxStores are the key stores of Firefox's profiles, which it has one of for each profile.
func firefoxStores(folders ...string) (list []store) {
	for _, folder := range folders {
		found, err := filepath.Glob(filepath.Join(folder, "*", "cert9.db"))
		if err != nil {
			continue // the pattern is ours: a folder with odd characters in its name is passed over
		}
		for _, db := range found {
			list = append(list, nssStore("Firefox", filepath.Dir(db)))
		}
	}
	return list
}
