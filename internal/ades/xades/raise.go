package xades

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/xmldsig"
)

// Raise brings signatures of a document to r.Level: all that are no counter-signatures, or those that r.IDs names. resolve finds what
// references name outside the document; nil if there is nothing such. Bytes that a signature or time stamp is over stay as they are.
// Errors: ades.ErrNoSignature, ades.ErrUnsuitable, ades.ErrBroken, those of r's functions and of ctx.
func Raise(ctx context.Context, doc []byte, resolve Resolver, r ades.Raising) ([]byte, error) {
	if r.Hash == 0 {
		r.Hash = crypto.SHA256
	}
	if !r.Hash.Available() {
		return nil, fmt.Errorf("%w: digest %v is not known", ades.ErrUnsuitable, r.Hash)
	}
	e := &raising{Raising: r, ctx: ctx, resolve: resolve, raw: doc}
	if err := e.read(); err != nil {
		return nil, err
	}
	before := e.reading
	if err := e.choose(); err != nil {
		return nil, err
	}
	if len(e.chosen) == 0 {
		return doc, nil
	}
	for _, round := range []struct {
		level ades.Level
		work  func() error
	}{{ades.LevelT, e.signatureStamps}, {ades.LevelLT, e.evidence}, {ades.LevelLTA, e.archiveStamps}} {
		if r.Level >= round.level {
			if err := round.work(); err != nil {
				return nil, err
			}
		}
	}
	if err := before.keptIn(e.reading); err != nil {
		return nil, err
	}
	if err := e.stampsFit(); err != nil {
		return nil, err
	}
	return e.raw, nil
}

// raising is the work on one document. Each round reads it, works on all signatures and writes it once.
type raising struct {
	ades.Raising
	ctx     context.Context
	resolve Resolver
	raw     []byte
	*reading
	// chosen are the signatures to raise, by their places among all of the document, which stay the same.
	chosen map[int]bool
	tokens []ades.Digest // time stamps made
}

// read reads the document as it is by now. The digests of files are kept from one time to the next.
func (e *raising) read() error {
	doc, err := parse(e.raw)
	if err != nil {
		return err
	}
	var o Options
	if e.reading != nil {
		o.known = e.outside
	}
	e.reading, err = readParsed(e.ctx, doc, e.resolve, o)
	return err
}

// each calls f for the signatures to raise, and makes the changes that it returns.
func (e *raising) each(f func(*signature) ([]xmldsig.Edit, error)) error {
	var edits []xmldsig.Edit
	for i, s := range e.inOrder() {
		if s == nil || !e.chosen[i] {
			continue
		}
		more, err := f(s)
		if err != nil {
			return fmt.Errorf("signature %.200q: %w", s.out.ID, err)
		}
		edits = append(edits, more...)
	}
	if len(edits) == 0 {
		return nil
	}
	var err error
	if e.raw, err = e.doc.Splice(e.raw, edits...); err != nil {
		return fmt.Errorf("changing the document: %w", err)
	}
	return e.read()
}

// inOrder are the signatures in document order, nil for one that could not be read.
func (e *raising) inOrder() []*signature {
	byNode := map[*xmldsig.Node]*signature{}
	for s := range e.all() {
		byNode[s.dsig.Node] = s
	}
	nodes := e.doc.Signatures()
	list := make([]*signature, len(nodes))
	for i, n := range nodes {
		list[i] = byNode[n]
	}
	return list
}

// choose says which signatures are raised, and fails if one of them cannot be.
func (e *raising) choose() error {
	e.chosen = map[int]bool{}
	missing := slices.Clone(e.IDs)
	for i, s := range e.inOrder() {
		if s == nil || len(e.IDs) == 0 && s.parent != nil || len(e.IDs) > 0 && !slices.Contains(e.IDs, s.out.ID) {
			continue
		}
		missing = slices.DeleteFunc(missing, func(id string) bool { return id == s.out.ID })
		if e.has(s) {
			continue
		}
		if err := s.raisable(); err != nil {
			return err
		}
		e.chosen[i] = true
	}
	if len(missing) > 0 {
		return fmt.Errorf("%w: there is no signature %.200q", ades.ErrUnsuitable, missing[0])
	}
	if e.Level >= ades.LevelT && e.Stamp == nil || e.Level >= ades.LevelLT && e.Evidence == nil {
		return fmt.Errorf("raising to %v: %w: no source of time stamps or of evidence", e.Level, errors.ErrUnsupported)
	}
	return nil
}

// has tells whether a signature is at the level already. From LT on that is for those to say who give the evidence: that there are elements
// for it tells nothing.
func (e *raising) has(s *signature) bool {
	return e.Level == ades.LevelB || e.Level == ades.LevelT && s.stamped()
}

// stamped tells whether there is a time stamp over the value, and it fits.
func (s *signature) stamped() bool {
	return slices.ContainsFunc(s.out.Timestamps, func(ts ades.Timestamp) bool { return ts.Kind == ades.SignatureTS && ts.Intact })
}

