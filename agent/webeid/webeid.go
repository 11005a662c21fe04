// Package webeid speaks the Web eID native-messaging protocol on a program's
// standard input and output, so that the official Web eID browser extension
// drives the agent: owner of the card, consent and audit log stay the agent's.
//
// Start with Run, for a program that a browser starts under the name
// eid-webeid, and with Install and Remove, which tell the browsers of it.
//
// Out of scope: cards, PINs and tokens, which are the agent's; the browser
// extension; the connection to the agent, which Options.Dial makes.
//
// References: the protocol of the Web eID extension (docs/protocol.md names the
// parts that are used here), Chrome's and Firefox's native messaging.
package webeid

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/eidkit/eidkit/agent/protocol"
)

// MaxMessage is how many bytes a message of the browser has at most.
const MaxMessage = 8192

// Version is the version of Web eID that is spoken; the extension wants one of
// its own major version.
const Version = "2.8.0"

// Caller is a connection to the agent. Call sends params, and puts the result
// where result points to; the error is or wraps a *protocol.Error when the agent
// refused. When the context ends, so does the operation. A Caller that is an
// io.Closer is closed after use.
type Caller interface {
	Call(ctx context.Context, method string, params, result any) error
}

// Options say how Run reaches the agent.
type Options struct {
	// Dial connects to the agent for a page's origin, as the agent knows it from
	// the extension.
	Dial func(ctx context.Context, origin string) (Caller, error)
	// Build is appended to Version: "2.8.0+eidkit.1.0".
	Build string
	// Language is that of errors when the page names none: en, nl, fr or de; English if empty.
	Language string
	// Log gets what went wrong, without personal data; nil: nobody.
	Log *slog.Logger
}

// ErrMessage is wrapped by the errors of Run for bytes that are no message.
var ErrMessage = errors.New("not a native message")

// maxAhead is how many messages are read while one is answered: the extension
// sends one and waits.
const maxAhead = 4

// Run says hello and answers commands until the browser closes the pipe or says
// quit: both end a dialog that is open. An error is about a pipe that broke off
// in the middle of a message, or holds no messages; the conversation cannot go
// on after it, and the browser was told as far as it listens.
func Run(ctx context.Context, in io.Reader, out io.Writer, o Options) error {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	version := Version
	if o.Build != "" {
		version += "+eidkit." + o.Build
	}
	if err := write(out, map[string]string{"version": version}); err != nil {
		return err
	}
	talk, cancel := context.WithCancel(ctx)
	defer cancel()
	commands := make(chan command, maxAhead)
	ended := make(chan error, 1)
	go func() {
		defer close(commands)
		ended <- o.receive(talk, cancel, in, commands)
	}()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case c, more := <-commands:
			switch {
			case !more:
				return o.farewell(out, <-ended)
			case c.quits():
				return write(out, struct{}{})
			case talk.Err() != nil:
				continue // nobody waits for the answer any more
			}
			if err := o.answer(talk, out, c); err != nil {
				return err
			}
		}
	}
}

// farewell tells the browser of a message that could not be read.
func (o *Options) farewell(out io.Writer, err error) error {
	if err != nil && errors.Is(err, ErrMessage) {
		o.Log.Error("native message refused", "error", err)
		write(out, failure(invalid("%v", err), o.Language)) //nolint:errcheck // the pipe may be gone already
	}
	return err
}

// receive reads messages into commands, and cancels what is under way when the
// pipe ends or quit comes.
func (o *Options) receive(ctx context.Context, cancel context.CancelFunc, in io.Reader, commands chan<- command) error {
	for {
		b, err := read(in)
		if err != nil {
			cancel()
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		c, err := parse(b)
		if err != nil {
			c.refused = err
		}
		select {
		case commands <- c:
		default:
			cancel()
			return fmt.Errorf("%w: more than %d at a time", ErrMessage, maxAhead)
		}
		if c.quits() {
			cancel()
			return nil
		}
		if ctx.Err() != nil {
			return nil
		}
	}
}

// answer does one command. The error is the pipe's.
func (o *Options) answer(ctx context.Context, out io.Writer, c command) error {
	result, err := any(nil), c.refused
	if err == nil {
		result, err = o.do(ctx, c)
		if err != nil && ctx.Err() != nil {
			err = protocol.Errorf(protocol.PINCancelled, "the browser has ended it")
		}
	}
	if err != nil {
		o.Log.Warn("command refused", "command", c.name, "code", string(protocol.CodeOf(err)))
		language := c.text["lang"]
		if language == "" {
			language = o.Language
		}
		return write(out, failure(err, language))
	}
	return write(out, result)
}

// do asks the agent.
func (o *Options) do(ctx context.Context, c command) (any, error) {
	agent, err := o.Dial(ctx, c.text["origin"])
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errAway, err)
	}
	if closer, ok := agent.(io.Closer); ok {
		defer closer.Close()
	}
	switch c.name {
	case "authenticate":
		var r struct {
			Token json.RawMessage `json:"token"`
		}
		err := agent.Call(ctx, "auth.login", map[string]string{"challengeNonce": c.text["challengeNonce"]}, &r)
		return r.Token, err
	case "get-signing-certificate":
		var r json.RawMessage
		err := agent.Call(ctx, "sign.certificate", struct{}{}, &r)
		return r, err
	default: // sign: parse lets no other through
		var r json.RawMessage
		err := agent.Call(ctx, "sign.hash", map[string]string{"hash": c.text["hash"], "hashFunction": c.text["hashFunction"], "certificate": c.text["certificate"]}, &r)
		return r, err
	}
}

// read reads one message: its length in the machine's byte order, and so many
// bytes. io.EOF: the pipe ended between two messages.
func read(in io.Reader) ([]byte, error) {
	var length [4]byte
	if _, err := io.ReadFull(in, length[:]); errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, fmt.Errorf("%w: the length breaks off", ErrMessage)
	} else if err != nil {
		return nil, err
	}
	n := binary.NativeEndian.Uint32(length[:])
	if n == 0 || n > MaxMessage {
		return nil, fmt.Errorf("%w: its length is %d, and may be 1 to %d", ErrMessage, n, MaxMessage)
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(in, b); errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, fmt.Errorf("%w: it breaks off", ErrMessage)
	} else if err != nil {
		return nil, err
	}
	return b, nil
}

func write(out io.Writer, message any) error {
	b, err := json.Marshal(message)
	if err != nil {
		return fmt.Errorf("writing a native message: %w", err)
	}
	frame := binary.NativeEndian.AppendUint32(make([]byte, 0, 4+len(b)), uint32(len(b)))
	if _, err := out.Write(append(frame, b...)); err != nil {
		return fmt.Errorf("writing a native message: %w", err)
	}
	return nil
}
