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
	// refused are, by type of user (CKU_...), keyed hashes of PINs from files that were wrong. Such a one is not tried again until the
	// file says otherwise, or another PIN was right.
	refused map[uint][]byte
	// apart says that the PIN of the user was refused for a signature: the token has another for that.
	apart bool
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

// lastWrong tells whether the last PIN given was wrong.
func (l *login) lastWrong() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.wrong
}

// twoPINs tells whether the token has a PIN for signatures that is not the user's.
func (l *login) twoPINs() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.apart
}

// wasRefused tells whether a PIN with that hash was wrong: for any type of user, unless the token is known to have two PINs.
func (l *login) wasRefused(user uint, print []byte) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for other, known := range l.refused {
		if hmac.Equal(known, print) && (other == user || !l.apart) {
			return true
		}
	}
	return false
}

// right is called when a PIN was right.
func (l *login) right(user uint) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wrong = false
	delete(l.refused, user)
}

// refuse is called when a PIN was refused. print is its hash if it is from a file; reused says that it was right for the user.
func (l *login) refuse(user uint, wrong, reused bool, print []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wrong, l.apart = wrong && !reused, l.apart || reused
	if print != nil {
		l.refused[user] = print
	}
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
		l.logins[id] = &login{turn: make(chan struct{}, 1), refused: map[uint][]byte{}}
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
	given, err := a.obtain(ctx, l, p11.CKU_USER)
	if err == nil {
		err = a.present(ctx, l, attempt{session: session, user: p11.CKU_USER, pin: given})
	}
	if err != nil {
		wipe(given)
		return nil, pinError{err}
	}
	return given, nil
}

// confirm gets and presents the PIN for one signature (CKU_CONTEXT_SPECIFIC, PKCS #11 v2.40 section 5.6), which begin begins on the
// token in between. known is the PIN of a login just made, or nil. Others wait from the question to the token's answer, so that they
// know of it before they try the same PIN. final is as for Key.signIn.
func (a prompter) confirm(ctx context.Context, session uint, known Secret, begin func() error) (final bool, err error) {
	l := a.pool.m.lib.loginOf(a.pool.id)
	if err := l.take(ctx); err != nil {
		return true, err
	}
	defer l.yield()
	if _, err := a.pool.look(session); err != nil {
		return false, err // as in logIn
	}
	try := attempt{session: session, user: p11.CKU_CONTEXT_SPECIFIC, pin: known, reused: known != nil}
	if known == nil || l.twoPINs() {
		given, err := a.obtain(ctx, l, try.user)
		if err != nil {
			return true, err
		}
		defer wipe(given)
		try.pin, try.reused = given, false
	} else if err := a.unrefused(l, try.user, known); err != nil {
		return true, err
	}
	if ctx.Err() != nil {
		return true, context.Cause(ctx)
	}
	if err := begin(); err != nil {
		return false, err
	}
	return true, a.present(ctx, l, try)
}

// unrefused fails for the PIN of a file that was wrong already.
func (a prompter) unrefused(l *login, user uint, given Secret) error {
	if a.source == "" {
		return nil
	}
	print, err := fingerprint(given)
	if err == nil && l.wasRefused(user, print) {
		err = fmt.Errorf("%w: the file of pin-source still has the one that %v refused; it was not tried again", ErrPINWrong, a.pool.id)
	}
	return err
}

// obtain gets a PIN from the file or from the user. It fails, without a try spent, when the PIN is blocked or cannot be right. Nil: it
// will be typed on the token's own keys.
func (a prompter) obtain(ctx context.Context, l *login, user uint) (Secret, error) {
	i, err := a.pool.m.lib.api.tokenInfo(a.pool.slotNow())
	if err != nil {
		return nil, err
	}
	req := a.about
	req.Token, req.Tries, req.EachTime, req.Wrong = tokenOf(i), triesOf(i.flags), user == p11.CKU_CONTEXT_SPECIFIC, l.lastWrong()
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
		if err := a.unrefused(l, user, given); err != nil {
			given.Wipe()
			return nil, err
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

// attempt is one call of C_Login.
type attempt struct {
	session, user uint
	pin           Secret // nil: typed on the token's own keys
	reused        bool   // it was right for the user
}

// present calls C_Login, once.
func (a prompter) present(ctx context.Context, l *login, try attempt) error {
	api := a.pool.m.lib.api
	var err error
	if try.pin == nil {
		done := a.notify(ctx)
		err = api.login(try.session, try.user, nil)
		done()
	} else {
		err = try.pin.Reveal(func(b []byte) error { return api.login(try.session, try.user, b) })
	}
	switch {
	case err == nil, try.user == p11.CKU_USER && is(err, p11.CKR_USER_ALREADY_LOGGED_IN):
		l.right(try.user)
		return nil
	case errors.Is(err, ErrPINWrong) || errors.Is(err, ErrPINBlocked):
		var print []byte
		if a.source != "" && try.pin != nil {
			print, _ = fingerprint(try.pin) // it has just been revealed
		}
		l.refuse(try.user, errors.Is(err, ErrPINWrong), try.reused, print)
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
