package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/eidkit/eidkit/card"
	"github.com/eidkit/eidkit/card/beid"
	"github.com/eidkit/eidkit/card/pcsc"
	"github.com/eidkit/eidkit/internal/termview"
	"github.com/spf13/cobra"
)

// readerInfo is one reader in the JSON of `eid readers` (docs/schema/readers.json).
type readerInfo struct {
	Name string `json:"name"`
	Card string `json:"card"`
	ATR  string `json:"atr,omitempty"`
	Kind string `json:"kind,omitempty"`
}

type readerList struct {
	Schema  int          `json:"schema"`
	Readers []readerInfo `json:"readers"`
}

func (a *app) readersCommand() *cobra.Command {
	var asJSON, watch bool
	cmd := &cobra.Command{
		Use:   "readers",
		Short: "List the readers and what is in them",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if strings.HasPrefix(a.reader, testcardPrefix) {
				return usagef("a simulated card is in no reader; put it in one with: eid testcard serve")
			}
			if watch {
				return a.watchReaders(cmd.Context())
			}
			return a.listReaders(cmd.Context(), asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().BoolVar(&watch, "watch", false, "go on printing what comes and goes")
	cmd.MarkFlagsMutuallyExclusive("json", "watch")
	return cmd
}

func (a *app) listReaders(ctx context.Context, asJSON bool) error {
	states, err := pcsc.Readers(ctx)
	if err != nil {
		return err
	}
	list := readerList{Schema: 1, Readers: []readerInfo{}}
	for _, s := range a.usable(states) {
		list.Readers = append(list.Readers, a.describe(ctx, s))
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if asJSON {
		if err := writeJSON(a.out, list); err != nil {
			return err
		}
	}
	if len(list.Readers) == 0 {
		return card.ErrNoReader
	}
	if asJSON {
		return nil
	}
	for _, r := range list.Readers {
		what := r.Kind
		if what == "" {
			what = map[string]string{"absent": "no card", "mute": "a card that does not answer"}[r.Card]
		}
		fmt.Fprintf(a.out, "%-40s %s\n", termview.Clean(r.Name), what)
	}
	return nil
}

// describe says what is in a reader; a card is asked for its card data, nothing more.
func (a *app) describe(ctx context.Context, s card.ReaderState) readerInfo {
	info := readerInfo{Name: s.Name, Card: "absent"}
	switch s.Card {
	case card.Mute:
		info.Card = "mute"
	case card.Present:
		info.Card, info.ATR = "present", fmt.Sprintf("%X", s.ATR)
		info.Kind = "card that cannot be opened"
		c, err := a.openState(ctx, s)
		switch {
		case err == nil:
			v := c.CardData().AppletVersion
			info.Kind = fmt.Sprintf("Belgian eID, applet %d.%d", v>>4, v&0xF)
			c.Close()
		case errors.Is(err, beid.ErrNotEID):
			info.Kind = "other card"
		case errors.Is(err, card.ErrBusy):
			info.Kind = "card held by another program"
		case errors.Is(err, card.ErrMute):
			info.Kind = "card that does not answer, or is held by another program"
		}
	}
	return info
}

func (a *app) watchReaders(ctx context.Context) error {
	err := card.Watch(ctx, pcsc.System(), func(e card.Event) error {
		_, err := fmt.Fprintf(a.out, "%-16s %s\n", e.Kind, termview.Clean(e.Reader))
		return err
	})
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}
