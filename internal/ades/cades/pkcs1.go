package cades

import (
	"context"
	"crypto"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"math/big"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/ber"
	"github.com/eidkit/eidkit/internal/sigalg"
)

// ReadPKCS1 reads a bare PKCS #1 signature, PDF's adbe.x509.rsa_sha1 (ISO
// 32000-1 section 12.8.3.2): raw is the OCTET STRING with the value, the first of
// the certificates the signer's, content what is signed. The name of the format
// says SHA-1; the digest that the value names holds. Errors: ades.ErrRefused,
// those of content and of ctx.
func ReadPKCS1(ctx context.Context, raw []byte, certificates [][]byte, content func() (io.ReadCloser, error), o Options) (*ades.Signature, error) {
	e, err := ber.ParsePrefix(raw)
	if err != nil {
		return nil, refused(err)
	}
	if !e.Is(ber.Universal, ber.TagOctetString) {
		return nil, fmt.Errorf("%w: %s instead of a PKCS #1 signature", ades.ErrRefused, e.Header)
	}
	value, err := e.Octets()
	if err != nil {
		return nil, refused(err)
	}
	var found evidence
	for _, der := range append(certificates[:len(certificates):len(certificates)], o.Certificates...) {
		found.addCertificate(der)
	}
	sig := &ades.Signature{ID: o.ID, Format: ades.PKCS7, SubFormat: "adbe.x509.rsa_sha1", Value: value, Certificates: found.certificates,
		Algorithm: sigalg.Algorithm{Scheme: sigalg.PKCS1, Hash: crypto.SHA1}, Findings: found.findings}
	if sig.ID == "" {
		sig.ID = "signer-1"
	}
	if len(found.certificates) > 0 {
		sig.Signer = found.certificates[0]
		sig.SignerID = ades.SignerID{Issuer: sig.Signer.RawIssuer, Serial: sig.Signer.SerialNumber}
		if h := namedHash(sig.Signer.PublicKey, value); h.Available() {
			sig.Algorithm.Hash = h
		}
	}
	src := &source{name: o.Name, open: content}
	digest, err := src.digest(ctx, sig.Algorithm.Hash)
	if err != nil && !errors.Is(err, errAbsent) {
		return nil, err
	}
	sig.Digest = digest
	sig.References = []ades.Reference{{Kind: ades.RefContent, Name: o.Name, Found: err == nil, Intact: err == nil, Hash: sig.Algorithm.Hash,
		Digest: digest, Content: content}}
	sig.CoversWholeFile = err == nil
	return sig, nil
}

// maxRSA bounds the work that a hostile key can cause, in bits.
const maxRSA = 16384

// namedHash reads the digest algorithm in the DigestInfo of a PKCS #1 signature (RFC 8017 section 9.2). Nothing is proved by it: the value is
// checked with that digest like any other.
func namedHash(pub crypto.PublicKey, value []byte) crypto.Hash {
	key, ok := pub.(*rsa.PublicKey)
	if !ok || key.N == nil || key.N.Sign() <= 0 || key.N.BitLen() > maxRSA || key.E <= 0 || len(value) > maxRSA/8 {
		return 0
	}
	block := new(big.Int).Exp(new(big.Int).SetBytes(value), big.NewInt(int64(key.E)), key.N).Bytes()
	for i, c := range block { // 1, FF..., 0, DigestInfo
		if c != 0 {
			continue
		}
		info, err := ber.Parse(block[i+1:])
		if err != nil || !info.Is(ber.Universal, ber.TagSequence) {
			return 0
		}
		alg, err := info.Reader().Expect(ber.Universal, ber.TagSequence)
		if err != nil {
			return 0
		}
		return hashAlgorithm(alg.Raw)
	}
	return 0
}
