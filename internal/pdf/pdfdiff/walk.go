package pdfdiff

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/eidkit/eidkit/internal/pdf"
)

// maxPairs bounds one comparison.
const maxPairs = 1 << 21

// difference is where two values part.
type difference struct {
	path          string
	key           pdf.Name // the last name on the path
	num           uint32   // the object it is in
	before, after pdf.Object
	grown         bool // an array that only got longer, a dictionary key that is new
}

// top is the first name on the path.
func (d difference) top() pdf.Name {
	first, _, _ := strings.Cut(strings.TrimPrefix(d.path, "/"), "/")
	return pdf.Name(first)
}

func (d difference) String() string {
	if d.num != 0 {
		return fmt.Sprintf("%s (object %d)", d.path, d.num)
	}
	return d.path
}

// walk compares two values with all they lead to. Pairs of objects already
// under comparison count as equal, which is right: a difference between them
// is reported where they are compared.
type walk struct {
	s *step
	// content: what is painted. Only pages are taken by identity there.
	content bool
	// tolerate: differences that do not matter; nil for none.
	tolerate func(difference) bool
	// grow: arrays may get new elements anywhere, reported as grown.
	grow  bool
	queue []pair
	seen  map[[2]uint32]bool
	diffs []difference
	now   pair
}

type pair struct {
	before, after pdf.Object
	path          string
	key           pdf.Name
	num           uint32
}

// compare compares two values; the differences are those not tolerated.
func (w *walk) compare(path string, before, after pdf.Object) []difference {
	w.seen = map[[2]uint32]bool{}
	// The values themselves are compared even if they are managed elsewhere.
	start := pair{w.s.before.view.Resolve(before), w.s.after.view.Resolve(after), path, "", 0}
	if r, ok := after.(pdf.Ref); ok {
		start.num = r.Num
	}
	w.queue = append(w.queue, start)
	for n := 0; len(w.queue) > 0 && len(w.diffs) < 20; n++ {
		w.now = w.queue[len(w.queue)-1]
		w.queue = w.queue[:len(w.queue)-1]
		if n > maxPairs {
			w.diffs = append(w.diffs, difference{path: path, key: "too large to compare"})
			break
		}
		w.values(w.now.before, w.now.after, w.now.path, w.now.key, 0)
	}
	return w.diffs
}

func (w *walk) differ(d difference) {
	d.num = w.now.num
	if w.tolerate == nil || !w.tolerate(d) {
		w.diffs = append(w.diffs, d)
	}
}

// values compares two values; references are put off.
func (w *walk) values(b, a pdf.Object, path string, key pdf.Name, depth int) {
	br, bRef := b.(pdf.Ref)
	ar, aRef := a.(pdf.Ref)
	if bRef || aRef {
		w.references(b, a, br, ar, bRef && aRef, path, key)
		return
	}
	if depth > 70 {
		w.differ(difference{path: path, key: key, before: b, after: a})
		return
	}
	switch bv := b.(type) {
	case pdf.Dict:
		if av, ok := a.(pdf.Dict); ok {
			w.dicts(bv, av, path, depth, false)
			return
		}
	case pdf.Array:
		if av, ok := a.(pdf.Array); ok {
			w.arrays(bv, av, path, key, depth)
			return
		}
	case *pdf.Stream:
		if av, ok := a.(*pdf.Stream); ok {
			w.streams(bv, av, path, key, depth)
			return
		}
	default:
		if scalarsEqual(b, a) {
			return
		}
	}
	if av, ok := a.(pdf.Array); ok && w.grow && b != nil && len(av) > 0 {
		w.values(b, av[0], path, key, depth+1) // one child became several
		w.differ(difference{path: path, key: key, before: b, after: a, grown: true})
		return
	}
	w.differ(difference{path: path, key: key, before: b, after: a, grown: b == nil})
}

func (w *walk) references(b, a pdf.Object, br, ar pdf.Ref, both bool, path string, key pdf.Name) {
	s := w.s
	if both && br.Num == ar.Num && s.cleanNum(br.Num) {
		return
	}
	if both {
		if w.seen[[2]uint32{br.Num, ar.Num}] {
			return
		}
		w.seen[[2]uint32{br.Num, ar.Num}] = true
		bm, am := s.before.apart(br.Num), s.after.apart(ar.Num)
		if !w.content {
			bm, am = bm || s.before.managed(br.Num), am || s.after.managed(ar.Num)
		}
		if bm && am {
			if br.Num != ar.Num && !s.counterparts(br.Num, ar.Num) {
				w.differ(difference{path: path, key: key, before: b, after: a})
			}
			return
		}
	}
	bv, av := s.before.view.Resolve(b), s.after.view.Resolve(a)
	if bv == nil && av == nil {
		return
	}
	num := w.now.num
	if ar.Num != 0 {
		num = ar.Num
	}
	w.queue = append(w.queue, pair{bv, av, path, key, num})
}

// counterparts tells whether two objects are the same page of both states, or
// both catalogs.
func (s *step) counterparts(before, after uint32) bool {
	if before == s.before.root && after == s.after.root {
		return true
	}
	i, ok := s.before.pageAt[before]
	j, ok2 := s.after.pageAt[after]
	return ok && ok2 && i == j && i >= 0
}

