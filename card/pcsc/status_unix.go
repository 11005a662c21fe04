//go:build cgo && !windows

package pcsc

import (
	"strconv"
	"sync"
	"time"

	"github.com/ebfe/scard"
)

// statusChange is SCardGetStatusChange. scard keeps the C form of a reader's name alive in a table under that name, so a second
// call with the same name would free it under the first. Each call under way therefore adds a number of its own behind the
// terminating zero, where the service does not read.
func statusChange(context *scard.Context, states []scard.ReaderState, timeout time.Duration) error {
	number := takeNumber()
	defer giveNumber(number)
	numbered := make([]scard.ReaderState, len(states))
	for i, s := range states {
		numbered[i] = scard.ReaderState{Reader: s.Reader + "\x00" + strconv.Itoa(number), CurrentState: s.CurrentState}
	}
	if err := context.GetStatusChange(numbered, timeout); err != nil {
		return err
	}
	for i, s := range numbered {
		states[i].EventState, states[i].Atr = s.EventState, s.Atr
	}
	return nil
}

// The numbers of calls under way. They are used again, to keep scard's table small.
var (
	numbersMu sync.Mutex
	numbers   []bool
)

func takeNumber() int {
	numbersMu.Lock()
	defer numbersMu.Unlock()
	for i, taken := range numbers {
		if !taken {
			numbers[i] = true
			return i
		}
	}
	numbers = append(numbers, true)
	return len(numbers) - 1
}

func giveNumber(n int) {
	numbersMu.Lock()
	defer numbersMu.Unlock()
	numbers[n] = false
}
