package pdf

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

func parse(text string) (Object, error) {
	p := &parser{lexer: *bytesLexer([]byte(text), 0)}
	return p.value(0)
}

func TestObjects(t *testing.T) {
	t.Parallel()
	str := func(s string) String { return String{Value: s} }
	hex := func(s string) String { return String{Value: s, Hex: true} }
	for text, want := range map[string]Object{
		"12": int64(12), "-7": int64(-7), "+3": int64(3), "--5": int64(-5), "12-3": int64(123), ".5": 0.5, "-.25": -0.25, "4.": 4.0,
		"99999999999999999999": 1e20, "true": true, "false": false, "null": nil,
		"/Name": Name("Name"), "/A#20B": Name("A B"), "/": Name(""), "/A#zz": Name("A#zz"),
		"(a(b)c)": str("a(b)c"), `(\101\n\(\x)`: str("A\n(x"), "(a\\\r\nb)": str("ab"), "(a\r\nb\rc)": str("a\nb\nc"), `(\7)`: str("\a"),
		"<4142>": hex("AB"), "<4 1\n4>": hex("A@"), "<>": hex(""),
		"3 0 R": Ref{3, 0}, "[1 2 R 3 0 R]": Array{Ref{1, 2}, Ref{3, 0}}, "[1 2 3]": Array{int64(1), int64(2), int64(3)}, "[]": Array{},
		"<</A 1/B[/C]>>":     Dict{"A": int64(1), "B": Array{Name("C")}},
		"<< /A null /B 2 >>": Dict{"B": int64(2)}, "<< /A >>": Dict{}, "% x\n7": int64(7), "<< /A 1 /A 2 >>": Dict{"A": int64(2)},
	} {
		if got, err := parse(text); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %#v, %v; want %#v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "(a", "<41", "<4x>", "[1", "<< /A 1", "<< 1 2 >>", ">>", "]", ")", "foo", "<< /A foo >>", strings.Repeat("[", maxDepth+1) + strings.Repeat("]", maxDepth+1), strings.Repeat("<</A", 1000)} {
		if got, err := parse(text); !errors.Is(err, errSyntax) {
			t.Errorf("%.20s: %v, %v", text, got, err)
		}
	}
}

func TestDuplicateKeys(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{"1 0 obj << /A 1 /B << /A 1 >> >> endobj": false, "1 0 obj << /B << /A 1 /A 1 >> >> endobj": true} {
		p := &parser{lexer: *bytesLexer([]byte(text), 0)}
		in, err := p.indirect()
		if err != nil || in.Duplicate != want || in.Ref.Num != 1 || in.End != int64(len(text)) {
			t.Errorf("%s: %+v, %v", text, in, err)
		}
	}
}

func TestStreams(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ head, data, tail string }{
		"right":             {"<< /Length 3 >> stream\n", "abc", "\nendstream endobj"},
		"CR LF":             {"<< /Length 3 >> stream\r\n", "abc", "\r\nendstream endobj"},
		"CR alone":          {"<< /Length 3 >> stream\r", "abc", "\rendstream endobj"},
		"blanks":            {"<< /Length 3 >> stream \n", "abc", "\nendstream endobj"},
		"no line end":       {"<< /Length 3 >> stream\n", "abc", "endstream endobj"},
		"too long":          {"<< /Length 300 >> stream\n", "abc", "\nendstream endobj"},
		"too short":         {"<< /Length 1 >> stream\n", "abc", "\nendstream endobj"},
		"missing":           {"<< >> stream\r\n", "abc", "\r\nendstream endobj"},
		"negative":          {"<< /Length -4 >> stream\n", "abc", "\nendstream endobj"},
		"elsewhere":         {"<< /Length 9 0 R >> stream\n", "abc", "\nendstream endobj"},
		"data ends in CR":   {"<< /Length 4 >> stream\n", "abc\r", "\nendstream endobj"},
		"empty":             {"<< /Length 0 >> stream\n", "", "endstream endobj"},
		"empty, measured":   {"<< >> stream\n", "", "endstream endobj"},
		"endstream in data": {"<< /Length 14 >> stream\n", "a endstream bc", "\nendstream endobj"},
	} {
		text := "5 0 obj " + c.head + c.data + c.tail
		f := &File{r: strings.NewReader(text), size: int64(len(text)), budget: 1 << 20}
		in, err := f.parserAt(0).indirect()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		s := in.Value.(*Stream)
		if raw, err := f.Raw(s); err != nil || string(raw) != c.data || in.End != int64(len(text)) {
			t.Errorf("%s: %q, %v, end %d of %d", name, raw, err, in.End, len(text))
		}
	}
	text := "5 0 obj << >> stream\nabc"
	f := &File{r: strings.NewReader(text), size: int64(len(text)), budget: 1 << 20}
	if _, err := f.parserAt(0).indirect(); !errors.Is(err, errSyntax) {
		t.Errorf("stream without end: %v", err)
	}
}

