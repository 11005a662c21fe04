// Package pades reads and makes the signatures of PDF files: PAdES and the older
// kinds, document time stamps, the validation data added later, and what later
// revisions of the file did to what was signed. It reads facts into the model of
// package ades.
//
// Read reads. Prepare adds a signature of which the value is missing, and
// Draft.Finish puts that in and raises it; Raise raises signatures that are there,
// of whatever maker, and Stamp adds a document time stamp.
//
// A signature covers the bytes that its ByteRange names. These must be the whole
// revision that it was made in, its own Contents apart; if not, that is a
// finding. What later revisions changed is listed with each signature, each
// change with whether DocMDP, FieldMDP and the rules of package pdfdiff allow it.
// What is made is judged by the same rules before it is handed over: nothing is
// added that an earlier signature forbids, and nothing behind one that is broken.
//
// Out of scope: usage rights signatures (UR3), which sign no document; making
// other signatures than PAdES; trust, time and policy, for package verify.
//
// References: ETSI EN 319 142-1 and -2, ISO 32000-1 and 32000-2 section 12.8.
package pades

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"slices"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/pdf"
	"github.com/eidkit/eidkit/internal/pdf/pdfdiff"
)

// Limits of one file.
const (
	maxSignatures = 1000
	maxStamps     = 200     // document time stamps
	maxListed     = 100_000 // changes, or time stamps, of all signatures together
)

// document is a PDF file while its signatures are read.
type document struct {
	ctx   context.Context
	pdf   *pdf.File
	last  *pdf.View
	pages []pdf.Page
	form  pdf.Form
	// signatures are all of them, document time stamps too, in the order of
	// what they cover.
	signatures []*signature
	stores     []store
	history    *pdfdiff.History
	prefixes   map[crypto.Hash]*prefix
	buffer     []byte
	annotPages map[uint32]int // widget to page index
	pageIndex  map[uint32]int // page object to page index
}

// Read reads the signatures of a PDF file, in the order in which they were
// made. Document time stamps belong to the signatures they come after; where
// there is no other signature the first of them stands for one, of format
// DocTimestamp, and the others are its time stamps. Errors: ades.ErrNoSignature,
// ades.ErrRefused, those of the file and of ctx.
func Read(ctx context.Context, in ades.Input) ([]*ades.Signature, error) {
	d, err := open(ctx, in)
	if err != nil {
		return nil, err
	}
	return d.read()
}

// open reads the structure of a PDF file and finds its signatures.
func open(ctx context.Context, in ades.Input) (*document, error) {
	if in.Data == nil {
		return nil, fmt.Errorf("%w: no file", ades.ErrRefused)
	}
	file, err := pdf.Open(in.Data, in.Size)
	if err != nil {
		if errors.Is(err, pdf.ErrBroken) || errors.Is(err, pdf.ErrEncrypted) {
			return nil, fmt.Errorf("%w: %w", ades.ErrRefused, err)
		}
		return nil, err
	}
	d := &document{ctx: ctx, pdf: file, last: file.Last(), prefixes: map[crypto.Hash]*prefix{}, buffer: make([]byte, min(1<<16, in.Size))}
	d.pages = d.last.Pages().Pages
	d.form = d.last.Form()
	d.form.AddUnlisted(d.last, d.pages)
	d.collect()
	return d, nil
}

// read reads the signatures that were found.
func (d *document) read() ([]*ades.Signature, error) {
	if len(d.signatures) == 0 {
		return nil, fmt.Errorf("%w: no signature field has a value", ades.ErrNoSignature)
	}
	d.stores = d.readStores()
	if err := d.readAll(); err != nil {
		return nil, err
	}
	return d.result()
}

// readAll reads each signature's bytes and judges its place in the file.
func (d *document) readAll() error {
	d.checkCollisions()
	var known [][]byte
	for _, s := range d.stores {
		known = append(known, s.certificates...)
	}
	known = unique(known)
	for _, s := range d.signatures {
		if err := d.ctx.Err(); err != nil {
			return err
		}
		if err := d.readValue(s, known); err != nil {
			return err
		}
	}
	return nil
}

// result puts the signatures together that the caller gets.
func (d *document) result() ([]*ades.Signature, error) {
	var signed, stamps []*signature
	unreadable := 0
	for _, s := range d.signatures {
		switch {
		case s.stamp != nil:
			stamps = append(stamps, s)
		case s.sig != nil:
			signed = append(signed, s)
			if s.unreadable {
				unreadable++
			}
		}
	}
	if len(signed) == unreadable && len(stamps) == 0 {
		return nil, fmt.Errorf("%w: %d signature fields, but no value that is a signature: %v", ades.ErrNoSignature, len(d.signatures), d.firstProblem())
	}
	if len(signed) == unreadable { // document time stamps alone
		first := stamps[0]
		first.sig = first.stamp.Token
		if first.sig == nil {
			first.sig = &ades.Signature{Findings: first.stamp.Findings}
		}
		d.describeStamp(first)
		signed = append(signed, first)
		stamps = stamps[1:]
	}
	d.compare(signed)
	all := d.together()
	for _, s := range signed {
		d.addValidationData(s, all)
	}
	d.attachStamps(signed, stamps, all)
	out := make([]*ades.Signature, 0, len(signed))
	ids := map[string]bool{}
	for _, s := range signed {
		if s.stamp == nil && !s.unreadable {
			s.sig.Level = d.level(s)
		}
		s.sig.ID = s.uniqueID(ids)
		out = append(out, s.sig)
	}
	return out, nil
}

func (d *document) firstProblem() error {
	for _, s := range d.signatures {
		if s.problem != nil {
			return s.problem
		}
	}
	return nil
}

// uniqueID is the field name, with a number if it is taken.
func (s *signature) uniqueID(taken map[string]bool) string {
	name := s.names[0]
	if name == "" {
		name = "signature"
	}
	id := name
	for n := 2; taken[id]; n++ {
		id = fmt.Sprintf("%s (%d)", name, n)
	}
	taken[id] = true
	return id
}

// unique leaves out what stands twice.
func unique(list [][]byte) [][]byte {
	seen := map[string]bool{}
	return slices.DeleteFunc(list, func(b []byte) bool {
		twice := seen[string(b)]
		seen[string(b)] = true
		return twice
	})
}
