package sis

import "encoding/binary"

// The ACR38's driver on macOS takes two numbers, 0 and the type, as if they were a command.
const (
	typeControl    = 0
	typeByTransmit = true
)

func setType(t byte) []byte {
	return binary.LittleEndian.AppendUint32(make([]byte, 4, 8), uint32(t))
}
