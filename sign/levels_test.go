package sign_test

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/eidkit/eidkit/sign"
	"github.com/eidkit/eidkit/testcards/pki"
)

// testLevels: each way is passed at each level, offline once the evidence is embedded. B-B is in testTwoSteps, B-LT in
// testContentTimestamp.
func testLevels(t *testing.T, w *workshop) {
	t.Parallel()
	key := w.software(usual, 0)
	for _, y := range ways {
		for _, level := range []sign.Level{sign.T, sign.LTA} {
			t.Run(y.name+" "+level.String(), func(t *testing.T) {
				t.Parallel()
				file := y.must(t, key, y.options(w, level))
				rep := w.judged(t, file, level >= sign.LT, y.content()...)
				if err := complaint(rep, 1); err != nil {
					t.Fatal(err)
				}
				if rep.Signatures[0].Level != level.String() {
					t.Errorf("it says to be %s", rep.Signatures[0].Level)
				}
			})
		}
	}
}

// testTwoSteps: Prepare and Finish write the bytes that one step does, twice the same, with both kinds of keys. The report names the
// signature as verify does.
func testTwoSteps(t *testing.T, w *workshop) {
	t.Parallel()
	at := time.Now().Add(-time.Minute)
	for _, alg := range []pki.Algorithm{pki.EC, pki.RSA} {
		key := w.software(alg, 0)
		for _, y := range ways {
			t.Run(alg.String()+" "+y.name, func(t *testing.T) {
				t.Parallel()
				o := y.options(w, sign.B)
				o.Time, o.Claims = at, sign.Claims{Commitments: []string{"1.2.840.113549.1.9.16.6.1"}, Roles: []string{"zaakvoerder"}, Place: sign.Place{City: "Luik", Country: "BE"}}
				once := y.must(t, key, o)
				if again := y.must(t, key, o); !bytes.Equal(once, again) {
					t.Error("not the same bytes again")
				}
				p, err := sign.Prepare(t.Context(), y.format, y.in(), key.Certificate(), o)
				if err != nil {
					t.Fatal(err)
				}
				hash, digest := p.Digest()
				if len(digest) != hash.Size() || p.SignerOpts().HashFunc() != hash || hash != alg.Hash() {
					t.Errorf("%v, %d bytes", hash, len(digest))
				}
				value, err := key.Sign(nil, digest, p.SignerOpts())
				if err != nil {
					t.Fatal(err)
				}
				var out bytes.Buffer
				rep, err := p.Finish(t.Context(), &out, value)
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(out.Bytes(), once) {
					t.Error("two steps write other bytes than one")
				}
				if _, err := p.Finish(t.Context(), &out, value); !errors.Is(err, sign.ErrOptions) {
					t.Errorf("finished twice: %v", err)
				}
				verdict := w.judged(t, once, false, y.content()...)
				if err := complaint(verdict, 1); err != nil {
					t.Fatal(err)
				}
				s := verdict.Signatures[0]
				if s.ID != rep.ID || !s.ClaimedSigningTime.Equal(at.UTC().Truncate(time.Second)) || s.Claims == nil || len(s.Claims.Commitments) != 1 || len(s.Claims.Roles) != 1 {
					t.Errorf("%s at %v: %+v; the report says %+v", s.ID, s.ClaimedSigningTime, s.Claims, rep)
				}
			})
		}
	}
}

// testAlgorithms: digests and paddings other than the usual.
func testAlgorithms(t *testing.T, w *workshop) {
	t.Parallel()
	for _, tt := range []struct {
		alg  pki.Algorithm
		hash crypto.Hash
		pss  bool
		want string
	}{
		{pki.RSA, 0, true, "RSA-PSS with SHA-256"},
		{pki.RSA, crypto.SHA512, true, "RSA-PSS with SHA-512"},
		{pki.RSA, crypto.SHA512, false, "RSA with SHA-512"},
		{pki.EC, crypto.SHA256, false, "ECDSA with SHA-256"},
		{pki.EC, crypto.SHA3_384, false, "ECDSA with SHA3-384"},
	} {
		t.Run(tt.want, func(t *testing.T) {
			t.Parallel()
			for _, y := range brief[:4] {
				o := y.options(w, sign.B)
				o.Hash, o.PSS = tt.hash, tt.pss
				rep := w.judged(t, y.must(t, w.software(tt.alg, 0), o), false, y.content()...)
				if err := complaint(rep, 1); err != nil {
					t.Fatalf("%s: %v", y.name, err)
				}
				if got := rep.Signatures[0].Algorithm; got != tt.want {
					t.Errorf("%s: %s", y.name, got)
				}
			}
		})
	}
}

// testLarge: attached content above 16 MiB, which one step writes while it is hashed, and two steps afterwards.
func testLarge(t *testing.T, w *workshop) {
	t.Parallel()
	key, data := w.software(usual, 0), make([]byte, 16<<20+1)
	var done []int64
	o := w.options(usual, sign.T)
	o.Progress = func(p sign.Progress) {
		if p.Step == "hash" && p.Total == int64(len(data)) {
			done = append(done, p.Done)
		}
	}
	var out bytes.Buffer
	out.Grow(len(data) + 1<<16)
	if _, err := sign.CAdES(t.Context(), &out, source("groot.bin", "", data), key, o); err != nil {
		t.Fatal(err)
	}
	if len(done) < 5 || done[0] != 0 || done[len(done)-1] != int64(len(data)) || !slices.IsSorted(done) {
		t.Errorf("progress %v", done)
	}
	if err := complaint(w.judged(t, out.Bytes(), false), 1); err != nil {
		t.Error(err)
	}
	p, err := sign.Prepare(t.Context(), sign.FormatCAdES, []sign.Source{source("groot.bin", "", data)}, key.certificate, o)
	if err != nil {
		t.Fatal(err)
	}
	_, digest := p.Digest()
	value, err := key.Sign(nil, digest, p.SignerOpts())
	if err != nil {
		t.Fatal(err)
	}
	out.Reset()
	if _, err := p.Finish(t.Context(), &out, value); err != nil {
		t.Fatal(err)
	}
	if err := complaint(w.judged(t, out.Bytes(), false), 1); err != nil {
		t.Error(err)
	}
}

