//go:build !linux

package vpcd

import "net"

// acknowledgeAtOnce does nothing where acknowledgements cannot be hurried.
func acknowledgeAtOnce(*net.TCPConn) {}
