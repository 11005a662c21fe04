//go:build unix

package main

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"syscall"
)

// serviceHint and serviceRestart say how the smart card service is started, and started anew.
var (
	serviceHint    = "start the smart card service: " + command("sudo systemctl start pcscd.socket", "sudo pcscd")
	serviceRestart = command("sudo systemctl restart pcscd", "sudo pkill -TERM -x pcscd; sudo pcscd")
)

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
		return command("sudo systemctl start pcscd.socket", "sudo pcscd"), "the smart card service (pcscd) is not running: nobody listens on " + path
	}
	return serviceRestart, "the smart card service does not answer: " + err.Error()
}
