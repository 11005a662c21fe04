package pkcs12

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"fmt"
	"hash"

	"github.com/eidkit/eidkit/internal/ber"
)

// algorithm is an AlgorithmIdentifier: an OID and its parameters, which may be absent.
type algorithm struct {
	oid        string
	parameters *ber.Element
}

func readAlgorithm(r *ber.Reader) (algorithm, error) {
	e, err := r.Expect(ber.Universal, ber.TagSequence)
	if err != nil {
		return algorithm{}, malformed("AlgorithmIdentifier", err)
	}
	inside := e.Reader()
	oid, err := inside.Expect(ber.Universal, ber.TagOID)
	if err != nil {
		return algorithm{}, malformed("AlgorithmIdentifier", err)
	}
	a := algorithm{}
	if a.oid, err = oid.OID(); err != nil {
		return algorithm{}, malformed("AlgorithmIdentifier", err)
	}
	if inside.More() {
		p, err := inside.Next()
		if err != nil {
			return algorithm{}, malformed("AlgorithmIdentifier", err)
		}
		a.parameters = &p
	}
	return a, nil
}

// inside reads the parameters as a SEQUENCE.
func (a algorithm) inside() (*ber.Reader, error) {
	if a.parameters == nil || !a.parameters.Is(ber.Universal, ber.TagSequence) {
		return nil, fmt.Errorf("%w: algorithm %s without parameters", ErrFormat, a.oid)
	}
	return a.parameters.Reader(), nil
}

func (a algorithm) unsupported() error { return fmt.Errorf("%w: algorithm %s", ErrUnsupported, a.oid) }

var (
	digests = map[string]func() hash.Hash{ // of the MAC
		"1.3.14.3.2.26":          sha1.New,
		"2.16.840.1.101.3.4.2.4": sha256.New224,
		"2.16.840.1.101.3.4.2.1": sha256.New,
		"2.16.840.1.101.3.4.2.2": sha512.New384,
		"2.16.840.1.101.3.4.2.3": sha512.New,
	}
	hmacs = map[string]func() hash.Hash{ // RFC 8018 appendix B.1
		"1.2.840.113549.2.7":  sha1.New,
		"1.2.840.113549.2.8":  sha256.New224,
		"1.2.840.113549.2.9":  sha256.New,
		"1.2.840.113549.2.10": sha512.New384,
		"1.2.840.113549.2.11": sha512.New,
	}
	blocks = map[string]blockCipher{ // of PBES2: RFC 8018 appendix B.2, RFC 3565
		"2.16.840.1.101.3.4.1.2":  {16, aes.NewCipher},
		"2.16.840.1.101.3.4.1.22": {24, aes.NewCipher},
		"2.16.840.1.101.3.4.1.42": {32, aes.NewCipher},
		"1.2.840.113549.3.7":      {24, des.NewTripleDESCipher},
	}
	old = map[string]blockCipher{ // RFC 7292 appendix C
		"1.2.840.113549.1.12.1.3": {24, des.NewTripleDESCipher},
		"1.2.840.113549.1.12.1.4": {16, twoKeyTripleDES},
		"1.2.840.113549.1.12.1.5": {16, newRC2},
		"1.2.840.113549.1.12.1.6": {5, newRC2},
	}
)

type blockCipher struct {
	key int // bytes
	new func(key []byte) (cipher.Block, error)
}

func twoKeyTripleDES(key []byte) (cipher.Block, error) {
	return des.NewTripleDESCipher(append(append([]byte{}, key...), key[:8]...))
}

const (
	oidPBES2  = "1.2.840.113549.1.5.13"
	oidPBKDF2 = "1.2.840.113549.1.5.12"
	oidPBMAC1 = "1.2.840.113549.1.5.14"
)

// decrypt undoes password-based encryption: PBES2, or the older ones of RFC 7292 appendix C.
func (s *safe) decrypt(a algorithm, secret []byte) ([]byte, error) {
	if a.oid == oidPBES2 {
		return s.decryptPBES2(a, secret)
	}
	c, ok := old[a.oid]
	if !ok {
		return nil, a.unsupported()
	}
	r, err := a.inside()
	if err != nil {
		return nil, err
	}
	salt, rounds, err := saltAndRounds(r)
	if err != nil {
		return nil, err
	}
	if err := s.budget.spend(rounds, 3); err != nil {
		return nil, err
	}
	password := bmp(s.password)
	defer clear(password)
	key := derive(sha1.New, password, salt, rounds, forKey, c.key)
	defer clear(key)
	block, err := c.new(key)
	if err != nil {
		return nil, err
	}
	return unpad(block, derive(sha1.New, password, salt, rounds, forIV, block.BlockSize()), secret)
}

func (s *safe) decryptPBES2(a algorithm, secret []byte) ([]byte, error) {
	r, err := a.inside()
	if err != nil {
		return nil, err
	}
	kdf, err := readAlgorithm(r)
	if err != nil {
		return nil, err
	}
	scheme, err := readAlgorithm(r)
	if err != nil {
		return nil, err
	}
	c, ok := blocks[scheme.oid]
	if !ok {
		return nil, scheme.unsupported()
	}
	d, err := readPBKDF2(kdf)
	if err != nil {
		return nil, err
	}
	if d.length != 0 && d.length != c.key || scheme.parameters == nil {
		return nil, fmt.Errorf("%w: parameters of PBES2", ErrFormat)
	}
	iv, err := octets(*scheme.parameters)
	if err != nil {
		return nil, err
	}
	key, err := d.key(s.password, c.key, s.budget)
	if err != nil {
		return nil, err
	}
	defer clear(key)
	block, err := c.new(key)
	if err != nil {
		return nil, err
	}
	if len(iv) != block.BlockSize() {
		return nil, fmt.Errorf("%w: parameters of PBES2", ErrFormat)
	}
	return unpad(block, iv, secret)
}

// unpad decrypts in CBC mode and takes off the padding (RFC 8018 section 6.1.1). What does not fit is ErrFormat: after a MAC that is
// right it is no matter of the password.
func unpad(block cipher.Block, iv, secret []byte) ([]byte, error) {
	size := block.BlockSize()
	if len(secret) == 0 || len(secret)%size != 0 {
		return nil, fmt.Errorf("%w: %d encrypted bytes", ErrFormat, len(secret))
	}
	plain := make([]byte, len(secret))
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(plain, secret)
	n := int(plain[len(plain)-1])
	if n < 1 || n > size {
		return nil, fmt.Errorf("%w: padding", ErrFormat)
	}
	for _, b := range plain[len(plain)-n:] {
		if int(b) != n {
			return nil, fmt.Errorf("%w: padding", ErrFormat)
		}
	}
	return plain[:len(plain)-n], nil
}
