package main

import (
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/eidkit/eidkit/internal/pinentry"
	"github.com/eidkit/eidkit/pkcs11"
)

// openTokenKey is the one key that a pkcs11: URI names. No PIN is asked yet, unless the token shows nothing without.
func (a *app) openTokenKey(ctx context.Context, uri string, f keyFlags, about func() []string) (*signingKey, error) {
	u, err := pkcs11.ParseURI(uri)
	if err != nil {
		return nil, usageError{err}
	}
	path, err := pkcs11.FindModule(u)
	if err != nil {
		return nil, hinted{err, "say where the token's library is: --key 'pkcs11:...?module-path=/path/to/module.so'"}
	}
	d := &tokenDialog{app: a, program: a.pinProgram(f.dialog), about: about}
	m, err := pkcs11.Open(path, pkcs11.Options{PIN: d.ask, Pinpad: d.onPinpad})
	if err != nil {
		return nil, err
	}
	keys, err := m.Keys(ctx, u)
	if err == nil {
		err = onlyKey(keys)
	}
	if err != nil {
		return nil, errors.Join(err, m.Close())
	}
	k := &tokenKey{key: keys[0], dialog: d, ctx: ctx, file: u.PINSource != ""}
	return &signingKey{Key: k, close: func() { m.Close() }}, nil
}

// onlyKey wants one key: with several, the error lists them with the URI of each.
func onlyKey(keys []*pkcs11.Key) error {
	switch len(keys) {
	case 0:
		return fmt.Errorf("%w: none that the URI names", pkcs11.ErrNoKey)
	case 1:
		return nil
	}
	hint := "say which one:"
	for _, k := range keys {
		hint += fmt.Sprintf("\n  --key '%s'\n      %s", strings.ReplaceAll(k.URI().String(), "'", "%27"), k.Description())
	}
	return hinted{usagef("the URI names %d keys", len(keys)), hint}
}

// tokenKey is a key of a token, with a dialog that asks again after a wrong PIN.
type tokenKey struct {
	key    *pkcs11.Key
	dialog *tokenDialog
	ctx    context.Context
	file   bool // the PIN comes from a file: nobody is asked
}

func (k *tokenKey) Certificate() *x509.Certificate { return k.key.Certificate() }

func (k *tokenKey) Public() crypto.PublicKey { return k.key.Public() }

func (k *tokenKey) Chain() []*x509.Certificate { return k.key.Chain() }

func (k *tokenKey) Sign(rand io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	for {
		value, err := k.key.Sign(rand, digest, opts)
		var wrong *pkcs11.PINError
		if k.file || !errors.As(err, &wrong) || errors.Is(err, pkcs11.ErrPINBlocked) {
			return value, err
		}
		if again, askErr := k.dialog.program.TryAgain(k.ctx, tokenTries(wrong.Tries)); askErr != nil || !again {
			return nil, err
		}
	}
}

// tokenTries is the number of tries left as far as a token tells: 0 is not known.
func tokenTries(t pkcs11.Tries) int {
	if t.Final {
		return 1
	}
	return 0
}

// tokenDialog asks for the PINs of tokens, which may be any text.
type tokenDialog struct {
	*app
	program pinentry.Dialog
	about   func() []string
}

// ask is a pkcs11.PINFunc.
func (d *tokenDialog) ask(ctx context.Context, req pkcs11.PINRequest) (pkcs11.Secret, error) {
	r := pinentry.SecretRequest{Title: d.signWord("tokenTitle"), Text: d.signWord("tokenText"), Prompt: d.signWord("tokenPrompt"), About: d.lines(req)}
	if req.Tries.Final {
		r.Text += "\n" + d.signWord("tokenLast")
	}
	if req.Wrong {
		r.Problem = d.signWord("tokenWrong")
	}
	typed, err := d.program.Secret(ctx, r)
	if err != nil {
		return nil, err
	}
	return pkcs11.NewSecret(typed), nil
}

// onPinpad tells to type the PIN on the token's own keys, until ctx ends.
func (d *tokenDialog) onPinpad(ctx context.Context, req pkcs11.PINRequest) {
	_ = d.program.Message(ctx, pinentry.Question{Text: d.signWord("tokenPad"), About: d.lines(req)}) // without a program the token's display has to do
}

func (d *tokenDialog) lines(req pkcs11.PINRequest) []string {
	return append(d.about(), d.signWord("tokenTitle")+": "+req.Token.Label)
}
