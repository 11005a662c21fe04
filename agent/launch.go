package agent

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"slices"
	"sync"
	"time"
)

// How many launch codes wait for their page, and sessions for their next
// request, at most; the oldest make room.
const (
	maxCodes    = 16
	maxSessions = 64
)

// launches are the codes that open a session for one of the agent's own pages,
// and the sessions. They live in memory: none outlives the agent. Secrets are
// compared by their hashes, in constant time.
type launches struct {
	limits Limits
	now    func() time.Time

	mu       sync.Mutex
	codes    []secret
	sessions []*session
}

type secret struct {
	hash    [sha256.Size]byte
	expires time.Time
}

func (s secret) is(text string) bool {
	h := sha256.Sum256([]byte(text))
	return subtle.ConstantTimeCompare(h[:], s.hash[:]) == 1
}

// session is what makes a connection from the agent's own origin the user's page.
type session struct {
	mu sync.Mutex
	secret
}

func newLaunches(l Limits, now func() time.Time) *launches { return &launches{limits: l, now: now} }

func newSecret(now time.Time, life time.Duration) (string, secret) {
	b := make([]byte, 32)
	rand.Read(b)
	text := base64.RawURLEncoding.EncodeToString(b)
	return text, secret{sha256.Sum256([]byte(text)), now.Add(life)}
}

// code makes a launch code.
func (l *launches) code() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sweep()
	text, s := newSecret(l.now(), l.limits.LaunchCode)
	if len(l.codes) == maxCodes {
		l.codes = slices.Delete(l.codes, 0, 1)
	}
	l.codes = append(l.codes, s)
	return text
}

// redeem turns a launch code, once, into a session and its token. nil: it is no
// code, or no longer one.
func (l *launches) redeem(code string) (*session, string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sweep()
	found := -1
	for i, s := range l.codes {
		if s.is(code) {
			found = i
		}
	}
	if found < 0 {
		return nil, ""
	}
	l.codes = slices.Delete(l.codes, found, found+1)
	token, s := newSecret(l.now(), l.limits.SessionIdle)
	if len(l.sessions) == maxSessions {
		l.sessions = slices.Delete(l.sessions, 0, 1)
	}
	n := &session{secret: s}
	l.sessions = append(l.sessions, n)
	return n, token
}

// resume is the session of a token; nil: there is none.
func (l *launches) resume(token string) *session {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sweep()
	var found *session
	for _, s := range l.sessions {
		if s.is(token) {
			found = s
		}
	}
	if found != nil {
		l.used(found)
	}
	return found
}

// sweep forgets what is over. The caller has the lock.
func (l *launches) sweep() {
	now := l.now()
	l.codes = slices.DeleteFunc(l.codes, func(s secret) bool { return !now.Before(s.expires) })
	l.sessions = slices.DeleteFunc(l.sessions, func(s *session) bool { return l.left(s) <= 0 })
}

// used begins the session's idle time again.
func (l *launches) used(s *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expires = l.now().Add(l.limits.SessionIdle)
}

// left is how long the session has still to go.
func (l *launches) left(s *session) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.expires.Sub(l.now())
}
