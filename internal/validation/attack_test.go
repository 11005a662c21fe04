package validation

import (
	"context"
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"slices"
	"testing"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/revocation"
)

// TestStampAttacks: a signature whose certificate ended in 2021, and time
// stamps and answers that must not save it.
func TestStampAttacks(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		change func(*world, *ades.Signature)
		want   Verdict
		codes  []ades.Code
	}{
		{"answer made after the CA was revoked", func(w *world, _ *ades.Signature) {
			w.revoked(w.ca, later, now)
			w.checker.answers["signer"] = nil
			w.good(w.signer, archived)
		}, indeterminate(RevokedCANoPOE), []ades.Code{CodeCARevoked}},
		{"certificate made after the CA was revoked", func(w *world, s *ades.Signature) {
			s.CertRefs, s.HasCertRefs, s.Format = nil, false, ades.CMS
			w.revoked(w.ca, later, now)
		}, indeterminate(RevokedCANoPOE), []ades.Code{CodeCARevoked}},
		{"the stamp's signer is an anchor, not an authority", func(w *world, s *ades.Signature) {
			mallory := w.issue("mallory", w.ca)
			w.anchors = append(w.anchors, mallory.cert)
			s.Timestamps = nil
			w.stampSignature(s, mallory, signed)
		}, indeterminate(OutOfBoundsNotRevoked), []ades.Code{CodeTimestampUnusable}},
		{"value of the stamp cannot be checked", func(_ *world, s *ades.Signature) {
			s.Timestamps[0].Token.Digest, s.Timestamps[0].Token.Value = nil, []byte("garbage")
		}, indeterminate(OutOfBoundsNotRevoked), []ades.Code{CodeTimestampUnusable}},
		{"stamp older than its authority", func(w *world, s *ades.Signature) {
			s.Timestamps = nil
			w.stampSignature(s, w.issue("tsa", w.root, forStamps, from(day("2023-01-01"))), signed)
		}, indeterminate(OutOfBoundsNotRevoked), []ades.Code{CodeTimestampUnusable}},
		{"nothing known about the authority, offline", func(w *world, _ *ades.Signature) {
			w.checker.answers["tsa"], w.engine.Offline = nil, true
		}, indeterminate(OutOfBoundsNotRevoked), []ades.Code{CodeTimestampUnusable}},
		{"nothing known about the authority, services down", func(w *world, _ *ades.Signature) {
			w.checker.answers["tsa"] = nil
			w.checker.problems = []revocation.Problem{{Kind: "OCSP", Origin: revocation.Fetched, Err: context.DeadlineExceeded}}
		}, indeterminate(OutOfBoundsNotRevoked), []ades.Code{CodeTimestampUnusable}},
		{"known for the time of an archive time stamp, offline", func(w *world, s *ades.Signature) {
			w.checker.answers["tsa"], w.engine.Offline = nil, true
			w.good(w.tsa, signed.Add(-60e9))
		}, passed, nil},
		{"MD5 in what the stamp lists", func(_ *world, s *ades.Signature) {
			s.Timestamps[0].References = []ades.Reference{{Kind: ades.RefManifestEntry, Name: "signature.p7s", Hash: crypto.MD5, Found: true, Intact: true}}
		}, indeterminate(OutOfBoundsNotRevoked), []ades.Code{CodeTimestampUnusable}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.rootStamps()
			w.good(w.ca, now)
			w.good(w.signer, later)
			s := w.sign(w.signer)
			w.stampSignature(s, w.tsa, signed)
			test.change(w, s)
			w.expect(w.validate(s), test.want, test.codes...)
		})
	}
}

// noRevAvail is the extension of RFC 9608.
var noRevAvail = []pkix.Extension{{Id: oidNoRevAvail, Value: []byte{5, 0}}}

// honest answers only about certificates that the issuer of the question did
// issue, as services do, and looks further until there is enough.
type honest struct{ *checker }

func (h *honest) Check(ctx context.Context, q revocation.Question) (list []revocation.Answer, problems []revocation.Problem) {
	if q.Certificate.CheckSignatureFrom(q.Issuer) != nil {
		return nil, nil
	}
	all, problems := h.checker.Check(ctx, q)
	for _, a := range all {
		if q.Enough != nil && q.Enough(list) {
			break
		}
		list = append(list, a)
	}
	return list, problems
}

