package reading

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"sync"

	"github.com/eidkit/eidkit/card"
	"github.com/eidkit/eidkit/card/beid"
	"github.com/eidkit/eidkit/verify/carddata"
)

// Memory is what is remembered of one card for as long as it stays in its
// reader: files, and the chip's proof that it is no copy. Nothing goes to disk.
// Whoever sees the card leave drops it. Safe for concurrent use; a nil *Memory
// remembers nothing.
type Memory struct {
	cache beid.Cache

	mu                  sync.Mutex
	question, signature []byte // a challenge that the chip answered rightly
}

// NewMemory is an empty one.
func NewMemory() *Memory {
	return &Memory{cache: beid.Cache{Verify: func(f beid.Files) bool {
		return carddata.Verify(f, carddata.Options{}).Address.Status == carddata.Held
	}}}
}

// Cache is what beid.OpenWith takes the files from that are remembered; nil of a
// nil Memory.
func (m *Memory) Cache() *beid.Cache {
	if m == nil {
		return nil
	}
	return &m.cache
}

func (m *Memory) keep(c *beid.Card) {
	if m != nil {
		m.cache.Keep(c)
	}
}

func (m *Memory) keepProof(question, signature []byte) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.question, m.signature = bytes.Clone(question), bytes.Clone(signature)
}

// challenge is a fresh challenge and the chip's answer to it, or those that were
// remembered. The answer is nil when the card gives none.
func (m *Memory) challenge(ctx context.Context, c *beid.Card) (question, signature []byte, err error) {
	if m != nil {
		m.mu.Lock()
		question, signature = m.question, m.signature
		m.mu.Unlock()
	}
	if len(signature) > 0 {
		return question, signature, nil
	}
	question = make([]byte, 48)
	rand.Read(question)
	signature, err = c.Challenge(ctx, question)
	if err != nil && (errors.Is(err, card.ErrUnsupported) || isStatus(err)) {
		return question, nil, nil
	}
	return question, signature, err
}
