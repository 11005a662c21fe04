package validation

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"slices"
	"sync"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/path"
	"github.com/eidkit/eidkit/internal/policy"
	"github.com/eidkit/eidkit/internal/revocation"
)

// Bounds on what a file can make the engine do.
const (
	maxDepth        = 8    // counter-signatures of counter-signatures
	maxCertificates = 2000 // in one file
	maxStamps       = 1000
)

// Cache keeps what was computed for longer than one file: which certificates
// were signed by which keys, and which signature values fitted. The zero
// value is ready and safe for concurrent use; it holds a few MB at most.
type Cache struct {
	paths  path.Cache
	values memory
}

// memory is a set of keys that forgets the oldest.
type memory struct {
	mu       sync.Mutex
	new, old map[[sha256.Size]byte]bool
}

// maxGeneration is half of what a memory holds.
const maxGeneration = 8192

func (m *memory) has(key [sha256.Size]byte) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.new[key] || m.old[key]
}

func (m *memory) add(key [sha256.Size]byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.new) >= maxGeneration {
		m.old, m.new = m.new, nil
	}
	if m.new == nil {
		m.new = make(map[[sha256.Size]byte]bool)
	}
	m.new[key] = true
}

// run is the validation of one file.
type run struct {
	Engine
	ctx      context.Context
	pool     []*x509.Certificate
	issuers  []*x509.Certificate // those of pool that may have issued others
	pooled   map[ades.Digest]bool
	evidence revocation.Evidence
	embedded map[ades.Digest]bool // of everything in the file that can be proven to exist
	proofs   proofs
	dropped  map[*ades.Signature]bool // signatures not all of whose time stamps are looked at
	stamps   []*Stamp                 // one for each token, newest first once judged
	byToken  map[ades.Digest]*Stamp
	asked    map[question]*status
	signers  map[question][]*x509.Certificate // paths of those who signed answers
	signedBy map[question]bool
	wrong    map[[sha256.Size]byte]error // signature values that did not fit
}

// question names what was asked about revocation in this run.
type question struct {
	certificate, issuer, anchor ades.Digest
	at                          int64
	offline                     bool
	signer                      bool // of an answer, not of the chain
}

func (e *Engine) newRun(ctx context.Context) *run {
	r := &run{Engine: *e, ctx: ctx, pooled: map[ades.Digest]bool{}, embedded: map[ades.Digest]bool{}, byToken: map[ades.Digest]*Stamp{},
		asked: map[question]*status{}, signers: map[question][]*x509.Certificate{}, signedBy: map[question]bool{}, dropped: map[*ades.Signature]bool{}, wrong: map[[sha256.Size]byte]error{}}
	if r.Policy == nil {
		r.Policy = policy.Default()
	}
	if r.Cache == nil {
		r.Cache = &Cache{}
	}
	r.proofs = proofs{now: r.Time, earliest: map[ades.Digest]proof{}}
	for _, c := range e.Others {
		r.offer(c)
	}
	r.evidence = revocation.Evidence{CRLs: slices.Clone(e.Evidence.CRLs), OCSPs: slices.Clone(e.Evidence.OCSPs)}
	return r
}

// offer adds a certificate to those a chain may go through.
func (r *run) offer(c *x509.Certificate) {
	if c == nil || len(r.pool) >= maxCertificates {
		return
	}
	if d := ades.ObjectDigest(c.Raw); !r.pooled[d] {
		r.pooled[d] = true
		r.pool = append(r.pool, c)
		if c.IsCA || c.Version < 3 {
			r.issuers = append(r.issuers, c)
		}
	}
}

// collect takes what a signature brings along into the run.
func (r *run) collect(s *ades.Signature, depth int) {
	if s == nil || depth > maxDepth {
		return
	}
	r.embedded[ades.ObjectDigest(s.Value)] = true
	for _, c := range s.Certificates {
		r.offer(c)
		r.embedded[ades.ObjectDigest(c.Raw)] = true
	}
	r.offer(s.Signer)
	for _, raw := range s.CRLs {
		if d := ades.ObjectDigest(raw); !r.embedded[d] {
			r.embedded[d] = true
			r.evidence.CRLs = append(r.evidence.CRLs, raw)
		}
	}
	for _, raw := range s.OCSPs {
		if d := ades.ObjectDigest(raw); !r.embedded[d] {
			r.embedded[d] = true
			r.evidence.OCSPs = append(r.evidence.OCSPs, raw)
		}
	}
	for i := range s.Timestamps {
		if !r.collectStamp(&s.Timestamps[i], depth) {
			r.dropped[s] = true
		}
	}
	for _, c := range s.CounterSignatures {
		r.collect(c, depth+1)
	}
}

// collectStamp notes a time stamp; the same token in several places (a PDF's
// document time stamp belongs to all signatures before it) is judged once for
// each set of things it covers. It reports whether there was room for it.
func (r *run) collectStamp(t *ades.Timestamp, depth int) bool {
	d := stampKey(t)
	if r.byToken[d] != nil || len(r.stamps) >= maxStamps {
		return r.byToken[d] != nil
	}
	stamp := &Stamp{Timestamp: t}
	r.byToken[d] = stamp
	r.stamps = append(r.stamps, stamp)
	r.embedded[ades.ObjectDigest(t.Raw)] = true
	if t.Token != nil {
		r.collect(t.Token, depth+1)
	}
	return true
}

// beyond says that a signature brings more than is looked at. It is not
// judged the worse for it: what is left out proves nothing.
func (r *run) beyond(s *ades.Signature, depth int) findings {
	var l findings
	add := func(what string) {
		f := r.find(ades.UnsupportedPart, "", what)
		f.level = levelWarn
		l.add(f)
	}
	if r.dropped[s] {
		add("the file holds too many time stamps: those of this signature are not all looked at")
	}
	if depth >= maxDepth && len(s.CounterSignatures) > 0 {
		add("the counter-signatures on this counter-signature are nested too deep to be looked at")
	}
	return l
}

// stampKey names a token together with what it is said to be over.
func stampKey(t *ades.Timestamp) ades.Digest {
	h := sha256.New()
	d := ades.ObjectDigest(t.Raw)
	h.Write(d[:])
	h.Write([]byte(t.Kind))
	if t.Found {
		h.Write([]byte{1})
	}
	if t.Intact {
		h.Write([]byte{2})
	}
	for _, c := range t.Covers {
		h.Write(c[:])
	}
	return ades.Digest(h.Sum(nil))
}
