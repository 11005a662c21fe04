package cades_test

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/ades/cades"
	"github.com/eidkit/eidkit/internal/ber"
	"github.com/eidkit/eidkit/internal/cms"
	"github.com/eidkit/eidkit/testcards/pki"
)

// Parallel signatures at every level beside one at every level: what was there stays, byte for byte.
func TestAdd(t *testing.T) {
	t.Parallel()
	p, who := person(t, pki.EC)
	another := colleague(t, p)
	for first := ades.LevelB; first <= ades.LevelLTA; first++ {
		for second := ades.LevelB; second <= ades.LevelLTA; second++ {
			for _, beside := range [][][]byte{nil, {statement}} {
				if (beside == nil) == ((first+second)%2 == 0) {
					continue
				}
				s := newServices(p, signedAt)
				r := s.raising(first)
				raw := makeMessage(t, makingOf(p, who), who.Key, statement, cades.MakeOptions{Detached: beside != nil}, &r)
				r = s.raising(second)
				both, id := added(t, makingOf(p, another), another.Key, &r, raw, beside...)
				if e, err := ber.Parse(both); err != nil || !e.IsDER() {
					t.Errorf("%v and %v: not in DER (%v)", first, second, err)
				}
				list := read(t, both, beside...)
				if len(list) != 2 {
					t.Fatalf("%v and %v: %d signatures", first, second, len(list))
				}
				for _, sig := range list {
					want := first
					if sig.ID == id {
						want = second
					}
					// Certificates and answers are for all signers, so one beside B-LT counts as such when it has a time stamp.
					if verifies(sig) && (sig.Level == want.String() || want == ades.LevelT && sig.Level == "B-LT") && len(sig.Findings) == 0 {
						continue
					}
					t.Errorf("%v and %v: %s", first, second, describe(sig))
				}
				d, err := cms.ParseBytes(context.Background(), raw)
				if err != nil || !bytes.Contains(both, d.Signers[0].Raw) {
					t.Errorf("%v and %v: the first signature has changed (%v)", first, second, err)
				}
				if first == second && first >= ades.LevelLT {
					if rep := judged(t, p, s.at.Add(time.Minute), both, beside...); !rep.Passed() {
						t.Errorf("%v and %v: %s %s", first, second, rep.Indication, rep.SubIndication)
					}
				}
			}
		}
	}
}

// Counter-signatures over a signature, over another of the same, and over a counter-signature.
func TestCountersign(t *testing.T) {
	t.Parallel()
	p, who := person(t, pki.EC)
	another := colleague(t, p)
	m := makingOf(p, another)
	for _, detached := range []bool{false, true} {
		var beside [][]byte
		place := "attached"
		if detached {
			beside, place = [][]byte{statement}, "detached"
		}
		s := newServices(p, signedAt)
		r := s.raising(ades.LevelT)
		raw := makeMessage(t, makingOf(p, who), who.Key, statement, cades.MakeOptions{Detached: detached}, &r)
		once, id := counterSigned(t, "signer-1", m, another.Key, nil, raw) // the content need not be there
		if id != "signer-1-counter-1" {
			t.Errorf("named %s", id)
		}
		m.Time = m.Time.Add(time.Hour)
		twice, _ := counterSigned(t, "signer-1", m, another.Key, &r, once, beside...)
		nested, id := counterSigned(t, id, m, another.Key, nil, once, beside...)
		if id != "signer-1-counter-1-counter-1" {
			t.Errorf("named %s", id)
		}
		begin := "signer-1 CAdES " + place + " B-T ECDSA with SHA-384; messageDigest true true; signature true true; "
		counter := func(name, rest string) string {
			return "(" + name + " CAdES counter-signature " + rest + ")"
		}
		const plain, stamped = "B-B ECDSA with SHA-384; counterSigned true true", "B-T ECDSA with SHA-384; counterSigned true true; signature true true"
		check(t, "once", read(t, once, beside...), begin+counter("signer-1-counter-1", plain))
		check(t, "twice", read(t, twice, beside...), begin+counter("signer-1-counter-1", plain)+"; "+counter("signer-1-counter-2", stamped))
		check(t, "nested", read(t, nested, beside...), begin+counter("signer-1-counter-1", plain+"; "+counter("signer-1-counter-1-counter-1", plain)))

		r = s.raising(ades.LevelLT)
		proven, _ := counterSigned(t, "signer-1", m, another.Key, &r, once, beside...)
		if sig := read(t, proven, beside...)[0].CounterSignatures; len(sig) != 2 || !verifies(sig[0]) || !verifies(sig[1]) || len(sig[1].OCSPs) == 0 {
			t.Errorf("proven: %d", len(sig))
		}
		// Raised with what it carries: the archive time stamp covers the counter-signature, to which nothing can be added any more.
		high := raised(t, s.raising(ades.LevelLTA), nested, beside...)
		if rep := judged(t, p, s.at.Add(time.Minute), high, beside...); !rep.Passed() {
			t.Errorf("%s %s", rep.Indication, rep.SubIndication)
		}
		if _, err := cades.PrepareCountersignature(context.Background(), input(high, beside...), "signer-1-counter-1", m); !errors.Is(err, ades.ErrUnsuitable) {
			t.Error(err)
		}
		again, _ := counterSigned(t, "signer-1", m, another.Key, nil, high, beside...)
		if sig := read(t, again, beside...)[0]; sig.Level != "B-LTA" || len(sig.CounterSignatures) != 2 || !sig.Timestamps[1].Intact {
			t.Errorf("after the archive: %s", describe(sig))
		}
		if _, err := cades.PrepareCountersignature(context.Background(), input(raw, beside...), "signer-2", m); !errors.Is(err, ades.ErrUnsuitable) {
			t.Error(err)
		}
	}
}

