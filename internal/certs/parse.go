// Package certs reads certificates, also those that crypto/x509 refuses, and
// what RFC 5280 puts into them.
//
// Start with Parse, or ParseAll for a file with several. EqualName and NameKey
// compare names, NameString shows them; Policies, NameConstraintsOf,
// AuthorityInfo, CRLDistributionPoints and others read extensions.
// CheckSignature checks who signed. *x509.Certificate is the one type of
// certificate everywhere; those read leniently are filled in by hand.
//
// Out of scope: whether a certificate is any good, which is for package path.
//
// References: RFC 5280 (certificates, names, extensions), RFC 3279, RFC 4055,
// RFC 5480, RFC 5639, RFC 8410 (keys), RFC 4514, RFC 4518 (names as text),
// ETSI EN 319 412-5 (statements of qualification), RFC 5652 (bundles).
package certs

import (
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
)

// MaxCertificate bounds one certificate, in bytes. Real ones have one or two
// thousand.
const MaxCertificate = 1 << 20

// maxExtensions bounds the extensions of a certificate.
const maxExtensions = 256

// ErrMalformed: the bytes are no certificate, or one that must not be used,
// such as one with the same extension twice.
var ErrMalformed = errors.New("malformed certificate")

// Parse reads one certificate, DER without anything behind it. What crypto/x509
// refuses but can be used all the same (negative serial number, odd policies,
// unknown curve, explicit curve, odd times, BER lengths) comes back with
// oddities: English phrases that say what is odd. PublicKey is nil if the key
// is of an unknown kind; one for RSASSA-PSS alone is an *rsa.PublicKey. An
// extension that cannot be read stays in Extensions and is not taken apart.
// Errors: ErrMalformed.
func Parse(der []byte) (cert *x509.Certificate, oddities []string, err error) {
	if len(der) > MaxCertificate {
		return nil, nil, fmt.Errorf("%w: %d bytes", ErrMalformed, len(der))
	}
	c, goErr := x509.ParseCertificate(der)
	if goErr == nil && c.PublicKey != nil && c.Version == 3 {
		// All is read, but crypto/x509 passes over some things in silence.
		l := &lenient{bare: true}
		if _, err := l.parse(der); err != nil {
			return nil, nil, err
		}
		c.NotBefore, c.NotAfter = c.NotBefore.UTC(), c.NotAfter.UTC()
		return c, append(l.odd, oddSerial(c)...), nil
	}
	l := &lenient{}
	if c, err = l.parse(der); err != nil {
		if goErr != nil {
			err = fmt.Errorf("%w (%v)", err, goErr)
		}
		return nil, nil, err
	}
	l.odd = append(l.odd, oddSerial(c)...)
	if goErr != nil && len(l.odd) == 0 {
		l.note("crypto/x509 refuses it: " + goErr.Error())
	}
	return c, l.odd, nil
}

// oddSerial tells of serial numbers beyond RFC 5280 section 4.1.2.2.
func oddSerial(c *x509.Certificate) []string {
	switch n := c.SerialNumber; {
	case n.Sign() < 0:
		return []string{"serial number is negative"}
	case n.Sign() == 0:
		return []string{"serial number is zero"}
	case n.BitLen() > 160:
		return []string{"serial number is longer than 20 bytes"}
	}
	return nil
}

// lenient is the state of one lenient parse.
type lenient struct {
	odd []string
	// bare: the form alone is looked at; fields are not filled in.
	bare bool
}

// note records an oddity, once, and not more than sixteen.
func (l *lenient) note(what string) {
	if len(l.odd) < 16 && !slices.Contains(l.odd, what) {
		l.odd = append(l.odd, what)
	}
}

func bad(what string) error { return fmt.Errorf("%w: %s", ErrMalformed, what) }

