package beid

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/x509"
	"errors"
	"fmt"
	"io"

	"github.com/eidkit/eidkit/card"
)

// ErrNoCertificate says that the card has no certificate for the key asked: kids, and holders who opted out.
var ErrNoCertificate = errors.New("the card has no certificate for this")

// Key references (facts sheet 6.1).
const (
	keyBasic          = 0x81
	keyAuthentication = 0x82
	keySignature      = 0x83
)

// Key is a private key on a card with its certificate: a crypto.Signer and crypto.MessageSigner. Every signature asks for the PIN
// through the PINFunc and leaves no PIN right on the card. Safe for concurrent use.
type Key struct {
	card *Card
	ctx  context.Context
	ref  byte
	cert *x509.Certificate
	ask  PINFunc
}

var (
	_ crypto.Signer        = (*Key)(nil)
	_ crypto.MessageSigner = (*Key)(nil)
)

// SigningKey is the key for signatures that bind the holder (non-repudiation, key 83). It reads the certificate if that was not
// done; the error wraps ErrNoCertificate when there is none. ctx bounds this call and every Sign.
func (c *Card) SigningKey(ctx context.Context, ask PINFunc) (*Key, error) {
	return c.key(ctx, keySignature, FileSignature, ask)
}

// AuthenticationKey is the key for logging in (key 82). It must not sign documents.
func (c *Card) AuthenticationKey(ctx context.Context, ask PINFunc) (*Key, error) {
	return c.key(ctx, keyAuthentication, FileAuthentication, ask)
}

func (c *Card) key(ctx context.Context, ref byte, id FileID, ask PINFunc) (*Key, error) {
	der, err := c.file(ctx, id)
	if err != nil {
		return nil, err
	}
	if len(der) == 0 {
		return nil, fmt.Errorf("%s: %w", id, ErrNoCertificate)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("reading the %s: %w", id, err)
	}
	return &Key{card: c, ctx: ctx, ref: ref, cert: cert, ask: ask}, nil
}

// Certificate is the certificate of the key.
func (k *Key) Certificate() *x509.Certificate { return k.cert }

// Public is the public key of the certificate: *rsa.PublicKey or *ecdsa.PublicKey.
func (k *Key) Public() crypto.PublicKey { return k.cert.PublicKey }

// Sign signs digest, made with opts.HashFunc(). RSA keys give PKCS#1 v1.5, or PSS for *rsa.PSSOptions (SHA-1 and SHA-256, salt as
// long as the hash, since 1.7); EC keys give DER, or r||s for RawECDSA. The random source is not used: the card has its own.
//
// The PIN is asked first; then, in one transaction: MSE SET, VERIFY, PSO, GET RESPONSE, LOG OFF. Errors are those of VerifyPIN,
// or wrap card.ErrUnsupported for what the card cannot do, without asking for the PIN.
func (k *Key) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	sigs, err := k.SignAll([][]byte{digest}, opts)
	if err != nil {
		return nil, err
	}
	return sigs[0], nil
}

// SignMessage hashes msg with opts.HashFunc() and signs it.
func (k *Key) SignMessage(rand io.Reader, msg []byte, opts crypto.SignerOpts) ([]byte, error) {
	if !opts.HashFunc().Available() {
		return nil, fmt.Errorf("hash %v: %w", opts.HashFunc(), card.ErrUnsupported)
	}
	h := opts.HashFunc().New()
	h.Write(msg)
	return k.Sign(rand, h.Sum(nil), opts)
}

