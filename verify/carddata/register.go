package carddata

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"

	"github.com/eidkit/eidkit/internal/beidfile"
	"github.com/eidkit/eidkit/verify"
)

// identity checks file 4032 over the whole of file 4031 (facts 3.6).
func (v *verifier) identity() Check {
	switch {
	case v.files.Identity == nil:
		return absent("The identity file was not given.")
	case v.files.IdentitySignature == nil:
		return unproven("The signature of the identity file was not given.", nil)
	}
	return v.registerSignature("identity", v.files.Identity, v.files.IdentitySignature)
}

// address checks file 4034 over file 4033 and the identity's signature.
func (v *verifier) address() Check {
	f := v.files
	switch {
	case f.Address == nil:
		return absent("The address file was not given.")
	case f.AddressSignature != nil && allZero(f.Address) && allZero(f.AddressSignature):
		return absent("The card holds no address yet.")
	case f.AddressSignature == nil:
		return unproven("The signature of the address file was not given.", nil)
	case f.IdentitySignature == nil:
		return unproven("The signature of the identity file was not given; the address is signed together with it.", nil)
	}
	return v.registerSignature("address", beidfile.SignedAddress(f.Address, f.IdentitySignature), f.AddressSignature)
}

// registerSignature checks a signature file of the card with the key of the
// national register.
func (v *verifier) registerSignature(what string, signed, file []byte) Check {
	switch {
	case v.rrnErr != nil:
		return unproven("The certificate of the national register cannot be read.", v.rrnErr)
	case v.rrn == nil:
		return unproven("The certificate of the national register was not given.", nil)
	}
	sig, err := trimSignature(v.rrn.PublicKey, file)
	if err != nil {
		return failed("The signature of the "+what+" file is malformed.", err)
	}
	named, _ := verify.HashOf(v.rrn.SignatureAlgorithm)
	algs := fileAlgorithms(v.rrn.PublicKey, named)
	if len(algs) == 0 {
		return failed("The key of the national register is of an unknown kind.", verify.ErrAlgorithm)
	}
	for _, alg := range algs {
		if err = verify.CheckSignature(v.rrn.PublicKey, alg, signed, sig); err == nil {
			v.noteAlgorithm(what, alg, named)
			return held()
		}
		if !errors.Is(err, verify.ErrBadSignature) {
			break
		}
	}
	return failed("The signature of the national register does not fit the "+what+" file.", err)
}

func (v *verifier) noteAlgorithm(what string, alg x509.SignatureAlgorithm, named crypto.Hash) {
	if weak := verify.WeakSignature(alg); weak != "" {
		v.weak(what+" signature", weak)
	}
	if hash, _ := verify.HashOf(alg); hash != named {
		v.res.Notes = append(v.res.Notes,
			fmt.Sprintf("%s signature: made with %v, while the register's certificate names %v", what, hash, v.rrn.SignatureAlgorithm))
	}
	v.weakKey()
}

// weak adds a mark once.
func (v *verifier) weak(what, mark string) {
	if s := what + ": " + mark; !slices.Contains(v.res.Weak, s) {
		v.res.Weak = append(v.res.Weak, s)
	}
}

func (v *verifier) weakKey() {
	if mark := verify.WeakKey(v.rrn.PublicKey); mark != "" {
		v.weak("RRN key", mark)
	}
}

// fileAlgorithms returns what the register may have signed with, likeliest
// first. The hash is the one that its certificate names (facts 3.6); a
// certificate signed by a CA with another kind of key may name one that does
// not fit, so the others that cards are known to use follow.
func fileAlgorithms(pub crypto.PublicKey, named crypto.Hash) []x509.SignatureAlgorithm {
	var byHash map[crypto.Hash]x509.SignatureAlgorithm
	var order []crypto.Hash
	switch key := pub.(type) {
	case *rsa.PublicKey:
		byHash = map[crypto.Hash]x509.SignatureAlgorithm{
			crypto.SHA1: x509.SHA1WithRSA, crypto.SHA256: x509.SHA256WithRSA,
			crypto.SHA384: x509.SHA384WithRSA, crypto.SHA512: x509.SHA512WithRSA,
		}
		order = []crypto.Hash{named, crypto.SHA256, crypto.SHA1}
	case *ecdsa.PublicKey:
		byHash = map[crypto.Hash]x509.SignatureAlgorithm{
			crypto.SHA256: x509.ECDSAWithSHA256, crypto.SHA384: x509.ECDSAWithSHA384, crypto.SHA512: x509.ECDSAWithSHA512,
		}
		order = []crypto.Hash{named, curveHash(key.Curve)}
	}
	var algs []x509.SignatureAlgorithm
	for _, hash := range order {
		if alg, ok := byHash[hash]; ok && !slices.Contains(algs, alg) {
			algs = append(algs, alg)
		}
	}
	return algs
}

// curveHash is the hash that goes with the size of a curve (facts 6.4); 0 for
// a curve that cards do not use.
func curveHash(c elliptic.Curve) crypto.Hash {
	switch c {
	case elliptic.P256():
		return crypto.SHA256
	case elliptic.P384():
		return crypto.SHA384
	case elliptic.P521():
		return crypto.SHA512
	}
	return 0
}

// trimSignature cuts a signature file to the signature: as long as the modulus
// for RSA, by its DER header for EC. What follows must be zeros.
func trimSignature(pub crypto.PublicKey, file []byte) ([]byte, error) {
	n := len(file)
	switch key := pub.(type) {
	case *rsa.PublicKey:
		n = key.Size()
	case *ecdsa.PublicKey:
		var ok bool
		if n, ok = beidfile.DERLength(file); !ok {
			return nil, errors.New("no DER sequence at the start of the file")
		}
	}
	if n > len(file) {
		return nil, fmt.Errorf("%d bytes in the file, %d needed", len(file), n)
	}
	if !allZero(file[n:]) {
		return nil, errors.New("bytes other than zero after the signature")
	}
	return file[:n], nil
}

// parseCertificate reads a certificate file, with or without zero filler.
func parseCertificate(file []byte) (*x509.Certificate, error) {
	n, ok := beidfile.DERLength(file)
	if !ok || n > len(file) || !allZero(file[n:]) {
		return nil, errors.New("reading certificate: not one DER sequence")
	}
	cert, err := x509.ParseCertificate(file[:n])
	if err != nil {
		return nil, fmt.Errorf("reading certificate: %w", err)
	}
	return cert, nil
}

func allZero(b []byte) bool { return len(bytes.Trim(b, "\x00")) == 0 }
