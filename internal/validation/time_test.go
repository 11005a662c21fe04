package validation

import (
	"crypto"
	"crypto/rand"
	"crypto/sha1"
	"crypto/x509"
	"testing"
	"time"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/policy"
	"github.com/eidkit/eidkit/internal/revocation"
)

// TestBestSignatureTime: a signature of 2020 with a signature time stamp,
// judged in 2024; the signer's certificate ended in 2021.
func TestBestSignatureTime(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		change func(*world, *ades.Signature)
		want   Verdict
		best   time.Time
		codes  []ades.Code
	}{
		{"known not to be revoked", func(w *world, _ *ades.Signature) { w.good(w.signer, later) }, passed, signed, nil},
		{"information a little before the stamp", func(w *world, _ *ades.Signature) { w.good(w.signer, signed.Add(-time.Hour)) }, passed, signed, nil},
		{"information long before the stamp", func(w *world, _ *ades.Signature) { w.good(w.signer, signed.AddDate(0, -1, 0)) },
			indeterminate(TryLater), signed, []ades.Code{CodeRevocationOld}},
		{"no information", func(w *world, _ *ades.Signature) {}, indeterminate(OutOfBoundsNoPOE), signed, []ades.Code{CodeExpired}},
		{"revoked afterwards", func(w *world, _ *ades.Signature) { w.revoked(w.signer, later, later) }, passed, signed, nil},
		{"revoked before", func(w *world, _ *ades.Signature) { w.revoked(w.signer, signed.Add(-time.Hour), later) },
			indeterminate(RevokedNoPOE), signed, []ades.Code{CodeRevoked}},
		{"revoked at that moment", func(w *world, _ *ades.Signature) { w.revoked(w.signer, signed, later) },
			indeterminate(RevokedNoPOE), signed, nil},
		{"suspended afterwards", func(w *world, _ *ades.Signature) {
			w.answer(w.signer, revocation.Answer{Status: revocation.Revoked, Reason: 6, RevokedAt: later, ThisUpdate: later})
		}, passed, signed, nil},
		{"CA revoked afterwards", func(w *world, s *ades.Signature) {
			w.good(w.signer, later)
			w.checker.answers["ca"] = nil
			w.rootStamps()
			s.Timestamps = nil
			w.stampSignature(s, w.tsa, signed)
			w.revoked(w.ca, later, now)
		}, indeterminate(RevokedCANoPOE), signed, []ades.Code{CodeCARevoked, CodeNoProof}},
		{"stamp does not fit", func(w *world, s *ades.Signature) {
			w.good(w.signer, later)
			s.Timestamps[0].Intact = false
		}, indeterminate(OutOfBoundsNotRevoked), now, []ades.Code{CodeTimestampUnusable, CodeExpired}},
		{"stamp over nothing", func(w *world, s *ades.Signature) {
			w.good(w.signer, later)
			s.Timestamps[0].Found = false
		}, indeterminate(OutOfBoundsNotRevoked), now, []ades.Code{CodeTimestampUnusable}},
		{"stamp of another signature", func(w *world, s *ades.Signature) {
			w.good(w.signer, later)
			s.Timestamps[0].Covers = nil
		}, indeterminate(OutOfBoundsNotRevoked), now, nil},
		{"stamp forged", func(w *world, s *ades.Signature) {
			w.good(w.signer, later)
			s.Timestamps[0].Token.Digest = make([]byte, 32)
		}, indeterminate(OutOfBoundsNotRevoked), now, []ades.Code{CodeTimestampUnusable}},
		{"stamp by nobody known", func(w *world, s *ades.Signature) {
			w.good(w.signer, later)
			s.Timestamps = nil
			w.stampSignature(s, w.issue("stranger", nil, forStamps), signed)
		}, indeterminate(OutOfBoundsNotRevoked), now, []ades.Code{CodeTimestampUnusable}},
		{"stamp by a certificate for something else", func(w *world, s *ades.Signature) {
			w.good(w.signer, later)
			s.Timestamps = nil
			w.stampSignature(s, w.issue("tsa", w.ca), signed)
		}, indeterminate(OutOfBoundsNotRevoked), now, []ades.Code{CodeTimestampUnusable}},
		{"stamp whose authority was revoked since", func(w *world, s *ades.Signature) {
			w.good(w.signer, later)
			w.revoked(w.tsa, later, now)
		}, indeterminate(OutOfBoundsNotRevoked), now, []ades.Code{CodeTimestampUnusable}},
		{"stamp with embedded information only", func(w *world, s *ades.Signature) {
			w.good(w.signer, later)
			w.checker.answers["tsa"], w.checker.answers["ca"] = nil, nil
			w.good(w.tsa, later)
			w.good(w.ca, later)
		}, passed, signed, nil},
		{"unreadable stamp", func(w *world, s *ades.Signature) {
			w.good(w.signer, later)
			s.Timestamps[0].Token = nil
		}, indeterminate(OutOfBoundsNotRevoked), now, []ades.Code{CodeTimestampUnusable}},
		{"stamp before the certificate", func(w *world, s *ades.Signature) {
			w.good(w.signer, later)
			s.Timestamps = nil
			w.stampSignature(s, w.issue("tsa", w.ca, forStamps, from(birth.AddDate(-1, 0, 0))), birth.AddDate(0, 0, -1))
		}, failed(NotYetValid), birth.AddDate(0, 0, -1), []ades.Code{CodeBeforeCertificate}},
		{"stamp after the certificate", func(w *world, s *ades.Signature) {
			w.good(w.signer, later)
			s.Timestamps = nil
			w.stampSignature(s, w.tsa, expiry.AddDate(0, 0, 1))
		}, indeterminate(OutOfBoundsNotRevoked), expiry.AddDate(0, 0, 1), []ades.Code{CodeExpired}},
		{"two stamps, the earlier counts", func(w *world, s *ades.Signature) {
			w.good(w.signer, later)
			w.stampSignature(s, w.tsa, archived)
		}, passed, signed, nil},
		{"received in time, no stamp", func(w *world, s *ades.Signature) {
			w.good(w.signer, later)
			s.Timestamps, w.engine.Received = nil, []time.Time{later}
		}, passed, later, nil},
		{"received too late", func(w *world, s *ades.Signature) {
			w.good(w.signer, later)
			s.Timestamps, w.engine.Received = nil, []time.Time{expiry.AddDate(1, 0, 0)}
		}, indeterminate(OutOfBoundsNotRevoked), expiry.AddDate(1, 0, 0), nil},
		{"received in the future", func(w *world, s *ades.Signature) {
			w.good(w.signer, later)
			s.Timestamps, w.engine.Received = nil, []time.Time{now.AddDate(1, 0, 0)}
		}, indeterminate(OutOfBoundsNotRevoked), now, nil},
		{"content stamp after revocation", func(w *world, s *ades.Signature) {
			w.revoked(w.signer, later, later)
			s.Timestamps = []ades.Timestamp{w.stamp(w.tsa, ades.ContentTS, archived)}
		}, failed(Revoked), now, []ades.Code{CodeAfterRevocation}},
		{"content stamp after expiry", func(w *world, s *ades.Signature) {
			w.good(w.signer, later)
			s.Timestamps = []ades.Timestamp{w.stamp(w.tsa, ades.ContentTS, expiry.AddDate(0, 1, 0))}
		}, failed(Expired), now, []ades.Code{CodeAfterExpiry}},
		{"content stamp after the signature's", func(w *world, s *ades.Signature) {
			w.good(w.signer, later)
			s.Timestamps = append(s.Timestamps, w.stamp(w.tsa, ades.ContentTS, archived))
		}, indeterminate(TimestampOrderFailure), signed, []ades.Code{CodeTimestampOrder}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.current()
			s := w.sign(w.signer)
			w.stampSignature(s, w.tsa, signed)
			test.change(w, s)
			res := w.validate(s)
			w.expect(res, test.want, test.codes...)
			if !res.BestTime.Equal(test.best) {
				t.Errorf("best signature time %v, want %v", res.BestTime, test.best)
			}
		})
	}
}

