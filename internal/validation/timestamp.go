package validation

import (
	"slices"
	"time"

	"github.com/eidkit/eidkit/internal/ades"
)

// judgeStamps judges all time stamps of the file, the newest first (EN
// 319 102-1 section 5.6.3.4 step 5): what a good one covers is proven to have
// existed when it was made, which may save an older one whose authority has
// expired or was revoked since.
func (r *run) judgeStamps() {
	slices.SortStableFunc(r.stamps, func(a, b *Stamp) int { return b.Timestamp.GenTime.Compare(a.Timestamp.GenTime) })
	for _, s := range r.stamps {
		if r.ctx.Err() != nil {
			return
		}
		r.judgeStamp(s)
		if s.Indication == Passed && s.Imprint && s.token.intact {
			r.extract(s)
		}
	}
}

// judgeStamp is the time stamp validation building block (section 5.4): the
// token as a signature of its authority, and the imprint.
func (r *run) judgeStamp(s *Stamp) {
	t := &token{stamp: s.Timestamp, sig: s.Timestamp.Token, purpose: forTimestamp}
	s.token = t
	s.Imprint = s.Timestamp.Found && s.Timestamp.Intact
	if t.sig == nil {
		t.sig = &ades.Signature{}
		r.checkFormat(t)
		t.found.add(r.find(ades.BadStructure, s.Timestamp.ID, "the token cannot be read"))
		r.finishStamp(s, t.found)
		return
	}
	r.basic(t)
	found := slices.Clone(t.found)
	if t.signer != nil && !t.decided() {
		var at []finding
		at, s.basic = r.judgeChains(t, r.Time)
		found.add(at...)
		found.add(r.weakToken(t, r.proofs.of(t.digest()).time)...)
		if s.Timestamp.GenTime.Before(t.signer.NotBefore) {
			found.add(r.find(CodeTimestampOrder, s.Timestamp.ID, "it is from before its authority's certificate"))
		}
	}
	s.basic = s.basic && found.verdict().Indication == Passed
	if s.Timestamp.GenTime.After(r.Time.Add(clockTolerance)) {
		found.add(r.find(CodeTimestampOrder, s.Timestamp.ID, "it is from the future"))
	}
	r.finishStamp(s, found)
}

// clockTolerance is how far the clock of a time-stamping authority may be
// ahead of ours.
const clockTolerance = 5 * time.Minute

func (r *run) finishStamp(s *Stamp, found findings) {
	s.Verdict = found.verdict()
	s.Signer = s.token.signer
	s.Chain, s.Anchored, s.Statuses = s.token.report()
	s.Errors, s.Warnings = found.messages()
}

// judgeChains looks for the token's chains and takes the first that holds: at
// the validation time for a signature that existed at bst; else in the past,
// by the proofs of existence. basic tells that no proof was needed.
func (r *run) judgeChains(t *token, bst time.Time) (left findings, basic bool) {
	r.chainOf(t, bst)
	for _, c := range t.chains {
		if now := r.evaluate(c, bst); len(now.errors()) == 0 {
			t.prefer(c)
			return now, true
		}
	}
	for _, c := range t.chains {
		if left := r.past(c, r.evaluate(c, bst)); len(left.errors()) == 0 {
			t.prefer(c)
			return left, false
		}
	}
	best := t.best()
	return r.past(best, r.evaluate(best, bst)), false
}

// stampsOf are the verdicts on the time stamps of a signature, in its order.
func (r *run) stampsOf(s *ades.Signature) []*Stamp {
	var list []*Stamp
	for i := range s.Timestamps {
		if stamp := r.byToken[stampKey(&s.Timestamps[i])]; stamp != nil {
			list = append(list, stamp)
		}
	}
	return list
}

// covers tells whether a time stamp proves that the signature existed.
func (s *Stamp) covers(d ades.Digest) bool {
	return s.Timestamp.Kind != ades.ContentTS && slices.Contains(s.Timestamp.Covers, d)
}
