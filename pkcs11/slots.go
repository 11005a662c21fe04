package pkcs11

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	p11 "github.com/miekg/pkcs11"
)

// Slot is a reader, or the place of a token that has none.
type Slot struct {
	ID                        uint
	Description, Manufacturer string
	Removable                 bool   // tokens come and go
	Token                     *Token // nil: none is in it
}

// Token is a card, USB token or HSM partition.
type Token struct {
	Label, Manufacturer, Model, Serial string

	Initialised bool // it has been set up; others hold no keys
	WantsPIN    bool // keys are used after a login
	Pinpad      bool // the PIN is typed on the token's or reader's own keys
	Tries       Tries
}

func (t Token) identity() identity { return identity{t.Label, t.Manufacturer, t.Model, t.Serial} }

// identity is what makes a token the same one, wherever it is put.
type identity struct{ label, manufacturer, model, serial string }

func (i identity) String() string {
	if i.serial == "" {
		return fmt.Sprintf("token %q", i.label)
	}
	return fmt.Sprintf("token %q (serial number %q)", i.label, i.serial)
}

func tokenOf(i tokenInfo) Token {
	return Token{
		Label: i.label, Manufacturer: i.manufacturer, Model: i.model, Serial: i.serial,
		Initialised: i.flags&p11.CKF_TOKEN_INITIALIZED != 0,
		WantsPIN:    i.flags&p11.CKF_LOGIN_REQUIRED != 0,
		Pinpad:      i.flags&p11.CKF_PROTECTED_AUTHENTICATION_PATH != 0,
		Tries:       triesOf(i.flags),
	}
}

// Slots lists the module's slots and what is in them now.
func (m *Module) Slots(ctx context.Context) ([]Slot, error) {
	_, leave, err := m.enter(ctx)
	if err != nil {
		return nil, fmt.Errorf("listing the slots: %w", err)
	}
	defer leave()
	slots, err := m.slots()
	if err != nil {
		return nil, fmt.Errorf("listing the slots: %w", err)
	}
	return slots, nil
}

func (m *Module) slots() ([]Slot, error) {
	ids, err := m.lib.api.slots()
	if err != nil {
		return nil, err
	}
	var slots []Slot
	for _, id := range ids {
		i, err := m.lib.api.slotInfo(id)
		if is(err, p11.CKR_SLOT_ID_INVALID) { // gone since it was listed
			continue
		}
		if err != nil {
			return nil, err
		}
		s := Slot{ID: id, Description: i.description, Manufacturer: i.manufacturer, Removable: i.flags&p11.CKF_REMOVABLE_DEVICE != 0}
		if i.flags&p11.CKF_TOKEN_PRESENT != 0 {
			t, err := m.lib.api.tokenInfo(id)
			switch {
			case err == nil:
				token := tokenOf(t)
				s.Token = &token
			case !errors.Is(err, ErrNoToken) && !errors.Is(err, ErrRemoved):
				return nil, err
			}
		}
		slots = append(slots, s)
	}
	return slots, nil
}

// Event is a token that was put in or taken out.
type Event struct {
	Slot     Slot // when taken out, with the token that was in it
	Inserted bool
}

// EventOptions say how Events watches.
type EventOptions struct {
	// Interval is how often it looks; 0: every half second.
	Interval time.Duration
	// Block has it wait in the module (C_WaitForSlotEvent) as well, and so learn of events at once from those that can; from the
	// others it learns by looking. Many modules that can are not made for other calls meanwhile, and the waiting thread lasts until
	// something happens or the module is closed: only for modules known to do this well.
	Block bool
}

const defaultInterval = 500 * time.Millisecond