// TestArchive: a signature of 2020 whose signer and first time-stamping
// authority both ended in 2021. An archive time stamp proves what there was.
func TestArchive(t *testing.T) {
	t.Parallel()
	type story struct {
		*world
		s       *ades.Signature
		old     *entity // the first authority
		answers []revocation.Answer
	}
	for _, test := range []struct {
		name   string
		before func(*story) // the archive time stamp is made
		after  func(*story)
		want   Verdict
		codes  []ades.Code
	}{
		{"all there", nil, nil, passed, nil},
		{"signer revoked after signing", func(st *story) {
			st.answers = append(st.answers, st.revoked(st.signer, later.Add(time.Hour), archived.Add(-time.Hour)))
		}, nil, passed, nil},
		{"signer revoked before signing", func(st *story) {
			st.answers = append(st.answers, st.revoked(st.signer, signed.Add(-time.Hour), later))
		}, nil, indeterminate(RevokedNoPOE), []ades.Code{CodeNoProof}},
		{"first authority revoked after the archive", nil, func(st *story) {
			st.revoked(st.old, archived.AddDate(0, 1, 0), archived.AddDate(0, 2, 0))
		}, passed, nil},
		{"first authority revoked before the archive", nil, func(st *story) {
			st.revoked(st.old, archived.AddDate(0, 0, -3), archived.AddDate(0, 2, 0))
		}, indeterminate(TryLater), []ades.Code{CodeRevocationOld}}, // proven a month after what is known of the signer
		{"archive stamp too late, first authority revoked before", func(st *story) {
			st.revoked(st.old, later, expiry.AddDate(0, -1, 0))
		}, func(st *story) {
			st.s.Timestamps = st.s.Timestamps[:1]
			st.archive(st.s, st.tsa, expiry.AddDate(0, 2, 0), st.answers...)
		}, indeterminate(OutOfBoundsNotRevoked), []ades.Code{CodeTimestampUnusable}},
		{"no archive stamp, authority ended", nil, func(st *story) { st.s.Timestamps = st.s.Timestamps[:1] },
			indeterminate(OutOfBoundsNotRevoked), []ades.Code{CodeTimestampUnusable}},
		{"archive stamp after all ended", nil, func(st *story) {
			st.s.Timestamps = st.s.Timestamps[:1]
			st.archive(st.s, st.tsa, expiry.AddDate(0, 6, 0), st.answers...)
		}, indeterminate(OutOfBoundsNotRevoked), nil},
		{"archive stamp does not cover the first one", nil, func(st *story) {
			st.s.Timestamps[1].Covers = nil
		}, indeterminate(OutOfBoundsNotRevoked), nil},
		{"archive stamp broken", nil, func(st *story) { st.s.Timestamps[1].Intact = false },
			indeterminate(OutOfBoundsNotRevoked), []ades.Code{CodeTimestampUnusable}},
		{"CA ended too", func(st *story) {
			// Everything hangs from a CA that ended with the rest; only the root lasts.
			st.ca = st.issue("ca", st.root, asCA, until(expiry))
			st.signer = st.issue("signer", st.ca, until(expiry))
			st.old = st.issue("old tsa", st.ca, forStamps, until(expiry))
			st.s = st.sign(st.signer)
			st.stampSignature(st.s, st.old, signed)
			st.checker.answers = map[string][]revocation.Answer{}
			st.rootStamps()
			st.answers = []revocation.Answer{st.good(st.signer, later), st.good(st.old, later), st.good(st.ca, later)}
		}, nil, passed, nil},
		{"CA ended too, nothing archived", func(st *story) {
			st.ca = st.issue("ca", st.root, asCA, until(expiry))
			st.signer = st.issue("signer", st.ca, until(expiry))
			st.s = st.sign(st.signer)
			st.checker.answers = map[string][]revocation.Answer{}
			st.rootStamps()
			st.stampSignature(st.s, st.tsa, signed)
			st.good(st.signer, later)
			st.good(st.ca, later)
		}, func(st *story) { st.s.Timestamps = st.s.Timestamps[:1] }, indeterminate(RevocationOutOfBoundsNoPOE), nil},
		{"CA revoked later", nil, func(st *story) {
			st.rootStamps()
			st.s.Timestamps = st.s.Timestamps[:1]
			st.archive(st.s, st.tsa, archived, st.answers...)
			st.revoked(st.ca, archived.AddDate(1, 0, 0), now)
		}, passed, nil},
		{"CA revoked before the archive", nil, func(st *story) {
			st.rootStamps()
			st.s.Timestamps = st.s.Timestamps[:1]
			st.archive(st.s, st.tsa, archived, st.answers...)
			st.revoked(st.ca, later, now)
		}, indeterminate(RevokedCANoPOE), []ades.Code{CodeNoProof}},
		{"anchor withdrawn later", nil, func(st *story) {
			st.engine.Anchors = &twoAnchors{withdrawn{anchors{st.root.cert}, archived.AddDate(1, 0, 0)}, st.issue("new tsa", nil, forStamps, until(farther)).cert}
			st.s.Timestamps = st.s.Timestamps[:1]
			st.archive(st.s, &entity{"new tsa", st.engine.Anchors.(*twoAnchors).good, keyFor("new tsa")}, archived, st.answers...)
		}, passed, nil},
		{"anchor withdrawn before the archive", nil, func(st *story) {
			st.engine.Anchors = &twoAnchors{withdrawn{anchors{st.root.cert}, later}, st.issue("new tsa", nil, forStamps, until(farther)).cert}
			st.s.Timestamps = st.s.Timestamps[:1]
			st.archive(st.s, &entity{"new tsa", st.engine.Anchors.(*twoAnchors).good, keyFor("new tsa")}, archived, st.answers...)
		}, indeterminate(NoCertificateChainFound), nil},
		{"responder ended, not archived in time", func(st *story) {
			st.checker.answers["signer"] = nil
			st.answers = []revocation.Answer{st.answer(st.signer, revocation.Answer{Status: revocation.Good, ThisUpdate: later, NoCheck: true,
				Signer: st.issue("responder", st.ca, until(later.Add(time.Hour))).cert}), st.good(st.old, later)}
		}, nil, indeterminate(RevocationOutOfBoundsNoPOE), []ades.Code{CodeRevocationUnproven}},
		{"responder ended, archived in time", func(st *story) {
			st.checker.answers["signer"] = nil
			st.answers = []revocation.Answer{st.answer(st.signer, revocation.Answer{Status: revocation.Good, ThisUpdate: later, NoCheck: true,
				Signer: st.issue("responder", st.ca, until(archived.AddDate(0, 1, 0))).cert}), st.good(st.old, later)}
		}, nil, passed, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.current()
			st := &story{world: w, old: w.issue("old tsa", w.ca, forStamps, until(expiry))}
			st.s = w.sign(w.signer)
			w.stampSignature(st.s, st.old, signed)
			st.answers = []revocation.Answer{w.good(w.signer, later), w.good(st.old, later), w.good(w.ca, later)}
			if test.before != nil {
				test.before(st)
			}
			w.archive(st.s, st.tsa, archived, st.answers...)
			if test.after != nil {
				test.after(st)
			}
			w.expect(w.validate(st.s), test.want, test.codes...)
		})
	}
}

