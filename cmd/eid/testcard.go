package main

import (
	"bufio"
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/eidkit/eidkit/card"
	"github.com/eidkit/eidkit/card/pcsc"
	"github.com/eidkit/eidkit/testcards"
	"github.com/eidkit/eidkit/testcards/vpcd"
	"github.com/spf13/cobra"
)

func (a *app) testcardCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "testcard",
		Short: "Simulated cards, for trying and testing without a real one",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.testcardListCommand(), a.testcardServeCommand(), a.testcardNetworkCommand())
	return cmd
}

// profileInfo is one profile in the JSON of `eid testcard list` (docs/schema/testcards.json).
type profileInfo struct {
	Name        string `json:"name"`
	Applet      string `json:"applet,omitempty"`
	Kind        string `json:"kind,omitempty"` // sis, sisModule; absent for an eID
	Description string `json:"description"`
}

func (a *app) testcardListCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the profiles",
		RunE: func(*cobra.Command, []string) error {
			list := struct {
				Schema   int           `json:"schema"`
				Profiles []profileInfo `json:"profiles"`
			}{Schema: 1}
			for _, p := range testcards.Profiles() {
				list.Profiles = append(list.Profiles, profileInfo{Name: p.Name, Applet: p.Applet, Description: p.Description})
			}
			list.Profiles = append(append(list.Profiles, patientProfiles()...), sisProfiles()...)
			if asJSON {
				return writeJSON(a.out, list)
			}
			for _, p := range list.Profiles {
				what := "applet " + p.Applet
				if p.Kind != "" {
					what = "SIS"
				}
				fmt.Fprintf(a.out, "%-24s %-10s  %s\n", p.Name, what, p.Description)
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// served is what `eid testcard serve` says of each card it puts in (docs/schema/serve.json).
type served struct {
	Schema  int    `json:"schema"`
	Profile string `json:"profile"`
	PIN     string `json:"pin,omitempty"`
	PUK     string `json:"puk,omitempty"`
	Root    string `json:"root,omitempty"`
	VPCD    string `json:"vpcd"`
}

func (a *app) testcardServeCommand() *cobra.Command {
	var profiles, addresses []string
	var seed uint64
	var rootFile string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "serve --profile NAME",
		Short: "Put a simulated card in this machine's smart card service",
		Long: `Put a simulated card in this machine's smart card service (pcscd with the vpcd driver, Debian
package vsmartcard-vpcd) until interrupted: every program then finds it in a reader. Give
--profile twice for two cards. Lines typed meanwhile: r takes the card out, i puts it in
again, q ends. The test root that its certificates end in is written to a file, for --trust.`,
		Example: "  eid testcard serve --profile citizen-1.8\n  eid read --trust FILE    (in another terminal; the file is printed)",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if len(profiles) == 0 {
				return hinted{usagef("--profile is missing"), "see the profiles with: eid testcard list"}
			}
			if rootFile != "" && len(profiles) > 1 {
				return usagef("--root takes one card")
			}
			for len(addresses) < len(profiles) {
				addresses = append(addresses, defaultVPCD(len(addresses)))
			}
			s := server{app: a, asJSON: asJSON, rootFile: rootFile}
			defer s.removeAll()
			for i, name := range profiles {
				if err := s.add(cmd.Context(), name, addresses[i], seed+uint64(i)); err != nil {
					return err
				}
			}
			return s.run(cmd.Context())
		},
	}
	cmd.Flags().StringArrayVar(&profiles, "profile", nil, "profile of the card (see eid testcard list)")
	cmd.Flags().StringArrayVar(&addresses, "vpcd", nil, "address of the virtual reader, HOST:PORT (default 127.0.0.1:35963, then 35964)")
	cmd.Flags().Uint64Var(&seed, "seed", 0, "another seed gives another person, serial and keys")
	cmd.Flags().StringVar(&rootFile, "root", "", "where to write the test root (default: the user's cache folder)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON, a line a card")
	return cmd
}

// defaultVPCD is the address of the nth slot of the vpcd driver.
func defaultVPCD(n int) string { return fmt.Sprintf("127.0.0.1:%d", 35963+n) }

// server holds the cards of one `eid testcard serve`.
type server struct {
	*app
	asJSON   bool
	rootFile string
	slots    []*slot
}

