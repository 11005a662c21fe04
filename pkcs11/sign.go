package pkcs11

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"math/big"

	p11 "github.com/miekg/pkcs11"
)

// Sign signs digest, made with opts.HashFunc(), one of SHA-256, SHA-384 and SHA-512. RSA keys give PKCS #1 v1.5, or PSS for
// *rsa.PSSOptions; EC keys give DER. The random source is not used: the token has its own. The signature is checked with the
// certificate before it is returned (ErrSignature).
//
// The PIN is asked when the token wants it: once, until the module is closed or the token taken out, or for each signature if the key
// wants that. Errors wrap ErrMechanism, without a PIN asked, for what the token cannot do, and *PINError for a PIN that it refused.
func (k *Key) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	return k.perform(task{digest: digest, opts: opts})
}

// SignMessage hashes msg with opts.HashFunc() and signs it as Sign does. It also serves tokens that sign whole messages only.
func (k *Key) SignMessage(_ io.Reader, msg []byte, opts crypto.SignerOpts) ([]byte, error) {
	if !opts.HashFunc().Available() {
		return nil, fmt.Errorf("signing: %w: hash %v", ErrMechanism, opts.HashFunc())
	}
	h := opts.HashFunc().New()
	h.Write(msg)
	if msg == nil {
		msg = []byte{}
	}
	return k.perform(task{h.Sum(nil), msg, opts})
}

func (k *Key) perform(t task) ([]byte, error) {
	ctx, leave, err := k.pool.m.enter(k.ctx)
	if err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	defer leave()
	p, err := k.plan(t)
	if err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	var value []byte
	err = k.pool.retry(ctx, func(session, state uint) (final bool, err error) {
		value, final, err = k.signIn(ctx, session, state, p)
		return final, err
	})
	if err != nil {
		return nil, fmt.Errorf("signing with %s: %w", k.Description(), err)
	}
	sig, err := k.finish(t, value)
	if err != nil {
		return nil, fmt.Errorf("signing with %s: %w", k.Description(), err)
	}
	return sig, nil
}

// signIn signs in one session. final says that it must not be tried again by itself.
func (k *Key) signIn(ctx context.Context, session, state uint, p plan) (value []byte, final bool, err error) {
	a := prompter{pool: k.pool, source: k.source, about: PINRequest{Certificate: k.cert}}
	var given Secret // wiped when all is done: a key that wants the PIN each time gets the one just typed, if the token has but one
	defer func() { wipe(given) }()
	if k.pool.tokenNow().WantsPIN && !loggedIn(state) {
		if given, err = a.logIn(ctx, session); err != nil {
			return nil, errors.As(err, new(pinError)), err
		}
	}
	key, eachTime, err := k.private(session)
	if err != nil {
		return nil, false, err
	}
	api := k.pool.m.lib.api
	if ctx.Err() != nil {
		return nil, true, context.Cause(ctx)
	}
	begin := func() error { return api.signInit(session, p.mechanism, key) }
	if eachTime {
		final, err = a.confirm(ctx, session, given, begin)
	} else {
		err = begin()
	}
	if err != nil {
		return nil, final, err
	}
	value, err = api.sign(session, p.data)
	return value, eachTime, err
}

// private finds the private key of the certificate, by its CKA_ID, or by its label if it has none, and tells whether it wants the PIN
// each time.
func (k *Key) private(session uint) (handle uint, eachTime bool, err error) {
	api := k.pool.m.lib.api
	kind := uint(p11.CKK_RSA)
	if _, ec := k.Public().(*ecdsa.PublicKey); ec {
		kind = p11.CKK_EC
	}
	template := []attribute{{p11.CKA_CLASS, uint(p11.CKO_PRIVATE_KEY)}, {p11.CKA_KEY_TYPE, kind}}
	if len(k.id) > 0 {
		template = append(template, attribute{p11.CKA_ID, k.id})
	} else {
		template = append(template, attribute{p11.CKA_LABEL, k.label})
	}
	found, err := api.find(session, template, maxObjects)
	if err != nil {
		return 0, false, err
	}
	for _, h := range found {
		if ok, err := k.fits(session, h); err != nil {
			return 0, false, err
		} else if !ok {
			continue
		}
		each, err := api.attribute(session, h, p11.CKA_ALWAYS_AUTHENTICATE)
		if err != nil {
			return 0, false, err
		}
		return h, len(each) > 0 && each[0] != 0, nil
	}
	return 0, false, fmt.Errorf("%w: the certificate is there, its private key is not", ErrNoKey)
}

// fits tells whether a private key can be that of the certificate, as far as the token tells: RSA keys have their modulus.
func (k *Key) fits(session, handle uint) (bool, error) {
	pub, ok := k.Public().(*rsa.PublicKey)
	if !ok {
		return true, nil
	}
	modulus, err := k.pool.m.lib.api.attribute(session, handle, p11.CKA_MODULUS)
	if err != nil || len(modulus) == 0 {
		return err == nil, err
	}
	return pub.N.Cmp(new(big.Int).SetBytes(modulus)) == 0, nil
}
