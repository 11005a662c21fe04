//go:build cgo || windows

package pcsc_test

import (
	"bytes"
	"runtime"
	"testing"
	"time"

	"github.com/ebfe/scard"

	"github.com/eidkit/eidkit/card/pcsc"
	"github.com/eidkit/eidkit/internal/pcscdtest"
)

// Several calls wait for the same reader while memory of the size of its name is freed and used again. A call whose name was
// freed under it takes the reader for unknown once something happens.
func TestNamesStayInMemory(t *testing.T) {
	d := pcscdtest.Start(t)
	type outcome struct {
		flags scard.StateFlag
		err   error
	}
	const calls = 8
	results := make(chan outcome, calls)
	waiting := make(chan struct{}, calls)
	for range calls {
		go func() {
			context, err := scard.EstablishContext()
			if err != nil {
				waiting <- struct{}{}
				results <- outcome{err: err}
				return
			}
			defer context.Release()
			states := []scard.ReaderState{{Reader: pcscdtest.Readers[1]}}
			err = pcsc.StatusChange(context, states, 0)
			waiting <- struct{}{}
			if err == nil {
				states[0].CurrentState = states[0].EventState &^ scard.StateChanged
				err = pcsc.StatusChange(context, states, 3*time.Minute)
			}
			results <- outcome{states[0].EventState, err}
		}()
	}
	for range calls {
		<-waiting
	}
	var used [][]byte
	for range 10 {
		runtime.GC()
		for range 10000 {
			for n := 16; n <= 32; n += 8 {
				used = append(used, bytes.Repeat([]byte{'x'}, n))
			}
		}
	}
	d.Insert(t, 1, newChip())
	for range calls {
		if got := <-results; got.err != nil || got.flags&scard.StatePresent == 0 || got.flags&scard.StateUnknown != 0 {
			t.Errorf("state %X, %v", got.flags, got.err)
		}
	}
	runtime.KeepAlive(used)
}
