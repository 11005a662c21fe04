package service

import (
	"context"
	"time"

	"github.com/eidkit/eidkit/agent/access"
	"github.com/eidkit/eidkit/agent/audit"
	"github.com/eidkit/eidkit/agent/gate"
	"github.com/eidkit/eidkit/agent/protocol"
	"github.com/eidkit/eidkit/agent/spool"
	"github.com/eidkit/eidkit/verify"
)

// maxParts is how many documents one signature, or one verification, is about.
const maxParts = 32

// verifyDocument is verify.document: the verdict is that of `eid verify --json`.
func (s *Service) verifyDocument(ctx context.Context, c *Call) (any, error) {
	var p struct {
		Document protocol.DocumentID   `json:"documentId"`
		Contents []protocol.DocumentID `json:"contentIds"`
		At       *time.Time            `json:"at"`
	}
	if err := params(c, &p); err != nil {
		return nil, err
	}
	documents, done, err := use(c, append([]protocol.DocumentID{p.Document}, p.Contents...))
	if err != nil {
		return nil, err
	}
	defer done()
	o := verify.Options{Name: documents[0].Name(), Anchors: s.o.Anchors, Tool: "eid " + s.o.Version}
	if p.At != nil {
		o.At = *p.At
	}
	for _, d := range documents[1:] {
		o.Detached = append(o.Detached, verify.Content{Name: d.Name(), Data: d, Size: d.Size()})
	}
	request := gate.Request{Request: access.Request{Client: c.Client, Operation: access.OpVerify}, Method: "verify.document"}
	if s.o.Authority.Decide(request.Request).Verdict == access.Ask {
		waiting(c, "consent", "")
	}
	pass, err := s.o.Gate.Enter(ctx, request)
	if err != nil {
		return nil, fault(err)
	}
	var result struct {
		Report *verify.Report `json:"report"`
	}
	err = through(pass, &audit.Outcome{Digest: documents[0].SHA256()}, func() (err error) {
		result.Report, err = s.o.Verifier.File(ctx, documents[0], documents[0].Size(), o)
		return err
	})
	if err != nil {
		return nil, err
	}
	return result, nil
}

// use keeps the documents of those IDs there till done. They are sealed: nothing changes them.
func use(c *Call, ids []protocol.DocumentID) (documents []*spool.Document, done func(), err error) {
	var users []func()
	done = func() {
		for _, d := range users {
			d()
		}
	}
	if len(ids) == 0 || len(ids) > maxParts {
		return nil, nil, invalid("1 to %d documents are wanted", maxParts)
	}
	for _, id := range ids {
		d, err := c.Documents.Get(id)
		if err != nil {
			done()
			return nil, nil, err
		}
		release, err := d.Use()
		if err != nil {
			done()
			return nil, nil, err
		}
		documents, users = append(documents, d), append(users, release)
	}
	return documents, done, nil
}
