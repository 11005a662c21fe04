package cards

import "slices"

// Event is a change of readers and cards. CardInserted comes again with the same
// CardID when it turns out of which kind the card is.
type Event struct {
	Kind   EventKind
	Reader string
	Role   string
	CardID string // of the card that came or went
	Card   Kind
}

// EventKind is the name of a notification.
type EventKind string

// The kinds of events.
const (
	ReaderAdded   EventKind = "reader.added"
	ReaderRemoved EventKind = "reader.removed"
	CardInserted  EventKind = "card.inserted"
	CardRemoved   EventKind = "card.removed"
)

// listener is told of changes on a goroutine of its own. There is no queue: it
// is told what leads from what it saw last to what there is now, so that a slow
// one costs nobody anything and still ends up right.
type listener struct {
	f    func(Event)
	seen []Reader
	wake chan struct{} // holds one token
	stop chan struct{}
}

// Subscribe has f called for each change from now on, which is what it returns,
// until cancel is called. The calls come one after the other, removals first. A
// card that comes and goes while f is busy is not told of at all.
func (h *Hub) Subscribe(f func(Event)) (now []Reader, cancel func()) {
	l := &listener{f: f, wake: make(chan struct{}, 1), stop: make(chan struct{})}
	h.mu.Lock()
	defer h.mu.Unlock()
	l.seen = h.readersLocked()
	h.listeners[l] = struct{}{}
	go h.tell(l)
	return slices.Clone(l.seen), func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		if _, there := h.listeners[l]; there {
			delete(h.listeners, l)
			close(l.stop)
		}
	}
}

func (h *Hub) notifyLocked() {
	for l := range h.listeners {
		select {
		case l.wake <- struct{}{}:
		default: // it is to look anyway
		}
	}
}

func (h *Hub) tell(l *listener) {
	for {
		select {
		case <-l.stop:
			return
		case <-l.wake:
		}
		now := h.Readers()
		for _, e := range changes(l.seen, now) {
			select {
			case <-l.stop:
				return
			default:
				l.f(e)
			}
		}
		l.seen = now
	}
}

// changes leads from one list of readers to another: removals first.
func changes(from, to []Reader) (events []Event) {
	find := func(list []Reader, name string) *Reader {
		if i := slices.IndexFunc(list, func(r Reader) bool { return r.Name == name }); i >= 0 {
			return &list[i]
		}
		return nil
	}
	for _, old := range from {
		r := find(to, old.Name)
		if old.Card != nil && (r == nil || r.Card == nil || r.Card.ID != old.Card.ID) {
			events = append(events, Event{Kind: CardRemoved, Reader: old.Name, Role: old.Role, CardID: old.Card.ID, Card: old.Card.Kind})
		}
		if r == nil {
			events = append(events, Event{Kind: ReaderRemoved, Reader: old.Name, Role: old.Role})
		}
	}
	for _, r := range to {
		old := find(from, r.Name)
		if old == nil {
			events = append(events, Event{Kind: ReaderAdded, Reader: r.Name, Role: r.Role})
		}
		if r.Card != nil && (old == nil || old.Card == nil || *old.Card != *r.Card) {
			events = append(events, Event{Kind: CardInserted, Reader: r.Name, Role: r.Role, CardID: r.Card.ID, Card: r.Card.Kind})
		}
	}
	return events
}
