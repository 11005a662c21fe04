// Command eid reads Belgian eID cards, checks what they say, manages their PIN, and makes and verifies signatures.
//
// It parses and wires; the work is done in the packages beside it. Data goes to standard output, everything else to standard
// error. Exit codes are in exit.go.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends what does not listen to the first
	var code int
	if std := (streams{os.Stdin, os.Stdout, os.Stderr}); asWebEID(os.Args) {
		code = runWebEID(ctx, std)
	} else {
		code = run(ctx, os.Args[1:], std)
	}
	stop()
	os.Exit(code)
}

// streams are where a command reads and writes.
type streams struct {
	in  io.Reader
	out io.Writer
	err io.Writer
}

// run is the whole command: it returns the exit code.
func run(ctx context.Context, args []string, s streams) int {
	cmd, a := newRoot(s)
	cmd.SetArgs(args)
	ran, err := cmd.ExecuteContextC(ctx)
	if err != nil && !a.began {
		err = usageError{err}
	}
	return report(s.err, err, ran.CommandPath()+" --help")
}
