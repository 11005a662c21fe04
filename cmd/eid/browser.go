package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"time"
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

// browserPatience is how long a program has to say that it cannot show a page.
const browserPatience = 2 * time.Second

// openBrowser shows a page. An error says that the user sees none.
func openBrowser(ctx context.Context, named, url string) error {
	patience := time.NewTimer(browserPatience)
	defer patience.Stop()
	return openWithin(ctx, named, url, patience.C)
}

// openWithin runs the program that shows a page. What still runs when patience ends, or ctx, is left to itself: some of them are the
// browser.
func openWithin(ctx context.Context, named, url string, patience <-chan time.Time) error {
	program, args, err := browserProgram(named)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(context.WithoutCancel(ctx), program, append(args, url)...)
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("opening a browser: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err := <-ended:
		if err != nil {
			return fmt.Errorf("opening a browser: %s: %w", program, err)
		}
	case <-patience:
	case <-ctx.Done():
	}
	return nil
}