// raisable says why a signature cannot be raised, nil if it can.
func (s *signature) raisable() error {
	switch {
	case s.dsig.ValueNode == nil || s.dsig.SignedInfo == nil:
		return fmt.Errorf("%w: signature %.200q is incomplete", ades.ErrUnsuitable, s.out.ID)
	case s.signed == nil:
		return fmt.Errorf("%w: signature %.200q is a plain XML signature, without the properties of XAdES: it has no place for time stamps", ades.ErrUnsuitable, s.out.ID)
	case s.qualifying.Space() != namespace132:
		return fmt.Errorf("%w: signature %.200q is XAdES %s, and only 1.3.2 and later can be raised", ades.ErrUnsuitable, s.out.ID, versions[s.qualifying.Space()])
	}
	if err := s.sound(); err != nil {
		return err
	}
	return s.growing()
}

// signatureStamps adds a SignatureTimeStamp where there is none. EN 319 132-1, 5.3.
func (e *raising) signatureStamps() error {
	taken := map[string]bool{}
	return e.each(func(s *signature) ([]xmldsig.Edit, error) {
		if s.stamped() {
			return nil, nil
		}
		method, _ := xmldsig.MethodByURI(exclusive)
		digest, err := s.hash(e.Hash, func(w io.Writer) error {
			return s.processor.Canonicalize(e.ctx, w, s.dsig.ValueNode, method)
		})
		if err != nil {
			return nil, err
		}
		token, err := e.stamp(digest)
		if err != nil {
			return nil, err
		}
		w := &writer{}
		s.startStamp(w, "xades:SignatureTimeStamp", s.stampID("signature-stamp", taken))
		w.base64("xades:EncapsulatedTimeStamp", token)
		w.end(1)
		return []xmldsig.Edit{s.addUnsigned(string(w.buf))}, w.err
	})
}

// startStamp begins a property with a time stamp.
func (s *signature) startStamp(w *writer, name, id string) {
	names := []string{"ds", "xades"}
	if strings.HasPrefix(name, "xades141:") {
		names = append(names, "xades141")
	}
	w.start(name, append(declare(s.around(), names...), "Id", id)...)
	w.empty("ds:CanonicalizationMethod", "Algorithm", exclusive)
}

// around is the innermost element there is by now around unsigned properties.
func (s *signature) around() *xmldsig.Node {
	if s.unsigned != nil {
		return s.unsigned
	}
	return s.qualifying
}

// stampID chooses the Id of a new property.
func (s *signature) stampID(kind string, taken map[string]bool) string {
	base := s.out.ID
	if !isNCName(base) {
		base = "signature"
	}
	return free(s.doc, base+"-"+kind, taken)
}

func (e *raising) stamp(digest []byte) ([]byte, error) {
	token, err := e.Stamp(e.ctx, e.Hash, digest)
	if err == nil {
		e.tokens = append(e.tokens, ades.ObjectDigest(token))
	}
	return token, err
}

// archiveStamps adds an ArchiveTimeStamp. Its element comes first, empty, so that what is before it and what is not is as it will be.
// EN 319 132-1, 5.5.2.
func (e *raising) archiveStamps() error {
	taken, ids := map[string]bool{}, map[string]string{}
	key := func(s *signature) string { return fmt.Sprint(slices.Index(e.doc.Signatures(), s.dsig.Node)) }
	err := e.each(func(s *signature) ([]xmldsig.Edit, error) {
		w := &writer{}
		id := s.stampID("archive-stamp", taken)
		ids[key(s)] = id
		s.startStamp(w, "xades141:ArchiveTimeStamp", id)
		w.start("xades:EncapsulatedTimeStamp")
		w.end(2)
		return []xmldsig.Edit{s.addUnsigned(string(w.buf))}, w.err
	})
	if err != nil {
		return err
	}
	return e.each(func(s *signature) ([]xmldsig.Edit, error) {
		property, err := s.doc.ByID(ids[key(s)])
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ades.ErrUnsuitable, err)
		}
		method, err := stampMethod(property)
		if err != nil {
			return nil, err
		}
		digest, err := s.imprint(property, ades.ArchiveTS, e.Hash, method)
		if errors.Is(err, xmldsig.ErrNotFound) {
			return nil, fmt.Errorf("%w: an archive time stamp is over everything that is signed, and that is not all here: %w", ades.ErrUnsuitable, err)
		} else if err != nil {
			return nil, fmt.Errorf("hashing for the archive time stamp: %w", err)
		}
		token, err := e.stamp(digest)
		if err != nil {
			return nil, err
		}
		w := &writer{}
		w.base64("x", token)
		text := strings.TrimSuffix(strings.TrimPrefix(string(w.buf), "<x>"), "</x>")
		return []xmldsig.Edit{s.doc.Append(child(property, "EncapsulatedTimeStamp"), text)}, nil
	})
}

// stampsFit makes sure that the time stamps made are read as fitting.
func (e *raising) stampsFit() error {
	intact := map[ades.Digest]bool{}
	for s := range e.all() {
		for i := range s.out.Timestamps {
			if ts := &s.out.Timestamps[i]; ts.Intact {
				intact[ades.ObjectDigest(ts.Raw)] = true
			}
		}
	}
	for _, token := range e.tokens {
		if !intact[token] {
			return fmt.Errorf("%w: a time stamp that was got is not over what was to be stamped", ades.ErrValue)
		}
	}
	return nil
}
