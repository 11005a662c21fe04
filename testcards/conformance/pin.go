package conformance

import (
	"context"

	"github.com/eidkit/eidkit/card"
)

// block is a PIN or PUK as the card takes it (sheet 5).
func block(digits string) []byte {
	pin, err := card.NewPIN([]byte(digits))
	if err != nil {
		return make([]byte, 8)
	}
	b, err := pin.Block()
	if err != nil {
		return make([]byte, 8)
	}
	return b
}

func verify(block []byte) []byte {
	return append([]byte{0x00, 0x20, 0x00, 0x01, byte(len(block))}, block...)
}

// wrongPIN is another PIN of the same length as the right one.
func (s *session) wrongPIN() string {
	pin := []byte(s.options.PIN)
	pin[len(pin)-1] = '0' + (pin[len(pin)-1]-'0'+1)%10
	return string(pin)
}

func (s *session) verifyPIN(what string) { s.want(what, verify(block(s.options.PIN)), 0x9000) }

func (s *session) logOff() { s.want("LOG OFF", []byte{0x80, 0xE6, 0x00, 0x00}, 0x9000) }

// status is VERIFY without data, which applets before 1.7 would count as a wrong PIN.
func (s *session) status(what string, sws ...uint16) {
	if s.applet >= 0x17 {
		s.want(what, []byte{0x00, 0x20, 0x00, 0x01, 0x00}, sws...)
	}
}

// tries wants the card to say how many tries are left, in every way that costs none.
func (s *session) tries(what string, left byte) {
	s.status(what+": VERIFY without data", 0x63C0|uint16(left))
	if s.isEC() {
		data := s.want(what, []byte{0x80, 0xE4, 0, 1, 0x1F}, 0x9000)
		if len(data) == 31 && data[28] != left {
			s.wrong("%s: card data tell %d tries, want %d", what, data[28], left)
		}
	}
}

// signs wants key ref to sign, or to ask for the PIN; the environment is set already.
func (s *session) signs(what string, ref byte, yes bool) {
	key, r := s.keys[ref], s.anyReference()
	if !yes {
		s.want(what, pso(sample(r.size)), 0x6982)
		return
	}
	sig := s.exchange(what, pso(sample(r.size)), key.size())
	if s.failed == nil && len(sig) > 0 {
		if err := key.verify(r, sample(r.size), sig); err != nil {
			s.wrong("%s: signature %v", what, err)
		}
	}
}

func (s *session) use(ref byte) { s.want("MSE SET", mseSet(s.anyReference().value, ref), 0x9000) }

// checkPIN is VERIFY with the right PIN and with what is no PIN at all; none of it costs a try.
func (s *session) checkPIN() {
	if s.options.PIN == "" {
		return
	}
	s.verifyPIN("VERIFY")
	s.status("VERIFY without data, verified", 0x9000)
	s.logOff()
	s.tries("after LOG OFF", 3)
	s.want("VERIFY of seven bytes", verify(block(s.options.PIN)[:7]), 0x6700)
	s.want("VERIFY with P1 01", append([]byte{0, 0x20, 1}, verify(block(s.options.PIN))[3:]...), 0x6A86)
	s.want("VERIFY of an unknown reference", append([]byte{0, 0x20, 0, 9}, verify(block(s.options.PIN))[4:]...), 0x6A88)
	s.tries("after commands that compare nothing", 3)
	s.want("LOG OFF with a fifth byte", []byte{0x80, 0xE6, 0, 0, 0}, 0x9000)
}

// checkKey82 is "PIN once" (sheet 5.1).
func (s *session) checkKey82() {
	if s.options.PIN == "" || s.keys[0x82] == nil {
		return
	}
	s.verifyPIN("VERIFY")
	s.use(0x82)
	s.signs("key 82 after VERIFY", 0x82, true)
	s.want("SELECT", selectPath(0x3F, 0x00), 0x9000)
	s.signs("key 82 again", 0x82, true)
	s.logOff()
	s.signs("key 82 after LOG OFF", 0x82, false)
}

