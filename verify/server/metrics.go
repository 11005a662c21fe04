package server

import (
	"fmt"
	"net/http"
	"time"

	"github.com/VictoriaMetrics/metrics"
)

// meters are the figures of one server.
type meters struct {
	set      *metrics.Set
	received *metrics.Counter
	duration *metrics.Summary
	judged   *metrics.Summary
}

func newMeters(s *Server) *meters {
	set := metrics.NewSet()
	set.NewGauge("eidkit_uploads", func() float64 { return float64(s.uploads.inside()) })
	set.NewGauge("eidkit_judging", func() float64 { return float64(s.judging.inside()) })
	set.NewGauge("eidkit_queued", func() float64 { return float64(s.judging.queued()) })
	return &meters{
		set:      set,
		received: set.NewCounter("eidkit_received_bytes_total"),
		duration: set.NewSummaryExt("eidkit_request_duration_seconds", time.Minute, []float64{0.5, 0.9, 0.99}),
		judged:   set.NewSummaryExt("eidkit_judge_duration_seconds", time.Minute, []float64{0.5, 0.9, 0.99}),
	}
}

// request counts an answer; verdict is an indication, an error of a report, or
// empty. Both are from short fixed lists.
func (m *meters) request(status int, verdict string, size int64, began time.Time) {
	m.set.GetOrCreateCounter(fmt.Sprintf(`eidkit_requests_total{code="%d"}`, status)).Inc()
	if verdict != "" {
		m.set.GetOrCreateCounter(fmt.Sprintf(`eidkit_verdicts_total{verdict=%q}`, verdict)).Inc()
	}
	m.received.AddInt64(size)
	m.duration.UpdateDuration(began)
}

func (m *meters) serve(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	m.set.WritePrometheus(w)
	metrics.WriteProcessMetrics(w)
}
