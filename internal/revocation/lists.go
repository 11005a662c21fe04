package revocation

import (
	"context"
	"fmt"
	"time"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/certs"
	"github.com/eidkit/eidkit/internal/crl"
)

// partial is a list that does not name the certificate but covers some
// reasons of revocation only.
type partial struct {
	answer  Answer
	reasons uint16
}

// useCRL checks a complete list and takes what it says of the certificate,
// with the newest of the deltas that fits it. Errors: ErrScope of crl where
// the list is about others, which is no fault.
func (in *inquiry) useCRL(ctx context.Context, x *crl.Index, deltas []*crl.Index, origin Origin, url string) error {
	list := x.List()
	if list.IsDelta() {
		return fmt.Errorf("%w: a delta, where a complete list is expected", crl.ErrUnusable)
	}
	reasons, err := in.scope(list)
	if err != nil {
		return err
	}
	if list.Unusable != nil {
		return list.Unusable
	}
	if list.ThisUpdate.After(in.horizon()) {
		return fmt.Errorf("%w: %s", ErrFuture, list.ThisUpdate.Format(time.RFC3339))
	}
	signer, err := in.listSigner(ctx, x)
	if err != nil {
		return err
	}
	a := Answer{
		Status: Good, Reason: crl.NoReason, Kind: "CRL", Origin: origin, URL: url, Digest: list.Digest, ProducedAt: list.ThisUpdate,
		ThisUpdate: list.ThisUpdate, NextUpdate: list.NextUpdate, ArchiveCutoff: list.ExpiredFrom, Signer: signer, Algorithm: list.Algorithm,
		Raw: x.Raw,
	}
	found, err := x.Lookup(in.Certificate.SerialNumber, in.Certificate.RawIssuer)
	if err != nil {
		return err
	}
	if found != nil && found.Reason == crl.RemovedFromCRL {
		return fmt.Errorf("%w: it says removeFromCRL, which only a delta can", crl.ErrUnusable)
	}
	if delta := in.newestDelta(ctx, x, deltas); delta != nil {
		d := delta.List()
		a.Also, a.AlsoRaw = append(a.Also, d.Digest), append(a.AlsoRaw, delta.Raw)
		a.ProducedAt, a.ThisUpdate, a.NextUpdate = d.ThisUpdate, d.ThisUpdate, d.NextUpdate
		changed, err := delta.Lookup(in.Certificate.SerialNumber, in.Certificate.RawIssuer)
		if err != nil {
			return err
		}
		found = merged(found, changed)
	}
	if found != nil && found.Reason != crl.RemovedFromCRL {
		a.Status, a.Reason, a.RevokedAt = Revoked, found.Reason, found.Revoked
	}
	in.take(a, reasons)
	return nil
}

// merged is the entry that counts, of the complete list and the delta; either
// may be nil. removeFromCRL ends a hold. It is also said of what has expired
// (RFC 5280 section 5.3.1): who was revoked for good stays so.
func merged(complete, delta *crl.Found) *crl.Found {
	if delta == nil || delta.Reason == crl.RemovedFromCRL && complete != nil && complete.Reason != crl.OnHold {
		return complete
	}
	return delta
}

// take keeps an answer; a good one that covers some reasons only counts once
// others cover the rest, and then rests on all of them.
func (in *inquiry) take(a Answer, reasons uint16) {
	if a.Status == Revoked || reasons == certs.AllReasons {
		in.answers = append(in.answers, a)
		return
	}
	in.partial = append(in.partial, partial{a, reasons})
	covered := uint16(0)
	oldest := a
	for _, p := range in.partial {
		covered |= p.reasons
		if p.answer.ThisUpdate.Before(oldest.ThisUpdate) {
			oldest = p.answer
		}
	}
	if covered != certs.AllReasons {
		return
	}
	rests := make(map[ades.Digest]bool, len(in.partial))
	var also []ades.Digest
	var raw []func() ([]byte, error)
	for _, p := range in.partial {
		bytes := append([]func() ([]byte, error){p.answer.Raw}, p.answer.AlsoRaw...)
		for i, d := range append([]ades.Digest{p.answer.Digest}, p.answer.Also...) {
			if d != oldest.Digest && !rests[d] {
				rests[d] = true
				also, raw = append(also, d), append(raw, bytes[i])
			}
		}
	}
	oldest.Also, oldest.AlsoRaw = also, raw
	in.answers = append(in.answers, oldest)
}

// scope finds the distribution point under which the list is about the
// certificate, and for which reasons.
func (in *inquiry) scope(list *crl.List) (uint16, error) {
	points, err := certs.CRLDistributionPoints(in.Certificate)
	if err != nil {
		points = nil // odd, and reported as such elsewhere
	}
	if len(points) > maxPoints {
		points = points[:maxPoints]
	}
	// RFC 5280 section 6.3.3: a list that the issuer signed for all his
	// certificates counts as well, wherever it was found.
	points = append(points, crl.ImplicitPoint(in.Certificate))
	var reasons uint16
	var first error
	for _, p := range points {
		some, err := list.Covers(in.Certificate, p)
		if err == nil {
			reasons |= some
		} else if first == nil {
			first = err
		}
	}
	if reasons == 0 {
		return 0, first
	}
	return reasons, nil
}

// newestDelta is the newest delta that fits the list and is signed by the same
// issuer; nil if there is none.
func (in *inquiry) newestDelta(ctx context.Context, x *crl.Index, deltas []*crl.Index) (best *crl.Index) {
	for _, d := range deltas {
		l := d.List()
		if x.List().DeltaFits(l) != nil || best != nil && !l.ThisUpdate.After(best.List().ThisUpdate) || l.ThisUpdate.After(in.horizon()) {
			continue
		}
		if _, err := in.listSigner(ctx, d); err != nil {
			in.problem("CRL", "", Embedded, fmt.Errorf("delta: %w", err))
			continue
		}
		best = d
	}
	return best
}
