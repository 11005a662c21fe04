package peer

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"os"
	"unsafe"

	"golang.org/x/sys/windows"
)

var getExtendedTCPTable = windows.NewLazySystemDLL("iphlpapi.dll").NewProc("GetExtendedTcpTable")

// From iprtrmib.h and tcpmib.h.
const (
	tableListeners   = 3 // TCP_TABLE_OWNER_PID_LISTENER
	tableConnections = 4 // TCP_TABLE_OWNER_PID_CONNECTIONS
	rowLen4          = 24
	rowLen6          = 56
	stateListen      = 2 // MIB_TCP_STATE_LISTEN
	stateEstablished = 5 // MIB_TCP_STATE_ESTAB
)

const getPeerPID = 0x58000100 // SIO_AF_UNIX_GETPEERPID of afunix.h

func self() (Peer, error) {
	sid, err := userOf(windows.GetCurrentProcessToken())
	if err != nil {
		return Peer{}, err
	}
	exe, err := os.Executable()
	if err != nil {
		exe = ""
	}
	return Peer{User: sid, Name: ownName(), PID: os.Getpid(), Executable: exe}, nil
}

// socket is a row of the system's table.
type socket struct {
	state         uint32
	local, remote netip.AddrPort
	pid           uint32
}

func ofTCP(here, there netip.AddrPort) (Peer, error) {
	// An IPv6 socket that speaks IPv4 stands in the table of IPv6.
	families := []uint32{windows.AF_INET6}
	if here.Addr().Is4() {
		families = []uint32{windows.AF_INET, windows.AF_INET6}
	}
	for _, family := range families {
		sockets, err := table(family, tableConnections)
		if err != nil {
			return Peer{}, err
		}
		for _, s := range sockets {
			if s.state == stateEstablished && s.local == there && s.remote == here {
				return ofProcess(s.pid)
			}
		}
	}
	return Peer{}, ErrNobody
}

func ofUnix(c *net.UnixConn) (Peer, error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return Peer{}, err
	}
	var pid, n uint32
	var failed error
	if err := raw.Control(func(fd uintptr) {
		failed = windows.WSAIoctl(windows.Handle(fd), getPeerPID, nil, 0, (*byte)(unsafe.Pointer(&pid)), uint32(unsafe.Sizeof(pid)), &n, nil, 0)
	}); err != nil {
		return Peer{}, err
	}
	if failed != nil {
		return Peer{}, failed
	}
	return ofProcess(pid)
}

func listener(port uint16) (Peer, error) {
	for _, family := range []uint32{windows.AF_INET, windows.AF_INET6} {
		sockets, err := table(family, tableListeners)
		if err != nil {
			return Peer{}, err
		}
		for _, s := range sockets {
			if s.state != stateListen || s.local.Port() != port {
				continue
			}
			p, err := ofProcess(s.pid)
			if err != nil { // another user's: its number is all that we get
				p = Peer{PID: int(s.pid)}
			}
			return p, nil
		}
	}
	return Peer{}, ErrNobody
}

// ofProcess is the user of a process. Its number may have gone to another
// process meanwhile; the socket's owner has then ended, and so has the
// connection.
func ofProcess(pid uint32) (Peer, error) {
	if pid == 0 {
		return Peer{}, ErrNobody
	}
	h, err := windows.OpenProcess(windows.PROCESS_QUERY_LIMITED_INFORMATION, false, pid)
	if err != nil {
		return Peer{}, err
	}
	defer windows.CloseHandle(h)
	var token windows.Token
	if err := windows.OpenProcessToken(h, windows.TOKEN_QUERY, &token); err != nil {
		return Peer{}, err
	}
	defer token.Close()
	sid, err := userOf(token)
	if err != nil {
		return Peer{}, err
	}
	p := Peer{User: sid, PID: int(pid)}
	if own, err := userOf(windows.GetCurrentProcessToken()); err == nil && own == sid {
		p.Name = ownName()
	}
	name := make([]uint16, windows.MAX_LONG_PATH)
	n := uint32(len(name))
	if err := windows.QueryFullProcessImageName(h, 0, &name[0], &n); err == nil {
		p.Executable = windows.UTF16ToString(name[:n])
	}
	return p, nil
}

func userOf(t windows.Token) (string, error) {
	u, err := t.GetTokenUser()
	if err != nil {
		return "", err
	}
	return u.User.Sid.String(), nil
}

// table is the system's table of one family. It can grow between asking for
// its size and reading it.
func table(family, kind uint32) ([]socket, error) {
	if err := getExtendedTCPTable.Find(); err != nil {
		return nil, err
	}
	size := uint32(16 << 10)
	for range 8 {
		b := make([]byte, size)
		r, _, _ := getExtendedTCPTable.Call(uintptr(unsafe.Pointer(&b[0])), uintptr(unsafe.Pointer(&size)), 0, uintptr(family), uintptr(kind), 0)
		switch err := windows.Errno(r); err {
		case windows.ERROR_SUCCESS:
			return rows(family, b)
		case windows.ERROR_INSUFFICIENT_BUFFER:
			size += 4 << 10
		default:
			return nil, err
		}
	}
	return nil, errors.New("the table of connections keeps growing")
}

// rows reads a MIB_TCPTABLE_OWNER_PID or MIB_TCP6TABLE_OWNER_PID.
func rows(family uint32, b []byte) ([]socket, error) {
	length := rowLen6
	if family == windows.AF_INET {
		length = rowLen4
	}
	n := int(binary.LittleEndian.Uint32(b))
	if n > (len(b)-4)/length {
		return nil, errors.New("the table of connections is cut off")
	}
	found := make([]socket, n)
	for i := range found {
		r := b[4+i*length:]
		u32 := func(at int) uint32 { return binary.LittleEndian.Uint32(r[at:]) }
		port := func(at int) uint16 { return binary.BigEndian.Uint16(r[at:]) }
		if family == windows.AF_INET {
			found[i] = socket{u32(0), netip.AddrPortFrom(netip.AddrFrom4([4]byte(r[4:8])), port(8)),
				netip.AddrPortFrom(netip.AddrFrom4([4]byte(r[12:16])), port(16)), u32(20)}
		} else {
			found[i] = socket{u32(48), netip.AddrPortFrom(netip.AddrFrom16([16]byte(r[0:16])).Unmap(), port(20)),
				netip.AddrPortFrom(netip.AddrFrom16([16]byte(r[24:40])).Unmap(), port(44)), u32(52)}
		}
	}
	return found, nil
}
