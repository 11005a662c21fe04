package agent

import (
	"context"
	"errors"
	"io"

	"github.com/eidkit/eidkit/agent/desk"
	"github.com/eidkit/eidkit/agent/protocol"
	"github.com/eidkit/eidkit/agent/service"
)

type items struct {
	Items []desk.Item `json:"items"`
}

// pendingItems is desk.pending. From then on the page hears desk.changed; one
// that attends shows the questions themselves, and closing it is a no.
func pendingItems(_ context.Context, c *conn, call *service.Call) (any, error) {
	var p struct {
		Attend bool `json:"attend"`
	}
	if err := protocol.Params(call.Params, &p); err != nil {
		return nil, err
	}
	c.mu.Lock()
	first, attends := !c.feeding, p.Attend && !c.attending
	c.feeding, c.attending = true, c.attending || attends
	c.mu.Unlock()
	if attends {
		c.leave(c.a.o.Desk.Attend())
	}
	if first {
		changed := c.a.o.Desk.Changed() // before the list, so that no change is missed
		c.leave(c.a.o.Desk.Watch())
		c.calls.Add(1)
		go func() {
			defer c.calls.Done()
			c.feed(changed)
		}()
	}
	list := items{c.a.o.Desk.Pending()}
	if list.Items == nil {
		list.Items = []desk.Item{}
	}
	return list, nil
}

// feed tells the page of changes till the connection ends.
func (c *conn) feed(changed <-chan struct{}) {
	for {
		select {
		case <-c.ctx.Done():
			return
		case <-changed:
			changed = c.a.o.Desk.Changed()
			c.notify("desk.changed", struct{}{})
		}
	}
}

// answerItem is desk.answer.
func answerItem(_ context.Context, c *conn, call *service.Call) (any, error) {
	var p struct {
		ID      string `json:"id"`
		Allowed bool   `json:"allowed"`
		Always  bool   `json:"always"`
		Choice  int    `json:"choice"`
	}
	if err := protocol.Params(call.Params, &p); err != nil {
		return nil, err
	}
	return nil, deskError(c.a.o.Desk.Answer(p.ID, desk.Answer{Allowed: p.Allowed, Always: p.Always, Choice: p.Choice}))
}

// preview is desk.preview: the document of a question, to be read with
// document.read. It is a copy that the page cannot change; what will be signed is
// the document itself.
func preview(ctx context.Context, c *conn, call *service.Call) (any, error) {
	var p struct {
		ID       string `json:"id"`
		Document int    `json:"document"`
	}
	if err := protocol.Params(call.Params, &p); err != nil {
		return nil, err
	}
	from, err := c.a.o.Desk.Document(p.ID, p.Document)
	if err != nil {
		return nil, deskError(err)
	}
	if from.Preview == nil {
		return nil, protocol.Errorf(protocol.InvalidArgument, "this document cannot be shown")
	}
	to, err := c.shelf.Make(from.Name, from.MediaType)
	if err != nil {
		return nil, err
	}
	_, err = io.Copy(to, &cancellable{ctx, io.NewSectionReader(from.Preview, 0, from.Preview.Size())})
	if err == nil {
		err = to.Seal()
	}
	if err == nil && to.SHA256() != from.SHA256 {
		err = protocol.Errorf(protocol.Internal, "the document is not the one that will be signed")
	}
	if err != nil {
		c.shelf.Remove(to.ID())
		return nil, err
	}
	return documentID{to.ID()}, nil
}

// cancellable stops reading when ctx ends.
type cancellable struct {
	ctx context.Context
	r   io.Reader
}

func (r *cancellable) Read(b []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(b)
}

func deskError(err error) error {
	if errors.Is(err, desk.ErrNoItem) {
		return protocol.Errorf(protocol.InvalidArgument, "%v", err)
	}
	return err
}
