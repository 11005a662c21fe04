package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/eidkit/eidkit/agent/dial"
	"github.com/eidkit/eidkit/agent/webeid"
	"github.com/eidkit/eidkit/internal/termview"
)

func (a *app) nativeMessagingCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "native-messaging",
		Short: "Have the Web eID browser extension use this agent",
		Long: `Have the Web eID browser extension use this agent, in Chrome, Chromium, Edge and Firefox: sites
made for Web eID then work with it. An installed Web eID program is left as it is.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	for _, do := range []struct {
		use, short string
		f          func(webeid.Setup) ([]webeid.Entry, error)
	}{
		{"install", "Register " + webeid.Link + " with the browsers", webeid.Install},
		{"remove", "Take the registration away again", webeid.Remove},
	} {
		var machine, asJSON bool
		sub := &cobra.Command{Use: do.use, Short: do.short, RunE: func(*cobra.Command, []string) error {
			entries, err := do.f(webeid.Setup{Machine: machine})
			if machine && errors.Is(err, fs.ErrPermission) {
				err = hinted{err, "it takes an administrator: sudo eid agent native-messaging " + do.use + " --machine"}
			}
			return errors.Join(err, a.showBrowsers(entries, asJSON))
		}}
		sub.Flags().BoolVar(&machine, "machine", false, "for all users of this machine; needs an administrator")
		sub.Flags().BoolVar(&asJSON, "json", false, "print JSON")
		cmd.AddCommand(sub)
	}
	return cmd
}

// nativeDocument is what `eid agent native-messaging install --json` prints (docs/schema/native-messaging.json).
type nativeDocument struct {
	Schema   int             `json:"schema"`
	Browsers []nativeBrowser `json:"browsers"`
}

type nativeBrowser struct {
	Browser string       `json:"browser"`
	State   webeid.State `json:"state"`
	Path    string       `json:"path"`
}

func (a *app) showBrowsers(entries []webeid.Entry, asJSON bool) error {
	if asJSON {
		d := nativeDocument{1, []nativeBrowser{}}
		for _, e := range entries {
			d.Browsers = append(d.Browsers, nativeBrowser{e.Browser, e.State, e.Path})
		}
		return writeJSON(a.out, d)
	}
	for _, e := range entries {
		fmt.Fprintf(a.out, "%-10s %v  %s\n", e.Browser, e.State, termview.Clean(e.Path))
	}
	return nil
}

// asWebEID tells whether a browser has started this program, under the name that the manifest has.
func asWebEID(args []string) bool {
	name := strings.TrimSuffix(filepath.Base(args[0]), ".exe")
	return name == webeid.Link
}

// runWebEID speaks to the extension: what it wants is done by the running agent. Standard output is the protocol's alone.
func runWebEID(ctx context.Context, s streams) int {
	log := slog.New(slog.NewTextHandler(s.err, nil))
	err := webeid.Run(ctx, s.in, s.out, webeid.Options{Build: currentVersion().Version, Language: language(""), Log: log,
		Dial: func(ctx context.Context, origin string) (webeid.Caller, error) {
			dir, err := dial.RuntimeDir()
			if err != nil {
				return nil, err
			}
			return dial.Unix(ctx, dial.SocketPath(dir), dial.ForOrigin(origin))
		}})
	if err != nil {
		log.Error("the conversation with the browser failed", "error", err)
		return exitFailure
	}
	return exitOK
}
