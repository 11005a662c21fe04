package cades

import (
	"bytes"
	"crypto"
	"errors"
	"fmt"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/ber"
	"github.com/eidkit/eidkit/internal/cms"
	"github.com/eidkit/eidkit/internal/sigalg"
)

// archive adds an archive-time-stamp-v3 to the signature with that index, EN 319 122-1 section 5.5.3. All that it is to cover must be there.
func (w *raiser) archive(i int) error {
	h := w.r.Hash
	content, err := w.signers[i].source.digest(w.ctx, h)
	if errors.Is(err, errAbsent) {
		return fmt.Errorf("%w: no %s of the content is known", ades.ErrUnsuitable, sigalg.HashName(h))
	}
	if err != nil {
		return err
	}
	info := cms.ParseSigner(w.edit.Signer(i))
	if info.Err != nil {
		return info.Err
	}
	index, err := makeIndex(h, w.edit, &info)
	if err != nil {
		return err
	}
	// In DER, as the signature itself is over its attributes: validators that encode them again then find the same. Nearly all stand so.
	fields := bytes.Join((&signer{info: &info}).sortedFields(), nil)
	token, err := getStamp(w.ctx, w.r.Stamp, h, archive3Digest(h, w.edit.ContentType(), content, fields, index))
	if err != nil {
		return err
	}
	token, err = tokenWith(w.ctx, token, func(e *cms.Edit, signer *cms.SignerInfo) error {
		a, err := cms.MarshalAttribute(oidHashIndexV3, index)
		e.SetSigner(0, signer.WithUnsigned(false, a))
		return err
	})
	if err != nil {
		return err
	}
	a, err := cms.MarshalAttribute(oidArchiveTSv3, token)
	if err != nil {
		return err
	}
	w.edit.SetSigner(i, info.WithUnsigned(w.signers[i].freezes(), a))
	return nil
}

// makeIndex is the ATSHashIndexV3 of a signature as it will stand, EN 319 122-1 section 5.5.2: the digests of all certificates, of all
// revocation information, and of the unsigned attributes, each value with its type.
func makeIndex(h crypto.Hash, e *cms.Edit, info *cms.SignerInfo) ([]byte, error) {
	alg, err := sigalg.DigestIdentifier(h)
	if err != nil {
		return nil, err
	}
	var values [][]byte
	for _, a := range info.UnsignedAttrs {
		for _, value := range a.Values {
			values = append(values, append(a.TypeRaw[:len(a.TypeRaw):len(a.TypeRaw)], value...))
		}
	}
	parts := [][]byte{alg}
	for _, list := range [][][]byte{e.Certificates(), e.Revocations(), values} {
		var digests [][]byte
		for _, raw := range list {
			digests = append(digests, ber.Append(nil, ber.Universal, false, ber.TagOctetString, digestOf(h, raw)))
		}
		parts = append(parts, ber.AppendSequence(nil, digests...))
	}
	return ber.AppendSequence(nil, parts...), nil
}
