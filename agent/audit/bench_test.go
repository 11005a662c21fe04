package audit

import (
	"fmt"
	"testing"
)

// BenchmarkIntent is one line on the disk, as a client waits for it.
func BenchmarkIntent(b *testing.B) {
	for _, writers := range []int{1, 64} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			l, _ := newLog(b, nil)
			e := Event{Session: "s1", Client: "https://clinic.example", Operation: "identity", Fields: []string{"surname", "givenNames"}, Purpose: "Visit", By: "grant", Rule: "g-1", Reader: "ACS ACR39U", Method: "identity.read"}
			b.SetParallelism((writers + 1) / 2) // times GOMAXPROCS
			if writers == 1 {
				for b.Loop() {
					if _, err := l.Intent(e); err != nil {
						b.Fatal(err)
					}
				}
			} else {
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						if _, err := l.Intent(e); err != nil {
							b.Error(err)
						}
					}
				})
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "commits/s")
		})
	}
}

// BenchmarkVerify reads 20,000 lines.
func BenchmarkVerify(b *testing.B) {
	l, o := newLog(b, nil)
	lines := make([]*Line, 0, 20_000)
	for range cap(lines) {
		lines = append(lines, intentLine(&o, Event{Client: "https://clinic.example", Operation: "identity", Purpose: "Visit"}))
	}
	if err := l.Close(); err != nil {
		b.Fatal(err)
	}
	w := writer{dir: o.Dir, key: l.key, max: 1 << 30, now: l.o.Now}
	if err := w.commit(lines); err != nil {
		b.Fatal(err)
	}
	if err := w.close(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		sound(b, o.Dir)
	}
	b.ReportMetric(20_000*float64(b.N)/b.Elapsed().Seconds(), "lines/s")
}
