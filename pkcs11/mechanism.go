package pkcs11

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"

	p11 "github.com/miekg/pkcs11"
)

// hashing is what belongs to a hash.
type hashing struct {
	oid               asn1.ObjectIdentifier
	id, mgf           uint // CKM_SHA..., CKG_MGF1_SHA...
	pkcs1, pss, ecdsa uint // mechanisms that hash the message themselves
}

// hashes are those that signatures are made with today. DigestInfo: RFC 8017 section 9.2.
var hashes = map[crypto.Hash]hashing{
	crypto.SHA256: {asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}, p11.CKM_SHA256, p11.CKG_MGF1_SHA256,
		p11.CKM_SHA256_RSA_PKCS, p11.CKM_SHA256_RSA_PKCS_PSS, p11.CKM_ECDSA_SHA256},
	crypto.SHA384: {asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 2}, p11.CKM_SHA384, p11.CKG_MGF1_SHA384,
		p11.CKM_SHA384_RSA_PKCS, p11.CKM_SHA384_RSA_PKCS_PSS, p11.CKM_ECDSA_SHA384},
	crypto.SHA512: {asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 3}, p11.CKM_SHA512, p11.CKG_MGF1_SHA512,
		p11.CKM_SHA512_RSA_PKCS, p11.CKM_SHA512_RSA_PKCS_PSS, p11.CKM_ECDSA_SHA512},
}

// usable tells whether a mechanism is one that this package signs with.
func usable(id uint) bool {
	if id == p11.CKM_RSA_PKCS || id == p11.CKM_RSA_PKCS_PSS || id == p11.CKM_ECDSA {
		return true
	}
	for _, h := range hashes {
		if id == h.pkcs1 || id == h.pss || id == h.ecdsa {
			return true
		}
	}
	return false
}

// signs tells whether the certificate's key is of a kind that this package signs with.
func signs(cert *x509.Certificate) bool {
	switch cert.PublicKey.(type) {
	case *rsa.PublicKey, *ecdsa.PublicKey:
		return true
	}
	return false
}

// plan is how one signature will be made.
type plan struct {
	mechanism mechanism
	data      []byte // what the token is given
}

// task is what is to be signed: the digest, and the message where the caller has it.
type task struct {
	digest  []byte
	message []byte // nil: not at hand
	opts    crypto.SignerOpts
}

// plan chooses the mechanism: one that signs digests, else, if the message is at hand, one that hashes it.
func (k *Key) plan(t task) (plan, error) {
	hash := t.opts.HashFunc()
	h, ok := hashes[hash]
	if !ok {
		return plan{}, fmt.Errorf("%w: hash %v is none of SHA-256, SHA-384 and SHA-512", ErrMechanism, hash)
	}
	if len(t.digest) != hash.Size() {
		return plan{}, fmt.Errorf("a digest of %d bytes is none by %v", len(t.digest), hash)
	}
	switch pub := k.Public().(type) {
	case *rsa.PublicKey:
		if pss, ok := t.opts.(*rsa.PSSOptions); ok {
			salt, err := saltLength(pub, pss, hash)
			if err != nil {
				return plan{}, err
			}
			params := &pssParams{h.id, h.mgf, salt}
			return k.choose(t, "CKM_RSA_PKCS_PSS", mechanism{p11.CKM_RSA_PKCS_PSS, params}, mechanism{h.pss, params}, t.digest, pub.N.BitLen())
		}
		info, err := digestInfo(h.oid, t.digest)
		if err != nil {
			return plan{}, err
		}
		return k.choose(t, "CKM_RSA_PKCS", mechanism{id: p11.CKM_RSA_PKCS}, mechanism{id: h.pkcs1}, info, pub.N.BitLen())
	case *ecdsa.PublicKey:
		bits := pub.Curve.Params().N.BitLen()
		digest := t.digest[:min(len(t.digest), (bits+7)/8)] // FIPS 186-5 section 6.4.1: the leftmost bits of a longer digest
		return k.choose(t, "CKM_ECDSA", mechanism{id: p11.CKM_ECDSA}, mechanism{id: h.ecdsa}, digest, bits)
	}
	return plan{}, fmt.Errorf("%w: key of type %T", ErrMechanism, k.Public())
}

