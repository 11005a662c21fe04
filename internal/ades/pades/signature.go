package pades

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"slices"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/pdf"
)

// signature is one signature dictionary with where it stands.
type signature struct {
	names  []string // of the fields that show it, at least one
	field  pdf.Field
	value  pdf.Object // V as it is in the field
	dict   pdf.Dict
	filter string // SubFilter
	// first and second are the ranges, end the end of what is covered.
	first, second ades.Range
	end           int64
	inFile        bool   // the ranges can be read
	rangeProblem  string // why the ByteRange does not hold
	duplicate     bool   // keys stand twice
	message       []byte // Contents
	revision      int    // from 0; -1: none
	whole         bool   // end is the end of the revision
	// bypassed: the file's newest cross-reference does not lead back to it.
	bypassed bool

	sig        *ades.Signature
	stamp      *ades.Timestamp // for document time stamps
	problem    error
	unreadable bool
	hasData    bool          // own validation data in the message
	carried    []ades.Digest // what the message holds
	view       *pdf.View     // the revision that it signs, or the newest
}

// collect finds the signature dictionaries. One that several fields show
// counts once, usage rights do not count, and of what has a Type that does not
// fit its SubFilter EU DSS and we say nothing.
func (d *document) collect() {
	rights := d.last.Dict(d.last.Catalog()["Perms"])
	byRef := map[pdf.Ref]*signature{}
	for _, f := range d.form.Fields {
		dict, ok := d.last.Resolve(f.Value).(pdf.Dict)
		if f.Type != "Sig" || !ok || len(d.signatures) >= maxSignatures {
			continue
		}
		ref, isRef := f.Value.(pdf.Ref)
		if isRef && (rights["UR3"] == ref || rights["UR"] == ref) {
			continue
		}
		if s := byRef[ref]; isRef && s != nil {
			s.names = append(s.names, f.Name)
			continue
		}
		s := &signature{names: []string{f.Name}, field: f, value: f.Value, dict: dict,
			filter: string(d.last.Name(dict["SubFilter"])), revision: -1, view: d.last}
		kind := d.last.Name(dict["Type"])
		if kind != "" && (kind == "DocTimeStamp") != (s.filter == subFilterRFC3161) || kind != "" && kind != "Sig" && kind != "DocTimeStamp" {
			continue
		}
		contents, ok := d.last.Resolve(dict["Contents"]).(pdf.String)
		if !ok || len(bytes.Trim([]byte(contents.Value), "\x00")) == 0 {
			continue // room for a signature that was not made
		}
		s.message = []byte(contents.Value)
		if in := d.indirect(f); in != nil {
			s.duplicate = in.Duplicate
		}
		d.readByteRange(s, contents)
		byRef[ref] = s
		d.signatures = append(d.signatures, s)
	}
	slices.SortStableFunc(d.signatures, func(a, b *signature) int {
		switch {
		case a.end != b.end:
			return int(min(max(a.end-b.end, -1), 1))
		}
		return int(min(max(a.first.Length-b.first.Length, -1), 1))
	})
}

// indirect is the object that holds the signature dictionary.
func (d *document) indirect(f pdf.Field) *pdf.Indirect {
	if r, ok := f.Value.(pdf.Ref); ok {
		return d.last.Indirect(r.Num)
	}
	return d.last.Indirect(f.Ref.Num)
}

// readByteRange reads ByteRange and holds it against the file. ISO 32000-2,
// table 255 and section 12.8.1; EN 319 142-1, section 5.4.
func (d *document) readByteRange(s *signature, contents pdf.String) {
	list := d.last.Array(s.dict["ByteRange"])
	var n [4]int64
	for i, o := range list {
		v := pdf.Int(d.last.Resolve(o), -1)
		if v < 0 {
			s.rangeProblem = "ByteRange holds what is no length or offset"
			return
		}
		if i < 4 {
			n[i] = v
		}
	}
	if len(list) != 4 {
		s.rangeProblem = fmt.Sprintf("ByteRange has %d numbers instead of 4", len(list))
		return
	}
	size := d.pdf.Size()
	if n[1] > size || n[2] > size || n[3] > size || n[0] > size {
		s.rangeProblem = fmt.Sprintf("ByteRange %v reaches beyond the file of %d bytes", n, size)
		return
	}
	s.first, s.second = ades.Range{Offset: n[0], Length: n[1]}, ades.Range{Offset: n[2], Length: n[3]}
	s.end = n[2] + n[3]
	switch {
	case s.end > size || n[0]+n[1] > size:
		s.rangeProblem = fmt.Sprintf("ByteRange %v reaches beyond the file of %d bytes", n, size)
		return
	case n[0] != 0:
		s.rangeProblem = fmt.Sprintf("ByteRange begins at %d", n[0])
	case n[2] < n[1]:
		s.rangeProblem = fmt.Sprintf("the parts of ByteRange %v overlap", n)
		return
	}
	s.inFile = true
	if s.rangeProblem == "" {
		s.rangeProblem = d.checkGap(n[1], n[2], contents)
	}
	if s.rangeProblem == "" {
		s.rangeProblem = d.checkRevision(s)
	}
}

