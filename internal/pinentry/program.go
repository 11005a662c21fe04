package pinentry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"syscall"
	"time"
)

// program is a pinentry program that runs.
type program struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    io.ReadCloser
	conn   *assuan
	cancel context.CancelFunc
	unhook func() bool
}

// How long a program may take to end: after BYE, and after it was told to terminate.
var (
	byeTime  = 2 * time.Second
	killTime = time.Second
)

// start runs the program at path and tells it the options. It has no arguments, and nobody reads what it says on standard error.
// When ctx ends it is terminated, in a way that lets curses set the terminal right, and its pipes are closed at once.
func start(ctx context.Context, path string, options []string) (*program, error) {
	ctx, cancel := context.WithCancel(ctx)
	cmd := exec.CommandContext(ctx, path)
	cmd.WaitDelay = killTime
	cmd.Cancel = func() error {
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			return cmd.Process.Kill()
		}
		return nil
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		cancel()
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		cancel()
		in.Close()
		return nil, fmt.Errorf("starting %s: %w", path, err)
	}
	p := &program{cmd: cmd, in: in, out: out, conn: &assuan{w: in, r: out}, cancel: cancel}
	p.unhook = context.AfterFunc(ctx, func() { // a child of the program may hold the pipes open
		in.Close()
		out.Close()
	})
	if err := p.greet(options); err != nil {
		p.close()
		return nil, fmt.Errorf("starting %s: %w", path, err)
	}
	return p, nil
}

// greet reads the greeting and sends the options. One that the program does not know is no loss.
func (p *program) greet(options []string) error {
	if _, err := p.conn.answer(false); err != nil {
		return err
	}
	for _, o := range options {
		if err := ignoringReply(p.conn.command("OPTION "+o, "", false)); err != nil {
			return err
		}
	}
	return nil
}

// ignoringReply passes over ERR lines: the connection is sound.
func ignoringReply(_ answer, err error) error {
	if reply := (*replyError)(nil); errors.As(err, &reply) {
		return nil
	}
	return err
}

// close ends the program and waits until it has ended.
func (p *program) close() {
	p.conn.send("BYE") // an error means that it has ended
	p.in.Close()
	timer := time.AfterFunc(byeTime, p.cancel)
	p.out.Close()
	p.cmd.Wait() // its result says nothing: the answers are in hand
	timer.Stop()
	p.unhook()
	p.cancel()
	p.conn.wipe()
}

// show sets what the next dialog shows. Only the text and the prompt must be taken; older programs do not know all of the rest.
func (p *program) show(f form) error {
	for _, s := range []struct {
		name, value string
		must        bool
	}{
		{"SETTITLE", f.title, false},
		{"SETDESC", f.text, true},
		{"SETPROMPT", f.prompt, true},
		{"SETERROR", f.problem, false},
		{"SETOK", f.ok, false},
		{"SETCANCEL", f.cancel, false},
		{"SETTIMEOUT", strconv.Itoa(int((f.timeout + time.Second - 1) / time.Second)), false},
	} {
		if s.value == "" {
			continue
		}
		ans, err := p.conn.command(s.name, s.value, false)
		if !s.must {
			err = ignoringReply(ans, err)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (p *program) pin(f form) ([]byte, bool, error) {
	if err := p.show(f); err != nil {
		return nil, false, err
	}
	if f.repeat != "" {
		if err := ignoringReply(p.conn.command("SETREPEAT", f.repeat, false)); err != nil {
			return nil, false, err
		}
		if err := ignoringReply(p.conn.command("SETREPEATERROR", f.differ, false)); err != nil {
			return nil, false, err
		}
	}
	ans, err := p.conn.command("GETPIN", "", true)
	return ans.typed, ans.repeated, err
}

func (p *program) confirm(f form) (bool, error) {
	if err := p.show(f); err != nil {
		return false, err
	}
	_, err := p.conn.command("CONFIRM", "", false)
	return err == nil, err
}

// message is MESSAGE, or CONFIRM with one button, which is older.
func (p *program) message(f form) error {
	if err := p.show(f); err != nil {
		return err
	}
	_, err := p.conn.command("MESSAGE", "", false)
	if reply := (*replyError)(nil); errors.As(err, &reply) && reply.code&0xFFFF == codeUnknownCommand {
		_, err = p.conn.command("CONFIRM --one-button", "", false)
	}
	return err
}