// SignAll signs several digests. The authentication key does so with one PIN, in one transaction; the signature key wants the
// PIN for each, as the card does. On an error the signatures made before it are returned beside it.
func (k *Key) SignAll(digests [][]byte, opts crypto.SignerOpts) ([][]byte, error) {
	plans := make([]plan, len(digests))
	for i, d := range digests {
		var err error
		if plans[i], err = k.card.planSignature(k.Public(), d, opts); err != nil {
			return nil, err
		}
	}
	var sigs [][]byte
	batch := 1
	if k.ref == keyAuthentication {
		batch = len(plans)
	}
	for len(plans) > 0 {
		raw, err := k.signBatch(plans[:batch])
		for _, sig := range raw {
			out, err := k.finish(digests[len(sigs)], sig, opts)
			if err != nil {
				return sigs, err
			}
			sigs = append(sigs, out)
		}
		if err != nil {
			return sigs, fmt.Errorf("signing: %w", err)
		}
		plans = plans[batch:]
	}
	return sigs, nil
}

// signBatch makes the signatures of plans, which share their algorithm, with one VERIFY.
func (k *Key) signBatch(plans []plan) ([][]byte, error) {
	purpose := PurposeSign
	if k.ref == keyAuthentication {
		purpose = PurposeAuthenticate
	}
	var sigs [][]byte
	err := k.card.withPIN(k.ctx, k.ask, purpose, func(tx *card.Tx, verify func() error) error {
		sigs = nil
		if err := k.card.setKey(tx, k.ref, plans[0].algorithm); err != nil {
			return err
		}
		if err := verify(); err != nil { // directly before PSO, as key 83 wants it
			return err
		}
		for _, p := range plans {
			sig, err := tx.Send(card.Command{INS: 0x2A, P1: 0x9E, P2: 0x9A, Data: p.input, Le: 256})
			if err != nil {
				return err
			}
			sigs = append(sigs, sig)
		}
		return nil
	})
	return sigs, err
}

// setKey is MSE SET: key and algorithm for the PSO to come. Where another applet is selected, ours is selected again first.
func (c *Card) setKey(tx *card.Tx, ref, algorithm byte) error {
	mse := card.Command{INS: 0x22, P1: 0x41, P2: 0xB6, Data: []byte{0x04, 0x80, algorithm, 0x84, ref}}
	_, err := tx.Send(mse)
	var status *card.StatusError
	if errors.As(err, &status) && (status.SW == 0x6A82 || status.SW == 0x6A86 || status.SW == 0x6D00) {
		if err = c.reselect(tx); err == nil {
			_, err = tx.Send(mse)
		}
	}
	if err != nil {
		return fmt.Errorf("choosing the key: %w", err)
	}
	return nil
}

// finish checks a signature as the card gave it and codes it as opts asks.
func (k *Key) finish(digest, sig []byte, opts crypto.SignerOpts) ([]byte, error) {
	if err := checkSignature(k.Public(), digest, sig, opts); err != nil {
		return nil, err
	}
	pub, ec := k.Public().(*ecdsa.PublicKey)
	if _, raw := opts.(RawECDSA); !ec || raw {
		return sig, nil
	}
	r, s, err := splitECDSA(pub, sig)
	if err != nil {
		return nil, err
	}
	return derECDSA(r, s)
}

// Challenge has the card sign a 48-byte challenge with its basic key (INTERNAL AUTHENTICATE, 1.8 only): r||s, 96 bytes, to check
// with the key of FileBasicKey, which proves that this is the chip and no copy. No PIN. The card counts these: 5,000 in its life
// between two visits to the municipality. On other applets the error wraps card.ErrUnsupported.
func (c *Card) Challenge(ctx context.Context, challenge []byte) ([]byte, error) {
	if !c.applet18() {
		return nil, fmt.Errorf("challenging the chip: only applets since 1.8 publish their key: %w", card.ErrUnsupported)
	}
	if len(challenge) != 48 {
		return nil, fmt.Errorf("challenging the chip: challenge of %d bytes, 48 wanted", len(challenge))
	}
	var answer []byte
	err := c.card.Do(ctx, func(tx *card.Tx) error {
		if err := c.ready(tx); err != nil {
			return err
		}
		var err error
		answer, err = tx.Send(card.Command{INS: 0x88, P1: 0x02, P2: keyBasic, Data: append([]byte{0x94, 0x30}, challenge...), Le: 256})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("challenging the chip: %w", err)
	}
	return answer, nil
}
