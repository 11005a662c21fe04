package weblogin

import (
	"container/list"
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"sync"
	"time"
)

// Lengths of a nonce's text, as the Web eID application takes it.
const (
	minNonce = 44
	maxNonce = 128
)

// NewNonce returns 32 random bytes in Base64: 44 characters.
func NewNonce() string {
	b := make([]byte, 32)
	rand.Read(b) // never fails: crypto/rand ends the program instead
	return base64.StdEncoding.EncodeToString(b)
}

// checkNonce refuses what no site should have given out.
func checkNonce(nonce string) error {
	if len(nonce) < minNonce || len(nonce) > maxNonce {
		return fmt.Errorf("%w: %d characters", ErrNonce, len(nonce))
	}
	return nil
}

// NonceStore remembers which nonce was given to which browser session, for
// some minutes. Implementations are safe for concurrent use. MemoryNonces is
// one for a single server; several servers need one they share.
type NonceStore interface {
	// Put keeps the nonce of a session, in place of an earlier one.
	Put(ctx context.Context, session, nonce string) error
	// Take returns the session's nonce and forgets it in the same step: of two
	// calls at one time only one gets it. It returns ErrNonce (wrapped or not)
	// if there is none or if it is too old.
	Take(ctx context.Context, session string) (nonce string, err error)
}

// Challenge gives a new nonce to a session and returns it for the page, which
// hands it to the browser extension. session is the caller's own name for the
// browser session, hard to guess, from a cookie that is Secure and HttpOnly.
func Challenge(ctx context.Context, store NonceStore, session string) (string, error) {
	if session == "" {
		return "", fmt.Errorf("giving out a nonce: %w: no session", ErrOptions)
	}
	nonce := NewNonce()
	if err := store.Put(ctx, session, nonce); err != nil {
		return "", fmt.Errorf("giving out a nonce: %w", err)
	}
	return nonce, nil
}

// Bounds of MemoryNonces where the caller sets none.
const (
	defaultLifetime = 5 * time.Minute
	defaultNonces   = 100_000
	maxSession      = 256 // bytes
)

// MemoryNonces is a NonceStore in memory. The zero value is ready to use; the
// fields must not be changed once it is in use.
type MemoryNonces struct {
	// Lifetime of a nonce; zero means 5 minutes.
	Lifetime time.Duration
	// Max is how many sessions are remembered, zero 100,000 (some 20 MB).
	// When there are more, the oldest are forgotten: their users begin anew.
	Max int
	// Now is the clock; nil means time.Now.
	Now func() time.Time

	mu       sync.Mutex
	sessions map[string]*list.Element
	order    list.List // of memoryNonce, oldest first
}

type memoryNonce struct {
	session, nonce string
	expires        time.Time
}

// Put keeps a nonce. It fails for a session name that is empty or longer than
// 256 bytes.
func (m *MemoryNonces) Put(_ context.Context, session, nonce string) error {
	if session == "" || len(session) > maxSession {
		return fmt.Errorf("%w: session name of %d bytes", ErrOptions, len(session))
	}
	lifetime, most := m.Lifetime, m.Max
	if lifetime <= 0 {
		lifetime = defaultLifetime
	}
	if most <= 0 {
		most = defaultNonces
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.sessions == nil {
		m.sessions = map[string]*list.Element{}
	}
	now := m.now()
	m.forget(session)
	for e := m.order.Front(); e != nil; e = m.order.Front() {
		old := e.Value.(memoryNonce)
		if m.order.Len() < most && now.Before(old.expires) {
			break
		}
		m.forget(old.session)
	}
	m.sessions[session] = m.order.PushBack(memoryNonce{session, nonce, now.Add(lifetime)})
	return nil
}

// Take returns a session's nonce once.
func (m *MemoryNonces) Take(_ context.Context, session string) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.sessions[session]
	if e == nil {
		return "", ErrNonce
	}
	found := e.Value.(memoryNonce)
	m.forget(session)
	if !m.now().Before(found.expires) {
		return "", fmt.Errorf("%w: expired", ErrNonce)
	}
	return found.nonce, nil
}

func (m *MemoryNonces) forget(session string) {
	if e := m.sessions[session]; e != nil {
		m.order.Remove(e)
		delete(m.sessions, session)
	}
}

func (m *MemoryNonces) now() time.Time {
	if m.Now != nil {
		return m.Now()
	}
	return time.Now()
}
