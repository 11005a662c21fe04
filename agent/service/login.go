package service

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"slices"

	"github.com/eidkit/eidkit/agent/access"
	"github.com/eidkit/eidkit/agent/login"
	"github.com/eidkit/eidkit/agent/protocol"
	"github.com/eidkit/eidkit/card/beid"
	"github.com/eidkit/eidkit/niss"
)

// authLogin is auth.login. The origin is that of the connection: no parameter names one.
func (s *Service) authLogin(ctx context.Context, c *Call) (any, error) {
	var p struct {
		ChallengeNonce string `json:"challengeNonce"`
		CardID         string `json:"cardId"`
	}
	if err := params(c, &p); err != nil {
		return nil, err
	}
	nonce, err := login.ParseNonce(p.ChallengeNonce)
	if err != nil {
		return nil, err
	}
	var result struct {
		Token  json.RawMessage `json:"token"`
		CardID string          `json:"cardId"`
	}
	op := operation{method: "auth.login", kind: access.OpLogin, cardID: p.CardID, cards: eidOnly, role: "provider"}
	err = s.do(ctx, c, op, func(ctx context.Context, t *task) error {
		if c.Client.Origin.IsZero() { // nothing but a site or an extension comes so far, and these have one
			return protocol.Errorf(protocol.NotAuthorised, "only a website logs in")
		}
		result.CardID = t.card.CardID
		pins, ask := t.pins(nil)
		defer pins.Wait()
		return t.use(ctx, func(ctx context.Context, card *beid.Card) error {
			files, err := card.Files(ctx, beid.FileAuthentication)
			if err != nil {
				return err
			}
			if cert, err := x509.ParseCertificate(files.Authentication); err == nil { // what is wrong with it, login says
				t.outcome.NISS = numberIn(cert)
			}
			return pins.Retry(ctx, func() (err error) {
				result.Token, err = login.Token(ctx, card, c.Client.Origin, nonce, ask)
				return err
			})
		})
	})
	if err != nil {
		return nil, err
	}
	return result, nil
}

// signatureAlgorithm is one as Web eID names it.
type signatureAlgorithm struct {
	Crypto  string `json:"cryptoAlgorithm"` // ECC, RSA
	Hash    string `json:"hashFunction"`
	Padding string `json:"paddingScheme"` // NONE, PKCS1.5, PSS
}

// hashFunctions are those of Web eID that an eID signs, in the order in which they are offered.
var hashFunctions = []struct {
	name string
	hash crypto.Hash
}{
	{"SHA-256", crypto.SHA256}, {"SHA-384", crypto.SHA384}, {"SHA-512", crypto.SHA512}, {"SHA-224", crypto.SHA224},
	{"SHA3-256", crypto.SHA3_256}, {"SHA3-384", crypto.SHA3_384}, {"SHA3-512", crypto.SHA3_512}, {"SHA3-224", crypto.SHA3_224},
}

// algorithmOf is how a key signs, by Web eID's words; false: no known kind of key.
func algorithmOf(pub crypto.PublicKey, function string) (signatureAlgorithm, bool) {
	switch pub.(type) {
	case *ecdsa.PublicKey:
		return signatureAlgorithm{"ECC", function, "NONE"}, true
	case *rsa.PublicKey:
		return signatureAlgorithm{"RSA", function, "PKCS1.5"}, true
	}
	return signatureAlgorithm{}, false
}

// algorithmsOf are those that an eID with such a key signs: the hash that fits the key best stands first.
func algorithmsOf(pub crypto.PublicKey) []signatureAlgorithm {
	all := []signatureAlgorithm{}
	for _, f := range hashFunctions {
		a, ok := algorithmOf(pub, f.name)
		switch _, ec := pub.(*ecdsa.PublicKey); {
		case !ok || !ec && f.hash == crypto.SHA3_224: // no card with an RSA key signs that
		case ec && f.hash == crypto.SHA384:
			all = slices.Insert(all, 0, a)
		default:
			all = append(all, a)
		}
	}
	return all
}