// TestAnswerSigners: who signed what is known about a signer of today.
func TestAnswerSigners(t *testing.T) {
	t.Parallel()
	stolen := day("2022-01-01")
	responder := func(c *x509.Certificate) {
		c.KeyUsage, c.ExtKeyUsage = x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{x509.ExtKeyUsageOCSPSigning}
	}
	for _, test := range []struct {
		name   string
		change func(*world)
		want   Verdict
	}{
		{"revoked responder writes an earlier date", func(w *world) {
			r := w.issue("responder", w.ca, responder)
			w.revoked(r, stolen, now)
			w.answer(w.signer, revocation.Answer{Status: revocation.Good, ThisUpdate: stolen.Add(-1e9), NextUpdate: farther, Signer: r.cert})
		}, indeterminate(TryLater)},
		{"revoked responder, then the honest answer", func(w *world) {
			r := w.issue("responder", w.ca, responder)
			w.revoked(r, stolen, now)
			w.answer(w.signer, revocation.Answer{Status: revocation.Good, ThisUpdate: stolen.Add(-1e9), NextUpdate: farther, Signer: r.cert})
			w.revoked(w.signer, stolen, now)
		}, indeterminate(RevokedNoPOE)},
		{"responder known to be good", func(w *world) {
			r := w.issue("responder", w.ca, responder)
			w.good(r, now)
			w.answer(w.signer, revocation.Answer{Status: revocation.Good, ThisUpdate: now, Signer: r.cert})
		}, passed},
		{"responder that vouches for itself", func(w *world) {
			r := w.issue("responder", w.ca, responder)
			w.answer(r, revocation.Answer{Status: revocation.Good, ThisUpdate: now, Signer: r.cert, NoCheck: true})
			w.answer(w.signer, revocation.Answer{Status: revocation.Good, ThisUpdate: now, Signer: r.cert})
		}, indeterminate(TryLater)},
		{"revoked list issuer", func(w *world) {
			l := w.issue("list issuer", w.root, asCA)
			w.revoked(l, stolen, now)
			w.answer(w.signer, revocation.Answer{Status: revocation.Good, ThisUpdate: now, Signer: l.cert})
		}, indeterminate(TryLater)},
		{"list issuer nobody knows about", func(w *world) {
			w.answer(w.signer, revocation.Answer{Status: revocation.Good, ThisUpdate: now, Signer: w.issue("list issuer", w.root, asCA).cert})
		}, indeterminate(TryLater)},
		{"list issuer known to be good", func(w *world) {
			l := w.issue("list issuer", w.root, asCA)
			w.good(l, now)
			w.answer(w.signer, revocation.Answer{Status: revocation.Good, ThisUpdate: now, Signer: l.cert})
		}, passed},
		{"list issuer of another anchor", func(w *world) {
			other := w.issue("other root", nil, asCA)
			w.anchors = append(w.anchors, other.cert)
			l := w.issue("list issuer", other, asCA)
			w.answer(l, revocation.Answer{Status: revocation.Good, ThisUpdate: now, Signer: other.cert})
			w.answer(w.signer, revocation.Answer{Status: revocation.Good, ThisUpdate: now, Signer: l.cert})
		}, indeterminate(TryLater)},
		{"authority without revocation", func(w *world) {
			w.good(w.signer, now)
			w.checker.answers["ca"] = nil
			w.ca = w.issue("ca", w.root, asCA, func(c *x509.Certificate) { c.ExtraExtensions = noRevAvail })
			w.signer = w.issue("signer", w.ca)
		}, indeterminate(TryLater)},
		{"signer without revocation", func(w *world) {
			w.signer = w.issue("signer", w.ca, func(c *x509.Certificate) { c.ExtraExtensions = noRevAvail })
		}, passed},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.current()
			w.signer = w.issue("signer", w.ca)
			test.change(w)
			w.engine.Checker = &honest{w.checker}
			w.expect(w.validate(w.sign(w.signer)), test.want)
		})
	}
}

// TestNoQuestionsForForgeries: a signature that is decided without its
// certificate has no service asked.
func TestNoQuestionsForForgeries(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	offline := &offlineOnly{}
	w.engine.Checker = offline
	w.engine.Issuers = func(context.Context, *x509.Certificate) []*x509.Certificate {
		t.Error("an issuer was fetched")
		return nil
	}
	s := w.sign(w.signer)
	s.Digest = make([]byte, 32)
	s.Certificates = slices.Clip(s.Certificates[:1])
	w.expect(w.validate(s), failed(SigCryptoFailure))
	s.Certificates = append(s.Certificates, w.ca.cert)
	w.expect(w.validate(s), failed(SigCryptoFailure))
	if offline.online > 0 {
		t.Errorf("services were asked %d times", offline.online)
	}
}

type offlineOnly struct{ online int }

func (o *offlineOnly) Check(_ context.Context, q revocation.Question) ([]revocation.Answer, []revocation.Problem) {
	if !q.Offline {
		o.online++
	}
	return nil, nil
}
