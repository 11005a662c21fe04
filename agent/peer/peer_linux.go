package peer

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// From linux/inet_diag.h and linux/sock_diag.h.
const (
	sockDiagByFamily = 20
	requestLen       = 56 // inet_diag_req_v2
	answerLen        = 72 // inet_diag_msg
	stateEstablished = 1  // TCP_ESTABLISHED of net/tcp_states.h
	stateListen      = 10 // TCP_LISTEN
)

// A user of another user namespace is shown as this number (sysctl
// kernel.overflowuid), whoever he is.
const overflowUID = 65534

func self() (Peer, error) {
	exe, err := os.Executable()
	if err != nil {
		exe = ""
	}
	return Peer{User: strconv.Itoa(os.Getuid()), Name: ownName(), PID: os.Getpid(), Executable: exe}, nil
}

// socket is what the kernel says of one.
type socket struct {
	state         uint8
	local, remote netip.AddrPort
	uid, inode    uint32
}

func ofTCP(here, there netip.AddrPort) (Peer, error) {
	// The socket sought is the other end: its own address is our remote one.
	found, err := diag(request(there, here, 0), false)
	if errors.Is(err, unix.ENOENT) {
		return Peer{}, ErrNobody
	}
	if err != nil {
		return Peer{}, err
	}
	// Where there is no such connection the kernel answers with a listener. One
	// that is being closed has no owner any more, and its user reads 0.
	if len(found) != 1 || found[0].state != stateEstablished || found[0].local != there || found[0].remote != here {
		return Peer{}, ErrNobody
	}
	if found[0].uid == overflowUID {
		return Peer{}, errors.New("the user is one of another user namespace")
	}
	p := Peer{User: strconv.FormatUint(uint64(found[0].uid), 10)}
	if int(found[0].uid) == os.Getuid() {
		p.Name = ownName()
	}
	return p, nil
}

func ofUnix(c *net.UnixConn) (Peer, error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return Peer{}, err
	}
	var cred *unix.Ucred
	var failed error
	if err := raw.Control(func(fd uintptr) {
		cred, failed = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	}); err != nil {
		return Peer{}, err
	}
	if failed != nil {
		return Peer{}, failed
	}
	if cred.Uid == overflowUID {
		return Peer{}, errors.New("the user is one of another user namespace")
	}
	p := ofUser(cred.Uid)
	p.PID = int(cred.Pid)
	p.Executable = executable(p.PID)
	return p, nil
}

func listener(port uint16) (Peer, error) {
	for _, every := range []netip.Addr{netip.IPv4Unspecified(), netip.IPv6Unspecified()} {
		found, err := diag(request(netip.AddrPortFrom(every, port), netip.AddrPortFrom(every, 0), 1<<stateListen), true)
		if err != nil && !errors.Is(err, unix.ENOENT) {
			return Peer{}, err
		}
		for _, s := range found {
			if s.state == stateListen && s.local.Port() == port {
				p := ofUser(s.uid)
				p.PID = holder(s.inode)
				p.Executable = executable(p.PID)
				return p, nil
			}
		}
	}
	return Peer{}, ErrNobody
}

func ofUser(uid uint32) Peer {
	p := Peer{User: strconv.FormatUint(uint64(uid), 10)}
	if int(uid) == os.Getuid() {
		p.Name = ownName()
	} else if u, err := user.LookupId(p.User); err == nil {
		p.Name = u.Username
	}
	return p
}

// executable is the file of a process; empty when the kernel does not show it.
func executable(pid int) string {
	if pid == 0 {
		return ""
	}
	name, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid))
	if err != nil {
		return ""
	}
	return name
}

// holder is a process that has the socket open; 0 when none is to be seen.
func holder(inode uint32) int {
	want := fmt.Sprintf("socket:[%d]", inode)
	fds, err := filepath.Glob("/proc/[0-9]*/fd/*")
	if err != nil {
		return 0
	}
	for _, fd := range fds {
		if name, err := os.Readlink(fd); err == nil && name == want {
			pid, err := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(fd))))
			if err != nil {
				return 0
			}
			return pid
		}
	}
	return 0
}

