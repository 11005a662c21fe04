package webeid

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"
)

// browsers are the keys under which browsers look, below the user's key or the machine's.
func browsers() []browser {
	return []browser{
		{"Chrome", false, `Software\Google\Chrome\NativeMessagingHosts\` + Host, ""},
		{"Chromium", false, `Software\Chromium\NativeMessagingHosts\` + Host, ""},
		{"Edge", false, `Software\Microsoft\Edge\NativeMessagingHosts\` + Host, ""},
		{"Firefox", true, `Software\Mozilla\NativeMessagingHosts\` + Host, ""},
	}
}

func (s *Setup) folder(machine bool) (string, error) {
	if machine {
		dir, err := windows.KnownFolderPath(windows.FOLDERID_ProgramData, windows.KF_FLAG_DEFAULT)
		return filepath.Join(s.Root, dir, "eidkit"), err
	}
	if s.Home != "" {
		return filepath.Join(s.Root, s.Home, "eidkit"), nil
	}
	dir, err := windows.KnownFolderPath(windows.FOLDERID_LocalAppData, windows.KF_FLAG_DEFAULT)
	return filepath.Join(s.Root, dir, "eidkit"), err
}

func (s *Setup) places() ([]place, error) {
	dir, err := s.folder(s.Machine)
	if err != nil {
		return nil, err
	}
	var places []place
	for _, b := range browsers() {
		name := "chrome.json"
		if b.firefox {
			name = "firefox.json"
		}
		p := place{browser: b.name, firefox: b.firefox, path: filepath.Join(dir, Host+"."+b.name+"."+name), public: s.Machine, staged: s.Root != ""}
		if !s.Machine && !p.staged {
			p.machine = &place{browser: b.name, firefox: b.firefox, path: p.path, public: true}
		}
		places = append(places, p)
	}
	return places, nil
}

func (s *Setup) linkPath() string {
	dir, _ := s.folder(s.Machine) //nolint:errcheck // places has asked before
	return filepath.Join(dir, Link+".exe")
}

// link makes a second name of the program, or a copy on another volume: symbolic
// links are for administrators here.
func (s *Setup) link(program string) (string, error) {
	path := s.linkPath()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return "", err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", err
	}
	if err := os.Link(program, path); err == nil {
		return path, nil
	}
	from, err := os.Open(program)
	if err != nil {
		return "", err
	}
	defer from.Close()
	to, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o755)
	if err != nil {
		return "", err
	}
	if _, err := io.Copy(to, from); err != nil {
		to.Close()
		return "", err
	}
	return path, to.Close()
}

// key is that of the registry which names the browser's manifest.
func (p *place) key() string {
	list := browsers()
	return list[slices.IndexFunc(list, func(b browser) bool { return b.name == p.browser })].user
}

func (p *place) hive() registry.Key {
	if p.public {
		return registry.LOCAL_MACHINE
	}
	return registry.CURRENT_USER
}

// registered is the path of the manifest that the browser will read; "" when the
// registry names none.
func (p *place) registered() (string, error) {
	if p.staged {
		return p.path, nil
	}
	k, err := registry.OpenKey(p.hive(), p.key(), registry.QUERY_VALUE)
	if errors.Is(err, registry.ErrNotExist) {
		return "", nil
	} else if err != nil {
		return "", err
	}
	defer k.Close()
	path, _, err := k.GetStringValue("")
	if errors.Is(err, registry.ErrNotExist) {
		return "", nil
	}
	return path, err
}

func (p *place) register() error {
	if p.staged {
		return nil
	}
	k, _, err := registry.CreateKey(p.hive(), p.key(), registry.SET_VALUE)
	if err != nil {
		return err
	}
	defer k.Close()
	return k.SetStringValue("", p.path)
}

func (p *place) unregister() error {
	if p.staged {
		return nil
	}
	return registry.DeleteKey(p.hive(), p.key())
}
