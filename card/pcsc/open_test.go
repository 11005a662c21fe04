package pcsc_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/eidkit/eidkit/card"
	"github.com/eidkit/eidkit/card/pcsc"
	"github.com/eidkit/eidkit/internal/pcscdtest"
)

func TestOpen(t *testing.T) {
	d := pcscdtest.Start(t)
	slot0, slot1 := pcscdtest.Readers[0], pcscdtest.Readers[1]
	expect := func(o pcsc.Options, want string, wantError error) {
		t.Helper()
		r, err := pcsc.OpenWith(soon(t), o)
		wantErr(t, "open", err, wantError)
		if err == nil && r.Name() != want {
			t.Errorf("reader %q, want %q", r.Name(), want)
		}
	}
	expect(pcsc.Options{}, "", card.ErrNoCard)
	expect(pcsc.Options{Name: slot1}, "", card.ErrNoCard)
	expect(pcsc.Options{Name: "none such"}, "", card.ErrNoReader)
	expect(pcsc.Options{Ignore: []string{"virtual"}}, "", card.ErrNoReader)

	link := d.Insert(t, 1, newChip())
	expect(pcsc.Options{}, slot1, nil)
	expect(pcsc.Options{Name: "virtual pcd"}, slot1, nil)
	expect(pcsc.Options{Name: "00 00"}, "", card.ErrNoCard)
	expect(pcsc.Options{Ignore: []string{"00 01"}}, "", card.ErrNoCard)

	mute := newChip()
	mute.atr = nil
	muteLink := d.Insert(t, 0, mute)
	expect(pcsc.Options{}, slot1, nil)
	expect(pcsc.Options{Name: slot0}, "", card.ErrMute)
	d.Remove(t, 0, muteLink)

	d.Insert(t, 0, newChip())
	_, err := pcsc.Open(soon(t), "")
	var choice *pcsc.ChoiceError
	if !errors.As(err, &choice) || !slices.Equal(choice.Readers, pcscdtest.Readers[:]) {
		t.Errorf("two cards: %v", err)
	}
	both, err := pcsc.Candidates(soon(t), pcsc.Options{})
	if wantErr(t, "candidates", err, nil); len(both) != 2 || both[0].Name() != slot0 || both[1].Name() != slot1 {
		t.Errorf("candidates %v", both)
	}
	expect(pcsc.Options{Ignore: []string{"00 01"}}, slot0, nil)
	d.Remove(t, 1, link)
	r, err := pcsc.Open(soon(t), "")
	if err != nil {
		t.Fatal(err)
	}
	c, err := card.Open(soon(t), r)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	err = c.Do(soon(t), func(tx *card.Tx) error {
		data, err := tx.Send(card.Command{INS: readMuch[1], Le: 256})
		if len(data) != 256 {
			t.Errorf("%d bytes of data", len(data))
		}
		return err
	})
	wantErr(t, "a command through package card", err, nil)
}