// What is broken gets no further signature.
func TestAddRefused(t *testing.T) {
	t.Parallel()
	p, who := person(t, pki.EC)
	m := makingOf(p, who)
	ctx := context.Background()
	raw := makeMessage(t, m, who.Key, statement, cades.MakeOptions{}, nil)
	changed := bytes.Replace(raw, []byte("proef"), []byte("PROEF"), 1)
	if _, err := cades.Add(ctx, input(changed), m); !errors.Is(err, ades.ErrBroken) {
		t.Error(err)
	}
	if _, err := cades.PrepareCountersignature(ctx, input(changed), "signer-1", m); !errors.Is(err, ades.ErrBroken) {
		t.Error(err)
	}
	detached := makeMessage(t, m, who.Key, statement, cades.MakeOptions{Detached: true}, nil)
	if _, err := cades.Add(ctx, input(detached), m); !errors.Is(err, ades.ErrUnsuitable) {
		t.Error(err)
	}
	a, err := cades.Add(ctx, input(raw), m)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if _, err := a.Finish(ctx, []byte("no value"), nil, &out); !errors.Is(err, ades.ErrValue) || out.Len() > 0 {
		t.Errorf("%v, %d bytes", err, out.Len())
	}
}

// Whatever byte that is signed is changed, no signature of ours is passed.
func TestMakeFlips(t *testing.T) {
	t.Parallel()
	p, who := person(t, pki.EC)
	s := newServices(p, signedAt)
	r := s.raising(ades.LevelLTA)
	raw := makeMessage(t, makingOf(p, who), who.Key, statement, cades.MakeOptions{}, &r)
	d, err := cms.ParseBytes(context.Background(), raw)
	if err != nil {
		t.Fatal(err)
	}
	// In order: version, sid, digestAlgorithm, signedAttrs, signatureAlgorithm, signature. The second is not signed: the attributes name the certificate.
	fields := d.Signers[0].Fields
	end := bytes.Index(raw, d.Signers[0].Raw) + len(d.Signers[0].Raw) - len(d.Signers[0].UnsignedRaw)
	regions := [][2]int{{bytes.Index(raw, statement), len(statement)}, {bytes.Index(raw, who.Certificate.Raw), len(who.Certificate.Raw)}}
	for i := len(fields) - 1; i >= 2; i-- {
		end -= len(fields[i])
		regions = append(regions, [2]int{end, len(fields[i])})
	}
	random := rand.New(rand.NewPCG(1, 2))
	for _, region := range regions {
		for _, i := range random.Perm(region[1])[:min(region[1], flips)] {
			changed := bytes.Clone(raw)
			changed[region[0]+i] ^= 1 << (i % 8)
			if rep := judged(t, p, s.at.Add(time.Minute), changed); rep.Passed() {
				t.Errorf("byte %d changed: passed", region[0]+i)
			}
		}
	}
}

// One pass gives what two give, but for the encoding around the content.
func TestStream(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for i, h := range hands(t) {
		for _, size := range []int{0, 512 << 10, 1<<20 + 17} {
			if i > 0 && size != 512<<10 {
				continue
			}
			content := make([]byte, size)
			for i := range content {
				content[i] = byte(i * i >> 7)
			}
			m := h.making()
			var out bytes.Buffer
			s := newServices(h.pki, signedAt)
			r := s.raising(ades.LevelT)
			stream, err := cades.Begin(ctx, &out, m, bodyOf(content), cades.MakeOptions{})
			if err != nil {
				t.Fatal(err)
			}
			value := sign(t, h.who.Key, m.Algorithm, stream.Digest())
			n, err := stream.Finish(ctx, value, &r)
			if err != nil || n != int64(out.Len()) {
				t.Fatalf("%d bytes told, %d written, %v", n, out.Len(), err)
			}
			list := read(t, out.Bytes())
			check(t, h.name, list, "signer-1 CAdES attached B-T "+h.alg.String()+"; messageDigest true true; signature true true")
			if contentOf(t, list[0]) != string(content) {
				t.Errorf("%s: other content", h.name)
			}
			s = newServices(h.pki, signedAt)
			r = s.raising(ades.LevelT)
			d, err := cades.Prepare(ctx, m, hashOf(m.Algorithm.Hash, content), cades.MakeOptions{Detached: true})
			if err != nil || !bytes.Equal(d.Digest(), stream.Digest()) {
				t.Fatalf("another digest, %v", err)
			}
			if size > 0 && i < 2 {
				dir := shop(t, h.pki)
				write(t, dir, "stream", out.Bytes())
				text, err := opensslVerify(t, dir, "-cades", "-in", "stream", "-CAfile", "root.pem", "-out", "signed")
				signed, _ := os.ReadFile(filepath.Join(dir, "signed"))
				if err != nil || !slices.Equal(signed, content) {
					t.Errorf("%s: %v\n%s", h.name, err, text)
				}
			}
			high := raised(t, s.raising(ades.LevelLTA), out.Bytes())
			check(t, h.name, read(t, high), "signer-1 CAdES attached B-LTA "+h.alg.String()+"; messageDigest true true; signature true true; archiveATSv3 true true")
		}
	}
	h := hands(t)[0]
	stream, err := cades.Begin(ctx, &bytes.Buffer{}, h.making(), bodyOf(statement), cades.MakeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	r := newServices(h.pki, signedAt).raising(ades.LevelLT)
	if _, err := stream.Finish(ctx, sign(t, h.who.Key, h.alg, stream.Digest()), &r); !errors.Is(err, ades.ErrUnsuitable) {
		t.Error(err)
	}
	if _, err := stream.Finish(ctx, nil, nil); !errors.Is(err, ades.ErrValue) {
		t.Error(err)
	}
}