// signCertificate is sign.certificate.
func (s *Service) signCertificate(ctx context.Context, c *Call) (any, error) {
	var p cardParams
	if err := params(c, &p); err != nil {
		return nil, err
	}
	var result struct {
		Certificate []byte               `json:"certificate"`
		Algorithms  []signatureAlgorithm `json:"supportedSignatureAlgorithms"`
	}
	op := operation{method: "sign.certificate", kind: access.OpCertificate, cardID: p.CardID, cards: eidOnly, role: "provider"}
	err := s.do(ctx, c, op, func(ctx context.Context, t *task) error {
		return t.use(ctx, func(ctx context.Context, card *beid.Card) error {
			cert, err := signingCertificate(ctx, card)
			if err != nil {
				return err
			}
			t.outcome.NISS = numberIn(cert)
			result.Certificate = cert.Raw
			result.Algorithms = algorithmsOf(cert.PublicKey)
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	return result, nil
}

// signingCertificate is the certificate of the card's signature key, for which no PIN is asked.
func signingCertificate(ctx context.Context, c *beid.Card) (*x509.Certificate, error) {
	key, err := c.SigningKey(ctx, func(context.Context, beid.PINRequest) (pin, error) {
		return pin{}, protocol.Errorf(protocol.Internal, "a PIN was wanted for a certificate")
	})
	if err != nil {
		return nil, err
	}
	return key.Certificate(), nil
}

// numberIn is the holder's national number in a certificate of his card, for the
// log; empty: none.
func numberIn(cert *x509.Certificate) string {
	n, err := niss.Parse(cert.Subject.SerialNumber)
	if err != nil {
		return ""
	}
	return string(n)
}

// signHash is sign.hash: a signature over a digest of something that nobody here
// sees, which the dialog says. The key is the signature key, by construction.
func (s *Service) signHash(ctx context.Context, c *Call) (any, error) {
	var p struct {
		Hash        []byte `json:"hash"`
		Function    string `json:"hashFunction"`
		Certificate []byte `json:"certificate"`
		CardID      string `json:"cardId"`
	}
	if err := params(c, &p); err != nil {
		return nil, err
	}
	var hash crypto.Hash
	for _, f := range hashFunctions {
		if f.name == p.Function {
			hash = f.hash
		}
	}
	switch {
	case hash == 0:
		return nil, invalid("hashFunction: %.20q is not known", p.Function)
	case len(p.Hash) != hash.Size():
		return nil, invalid("hash: %s gives %d bytes, not %d", p.Function, hash.Size(), len(p.Hash))
	case len(p.Certificate) == 0:
		return nil, invalid("certificate: the one that sign.certificate gave is wanted")
	}
	var result struct {
		Signature []byte             `json:"signature"`
		Algorithm signatureAlgorithm `json:"signatureAlgorithm"`
	}
	op := operation{method: "sign.hash", kind: access.OpSignHash, cardID: p.CardID, cards: eidOnly, role: "provider", hashOnly: true}
	err := s.do(ctx, c, op, func(ctx context.Context, t *task) error {
		pins, ask := t.pins(nil)
		defer pins.Wait()
		return t.use(ctx, func(ctx context.Context, card *beid.Card) error {
			key, err := card.SigningKey(ctx, ask)
			if err != nil {
				return err
			}
			t.outcome.NISS = numberIn(key.Certificate())
			if !bytes.Equal(key.Certificate().Raw, p.Certificate) {
				return protocol.Errorf(protocol.CertificateMissing, "the card in the reader has another certificate than the one named")
			}
			if s.o.Now().After(key.Certificate().NotAfter) {
				return &protocol.Error{Code: protocol.CertificateExpired}
			}
			algorithm, known := algorithmOf(key.Public(), p.Function)
			if !known {
				return protocol.Errorf(protocol.CardUnsupported, "a key of a kind that is not known")
			}
			result.Algorithm = algorithm
			var opts crypto.SignerOpts = hash
			if algorithm.Crypto == "ECC" {
				opts = beid.RawECDSA{Hash: hash}
			}
			return pins.Retry(ctx, func() (err error) {
				result.Signature, err = key.Sign(nil, p.Hash, opts)
				return err
			})
		})
	})
	if err != nil {
		return nil, err
	}
	return result, nil
}
