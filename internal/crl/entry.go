package crl

import (
	"bytes"
	"encoding/asn1"
	"fmt"

	"github.com/eidkit/eidkit/internal/ber"
	"github.com/eidkit/eidkit/internal/certs"
	"golang.org/x/crypto/cryptobyte"
)

// Object identifiers of extensions, encoded: id-ce is 2.5.29 (RFC 5280 sections 5.2 and 5.3; X.509 for expiredCertsOnCRL).
const (
	oidIssuerAltName     = "\x55\x1d\x12"
	oidNumber            = "\x55\x1d\x14"
	oidReason            = "\x55\x1d\x15"
	oidInvalidityDate    = "\x55\x1d\x18"
	oidDeltaIndicator    = "\x55\x1d\x1b"
	oidIssuingPoint      = "\x55\x1d\x1c"
	oidCertificateIssuer = "\x55\x1d\x1d"
	oidAuthorityKeyID    = "\x55\x1d\x23"
	oidFreshest          = "\x55\x1d\x2e"
	oidExpiredCertsOnCRL = "\x55\x1d\x3c"
	oidAuthorityInfo     = "\x2b\x06\x01\x05\x05\x07\x01\x01"
)

// How many extensions there may be.
const (
	maxEntryExtensions = 8
	maxListExtensions  = 64
)

// onlyReason is how nearly every entry's extensions begin: a reason code alone, the code itself being the last byte.
var onlyReason = []byte{tagSequence, 12, tagSequence, 10, tagOID, 3, 0x55, 0x1d, 21, tagOctetString, 3, tagEnumerated, 1}

// parseEntry reads the entry that b begins with into e. n is its size, 0 if b is too short to hold it.
func parseEntry(b []byte, e *Entry) (n int, err error) {
	if len(b) < 2 {
		return 0, nil
	}
	if b[0] != tagSequence {
		return 0, fmt.Errorf("%w: tag %#02x", ErrMalformed, b[0])
	}
	size, head := int(b[1]), 2
	if size >= 0x80 {
		h, err := ber.ParseHeader(b[:min(len(b), 8)])
		if err != nil || h.Length == ber.Indefinite || h.Length > maxLarge {
			if len(b) < 8 {
				return 0, nil
			}
			return 0, fmt.Errorf("%w: length", ErrMalformed)
		}
		size, head = int(h.Length), h.Size
	}
	n = head + size
	if n > len(b) {
		return 0, nil
	}
	body := b[head:n]
	*e = Entry{Reason: NoReason}
	if len(body) < 2 || body[0] != tagInteger || int(body[1]) > maxSerial || body[1] == 0 || len(body) < 2+int(body[1])+2 {
		return 0, fmt.Errorf("%w: serial number", ErrMalformed)
	}
	e.Serial, body = trimSerial(body[2:2+int(body[1])]), body[2+int(body[1]):]
	if body, err = e.parseTime(body); err != nil || len(body) == 0 {
		return n, err
	}
	if len(body) == len(onlyReason)+1 && bytes.Equal(body[:len(onlyReason)], onlyReason) {
		e.setReason(int(body[len(onlyReason)]))
		return n, nil
	}
	return n, e.parseExtensions(body)
}

// trimSerial takes off the leading bytes of an INTEGER that only repeat its sign: some makers write them.
func trimSerial(b []byte) []byte {
	for len(b) > 1 && (b[0] == 0 && b[1] < 0x80 || b[0] == 0xff && b[1] >= 0x80) {
		b = b[1:]
	}
	return b
}

// parseTime reads the revocation date and returns what is behind it.
func (e *Entry) parseTime(body []byte) (rest []byte, err error) {
	if len(body) >= 15 && body[0] == tagUTCTime && body[1] == 13 {
		if t, ok := utcTime(body[2:15]); ok {
			e.Revoked = t
			return body[15:], nil
		}
	}
	n := 2 + int(body[1])
	if body[0] != tagUTCTime && body[0] != tagGeneralizedTime || body[1] >= 0x80 || n > len(body) {
		return nil, fmt.Errorf("%w: revocation date", ErrMalformed)
	}
	t, err := anyTime(body[:n])
	e.Revoked = t.Unix()
	return body[n:], err
}

// utcTime reads YYMMDDHHMMSSZ, in seconds since 1970; false if it is written in another way or is no time.
func utcTime(b []byte) (int64, bool) {
	var v [6]int
	for i := range v {
		hi, lo := b[2*i]-'0', b[2*i+1]-'0'
		if hi > 9 || lo > 9 {
			return 0, false
		}
		v[i] = int(hi)*10 + int(lo)
	}
	year, month, day, hour, minute, second := v[0]+2000, v[1], v[2], v[3], v[4], v[5]
	if year >= 2050 { // RFC 5280 section 4.1.2.5.1
		year -= 100
	}
	if b[12] != 'Z' || month < 1 || month > 12 || day < 1 || day > 28 && day > daysIn(year, month) || hour > 23 || minute > 59 || second > 59 {
		return 0, false
	}
	// Days since 1970-01-01, with years that begin in March so that leap days come last.
	if month <= 2 {
		year, month = year-1, month+12
	}
	days := 365*year + year/4 - year/100 + year/400 + (153*(month-3)+2)/5 + day - 1 - 719468
	return ((int64(days)*24+int64(hour))*60+int64(minute))*60 + int64(second), true
}

