package access

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/eidkit/eidkit/internal/sysfile"
)

// Options say where things are. StateDir must be given.
type Options struct {
	PolicyPath string           // empty: PolicyPath()
	StateDir   string           // of the user, for grants, pairings and their key; made when missing
	Developer  bool             // http origins of this machine are taken too
	OwnerUID   int              // a user who may own the policy beside root, for tests; 0: nobody
	Now        func() time.Time // nil: time.Now
	Log        *slog.Logger     // nil: nothing is logged
}

// Authority decides. It is safe for concurrent use.
type Authority struct {
	dir, policyPath string
	developer       bool
	owner           int
	now             func() time.Time
	log             *slog.Logger
	every           time.Duration // of Watch
	lockWait        time.Duration // for others who change the grants
	rates           rates
	mutes           mutes

	mu          sync.Mutex // below: what was read last
	policy      *policy    // in force; nil: none was ever good
	policyStamp stamp
	policyErr   error
	granted     *grantsFile // in force; nil: refused
	grantsStamp stamp
	grantsErr   error
}

// Settings are what the policy says beside who may do what.
type Settings struct {
	Pinentry      string            // path of the dialog program; empty: the system's
	Roles         map[string]string // names of readers, or parts of them, to their roles
	IgnoreReaders []string          // names of readers, or parts of them, that are passed over
	SignHash      bool              // sign.hash is there at all
	Launch        bool              // the agent's own pages may be opened
	Syslog        bool              // heads of the audit log go to the system's log
	DPOKey        string            // age recipient to which national numbers are sealed; empty: HMAC
	AuditMaxBytes int64             // size at which a file of the audit log is full; 0: the default
}

// Open reads policy and grants. A policy that is refused is no error of Open:
// nothing but the agent's own log is allowed until it is mended, and PolicyError
// says what is wrong. No policy at all means that users are asked. Errors are
// those of the state folder.
func Open(o Options) (*Authority, error) {
	a := &Authority{dir: o.StateDir, policyPath: o.PolicyPath, developer: o.Developer, owner: o.OwnerUID, now: o.Now, log: o.Log, every: watchEvery, lockWait: lockWait}
	if a.policyPath == "" {
		a.policyPath = PolicyPath()
	}
	if a.now == nil {
		a.now = time.Now
	}
	if a.log == nil {
		a.log = slog.New(slog.DiscardHandler)
	}
	if a.dir == "" {
		return nil, errors.New("access: no state folder")
	}
	if err := os.MkdirAll(a.dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the state folder: %w", err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.reloadPolicy()
	a.reloadGrants()
	return a, nil
}

// snapshot is what one decision is made by.
type snapshot struct {
	policy *policy
	given  *grantsFile
	now    time.Time
}

// current looks whether policy or grants have changed, and reads what has. The
// cost is two stats; there is no moment at which a decision is made by half a file.
func (a *Authority) current() snapshot {
	a.mu.Lock()
	defer a.mu.Unlock()
	if st := stampOf(a.policyPath); !st.same(a.policyStamp) {
		a.reloadPolicy()
	}
	if st := stampOf(filepath.Join(a.dir, grantsName)); !st.same(a.grantsStamp) {
		a.reloadGrants()
	}
	return snapshot{policy: a.policy, given: a.granted, now: a.now()}
}

// Reload reads policy and grants again whether they have changed or not. The
// error is that of PolicyError or GrantsError.
func (a *Authority) Reload() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.reloadPolicy()
	a.reloadGrants()
	return errors.Join(a.policyErr, a.grantsErr)
}

// watchEvery is how often Watch looks.
const watchEvery = 2 * time.Second

// Watch looks every two seconds until ctx ends, so that a bad policy is logged
// before somebody needs it. Connect and Decide look by themselves.
func (a *Authority) Watch(ctx context.Context) {
	tick := time.NewTicker(a.every)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			a.current()
		case <-ctx.Done():
			return
		}
	}
}

// reloadPolicy reads the policy; a bad one leaves that in force which was.
func (a *Authority) reloadPolicy() {
	st := stampOf(a.policyPath)
	p, err := a.readPolicy()
	a.policyStamp = st.read()
	if !stampOf(a.policyPath).same(st) {
		a.policyStamp = stamp{} // it changed meanwhile: the next decision reads it again
		if a.policy != nil {
			return
		}
	}
	switch {
	case err != nil && (a.policyErr == nil || a.policyErr.Error() != err.Error()):
		a.log.Error("the policy is refused", "path", a.policyPath, "error", err, "earlier", a.policy != nil)
	case err == nil && a.policyErr != nil:
		a.log.Info("the policy is good again", "path", a.policyPath)
	}
	if a.policyErr = err; err == nil {
		a.policy = p
	}
}

func (a *Authority) readPolicy() (*policy, error) {
	b, err := readTrusted(a.policyPath, a.owner, maxPolicy+1)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		b = nil // users decide
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrPolicy, err)
	}
	p, err := parsePolicy(b, a.developer)
	if err != nil {
		return nil, err
	}
	if program := p.settings.Pinentry; program != "" {
		if _, err := sysfile.File(program, a.owner); err != nil {
			return nil, fmt.Errorf("%w: dialogs.pinentry: %w", ErrPolicy, err)
		}
	}
	return p, nil
}

// reloadGrants reads the grants; a file that was changed from outside leaves none in force.
func (a *Authority) reloadGrants() {
	path := filepath.Join(a.dir, grantsName)
	st := stampOf(path)
	g, err := a.readGrants(path)
	a.grantsStamp = st.read()
	switch {
	case err != nil && (a.grantsErr == nil || a.grantsErr.Error() != err.Error()):
		a.log.Error("the grants are refused", "path", path, "error", err)
	case err == nil && a.grantsErr != nil:
		a.log.Info("the grants are good again", "path", path)
	}
	a.granted, a.grantsErr = g, err
}

func (a *Authority) readGrants(path string) (*grantsFile, error) {
	b, err := readPrivate(path, maxGrantsFile+1)
	if errors.Is(err, fs.ErrNotExist) {
		return &grantsFile{Schema: 1}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrGrants, err)
	}
	key, err := readKey(a.dir)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrGrants, err)
	}
	return parseGrants(b, key)
}

// PolicyError is what is wrong with the policy file, ErrPolicy with line and
// reason; nil: nothing. An earlier good policy stays in force meanwhile.
func (a *Authority) PolicyError() error {
	a.current()
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.policyErr
}

// GrantsError is ErrGrants when the file of grants was changed from outside: no
// grant and no pairing is in force then, until ResetGrants.
func (a *Authority) GrantsError() error {
	a.current()
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.grantsErr
}

// Settings are those of the policy in force; the safest ones when none ever was good.
func (a *Authority) Settings() Settings {
	if s := a.current(); s.policy != nil {
		return s.policy.settings
	}
	return Settings{}
}
