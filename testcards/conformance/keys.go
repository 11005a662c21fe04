package conformance

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"maps"
	"math/big"
	"slices"
)

// signingKey is the public half of a key of the card.
type signingKey struct {
	public crypto.PublicKey
	bits   int
}

// size is that of a signature.
func (k *signingKey) size() int {
	if k.bits == 384 {
		return 96
	}
	return k.bits / 8
}

// refs are the keys that have a certificate, in order.
func (s *session) refs() []byte { return slices.Sorted(maps.Keys(s.keys)) }

// reference is a row of sheet 6.1 with something to sign under it.
type reference struct {
	value byte
	hash  crypto.Hash // how the card pads it; 0: a DigestInfo, or any hash
	pss   bool
	size  int
}

var references = map[byte][]reference{
	0x11: {{value: 0x01, size: 35}, {value: 0x02, hash: crypto.SHA1, size: 20}, {value: 0x04, hash: crypto.MD5, size: 16}},
	0x17: {{value: 0x01, size: 51}, {value: 0x02, hash: crypto.SHA1, size: 20}, {value: 0x04, hash: crypto.MD5, size: 16},
		{value: 0x08, hash: crypto.SHA256, size: 32}, {value: 0x10, hash: crypto.SHA1, pss: true, size: 20},
		{value: 0x20, hash: crypto.SHA256, pss: true, size: 32}},
	0x18: {{value: 0x01, size: 32}, {value: 0x02, size: 48}, {value: 0x04, size: 64}, {value: 0x08, size: 32},
		{value: 0x10, size: 48}, {value: 0x20, size: 64}, {value: 0x40, size: 20}, {value: 0x40, size: 28}, {value: 0x40, size: 64}},
}

// references of this card's applet; an unknown newer one is expected to have those of 1.8.
func (s *session) references() []reference {
	if s.isEC() {
		return references[0x18]
	}
	if s.applet >= 0x17 {
		return references[0x17]
	}
	return references[0x11]
}

// verify checks a signature made under a reference.
func (k *signingKey) verify(r reference, data, sig []byte) error {
	switch pub := k.public.(type) {
	case *rsa.PublicKey:
		if r.pss {
			return rsa.VerifyPSS(pub, r.hash, data, sig, &rsa.PSSOptions{SaltLength: r.size})
		}
		return rsa.VerifyPKCS1v15(pub, r.hash, data, sig)
	case *ecdsa.PublicKey:
		if len(sig) != 96 {
			return errors.New("not r and s of 48 bytes each")
		}
		if ecdsa.Verify(pub, data, new(big.Int).SetBytes(sig[:48]), new(big.Int).SetBytes(sig[48:])) {
			return nil
		}
	}
	return errors.New("does not verify")
}

func mseSet(reference, key byte) []byte {
	return []byte{0x00, 0x22, 0x41, 0xB6, 0x05, 0x04, 0x80, reference, 0x84, key}
}

func pso(data []byte) []byte {
	return append([]byte{0x00, 0x2A, 0x9E, 0x9A, byte(len(data))}, data...)
}

// sample is n bytes to sign that nobody guesses to be special.
func sample(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(0x5A + 7*i)
	}
	return b
}

// anyReference is the reference used where the algorithm does not matter.
func (s *session) anyReference() reference { return s.references()[1] }

// checkChallenge is GET CHALLENGE.
func (s *session) checkChallenge() {
	first := s.want("GET CHALLENGE", []byte{0, 0x84, 0, 0, 0x14}, 0x9000)
	second := s.want("GET CHALLENGE", []byte{0, 0x84, 0, 0, 0x14}, 0x9000)
	if s.failed == nil && (len(first) != 20 || len(second) != 20 || bytes.Equal(first, second)) {
		s.wrong("two challenges of 20 bytes: %X and %X", first, second)
	}
}

// checkCardKey is INTERNAL AUTHENTICATE of applet 1.8 (sheet 6.4).
func (s *session) checkCardKey() {
	if !s.isEC() {
		return
	}
	public, err := x509.ParsePKIXPublicKey(s.files[0x4040])
	if err != nil {
		s.wrong("4040: %v", err)
		return
	}
	s.card = &signingKey{public, 384}
	challenge := sample(48)
	command := append([]byte{0x00, 0x88, 0x02, 0x81, 0x32, 0x94, 0x30}, challenge...)
	s.want("MSE SET with key 81", mseSet(0x02, 0x81), 0x9000)
	sig := s.exchange("INTERNAL AUTHENTICATE", command, 96)
	if s.failed == nil {
		if err := s.card.verify(reference{}, challenge, sig); err != nil {
			s.wrong("INTERNAL AUTHENTICATE: signature under the key of 4040: %v", err)
		}
	}
	s.want("PSO after INTERNAL AUTHENTICATE, which clears the environment", pso(sample(48)), 0x6985)
	s.want("INTERNAL AUTHENTICATE, short", command[:20], 0x6700)
}

