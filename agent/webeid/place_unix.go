//go:build !windows

package webeid

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// browsers are the folders in which browsers look, as their makers' pages on
// native messaging name them; the user's are below his home. Firefox of Debian
// reads /usr/lib/mozilla, and those of snap and flatpak read none of these.
func browsers() []browser {
	if runtime.GOOS == "darwin" {
		const user, machine = "Library/Application Support/", "/Library/Application Support/"
		return []browser{
			{"Chrome", false, user + "Google/Chrome/NativeMessagingHosts", "/Library/Google/Chrome/NativeMessagingHosts"},
			{"Chromium", false, user + "Chromium/NativeMessagingHosts", machine + "Chromium/NativeMessagingHosts"},
			{"Edge", false, user + "Microsoft Edge/NativeMessagingHosts", "/Library/Microsoft/Edge/NativeMessagingHosts"},
			{"Firefox", true, user + "Mozilla/NativeMessagingHosts", machine + "Mozilla/NativeMessagingHosts"},
		}
	}
	return []browser{
		{"Chrome", false, ".config/google-chrome/NativeMessagingHosts", "/etc/opt/chrome/native-messaging-hosts"},
		{"Chromium", false, ".config/chromium/NativeMessagingHosts", "/etc/chromium/native-messaging-hosts"},
		{"Edge", false, ".config/microsoft-edge/NativeMessagingHosts", "/etc/opt/edge/native-messaging-hosts"},
		{"Firefox", true, ".mozilla/native-messaging-hosts", "/usr/lib/mozilla/native-messaging-hosts"},
	}
}

func (s *Setup) home() (string, error) {
	if s.Home != "" {
		return filepath.Join(s.Root, s.Home), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(s.Root, home), nil
}

func (s *Setup) places() ([]place, error) {
	home, err := s.home()
	if err != nil && !s.Machine {
		return nil, err
	}
	var places []place
	for _, b := range browsers() {
		machine := place{browser: b.name, firefox: b.firefox, path: filepath.Join(s.Root, b.machine, Host+".json"), public: true, staged: s.Root != ""}
		if s.Machine {
			places = append(places, machine)
			continue
		}
		user := filepath.Join(home, b.user)
		// Where the configuration was moved, Chrome and its kin went with it.
		if config := os.Getenv("XDG_CONFIG_HOME"); filepath.IsAbs(config) && s.Home == "" && runtime.GOOS != "darwin" && !b.firefox {
			user = filepath.Join(s.Root, config, filepath.Base(filepath.Dir(b.user)), filepath.Base(b.user))
		}
		places = append(places, place{browser: b.name, firefox: b.firefox, path: filepath.Join(user, Host+".json"), machine: &machine, staged: s.Root != ""})
	}
	return places, nil
}

func (s *Setup) linkPath() string {
	if s.Machine {
		return filepath.Join(s.Root, "/usr/local/lib/eidkit", Link)
	}
	home, _ := s.home() //nolint:errcheck // places has asked before
	if runtime.GOOS == "darwin" {
		return filepath.Join(home, "Library/Application Support/eidkit", Link)
	}
	return filepath.Join(home, ".local/share/eidkit", Link)
}

// link points Link at the program.
func (s *Setup) link(program string) (string, error) {
	path := s.linkPath()
	if info, err := os.Lstat(path); err == nil && info.Mode()&fs.ModeSymlink == 0 {
		return "", fmt.Errorf("%s is there and no link", path)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return "", err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	return path, os.Symlink(program, path)
}

// registered is the path of the manifest that the browser will read.
func (p *place) registered() (string, error) { return p.path, nil }

func (p *place) register() error { return nil }

func (p *place) unregister() error { return nil }