// Events yields what happens to the tokens: first the insertion of each one that is there, then changes as they come, until ctx
// ends or the caller stops. An error, of ctx at the end, is the last that it yields.
func (m *Module) Events(ctx context.Context, o EventOptions) iter.Seq2[Event, error] {
	if o.Interval <= 0 {
		o.Interval = defaultInterval
	}
	return func(yield func(Event, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		var woken <-chan struct{}
		if o.Block {
			woken = m.wait(ctx)
		}
		tick := time.NewTicker(o.Interval)
		defer tick.Stop()
		known := map[uint]Slot{}
		for {
			slots, err := m.Slots(ctx)
			if err != nil {
				yield(Event{}, err)
				return
			}
			for _, e := range changes(known, slots) {
				if !yield(e, nil) {
					return
				}
			}
			select {
			case <-ctx.Done():
				yield(Event{}, ctx.Err())
				return
			case <-m.ctx.Done():
				yield(Event{}, ErrClosed)
				return
			case _, ok := <-woken:
				if !ok {
					woken = nil
				}
			case <-tick.C:
			}
		}
	}
}

// changes compares what is in the slots with what was known, which it brings up to date. Removals come first.
func changes(known map[uint]Slot, now []Slot) (events []Event) {
	there := map[uint]Slot{}
	for _, s := range now {
		if s.Token != nil {
			there[s.ID] = s
		}
	}
	for _, id := range slices.Sorted(maps.Keys(known)) {
		was := known[id]
		if now, ok := there[id]; !ok || now.Token.identity() != was.Token.identity() {
			events = append(events, Event{Slot: was})
			delete(known, id)
		}
	}
	for _, s := range now { // in the module's order
		if _, ok := known[s.ID]; !ok && s.Token != nil {
			events = append(events, Event{Slot: s, Inserted: true})
			known[s.ID] = s
		}
	}
	return events
}

// wait has a thread wait in the module and tells each time that it returns. The channel is closed when the module turns out not to
// wait: when it returns often without anybody having put anything in.
func (m *Module) wait(ctx context.Context) <-chan struct{} {
	woken, api := make(chan struct{}), m.lib.api
	go func() { // nobody waits for it, so it may begin when all is over
		defer close(woken)
		for range maxWakes {
			if ctx.Err() != nil || m.ctx.Err() != nil {
				return
			}
			began := time.Now()
			api.waitSlotEvent()
			select {
			case woken <- struct{}{}:
			case <-ctx.Done():
				return
			case <-m.ctx.Done():
				return
			}
			if time.Since(began) < minWait {
				return
			}
		}
	}()
	return woken
}

// A module that answers C_WaitForSlotEvent within minWait has not waited. maxWakes only bounds the loop.
const (
	minWait  = time.Millisecond
	maxWakes = 1 << 20
)

// matches tells whether the slot, with its token, is one that u names.
func (u *URI) matches(s Slot) bool {
	return s.Token != nil && (u.SlotID == nil || *u.SlotID == s.ID) &&
		same(u.SlotDescription, s.Description) && same(u.SlotManufacturer, s.Manufacturer) &&
		same(u.Token, s.Token.Label) && same(u.Manufacturer, s.Token.Manufacturer) &&
		same(u.Model, s.Token.Model) && same(u.Serial, s.Token.Serial)
}

// matchesModule tells whether the module is one that u names.
func (u *URI) matchesModule(i Info) bool {
	return same(u.LibraryDescription, i.Description) && same(u.LibraryManufacturer, i.Manufacturer) && sameVersion(u.LibraryVersion, i.Version)
}

func same(want *string, is string) bool { return want == nil || *want == is }

// sameVersion compares numbers, a minor one that is not there being 0 (RFC 7512 section 2.3).
func sameVersion(want, is string) bool {
	if want == "" {
		return true
	}
	a, b := strings.Split(want+".0", "."), strings.Split(is+".0", ".")
	for i := range 2 {
		m, err1 := strconv.Atoi(a[i])
		n, err2 := strconv.Atoi(b[i])
		if err1 != nil || err2 != nil || m != n {
			return false
		}
	}
	return true
}
