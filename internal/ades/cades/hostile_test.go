package cades_test

import (
	"bytes"
	"context"
	"crypto"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/ades/cades"
	"github.com/eidkit/eidkit/internal/ber"
	"github.com/eidkit/eidkit/testcards/pki"
	"github.com/eidkit/eidkit/testcards/signed"
)

// archived is a message with everything in it.
func archived(t testing.TB) []byte {
	t.Helper()
	p, who := person(t, pki.EC)
	return made(t, text, false, signed.Options{PKI: p, Signer: who, At: signedAt, Level: signed.LTA, Counter: []signed.Options{{PKI: p, Signer: who, At: signedAt}}})
}

// A message cut off anywhere is refused, never half read.
func TestTruncated(t *testing.T) {
	t.Parallel()
	raw := archived(t)
	for n := 0; n < len(raw); n += stride {
		if list, err := tryRead(raw[:n]); !errors.Is(err, ades.ErrRefused) {
			t.Fatalf("%d of %d bytes: %d signatures, %v", n, len(raw), len(list), err)
		}
	}
	blank := indefinite(t, raw)
	for n := 0; n < len(blank); n += stride {
		if list, err := tryRead(blank[:n]); !errors.Is(err, ades.ErrRefused) {
			t.Fatalf("BER, %d of %d bytes: %d signatures, %v", n, len(blank), len(list), err)
		}
	}
}

// One bit changed in what is signed, and the signature does not hold; anywhere else it may, and nothing panics.
func TestFlipped(t *testing.T) {
	t.Parallel()
	p, who := person(t, pki.EC)
	raw := made(t, text, false, signed.Options{PKI: p, Signer: who, At: signedAt, Level: signed.T})
	s := read(t, raw)[0]
	if !verifies(s) {
		t.Fatal("does not verify to begin with")
	}
	content, attributes, value := bytes.Index(raw, text), bytes.Index(raw, []byte("240301120000Z")), bytes.Index(raw, s.Value)
	for at := range raw {
		inside := at >= content && at < content+len(text) || at >= attributes && at < attributes+13 || at >= value && at < value+len(s.Value)
		if at%stride != 0 && (!inside || at%3 != 0) {
			continue
		}
		flipped := bytes.Clone(raw)
		flipped[at] ^= 1 << (at % 8)
		list, err := tryRead(flipped)
		if err != nil {
			if !errors.Is(err, ades.ErrRefused) && !errors.Is(err, ades.ErrNoSignature) {
				t.Errorf("offset %d: %v", at, err)
			}
			continue
		}
		if inside && slices.ContainsFunc(list, verifies) {
			t.Errorf("offset %d is signed, and changed nothing", at)
		}
	}
}

func TestFlippedArchive(t *testing.T) {
	t.Parallel()
	raw := archived(t)
	chance := rand.New(rand.NewPCG(1, 2))
	for range 700 / stride {
		flipped := bytes.Clone(raw)
		for range 1 + chance.IntN(3) {
			flipped[chance.IntN(len(raw))] ^= byte(1 + chance.IntN(255))
		}
		if _, err := tryRead(flipped); err != nil && !errors.Is(err, ades.ErrRefused) && !errors.Is(err, ades.ErrNoSignature) {
			t.Error(err)
		}
	}
}

// What hostile files cost: work and memory in proportion to their size.
func TestBounds(t *testing.T) {
	t.Parallel()
	f := newForge(t).sign(sorted)
	token := f.stamp(signedAt, nil, f.value)
	f.unsigned = [][]byte{attribute("1.2.840.113549.1.9.16.2.14", slices.Repeat([][]byte{token}, 150)...)}
	s := read(t, f.encode())[0]
	if len(s.Timestamps) != 100 || codes(s.Findings) != "UNSUPPORTED_PART" {
		t.Errorf("%d time stamps, %s", len(s.Timestamps), codes(s.Findings))
	}

	f.unsigned = nil
	inner := seq(f.fields...)
	for range 20 {
		inner = seq(append(slices.Clone(f.fields), tlv(0xA1, attribute("1.2.840.113549.1.9.6", inner)))...)
	}
	f.unsigned = [][]byte{attribute("1.2.840.113549.1.9.6", inner)}
	depth := 0
	for s := read(t, f.encode())[0]; len(s.CounterSignatures) > 0; s = s.CounterSignatures[0] {
		depth++
	}
	if depth != 5 {
		t.Errorf("counter-signatures %d deep", depth)
	}

	f.unsigned = nil
	f.certificates = slices.Repeat([][]byte{seq()}, 3000)
	if s := read(t, f.encode())[0]; len(s.Findings) > 30 {
		t.Errorf("%d findings", len(s.Findings))
	}
	f.certificates = slices.Repeat([][]byte{seq()}, 5000)
	if _, err := tryRead(f.encode()); !errors.Is(err, ades.ErrRefused) || !errors.Is(err, ber.ErrTooLarge) {
		t.Error(err)
	}
}

