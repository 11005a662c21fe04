package vpcd

import (
	"net"

	"golang.org/x/sys/unix"
)

// acknowledgeAtOnce switches delayed acknowledgements off for what arrives next. Linux switches them on again by itself, so this
// is said before every read (tcp(7), TCP_QUICKACK). Failure costs time only.
func acknowledgeAtOnce(c *net.TCPConn) {
	raw, err := c.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) {
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_QUICKACK, 1)
	})
}
