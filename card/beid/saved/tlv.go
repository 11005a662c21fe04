package saved

import (
	"bytes"
	"fmt"
	"strconv"
)

// Tags of the TLV form (facts 10.2).
const (
	tlvVersion           = 0x00
	tlvIdentity          = 0x01
	tlvIdentitySignature = 0x02
	tlvAddress           = 0x03
	tlvAddressSignature  = 0x04
	tlvPhoto             = 0x05
	tlvCardData          = 0x06
	tlvTokenInfo         = 0x07
	tlvRRN               = 0x08
	tlvChallenge         = 0x09
	tlvResponse          = 0x0A
	tlvCardType          = 0x0B
	tlvCertificates      = 0x0C
	tlvPINs              = 0x0D // names and counters of the PINs, no PIN; not read
)

// maxEntries bounds how many fields one level of a TLV file may have.
const maxEntries = 64

// readTLV reads the TLV form. Its only mark is the version, one byte; whatever does not have that or does not split into fields
// counts as no known form.
func readTLV(b []byte) (*Card, error) {
	top, err := splitTLV(b)
	if err != nil || len(top[tlvVersion]) != 1 {
		return nil, ErrUnknownForm
	}
	if isSIS(string(top[tlvCardType])) {
		return nil, ErrSIS
	}
	version := strconv.Itoa(int(top[tlvVersion][0]))
	c := &Card{Format: FormatTLV, Version: version, Challenge: top[tlvChallenge], Response: top[tlvResponse]}
	f := &c.Files
	f.Identity, f.IdentitySignature = top[tlvIdentity], top[tlvIdentitySignature]
	f.Address, f.AddressSignature = top[tlvAddress], top[tlvAddressSignature]
	f.Photo, f.CardData, f.TokenInfo, f.RRN = top[tlvPhoto], top[tlvCardData], top[tlvTokenInfo], top[tlvRRN]
	if err := c.readTLVCertificates(top[tlvCertificates]); err != nil {
		return nil, fmt.Errorf("certificates: %w", err)
	}
	return c, nil
}

// tlvPlaces are the labels of the certificates 1 to 4, in a file that does not state them.
var tlvPlaces = map[byte]string{1: "Authentication", 2: "Signature", 3: "CA", 4: "Root"}

// readTLVCertificates reads field 0C: a count, then one field per certificate with the DER in tag 0 and, in tag 1, a copy of its
// entry in the card's directory, whose tag 1 is the label. The label counts more than the number: on a card without an
// authentication certificate the others move up.
func (c *Card) readTLVCertificates(b []byte) error {
	list, err := splitTLV(b)
	if err != nil {
		return err
	}
	for number, entry := range list {
		if number == 0 {
			continue
		}
		parts, err := splitTLV(entry)
		if err != nil {
			return fmt.Errorf("number %d: %w", number, err)
		}
		label := tlvPlaces[number]
		if directory, err := splitTLV(parts[1]); err == nil && len(directory[1]) > 0 {
			label = string(directory[1])
		}
		if !c.setCertificate(label, parts[0]) {
			c.note("certificate number %d has a label not known here and was left out", number)
		}
	}
	return nil
}

// splitTLV splits fields of a tag byte, a length in groups of seven bits with the top bit saying that more follow, and a value. An
// empty value is given as nil, for a file that was not there. A tag that comes twice makes the whole malformed. Values share no
// memory with b.
func splitTLV(b []byte) (map[byte][]byte, error) {
	out := map[byte][]byte{}
	for len(b) > 0 {
		tag := b[0]
		n, size, ok := groupLength(b[1:])
		if !ok || n > len(b)-1-size {
			return nil, fmt.Errorf("field %02X is cut off: %w", tag, ErrMalformed)
		}
		if _, twice := out[tag]; twice || len(out) == maxEntries {
			return nil, fmt.Errorf("field %02X comes twice or too many fields: %w", tag, ErrMalformed)
		}
		start := 1 + size
		out[tag] = nilIfEmpty(bytes.Clone(b[start : start+n]))
		b = b[start+n:]
	}
	return out, nil
}

// groupLength reads a length of at most four groups, 28 bits: its value, and how many bytes it takes.
func groupLength(b []byte) (n, size int, ok bool) {
	for i := 0; i < len(b) && i < 4; i++ {
		n = n<<7 | int(b[i]&0x7F)
		if b[i]&0x80 == 0 {
			return n, i + 1, true
		}
	}
	return 0, 0, false
}
