package pades

import (
	"context"
	"crypto"
	"crypto/x509"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/pdf"
)

// Raise brings the signatures of a PDF to a level and writes it (EN 319 142-1
// sections 5.4 and 6): a document time stamp for B-T where a signature has no
// time stamp, a document security store for B-LT, a document time stamp over all
// that for B-LTA. Signatures that have the level stay; one that has B-LTA gets
// the evidence for its time stamps and a further one. Each is a revision, and
// no byte before it changes. If nothing is missing the file is written as it is.
// Errors: ades.ErrNoSignature, ades.ErrBroken, ades.ErrUnsuitable, those of r;
// nothing is written then.
func Raise(ctx context.Context, in ades.File, r ades.Raising, w io.Writer) (Raised, error) {
	t := &target{base: in}
	level, err := t.raise(ctx, r)
	if err != nil {
		return Raised{}, err
	}
	_, err = t.WriteTo(w)
	return Raised{Level: level, Changed: len(t.added) > 0}, err
}

// Raised is what came of raising.
type Raised struct {
	// Level is the lowest that one of the chosen signatures has now: more than what was asked for if all had more.
	Level   ades.Level
	Changed bool // something was missing and is there now
}

// raise adds what is missing, revision by revision, and returns the lowest level
// that comes of it.
func (t *target) raise(ctx context.Context, r ades.Raising) (ades.Level, error) {
	d, list, err := t.chosen(ctx, r.IDs)
	if err != nil {
		return 0, err
	}
	level := ades.LevelLTA
	for _, s := range list {
		level = min(level, levelOf(s))
	}
	return max(level, r.Level), t.addMissing(ctx, d, list, r)
}

// addMissing is raise once the signatures are read.
func (t *target) addMissing(ctx context.Context, d *document, list []*ades.Signature, r ades.Raising) (err error) {
	lacks := func(level ades.Level) bool {
		return slices.ContainsFunc(list, func(s *ades.Signature) bool { return levelOf(s) < level })
	}
	if r.Level >= ades.LevelT && lacks(ades.LevelT) {
		if err := t.stamp(ctx, r.Stamp, r.Hash, true); err != nil {
			return err
		}
		if r.Level > ades.LevelT { // with the new time stamp
			if d, list, err = t.chosen(ctx, r.IDs); err != nil {
				return err
			}
		}
	}
	if r.Level == ades.LevelLTA || r.Level == ades.LevelLT && lacks(ades.LevelLT) {
		if err := t.addEvidence(ctx, d, list, r); err != nil {
			return err
		}
	}
	if r.Level == ades.LevelLTA {
		return t.stamp(ctx, r.Stamp, r.Hash, true)
	}
	return nil
}

// chosen reads the signatures of the names, or all of them. They must hold.
func (t *target) chosen(ctx context.Context, ids []string) (*document, []*ades.Signature, error) {
	d, err := open(ctx, t.input())
	if err != nil {
		return nil, nil, unsuitable(err)
	}
	list, err := d.read()
	if err != nil {
		return nil, nil, unsuitable(err)
	}
	for _, id := range ids {
		if !slices.ContainsFunc(list, func(s *ades.Signature) bool { return s.ID == id }) {
			return nil, nil, fmt.Errorf("%w: no signature %q", ades.ErrNoSignature, id)
		}
	}
	if len(ids) > 0 {
		list = slices.DeleteFunc(list, func(s *ades.Signature) bool { return !slices.Contains(ids, s.ID) })
	}
	for _, s := range list {
		if err := broken(s); err != nil {
			return nil, nil, err
		}
	}
	return d, list, nil
}

// levelOf is the level that a signature has by what is with it.
func levelOf(s *ades.Signature) ades.Level {
	if l, ok := ades.ParseLevel(s.Level); ok {
		return l
	}
	if s.Format == ades.DocTimestamp {
		return ades.LevelT
	}
	return ades.LevelB
}

// stamp adds a document time stamp: a signature field that is not seen, with a
// time stamp token over the whole file as its value. checked: the signatures
// are known to hold. ISO 32000-2 section 12.8.5.
func (t *target) stamp(ctx context.Context, stamp ades.Stamper, hash crypto.Hash, checked bool) error {
	if stamp == nil {
		return fmt.Errorf("%w: no time stamp authority", ades.ErrUnsuitable)
	}
	if hash == 0 {
		hash = crypto.SHA256
	}
	size := stampRoom
	for {
		next := t.clone()
		hole, err := next.addStampField(ctx, size, checked)
		if err != nil {
			return err
		}
		digest, err := next.digest(ctx, hole, hash)
		if err != nil {
			return err
		}
		token, err := stamp(ctx, hash, digest)
		if err != nil {
			return err
		}
		if next.fill(hole, token) {
			t.added = next.added
			return nil
		}
		if len(token) > maxToken || size > stampRoom {
			return refused("the time stamp of %d bytes does not fit", len(token))
		}
		size = len(token) + len(token)/2
	}
}

