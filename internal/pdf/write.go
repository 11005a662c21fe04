package pdf

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
)

// ErrNoUpdate: no revision can be added to the file. It is wrapped with the reason.
var ErrNoUpdate = errors.New("PDF cannot be added to")

// Update is a revision that is to be added to a file: objects that are new, and
// new values of some that are there. Not a byte before it changes. ISO 32000-2,
// section 7.5.6.
type Update struct {
	f       *File
	v       *View
	objects map[uint32]Object
	next    uint32
	shift   int64 // what offsets in cross-references count from
	// complete: the cross-reference names every object and none before it, since that is of no use.
	complete bool
}

// NewStream is a stream that is to be written. Length is added to its dictionary.
type NewStream struct {
	Dict Dict
	Data []byte
}

// Room is text that is to be written as it is, and to be overwritten later.
type Room struct {
	Text string
	At   int64 // where it stands in the file, known after Update.Bytes
}

// NewUpdate begins a revision over the newest one. Encrypted files are refused.
// A file whose cross-reference had to be rebuilt gets a complete one, if all of
// its pages can be read.
func (f *File) NewUpdate() (*Update, error) {
	if f.Encrypted() {
		return nil, fmt.Errorf("%w: it is encrypted", ErrNoUpdate)
	}
	v := f.Last()
	trailer := v.Trailer()
	root, ok := trailer["Root"].(Ref)
	if !ok {
		return nil, fmt.Errorf("%w: its trailer names no catalog", ErrNoUpdate)
	}
	if _, ok := v.Resolve(root).(Dict); !ok {
		return nil, fmt.Errorf("%w: it has no catalog at %s", ErrNoUpdate, root)
	}
	u := &Update{f: f, v: v, objects: map[uint32]Object{}, shift: f.base, complete: f.Repaired}
	if f.Repaired && v.Pages().Broken {
		return nil, fmt.Errorf("%w: it is damaged: pages are missing", ErrNoUpdate)
	}
	if n := len(f.versions); n > 0 {
		u.next = f.versions[n-1].num + 1
	}
	if size := Int(trailer["Size"], 0); size > int64(u.next) && size <= maxObjectNum-1<<16 {
		u.next = uint32(size)
	}
	if u.next > maxObjectNum-1<<16 {
		return nil, fmt.Errorf("%w: its object numbers are used up", ErrNoUpdate)
	}
	if !f.Repaired && f.base > 0 {
		// Makers that count from the beginning of the file are followed.
		if at, _, ok := f.lastStartxref(f.size); ok && at == f.revisions[v.rev].Xref {
			u.shift = 0
		}
	}
	return u, nil
}

// View is the document as it is before the update.
func (u *Update) View() *View { return u.v }

// Root is the reference to the catalog.
func (u *Update) Root() Ref {
	r, _ := u.v.Trailer()["Root"].(Ref)
	return r
}

// Reserve takes a number for an object that Set gives a value later.
func (u *Update) Reserve() Ref {
	u.next++
	return Ref{Num: u.next - 1}
}

// Add adds an object.
func (u *Update) Add(o Object) Ref {
	r := u.Reserve()
	u.objects[r.Num] = o
	return r
}

// Set gives an object of the file, or a reserved one, a new value.
func (u *Update) Set(r Ref, o Object) { u.objects[r.Num] = o }

// Get is the value that a reference leads to, with the reference to the object
// that holds it: zero if o is direct. New values count.
func (u *Update) Get(o Object) (Object, Ref) {
	var at Ref
	for range maxChain {
		r, ok := o.(Ref)
		if !ok {
			break
		}
		at = r
		if set, ok := u.objects[r.Num]; ok {
			o = set
			continue
		}
		in := u.v.Indirect(r.Num)
		if in == nil {
			return nil, at
		}
		o = in.Value
	}
	return o, at
}

// Dict is Get for dictionaries: a copy that may be changed, or nil.
func (u *Update) Dict(o Object) (Dict, Ref) {
	value, at := u.Get(o)
	d, _ := value.(Dict)
	return maps.Clone(d), at
}

// Array is Get for arrays: a copy that may be changed, or nil.
func (u *Update) Array(o Object) (Array, Ref) {
	value, at := u.Get(o)
	a, _ := value.(Array)
	return slices.Clone(a), at
}

// generation is that of an object: as the cross-reference has it, 0 for new ones.
func (u *Update) generation(num uint32) uint16 {
	if k := u.f.find(num, u.v.rev); k >= 0 && u.f.versions[k].kind == entryDirect {
		return u.f.versions[k].gen
	}
	return 0
}

// Bytes writes the revision: what is to stand behind the file. Equal updates of
// equal files are equal bytes.
func (u *Update) Bytes() ([]byte, error) {
	w := &writer{at: u.f.size}
	if err := u.separate(w); err != nil {
		return nil, err
	}
	offsets := map[uint32]int64{}
	for _, num := range slices.Sorted(maps.Keys(u.objects)) {
		offsets[num] = w.position()
		fmt.Fprintf(&w.Buffer, "%d %d obj\n", num, u.generation(num))
		if err := w.object(u.objects[num], 0); err != nil {
			return nil, fmt.Errorf("object %d: %w", num, err)
		}
		w.WriteString("\nendobj\n")
	}
	if err := u.crossReference(w, offsets); err != nil {
		return nil, err
	}
	return w.Bytes(), nil
}

// separate begins a line if the file does not end with one.
func (u *Update) separate(w *writer) error {
	last := make([]byte, 1)
	if _, err := u.f.r.ReadAt(last, u.f.size-1); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("reading the end of the file: %w", err)
	}
	if last[0] != '\n' && last[0] != '\r' {
		w.WriteByte('\n')
	}
	return nil
}

// identifiers is ID: the first stays, the second names this revision by what it holds.
func (u *Update) identifiers(body []byte) Array {
	h := sha256.New()
	fmt.Fprintf(h, "%d\n", u.f.size)
	var first, second Object
	if ids := u.v.Array(u.v.Trailer()["ID"]); len(ids) == 2 {
		for i, keep := range []*Object{&first, &second} {
			if s, ok := u.v.Resolve(ids[i]).(String); ok {
				*keep = String{Value: s.Value, Hex: true}
				io.WriteString(h, s.Value)
			}
		}
	}
	h.Write(body)
	fresh := String{Value: string(h.Sum(nil)[:16]), Hex: true}
	if first == nil {
		first = fresh
	}
	return Array{first, fresh}
}

// writer collects bytes that are to stand at a place in a file.
type writer struct {
	bytes.Buffer
	at int64
}

// position is where the next byte will stand.
func (w *writer) position() int64 { return w.at + int64(w.Len()) }
