// Package cards is the agent's readers and cards: which there are, told to
// whoever listens, and one owner at a time for each card.
//
// Start with New and Hub.Run. Readers, Find and Subscribe tell what is there
// without a command to any card; Use and UseSIS give a card to an operation that
// has a pass of agent/gate. Fault turns what goes wrong into the agent's errors.
//
// A card has an ID from its insertion to its removal, and another when it comes
// back: whatever was agreed upon for an ID ends with the insertion. Nothing is
// connected between operations, so that other programs get their turn; files
// that were read and held are remembered in memory until the card leaves.
//
// Out of scope: who may do what (agent/access, agent/gate), what is done with a
// card (agent/reading, agent/login, agent/service).
//
// References: design.md sections 3 and 5; PC/SC parts 5 and 10.
package cards

import (
	"context"
	"crypto/rand"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/eidkit/eidkit/agent/protocol"
	"github.com/eidkit/eidkit/agent/reading"
	"github.com/eidkit/eidkit/card"
)

// Kind says what is in a reader, as far as its answer to reset tells: no card
// gets a command for it.
type Kind string

// The kinds of cards.
const (
	EID     Kind = "eid"
	SIS     Kind = "sis"     // a memory card
	Unknown Kind = "unknown" // it may still be an eID of an unknown series: Use finds out
	Mute    Kind = "mute"    // it does not answer; a SIS card in older readers
)

// RoleModule is the role of a reader in which a care provider's security module
// for SIS cards stays: no operation is offered its card.
const RoleModule = "sam"

// Options are for New.
type Options struct {
	System card.System                   // the readers there are
	Open   func(name string) card.Reader // the reader of that name

	Ignore func(name string) bool // readers to leave out; nil: none
	// Roles gives readers a role (patient, provider, RoleModule) by their name or a
	// part of it, in any case of letters; the longest that fits counts.
	Roles map[string]string

	Language string        // of a pinpad's display
	Queue    time.Duration // how long an operation waits for another with the same card; 0: 3 s
	Stall    time.Duration // how long a card may take over one command; 0: card.StallLimit

	Log *slog.Logger // nil: none. Names of readers and kinds of cards, nothing of a card
}

const defaultQueue = 3 * time.Second

// Hub knows the readers and cards. Safe for concurrent use.
type Hub struct {
	o   Options
	log *slog.Logger

	ready     chan struct{} // closed when it is known what is there
	readyOnce sync.Once

	mu        sync.Mutex
	roles     map[string]string
	available bool
	slots     []*slot // in the order in which they came
	listeners map[*listener]struct{}

	states map[string]card.ReaderState // by name, as the system told last; Run's own
}

// slot is a reader and the card in it.
type slot struct {
	name string
	card *insertion // nil: none
}

// insertion is a card from coming to going.
type insertion struct {
	id     string
	reader string
	count  uint32 // the system's number of it, 0 where it has none
	memory *reading.Memory
	turn   turn

	gone  context.Context // ends with the removal, the cause says why
	leave context.CancelCauseFunc

	kind   Kind   // under Hub.mu
	serial []byte // of an eID's chip once it was seen; under Hub.mu
}

// New makes a Hub that knows of nothing until Run.
func New(o Options) *Hub {
	h := &Hub{o: o, log: o.Log, ready: make(chan struct{}), roles: maps.Clone(o.Roles), listeners: map[*listener]struct{}{}}
	if h.log == nil {
		h.log = slog.New(slog.DiscardHandler)
	}
	if h.o.Queue <= 0 {
		h.o.Queue = defaultQueue
	}
	if h.o.Stall <= 0 {
		h.o.Stall = card.StallLimit
	}
	return h
}

// Reader is a reader as clients see it.
type Reader struct {
	Name string `json:"name"`
	Role string `json:"role,omitempty"`
	Card *Card  `json:"card"` // nil: empty
}

// Card is a card as clients see it.
type Card struct {
	ID   string `json:"cardId"` // opaque, of this insertion
	Kind Kind   `json:"kind"`
}

// Readers lists the readers and what is in them, in the order in which they came.
func (h *Hub) Readers() []Reader {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.readersLocked()
}

