package cades_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/ades/cades"
	"github.com/eidkit/eidkit/internal/ber"
	"github.com/eidkit/eidkit/internal/cms"
	"github.com/eidkit/eidkit/internal/tsp"
	"github.com/eidkit/eidkit/testcards/pki"
	"github.com/eidkit/eidkit/testcards/signed"
)

func tryRaise(r ades.Raising, raw []byte, detached ...[]byte) error {
	var out bytes.Buffer
	err := cades.Raise(context.Background(), input(raw, detached...), r, &out)
	if err != nil && out.Len() > 0 {
		return errors.New("something was written although it failed")
	}
	return err
}

func added(t testing.TB, m ades.Making, key crypto.Signer, r *ades.Raising, raw []byte, detached ...[]byte) ([]byte, string) {
	t.Helper()
	a, err := cades.Add(context.Background(), input(raw, detached...), m)
	if err != nil {
		t.Fatal(err)
	}
	return finished(t, a, m, key, r)
}

func counterSigned(t testing.TB, id string, m ades.Making, key crypto.Signer, r *ades.Raising, raw []byte, detached ...[]byte) ([]byte, string) {
	t.Helper()
	a, err := cades.PrepareCountersignature(context.Background(), input(raw, detached...), id, m)
	if err != nil {
		t.Fatal(err)
	}
	return finished(t, a, m, key, r)
}

func finished(t testing.TB, a *cades.Addition, m ades.Making, key crypto.Signer, r *ades.Raising) ([]byte, string) {
	t.Helper()
	var out bytes.Buffer
	id, err := a.Finish(context.Background(), sign(t, key, m.Algorithm, a.Digest()), r, &out)
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes(), id
}

// Level by level gives the same as all at once, and a level that is there is not made again.
func TestRaiseStepByStep(t *testing.T) {
	t.Parallel()
	p, who := person(t, pki.EC)
	for _, detached := range []bool{false, true} {
		var beside [][]byte
		if detached {
			beside = [][]byte{statement}
		}
		s := newServices(p, signedAt)
		r := s.raising(ades.LevelLTA)
		whole := makeMessage(t, makingOf(p, who), who.Key, statement, cades.MakeOptions{Detached: detached}, &r)
		step := makeMessage(t, makingOf(p, who), who.Key, statement, cades.MakeOptions{Detached: detached}, nil)
		s = newServices(p, signedAt)
		for level := ades.LevelB; level <= ades.LevelLTA; level++ {
			step = raised(t, s.raising(level), step, beside...)
			if got := read(t, step, beside...)[0].Level; got != level.String() {
				t.Errorf("detached %t: %s instead of %v", detached, got, level)
			}
			if level == ades.LevelT && !bytes.Equal(raised(t, s.raising(level), step, beside...), step) {
				t.Error("a second time stamp at level B-T")
			}
		}
		if !bytes.Equal(step, whole) {
			t.Errorf("detached %t: other bytes than in one go", detached)
		}
		if s.stamps != 2 {
			t.Errorf("%d time stamps", s.stamps)
		}
		signed, err := cms.ParseBytes(context.Background(), step)
		if err != nil || signed.Version != 5 {
			t.Errorf("version %d, %v", signed.Version, err)
		}
	}
}

