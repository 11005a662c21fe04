package audit

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/eidkit/eidkit/internal/atomicfile"
)

const (
	defaultMax = 16 << 20
	maxBatch   = 256 // lines that share a trip to the disk
	lockWait   = 300 * time.Millisecond
)

// Log is open for writing, by one program at a time. It is safe for concurrent
// use: those that write at the same time share one trip to the disk.
type Log struct {
	o      Options
	key    []byte
	sealer sealer
	unlock func()

	queue chan *write // unbuffered: what is taken is answered
	quit  chan struct{}
	close sync.Once
	done  chan struct{}
	err   error // of closing, read after done

	w writer // of the goroutine that writes

	heads  chan string // to the sink, the newest alone
	sunken chan struct{}
}

// write is a line on its way.
type write struct {
	line *Line
	err  chan error
}

// Open opens the log, makes it when it is missing, and mends what a crash left: a
// torn last line is taken away. Where the log is not as it was left, a line says
// so, in a new file, and the log goes on: Verify finds it. Errors: ErrInUse,
// ErrKey, those of the file system.
func Open(o Options) (*Log, error) {
	if o.Dir == "" {
		return nil, errors.New("audit: no folder")
	}
	if o.Host == "" {
		o.Host, _ = os.Hostname()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.MaxBytes <= 0 {
		o.MaxBytes = defaultMax
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("audit: making the folder: %w", err)
	}
	ctx, stop := context.WithTimeout(context.Background(), lockWait)
	defer stop()
	unlock, err := atomicfile.Lock(ctx, filepath.Join(o.Dir, lockName))
	if errors.Is(err, atomicfile.ErrLocked) {
		return nil, ErrInUse
	} else if err != nil {
		return nil, fmt.Errorf("audit: locking the log: %w", err)
	}
	l := &Log{o: o, unlock: unlock, queue: make(chan *write), quit: make(chan struct{}), done: make(chan struct{}), sunken: make(chan struct{})}
	if err := l.start(); err != nil {
		l.w.close()
		unlock()
		return nil, fmt.Errorf("audit: %w", err)
	}
	return l, nil
}

func (l *Log) start() (err error) {
	if l.key, err = makeKey(l.o.Dir); err != nil {
		return err
	}
	if l.sealer, err = newSealer(l.key, l.o.Recipient); err != nil {
		return err
	}
	l.w = writer{dir: l.o.Dir, key: l.key, max: l.o.MaxBytes, now: l.o.Now}
	if err := l.w.open(); err != nil {
		return err
	}
	l.heads = make(chan string, 1)
	go l.sink()
	go l.run()
	return nil
}

// Entry is an intent that is on the disk. It takes one result.
type Entry struct {
	log  *Log
	line *Line
	used atomic.Bool
}

// Intent writes what is about to be done. It returns when the line is on the
// disk; on an error the operation must not happen.
func (l *Log) Intent(e Event) (*Entry, error) {
	line := intentLine(&l.o, e)
	if err := l.write(line); err != nil {
		return nil, err
	}
	return &Entry{log: l, line: line}, nil
}

// Result writes what came of it. It returns when the line is on the disk; on an
// error the answer must not leave. It can be tried again after an error.
func (e *Entry) Result(o Outcome) error {
	if !e.used.CompareAndSwap(false, true) {
		return ErrTwice
	}
	line := resultLine(e.line, o)
	var err error
	if line.NationalNumber, err = e.log.sealer.seal(o.NISS); err == nil {
		err = e.log.write(line)
	}
	if err != nil {
		e.used.Store(false)
	}
	return err
}

// write hands a line to the goroutine that writes, and waits.
func (l *Log) write(line *Line) error {
	w := &write{line, make(chan error, 1)}
	select {
	case l.queue <- w:
		return <-w.err
	case <-l.quit:
		return ErrClosed
	}
}

// run writes what comes until the log is closed.
func (l *Log) run() {
	defer close(l.done)
	defer l.unlock()
	for {
		var batch []*write
		select {
		case w := <-l.queue:
			batch = l.gather(w)
		case <-l.quit:
			l.err = l.w.close()
			close(l.heads)
			<-l.sunken
			return
		}
		lines := make([]*Line, len(batch))
		for i, w := range batch {
			lines[i] = w.line
		}
		err := l.w.commit(lines)
		if err != nil {
			err = fmt.Errorf("writing the audit log: %w", err)
		} else {
			l.tell(string(l.w.head.line(l.key)))
		}
		for _, w := range batch {
			w.err <- err
		}
	}
}

// gather takes those along who wait.
func (l *Log) gather(first *write) []*write {
	batch := []*write{first}
	for len(batch) < maxBatch {
		select {
		case w := <-l.queue:
			batch = append(batch, w)
		default:
			return batch
		}
	}
	return batch
}

// tell leaves a head for the sink in the place of one that it has not taken yet.
func (l *Log) tell(head string) {
	if l.o.Sink == nil {
		return
	}
	select {
	case <-l.heads:
	default:
	}
	l.heads <- head
}

func (l *Log) sink() {
	defer close(l.sunken)
	for h := range l.heads {
		l.o.Sink(h)
	}
}

// Close writes what is under way and closes the log.
func (l *Log) Close() error {
	l.close.Do(func() { close(l.quit) })
	<-l.done
	return l.err
}
