//go:build unix

package desk

import (
	"context"
	"encoding/json"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/eidkit/eidkit/agent/access"
	"github.com/eidkit/eidkit/card"
	"github.com/eidkit/eidkit/internal/pinentry"
)

func TestConsentByDialog(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		remember bool
		answers  []string
		want     Answer
		asked    int
	}{
		"denied by Enter":       {true, []string{pressFirst}, Answer{}, 1},
		"closed":                {true, []string{pressCancel}, Answer{}, 1},
		"once, without always":  {false, []string{pressMiddle}, Answer{Allowed: true}, 1},
		"once":                  {true, []string{pressMiddle, pressFirst}, Answer{Allowed: true}, 2},
		"always":                {true, []string{pressMiddle, pressMiddle}, Answer{Allowed: true, Always: true}, 2},
		"closed at the further": {true, []string{pressMiddle, pressCancel}, Answer{}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			program, log := fake(t, "", test.answers...)
			d := New(Options{Dialog: program, Language: "fr_BE.UTF-8"})
			c := login(t)
			c.MayRemember = test.remember
			a, err := d.Consent(background, c)
			if err != nil || a != test.want {
				t.Errorf("%+v, %v; want %+v", a, err, test.want)
			}
			if n := strings.Count(log(), "CONFIRM"); n != test.asked {
				t.Errorf("asked %d times", n)
			}
			want := "SETDESC https://portal.example%0Asouhaite vous connecter avec votre carte d’identité. Votre nom et votre numéro national sont communiqués.%0A%0A" +
				"Le site dit : “prefill my form”%0ALecteur : Reader 0%0ACarte : eID\n"
			if !strings.Contains(log(), want) {
				t.Errorf("not shown: %s\n%s", want, log())
			}
			if !strings.Contains(log(), "SETOK Refuser\n") {
				t.Errorf("the first button does not refuse:\n%s", log())
			}
		})
	}
}

// Without anything to ask with, the answer is no, and what to do is said.
func TestUnavailable(t *testing.T) {
	t.Parallel()
	d := New(Options{Dialog: nobody(t)})
	if err := d.Available(); !errors.Is(err, ErrUnavailable) || !errors.Is(err, pinentry.ErrNoProgram) {
		t.Error(err)
	}
	for name, c := range map[string]Consent{"login": login(t), "fields": reading(t)} {
		if a, err := d.Consent(background, c); !errors.Is(err, ErrUnavailable) || a != (Answer{}) {
			t.Errorf("%s: %+v, %v", name, a, err)
		}
	}
	if _, err := d.Choose(background, Choice{Options: []Option{{Reader: "a"}, {Reader: "b"}}}); !errors.Is(err, ErrUnavailable) {
		t.Error(err)
	}
	broken, _ := fake(t, "", "ERR 83886164 No tty")
	d = New(Options{Dialog: broken})
	if a, err := d.Consent(background, login(t)); !errors.Is(err, ErrUnavailable) || a.Allowed {
		t.Errorf("broken program: %+v, %v", a, err)
	}
	withPage, _ := byPage(t)
	if err := withPage.Available(); err != nil {
		t.Error(err)
	}
}

// A login goes to a page when there is no program.
func TestPageInsteadOfDialog(t *testing.T) {
	t.Parallel()
	d, opened := byPage(t)
	got := later(background, d, login(t))
	if err := d.Answer(<-opened, Answer{Allowed: true}); err != nil {
		t.Error(err)
	}
	if s := <-got; s.err != nil || !s.answer.Allowed {
		t.Errorf("%+v", s)
	}
}

