package crl

import (
	"bytes"
	"errors"
	"fmt"
	"math/big"

	"github.com/eidkit/eidkit/internal/ber"
	"github.com/eidkit/eidkit/internal/certs"
	"github.com/eidkit/eidkit/internal/sigalg"
)

// maxNumber is how long a CRL number may be in bytes: RFC 5280 section 5.2.3 has 20.
const maxNumber = 32

// interpret fills in what the encoded parts of the list say, and whether it can be used.
func (l *List) interpret() {
	l.Algorithm, l.AlgorithmError = l.algorithm()
	var trouble error
	if l.extensions != nil {
		trouble = l.readExtensions()
	}
	switch {
	case trouble != nil:
	case l.entryTrouble != "":
		trouble = errors.New(l.entryTrouble)
	case l.foreign && (l.Point == nil || !l.Point.Indirect):
		trouble = errors.New("it has entries of other issuers but is not indirect")
	case !l.NextUpdate.IsZero() && l.NextUpdate.Before(l.ThisUpdate):
		trouble = errors.New("it ends before it begins")
	}
	if trouble != nil {
		l.Unusable = fmt.Errorf("%w: %w", ErrUnusable, trouble)
	}
}

// algorithm compares the two places where the algorithm stands. Absent parameters and NULL are the same.
func (l *List) algorithm() (sigalg.Algorithm, error) {
	if !bytes.Equal(l.innerAlg, l.outerAlg) {
		inner, err1 := sigalg.Parse(l.innerAlg)
		outer, err2 := sigalg.Parse(l.outerAlg)
		if err1 != nil || err2 != nil || inner != outer {
			return sigalg.Algorithm{}, errors.New("the list names two signature algorithms")
		}
	}
	if l.AlgorithmError != nil {
		return sigalg.Algorithm{}, l.AlgorithmError
	}
	return sigalg.Parse(l.innerAlg)
}

// readExtensions reads crlExtensions (RFC 5280 section 5.2).
func (l *List) readExtensions() error {
	var room [maxListExtensions]extension
	list, err := parseExtensions(l.extensions, room[:0])
	if err != nil {
		return err
	}
	for i := range list {
		x := &list[i]
		switch string(x.oid) {
		case oidNumber:
			l.Number, err = readNumber(x.value)
		case oidDeltaIndicator:
			l.Base, err = readNumber(x.value)
		case oidIssuingPoint:
			l.Point, err = readIssuingPoint(x.value)
		case oidAuthorityKeyID:
			l.AuthorityKeyID = readKeyID(x.value)
		case oidFreshest:
			l.Freshest, err = certs.ParseDistributionPoints(x.value)
		case oidExpiredCertsOnCRL:
			l.ExpiredFrom, err = anyTime(x.value)
		case oidIssuerAltName, oidAuthorityInfo:
		default:
			if x.critical {
				err = errors.New("the critical extension is not known")
			}
		}
		if err != nil {
			return fmt.Errorf("extension %s: %w", oidText(x.oid), err)
		}
	}
	return nil
}

func readNumber(der []byte) (*big.Int, error) {
	tag, body, rest, ok := next(der)
	if !ok || tag != tagInteger || len(rest) > 0 || len(body) == 0 || len(body) > maxNumber || body[0] >= 0x80 {
		return nil, errors.New("the number is malformed")
	}
	return new(big.Int).SetBytes(body), nil
}

// readKeyID returns the key identifier of AuthorityKeyIdentifier. It is a hint: the signature decides.
func readKeyID(der []byte) []byte {
	_, body, _, _ := next(der)
	if tag, id, _, ok := next(body); ok && tag == 0x80 {
		return bytes.Clone(id)
	}
	return nil
}

// readIssuingPoint reads IssuingDistributionPoint (RFC 5280 section 5.2.5).
func readIssuingPoint(der []byte) (*IssuingPoint, error) {
	e, err := ber.Parse(der)
	if err != nil || !e.Is(ber.Universal, ber.TagSequence) {
		return nil, errors.New("it is malformed")
	}
	p := &IssuingPoint{Reasons: certs.AllReasons, raw: bytes.Clone(der)}
	flags := map[uint32]*bool{1: &p.OnlyUser, 2: &p.OnlyCA, 4: &p.Indirect, 5: &p.OnlyAttribute}
	last := -1
	for r := e.Reader(); r.More(); {
		f, err := r.Next()
		if err != nil || f.Class != ber.Context || int(f.Tag) <= last {
			return nil, errors.New("it is malformed")
		}
		last = int(f.Tag)
		switch flag := flags[f.Tag]; {
		case f.Tag == 0:
			p.FullName, p.Relative, err = certs.ParseDistributionPointName(bytes.Clone(f.Body))
		case f.Tag == 3:
			p.Reasons, err = certs.ParseReasonFlags(f.Body)
			p.Reasons &= certs.AllReasons
		case flag != nil:
			*flag, err = f.Bool()
		default:
			err = errors.New("an unknown field")
		}
		if err != nil {
			return nil, fmt.Errorf("field %d: %w", f.Tag, err)
		}
	}
	only := 0
	for _, o := range []bool{p.OnlyUser, p.OnlyCA, p.OnlyAttribute} {
		if o {
			only++
		}
	}
	if only > 1 {
		return nil, errors.New("it is about two kinds of certificates alone")
	}
	return p, nil
}
