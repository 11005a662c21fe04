package crl

import (
	"bytes"
	"fmt"
	"io"
	"time"

	"github.com/eidkit/eidkit/internal/ber"
	"github.com/eidkit/eidkit/internal/certs"
	"github.com/eidkit/eidkit/internal/sigalg"
)

// Tags of the elements of a list (RFC 5280 section 5.1).
const (
	tagBoolean         = 0x01
	tagInteger         = 0x02
	tagBitString       = 0x03
	tagOctetString     = 0x04
	tagEnumerated      = 0x0a
	tagOID             = 0x06
	tagUTCTime         = 0x17
	tagGeneralizedTime = 0x18
	tagSequence        = 0x30
	tagExtensions      = 0xa0
)

// Limits of the parts that are kept.
const (
	maxSmall  = 4 << 10                   // version, algorithms, times, the signature of a 16384-bit key
	maxLarge  = maxElement - 16           // issuer, extensions
	maxSerial = 40                        // RFC 5280 allows 20 bytes; some makers wrote more
	yearZero  = int64(-62167219200)       // seconds from 1970 to the year 0
	maxTime   = int64(253402300799) + 1e6 // and to the end of the year 9999, with any zone
)

// errNotCRL tells what was found where a list should be.
func errNotCRL(tag byte) error {
	switch tag {
	case '<':
		return fmt.Errorf("%w: it is an HTML or XML page", ErrMalformed)
	case 0:
		return fmt.Errorf("%w: it is empty", ErrMalformed)
	}
	return fmt.Errorf("%w: it begins with %#02x", ErrMalformed, tag)
}

// Parse reads one list, DER to the end of r, and calls visit with each entry in turn; the entry is valid until visit returns. nil as
// visit skips them. A list whose Unusable is set is no error. Errors: ErrMalformed, those of r, those of visit.
func Parse(r io.Reader, visit func(*Entry) error) (*List, error) {
	return parse(newSource(r), visit)
}

func parse(s *source, visit func(*Entry) error) (*List, error) {
	defer s.hash.stop()
	tag, err := s.peek()
	if err != nil {
		return nil, err
	}
	if tag != tagSequence {
		return nil, errNotCRL(tag)
	}
	end, err := s.enter(tagSequence)
	if err != nil {
		return nil, err
	}
	l := &List{Version: 1}
	from := s.offset()
	tbsEnd, err := s.enter(tagSequence)
	if err != nil {
		return nil, err
	}
	if tbsEnd > end {
		return nil, fmt.Errorf("%w: lengths contradict each other", ErrMalformed)
	}
	if err := l.parseHead(s, from, tbsEnd); err != nil {
		return nil, err
	}
	if err := l.parseEntries(s, tbsEnd, visit); err != nil {
		return nil, err
	}
	if err := l.parseTail(s, tbsEnd, end); err != nil {
		return nil, err
	}
	l.Size, l.tbsDigest = end, s.hash.signed()
	s.hash.whole.Sum(l.Digest[:0])
	l.interpret()
	return l, nil
}

// enter goes into the next element and returns where it ends.
func (s *source) enter(tag byte) (end int64, err error) {
	n, head, err := s.header(tag)
	if err != nil {
		return 0, err
	}
	s.pos += head
	return s.offset() + n, nil
}

// parseHead reads what stands in front of the entries. from and to are where tbsCertList is.
func (l *List) parseHead(s *source, from, to int64) error {
	if tag, err := s.peek(); err != nil {
		return err
	} else if tag == tagInteger {
		version, err := s.element(tagInteger, maxSmall)
		if err != nil {
			return err
		}
		if !bytes.Equal(version, []byte{tagInteger, 1, 1}) {
			return fmt.Errorf("%w: unknown version % x", ErrMalformed, version[:min(len(version), 8)])
		}
		l.Version = 2
	}
	alg, err := s.element(tagSequence, maxSmall)
	if err != nil {
		return err
	}
	l.innerAlg = bytes.Clone(alg)
	l.Algorithm, l.AlgorithmError = sigalg.Parse(l.innerAlg)
	if err := s.hash.begin(l.Algorithm.Hash, l.AlgorithmError == nil, from, to); err != nil {
		l.AlgorithmError = err
	}
	issuer, err := s.element(tagSequence, maxLarge)
	if err != nil {
		return err
	}
	l.Issuer = bytes.Clone(issuer)
	if l.ThisUpdate, err = s.time(); err != nil {
		return err
	}
	if tag, err := s.peek(); err != nil {
		return err
	} else if s.offset() < to && (tag == tagUTCTime || tag == tagGeneralizedTime) {
		l.NextUpdate, err = s.time()
		return err
	}
	return nil
}

