package pkcs11

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"

	p11 "github.com/miekg/pkcs11"
)

// login is what the process knows of the PIN of a token, never the PIN.
type login struct {
	turn chan struct{} // one dialog at a time

	mu    sync.Mutex
	wrong bool // the last PIN given was wrong
	// refused is the keyed hash of a PIN from a file that was wrong: it is not tried again until the file says otherwise.
	refused []byte
}

// take waits for the turn to ask.
func (l *login) take(ctx context.Context) error {
	select {
	case l.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (l *login) yield() { <-l.turn }

// state returns what is known of the last PIN.
func (l *login) state() (wrong bool, refused []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.wrong, l.refused
}

func (l *login) learn(wrong bool, refused []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wrong, l.refused = wrong, refused
}

var hashKey = func() []byte {
	key := make([]byte, sha256.Size)
	_, _ = rand.Read(key) // it never fails
	return key
}()

// fingerprint is a hash of a PIN that is good in this process alone.
func fingerprint(s Secret) ([]byte, error) {
	mac := hmac.New(sha256.New, hashKey)
	err := s.Reveal(func(b []byte) error { mac.Write(b); return nil })
	return mac.Sum(nil), err
}

func (l *library) loginOf(id identity) *login {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.logins[id] == nil {
		l.logins[id] = &login{turn: make(chan struct{}, 1)}
	}
	return l.logins[id]
}

// wipe wipes a secret that may be nil.
func wipe(s Secret) {
	if s != nil {
		s.Wipe()
	}
}

// pinError marks an error of asking for or presenting a PIN: after it nothing is done again by itself.
type pinError struct{ error }

func (e pinError) Unwrap() error { return e.error }

// prompter asks for the PINs of one key or list.
type prompter struct {
	pool   *pool
	source string // pin-source of the URI, or empty
	about  PINRequest
}

// logIn logs the user in, unless another has done so meanwhile. It returns the PIN that was right, for the caller to wipe; nil if
// none was needed or it was typed on the token's own keys.
func (a prompter) logIn(ctx context.Context, session uint) (Secret, error) {
	l := a.pool.m.lib.loginOf(a.pool.id)
	if err := l.take(ctx); err != nil {
		return nil, pinError{err}
	}
	defer l.yield()
	state, err := a.pool.look(session)
	if err != nil {
		return nil, err // nothing was asked yet: may be done again
	}
	if loggedIn(state) {
		return nil, nil
	}
	given, err := a.obtain(ctx, l, false)
	if err == nil {
		err = a.present(ctx, l, session, p11.CKU_USER, given)
	}
	if err != nil {
		wipe(given)
		return nil, pinError{err}
	}
	return given, nil
}

// ask gets the PIN for one signature with a key that wants it each time, before anything is begun on the token. Nil: it will be typed
// on the token's own keys.
func (a prompter) ask(ctx context.Context, session uint) (Secret, error) {
	l := a.pool.m.lib.loginOf(a.pool.id)
	if err := l.take(ctx); err != nil {
		return nil, pinError{err}
	}
	defer l.yield()
	if _, err := a.pool.look(session); err != nil {
		return nil, err
	}
	given, err := a.obtain(ctx, l, true)
	if err != nil {
		return nil, pinError{err}
	}
	return given, nil
}

// again presents the PIN for one signature (CKU_CONTEXT_SPECIFIC, PKCS #11 v2.40 section 5.6).
func (a prompter) again(ctx context.Context, session uint, given Secret) error {
	l := a.pool.m.lib.loginOf(a.pool.id)
	if err := a.present(ctx, l, session, p11.CKU_CONTEXT_SPECIFIC, given); err != nil {
		return pinError{err}
	}
	return nil
}

// obtain gets a PIN from the file or from the user. It fails, without a try spent, when the PIN is blocked or cannot be right.
func (a prompter) obtain(ctx context.Context, l *login, eachTime bool) (Secret, error) {
	i, err := a.pool.m.lib.api.tokenInfo(a.pool.slotNow())
	if err != nil {
		return nil, err
	}
	req, refused := a.about, []byte(nil)
	req.Token, req.Tries, req.EachTime = tokenOf(i), triesOf(i.flags), eachTime
	req.Wrong, refused = l.state()
	if i.maxPIN > 0 && i.maxPIN <= maxPIN && i.minPIN <= i.maxPIN { // others are not told, or not true
		req.MinLen, req.MaxLen = int(i.minPIN), int(i.maxPIN)
	}
	if req.Tries.Blocked {
		return nil, fmt.Errorf("%v: %w", a.pool.id, ErrPINBlocked)
	}
	if req.Token.Pinpad {
		return nil, nil
	}
	var given Secret
	switch {
	case a.source != "":
		if given, err = readPINSource(a.source); err != nil {
			return nil, err
		}
		if print, err := fingerprint(given); err != nil || hmac.Equal(print, refused) {
			given.Wipe()
			return nil, errors.Join(err, fmt.Errorf("%w: the file of pin-source still has the one that %v refused; it was not tried again", ErrPINWrong, a.pool.id))
		}
	case a.pool.m.options.PIN != nil:
		if given, err = a.pool.m.options.PIN(ctx, req); err != nil {
			return nil, fmt.Errorf("asking for the PIN of %v: %w", a.pool.id, err)
		}
	}
	if given == nil {
		return nil, fmt.Errorf("%v: %w", a.pool.id, ErrNoPIN)
	}
	err = given.Reveal(func(b []byte) error {
		if n := len(b); n == 0 || n > maxPIN || req.MaxLen > 0 && (n < req.MinLen || n > req.MaxLen) {
			return fmt.Errorf("%v: %w", a.pool.id, ErrPINFormat)
		}
		return nil
	})
	if err != nil {
		given.Wipe()
		return nil, err
	}
	return given, nil
}

// present calls C_Login, once.
func (a prompter) present(ctx context.Context, l *login, session, user uint, given Secret) error {
	api := a.pool.m.lib.api
	var err error
	if given == nil {
		done := a.notify(ctx)
		err = api.login(session, user, nil)
		done()
	} else {
		err = given.Reveal(func(b []byte) error { return api.login(session, user, b) })
	}
	switch {
	case err == nil, user == p11.CKU_USER && is(err, p11.CKR_USER_ALREADY_LOGGED_IN):
		l.learn(false, nil)
		return nil
	case errors.Is(err, ErrPINWrong) || errors.Is(err, ErrPINBlocked):
		var print []byte
		if a.source != "" && given != nil {
			print, _ = fingerprint(given) // it has just been revealed
		}
		l.learn(errors.Is(err, ErrPINWrong), print)
		refusal := &PINError{Err: err}
		if i, err := api.tokenInfo(a.pool.slotNow()); err == nil {
			refusal.Tries = triesOf(i.flags)
		}
		return fmt.Errorf("%v: %w", a.pool.id, refusal)
	}
	return fmt.Errorf("%v: %w", a.pool.id, err)
}

// notify has the user told that the PIN is typed on the token's own keys, until done is called.
func (a prompter) notify(ctx context.Context) (done func()) {
	tell := a.pool.m.options.Pinpad
	if tell == nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	req := a.about
	req.Token = a.pool.tokenNow()
	req.Tries = req.Token.Tries
	go func() {
		defer close(ended)
		tell(ctx, req)
	}()
	return func() { cancel(); <-ended }
}

func (p *pool) slotNow() uint {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.slot
}

func (p *pool) tokenNow() Token {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.token
}
