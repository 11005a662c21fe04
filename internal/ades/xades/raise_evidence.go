package xades

import (
	"crypto/x509"
	"fmt"
	"time"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/certs"
	"github.com/eidkit/eidkit/internal/xmldsig"
)

// evidence adds what proves the signer's certificate, as CertificateValues and RevocationValues, and what proves those of time stamps and
// counter-signatures besides, as TimeStampValidationData. EN 319 132-1, 5.4 and 5.5.1.
func (e *raising) evidence() error {
	return e.each(func(s *signature) ([]xmldsig.Edit, error) {
		if s.out.Signer == nil {
			return nil, fmt.Errorf("%w: the signer's certificate is not in the signature", ades.ErrUnsuitable)
		}
		pool, have := s.embedded()
		earliest, stampers, stamp := s.stampers()
		own, err := e.Evidence(e.ctx, []ades.Need{{Certificate: s.out.Signer, At: earliest}}, pool, have.Values)
		if err != nil {
			return nil, err
		}
		own = have.add(own)
		pool = append(pool, parsed(own.Certificates)...)
		more := ades.Values{}
		if len(stampers) > 0 {
			if more, err = e.Evidence(e.ctx, stampers, pool, have.Values); err != nil {
				return nil, err
			}
			more = have.add(more)
		}
		others, err := e.counterEvidence(s, pool, have)
		if err != nil {
			return nil, err
		}
		if len(others.Certificates)+len(others.CRLs)+len(others.OCSPs) > 0 {
			more, stamp = joinValues(more, others), "" // no longer of one time stamp
		}
		w := &writer{}
		s.writeEvidence(w, own, more, stamp)
		if len(w.buf) == 0 {
			return nil, nil
		}
		return []xmldsig.Edit{s.addUnsigned(string(w.buf))}, w.err
	})
}

// stampers are who made the time stamps of a signature that fit, with the earliest time that one shows the signature to have been there,
// and the Id of the property if there is but one time stamp.
func (s *signature) stampers() (earliest time.Time, needs []ades.Need, id string) {
	for i := range s.out.Timestamps {
		ts := &s.out.Timestamps[i]
		if !ts.Intact || ts.Token == nil || ts.Token.Signer == nil {
			continue
		}
		if ts.Kind != ades.ContentTS && (earliest.IsZero() || ts.GenTime.Before(earliest)) {
			earliest = ts.GenTime
		}
		needs = append(needs, ades.Need{Certificate: ts.Token.Signer, At: ts.GenTime})
		id = ts.ID
	}
	if len(needs) != 1 || !s.doc.HasID(id) {
		id = ""
	}
	return earliest, needs, id
}

// counterEvidence is what proves the counter-signatures, before an archive time stamp closes over them. What others added must not be in
// the way: they are proven if that can be done.
func (e *raising) counterEvidence(s *signature, pool []*x509.Certificate, have *collected) (all ades.Values, err error) {
	for _, counter := range s.counters {
		theirs, values := counter.embedded()
		have.add(values.Values)
		pool := append(pool[:len(pool):len(pool)], theirs...)
		if counter.out.Signer != nil {
			at, needs, _ := counter.stampers()
			if at.IsZero() {
				at = s.archivedAt(counter.dsig.Node)
			}
			more, err := e.Evidence(e.ctx, append(needs, ades.Need{Certificate: counter.out.Signer, At: at}), pool, have.Values)
			if err := e.ctx.Err(); err != nil {
				return all, err
			}
			if err == nil {
				all = joinValues(all, have.add(more))
			}
		}
		inner, err := e.counterEvidence(counter, pool, have)
		if err != nil {
			return all, err
		}
		all = joinValues(all, inner)
	}
	return all, nil
}

// archivedAt is the earliest time of an archive time stamp behind n, and so over it; zero if there is none.
func (s *signature) archivedAt(n *xmldsig.Node) (at time.Time) {
	for i := range s.out.Timestamps {
		ts := &s.out.Timestamps[i]
		if ts.Kind != ades.ArchiveTS || !ts.Intact || !at.IsZero() && !ts.GenTime.Before(at) {
			continue
		}
		if property, err := s.doc.ByID(ts.ID); err == nil && n.Before(property) {
			at = ts.GenTime
		}
	}
	return at
}

