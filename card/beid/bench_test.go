package beid_test

import (
	"context"
	"crypto"
	"testing"
	"time"

	"github.com/eidkit/eidkit/card"
	"github.com/eidkit/eidkit/card/beid"
	"github.com/eidkit/eidkit/testcards"
	"github.com/eidkit/eidkit/verify"
	"github.com/eidkit/eidkit/verify/carddata"
)

// benchProfiles are the cards that docs/performance.md compares.
var benchProfiles = []string{"citizen-1.7", "citizen-1.8-nofiller", "citizen-1.8"}

// BenchmarkReadAll reads a whole card in memory. Beside this program's own time it reports what a real card's line would take, from
// insertion: until name and number are there, until what proves them is there too, and in all.
func BenchmarkReadAll(b *testing.B) {
	for _, profile := range benchProfiles {
		b.Run(profile, func(b *testing.B) {
			sim := openBench(b, profile)
			var name, proof, all time.Duration
			trace := &card.Trace{}
			for b.Loop() {
				sim.PowerOff()
				sim.ClearStats()
				trace = &card.Trace{}
				c, err := beid.Open(context.Background(), trace.Reader(sim.Reader()))
				if err != nil {
					b.Fatal(err)
				}
				_, err = c.ReadAll(context.Background(), func(id beid.FileID, _ beid.Files) error {
					switch id {
					case beid.FileIdentity:
						name = sim.Stats().LineTime
					case beid.FileRoot:
						proof = sim.Stats().LineTime
					}
					return nil
				})
				if err != nil {
					b.Fatal(err)
				}
				all = sim.Stats().LineTime
				c.Close()
			}
			b.ReportMetric(float64(trace.Stats().Commands), "commands")
			b.ReportMetric(float64(sim.Stats().WrongLength), "repeats")
			b.ReportMetric(float64(trace.Stats().Received-2*trace.Stats().Commands), "bytes-read")
			b.ReportMetric(name.Seconds(), "line-s-name")
			b.ReportMetric(proof.Seconds(), "line-s-proof")
			b.ReportMetric(all.Seconds(), "line-s-all")
		})
	}
}

// BenchmarkVerify checks what was read: signatures, hashes and the chain to the root.
func BenchmarkVerify(b *testing.B) {
	for _, profile := range benchProfiles {
		b.Run(profile, func(b *testing.B) {
			sim := openBench(b, profile)
			c, err := beid.Open(context.Background(), sim.Reader())
			if err != nil {
				b.Fatal(err)
			}
			defer c.Close()
			f, err := c.ReadAll(context.Background(), nil)
			if err != nil {
				b.Fatal(err)
			}
			a := &verify.Anchors{}
			a.Add(sim.Root())
			for b.Loop() {
				if !carddata.Verify(f, carddata.Options{Anchors: a}).Trusted() {
					b.Fatal("not trusted")
				}
			}
		})
	}
}

// BenchmarkSign makes signatures; what the card costs in software is in the figure.
func BenchmarkSign(b *testing.B) {
	for _, profile := range []string{"citizen-1.7", "citizen-1.8"} {
		b.Run(profile, func(b *testing.B) {
			sim := openBench(b, profile)
			trace := &card.Trace{}
			c, err := beid.Open(context.Background(), trace.Reader(sim.Reader()))
			if err != nil {
				b.Fatal(err)
			}
			defer c.Close()
			key, err := c.AuthenticationKey(context.Background(), func(context.Context, beid.PINRequest) (card.PIN, error) {
				return card.NewPIN([]byte(testcards.PIN))
			})
			if err != nil {
				b.Fatal(err)
			}
			before := trace.Stats().Commands
			for b.Loop() {
				if _, err := key.Sign(nil, make([]byte, 32), crypto.SHA256); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(trace.Stats().Commands-before)/float64(b.N), "commands")
		})
	}
}

func openBench(b *testing.B, profile string) *testcards.Card {
	b.Helper()
	sim, err := testcards.Open(profile, testcards.Options{})
	if err != nil {
		b.Fatal(err)
	}
	return sim
}
