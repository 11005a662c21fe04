package agent

import (
	"context"
	"crypto/ed25519"

	"github.com/eidkit/eidkit/agent/pages"
	"github.com/eidkit/eidkit/agent/protocol"
	"github.com/eidkit/eidkit/agent/service"
)

// PageURL is the address of one of the agent's own pages (pages.Names) with a
// launch code that opens one session within a minute. It is for the user's
// browser alone: whoever has it is the user's page.
func (a *Agent) PageURL(page string) (string, error) {
	base, err := a.base()
	if err != nil {
		return "", err
	}
	if _, err := pages.Address(base, page, ""); err != nil {
		return "", err // and no code is made
	}
	return pages.Address(base, page, a.pages.code())
}

// PublicKey is that of this installation, which agent.prove proves to programs; a
// site sees one of its own.
func (a *Agent) PublicKey() ed25519.PublicKey { return a.publicKey("") }

func (a *Agent) publicKey(origin string) ed25519.PublicKey {
	return keyFor(a.key, origin).Public().(ed25519.PublicKey)
}

// openPage is page.open.
func openPage(_ context.Context, c *conn, call *service.Call) (any, error) {
	var p struct {
		Page string `json:"page"`
	}
	if err := protocol.Params(call.Params, &p); err != nil {
		return nil, err
	}
	if !c.a.o.Authority.Settings().Launch {
		return nil, protocol.Errorf(protocol.NotAuthorised, "the policy keeps the agent's own pages closed")
	}
	url, err := c.a.PageURL(p.Page)
	if err != nil {
		return nil, protocol.Errorf(protocol.InvalidArgument, "%v", err)
	}
	return struct {
		URL string `json:"url"`
	}{url}, nil
}

// state is the result of agent.status.
type state struct {
	Version     string   `json:"version"`
	Started     string   `json:"started"`
	Listening   []string `json:"listening"`
	Connections int      `json:"connections"`
	Dialogs     bool     `json:"dialogs"`
	PCSC        bool     `json:"pcsc"`
	Policy      string   `json:"policyError,omitempty"`
	Grants      string   `json:"grantsError,omitempty"`
}

// status is agent.status.
func status(_ context.Context, c *conn, call *service.Call) (any, error) {
	if err := protocol.Params(call.Params, &struct{}{}); err != nil {
		return nil, err
	}
	a := c.a
	s := state{Version: a.o.Version, Started: a.began.UTC().Format("2006-01-02T15:04:05Z"), Listening: []string{},
		Connections: a.clients.connections(), Dialogs: a.o.Desk != nil && a.o.Desk.Available() == nil, PCSC: a.o.PCSC != nil && a.o.PCSC()}
	a.mu.Lock()
	for _, l := range a.listening {
		s.Listening = append(s.Listening, l.String())
	}
	a.mu.Unlock()
	if err := a.o.Authority.PolicyError(); err != nil {
		s.Policy = err.Error()
	}
	if err := a.o.Authority.GrantsError(); err != nil {
		s.Grants = err.Error()
	}
	return s, nil
}

// stop is agent.stop.
func stop(_ context.Context, c *conn, call *service.Call) (any, error) {
	if err := protocol.Params(call.Params, &struct{}{}); err != nil {
		return nil, err
	}
	return followed{nil, c.a.stop}, nil
}