func deflated(data string) string {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	fmt.Fprint(w, data)
	w.Close()
	return b.String()
}

func TestFilters(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		dict Dict
		raw  string
		want string
	}{
		"none":          {Dict{}, "abc", "abc"},
		"Flate":         {Dict{"Filter": Name("FlateDecode")}, deflated("hello"), "hello"},
		"Flate cut off": {Dict{"Filter": Name("FlateDecode")}, deflated("hello")[:9], "hello"},
		"hex":           {Dict{"Filter": Name("AHx")}, "6 1 62\n6>zz", "ab`"},
		"base 85":       {Dict{"Filter": Array{Name("ASCII85Decode")}}, "<~87cURD]i,\"Ebo80~>"[2:], "Hello World!"},
		"base 85 z":     {Dict{"Filter": Name("A85")}, "z5l~>", "\x00\x00\x00\x00A"},
		"run length":    {Dict{"Filter": Name("RunLengthDecode")}, "\x02abc\xfed\x80zz", "abcddd"},
		// The example of ISO 32000-1, section 7.4.4.2.
		"LZW":        {Dict{"Filter": Name("LZWDecode")}, "\x80\x0b\x60\x50\x22\x0c\x0c\x85\x01", "-----A---B"},
		"two":        {Dict{"Filter": Array{Name("AHx"), Name("Fl")}}, fmt.Sprintf("%x>", deflated("hello")), "hello"},
		"PNG up":     {Dict{"Filter": Name("Fl"), "DecodeParms": Dict{"Predictor": int64(12), "Columns": int64(2)}}, deflated("\x02ab\x02\x01\x01"), "abbc"},
		"PNG others": {Dict{"Filter": Name("Fl"), "DecodeParms": Array{Dict{"Predictor": int64(15), "Columns": int64(3)}}}, deflated("\x00abc\x01\x01\x01\x01\x03\x01\x01\x01\x04\x01\x01\x01"), "abc\x01\x02\x03\x01\x02\x03\x02\x03\x04"},
		"TIFF":       {Dict{"Filter": Name("Fl"), "DecodeParms": Dict{"Predictor": int64(2), "Columns": int64(3)}}, deflated("a\x01\x01b\x01\x01"), "abcbcd"},
	} {
		f := &File{r: strings.NewReader(c.raw), size: int64(len(c.raw)), budget: 1 << 20}
		got, err := f.Decode(nil, &Stream{Dict: c.dict, Len: int64(len(c.raw))})
		if err != nil || string(got) != c.want {
			t.Errorf("%s: %q, %v; want %q", name, got, err, c.want)
		}
	}
	for name, c := range map[string]struct {
		filter Object
		raw    string
		want   error
	}{
		"image":       {Name("DCTDecode"), "abc", ErrFilter},
		"bomb":        {Array{Name("Fl"), Name("Fl")}, deflated(deflated(strings.Repeat("a", 30<<20))), errTooLong},
		"LZW bomb":    {Array{Name("Fl"), Name("Fl"), Name("RL")}, deflated(deflated(strings.Repeat("\x81a", 8<<20))), errTooLong},
		"no Flate":    {Name("Fl"), "\x00\x00", nil},
		"bad hex":     {Name("AHx"), "xx", nil},
		"bad base 85": {Name("A85"), "\x80", nil},
		"bad LZW":     {Name("LZW"), "\xff\xff\xff", nil},
		"many":        {Array{Name("Crypt"), Name("Crypt"), Name("Crypt"), Name("Crypt"), Name("Crypt"), Name("Crypt"), Name("Crypt"), Name("Crypt"), Name("Crypt")}, "a", ErrFilter},
	} {
		f := &File{r: strings.NewReader(c.raw), size: int64(len(c.raw)), budget: 1 << 30}
		got, err := f.Decode(nil, &Stream{Dict: Dict{"Filter": c.filter}, Len: int64(len(c.raw))})
		if err == nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: %d bytes, %v; want %v", name, len(got), err, c.want)
		}
	}
}

