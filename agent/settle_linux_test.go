package agent

import (
	"slices"
	"strings"
	"testing"
)

// TestUnchanged: a mapping that may be written, that has pages of the process's own, or that is of another file is left alone.
func TestUnchanged(t *testing.T) {
	t.Parallel()
	smaps := `00402000-00e00000 r-xp 00002000 fe:00 103                           /opt/my eid/eid
Size:              10232 kB
Rss:               10232 kB
Anonymous:             0 kB
VmFlags: rd ex mr mw me
00e00000-01bbe000 r--p 00a00000 fe:00 103                           /opt/my eid/eid
Anonymous:             0 kB
01bbe000-01bbf000 r--p 017be000 fe:00 103                           /opt/my eid/eid
Anonymous:             4 kB
01bbf000-01cc9000 rw-p 017be000 fe:00 103                           /opt/my eid/eid
Anonymous:             0 kB
7f0ee0df8000-7f0ee0f4e000 r-xp 00026000 fe:00 326                   /usr/lib/libc.so.6
Anonymous:             0 kB
7f0ee1000000-7f0ee1001000 r--p 00000000 00:00 0
Anonymous:             0 kB
7f0ee2000000-7f0ee2001000 r--p 00000000 fe:00 9                     /opt/my eid/eid (deleted)
Anonymous:             0 kB
zz-yy r--p 00000000 fe:00 103 /opt/my eid/eid
Anonymous:             0 kB
`
	got := unchanged(strings.NewReader(smaps), "/opt/my eid/eid")
	if !slices.Equal(got, [][2]uintptr{{0x402000, 0xe00000}, {0xe00000, 0x1bbe000}}) {
		t.Errorf("%x", got)
	}
}

// TestSettle: the program is still the same afterwards.
func TestSettle(t *testing.T) {
	t.Parallel()
	for range 3 {
		Settle()
	}
	r := newRig(t, nil)
	send(t, r.web(t, site), request)
}