// testVisible: where a PDF signature will be seen, and the preview, in which nothing is signed.
func testVisible(t *testing.T, w *workshop) {
	t.Parallel()
	key, o := w.software(usual, 0), w.options(usual, sign.B)
	o.PDF = sign.PDF{Reason: "akkoord", Visible: &sign.Visible{Page: 1, Rect: [4]float64{50, 60, 250, 120}, Language: "nl"}}
	p, err := sign.Prepare(t.Context(), sign.FormatPAdES, aPDF(), key.certificate, o)
	if err != nil {
		t.Fatal(err)
	}
	if page, rect := p.Place(); page != 1 || rect != o.PDF.Visible.Rect {
		t.Errorf("page %d, %v", page, rect)
	}
	var preview bytes.Buffer
	if err := p.Preview(&preview); err != nil {
		t.Fatal(err)
	}
	if rep := w.judged(t, preview.Bytes(), true); rep.Passed() || len(rep.Signatures) > 0 && rep.Signatures[0].CryptographicallyValid {
		t.Errorf("the preview is signed: %+v", rep)
	}
	signed := way{format: sign.FormatPAdES, in: aPDF}.must(t, key, o)
	rep := w.judged(t, signed, false)
	if err := complaint(rep, 1); err != nil {
		t.Fatal(err)
	}
	if s := rep.Signatures[0]; s.PDF == nil || s.PDF.Page != 1 || s.Claims == nil || s.Claims.Reason != "akkoord" {
		t.Errorf("%+v %+v", s.PDF, s.Claims)
	}
}

// testSignerOpts: what a remote key is told.
func testSignerOpts(t *testing.T, w *workshop) {
	t.Parallel()
	o := w.options(pki.RSA, sign.B)
	o.PSS = true
	p, err := sign.Prepare(t.Context(), sign.FormatCAdES, aText(), w.software(pki.RSA, 0).certificate, o)
	if err != nil {
		t.Fatal(err)
	}
	if opts, ok := p.SignerOpts().(*rsa.PSSOptions); !ok || opts.Hash != crypto.SHA256 || opts.SaltLength != 32 {
		t.Errorf("%+v", p.SignerOpts())
	}
	if page, _ := p.Place(); page != 0 {
		t.Errorf("CAdES is seen on page %d", page)
	}
	if err := p.Preview(&counter{}); !errors.Is(err, sign.ErrUnsuitable) {
		t.Errorf("preview of CAdES: %v", err)
	}
}

// testContentTimestamp: stamped before it is signed.
func testContentTimestamp(t *testing.T, w *workshop) {
	t.Parallel()
	for _, y := range brief {
		o := y.options(w, sign.LT)
		o.ContentTimestamp = y.format != sign.FormatPAdES
		rep := w.judged(t, y.must(t, w.software(usual, 0), o), true, y.content()...)
		if err := complaint(rep, 1); err != nil {
			t.Fatalf("%s: %v", y.name, err)
		}
		kinds := map[string]int{}
		for _, ts := range rep.Signatures[0].Timestamps {
			kinds[ts.Kind]++
		}
		if (kinds["content"] == 1) != o.ContentTimestamp || kinds["signature"] != 1 {
			t.Errorf("%s: %v", y.name, kinds)
		}
	}
}

// chained is a key that knows what is above it.
type chained struct {
	software
	above []*x509.Certificate
}

func (k chained) Chain() []*x509.Certificate { return k.above }

// testChain: the certificates above the signer's come from the key, the options, or the network, and not from there when offline.
func testChain(t *testing.T, w *workshop) {
	t.Parallel()
	key, ca := w.software(usual, 0), w.net.Of(usual).CitizenCA.Certificate
	for _, tt := range []struct {
		name    string
		key     sign.Key
		set     func(*sign.Options)
		chained bool
	}{
		{"network", key, func(*sign.Options) {}, true},
		{"key", chained{key, []*x509.Certificate{nil, ca}}, func(o *sign.Options) { o.Offline = true }, true},
		{"options", key, func(o *sign.Options) { o.Offline, o.Chain = true, []*x509.Certificate{ca} }, true},
		{"nowhere", key, func(o *sign.Options) { o.Offline = true }, false},
		{"no anchor", chained{key, []*x509.Certificate{ca}}, func(o *sign.Options) { o.Offline, o.Anchors = true, nil }, true},
	} {
		for _, y := range brief[:4] {
			o := y.options(w, sign.B)
			tt.set(&o)
			file := y.must(t, tt.key, o)
			if has := embeds(t, w, file, y, ca); has != tt.chained {
				t.Errorf("%s, %s: embedded %v", tt.name, y.name, has)
			}
		}
	}
}

// embeds reports whether verify finds a path to the anchor without a look elsewhere.
func embeds(t *testing.T, w *workshop, file []byte, y way, ca *x509.Certificate) bool {
	t.Helper()
	rep := w.judged(t, file, true, y.content()...)
	if len(rep.Signatures) != 1 || !rep.Signatures[0].CryptographicallyValid {
		t.Fatalf("%s: %v", y.name, complaint(rep, 1))
	}
	for _, c := range rep.Signatures[0].Chain {
		if c.Serial != "" && c.Subject == ca.Subject.String() || c.Anchor {
			return true
		}
	}
	return false
}
