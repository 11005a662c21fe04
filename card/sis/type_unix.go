//go:build !windows && !darwin

package sis

import "encoding/binary"

// The ACR38's driver for pcsc-lite takes two numbers, 0 and the type, by control code 0.
const (
	typeControl    = 0
	typeByTransmit = false
)

func setType(t byte) []byte {
	return binary.LittleEndian.AppendUint32(make([]byte, 4, 8), uint32(t))
}
