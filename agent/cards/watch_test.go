package cards

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/eidkit/eidkit/agent/protocol"
	"github.com/eidkit/eidkit/card"
	"github.com/eidkit/eidkit/card/beid"
	"github.com/eidkit/eidkit/internal/pcscdtest"
	"github.com/eidkit/eidkit/testcards"
	testsis "github.com/eidkit/eidkit/testcards/sis"
)

// TestEvents: readers and cards come and go, and nobody asks a card anything for it.
func TestEvents(t *testing.T) {
	t.Parallel()
	sim := simulated(t, "citizen-1.8", 0)
	sisCard, err := testsis.Open("sis-ordinary", testsis.PCSC)
	if err != nil {
		t.Fatal(err)
	}
	r, other := loaded("ACS reader", nil), loaded("Counter", nil)
	w := start(t, Options{Roles: map[string]string{"counter": "patient"}}, r)

	r.Insert(sim)
	first := w.next(t, CardInserted)
	if first.Reader != "ACS reader" || first.Card != EID || first.Role != "" || len(first.CardID) < 26 {
		t.Errorf("%+v", first)
	}
	r.Remove()
	if e := w.next(t, CardRemoved); e.CardID != first.CardID {
		t.Errorf("%+v", e)
	}
	r.Insert(sim)
	if e := w.next(t, CardInserted); e.CardID == first.CardID {
		t.Error("the same card has its ID again")
	}
	w.AddReader(other)
	if e := w.next(t, ReaderAdded); e.Reader != "Counter" || e.Role != "patient" {
		t.Errorf("%+v", e)
	}
	for _, tt := range []struct {
		chip testcards.Chip
		kind Kind
	}{{sisCard, SIS}, {testsis.NewModule(10000101), Unknown}, {nil, Mute}} {
		if tt.chip == nil {
			other.InsertMute()
		} else {
			other.Insert(tt.chip)
		}
		e := w.next(t, CardInserted)
		if e.Card != tt.kind {
			t.Errorf("%+v, want %s", e, tt.kind)
		}
		other.Remove()
		w.next(t, CardRemoved)
	}
	w.RemoveReader(other)
	w.next(t, ReaderRemoved)
	w.RemoveReader(r)
	w.next(t, CardRemoved)
	w.next(t, ReaderRemoved)
	if n := sim.Stats().Commands; n != 0 {
		t.Errorf("the card got %d commands", n)
	}
	if len(w.hub.Readers()) != 0 {
		t.Error(w.hub.Readers())
	}
}

// TestService: a service that stops takes everything with it, and one that comes back brings it, under new IDs.
func TestService(t *testing.T) {
	t.Parallel()
	r := loaded("reader", simulated(t, "citizen-1.8", 0))
	w := start(t, Options{}, r)
	id := w.cardID(t, "reader")
	if !w.hub.Available() {
		t.Error("not available")
	}
	w.Stop()
	w.next(t, CardRemoved)
	w.next(t, ReaderRemoved)
	if w.hub.Available() || len(w.hub.Readers()) != 0 {
		t.Error(w.hub.Available(), w.hub.Readers())
	}
	if _, err := w.hub.Find("", []Kind{EID}, nil); protocol.CodeOf(err) != protocol.NoReader {
		t.Error(err)
	}
	select {
	case <-w.hub.Gone(id):
	default:
		t.Error("the card is not gone")
	}
	w.Start()
	w.next(t, ReaderAdded)
	if e := w.next(t, CardInserted); e.CardID == id {
		t.Error("the same ID")
	}
}

// TestNoServiceYet: a hub without a service is ready all the same.
func TestNoServiceYet(t *testing.T) {
	t.Parallel()
	system := &testcards.System{}
	system.AddReader(loaded("reader", simulated(t, "citizen-1.8", 0)))
	system.Stop()
	w := start(t, Options{System: system})
	if w.hub.Available() || len(w.hub.Readers()) != 0 {
		t.Error("something is there")
	}
	system.Start()
	w.next(t, ReaderAdded)
	w.next(t, CardInserted)
	if !w.hub.Available() {
		t.Error("not available")
	}
}

// odd is a system whose first waits fail in a way that nobody knows.
type odd struct {
	card.System
	mu    sync.Mutex
	fails int
}

