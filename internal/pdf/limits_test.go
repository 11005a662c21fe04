package pdf

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// TestKeptObjects: however many large objects are read, they are not all held.
func TestKeptObjects(t *testing.T) {
	t.Parallel()
	f := &File{objects: map[objectKey]*Indirect{}}
	big := Array{String{Value: strings.Repeat("x", cacheWeight/8)}, Dict{"A": Array{int64(1), Name("b")}}}
	for i := range int32(100) {
		k := objectKey{i, -1}
		f.keep(k, &Indirect{Value: big})
		if f.objects[k] == nil {
			t.Fatal("the object just read is forgotten")
		}
		if len(f.objects) > 8 {
			t.Fatalf("%d objects of an eighth of what may be held are held", len(f.objects))
		}
	}
	if f.keep(objectKey{100, -1}, nil); f.weight > cacheWeight {
		t.Errorf("%d bytes are held", f.weight)
	}
}

// TestSameBytesAgain: objects of one object stream that are all the same bytes cost work each.
func TestSameBytesAgain(t *testing.T) {
	t.Parallel()
	const count, length = 200, 1 << 12
	var file bytes.Buffer
	at := map[int]int{}
	object := func(n int, s string) {
		at[n] = file.Len()
		fmt.Fprintf(&file, "%d 0 obj\n%s\nendobj\n", n, s)
	}
	file.WriteString("%PDF-1.7\n")
	object(1, "<< /Type /Catalog /Pages 2 0 R >>")
	object(2, "<< /Type /Pages /Kids [] /Count 0 >>")
	var table strings.Builder
	for n := range count {
		fmt.Fprintf(&table, "%d 0 ", 10+n)
	}
	stream := table.String() + "[" + strings.Repeat("0 ", length/2) + "]"
	object(3, fmt.Sprintf("<< /Type /ObjStm /N %d /First %d /Length %d >>\nstream\n%s\nendstream", count, table.Len(), len(stream), stream))
	var entries bytes.Buffer
	for n := range 10 + count {
		switch {
		case n >= 10:
			entries.Write([]byte{2, 0, 3, byte(n - 10)})
		case at[n] != 0:
			entries.Write([]byte{1, byte(at[n] >> 8), byte(at[n]), 0})
		default:
			entries.Write([]byte{0, 0, 0, 0})
		}
	}
	start := file.Len()
	fmt.Fprintf(&file, "4 0 obj\n<< /Type /XRef /Size %d /W [1 2 1] /Root 1 0 R /Length %d >>\nstream\n%s\nendstream\nendobj\nstartxref\n%d\n%%%%EOF\n",
		10+count, entries.Len(), entries.Bytes(), start)
	f, err := Open(bytes.NewReader(file.Bytes()), int64(file.Len()))
	if err != nil || f.Repaired {
		t.Fatal(err, f.Oddities)
	}
	f.budget = 20 * length
	read := 0
	for n := range uint32(count) {
		if f.Last().Indirect(10+n) != nil {
			read++
		}
	}
	if read == 0 || read > 20 {
		t.Errorf("%d objects of %d bytes were read for the work of %d bytes", read, length, 20*length)
	}
}
