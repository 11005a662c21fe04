package cms_test

import (
	"bytes"
	"crypto"
	"errors"
	"io"
	"slices"
	"testing"

	"github.com/eidkit/eidkit/internal/ber"
	"github.com/eidkit/eidkit/internal/cms"
	"github.com/eidkit/eidkit/testcards/signed"
)

func parse(t testing.TB, raw []byte) *cms.SignedData {
	t.Helper()
	d, err := cms.ParseBytes(ctx, raw)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func bytesOf(t testing.TB, e *cms.Edit) []byte {
	t.Helper()
	raw, err := e.Bytes(ctx)
	if err != nil || int64(len(raw)) != e.Size() {
		t.Fatalf("%d bytes, %d announced, %v", len(raw), e.Size(), err)
	}
	return raw
}

func open(b []byte) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }
}

// A message that is not changed is the same message; one in BER keeps what is inside.
func TestEditNothing(t *testing.T) {
	t.Parallel()
	for _, level := range []signed.Level{signed.B, signed.LTA} {
		raw := message(t, text, level)
		if got := bytesOf(t, parse(t, raw).Edit()); !bytes.Equal(got, raw) {
			t.Errorf("%v: other bytes", level)
		}
		ber := parse(t, chunked(raw, text, 3))
		again := parse(t, bytesOf(t, ber.Edit()))
		if content, err := again.Content.Bytes(100); err != nil || !bytes.Equal(content, text) {
			t.Errorf("%v: content %q, %v", level, content, err)
		}
		if !bytes.Equal(again.Signers[0].Raw, ber.Signers[0].Raw) {
			t.Errorf("%v: another signer", level)
		}
	}
}

// The version follows from what is inside, RFC 5652 section 5.1.
func TestEditVersion(t *testing.T) {
	t.Parallel()
	signer := parse(t, message(t, text, signed.B)).Signers[0]
	byKey := cms.MarshalSigner(append([][]byte{{2, 1, 3}, {0x80, 1, 7}}, signer.Fields[2:]...), nil)
	for _, test := range []struct {
		name, contentType string
		change            func(*cms.Edit)
		want              int
	}{
		{"data", cms.TypeData, func(*cms.Edit) {}, 1},
		{"other content", cms.TypeTSTInfo, func(*cms.Edit) {}, 3},
		{"signer by key", cms.TypeData, func(e *cms.Edit) { e.AddSigner(byKey) }, 3},
		{"attribute certificate 1", cms.TypeData, func(e *cms.Edit) { e.AddCertificate([]byte{0xA1, 0}) }, 3},
		{"attribute certificate 2", cms.TypeData, func(e *cms.Edit) { e.AddCertificate([]byte{0xA2, 0}) }, 4},
		{"other certificate", cms.TypeData, func(e *cms.Edit) { e.AddCertificate([]byte{0xA3, 0}) }, 5},
		{"CRL", cms.TypeData, func(e *cms.Edit) { e.AddCRL([]byte{0x30, 0}) }, 1},
		{"OCSP", cms.TypeData, func(e *cms.Edit) { e.AddOCSP([]byte{0x30, 0}) }, 5},
	} {
		e, err := cms.NewEdit(test.contentType)
		if err != nil {
			t.Fatal(err)
		}
		test.change(e)
		d := parse(t, bytesOf(t, e))
		if d.Version != test.want || d.ContentType != test.contentType || d.Content != nil {
			t.Errorf("%s: version %d, type %s", test.name, d.Version, d.ContentType)
		}
	}
	if _, err := cms.NewEdit("data"); !errors.Is(err, ber.ErrMalformed) {
		t.Error(err)
	}
}

// Each object is there once, in the order of DER; what has another order keeps it.
func TestEditSets(t *testing.T) {
	t.Parallel()
	raw := message(t, text, signed.LT)
	d := parse(t, raw)
	e := d.Edit()
	for _, c := range d.Certificates {
		e.AddCertificate(c.Raw)
	}
	for _, r := range d.Revocations {
		switch r.Kind {
		case cms.KindCRL:
			e.AddCRL(r.Value)
		case cms.KindOCSP:
			e.AddOCSP(r.Value)
		}
	}
	for _, alg := range d.DigestAlgorithms {
		e.AddDigest(alg)
		inner := bytes.Clone(alg[2:])
		e.AddDigest(ber.AppendSequence(nil, inner, []byte{5, 0})) // the same with parameters
	}
	if !bytes.Equal(bytesOf(t, e), raw) {
		t.Error("something was added that was there")
	}
	first, last := []byte{0x30, 0}, []byte{0x30, 0x7F}
	last = append(last, make([]byte, 0x7F)...)
	e.AddCertificate(first)
	e.AddCertificate(last)
	list := e.Certificates()
	if !bytes.Equal(list[0], first) || !slices.IsSortedFunc(list, bytes.Compare) || len(list) != len(d.Certificates)+2 {
		t.Error("certificates out of order")
	}
	// Reversed on purpose, as others write it: the order stays, what is new follows.
	unordered, err := cms.NewEdit(cms.TypeData)
	if err != nil {
		t.Fatal(err)
	}
	unordered.AddCertificate(first)
	unordered.AddCertificate(last)
	swapped := bytes.Replace(bytesOf(t, unordered), append(bytes.Clone(first), last...), append(bytes.Clone(last), first...), 1)
	again := parse(t, swapped).Edit()
	middle := []byte{0x30, 1, 0}
	again.AddCertificate(middle)
	if got := again.Certificates(); !slices.EqualFunc(got, [][]byte{last, first, middle}, bytes.Equal) {
		t.Errorf("%x", got)
	}
}

