package pdf

import (
	"errors"
	"fmt"
)

// unpredict undoes the predictor of Flate and LZW. ISO 32000-1, section 7.4.4.4.
func unpredict(data []byte, p Dict) ([]byte, error) {
	predictor := Int(p["Predictor"], 1)
	if predictor == 1 {
		return data, nil
	}
	colors, bits, columns := Int(p["Colors"], 1), Int(p["BitsPerComponent"], 8), Int(p["Columns"], 1)
	if colors < 1 || colors > 32 || bits < 1 || bits > 16 || columns < 1 || columns > 1<<24 {
		return nil, errors.New("bad predictor parameters")
	}
	pixel := int(max(1, colors*bits/8))
	row := int((colors*bits*columns + 7) / 8)
	switch {
	case predictor == 2:
		if bits != 8 {
			return nil, fmt.Errorf("%w: TIFF predictor of %d bits", ErrFilter, bits)
		}
		for begin := 0; begin < len(data); begin += row {
			line := data[begin:min(begin+row, len(data))]
			for i := pixel; i < len(line); i++ {
				line[i] += line[i-pixel]
			}
		}
		return data, nil
	case predictor >= 10 && predictor <= 15:
		return unpredictPNG(data, row, pixel)
	}
	return nil, errors.New("unknown predictor")
}

func unpredictPNG(data []byte, row, pixel int) ([]byte, error) {
	out := make([]byte, 0, len(data))
	var above []byte
	for len(data) > 0 {
		kind := data[0]
		line := data[1:min(row+1, len(data))]
		data = data[len(line)+1:]
		for i := range line {
			var left, up, upLeft byte
			if i >= pixel {
				left = line[i-pixel]
			}
			if i < len(above) {
				up = above[i]
				if i >= pixel {
					upLeft = above[i-pixel]
				}
			}
			switch kind {
			case 0:
			case 1:
				line[i] += left
			case 2:
				line[i] += up
			case 3:
				line[i] += byte((int(left) + int(up)) / 2)
			case 4:
				line[i] += paeth(left, up, upLeft)
			default:
				return nil, errors.New("unknown PNG filter")
			}
		}
		out = append(out, line...)
		above = line
	}
	return out, nil
}

func paeth(a, b, c byte) byte {
	p := int(a) + int(b) - int(c)
	pa, pb, pc := abs(p-int(a)), abs(p-int(b)), abs(p-int(c))
	switch {
	case pa <= pb && pa <= pc:
		return a
	case pb <= pc:
		return b
	}
	return c
}

func abs(i int) int {
	if i < 0 {
		return -i
	}
	return i
}

// lzw decodes PDF's variant: codes of 9 to 12 bits, high bits first; early
// says that the width grows one code early. ISO 32000-1, section 7.4.4.2.
func lzw(data []byte, early bool, limit int64) ([]byte, error) {
	const clearTable, end = 256, 257
	type phrase struct {
		prefix int32
		length int32
		last   byte
	}
	var table [4096]phrase
	for i := range 256 {
		table[i] = phrase{-1, 1, byte(i)}
	}
	var out []byte
	next, width, prev := 258, 9, -1
	bits, have := uint32(0), 0
	shift := 0
	if early {
		shift = 1
	}
	for _, c := range data {
		bits, have = bits<<8|uint32(c), have+8
		if have < width {
			continue
		}
		have -= width
		code := int(bits>>have) & (1<<width - 1)
		switch {
		case code == clearTable:
			next, width, prev = 258, 9, -1
			continue
		case code == end:
			return out, nil
		case code > next || code == next && prev < 0 || code >= 4096:
			return nil, errors.New("bad LZW code")
		}
		source := code
		if code == next {
			source = prev
		}
		n := int(table[source].length)
		at := len(out)
		if int64(at+n+1) > limit {
			return nil, errTooLong
		}
		out = append(out, make([]byte, n)...)
		for i, s := n-1, source; i >= 0; i-- {
			out[at+i] = table[s].last
			s = int(table[s].prefix)
		}
		first := out[at]
		if code == next {
			out = append(out, first)
		}
		if prev >= 0 && next < 4096 {
			table[next] = phrase{int32(prev), table[prev].length + 1, first}
			next++
		}
		prev = code
		if next+shift >= 1<<width && width < 12 {
			width++
		}
	}
	return out, nil
}
