package pdf

import (
	"strings"
	"testing"
)

// FuzzObject parses objects: they are within their bytes, and not more than
// these can say.
func FuzzObject(f *testing.F) {
	for _, s := range []string{"1 0 obj << /A [1 2 0 R (x\\)y) <41> true null -1.5] >> endobj", "2 0 obj << /Length 3 >> stream\nabc\nendstream endobj", "3 0 obj /A#20 endobj", "4 0 obj ((((", "5 0 obj << /A << /A <<"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		file := &File{r: strings.NewReader(string(b)), size: int64(len(b)), budget: 1 << 24}
		in, err := file.parserAt(0).indirect()
		if err != nil {
			return
		}
		if in.End > int64(len(b)) || in.At < 0 || in.At >= in.End {
			t.Errorf("object from %d to %d in %d bytes", in.At, in.End, len(b))
		}
		nodes := 0
		count(in.Value, &nodes)
		if nodes > len(b) {
			t.Errorf("%d values in %d bytes", nodes, len(b))
		}
	})
}

func count(o Object, n *int) {
	*n++
	switch o := o.(type) {
	case Array:
		for _, e := range o {
			count(e, n)
		}
	case Dict:
		for _, e := range o {
			count(e, n)
		}
	case *Stream:
		count(o.Dict, n)
	}
}

// FuzzFilter decodes with every filter; the output is bounded by the input.
func FuzzFilter(f *testing.F) {
	for i, s := range []string{deflated("hello"), "616263>", "87cURD]i,~>", "\x02abc\xfed\x80", "\x80\x0b\x60\x50\x22\x0c\x0c\x85\x01"} {
		f.Add(byte(i), byte(12), byte(3), []byte(s))
	}
	names := []Name{"FlateDecode", "ASCIIHexDecode", "ASCII85Decode", "RunLengthDecode", "LZWDecode"}
	f.Fuzz(func(t *testing.T, kind, predictor, columns byte, b []byte) {
		file := &File{r: strings.NewReader(string(b)), size: int64(len(b)), budget: 1 << 30}
		d := Dict{"Filter": names[int(kind)%len(names)], "DecodeParms": Dict{"Predictor": int64(predictor), "Columns": int64(columns), "EarlyChange": int64(predictor & 1)}}
		out, err := file.Decode(nil, &Stream{Dict: d, Len: int64(len(b))})
		if err == nil && len(out) > len(b)*maxRatio+4096 {
			t.Errorf("%d bytes from %d", len(out), len(b))
		}
	})
}
