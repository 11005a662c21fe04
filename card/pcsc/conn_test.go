package pcsc_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/eidkit/eidkit/card"
	"github.com/eidkit/eidkit/card/pcsc"
	"github.com/eidkit/eidkit/internal/pcscdtest"
)

func TestTransmit(t *testing.T) {
	d := pcscdtest.Start(t)
	check := pcscdtest.CheckLeaks(t)
	c := newChip()
	link := d.Insert(t, 0, c)
	tr := connect(t, card.Shared)
	if !bytes.Equal(tr.ATR(), atr) {
		t.Errorf("ATR %X, want %X", tr.ATR(), atr)
	}
	if tr.Protocol() != card.ProtocolT0 {
		t.Errorf("protocol %v", tr.Protocol())
	}
	wantErr(t, "status", tr.Status(soon(t)), nil)
	much := make([]byte, 0, 258)
	for i := range 256 {
		much = append(much, byte(i))
	}
	transmit(t, tr, readMuch, append(much, 0x90, 0x00)...)
	transmit(t, tr, []byte{0x80, 0x99, 1, 2, 3, 4, 5, 6}, 0x6D, 0x00)
	if got := c.seen()[1]; !bytes.Equal(got, []byte{0x80, 0x99, 1, 2, 3, 4, 5, 6}) {
		t.Errorf("the card saw %X", got)
	}
	long := append([]byte{0x00, 0x99, 0, 0, 0, 0x04, 0x00}, make([]byte, 1024)...)
	transmit(t, tr, long, 0x6D, 0x00)
	if got := c.seen()[2]; !bytes.Equal(got, long) {
		t.Errorf("of an extended command of %d bytes the card saw %d", len(long), len(got))
	}
	for _, bad := range [][]byte{nil, {}, {1}, {0, 0xB0, 0}, make([]byte, 70000)} {
		_, err := tr.Transmit(soon(t), bad)
		wantErr(t, fmt.Sprintf("a command of %d bytes", len(bad)), err, card.ErrUnsupported)
	}
	for _, data := range [][]byte{nil, {}, {0}, make([]byte, 300)} {
		_, err := tr.Control(soon(t), 0x42000000+3400, data) // CM_IOCTL_GET_FEATURE_REQUEST, which vpcd does not have
		wantErr(t, "control", err, card.ErrUnsupported)
	}
	for range 2 {
		wantErr(t, "close", tr.Close(), nil)
	}
	_, err := tr.Transmit(soon(t), ping)
	wantErr(t, "transmit after close", err, card.ErrClosed)
	_, err = tr.Control(soon(t), 1, nil)
	wantErr(t, "control after close", err, card.ErrClosed)
	wantErr(t, "status after close", tr.Status(soon(t)), card.ErrClosed)
	wantErr(t, "begin after close", tr.Begin(soon(t)), card.ErrClosed)
	wantErr(t, "end after close", tr.End(context.Background(), card.Leave), card.ErrClosed)
	wantErr(t, "reconnect after close", tr.Reconnect(soon(t)), card.ErrClosed)
	if n := len(c.seen()); n != 3 {
		t.Errorf("the card saw %d commands, want 3", n)
	}
	link.Remove()
	<-link.Done()
	check()
}

func TestProtocolT1(t *testing.T) {
	d := pcscdtest.Start(t)
	c := newChip()
	c.atr = []byte{0x3B, 0x80, 0x01, 0x81} // T=1 and nothing else
	d.Insert(t, 0, c)
	tr := connect(t, card.Shared)
	if tr.Protocol() != card.ProtocolT1 {
		t.Errorf("protocol %v", tr.Protocol())
	}
	transmit(t, tr, ping, 0x90, 0x00)
}

func TestConnectModes(t *testing.T) {
	d := pcscdtest.Start(t)
	d.Insert(t, 0, newChip())
	modes := []card.Mode{card.Shared, card.Exclusive, card.Direct}
	// The second connection's error beside the first; pcsc-lite lets Direct beside anything but Exclusive.
	busy := map[[2]card.Mode]error{
		{card.Shared, card.Exclusive}: card.ErrBusy, {card.Exclusive, card.Shared}: card.ErrBusy,
		{card.Exclusive, card.Exclusive}: card.ErrBusy, {card.Exclusive, card.Direct}: card.ErrBusy,
		{card.Direct, card.Exclusive}: card.ErrBusy,
	}
	check := pcscdtest.CheckLeaks(t)
	for _, first := range modes {
		for _, second := range modes {
			a := connect(t, first)
			b, err := pcsc.Named(pcscdtest.Readers[0]).Connect(soon(t), second)
			wantErr(t, fmt.Sprintf("mode %d beside %d", second, first), err, busy[[2]card.Mode{first, second}])
			if err == nil {
				wantErr(t, "status", b.Status(soon(t)), nil)
				b.Close()
			}
			a.Close()
		}
	}
	check()
}

func TestConnectFails(t *testing.T) {
	d := pcscdtest.Start(t)
	mute := newChip()
	mute.atr = nil
	d.Insert(t, 1, mute)
	check := pcscdtest.CheckLeaks(t)
	for _, mode := range []card.Mode{card.Shared, card.Exclusive} {
		for reader, want := range map[string]error{
			"Virtual PCD 00 00":      card.ErrNoCard,
			"Virtual PCD 00 01":      card.ErrMute,
			"Virtual PCD":            card.ErrNoReader,
			"":                       card.ErrNoReader,
			strings.Repeat("a", 500): card.ErrNoReader, // longer than pcsc-lite lets a name be
		} {
			tr, err := pcsc.Named(reader).Connect(soon(t), mode)
			wantErr(t, fmt.Sprintf("%.20q, mode %d", reader, mode), err, want)
			if tr != nil {
				t.Errorf("%.20q: a connection beside the error", reader)
			}
		}
	}
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := pcsc.Named("Virtual PCD 00 00").Connect(ended, card.Shared)
	wantErr(t, "context ended before", err, context.Canceled)
	check()
}

