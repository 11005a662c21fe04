package pades_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/ades/pades"
	"github.com/eidkit/eidkit/internal/pdf"
	"github.com/eidkit/eidkit/testcards/answers"
	"github.com/eidkit/eidkit/testcards/pki"
	"github.com/eidkit/eidkit/testcards/signed"
)

// raised raises a file and looks whether it is a prefix of the result.
func (p person) raised(t testing.TB, in []byte, level ades.Level, at time.Time, ids ...string) []byte {
	t.Helper()
	r := *p.raising(level, at)
	r.IDs = ids
	var out bytes.Buffer
	got, err := pades.Raise(context.Background(), file(in), r, &out)
	must(t, err)
	if got.Level < level || got.Changed != (out.Len() > len(in)) {
		t.Errorf("%+v of %v, %d bytes more", got, level, out.Len()-len(in))
	}
	if !bytes.HasPrefix(out.Bytes(), in) {
		t.Fatal("bytes that were there changed")
	}
	return out.Bytes()
}

// TestRaise takes a signature from level to level, by one step each and at once.
func TestRaise(t *testing.T) {
	t.Parallel()
	p := somebody(t, pki.RSA)
	base := p.sign(t, lease(), noon, pades.MakeOptions{})
	b, at := base, noon
	for _, level := range levels {
		at = at.Add(10 * time.Minute)
		b = p.raised(t, b, level, at)
		passes(t, b, at.Add(time.Hour), []string{level.String()}, p)
		if again := p.raised(t, b, level, at); level < ades.LevelLTA && !bytes.Equal(again, b) {
			t.Errorf("raised to %v twice it grows", level)
		}
	}
	outside(t, b, 1, true)
	longer := p.raised(t, b, ades.LevelLTA, at.Add(time.Hour))
	passes(t, longer, at.Add(3*time.Hour), []string{"B-LTA"}, p)
	list, err := pades.Read(context.Background(), ades.Input{File: file(longer)})
	must(t, err)
	if n := len(list[0].Timestamps); n != 3 {
		t.Errorf("%d time stamps", n)
	}
	at = noon.Add(10 * time.Minute)
	direct := p.raised(t, base, ades.LevelLTA, at)
	passes(t, direct, at.Add(time.Hour), []string{"B-LTA"}, p)
	if again := p.raised(t, base, ades.LevelLTA, at); !bytes.Equal(again, direct) {
		t.Error("raised twice it differs")
	}
}

// TestRaiseOthers raises what another maker made, the old store staying.
func TestRaiseOthers(t *testing.T) {
	t.Parallel()
	p := somebody(t, pki.RSA)
	for _, level := range []signed.Level{signed.B, signed.T, signed.LT, signed.LTA} {
		o := signed.Options{PKI: p.pki, Signer: p.Issued, At: noon, Level: level}
		made, err := signed.PAdES(o)
		must(t, err)
		out := p.raised(t, made, ades.LevelLTA, noon.Add(time.Hour))
		passes(t, out, noon.Add(2*time.Hour), []string{"B-LTA"}, p)
		outside(t, out, 1, true)
		before, after := store(t, made), store(t, out)
		for _, key := range []pdf.Name{"Certs", "CRLs", "OCSPs"} {
			if len(after[key]) < len(before[key]) {
				t.Errorf("%v: %s had %d objects and has %d", level, key, len(before[key]), len(after[key]))
			}
		}
		if len(after["VRI"]) < len(before["VRI"]) || len(after["VRI"]) == 0 {
			t.Errorf("%v: VRI has %d entries", level, len(after["VRI"]))
		}
	}
}

// store lists what is in the document security store.
func store(t testing.TB, b []byte) map[pdf.Name][]string {
	t.Helper()
	f, err := pdf.Open(bytes.NewReader(b), int64(len(b)))
	must(t, err)
	v, out := f.Last(), map[pdf.Name][]string{}
	dss := v.Dict(v.Catalog()["DSS"])
	for _, key := range []pdf.Name{"Certs", "CRLs", "OCSPs"} {
		for range v.Array(dss[key]) {
			out[key] = append(out[key], "")
		}
	}
	for key := range v.Dict(dss["VRI"]) {
		if len(key) != 40 || string(key) != strings.ToUpper(string(key)) {
			t.Errorf("VRI entry %s", key)
		}
		out["VRI"] = append(out["VRI"], string(key))
	}
	return out
}

// TestRaiseOne raises one of two signatures.
func TestRaiseOne(t *testing.T) {
	t.Parallel()
	p, q := somebody(t, pki.RSA), somebody(t, pki.EC)
	b := p.sign(t, lease(), noon, pades.MakeOptions{Field: "first", Level: ades.LevelT})
	b = q.sign(t, b, noon.Add(time.Minute), pades.MakeOptions{Field: "second", Level: ades.LevelT})
	out := p.raised(t, b, ades.LevelLT, noon.Add(time.Hour), "first")
	passes(t, out, noon.Add(2*time.Hour), []string{"B-LT", "B-T"}, p, q)
	outside(t, out, 2, false)
	_, err := pades.Raise(context.Background(), file(b), ades.Raising{Level: ades.LevelT, IDs: []string{"third"}}, &bytes.Buffer{})
	refusal(t, err, ades.ErrNoSignature, "third")
	_, err = pades.Raise(context.Background(), file(lease()), *p.raising(ades.LevelT, noon), &bytes.Buffer{})
	refusal(t, err, ades.ErrNoSignature, "")
}

