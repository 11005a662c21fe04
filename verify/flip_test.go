package verify_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"io"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/eidkit/eidkit/testcards/pki"
	"github.com/eidkit/eidkit/testcards/signed"
	"github.com/eidkit/eidkit/verify"
)

// TestFlips: whichever byte of a file is changed, the signature is passed only
// if all that it covers, its signer and what he claims are still the same.
// TestSoakFlips changes more of them.
func TestFlips(t *testing.T) {
	t.Parallel()
	testFlips(t, 400)
}

// testFlips changes so many bytes of each file, one at a time.
func testFlips(t *testing.T, flips int) {
	p, err := pki.New(pki.Options{})
	if err != nil {
		t.Fatal(err)
	}
	who, err := signed.Citizen(p, pki.Request{})
	if err != nil {
		t.Fatal(err)
	}
	anchors := &verify.Anchors{}
	anchors.Add(p.Root.Certificate)
	policy, err := verify.ParsePolicy([]byte(`{"schema": 1, "id": "nobody is asked", "constraints": {"REVOCATION_OFFLINE": "ignore"}}`))
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	o := verify.Options{Anchors: anchors, At: at.Add(time.Hour), Offline: true, Policy: policy}
	for format, make := range makers {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			data, err := make(signed.Options{PKI: p, Signer: who, At: at})
			if err != nil {
				t.Fatal(err)
			}
			var v verify.Verifier
			defer v.Close()
			want, ok := essence(t, &v, data, o)
			if !ok {
				t.Fatal("not passed unchanged")
			}
			positions := rand.New(rand.NewPCG(1, 2)).Perm(len(data))
			if len(positions) > flips {
				positions = positions[:flips]
			}
			passed := 0
			for _, i := range positions {
				changed := bytes.Clone(data)
				changed[i] ^= 1 << (i % 8)
				if got, ok := essence(t, &v, changed, o); ok {
					passed++
					if got != want {
						t.Fatalf("byte %d of %d changed from %02x to %02x: passed, and what is signed has become\n%s\nfrom\n%s", i, len(data), data[i], changed[i], got, want)
					}
				}
			}
			t.Logf("%d bytes, %d changed, %d still passed", len(data), len(positions), passed)
		})
	}
}

// essence is what passed signatures vouch for.
func essence(t *testing.T, v *verify.Verifier, data []byte, o verify.Options) (string, bool) {
	t.Helper()
	rep, err := v.File(context.Background(), bytes.NewReader(data), int64(len(data)), o)
	if err != nil {
		t.Fatal(err)
	}
	if !rep.Passed() {
		return "", false
	}
	type signature struct {
		Certificate string
		Time        *time.Time
		Claims      *verify.Claims
		Names       []string
		Contents    [][32]byte
	}
	var all []signature
	for i := range rep.Signatures {
		s := &rep.Signatures[i]
		row := signature{Certificate: s.SigningCertificate.SHA256, Time: s.ClaimedSigningTime, Claims: s.Claims}
		for _, c := range s.SignedContent() {
			in, err := c.Open()
			if err != nil {
				t.Fatal(err)
			}
			sum := sha256.New()
			if _, err := io.Copy(sum, in); err != nil {
				t.Fatal(err)
			}
			in.Close()
			row.Names, row.Contents = append(row.Names, c.Name), append(row.Contents, [32]byte(sum.Sum(nil)))
		}
		all = append(all, row)
	}
	text, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	return string(text), true
}