func TestDirectWithoutCard(t *testing.T) {
	pcscdtest.Start(t)
	tr := connect(t, card.Direct)
	if tr.ATR() != nil || tr.Protocol() != card.ProtocolNone {
		t.Errorf("ATR %X, protocol %v without a card", tr.ATR(), tr.Protocol())
	}
	_, err := tr.Transmit(soon(t), ping)
	wantErr(t, "transmit", err, card.ErrUnsupported)
	_, err = tr.Control(soon(t), 1, []byte{0})
	wantErr(t, "control", err, card.ErrUnsupported)
	wantErr(t, "status", tr.Status(soon(t)), nil)
}

func TestTransactionsExclude(t *testing.T) {
	d := pcscdtest.Start(t)
	check := pcscdtest.CheckLeaks(t)
	c := newChip()
	link := d.Insert(t, 0, c)
	a, b := connect(t, card.Shared), connect(t, card.Shared)
	wantErr(t, "begin", a.Begin(soon(t)), nil)
	transmit(t, a, ping, 0x90, 0x00)

	impatient, cancel := context.WithTimeout(context.Background(), 150*time.Millisecond)
	defer cancel()
	wantErr(t, "begin in another's transaction", beginElsewhere(impatient), context.DeadlineExceeded)

	begun := make(chan error, 1)
	go func() {
		err := b.Begin(soon(t))
		if err == nil {
			_, err = b.Transmit(soon(t), isSet)
		}
		begun <- err
	}()
	transmit(t, a, set, 0x90, 0x00)
	select {
	case err := <-begun:
		t.Fatalf("two transactions at once: %v", err)
	default:
	}
	wantErr(t, "end", a.End(context.Background(), card.Leave), nil)
	wantErr(t, "begin after the other's end", <-begun, nil)
	wantErr(t, "end", b.End(context.Background(), card.Leave), nil)
	if want := [][]byte{ping, set, isSet}; !slices.EqualFunc(c.seen(), want, bytes.Equal) {
		t.Errorf("the card saw %X, want %X", c.seen(), want)
	}
	transmit(t, a, isSet, 1, 0x90, 0x00) // Leave left it
	a.Close()
	b.Close()
	d.Remove(t, 0, link)
	check()
}

// beginElsewhere begins a transaction on a connection of its own, which pcscd also keeps waiting for another's transaction.
func beginElsewhere(ctx context.Context) error {
	tr, err := pcsc.Named(pcscdtest.Readers[0]).Connect(ctx, card.Shared)
	if err != nil {
		return err
	}
	defer tr.Close()
	return tr.Begin(ctx)
}

// helperVariable makes the test program another program that holds a transaction until its input ends.
const helperVariable = "EIDKIT_PCSC_TEST_HELPER"

func helper() int {
	ctx := context.Background()
	tr, err := pcsc.Named(pcscdtest.Readers[0]).Connect(ctx, card.Shared)
	if err == nil {
		err = tr.Begin(ctx)
	}
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println("begun")
	_, _ = io.Copy(io.Discard, os.Stdin)
	if os.Getenv(helperVariable) == "reset" {
		_ = tr.End(context.Background(), card.Reset)
	} else {
		_ = tr.End(context.Background(), card.Leave)
	}
	tr.Close()
	return 0
}

// startHelper starts the other program; finish lets it end its transaction, kill ends it as it stands.
func startHelper(t *testing.T, how string) (finish, kill func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), helperVariable+"="+how)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		_ = cmd.Wait()
	})
	if line, _ := bufio.NewReader(out).ReadString('\n'); line != "begun\n" {
		t.Fatalf("the other program says %q", line)
	}
	return func() {
			in.Close()
			_ = cmd.Wait()
		}, func() {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
}

func TestTransactionOfAnotherProgram(t *testing.T) {
	d := pcscdtest.Start(t)
	d.Insert(t, 0, newChip())
	tr := connect(t, card.Shared)
	transmit(t, tr, set, 0x90, 0x00)

	finish, _ := startHelper(t, "leave")
	impatient, cancel := context.WithTimeout(context.Background(), 150*time.Millisecond) // longer than one turn of the library's loop
	defer cancel()
	wantErr(t, "begin in another program's transaction", beginElsewhere(impatient), context.DeadlineExceeded)
	begun := make(chan error, 1)
	go func() { begun <- tr.Begin(soon(t)) }()
	finish()
	wantErr(t, "begin after the other program's end", <-begun, nil)
	transmit(t, tr, isSet, 1, 0x90, 0x00)
	wantErr(t, "end", tr.End(context.Background(), card.Leave), nil)

	finish, _ = startHelper(t, "reset")
	finish()
	_, err := tr.Transmit(soon(t), isSet)
	wantErr(t, "after the other program's reset", err, card.ErrReset)
	wantErr(t, "reconnect", tr.Reconnect(soon(t)), nil)
	transmit(t, tr, isSet, 0, 0x90, 0x00)

	_, kill := startHelper(t, "leave")
	kill()
	wantErr(t, "begin after the other program died", firstAfterDeath(t, tr), nil)
}

// firstAfterDeath begins a transaction, taking the card back if the service reset it.
func firstAfterDeath(t *testing.T, tr card.Transport) error {
	for {
		err := tr.Begin(soon(t))
		if err == nil {
			return tr.End(context.Background(), card.Leave)
		}
		if err := tr.Reconnect(soon(t)); err != nil {
			return err
		}
	}
}