// checkEnvironment is MSE SET (sheet 6.1), without the PIN.
func (s *session) checkEnvironment() {
	for _, ref := range s.refs() {
		for _, r := range s.references() {
			s.want("MSE SET", mseSet(r.value, ref), 0x9000)
		}
		s.want("MSE SET with a reference that no applet has", mseSet(0x03, ref), 0x6A80)
		if !s.isEC() {
			s.want("MSE SET with a reference of EC applets", mseSet(0x40, ref), 0x6A80)
		}
		if s.applet < 0x17 {
			s.want("MSE SET with a reference of 1.7", mseSet(0x08, ref), 0x6A80)
		}
	}
	if len(s.keys) == 0 {
		return
	}
	s.want("MSE SET with an unknown key", mseSet(s.anyReference().value, 0x8F), 0x6A88)
	s.want("MSE SET with other tags", []byte{0x00, 0x22, 0x41, 0xB6, 0x05, 0x04, 0x81, 0x01, 0x84, 0x82}, 0x6A80)
	s.want("MSE SET, short", []byte{0x00, 0x22, 0x41, 0xB6, 0x03, 0x84, 0x01, 0x82}, 0x6700)
	s.refused("MSE SET with other P1 P2", append([]byte{0x00, 0x22, 0x81, 0xB6}, mseSet(0x01, 0x82)[4:]...))
}

// checkNoPIN wants nothing signed before a VERIFY.
func (s *session) checkNoPIN() {
	r := s.anyReference()
	for _, ref := range s.refs() {
		s.want("MSE SET", mseSet(r.value, ref), 0x9000)
		s.want("PSO without the PIN", pso(sample(r.size)), 0x6982)
	}
	s.want("SELECT of the applet", selectAID(0x0C, appletAID), 0x9000)
	s.want("PSO without MSE SET", pso(sample(r.size)), 0x6985)
}

// checkSignatures signs under every reference, with key 82 after one VERIFY and with key 83 after one for each.
func (s *session) checkSignatures() {
	if s.options.PIN == "" {
		return
	}
	for _, ref := range s.refs() {
		key := s.keys[ref]
		s.verifyPIN("VERIFY")
		for _, r := range s.references() {
			s.want("MSE SET", mseSet(r.value, ref), 0x9000)
			if ref == 0x83 {
				s.verifyPIN("VERIFY for key 83")
			}
			data := sample(r.size)
			sig := s.exchange("PSO", pso(data), key.size())
			if s.failed != nil {
				return
			}
			if err := key.verify(r, data, sig); err != nil {
				s.wrong("key %02X, reference %02X, %d bytes: signature %v", ref, r.value, r.size, err)
			}
		}
		s.logOff()
	}
	if key := s.keys[0x82]; key != nil {
		s.checkResponses(key)
	}
}

// checkResponses is GET RESPONSE (sheet 2.5) on a signature that waits, and lengths that do not fit.
func (s *session) checkResponses(key *signingKey) {
	r := s.anyReference()
	s.want("MSE SET", mseSet(r.value, 0x82), 0x9000)
	s.verifyPIN("VERIFY")
	s.want("PSO of a length that does not fit", pso(sample(r.size-1)), 0x6700)
	s.want("PSO of nothing", []byte{0x00, 0x2A, 0x9E, 0x9A, 0x00}, 0x6700)
	s.refused("PSO with other P1 P2", append([]byte{0x00, 0x2A, 0x9E, 0x9B}, pso(sample(r.size))[4:]...))
	waiting := 0x6100 | uint16(key.size()&0xFF)
	s.want("PSO", pso(sample(r.size)), waiting)
	if key.size() < 256 {
		s.want("GET RESPONSE with Le too big", []byte{0, 0xC0, 0, 0, byte(key.size() + 1)}, 0x6C00|uint16(key.size()))
	}
	first := s.want("GET RESPONSE for a part", []byte{0, 0xC0, 0, 0, 10}, 0x6100|uint16(key.size()-10))
	rest := s.want("GET RESPONSE for the rest", []byte{0, 0xC0, 0, 0, byte(key.size() - 10)}, 0x9000)
	if s.failed == nil && key.verify(r, sample(r.size), append(first, rest...)) != nil {
		s.wrong("a signature fetched in two parts does not verify")
	}
	s.want("GET RESPONSE when all is fetched", []byte{0, 0xC0, 0, 0, 1}, 0x6985)
	s.want("PSO", pso(sample(r.size)), waiting)
	s.want("another command", []byte{0x80, 0xE4, 0, 0, 0x1C}, 0x9000)
	s.want("GET RESPONSE after another command", []byte{0, 0xC0, 0, 0, 1}, 0x6985)
	s.logOff()
}
