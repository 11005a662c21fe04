// Package pkcs11 gives the keys of PKCS #11 tokens, smart cards, USB tokens and
// HSMs, as crypto.Signer with their certificates, through the token's module: a
// library that its maker or OpenSC provides.
//
// Start with ParseURI and OpenKey, which find the one key that a URI names. Open
// and Module.Keys list the keys to choose from, Module.Slots the slots and tokens,
// and Module.Events tells of tokens that come and go.
//
// A PIN is asked for by Options.PIN, read from the file that the URI's pin-source
// names, or typed on the token's own keys. It is asked when a key is used, not
// before, and a wrong one is never tried again by itself.
//
// Modules are C libraries: without cgo everything that needs one fails with
// ErrNoCgo; URIs work. Out of scope: making keys and certificates, encryption,
// changing PINs, and what is signed.
//
// References: PKCS #11 v2.40 (OASIS), RFC 7512 (URIs), RFC 8017 (DigestInfo, PSS),
// RFC 8089 (file addresses).
package pkcs11

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"

	p11 "github.com/miekg/pkcs11"
)

// Options say how a module is used. The zero value asks nobody for a PIN.
type Options struct {
	// PIN asks for PINs where the URI has no pin-source. Nil: keys that want one fail with ErrNoPIN.
	PIN PINFunc
	// Pinpad, if not nil, is called while the PIN is typed on the token's own keys, with a context that ends when that is done: to
	// tell the user. It is called from a goroutine of its own, and waited for.
	Pinpad func(context.Context, PINRequest)
	// Sessions is how many sessions with one token are open at most; 0: 4. Signing waits for a free one.
	Sessions int
}

const defaultSessions = 4

// Module is a loaded module. It may be used from several goroutines.
type Module struct {
	lib     *library
	options Options
	info    Info

	ctx    context.Context // ends with Close
	cancel context.CancelFunc

	mu      sync.Mutex
	closed  bool
	running sync.WaitGroup // calls between enter and its end
	pools   map[identity]*pool
}

// Open loads the module at an absolute path and initialises it (C_Initialize). A module is loaded once a process: opening it again
// gives another Module over the same library. Errors wrap ErrNoModule, ErrNoCgo, or are the module's.
func Open(path string, o Options) (*Module, error) { return open(path, o, load) }

func open(path string, o Options, load func(string) (cryptoki, error)) (*Module, error) {
	if !filepath.IsAbs(path) {
		return nil, fmt.Errorf("opening the PKCS #11 module %q: %w: the path is not absolute", path, ErrNoModule)
	}
	lib, err := libraries.use(path, load)
	if err != nil {
		return nil, fmt.Errorf("opening the PKCS #11 module %s: %w", path, err)
	}
	m := &Module{lib: lib, options: o, pools: map[identity]*pool{}}
	m.ctx, m.cancel = context.WithCancel(context.Background())
	if m.info, err = lib.api.info(); err != nil {
		return nil, errors.Join(fmt.Errorf("opening the PKCS #11 module %s: %w", path, err), m.Close())
	}
	return m, nil
}

// Info is what the module says of itself.
func (m *Module) Info() Info { return m.info }

// Path is the module's file, without symbolic links.
func (m *Module) Path() string { return m.lib.path }

// Close ends dialogs and waits, closes the sessions, and finalises the module (C_Finalize) if this is its last Module. What runs in
// the module is waited for: a PIN being typed on the token's own keys, for one. Keys fail with ErrClosed afterwards.
func (m *Module) Close() error {
	m.mu.Lock()
	if m.closed {
		m.mu.Unlock()
		return nil
	}
	m.closed = true
	m.mu.Unlock()
	m.cancel()
	m.running.Wait()
	for _, p := range m.pools {
		p.closeIdle()
	}
	return libraries.drop(m.lib)
}

// enter is called before calls into the module. ctx ends with Close too; the caller calls leave when it is done.
func (m *Module) enter(ctx context.Context) (_ context.Context, leave func(), err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil, nil, ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	m.running.Add(1)
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(m.ctx, func() { cancel(ErrClosed) })
	return ctx, func() { stop(); cancel(nil); m.running.Done() }, nil
}

// library is a module in this process. Logins hold for the whole process (PKCS #11 v2.40 section 2.7), so they are kept here; what is
// known of wrong PINs stays when the module is closed, for it may be opened anew for each signature.
type library struct {
	path string
	api  cryptoki
	refs int
	ours bool // initialised by us, not by other code in this process

	mu     sync.Mutex
	logins map[identity]*login
}

// registry knows the modules that the process has loaded, by path.
type registry struct {
	mu     sync.Mutex
	loaded map[string]*library
}

var libraries = registry{loaded: map[string]*library{}}

func (r *registry) use(path string, load func(string) (cryptoki, error)) (*library, error) {
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoModule, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	lib := r.loaded[path]
	if lib == nil {
		api, err := load(path)
		if err != nil {
			return nil, err
		}
		lib = &library{path: path, api: api, logins: map[identity]*login{}}
		r.loaded[path] = lib
	}
	if lib.refs == 0 {
		err := lib.api.initialize()
		if err != nil && !is(err, p11.CKR_CRYPTOKI_ALREADY_INITIALIZED) {
			return nil, err
		}
		lib.ours = err == nil
	}
	lib.refs++
	return lib, nil
}

func (r *registry) drop(lib *library) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	lib.refs--
	if lib.refs > 0 || !lib.ours {
		return nil
	}
	if err := lib.api.finalize(); err != nil && !is(err, p11.CKR_CRYPTOKI_NOT_INITIALIZED) {
		return fmt.Errorf("closing the PKCS #11 module %s: %w", lib.path, err)
	}
	return nil
}

// text is a text of a module, which is padded with blanks, or by some with NUL, and should be UTF-8.
func text(s string) string {
	s, _, _ = strings.Cut(s, "\x00")
	return strings.ToValidUTF8(strings.TrimRight(s, " "), "\uFFFD")
}
