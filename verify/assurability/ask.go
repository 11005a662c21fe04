package assurability

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/eidkit/eidkit/internal/evidence"
	"github.com/eidkit/eidkit/internal/fetch"
	"github.com/eidkit/eidkit/internal/soap"
	"github.com/eidkit/eidkit/internal/sts"
)

// Codes of SOAP faults that mean something to a client (facts sheet c.5).
const (
	soaNotAuthenticated = "SOA-01001"
	soaNotAuthorised    = "SOA-01002"
	soaTryAgain         = "SOA-02002"
)

// beforeRetry is the wait before a question is repeated.
const beforeRetry = 200 * time.Millisecond

// try asks, and asks once more where that is right: with a new token when the service does not take this one, and after a fault that
// passes. The references in q are those of the last message. tries are what the messages before it came to. Errors are the caller's
// business: his session, his credential, his context.
func (c *Client) try(ctx context.Context, q *Question) (a *Answer, tries []string, err error) {
	var refused *held // the token that the service did not take, with its fault in the last answer
	for {
		h, err := c.o.Session.current(ctx, refused)
		if err != nil {
			if refused != nil {
				err = fmt.Errorf("%w; %w", a.Cause, err)
			}
			if a, err = c.withoutToken(q, err, refused); err != nil {
				return nil, tries, err
			}
			return a, tries, nil
		}
		if len(tries) > 0 {
			q.Sent = c.now()
			q.Reference = newReference(q.Sent)
		}
		if a, err = c.once(ctx, q, h); err != nil {
			return nil, tries, err
		}
		var fault *soap.Fault
		errors.As(a.Cause, &fault)
		notAuthenticated := fault != nil && fault.SOA == soaNotAuthenticated
		again := fault != nil && fault.SOA == soaTryAgain || a.Status == Unavailable && a.Fault.Retry()
		if len(tries) > 0 || !notAuthenticated && !again {
			return a, tries, nil
		}
		tries = append(tries, a.Reason())
		if notAuthenticated {
			refused = h
		} else if !pause(ctx, beforeRetry) {
			return a, tries[:0], nil
		}
	}
}

// pause waits; false: ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// withoutToken is the answer when there is no token: Unavailable if the platform gave none, an error if somebody has to do something.
func (c *Client) withoutToken(q *Question, err error, refused *held) (*Answer, error) {
	var fault *soap.Fault
	network := errors.As(err, &fault) || errors.Is(err, soap.ErrMalformed) || errors.Is(err, sts.ErrToken) || errors.Is(err, context.DeadlineExceeded)
	for _, e := range []error{fetch.ErrUnavailable, fetch.ErrTimeout, fetch.ErrStatus, fetch.ErrTooLarge, fetch.ErrRedirect, fetch.ErrForbiddenAddress} {
		network = network || errors.Is(err, e)
	}
	if errors.Is(err, sts.ErrCredential) || !network && refused == nil {
		return nil, err
	}
	return c.unavailable(q, err), nil
}

// unavailable is the answer that there is none.
func (c *Client) unavailable(q *Question, cause error) *Answer {
	return &Answer{Status: Unavailable, Service: q.Service, From: q.From, Until: q.last(), Time: c.now(), References: References{Input: q.Reference}, Cause: cause}
}

// once sends one message and reads what comes. Errors: that of the key, or of ctx when it was cancelled.
func (c *Client) once(ctx context.Context, q *Question, h *held) (*Answer, error) {
	done, err := c.breakers[q.Service].enter(c.now())
	if err != nil {
		return c.unavailable(q, err), nil
	}
	came := abandoned
	defer func() { done(came, c.now()) }()
	body, err := encode(q.Service, q, &c.provider, c.sealing(ctx))
	if err != nil {
		return nil, err
	}
	message, err := soap.Build(ctx, body, &soap.Security{Key: h.key, Assertion: h.token.Assertion, Created: q.Sent})
	if ctx.Err() != nil { // before anything was sent
		return c.ended(ctx, q)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSession, err)
	}
	action, ok := c.o.Actions[q.Service]
	if !ok {
		action = knownActions[q.Service]
	}
	response, err := c.fetch.Post(ctx, c.o.Endpoints[q.Service], "text/xml; charset=utf-8", message, fetch.Request{Accept: "text/xml", SOAP: true, SOAPAction: action})
	if ctx.Err() == context.Canceled {
		return nil, ctx.Err()
	}
	if err != nil {
		came = failed
		c.keep(q, message, nil)
		return c.unavailable(q, err), nil
	}
	c.keep(q, message, response.Body)
	a, err := c.read(ctx, q, response)
	if err != nil {
		a = c.unavailable(q, err)
	} else if a.Status == Unavailable {
		a.Cause = faultError(a.Fault)
	}
	came = judge(a, err)
	return a, nil
}

// ended is what comes of a question whose time is over, or whose caller went away.
func (c *Client) ended(ctx context.Context, q *Question) (*Answer, error) {
	if ctx.Err() == context.Canceled {
		return nil, ctx.Err()
	}
	return c.unavailable(q, fmt.Errorf("%w: %w", fetch.ErrTimeout, ctx.Err())), nil
}

func (c *Client) sealing(ctx context.Context) *sealing {
	return &sealing{ctx: ctx, seal: c.o.Sealer.Seal, unseal: c.o.Sealer.Unseal, replyTo: c.o.Sealer.ReplyTo}
}

// read reads an answer.
func (c *Client) read(ctx context.Context, q *Question, r *fetch.Response) (*Answer, error) {
	body, err := soap.Open(ctx, r.Body)
	if err != nil {
		return nil, err
	}
	if r.Failed {
		return nil, fmt.Errorf("%w: status 500 without a fault", ErrAnswer)
	}
	return decode(q.Service, q, body, c.now(), c.sealing(ctx))
}

// judge says what an answer tells of the service: faults about the question or the caller are no failures of the service.
func judge(a *Answer, err error) outcome {
	var fault *soap.Fault
	switch {
	case errors.As(err, &fault):
		if strings.HasPrefix(fault.SOA, "SOA-01") || strings.HasPrefix(fault.SOA, "SOA-03") {
			return worked
		}
		return failed
	case err != nil, a.Fault.Retry():
		return failed
	}
	return worked
}

// mayFallBack: an answer of earlier today may stand in, but not for one who is not allowed to ask.
func mayFallBack(a *Answer) bool {
	var fault *soap.Fault
	return !errors.As(a.Cause, &fault) || fault.SOA != soaNotAuthorised && fault.SOA != soaNotAuthenticated
}

// faultError is a business fault as the cause of Unavailable.
func faultError(f *Fault) error {
	if f == nil {
		return fmt.Errorf("%w: it says neither who nor why not", ErrAnswer)
	}
	text := "the service answers with the fault " + f.Code
	for _, d := range f.Details {
		text += " " + d.Code
	}
	return errors.New(text)
}

// keep puts a message and what came for it into the evidence store. What goes wrong with it is told in the log of the call.
func (c *Client) keep(q *Question, request, response []byte) {
	if c.evidence == nil {
		return
	}
	err := c.evidence.Put(evidence.Exchange{Time: c.now(), Service: string(q.Service), Endpoint: c.o.Endpoints[q.Service], Reference: q.Reference, Request: request, Response: response})
	if err != nil {
		q.evidence = err
	}
}
