package spool

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/eidkit/eidkit/agent/protocol"
)

func store(t *testing.T, quota int64) *Store {
	t.Helper()
	s, err := New(filepath.Join(t.TempDir(), "documents"), quota)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func wantCode(t *testing.T, what string, err error, code protocol.Code) {
	t.Helper()
	if err == nil || protocol.CodeOf(err) != code {
		t.Errorf("%s: %v, want %s", what, err, code)
	}
}

func TestDocument(t *testing.T) {
	t.Parallel()
	s := store(t, 1000)
	shelf := s.Shelf()
	d, err := shelf.Create("letter.txt", "text/plain", 10)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Use(); err == nil {
		t.Error("a document of which nothing came can be used")
	}
	wantCode(t, "reading what is not sealed", second(d.ReadAt(make([]byte, 1), 0)), protocol.InvalidArgument)
	wantCode(t, "a piece too far on", d.WriteChunk(4, []byte("x")), protocol.InvalidArgument)
	wantCode(t, "an offset beyond all numbers", d.WriteChunk(1<<63, []byte("x")), protocol.InvalidArgument)
	if err := d.WriteChunk(0, []byte("0123")); err != nil {
		t.Fatal(err)
	}
	wantCode(t, "a piece twice", d.WriteChunk(0, []byte("0123")), protocol.InvalidArgument)
	wantCode(t, "more than announced", d.WriteChunk(4, []byte("4567890")), protocol.InvalidArgument)
	if d.Complete() || d.SHA256() != "" || d.Received() != 4 {
		t.Errorf("complete %v, digest %q, %d bytes", d.Complete(), d.SHA256(), d.Received())
	}
	if err := d.WriteChunk(4, []byte("456789")); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte("0123456789"))
	if !d.Complete() || d.SHA256() != hex.EncodeToString(sum[:]) || d.Size() != 10 {
		t.Errorf("complete %v, digest %q, size %d", d.Complete(), d.SHA256(), d.Size())
	}
	for _, offset := range []uint64{0, 9, 10} {
		wantCode(t, "changing a sealed document", d.WriteChunk(offset, []byte("X")), protocol.InvalidArgument)
	}
	if _, err := d.Write([]byte("X")); err == nil {
		t.Error("a sealed document was written to")
	}
	got, err := io.ReadAll(io.NewSectionReader(d, 0, d.Size()))
	if err != nil || string(got) != "0123456789" {
		t.Errorf("read %q, %v", got, err)
	}
	p := make([]byte, 4)
	if n, err := d.ReadAt(p, 8); n != 2 || err != io.EOF || string(p[:n]) != "89" {
		t.Errorf("at the end: %d, %v", n, err)
	}
	same, err := shelf.Get(d.ID())
	if err != nil || same != d || d.Name() != "letter.txt" || d.MediaType() != "text/plain" {
		t.Errorf("got %v, %v", same, err)
	}
}

func second(_ int, err error) error { return err }

