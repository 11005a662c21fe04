package access

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/eidkit/eidkit/internal/atomicfile"
)

// lockWait is how long a change of the grants waits for others, which take a trip to the disk each.
const lockWait = 5 * time.Second

// change reads the file of grants afresh, has it changed and writes it, while no
// other program does.
func (a *Authority) change(f func(*grantsFile) error) error {
	ctx, stop := context.WithTimeout(context.Background(), a.lockWait)
	defer stop()
	unlock, err := atomicfile.Lock(ctx, filepath.Join(a.dir, lockName))
	if err != nil {
		return fmt.Errorf("locking the grants: %w", err)
	}
	defer unlock()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.reloadGrants()
	if a.grantsErr != nil {
		return a.grantsErr
	}
	next := grantsFile{Schema: 1, Pairings: slices.Clone(a.granted.Pairings)}
	for _, g := range a.granted.Grants {
		if !g.expired(a.now()) {
			next.Grants = append(next.Grants, g)
		}
	}
	if err := f(&next); err != nil {
		return err
	}
	key, err := makeKey(a.dir)
	if err != nil {
		return fmt.Errorf("the key of the grants: %w", err)
	}
	out, err := next.encode(key)
	if err != nil {
		return fmt.Errorf("writing the grants: %w", err)
	}
	if err := atomicfile.Write(filepath.Join(a.dir, grantsName), out); err != nil {
		return fmt.Errorf("writing the grants: %w", err)
	}
	a.reloadGrants()
	return a.grantsErr
}

// Remember keeps an "always" of the user until that time; zero: for ever. It takes
// only what Decide has said may be remembered. Errors: ErrNever, ErrGrants, ErrFull.
func (a *Authority) Remember(r Request, until time.Time) (Grant, error) {
	if s := a.current(); s.policy == nil || !s.mayRemember(r) || a.Decide(r).Verdict == Refuse {
		return Grant{}, ErrNever
	}
	g := grantFor(r, a.now(), until)
	err := a.change(func(f *grantsFile) error {
		f.Grants = slices.DeleteFunc(f.Grants, g.sameAs)
		if len(f.Grants) >= maxGrants {
			return ErrFull
		}
		f.Grants = append(f.Grants, g)
		return nil
	})
	if err != nil {
		return Grant{}, err
	}
	a.mutes.forget(r.Client)
	return g, nil
}

// mayRemember tells whether "always" can be an answer.
func (s snapshot) mayRemember(r Request) bool {
	return r.Client.key() != "" && s.given != nil && (s.policy.Grants == nil || *s.policy.Grants) && slices.Contains(rememberable, r.Operation) &&
		!r.NISS && !wantsPhoto(r) && len(r.Purpose) <= maxWords && len(r.Reader) <= maxWords && len(r.Role) <= maxWords
}

// Grants are those in force.
func (a *Authority) Grants() []Grant {
	s := a.current()
	if s.given == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(s.given.Grants), func(g Grant) bool { return g.expired(s.now) })
}

// Revoke takes a grant back, at once. Errors: ErrUnknown, ErrGrants.
func (a *Authority) Revoke(id string) error {
	return a.change(func(f *grantsFile) error {
		before := len(f.Grants)
		if f.Grants = slices.DeleteFunc(f.Grants, func(g Grant) bool { return g.ID == id }); len(f.Grants) == before {
			return ErrUnknown
		}
		return nil
	})
}

// Pair gives a program a token, 32 random bytes in base64url, of which the hash
// is kept. The user has been asked before; the policy is asked here once more.
// Errors: ErrPairing, ErrGrants, ErrFull.
func (a *Authority) Pair(name, executable string, ops []Operation) (token string, p Pairing, err error) {
	ops = slices.Compact(slices.Sorted(slices.Values(ops)))
	switch {
	case !goodName(name):
		return "", Pairing{}, fmt.Errorf("%w: a name has at most %d letters, digits, spaces and simple punctuation", ErrPairing, maxName)
	case len(ops) == 0 || slices.ContainsFunc(ops, func(o Operation) bool { return !slices.Contains(paired, o) }):
		return "", Pairing{}, fmt.Errorf("%w: it can have %v, nothing else", ErrPairing, paired)
	case len(executable) > 4096:
		return "", Pairing{}, fmt.Errorf("%w: the path of its executable is too long", ErrPairing)
	}
	s := a.current()
	if s.policy == nil {
		return "", Pairing{}, fmt.Errorf("%w: %w", ErrPairing, ErrPolicy)
	}
	if d := s.mayPair(name, executable); d.Verdict == Refuse {
		return "", Pairing{}, fmt.Errorf("%w: %s", ErrPairing, d.Why)
	}
	token, hash := newToken()
	p = Pairing{ID: newID("p"), Name: name, Executable: executable, Operations: ops, Created: a.now().UTC().Truncate(time.Second), Token: hash}
	err = a.change(func(f *grantsFile) error {
		if len(f.Pairings) >= maxPairings {
			return ErrFull
		}
		f.Pairings = append(f.Pairings, p)
		return nil
	})
	if err != nil {
		return "", Pairing{}, err
	}
	return token, p, nil
}

// Paired finds the pairing of a token.
func (a *Authority) Paired(token string) (found Pairing, ok bool) {
	hash := []byte(hashToken(token))
	for _, p := range a.Pairings() {
		if subtle.ConstantTimeCompare(hash, []byte(p.Token)) == 1 {
			found, ok = p, true
		}
	}
	return found, ok
}

// Pairings are those in force.
func (a *Authority) Pairings() []Pairing {
	if s := a.current(); s.given != nil {
		return slices.Clone(s.given.Pairings)
	}
	return nil
}

// Unpair takes a program's token back, at once, and the grants it has. Errors:
// ErrUnknown, ErrGrants.
func (a *Authority) Unpair(id string) error {
	return a.change(func(f *grantsFile) error {
		before := len(f.Pairings)
		if f.Pairings = slices.DeleteFunc(f.Pairings, func(p Pairing) bool { return p.ID == id }); len(f.Pairings) == before {
			return ErrUnknown
		}
		f.Grants = slices.DeleteFunc(f.Grants, func(g Grant) bool { return g.Client == pairingPrefix+id })
		return nil
	})
}

// ResetGrants puts a file of grants that was refused aside, as grants.toml.refused,
// and begins an empty one with a new key. It does nothing to a file that is right.
func (a *Authority) ResetGrants() error {
	if a.GrantsError() == nil {
		return nil
	}
	ctx, stop := context.WithTimeout(context.Background(), a.lockWait)
	defer stop()
	unlock, err := atomicfile.Lock(ctx, filepath.Join(a.dir, lockName))
	if err != nil {
		return fmt.Errorf("locking the grants: %w", err)
	}
	defer unlock()
	path := filepath.Join(a.dir, grantsName)
	if err := os.Rename(path, path+".refused"); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("putting the grants aside: %w", err)
	}
	if err := os.Remove(filepath.Join(a.dir, keyName)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("removing the key of the grants: %w", err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.reloadGrants()
	return a.grantsErr
}
