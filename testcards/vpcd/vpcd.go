// Package vpcd puts a simulated card into the machine's PC/SC service: into a slot of the reader driver vpcd of the vsmartcard
// project (Debian package vsmartcard-vpcd), where every PC/SC program finds it.
//
// Start with [Insert] on one of the [Slots]; [Link.Remove] takes the card out again. Both may be done at any time while the
// service runs.
//
//	link, err := vpcd.Insert(ctx, vpcd.Slots[0], chip)
//	defer link.Remove()
//	<-link.Done() // removed, or the service stopped
//
// The package simulates nothing itself: package testcards has the cards. Reader features (pinpads) cannot be shown this way, for
// the driver answers no control code.
//
// The protocol, in both directions: two bytes of length, most significant first, then as many bytes. A message of one byte is a
// control byte from the reader (00 power off, 01 power on, 02 reset, 04 give the ATR), a longer one a command. The card answers
// 04 with its ATR and a command with its response, status word included, and the other control bytes not at all.
//
// References: facts sheet virtual-readers; https://frankmorgner.github.io/vsmartcard/virtualsmartcard/api.html.
package vpcd

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// Slots are the addresses of the driver's two slots, as Debian configures them: the readers "Virtual PCD 00 00" and
// "Virtual PCD 00 01".
var Slots = [2]string{"127.0.0.1:35963", "127.0.0.1:35964"}

// Why a card could not be inserted.
var (
	ErrNoService = errors.New("the PC/SC service is not running: start pcscd")
	ErrNoDriver  = errors.New("the PC/SC service runs without the vpcd reader driver: install vsmartcard-vpcd, then start pcscd anew")
	ErrSlotTaken = errors.New("the reader asks nothing of the card: another card is in this slot")
)

// Chip is a card as its contacts show it. A link calls it from one goroutine, one call at a time.
type Chip interface {
	// ATR is the answer to reset, at most 33 bytes. An empty one makes the card mute.
	ATR() []byte

	// PowerOn, PowerOff and Reset are cold reset, loss of power and warm reset.
	PowerOn()
	PowerOff()
	Reset()

	// Transmit executes a command and returns the response, status word included. The command is overwritten after the call.
	// An empty response is silence: the reader waits for it as long as the card is in, and the service with it.
	Transmit(command []byte) []byte
}

// The control bytes of the protocol.
const (
	powerOff = 0
	powerOn  = 1
	reset    = 2
	giveATR  = 4
)

// maxMessage is what two bytes of length can say.
const maxMessage = 0xFFFF

// insertWait bounds how long Insert waits for the reader's first question. pcscd looks for cards every 0.4 s.
const insertWait = 5 * time.Second

// muteATR stands for no answer to reset. The driver takes an empty ATR for a card that is gone; one longer than ISO/IEC 7816-3
// allows (33 bytes) it refuses only when it powers the card, which is what a mute card looks like.
var muteATR = make([]byte, 34)

// Link is a card in a slot.
type Link struct {
	conn  net.Conn
	chip  Chip
	asked chan struct{} // closed at the reader's first message
	done  chan struct{}

	removing sync.Once
	removed  chan struct{}
	err      error // why the link ended; set before done is closed
}

// Insert puts chip into the slot at addr ("" is the first slot) and returns when the reader has seen it; the service reports the
// card soon after. It fails with ErrNoService, ErrNoDriver, ErrSlotTaken (after 5 s without a question from the reader) or ctx's
// error, and the card is then not in.
func Insert(ctx context.Context, addr string, chip Chip) (*Link, error) {
	if addr == "" {
		addr = Slots[0]
	}
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("inserting a card at %s: %w", addr, explain(ctx, err))
	}
	l := newLink(conn, chip)
	if err := l.awaitReader(ctx); err != nil {
		l.Remove()
		return nil, fmt.Errorf("inserting a card at %s: %w", addr, err)
	}
	return l, nil
}

// newLink lets chip answer what comes over conn.
func newLink(conn net.Conn, chip Chip) *Link {
	l := &Link{conn: conn, chip: chip, asked: make(chan struct{}), done: make(chan struct{}), removed: make(chan struct{})}
	go l.serve()
	return l
}

