package pades

import (
	"crypto/x509"
	"slices"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/ber"
	"github.com/eidkit/eidkit/internal/certs"
	"github.com/eidkit/eidkit/internal/pdf"
)

// Limits of the document security store.
const (
	maxObjects = 4000
	maxVRI     = 4000
)

// store is the document security store as one revision has it. EN 319 142-1,
// section 5.4.2.
type store struct {
	revision                  int
	certificates, crls, ocsps [][]byte
	unreadable                int
	named                     []ades.Digest // see digests
}

// readStores reads the store of every revision that has another one than the
// revision before: what an earlier one held may be gone later.
func (d *document) readStores() []store {
	var stores []store
	var before *pdf.View
	cache := map[uint32]cached{}
	for rev := range d.pdf.Revisions() {
		v := d.pdf.At(rev)
		o, ok := v.Catalog()["DSS"]
		if !ok {
			before = nil
			continue
		}
		if before != nil && d.sameStore(before, v, o) {
			before = v
			continue
		}
		before = v
		s := store{revision: rev}
		d.readStore(v, v.Dict(o), &s, cache)
		stores = append(stores, s)
	}
	return stores
}

// sameStore tells whether a store and its lists are the same objects at the
// same places in both views, so that it need not be read again.
func (d *document) sameStore(before, v *pdf.View, o pdf.Object) bool {
	r, ok := o.(pdf.Ref)
	if !ok || before.Catalog()["DSS"] != o || !before.Same(v, r.Num) {
		return false
	}
	same := true
	pdf.Children(v.Dict(r), func(_ pdf.Name, child pdf.Ref) { same = same && before.Same(v, child.Num) })
	return same
}

// cached is what a stream of a store held in an earlier revision.
type cached struct {
	view *pdf.View
	raw  []byte
}

// object reads one stream of a store; nil if it cannot be read.
func (d *document) object(v *pdf.View, o pdf.Object, cache map[uint32]cached) []byte {
	r, isRef := o.(pdf.Ref)
	if have, ok := cache[r.Num]; ok && isRef && have.view.Same(v, r.Num) {
		return have.raw
	}
	stream := v.Stream(o)
	if stream == nil {
		return nil
	}
	raw, err := d.pdf.Decode(v, stream)
	if err != nil {
		return nil
	}
	raw = element(raw)
	if isRef {
		cache[r.Num] = cached{v, raw}
	}
	return raw
}

func (d *document) readStore(v *pdf.View, dss pdf.Dict, s *store, cache map[uint32]cached) {
	seen := map[uint32]bool{}
	add := func(list *[][]byte, o pdf.Object) {
		for _, e := range v.Array(o) {
			if r, ok := e.(pdf.Ref); ok {
				if seen[r.Num] {
					continue
				}
				seen[r.Num] = true
			}
			raw := d.object(v, e, cache)
			if raw == nil || len(*list) >= maxObjects {
				s.unreadable++
				continue
			}
			*list = append(*list, raw)
		}
	}
	add(&s.certificates, dss["Certs"])
	add(&s.crls, dss["CRLs"])
	add(&s.ocsps, dss["OCSPs"])
	n := 0
	for _, entry := range v.Dict(dss["VRI"]) {
		if n++; n > maxVRI {
			break
		}
		vri := v.Dict(entry)
		add(&s.certificates, vri["Cert"])
		add(&s.crls, vri["CRL"])
		add(&s.ocsps, vri["OCSP"])
	}
	for _, list := range []*[][]byte{&s.certificates, &s.crls, &s.ocsps} {
		*list = unique(*list)
	}
}

// digests name the objects of the store. Time stamps ask for them.
func (s *store) digests() []ades.Digest {
	if s.named != nil {
		return s.named
	}
	for _, list := range [][][]byte{s.certificates, s.crls, s.ocsps} {
		for _, raw := range list {
			s.named = append(s.named, ades.ObjectDigest(raw))
		}
	}
	for _, raw := range s.ocsps {
		if basic := ades.BasicOCSP(raw); basic != nil {
			s.named = append(s.named, ades.ObjectDigest(basic))
		}
	}
	return s.named
}

// element cuts off what stands behind the DER value, such as a line end.
func element(raw []byte) []byte {
	if e, err := ber.ParsePrefix(raw); err == nil {
		return e.Raw
	}
	return raw
}

// validationData is what all stores of the file hold together.
type validationData struct {
	certificates []*x509.Certificate
	crls, ocsps  [][]byte
	unreadable   int
}

// together merges the stores.
func (d *document) together() validationData {
	var all validationData
	var raw [][]byte
	for _, s := range d.stores {
		raw = append(raw, s.certificates...)
		all.crls = append(all.crls, s.crls...)
		all.ocsps = append(all.ocsps, s.ocsps...)
		all.unreadable += s.unreadable
	}
	all.crls, all.ocsps = unique(all.crls), unique(all.ocsps)
	for _, der := range unique(raw) {
		c, _, err := certs.Parse(der)
		if err != nil {
			all.unreadable++
			continue
		}
		all.certificates = append(all.certificates, c)
	}
	return all
}

// addValidationData gives a signature all that the stores of the file hold.
func (d *document) addValidationData(s *signature, all validationData) {
	sig := s.sig
	have := map[string]bool{}
	for _, c := range sig.Certificates {
		have[string(c.Raw)] = true
	}
	for _, raw := range slices.Concat(sig.CRLs, sig.OCSPs) {
		have[string(raw)] = true
	}
	sig.Certificates, sig.CRLs, sig.OCSPs = slices.Clip(sig.Certificates), slices.Clip(sig.CRLs), slices.Clip(sig.OCSPs)
	for _, c := range all.certificates {
		if !have[string(c.Raw)] {
			sig.Certificates = append(sig.Certificates, c)
		}
	}
	for _, add := range []struct {
		from [][]byte
		to   *[][]byte
	}{{all.crls, &sig.CRLs}, {all.ocsps, &sig.OCSPs}} {
		for _, raw := range add.from {
			if !have[string(raw)] {
				*add.to = append(*add.to, raw)
			}
		}
	}
	if all.unreadable > 0 {
		d.note(s, ades.BadCertificate, "DSS", "objects in the document security store cannot be read")
	}
}
