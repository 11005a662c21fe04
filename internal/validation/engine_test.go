package validation

import (
	"crypto"
	"crypto/x509"
	"errors"
	"math/big"
	"testing"
	"time"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/revocation"
	"github.com/eidkit/eidkit/internal/sigalg"
)

// TestBasic: a signature of today, without time stamps, and all that can be
// wrong with it.
func TestBasic(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		change func(*world, *ades.Signature)
		want   Verdict
		codes  []ades.Code
	}{
		{"good", nil, passed, nil},
		{"format", func(_ *world, s *ades.Signature) {
			s.Findings = []ades.Finding{{Code: ades.BadByteRange}}
		}, failed(FormatFailure), []ades.Code{ades.BadByteRange}},
		{"format warning", func(_ *world, s *ades.Signature) {
			s.Findings = []ades.Finding{{Code: ades.EncodingOddity}}
		}, passed, []ades.Code{ades.EncodingOddity}},
		{"change not allowed", func(_ *world, s *ades.Signature) {
			s.PDF = &ades.PDFFacts{Changes: []ades.Change{{What: "dss-added", Allowed: true}, {What: "content-replaced", Object: "7 0"}}}
		}, failed(FormatFailure), []ades.Code{ades.ModifiedAfterwards}},
		{"unknown code", func(_ *world, s *ades.Signature) { s.Findings = []ades.Finding{{Code: "NEVER_HEARD_OF"}} },
			failed(FormatFailure), []ades.Code{"NEVER_HEARD_OF"}},
		{"no certificate", func(w *world, s *ades.Signature) {
			s.Signer, s.Certificates = nil, nil
		}, indeterminate(NoSigningCertificateFound), []ades.Code{CodeNoSigningCertificate}},
		{"key only", func(w *world, s *ades.Signature) {
			s.Signer, s.Certificates, s.SignerID, s.PublicKey = nil, nil, ades.SignerID{}, w.signer.key.Public()
		}, indeterminate(NoCertificateChainFound), []ades.Code{CodeKeyOnly}},
		{"key only, wrong value", func(w *world, s *ades.Signature) {
			s.Signer, s.Certificates, s.SignerID, s.PublicKey = nil, nil, ades.SignerID{}, w.ca.key.Public()
		}, failed(SigCryptoFailure), []ades.Code{CodeSignatureWrong}},
		{"found by key", func(w *world, s *ades.Signature) {
			s.Signer, s.SignerID = nil, ades.SignerID{Serial: big.NewInt(99999)}
		}, passed, []ades.Code{CodeSignerIDMismatch}},
		{"digest of another certificate", func(w *world, s *ades.Signature) { s.CertRefs[0].Digest = make([]byte, 32) },
			indeterminate(NoSigningCertificateFound), []ades.Code{CodeCertDigestMismatch}},
		{"digest missing", func(w *world, s *ades.Signature) { s.CertRefs = nil },
			indeterminate(NoSigningCertificateFound), []ades.Code{CodeCertDigestUnusable}},
		{"no reference to the certificate", func(w *world, s *ades.Signature) { s.CertRefs, s.HasCertRefs = nil, false },
			passed, []ades.Code{ades.NoSigningCertRef}},
		{"signature policy", func(_ *world, s *ades.Signature) { s.Policy = &ades.SignaturePolicy{ID: "1.2.3"} },
			passed, []ades.Code{CodePolicyNotAvailable}},
		{"implied policy", func(_ *world, s *ades.Signature) { s.Policy = &ades.SignaturePolicy{Implied: true} }, passed, nil},
		{"data missing", func(_ *world, s *ades.Signature) { s.References[0].Found, s.References[0].Intact = false, false },
			indeterminate(SignedDataNotFound), []ades.Code{CodeDataMissing}},
		{"data changed", func(_ *world, s *ades.Signature) { s.References[0].Intact = false },
			failed(HashFailure), []ades.Code{CodeDataChanged}},
		{"digest unknown", func(_ *world, s *ades.Signature) { s.References[0].Intact, s.References[0].Hash = false, 0 },
			indeterminate(CryptoConstraintsFailure), []ades.Code{CodeDigestUnknown}},
		{"only properties signed", func(_ *world, s *ades.Signature) { s.References[0].Kind = ades.RefSignedProperties },
			indeterminate(SignedDataNotFound), []ades.Code{CodeNothingSigned}},
		{"nothing to check the value with", func(_ *world, s *ades.Signature) { s.Digest = nil },
			indeterminate(SignedDataNotFound), []ades.Code{CodeDataMissing}},
		{"value wrong", func(_ *world, s *ades.Signature) { s.Digest = make([]byte, 32) },
			failed(SigCryptoFailure), []ades.Code{CodeSignatureWrong}},
		{"other digest fits", func(_ *world, s *ades.Signature) {
			s.AlternateDigests, s.Digest = [][]byte{make([]byte, 32), s.Digest}, make([]byte, 32)
		}, passed, nil},
		{"algorithm unknown", func(_ *world, s *ades.Signature) { s.AlgorithmError = errors.New("1.2.3.4") },
			indeterminate(CryptoConstraintsFailure), []ades.Code{CodeAlgorithmUnknown}},
		{"algorithm of another key", func(_ *world, s *ades.Signature) { s.Algorithm.Scheme = sigalg.PKCS1 },
			failed(SigCryptoFailure), []ades.Code{CodeSignatureWrong}},
		{"two digests", func(_ *world, s *ades.Signature) { s.Findings = []ades.Finding{{Code: ades.AlgorithmMismatch}} },
			failed(SigCryptoFailure), []ades.Code{ades.AlgorithmMismatch}},
		{"no message digest", func(_ *world, s *ades.Signature) { s.Findings = []ades.Finding{{Code: ades.NoMessageDigest}} },
			indeterminate(SigConstraintsFailure), []ades.Code{ades.NoMessageDigest}},
		{"no signing time", func(_ *world, s *ades.Signature) { s.SigningTime = nil }, passed, []ades.Code{CodeNoSigningTime}},
		{"time from the future", func(_ *world, s *ades.Signature) { at := now.Add(time.Hour); s.SigningTime = &at },
			passed, []ades.Code{CodeSigningTimeLate}},
		{"weak digest of a reference", func(_ *world, s *ades.Signature) {
			s.References = append(s.References, ades.Reference{Kind: ades.RefContent, Found: true, Intact: true, Hash: crypto.SHA1})
		}, indeterminate(CryptoConstraintsFailureNoPOE), []ades.Code{CodeWeakAlgorithm}},
		{"weak digest of the certificate", func(_ *world, s *ades.Signature) {
			s.CertRefs = append(s.CertRefs, ades.CertRef{Hash: crypto.SHA1, Digest: []byte{1}})
		}, passed, []ades.Code{CodeWeakReference}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.signer = w.issue("signer", w.ca)
			w.good(w.signer, now)
			w.good(w.ca, now)
			s := w.sign(w.signer)
			if test.change != nil {
				test.change(w, s)
			}
			w.expect(w.validate(s), test.want, test.codes...)
		})
	}
}

