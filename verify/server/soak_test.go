//go:build soak

package server

import (
	"bytes"
	"io"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestSoakMemory sends 100,000 requests (20,000 under the race detector), good files, changed files and nonsense, and compares what the process holds after the first
// tenth with what it holds at the end.
func TestSoakMemory(t *testing.T) {
	m := makeFiles(t)
	url := start(t, m.options()) + "/v1/verify?at=" + m.at.Add(time.Hour).Format(time.RFC3339)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}}
	send := func(from, to int64) {
		next := atomic.Int64{}
		next.Store(from)
		var group sync.WaitGroup
		for range 16 {
			group.Go(func() {
				for i := next.Add(1) - 1; i < to; i = next.Add(1) - 1 {
					file := m.attached
					switch i % 4 {
					case 1:
						file = m.pdf
					case 2: // every one another, so that a cache without bounds would show
						file = bytes.Clone(m.attached)
						file[int(i/4)%len(file)] ^= byte(i/4/int64(len(file))) + 1
					case 3:
						file = bytes.Repeat([]byte{byte(i)}, int(i%5000)+1)
					}
					resp, err := client.Post(url, "application/octet-stream", bytes.NewReader(file))
					if err != nil {
						t.Error(err)
						return
					}
					_, _ = io.Copy(io.Discard, resp.Body)
					resp.Body.Close()
					if resp.StatusCode != 200 {
						t.Errorf("request %d: %d", i, resp.StatusCode)
						return
					}
				}
			})
		}
		group.Wait()
	}
	held := func() (heap uint64, goroutines int) {
		var stats runtime.MemStats
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&stats)
		return stats.HeapAlloc, runtime.NumGoroutine()
	}
	send(0, soakRequests/10)
	heap, goroutines := held()
	send(soakRequests/10, soakRequests)
	heapEnd, goroutinesEnd := held()
	t.Logf("heap %.1f MB, then %.1f MB; goroutines %d, then %d", float64(heap)/(1<<20), float64(heapEnd)/(1<<20), goroutines, goroutinesEnd)
	if heapEnd > heap+32<<20 {
		t.Errorf("the heap grew from %d to %d bytes", heap, heapEnd)
	}
	if goroutinesEnd > goroutines+16 {
		t.Errorf("goroutines: %d, then %d", goroutines, goroutinesEnd)
	}
}
