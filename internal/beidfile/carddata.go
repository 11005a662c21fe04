package beidfile

import (
	"encoding/binary"
	"fmt"
)

// CardData is the answer of GET CARD DATA. On applets before 1.7 the bytes from GlobalOSVersion to KeyExchangeVersion are divided
// differently (facts 1.3); they are given here by their place all the same.
type CardData struct {
	Serial          [16]byte // equals the chip number of the identity file
	ComponentCode   byte
	OSNumber        byte
	OSVersion       byte
	SoftMaskNumber  byte
	SoftMaskVersion byte
	AppletVersion   byte // 10, 11, 17 or 18 in hexadecimal: 1.0 to 1.8

	GlobalOSVersion        uint16
	AppletInterfaceVersion byte
	PKCS1Support           byte
	KeyExchangeVersion     byte
	LifeCycle              byte // 07 selectable, 0F personalised
	PINTries               int  // left; -1: not told. Told by 1.8 when asked with P2 01
}

// cardDataLength is the answer's length with P2 00; with P2 01 (1.8) three bytes follow.
const cardDataLength = 28

// ParseCardData reads the answer of GET CARD DATA without its status word: 28 bytes, or 31 with the PIN tries (facts 1.3). Fewer
// are ErrTruncated; what follows is ignored, so that a later applet may say more.
func ParseCardData(b []byte) (CardData, error) {
	if len(b) < cardDataLength {
		return CardData{}, fmt.Errorf("reading the card data: %d bytes: %w", len(b), ErrTruncated)
	}
	d := CardData{
		Serial:        [16]byte(b),
		ComponentCode: b[16], OSNumber: b[17], OSVersion: b[18], SoftMaskNumber: b[19], SoftMaskVersion: b[20],
		AppletVersion:          b[21],
		GlobalOSVersion:        binary.BigEndian.Uint16(b[22:]),
		AppletInterfaceVersion: b[24],
		PKCS1Support:           b[25],
		KeyExchangeVersion:     b[26],
		LifeCycle:              b[27],
		PINTries:               -1,
	}
	if len(b) >= cardDataLength+3 && b[28] != 0xFF { // FF: the applet did not find the PIN
		d.PINTries = int(b[28])
	}
	return d, nil
}
