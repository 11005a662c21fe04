package main

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"github.com/eidkit/eidkit/testcards"
	"github.com/eidkit/eidkit/verify"
	"github.com/spf13/cobra"
)

func (a *app) demoCommand() *cobra.Command {
	var once bool
	var profile, tamper string
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Read a simulated card: no reader, no service, no network",
		Long: `Read a simulated card inside this program, the way eid read reads a real one, and print the card,
the commands sent and what was verified. The card's test root is given as trust here; eid read
calls the same card untrusted unless --trust names it. --tamper changes one byte of a file
on the card, to see the check fail.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.demo(cmd.Context(), profile, tamper) },
	}
	cmd.Flags().BoolVar(&once, "once", false, "print one card and end")
	cmd.Flags().StringVar(&profile, "profile", "citizen-1.8", "profile of the card (see eid testcard list)")
	cmd.Flags().StringVar(&tamper, "tamper", "", "change a byte on the card first, in: "+strings.Join(tamperNames, ", "))
	return cmd
}

// tamperNames are the files that --tamper can change; tamperFiles says where and at which byte.
var tamperNames = []string{"identity", "address", "photo", "identity-signature", "address-signature"}

var tamperFiles = map[string]struct {
	file   uint16
	offset int
}{
	"identity": {0x4031, 4}, "address": {0x4033, 3}, "photo": {0x4035, 700},
	"identity-signature": {0x4032, 20}, "address-signature": {0x4034, 20},
}

func (a *app) demo(ctx context.Context, profile, tamper string) error {
	sim, err := testcards.Open(profile, testcards.Options{})
	if err != nil {
		return hinted{usageError{err}, "see the profiles with: eid testcard list"}
	}
	if tamper != "" {
		where, ok := tamperFiles[tamper]
		if !ok {
			return usagef("--tamper takes one of %s", strings.Join(tamperNames, ", "))
		}
		content := sim.File(where.file)
		content[where.offset] ^= 1
		sim.SetFile(where.file, content)
	}
	anchors := &verify.Anchors{}
	anchors.Add(sim.Root())
	var trace bytes.Buffer
	a.traceTo = &trace
	s, err := a.openIn(ctx, sim.Reader())
	if err != nil {
		return err
	}
	defer s.Close()
	s.test = sim
	r, err := readCard(ctx, s, readOptions{photo: true, certificates: true, verify: true, challenge: true, anchors: anchors})
	if err != nil {
		return err
	}
	if err := a.printCard(a.out, r); err != nil {
		return err
	}
	fmt.Fprintf(a.out, "\nTEST CARD %s: %d commands, %d bytes from the card, read and verified in %.1f ms\n\n", profile,
		r.stats.Commands, r.stats.Received, float64(r.took.Microseconds())/1000)
	for line := range strings.Lines(trace.String()) {
		fmt.Fprint(a.out, abridged(line))
	}
	return r.outcome()
}

// abridged cuts a long line of the trace: what is in the files is not the point here.
func abridged(line string) string {
	const most = 100
	line = strings.TrimRight(line, "\n")
	if len(line) > most {
		line = fmt.Sprintf("%s… (%d bytes)", line[:most-20], (len(line)-3)/2)
	}
	return line + "\n"
}