// maxToken bounds a time stamp token.
const maxToken = 1 << 20

// addStampField adds the revision for a document time stamp.
func (t *target) addStampField(ctx context.Context, room int, checked bool) (*hole, error) {
	d, u, err := t.update(ctx, checked)
	if err != nil {
		return nil, err
	}
	s, err := d.findSlot("", "Timestamp")
	if err != nil {
		return nil, err
	}
	s.page = 0
	byteRange, contents := rooms(t.size(), room)
	value := u.Add(pdf.Dict{
		"Type": pdf.Name("DocTimeStamp"), "Filter": pdf.Name(filterName), "SubFilter": pdf.Name(subFilterRFC3161),
		"ByteRange": byteRange, "Contents": contents,
	})
	if err := d.addField(u, s, value, d.nothing(u, s)); err != nil {
		return nil, err
	}
	first := len(d.pdf.Revisions())
	hole, err := t.add(u, byteRange, contents)
	if err != nil {
		return nil, err
	}
	return hole, t.checkAdded(d, first)
}

// addEvidence gathers what proves the signatures and their time stamps, and
// adds it to the document security store.
func (t *target) addEvidence(ctx context.Context, d *document, list []*ades.Signature, r ades.Raising) error {
	if r.Level == ades.LevelLT {
		list = slices.DeleteFunc(list, func(s *ades.Signature) bool { return levelOf(s) >= ades.LevelLT })
	}
	g := gathering{}
	for _, s := range list {
		if err := g.signature(s); err != nil {
			return err
		}
	}
	if r.Evidence == nil {
		return fmt.Errorf("%w: level %v needs evidence", ades.ErrUnsuitable, r.Level)
	}
	values, err := r.Evidence(ctx, g.needs, g.pool, g.have)
	if err != nil {
		return err
	}
	return t.addStore(d, list, g.without(values))
}

// gathering collects what has to be proven, and what is there to do it with.
type gathering struct {
	needs []ades.Need
	pool  []*x509.Certificate
	have  ades.Values
}

// signature adds a signature with its time stamps.
func (g *gathering) signature(s *ades.Signature) error {
	if s.Signer == nil {
		return refused("the certificate of the signer of %q is not there", s.ID)
	}
	g.found(s)
	var earliest time.Time
	for i := range s.Timestamps {
		ts := &s.Timestamps[i]
		if ts.Token == nil || !ts.Found || !ts.Intact {
			continue
		}
		g.found(ts.Token)
		if ts.Kind != ades.ContentTS && (earliest.IsZero() || ts.GenTime.Before(earliest)) {
			earliest = ts.GenTime
		}
		if ts.Token.Signer != nil {
			g.need(ts.Token.Signer, ts.GenTime)
		}
	}
	if earliest.IsZero() && s.Format == ades.DocTimestamp && s.SigningTime != nil {
		earliest = *s.SigningTime
	}
	g.need(s.Signer, earliest)
	return nil
}

// need adds a certificate; one that was used several times counts at the first.
func (g *gathering) need(c *x509.Certificate, at time.Time) {
	for i := range g.needs {
		if n := &g.needs[i]; n.Certificate.Equal(c) {
			if at.Before(n.At) {
				n.At = at
			}
			return
		}
	}
	g.needs = append(g.needs, ades.Need{Certificate: c, At: at})
}

// found adds what came with a signature or time stamp.
func (g *gathering) found(s *ades.Signature) {
	for _, c := range s.Certificates {
		if !slices.ContainsFunc(g.pool, c.Equal) {
			g.pool = append(g.pool, c)
			g.have.Certificates = append(g.have.Certificates, c.Raw)
		}
	}
	g.have.CRLs = unique(append(g.have.CRLs, s.CRLs...))
	g.have.OCSPs = unique(append(g.have.OCSPs, s.OCSPs...))
}

// without are the values that are not there already.
func (g *gathering) without(v ades.Values) ades.Values {
	fresh := func(list, have [][]byte) [][]byte {
		all := unique(slices.Concat(have, list))
		return all[len(have):]
	}
	return ades.Values{
		Certificates: fresh(v.Certificates, g.have.Certificates),
		CRLs:         fresh(v.CRLs, g.have.CRLs), OCSPs: fresh(v.OCSPs, g.have.OCSPs),
	}
}
