package validation

import (
	"crypto"
	"crypto/x509"
	"time"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/certs"
	"github.com/eidkit/eidkit/internal/policy"
	"github.com/eidkit/eidkit/internal/revocation"
	"github.com/eidkit/eidkit/internal/sigalg"
)

// weaknesses are the digest and the key of a signature algorithm, as far as
// the policy does not hold them for reliable at the given time.
func (r *run) weaknesses(a sigalg.Algorithm, key crypto.PublicKey, at time.Time) []policy.Weakness {
	var list []policy.Weakness
	for _, h := range []crypto.Hash{a.Hash, a.MGFHash} {
		if h == 0 || h == a.Hash && len(list) > 0 {
			continue
		}
		if w, weak := r.Policy.Digest(h, at); weak {
			list = append(list, w)
		}
	}
	if w, weak := r.Policy.Key(a.Scheme, key, at); weak {
		list = append(list, w)
	}
	return list
}

// weakness makes a finding; it fails only if both the constraint and the
// algorithm's own level say so.
func (r *run) weakness(code ades.Code, object string, w policy.Weakness) finding {
	detail := w.Name + " is not known to the policy"
	if !w.Until.IsZero() {
		detail = w.Name + " was reliable until " + w.Until.Format(time.DateOnly)
	}
	f := r.find(code, object, detail)
	if w.Level == policy.Warn && f.level == policy.Fail {
		f.level = policy.Warn
	}
	return f
}

// weakCertificate applies the cryptographic constraints to a certificate of a
// chain and to what is known about its revocation, at a time.
func (r *run) weakCertificate(s *status, at time.Time) findings {
	var l findings
	for _, w := range r.certificateWeaknesses(s, at) {
		l.add(r.weakness(CodeWeakCertificate, subject(s.Certificate), w))
	}
	for _, w := range r.answerWeaknesses(s, s.used(), at) {
		l.add(r.weakness(CodeWeakRevocation, subject(s.Certificate), w))
	}
	return l
}

func (r *run) certificateWeaknesses(s *status, at time.Time) []policy.Weakness {
	return r.issuedWeaknesses(s.Certificate, s.issuer, at)
}

// issuedWeaknesses are those of the signature on a certificate.
func (r *run) issuedWeaknesses(c, issuer *x509.Certificate, at time.Time) []policy.Weakness {
	alg, err := certs.SignatureAlgorithm(c)
	if err != nil {
		return []policy.Weakness{{Name: "signature algorithm", Level: policy.Fail}}
	}
	return r.weaknesses(alg, issuer.PublicKey, at)
}

// answerWeaknesses are those of an answer and of the certificates from its
// signer up to the issuer or anchor.
func (r *run) answerWeaknesses(s *status, a *revocation.Answer, at time.Time) []policy.Weakness {
	if a == nil || a.Signer == nil {
		return nil
	}
	var list []policy.Weakness
	if a.Algorithm != (sigalg.Algorithm{}) {
		list = r.weaknesses(a.Algorithm, a.Signer.PublicKey, at)
	}
	p := r.signerPath(s, *a)
	for i := range max(len(p)-1, 0) {
		list = append(list, r.issuedWeaknesses(p[i], p[i+1], at)...)
	}
	return list
}

// weakToken applies the cryptographic constraints to a signature, at a time:
// its algorithm and key, the digests of what it covers, and that of the
// reference to its certificate (section 5.2.8.4.3).
func (r *run) weakToken(t *token, at time.Time) findings {
	var l findings
	code := CodeWeakAlgorithm
	if t.purpose == forTimestamp {
		code = CodeWeakImprint
	}
	if t.sig.AlgorithmError == nil && t.signer != nil {
		for _, w := range r.weaknesses(t.sig.Algorithm, t.signer.PublicKey, at) {
			l.add(r.weakness(code, "", w))
		}
	}
	seen := map[crypto.Hash]bool{0: true, t.sig.Algorithm.Hash: true}
	digest := func(h crypto.Hash, code ades.Code, object string) {
		if seen[h] {
			return
		}
		seen[h] = true
		if w, weak := r.Policy.Digest(h, at); weak {
			l.add(r.weakness(code, object, w))
		}
	}
	for _, ref := range t.sig.References {
		digest(ref.Hash, code, referenceName(ref))
	}
	if t.stamp != nil {
		digest(t.stamp.Hash, code, "")
		for _, ref := range t.stamp.References { // as in the manifest of a container
			digest(ref.Hash, code, referenceName(ref))
		}
	}
	for _, ref := range t.sig.CertRefs {
		digest(ref.Hash, CodeWeakReference, "")
	}
	return l
}