func (h *Hub) readersLocked() []Reader {
	list := make([]Reader, 0, len(h.slots))
	for _, s := range h.slots {
		r := Reader{Name: s.name, Role: h.roleLocked(s.name)}
		if s.card != nil {
			r.Card = &Card{ID: s.card.id, Kind: s.card.kind}
		}
		list = append(list, r)
	}
	return list
}

// Available tells whether the smart card service runs.
func (h *Hub) Available() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.available
}

// Ready is closed when Run has found out for the first time what is there.
func (h *Hub) Ready() <-chan struct{} { return h.ready }

// SetRoles replaces Options.Roles, when the policy was loaded anew.
func (h *Hub) SetRoles(roles map[string]string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.roles = maps.Clone(roles)
}

func (h *Hub) roleLocked(reader string) string {
	reader = strings.ToLower(reader)
	best := ""
	for part := range h.roles {
		if strings.Contains(reader, strings.ToLower(part)) && (len(part) > len(best) || len(part) == len(best) && part < best) {
			best = part
		}
	}
	return h.roles[best]
}

// Choice is a card that an operation can be done with.
type Choice struct {
	CardID, Reader, Role string
	Kind                 Kind
}

// Find returns the cards that are meant, at least one: the one with that ID, or,
// where it is empty, all of these kinds in readers of these names or roles (none:
// any reader). Where EID is asked and none is there, cards of unknown kind are
// returned, and mute ones for SIS. Errors are *protocol.Error: NO_READER,
// NO_CARD, CARD_REMOVED for an ID that is gone, CARD_UNSUPPORTED for one that is
// of another kind, READER_ERROR when all there is does not answer.
func (h *Hub) Find(cardID string, kinds []Kind, readers []string) ([]Choice, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var all []Choice
	empty := 0
	for _, s := range h.slots {
		c := Choice{Reader: s.name, Role: h.roleLocked(s.name)}
		if c.Role == RoleModule || len(readers) > 0 && !slices.Contains(readers, c.Reader) && (c.Role == "" || !slices.Contains(readers, c.Role)) {
			continue
		}
		if s.card == nil {
			empty++
			continue
		}
		c.CardID, c.Kind = s.card.id, s.card.kind
		all = append(all, c)
	}
	if cardID != "" {
		all = slices.DeleteFunc(all, func(c Choice) bool { return c.CardID != cardID })
		if len(all) == 0 {
			return nil, protocol.Errorf(protocol.CardRemoved, "there is no card with this cardId any more")
		}
	}
	for _, kinds := range [][]Kind{kinds, standIns(kinds)} {
		if found := ofKind(all, kinds); len(found) > 0 {
			return found, nil
		}
	}
	switch {
	case len(all) == 0 && empty == 0:
		return nil, protocol.Errorf(protocol.NoReader, "no reader for this")
	case len(all) == 0:
		return nil, protocol.Errorf(protocol.NoCard, "no card in the reader")
	case len(ofKind(all, []Kind{Mute})) == len(all):
		return nil, protocol.Errorf(protocol.ReaderError, "the card does not answer: it may be the wrong way round")
	}
	return nil, protocol.Errorf(protocol.CardUnsupported, "the card in the reader is of another kind")
}

// standIns are the kinds that may turn out to be one of kinds.
func standIns(kinds []Kind) (others []Kind) {
	for _, k := range kinds {
		switch k {
		case EID:
			others = append(others, Unknown)
		case SIS:
			others = append(others, Mute)
		}
	}
	return others
}

func ofKind(list []Choice, kinds []Kind) (found []Choice) {
	for _, c := range list {
		if slices.Contains(kinds, c.Kind) {
			found = append(found, c)
		}
	}
	return found
}

// Memory is what is remembered of a card, for reading.Options; nil when the card
// is gone.
func (h *Hub) Memory(cardID string) *reading.Memory {
	h.mu.Lock()
	defer h.mu.Unlock()
	if c := h.insertionLocked(cardID); c != nil {
		return c.memory
	}
	return nil
}

func (h *Hub) insertionLocked(cardID string) *insertion {
	for _, s := range h.slots {
		if s.card != nil && s.card.id == cardID {
			return s.card
		}
	}
	return nil
}

// newID is an ID that nobody can guess and that tells nothing of the card.
func newID() string { return rand.Text() }