// Again at B-LTA: one archive time stamp more each time, over the earlier ones and over what proves them.
func TestRaiseAgain(t *testing.T) {
	t.Parallel()
	p, who := person(t, pki.EC)
	s := newServices(p, signedAt)
	r := s.raising(ades.LevelLTA)
	raw := makeMessage(t, makingOf(p, who), who.Key, statement, cades.MakeOptions{}, &r)
	for year := 1; year <= 3; year++ {
		s.at, s.asked = s.at.AddDate(1, 0, 0), nil
		r.Hash = []crypto.Hash{0, crypto.SHA256, crypto.SHA384, crypto.SHA512}[year]
		earlier := read(t, raw)[0].Timestamps
		raw = raised(t, r, raw)
		sig := read(t, raw)[0]
		want := "signer-1 CAdES attached B-LTA ECDSA with SHA-384; messageDigest true true; signature true true" + strings.Repeat("; archiveATSv3 true true", year+1)
		check(t, "again", []*ades.Signature{sig}, want)
		last := sig.Timestamps[len(sig.Timestamps)-1]
		slices.SortFunc(sig.Timestamps, func(a, b ades.Timestamp) int { return a.GenTime.Compare(b.GenTime) })
		last = sig.Timestamps[len(sig.Timestamps)-1]
		for _, ts := range earlier {
			if !slices.Contains(last.Covers, ades.ObjectDigest(ts.Raw)) {
				t.Errorf("year %d: %s of %v is not covered", year, ts.Kind, ts.GenTime)
			}
		}
		for _, ocsp := range sig.OCSPs {
			if !slices.Contains(last.Covers, ades.ObjectDigest(ocsp)) {
				t.Errorf("year %d: an answer is not covered", year)
			}
		}
		// The signer is proven for the time of the first time stamp, each authority for when the next one covered its own.
		if len(s.asked) != 2+year || !s.asked[0].At.Equal(signedAt.Add(time.Minute)) || s.asked[0].Certificate.SerialNumber.Cmp(who.Certificate.SerialNumber) != 0 {
			t.Errorf("year %d: asked about %d certificates, the signer at %v", year, len(s.asked), s.asked[0].At)
		}
		if !s.asked[1].At.Equal(earlier[1].GenTime) {
			t.Errorf("year %d: the authority of the signature time stamp at %v instead of %v", year, s.asked[1].At, earlier[1].GenTime)
		}
		if rep := judged(t, p, s.at.Add(time.Minute), raw); !rep.Passed() {
			t.Errorf("year %d: %s %s", year, rep.Indication, rep.SubIndication)
		}
	}
}

// Messages of the independent maker, with several signers and counter-signatures: each signature is raised or left alone as asked.
func TestRaiseSeveral(t *testing.T) {
	t.Parallel()
	p, who := person(t, pki.EC)
	another := colleague(t, p)
	o := signed.Options{PKI: p, Signer: who, At: signedAt}
	o.Counter = []signed.Options{{PKI: p, Signer: another, At: signedAt.Add(time.Second)}}
	raw := made(t, statement, false, o, signed.Options{PKI: p, Signer: another, At: signedAt})
	s := newServices(p, signedAt)
	r := s.raising(ades.LevelLTA)
	levels := func(raw []byte) (list []string) {
		for _, sig := range read(t, raw) {
			if !verifies(sig) || len(sig.Findings) > 0 {
				t.Error(describe(sig))
			}
			row := sig.Level
			for _, c := range sig.CounterSignatures {
				row += fmt.Sprintf(" (%s %t)", c.Level, verifies(c))
			}
			list = append(list, row)
		}
		slices.Sort(list)
		return list
	}
	if got := levels(raw); !slices.Equal(got, []string{"B-B", "B-B (B-B true)"}) {
		t.Fatal(got)
	}
	r.IDs = []string{"signer-1", "signer-2"}
	if got := levels(raised(t, r, raw)); !slices.Equal(got, []string{"B-LTA", "B-LTA (B-B true)"}) {
		t.Errorf("both: %v", got)
	}
	r.IDs = nil
	high := raised(t, r, raw)
	if rep := judged(t, p, s.at.Add(time.Minute), high); !rep.Passed() {
		t.Errorf("both: %s %s", rep.Indication, rep.SubIndication)
	}
	if got := levels(high); !slices.Equal(got, []string{"B-LTA", "B-LTA (B-B true)"}) {
		t.Errorf("all: %v", got)
	}
	r.Level, r.IDs = ades.LevelT, []string{"signer-1"}
	if got := levels(raised(t, r, raw)); !slices.Contains(got, "B-T") && !slices.Contains(got, "B-T (B-B true)") || strings.Count(fmt.Sprint(got), "B-T") != 1 {
		t.Errorf("one: %v", got)
	}
	for _, ids := range [][]string{{"signer-3"}, {"signer-1", "nobody"}} {
		r.IDs = ids
		if err := tryRaise(r, raw); !errors.Is(err, ades.ErrUnsuitable) {
			t.Errorf("%v: %v", ids, err)
		}
	}
}

