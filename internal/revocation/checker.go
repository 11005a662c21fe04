package revocation

import (
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"slices"
	"time"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/crl"
	"github.com/eidkit/eidkit/internal/fetch"
	"github.com/eidkit/eidkit/internal/ocsp"
)

// Errors of this package, beside those of crl, ocsp and fetch.
var (
	// ErrFuture: an answer says that it was made later than now.
	ErrFuture = errors.New("the answer is from the future")
	// ErrStale: a service gave an answer whose time is over.
	ErrStale = errors.New("the answer is out of date")
	// ErrPartial: the lists at hand do not cover all reasons of revocation.
	ErrPartial = errors.New("the lists do not cover all reasons of revocation")
	// ErrNoPath: the issuer of an indirect list is not to be trusted.
	ErrNoPath = errors.New("the list's issuer is not authorised")
	// ErrTooMuch: there is so much evidence that not all of it was checked.
	ErrTooMuch = errors.New("too many answers to check")
)

// Bounds of the work for one question. Evidence is chosen by whoever made the
// file, addresses by whoever made the certificate.
const (
	maxEvidence = 256       // embedded CRLs, and embedded OCSP answers, looked at
	maxSources  = 4         // addresses of one kind that are asked
	maxPoints   = 16        // distribution points of a certificate looked at
	maxSigners  = 4         // certificates tried as the issuer of one list
	maxChecks   = 64        // answers whose signatures are checked
	maxOCSP     = 256 << 10 // bytes of an answer from a service
)

// Options configure a Service. The zero value uses embedded evidence alone.
type Options struct {
	// Fetch reaches the services; nil: nothing is fetched.
	Fetch *fetch.Client
	// Lists keeps CRLs, on disk for instance; nil: in memory.
	Lists ListStore
	// CRLFirst asks for lists before OCSP.
	CRLFirst bool
	// Answers is the folder for OCSP answers, which processes may share; empty:
	// in memory. Without one that can be written, memory is used.
	Answers string
	// Nonce says whether OCSP requests have a nonce, and answers must.
	Nonce Nonce
	// GET asks OCSP services by GET where the request is short enough, so that
	// caches on the way can answer (RFC 5019); it needs NoNonce.
	GET bool
	// IDHash identifies certificates in OCSP requests; 0: SHA-1, which every
	// service understands (nothing is protected by it).
	IDHash crypto.Hash
	// MaxAge is how old what a service says may be whatever its nextUpdate;
	// zero: as nextUpdate says, and 24 hours for OCSP answers without one.
	MaxAge time.Duration
	// Skew is how far the clocks of services may be from ours; zero: 5 minutes.
	Skew time.Duration
	// Timeout bounds all fetching for one question; zero: 20 s.
	Timeout time.Duration
	// Now is the clock; nil: time.Now.
	Now func() time.Time
}

// Nonce is a rule about nonces (RFC 9654), which tie an OCSP answer to its
// question.
type Nonce int

// The rules.
const (
	SendNonce    Nonce = iota // sent; an answer without one is taken, another one is not
	RequireNonce              // sent, and an answer must have it
	NoNonce                   // not sent, so that services may answer from a stock
)

// Service is the Checker. It is safe for concurrent use, and keeps in memory
// what it read and checked before, so that the same evidence costs no
// public-key operation twice.
type Service struct {
	o       Options
	indexes *lru[ades.Digest, *crl.Index]     // of lists, by digest of the DER
	answers *lru[ades.Digest, *ocsp.Response] // parsed, by digest
	signers *lru[signedBy, *x509.Certificate] // whose signature was found good
	kept    *answerCache                      // what OCSP services said
	failed  *failures
	turns   turns
}

// signedBy is a checked signature: of an answer, under an issuer.
type signedBy struct{ answer, issuer ades.Digest }

// subject is a certificate under an issuer.
type subject struct{ certificate, issuer ades.Digest }

// New returns a Service.
func New(o Options) *Service {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Timeout <= 0 {
		o.Timeout = 20 * time.Second
	}
	if o.Skew <= 0 {
		o.Skew = 5 * time.Minute
	}
	if o.Lists == nil && o.Fetch != nil {
		store, err := crl.OpenStore("", crl.StoreOptions{Fetch: o.Fetch, Now: o.Now})
		if err == nil { // always: there is no folder
			o.Lists = store
		}
	}
	return &Service{
		o:       o,
		indexes: newLRU[ades.Digest, *crl.Index](256, 64<<20),
		answers: newLRU[ades.Digest, *ocsp.Response](4096, 32<<20),
		signers: newLRU[signedBy, *x509.Certificate](8192, 64<<20),
		kept:    &answerCache{dir: o.Answers, now: o.Now, memory: newLRU[subject, *ocsp.Response](4096, 32<<20)},
		failed:  &failures{now: o.Now, until: map[string]time.Time{}, err: map[string]error{}},
		turns:   turns{running: map[subject]chan struct{}{}},
	}
}

// inquiry is one question on its way.
type inquiry struct {
	*Service
	Question
	answers  []Answer
	problems []Problem
	looked   *ocsp.Response // the kept answer when it was last looked at
	partial  []partial      // good lists that cover some reasons only
	checks   int            // signatures checked so far
}

// Check answers the question: see Checker. It ends when Options.Timeout is over
// at the latest.
func (s *Service) Check(ctx context.Context, q Question) ([]Answer, []Problem) {
	in := &inquiry{Service: s, Question: q}
	if q.Certificate == nil || q.Issuer == nil {
		return nil, []Problem{{Err: errors.New("checking revocation: no certificate or no issuer")}}
	}
	in.embedded(ctx)
	if !in.enough() {
		in.cached(ctx)
	}
	if !in.enough() && !q.Offline && s.o.Fetch != nil {
		in.network(ctx)
	}
	if len(in.answers) == 0 && len(in.partial) > 0 {
		in.problem("CRL", "", in.partial[0].answer.Origin, ErrPartial)
	}
	slices.SortStableFunc(in.answers, func(a, b Answer) int { return rank(in.suffices(a)) - rank(in.suffices(b)) })
	return in.answers, in.problems
}

// rank puts what suffices first.
func rank(suffices bool) int {
	if suffices {
		return 0
	}
	return 1
}

// horizon is what no answer can be later than: it would be from the future.
func (in *inquiry) horizon() time.Time {
	now := in.o.Now()
	if in.Question.Now.After(now) {
		now = in.Question.Now
	}
	return now.Add(in.o.Skew)
}

func (in *inquiry) enough() bool {
	if in.Enough != nil {
		return in.Enough(in.answers)
	}
	return slices.ContainsFunc(in.answers, in.suffices)
}

// final: revoked, and not merely on hold: no later answer takes that back.
func final(a Answer) bool { return a.Status == Revoked && a.Reason != crl.OnHold }

// suffices: revoked for good, or made after the time asked about, or still
// current then.
func (in *inquiry) suffices(a Answer) bool {
	switch {
	case a.Status == Unknown:
		return false
	case final(a), !a.ThisUpdate.Before(in.At):
		return true
	case a.NextUpdate.IsZero():
		return !a.ThisUpdate.Add(maxAgeOfEndless).Before(in.At)
	}
	return !a.NextUpdate.Before(in.At)
}

func (in *inquiry) problem(kind, url string, origin Origin, err error) {
	in.problems = append(in.problems, Problem{Kind: kind, URL: url, Origin: origin, Err: err})
}
