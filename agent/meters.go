package agent

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/eidkit/eidkit/agent/protocol"
)

// meters are the figures of one agent. No label has anything of a client or a
// person: codes, reasons and methods are from fixed lists.
type meters struct {
	a              *Agent
	set            *metrics.Set
	received, sent *metrics.Counter
	duration       *metrics.Summary
}

func newMeters(a *Agent) *meters {
	set := metrics.NewSet()
	set.NewGauge("eidkit_agent_connections", func() float64 { return float64(a.clients.connections()) })
	set.NewGauge("eidkit_agent_spool_bytes", func() float64 { return float64(a.o.Spool.Used()) })
	return &meters{a: a, set: set,
		received: set.NewCounter("eidkit_agent_received_document_bytes_total"),
		sent:     set.NewCounter("eidkit_agent_sent_document_bytes_total"),
		duration: set.NewSummaryExt("eidkit_agent_request_duration_seconds", time.Minute, []float64{0.5, 0.9, 0.99})}
}

// refused counts a handshake or launch code that was refused.
func (m *meters) refused(reason string) {
	m.set.GetOrCreateCounter(fmt.Sprintf("eidkit_agent_refused_total{reason=%q}", reason)).Inc()
}

// request counts an answer.
func (m *meters) request(method string, err error, began time.Time) {
	if _, known := m.a.methods[method]; !known {
		method = "other"
	}
	code := ""
	if err != nil {
		code = string(protocol.CodeOf(err))
	}
	m.set.GetOrCreateCounter(fmt.Sprintf("eidkit_agent_requests_total{method=%q,code=%q}", method, code)).Inc()
	m.duration.UpdateDuration(began)
}

// closed counts a connection that ended.
func (m *meters) closed(why error) {
	reason := "client"
	var c closing
	switch {
	case errors.Is(why, errSlow):
		reason = "slow"
	case errors.As(why, &c):
		reason = "refused"
	}
	m.set.GetOrCreateCounter(fmt.Sprintf("eidkit_agent_closed_total{reason=%q}", reason)).Inc()
}

func (m *meters) serve(w http.ResponseWriter) {
	hardHeaders(w.Header())
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	m.set.WritePrometheus(w)
	metrics.WriteProcessMetrics(w)
}
