package path

import (
	"encoding/binary"
	"errors"
	"testing"
)

// The cache stays within its bounds, keeps what is used, and forgets the rest.
func TestCacheIsBounded(t *testing.T) {
	t.Parallel()
	key := func(n int) (k [32]byte) {
		binary.BigEndian.PutUint64(k[:], uint64(n))
		return k
	}
	var c Cache
	bad := errors.New("bad")
	c.put(key(0), bad)
	for i := 1; i < 5*maxGeneration; i++ {
		c.put(key(i), nil)
		if i%1000 == 0 {
			if err, known := c.get(key(0)); !known || err != bad {
				t.Fatalf("after %d others: %v %t", i, err, known)
			}
		}
		if len(c.new)+len(c.old) > 2*maxGeneration {
			t.Fatalf("%d entries", len(c.new)+len(c.old))
		}
	}
	if _, known := c.get(key(1)); known {
		t.Error("nothing was forgotten")
	}
}
