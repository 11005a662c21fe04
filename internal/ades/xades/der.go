package xades

import (
	"errors"
	"math/big"
	"strconv"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// isPair tells whether b is SEQUENCE { INTEGER, INTEGER } and nothing else.
func isPair(b []byte) bool {
	in := cryptobyte.String(b)
	var seq cryptobyte.String
	r, s := new(big.Int), new(big.Int)
	return in.ReadASN1(&seq, asn1.SEQUENCE) && in.Empty() && seq.ReadASN1Integer(r) && seq.ReadASN1Integer(s) && seq.Empty()
}

// issuerSerial reads IssuerSerial of RFC 5035: SEQUENCE { GeneralNames, serialNumber }. issuer is the DER of the first directoryName.
func issuerSerial(der []byte) (issuer []byte, serial *big.Int, ok bool) {
	in := cryptobyte.String(der)
	var seq, names, name cryptobyte.String
	if !in.ReadASN1(&seq, asn1.SEQUENCE) || !seq.ReadASN1(&names, asn1.SEQUENCE) {
		return nil, nil, false
	}
	for !names.Empty() && issuer == nil {
		var tag asn1.Tag
		if !names.ReadAnyASN1(&name, &tag) {
			return nil, nil, false
		}
		if tag == asn1.Tag(4).ContextSpecific().Constructed() {
			issuer = name
		}
	}
	serial = new(big.Int)
	return issuer, serial, seq.ReadASN1Integer(serial)
}

// isSequence tells whether der is one SEQUENCE, whatever stands in it.
func isSequence(der []byte) bool {
	in := cryptobyte.String(der)
	var seq cryptobyte.String
	return in.ReadASN1(&seq, asn1.SEQUENCE)
}

var errNumber = errors.New("not a number")

// decimal reads a number up to limit.
func decimal(s string, limit int) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 || n > limit {
		return 0, errNumber
	}
	return n, nil
}
