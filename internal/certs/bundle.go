package certs

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"

	"github.com/eidkit/eidkit/internal/ber"
)

// MaxBundle bounds the certificates in one bundle. All anchors of the EU
// trusted lists together are about 5,000.
const MaxBundle = 20000

// ErrBundle: what was given is no set of certificates, or not of certificates
// alone.
var ErrBundle = errors.New("not a set of certificates")

// ParseAll reads all certificates of a bundle: PEM if there is a PEM block,
// else DER certificates one after the other, or PKCS #7 (.p7b, .p7c; RFC 5652
// section 5), DER or BER, whose signatures are not looked at. Anything among
// them that is no certificate is an error: nothing is lost in silence. The
// oddities are those of Parse, with the certificate's place in front. Errors:
// ErrBundle, ErrMalformed.
func ParseAll(data []byte) (list []*x509.Certificate, oddities []string, err error) {
	b := &bundle{}
	switch {
	case bytes.Contains(data, []byte("-----BEGIN ")):
		err = b.pem(data)
	case len(data) == 0:
		err = fmt.Errorf("%w: the file is empty", ErrBundle)
	default:
		err = b.der(data)
	}
	if err != nil {
		return nil, nil, err
	}
	return b.list, b.odd, nil
}

// bundle is what was read so far.
type bundle struct {
	list []*x509.Certificate
	odd  []string
}

func (b *bundle) add(der []byte) error {
	n := len(b.list) + 1
	if n > MaxBundle {
		return fmt.Errorf("%w: more than %d certificates", ErrBundle, MaxBundle)
	}
	c, odd, err := Parse(der)
	if err != nil {
		return fmt.Errorf("certificate %d: %w", n, err)
	}
	b.list = append(b.list, c)
	for _, o := range odd {
		b.odd = append(b.odd, fmt.Sprintf("certificate %d: %s", n, o))
	}
	return nil
}

func (b *bundle) pem(data []byte) error {
	begins, blocks := bytes.Count(data, []byte("-----BEGIN ")), 0
	for {
		block, rest := pem.Decode(data)
		if block == nil {
			break
		}
		data = rest
		blocks++
		var err error
		switch block.Type {
		case "CERTIFICATE", "X509 CERTIFICATE":
			err = b.add(block.Bytes)
		case "PKCS7", "CMS":
			err = b.pkcs7(block.Bytes)
		default:
			err = fmt.Errorf("%w: PEM block %d is %.40q, not a certificate", ErrBundle, blocks, block.Type)
		}
		if err != nil {
			return err
		}
	}
	// The decoder passes over what it cannot read; here that must not be
	// silent.
	if blocks != begins {
		return fmt.Errorf("%w: %d PEM blocks begin, but only %d can be read", ErrBundle, begins, blocks)
	}
	return nil
}

func (b *bundle) der(data []byte) error {
	for len(data) > 0 {
		e, err := ber.ParsePrefix(data)
		if err != nil || !e.Is(ber.Universal, ber.TagSequence) {
			return fmt.Errorf("%w: neither PEM nor a DER certificate", ErrBundle)
		}
		if len(b.list) == 0 && len(e.Raw) == len(data) && b.pkcs7(data) == nil {
			return nil
		}
		if err := b.add(e.Raw); err != nil {
			return fmt.Errorf("neither PEM nor a DER certificate: %w", err)
		}
		data = data[len(e.Raw):]
	}
	return nil
}

var oidSignedData = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}

// pkcs7 takes the certificates of a SignedData; b is unchanged on error.
func (b *bundle) pkcs7(data []byte) error {
	set, err := certificateSet(data)
	if err != nil {
		return fmt.Errorf("%w: PKCS #7: %w", ErrBundle, err)
	}
	before := *b
	for r := set.Reader(); r.More(); {
		e, err := r.Next()
		switch {
		case err != nil:
		case !e.Is(ber.Universal, ber.TagSequence):
			err = fmt.Errorf("%w: PKCS #7 holds %v, not a certificate", ErrBundle, e.Header)
		default:
			err = b.add(e.Raw)
		}
		if err != nil {
			*b = before
			return err
		}
	}
	if len(b.list) == len(before.list) {
		return fmt.Errorf("%w: PKCS #7 without certificates", ErrBundle)
	}
	return nil
}

// certificateSet finds the certificates of ContentInfo and SignedData (RFC 5652
// sections 3 and 5.1).
func certificateSet(data []byte) (set ber.Element, err error) {
	info, err := ber.Parse(data)
	if err != nil {
		return set, err
	}
	r := info.Reader()
	id, err := r.Expect(ber.Universal, ber.TagOID)
	if err != nil {
		return set, err
	}
	if oid, ok := readOID(id.Raw); !ok || !oid.Equal(oidSignedData) {
		return set, errors.New("no SignedData")
	}
	content, err := r.Expect(ber.Context, 0)
	if err != nil {
		return set, err
	}
	body, err := content.Reader().Expect(ber.Universal, ber.TagSequence)
	if err != nil {
		return set, err
	}
	r = body.Reader()
	for _, tag := range []uint32{ber.TagInteger, ber.TagSet, ber.TagSequence} { // version, digestAlgorithms, encapContentInfo
		if _, err := r.Expect(ber.Universal, tag); err != nil {
			return set, err
		}
	}
	return r.Expect(ber.Context, 0)
}
