package pcsc

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/eidkit/eidkit/card"
)

// blockingCall is a C call that nothing but its release ends.
type blockingCall struct {
	entered, release chan struct{}
}

func newBlockingCall() *blockingCall {
	return &blockingCall{entered: make(chan struct{}), release: make(chan struct{})}
}

func (b *blockingCall) run() (int, error) {
	close(b.entered)
	<-b.release
	return 1, nil
}

func TestCallReturnsResults(t *testing.T) {
	freed := make(chan struct{})
	w := startWorker(func() { close(freed) }, nil)
	got, err := call(t.Context(), w, func() (string, error) { return "ok", card.ErrReset })
	if got != "ok" || !errors.Is(err, card.ErrReset) {
		t.Errorf("got %q, %v", got, err)
	}
	w.close()
	<-freed
	w.close()
	if _, err := call(t.Context(), w, func() (int, error) { t.Error("called after close"); return 0, nil }); !errors.Is(err, card.ErrClosed) {
		t.Errorf("after close: %v", err)
	}
}

// What a caller has got the result of is not under way any more, so that a close right after it waits.
func TestResultComesAfterTheWork(t *testing.T) {
	w := startWorker(func() {}, nil)
	defer w.close()
	working := make(chan bool)
	w.jobs <- func() func() {
		return func() {
			w.mu.Lock()
			defer w.mu.Unlock()
			working <- w.working
		}
	}
	if <-working {
		t.Error("the result is delivered while the call still counts as under way")
	}
}

func TestEndedContextCallsNothing(t *testing.T) {
	w := startWorker(func() {}, nil)
	defer w.close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := call(ctx, w, func() (int, error) { t.Error("called"); return 0, nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if _, err := call(t.Context(), w, func() (int, error) { return 0, nil }); err != nil {
		t.Errorf("a call that was never made ended the worker: %v", err)
	}
}

func TestCancelLeavesBlockedCall(t *testing.T) {
	for name, end := range map[string]func(w *worker, cancel func()){
		"context": func(_ *worker, cancel func()) { cancel() },
		"close":   func(w *worker, _ func()) { w.close() },
	} {
		t.Run(name, func(t *testing.T) {
			freed := make(chan struct{})
			w := startWorker(func() { close(freed) }, nil)
			b := newBlockingCall()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			go func() {
				<-b.entered
				end(w, cancel)
			}()
			_, err := call(ctx, w, b.run)
			want := context.Canceled
			if name == "close" {
				want = card.ErrClosed
			}
			if !errors.Is(err, want) {
				t.Errorf("error %v, want %v", err, want)
			}
			select {
			case <-freed:
				t.Error("freed under the call")
			default:
			}
			if _, err := call(t.Context(), w, b.run); !errors.Is(err, card.ErrClosed) {
				t.Errorf("a second call: %v", err)
			}
			w.close() // does not wait
			close(b.release)
			<-freed
		})
	}
}

func TestInterruptIsRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBlockingCall()
		asked := 0
		interrupt := func() {
			if asked++; asked == 5 { // the first ones come too early, as with SCardCancel
				close(b.release)
			}
		}
		w := startWorker(func() {}, interrupt)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := call(ctx, w, b.run); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
		<-w.done
		synctest.Wait()
		if asked != 5 {
			t.Errorf("interrupted %d times", asked)
		}
	})
}

func TestCloseWaitsForHungReleaseOnlySoLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hung := make(chan struct{})
		w := startWorker(func() { <-hung }, nil)
		start := time.Now()
		w.close()
		if took := time.Since(start); took != closeWait {
			t.Errorf("close took %v", took)
		}
		close(hung)
		<-w.done
	})
}

func TestManyClosersAndCallers(t *testing.T) {
	for range 200 {
		freed := 0
		w := startWorker(func() { freed++ }, nil)
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for {
					if _, err := call(t.Context(), w, func() (int, error) { return 0, nil }); err != nil {
						if !errors.Is(err, card.ErrClosed) {
							t.Errorf("error %v", err)
						}
						return
					}
				}
			})
			wg.Go(w.close)
		}
		wg.Wait()
		<-w.done
		if freed != 1 {
			t.Fatalf("freed %d times", freed)
		}
	}
}