func (w *walk) dicts(b, a pdf.Dict, path string, depth int, stream bool) {
	skip := func(k pdf.Name) bool {
		return k == "Parent" || stream && (k == "Length" || k == "Filter" || k == "DecodeParms" || k == "DL")
	}
	for _, k := range allKeys(b, a) {
		if skip(k) {
			continue
		}
		bv, av := b[k], a[k]
		switch {
		case bv == nil && w.s.after.view.Resolve(av) != nil:
			w.differ(difference{path: path + "/" + string(k), key: k, after: av, grown: true})
		case av == nil && w.s.before.view.Resolve(bv) != nil:
			w.differ(difference{path: path + "/" + string(k), key: k, before: bv})
		case bv != nil && av != nil:
			w.values(bv, av, path+"/"+string(k), k, depth+1)
		}
	}
}

func (w *walk) arrays(b, a pdf.Array, path string, key pdf.Name, depth int) {
	if w.grow && len(a) > len(b) {
		j, matched := 0, 0
		for _, bv := range b {
			for j < len(a) && !shallowEqual(bv, a[j]) {
				j++
			}
			if j == len(a) {
				break
			}
			w.values(bv, a[j], path, key, depth+1)
			j++
			matched++
		}
		w.differ(difference{path: path, key: key, before: b, after: a, grown: matched == len(b)})
		return
	}
	if len(a) != len(b) {
		w.differ(difference{path: path, key: key, before: b, after: a})
		return
	}
	for i := range b {
		w.values(b[i], a[i], path, key, depth+1)
	}
}

// shallowEqual is identity for references and equality for simple values;
// composite values count as equal, to be compared further.
func shallowEqual(b, a pdf.Object) bool {
	switch b.(type) {
	case pdf.Dict, pdf.Array:
		return fmt.Sprintf("%T", a) == fmt.Sprintf("%T", b)
	case *pdf.Stream:
		return false
	}
	return scalarsEqual(b, a)
}

func scalarsEqual(b, a pdf.Object) bool {
	if bn, ok := pdf.Number(b); ok {
		an, ok := pdf.Number(a)
		return ok && closeTo(bn, an)
	}
	if bs, ok := b.(pdf.String); ok {
		as, ok := a.(pdf.String)
		return ok && as.Value == bs.Value
	}
	switch b.(type) {
	case nil, bool, pdf.Name, pdf.Ref:
		return a == b
	}
	return false
}

// closeTo compares numbers as makers write them anew: with fewer digits.
func closeTo(a, b float64) bool {
	if a == b {
		return true
	}
	return (a != math.Trunc(a) || b != math.Trunc(b)) && math.Abs(a-b) <= 1e-3
}

func (w *walk) streams(b, a *pdf.Stream, path string, key pdf.Name, depth int) {
	w.dicts(b.Dict, a.Dict, path, depth, true)
	if !w.s.sameBytes(b, a) {
		w.differ(difference{path: path, key: key, before: b, after: a})
	}
}

// sameBytes compares the data of two streams, decoded if they are coded differently.
func (s *step) sameBytes(b, a *pdf.Stream) bool {
	bf, af := s.before.view.File(), s.after.view.File()
	if bf == af && b.At == a.At && b.Len == a.Len {
		return true
	}
	code := func(v *pdf.View, d pdf.Dict) string {
		return fmt.Sprint(v.Resolve(d["Filter"]), v.Resolve(d["DecodeParms"]))
	}
	if b.Len == a.Len && !bf.Encrypted() && !af.Encrypted() && code(s.before.view, b.Dict) == code(s.after.view, a.Dict) {
		if same, err := sameRange(bf, b.At, af, a.At, a.Len); err == nil && same {
			return true
		}
	}
	bd, err := bf.Decode(s.before.view, b)
	if err != nil {
		return false
	}
	ad, err := af.Decode(s.after.view, a)
	return err == nil && bytes.Equal(bd, ad)
}

func sameRange(bf *pdf.File, b int64, af *pdf.File, a, length int64) (bool, error) {
	bufB, bufA := make([]byte, 1<<15), make([]byte, 1<<15)
	br, ar := io.NewSectionReader(bf, b, length), io.NewSectionReader(af, a, length)
	for {
		n, err := io.ReadFull(br, bufB)
		m, errA := io.ReadFull(ar, bufA)
		if n != m || !bytes.Equal(bufB[:n], bufA[:m]) {
			return false, nil
		}
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return true, nil
		}
		if err != nil || errA != nil {
			return false, fmt.Errorf("comparing streams: %w", err)
		}
	}
}

// same tells whether two values are equal throughout, as painted content or not.
func (s *step) same(before, after pdf.Object, content bool) (string, bool) {
	if s.clean(before, after) {
		return "", true
	}
	w := &walk{s: s, content: content}
	diffs := w.compare("", before, after)
	if len(diffs) == 0 {
		return "", true
	}
	return describe(diffs), false
}

// describe names at most three places.
func describe(diffs []difference) string {
	var all []string
	for _, d := range diffs {
		text := strings.TrimPrefix(d.String(), "/")
		if d.key == "too large to compare" {
			text = "too large to compare"
		}
		if !slices.Contains(all, text) && text != "" {
			all = append(all, text)
		}
	}
	if len(all) > 3 {
		all = append(all[:3], fmt.Sprintf("and %d more", len(all)-3))
	}
	return strings.Join(all, ", ")
}
