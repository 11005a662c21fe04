package webeid

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/eidkit/eidkit/internal/atomicfile"
)

// Host is the name under which the extension asks for its program.
const Host = "eu.webeid"

// Link is the name under which the program knows that a browser starts it: a
// manifest cannot hold arguments.
const Link = "eid-webeid"

// Who may start the program: the official extension, in its three stores.
var (
	chromeOrigins  = []string{"chrome-extension://gnmckgbandlkacikdndelhfghdejfido/", "chrome-extension://ncibgoaomkmdpilpocfeponihegamlic/"}
	firefoxOrigins = []string{"{e68418bc-f2b0-4459-a9ea-3e72b6751b07}"}
)

// description marks a manifest as ours.
const description = "eidkit: Web eID over the eidkit agent"

// State is what is, or was done, at a browser.
type State string

// The states.
const (
	Installed State = "installed" // ours is there
	Removed   State = "removed"   // ours was there
	Absent    State = "absent"    // none is there
	Foreign   State = "foreign"   // another program's is there; it is left alone
)

// Entry is a browser with what it knows of Host.
type Entry struct {
	Browser string // Chrome, Chromium, Edge or Firefox
	Path    string // of the manifest that the state is about
	State   State
}

// Setup says where Install and Remove work; the zero value is for the user who
// runs them.
type Setup struct {
	Machine bool   // for all users of the machine: needs an administrator
	Program string // the eid program; the one that runs if empty
	// Root stands before all paths, and nothing is written to a registry: for
	// packages that are put together, and for tests. Home is the user's folder
	// under it; his own if empty.
	Root, Home string
}

// browser is where a browser looks for manifests, on this system.
type browser struct {
	name          string
	firefox       bool
	user, machine string // folders; on Windows, user is a key of the registry, below the user's and the machine's
}

// Install puts the link beside the user's (or machine's) data and tells each
// browser of it. A manifest of another program, such as Web eID's own, stays as
// it is, also when it is the machine's and ours would be the user's: browsers
// would take ours first. The error is nil when that is all that stood in the way.
func Install(s Setup) ([]Entry, error) {
	program := s.Program
	if program == "" {
		var err error
		if program, err = os.Executable(); err != nil {
			return nil, fmt.Errorf("installing %s: %w", Link, err)
		}
	}
	program, err := filepath.Abs(program)
	if err != nil {
		return nil, fmt.Errorf("installing %s: %w", Link, err)
	}
	if info, err := os.Stat(program); err != nil {
		return nil, fmt.Errorf("installing %s: %w", Link, err)
	} else if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("installing %s: %s is no program", Link, program)
	}
	places, err := s.places()
	if err != nil {
		return nil, fmt.Errorf("installing %s: %w", Link, err)
	}
	entries, free := s.survey(places)
	if !free {
		return entries, nil
	}
	link, err := s.link(program)
	if err != nil {
		return entries, fmt.Errorf("installing %s: %w", Link, err)
	}
	for i, p := range places {
		if entries[i].State == Foreign {
			continue
		}
		if err := p.put(manifest(p.firefox, strings.TrimPrefix(link, s.Root))); err != nil {
			return entries, fmt.Errorf("telling %s of %s: %w", p.browser, Link, err)
		}
		entries[i].State = Installed
	}
	return entries, nil
}

// Remove takes away what Install put there, and nothing else.
func Remove(s Setup) ([]Entry, error) {
	places, err := s.places()
	if err != nil {
		return nil, fmt.Errorf("removing %s: %w", Link, err)
	}
	var entries []Entry
	var failed []error
	for _, p := range places {
		e := Entry{p.browser, p.path, p.state()}
		if e.State == Installed {
			if err := p.remove(); err != nil {
				failed = append(failed, fmt.Errorf("removing %s from %s: %w", Link, p.browser, err))
			} else {
				e.State = Removed
			}
		}
		entries = append(entries, e)
	}
	if len(failed) == 0 {
		if err := os.Remove(s.linkPath()); err != nil && !errors.Is(err, fs.ErrNotExist) {
			failed = append(failed, fmt.Errorf("removing %s: %w", Link, err))
		}
		removeEmpty(filepath.Dir(s.linkPath()))
	}
	return entries, errors.Join(failed...)
}

// survey is the state of each place, and whether one of them is free for ours. A
// foreign manifest of the machine counts against the user's place as well.
func (s *Setup) survey(places []place) (entries []Entry, free bool) {
	for _, p := range places {
		e := Entry{p.browser, p.path, p.state()}
		if other := p.machine; e.State != Foreign && other != nil && other.state() == Foreign {
			e.Path, e.State = other.path, Foreign
		}
		free = free || e.State != Foreign
		entries = append(entries, e)
	}
	return entries, free
}

// place is where one manifest is or will be.
type place struct {
	browser string
	firefox bool
	path    string // of the manifest
	machine *place // where the machine's is, when this is the user's
	public  bool   // others than the user read it
	staged  bool   // for a package that is put together: nothing but files is touched
}

// state tells whose manifest is there. What cannot be read, or is no manifest,
// is somebody else's.
func (p *place) state() State {
	path, err := p.registered()
	if err != nil {
		return Foreign
	}
	if path == "" {
		return Absent
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Absent
	} else if err != nil {
		return Foreign
	}
	defer f.Close()
	b := make([]byte, 64<<10)
	n, _ := f.Read(b) //nolint:errcheck // what was read is no manifest then
	var m struct {
		Description string `json:"description"`
	}
	if json.Unmarshal(b[:n], &m) != nil || m.Description != description {
		return Foreign
	}
	return Installed
}

// put writes the manifest and has the browser know it.
func (p *place) put(b []byte) error {
	folder, file := fs.FileMode(0o700), fs.FileMode(0o600)
	if p.public {
		folder, file = 0o755, 0o644
	}
	if err := os.MkdirAll(filepath.Dir(p.path), folder); err != nil {
		return err
	}
	f, err := atomicfile.Create(filepath.Dir(p.path))
	if err != nil {
		return err
	}
	defer f.Abort()
	if _, err := f.Write(b); err != nil {
		return err
	}
	if err := f.Chmod(file); err != nil {
		return err
	}
	if err := f.Commit(p.path); err != nil {
		return err
	}
	return p.register()
}

func (p *place) remove() error {
	if err := p.unregister(); err != nil {
		return err
	}
	if err := os.Remove(p.path); err != nil {
		return err
	}
	if !p.public { // folders of the machine belong to packages
		folder := filepath.Dir(p.path)
		removeEmpty(folder)
		removeEmpty(filepath.Dir(folder)) // of a browser that is not installed
	}
	return nil
}

// removeEmpty removes a folder in which nothing is left. A link to one stays.
func removeEmpty(folder string) {
	if info, err := os.Lstat(folder); err == nil && info.IsDir() {
		_ = os.Remove(folder) // it is not empty
	}
}

// manifest is the text of one.
func manifest(firefox bool, program string) []byte {
	m := struct {
		Name        string   `json:"name"`
		Description string   `json:"description"`
		Path        string   `json:"path"`
		Type        string   `json:"type"`
		Origins     []string `json:"allowed_origins,omitempty"`
		Extensions  []string `json:"allowed_extensions,omitempty"`
	}{Name: Host, Description: description, Path: program, Type: "stdio"}
	if firefox {
		m.Extensions = firefoxOrigins
	} else {
		m.Origins = chromeOrigins
	}
	b, err := json.MarshalIndent(m, "", "  ")
	if err != nil { // strings only
		panic(err)
	}
	return append(b, '\n')
}