func daysIn(year, month int) int {
	switch {
	case month == 2 && year%4 == 0 && (year%100 != 0 || year%400 == 0):
		return 29
	case month == 2:
		return 28
	case month == 4, month == 6, month == 9, month == 11:
		return 30
	}
	return 31
}

// setReason keeps a reason; one that RFC 5280 does not have is none.
func (e *Entry) setReason(code int) {
	if code >= 0 && code <= 10 && code != 7 {
		e.Reason = code
	}
}

// parseExtensions reads crlEntryExtensions, with nothing behind.
func (e *Entry) parseExtensions(der []byte) error {
	var room [maxEntryExtensions]extension
	list, err := parseExtensions(der, room[:0])
	if err != nil {
		return err
	}
	for i := range list {
		if err := e.apply(&list[i]); err != nil {
			return err
		}
	}
	return nil
}

func (e *Entry) apply(x *extension) error {
	ok := true
	switch string(x.oid) {
	case oidReason:
		tag, code, rest, whole := next(x.value)
		if ok = whole && tag == tagEnumerated && len(code) > 0 && len(rest) == 0; ok && len(code) == 1 {
			e.setReason(int(code[0]))
		}
	case oidInvalidityDate: // it says when to doubt signatures, not whether: a bad one is none
		if len(x.value) == 17 && x.value[0] == tagGeneralizedTime && string(x.value[2:4]) == "20" {
			e.Invalid, e.HasInvalid = utcTime(x.value[4:])
		}
		if !e.HasInvalid {
			t, err := anyTime(x.value)
			e.Invalid, e.HasInvalid = t.Unix(), err == nil
		}
	case oidCertificateIssuer:
		names, err := certs.ParseGeneralNames(x.value)
		ok = err == nil
		for _, n := range names {
			if n.Form == certs.DirectoryName && e.Issuer == nil {
				e.Issuer = n.Value
			}
		}
		if e.issuerNames = true; e.Issuer == nil {
			e.Issuer, e.unusable = []byte{}, "the certificate's issuer is not named by a directory name"
		}
	default:
		if x.critical {
			e.unusable = "critical extension " + oidText(x.oid) + " is not known"
		}
	}
	if !ok {
		return fmt.Errorf("%w: extension %s", ErrMalformed, oidText(x.oid))
	}
	return nil
}

// extension is one of a list or an entry: its OID is without tag and length.
type extension struct {
	oid      []byte
	critical bool
	value    []byte
}

// parseExtensions reads Extensions, with nothing behind, into room and no more. The same one twice is an error.
func parseExtensions(der []byte, room []extension) ([]extension, error) {
	bad := fmt.Errorf("%w: extensions", ErrMalformed)
	tag, body, rest, ok := next(der)
	if !ok || tag != tagSequence || len(rest) > 0 {
		return nil, bad
	}
	for len(body) > 0 {
		var x extension
		var in []byte
		if tag, in, body, ok = next(body); !ok || tag != tagSequence || len(room) == cap(room) {
			return nil, bad
		}
		if tag, x.oid, in, ok = next(in); !ok || tag != tagOID || len(x.oid) == 0 {
			return nil, bad
		}
		if len(in) > 0 && in[0] == tagBoolean {
			var value []byte
			if _, value, in, ok = next(in); !ok || len(value) != 1 {
				return nil, bad
			}
			x.critical = value[0] != 0
		}
		if tag, x.value, in, ok = next(in); !ok || tag != tagOctetString || len(in) > 0 {
			return nil, bad
		}
		for i := range room {
			if bytes.Equal(room[i].oid, x.oid) {
				return nil, fmt.Errorf("%w: extension %s twice", ErrMalformed, oidText(x.oid))
			}
		}
		room = append(room, x)
	}
	return room, nil
}

// next splits off one element with a tag of one byte and a definite length.
func next(b []byte) (tag byte, body, rest []byte, ok bool) {
	if len(b) < 2 || b[0]&0x1f == 0x1f {
		return 0, nil, nil, false
	}
	n, head := int(b[1]), 2
	if n >= 0x80 {
		count := n & 0x7f
		if count == 0 || count > 3 || len(b) < 2+count {
			return 0, nil, nil, false
		}
		n, head = 0, 2+count
		for _, c := range b[2:head] {
			n = n<<8 | int(c)
		}
	}
	if n > len(b)-head {
		return 0, nil, nil, false
	}
	return b[0], b[head : head+n], b[head+n:], true
}

// oidText writes an encoded OID with dots.
func oidText(oid []byte) string {
	full := cryptobyte.String(ber.Append(nil, ber.Universal, false, ber.TagOID, oid))
	var id asn1.ObjectIdentifier
	if !full.ReadASN1ObjectIdentifier(&id) {
		return fmt.Sprintf("%x", oid)
	}
	return id.String()
}