// choose takes the first mechanism, which is given data, or the second, which is given the message.
func (k *Key) choose(t task, name string, onDigest, onMessage mechanism, data []byte, bits int) (plan, error) {
	i, ok, err := k.pool.mechanism(onDigest.id)
	if err != nil {
		return plan{}, err
	}
	if ok {
		return plan{onDigest, data}, sizeAllowed(i, bits)
	}
	i, ok, err = k.pool.mechanism(onMessage.id)
	switch {
	case err != nil:
		return plan{}, err
	case !ok:
		return plan{}, fmt.Errorf("%w: %v offers neither %s nor one with %v", ErrMechanism, k.pool.id, name, t.opts.HashFunc())
	case t.message == nil:
		return plan{}, fmt.Errorf("%w: %v hashes messages itself and offers no %s, which signs digests: use SignMessage", ErrMechanism, k.pool.id, name)
	}
	return plan{onMessage, t.message}, sizeAllowed(i, bits)
}

// sizeAllowed compares the key with the sizes that the token gives, which should be in bits. Modules that give bytes, or nothing, are
// not believed.
func sizeAllowed(i mechanismInfo, bits int) error {
	if i.maxKey >= 160 && i.minKey <= i.maxKey && (uint(bits) < i.minKey || uint(bits) > i.maxKey) {
		if i.maxKey*8 == uint(bits) { // bytes after all
			return nil
		}
		return fmt.Errorf("%w: the key has %d bits, and the token signs with %d to %d", ErrMechanism, bits, i.minKey, i.maxKey)
	}
	return nil
}

// saltLength is the length that crypto/rsa would take (RFC 8017 section 9.1.1 for the longest).
func saltLength(pub *rsa.PublicKey, o *rsa.PSSOptions, hash crypto.Hash) (uint, error) {
	longest := (pub.N.BitLen()-1+7)/8 - 2 - hash.Size()
	n := o.SaltLength
	switch n {
	case rsa.PSSSaltLengthAuto:
		n = longest
	case rsa.PSSSaltLengthEqualsHash:
		n = hash.Size()
	}
	if n < 0 || n > longest {
		return 0, fmt.Errorf("%w: no room for a salt of %d bytes", ErrMechanism, n)
	}
	return uint(n), nil
}

// digestInfo is what CKM_RSA_PKCS is given: RFC 8017 section 9.2, note 1.
func digestInfo(oid asn1.ObjectIdentifier, digest []byte) ([]byte, error) {
	return asn1.Marshal(struct {
		Algorithm pkix.AlgorithmIdentifier
		Digest    []byte
	}{pkix.AlgorithmIdentifier{Algorithm: oid, Parameters: asn1.NullRawValue}, digest})
}

// finish turns what the token returned into what crypto.Signer promises, and checks it against the certificate: r||s of CKM_ECDSA
// (PKCS #11 v2.40 mechanisms, section 2.3.1) becomes DER.
func (k *Key) finish(t task, value []byte) ([]byte, error) {
	switch pub := k.Public().(type) {
	case *rsa.PublicKey:
		var err error
		if pss, ok := t.opts.(*rsa.PSSOptions); ok {
			err = rsa.VerifyPSS(pub, t.opts.HashFunc(), t.digest, value, &rsa.PSSOptions{SaltLength: pss.SaltLength, Hash: t.opts.HashFunc()})
		} else {
			err = rsa.VerifyPKCS1v15(pub, t.opts.HashFunc(), t.digest, value)
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrSignature, err)
		}
		return value, nil
	case *ecdsa.PublicKey:
		size := (pub.Curve.Params().N.BitLen() + 7) / 8
		if len(value) != 2*size {
			return nil, fmt.Errorf("%w: %d bytes instead of %d", ErrSignature, len(value), 2*size)
		}
		der, err := asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(value[:size]), new(big.Int).SetBytes(value[size:])})
		if err != nil || !ecdsa.VerifyASN1(pub, t.digest, der) {
			return nil, errors.Join(err, ErrSignature)
		}
		return der, nil
	}
	return nil, ErrSignature
}
