package sis

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"sync"
)

// Insurance is what stands in the enciphered part of a card. Dates are YYYYMMDD; Franchise is a year, 0 for none.
type Insurance struct {
	Mutuality   string // 3 digits
	Affiliate   string // 13 characters
	From, Until string
	CT1, CT2    string // 3 digits each
	Franchise   uint16
	Key1, Key2  string // 16 hexadecimal digits each
}

// Sizes of the test scheme.
const (
	clearSize  = 61 // of the insurance data, padded by FF
	zoneSize   = 12 + clearSize + 16
	wrapSize   = 4 + 12 + 16 + 16 // a key for one provider: his number, nonce, key, tag
	keysSize   = 105
	moduleATR  = "\x3B\x08eidkit-S"
	moduleName = "\xF0EIDKITSAM"
)

// Providers are the care providers that have a security module, by their numbers. They are invented, and every card can be opened by
// both.
var Providers = []uint32{10000101, 10000202}

// Module is a simulated security module, a card with a processor. It speaks T=0 and knows these commands:
//
//	00 A4 04 00 0A F0 45 49 44 4B 49 54 53 41 4D   select; without it everything else is 6985
//	80 CA 00 00 04                                 the provider's number, four bytes
//	80 10 00 00 74 serial(11) keys(105)            which card it is: chip number and file 0043. 6982 if the card does not
//	                                               admit the provider, or the file was copied from another chip
//	80 12 00 00 59 zone(89)                        file 0010; the clear data can then be fetched. 6988 if it was changed
//	00 C0 00 00 3D                                 the clear data, 61 bytes
//
// The scheme: a card has a key of its own. File 0010 is AES-128-GCM under it: nonce (12), data (61), tag (16), with the chip number
// as associated data. File 0043 has that key once for each provider: the provider's number (4), then AES-128-GCM under the
// provider's key: nonce (12), key (16), tag (16), with the number and the chip number as associated data; the rest is FF. Keys
// derive from fixed words: nothing here is secret. It is not the scheme of the real cards, which was never published.
//
// The clear data: mutuality (3) and affiliate (13) in ASCII; begin and end, BCD (4 each); CT1, CT2 in ASCII (3 each); the year of the social
// franchise, binary (2), 0 for none; two keys (8 each); FF.
type Module struct {
	provider uint32

	mu       sync.Mutex
	selected bool
	serial   []byte
	key      []byte
	clear    []byte
}

// NewModule makes the module of one of Providers, or of a provider whom no card admits.
func NewModule(provider uint32) *Module { return &Module{provider: provider} }

// ATR is the answer to reset.
func (m *Module) ATR() []byte { return []byte(moduleATR) }

// PowerOn makes it forget everything.
func (m *Module) PowerOn() { m.Reset() }

// PowerOff makes it forget everything.
func (m *Module) PowerOff() { m.Reset() }

// Reset makes it forget everything.
func (m *Module) Reset() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.selected, m.serial, m.key, m.clear = false, nil, nil, nil
}

// Transmit answers a command.
func (m *Module) Transmit(cmd []byte) []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	data, sw := m.answer(slices.Clone(cmd))
	return binary.BigEndian.AppendUint16(data, sw)
}

func (m *Module) answer(cmd []byte) (data []byte, sw uint16) {
	if len(cmd) < 5 {
		return nil, 0x6700
	}
	head, body := binary.BigEndian.Uint16(cmd), cmd[5:]
	if head == 0x00A4 {
		if cmd[2] != 4 || string(body) != moduleName {
			return nil, 0x6A82
		}
		m.selected, m.key, m.clear = true, nil, nil
		return nil, 0x9000
	}
	if !m.selected {
		return nil, 0x6985
	}
	switch head {
	case 0x80CA:
		return binary.BigEndian.AppendUint32(nil, m.provider), 0x9000
	case 0x8010:
		return nil, m.admit(body)
	case 0x8012:
		return nil, m.unseal(body)
	case 0x00C0:
		if m.clear == nil || int(cmd[4]) != clearSize {
			return nil, 0x6985
		}
		return bytes.Clone(m.clear), 0x9000
	}
	return nil, 0x6D00
}

// admit looks for the provider's copy of the card's key.
func (m *Module) admit(body []byte) uint16 {
	m.key, m.clear = nil, nil
	if len(body) != 11+keysSize {
		return 0x6700
	}
	m.serial = body[:11]
	for wraps := body[11:]; len(wraps) >= wrapSize; wraps = wraps[wrapSize:] {
		if binary.BigEndian.Uint32(wraps) != m.provider {
			continue
		}
		key, err := gcm(providerKey(m.provider)).Open(nil, wraps[4:16], wraps[16:wrapSize], slices.Concat(wraps[:4], m.serial))
		if err == nil {
			m.key = key
			return 0x9000
		}
	}
	return 0x6982
}

func (m *Module) unseal(zone []byte) uint16 {
	if m.key == nil {
		return 0x6985
	}
	if len(zone) != zoneSize {
		return 0x6700
	}
	clear, err := gcm(m.key).Open(nil, zone[:12], zone[12:], m.serial)
	if err != nil {
		return 0x6988
	}
	m.clear = clear
	return 0x613D
}

// seal enciphers insurance data for a chip: the contents of files 0010 and 0043.
func seal(serial []byte, i Insurance) (zone, keys []byte) {
	clear := fmt.Appendf(nil, "%-3s%-13s", i.Mutuality, i.Affiliate)
	clear = append(append(clear, fromHex(i.From, 4)...), fromHex(i.Until, 4)...)
	clear = fmt.Appendf(clear, "%-3s%-3s", i.CT1, i.CT2)
	clear = binary.BigEndian.AppendUint16(clear, i.Franchise)
	clear = append(append(clear, fromHex(i.Key1, 8)...), fromHex(i.Key2, 8)...)
	clear = append(clear, bytes.Repeat([]byte{0xFF}, clearSize-len(clear))...)
	key := digest("card key", serial)[:16]
	nonce := digest("zone nonce", slices.Concat(serial, clear))[:12]
	zone = gcm(key).Seal(bytes.Clone(nonce), nonce, clear, serial)
	for _, p := range Providers {
		id := binary.BigEndian.AppendUint32(nil, p)
		nonce := digest("wrap nonce", slices.Concat(id, serial))[:12]
		keys = append(append(keys, id...), gcm(providerKey(p)).Seal(bytes.Clone(nonce), nonce, key, slices.Concat(id, serial))...)
	}
	return zone, append(keys, bytes.Repeat([]byte{0xFF}, keysSize-len(keys))...)
}

func providerKey(p uint32) []byte {
	return digest("provider key", binary.BigEndian.AppendUint32(nil, p))[:16]
}

// digest derives everything that looks random.
func digest(use string, b []byte) []byte {
	h := hmac.New(sha256.New, []byte("eidkit TEST SIS: "+use))
	h.Write(b)
	return h.Sum(nil)
}

func gcm(key []byte) cipher.AEAD {
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err)
	}
	g, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	return g
}
