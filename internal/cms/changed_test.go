package cms_test

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"errors"
	"io"
	"math"
	"testing"

	"github.com/eidkit/eidkit/internal/ber"
	"github.com/eidkit/eidkit/internal/cms"
	"github.com/eidkit/eidkit/testcards/signed"
)

// New content that is not what was hashed is told, whatever its size.
func TestWriteChanged(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0, 1, 512<<10 - 1, 512 << 10, 2<<20 + 7} {
		content := bytes.Repeat([]byte("inhoud "), size/7+1)[:size]
		e, err := cms.NewEdit(cms.TypeData)
		if err != nil {
			t.Fatal(err)
		}
		e.Attach(int64(size), open(content), 0, nil)
		want := bytesOf(t, e)
		digest := sha256.Sum256(content)
		e.Attach(int64(size), open(content), crypto.SHA256, digest[:])
		if !bytes.Equal(bytesOf(t, e), want) {
			t.Errorf("%d bytes: another message", size)
		}
		digest[0] ^= 1
		e.Attach(int64(size), open(content), crypto.SHA256, digest[:])
		if n, err := e.Write(ctx, io.Discard); !errors.Is(err, cms.ErrChanged) || n == 0 {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
}

// Content of a message that is written again is compared, too, whatever its encoding.
func TestRewriteChanged(t *testing.T) {
	t.Parallel()
	long := bytes.Repeat([]byte("a test of messages\n"), 70_000)
	plain := message(t, text, signed.B)
	element := bytes.Replace(plain, append([]byte{ber.TagOctetString, byte(len(text))}, text...), append([]byte{0x0C, byte(len(text))}, text...), 1)
	for name, raw := range map[string][]byte{
		"octets": plain, "long octets": message(t, long, signed.B), "element of PKCS #7": element,
		"pieces": chunked(plain, text, 3), "long pieces": chunked(plain, long, 1000), "one piece": chunked(plain, long, len(long)), "no piece": chunked(plain, nil, 1),
	} {
		file := bytes.Clone(raw)
		d, err := cms.Parse(ctx, bytes.NewReader(file), int64(len(file)))
		if err != nil {
			t.Fatal(err)
		}
		unknown := bytesOf(t, d.Edit())
		if _, err := d.Content.Digests(ctx, crypto.SHA256); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(bytesOf(t, d.Edit()), unknown) || d.Encap.Length == 0 || !bytes.Contains(unknown, raw[d.Encap.Offset:d.Encap.Offset+d.Encap.Length]) {
			t.Errorf("%s: another message", name)
		}
		at := bytes.LastIndex(file, []byte("essages\n"))
		if name == "pieces" {
			at = bytes.LastIndex(file, []byte("ges")) // its last
		}
		if at < 0 {
			continue // nothing to change
		}
		file[at] ^= 1
		if _, err := d.Edit().Write(ctx, io.Discard); !errors.Is(err, cms.ErrChanged) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := d.Edit().Detach(ctx); err != nil {
			t.Errorf("%s: without the content: %v", name, err)
		}
	}
}

// Lengths that an int has no room for are refused before anything is written.
func TestTooLongToWrite(t *testing.T) {
	t.Parallel()
	e, err := cms.NewEdit(cms.TypeData)
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []int64{math.MaxInt - 100, math.MaxInt64, -1} {
		var out bytes.Buffer
		if _, _, err := e.Begin(ctx, &out, size, open(text)); !errors.Is(err, ber.ErrTooLarge) || out.Len() > 0 {
			t.Errorf("%d bytes: %v", size, err)
		}
		if size < 0 {
			continue
		}
		e.Attach(size, open(text), 0, nil)
		if n, err := e.Write(ctx, &out); !errors.Is(err, ber.ErrTooLarge) || n > 0 {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
}
