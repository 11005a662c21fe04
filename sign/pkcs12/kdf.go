package pkcs12

import (
	"crypto/pbkdf2"
	"crypto/sha1"
	"fmt"
	"hash"
	"unicode/utf16"
	"unicode/utf8"
	"unsafe"

	"github.com/eidkit/eidkit/internal/ber"
)

// budget is how many rounds of key derivation a file may still ask for.
type budget struct{ left int }

// spend takes rounds for each of so many derivations.
func (b *budget) spend(rounds, derivations int) error {
	if rounds < 1 {
		return fmt.Errorf("%w: %d rounds of key derivation", ErrFormat, rounds)
	}
	if rounds > b.left/derivations {
		return fmt.Errorf("%w: more than %d rounds of key derivation", ErrTooLarge, MaxIterations)
	}
	b.left -= rounds * derivations
	return nil
}

// kdf is PBKDF2 with its parameters (RFC 8018 appendix A.2).
type kdf struct {
	salt   []byte
	rounds int
	length int // 0: not said
	hash   func() hash.Hash
}

func readPBKDF2(a algorithm) (kdf, error) {
	if a.oid != oidPBKDF2 {
		return kdf{}, a.unsupported()
	}
	r, err := a.inside()
	if err != nil {
		return kdf{}, err
	}
	d := kdf{hash: sha1.New}
	if d.salt, d.rounds, err = saltAndRounds(r); err != nil {
		return kdf{}, err
	}
	length, found, err := r.Optional(ber.Universal, ber.TagInteger)
	if err == nil && found {
		d.length, err = length.Int()
	}
	if err != nil {
		return kdf{}, malformed("PBKDF2", err)
	}
	if r.More() {
		prf, err := readAlgorithm(r)
		if err != nil {
			return kdf{}, err
		}
		var ok bool
		if d.hash, ok = hmacs[prf.oid]; !ok {
			return kdf{}, prf.unsupported()
		}
	}
	return d, nil
}

func (d kdf) key(password []byte, length int, b *budget) ([]byte, error) {
	parts := (length + d.hash().Size() - 1) / d.hash().Size() // each of which takes all the rounds
	if err := b.spend(d.rounds, parts); err != nil {
		return nil, err
	}
	// A view of the bytes instead of a string, which nobody could wipe.
	return pbkdf2.Key(d.hash, unsafe.String(unsafe.SliceData(password), len(password)), d.salt, d.rounds, length)
}

// saltAndRounds reads the parameters that all key derivations begin with.
func saltAndRounds(r *ber.Reader) (salt []byte, rounds int, err error) {
	e, err := r.Next()
	if err != nil {
		return nil, 0, malformed("salt", err)
	}
	if salt, err = octets(e); err != nil {
		return nil, 0, err
	}
	n, err := r.Expect(ber.Universal, ber.TagInteger)
	if err == nil {
		rounds, err = n.Int()
	}
	if err != nil {
		return nil, 0, malformed("rounds", err)
	}
	return salt, rounds, nil
}

// bmp is the password in UTF-16, big-endian, with two zero bytes behind it (RFC 7292 appendix B.1). What is no UTF-8 is taken for
// Latin-1, as openssl does.
func bmp(password []byte) []byte {
	out := make([]byte, 0, 2*len(password)+2)
	valid := utf8.Valid(password)
	for len(password) > 0 {
		r, n := rune(password[0]), 1
		if valid {
			r, n = utf8.DecodeRune(password)
		}
		password = password[n:]
		if high, low := utf16.EncodeRune(r); high != utf8.RuneError {
			out = append(out, byte(high>>8), byte(high))
			r = low
		}
		out = append(out, byte(r>>8), byte(r))
	}
	return append(out, 0, 0)
}

// What a key is derived for (RFC 7292 appendix B.3).
const (
	forKey = 1
	forIV  = 2
	forMAC = 3
)

// derive is the key derivation of RFC 7292 appendix B.2.
func derive(newHash func() hash.Hash, password, salt []byte, rounds int, purpose byte, size int) []byte {
	h := newHash()
	v := h.BlockSize()
	diversifier := make([]byte, v)
	for i := range diversifier {
		diversifier[i] = purpose
	}
	input := append(fill(salt, v), fill(password, v)...)
	defer clear(input)
	var out []byte
	for {
		h.Reset()
		h.Write(diversifier)
		h.Write(input)
		a := h.Sum(nil)
		for range rounds - 1 {
			h.Reset()
			h.Write(a)
			a = h.Sum(a[:0])
		}
		if out = append(out, a...); len(out) >= size {
			return out[:size]
		}
		b := fill(a, v)[:v] // step 6C: each block of the input plus b plus 1
		for block := 0; block < len(input); block += v {
			carry := 1
			for i := v - 1; i >= 0; i-- {
				carry += int(input[block+i]) + int(b[i])
				input[block+i] = byte(carry)
				carry >>= 8
			}
		}
	}
}

// fill repeats b to the next multiple of v bytes; of nothing it makes nothing.
func fill(b []byte, v int) []byte {
	if len(b) == 0 {
		return nil
	}
	out := make([]byte, (len(b)+v-1)/v*v)
	for i := range out {
		out[i] = b[i%len(b)]
	}
	return out
}
