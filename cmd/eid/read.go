package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/eidkit/eidkit/agent/reading"
	"github.com/eidkit/eidkit/card"
	"github.com/eidkit/eidkit/card/beid"
	"github.com/eidkit/eidkit/card/pcsc"
	"github.com/eidkit/eidkit/internal/termview"
	"github.com/eidkit/eidkit/verify"
	"github.com/eidkit/eidkit/verify/carddata"
	"github.com/spf13/cobra"
)

// readFlags are the flags of `eid read`.
type readFlags struct {
	trust                                []string
	json, xml, csv                       bool
	eidFile, photoFile, file             string
	noPhoto, noVerify, watch, challenges bool
	revocation                           bool
}

func (a *app) readCommand() *cobra.Command {
	var f readFlags
	cmd := &cobra.Command{
		Use:   "read",
		Short: "Read the card and check what it says",
		Long: `Read the card and check what it says: the national register's signatures over identity and
address, the photo's hash, the chip's number and key, and the chain of certificates up to a
Belgian root. No PIN is needed. Exit code 0: all held; 10: only the chain is not trusted;
1: a check failed.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.read(cmd.Context(), f) },
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&f.trust, "trust", nil, "trust these root certificates too: a PEM or DER file, or a folder of them")
	flags.BoolVar(&f.json, "json", false, "print JSON (docs/schema/read.json)")
	flags.BoolVar(&f.xml, "xml", false, "print the viewer's XML")
	flags.BoolVar(&f.csv, "csv", false, "print the viewer's CSV")
	flags.StringVar(&f.eidFile, "eid", "", "save as the viewer's .eid file")
	flags.StringVar(&f.photoFile, "photo", "", "save the photo as a JPEG file")
	flags.BoolVar(&f.noPhoto, "no-photo", false, "leave the photo on the card")
	flags.BoolVar(&f.noVerify, "no-verify", false, "check nothing")
	flags.BoolVar(&f.challenges, "challenge", false, "have the chip prove that it is no copy (cards since 2021)")
	flags.BoolVar(&f.revocation, "revocation", false, "ask whether the national register's certificate has been revoked (network)")
	flags.StringVar(&f.file, "file", "", "read a saved card (.eid, .csv, .xml, .json) instead of one in a reader")
	flags.BoolVar(&f.watch, "watch", false, "wait for cards and read each")
	cmd.MarkFlagsMutuallyExclusive("json", "xml", "csv")
	cmd.MarkFlagsMutuallyExclusive("photo", "no-photo")
	cmd.MarkFlagsMutuallyExclusive("file", "watch")
	cmd.MarkFlagsMutuallyExclusive("file", "challenge")
	cmd.MarkFlagsMutuallyExclusive("challenge", "no-verify")
	cmd.MarkFlagsMutuallyExclusive("revocation", "no-verify")
	cmd.MarkFlagsMutuallyExclusive("watch", "eid")
	cmd.MarkFlagsMutuallyExclusive("watch", "photo")
	return cmd
}

func (a *app) read(ctx context.Context, f readFlags) error {
	anchors, err := a.anchors(f.trust)
	if err != nil {
		return err
	}
	switch {
	case f.file != "":
		return a.readFile(ctx, f, anchors)
	case f.watch && strings.HasPrefix(a.reader, testcardPrefix):
		return usagef("--watch waits for cards in real readers; a simulated one is always there")
	case f.watch:
		return a.watchCards(ctx, f, anchors)
	}
	s, err := a.openCard(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	return a.readOne(ctx, s, f, anchors)
}

// readOne reads the card of s and prints it as asked.
func (a *app) readOne(ctx context.Context, s *session, f readFlags, anchors *verify.Anchors) error {
	o := reading.Options{Address: true, Photo: !f.noPhoto, Certificates: f.json || f.xml || f.csv || f.eidFile != "", Unverified: f.noVerify,
		Challenge: f.challenges, Anchors: anchors}
	bar := a.newProgress()
	if bar.w != nil {
		o.Progress = bar.step
	}
	r, err := readCard(ctx, s, o)
	bar.done()
	if err != nil {
		return err
	}
	return a.finish(ctx, r, f, anchors)
}

// readCard reads the card of s and judges it.
func readCard(ctx context.Context, s *session, o reading.Options) (*reading.Reading, error) {
	r, err := reading.Read(ctx, s.Card, o)
	if err != nil {
		return nil, err
	}
	r.TestCard = r.TestCard || s.test != nil
	r.Commands, r.Took = s.trace.Stats().Commands, time.Since(s.begun)
	return r, nil
}

// finish saves and prints what was read, as asked, and judges it.
func (a *app) finish(ctx context.Context, r *reading.Reading, f readFlags, anchors *verify.Anchors) error {
	if f.revocation {
		v, err := a.verifier(verifyFlags{})
		if err != nil {
			return err
		}
		defer v.Close()
		if err := r.Checks.AskRevocation(ctx, v, carddata.Options{Anchors: anchors, Time: r.Checked}); err != nil {
			return err
		}
	}
	if err := a.save(r, f); err != nil {
		return err
	}
	if err := a.print(r, f); err != nil {
		return err
	}
	return a.judge(r)
}

// verdictOf is the exit code's verdict: nil when everything held, or when nothing was to be verified.
func verdictOf(r *reading.Reading) error {
	switch {
	case r.Checks == nil:
		return nil
	case r.Failed():
		return verdict(exitInvalid)
	case !r.Trusted():
		return verdict(exitIndeterminate)
	}
	return nil
}

// judge is the outcome of r, with a hint where something can be done about it.
func (a *app) judge(r *reading.Reading) error {
	err := verdictOf(r)
	if err == verdict(exitIndeterminate) && r.Checks.Path == nil && r.Checks.Chain.Status == carddata.Untrusted && r.Checks.Identity.Status == carddata.Held {
		fmt.Fprintln(a.err, "eid: hint: its own checks hold, but its root is none of Belgium's; a root that you know is trusted with: --trust FILE")
	}
	return err
}

func (a *app) print(r *reading.Reading, f readFlags) error {
	switch {
	case f.json:
		d, err := r.Document()
		if err != nil {
			return err
		}
		if f.watch { // JSON Lines
			return json.NewEncoder(a.out).Encode(d)
		}
		return writeJSON(a.out, d)
	case f.xml, f.csv:
		c, err := r.Card()
		if err != nil {
			return err
		}
		if f.csv {
			return c.WriteCSV(a.out)
		}
		return c.WriteXML(a.out)
	}
	return a.printCard(a.out, r)
}

// save writes the files asked for.
func (a *app) save(r *reading.Reading, f readFlags) error {
	if f.photoFile != "" {
		err := fmt.Errorf("the photo: %w", card.ErrNotFound)
		if len(r.Files.Photo) > 0 {
			err = a.writeFile(f.photoFile, r.Files.Photo)
		}
		if err != nil {
			return fmt.Errorf("saving the photo: %w", err)
		}
	}
	if f.eidFile != "" {
		c, err := r.Card()
		if err != nil {
			return err
		}
		var xml bytes.Buffer
		if err := c.WriteXML(&xml); err != nil {
			return fmt.Errorf("saving the card: %w", err)
		}
		if err := a.writeFile(f.eidFile, xml.Bytes()); err != nil {
			return fmt.Errorf("saving the card: %w", err)
		}
		a.info("this form carries no signatures: what is read from it cannot be verified")
	}
	return nil
}

// watchCards reads every card that comes until ctx ends. A card that cannot be read is reported, and the next one waited for.
func (a *app) watchCards(ctx context.Context, f readFlags, anchors *verify.Anchors) error {
	if !f.json {
		a.info("waiting for cards; end with Ctrl-C")
	}
	err := card.Watch(ctx, pcsc.System(), func(e card.Event) error {
		switch e.Kind {
		case card.CardInserted:
			if !a.wants(e.Reader) {
				return nil
			}
			var v verdict
			if err := a.readInserted(ctx, e, f, anchors); err != nil && !errors.As(err, &v) && ctx.Err() == nil {
				report(a.err, err, "eid read --help")
			}
		case card.CardMute:
			if !a.wants(e.Reader) {
				return nil
			}
			report(a.err, fmt.Errorf("%s: %w", termview.Clean(e.Reader), card.ErrMute), "eid read --help")
		case card.ServiceLost:
			a.info("the smart card service is gone; waiting for it")
		case card.ServiceFound:
			a.info("the smart card service is back")
		}
		return nil
	})
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

func (a *app) readInserted(ctx context.Context, e card.Event, f readFlags, anchors *verify.Anchors) error {
	s, err := a.openState(ctx, card.ReaderState{Name: e.Reader, Card: card.Present, ATR: e.ATR})
	if err != nil {
		return err
	}
	defer s.Close()
	return a.readOne(ctx, s, f, anchors)
}

// progress shows on a terminal who is on the card, as soon as that is known, and what is being read.
type progress struct {
	w     io.Writer // nil: not shown
	shown bool
}

func (a *app) newProgress() *progress {
	if isTerminal(a.err) {
		return &progress{w: a.err}
	}
	return &progress{}
}

func (p *progress) step(file string, id *beid.Identity, proven bool) {
	if id == nil {
		return
	}
	p.shown = true
	mark := ""
	if proven {
		mark = "✓ "
	}
	fmt.Fprintf(p.w, "\r\x1b[K%s%s %s  %s  … %s", mark, termview.Clean(id.GivenNames), termview.Clean(id.Surname),
		formatNumber(termview.Clean(id.NationalNumber)), file)
}

func (p *progress) done() {
	if p.shown {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}
