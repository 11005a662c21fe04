//go:build !windows

package main

import (
	"context"
	"errors"
)

var errNoAutostart = errors.New("the agent is started at log-in by systemd or by Windows; elsewhere, start it with your session: eid agent")

func (a *app) autostartElsewhere(string) error            { return errNoAutostart }
func (a *app) noAutostartElsewhere(context.Context) error { return errNoAutostart }
