package cades

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"time"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/ber"
	"github.com/eidkit/eidkit/internal/cms"
)

// addEvidence adds what proves the certificates of the signature with that index, and of its time stamps.
func (w *raiser) addEvidence(i int) error {
	s, err := w.current(i)
	if err != nil {
		return err
	}
	have := collect(s.sig)
	values, err := w.r.Evidence(w.ctx, needs(s.sig, time.Time{}), have.pool, have.values)
	if err != nil {
		return err
	}
	// What others added must not be in the way: their signatures are proven if that can be done.
	for _, counter := range s.sig.CounterSignatures {
		list := needs(counter, earliest(s.sig, ades.ArchiveTS))
		if counter.Signer == nil {
			continue
		}
		more, err := w.r.Evidence(w.ctx, list, have.pool, join(have.values, values))
		if err := w.ctx.Err(); err != nil {
			return err
		}
		if err == nil {
			values = join(values, more)
		}
	}
	values = without(values, have.seen)
	if w.frozen {
		return w.intoToken(i, s, values)
	}
	w.intoFields(values)
	return nil
}

// intoFields puts evidence into the message, EN 319 122-1 sections 5.4.1 and 6.3.
func (w *raiser) intoFields(values ades.Values) {
	addValues(w.edit, values)
	for _, der := range values.Certificates {
		w.addCertificate(der)
	}
	for _, der := range values.CRLs {
		w.addCRL(der)
	}
	for _, der := range values.OCSPs {
		w.addOCSP(der)
	}
}

func addValues(e *cms.Edit, values ades.Values) {
	for _, der := range values.Certificates {
		e.AddCertificate(der)
	}
	for _, der := range values.CRLs {
		e.AddCRL(der)
	}
	for _, der := range values.OCSPs {
		e.AddOCSP(der)
	}
}

// intoToken puts evidence into the latest time stamp of the signature, which nothing covers. That is where it goes when an older archive time
// stamp is over the fields of the message: TS 101 733 section 6.4.3.
func (w *raiser) intoToken(i int, s *signer, values ades.Values) error {
	if len(values.Certificates)+len(values.CRLs)+len(values.OCSPs) == 0 {
		return nil
	}
	var latest *stamp
	for n := range s.stamps {
		st := &s.stamps[n]
		if st.at >= 0 && st.token != nil && st.version != "LTV" && (latest == nil || !st.token.Info.GenTime.Before(latest.token.Info.GenTime)) {
			latest = st
		}
	}
	if latest == nil {
		return fmt.Errorf("%w: an archive time stamp of another signature covers the certificates", ades.ErrUnsuitable)
	}
	token, err := tokenWith(w.ctx, latest.raw, func(e *cms.Edit, _ *cms.SignerInfo) error {
		addValues(e, values)
		return nil
	})
	if err != nil {
		return err
	}
	for n, value := range s.info.UnsignedAttrs[latest.at].Values {
		if bytes.HasPrefix(value, latest.raw) {
			raw, err := s.info.ReplaceUnsigned(latest.at, n, token)
			if err != nil {
				return err
			}
			w.edit.SetSigner(i, raw)
			return nil
		}
	}
	return fmt.Errorf("%w: time stamp not found again", ber.ErrMalformed)
}

// earliest is the time of the earliest good time stamp of those kinds, zero if there is none.
func earliest(sig *ades.Signature, kinds ...ades.TimestampKind) time.Time {
	var first time.Time
	for _, ts := range sig.Timestamps {
		for _, kind := range kinds {
			if ts.Kind == kind && ts.Intact && (first.IsZero() || ts.GenTime.Before(first)) {
				first = ts.GenTime
			}
		}
	}
	return first
}

// needs are the certificates that a signature and its time stamps depend on. covered is the time of a time stamp over all of it, zero
// if there is none.
func needs(sig *ades.Signature, covered time.Time) []ades.Need {
	at := earliest(sig, ades.SignatureTS, ades.SigAndRefs, ades.ArchiveTS)
	if at.IsZero() {
		at = covered
	}
	list := []ades.Need{{Certificate: sig.Signer, At: at}}
	for i := range sig.Timestamps {
		ts := &sig.Timestamps[i]
		if !ts.Intact || ts.Token == nil || ts.Token.Signer == nil {
			continue
		}
		proven := ts.GenTime
		for _, over := range sig.Timestamps {
			if over.Kind == ades.ArchiveTS && over.Intact && over.GenTime.After(ts.GenTime) && (proven.Equal(ts.GenTime) || over.GenTime.Before(proven)) {
				proven = over.GenTime
			}
		}
		list = append(list, ades.Need{Certificate: ts.Token.Signer, At: proven})
	}
	return list
}

// carrying is what a signature and all that hangs on it bring along.
type carrying struct {
	values ades.Values
	pool   []*x509.Certificate
	seen   map[ades.Digest]bool
}

func collect(sig *ades.Signature) *carrying {
	c := &carrying{seen: map[ades.Digest]bool{}}
	c.add(sig)
	return c
}

func (c *carrying) add(sig *ades.Signature) {
	keep := func(list *[][]byte, raw []byte) bool {
		d := ades.ObjectDigest(raw)
		if c.seen[d] {
			return false
		}
		c.seen[d] = true
		*list = append(*list, raw)
		return true
	}
	for _, cert := range sig.Certificates {
		if keep(&c.values.Certificates, cert.Raw) {
			c.pool = append(c.pool, cert)
		}
	}
	for _, raw := range sig.CRLs {
		keep(&c.values.CRLs, canonical(raw))
	}
	for _, raw := range sig.OCSPs {
		keep(&c.values.OCSPs, wholeOCSP(canonical(raw)))
	}
	for i := range sig.Timestamps {
		if token := sig.Timestamps[i].Token; token != nil {
			c.add(token)
		}
	}
	for _, counter := range sig.CounterSignatures {
		c.add(counter)
	}
}

// wholeOCSP puts a BasicOCSPResponse into an OCSPResponse, RFC 6960 section 4.2.1.
func wholeOCSP(raw []byte) []byte {
	if ades.BasicOCSP(raw) != nil {
		return raw
	}
	id := []byte{ber.TagOID, 9, 0x2B, 6, 1, 5, 5, 7, 0x30, 1, 1} // oidOCSPBasic
	inner := ber.AppendSequence(nil, id, ber.Append(nil, ber.Universal, false, ber.TagOctetString, raw))
	return ber.AppendSequence(nil, []byte{ber.TagEnumerated, 1, 0}, ber.Append(nil, ber.Context, true, 0, inner))
}

// without are the values that have not been seen.
func without(values ades.Values, seen map[ades.Digest]bool) ades.Values {
	unseen := func(list [][]byte) (kept [][]byte) {
		for _, raw := range list {
			if d := ades.ObjectDigest(raw); !seen[d] {
				kept = append(kept, raw)
			}
		}
		return kept
	}
	return ades.Values{Certificates: unseen(values.Certificates), CRLs: unseen(values.CRLs), OCSPs: unseen(values.OCSPs)}
}

func join(a, b ades.Values) ades.Values {
	merge := func(x, y [][]byte) [][]byte { return append(x[:len(x):len(x)], y...) }
	return ades.Values{Certificates: merge(a.Certificates, b.Certificates), CRLs: merge(a.CRLs, b.CRLs), OCSPs: merge(a.OCSPs, b.OCSPs)}
}
