package main

import (
	"context"
	"crypto"
	"crypto/x509"
	"io"
	"os"
	"strings"

	"github.com/eidkit/eidkit/agent/desk"
	"github.com/eidkit/eidkit/card/beid"
	"github.com/eidkit/eidkit/sign"
	"github.com/spf13/cobra"
)

// keyFlags say which key signs, and how its PIN or passphrase is asked.
type keyFlags struct {
	key, passphraseFile string
	dialog              dialogFlags
}

func (f *keyFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.key, "key", "", "card, pkcs11:URI (RFC 7512), or a PKCS #12 file (default: the configuration's, else card)")
	flags.StringVar(&f.passphraseFile, "passphrase-file", "", "file with the passphrase of the PKCS #12 file, readable by you alone; for servers")
	f.dialog.add(cmd)
}

// signingKey is a key that was opened.
type signingKey struct {
	sign.Key
	close func()
	photo func(context.Context) ([]byte, error) // of an eID card; nil: there is none
}

// Chain are the certificates above the signer's that came with the key.
func (k *signingKey) Chain() []*x509.Certificate {
	if c, ok := k.Key.(interface{ Chain() []*x509.Certificate }); ok {
		return c.Chain()
	}
	return nil
}

// cardWord is the key that is the card's.
const cardWord = "card"

// openKey opens the key that the flags or the configuration name. about is what is being signed, for the dialogs.
func (a *app) openKey(ctx context.Context, f keyFlags, about func() []string) (*signingKey, error) {
	name := f.key
	if name == "" {
		name = a.config.Sign.Key
	}
	isCard, isToken := name == "" || name == cardWord, strings.HasPrefix(name, "pkcs11:")
	switch {
	case f.passphraseFile != "" && (isCard || isToken):
		return nil, usagef("--passphrase-file is for a PKCS #12 file")
	case f.dialog.autoPIN && !isCard:
		return nil, usagef("--auto-pin is for simulated cards in this program (--reader testcard:PROFILE)")
	case isCard:
		return a.openCardKey(ctx, f, about)
	case isToken:
		return a.openTokenKey(ctx, name, f, about)
	}
	if _, err := os.Stat(name); err != nil {
		return nil, usagef("--key takes card, a pkcs11: URI or a PKCS #12 file, and there is no file %s", name)
	}
	return a.openFileKey(ctx, name, f, about)
}

// openCardKey is the signature key of the eID. No PIN is asked yet.
func (a *app) openCardKey(ctx context.Context, f keyFlags, about func() []string) (*signingKey, error) {
	s, err := a.openCard(ctx)
	if err != nil {
		return nil, err
	}
	k, err := a.cardKey(ctx, s, f, about)
	if err != nil {
		s.Close()
		return nil, err
	}
	return &signingKey{Key: k, close: func() { s.Close() }, photo: s.Photo}, nil
}

func (a *app) cardKey(ctx context.Context, s *session, f keyFlags, about func() []string) (*cardKey, error) {
	d, err := a.newDialog(f.dialog, s, about)
	if err != nil {
		return nil, err
	}
	key, err := s.SigningKey(ctx, d.Ask)
	if err != nil {
		return nil, err
	}
	k := &cardKey{key: key, dialog: d, ctx: ctx}
	files, err := s.Files(ctx, beid.FileCA)
	if err != nil {
		return nil, err
	}
	if c, err := x509.ParseCertificate(files.CA); err == nil { // what is no certificate is found elsewhere, or missed there
		k.chain = append(k.chain, c)
	}
	return k, nil
}

// cardKey is the signature key of a card, with a dialog that asks again after a wrong PIN.
type cardKey struct {
	key    *beid.Key
	dialog *desk.PINs
	ctx    context.Context
	chain  []*x509.Certificate
}

func (k *cardKey) Certificate() *x509.Certificate { return k.key.Certificate() }

func (k *cardKey) Public() crypto.PublicKey { return k.key.Public() }

func (k *cardKey) Chain() []*x509.Certificate { return k.chain }

// Sign asks for the PIN each time, as the card does.
func (k *cardKey) Sign(rand io.Reader, digest []byte, opts crypto.SignerOpts) (value []byte, err error) {
	err = k.dialog.Retry(k.ctx, func() error {
		value, err = k.key.Sign(rand, digest, opts)
		return err
	})
	return value, err
}
