package main

import (
	"bytes"
	"context"
	"io"
	"slices"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/ades/cades"
	"github.com/eidkit/eidkit/internal/ades/container"
	"github.com/eidkit/eidkit/internal/ades/pades"
	"github.com/eidkit/eidkit/internal/ades/xades"
	"github.com/eidkit/eidkit/internal/certs"
	"github.com/eidkit/eidkit/internal/cms"
	"github.com/eidkit/eidkit/sign"
)

// made tells whether the file at path is what a task makes of its files as they are now: signed, with a signature that fits. What cannot be read
// is not. The error is that of the context.
func (n naming) made(ctx context.Context, t *signTask, path string) (bool, error) {
	defer t.close()
	picked, err := pickOne(path)
	if err != nil || t.inputs[0].info == nil { // one of them is not there
		return false, nil
	}
	out := picked.input()
	defer out.close()
	var yes bool
	switch {
	case n.mode == modeAugment || n.mode == modeCountersign || n.add:
		yes = n.keeps(ctx, t.inputs[0], out)
	case t.format == sign.FormatPAdES:
		yes = extends(ctx, t.inputs[0], out)
	default:
		yes = covers(ctx, t, out)
	}
	return yes && ctx.Err() == nil, ctx.Err()
}

// signatures reads those of a file, of whatever kind.
func signatures(ctx context.Context, file *inputFile, detached []*inputFile) []*ades.Signature {
	format, err := pickedFile{path: file.path}.kind()
	if err != nil {
		return nil
	}
	in := ades.Input{File: fileOf(file)}
	for _, d := range detached {
		in.Detached = append(in.Detached, ades.Content{File: fileOf(d)})
	}
	read := map[sign.Format]func(context.Context, ades.Input) ([]*ades.Signature, error){
		sign.FormatCAdES: cades.Read, sign.FormatPAdES: pades.Read, sign.FormatXAdES: xades.Read, sign.FormatASiCE: container.Read,
	}
	list, err := read[format](ctx, in)
	if err != nil {
		return nil
	}
	return list
}

func fileOf(in *inputFile) ades.File {
	s := in.source()
	return ades.File{Name: s.Name, Data: s.Data, Size: s.Size}
}

// sound tells whether a signature holds: its value, and the digests of all that is signed.
func sound(s *ades.Signature) bool {
	return s.Signer != nil && s.AlgorithmError == nil && s.Digest != nil && certs.CheckDigest(s.Algorithm, s.Signer, s.Digest, s.Value) == nil &&
		len(s.References) > 0 && !slices.ContainsFunc(s.References, func(r ades.Reference) bool { return !r.Found || !r.Intact })
}

// keeps: every signature of a file is in the other, and that has what was to be added: another signature, a counter-signature, a level.
func (n naming) keeps(ctx context.Context, in, out *inputFile) bool {
	before, after := signatures(ctx, in, n.content), signatures(ctx, out, n.content)
	counted := func(list []*ades.Signature) (countersigned int) {
		for _, s := range list {
			countersigned += len(s.CounterSignatures)
		}
		return countersigned
	}
	for _, s := range before {
		if !slices.ContainsFunc(after, func(o *ades.Signature) bool { return bytes.Equal(o.Value, s.Value) && sound(o) }) {
			return false
		}
	}
	switch {
	case len(before) == 0:
		return false
	case n.mode == modeCountersign:
		return counted(after) > counted(before)
	case n.add:
		return len(after) > len(before)
	}
	return slices.ContainsFunc(after, func(s *ades.Signature) bool {
		level, ok := ades.ParseLevel(s.Level)
		return ok && level >= n.level
	})
}

// extends: a PDF begins with all of another one, and what comes after it is signed.
func extends(ctx context.Context, in, out *inputFile) bool {
	size := in.info.Size()
	if out.info.Size() <= size || !sameBytes(ctx, in, out, size) {
		return false
	}
	return slices.ContainsFunc(signatures(ctx, out, nil), func(s *ades.Signature) bool {
		return sound(s) && slices.ContainsFunc(s.References, func(r ades.Reference) bool {
			return slices.ContainsFunc(r.Ranges, func(x ades.Range) bool { return x.Offset+x.Length > size })
		})
	})
}

// covers: a signature is over all files of a task, by their digests; one that was put into an XML document, by what stands around it.
func covers(ctx context.Context, t *signTask, out *inputFile) bool {
	list := slices.DeleteFunc(signatures(ctx, out, t.inputs), func(s *ades.Signature) bool { return !sound(s) })
	for _, s := range list {
		if !slices.ContainsFunc(t.inputs, func(in *inputFile) bool { return !signs(ctx, s, in) }) {
			return true
		}
	}
	return len(list) > 0 && t.format == sign.FormatXAdES && len(t.inputs) == 1 && surrounds(t.inputs[0], out)
}

// signs: one of the digests in a signature is that of the file.
func signs(ctx context.Context, s *ades.Signature, in *inputFile) bool {
	for _, r := range s.References {
		if r.Hash == 0 || !r.Hash.Available() || len(r.Digest) == 0 {
			continue
		}
		sums, _, err := cms.Digests(ctx, io.NewSectionReader(in, 0, in.info.Size()), r.Hash)
		if err == nil && bytes.Equal(sums[r.Hash], r.Digest) {
			return true
		}
	}
	return false
}

// sameBytes compares the first n bytes of two files.
func sameBytes(ctx context.Context, a, b *inputFile, n int64) bool {
	var x, y [1 << 16]byte
	for at := int64(0); at < n; {
		size := min(n-at, int64(len(x)))
		if ctx.Err() != nil || !readAll(a, x[:size], at) || !readAll(b, y[:size], at) || !bytes.Equal(x[:size], y[:size]) {
			return false
		}
		at += size
	}
	return true
}

func readAll(in *inputFile, b []byte, at int64) bool {
	n, _ := in.ReadAt(b, at)
	return n == len(b)
}

// maxSpliced bounds XML that is compared in memory, as package sign does.
const maxSpliced = 64 << 20

// surrounds: a document is another one with something put in at one place, or between the tags of an empty element.
func surrounds(in, out *inputFile) bool {
	if out.info.Size() > maxSpliced || out.info.Size() <= in.info.Size() {
		return false
	}
	a, b := make([]byte, in.info.Size()), make([]byte, out.info.Size())
	if !readAll(in, a, 0) || !readAll(out, b, 0) {
		return false
	}
	same := 0
	for same < len(a) && a[same] == b[same] {
		same++
	}
	if bytes.HasSuffix(b[same:], a[same:]) {
		return true
	}
	rest, empty := bytes.CutPrefix(a[same:], []byte("/>"))
	return empty && b[same] == '>' && bytes.HasSuffix(b[same:], rest)
}