// awaitReader returns once the reader has asked something.
func (l *Link) awaitReader(ctx context.Context) error {
	timer := time.NewTimer(insertWait)
	defer timer.Stop()
	select {
	case <-l.asked:
		return nil
	case <-l.done:
		return l.err
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return ErrSlotTaken
	}
}

// explain says what a refused connection means.
func explain(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	socket := os.Getenv("PCSCLITE_CSOCK_NAME")
	if socket == "" {
		socket = "/run/pcscd/pcscd.comm"
	}
	var d net.Dialer
	service, serviceErr := d.DialContext(ctx, "unix", socket)
	if serviceErr != nil {
		return fmt.Errorf("%w (%w)", ErrNoService, err)
	}
	service.Close()
	return fmt.Errorf("%w (%w)", ErrNoDriver, err)
}

// Remove takes the card out. It does not wait for a command that the chip is still busy with. A second Remove does nothing.
func (l *Link) Remove() {
	l.removing.Do(func() {
		close(l.removed)
		l.conn.Close()
	})
}

// Done is closed when the card is out: after Remove, or because the service stopped.
func (l *Link) Done() <-chan struct{} { return l.done }

// Err says why the card is out, once Done is closed: nil after Remove, io.EOF when the service stopped, or another error.
func (l *Link) Err() error {
	select {
	case <-l.done:
		return l.err
	default:
		return nil
	}
}

// serve answers the reader until the connection ends.
func (l *Link) serve() {
	err := l.answerAll()
	select {
	case <-l.removed:
		err = nil
	default:
		l.conn.Close()
	}
	l.err = err
	close(l.done)
}

func (l *Link) answerAll() error {
	var first sync.Once
	in, out := make([]byte, maxMessage), []byte(nil)
	for {
		message, err := l.receive(in)
		if err != nil {
			return err
		}
		first.Do(func() { close(l.asked) })
		answer := l.answer(message)
		if len(answer) > maxMessage {
			return fmt.Errorf("the card's answer of %d bytes does not fit into a message of %d", len(answer), maxMessage)
		}
		out = binary.BigEndian.AppendUint16(out[:0], uint16(len(answer)))
		out = append(out, answer...)
		clear(message) // it may have held a PIN
		if len(answer) == 0 {
			continue
		}
		if _, err := l.conn.Write(out); err != nil {
			return fmt.Errorf("answering the reader: %w", err)
		}
	}
}

// answer is what the chip says to a message; nil if nothing.
func (l *Link) answer(message []byte) []byte {
	if len(message) > 1 {
		return l.chip.Transmit(message)
	}
	switch message[0] {
	case powerOff:
		l.chip.PowerOff()
	case powerOn:
		l.chip.PowerOn()
	case reset:
		l.chip.Reset()
	case giveATR:
		if atr := l.chip.ATR(); len(atr) > 0 {
			return atr
		}
		return muteATR
	}
	return nil
}

// receive reads one message. The driver sends length and body apart and waits for the acknowledgement of the first, which Linux
// would delay by 40 ms.
func (l *Link) receive(buf []byte) ([]byte, error) {
	r := promptReader{l.conn}
	if _, err := io.ReadFull(r, buf[:2]); err != nil {
		return nil, readError(err)
	}
	n := int(binary.BigEndian.Uint16(buf))
	if n == 0 {
		return nil, errors.New("the reader sent an empty message")
	}
	if _, err := io.ReadFull(r, buf[:n]); err != nil {
		return nil, readError(err)
	}
	return buf[:n], nil
}

func readError(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) {
		return io.EOF // the service ended, in the middle of a message or with our answer unread
	}
	return fmt.Errorf("reading from the reader: %w", err)
}

// promptReader has what arrives acknowledged at once.
type promptReader struct{ conn net.Conn }

func (r promptReader) Read(p []byte) (int, error) {
	if c, ok := r.conn.(*net.TCPConn); ok {
		acknowledgeAtOnce(c)
	}
	return r.conn.Read(p)
}
