package assurability

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"time"

	"github.com/eidkit/eidkit/internal/fetch"
	"github.com/eidkit/eidkit/internal/soap"
	"github.com/eidkit/eidkit/internal/sts"
)

// Call is a question and what came of it, for the log (facts sheet g). It holds no message, no name and no national number.
type Call struct {
	Time     time.Time `json:"time"`
	User     string    `json:"user,omitempty"`
	NIHII    string    `json:"nihii"`
	Patient  string    `json:"patient"` // stands for the number: see Options.LogKey
	Reading  *Reading  `json:"reading,omitempty"`
	Service  Service   `json:"service"`
	Endpoint string    `json:"endpoint"`
	From     string    `json:"from"`
	Until    string    `json:"until"`
	Contact  string    `json:"contact"`
	Request  string    `json:"request"` // "information", "invoicing"
	// Input, Network and Output are the references of the messages, UserReference the caller's.
	Input         string `json:"inputReference"`
	Network       string `json:"networkReference,omitempty"`
	Output        string `json:"outputReference,omitempty"`
	UserReference string `json:"userReference,omitempty"`
	Status        Status `json:"status"`
	// Reason says why the network gave no answer, Tries the same of messages before the last one, Faults are the codes of a fault.
	Reason   string        `json:"reason,omitempty"`
	Tries    []string      `json:"tries,omitempty"`
	Faults   []string      `json:"faults,omitempty"`
	Approval string        `json:"approval,omitempty"`
	Latency  time.Duration `json:"latency"` // ns
	Cached   bool          `json:"cached"`
	Age      time.Duration `json:"age,omitempty"` // of a cached answer, ns
	// EvidenceLost: message and answer could not be kept.
	EvidenceLost string `json:"evidenceLost,omitempty"`
}

// log makes the record of a question.
func (c *Client) log(q *Question, a *Answer, tries []string, start time.Time) {
	if c.o.Log == nil {
		return
	}
	call := Call{Time: start, User: q.User, NIHII: c.provider.NIHII, Patient: c.standIn(q.Patient), Service: q.Service, Endpoint: c.o.Endpoints[q.Service],
		From: q.From.String(), Until: q.last().String(), Contact: contactTypes[q.Contact], Request: q.requestType(),
		Input: q.Reference, Network: short(a.References.Network), Output: short(a.References.Output), UserReference: q.UserReference,
		Status: a.Status, Reason: a.Reason(), Tries: tries, Approval: short(a.Approval.Number), Latency: c.now().Sub(start), Age: a.Age}
	if q.Reading != (Reading{}) {
		r := q.Reading
		call.Reading = &r
	}
	for _, w := range a.Warnings {
		call.Cached = call.Cached || w == CachedAnswer
	}
	if call.Cached {
		call.Network, call.Output = "", "" // they are those of the earlier call
	}
	if a.Fault != nil {
		call.Faults = append(call.Faults, short(a.Fault.Code))
		for _, d := range a.Fault.Details[:min(len(a.Fault.Details), maxFaults)] {
			call.Faults = append(call.Faults, short(d.Code))
		}
	}
	if q.evidence != nil {
		call.EvidenceLost = q.evidence.Error()
	}
	c.o.Log(call)
}

// maxCode and maxFaults bound what a service can put into the log: the longest code there is has 45 characters.
const maxCode, maxFaults = 48, 20

// short is a code or number of a service, as long as those that there are.
func short(s string) string { return s[:min(len(s), maxCode)] }

// Reason is the Cause in a word: the code of a SOAP fault ("SOA-02001"), "status 503", "timeout", "paused", "certificate",
// "answer refused", "session", "fault" (see Fault), "cancelled" or "unavailable"; empty if there is none.
func (a *Answer) Reason() string {
	var fault *soap.Fault
	var status *fetch.StatusError
	var certificate *tls.CertificateVerificationError
	switch err := a.Cause; {
	case err == nil:
		return ""
	case errors.As(err, &fault):
		if fault.SOA != "" {
			return short(fault.SOA)
		}
		return "fault"
	case errors.As(err, &status):
		return fmt.Sprintf("status %d", status.Code)
	case errors.As(err, &certificate):
		return "certificate"
	case errors.Is(err, context.Canceled):
		return "cancelled"
	case errors.Is(err, ErrPaused):
		return "paused"
	case errors.Is(err, fetch.ErrTimeout), errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	case errors.Is(err, ErrAnswer), errors.Is(err, soap.ErrMalformed), errors.Is(err, fetch.ErrTooLarge):
		return "answer refused"
	case errors.Is(err, sts.ErrToken), errors.Is(err, sts.ErrCredential), errors.Is(err, ErrSession):
		return "session"
	case a.Fault != nil:
		return "fault"
	default:
		return "unavailable"
	}
}
