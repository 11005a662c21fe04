package validation

import (
	"slices"
	"time"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/policy"
	"github.com/eidkit/eidkit/internal/revocation"
)

// signature is the validation of one signature: basic (EN 319 102-1 section
// 5.3), with time and long-term material (5.5), and with what proves the past
// (5.6), as far as each is needed.
func (r *run) signature(s *ades.Signature, depth int) *Result {
	out := &Result{Signature: s, Timestamps: r.stampsOf(s)}
	t := &token{sig: s, purpose: forSignature}
	if s.Format == ades.TimestampTkn || s.Format == ades.DocTimestamp {
		t.purpose = forTimestamp
	}
	r.basic(t)
	out.Signer = t.signer
	found := slices.Clone(t.found)
	found.add(r.beyond(s, depth)...)
	for _, stamp := range out.Timestamps {
		if stamp.Indication != Passed {
			found.add(r.find(CodeTimestampUnusable, stamp.Timestamp.ID, string(stamp.SubIndication)))
		}
	}
	if depth < maxDepth {
		for _, c := range s.CounterSignatures {
			counter := r.signature(c, depth+1)
			out.CounterSignatures = append(out.CounterSignatures, counter)
			if counter.Indication != Passed {
				found.add(r.find(CodeCounterInvalid, c.ID, string(counter.SubIndication)))
			}
		}
	}
	if t.signer != nil {
		t.local = t.decided()
		bst := r.bestFromStamps(out, t)
		left, _ := r.judgeChains(t, bst)
		if !t.decided() {
			found.add(r.contentStamps(out, t, left)...)
			found.add(r.accept(out, t)...)
		} else if len(t.chains) == 0 {
			found.add(left...) // worth saying, decides nothing
		}
	}
	out.Intact = t.intact
	if t.intact {
		p := r.proofs.of(t.digest())
		out.BestTime, out.BestProof = p.time, p.by
	}
	out.Verdict = found.verdict()
	out.Chain, out.Anchored, out.Statuses = t.report()
	out.Errors, out.Warnings = found.messages()
	return out
}

// bestFromStamps is the best signature time by those time stamps that are
// good at the validation time without proofs from others (section 5.5.4 step
// 3), or by what the caller knows.
func (r *run) bestFromStamps(out *Result, t *token) time.Time {
	bst := r.Time
	for _, at := range r.Received {
		if at.Before(bst) {
			bst = at
		}
	}
	for _, s := range out.Timestamps {
		if s.basic && s.covers(t.digest()) && s.Timestamp.GenTime.Before(bst) {
			bst = s.Timestamp.GenTime
		}
	}
	return bst
}

// contentStamps applies step 4 of section 5.3.4: a time stamp on the content
// was there before the signature, so a signature that carries one of after the
// revocation or expiry of its certificate is certainly too late.
func (r *run) contentStamps(out *Result, t *token, left findings) findings {
	var latest time.Time
	for _, s := range out.Timestamps {
		if s.Timestamp.Kind == ades.ContentTS && s.Indication == Passed && s.Timestamp.GenTime.After(latest) {
			latest = s.Timestamp.GenTime
		}
	}
	if latest.IsZero() {
		return left
	}
	c, name := t.best(), subject(t.signer)
	for _, f := range left.errors() {
		switch f.verdict.SubIndication {
		case RevokedNoPOE:
			if a := c.statuses[0].used(); a != nil && a.Status == revocation.Revoked && latest.After(a.RevokedAt) {
				return append(left, r.find(CodeAfterRevocation, name, "").before(f))
			}
		case OutOfBoundsNoPOE, OutOfBoundsNotRevoked:
			if f.Code == CodeExpired && latest.After(t.signer.NotAfter) {
				return append(left, r.find(CodeAfterExpiry, name, "").before(f))
			}
		}
	}
	return left
}

// before gives f the block of g and one rank more, so that it decides.
func (f finding) before(g finding) finding {
	f.block = g.block - 1
	return f
}

// accept is signature acceptance validation at the best signature time
// (sections 5.2.8, 5.5.4 steps 4 e), 5, 8 and 9).
func (r *run) accept(out *Result, t *token) findings {
	bst := r.proofs.of(t.digest()).time
	l := r.weakToken(t, bst)
	l.add(r.obsolete(out, l)...)
	l.add(r.stampOrder(out, t)...)
	claimed := t.sig.SigningTime
	if claimed == nil {
		return l
	}
	if claimed.After(bst.Add(clockTolerance)) {
		l.add(r.find(CodeSigningTimeLate, "", claimed.UTC().Format(time.RFC3339)))
	}
	delay := r.Policy.TimestampDelay()
	if delay > 0 && slices.ContainsFunc(out.Timestamps, func(s *Stamp) bool { return s.Timestamp.Kind == ades.SignatureTS }) &&
		bst.After(claimed.Add(delay)) {
		l.add(r.find(CodeTimestampDelay, "", delay.String()))
	}
	return l
}

// obsolete: a good time stamp on the content shows that the signature was
// made when its algorithm was not reliable any more.
func (r *run) obsolete(out *Result, weak findings) findings {
	if len(weak.only(CodeWeakAlgorithm).errors()) == 0 {
		return nil
	}
	for _, s := range out.Timestamps {
		if s.Timestamp.Kind != ades.ContentTS || s.Indication != Passed {
			continue
		}
		t := &token{sig: out.Signature, signer: out.Signer, purpose: forSignature}
		for _, f := range r.weakToken(t, s.Timestamp.GenTime).only(CodeWeakAlgorithm) {
			if f.level == policy.Fail {
				return findings{r.find(CodeAfterAlgorithmEnd, f.Object, f.Detail).before(f)}
			}
		}
	}
	return nil
}

// stampOrder checks that time stamps on the content are not later than those
// on the signature (section 5.5.4 step 4 e)), as far as their accuracy tells.
func (r *run) stampOrder(out *Result, t *token) findings {
	for _, before := range out.Timestamps {
		if before.Timestamp.Kind != ades.ContentTS || !before.Imprint || !before.token.intact {
			continue // whoever made it: the signer took it into his signature
		}
		for _, after := range out.Timestamps {
			if !after.covers(t.digest()) || after.Indication != Passed {
				continue
			}
			latest := after.Timestamp.GenTime.Add(after.Timestamp.Accuracy)
			if before.Timestamp.GenTime.Add(-before.Timestamp.Accuracy).After(latest) {
				return findings{r.find(CodeTimestampOrder, before.Timestamp.ID, "later than "+after.Timestamp.ID)}
			}
		}
	}
	return nil
}
