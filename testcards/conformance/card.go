// Package conformance judges cards and drivers against the facts sheet of the Belgian eID.
//
// [CheckCard] speaks commands to a card through any card.Reader (a simulated one, or card/pcsc with a real reader) and says what a
// card does that the sheet does not allow, or has on it that does not fit together. [CheckDriver] puts a driver on simulated cards
// and readers that fail, and says what it gets wrong; [CheckDriverOn] does the part of it that needs no failing reader, so that it
// can run over the machine's PC/SC service too. All three return nil or the violations, joined (errors.Join): a test prints them,
// another program can branch on them.
//
// The checks know nothing of the simulated card's own code: what they compare with is written out here or computed by the standard
// library.
//
// Out of scope: who is trusted (chains end at the root the card carries), and the administration of cards.
//
// References: facts sheet belgian-eid.md, whose sections the violations name; ISO/IEC 7816-4.
package conformance

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/eidkit/eidkit/card"
)

// Options say what CheckCard may do to the card. The zero Options leave it as it is: nothing is checked that needs a PIN.
type Options struct {
	// PIN lets the card sign. Without WrongPIN only the right PIN is ever sent.
	PIN string

	// WrongPIN also sends a wrong PIN, once, where two tries are left, and the right one after it; and changes the PIN to another
	// and back.
	WrongPIN bool

	// Block spends all tries at the end. PUK, on applets that have one, then gives them back; without it the card stays blocked.
	Block bool
	PUK   string

	// AnyDF accepts that SELECT by identifier finds files outside the current directory.
	AnyDF bool
}

// Violation is one thing that a card or driver does wrong.
type Violation struct {
	Check  string // what was being looked at
	Detail string // what was found and what was expected; never a PIN
}

func (v Violation) Error() string { return v.Check + ": " + v.Detail }

// CheckCard connects to the card in r, keeps it for itself, and checks it. The result is nil, violations, or an error of the
// reader that ended the checks early, joined to what had been found.
func CheckCard(ctx context.Context, r card.Reader, o Options) error {
	t, err := r.Connect(ctx, card.Shared)
	if err != nil {
		return fmt.Errorf("checking a card: %w", err)
	}
	defer t.Close()
	if err := t.Begin(ctx); err != nil {
		return fmt.Errorf("checking a card: %w", err)
	}
	s := &session{ctx: ctx, t: t, options: o, files: map[uint16][]byte{}}
	for _, c := range cardChecks {
		if s.failed != nil {
			break
		}
		s.check = c.name
		c.run(s)
	}
	if err := t.End(context.Background(), card.Reset); err != nil && s.failed == nil {
		s.failed = err
	}
	return s.result()
}

// cardChecks in their order: later ones use what earlier ones read.
var cardChecks = []struct {
	name string
	run  func(*session)
}{
	{"card data", (*session).checkCardData},
	{"commands", (*session).checkCommands},
	{"select", (*session).checkSelect},
	{"read", (*session).checkRead},
	{"records", (*session).checkRecords},
	{"PKCS#15", (*session).checkPKCS15},
	{"certificates", (*session).checkCertificates},
	{"identity", (*session).checkIdentity},
	{"register", (*session).checkRegister},
	{"challenge", (*session).checkChallenge},
	{"card key", (*session).checkCardKey},
	{"environment", (*session).checkEnvironment},
	{"no PIN", (*session).checkNoPIN},
	{"PIN", (*session).checkPIN},
	{"signatures", (*session).checkSignatures},
	{"key 82", (*session).checkKey82},
	{"key 83", (*session).checkKey83},
	{"wrong PIN", (*session).checkWrongPIN},
	{"change PIN", (*session).checkChange},
	{"reset", (*session).checkReset},
	{"block", (*session).checkBlock},
}

// session is one run over one card.
type session struct {
	ctx     context.Context
	t       card.Transport
	options Options
	check   string
	found   []error
	failed  error // of the reader: nothing more can be sent

	applet byte
	serial []byte
	files  map[uint16][]byte
	keys   map[byte]*signingKey
	card   *signingKey // key 81, if the applet has it
}

func (s *session) result() error {
	if s.failed != nil {
		return errors.Join(append(s.found, fmt.Errorf("checking a card: %s: %w", s.check, s.failed))...)
	}
	return errors.Join(s.found...)
}

// wrong notes a violation.
func (s *session) wrong(format string, args ...any) {
	s.found = append(s.found, Violation{s.check, fmt.Sprintf(format, args...)})
}

// send sends one command as it stands. After a failure of the reader it answers 0000 and sends nothing.
func (s *session) send(cmd ...byte) ([]byte, uint16) {
	if s.failed != nil {
		return nil, 0
	}
	resp, err := s.t.Transmit(s.ctx, cmd)
	if err == nil && len(resp) < 2 {
		err = fmt.Errorf("answer of %d bytes: %w", len(resp), card.ErrReader)
	}
	if err != nil {
		s.failed = err
		return nil, 0
	}
	n := len(resp) - 2
	return resp[:n:n], uint16(resp[n])<<8 | uint16(resp[n+1])
}

// want sends a command and notes a violation unless the status word is one of those wanted. It returns the data.
func (s *session) want(what string, cmd []byte, sws ...uint16) []byte {
	data, sw := s.send(cmd...)
	if s.failed == nil && !slices.Contains(sws, sw) {
		s.wrong("%s: %s answered %04X, want %04X", what, header(cmd), sw, sws)
	}
	if sw != 0x9000 && len(data) > 0 && sw>>8 != 0x61 {
		s.wrong("%s: %d bytes of data beside status word %04X", what, len(data), sw)
	}
	return data
}

// refused wants any answer but success.
func (s *session) refused(what string, cmd []byte) {
	if _, sw := s.send(cmd...); sw == 0x9000 || sw>>8 == 0x61 {
		s.wrong("%s: %s answered %04X, want a refusal", what, header(cmd), sw)
	}
}

// header shows a command without its data, which may be a PIN.
func header(cmd []byte) string { return fmt.Sprintf("%X", cmd[:min(5, len(cmd))]) }

// exchange is a case 4 command under T=0: its data come by GET RESPONSE, all of them, and 61xx says how many.
func (s *session) exchange(what string, cmd []byte, size int) []byte {
	data, sw := s.send(cmd...)
	switch {
	case s.failed != nil:
		return nil
	case sw != 0x6100|uint16(min(size, 256)&0xFF) || len(data) > 0:
		s.wrong("%s: %s answered %d bytes and %04X, want 61%02X alone", what, header(cmd), len(data), sw, min(size, 256)&0xFF)
		return data
	}
	return s.want(what+": GET RESPONSE", []byte{0, 0xC0, 0, 0, byte(size)}, 0x9000)
}

// isEC says whether the applet has EC keys: 1.8, and whatever comes after it.
func (s *session) isEC() bool { return s.applet >= 0x18 }
