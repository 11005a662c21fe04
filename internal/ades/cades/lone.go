package cades

import (
	"bytes"
	"crypto"
	"fmt"
	"slices"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/tsp"
)

// loneToken reads a time stamp token that stands alone: one signature of format TimestampToken. Its first reference is what is
// stamped, a file beside it; the next the TSTInfo that the authority signed. Its signing time is the time of the token.
func (r *reading) loneToken(sources []*source) ([]*ades.Signature, error) {
	token, err := tsp.NewToken(r.signed, nil)
	if err != nil {
		return nil, refused(err)
	}
	if len(r.signed.Signers) == 0 {
		return nil, fmt.Errorf("%w: token without a signature", ades.ErrNoSignature)
	}
	r.attached()
	r.options.Name = "TSTInfo"
	r.sources[0].name = r.options.Name
	r.options.ID = "timestamp"
	list, err := r.signatures()
	if err != nil {
		return nil, err
	}
	stamped := ades.Reference{Kind: ades.RefContent, Hash: token.Info.Hash, Digest: token.Info.Imprint}
	if len(sources) > 0 && token.Info.Hash.Available() {
		chosen := sources[0]
		for _, c := range sources {
			digest, err := c.digest(r.ctx, token.Info.Hash)
			r.fail(err)
			if err == nil && bytes.Equal(digest, token.Info.Imprint) {
				chosen, stamped.Intact = c, true
				break
			}
		}
		_, err := chosen.digest(r.ctx, token.Info.Hash)
		stamped.Found = err == nil
		stamped.Name, stamped.Content = chosen.name, chosen.open
	}
	for _, sig := range list {
		sig.References = slices.Insert(sig.References, 0, stamped)
		genTime := token.Info.GenTime
		sig.SigningTime = &genTime
		sig.CoversWholeFile = stamped.Found
		if sig.AlgorithmError == nil && stamped.Hash == crypto.Hash(0) {
			sig.Findings = append(sig.Findings, ades.Finding{Code: ades.UnsupportedPart, Detail: "digest algorithm of the imprint"})
		}
	}
	return list, r.err
}
