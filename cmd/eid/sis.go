package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/eidkit/eidkit/agent/patient"
	"github.com/eidkit/eidkit/card"
	"github.com/eidkit/eidkit/card/pcsc"
	"github.com/eidkit/eidkit/card/sis"
	"github.com/eidkit/eidkit/testcards"
	testsis "github.com/eidkit/eidkit/testcards/sis"
	"github.com/eidkit/eidkit/testcards/vpcd"
)

// testModulePrefix in --sam names a simulated security module, by its provider.
const testModulePrefix = "testcard:"

func (a *app) sisCommand() *cobra.Command {
	var sam string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "sis",
		Short: "Read a SIS card, the social security card of before 2017",
		Long: `Read a SIS card: whose it is, its validity, and the insurance as on the card. A SIS card proves
nothing, and its insurance data were not kept up to date after 2013: the network decides
(eid insurability). The insurance data are enciphered: --sam names the reader with the care
provider's security module. Those of real providers are not known to this program, only simulated
ones. Without it all else is read. Exit code 1 says that something on the card is not right.`,
		Example: "  eid sis\n  eid --reader testcard:sis-ordinary sis --sam testcard:10000101",
		RunE: func(cmd *cobra.Command, _ []string) error {
			r, err := a.readSIS(cmd.Context(), sam)
			if err != nil {
				return err
			}
			if asJSON {
				err = writeJSON(a.out, r.document(time.Now()))
			} else {
				err = a.printSIS(r, time.Now())
			}
			if err == nil && r.wrong() {
				return verdict(exitInvalid)
			}
			return err
		},
	}
	cmd.Flags().StringVar(&sam, "sam", "", "reader with the security module, or part of its name; testcard:PROVIDER for a simulated one")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// sisReading is a SIS card that was read.
type sisReading struct {
	*patient.SIS
	test bool
}

// wrong tells whether a check failed, as against something that is only unusual.
func (r *sisReading) wrong() bool {
	return slices.ContainsFunc(r.Image.Warnings, func(w sis.Warning) bool {
		return w == sis.NumberWrong || w == sis.NumberDiffers || w == sis.CopiesDiffer || w == sis.DateWrong
	})
}

// readSIS reads the card, and its insurance data by the module in the reader sam, if one is named.
func (a *app) readSIS(ctx context.Context, sam string) (*sisReading, error) {
	r := &sisReading{SIS: &patient.SIS{}}
	var err error
	if name, ok := strings.CutPrefix(a.reader, testcardPrefix); ok {
		r.test = true
		r.Image, err = a.readTestSIS(ctx, name)
	} else {
		r.Image, err = a.findSIS(ctx, sam)
	}
	if err != nil || sam == "" {
		return r, err
	}
	reader, err := a.moduleReader(ctx, sam)
	if err != nil {
		return nil, err
	}
	return r, r.Unseal(ctx, a.traced(reader))
}

// traced is a reader with its commands printed if that was asked for.
func (a *app) traced(r card.Reader) card.Reader {
	t := &card.Trace{Out: a.traceTo}
	if a.traceTo == nil && a.trace {
		t.Out = a.err
	}
	return t.Reader(r)
}

func (a *app) readTestSIS(ctx context.Context, profile string) (*sis.Image, error) {
	c, err := testsis.Open(profile, testsis.PCSC)
	if err != nil {
		return nil, hinted{usageError{err}, "see the profiles with: eid testcard list"}
	}
	return sis.Read(ctx, a.traced(simulated(c)))
}

func simulated(c testcards.Chip) card.Reader {
	r := testcards.NewReader("eidkit test reader", testcards.ReaderOptions{})
	r.Insert(c)
	return r
}

// findSIS reads the first SIS card there is, in the reader asked for or in any but that of the module. What is said of an empty
// reader gives way to what is said of one with a card.
func (a *app) findSIS(ctx context.Context, sam string) (*sis.Image, error) {
	states, err := pcsc.Readers(ctx)
	if err != nil {
		return nil, err
	}
	problem := card.ErrNoReader
	for _, s := range a.usable(states) {
		if sam != "" && strings.Contains(strings.ToLower(s.Name), strings.ToLower(sam)) {
			continue
		}
		im, err := sis.Read(ctx, a.traced(pcsc.Named(s.Name)))
		if err == nil || ctx.Err() != nil {
			return im, err
		}
		if !errors.Is(err, card.ErrNoCard) || errors.Is(problem, card.ErrNoReader) {
			problem = err
		}
	}
	return nil, problem
}

func (a *app) moduleReader(ctx context.Context, sam string) (card.Reader, error) {
	if provider, ok := strings.CutPrefix(sam, testModulePrefix); ok {
		var number uint32
		if _, err := fmt.Sscanf(provider, "%d", &number); err != nil {
			return nil, usagef("--sam %s: the number of a provider is wanted", sam)
		}
		return simulated(testsis.NewModule(number)), nil
	}
	return pcsc.OpenWith(ctx, pcsc.Options{Name: sam})
}

// sisModule begins the profiles of security modules, which end in the provider's number.
const sisModule = "sis-module-"

// sisProfiles lists the simulated SIS cards and security modules.
func sisProfiles() []profileInfo {
	var list []profileInfo
	for _, p := range testsis.Profiles() {
		list = append(list, profileInfo{Name: p.Name, Kind: "sis", Description: p.Description})
	}
	for _, provider := range testsis.Providers {
		list = append(list, profileInfo{Name: fmt.Sprint(sisModule, provider), Kind: "sisModule", Description: "security module of a care provider"})
	}
	return list
}

// openSISProfile makes such a card, for a reader that knows memory cards; false if the profile is another.
func openSISProfile(name string) (vpcd.Chip, bool) {
	for _, provider := range testsis.Providers {
		if name == fmt.Sprint(sisModule, provider) {
			return testsis.NewModule(provider), true
		}
	}
	c, err := testsis.Open(name, testsis.PCSC)
	return c, err == nil
}
