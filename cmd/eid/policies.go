package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/eidkit/eidkit/agent/access"
	"github.com/eidkit/eidkit/internal/atomicfile"
)

// policiesFlags are those of `eid agent policies`.
type policiesFlags struct {
	sites   []string
	browser string
	format  string
	out     string
}

func (a *app) policiesCommand() *cobra.Command {
	var f policiesFlags
	cmd := &cobra.Command{
		Use:   "policies",
		Short: "Make the files that let browsers reach the agent without a question of their own",
		Long: `Browsers ask before a page of a site may reach programs on the user's own machine (Local Network
Access), and users who press the wrong button do not find back. These files, which an administrator
puts where the browsers look, name the sites for which they need not ask. What such a site may do
with the card is decided by the agent all the same (docs/policy.md).

Chrome, Edge and Chromium take them from version 146, Firefox from version 150. Firefox has host
names only: every port of the host counts there.`,
		Example: `  eid agent policies --site https://portal.example --browser chrome
  eid agent policies --site https://portal.example --site https://desk.example:8443 --out policies`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return a.policies(f)
		},
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&f.sites, "site", nil, "origin of a site, https://HOST or https://HOST:PORT; can be given several times")
	flags.StringVar(&f.browser, "browser", "", "chrome, edge or firefox (default: all)")
	flags.StringVar(&f.format, "format", "", "json for Linux, reg for Windows (default: both)")
	flags.StringVar(&f.out, "out", "", "folder for the files (default: one file to standard output)")
	return cmd
}

func (a *app) policies(f policiesFlags) error {
	if len(f.sites) == 0 {
		return usagef("--site is missing")
	}
	if !slices.Contains([]string{"", "chrome", "edge", "firefox"}, f.browser) {
		return usagef("--browser takes chrome, edge or firefox")
	}
	if !slices.Contains([]string{"", "json", "reg"}, f.format) {
		return usagef("--format takes json or reg")
	}
	var sites []access.Origin
	for _, s := range f.sites {
		o, err := access.ParseOrigin(s)
		if err != nil {
			return usageError{err}
		}
		sites = append(sites, o)
	}
	files := slices.DeleteFunc(access.BrowserPolicies(sites), func(b access.BrowserFile) bool {
		return f.browser != "" && b.Browser != f.browser || f.format != "" && b.Format != f.format
	})
	if f.out == "" {
		if f.format == "" {
			files = slices.DeleteFunc(files, func(b access.BrowserFile) bool { return b.Format != "json" })
		}
		if len(files) != 1 {
			return usagef("several files: name a folder with --out, or one browser with --browser")
		}
		a.info("belongs to %s", files[0].Place)
		_, err := a.out.Write(files[0].Content)
		return err
	}
	if err := os.MkdirAll(f.out, 0o755); err != nil {
		return err
	}
	for _, b := range files {
		path := filepath.Join(f.out, b.Name)
		if err := writeReadable(path, b.Content); err != nil {
			return fmt.Errorf("writing %s: %w", path, err)
		}
		a.info("%s belongs to %s", path, b.Place)
	}
	return nil
}

// writeReadable replaces a file that everybody may read, as browsers of all users have to.
func writeReadable(path string, content []byte) error {
	f, err := atomicfile.Create(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer f.Abort()
	if _, err := f.Write(content); err != nil {
		return err
	}
	if err := f.Chmod(0o644); err != nil {
		return err
	}
	return f.Commit(path)
}
