//go:build unix

package main

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"syscall"
)

// serviceStart is the command that starts the smart card service, serviceRestart the one that starts it anew.
func serviceStart() string { return command("sudo systemctl start pcscd.socket", "sudo pcscd") }
func serviceRestart() string {
	return command("sudo systemctl restart pcscd", "sudo pkill -TERM -x pcscd; sudo pcscd")
}

// command is the command for a system with systemd, or for one without.
func command(systemd, without string) string {
	if _, err := os.Stat("/run/systemd/system"); err == nil {
		return systemd
	}
	return without
}

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
		return serviceStart(), "the smart card service (pcscd) is not running: nobody listens on " + path
	}
	return serviceRestart(), "the smart card service does not answer: " + err.Error()
}