func joinValues(a, b ades.Values) ades.Values {
	return ades.Values{Certificates: append(a.Certificates, b.Certificates...), CRLs: append(a.CRLs, b.CRLs...), OCSPs: append(a.OCSPs, b.OCSPs...)}
}

// writeEvidence writes the properties. One that the signature has already is left as it is: what is new goes beside that of time stamps.
func (s *signature) writeEvidence(w *writer, own, more ades.Values, stamp string) {
	if child(s.unsigned, "CertificateValues") != nil {
		more.Certificates, own.Certificates, stamp = append(own.Certificates, more.Certificates...), nil, ""
	}
	if child(s.unsigned, "RevocationValues") != nil {
		more.CRLs, more.OCSPs = append(own.CRLs, more.CRLs...), append(own.OCSPs, more.OCSPs...)
		own.CRLs, own.OCSPs, stamp = nil, nil, ""
	}
	if len(more.Certificates)+len(more.CRLs)+len(more.OCSPs) > 0 {
		attrs := declare(s.around(), "xades", "xades141")
		if stamp != "" {
			attrs = append(attrs, "URI", "#"+stamp)
		}
		w.start("xades141:TimeStampValidationData", attrs...)
		w.certificates("xades:CertificateValues", more.Certificates)
		w.revocation("xades:RevocationValues", more)
		w.end(1)
	}
	attrs := declare(s.around(), "xades")
	w.certificates("xades:CertificateValues", own.Certificates, attrs...)
	w.revocation("xades:RevocationValues", own, attrs...)
}

// certificates writes CertificateValues, unless there are none.
func (w *writer) certificates(name string, list [][]byte, attrs ...string) {
	if len(list) == 0 {
		return
	}
	w.start(name, attrs...)
	for _, der := range list {
		w.base64("xades:EncapsulatedX509Certificate", der)
	}
	w.end(1)
}

// revocation writes RevocationValues, unless there are none.
func (w *writer) revocation(name string, v ades.Values, attrs ...string) {
	if len(v.CRLs)+len(v.OCSPs) == 0 {
		return
	}
	w.start(name, attrs...)
	for _, kind := range []struct {
		list, one string
		values    [][]byte
	}{{"xades:CRLValues", "xades:EncapsulatedCRLValue", v.CRLs}, {"xades:OCSPValues", "xades:EncapsulatedOCSPValue", v.OCSPs}} {
		if len(kind.values) == 0 {
			continue
		}
		w.start(kind.list)
		for _, der := range kind.values {
			w.base64(kind.one, der)
		}
		w.end(1)
	}
	w.end(1)
}

// collected are values with what is in them already.
type collected struct {
	ades.Values
	seen map[ades.Digest]bool
}

// add takes in what is new of v, and returns it.
func (c *collected) add(v ades.Values) (fresh ades.Values) {
	for _, kind := range []struct {
		from      [][]byte
		into, new *[][]byte
	}{{v.Certificates, &c.Certificates, &fresh.Certificates}, {v.CRLs, &c.CRLs, &fresh.CRLs}, {v.OCSPs, &c.OCSPs, &fresh.OCSPs}} {
		for _, der := range kind.from {
			if id := ades.ObjectDigest(der); !c.seen[id] {
				c.seen[id] = true
				*kind.into = append(*kind.into, der)
				*kind.new = append(*kind.new, der)
			}
		}
	}
	return fresh
}

// embedded is what came with the signature and its time stamps.
func (s *signature) embedded() (pool []*x509.Certificate, have *collected) {
	have = &collected{seen: map[ades.Digest]bool{}}
	take := func(o *ades.Signature) {
		v := ades.Values{CRLs: o.CRLs, OCSPs: o.OCSPs}
		for _, c := range o.Certificates {
			v.Certificates = append(v.Certificates, c.Raw)
		}
		pool = append(pool, o.Certificates...)
		have.add(v)
	}
	take(s.out)
	for i := range s.out.Timestamps {
		if t := s.out.Timestamps[i].Token; t != nil {
			take(t)
		}
	}
	return pool, have
}

// parsed are the certificates that can be read.
func parsed(list [][]byte) (out []*x509.Certificate) {
	for _, der := range list {
		if c, _, err := certs.Parse(der); err == nil {
			out = append(out, c)
		}
	}
	return out
}
