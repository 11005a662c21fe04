package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/eidkit/eidkit/agent/protocol"
	"github.com/eidkit/eidkit/agent/reading"
	"github.com/eidkit/eidkit/testcards"
	"github.com/eidkit/eidkit/verify"
	"github.com/spf13/cobra"
)

// demoFlags are those of `eid demo`.
type demoFlags struct {
	once, json      bool
	profile, tamper string
	port, sitePort  uint16
	browser, log    string
	policy          string
}

// defaultSitePort is the portal's.
const defaultSitePort = 24395

func (a *app) demoCommand() *cobra.Command {
	var f demoFlags
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Everything without a reader: a simulated card, the agent, a portal to log in to and sign on",
		Long: `Run everything inside this program: a simulated card in a simulated reader, whose PIN is entered by
itself; the agent; the services behind the cards; and a municipality's portal where a citizen logs
in, signs a declaration and gets a receipt. Open the address printed in a browser of this machine.
While it runs, type the number or name of a card to put it in (0: take it out; with + before it: in a
second reader), p for new addresses, down and up for the insurers' services, c for the number of
commands that the cards have got.

With --once, read the card the way eid read does, print it with the commands sent and what was
verified, see that agent and portal answer, and end. The card's test root is given as trust here; eid
read calls the same card untrusted unless --trust names it. --tamper changes one byte of a file on
the card, to see the check fail.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.once || f.tamper != "" {
				return a.demoOnce(cmd.Context(), f)
			}
			return a.demoRun(cmd.Context(), f)
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&f.once, "once", false, "print one card and end")
	flags.StringVar(&f.profile, "profile", "citizen-1.8", "profile of the card (see eid testcard list)")
	flags.StringVar(&f.tamper, "tamper", "", "with --once: change a byte on the card first, in: "+strings.Join(tamperNames, ", "))
	flags.Uint16Var(&f.port, "port", protocol.Port, "port of the agent; 0 takes a free one")
	flags.Uint16Var(&f.sitePort, "site-port", defaultSitePort, "port of the portal; 0 takes a free one")
	flags.StringVar(&f.browser, "browser", "", "program that shows what the agent asks; none: print the address (default: the system's)")
	flags.StringVar(&f.policy, "policy", "", "policy file for the agent (default: none)")
	flags.StringVar(&f.log, "log", "warn", "what the agent tells on standard error: debug, info, warn or error")
	flags.BoolVar(&f.json, "json", false, "print JSON lines: the addresses, then pages that the agent wants to show")
	return cmd
}

// demoRun runs it all until it is interrupted.
func (a *app) demoRun(ctx context.Context, f demoFlags) error {
	d, err := a.startDemo(ctx, f)
	if err != nil {
		return err
	}
	defer d.close()
	return d.run(ctx, f.json)
}

// demoOnce prints a card, and sees that the rest answers.
func (a *app) demoOnce(ctx context.Context, f demoFlags) error {
	verdict := a.demoCard(ctx, f.profile, f.tamper)
	if f.tamper != "" {
		return verdict
	}
	f.port, f.sitePort, f.browser = 0, 0, noBrowser
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	d, err := a.startDemo(ctx, f)
	if err != nil {
		return err
	}
	defer d.close()
	ended := make(chan error, 2)
	go func() { ended <- d.agent.serve(ctx, d.listeners) }()
	go func() { ended <- d.site.Serve(d.door) }()
	i, err := d.info()
	if err != nil {
		return err
	}
	for _, url := range []string{i.Agent + "/healthz", i.Portal} {
		if err := answers(ctx, url); err != nil {
			return err
		}
	}
	fmt.Fprintf(a.out, "\nThe agent and the portal answer. See them in a browser with: eid demo\n")
	return verdict
}

// answers sees that a page is there.
func answers(ctx context.Context, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, resp.Status)
	}
	return nil
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

// demoCard reads a simulated card and prints it.
func (a *app) demoCard(ctx context.Context, profile, tamper string) error {
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
	r, err := readCard(ctx, s, reading.Options{Address: true, Photo: true, Certificates: true, Challenge: true, Anchors: anchors})
	if err != nil {
		return err
	}
	if err := a.printCard(a.out, r); err != nil {
		return err
	}
	fmt.Fprintf(a.out, "\nTEST CARD %s: %d commands, %d bytes from the card, read and verified in %.1f ms\n\n", profile,
		r.Commands, s.trace.Stats().Received, float64(r.Took.Microseconds())/1000)
	for line := range strings.Lines(trace.String()) {
		fmt.Fprint(a.out, abridged(line))
	}
	return verdictOf(r)
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
