package assurability

import (
	"slices"
	"sync"
	"testing"
	"time"
)

// benchmark asks from several goroutines at once and reports questions a second and the 99th percentile of what one takes.
func benchmark(b *testing.B, q Question) {
	x := newTill(b, "doctor", func(so *SessionOptions, o *Options) { o.Log = nil })
	q.Patient.NISS = ordinaryPatient
	if a, err := x.client.Ask(b.Context(), q); err != nil || a.Status != Insured {
		b.Fatal(a, err)
	}
	var mu sync.Mutex
	var took []time.Duration
	b.SetParallelism(4)
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(p *testing.PB) {
		var own []time.Duration
		for p.Next() {
			start := time.Now()
			a, err := x.client.Ask(b.Context(), q)
			if err != nil || a.Status != Insured {
				b.Error(a, err)
				return
			}
			own = append(own, time.Since(start))
		}
		mu.Lock()
		defer mu.Unlock()
		took = append(took, own...)
	})
	b.StopTimer()
	slices.Sort(took)
	b.ReportMetric(float64(len(took))/b.Elapsed().Seconds(), "questions/s")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
}

// BenchmarkAsk asks the simulated service, which takes its part of the same processors: TLS, signature, SAML and schema are all checked.
func BenchmarkAsk(b *testing.B) { benchmark(b, Question{}) }

// BenchmarkCached is answered out of memory.
func BenchmarkCached(b *testing.B) { benchmark(b, Question{Recent: true}) }