// TestOrder: what decides when several things are wrong. The first rows hold
// with nobody trusted at all.
func TestOrder(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		trust  bool
		change func(*ades.Signature)
		want   Verdict
	}{
		{"nothing wrong", false, func(*ades.Signature) {}, indeterminate(NoCertificateChainFound)},
		{"data changed", false, func(s *ades.Signature) { s.References[0].Intact = false }, failed(HashFailure)},
		{"value wrong", false, func(s *ades.Signature) { s.Digest = make([]byte, 32) }, failed(SigCryptoFailure)},
		{"data missing", false, func(s *ades.Signature) { s.References[0].Found = false }, indeterminate(SignedDataNotFound)},
		{"format", false, func(s *ades.Signature) {
			s.References[0].Intact, s.Findings = false, []ades.Finding{{Code: ades.BadStructure}}
		}, failed(FormatFailure)},
		{"mandatory attribute", false, func(s *ades.Signature) { s.Findings = []ades.Finding{{Code: ades.NoMessageDigest}} },
			indeterminate(SigConstraintsFailure)},
		{"certificate digest", false, func(s *ades.Signature) { s.CertRefs[0].Digest = make([]byte, 32) }, indeterminate(NoCertificateChainFound)},
		{"weak algorithm", false, func(s *ades.Signature) { s.References[0].Hash = crypto.SHA1 }, indeterminate(NoCertificateChainFound)},
		{"certificate digest, trusted", true, func(s *ades.Signature) { s.CertRefs[0].Digest = make([]byte, 32) }, indeterminate(NoSigningCertificateFound)},
		{"missing before changed", true, func(s *ades.Signature) {
			r := s.References[0]
			r.Found, r.Intact = false, false
			s.References[0].Intact = true
			s.References = append(s.References, r, ades.Reference{Kind: ades.RefContent, Found: true, Hash: crypto.SHA256})
		}, indeterminate(SignedDataNotFound)},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.signer = w.issue("signer", w.ca)
			w.good(w.signer, now)
			w.good(w.ca, now)
			if !test.trust {
				w.anchors = nil
			}
			s := w.sign(w.signer)
			test.change(s)
			w.expect(w.validate(s), test.want)
		})
	}
}

