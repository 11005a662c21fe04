package ber

import (
	"bytes"
	"io"
	"testing"
)

// FuzzParse walks through whatever is an element: the parser in memory and the cursor agree on where it ends, the stream and the join on
// what is in a string, and DER of DER is the same.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{"3005 0201 05 0500", "3080 2480 0402 6162 2405 0403 636465 0400 0000 A002 0500 0000", "3106 0201 02 0201 01", "2309 0303 00 0102 0302 04 F0",
		"060B 2A 8648 86F7 0D01 0910 0104", "170D 323430313031303030303030 5A", "1E04 0041 00E9", "5F81 01 00", "0482 0003 616263"} {
		f.Add(unhex(f, seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := ParsePrefix(b)
		c := NewCursor(bytes.NewReader(b), int64(len(b)), 0, 1)
		skipErr := c.SkipElement()
		if err != nil {
			return
		}
		if e.Class == Universal && e.Tag == 0 {
			return // what ParsePrefix reads and no element may be
		}
		if skipErr != nil && !hasMarkInside(e) || skipErr == nil && c.Offset() != int64(len(e.Raw)) {
			t.Fatalf("parsed %d bytes, the cursor says %v and stands at %d", len(e.Raw), skipErr, c.Offset())
		}
		touch(t, e, 0)
		der, err := e.DER()
		if err != nil {
			return
		}
		again, err := DER(der)
		if err != nil || !bytes.Equal(again, der) {
			t.Fatalf("DER %x becomes %x, %v", der, again, err)
		}
		if len(der) > len(e.Raw)+8 {
			t.Fatalf("%d bytes become %d", len(e.Raw), len(der))
		}
	})
}

// hasMarkInside tells of elements with tag 0 inside, which the cursor refuses at once and the parser as it reads them.
func hasMarkInside(e Element) bool {
	if e.Class == Universal && e.Tag == 0 {
		return true
	}
	if !e.Constructed {
		return false
	}
	for r := e.Reader(); r.More(); {
		child, err := r.Next()
		if err != nil || hasMarkInside(child) {
			return true
		}
	}
	return false
}

func touch(t *testing.T, e Element, depth int) {
	_, _ = e.OID()
	_, _ = e.Integer()
	_, _ = e.Time()
	_, _ = e.Text()
	_, _ = e.Bits()
	octets, err := e.Octets()
	if e.Is(Universal, TagOctetString) {
		r := NewStringReader(bytes.NewReader(e.Raw), int64(len(e.Raw)), 0, e.Header)
		streamed, streamErr := io.ReadAll(r)
		if err == nil && streamErr == nil && (!bytes.Equal(octets, streamed) || r.End() != int64(len(e.Raw))) {
			t.Fatalf("joined %x, streamed %x up to %d of %d", octets, streamed, r.End(), len(e.Raw))
		}
	}
	if !e.Constructed || depth > 20 {
		return
	}
	for r := e.Reader(); r.More(); {
		child, err := r.Next()
		if err != nil {
			return
		}
		touch(t, child, depth+1)
	}
}