// TestStamp stamps files with and without signatures, certified ones too.
func TestStamp(t *testing.T) {
	t.Parallel()
	p := somebody(t, pki.RSA)
	stamped := func(in []byte, hash crypto.Hash) []byte {
		var out bytes.Buffer
		must(t, pades.Stamp(context.Background(), file(in), p.raising(ades.LevelT, noon).Stamp, hash, &out))
		return out.Bytes()
	}
	alone := stamped(lease(), 0)
	twice := stamped(alone, crypto.SHA512)
	list, err := pades.Read(context.Background(), ades.Input{File: file(twice)})
	must(t, err)
	if len(list) != 1 || list[0].Format != ades.DocTimestamp || len(list[0].Timestamps) != 1 || list[0].Timestamps[0].Hash != crypto.SHA512 {
		t.Errorf("%d signatures", len(list))
	}
	outside(t, twice, 0, true)
	passes(t, stamped(p.sign(t, lease(), noon, pades.MakeOptions{Certify: 1}), 0), noon.Add(time.Hour), []string{"B-T"}, p)
	raised := p.raised(t, alone, ades.LevelLTA, noon.Add(time.Hour))
	if len(store(t, raised)["OCSPs"]) == 0 {
		t.Error("no evidence for the time stamp")
	}
	err = pades.Stamp(context.Background(), file(lease()), func(context.Context, crypto.Hash, []byte) ([]byte, error) { return nil, errors.New("no answer") }, 0, &bytes.Buffer{})
	if err == nil || !strings.Contains(err.Error(), "no answer") {
		t.Error(err)
	}
	err = pades.Stamp(context.Background(), file(lease()), nil, 0, &bytes.Buffer{})
	refusal(t, err, ades.ErrUnsuitable, "authority")
	large := func(context.Context, crypto.Hash, []byte) ([]byte, error) { return make([]byte, 20<<10), nil }
	var out bytes.Buffer
	must(t, pades.Stamp(context.Background(), file(lease()), large, 0, &out)) // asked twice: it had too little room
}

// TestRaisedTo: what was raised is what is there, not what was asked for.
func TestRaisedTo(t *testing.T) {
	t.Parallel()
	p, q := somebody(t, pki.RSA), somebody(t, pki.EC)
	b := p.sign(t, lease(), noon, pades.MakeOptions{Level: ades.LevelLTA})
	to := func(in []byte, level ades.Level, ids ...string) pades.Raised {
		r := *p.raising(level, noon.Add(time.Hour))
		r.IDs = ids
		var out bytes.Buffer
		got, err := pades.Raise(context.Background(), file(in), r, &out)
		must(t, err)
		if got.Changed == bytes.Equal(out.Bytes(), in) {
			t.Errorf("changed %v", got.Changed)
		}
		return got
	}
	if got := to(b, ades.LevelLT); got != (pades.Raised{Level: ades.LevelLTA}) {
		t.Errorf("%+v", got)
	}
	if got := to(b, ades.LevelLTA); got != (pades.Raised{Level: ades.LevelLTA, Changed: true}) {
		t.Errorf("%+v", got)
	}
	both := q.sign(t, b, noon.Add(time.Minute), pades.MakeOptions{Field: "second"})
	if got := to(both, ades.LevelT, "Signature1", "second"); got != (pades.Raised{Level: ades.LevelT, Changed: true}) {
		t.Errorf("%+v", got)
	}
	if got := to(both, ades.LevelT, "Signature1"); got != (pades.Raised{Level: ades.LevelLTA}) {
		t.Errorf("%+v", got)
	}
}

// TestStampDropped: a time stamp without room in the signature is not used, and
// the draft says so.
func TestStampDropped(t *testing.T) {
	t.Parallel()
	p, other := somebody(t, pki.RSA), somebody(t, pki.EC)
	d := p.prepared(t, lease(), pades.MakeOptions{}) // with room for a small one
	value, err := p.Key.Sign(nil, d.Digest(), p.making(noon).Algorithm.Hash)
	must(t, err)
	for _, large := range []bool{true, false} {
		r, asked := *p.raising(ades.LevelT, noon), 0
		r.Stamp = func(_ context.Context, h crypto.Hash, digest []byte) ([]byte, error) {
			asked++
			with := []*x509.Certificate{p.pki.TSA.Certificate, p.pki.TimestampCA.Certificate}
			if large && asked == 1 {
				with = append(with, other.pki.Root.Certificate, other.Certificate)
				for _, ca := range append(p.pki.CAs(), other.pki.CAs()...) {
					with = append(with, ca.Certificate)
				}
			}
			return answers.Timestamp{TSA: p.pki.TSA, Certificates: with, Hash: h, Imprint: digest, Policy: p.pki.TimestampPolicy(),
				Time: noon.Add(time.Duration(asked) * time.Minute), Accuracy: time.Second, Serial: big.NewInt(int64(asked))}.Token()
		}
		var out bytes.Buffer
		_, err = d.Finish(context.Background(), value, &r, &out)
		must(t, err)
		if d.StampDropped() != large || (asked == 2) != large {
			t.Errorf("large %v: dropped %v, asked %d times", large, d.StampDropped(), asked)
		}
		passes(t, out.Bytes(), noon.Add(time.Hour), []string{"B-T"}, p)
	}
}
