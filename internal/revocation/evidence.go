package revocation

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/crl"
	"github.com/eidkit/eidkit/internal/ocsp"
)

// embedded looks through the evidence, all of it: which answer counts depends
// on times that the caller knows.
func (in *inquiry) embedded(ctx context.Context) {
	for i, der := range in.Evidence.OCSPs {
		if i == maxEvidence {
			break
		}
		resp, err := in.parseOCSP(der)
		if err == nil {
			err = in.useOCSP(resp, Embedded, "")
		}
		if err != nil && !errors.Is(err, ocsp.ErrOther) {
			in.problem("OCSP", "", Embedded, err)
		}
	}
	var deltas, complete []*crl.Index
	for i, der := range in.Evidence.CRLs {
		if i == maxEvidence {
			break
		}
		x, err := in.parseCRL(der)
		switch {
		case err != nil:
			in.problem("CRL", "", Embedded, err)
		case x.List().IsDelta():
			deltas = append(deltas, x)
		default:
			complete = append(complete, x)
		}
	}
	for _, x := range complete {
		if err := in.useCRL(ctx, x, deltas, Embedded, ""); err != nil && !errors.Is(err, crl.ErrScope) {
			in.problem("CRL", "", Embedded, err)
		}
	}
}

// parseCRL reads an embedded list, or recalls it.
func (in *inquiry) parseCRL(der []byte) (*crl.Index, error) {
	key := ades.ObjectDigest(der)
	if x, ok := in.indexes.get(key); ok {
		return x, nil
	}
	x, err := crl.PackBytes(der)
	if err != nil {
		return nil, err
	}
	in.indexes.put(key, x, x.Size())
	return x, nil
}

// parseOCSP is the same for an OCSP answer.
func (in *inquiry) parseOCSP(der []byte) (*ocsp.Response, error) {
	key := ades.ObjectDigest(der)
	if r, ok := in.Service.answers.get(key); ok {
		return r, nil
	}
	r, err := ocsp.Parse(der)
	if err != nil {
		return nil, err
	}
	in.Service.answers.put(key, r, int64(len(der))*2)
	return r, nil
}

// useOCSP checks an answer and takes its statements about the certificate.
func (in *inquiry) useOCSP(r *ocsp.Response, origin Origin, url string) error {
	found, err := r.Find(in.Certificate, in.Issuer)
	if err != nil {
		return err
	}
	signer, err := in.ocspSigner(r)
	if err != nil {
		return err
	}
	for _, s := range found {
		if s.Unusable != nil {
			err = s.Unusable
			continue
		}
		if made := later(s.ThisUpdate, r.ProducedAt); made.After(in.horizon()) {
			err = fmt.Errorf("%w: %s", ErrFuture, made.Format(time.RFC3339))
			continue
		}
		a := Answer{
			Status: Unknown, Reason: s.Reason, RevokedAt: s.RevokedAt, Kind: "OCSP", Origin: origin, URL: url,
			Digest: ades.ObjectDigest(r.Raw), ProducedAt: r.ProducedAt, ThisUpdate: s.ThisUpdate, NextUpdate: s.NextUpdate,
			ArchiveCutoff: s.ArchiveCutoff, Signer: signer, Chain: r.Certificates, Algorithm: r.Algorithm(), NoCheck: ocsp.NoCheck(signer),
			Raw:     func() ([]byte, error) { return r.Encoded(), nil },
			Digests: []ades.Digest{ades.ObjectDigest(r.Encoded())},
		}
		if outer := ades.ObjectDigest(r.Outer); r.Outer != nil && outer != a.Digests[0] {
			a.Digests = append(a.Digests, outer)
		}
		switch s.Status {
		case ocsp.Good:
			a.Status = Good
		case ocsp.Revoked:
			a.Status = Revoked
		}
		in.answers = append(in.answers, a)
	}
	return err
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