func (s *source) time() (time.Time, error) {
	tag, err := s.peek()
	if err != nil {
		return time.Time{}, err
	}
	if tag != tagUTCTime && tag != tagGeneralizedTime {
		return time.Time{}, fmt.Errorf("%w: tag %#02x at byte %d, a time expected", ErrMalformed, tag, s.offset())
	}
	full, err := s.element(tag, maxSmall)
	if err != nil {
		return time.Time{}, err
	}
	return anyTime(full)
}

// anyTime reads a time as tolerantly as certificates are read.
func anyTime(full []byte) (time.Time, error) {
	e, err := ber.Parse(full)
	if err != nil {
		return time.Time{}, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	t, err := e.Time()
	if err != nil || t.Unix() < yearZero || t.Unix() > maxTime {
		return time.Time{}, fmt.Errorf("%w: a time that is none", ErrMalformed)
	}
	return t, nil
}

// parseEntries reads revokedCertificates, if there is one.
func (l *List) parseEntries(s *source, tbsEnd int64, visit func(*Entry) error) error {
	if s.offset() >= tbsEnd {
		return nil
	}
	if tag, err := s.peek(); err != nil || tag != tagSequence {
		return err
	}
	end, err := s.enter(tagSequence)
	if err != nil {
		return err
	}
	if end > tbsEnd {
		return fmt.Errorf("%w: lengths contradict each other", ErrMalformed)
	}
	var e Entry
	var issuer []byte
	for s.offset() < end {
		n, err := parseEntry(s.buf[s.pos:s.end], &e)
		if err != nil {
			return fmt.Errorf("%w, in the entry at byte %d", err, s.offset())
		}
		if n == 0 { // not all of it is in the buffer
			full, err := s.element(tagSequence, maxLarge)
			if err != nil {
				return err
			}
			if _, err = parseEntry(full, &e); err != nil {
				return fmt.Errorf("%w, in the entry before byte %d", err, s.offset())
			}
		}
		s.pos += n
		l.Entries++
		if e.issuerNames && !bytes.Equal(e.Issuer, issuer) { // holds for those that follow too (RFC 5280 section 5.3.3)
			if issuer = bytes.Clone(e.Issuer); certs.EqualName(issuer, l.Issuer) {
				issuer = nil
			}
		}
		if e.Issuer = issuer; issuer != nil {
			l.foreign = true
		}
		if e.unusable != "" && l.entryTrouble == "" {
			l.entryTrouble = fmt.Sprintf("%s, in the entry for %x", e.unusable, e.Serial)
		}
		if visit != nil {
			if err := visit(&e); err != nil {
				return err
			}
		}
	}
	if s.offset() != end {
		return fmt.Errorf("%w: an entry goes beyond the last one", ErrMalformed)
	}
	return nil
}

// parseTail reads what stands behind the entries.
func (l *List) parseTail(s *source, tbsEnd, end int64) error {
	if s.offset() < tbsEnd {
		ext, err := s.element(tagExtensions, maxLarge)
		if err != nil {
			return err
		}
		e, err := ber.Parse(ext)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrMalformed, err)
		}
		l.extensions = bytes.Clone(e.Body)
	}
	if s.offset() != tbsEnd {
		return fmt.Errorf("%w: lengths contradict each other", ErrMalformed)
	}
	alg, err := s.element(tagSequence, maxSmall)
	if err != nil {
		return err
	}
	l.outerAlg = bytes.Clone(alg)
	value, err := s.element(tagBitString, maxSmall)
	if err != nil {
		return err
	}
	_, bits, _, ok := next(value)
	if !ok || len(bits) < 2 || bits[0] != 0 { // whole bytes
		return fmt.Errorf("%w: signature", ErrMalformed)
	}
	l.signature = bytes.Clone(bits[1:])
	if s.offset() != end {
		return fmt.Errorf("%w: lengths contradict each other", ErrMalformed)
	}
	return s.finish()
}