// What is better on a page goes there though there is a program.
func TestConsentByPage(t *testing.T) {
	t.Parallel()
	program, log := fake(t, "", pressMiddle)
	opened := make(opener, 1)
	d := New(Options{Dialog: program, OpenPage: opened.open, PageWait: time.Minute})
	c := reading(t)
	c.Documents = []Document{contract("I promise.")}
	c.Documents[0].Active = []string{"script"}
	got := later(background, d, c)
	id := <-opened
	items := d.Pending()
	if len(items) != 1 || items[0].ID != id {
		t.Fatalf("%+v", items)
	}
	b, err := json.Marshal(items[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"kind":"consent"`, `"client":{"kind":"site","origin":"https://portal.example","user":"anna"}`, `"operation":"identity"`,
		`"nl":"wil gegevens van de identiteitskaart lezen."`, `{"name":"surname","says":{"de":"Name"`, `"name":"contract.txt","size":10,"sha256":"abab`,
		`"code":"script"`, `"preview":true`, `"mayRemember":true`, `"expires":"2`} {
		if !strings.Contains(string(b), want) {
			t.Errorf("the item lacks %s:\n%s", want, b)
		}
	}
	if doc, err := d.Document(id, 0); err != nil || doc.Preview.Size() != 10 {
		t.Errorf("%+v, %v", doc, err)
	}
	for i, want := range map[int]error{-1: ErrNoItem, 1: ErrNoItem} {
		if _, err := d.Document(id, i); !errors.Is(err, want) {
			t.Errorf("document %d: %v", i, err)
		}
	}
	for name, test := range map[string]struct {
		id     string
		answer Answer
		want   error
	}{
		"another id":      {id + "1", Answer{Allowed: true}, ErrNoItem},
		"no id":           {"", Answer{Allowed: true}, ErrNoItem},
		"always, refused": {id, Answer{Always: true}, ErrAnswer},
		"a choice":        {id, Answer{Allowed: true, Choice: 1}, ErrAnswer},
	} {
		if err := d.Answer(test.id, test.answer); !errors.Is(err, test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := d.Answer(id, Answer{Allowed: true, Always: true}); err != nil {
		t.Error(err)
	}
	if err := d.Answer(id, Answer{Allowed: true}); !errors.Is(err, ErrNoItem) {
		t.Errorf("answered twice: %v", err)
	}
	if s := <-got; s.err != nil || s.answer != (Answer{Allowed: true, Always: true}) {
		t.Errorf("%+v", s)
	}
	if _, err := d.Document(id, 0); !errors.Is(err, ErrNoItem) || len(d.Pending()) != 0 {
		t.Errorf("still open: %v, %v", err, d.Pending())
	}
	if log() != "" {
		t.Errorf("the dialog program was used: %s", log())
	}
}

// "Always" is not to be had where it was not offered.
func TestAlwaysOnlyWhereOffered(t *testing.T) {
	t.Parallel()
	d, opened := byPage(t)
	got := later(background, d, login(t))
	id := <-opened
	if err := d.Answer(id, Answer{Allowed: true, Always: true}); !errors.Is(err, ErrAnswer) {
		t.Error(err)
	}
	if err := d.Answer(id, Answer{}); err != nil {
		t.Error(err)
	}
	if s := <-got; s.err != nil || s.answer != (Answer{}) {
		t.Errorf("%+v", s)
	}
}

// How a question on a page ends without an answer.
func TestPageEnds(t *testing.T) {
	t.Parallel()
	t.Run("time", func(t *testing.T) {
		t.Parallel()
		opened := make(opener, 1)
		d := New(Options{Dialog: nobody(t), OpenPage: opened.open, Timeout: time.Millisecond})
		if a, err := d.Consent(background, reading(t)); !errors.Is(err, ErrTimeout) || a.Allowed || len(d.Pending()) != 0 {
			t.Errorf("%+v, %v", a, err)
		}
	})
	t.Run("context", func(t *testing.T) {
		t.Parallel()
		d, opened := byPage(t)
		ctx, cancel := context.WithCancel(background)
		got := later(ctx, d, reading(t))
		id := <-opened
		cancel()
		if s := <-got; !errors.Is(s.err, context.Canceled) || s.answer.Allowed {
			t.Errorf("%+v", s)
		}
		if err := d.Answer(id, Answer{Allowed: true}); !errors.Is(err, ErrNoItem) {
			t.Error(err)
		}
	})
	t.Run("another card", func(t *testing.T) {
		t.Parallel()
		d, opened := byPage(t)
		c := reading(t)
		c.Insertion = "i1"
		first := later(background, d, c)
		<-opened
		waiting := later(background, d, c)
		for inside(d) < 2 {
			runtime.Gosched()
		}
		d.Withdraw("i2")
		d.Withdraw("")
		if len(d.Pending()) != 1 {
			t.Error("another insertion closed the question")
		}
		d.Withdraw("i1")
		for _, got := range []<-chan said{first, waiting} {
			if s := <-got; !errors.Is(s.err, card.ErrRemoved) || s.answer.Allowed {
				t.Errorf("%+v", s)
			}
		}
	})
	t.Run("page closed", func(t *testing.T) {
		t.Parallel()
		d, opened := byPage(t)
		d.o.PageWait = time.Millisecond
		d.o.Dialog = nobody(t)
		leave := d.Attend()
		got := later(background, d, reading(t))
		until(d, func() bool { return len(d.Pending()) == 1 })
		leave()
		leave()
		if s := <-got; s.err != nil || s.answer != (Answer{}) {
			t.Errorf("%+v", s)
		}
		if len(opened) != 0 {
			t.Error("a second page was opened")
		}
	})
}

// The dialog program asks where the page cannot.
func TestDialogInsteadOfPage(t *testing.T) {
	t.Parallel()
	broken := func(context.Context, string) error { return errors.New("no browser") }
	silent := func(context.Context, string) error { return nil }
	for name, o := range map[string]Options{
		"cannot be opened": {OpenPage: broken, PageWait: time.Minute},
		"does not come":    {OpenPage: silent, PageWait: time.Millisecond},
		"there is none":    {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o.Dialog, _ = fake(t, "", pressMiddle)
			c := reading(t)
			c.MayRemember = false
			if a, err := New(o).Consent(background, c); err != nil || !a.Allowed {
				t.Errorf("%+v, %v", a, err)
			}
			o.Dialog = nobody(t)
			o.Timeout = time.Minute
			want := ErrUnavailable
			if name == "does not come" { // it may be a slow browser
				o.Timeout, want = time.Millisecond, ErrTimeout
			}
			if a, err := New(o).Consent(background, c); !errors.Is(err, want) || a.Allowed {
				t.Errorf("no program: %+v, %v", a, err)
			}
		})
	}
}

// While the program asks beside a late page, the page's answer closes it.
func TestLatePageAnswers(t *testing.T) {
	t.Parallel()
	program, log := fake(t, "", hangs)
	d := New(Options{Dialog: program, OpenPage: func(context.Context, string) error { return errors.New("no browser") }})
	got := later(background, d, reading(t))
	var id string
	until(d, func() bool {
		if p := d.Pending(); len(p) == 1 {
			id = p[0].ID
		}
		return id != ""
	})
	if err := d.Answer(id, Answer{Allowed: true}); err != nil {
		t.Fatal(err)
	}
	if s := <-got; s.err != nil || !s.answer.Allowed {
		t.Errorf("%+v\n%s", s, log())
	}
	done, err := d.show(background) // the screen is free again: the dialog is closed
	if err != nil {
		t.Fatal(err)
	}
	done()
}

func TestChoose(t *testing.T) {
	t.Parallel()
	c := Choice{Client: site(t, "https://portal.example"), Operation: access.OpLogin,
		Options: []Option{{Reader: "Reader 0", Card: "eID", Insertion: "i0"}, {Reader: "Reader 1", Role: "patient", Card: "eID", Insertion: "i1"}}}
	d, opened := byPage(t)
	type chosen struct {
		i   int
		err error
	}
	choose := func() <-chan chosen {
		got := make(chan chosen, 1)
		go func() {
			i, err := d.Choose(background, c)
			got <- chosen{i, err}
		}()
		return got
	}
	got := choose()
	id := <-opened
	if p := d.Pending(); p[0].Kind != KindChoice || len(p[0].Options) != 2 || p[0].Options[1] != (Option{Reader: "Reader 1", Role: "patient", Card: "eID"}) {
		t.Errorf("%+v", p)
	}
	for _, bad := range []Answer{{Allowed: true, Choice: 2}, {Allowed: true, Choice: -1}, {Allowed: true, Always: true}} {
		if err := d.Answer(id, bad); !errors.Is(err, ErrAnswer) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	if err := d.Answer(id, Answer{Allowed: true, Choice: 1}); err != nil {
		t.Error(err)
	}
	if g := <-got; g.err != nil || g.i != 1 {
		t.Errorf("%+v", g)
	}
	got = choose()
	if err := d.Answer(<-opened, Answer{}); err != nil {
		t.Error(err)
	}
	if g := <-got; !errors.Is(g.err, ErrCancelled) {
		t.Errorf("%+v", g)
	}
	got = choose()
	<-opened
	d.Withdraw("i1")
	if g := <-got; !errors.Is(g.err, card.ErrRemoved) {
		t.Errorf("%+v", g)
	}

	program, log := fake(t, "", pressFirst, pressMiddle)
	d = New(Options{Dialog: program, Language: "de"})
	if i, err := d.Choose(background, c); err != nil || i != 1 {
		t.Errorf("by dialog: %d, %v", i, err)
	}
	for _, want := range []string{"1 / 2%0A%0ALeser: Reader 0%0AKarte: eID\n", "2 / 2%0A%0ALeser: Reader 1 (patient)%0AKarte: eID\n", "SETNOTOK Diese Karte\n"} {
		if !strings.Contains(log(), want) {
			t.Errorf("not shown %q:\n%s", want, log())
		}
	}
	c.Options = c.Options[:1]
	if i, err := d.Choose(background, c); err != nil || i != 0 {
		t.Errorf("one card: %d, %v", i, err)
	}
	c.Options = nil
	if _, err := d.Choose(background, c); !errors.Is(err, ErrCancelled) {
		t.Errorf("no card: %v", err)
	}
}
