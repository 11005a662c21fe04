package ber

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// chunked makes a constructed OCTET STRING of content, with definite or indefinite length.
func chunked(content []byte, size int, indefinite bool) []byte {
	var chunks []byte
	for part := range slices.Chunk(content, size) {
		chunks = Append(chunks, Universal, false, TagOctetString, part)
	}
	if !indefinite {
		return Append(nil, Universal, true, TagOctetString, chunks)
	}
	return append(append([]byte{0x24, 0x80}, chunks...), 0, 0)
}

func TestStringReader(t *testing.T) {
	t.Parallel()
	content := bytes.Repeat([]byte("0123456789abcdef-"), 60000) // about a megabyte: larger than the window
	for name, b := range map[string][]byte{
		"primitive":     Append(nil, Universal, false, TagOctetString, content),
		"chunks of 7":   chunked(content[:70000], 7, true),
		"chunks of 4K":  chunked(content, 4096, true),
		"definite":      chunked(content, 1000, false),
		"chunks of 1MB": chunked(content, 1<<20, true),
		"nested":        append(append([]byte{0x24, 0x80}, append(chunked(content[:5000], 99, true), chunked(content[5000:], 100000, false)...)...), 0, 0),
		"empty":         {0x04, 0x00},
		"no chunks":     {0x24, 0x80, 0, 0},
		"empty chunks":  {0x24, 0x80, 0x04, 0, 0x24, 0, 0x04, 1, 'x', 0, 0},
	} {
		e, err := Parse(b)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		want, err := e.Octets()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		file := append([]byte("ahead"), append(b, "behind"...)...)
		r := NewStringReader(bytes.NewReader(file), int64(len(file)), 5, e.Header)
		if err := iotest.TestReader(r, want); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if r.End() != int64(5+len(b)) {
			t.Errorf("%s: ends at %d, want %d", name, r.End(), 5+len(b))
		}
		var written bytes.Buffer
		r = NewStringReader(bytes.NewReader(file), int64(len(file)), 5, e.Header)
		if n, err := r.WriteTo(&written); err != nil || n != int64(len(want)) || !bytes.Equal(written.Bytes(), want) || r.End() != int64(5+len(b)) {
			t.Errorf("%s: wrote %d bytes, %v", name, n, err)
		}
	}
	for name, b := range map[string][]byte{
		"something else":        {0x24, 0x80, 0x05, 0x00, 0, 0},
		"no end":                {0x24, 0x80, 0x04, 1, 'x'},
		"chunk over the end":    {0x24, 0x03, 0x04, 0x05, 'x', 'y', 'z', 'x', 'y'},
		"chunk beyond the file": {0x24, 0x80, 0x04, 0x05, 'x'},
		"mark in definite":      {0x24, 0x04, 0x04, 0x00, 0, 0},
	} {
		h, err := ParseHeader(b)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(NewStringReader(bytes.NewReader(b), int64(len(b)), 0, h))
		if !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
		if _, err := NewStringReader(bytes.NewReader(b), int64(len(b)), 0, h).WriteTo(io.Discard); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A file that has become shorter is no fault of its format.
func TestShortFile(t *testing.T) {
	t.Parallel()
	b := Append(nil, Universal, false, TagOctetString, make([]byte, 100))
	h, err := ParseHeader(b)
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.ReadAll(NewStringReader(bytes.NewReader(b[:50]), int64(len(b)), 0, h))
	if !errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, ErrMalformed) {
		t.Error(err)
	}
	_, err = NewCursor(strings.NewReader(""), 10, 0, 0).Header()
	if !errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, ErrMalformed) {
		t.Error(err)
	}
}

func TestCursor(t *testing.T) {
	t.Parallel()
	// SEQUENCE { INTEGER 5, [0] (indefinite) { OCTET STRING "abc", SEQUENCE (indefinite) {} }, NULL } "rest"
	raw := unhex(t, "3012 0201 05 A080 0403 616263 3080 0000 0000 0500 72657374")
	file := NewCursor(bytes.NewReader(raw), int64(len(raw)), 0, 0)
	in, err := file.Enter(Universal, TagSequence)
	if err != nil {
		t.Fatal(err)
	}
	number, err := in.Expect(Universal, TagInteger, 100)
	if n, nerr := number.Int(); err != nil || nerr != nil || n != 5 || number.Offset != 2 {
		t.Errorf("%+v, %v", number, err)
	}
	if there, err := in.Peek(Context, 0); !there || err != nil {
		t.Error(there, err)
	}
	if there, err := in.Peek(Context, 1); there || err != nil {
		t.Error(there, err)
	}
	if _, err := in.Enter(Context, 1); !errors.Is(err, ErrMalformed) {
		t.Error(err)
	}
	tagged, err := in.Enter(Context, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tagged.Load(3); !errors.Is(err, ErrTooLarge) {
		t.Error(err)
	}
	if h, err := tagged.Header(); err != nil || h.Length != Indefinite {
		t.Errorf("after an element that was too large: %+v, %v", h, err)
	}
	if left, err := tagged.Leave(); err != nil || !left {
		t.Errorf("left %t, %v", left, err)
	}
	if null, err := in.Expect(Universal, TagNull, 10); err != nil || null.Offset != 18 {
		t.Errorf("%+v, %v", null, err)
	}
	if _, err := in.Header(); !errors.Is(err, io.EOF) {
		t.Error(err)
	}
	if _, err := in.Expect(Universal, TagNull, 10); !errors.Is(err, ErrMalformed) {
		t.Error(err)
	}
	if left, err := in.Leave(); left || err != nil || file.Offset() != 20 {
		t.Errorf("%t, %v, at %d", left, err, file.Offset())
	}
	if err := file.SkipTo(1000); !errors.Is(err, ErrMalformed) {
		t.Error(err)
	}
	if err := file.SkipTo(24); err != nil {
		t.Error(err)
	}
	if _, err := file.Header(); !errors.Is(err, io.EOF) {
		t.Error(err)
	}
}

// What a cursor with a small window says is what the parser in memory says.
func TestCursorAgrees(t *testing.T) {
	t.Parallel()
	raw := append(chunked(bytes.Repeat([]byte{0xAB}, 10000), 100, true), Append(nil, Context, true, 3, chunked(make([]byte, 500), 7, false))...)
	c := NewCursor(bytes.NewReader(raw), int64(len(raw)), 0, 1)
	for r := NewReader(raw); r.More(); {
		want, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		got, err := c.Load(1 << 20)
		if err != nil || !bytes.Equal(got.Raw, want.Raw) || !bytes.Equal(got.Body, want.Body) || got.Offset != want.Offset {
			t.Errorf("%+v, %v, want %+v", got.Header, err, want.Header)
		}
	}
	if _, err := c.Header(); !errors.Is(err, io.EOF) {
		t.Error(err)
	}
}