// twoAnchors is an anchor that was withdrawn beside one that was not.
type twoAnchors struct {
	withdrawn
	good *x509.Certificate
}

func (a *twoAnchors) Contains(c *x509.Certificate) bool {
	return c.Equal(a.good) || a.withdrawn.Contains(c)
}

func (a *twoAnchors) Withdrawn(c *x509.Certificate, at time.Time) string {
	if c.Equal(a.good) {
		return ""
	}
	return a.withdrawn.Withdrawn(c, at)
}

// TestRenewal: three generations of archive time stamps, each saved by the
// next; without the middle one the chain of proofs breaks.
func TestRenewal(t *testing.T) {
	t.Parallel()
	for _, broken := range []bool{false, true} {
		w := newWorld(t)
		w.current()
		s := w.sign(w.signer)
		first := w.issue("first", w.ca, forStamps, until(expiry))
		second := w.issue("second", w.ca, forStamps, until(day("2023-01-01")))
		w.stampSignature(s, first, signed)
		early := []revocation.Answer{w.good(w.signer, later), w.good(first, later)}
		w.archive(s, second, archived, early...)
		w.archive(s, w.tsa, day("2022-06-01"), append(early, w.good(second, day("2022-05-31")))...)
		want := passed
		if broken {
			s.Timestamps[1].Intact = false
			want = indeterminate(OutOfBoundsNotRevoked)
		}
		w.expect(w.validate(s), want)
	}
}

