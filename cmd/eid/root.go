package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// app is what all subcommands share: the streams and the global flags.
type app struct {
	streams
	lang   string
	reader string
	trace  bool
	config config
}

const usageText = `eid reads Belgian eID cards and says what can be trusted of them.

  $ eid read                 who is on the card in the reader
  $ eid read --watch         the same for each card that comes
  $ eid read --json          for programs
  $ eid pin status           how many PIN tries are left
  $ eid doctor               why it does not work
  $ eid demo --once          all of it without a reader, on a simulated card

Data goes to standard output, everything else to standard error. Exit codes: 0 done or
valid, 1 not valid, 2 usage, 3 no reader or card, 4 PIN wrong, blocked or cancelled,
6 other failure, 10 not trusted.`

func newRoot(s streams) *cobra.Command {
	a := &app{streams: s}
	root := &cobra.Command{
		Use:           "eid",
		Short:         "Read Belgian eID cards and check what they say",
		Long:          usageText,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			if a.lang = language(a.lang); a.lang == "" {
				return usagef("--lang takes en, nl, fr or de")
			}
			var err error
			a.config, err = loadConfig()
			return err
		},
	}
	root.SetIn(s.in)
	root.SetOut(s.out)
	root.SetErr(s.err)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	flags := root.PersistentFlags()
	flags.StringVar(&a.lang, "lang", "", "language of the labels: en, nl, fr or de (default: from the environment)")
	flags.StringVar(&a.reader, "reader", "", "reader to use, or part of its name; testcard:PROFILE for a simulated card")
	flags.BoolVar(&a.trace, "trace", false, "print the commands sent to the card on standard error, PINs left out")
	root.AddCommand(a.readersCommand(), a.readCommand(), a.photoCommand(), a.certsCommand(), a.pinCommand(),
		a.doctorCommand(), a.testcardCommand(), a.demoCommand(), a.versionCommand())
	wrapArgs(root)
	return root
}

// wrapArgs makes wrong positional arguments and unknown subcommands usage errors.
func wrapArgs(cmd *cobra.Command) {
	check := cmd.Args
	if check == nil {
		check = cobra.NoArgs
	}
	cmd.Args = func(c *cobra.Command, args []string) error {
		if err := check(c, args); err != nil {
			return usageError{err}
		}
		return nil
	}
	for _, sub := range cmd.Commands() {
		wrapArgs(sub)
	}
}

// language is the one asked for, or that of the environment, or English; "" if the one asked for is none of ours.
func language(asked string) string {
	known := func(s string) string {
		for _, l := range []string{"en", "nl", "fr", "de"} {
			if strings.EqualFold(s, l) {
				return l
			}
		}
		return ""
	}
	if asked != "" {
		return known(asked)
	}
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if v := os.Getenv(name); v != "" {
			if l := known(v[:min(2, len(v))]); l != "" {
				return l
			}
			return "en"
		}
	}
	return "en"
}

// info prints a line on standard error.
func (a *app) info(format string, args ...any) { fmt.Fprintf(a.err, "eid: "+format+"\n", args...) }

// isTerminal tells whether a stream is a terminal.
func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
