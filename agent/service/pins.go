package service

import (
	"context"

	"github.com/eidkit/eidkit/agent/access"
	"github.com/eidkit/eidkit/card/beid"
)

// cardParams name the card of methods that need no more.
type cardParams struct {
	CardID string `json:"cardId"`
}

// pinStatus is pin.status: how many tries the card has left, where it can be
// asked without spending one.
func (s *Service) pinStatus(ctx context.Context, c *Call) (any, error) {
	var p cardParams
	if err := params(c, &p); err != nil {
		return nil, err
	}
	var result struct {
		TriesLeft *int `json:"triesLeft"`
	}
	op := operation{method: "pin.status", kind: access.OpPINStatus, cardID: p.CardID, cards: eidOnly}
	err := s.do(ctx, c, op, func(ctx context.Context, t *task) error {
		return t.use(ctx, func(ctx context.Context, c *beid.Card) error {
			n, err := c.PINTries(ctx)
			if err == nil && n >= 0 {
				result.TriesLeft = &n
			}
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	return result, nil
}

// pinChange is pin.change: both PINs are typed here or on the reader.
func (s *Service) pinChange(ctx context.Context, c *Call) (any, error) {
	var p cardParams
	if err := params(c, &p); err != nil {
		return nil, err
	}
	op := operation{method: "pin.change", kind: access.OpPINChange, cardID: p.CardID, cards: eidOnly}
	return nil, s.do(ctx, c, op, func(ctx context.Context, t *task) error {
		pins, ask := t.pins(nil)
		defer pins.Wait()
		return t.use(ctx, func(ctx context.Context, c *beid.Card) error {
			return pins.Retry(ctx, func() error { return c.ChangePIN(ctx, ask) })
		})
	})
}