// One pass writes the same content and digest as two.
func TestEditBegin(t *testing.T) {
	t.Parallel()
	signer := parse(t, message(t, text, signed.B)).Signers[0]
	for _, size := range []int{0, 1, 512<<10 - 1, 512 << 10, 2<<20 + 5} {
		content := bytes.Repeat([]byte("eidkit "), size/7+1)[:size]
		e, err := cms.NewEdit(cms.TypeData)
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		s, digests, err := e.Begin(ctx, &out, int64(size), open(content), crypto.SHA256, crypto.SHA512)
		if err != nil {
			t.Fatal(err)
		}
		for h, digest := range digests {
			state := h.New()
			state.Write(content)
			if !bytes.Equal(digest, state.Sum(nil)) {
				t.Errorf("%d bytes: %v differs", size, h)
			}
		}
		e.AddSigner(signer.Raw)
		if n, err := s.End(ctx); err != nil || n != int64(out.Len()) {
			t.Errorf("%d bytes: %d told, %d written, %v", size, n, out.Len(), err)
		}
		d := parse(t, out.Bytes())
		got, err := d.Content.Bytes(1 << 30)
		if err != nil || !bytes.Equal(got, content) || len(d.Signers) != 1 {
			t.Errorf("%d bytes: %d read, %v", size, len(got), err)
		}
		e.AddOCSP([]byte{0x30, 0})
		if _, err := s.End(ctx); err == nil {
			t.Error("ended as another version than it began")
		}
	}
	e, err := cms.NewEdit(cms.TypeData)
	if err != nil {
		t.Fatal(err)
	}
	trouble := errors.New("disk full")
	if _, _, err := e.Begin(ctx, brokenWriter{trouble}, 1, open([]byte{1}), crypto.SHA256); !errors.Is(err, trouble) {
		t.Error(err)
	}
	if _, _, err := e.Begin(ctx, io.Discard, 1, open([]byte{1}), crypto.BLAKE2b_256); err == nil {
		t.Error("unknown digest")
	}
}

type brokenWriter struct{ err error }

func (w brokenWriter) Write([]byte) (int, error) { return 0, w.err }

// Unsigned attributes are added and replaced without touching the others.
func TestUnsigned(t *testing.T) {
	t.Parallel()
	s := parse(t, message(t, text, signed.T)).Signers[0]
	a, err := cms.MarshalAttribute("2.999.1", []byte{5, 0}, []byte{1, 1, 0xFF})
	if err != nil {
		t.Fatal(err)
	}
	for _, keep := range []bool{true, false} {
		next := cms.ParseSigner(s.WithUnsigned(keep, a))
		if next.Err != nil || len(next.UnsignedAttrs) != 2 || !bytes.Equal(bytes.Join(next.Fields, nil), bytes.Join(s.Fields, nil)) {
			t.Fatalf("%+v", next)
		}
		at := 0
		if keep {
			at = 1
		}
		if got := next.UnsignedAttrs[at]; !bytes.Equal(got.Raw, a) || !slices.EqualFunc(got.Values, [][]byte{{1, 1, 0xFF}, {5, 0}}, bytes.Equal) {
			t.Errorf("keep %t: %x", keep, got.Raw)
		}
		raw, err := next.ReplaceUnsigned(at, 0, []byte{2, 1, 9})
		replaced := cms.ParseSigner(raw)
		if err != nil || replaced.Err != nil || !bytes.Equal(replaced.UnsignedAttrs[at].Values[0], []byte{2, 1, 9}) || !bytes.Equal(replaced.UnsignedAttrs[1-at].Raw, next.UnsignedAttrs[1-at].Raw) {
			t.Errorf("keep %t: %v", keep, err)
		}
		if _, err := next.ReplaceUnsigned(2, 0, nil); !errors.Is(err, ber.ErrMalformed) {
			t.Error(err)
		}
	}
}

// Whatever is read is written, and is then the same: signers, certificates and content as they were.
func FuzzEdit(f *testing.F) {
	raw := message(f, text, signed.LT)
	f.Add(raw)
	f.Add(chunked(raw, text, 3))
	f.Add(message(f, nil, signed.LTA))
	f.Fuzz(func(t *testing.T, raw []byte) {
		d, err := cms.ParseBytes(ctx, raw)
		if err != nil {
			return
		}
		e := d.Edit()
		if len(d.Signers) > 0 && d.Signers[0].Err == nil {
			e.SetSigner(0, d.Signers[0].WithUnsigned(false))
		}
		e.AddCertificate([]byte{0x30, 0})
		out, err := e.Bytes(ctx)
		if err != nil {
			t.Fatal(err)
		}
		again, err := cms.ParseBytes(ctx, out)
		if err != nil {
			t.Fatalf("what was written cannot be read: %v", err)
		}
		if len(again.Signers) != len(d.Signers) || len(again.Certificates) < len(d.Certificates) || len(again.Revocations) != len(d.Revocations) || (again.Content == nil) != (d.Content == nil) {
			t.Fatal("another message")
		}
	})
}
