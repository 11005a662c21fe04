package pkcs12

import (
	"crypto/hmac"
	"fmt"
	"hash"

	"github.com/eidkit/eidkit/internal/ber"
)

// mac is a MacData: RFC 7292 section 4, RFC 9579.
type mac struct {
	algorithm algorithm
	value     []byte
	salt      []byte
	rounds    int
}

func parseMAC(r *ber.Reader) (*mac, error) {
	e, err := r.Expect(ber.Universal, ber.TagSequence)
	if err != nil {
		return nil, malformed("MacData", err)
	}
	r = e.Reader()
	info, err := r.Expect(ber.Universal, ber.TagSequence)
	if err != nil {
		return nil, malformed("MacData", err)
	}
	m := &mac{rounds: 1}
	inside := info.Reader()
	if m.algorithm, err = readAlgorithm(inside); err != nil {
		return nil, err
	}
	value, err := inside.Next()
	if err != nil {
		return nil, malformed("MacData", err)
	}
	if m.value, err = octets(value); err != nil {
		return nil, err
	}
	salt, err := r.Next()
	if err != nil {
		return nil, malformed("MacData", err)
	}
	if m.salt, err = octets(salt); err != nil {
		return nil, err
	}
	rounds, found, err := r.Optional(ber.Universal, ber.TagInteger)
	if err == nil && found {
		m.rounds, err = rounds.Int()
	}
	if err != nil {
		return nil, malformed("MacData", err)
	}
	return m, nil
}

// check compares the MAC over content. The empty password is written in two ways: with and without its end mark.
func (m *mac) check(content, password []byte, b *budget) error {
	if m.algorithm.oid == oidPBMAC1 {
		return m.checkPBMAC1(content, password, b)
	}
	hash, ok := digests[m.algorithm.oid]
	if !ok {
		return m.algorithm.unsupported()
	}
	ways := [][]byte{bmp(password)}
	if len(password) == 0 {
		ways = append(ways, nil)
	}
	for _, way := range ways {
		if err := b.spend(m.rounds, 1); err != nil {
			return err
		}
		key := derive(hash, way, m.salt, m.rounds, forMAC, hash().Size())
		clear(way)
		if equalMAC(hash, key, content, m.value) {
			return nil
		}
	}
	return ErrPassword
}

// checkPBMAC1 is RFC 9579: PBKDF2 with a key length, then any HMAC.
func (m *mac) checkPBMAC1(content, password []byte, b *budget) error {
	r, err := m.algorithm.inside()
	if err != nil {
		return err
	}
	kdf, err := readAlgorithm(r)
	if err != nil {
		return err
	}
	scheme, err := readAlgorithm(r)
	if err != nil {
		return err
	}
	hash, ok := hmacs[scheme.oid]
	if !ok {
		return scheme.unsupported()
	}
	d, err := readPBKDF2(kdf)
	if err != nil {
		return err
	}
	// A short key would let a forger guess it (RFC 9579 section 9); a longer one than the hash is of no use.
	if d.length < 20 || d.length > 64 {
		return fmt.Errorf("%w: MAC key of %d bytes", ErrFormat, d.length)
	}
	key, err := d.key(password, d.length, b)
	if err != nil {
		return err
	}
	if !equalMAC(hash, key, content, m.value) {
		return ErrPassword
	}
	return nil
}

func equalMAC(hash func() hash.Hash, key, content, want []byte) bool {
	h := hmac.New(hash, key)
	h.Write(content)
	return hmac.Equal(h.Sum(nil), want)
}