// TestChain: what can be wrong with certificates and what is known about
// their revocation, at the validation time.
func TestChain(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		change func(*world)
		want   Verdict
		codes  []ades.Code
	}{
		{"anchor signed itself", func(w *world) { w.anchors = anchors{w.signer.cert} }, passed, nil},
		{"CA is the anchor", func(w *world) { w.anchors = anchors{w.ca.cert}; w.checker.answers["ca"] = nil }, passed, nil},
		{"nobody trusted", func(w *world) { w.anchors = nil }, indeterminate(NoCertificateChainFound), []ades.Code{CodeNoChain}},
		{"anchor withdrawn", func(w *world) { w.engine.Anchors = &withdrawn{w.anchors, signed} },
			indeterminate(NoCertificateChainFound), []ades.Code{CodeAnchorWithdrawn}},
		{"no CA", func(w *world) {
			w.ca = w.issue("ca", w.root, until(farther))
			w.signer = w.issue("signer", w.ca)
			w.anchors = anchors{w.ca.cert}
		}, indeterminate(ChainConstraintsFailure), []ades.Code{CodeChainConstraint}},
		{"key usage", func(w *world) { w.signer = w.issue("signer", w.ca, forStamps) }, passed, []ades.Code{CodeKeyUsage}},
		{"revoked", func(w *world) { w.revoked(w.signer, later, now) }, indeterminate(RevokedNoPOE), []ades.Code{CodeRevoked}},
		{"revoked, then good again", func(w *world) { w.revoked(w.signer, later, later) }, indeterminate(RevokedNoPOE), []ades.Code{CodeRevoked}},
		{"revoked after the validation time", func(w *world) { w.revoked(w.signer, now.Add(time.Hour), now.Add(time.Hour)) }, passed, nil},
		{"CA revoked", func(w *world) { w.revoked(w.ca, later, now) }, indeterminate(RevokedCANoPOE), []ades.Code{CodeCARevoked}},
		{"on hold", func(w *world) {
			w.checker.answers["signer"] = nil
			w.answer(w.signer, revocation.Answer{Status: revocation.Revoked, Reason: 6, RevokedAt: later, ThisUpdate: now})
		}, indeterminate(TryLater), []ades.Code{CodeOnHold}},
		{"released from hold", func(w *world) {
			w.answer(w.signer, revocation.Answer{Status: revocation.Revoked, Reason: 6, RevokedAt: signed, ThisUpdate: later})
		}, passed, nil},
		{"expired", func(w *world) {
			w.signer = w.issue("signer", w.ca, until(expiry))
			w.checker.answers["signer"] = nil
		}, indeterminate(OutOfBoundsNoPOE), []ades.Code{CodeExpired, CodeRevocationDown}},
		{"expired, known not revoked", func(w *world) {
			w.signer = w.issue("signer", w.ca, until(expiry))
			w.checker.answers["signer"] = nil
			w.good(w.signer, later)
		}, indeterminate(OutOfBoundsNotRevoked), []ades.Code{CodeExpired}},
		{"expired, answer of after that", func(w *world) {
			w.signer = w.issue("signer", w.ca, until(expiry))
		}, indeterminate(OutOfBoundsNoPOE), []ades.Code{CodeExpired, CodeRevocationUnused}},
		{"not valid yet", func(w *world) {
			w.signer = w.issue("signer", w.ca, from(now.Add(time.Hour)))
		}, failed(NotYetValid), []ades.Code{CodeBeforeCertificate}},
		{"CA expired", func(w *world) {
			w.ca = w.issue("ca", w.root, asCA, until(expiry))
			w.signer = w.issue("signer", w.ca)
		}, indeterminate(OutOfBoundsNoPOE), []ades.Code{CodeCANotValid}},
		{"services down", func(w *world) {
			w.checker.answers["signer"] = nil
			w.checker.problems = []revocation.Problem{{Kind: "OCSP", URL: "http://ocsp.example/", Origin: revocation.Fetched, Err: errors.New("timeout")}}
		}, indeterminate(TryLater), []ades.Code{CodeRevocationDown}},
		{"offline", func(w *world) {
			w.checker.answers["signer"] = nil
			w.engine.Offline = true
		}, indeterminate(TryLater), []ades.Code{CodeRevocationOffline}},
		{"nobody to ask", func(w *world) { w.engine.Checker = nil }, indeterminate(TryLater), []ades.Code{CodeRevocationOffline}},
		{"old answer", func(w *world) {
			w.checker.answers["signer"] = nil
			w.good(w.signer, later)
		}, indeterminate(TryLater), []ades.Code{CodeRevocationOld}},
		{"unknown to the service", func(w *world) {
			w.checker.answers["signer"] = nil
			w.answer(w.signer, revocation.Answer{Status: revocation.Unknown, ThisUpdate: now})
		}, indeterminate(TryLater), []ades.Code{CodeRevocationUnknown}},
		{"answer older than the certificate", func(w *world) {
			w.checker.answers["signer"] = nil
			w.good(w.signer, birth.Add(-time.Hour))
		}, indeterminate(TryLater), []ades.Code{CodeRevocationUnused}},
		{"responder not asked about", func(w *world) {
			w.checker.answers["signer"] = nil
			w.answer(w.signer, revocation.Answer{Status: revocation.Good, ThisUpdate: now, Signer: w.issue("responder", w.ca).cert})
		}, indeterminate(TryLater), []ades.Code{CodeResponderUnproven}},
		{"responder nobody could be asked about", func(w *world) {
			w.checker.answers["signer"] = nil
			silent := func(c *x509.Certificate) { c.OCSPServer = nil }
			w.answer(w.signer, revocation.Answer{Status: revocation.Good, ThisUpdate: now, Signer: w.issue("responder", w.ca, silent).cert})
		}, passed, []ades.Code{CodeResponderUnproven}},
		{"responder revoked", func(w *world) {
			w.checker.answers["signer"] = nil
			responder := w.issue("responder", w.ca)
			w.revoked(responder, later, now)
			w.answer(w.signer, revocation.Answer{Status: revocation.Good, ThisUpdate: now, Signer: responder.cert})
		}, indeterminate(TryLater), []ades.Code{CodeRevocationUnused}},
		{"responder expired when it answered", func(w *world) {
			w.checker.answers["signer"] = nil
			w.answer(w.signer, revocation.Answer{Status: revocation.Good, ThisUpdate: now, NoCheck: true, Signer: w.issue("responder", w.ca, until(later)).cert})
		}, indeterminate(TryLater), []ades.Code{CodeRevocationUnused}},
		{"weak answer", func(w *world) {
			w.checker.answers["signer"] = nil
			w.answer(w.signer, revocation.Answer{Status: revocation.Good, ThisUpdate: now, Algorithm: sigalg.Algorithm{Scheme: sigalg.ECDSA, Hash: crypto.SHA1}})
		}, indeterminate(CryptoConstraintsFailureNoPOE), []ades.Code{CodeWeakRevocation}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.signer = w.issue("signer", w.ca)
			w.good(w.signer, now)
			w.good(w.ca, now)
			test.change(w)
			w.expect(w.validate(w.sign(w.signer)), test.want, test.codes...)
		})
	}
}
