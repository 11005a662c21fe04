package revocation

import (
	"container/list"
	"sync"
)

// lru keeps the values used last, up to a number of them and a size in bytes.
type lru[K comparable, V any] struct {
	entries int
	bytes   int64

	mu    sync.Mutex
	used  int64
	order *list.List // of *kept, the last used in front
	byKey map[K]*list.Element
}

type kept[K comparable, V any] struct {
	key   K
	value V
	size  int64
}

func newLRU[K comparable, V any](entries int, bytes int64) *lru[K, V] {
	return &lru[K, V]{entries: entries, bytes: bytes, order: list.New(), byKey: map[K]*list.Element{}}
}

func (c *lru[K, V]) get(key K) (V, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.byKey[key]
	if !ok {
		var none V
		return none, false
	}
	c.order.MoveToFront(e)
	return e.Value.(*kept[K, V]).value, true
}

// put keeps a value, unless it alone is larger than everything may be.
func (c *lru[K, V]) put(key K, value V, size int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.byKey[key]; ok {
		c.drop(e)
	}
	if size > c.bytes {
		return
	}
	c.byKey[key] = c.order.PushFront(&kept[K, V]{key, value, size})
	c.used += size
	for c.order.Len() > c.entries || c.used > c.bytes {
		c.drop(c.order.Back())
	}
}

func (c *lru[K, V]) drop(e *list.Element) {
	k := e.Value.(*kept[K, V])
	c.order.Remove(e)
	delete(c.byKey, k.key)
	c.used -= k.size
}
