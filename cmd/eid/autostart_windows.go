package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"

	"golang.org/x/sys/windows/registry"

	"github.com/eidkit/eidkit/agent/dial"
)

// runKey is where Windows looks for what to start when this user logs in.
const runKey, runValue = `Software\Microsoft\Windows\CurrentVersion\Run`, "eidkit agent"

func (a *app) autostartElsewhere(program string) error {
	k, _, err := registry.CreateKey(registry.CURRENT_USER, runKey, registry.SET_VALUE)
	if err != nil {
		return fmt.Errorf("opening the Run key: %w", err)
	}
	defer k.Close()
	if err := k.SetStringValue(runValue, `"`+program+`" agent`); err != nil {
		return fmt.Errorf("writing the Run key: %w", err)
	}
	fmt.Fprintf(a.out, "HKEY_CURRENT_USER\\%s\\%s\n", runKey, runValue)
	cmd := exec.Command(program, "agent")
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting the agent: %w", err)
	}
	return cmd.Process.Release()
}

func (a *app) noAutostartElsewhere(ctx context.Context) error {
	k, err := registry.OpenKey(registry.CURRENT_USER, runKey, registry.SET_VALUE)
	if err != nil {
		return fmt.Errorf("opening the Run key: %w", err)
	}
	defer k.Close()
	if err := k.DeleteValue(runValue); err != nil && err != registry.ErrNotExist {
		return fmt.Errorf("changing the Run key: %w", err)
	}
	if err := askAgent(ctx, "agent.stop", struct{}{}, nil); !errors.Is(err, dial.ErrAbsent) {
		return err
	}
	return nil
}