func TestMake(t *testing.T) {
	t.Parallel()
	s := store(t, 10)
	d, err := s.Shelf().Make("signed.pdf", "application/pdf")
	if err != nil {
		t.Fatal(err)
	}
	wantCode(t, "a client's piece", d.WriteChunk(0, []byte("x")), protocol.InvalidArgument)
	if _, err := d.Write([]byte("12345678")); err != nil {
		t.Fatal(err)
	}
	wantCode(t, "more than the quota", second(d.Write([]byte("123"))), protocol.TooLarge)
	if err := d.Seal(); err != nil || d.Size() != 8 || !d.Complete() {
		t.Errorf("sealing: %v, %d bytes", err, d.Size())
	}
	if _, err := d.Write([]byte("x")); err == nil || s.Used() != 8 {
		t.Errorf("written after sealing (%v), %d bytes used", err, s.Used())
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	s := store(t, 100)
	shelf := s.Shelf()
	for name, code := range map[string]protocol.Code{"": protocol.InvalidArgument, "..": protocol.InvalidArgument, "a/b": protocol.InvalidArgument,
		`a\b`: protocol.InvalidArgument, "a\nb": protocol.InvalidArgument, "a\u202eb": protocol.InvalidArgument, "a\xff": protocol.InvalidArgument,
		strings.Repeat("a", 256): protocol.InvalidArgument} {
		_, err := shelf.Create(name, "", 1)
		wantCode(t, "name "+name, err, code)
	}
	_, err := shelf.Create("a", "text/\x00", 1)
	wantCode(t, "media type", err, protocol.InvalidArgument)
	_, err = shelf.Create("a", "", -1)
	wantCode(t, "negative size", err, protocol.InvalidArgument)
	_, err = shelf.Create("a", "", protocol.MaxDocument+1)
	wantCode(t, "size", err, protocol.TooLarge)
	_, err = shelf.Create("a", "", 101)
	wantCode(t, "quota", err, protocol.TooLarge)
	if s.Used() != 0 {
		t.Errorf("refused documents hold %d bytes", s.Used())
	}
	for range maxDocuments {
		if _, err := shelf.Create("a", "", 0); err != nil {
			t.Fatal(err)
		}
	}
	_, err = shelf.Create("a", "", 0)
	wantCode(t, "one document more", err, protocol.TooLarge)
	_, err = shelf.Get(protocol.DocumentID{})
	wantCode(t, "unknown document", err, protocol.InvalidArgument)
	if other := s.Shelf(); other != nil {
		for id := range shelf.documents {
			_, err := other.Get(id)
			wantCode(t, "another connection's document", err, protocol.InvalidArgument)
		}
	}
}

// TestUse closes what is in use: it stays readable, and its room is given back when its user is done.
func TestUse(t *testing.T) {
	t.Parallel()
	s := store(t, 100)
	shelf := s.Shelf()
	d, err := shelf.Create("a", "", 3)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.WriteChunk(0, []byte("abc")); err != nil {
		t.Fatal(err)
	}
	done, err := d.Use()
	if err != nil {
		t.Fatal(err)
	}
	shelf.Remove(d.ID())
	shelf.Remove(d.ID())
	shelf.Close()
	if got, err := io.ReadAll(io.NewSectionReader(d, 0, 3)); err != nil || string(got) != "abc" {
		t.Errorf("in use: %q, %v", got, err)
	}
	if s.Used() != 3 {
		t.Errorf("%d bytes used, want 3", s.Used())
	}
	done()
	done()
	if s.Used() != 0 {
		t.Errorf("%d bytes used at the end", s.Used())
	}
	if _, err := d.Use(); err == nil {
		t.Error("used when it was gone")
	}
	if _, err := d.ReadAt(make([]byte, 1), 0); err == nil {
		t.Error("read when it was gone")
	}
	if _, err := shelf.Create("b", "", 1); err == nil {
		t.Error("a closed shelf took a document")
	}
	unfinished, err := s.Shelf().Create("c", "", 3)
	if err != nil {
		t.Fatal(err)
	}
	unfinished.release()
	wantCode(t, "writing what is closed", unfinished.WriteChunk(0, []byte("x")), protocol.InvalidArgument)
}

func TestFiles(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "documents")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	left := filepath.Join(dir, "eidkit-document-1.tmp")
	if err := os.WriteFile(left, []byte("left behind"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := New(dir, 100)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(left); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("what an earlier run left is there: %v", err)
	}
	shelf := s.Shelf()
	d, err := shelf.Create("a", "", 3)
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "windows" {
		if files, _ := os.ReadDir(dir); len(files) != 0 {
			t.Errorf("%d files have a name", len(files))
		}
		if info, err := d.file.Stat(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("mode %v, %v", info.Mode(), err)
		}
	}
	shelf.Close()
	if files, _ := os.ReadDir(dir); len(files) != 0 {
		t.Errorf("%d files are left", len(files))
	}
	if _, err := New(dir, 0); err == nil {
		t.Error("a store without quota")
	}
	if _, err := New(left+"\x00", 1); err == nil {
		t.Error("a store that cannot be made")
	}
}

// TestDiskFails has a write fail: the document is never sealed, whatever comes after.
func TestDiskFails(t *testing.T) {
	t.Parallel()
	s := store(t, 100)
	d, err := s.Shelf().Create("a", "", 3)
	if err != nil {
		t.Fatal(err)
	}
	d.file.Close()
	wantCode(t, "a write that fails", d.WriteChunk(0, []byte("abc")), protocol.Internal)
	if err := d.WriteChunk(0, []byte("abc")); err == nil || d.Complete() || d.Seal() == nil {
		t.Errorf("a document that was not written: %v, complete %v", err, d.Complete())
	}
}

func TestConcurrent(t *testing.T) {
	t.Parallel()
	s := store(t, 1<<20)
	shelf := s.Shelf()
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			d, err := shelf.Create("a", "", 1000)
			if err != nil {
				return // the shelf was closed meanwhile
			}
			for i := range 10 {
				d.WriteChunk(uint64(100*i), bytes.Repeat([]byte{byte(i)}, 100))
			}
			if done, err := d.Use(); err == nil {
				d.ReadAt(make([]byte, 1000), 0)
				done()
			}
		})
	}
	all.Go(shelf.Close)
	all.Wait()
	if s.Used() != 0 {
		t.Errorf("%d bytes used at the end", s.Used())
	}
}

