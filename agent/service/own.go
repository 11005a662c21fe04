package service

import (
	"context"
	"errors"
	"slices"

	"github.com/eidkit/eidkit/agent/access"
	"github.com/eidkit/eidkit/agent/audit"
	"github.com/eidkit/eidkit/agent/gate"
	"github.com/eidkit/eidkit/agent/protocol"
)

// What the agent's own pages show of the agent itself. They come to no card, so
// reading them is not logged; what changes something is.

const maxLogLines = 500

// ownPage refuses everybody else.
func (s *Service) ownPage(c *Call) error {
	if c.Client.Kind != access.Page {
		return protocol.Errorf(protocol.NotAuthorised, "this is for the agent's own pages")
	}
	if d := s.o.Authority.Decide(access.Request{Client: c.Client, Operation: access.OpOwn}); d.Verdict != access.Allow {
		return protocol.Errorf(protocol.NotAuthorised, "%s", d.Why)
	}
	return nil
}

// logRead is log.read: lines of the audit log, oldest first.
func (s *Service) logRead(_ context.Context, c *Call) (any, error) {
	var p struct {
		Before uint64 `json:"before"`
		Limit  int    `json:"limit"`
	}
	if err := params(c, &p); err != nil {
		return nil, err
	}
	if err := s.ownPage(c); err != nil {
		return nil, err
	}
	if p.Limit < 0 || p.Limit > maxLogLines {
		return nil, invalid("limit: at most %d", maxLogLines)
	}
	if p.Limit == 0 {
		p.Limit = maxLogLines
	}
	lines, err := s.o.Log(audit.Filter{Before: p.Before, Limit: p.Limit})
	if err != nil {
		return nil, fault(err)
	}
	return struct {
		Lines []audit.Line `json:"lines"`
	}{append([]audit.Line{}, lines...)}, nil
}

// grantsList is grants.list.
func (s *Service) grantsList(_ context.Context, c *Call) (any, error) {
	if err := params(c, &none{}); err != nil {
		return nil, err
	}
	if err := s.ownPage(c); err != nil {
		return nil, err
	}
	return struct {
		Grants []access.Grant `json:"grants"`
	}{append([]access.Grant{}, s.o.Authority.Grants()...)}, nil
}

// pairingsList is pairings.list.
func (s *Service) pairingsList(_ context.Context, c *Call) (any, error) {
	if err := params(c, &none{}); err != nil {
		return nil, err
	}
	if err := s.ownPage(c); err != nil {
		return nil, err
	}
	return struct {
		Pairings []access.Pairing `json:"pairings"`
	}{append([]access.Pairing{}, s.o.Authority.Pairings()...)}, nil
}

// grantsRevoke is grants.revoke.
func (s *Service) grantsRevoke(ctx context.Context, c *Call) (any, error) {
	return nil, s.withdraw(ctx, c, "grants.revoke", s.o.Authority.Revoke)
}

// pairingsRevoke is pairings.revoke.
func (s *Service) pairingsRevoke(ctx context.Context, c *Call) (any, error) {
	return nil, s.withdraw(ctx, c, "pairings.revoke", s.o.Authority.Unpair)
}

func (s *Service) withdraw(ctx context.Context, c *Call, method string, of func(id string) error) error {
	var p struct {
		ID string `json:"id"`
	}
	if err := params(c, &p); err != nil {
		return err
	}
	if err := s.ownPage(c); err != nil {
		return err
	}
	pass, err := s.o.Gate.Enter(ctx, gate.Request{Request: access.Request{Client: c.Client, Operation: access.OpOwn}, Method: method})
	if err != nil {
		return fault(err)
	}
	return fault(pass.Done(audit.Outcome{}, fault(of(p.ID))))
}

// pairable are the operations that a program can be paired for.
var pairable = []access.Operation{access.OpReaders, access.OpIdentity, access.OpInsurability}

// pairRequest is pair.request: the user is shown the name that the program gives
// itself, and the executable that the system says it is.
func (s *Service) pairRequest(ctx context.Context, c *Call) (any, error) {
	var p struct {
		Name       string             `json:"name"`
		Operations []access.Operation `json:"operations"`
	}
	if err := params(c, &p); err != nil {
		return nil, err
	}
	if err := checkText("name", p.Name, 64); err != nil {
		return nil, err
	}
	if p.Name == "" || len(p.Operations) == 0 {
		return nil, invalid("a name and operations are wanted")
	}
	fields := make([]string, len(p.Operations))
	for i, op := range p.Operations {
		if !slices.Contains(pairable, op) || slices.Contains(p.Operations[:i], op) {
			return nil, invalid("operations: some of readers, identity and insurability, each once")
		}
		fields[i] = string(op)
	}
	client := c.Client
	client.Name = p.Name
	waiting(c, "consent", "")
	pass, err := s.o.Gate.Enter(ctx, gate.Request{Request: access.Request{Client: client, Operation: access.OpPair, Fields: fields}, Method: "pair.request"})
	if err != nil {
		return nil, fault(err)
	}
	token, pairing, err := s.o.Authority.Pair(p.Name, client.Executable, p.Operations)
	paired := err == nil
	if err := pass.Done(audit.Outcome{}, fault(err)); err != nil {
		if paired { // nobody will have the token
			err = errors.Join(err, s.o.Authority.Unpair(pairing.ID))
		}
		return nil, fault(err)
	}
	return struct {
		ID    string `json:"id"`
		Token string `json:"token"`
	}{pairing.ID, token}, nil
}
