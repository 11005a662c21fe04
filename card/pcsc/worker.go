package pcsc

import (
	"context"
	"sync"
	"time"

	"github.com/eidkit/eidkit/card"
)

// closeWait bounds how long close waits for an idle worker to free what it holds, should the service hang.
const closeWait = 2 * time.Second

// The distances between attempts to interrupt a call: doubling, between these.
const (
	interruptMin = time.Millisecond
	interruptMax = 100 * time.Millisecond
)

// worker makes the blocking calls of one PC/SC context, one at a time, on its own goroutine, so that whoever waits for them can
// leave. The context belongs to it alone: pcsc-lite's library holds a lock of the whole process while it waits for a context
// that another thread is using.
type worker struct {
	jobs chan func() (deliver func())
	stop chan struct{} // closed when nothing more may be done
	done chan struct{} // closed when everything is freed

	free      func() // frees everything; called last, on the worker's goroutine
	interrupt func() // makes the call under way return; nil if nothing can

	mu      sync.Mutex
	stopped bool
	working bool
}

// startWorker returns a worker that waits for jobs. It must be ended with close or kill.
func startWorker(free, interrupt func()) *worker {
	w := &worker{
		jobs: make(chan func() func()), stop: make(chan struct{}), done: make(chan struct{}),
		free: free, interrupt: interrupt,
	}
	go w.loop()
	return w
}

func (w *worker) loop() {
	defer close(w.done)
	defer w.free()
	for {
		select {
		case job := <-w.jobs:
			if !w.setWorking(true) {
				return
			}
			deliver := job()
			w.setWorking(false) // before the caller hears of it: he may close next
			deliver()
		case <-w.stop:
			return
		}
	}
}

// setWorking notes that a job begins or ends; it refuses a beginning after the stop.
func (w *worker) setWorking(working bool) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if working && w.stopped {
		return false
	}
	w.working = working
	return true
}

// kill lets nothing new begin. It says whether a job is under way; that one is interrupted where possible and its result lost.
func (w *worker) kill() (working bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.stopped {
		w.stopped = true
		close(w.stop)
		if w.working && w.interrupt != nil {
			go w.interruptUntilDone()
		}
	}
	return w.working
}

// interruptUntilDone asks again and again, because PC/SC forgets a request to cancel that comes just before the call.
func (w *worker) interruptUntilDone() {
	for pause := interruptMin; ; pause = min(2*pause, interruptMax) {
		w.interrupt()
		timer := time.NewTimer(pause)
		select {
		case <-w.done:
			timer.Stop()
			return
		case <-timer.C:
		}
	}
}

// close kills the worker and waits until all is freed, unless a job is under way: then that happens when the job comes back.
func (w *worker) close() {
	if w.kill() {
		return
	}
	timer := time.NewTimer(closeWait)
	defer timer.Stop()
	select {
	case <-w.done:
	case <-timer.C:
	}
}

// result is what a job returns.
type result[T any] struct {
	value T
	err   error
}

// call has w do f and returns its result. When ctx ends first, call kills the worker and returns ctx's error; when another
// goroutine kills it, ErrClosed. f goes on in both cases, so it may touch only what belongs to the worker or to itself alone.
func call[T any](ctx context.Context, w *worker, f func() (T, error)) (T, error) {
	var none T
	if err := ctx.Err(); err != nil {
		return none, err
	}
	results := make(chan result[T], 1)
	job := func() func() {
		value, err := f()
		return func() { results <- result[T]{value, err} }
	}
	select {
	case <-w.stop:
		return none, card.ErrClosed
	default:
	}
	select {
	case w.jobs <- job:
	case <-w.stop:
		return none, card.ErrClosed
	case <-ctx.Done(): // the worker is busy with somebody else's call
		return none, ctx.Err()
	}
	select {
	case r := <-results:
		return r.value, r.err
	case <-ctx.Done():
		w.kill()
		return none, ctx.Err()
	case <-w.stop:
		return none, card.ErrClosed
	}
}