// FuzzWriteChunk holds a document against a plain slice, whatever pieces come.
func FuzzWriteChunk(f *testing.F) {
	f.Add([]byte{0, 3, 3, 3, 6, 4})
	f.Add([]byte{0, 10})
	f.Add([]byte{1, 1, 0, 11, 0, 0})
	f.Fuzz(func(t *testing.T, steps []byte) {
		s := store(t, 1000)
		d, err := s.Shelf().Create("a", "", 10)
		if err != nil {
			t.Fatal(err)
		}
		var want []byte
		for i := 0; i+1 < len(steps); i += 2 {
			piece := bytes.Repeat([]byte{byte(i)}, int(steps[i+1]))
			fits := int(steps[i]) == len(want) && len(want)+len(piece) <= 10 && len(want) < 10
			if err := d.WriteChunk(uint64(steps[i]), piece); (err == nil) != fits {
				t.Fatalf("%d bytes at %d, %d there: %v", len(piece), steps[i], len(want), err)
			}
			if fits {
				want = append(want, piece...)
			}
		}
		if d.Complete() != (len(want) == 10) {
			t.Fatalf("complete %v with %d bytes", d.Complete(), len(want))
		}
		if d.Complete() {
			got, err := io.ReadAll(io.NewSectionReader(d, 0, 10))
			if sum := sha256.Sum256(got); err != nil || !bytes.Equal(got, want) || hex.EncodeToString(sum[:]) != d.SHA256() {
				t.Fatalf("read %x, %v; want %x", got, err, want)
			}
		}
	})
}

func BenchmarkWriteChunk(b *testing.B) {
	s, err := New(b.TempDir(), 1<<40)
	if err != nil {
		b.Fatal(err)
	}
	piece := make([]byte, protocol.MaxChunk)
	b.SetBytes(protocol.MaxDocument / 16)
	for b.Loop() {
		shelf := s.Shelf()
		d, err := shelf.Create("a", "", protocol.MaxDocument/16)
		if err != nil {
			b.Fatal(err)
		}
		for at := uint64(0); at < protocol.MaxDocument/16; at += protocol.MaxChunk {
			if err := d.WriteChunk(at, piece); err != nil {
				b.Fatal(err)
			}
		}
		if !d.Complete() {
			b.Fatal("not complete")
		}
		shelf.Close()
	}
}

// TestGuests: what clients take whom nobody knows leaves half of the room to the others, however many they are.
func TestGuests(t *testing.T) {
	t.Parallel()
	s, err := New(t.TempDir(), 1000)
	if err != nil {
		t.Fatal(err)
	}
	first, second, known := s.Guest(), s.Guest(), s.Shelf()
	kept, err := first.Create("a", "", 300)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := second.Create("b", "", 201); protocol.CodeOf(err) != protocol.TooLarge {
		t.Errorf("guests have more than half: %v", err)
	}
	made, err := second.Make("c", "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := made.Write(make([]byte, 201)); protocol.CodeOf(err) != protocol.TooLarge {
		t.Errorf("guests have more than half: %v", err)
	}
	if _, err := known.Create("d", "", 700); err != nil {
		t.Error(err)
	}
	first.Remove(kept.ID())
	if _, err := second.Create("e", "", 300); err != nil {
		t.Errorf("what a guest gave back: %v", err)
	}
	first.Close()
	second.Close()
	known.Close()
	if s.used != 0 || s.guests != 0 {
		t.Errorf("%d and %d bytes are taken by nobody", s.used, s.guests)
	}
	full, err := New(t.TempDir(), math.MaxInt64)
	if err != nil {
		t.Fatal(err)
	}
	if room := free(full.dir); full.quota > room { // half of it, while others write there too
		t.Errorf("%d bytes where %d are free", full.quota, room)
	}
}

// TestReserve: what is reserved is taken, what of it is not used is given back.
func TestReserve(t *testing.T) {
	t.Parallel()
	s := store(t, 1000)
	shelf := s.Shelf()
	d, err := shelf.Make("made", "")
	if err != nil {
		t.Fatal(err)
	}
	wantCode(t, "more than there is", d.Reserve(1001), protocol.TooLarge)
	if err := errors.Join(d.Reserve(600), d.Reserve(10)); err != nil || s.Used() != 600 {
		t.Errorf("%v, %d taken", err, s.Used())
	}
	if _, err := shelf.Create("other", "", 500); err == nil {
		t.Error("what was reserved was given away")
	}
	if _, err := d.Write(make([]byte, 700)); err != nil || s.Used() != 700 {
		t.Errorf("%v, %d taken", err, s.Used())
	}
	e, err := shelf.Make("small", "")
	if err := errors.Join(err, e.Reserve(300), e.Seal(), d.Seal(), d.Reserve(900)); err != nil || s.Used() != 700 {
		t.Errorf("%v, %d taken", err, s.Used())
	}
	shelf.Close()
	if s.Used() != 0 {
		t.Errorf("%d taken at the end", s.Used())
	}
}