// TestObsoleteAlgorithms: a signature with SHA-1, which ended in 2012.
func TestObsoleteAlgorithms(t *testing.T) {
	t.Parallel()
	old := day("2011-01-01")
	for _, test := range []struct {
		name  string
		stamp time.Time
		kind  ades.TimestampKind
		want  Verdict
		codes []ades.Code
	}{
		{"proven in time", old, ades.SignatureTS, passed, nil},
		{"proven too late", signed, ades.SignatureTS, indeterminate(CryptoConstraintsFailureNoPOE), []ades.Code{CodeWeakAlgorithm}},
		{"certainly made too late", signed, ades.ContentTS, indeterminate(CryptoConstraintsFailure), []ades.Code{CodeAfterAlgorithmEnd}},
		{"content stamp in time", old, ades.ContentTS, indeterminate(CryptoConstraintsFailureNoPOE), []ades.Code{CodeWeakAlgorithm}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.current()
			early := from(day("2010-01-01"))
			w.signer = w.issue("signer", w.ca, early)
			w.tsa = w.issue("tsa", w.ca, forStamps, early)
			w.good(w.signer, now)
			s := w.sign(w.signer)
			digest := sha1.Sum([]byte("content"))
			s.Algorithm.Hash, s.Digest = crypto.SHA1, digest[:]
			var err error
			if s.Value, err = w.signer.key.Sign(rand.Reader, digest[:], crypto.SHA1); err != nil {
				t.Fatal(err)
			}
			s.SigningTime = &old
			var covers []ades.Digest
			if test.kind == ades.SignatureTS {
				covers = append(covers, ades.ObjectDigest(s.Value))
			}
			s.Timestamps = []ades.Timestamp{w.stamp(w.tsa, test.kind, test.stamp, covers...)}
			w.expect(w.validate(s), test.want, test.codes...)
		})
	}
}

