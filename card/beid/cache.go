package beid

import (
	"bytes"
	"context"
	"sync"
)

// Cache keeps in memory what was read from cards, by chip serial, for the next time the same card is put in. Nothing goes to
// disk. Safe for concurrent use; a nil *Cache keeps nothing.
//
// Only what a card cannot change without new signatures is kept: identity and photo, and the address with its signatures and the
// national register's certificate. The latter are used only if Verify accepts them together with an address signature read
// afresh. The holder's certificates, which may be renewed, are always read.
type Cache struct {
	// Verify says whether the address signature holds over the address, in files that hold Address, IdentitySignature,
	// AddressSignature and RRN. Without it cached addresses are never used.
	Verify func(Files) bool

	mu    sync.Mutex
	cards map[[16]byte]*cachedCard
}

type cachedCard struct {
	files   Files
	lengths map[FileID]int
}

// cacheState says whether this card's cached address has been checked against the card.
type cacheState int

const (
	unchecked cacheState = iota
	accepted
	refused
)

// maxCachedCards bounds the memory: about 10 KB a card.
const maxCachedCards = 64

// Forget drops what is kept of all cards: for the end of a session.
func (k *Cache) Forget() {
	if k == nil {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.cards = nil
}

// Keep stores what was read of c for the next time. Call it with data that were checked.
func (k *Cache) Keep(c *Card) {
	if k == nil {
		return
	}
	c.mu.Lock()
	f := c.filesLocked()
	c.mu.Unlock()
	k.mu.Lock()
	defer k.mu.Unlock()
	kept := &k.cardLocked(c.data.Serial).files
	for _, part := range []struct {
		kept *[]byte
		read []byte
	}{{&kept.Identity, f.Identity}, {&kept.Photo, f.Photo}, {&kept.Address, f.Address}, {&kept.RRN, f.RRN},
		{&kept.IdentitySignature, f.IdentitySignature}, {&kept.AddressSignature, f.AddressSignature}} {
		if len(part.read) > 0 { // what was not read this time stays as it was
			*part.kept = bytes.Clone(part.read)
		}
	}
}

// cardLocked returns the entry of a card, making it, and room for it, if need be.
func (k *Cache) cardLocked(serial [16]byte) *cachedCard {
	if k.cards == nil {
		k.cards = map[[16]byte]*cachedCard{}
	}
	e := k.cards[serial]
	if e == nil {
		for other := range k.cards {
			if len(k.cards) < maxCachedCards {
				break
			}
			delete(k.cards, other)
		}
		e = &cachedCard{lengths: map[FileID]int{}}
		k.cards[serial] = e
	}
	return e
}

func (k *Cache) length(serial [16]byte, id FileID) (int, bool) {
	if k == nil || fileSpecs[id].der {
		return 0, false
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if e := k.cards[serial]; e != nil {
		n, ok := e.lengths[id]
		return n, ok
	}
	return 0, false
}

func (k *Cache) keepLength(serial [16]byte, id FileID, f *content) {
	if k == nil || !f.exact || len(f.data) == 0 {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.cardLocked(serial).lengths[id] = len(f.data)
}

func (k *Cache) files(serial [16]byte) (Files, bool) {
	if k == nil {
		return Files{}, false
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	e := k.cards[serial]
	if e == nil {
		return Files{}, false
	}
	return e.files, true
}

// cached returns the file from the cache if it may be used for this card. c.mu is held.
func (c *Card) cached(ctx context.Context, id FileID) ([]byte, bool) {
	f, ok := c.cache.files(c.data.Serial)
	if !ok {
		return nil, false
	}
	switch id {
	case FileIdentity:
		return bytes.Clone(f.Identity), len(f.Identity) > 0
	case FilePhoto:
		return bytes.Clone(f.Photo), len(f.Photo) > 0
	case FileAddress, FileIdentitySignature, FileRRN:
		if c.vouched == unchecked {
			c.vouched = c.vouch(ctx, f)
		}
		if c.vouched != accepted {
			return nil, false
		}
		data := map[FileID][]byte{FileAddress: f.Address, FileIdentitySignature: f.IdentitySignature, FileRRN: f.RRN}[id]
		return bytes.Clone(data), len(data) > 0
	}
	return nil, false
}

// vouch reads the address signature from the card and has it checked over the cached address.
func (c *Card) vouch(ctx context.Context, f Files) cacheState {
	if c.cache.Verify == nil || len(f.Address) == 0 || len(f.RRN) == 0 {
		return refused
	}
	if c.files[FileAddressSignature] == nil {
		if err := c.readLocked(ctx, FileAddressSignature); err != nil {
			return refused
		}
	}
	fresh := c.files[FileAddressSignature].data
	if !bytes.HasPrefix(f.AddressSignature, fresh) { // the cached one may hold filler that was not asked for again
		return refused
	}
	f.AddressSignature = fresh
	if !c.cache.Verify(f) {
		return refused
	}
	return accepted
}
