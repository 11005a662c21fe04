package pcscdtest

import (
	"os"
	"os/exec"
	"runtime"
	"time"
)

// process is a running program.
type process struct {
	cmd  *exec.Cmd
	done chan struct{}
	err  error // how it ended; set before done is closed
}

// startProcess starts pcscd in the foreground, so that it has no life of its own. What it says goes to the file output.
func startProcess(program, output string) (*process, error) {
	file, err := os.OpenFile(output, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	p := &process{cmd: exec.Command(program, "--foreground"), done: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = file, file
	dieWithParent(p.cmd)
	started := make(chan error, 1)
	go func() {
		defer file.Close()
		// Linux ends the child with the thread that started it, so that thread stays.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := p.cmd.Start()
		started <- err
		if err == nil {
			p.err = p.cmd.Wait()
			close(p.done)
		}
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return p, nil
}

// end asks the process to end, or makes it, and waits until it is gone.
func (p *process) end(signal os.Signal) {
	_ = p.cmd.Process.Signal(signal)
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-p.done:
	case <-timer.C:
		_ = p.cmd.Process.Kill()
		<-p.done
	}
}
