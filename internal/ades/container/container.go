// Package container reads the signatures in ZIP containers: ASiC-S and ASiC-E
// with XAdES or CAdES and with time stamps, their forerunners (BDOC, ADOC,
// EDOC), OpenDocument and Office Open XML. It makes ASiC-E, and raises
// signatures in all of them but Office Open XML.
//
// Read gives them in the model of package ades. Beside what the readers of the
// formats find, it says which files of the container a signature covers and
// which it does not; for ASiC-E with CAdES and for time stamps it compares the
// files with the manifest that is signed, and time stamps over signatures are
// given to these. A container in a container is a plain file.
//
// Prepare and Draft.Finish make a container, or put a further signature into
// one: each has a file of its own in META-INF and covers all files outside it.
// Raise brings signatures to a higher level. What is there is copied: signed
// files keep every byte. An ASiC-E with CAdES gets its archive time stamp over
// an ASiCArchiveManifest, all others as CAdES and XAdES have it.
//
// Out of scope: trust, time and policy, for package verify; evidence records,
// which are named but not read; making ASiC-S; signing OpenDocument and Office.
//
// References: ETSI EN 319 162-1 and -2 (ASiC; section 5 and annex A for the
// levels), ETSI TS 102 918, OpenDocument
// 1.3 part 2 section 5, ECMA-376 part 2 section 13 and [MS-OFFCRYPTO] 2.5.2
// (Office).
package container

import (
	"context"
	"errors"
	"fmt"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/asic"
)

// Bounds. Hostile containers multiply: signatures by files, time stamps by
// signatures.
const (
	maxSignatureFile = 64 << 20 // bytes of a file with signatures, which is read into memory
	maxSignatures    = 1000
	maxUncovered     = 100 // files told of one signature
	maxOddities      = 50
	maxStamps        = 100 // of one signature
	maxCandidates    = 8   // manifests that name one signature
)

// Read reads all signatures of a container. The source has to stay open as
// long as the contents of references are wanted. Errors: ades.ErrNoSignature,
// ades.ErrRefused, those of the source and of ctx.
func Read(ctx context.Context, in ades.Input) ([]*ades.Signature, error) {
	r, err := readFile(ctx, in.File)
	if err != nil {
		return nil, err
	}
	if len(r.list) == 0 {
		return nil, fmt.Errorf("reading container: %w", ades.ErrNoSignature)
	}
	return r.list, nil
}

// readFile is Read, for a container with or without signatures.
func readFile(ctx context.Context, in ades.File) (*reading, error) {
	c, err := asic.Open(in.Data, in.Size)
	if err != nil {
		return nil, refused(err)
	}
	r := &reading{ctx: ctx, c: c, kind: c.Kind(in.Name), byFile: map[string][]*ades.Signature{}, ids: map[string]bool{}, own: map[*ades.Signature]string{}}
	switch r.kind {
	case asic.ASiCS, asic.ASiCE:
		if len(c.Entries) > asic.MaxASiCFiles {
			return nil, fmt.Errorf("%w: %d files in one container", ades.ErrRefused, len(c.Entries))
		}
		err = r.readASiC()
	case asic.ODF:
		err = r.readODF()
	case asic.OOXML:
		err = r.readOOXML()
	}
	switch {
	case err != nil:
		return nil, refused(err)
	case len(r.list) > maxSignatures:
		return nil, fmt.Errorf("%w: %d signatures", ades.ErrRefused, len(r.list))
	}
	r.finish()
	return r, nil
}

// refused turns what the container's reader says into the errors of package
// ades; trouble with the source stays what it is.
func refused(err error) error {
	for _, e := range []error{asic.ErrFormat, asic.ErrUnsafe, asic.ErrTooLarge, asic.ErrManifest} {
		if errors.Is(err, e) {
			return fmt.Errorf("%w: %w", ades.ErrRefused, err)
		}
	}
	return err
}

// reading is the reading of one container.
type reading struct {
	ctx    context.Context
	c      *asic.Container
	kind   asic.Kind
	list   []*ades.Signature
	byFile map[string][]*ades.Signature // top-level signatures by their file
	ids    map[string]bool
	own    map[*ades.Signature]string // identifiers within their files
	stamps []*stamp
	odd    []ades.Finding // about the container, for every signature

	links       map[*asic.Entry][]asic.Relationship
	canonicals  map[canonicalKey][]byte
	canonicized int64 // bytes
}

// add takes the signatures of one file into the list.
func (r *reading) add(e *asic.Entry, list []*ades.Signature) {
	if len(r.list) > maxSignatures {
		return // Read refuses it
	}
	r.byFile[e.Name] = append(r.byFile[e.Name], list...)
	r.list = append(r.list, list...)
	for _, s := range list {
		r.name(e, s)
	}
}

// name says where signatures stand and makes their identifiers unique: in
// each file of a container "S0" may occur.
func (r *reading) name(e *asic.Entry, s *ades.Signature) {
	s.Container, s.File = string(r.kind), e.Name
	r.own[s], s.ID = s.ID, r.unique(s.ID)
	r.ids[s.ID] = true
	for _, counter := range s.CounterSignatures {
		r.name(e, counter)
	}
}

// unique is id, with a number if another signature has it already.
func (r *reading) unique(id string) string {
	base := id
	for i := 2; r.ids[id]; i++ {
		id = fmt.Sprintf("%s (%d)", base, i)
	}
	return id
}

// finish adds what concerns all signatures.
func (r *reading) finish() {
	for _, o := range r.c.Oddities {
		r.note(ades.ContainerOddity, "", "%s", o)
	}
	for _, s := range r.list {
		s.Findings = append(s.Findings, r.odd...)
	}
}

// note adds a finding about the container.
func (r *reading) note(code ades.Code, object, format string, args ...any) {
	if code == ades.ContainerOddity && len(r.odd) >= maxOddities {
		return
	}
	r.odd = append(r.odd, ades.Finding{Code: code, Object: object, Detail: fmt.Sprintf(format, args...)})
}

// content is a file of the container as the readers want it.
func content(e *asic.Entry) ades.Content {
	return ades.Content{File: ades.File{Name: e.Name, Data: e.ReaderAt(), Size: e.Size}}
}
