package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/eidkit/eidkit/testcards"
	"github.com/eidkit/eidkit/testcards/insurers"
)

// demoSlot is one of the demo's readers.
type demoSlot struct {
	reader *testcards.Reader // nil: not plugged in
	name   string            // of the card in it; empty: none
	card   *testcards.Card
	before int // commands to the cards that were in it before
}

// addReader plugs a reader in.
func (d *demo) addReader(slot int) {
	name := demoReader
	if slot > 0 {
		name += " " + strconv.Itoa(slot+1)
	}
	d.readers[slot].reader = testcards.NewReader(name, testcards.ReaderOptions{})
	d.system.AddReader(d.readers[slot].reader)
}

// insert puts a card of that name into a reader in the place of the one that is there; empty: none.
func (d *demo) insert(slot int, name string) error {
	var sim *testcards.Card
	if name != "" {
		var err error
		if sim, err = d.simulated(name); err != nil {
			return hinted{usageError{err}, "see the profiles with: eid testcard list"}
		}
	}
	s := &d.readers[slot]
	if s.reader == nil {
		d.addReader(slot)
	}
	if s.card != nil {
		s.reader.Remove()
		s.before += s.card.Stats().Commands
	}
	if s.name, s.card = name, sim; sim != nil {
		s.reader.Insert(sim)
	}
	return nil
}

// commands is how many all cards have got.
func (d *demo) commands() (n int) {
	for _, s := range d.readers {
		n += s.before
		if s.card != nil {
			n += s.card.Stats().Commands
		}
	}
	return n
}

// sayJSON writes a line for programs.
func (d *demo) sayJSON(v any) error {
	d.said.Lock()
	defer d.said.Unlock()
	return json.NewEncoder(d.app.out).Encode(v)
}

// typed obeys what is typed: the number or name of a card, with a + before it for the second reader; p for new addresses; c for the
// number of commands to the cards; down and up for the insurers' services.
func (d *demo) typed(ctx context.Context, asJSON bool) {
	lines := bufio.NewScanner(d.app.in)
	for ctx.Err() == nil && lines.Scan() {
		var err error
		switch word := strings.TrimSpace(lines.Text()); word {
		case "":
		case "p":
			err = d.announce(asJSON)
		case "c":
			err = d.sayJSON(map[string]int{"commands": d.commands()})
		case "down", "up":
			err = d.switchInsurers(word)
		default:
			err = d.change(word)
		}
		if err != nil {
			d.app.info("%v", err)
		}
	}
}

// change puts in the card that is typed.
func (d *demo) change(word string) error {
	name, second := strings.CutPrefix(word, "+")
	slot := 0
	if second {
		slot = 1
	}
	if n, err := strconv.Atoi(name); err == nil && n >= 0 && n <= len(demoCards) {
		name = append([]string{""}, demoCards...)[n]
	}
	if err := d.insert(slot, name); err != nil {
		return err
	}
	d.app.info("in the %s: %s", d.readers[slot].reader.Name(), cmp.Or(name, "no card"))
	return nil
}

// switchInsurers has the services behind the pharmacy page fail, or work again.
func (d *demo) switchInsurers(word string) error {
	var faults []insurers.Fault
	if word == "down" {
		faults = append(faults, insurers.Unavailable)
	}
	for _, s := range []insurers.Service{insurers.GenIns, insurers.Pharmacist, insurers.MemberData} {
		if err := d.insurers.Set(s, faults...); err != nil {
			return err
		}
	}
	d.app.info("the insurers' services: %s", word)
	return nil
}
