package cades

import (
	"context"
	"fmt"
	"io"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/cms"
)

// values takes the evidence out of the unsigned attributes.
func (s *signer) values() {
	for _, a := range s.info.UnsignedAttrs {
		s.extra.addValues(a)
	}
	known := s.extra.certificates
	s.extra.certificates = nil
	for _, c := range known {
		if !s.seen[string(c.Raw)] {
			s.extra.certificates = append(s.extra.certificates, c)
		}
	}
}

// counterSignatures reads those over this signature's value, RFC 5652 section 11.4, and theirs.
func (s *signer) counterSignatures() {
	for _, a := range cms.Find(s.info.UnsignedAttrs, oidCounterSignature) {
		for _, raw := range a.Values {
			if s.counters >= maxCounters || s.depth >= maxCounterDepth {
				s.note(ades.UnsupportedPart, "", "more counter-signatures than are looked at")
				return
			}
			s.counters++
			info := cms.ParseSigner(raw)
			counter := s.newSigner(&info, fmt.Sprintf("%s-counter-%d", s.id, len(s.sig.CounterSignatures)+1))
			counter.parent, counter.depth = s, s.depth+1
			s.counterSigners = append(s.counterSigners, counter)
			s.sig.CounterSignatures = append(s.sig.CounterSignatures, counter.read())
		}
	}
}

// contextReader ends a long copy when the context does.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}
