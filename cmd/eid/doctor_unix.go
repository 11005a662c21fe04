//go:build unix

package main

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"syscall"
)

// serviceHint says how the smart card service is started.
const serviceHint = "start the smart card service (sudo systemctl start pcscd.socket, or sudo pcscd)"

// serviceFault looks at the service's socket before any library does: what is wrong with it, and what mends it.
func serviceFault() (hint, detail string) {
	path := os.Getenv("PCSCLITE_CSOCK_NAME")
	if path == "" {
		path = "/run/pcscd/pcscd.comm"
	}
	conn, err := net.Dial("unix", path)
	if err == nil {
		conn.Close()
		return "", ""
	}
	_, lookErr := os.Stat("/usr/sbin/pcscd")
	switch {
	case errors.Is(err, fs.ErrPermission):
		return "run eid as a user who may use smart cards (polkit rule org.debian.pcsc-lite.access_pcsc)", "this user may not open " + path
	case lookErr != nil:
		return "sudo apt install pcscd libccid", "the smart card service (pcscd) is not installed"
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return "sudo systemctl start pcscd.socket (without systemd: sudo pcscd)", "the smart card service (pcscd) is not running: nobody listens on " + path
	}
	return "sudo systemctl restart pcscd (without systemd: sudo pcscd)", "the smart card service does not answer: " + err.Error()
}
