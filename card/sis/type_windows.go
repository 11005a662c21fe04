package sis

// The ACR38's driver on Windows takes the type in four bytes, by SCARD_CTL_CODE(2060).
const (
	typeControl    = 0x31<<16 | 2060<<2
	typeByTransmit = false
)

func setType(t byte) []byte {
	if t == 0 {
		return make([]byte, 8)
	}
	return []byte{0x18, 0, 0, 0}
}