// checkKey83 is "PIN just before" (sheet 5.1).
func (s *session) checkKey83() {
	if s.options.PIN == "" || s.keys[0x83] == nil {
		return
	}
	other := []byte{0x80, 0xE4, 0, 0, 0x1C}
	s.use(0x83)
	s.verifyPIN("VERIFY")
	s.signs("key 83 right after VERIFY", 0x83, true)
	s.signs("key 83 again", 0x83, false)
	if s.keys[0x82] != nil {
		s.use(0x82)
		s.signs("key 82 after a VERIFY that key 83 has used", 0x82, false)
	}
	s.use(0x83)
	s.verifyPIN("VERIFY")
	s.want("a command between", other, 0x9000)
	s.signs("key 83 with one command between", 0x83, s.isEC())
	s.use(0x83)
	s.verifyPIN("VERIFY")
	s.want("a command between", other, 0x9000)
	s.want("another", other, 0x9000)
	s.signs("key 83 with two commands between", 0x83, false)
	if s.keys[0x82] != nil {
		s.logOff()
		s.use(0x82)
		s.verifyPIN("VERIFY for key 82")
		s.use(0x83)
		s.want("a command between", other, 0x9000)
		s.signs("key 83 after a VERIFY for key 82", 0x83, false)
		s.verifyPIN("VERIFY for key 83")
		s.signs("key 83 right after its VERIFY", 0x83, true)
		s.use(0x82)
		s.signs("key 82, whose VERIFY came before that for key 83", 0x82, true)
	}
	s.logOff()
}

// checkWrongPIN spends one try and gets it back.
func (s *session) checkWrongPIN() {
	if s.options.PIN == "" || !s.options.WrongPIN {
		return
	}
	s.verifyPIN("VERIFY") // all tries are there now
	if s.keys[0x82] != nil {
		s.use(0x82)
	}
	s.want("VERIFY of a wrong PIN", verify(block(s.wrongPIN())), 0x63C2)
	s.tries("after a wrong PIN", 2)
	if s.keys[0x82] != nil {
		s.signs("key 82 after a wrong PIN", 0x82, false)
	}
	s.verifyPIN("VERIFY after a wrong PIN")
	s.logOff()
	s.tries("after the right PIN", 3)
}

// checkChange changes the PIN and changes it back.
func (s *session) checkChange() {
	if s.options.PIN == "" || !s.options.WrongPIN {
		return
	}
	change := func(from, to []byte) []byte {
		return append(append([]byte{0x00, 0x24, 0x00, 0x01, 0x10}, from...), to...)
	}
	right, other := block(s.options.PIN), block(s.wrongPIN())
	s.want("CHANGE REFERENCE DATA to what is no PIN", change(right, make([]byte, 8)), 0x6A80)
	s.want("CHANGE REFERENCE DATA of eight bytes", append([]byte{0x00, 0x24, 0x00, 0x01, 0x08}, right...), 0x6700)
	_, sw := s.send(change(right, other)...)
	if sw != 0x9000 {
		s.wrong("CHANGE REFERENCE DATA answered %04X, want 9000", sw)
		return
	}
	if s.keys[0x82] != nil {
		s.use(0x82)
		s.signs("key 82 after CHANGE REFERENCE DATA", 0x82, true)
	}
	s.want("VERIFY of the new PIN", verify(other), 0x9000)
	s.want("CHANGE REFERENCE DATA back", change(other, right), 0x9000)
	s.verifyPIN("VERIFY of the first PIN again")
	s.logOff()
}

// checkReset wants a reset to take the PIN rights and what was set.
func (s *session) checkReset() {
	if s.options.PIN == "" || s.keys[0x82] == nil {
		return
	}
	s.use(0x82)
	s.verifyPIN("VERIFY")
	if s.failed != nil {
		return
	}
	if s.failed = s.t.End(context.Background(), card.Reset); s.failed == nil {
		s.failed = s.t.Begin(s.ctx)
	}
	s.want("PSO after a reset", pso(sample(s.anyReference().size)), 0x6985)
	s.use(0x82)
	s.signs("key 82 after a reset", 0x82, false)
	s.want("READ BINARY after a reset", readBinary(0, 1), 0x6986)
}

// checkBlock spends all tries.
func (s *session) checkBlock() {
	if s.options.PIN == "" || !s.options.Block {
		return
	}
	wrong := verify(block(s.wrongPIN()))
	s.want("first wrong PIN", wrong, 0x63C2)
	s.want("second wrong PIN", wrong, 0x63C1)
	s.want("third wrong PIN", wrong, 0x6983, 0x63C0)
	s.want("the right PIN when blocked", verify(block(s.options.PIN)), 0x6983)
	s.status("VERIFY without data when blocked", 0x6983)
	if s.options.PUK == "" || s.isEC() {
		return
	}
	s.want("RESET RETRY COUNTER", append([]byte{0x00, 0x2C, 0x00, 0x01, 0x08}, block(s.options.PUK)...), 0x9000)
	s.verifyPIN("VERIFY after RESET RETRY COUNTER")
	s.logOff()
}
