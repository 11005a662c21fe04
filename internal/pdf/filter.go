package pdf

import (
	"bytes"
	"compress/flate"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
)

// ErrFilter: a filter that is not decoded here, such as those of images.
var ErrFilter = errors.New("filter is not supported")

// Raw returns the bytes of a stream as they stand in the file, decrypted if the
// file is encrypted. At most 64 MiB.
func (f *File) Raw(s *Stream) ([]byte, error) {
	if s.Len > maxDecoded {
		return nil, fmt.Errorf("stream of %d bytes is too large", s.Len)
	}
	if !f.spend(s.Len) {
		return nil, errBudget
	}
	raw := make([]byte, s.Len)
	if n, err := f.r.ReadAt(raw, s.At); err != nil && !(errors.Is(err, io.EOF) && int64(n) == s.Len) {
		return nil, fmt.Errorf("reading a stream: %w", err)
	}
	return f.decryptStream(s, raw)
}

// Decode returns the bytes of a stream after its filters, at most 64 MiB and at
// most 2,048 times its length in the file. ErrFilter is wrapped when a filter
// is not one of ASCIIHex, ASCII85, LZW, Flate, RunLength and Crypt. The view
// resolves references in the stream's dictionary; nil where there are none.
func (f *File) Decode(v *View, s *Stream) ([]byte, error) {
	data, err := f.Raw(s)
	if err != nil {
		return nil, err
	}
	limit := min(int64(maxDecoded), s.Len*maxRatio+4096)
	filters, params := v.filters(s.Dict)
	for i, name := range filters {
		data, err = applyFilter(name, params[i], data, limit)
		if err != nil {
			return nil, fmt.Errorf("filter %s: %w", name, err)
		}
		if !f.spend(int64(len(data))) {
			return nil, errBudget
		}
	}
	return data, nil
}

// filters lists the names and parameters of a stream's filters, at most 8.
func (v *View) filters(d Dict) (names []Name, params []Dict) {
	resolve := func(o Object) Object {
		if v == nil {
			return o
		}
		return v.Resolve(o)
	}
	first := func(keys ...Name) Object {
		for _, k := range keys {
			if o := resolve(d[k]); o != nil {
				return o
			}
		}
		return nil
	}
	parm := first("DecodeParms", "DP")
	switch filter := first("Filter", "F").(type) {
	case Name:
		if a, ok := parm.(Array); ok && len(a) > 0 {
			parm = resolve(a[0])
		}
		names, params = []Name{filter}, []Dict{dictOf(parm)}
	case Array:
		a, _ := parm.(Array)
		for i, o := range filter {
			if i == 8 {
				return append(names, "too many filters"), append(params, nil)
			}
			n, _ := resolve(o).(Name)
			var p Dict
			if i < len(a) {
				p = dictOf(resolve(a[i]))
			}
			names, params = append(names, n), append(params, p)
		}
	}
	return names, params
}

func applyFilter(name Name, p Dict, data []byte, limit int64) ([]byte, error) {
	switch name {
	case "FlateDecode", "Fl":
		out, err := inflate(data, limit)
		if err != nil {
			return nil, err
		}
		return unpredict(out, p)
	case "LZWDecode", "LZW":
		out, err := lzw(data, Int(p["EarlyChange"], 1) != 0, limit)
		if err != nil {
			return nil, err
		}
		return unpredict(out, p)
	case "ASCIIHexDecode", "AHx":
		return asciiHex(data)
	case "ASCII85Decode", "A85":
		return ascii85(data)
	case "RunLengthDecode", "RL":
		return runLength(data, limit)
	case "Crypt":
		return data, nil // already done, or Identity
	}
	return nil, ErrFilter
}

var errTooLong = errors.New("decodes to too much")

// inflate decodes zlib data; a missing or wrong checksum, or an end that is cut
// off, does not matter as long as something came out.
func inflate(data []byte, limit int64) ([]byte, error) {
	var r io.ReadCloser
	r, err := zlib.NewReader(bytes.NewReader(data))
	if err != nil {
		if len(data) < 3 {
			return nil, err
		}
		r = flate.NewReader(bytes.NewReader(data[2:])) // a wrong header alone
	}
	var out bytes.Buffer
	n, err := io.Copy(&out, io.LimitReader(r, limit+1))
	if n > limit {
		return nil, errTooLong
	}
	if err != nil && n == 0 {
		return nil, err
	}
	return out.Bytes(), nil
}

func asciiHex(data []byte) ([]byte, error) {
	out := make([]byte, 0, len(data)/2+1)
	high := -1
	for _, c := range data {
		d := unhex(c)
		switch {
		case c == '>':
			if high >= 0 {
				out = append(out, byte(high<<4))
			}
			return out, nil
		case d < 0 && isSpace(c):
		case d < 0:
			return nil, errors.New("no hexadecimal digit")
		case high < 0:
			high = d
		default:
			out = append(out, byte(high<<4|d))
			high = -1
		}
	}
	if high >= 0 {
		out = append(out, byte(high<<4))
	}
	return out, nil
}

func ascii85(data []byte) ([]byte, error) {
	var out []byte
	var group uint32
	n := 0
	for _, c := range data {
		switch {
		case c == '~':
			if n > 1 {
				for i := n; i < 5; i++ {
					group = group*85 + 84
				}
				out = append(out, []byte{byte(group >> 24), byte(group >> 16), byte(group >> 8)}[:n-1]...)
			}
			return out, nil
		case isSpace(c):
		case c == 'z' && n == 0:
			out = append(out, 0, 0, 0, 0)
		case c < '!' || c > 'u':
			return nil, errors.New("no base 85 digit")
		default:
			group = group*85 + uint32(c-'!')
			if n++; n == 5 {
				out = append(out, byte(group>>24), byte(group>>16), byte(group>>8), byte(group))
				group, n = 0, 0
			}
		}
	}
	return out, nil
}

func runLength(data []byte, limit int64) ([]byte, error) {
	var out []byte
	for len(data) > 0 {
		n := int(data[0])
		data = data[1:]
		switch {
		case n == 128:
			return out, nil
		case n < 128:
			n = min(n+1, len(data))
			out = append(out, data[:n]...)
			data = data[n:]
		case len(data) > 0:
			out = append(out, bytes.Repeat(data[:1], 257-n)...)
			data = data[1:]
		}
		if int64(len(out)) > limit {
			return nil, errTooLong
		}
	}
	return out, nil
}
