//go:build !cgo && !windows

package pcsc

import (
	"context"
	"fmt"

	"github.com/eidkit/eidkit/card"
)

// errNoCgo is what every call says in a build that cannot reach libpcsclite.
var errNoCgo = fmt.Errorf("%w: this program was built without cgo: build with CGO_ENABLED=1 and libpcsclite-dev", card.ErrUnsupported)

// Connect is card.Reader's.
func (reader) Connect(context.Context, card.Mode) (card.Transport, error) { return nil, errNoCgo }

type changes struct{}

// Wait is card.System's.
func (changes) Wait(context.Context, []card.ReaderState) ([]card.ReaderState, error) {
	return nil, errNoCgo
}