// TestTimestampDelay: a policy that limits the time between claimed signing
// and the time stamp.
func TestTimestampDelay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.current()
	w.good(w.signer, later)
	s := w.sign(w.signer)
	w.stampSignature(s, w.tsa, signed.Add(2*time.Hour))
	w.expect(w.validate(s), passed)
	var err error
	if w.engine.Policy, err = policy.Parse([]byte(`{"schema":1,"id":"x","timestampDelay":"1h"}`), Known); err != nil {
		t.Fatal(err)
	}
	w.expect(w.validate(s), indeterminate(SigConstraintsFailure), CodeTimestampDelay)
}

// TestCounterSignatures are judged like any other and do not count against
// the signature they are on.
func TestCounterSignatures(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.current()
	w.signer = w.issue("signer", w.ca)
	w.good(w.signer, now)
	s, counter := w.sign(w.signer), w.sign(w.signer)
	counter.References[0].Kind = ades.RefCounterSigned
	s.CounterSignatures = []*ades.Signature{counter}
	res := w.validate(s)
	w.expect(res, passed)
	w.expect(res.CounterSignatures[0], passed)
	counter.References[0].Intact = false
	res = w.validate(s)
	w.expect(res, passed, CodeCounterInvalid)
	w.expect(res.CounterSignatures[0], failed(HashFailure))
}