// TestLZWTable decodes what an encoder wrote that never uses the phrases of the
// table, while that grows and is cleared.
func TestLZWTable(t *testing.T) {
	t.Parallel()
	var want []byte
	bits, n := uint64(0), 0
	var raw []byte
	put := func(code, width int) {
		bits, n = bits<<width|uint64(code), n+width
		for n >= 8 {
			n -= 8
			raw = append(raw, byte(bits>>n))
		}
	}
	put(256, 9)
	next, width, first := 258, 9, true
	for i := range 9000 {
		c := byte(i * 7)
		want = append(want, c)
		if next == 4094 {
			put(256, width)
			next, width, first = 258, 9, true
		}
		put(int(c), width)
		if !first {
			next++
		}
		first = false
		if next+1 >= 1<<width && width < 12 {
			width++
		}
	}
	put(257, width)
	put(0, 7)
	got, err := lzw(raw, true, 1<<20)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

func TestTextAndDates(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"plain": "plain", "\xfe\xff\x00Z\x00o\x00\xeb": "Zoë", "\xff\xfeZ\x00": "Z", "\xef\xbb\xbfZo\xc3\xab": "Zoë", "Zo\xeb": "Zoë", "": "", "\xfe\xff\x00": "",
	} {
		if got := TextString(String{Value: in}); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
	utc := func(h, m, s int) time.Time { return time.Date(2024, 1, 31, h, m, s, 0, time.UTC) }
	for in, want := range map[string]time.Time{
		"D:20240131120000+01'00'": utc(11, 0, 0), "D:20240131120000Z": utc(12, 0, 0), "20240131120000-0530": utc(17, 30, 0), "D:20240131": utc(0, 0, 0),
		"D:20240131120000+01'00": utc(11, 0, 0), "D:20240131120000Z00'00'": utc(12, 0, 0), "D:202401311205": utc(12, 5, 0), " D:20240131120000+01:00": utc(11, 0, 0),
		"": {}, "D:": {}, "D:2024013": {}, "D:20241331": {}, "D:20240131120000+x": {}, "D:20240131120000+99'00'": {}, "yesterday": {},
	} {
		got, ok := ParseDate(in)
		if ok == want.IsZero() || !got.Equal(want) {
			t.Errorf("%q: %v %v", in, got, ok)
		}
	}
}

func TestOperators(t *testing.T) {
	t.Parallel()
	var got []string
	Operators([]byte("q 1 0 0 1 5 6 cm BT /F1 12 Tf (a) Tj [(b) -20 <63>] TJ ET BI /W 1 /H 1 ID \x00EIxx EI Q ] > ) 5 foo"), func(op string, args []Object) bool {
		got = append(got, fmt.Sprint(op, len(args)))
		return true
	})
	if want := "[q0 cm6 BT0 Tf2 Tj1 TJ1 ET0 BI0 Q0 foo1]"; fmt.Sprint(got) != want {
		t.Errorf("%v, want %s", got, want)
	}
}
