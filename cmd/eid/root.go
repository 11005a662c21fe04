package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// app is what all subcommands share: the streams and the global flags.
type app struct {
	streams
	lang    string
	reader  string
	trace   bool
	traceTo io.Writer // for demo: where the trace goes instead of standard error
	config  config
	began   bool // the arguments are right, the work has begun
}

const usageText = `eid reads Belgian eID cards, signs with them, and says what can be trusted of them.

  $ eid read                 who is on the card in the reader
  $ eid read --watch         the same for each card that comes
  $ eid read --json          for programs
  $ eid sign report.pdf      sign with the card: report-signed.pdf
  $ eid verify FILE          who signed it, and is it valid
  $ eid pin status           how many PIN tries are left
  $ eid insurability --card  is the patient insured, and who pays
  $ eid agent                let web pages and programs use the card, if you allow it
  $ eid doctor               why it does not work
  $ eid demo                 all of it without a reader, on a simulated card, in the browser

Data goes to standard output, everything else to standard error. Exit codes: 0 done or
valid, 1 not valid, 2 usage, 3 no reader or card, 4 PIN wrong, blocked or cancelled,
5 network or service unavailable, 6 other failure, 10 not trusted.`

// newRoot builds the command tree.
func newRoot(s streams) (*cobra.Command, *app) {
	a := &app{streams: s}
	root := &cobra.Command{
		Use:           "eid",
		Short:         "Read Belgian eID cards, sign with them, and check signatures",
		Version:       currentVersion().Version,
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
			if a.config, err = loadConfig(); err != nil {
				a.began = true // the arguments are not to blame
			}
			return err
		},
	}
	root.SetIn(s.in)
	root.SetOut(s.out)
	root.SetErr(s.err)
	flags := root.PersistentFlags()
	flags.StringVar(&a.lang, "lang", "", "language of the labels: en, nl, fr or de (default: from the environment)")
	flags.StringVar(&a.reader, "reader", "", "reader to use, or part of its name; testcard:PROFILE for a simulated card")
	flags.BoolVar(&a.trace, "trace", false, "print the commands sent to the card on standard error, PINs left out")
	root.AddCommand(a.readersCommand(), a.readCommand(), a.photoCommand(), a.certsCommand(), a.pinCommand(), a.sisCommand(),
		a.insurabilityCommand(), a.sessionCommand(),
		a.signCommand(), a.timestampCommand(), a.verifyCommand(), a.trustCommand(), a.serveCommand(),
		a.agentCommand(), a.pairCommand(), a.grantsCommand(), a.auditCommand(), a.doctorCommand(), a.testcardCommand(), a.demoCommand(), a.versionCommand())
	a.noteBegin(root)
	return root, a
}

// noteBegin has every subcommand note that its work begins: errors before that are about the arguments.
func (a *app) noteBegin(cmd *cobra.Command) {
	if work := cmd.RunE; work != nil {
		cmd.RunE = func(c *cobra.Command, args []string) error {
			a.began = true
			return work(c, args)
		}
		if cmd.Args == nil {
			cmd.Args = cobra.NoArgs
		}
	}
	for _, sub := range cmd.Commands() {
		a.noteBegin(sub)
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
