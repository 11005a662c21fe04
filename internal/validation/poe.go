package validation

import (
	"time"

	"github.com/eidkit/eidkit/internal/ades"
)

// proof is a time at which an object existed, and what proves it.
type proof struct {
	time time.Time
	by   string // ID of a time stamp, or "received" for the caller; empty: that it is here now
}

// proofs is the set of proofs of existence of EN 319 102-1 section 5.6.2.3.
// What nothing is known about exists now.
type proofs struct {
	now      time.Time
	earliest map[ades.Digest]proof
}

// add notes that an object existed at a time. Times after now prove nothing:
// a clock is wrong, or the caller judges for the past.
func (p *proofs) add(d ades.Digest, at time.Time, by string) {
	if at.IsZero() || at.After(p.now) {
		return
	}
	if old, ok := p.earliest[d]; !ok || at.Before(old.time) {
		p.earliest[d] = proof{at, by}
	}
}

// of returns the earliest proof for an object.
func (p *proofs) of(d ades.Digest) proof {
	if e, ok := p.earliest[d]; ok {
		return e
	}
	return proof{time: p.now}
}

// ofAny returns the earliest proof for an object that has several encodings.
func (p *proofs) ofAny(first ades.Digest, more []ades.Digest) proof {
	best := p.of(first)
	for _, d := range more {
		if e := p.of(d); e.time.Before(best.time) {
			best = e
		}
	}
	return best
}

// received adds what the caller vouches for: that the file existed, with
// everything in it.
func (r *run) received() {
	for _, at := range r.Received {
		for d := range r.embedded {
			r.proofs.add(d, at, "received")
		}
	}
}

// extract adds what a good time stamp proves (section 5.6.2.3.4): each object
// it covers existed when it was made.
func (r *run) extract(s *Stamp) {
	for _, d := range s.Timestamp.Covers {
		r.proofs.add(d, s.Timestamp.GenTime, s.Timestamp.ID)
	}
}