// parse reads Certificate (RFC 5280 section 4.1).
func (l *lenient) parse(der []byte) (*x509.Certificate, error) {
	input := reader{data: der, l: l}
	whole, ok := input.next(tagSequence)
	if !ok {
		return nil, bad("no SEQUENCE")
	}
	if !input.empty() {
		return nil, bad("data behind the certificate")
	}
	body := reader{data: whole.body, l: l}
	tbs, ok1 := body.next(tagSequence)
	alg, ok2 := body.next(tagSequence)
	sig, ok3 := body.next(tagBitString)
	if !ok1 || !ok2 || !ok3 || len(sig.body) < 1 {
		return nil, bad("not signed part, algorithm and signature")
	}
	if sig.body[0] != 0 {
		l.note("signature has unused bits")
	}
	if !body.empty() {
		l.note("data behind the signature")
	}
	c := &x509.Certificate{Raw: der, RawTBSCertificate: tbs.full, Signature: sig.body[1:], MaxPathLen: -1}
	if err := l.parseTBS(c, reader{data: tbs.body, l: l}, alg.full); err != nil {
		return nil, err
	}
	return c, nil
}

// parseTBS reads TBSCertificate. outer is the algorithm beside the signature.
func (l *lenient) parseTBS(c *x509.Certificate, r reader, outer []byte) error {
	c.Version = 1
	if v, ok := r.optional(0xa0); ok {
		inner := reader{data: v.body, l: l}
		n, ok := inner.next(tagInteger)
		if !ok || len(n.body) != 1 || n.body[0] > 2 {
			return bad("version")
		}
		c.Version = int(n.body[0]) + 1
	}
	serial, ok := r.next(tagInteger)
	if !ok || len(serial.body) == 0 {
		return bad("serial number")
	}
	c.SerialNumber = signed(serial.body)
	inner, ok := r.next(tagSequence)
	if !ok {
		return bad("signature algorithm")
	}
	if string(inner.full) != string(outer) {
		l.note("names two signature algorithms")
	} else if !l.bare {
		c.SignatureAlgorithm = goAlgorithm(outer)
	}
	issuer, ok := r.next(tagSequence)
	if !ok {
		return bad("issuer")
	}
	validity, ok := r.next(tagSequence)
	if !ok || !l.parseValidity(c, reader{data: validity.body, l: l}) {
		return bad("validity")
	}
	subject, ok := r.next(tagSequence)
	if !ok {
		return bad("subject")
	}
	c.RawIssuer, c.RawSubject = issuer.full, subject.full
	if !l.bare {
		l.fillName(&c.Issuer, c.RawIssuer, "issuer")
		l.fillName(&c.Subject, c.RawSubject, "subject")
	}
	spki, ok := r.next(tagSequence)
	if !ok {
		return bad("public key")
	}
	c.RawSubjectPublicKeyInfo = spki.full
	if !l.bare {
		l.fillKey(c)
	}
	_, _ = r.optional(0x81) // issuerUniqueID
	_, _ = r.optional(0xa1)
	_, _ = r.optional(0x82) // subjectUniqueID
	_, _ = r.optional(0xa2)
	if ext, ok := r.optional(0xa3); ok {
		if err := l.parseExtensions(c, reader{data: ext.body, l: l}); err != nil {
			return err
		}
	}
	if !r.empty() {
		l.note("data behind the extensions")
	}
	return nil
}

// parseExtensions reads Extensions (RFC 5280 section 4.2). The same one twice
// is refused: nobody could say which of the two holds.
func (l *lenient) parseExtensions(c *x509.Certificate, r reader) error {
	list, ok := r.next(tagSequence)
	if !ok {
		return bad("extensions")
	}
	if c.Version != 3 {
		l.note(fmt.Sprintf("version %d with extensions", c.Version))
	}
	seen := make(map[string]bool, 12)
	for in := (reader{data: list.body, l: l}); !in.empty(); {
		seq, ok := in.next(tagSequence)
		if !ok || len(c.Extensions) == maxExtensions {
			return bad("extensions")
		}
		ext, ok := l.parseExtension(reader{data: seq.body, l: l})
		if !ok {
			return bad("extension")
		}
		if key := ext.Id.String(); seen[key] {
			return bad("extension " + key + " twice")
		} else {
			seen[key] = true
		}
		c.Extensions = append(c.Extensions, ext)
	}
	if l.bare {
		return nil
	}
	for _, ext := range c.Extensions {
		if !fillExtension(c, ext) {
			l.note("extension " + ext.Id.String() + " cannot be read")
		}
	}
	return nil
}
