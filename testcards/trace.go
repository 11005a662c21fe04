package testcards

import (
	"bytes"
	"slices"
	"time"
)

// Exchange is a command that reached the card, and its answer. A command that carries a PIN or PUK is cut after its header.
type Exchange struct {
	Command, Response []byte
}

// Stats counts what reached the card. Answers of 6Cxx, GET RESPONSE and repeats are commands like any other.
type Stats struct {
	Commands    int
	WrongLength int // answers of 6Cxx among them: each costs a repeat
	Sent        int // bytes of commands
	Received    int // bytes of answers, status words included

	// LineTime is how long it all would take on the line of a real card with this ATR at 3.57 MHz: every ATR and PPS at 9,600
	// baud, then the commands at the speed of TA1. The card's own computing is not counted.
	LineTime time.Duration
}

// maxExchanges bounds the trace; the oldest half goes when it is full.
const maxExchanges = 20_000

// tally keeps both for a card.
type tally struct {
	stats     Stats
	exchanges []Exchange
	character time.Duration
}

// Stats returns the counts since the card was made or ClearStats was called.
func (c *Card) Stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.tally.stats
}

// Exchanges returns the commands since the card was made or ClearStats was called, the last 10,000 at least.
func (c *Card) Exchanges() []Exchange {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.tally.exchanges)
}

// ClearStats begins both counts anew.
func (c *Card) ClearStats() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tally.stats, c.tally.exchanges = Stats{}, nil
}

func (t *tally) answerToReset(atr []byte) {
	t.character, _ = speed(atr)
	t.stats.LineTime += startTime(atr)
}

// exchange takes one in and says how long it took on the line.
func (t *tally) exchange(cmd, resp []byte) time.Duration {
	took := time.Duration(commandCharacters(cmd, resp)) * t.character
	t.stats.Commands++
	t.stats.Sent += len(cmd)
	t.stats.Received += len(resp)
	t.stats.LineTime += took
	if len(resp) == 2 && resp[0] == 0x6C {
		t.stats.WrongLength++
	}
	if len(t.exchanges) >= maxExchanges {
		t.exchanges = slices.Clone(t.exchanges[maxExchanges/2:])
	}
	t.exchanges = append(t.exchanges, Exchange{withoutSecrets(cmd), bytes.Clone(resp)})
	return took
}

// withoutSecrets copies cmd, without what follows the header in VERIFY, CHANGE REFERENCE DATA and RESET RETRY COUNTER of any
// class and in their BER-TLV forms.
func withoutSecrets(cmd []byte) []byte {
	if len(cmd) > 5 {
		switch cmd[1] &^ 1 {
		case 0x20, 0x24, 0x2C:
			cmd = cmd[:5]
		}
	}
	return bytes.Clone(cmd)
}