func (o *odd) Wait(ctx context.Context, known []card.ReaderState) ([]card.ReaderState, error) {
	o.mu.Lock()
	fail := o.fails > 0
	o.fails--
	o.mu.Unlock()
	if fail {
		return nil, errors.New("a result that no document names")
	}
	return o.System.Wait(ctx, known)
}

// TestOddService: what goes wrong in the service never ends the watch.
func TestOddService(t *testing.T) {
	t.Parallel()
	system := &testcards.System{}
	system.AddReader(loaded("reader", nil))
	w := start(t, Options{System: &odd{System: system, fails: 2}})
	if e := w.next(t, ReaderAdded); e.Reader != "reader" {
		t.Error(e)
	}
}

// TestIgnored readers are not there.
func TestIgnored(t *testing.T) {
	t.Parallel()
	sim := simulated(t, "citizen-1.8", 0)
	w := start(t, Options{Ignore: func(name string) bool { return strings.Contains(name, "Hello") }}, loaded("Hello for Business", sim), loaded("reader", nil))
	if got := w.hub.Readers(); len(got) != 1 || got[0].Name != "reader" {
		t.Error(got)
	}
}

// TestSlowSubscriber: one who does not return costs the others nothing, and hears in the end of what is there.
func TestSlowSubscriber(t *testing.T) {
	t.Parallel()
	r := loaded("reader", nil)
	w := start(t, Options{}, r)
	entered, release, heard := make(chan struct{}), make(chan struct{}), make(chan Event, 10)
	var once sync.Once
	now, cancel := w.hub.Subscribe(func(e Event) {
		once.Do(func() {
			close(entered)
			<-release
		})
		heard <- e
	})
	defer cancel()
	if len(now) != 1 || now[0].Card != nil {
		t.Errorf("%+v", now)
	}
	sim := simulated(t, "citizen-1.8", 0)
	r.Insert(sim)
	first := w.next(t, CardInserted)
	wait(t, entered, "the slow subscriber's first event")
	for range 50 {
		r.Remove()
		w.next(t, CardRemoved)
		r.Insert(sim)
		w.next(t, CardInserted)
	}
	last := w.cardID(t, "reader")
	close(release)
	for _, want := range []Event{{CardInserted, "reader", "", first.CardID, EID}, {CardRemoved, "reader", "", first.CardID, EID}, {CardInserted, "reader", "", last, EID}} {
		if e := wait(t, heard, "the slow subscriber to catch up"); e != want {
			t.Errorf("%+v, want %+v", e, want)
		}
	}
}

// TestCancelSubscription: nothing comes after it, and the goroutine ends.
func TestCancelSubscription(t *testing.T) {
	r := loaded("reader", nil)
	w := start(t, Options{}, r)
	check := pcscdtest.CheckLeaks(t)
	var cancels []func()
	for range 20 {
		_, cancel := w.hub.Subscribe(func(e Event) { t.Errorf("told of %+v", e) })
		cancels = append(cancels, cancel)
	}
	for _, cancel := range cancels {
		cancel()
		cancel()
	}
	check()
	r.Insert(simulated(t, "citizen-1.8", 0))
	w.next(t, CardInserted)
}

// TestChanges: the way from one list to another.
func TestChanges(t *testing.T) {
	t.Parallel()
	a1, a2, b1 := &Card{"a1", EID}, &Card{"a2", EID}, &Card{"b1", SIS}
	for _, tt := range []struct {
		from, to []Reader
		want     string
	}{
		{nil, nil, ""},
		{nil, []Reader{{"a", "", a1}}, "reader.added a, card.inserted a a1"},
		{[]Reader{{"a", "", a1}}, nil, "card.removed a a1, reader.removed a"},
		{[]Reader{{"a", "", a1}}, []Reader{{"a", "", a2}}, "card.removed a a1, card.inserted a a2"},
		{[]Reader{{"a", "", a1}}, []Reader{{"a", "", &Card{"a1", EID}}}, ""},
		{[]Reader{{"a", "", a1}}, []Reader{{"a", "", &Card{"a1", Unknown}}}, "card.inserted a a1"},
		{[]Reader{{"a", "", a1}, {"b", "", nil}}, []Reader{{"b", "", b1}}, "card.removed a a1, reader.removed a, card.inserted b b1"},
	} {
		var got []string
		for _, e := range changes(tt.from, tt.to) {
			got = append(got, strings.TrimSpace(fmt.Sprint(e.Kind, " ", e.Reader, " ", e.CardID)))
		}
		if strings.Join(got, ", ") != tt.want {
			t.Errorf("%v to %v: %v, want %v", tt.from, tt.to, got, tt.want)
		}
	}
}

