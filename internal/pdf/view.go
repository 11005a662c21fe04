package pdf

import (
	"fmt"
	"sort"
)

// View is the document as a revision left it.
type View struct {
	f   *File
	rev int32
}

// At is the document as of a revision, counted from 0.
func (f *File) At(rev int) *View { return &View{f, int32(rev)} }

// Last is the document as of its newest revision.
func (f *File) Last() *View { return f.At(len(f.revisions) - 1) }

// File is the file that the view is of.
func (v *View) File() *File { return v.f }

// Revision counts from 0.
func (v *View) Revision() int { return int(v.rev) }

// objectKey names an object by the places in File.versions of its entry and,
// if it is in an object stream, of that one's; -1 for none.
type objectKey struct{ entry, container int32 }

// find is the place in versions of the newest entry for num as of rev, or -1.
func (f *File) find(num uint32, rev int32) int32 {
	i := sort.Search(len(f.versions), func(i int) bool {
		v := &f.versions[i]
		return v.num > num || v.num == num && v.rev > rev
	}) - 1
	if i < 0 || f.versions[i].num != num {
		return -1
	}
	return int32(i)
}

func (v *View) key(num uint32) objectKey {
	k := objectKey{v.f.find(num, v.rev), -1}
	if k.entry >= 0 {
		if e := v.f.versions[k.entry]; e.kind == entryCompressed {
			k.container = v.f.find(e.container(), v.rev)
		}
	}
	return k
}

// Same tells whether an object is at the same place in both views, so that it
// cannot differ. Two views of different files never agree.
func (v *View) Same(other *View, num uint32) bool {
	return v.f == other.f && (v.rev == other.rev || v.key(num) == other.key(num))
}

// Indirect returns the object with its place; nil if it is not there, free, or
// unreadable, which PDF takes for null. Generation numbers are not compared:
// readers differ about them.
func (v *View) Indirect(num uint32) *Indirect {
	k := v.key(num)
	if k.entry < 0 {
		return nil
	}
	if in, ok := v.f.objects[k]; ok {
		return in
	}
	var in *Indirect
	var err error
	switch e := v.f.versions[k.entry]; e.kind {
	case entryDirect:
		in, err = v.loadDirect(e.entry)
	case entryCompressed:
		in, err = v.loadCompressed(e.entry, k.container)
	}
	if err != nil {
		v.f.odd("object %d: %v", num, err)
		in = nil
	}
	v.f.keep(k, in)
	return in
}

// keep remembers an object, nil for one that cannot be read, and forgets all
// others when they have become too many, or too large.
func (f *File) keep(k objectKey, in *Indirect) {
	if in != nil {
		f.weight += weigh(in.Value)
	}
	if len(f.objects) >= cacheObjects || f.weight > cacheWeight {
		clear(f.objects)
		f.weight = 0
	}
	f.objects[k] = in
}

// weigh is about what an object takes in memory, in bytes.
func weigh(o Object) int64 {
	const each = 48
	switch o := o.(type) {
	case String:
		return each + int64(len(o.Value))
	case Name:
		return each + int64(len(o))
	case Array:
		w := int64(each)
		for _, x := range o {
			w += weigh(x)
		}
		return w
	case Dict:
		w := int64(each)
		for key, x := range o {
			w += each + int64(len(key)) + weigh(x)
		}
		return w
	case *Stream:
		return each + weigh(o.Dict)
	}
	return each
}

func (v *View) loadDirect(e entry) (*Indirect, error) {
	var first error
	for _, at := range v.f.places(e.at) {
		p := v.f.parserAt(at)
		p.lookup = v.length
		in, err := p.indirect()
		if err == nil && in.Ref.Num != e.num {
			err = fmt.Errorf("object %d stands at its place", in.Ref.Num)
		}
		if err == nil {
			if !v.f.spend(in.End - in.At) {
				return nil, errBudget
			}
			v.f.decryptObject(in)
			return in, nil
		}
		if first == nil {
			first = err
		}
	}
	if first == nil {
		first = fmt.Errorf("offset %d is outside the file", e.at)
	}
	return nil, first
}

// length resolves the Length of a stream, which must be a number of its own:
// the object is read without looking up anything in turn.
func (v *View) length(r Ref) Object {
	k := v.key(r.Num)
	if k.entry < 0 {
		return nil
	}
	if in, ok := v.f.objects[k]; ok && in != nil {
		return in.Value
	}
	e := v.f.versions[k.entry]
	if e.kind != entryDirect {
		return nil // its stream's own Length may be this one: measure instead
	}
	for _, at := range v.f.places(e.at) {
		p := v.f.parserAt(at)
		p.scan = nil
		if in, err := p.indirect(); err == nil && in.Ref.Num == r.Num {
			return in.Value
		}
	}
	return nil
}

// Resolve follows references to the value itself.
func (v *View) Resolve(o Object) Object {
	for range maxChain {
		r, ok := o.(Ref)
		if !ok {
			return o
		}
		in := v.Indirect(r.Num)
		if in == nil {
			return nil
		}
		o = in.Value
	}
	return nil
}

// Dict resolves o to a dictionary, or that of a stream; nil if it is neither.
func (v *View) Dict(o Object) Dict { return dictOf(v.Resolve(o)) }

// Array resolves o to an array, or nil.
func (v *View) Array(o Object) Array {
	a, _ := v.Resolve(o).(Array)
	return a
}

// Name resolves o to a name, or "".
func (v *View) Name(o Object) Name {
	n, _ := v.Resolve(o).(Name)
	return n
}

// Text resolves o to a text string, or "".
func (v *View) Text(o Object) string {
	if s, ok := v.Resolve(o).(String); ok {
		return TextString(s)
	}
	return ""
}

// Stream resolves o to a stream, or nil.
func (v *View) Stream(o Object) *Stream {
	s, _ := v.Resolve(o).(*Stream)
	return s
}

// Trailer is the trailer dictionary of the view's revision.
func (v *View) Trailer() Dict {
	if v.rev < 0 || int(v.rev) >= len(v.f.revisions) {
		return nil
	}
	return v.f.revisions[v.rev].Trailer
}

// Catalog is the document catalog; nil if there is none.
func (v *View) Catalog() Dict {
	d := v.Dict(v.Trailer()["Root"])
	if d["Pages"] == nil {
		return nil
	}
	return d
}

// Numbers are all object numbers in use, ascending.
func (v *View) Numbers() []uint32 {
	var nums []uint32
	f := v.f
	for i := 0; i < len(f.versions); {
		num := f.versions[i].num
		last := -1
		for ; i < len(f.versions) && f.versions[i].num == num; i++ {
			if f.versions[i].rev <= v.rev {
				last = i
			}
		}
		if last >= 0 && f.versions[last].kind != entryFree {
			nums = append(nums, num)
		}
	}
	return nums
}

// Changed are the numbers of the objects that the view's revision wrote anew,
// freed, or moved, those within object streams it replaced included.
func (v *View) Changed() []uint32 {
	f := v.f
	var nums []uint32
	seen := map[uint32]bool{}
	for _, e := range f.versions {
		if e.rev == v.rev && !seen[e.num] {
			seen[e.num] = true
			nums = append(nums, e.num)
		}
	}
	if f.contained == nil {
		f.contained = map[uint32][]uint32{}
		for _, e := range f.versions {
			if e.kind == entryCompressed {
				f.contained[e.container()] = append(f.contained[e.container()], e.num)
			}
		}
	}
	for _, num := range nums {
		for _, inside := range f.contained[num] {
			if !seen[inside] {
				seen[inside] = true
				nums = append(nums, inside)
			}
		}
	}
	return nums
}