// request is an inet_diag_req_v2 behind its netlink header.
func request(local, remote netip.AddrPort, states uint32) []byte {
	b := make([]byte, unix.NLMSG_HDRLEN+requestLen)
	binary.NativeEndian.PutUint32(b, uint32(len(b)))
	binary.NativeEndian.PutUint16(b[4:], sockDiagByFamily)
	binary.NativeEndian.PutUint16(b[6:], unix.NLM_F_REQUEST)
	r := b[unix.NLMSG_HDRLEN:]
	r[0] = unix.AF_INET6
	if local.Addr().Is4() {
		r[0] = unix.AF_INET
	}
	r[1] = unix.IPPROTO_TCP
	binary.NativeEndian.PutUint32(r[4:], states)
	id := r[8:] // inet_diag_sockid
	binary.BigEndian.PutUint16(id, local.Port())
	binary.BigEndian.PutUint16(id[2:], remote.Port())
	copy(id[4:20], local.Addr().AsSlice())
	copy(id[20:36], remote.Addr().AsSlice())
	for i := 40; i < 48; i++ {
		id[i] = 0xff // INET_DIAG_NOCOOKIE: any socket with these addresses
	}
	return b
}

// diag asks the kernel: for one socket, or with dump for all that fit.
func diag(ask []byte, dump bool) ([]socket, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, unix.NETLINK_SOCK_DIAG)
	if err != nil {
		return nil, fmt.Errorf("opening a diagnostics socket: %w", err)
	}
	defer unix.Close(fd)
	patience := unix.NsecToTimeval((5 * time.Second).Nanoseconds())
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &patience); err != nil {
		return nil, err
	}
	if dump {
		binary.NativeEndian.PutUint16(ask[6:], unix.NLM_F_REQUEST|unix.NLM_F_DUMP)
	}
	kernel := &unix.SockaddrNetlink{Family: unix.AF_NETLINK}
	if err := unix.Sendto(fd, ask, 0, kernel); err != nil {
		return nil, fmt.Errorf("asking the kernel: %w", err)
	}
	var found []socket
	b := make([]byte, 32<<10)
	for {
		n, from, err := unix.Recvfrom(fd, b, 0)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("hearing the kernel: %w", err)
		}
		if nl, ok := from.(*unix.SockaddrNetlink); !ok || nl.Pid != 0 {
			continue // not the kernel
		}
		more, done, err := parse(b[:n])
		found = append(found, more...)
		if err != nil || done || !dump {
			return found, err
		}
	}
}

var errAnswer = errors.New("the kernel's answer cannot be read")

// parse reads netlink messages; done says that a dump has ended.
func parse(b []byte) (found []socket, done bool, err error) {
	for len(b) >= unix.NLMSG_HDRLEN {
		length := int(binary.NativeEndian.Uint32(b))
		if length < unix.NLMSG_HDRLEN || length > len(b) {
			return found, false, errAnswer
		}
		body := b[unix.NLMSG_HDRLEN:length]
		switch binary.NativeEndian.Uint16(b[4:]) {
		case unix.NLMSG_DONE:
			return found, true, nil
		case unix.NLMSG_ERROR:
			if len(body) < 4 {
				return found, false, errAnswer
			}
			if errno := -int32(binary.NativeEndian.Uint32(body)); errno > 0 {
				return found, false, unix.Errno(errno)
			}
			return found, false, errAnswer
		case sockDiagByFamily:
			s, err := parseSocket(body)
			if err != nil {
				return found, false, err
			}
			found = append(found, s)
		}
		b = b[min(len(b), (length+unix.NLMSG_ALIGNTO-1)&^(unix.NLMSG_ALIGNTO-1)):]
	}
	return found, false, nil
}

// parseSocket reads an inet_diag_msg.
func parseSocket(b []byte) (socket, error) {
	if len(b) < answerLen || b[0] != unix.AF_INET && b[0] != unix.AF_INET6 {
		return socket{}, errAnswer
	}
	id := b[4:] // inet_diag_sockid
	return socket{
		state:  b[1],
		local:  netip.AddrPortFrom(address(b[0], id[4:20]), binary.BigEndian.Uint16(id)),
		remote: netip.AddrPortFrom(address(b[0], id[20:36]), binary.BigEndian.Uint16(id[2:])),
		uid:    binary.NativeEndian.Uint32(b[64:]),
		inode:  binary.NativeEndian.Uint32(b[68:]),
	}, nil
}

// address reads 16 bytes, of which IPv4 uses four; an IPv6 socket that speaks
// IPv4 has the mapped form.
func address(family uint8, b []byte) netip.Addr {
	if family == unix.AF_INET {
		return netip.AddrFrom4([4]byte(b))
	}
	return netip.AddrFrom16([16]byte(b)).Unmap()
}