// colleague is another citizen of the PKI.
func colleague(t testing.TB, p *pki.PKI) *pki.Issued {
	t.Helper()
	who, err := p.Issue(pki.Request{Kind: pki.Signature, Subject: pki.Subject{NationalNumber: "71715100268", Surname: "Voorbeeld", GivenNames: "An"}})
	if err != nil {
		t.Fatal(err)
	}
	return who
}

// What does not hold, or is not there, is not raised, and a failing service is told as it is; nothing is written.
func TestRaiseRefused(t *testing.T) {
	t.Parallel()
	p, who := person(t, pki.EC)
	s := newServices(p, signedAt)
	r := s.raising(ades.LevelLTA)
	raw := makeMessage(t, makingOf(p, who), who.Key, statement, cades.MakeOptions{Detached: true}, nil)
	value := bytes.Index(raw, read(t, raw, statement)[0].Value)
	broken := bytes.Clone(raw)
	broken[value+20] ^= 1
	token, err := s.stamp(context.Background(), crypto.SHA256, hashOf(crypto.SHA256, statement))
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		raw, content []byte
		want         error
	}{
		"value":         {broken, statement, ades.ErrBroken},
		"other content": {raw, text, ades.ErrBroken},
		"no content":    {raw, nil, ades.ErrUnsuitable},
		"token":         {token, nil, ades.ErrUnsuitable},
		"text":          {statement, nil, ades.ErrRefused},
		"data":          {[]byte{0x30, 0x0D, 6, 9, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 7, 1, 5, 0}, nil, ades.ErrNoSignature},
	} {
		var beside [][]byte
		if test.content != nil {
			beside = [][]byte{test.content}
		}
		if err := tryRaise(r, test.raw, beside...); !errors.Is(err, test.want) {
			t.Errorf("%s: %v instead of %v", name, err, test.want)
		}
	}
	down := errors.New("nobody answers")
	s.err = down
	if err := tryRaise(r, raw, statement); !errors.Is(err, down) {
		t.Error(err)
	}
	liar := newServices(p, signedAt)
	r = liar.raising(ades.LevelT)
	r.Stamp = func(ctx context.Context, h crypto.Hash, digest []byte) ([]byte, error) {
		return liar.stamp(ctx, h, hashOf(h, digest))
	}
	if err := tryRaise(r, raw, statement); !errors.Is(err, tsp.ErrMismatch) {
		t.Error(err)
	}
	r.Stamp = func(context.Context, crypto.Hash, []byte) ([]byte, error) { return []byte("<html>"), nil }
	if err := tryRaise(r, raw, statement); !errors.Is(err, ber.ErrMalformed) {
		t.Error(err)
	}
	if err := tryRaise(ades.Raising{Level: ades.LevelT}, raw, statement); err == nil {
		t.Error("raised without a time stamp authority")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := cades.Raise(ctx, input(raw, statement), liar.raising(ades.LevelT), &bytes.Buffer{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// archivedBefore puts an archive-time-stamp-v2 (TS 101 733 section 6.4.1) of another maker onto a message with one signer: over encapContentInfo, certificates, crls
// and the SignerInfo.
func archivedBefore(t testing.TB, s *services, raw []byte) []byte {
	t.Helper()
	ctx := context.Background()
	d, err := cms.ParseBytes(ctx, raw)
	if err != nil {
		t.Fatal(err)
	}
	info := &d.Signers[0]
	all := bytes.Join(append([][]byte{raw[d.Encap.Offset : d.Encap.Offset+d.Encap.Length], raw[d.Certs.Offset : d.Certs.Offset+d.Certs.Length],
		raw[d.CRLs.Offset : d.CRLs.Offset+d.CRLs.Length]}, append(slices.Clone(info.Fields), info.UnsignedRaw)...), nil)
	token, err := s.stamp(ctx, crypto.SHA256, hashOf(crypto.SHA256, all))
	if err != nil {
		t.Fatal(err)
	}
	a, err := cms.MarshalAttribute("1.2.840.113549.1.9.16.2.48", token)
	if err != nil {
		t.Fatal(err)
	}
	e := d.Edit()
	e.SetSigner(0, info.WithUnsigned(true, a))
	out, err := e.Bytes(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// An archive time stamp of version 2 covers certificates and crls as they stand: what is needed later goes into the latest time stamp, and both stay good.
func TestRaiseArchiveV2(t *testing.T) {
	t.Parallel()
	p, who := person(t, pki.EC)
	s := newServices(p, signedAt)
	r := s.raising(ades.LevelLT)
	raw := archivedBefore(t, s, makeMessage(t, makingOf(p, who), who.Key, statement, cades.MakeOptions{}, &r))
	const want = "signer-1 CAdES attached A ECDSA with SHA-384; messageDigest true true; signature true true; archiveATSv2 true true"
	check(t, "version 2", read(t, raw), want)
	fields := func(raw []byte) string {
		d, err := cms.ParseBytes(context.Background(), raw)
		if err != nil {
			t.Fatal(err)
		}
		return string(raw[d.Certs.Offset:d.Certs.Offset+d.Certs.Length]) + string(raw[d.CRLs.Offset:d.CRLs.Offset+d.CRLs.Length])
	}
	before := fields(raw)
	for year := range 2 {
		s.at = s.at.AddDate(1, 0, 0)
		raw = raised(t, s.raising(ades.LevelLTA), raw)
		sig := read(t, raw)[0]
		if got := strings.Replace(describe(sig), " B-LTA ", " A ", 1); got != want+strings.Repeat("; archiveATSv3 true true", year+1) {
			t.Errorf("year %d: %s", year, got)
		}
		if fields(raw) != before {
			t.Errorf("year %d: certificates or crls have changed", year)
		}
		if rep := judged(t, p, s.at.Add(time.Minute), raw); !rep.Passed() {
			t.Errorf("year %d: %s %s", year, rep.Indication, rep.SubIndication)
		}
		strictArchive2(t, raw)
	}
	// There is no room for the certificate of another signer, but the same one may sign again.
	ctx := context.Background()
	if _, err := cades.Add(ctx, input(raw), makingOf(p, colleague(t, p))); !errors.Is(err, ades.ErrUnsuitable) {
		t.Error(err)
	}
	both, _ := added(t, makingOf(p, who), who.Key, nil, raw)
	if list := read(t, both); len(list) != 2 || !verifies(list[0]) || !verifies(list[1]) || fields(both) != before {
		t.Errorf("%d signatures", len(list))
	}
	strictArchive2(t, both)
}

// strictArchive2 checks archive-time-stamp-v2 as validators do that know no order of attributes: over all unsigned ones but archive time stamps.
func strictArchive2(t testing.TB, raw []byte) {
	t.Helper()
	d, err := cms.ParseBytes(context.Background(), raw)
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for _, info := range d.Signers {
		var kept [][]byte
		var tokens [][]byte
		for _, a := range info.UnsignedAttrs {
			switch a.Type {
			case "1.2.840.113549.1.9.16.2.48":
				tokens = append(tokens, a.Values...)
			case "0.4.0.1733.2.4":
			default:
				kept = append(kept, a.Raw)
			}
		}
		all := bytes.Join(append([][]byte{raw[d.Encap.Offset : d.Encap.Offset+d.Encap.Length], raw[d.Certs.Offset : d.Certs.Offset+d.Certs.Length],
			raw[d.CRLs.Offset : d.CRLs.Offset+d.CRLs.Length]}, append(slices.Clone(info.Fields), ber.Append(nil, ber.Context, true, 1, kept...))...), nil)
		for _, value := range tokens {
			token, err := tsp.ParseToken(context.Background(), value)
			if err != nil || !bytes.Equal(token.Info.Imprint, hashOf(token.Info.Hash, all)) {
				t.Errorf("the archive time stamp of version 2 does not hold for other validators (%v)", err)
			}
			checked++
		}
	}
	if checked == 0 {
		t.Error("no archive time stamp of version 2")
	}
}

// Under an archive time stamp of version 2 no unsigned attribute is added, except archive time stamps.
func TestArchiveV2Freezes(t *testing.T) {
	t.Parallel()
	p, who := person(t, pki.EC)
	s := newServices(p, signedAt)
	ctx := context.Background()
	r := s.raising(ades.LevelLT)
	proven := archivedBefore(t, s, makeMessage(t, makingOf(p, who), who.Key, statement, cades.MakeOptions{}, &r))
	strictArchive2(t, proven)
	if _, err := cades.PrepareCountersignature(ctx, input(proven), "signer-1", makingOf(p, who)); !errors.Is(err, ades.ErrUnsuitable) {
		t.Errorf("counter-signed: %v", err)
	}
	plain := made(t, statement, false, signed.Options{PKI: p, Signer: who, At: signedAt})
	d, err := cms.ParseBytes(ctx, plain)
	if err != nil {
		t.Fatal(err)
	}
	e := d.Edit()
	e.AddCRL(d.Certificates[0].Raw) // something for the field to be there
	if plain, err = e.Bytes(ctx); err != nil {
		t.Fatal(err)
	}
	unstamped := archivedBefore(t, s, plain)
	for level := ades.LevelT; level <= ades.LevelLTA; level++ {
		if err := tryRaise(s.raising(level), unstamped); !errors.Is(err, ades.ErrUnsuitable) {
			t.Errorf("raised to %v: %v", level, err)
		}
	}
}

// Inside another format the content comes from there, or is in the message.
func TestRaiseCMS(t *testing.T) {
	t.Parallel()
	p, who := person(t, pki.EC)
	ctx := context.Background()
	for _, detached := range []bool{true, false} {
		s := newServices(p, signedAt)
		raw := makeMessage(t, makingOf(p, who), who.Key, statement, cades.MakeOptions{Detached: detached, NoTime: true}, nil)
		body := cades.Body{}
		if detached {
			body = bodyOf(statement)
		}
		high, err := cades.RaiseCMS(ctx, raw, body, s.raising(ades.LevelLTA))
		if err != nil {
			t.Fatal(err)
		}
		list, err := cades.ReadCMS(ctx, high, body.Open, cades.Options{})
		if err != nil || len(list) != 1 || !verifies(list[0]) || len(list[0].Timestamps) != 2 || !list[0].Timestamps[1].Intact {
			t.Errorf("detached %t: %v", detached, err)
		}
	}
}

// intact are the time stamps that hold, by what they say and what they are on.
func intact(list []*ades.Signature) map[string]bool {
	found := map[string]bool{}
	for _, sig := range list {
		for _, ts := range sig.Timestamps {
			if ts.Intact {
				found[fmt.Sprintf("%s %s of %v over %x on %x", ts.Kind, ts.Version, ts.GenTime, ts.Imprint, sig.Value)] = true
			}
		}
		maps.Copy(found, intact(sig.CounterSignatures))
	}
	return found
}

// Whatever bytes are raised, nothing panics, and what was sound is so afterwards.
func FuzzRaise(f *testing.F) {
	p, who := person(f, pki.EC)
	s := newServices(p, signedAt)
	for level := ades.LevelB; level <= ades.LevelLTA; level++ {
		r := s.raising(level)
		raw := makeMessage(f, makingOf(p, who), who.Key, statement, cades.MakeOptions{}, &r)
		f.Add(raw)
		if level == ades.LevelLT {
			f.Add(archivedBefore(f, s, raw))
		}
	}
	o := signed.Options{PKI: p, Signer: who, At: signedAt}
	o.Counter = []signed.Options{o}
	f.Add(made(f, statement, false, o, o))
	f.Fuzz(func(t *testing.T, raw []byte) {
		before, err := tryRead(raw)
		s := newServices(p, signedAt)
		r := s.raising(ades.LevelLTA)
		r.Evidence = func(context.Context, []ades.Need, []*x509.Certificate, ades.Values) (ades.Values, error) {
			return ades.Values{Certificates: [][]byte{p.Root.Certificate.Raw}}, nil
		}
		var out bytes.Buffer
		rerr := cades.Raise(context.Background(), input(raw), r, &out)
		if rerr != nil {
			return
		}
		after, aerr := tryRead(out.Bytes())
		if err != nil || aerr != nil || len(after) != len(before) {
			t.Fatalf("%d signatures become %d: %v, %v", len(before), len(after), err, aerr)
		}
		kept := intact(after)
		for _, sig := range after {
			if !verifies(sig) || len(intact([]*ades.Signature{sig})) == 0 {
				t.Errorf("raised to %s", describe(sig))
			}
		}
		for ts := range intact(before) {
			if !kept[ts] {
				t.Errorf("%s was intact before", ts)
			}
		}
	})
}
