package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"

	"github.com/eidkit/eidkit/internal/pinentry"
	"github.com/eidkit/eidkit/pkcs11"
	"github.com/eidkit/eidkit/sign/pkcs12"
)

// maxWrongPassphrases is how often a passphrase may be typed wrong: nothing counts the tries, but nobody means to go on for ever.
const maxWrongPassphrases = 10

// openFileKey is the key of a PKCS #12 file, whose passphrase is in another file or is asked for.
func (a *app) openFileKey(ctx context.Context, path string, f keyFlags, about func() []string) (*signingKey, error) {
	data, err := readBounded(path, pkcs12.MaxSize)
	if err != nil {
		return nil, fmt.Errorf("reading the key file %s: %w", path, err)
	}
	defer clear(data)
	if f.passphraseFile != "" {
		secret, err := passphraseIn(f.passphraseFile)
		if err != nil {
			return nil, fmt.Errorf("reading the passphrase file %s: %w", f.passphraseFile, err)
		}
		return keyOf(data, path, secret)
	}
	program := a.pinProgram(f.dialog)
	r := pinentry.SecretRequest{Title: a.signWord("fileTitle"), Text: a.signWord("fileText"), Prompt: a.signWord("filePrompt"),
		About: append(about(), a.signWord("keyFile")+": "+filepath.Base(path))}
	for range maxWrongPassphrases {
		typed, err := program.Secret(ctx, r)
		if err != nil {
			return nil, err
		}
		key, err := keyOf(data, path, pkcs11.NewSecret(typed))
		if !errors.Is(err, pkcs12.ErrPassword) {
			return key, err
		}
		r.Problem = a.signWord("fileWrong")
	}
	return nil, fmt.Errorf("%w, %d times over", pkcs12.ErrPassword, maxWrongPassphrases)
}

// keyOf opens the file, and wipes the passphrase.
func keyOf(data []byte, path string, passphrase pkcs11.Secret) (*signingKey, error) {
	defer passphrase.Wipe()
	key, err := pkcs12.Open(data, passphrase)
	if err != nil {
		return nil, fmt.Errorf("opening the key file %s: %w", path, err)
	}
	return &signingKey{Key: key, close: func() {}}, nil
}

// maxPassphrase is more than anybody types, in bytes.
const maxPassphrase = 1024

// passphraseIn reads a passphrase from a file that its owner alone may read. One line end at the end is no part of it.
func passphraseIn(path string) (pkcs11.Secret, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, plainPathError(err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return nil, hinted{errors.New("others may read it too"), "chmod 600 " + path}
	}
	data, err := readBounded(path, maxPassphrase)
	if err != nil {
		return nil, err
	}
	return pkcs11.NewSecret(bytes.TrimSuffix(bytes.TrimSuffix(data, []byte("\n")), []byte("\r"))), nil
}

// readBounded reads a regular file of at most limit bytes.
func readBounded(path string, limit int) ([]byte, error) {
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() { // before it is opened: opening a pipe waits
		err = errors.New("not a regular file")
	}
	if err != nil {
		return nil, plainPathError(err)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, plainPathError(err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, int64(limit)+1))
	if err == nil && len(data) > limit {
		err = fmt.Errorf("more than %d bytes", limit)
	}
	return data, err
}