// TestFind: which cards are meant, and what is said when none is.
func TestFind(t *testing.T) {
	t.Parallel()
	sisCard, err := testsis.Open("sis-ordinary", testsis.PCSC)
	if err != nil {
		t.Fatal(err)
	}
	mute := testcards.NewReader("mute", testcards.ReaderOptions{})
	mute.InsertMute()
	everything := []*testcards.Reader{loaded("front", simulated(t, "citizen-1.8", 0)), loaded("back", simulated(t, "citizen-1.7", 0)),
		loaded("old", sisCard), loaded("safe", testsis.NewModule(10000101)), mute}
	w := start(t, Options{Roles: map[string]string{"front": "patient", "BACK": "provider", "sa": "wrong", "safe": RoleModule}}, everything...)
	for _, tt := range []struct {
		id      string
		kinds   []Kind
		readers []string
		want    string // readers, or a code
	}{
		{"", []Kind{EID}, nil, "front back"},
		{"", []Kind{EID, SIS}, nil, "front back old"},
		{"", []Kind{EID}, []string{"patient"}, "front"},
		{"", []Kind{EID}, []string{"back"}, "back"},
		{"", []Kind{EID}, []string{"nowhere"}, "NO_READER"},
		{"", []Kind{EID}, []string{"old"}, "CARD_UNSUPPORTED"},
		{"", []Kind{EID}, []string{"safe"}, "NO_READER"}, // the module's is for nobody
		{"", []Kind{EID}, []string{"mute"}, "READER_ERROR"},
		{"", []Kind{SIS}, []string{"mute"}, "mute"},
		{w.cardID(t, "old"), []Kind{SIS}, nil, "old"},
		{w.cardID(t, "old"), []Kind{EID}, nil, "CARD_UNSUPPORTED"},
		{w.cardID(t, "back"), []Kind{EID}, []string{"patient"}, "CARD_REMOVED"},
		{w.cardID(t, "safe"), []Kind{Unknown}, nil, "CARD_REMOVED"},
		{"no such card", []Kind{EID}, nil, "CARD_REMOVED"},
	} {
		choices, err := w.hub.Find(tt.id, tt.kinds, tt.readers)
		got := ""
		if err != nil {
			got = string(protocol.CodeOf(err))
		}
		for _, c := range choices {
			got += " " + c.Reader
		}
		if strings.TrimSpace(got) != tt.want {
			t.Errorf("%q %v %v: %s, want %s", tt.id, tt.kinds, tt.readers, got, tt.want)
		}
	}
	w.hub.SetRoles(map[string]string{"old": "patient"})
	if choices, err := w.hub.Find("", []Kind{SIS}, []string{"patient"}); err != nil || len(choices) != 1 || choices[0].Role != "patient" {
		t.Error(choices, err)
	}
	empty := start(t, Options{}, loaded("reader", nil))
	if _, err := empty.hub.Find("", []Kind{EID}, nil); protocol.CodeOf(err) != protocol.NoCard {
		t.Error(err)
	}
	module := start(t, Options{}, loaded("reader", testsis.NewModule(10000101)))
	if choices, err := module.hub.Find("", []Kind{EID}, nil); err != nil || choices[0].Kind != Unknown {
		t.Error("a card of unknown kind may be an eID:", choices, err)
	}
}

// TestUnknownKind: what a card is shows when somebody who may has it opened.
func TestUnknownKind(t *testing.T) {
	t.Parallel()
	w := start(t, Options{}, loaded("reader", testsis.NewModule(10000101)))
	id := w.cardID(t, "reader")
	err := w.hub.use(t.Context(), passFor(id), id, func(context.Context, *beid.Card) error { return nil })
	if !errors.Is(err, beid.ErrNotEID) || Fault(err).Code != protocol.CardUnsupported {
		t.Error(err)
	}
	if got := w.hub.Readers(); got[0].Card.Kind != Unknown {
		t.Errorf("%+v", got[0].Card)
	}
}