// A file of which a part cannot be read is no forgery.
func TestDiskTrouble(t *testing.T) {
	t.Parallel()
	p, who := person(t, pki.EC)
	raw := made(t, bytes.Repeat(text, 10000), false, signed.Options{PKI: p, Signer: who, At: signedAt})
	trouble := errors.New("disk on fire")
	for _, good := range []int64{0, 100, 100000, int64(len(raw)) - 10} {
		in := ades.Input{File: ades.File{Data: failing{bytes.NewReader(raw), good, trouble}, Size: int64(len(raw))}}
		if list, err := cades.Read(context.Background(), in); !errors.Is(err, trouble) || errors.Is(err, ades.ErrRefused) {
			t.Errorf("good up to %d: %d signatures, %v", good, len(list), err)
		}
	}
	detached := made(t, text, true, signed.Options{PKI: p, Signer: who, At: signedAt})
	in := ades.Input{File: file("message", detached), Detached: []ades.Content{{File: ades.File{Data: failing{bytes.NewReader(text), 3, trouble}, Size: int64(len(text))}}}}
	if list, err := cades.Read(context.Background(), in); !errors.Is(err, trouble) {
		t.Errorf("detached: %d signatures, %v", len(list), err)
	}
}

// failing cannot be read from some offset on.
type failing struct {
	r    io.ReaderAt
	good int64
	err  error
}

func (f failing) ReadAt(p []byte, off int64) (int, error) {
	if off+int64(len(p)) <= f.good {
		return f.r.ReadAt(p, off)
	}
	n := max(0, min(int64(len(p)), f.good-off))
	if _, err := f.r.ReadAt(p[:n], off); err != nil {
		return 0, err
	}
	return int(n), f.err
}

func seeds(t testing.TB) [][]byte {
	f := newForge(t).sign(sorted)
	certValues, revValues := f.values()
	certRefs, revRefs := f.references()
	f.unsigned = [][]byte{certValues, revValues, certRefs, revRefs}
	token := f.stamp(signedAt, nil, f.value)
	f.unsigned = append(f.unsigned, attribute("1.2.840.113549.1.9.16.2.25", token), attribute("1.2.840.113549.1.9.16.2.48", token), attribute("1.2.840.113549.1.9.16.2.27", token),
		attribute("0.4.0.1733.2.2", seq(tlv(0x18, []byte("20240301130000Z")), tlv(0xA0, token), tlv(0xA0, f.certificates[0]), tlv(0xA1, f.crl))))
	old := f.encode()
	return [][]byte{archived(t), old, token, seq(seq([]byte{2, 1, 0}), token)}
}

// FuzzRead: whatever the bytes, the reader ends, and what it says can be used.
func FuzzRead(f *testing.F) {
	for _, seed := range seeds(f) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		list, err := tryRead(raw, text)
		if err != nil {
			if !errors.Is(err, ades.ErrRefused) && !errors.Is(err, ades.ErrNoSignature) {
				t.Fatal(err)
			}
			return
		}
		if len(list) == 0 {
			t.Fatal("neither signatures nor an error")
		}
		ids := map[string]bool{}
		var look func(list []*ades.Signature)
		look = func(list []*ades.Signature) {
			for _, s := range list {
				if s.ID == "" || ids[s.ID] {
					t.Fatalf("ID %q", s.ID)
				}
				ids[s.ID] = true
				_ = describe(s)
				if s.Digest != nil && s.Algorithm.Hash != 0 && len(s.Digest) != s.Algorithm.Hash.Size() {
					t.Fatalf("digest of %d bytes for %v", len(s.Digest), s.Algorithm)
				}
				for _, ref := range s.References {
					if ref.Intact && !ref.Found {
						t.Fatal("intact but not found")
					}
				}
				for _, ts := range s.Timestamps {
					if ts.Intact && !ts.Found || len(ts.Covers) > 0 && !ts.Intact {
						t.Fatal("covers without being intact")
					}
				}
				look(s.CounterSignatures)
			}
		}
		look(list)
	})
}

func TestReadTimestamp(t *testing.T) {
	t.Parallel()
	f := newForge(t)
	token := f.stamp(signedAt, nil, text)
	over := func(b []byte) func(crypto.Hash) ([]byte, error) {
		return func(h crypto.Hash) ([]byte, error) { return digest(h, b), nil }
	}
	ts := cades.ReadTimestamp(append(bytes.Clone(token), make([]byte, 50)...), over(text), ades.DocumentTS)
	if !ts.Found || !ts.Intact || ts.Kind != ades.DocumentTS || !ts.GenTime.Equal(signedAt) || !verifies(ts.Token) || !bytes.Equal(ts.Raw, token) || ts.ID == "" {
		t.Errorf("%+v", ts)
	}
	if ts := cades.ReadTimestamp(token, over(nil), ades.ContainerTS); !ts.Found || ts.Intact {
		t.Errorf("other content: %+v", ts)
	}
	if ts := cades.ReadTimestamp(token, func(crypto.Hash) ([]byte, error) { return nil, errors.New("gone") }, ades.ContainerTS); ts.Found || ts.Intact || ts.Token == nil {
		t.Errorf("no content: %+v", ts)
	}
	for name, raw := range map[string][]byte{"cut": token[:100], "no token": newForge(t).sign(sorted).encode(), "nothing": nil} {
		if ts := cades.ReadTimestamp(raw, over(text), ades.DocumentTS); ts.Token != nil || ts.Found || ts.Intact || codes(ts.Findings) != "BAD_TIMESTAMP" {
			t.Errorf("%s: %+v", name, ts)
		}
	}
	// In a signature, too, what is no token is said and listed.
	f.sign(sorted)
	f.unsigned = [][]byte{attribute("1.2.840.113549.1.9.16.2.14", octets(token)), attribute("1.2.840.113549.1.9.16.2.14", f.stamp(signedAt.Add(time.Minute), nil, f.value))}
	list := read(t, f.encode())
	check(t, "no token", list, "signer-1 CAdES attached B-T ECDSA with SHA-384; messageDigest true true; signature false false bad token BAD_TIMESTAMP; signature true true")
}
