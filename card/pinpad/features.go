package pinpad

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"github.com/eidkit/eidkit/card"
)

// Tags of the feature list (PC/SC part 10, section 2.3).
const (
	featureVerifyPINDirect  = 0x06
	featureModifyPINDirect  = 0x07
	featureIFDPINProperties = 0x0A
	featureGetTLVProperties = 0x12
)

// maxFeatures bounds what a reader may answer.
const maxFeatures = 4096

// parseFeatures reads the answer to CM_IOCTL_GET_FEATURE_REQUEST: tag, length 4, control code, high byte first. Items of another
// length are passed over.
func parseFeatures(b []byte) (map[byte]uint32, error) {
	features := map[byte]uint32{}
	err := eachItem(b, func(tag byte, value []byte) {
		if len(value) == 4 {
			features[tag] = binary.BigEndian.Uint32(value)
		}
	})
	return features, err
}

// eachItem walks through items of one byte of tag and one of length.
func eachItem(b []byte, f func(tag byte, value []byte)) error {
	if len(b) > maxFeatures {
		return fmt.Errorf("list of %d bytes", len(b))
	}
	for len(b) > 0 {
		if len(b) < 2 || len(b) < 2+int(b[1]) {
			return errors.New("list is cut")
		}
		f(b[0], b[2:2+int(b[1])])
		b = b[2+int(b[1]):]
	}
	return nil
}

// Properties are what a reader tells of itself (PC/SC part 10, section 2.6); zero where it does not.
type Properties struct {
	Lines, Columns  int    // of its display, in characters; 0 without one
	MinPIN, MaxPIN  int    // digits that its keypad takes
	Firmware        string // as the reader words it; at most 255 bytes, printable ASCII
	Vendor, Product uint16 // USB numbers
}

// readProperties asks for them with the features there are. A reader that does not answer has none.
func readProperties(tx *card.Tx, features map[byte]uint32) Properties {
	var p Properties
	if code := features[featureIFDPINProperties]; code != 0 {
		if b, err := tx.Control(code, nil); err == nil && len(b) >= 2 {
			p.layout(b)
		}
	}
	if code := features[featureGetTLVProperties]; code != 0 {
		if b, err := tx.Control(code, nil); err == nil {
			p.parseTLV(b)
		}
	}
	return p
}

// layout takes wLcdLayout: columns in the low byte, lines in the high one.
func (p *Properties) layout(b []byte) { p.Columns, p.Lines = int(b[0]), int(b[1]) }

// parseTLV reads the answer to FEATURE_GET_TLV_PROPERTIES, numbers low byte first. Items unknown or of a wrong length are passed
// over, and so is what follows a cut one.
func (p *Properties) parseTLV(b []byte) {
	_ = eachItem(b, func(tag byte, v []byte) {
		switch {
		case tag == 0x01 && len(v) == 2: // wLcdLayout
			p.layout(v)
		case tag == 0x06 && len(v) == 1: // bMinPINSize
			p.MinPIN = int(v[0])
		case tag == 0x07 && len(v) == 1: // bMaxPINSize
			p.MaxPIN = int(v[0])
		case tag == 0x08: // sFirmwareID
			p.Firmware = printable(v)
		case tag == 0x0B && len(v) == 2: // wIdVendor
			p.Vendor = binary.LittleEndian.Uint16(v)
		case tag == 0x0C && len(v) == 2: // wIdProduct
			p.Product = binary.LittleEndian.Uint16(v)
		}
	})
}

// printable keeps the printable ASCII of b: it comes from the device and goes into logs.
func printable(b []byte) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, string(b))
}
