package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"text/template"

	"github.com/spf13/cobra"

	"github.com/eidkit/eidkit/agent/broker"
	"github.com/eidkit/eidkit/agent/protocol"
	"github.com/eidkit/eidkit/internal/atomicfile"
)

// units are the user's units of systemd: the sockets are open from log-in on, and the agent starts with the first connection. The agent
// opens browsers, which inherit what is set here: so there is no NoNewPrivileges, nor an option that brings it along (their sandboxes,
// and snaps, do not start under it), and the end of the agent ends the agent alone.
var units = map[string]string{
	"eidkit-agent.socket": `[Unit]
Description=eidkit agent, sockets
Documentation=https://github.com/eidkit/eidkit

[Socket]
ListenStream=127.0.0.1:{{.Port}}
ListenStream=[::1]:{{.Port}}
ListenStream=%t/eidkit/agent.sock
SocketMode=0600
DirectoryMode=0700

[Install]
WantedBy=sockets.target
`,
	"eidkit-agent.service": `[Unit]
Description=eidkit agent: the card for browsers and programs of this user
Documentation=https://github.com/eidkit/eidkit
Requires=eidkit-agent.socket

[Service]
ExecStart={{.Program}} agent
Restart=on-failure
KillMode=process

[Install]
Also=eidkit-agent.socket
`,
}

func (a *app) autostartCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "autostart",
		Short: "Start the agent when you log in",
		Long: `Start the agent when you log in: by systemd, which opens its sockets and starts it with the first
connection, or on Windows by an entry in your own Run key. With systemd, what it says is shown by
journalctl --user -u eidkit-agent.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(&cobra.Command{Use: "install", Short: "Set it up, from now on", RunE: func(cmd *cobra.Command, _ []string) error {
		program, err := os.Executable()
		if err != nil {
			return err
		}
		return a.autostart(cmd.Context(), program)
	}}, &cobra.Command{Use: "remove", Short: "Undo it, and end the agent", RunE: func(cmd *cobra.Command, _ []string) error {
		return a.noAutostart(cmd.Context())
	}})
	return cmd
}

// unitsFolder is where systemd looks for this user's own units.
func unitsFolder() (string, error) {
	dir, err := os.UserConfigDir()
	return filepath.Join(dir, "systemd", "user"), err
}

// writeUnits writes the units for a program.
func writeUnits(dir, program string) error {
	if strings.ContainsAny(program, "\n\"\\") {
		return fmt.Errorf("systemd cannot start a program at %q", program)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for name, text := range units {
		t, err := template.New(name).Parse(text)
		if err != nil {
			return err
		}
		var b bytes.Buffer
		if err := t.Execute(&b, map[string]any{"Port": protocol.Port, "Program": `"` + strings.ReplaceAll(program, "%", "%%") + `"`}); err != nil {
			return err
		}
		if err := atomicfile.Write(filepath.Join(dir, name), b.Bytes()); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) autostart(ctx context.Context, program string) error {
	if runtime.GOOS != "linux" {
		return a.autostartElsewhere(program)
	}
	dir, err := unitsFolder()
	if err != nil {
		return err
	}
	if err := noBroker(broker.Path); err != nil {
		return err
	}
	if err := systemctl([]string{"daemon-reload"}); err != nil { // is there one for this user
		return err
	}
	if err := writeUnits(dir, program); err != nil {
		return fmt.Errorf("writing the units of systemd: %w", err)
	}
	fmt.Fprintf(a.out, "%s\n%s\n", filepath.Join(dir, "eidkit-agent.socket"), filepath.Join(dir, "eidkit-agent.service"))
	if err := systemctl([]string{"daemon-reload"}, []string{"enable", "--now", "eidkit-agent.socket"}); err != nil {
		if c, absent := dialAgent(ctx); absent == nil {
			c.Close()
			return hinted{err, "an agent has the port already: end it with eid agent stop, then run this again"}
		}
		return err
	}
	a.info("the agent starts with the first connection, such as: eid agent open viewer")
	return nil
}

// noBroker refuses where a broker has the port, which the user's unit would want too.
func noBroker(path string) error {
	if _, err := os.Stat(path); err != nil {
		return nil
	}
	return hinted{errors.New("the broker of this machine has the port, so systemd cannot open it for you"),
		"have your desktop start at log-in: eid agent (docs/terminal-servers.md)"}
}

func (a *app) noAutostart(ctx context.Context) error {
	if runtime.GOOS != "linux" {
		return a.noAutostartElsewhere(ctx)
	}
	dir, err := unitsFolder()
	if err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(dir, "eidkit-agent.socket")); os.IsNotExist(err) {
		a.info("it was not set up")
		return nil
	}
	failed := systemctl([]string{"disable", "--now", "eidkit-agent.socket", "eidkit-agent.service"})
	for name := range units {
		if err := os.Remove(filepath.Join(dir, name)); err != nil && !os.IsNotExist(err) {
			return err
		}
	}
	if failed != nil {
		return failed
	}
	return systemctl([]string{"daemon-reload"})
}

// systemctl runs commands of the user's systemd.
func systemctl(commands ...[]string) error {
	for _, args := range commands {
		out, err := exec.Command("systemctl", append([]string{"--user"}, args...)...).CombinedOutput()
		if err != nil {
			return hinted{fmt.Errorf("systemctl --user %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(string(out))),
				"run it in your own session, not by sudo; without systemd, have your desktop start: eid agent"}
		}
	}
	return nil
}