// maxGap bounds what is read as Contents.
const maxGap = 1 << 26

// checkGap looks whether what is left out of the ranges is the value of
// Contents with its delimiters, and nothing else.
func (d *document) checkGap(from, to int64, contents pdf.String) string {
	if to-from < 2 || to-from > maxGap {
		return fmt.Sprintf("the gap in ByteRange has %d bytes", to-from)
	}
	gap := make([]byte, to-from)
	if _, err := d.pdf.ReadAt(gap, from); err != nil && err != io.EOF {
		return "the gap in ByteRange cannot be read"
	}
	if gap[0] != '<' || gap[len(gap)-1] != '>' {
		return "the gap in ByteRange is not the Contents with its delimiters"
	}
	inside := bytes.Map(func(r rune) rune {
		if r == ' ' || r == '\n' || r == '\r' || r == '\t' {
			return -1
		}
		return r
	}, gap[1:len(gap)-1])
	if len(inside)%2 == 1 {
		inside = append(inside, '0')
	}
	value := make([]byte, len(inside)/2)
	if _, err := hex.Decode(value, inside); err != nil {
		return "there is more than the Contents in the gap of ByteRange"
	}
	if string(value) != contents.Value {
		return "the gap in ByteRange holds another value than Contents"
	}
	return ""
}

// checkRevision finds the revision that the signature is the end of, and looks
// whether the dictionary is part of it: a copy made later would claim bytes
// that somebody else's signature covers.
func (d *document) checkRevision(s *signature) string {
	s.revision, s.whole = d.pdf.RevisionAt(s.end)
	if own := d.pdf.RevisionOf(s.first.Length); own > s.revision {
		s.revision, s.whole = own, false // its end is not covered
	}
	s.view = d.pdf.At(s.revision)
	if leads, ok := d.pdf.LeadsTo(s.second.Offset, s.end, s.revision); ok && !leads {
		// The file's chain of cross-references does not lead through what was
		// signed: that is read for itself.
		alone, err := d.pdf.Truncated(s.end)
		if err != nil {
			return "what it covers is no document of its own"
		}
		s.bypassed, s.view = true, alone.Last()
	}
	dict := s.view.Dict(s.value)
	if _, isRef := s.value.(pdf.Ref); !isRef {
		dict = s.view.Dict(s.view.Dict(s.field.Ref)["V"])
	}
	contents, ok := s.view.Resolve(dict["Contents"]).(pdf.String)
	if !ok {
		return "the signature is not within the revision that it covers"
	}
	s.dict = dict
	if contents.Len == 0 || contents.At != s.first.Length || contents.At+contents.Len != s.second.Offset {
		return "the gap in ByteRange is not where the Contents stands"
	}
	return ""
}

// checkCollisions: of two signatures one covers the other entirely, or nothing
// of its gap.
func (d *document) checkCollisions() {
	for i, s := range d.signatures {
		if i == 0 || s.rangeProblem != "" {
			continue
		}
		// Sorted by end: only the nearest before can reach into the gap.
		for j := i - 1; j >= 0; j-- {
			before := d.signatures[j]
			if before.rangeProblem != "" {
				continue
			}
			if before.end > s.first.Length {
				s.rangeProblem = fmt.Sprintf("ByteRange overlaps that of %s", before.names[0])
			}
			break
		}
	}
}

// covers tells whether other's bytes are all within what s covers.
func (s *signature) covers(other *signature) bool {
	return other != s && other.inFile && s.inFile && other.end <= s.first.Length
}

// rangeName describes the ranges for people.
func (s *signature) rangeName() string {
	return fmt.Sprintf("bytes %d-%d, %d-%d", s.first.Offset, s.first.Offset+s.first.Length, s.second.Offset, s.end)
}
