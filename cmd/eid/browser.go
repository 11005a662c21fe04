package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
)

// errNoBrowser says that no page can be shown to the user by itself.
var errNoBrowser = errors.New("no browser can be opened from here")

// noBrowser as the value of --browser leaves browsers alone.
const noBrowser = "none"

// browserProgram is the program that shows a page to the user: the one named, else what the system has for it.
func browserProgram(named string) (string, []string, error) {
	switch {
	case named == noBrowser:
		return "", nil, errNoBrowser
	case named != "":
		return named, nil, nil
	case runtime.GOOS == "windows":
		return "rundll32", []string{"url.dll,FileProtocolHandler"}, nil
	case runtime.GOOS == "darwin":
		return "open", nil, nil
	case os.Getenv("DISPLAY") == "" && os.Getenv("WAYLAND_DISPLAY") == "":
		return "", nil, fmt.Errorf("%w: there is no display", errNoBrowser)
	}
	program, err := exec.LookPath("xdg-open")
	if err != nil {
		return "", nil, fmt.Errorf("%w: xdg-open is not installed (package xdg-utils)", errNoBrowser)
	}
	return program, nil, nil
}

// openBrowser shows a page. The program is waited for in the background: some of them are the browser itself.
func openBrowser(ctx context.Context, named, url string) error {
	program, args, err := browserProgram(named)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(context.WithoutCancel(ctx), program, append(args, url)...)
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("opening a browser: %w", err)
	}
	go func() { _ = cmd.Wait() }() // what becomes of the browser is the user's business
	return nil
}
