//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/eidkit/eidkit/agent/dial"
	"github.com/eidkit/eidkit/verify/weblogin"
)

// visit is what a client does in a process, and as a user, of its own. It writes a seen on standard output.
type visit struct {
	Address string
	Token   string // of this user's pairing
	Foreign string // of another user's
	Origin  string // of a site, which logs its user in
	Rounds  int
}

// seen is what came of a visit.
type seen struct {
	Refused int      // status of the first connection, if it was refused
	Numbers []string // of the cards that were read
	Tokens  []login
	Foreign int    // status of the connection with another user's token
	Error   string // that nobody expects
}

type login struct {
	Nonce string
	Token json.RawMessage
}

func (v *visit) run() int {
	var s seen
	if err := v.look(context.Background(), &s); err != nil {
		s.Error = err.Error()
	}
	if err := json.NewEncoder(os.Stdout).Encode(s); err != nil {
		return 1
	}
	return 0
}

func (v *visit) look(ctx context.Context, s *seen) error {
	program, err := dial.Loopback(ctx, v.Address, v.Token)
	var refused *dial.HandshakeError
	if errors.As(err, &refused) {
		s.Refused = refused.Status
		return nil
	}
	if err != nil {
		return err
	}
	defer program.Close()
	site, err := dial.Loopback(ctx, v.Address, "", dial.ForOrigin(v.Origin))
	if err != nil {
		return err
	}
	defer site.Close()
	for range v.Rounds {
		var id struct{ Identity map[string]string }
		if err := program.Call(ctx, "identity.read", map[string]any{"fields": []string{"nationalNumber"}, "purpose": "visit"}, &id); err != nil {
			return fmt.Errorf("identity.read: %w", err)
		}
		s.Numbers = append(s.Numbers, digits(id.Identity["nationalNumber"]))
		l := login{Nonce: weblogin.NewNonce()}
		if err := site.Call(ctx, "auth.login", map[string]any{"challengeNonce": l.Nonce}, &l); err != nil {
			return fmt.Errorf("auth.login: %w", err)
		}
		s.Tokens = append(s.Tokens, l)
	}
	other, err := dial.Loopback(ctx, v.Address, v.Foreign)
	if err == nil {
		other.Close()
		return errors.New("another user's token opens a connection")
	}
	if !errors.As(err, &refused) {
		return err
	}
	s.Foreign = refused.Status
	return nil
}
