package insurers

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	_ "crypto/sha512" // the hashes that signatures may have
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"strings"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
	"github.com/russellhaering/goxmldsig/etreeutils"
)

const (
	algExclusive = "http://www.w3.org/2001/10/xml-exc-c14n#"
	algEnveloped = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
	algSHA256    = "http://www.w3.org/2001/04/xmlenc#sha256"
	algRSA256    = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
)

// digests and signatures are the algorithms that are taken: nothing with SHA-1.
var (
	digests = map[string]crypto.Hash{algSHA256: crypto.SHA256, "http://www.w3.org/2001/04/xmldsig-more#sha384": crypto.SHA384,
		"http://www.w3.org/2001/04/xmlenc#sha512": crypto.SHA512}
	signatures = map[string]crypto.Hash{
		algRSA256: crypto.SHA256, "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384": crypto.SHA384, "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512": crypto.SHA512,
		"http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256": crypto.SHA256, "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384": crypto.SHA384,
		"http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512": crypto.SHA512,
	}
)

// canonical is an element in exclusive canonical form without comments, with the prefixes of an InclusiveNamespaces list.
func canonical(e *etree.Element, prefixes string) ([]byte, error) {
	ctx, err := etreeutils.NSBuildParentContext(e)
	if err != nil {
		return nil, err
	}
	alone, err := etreeutils.NSDetatch(ctx, e)
	if err != nil {
		return nil, err
	}
	return dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList(prefixes).Canonicalize(alone)
}

// method reads an element that names exclusive canonicalisation.
func method(e *etree.Element) (prefixes string, err error) {
	if value(e, "Algorithm") != algExclusive {
		return "", errors.New("another canonicalisation than the exclusive one")
	}
	return value(child(e, algExclusive, "InclusiveNamespaces"), "PrefixList"), nil
}

// verifySignature checks a ds:Signature by a key and returns the elements that it covers. find finds an element by its identifier.
// A reference with the enveloped transform is digested without the signature.
func verifySignature(sig *etree.Element, key crypto.PublicKey, find func(id string) *etree.Element) (covered []*etree.Element, err error) {
	info := only(sig, nsDS, "SignedInfo")
	for _, ref := range children(info, nsDS, "Reference") {
		e, err := checkReference(sig, ref, find)
		if err != nil {
			return nil, err
		}
		covered = append(covered, e)
	}
	prefixes, err := method(only(info, nsDS, "CanonicalizationMethod"))
	if err != nil {
		return nil, err
	}
	signed, err := canonical(info, prefixes)
	if err != nil {
		return nil, err
	}
	raw, err := decode(text(only(sig, nsDS, "SignatureValue")))
	if err != nil {
		return nil, err
	}
	return covered, verifyValue(key, value(only(info, nsDS, "SignatureMethod"), "Algorithm"), signed, raw)
}

func checkReference(sig, ref *etree.Element, find func(id string) *etree.Element) (*etree.Element, error) {
	id, ok := strings.CutPrefix(value(ref, "URI"), "#")
	target := find(id)
	if !ok || target == nil {
		return nil, fmt.Errorf("the reference %.60q leads nowhere, or to several elements", value(ref, "URI"))
	}
	digested, prefixes, canonicalised := target, "", false
	for _, t := range children(only(ref, nsDS, "Transforms"), nsDS, "Transform") {
		if value(t, "Algorithm") == algEnveloped && !canonicalised {
			digested = without(target, sig)
			continue
		}
		var err error
		if prefixes, err = method(t); err != nil || canonicalised {
			return nil, fmt.Errorf("an unusual transform: %w", errors.Join(err))
		}
		canonicalised = true
	}
	hash, ok := digests[value(only(ref, nsDS, "DigestMethod"), "Algorithm")]
	if !ok || !canonicalised {
		return nil, errors.New("an unusual reference")
	}
	b, err := canonical(digested, prefixes)
	if err != nil {
		return nil, err
	}
	want, err := decode(text(only(ref, nsDS, "DigestValue")))
	if err != nil {
		return nil, err
	}
	h := hash.New()
	h.Write(b)
	if !bytes.Equal(h.Sum(nil), want) {
		return nil, fmt.Errorf("%s was changed after it was signed", target.Tag)
	}
	return target, nil
}

// without is a copy of an element, with the namespaces around it, that lacks the signature, which is its child.
func without(e, sig *etree.Element) *etree.Element {
	if sig.Parent() != e {
		return e
	}
	at := sig.Index()
	ctx, err := etreeutils.NSBuildParentContext(e)
	if err != nil {
		return e
	}
	c, err := etreeutils.NSDetatch(ctx, e)
	if err != nil {
		return e
	}
	c.RemoveChildAt(at)
	return c
}

// verifyValue checks the value of a signature; that of an EC key is r and s one after the other (RFC 6931 section 2.3.6).
func verifyValue(key crypto.PublicKey, algorithm string, signed, raw []byte) error {
	hash, ok := signatures[algorithm]
	if !ok {
		return fmt.Errorf("the algorithm %.80q is not taken", algorithm)
	}
	h := hash.New()
	h.Write(signed)
	sum := h.Sum(nil)
	switch key := key.(type) {
	case *rsa.PublicKey:
		if strings.Contains(algorithm, "#rsa-") {
			return rsa.VerifyPKCS1v15(key, hash, sum, raw)
		}
	case *ecdsa.PublicKey:
		half := (key.Curve.Params().N.BitLen() + 7) / 8
		if strings.Contains(algorithm, "#ecdsa-") && len(raw) == 2*half &&
			ecdsa.Verify(key, sum, new(big.Int).SetBytes(raw[:half]), new(big.Int).SetBytes(raw[half:])) {
			return nil
		}
	}
	return errors.New("the signature is wrong, or another key's")
}

// decode reads base64 with white space in it.
func decode(s string) ([]byte, error) {
	return base64.StdEncoding.DecodeString(strings.Join(strings.Fields(s), ""))
}
