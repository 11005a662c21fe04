package server

import (
	"bytes"
	"io"
	"net/http"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// BenchmarkServer sends a small B-LT file over 16 connections, to a server on loopback with both on the same processors.
// Reported: requests a second, and the 50th and 99th percentile of an answer's time in milliseconds.
func BenchmarkServer(b *testing.B) {
	m := makeFiles(b)
	url := start(b, m.options()) + "/v1/verify?at=" + m.at.Add(time.Hour).Format(time.RFC3339)
	for _, c := range []struct {
		name string
		file []byte
	}{{"CAdES", m.attached}, {"PAdES", m.pdf}} {
		b.Run(c.name, func(b *testing.B) { hammer(b, url, c.file, b.N, 16) })
	}
}

// BenchmarkServerPaced sends 500 requests a second, whatever the server does: the 99th percentile counts from when each was due.
func BenchmarkServerPaced(b *testing.B) {
	const rate = 500
	m := makeFiles(b)
	url := start(b, m.options()) + "/v1/verify?at=" + m.at.Add(time.Hour).Format(time.RFC3339)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	times := make([]time.Duration, b.N)
	var group sync.WaitGroup
	tick := time.NewTicker(time.Second / rate)
	defer tick.Stop()
	b.ResetTimer()
	began := time.Now()
	for i := range b.N {
		due := began.Add(time.Duration(i) * time.Second / rate)
		for time.Now().Before(due) {
			<-tick.C
		}
		group.Go(func() {
			resp, err := client.Post(url, "application/octet-stream", bytes.NewReader(m.attached))
			if err != nil {
				b.Error(err)
				return
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
			if resp.StatusCode != 200 {
				b.Errorf("%d", resp.StatusCode)
			}
			times[i] = time.Since(due)
		})
	}
	group.Wait()
	b.ReportMetric(float64(b.N)/time.Since(began).Seconds(), "requests/s")
	slices.Sort(times)
	b.ReportMetric(float64(times[b.N/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(times[b.N*99/100].Microseconds())/1000, "p99-ms")
}

func hammer(b *testing.B, url string, file []byte, n, connections int) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: connections}}
	times := make([]time.Duration, n)
	var next atomic.Int64
	var group sync.WaitGroup
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	began := time.Now()
	for range connections {
		group.Go(func() {
			for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
				start := time.Now()
				resp, err := client.Post(url, "application/octet-stream", bytes.NewReader(file))
				if err != nil {
					b.Error(err)
					return
				}
				body, _ := io.ReadAll(resp.Body)
				resp.Body.Close()
				if resp.StatusCode != 200 || !bytes.Contains(body, []byte(`"indication":"TOTAL-PASSED"`)) {
					b.Errorf("%d %.200s", resp.StatusCode, body)
					return
				}
				times[i] = time.Since(start)
			}
		})
	}
	group.Wait()
	took := time.Since(began)
	runtime.GC()
	runtime.ReadMemStats(&after)
	slices.Sort(times)
	b.ReportMetric(float64(n)/took.Seconds(), "requests/s")
	b.ReportMetric(float64(times[n/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(times[n*99/100].Microseconds())/1000, "p99-ms")
	b.ReportMetric(float64(int64(after.HeapAlloc)-int64(before.HeapAlloc))/(1<<20), "heap-growth-MB")
}
