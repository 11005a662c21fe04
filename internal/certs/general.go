package certs

import (
	"errors"
	"net/netip"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// ErrExtension: an extension is malformed, or larger than any honest one.
var ErrExtension = errors.New("malformed extension")

// NameForm is a choice of GeneralName, by its context tag (RFC 5280 section
// 4.2.1.6).
type NameForm int

// The forms.
const (
	OtherName     NameForm = 0
	RFC822Name    NameForm = 1
	DNSName       NameForm = 2
	X400Address   NameForm = 3
	DirectoryName NameForm = 4
	EDIPartyName  NameForm = 5
	URIName       NameForm = 6
	IPAddress     NameForm = 7
	RegisteredID  NameForm = 8
)

// GeneralName is one name of any form.
type GeneralName struct {
	Form NameForm
	// Value is the contents: text for RFC822Name, DNSName and URIName, the
	// encoded Name for DirectoryName, 4 or 16 bytes for IPAddress (8 or 32 in
	// name constraints), else the raw contents.
	Value []byte
}

// Text returns the value of the forms that are text, else "".
func (n GeneralName) Text() string {
	switch n.Form {
	case RFC822Name, DNSName, URIName:
		return string(n.Value)
	case IPAddress:
		if a, ok := netip.AddrFromSlice(n.Value); ok {
			return a.String()
		}
	case DirectoryName:
		return NameString(n.Value)
	}
	return ""
}

// maxGeneralNames bounds a list of names.
const maxGeneralNames = 4096

// ParseGeneralNames reads the DER of GeneralNames: SEQUENCE OF GeneralName. An
// IMPLICIT tag in place of SEQUENCE is taken as well. Errors: ErrExtension.
func ParseGeneralNames(der []byte) ([]GeneralName, error) {
	input := cryptobyte.String(der)
	var body cryptobyte.String
	var tag cbasn1.Tag
	if !input.ReadAnyASN1(&body, &tag) || !input.Empty() {
		return nil, ErrExtension
	}
	return generalNames(body)
}

// generalNames reads names up to the end of body.
func generalNames(body cryptobyte.String) ([]GeneralName, error) {
	var list []GeneralName
	for !body.Empty() {
		n, ok := readGeneralName(&body)
		if !ok || len(list) == maxGeneralNames {
			return nil, ErrExtension
		}
		list = append(list, n)
	}
	return list, nil
}

func readGeneralName(s *cryptobyte.String) (GeneralName, bool) {
	var value cryptobyte.String
	var tag cbasn1.Tag
	if !s.ReadAnyASN1(&value, &tag) || tag&0xc0 != 0x80 || tag&0x1f > 8 {
		return GeneralName{}, false
	}
	n := GeneralName{Form: NameForm(tag & 0x1f), Value: value}
	if n.Form == DirectoryName { // explicit: Name is a CHOICE
		inner := value
		var name cryptobyte.String
		if !inner.ReadASN1Element(&name, cbasn1.SEQUENCE) || !inner.Empty() {
			return GeneralName{}, false
		}
		n.Value = name
	}
	return n, true
}
