package pkcs11

import (
	"context"
	"errors"
	"fmt"
	"sync"

	p11 "github.com/miekg/pkcs11"
)

// pool keeps the sessions with one token. Idle ones stay open: with the last one goes the login.
type pool struct {
	m    *Module
	id   identity
	free chan struct{} // a place for each session that may be open

	mu         sync.Mutex
	slot       uint
	token      Token
	idle       []uint
	mechanisms map[uint]mechanismInfo // nil until asked
}

// pool returns the sessions with the token in s.
func (m *Module) pool(s Slot) (*pool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	id := s.Token.identity()
	if p := m.pools[id]; p != nil {
		return p, nil
	}
	i, err := m.lib.api.tokenInfo(s.ID)
	if err != nil {
		return nil, err
	}
	n := m.options.Sessions
	if n <= 0 {
		n = defaultSessions
	}
	// 0 is CK_EFFECTIVELY_INFINITE, and all ones CK_UNAVAILABLE_INFORMATION.
	if most := i.maxSessions; most != 0 && most < uint(n) {
		n = int(most)
	}
	p := &pool{m: m, id: id, slot: s.ID, token: *s.Token, free: make(chan struct{}, n)}
	m.pools[id] = p
	return p, nil
}

// acquire waits for a session and returns it with its state (CKS_...). Sessions that are no longer good are replaced.
func (p *pool) acquire(ctx context.Context) (session, state uint, err error) {
	select {
	case p.free <- struct{}{}:
	case <-ctx.Done():
		return 0, 0, context.Cause(ctx)
	}
	defer func() {
		if err != nil {
			<-p.free
		}
	}()
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.idle) > 0 {
		session, p.idle = p.idle[len(p.idle)-1], p.idle[:len(p.idle)-1]
		state, err = p.m.lib.api.sessionState(session)
		if err == nil {
			return session, state, nil
		}
		if !gone(err) {
			return 0, 0, err
		}
	}
	if err := p.locate(); err != nil {
		return 0, 0, err
	}
	session, err = p.m.lib.api.openSession(p.slot)
	if err != nil {
		return 0, 0, err
	}
	state, err = p.m.lib.api.sessionState(session)
	return session, state, err
}

// release gives a session back. One in which something failed is closed, for an operation may be left in it.
func (p *pool) release(session uint, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case err == nil:
		p.idle = append(p.idle, session)
	case is(err, p11.CKR_SESSION_HANDLE_INVALID) || is(err, p11.CKR_SESSION_CLOSED): // the others are looked at when they are used
	case gone(err): // with it, all that there are
		p.closeIdleLocked()
	default:
		_ = p.m.lib.api.closeSession(session) // it is not used again, whatever the module says
	}
	<-p.free
}

func (p *pool) closeIdle() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closeIdleLocked()
}

func (p *pool) closeIdleLocked() {
	for _, session := range p.idle {
		_ = p.m.lib.api.closeSession(session) // as in release
	}
	p.idle = nil
}

// look has the module find out whether tokens came or went: many do so only when they are asked for the list of slots (OpenSC keeps
// what else it knows for a second). Then it returns the session's state.
func (p *pool) look(session uint) (state uint, err error) {
	if _, err := p.m.lib.api.slots(); err != nil {
		return 0, err
	}
	return p.m.lib.api.sessionState(session)
}

// locate finds the slot of the token, which may have been put elsewhere.
func (p *pool) locate() error {
	if _, err := p.m.lib.api.slots(); err != nil { // as in look
		return err
	}
	i, err := p.m.lib.api.tokenInfo(p.slot)
	if err == nil && tokenOf(i).identity() == p.id {
		p.token = tokenOf(i)
		return nil
	}
	if err != nil && !errors.Is(err, ErrNoToken) && !errors.Is(err, ErrRemoved) {
		return err
	}
	slots, err := p.m.slots()
	if err != nil {
		return err
	}
	for _, s := range slots {
		if s.Token != nil && s.Token.identity() == p.id {
			p.slot, p.token = s.ID, *s.Token
			return nil
		}
	}
	return fmt.Errorf("%w: %v is in no slot", ErrRemoved, p.id)
}

// gone tells whether err says that the session is no more, by itself or with the token.
func gone(err error) bool { return errors.Is(err, ErrRemoved) }

// retry calls do with a session, and again, once, with a new one if the session turns out to be gone: the token was taken out and is
// back, or somebody closed its sessions. do says when that must not be, as after a PIN was given.
func (p *pool) retry(ctx context.Context, do func(session, state uint) (final bool, err error)) error {
	for first := true; ; first = false {
		session, state, err := p.acquire(ctx)
		if err != nil {
			return err
		}
		final, err := do(session, state)
		p.release(session, err)
		if err == nil || final || !first || !gone(err) {
			return err
		}
	}
}

// mechanism tells whether the token has a mechanism for signing, and with keys of which sizes.
func (p *pool) mechanism(id uint) (mechanismInfo, bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.mechanisms == nil {
		if err := p.locate(); err != nil {
			return mechanismInfo{}, false, err
		}
		ids, err := p.m.lib.api.mechanisms(p.slot)
		if err != nil {
			return mechanismInfo{}, false, err
		}
		known := map[uint]mechanismInfo{}
		for _, id := range ids {
			if !usable(id) {
				continue
			}
			i, err := p.m.lib.api.mechanismInfo(p.slot, id)
			if err != nil {
				return mechanismInfo{}, false, err
			}
			if i.flags&p11.CKF_SIGN != 0 {
				known[id] = i
			}
		}
		p.mechanisms = known
	}
	i, ok := p.mechanisms[id]
	return i, ok, nil
}

// loggedIn tells whether the state of a session is one in which private keys are seen.
func loggedIn(state uint) bool {
	return state == p11.CKS_RO_USER_FUNCTIONS || state == p11.CKS_RW_USER_FUNCTIONS
}
