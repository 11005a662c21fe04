package pkcs12

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"

	"github.com/eidkit/eidkit/internal/ber"
)

// Object identifiers of RFC 7292, PKCS #7 and PKCS #9.
const (
	oidData          = "1.2.840.113549.1.7.1"
	oidEncryptedData = "1.2.840.113549.1.7.6"
	oidKeyBag        = "1.2.840.113549.1.12.10.1.1"
	oidShroudedBag   = "1.2.840.113549.1.12.10.1.2"
	oidCertBag       = "1.2.840.113549.1.12.10.1.3"
	oidSafeBag       = "1.2.840.113549.1.12.10.1.6"
	oidX509          = "1.2.840.113549.1.9.22.1"
	oidLocalKeyID    = "1.2.840.113549.1.9.21"
)

// file is a PFX (RFC 7292 section 4) whose MAC has not been checked.
type file struct {
	content []byte // AuthenticatedSafe, as it stands: what the MAC is over
	mac     *mac   // nil: there is none
}

// safe is what a file holds.
type safe struct {
	password []byte
	budget   *budget
	bags     int
	keys     []privateKey
	certs    []certificate
}

type privateKey struct {
	signer crypto.Signer
	id     []byte // localKeyID
}

type certificate struct{ der, id []byte }

func malformed(what string, err error) error {
	if errors.Is(err, ber.ErrTooLarge) {
		return fmt.Errorf("%w: %s: %w", ErrTooLarge, what, err)
	}
	return fmt.Errorf("%w: %s: %w", ErrFormat, what, err)
}

func parse(data []byte) (*file, error) {
	pfx, err := ber.Parse(data)
	if err != nil || !pfx.Is(ber.Universal, ber.TagSequence) {
		return nil, malformed("PFX", errors.Join(err, errNoSequence(err)))
	}
	r := pfx.Reader()
	version, err := r.Expect(ber.Universal, ber.TagInteger)
	if err != nil {
		return nil, malformed("version", err)
	}
	if n, err := version.Int(); err != nil || n != 3 {
		return nil, fmt.Errorf("%w: version is not 3", ErrFormat)
	}
	kind, content, err := contentInfo(r)
	if err != nil {
		return nil, err
	}
	if kind != oidData {
		return nil, fmt.Errorf("%w: by public keys (content of type %s)", ErrUnsupported, kind)
	}
	f := &file{}
	if f.content, err = octets(content); err != nil {
		return nil, err
	}
	if r.More() {
		if f.mac, err = parseMAC(r); err != nil {
			return nil, err
		}
	}
	return f, nil
}

func errNoSequence(err error) error {
	if err != nil {
		return nil
	}
	return errors.New("no SEQUENCE")
}

// contentInfo reads a ContentInfo: its type, and the element inside [0].
func contentInfo(r *ber.Reader) (kind string, content ber.Element, err error) {
	info, err := r.Expect(ber.Universal, ber.TagSequence)
	if err != nil {
		return "", content, malformed("ContentInfo", err)
	}
	return typed(info.Reader(), "ContentInfo")
}

// typed reads an OBJECT IDENTIFIER and what follows it in [0] EXPLICIT.
func typed(r *ber.Reader, what string) (kind string, content ber.Element, err error) {
	oid, err := r.Expect(ber.Universal, ber.TagOID)
	if err == nil {
		kind, err = oid.OID()
	}
	if err != nil {
		return "", content, malformed(what, err)
	}
	explicit, err := r.Expect(ber.Context, 0)
	if err == nil {
		content, err = explicit.Reader().Next()
	}
	if err != nil {
		return "", content, malformed(what, err)
	}
	return kind, content, nil
}

// octets is the value of an OCTET STRING.
func octets(e ber.Element) ([]byte, error) {
	if !e.Is(ber.Universal, ber.TagOctetString) {
		return nil, fmt.Errorf("%w: %v instead of an OCTET STRING", ErrFormat, e.Header)
	}
	b, err := e.Octets()
	if err != nil {
		return nil, malformed("OCTET STRING", err)
	}
	return b, nil
}

// unlock checks the MAC and opens everything.
func (f *file) unlock(password []byte, rounds int) (*safe, error) {
	s := &safe{password: password, budget: &budget{left: rounds}}
	if f.mac != nil {
		if err := f.mac.check(f.content, password, s.budget); err != nil {
			return nil, err
		}
	}
	err := s.authenticated(f.content)
	if err != nil {
		s.wipe()
		// Without a MAC, a wrong password shows in contents that make no sense.
		if f.mac == nil && errors.Is(err, ErrFormat) && s.budget.left < rounds {
			err = fmt.Errorf("%w, or its contents are damaged", ErrPassword)
		}
		return nil, err
	}
	return s, nil
}

// authenticated reads an AuthenticatedSafe.
func (s *safe) authenticated(content []byte) error {
	e, err := ber.Parse(content)
	if err != nil {
		return malformed("AuthenticatedSafe", err)
	}
	for r := e.Reader(); r.More(); {
		kind, content, err := contentInfo(r)
		if err != nil {
			return err
		}
		var plain []byte
		switch kind {
		case oidData:
			plain, err = octets(content)
		case oidEncryptedData:
			plain, err = s.encryptedData(content)
		default:
			err = fmt.Errorf("%w: content of type %s", ErrUnsupported, kind)
		}
		if err != nil {
			return err
		}
		contents, err := ber.Parse(plain)
		if err != nil {
			return malformed("SafeContents", err)
		}
		if err := s.contents(contents, 0); err != nil {
			return err
		}
	}
	return nil
}