type slot struct {
	address string
	card    vpcd.Chip
	link    *vpcd.Link
}

func (s *server) add(ctx context.Context, profile, address string, seed uint64) error {
	info := served{Schema: 1, Profile: profile, VPCD: address}
	chip, err := s.open(&info, profile, seed)
	if err != nil {
		return err
	}
	// Asking for the readers starts a service that waits for its first program. A build without PC/SC cannot ask.
	if _, err := pcsc.Readers(ctx); err != nil && !errors.Is(err, card.ErrUnsupported) {
		return err
	}
	link, err := vpcd.Insert(ctx, address, chip)
	if errors.Is(err, vpcd.ErrNoDriver) {
		return hinted{err, "sudo apt install vsmartcard-vpcd, then " + serviceRestart()}
	}
	if err != nil {
		return err
	}
	s.slots = append(s.slots, &slot{address, chip, link})
	if s.asJSON {
		return json.NewEncoder(s.out).Encode(info)
	}
	fmt.Fprintf(s.out, "TEST CARD  %s is in the reader at %s\n", info.Profile, info.VPCD)
	for _, row := range [][2]string{{"PIN", info.PIN}, {"PUK", info.PUK}, {"test root", info.Root}} {
		if row[1] != "" {
			fmt.Fprintf(s.out, "%-9s  %s\n", row[0], row[1])
		}
	}
	return nil
}

// open makes the card of a profile and says what belongs to it.
func (s *server) open(info *served, profile string, seed uint64) (vpcd.Chip, error) {
	if chip, ok := openSISProfile(profile); ok {
		return chip, nil
	}
	sim, err := openSimulated(profile, seed)
	if err != nil {
		return nil, hinted{usageError{err}, "see the profiles with: eid testcard list"}
	}
	info.PIN, info.PUK = testcards.PIN, puk(sim)
	if info.Root, err = s.writeRoot(profile, seed, sim.Root()); err != nil {
		return nil, fmt.Errorf("writing the test root: %w", err)
	}
	return sim, nil
}

// puk is the PUK of a card whose applet has one.
func puk(sim *testcards.Card) string {
	if sim.Profile().Applet < "1.8" {
		return testcards.PUK
	}
	return ""
}

// writeRoot writes the root certificate of the card's test PKI for --trust.
func (s *server) writeRoot(profile string, seed uint64, root *x509.Certificate) (string, error) {
	path := s.rootFile
	if path == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return "", err
		}
		path = filepath.Join(cache, "eidkit", "testcards", fmt.Sprintf("%s-%d-root.pem", profile, seed))
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return "", err
	}
	return path, os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.Raw}), 0o644)
}

// run serves until ctx ends, q is typed or the reader goes away.
func (s *server) run(ctx context.Context) error {
	lines := make(chan string)
	go func() {
		defer close(lines)
		for scan := bufio.NewScanner(s.in); scan.Scan(); {
			select {
			case lines <- strings.TrimSpace(scan.Text()):
			case <-ctx.Done():
				return
			}
		}
	}()
	for {
		select {
		case <-ctx.Done():
			return nil
		case line, ok := <-lines:
			if !ok { // no more input: serve on
				lines = nil
				continue
			}
			if line == "q" {
				return nil
			}
			if err := s.command(ctx, line); err != nil {
				return err
			}
		case <-s.gone():
			return errors.New("the virtual reader went away: pcscd stopped")
		}
	}
}

// command is one typed line: r or i, for all cards.
func (s *server) command(ctx context.Context, line string) error {
	switch line {
	case "r":
		s.removeAll()
		s.info("removed")
	case "i":
		for _, slot := range s.slots {
			if slot.link == nil {
				var err error
				if slot.link, err = vpcd.Insert(ctx, slot.address, slot.card); err != nil {
					return err
				}
			}
		}
		s.info("inserted")
	case "":
	default:
		s.info("r takes the card out, i puts it in again, q ends")
	}
	return nil
}

// gone is closed when the first card's link has ended by itself; nil while there is none.
func (s *server) gone() <-chan struct{} {
	for _, slot := range s.slots {
		if slot.link != nil {
			return slot.link.Done()
		}
	}
	return nil
}

func (s *server) removeAll() {
	for _, slot := range s.slots {
		if slot.link != nil {
			slot.link.Remove()
			slot.link = nil
		}
	}
}
