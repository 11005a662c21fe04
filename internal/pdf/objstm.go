package pdf

import (
	"errors"
	"fmt"
)

var errBudget = errors.New("the file costs more work than it may")

// objectStream is a decoded object stream with its table of contents.
// ISO 32000-1, section 7.5.7.
type objectStream struct {
	data    []byte
	first   int64
	numbers []uint32
	offsets []int64
}

// size is what it takes in memory, in bytes.
func (s *objectStream) size() int64 { return int64(len(s.data) + 12*len(s.numbers)) }

// loadCompressed reads an object out of the object stream that stands at the
// given place of File.versions.
func (v *View) loadCompressed(e entry, container int32) (*Indirect, error) {
	if container < 0 || v.f.versions[container].kind != entryDirect {
		return nil, fmt.Errorf("object stream %d is not there", e.container())
	}
	s, err := v.objectStream(container)
	if err != nil {
		return nil, fmt.Errorf("object stream %d: %w", e.container(), err)
	}
	i := e.index()
	if i >= len(s.numbers) || s.numbers[i] != e.num {
		if !v.f.spend(int64(len(s.numbers))) {
			return nil, errBudget
		}
		for i = 0; i < len(s.numbers) && s.numbers[i] != e.num; i++ {
		}
		if i == len(s.numbers) {
			return nil, fmt.Errorf("not in object stream %d", e.container())
		}
	}
	in, length, err := s.object(i, e.container())
	if !v.f.spend(length) { // offsets may lead to the same bytes again and again
		return nil, errBudget
	}
	return in, err
}

// object reads one object of those in the stream, and tells how long it is.
func (s *objectStream) object(i int, container uint32) (in *Indirect, length int64, err error) {
	at := s.first + s.offsets[i]
	if at < 0 || at > int64(len(s.data)) {
		return nil, 0, fmt.Errorf("offset outside object stream %d", container)
	}
	p := &parser{lexer: *bytesLexer(s.data, at)}
	val, err := p.value(0)
	if length = p.pos - at; err != nil {
		return nil, length, err
	}
	return &Indirect{Ref: Ref{Num: s.numbers[i]}, Value: val, At: -1, End: -1, Container: container, Duplicate: p.duplicate}, length, nil
}

// objectStream decodes an object stream, or takes it from the cache.
func (v *View) objectStream(container int32) (*objectStream, error) {
	f := v.f
	k := objectKey{container, -1}
	if s, ok := f.streams[k]; ok {
		if s == nil {
			return nil, errors.New("unreadable")
		}
		return s, nil
	}
	s, err := v.readObjectStream(f.versions[container].entry)
	if err != nil {
		f.streams[k] = nil
		return nil, err
	}
	if f.held += s.size(); f.held > cacheBytes {
		clear(f.streams)
		f.held = s.size()
	}
	f.streams[k] = s
	return s, nil
}

func (v *View) readObjectStream(e entry) (*objectStream, error) {
	in, err := v.loadDirect(e)
	if err != nil {
		return nil, err
	}
	stream, ok := in.Value.(*Stream)
	if !ok {
		return nil, errors.New("no stream")
	}
	return v.f.parseObjectStream(v, stream)
}

func (f *File) parseObjectStream(v *View, stream *Stream) (*objectStream, error) {
	data, err := f.Decode(v, stream)
	if err != nil {
		return nil, err
	}
	s := &objectStream{data: data, first: Int(stream.Dict["First"], -1)}
	n := Int(stream.Dict["N"], -1)
	if s.first < 0 || s.first > int64(len(data)) || n < 0 || n > s.first {
		return nil, errors.New("bad N or First")
	}
	l := bytesLexer(data[:s.first], 0)
	for range n {
		num, err := l.next()
		if err != nil {
			return nil, err
		}
		off, err := l.next()
		if err != nil {
			return nil, err
		}
		if num.kind != tokInt || off.kind != tokInt || num.i < 0 || num.i > maxObjectNum || off.i < 0 || off.i > int64(len(data)) {
			return nil, errors.New("bad table of contents")
		}
		s.numbers = append(s.numbers, uint32(num.i))
		s.offsets = append(s.offsets, off.i)
	}
	return s, nil
}
