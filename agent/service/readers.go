package service

import (
	"context"
	"slices"

	"github.com/eidkit/eidkit/agent/access"
	"github.com/eidkit/eidkit/agent/audit"
	"github.com/eidkit/eidkit/agent/cards"
	"github.com/eidkit/eidkit/agent/gate"
)

// readersList is readers.list, and the beginning of events.subscribe: the readers
// that the client may know of, with their cards. No card gets a command.
func (s *Service) readersList(ctx context.Context, c *Call) (any, error) {
	if err := params(c, &none{}); err != nil {
		return nil, err
	}
	request := gate.Request{Request: access.Request{Client: c.Client, Operation: access.OpReaders}, Method: "readers.list"}
	before := s.o.Hub.Readers()
	if by, ok := s.anyReader(c.Client, before); ok { // a rule for some readers does not ask about the others
		request.Reader, request.Role = by.Name, by.Role
	}
	if s.o.Authority.Decide(request.Request).Verdict == access.Ask {
		waiting(c, "consent", "")
	}
	pass, err := s.o.Gate.Enter(ctx, request)
	if err != nil {
		return nil, fault(err)
	}
	asked := pass.By() == "consent"
	s.decided(c.Client.Session, asked)
	result := struct {
		Readers []cards.Reader `json:"readers"`
	}{slices.DeleteFunc(s.o.Hub.Readers(), func(r cards.Reader) bool { return !s.mayKnow(c.Client, r.Name, r.Role, asked) })}
	if result.Readers == nil {
		result.Readers = []cards.Reader{}
	}
	if err := pass.Done(audit.Outcome{}, nil); err != nil {
		return nil, fault(err)
	}
	return result, nil
}

// anyReader is the first reader that the client may know of without a question.
func (s *Service) anyReader(c access.Client, readers []cards.Reader) (cards.Reader, bool) {
	i := slices.IndexFunc(readers, func(r cards.Reader) bool { return s.mayKnow(c, r.Name, r.Role, false) })
	if i < 0 {
		return cards.Reader{}, false
	}
	return readers[i], true
}

// mayKnow tells whether a client may know of a reader. asked: the user has just
// said that he may know of the readers.
func (s *Service) mayKnow(c access.Client, reader, role string, asked bool) bool {
	d := s.o.Authority.Decide(access.Request{Client: c, Operation: access.OpReaders, Reader: reader, Role: role})
	return d.Verdict == access.Allow || asked && d.Verdict == access.Ask
}

// subscription is one client that wants to hear of events.
type subscription struct {
	session string
	open    bool // readers.list was allowed
	asked   bool // by the user, just now
}

// decided opens the subscriptions of a connection.
func (s *Service) decided(session string, asked bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for sub := range s.subs {
		if sub.session == session {
			sub.open, sub.asked = true, sub.asked || asked
		}
	}
}

// Subscribe calls f for what happens to readers and cards, with the method and the
// parameters of the notification, till cancel: for what the client may hear of,
// once a readers.list of the same connection was allowed. f does not wait.
func (s *Service) Subscribe(c access.Client, f func(method string, params any)) (cancel func()) {
	sub := &subscription{session: c.Session}
	s.mu.Lock()
	s.subs[sub] = struct{}{}
	s.mu.Unlock()
	_, stop := s.o.Hub.Subscribe(func(e cards.Event) {
		s.mu.Lock()
		open, asked := sub.open, sub.asked
		s.mu.Unlock()
		if open && s.mayKnow(c, e.Reader, e.Role, asked) {
			f(string(e.Kind), eventParams(e))
		}
	})
	return func() {
		stop()
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.subs, sub)
	}
}

// eventParams are the parameters of a notification.
func eventParams(e cards.Event) any {
	type of struct {
		Reader string     `json:"reader"`
		Role   string     `json:"role,omitempty"`
		CardID string     `json:"cardId,omitempty"`
		Kind   cards.Kind `json:"kind,omitempty"`
	}
	switch e.Kind {
	case cards.CardInserted:
		return of{e.Reader, e.Role, e.CardID, e.Card}
	case cards.CardRemoved:
		return of{Reader: e.Reader, CardID: e.CardID}
	}
	return of{Reader: e.Reader}
}
