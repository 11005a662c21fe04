//go:build unix

package service

import (
	"testing"

	"github.com/eidkit/eidkit/agent/spool"
	"github.com/eidkit/eidkit/sign"
)

// signOptions sign without the network.
func (b *bench) signOptions() sign.Options { return sign.Options{Anchors: b.anchors, Offline: true} }

// document is a sealed document of a call.
func document(t testing.TB, c *Call, name string, content []byte) *spool.Document {
	t.Helper()
	d, err := c.Documents.Create(name, "", int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	if len(content) > 0 {
		if err := d.WriteChunk(0, content); err != nil {
			t.Fatal(err)
		}
	}
	return d
}
