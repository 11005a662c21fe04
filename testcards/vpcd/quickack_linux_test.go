package vpcd

import (
	"net"
	"testing"

	"golang.org/x/sys/unix"
)

func TestAcknowledgeAtOnce(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	raw, err := conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	option := func() (on int) {
		_ = raw.Control(func(fd uintptr) { on, err = unix.GetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_QUICKACK) })
		if err != nil {
			t.Fatal(err)
		}
		return on
	}
	_ = raw.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_QUICKACK, 0) })
	if err != nil || option() != 0 {
		t.Fatalf("delayed acknowledgements cannot be switched on: %v", err)
	}
	acknowledgeAtOnce(conn.(*net.TCPConn))
	if option() != 1 {
		t.Error("acknowledgements are still delayed")
	}
}
