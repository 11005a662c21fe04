package agent

import (
	"context"
	"encoding/base64"
	"fmt"
	"maps"
	"slices"

	"github.com/eidkit/eidkit/agent/access"
	"github.com/eidkit/eidkit/agent/protocol"
	"github.com/eidkit/eidkit/agent/service"
)

// audience is who may call a method at all. What the method then does for that
// client is decided by it, at the gate.
type audience int

const (
	own       audience = iota // the agent's own pages, with a session: the zero value lets nobody else in
	everybody                 // sites, extensions, paired programs, own pages
	also                      // these, and programs without a token
	launching                 // own pages, also before they have a session
	socket                    // programs on the Unix socket, with or without a token
)

// audiences are those of the methods that are not for own pages alone.
var audiences = map[string]audience{
	"agent.info": also, "agent.prove": also, "operation.cancel": also,
	"readers.list": everybody, "events.subscribe": everybody, "events.unsubscribe": everybody,
	"identity.read": everybody, "insurability.read": everybody, "auth.login": everybody,
	"sign.certificate": everybody, "sign.hash": everybody, "sign.document": everybody, "verify.document": everybody,
	"document.open": everybody, "document.info": everybody, "document.read": everybody, "document.close": everybody,
	"pin.status": everybody, "pin.change": everybody,
	"session.start": launching, "session.resume": launching,
	"pair.request": socket, "page.open": socket, "agent.status": socket, "agent.stop": socket,
}

// method is one that this agent has.
type method struct {
	call     func(context.Context, *conn, *service.Call) (any, error)
	audience audience
}

// may tells whether the connection is among the audience.
func (c *conn) may(who audience) bool {
	switch who {
	case also:
		return true
	case everybody:
		return !c.anyone
	case launching, own:
		return c.client.Kind == access.Page
	case socket:
		return c.unix && c.client.Kind == access.Program
	}
	return false
}

// collectMethods puts the connection's own methods and those of the options
// together; one that is in both is an error.
func (a *Agent) collectMethods() error {
	calls := map[string]func(context.Context, *conn, *service.Call) (any, error){
		"agent.info": info, "agent.prove": proof, "operation.cancel": cancelCall,
		"session.start": startSession, "session.resume": resumeSession,
		"events.subscribe": subscribe, "events.unsubscribe": unsubscribe,
		"document.open": openDocument, "document.info": documentInfo, "document.read": readDocument, "document.close": closeDocument,
		"page.open": openPage, "agent.status": status, "agent.stop": stop,
	}
	if a.o.Desk != nil {
		maps.Copy(calls, map[string]func(context.Context, *conn, *service.Call) (any, error){
			"desk.pending": pendingItems, "desk.answer": answerItem, "desk.preview": preview,
		})
	}
	for name, m := range a.o.Methods {
		if calls[name] != nil {
			return fmt.Errorf("agent: the method %s is there twice", name)
		}
		calls[name] = func(ctx context.Context, _ *conn, call *service.Call) (any, error) { return m(ctx, call) }
	}
	a.methods = map[string]method{}
	for name, call := range calls {
		a.methods[name] = method{call, audiences[name]}
	}
	return nil
}

// alone are the operations that agent.info says need no question, where they do
// not.
var alone = []access.Operation{access.OpReaders, access.OpIdentity, access.OpInsurability, access.OpLogin, access.OpCertificate,
	access.OpSignHash, access.OpSignDocument, access.OpVerify, access.OpPINStatus, access.OpPINChange}

// information is the result of agent.info.
type information struct {
	Name         string             `json:"name"`
	Version      string             `json:"version"`
	Protocol     int                `json:"protocol"`
	Methods      []string           `json:"methods"`
	Dialogs      bool               `json:"dialogs"`
	PCSC         bool               `json:"pcsc"`
	Language     string             `json:"language"`
	Installation installation       `json:"installation"`
	Client       clientInfo         `json:"client"`
	Allowed      []access.Operation `json:"allowed"`
}

type installation struct {
	Key string `json:"key"`
}

type clientInfo struct {
	Kind   string `json:"kind"`
	Origin string `json:"origin,omitempty"`
	Name   string `json:"name,omitempty"`
}

// info is agent.info: nothing in it is about readers, cards or persons.
func info(_ context.Context, c *conn, call *service.Call) (any, error) {
	if err := protocol.Params(call.Params, &struct{}{}); err != nil {
		return nil, err
	}
	a := c.a
	r := information{Name: "eidkit", Version: a.o.Version, Protocol: 1, Language: a.o.Language, Methods: []string{}, Allowed: []access.Operation{},
		Installation: installation{base64.StdEncoding.EncodeToString(a.publicKey(c.client.Origin.String()))},
		Client:       clientInfo{c.client.Kind.String(), c.client.Origin.String(), c.client.Name},
		Dialogs:      a.o.Desk != nil && a.o.Desk.Available() == nil, PCSC: a.o.PCSC != nil && a.o.PCSC()}
	for name, m := range a.methods {
		if c.may(m.audience) {
			r.Methods = append(r.Methods, name)
		}
	}
	slices.Sort(r.Methods)
	if !c.anyone {
		for _, op := range alone {
			if a.o.Authority.Decide(access.Request{Client: c.client, Operation: op}).Verdict == access.Allow {
				r.Allowed = append(r.Allowed, op)
			}
		}
	}
	return r, nil
}

// proof is agent.prove: who has pinned the installation's key knows that no other
// program has taken the port.
func proof(_ context.Context, c *conn, call *service.Call) (any, error) {
	var p struct {
		Nonce []byte `json:"nonce"`
	}
	if err := protocol.Params(call.Params, &p); err != nil {
		return nil, err
	}
	if len(p.Nonce) < 16 || len(p.Nonce) > 64 {
		return nil, protocol.Errorf(protocol.InvalidArgument, "nonce: 16 to 64 bytes in base64")
	}
	return struct {
		Key       []byte `json:"key"`
		Signature []byte `json:"signature"`
	}{c.a.publicKey(c.client.Origin.String()), prove(c.a.key, c.client.Origin.String(), p.Nonce)}, nil
}

type sessionResult struct {
	Token    string `json:"token"`
	User     string `json:"user"`
	Language string `json:"language"`
}

// startSession is session.start. A wrong code ends the connection: there is one try.
func startSession(_ context.Context, c *conn, call *service.Call) (any, error) {
	var p struct {
		Code string `json:"code"`
	}
	if err := protocol.Params(call.Params, &p); err != nil {
		return nil, err
	}
	s, token := c.a.pages.redeem(p.Code)
	return c.begin(s, token)
}

// resumeSession is session.resume, for a page that was loaded again.
func resumeSession(_ context.Context, c *conn, call *service.Call) (any, error) {
	var p struct {
		Token string `json:"token"`
	}
	if err := protocol.Params(call.Params, &p); err != nil {
		return nil, err
	}
	return c.begin(c.a.pages.resume(p.Token), p.Token)
}

func (c *conn) begin(s *session, token string) (any, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.session != nil:
		return nil, protocol.Errorf(protocol.InvalidArgument, "this connection has a session")
	case s == nil:
		c.a.log.refused("launch code or session refused", "session", c.client.Session)
		c.a.meters.refused("code")
		return nil, protocol.Errorf(protocol.NotAuthorised, "the code or session is used, over or wrong: open the page again")
	}
	c.session = s
	return sessionResult{token, c.a.self.Name, c.a.o.Language}, nil
}
