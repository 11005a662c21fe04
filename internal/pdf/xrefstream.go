package pdf

import "fmt"

// readXrefStream reads a cross-reference stream. ISO 32000-1, section 7.5.8.
func (f *File) readXrefStream(at int64, s *section) error {
	in, err := f.parserAt(at).indirect()
	if err != nil {
		return err
	}
	stream, ok := in.Value.(*Stream)
	if !ok || stream.Dict["Type"] != Name("XRef") {
		return fmt.Errorf("%w: no cross-reference at byte %d", ErrBroken, at)
	}
	stream.plain = true
	s.stream, s.end, s.trailer = true, in.End, stream.Dict
	data, err := f.Decode(nil, stream)
	if err != nil {
		return fmt.Errorf("cross-reference stream at %d: %w", at, err)
	}
	widths, total, err := fieldWidths(stream.Dict["W"])
	if err != nil {
		return err
	}
	index, ok := stream.Dict["Index"].(Array)
	if !ok {
		index = Array{int64(0), Int(stream.Dict["Size"], 0)}
	}
	for i := 0; i+1 < len(index); i += 2 {
		first, count := Int(index[i], -1), Int(index[i+1], -1)
		if first < 0 || count < 0 || first+count > maxObjectNum+1 {
			return fmt.Errorf("%w: bad Index in the cross-reference at %d", ErrBroken, at)
		}
		for n := range count {
			if len(data) < total {
				if n > 0 || i > 0 {
					f.odd("cross-reference stream at %d is short", at)
				}
				return nil
			}
			if !f.spend(entryCost) {
				return fmt.Errorf("%w: too many cross-reference entries", ErrBroken)
			}
			s.entries = append(s.entries, streamEntry(uint32(first+n), data, widths))
			data = data[total:]
		}
	}
	return nil
}

func fieldWidths(o Object) (w [3]int, total int, err error) {
	a, _ := o.(Array)
	if len(a) < 3 {
		return w, 0, fmt.Errorf("%w: cross-reference stream without W", ErrBroken)
	}
	for i := range w {
		n := Int(a[i], -1)
		if n < 0 || n > 8 {
			return w, 0, fmt.Errorf("%w: bad W in a cross-reference stream", ErrBroken)
		}
		w[i] = int(n)
		total += w[i]
	}
	if total == 0 {
		return w, 0, fmt.Errorf("%w: bad W in a cross-reference stream", ErrBroken)
	}
	return w, total, nil
}

func streamEntry(num uint32, data []byte, w [3]int) entry {
	var v [3]uint64
	v[0] = 1 // default of the first field
	for i, n := range w {
		if n > 0 {
			v[i] = 0
		}
		for range n {
			v[i] = v[i]<<8 | uint64(data[0])
			data = data[1:]
		}
	}
	e := entry{num: num}
	switch v[0] {
	case 1:
		e.kind, e.at, e.gen = entryDirect, int64(v[1]&(1<<62-1)), uint16(min(v[2], 65535))
	case 2:
		e.kind, e.at = entryCompressed, int64(v[1]&(1<<31-1))<<32|int64(v[2]&(1<<32-1))
	}
	return e
}