// encryptedData decrypts an EncryptedData (PKCS #7).
func (s *safe) encryptedData(e ber.Element) ([]byte, error) {
	r := e.Reader()
	if _, err := r.Expect(ber.Universal, ber.TagInteger); err != nil {
		return nil, malformed("EncryptedData", err)
	}
	info, err := r.Expect(ber.Universal, ber.TagSequence)
	if err != nil {
		return nil, malformed("EncryptedData", err)
	}
	r = info.Reader()
	if _, err := r.Expect(ber.Universal, ber.TagOID); err != nil {
		return nil, malformed("EncryptedData", err)
	}
	algorithm, err := readAlgorithm(r)
	if err != nil {
		return nil, err
	}
	content, err := r.Expect(ber.Context, 0)
	if err != nil {
		return nil, malformed("EncryptedData", err)
	}
	secret, err := content.Octets()
	if err != nil {
		return nil, malformed("EncryptedData", err)
	}
	return s.decrypt(algorithm, secret)
}

// contents reads the bags of a SafeContents.
func (s *safe) contents(e ber.Element, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("%w: bags in bags", ErrTooLarge)
	}
	for r := e.Reader(); r.More(); {
		if s.bags++; s.bags > maxBags {
			return fmt.Errorf("%w: more than %d bags", ErrTooLarge, maxBags)
		}
		bag, err := r.Expect(ber.Universal, ber.TagSequence)
		if err != nil {
			return malformed("SafeBag", err)
		}
		inside := bag.Reader()
		kind, value, err := typed(inside, "SafeBag")
		if err != nil {
			return err
		}
		switch kind {
		case oidKeyBag:
			err = s.key(value.Raw, inside)
		case oidShroudedBag:
			var plain []byte
			if plain, err = s.shrouded(value); err == nil {
				err = s.key(plain, inside)
				clear(plain)
			}
		case oidCertBag:
			err = s.cert(value, inside)
		case oidSafeBag:
			err = s.contents(value, depth+1)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// shrouded decrypts an EncryptedPrivateKeyInfo (RFC 5958 section 3).
func (s *safe) shrouded(e ber.Element) ([]byte, error) {
	r := e.Reader()
	algorithm, err := readAlgorithm(r)
	if err != nil {
		return nil, err
	}
	content, err := r.Expect(ber.Universal, ber.TagOctetString)
	if err != nil {
		return nil, malformed("private key", err)
	}
	secret, err := octets(content)
	if err != nil {
		return nil, err
	}
	if len(secret) > maxKey {
		return nil, fmt.Errorf("%w: a private key of %d bytes", ErrTooLarge, len(secret))
	}
	return s.decrypt(algorithm, secret)
}

// key reads a PrivateKeyInfo (PKCS #8) and the attributes that follow it.
func (s *safe) key(plain []byte, attributes *ber.Reader) error {
	if len(plain) > maxKey {
		return fmt.Errorf("%w: a private key of %d bytes", ErrTooLarge, len(plain))
	}
	der, err := ber.DER(plain)
	if err != nil {
		return malformed("private key", err)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return malformed("private key", err)
	}
	id, err := localKeyID(attributes)
	if err != nil {
		return err
	}
	switch k := parsed.(type) {
	case *rsa.PrivateKey:
		s.keys = append(s.keys, privateKey{k, id})
	case *ecdsa.PrivateKey:
		s.keys = append(s.keys, privateKey{k, id})
	default:
		return fmt.Errorf("%w: the key is neither RSA nor EC", ErrNoKey)
	}
	return nil
}

// cert reads a CertBag. Certificates that are not X.509 are left aside.
func (s *safe) cert(e ber.Element, attributes *ber.Reader) error {
	kind, value, err := typed(e.Reader(), "CertBag")
	if err != nil || kind != oidX509 {
		return err
	}
	der, err := octets(value)
	if err != nil {
		return err
	}
	id, err := localKeyID(attributes)
	if err != nil {
		return err
	}
	s.certs = append(s.certs, certificate{der, id})
	return nil
}

// localKeyID finds that attribute of a bag, by which its key and certificate know each other.
func localKeyID(r *ber.Reader) ([]byte, error) {
	set, found, err := r.Optional(ber.Universal, ber.TagSet)
	if err != nil {
		return nil, malformed("attributes", err)
	}
	if !found {
		return nil, nil
	}
	for r := set.Reader(); r.More(); {
		attribute, err := r.Expect(ber.Universal, ber.TagSequence)
		if err != nil {
			return nil, malformed("attribute", err)
		}
		inside := attribute.Reader()
		oid, err := inside.Expect(ber.Universal, ber.TagOID)
		if err != nil {
			return nil, malformed("attribute", err)
		}
		if name, err := oid.OID(); err != nil || name != oidLocalKeyID {
			continue
		}
		values, err := inside.Expect(ber.Universal, ber.TagSet)
		if err != nil {
			return nil, malformed("attribute", err)
		}
		value, err := values.Reader().Next()
		if err != nil {
			return nil, malformed("attribute", err)
		}
		return octets(value)
	}
	return nil, nil
}

// wipe lets go of the password. Keys stay: they are given out, or nobody has them.
func (s *safe) wipe() { s.password = nil }
