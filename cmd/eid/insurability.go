package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/eidkit/eidkit/agent/patient"
	"github.com/eidkit/eidkit/agent/reading"
	"github.com/eidkit/eidkit/internal/termview"
	"github.com/eidkit/eidkit/niss"
	"github.com/eidkit/eidkit/verify/assurability"
)

// insurabilityFlags are the flags of `eid insurability`.
type insurabilityFlags struct {
	insuranceFlags
	card, sis, invoicing, json        bool
	sam, affiliate, mutuality         string
	date, until, service, contact     string
	reading, reason, document, serial string
	user, reference                   string
	trust                             []string
}

func (a *app) insurabilityCommand() *cobra.Command {
	var f insurabilityFlags
	cmd := &cobra.Command{
		Use:   "insurability [NISS]",
		Short: "Ask the mutualities whether a patient is insured, and who pays",
		Long: `Ask the network of the mutualities whether a patient is insured, under which tariff, and whether the
insurer pays the provider. The patient is the holder of the eID (--card) or SIS card (--sis) in the
reader, which is then held against the network's answer, or is named by number: say with --reading
how it came, and with --reason why if it was typed or on a vignette. Who asks stands in the
configuration ([insurance]), and eid session open comes first: docs/assurability.md.

Exit codes: 0 insured; 1 not insured, third-party payment refused, or deceased; 10 nobody knows the
patient, or several insurers do; 5 no answer. Doubt is never "not insured".`,
		Example: `  eid insurability --card
  eid insurability --sis --sam ACR38
  eid insurability 71.05.01-204.31 --reading barcode --document ISI+
  eid insurability 71050120431 --reading manual --reason "chip does not answer" --date 2026-11-20`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return a.insurability(cmd.Context(), f, args) },
	}
	flags := cmd.Flags()
	flags.BoolVar(&f.card, "card", false, "the holder of the eID card in the reader; no PIN is needed")
	flags.BoolVar(&f.sis, "sis", false, "the holder of the SIS card in the reader")
	flags.StringVar(&f.sam, "sam", "", "reader with the security module that opens a SIS card's insurance data, as in eid sis")
	flags.StringVar(&f.affiliate, "affiliate", "", "number with the mutuality, for a patient who has no national number yet; with --mutuality")
	flags.StringVar(&f.mutuality, "mutuality", "", "the mutuality's 3 digits, with --affiliate")
	flags.StringVar(&f.date, "date", "", "day asked about, YYYY-MM-DD (default: today in Brussels)")
	flags.StringVar(&f.until, "until", "", "last day, for a period; not every provider may ask about one")
	flags.StringVar(&f.service, "service", "", "genins, pharmacist or memberdata (default: the configuration's, else by the provider's quality)")
	flags.StringVar(&f.contact, "contact", "ambulatory", "kind of care: ambulatory, day, hospital or other")
	flags.BoolVar(&f.invoicing, "invoicing", false, "ask for a payment approval too, where the service gives one")
	flags.StringVar(&f.reading, "reading", "", "how a number came: barcode, vignette or manual (default: manual)")
	flags.StringVar(&f.reason, "reason", "", "why there is no chip to read, for --reading vignette and manual")
	flags.StringVar(&f.document, "document", "", "document that the number was on, such as ISI+ or prescription")
	flags.StringVar(&f.serial, "document-number", "", "its number")
	flags.StringVar(&f.user, "user", "", "who asks, for the call log (default: the name in the environment)")
	flags.StringVar(&f.reference, "reference", "", "a reference of your own, up to 25 characters")
	flags.StringArrayVar(&f.trust, "trust", nil, "with --card: trust these root certificates too")
	flags.BoolVar(&f.json, "json", false, "print JSON")
	f.insuranceFlags.add(cmd)
	return cmd
}

// insured is an answer with what belongs to it.
type insured struct {
	patient.Result
	marks []termview.Mark // what the checks of the card came to
}

func (a *app) insurability(ctx context.Context, f insurabilityFlags, args []string) error {
	r := &insured{}
	var err error
	if r.Question, err = a.insurabilityQuestion(f, args); err != nil {
		return err
	}
	s, err := a.insuranceSession(f.insuranceFlags, false)
	if err != nil {
		return err
	}
	defer func() { s.release() }()
	client, err := a.insuranceClient(s.Session)
	if err != nil {
		return err
	}
	if err := a.readPatient(ctx, f, r); err != nil {
		return err
	}
	if r.Answer, err = client.Ask(ctx, r.Question); err != nil {
		return err
	}
	r.Test, r.SessionUntil = r.Test || s.options.Provider.Test, s.Until()
	if f.json {
		err = writeJSON(a.out, r.Document())
	} else {
		err = a.printInsurability(r)
	}
	if err != nil {
		return err
	}
	if errors.Is(r.Answer.Cause, assurability.ErrSession) {
		fmt.Fprintln(a.err, "eid: hint: "+sessionCommandHint)
	} else if !r.SessionUntil.IsZero() && time.Until(r.SessionUntil) < s.options.Margin && !s.options.Unattended {
		a.announceEnd(r.SessionUntil, nil)
	}
	return insurabilityOutcome(r.Answer.Status)
}

// insurabilityOutcome is the exit code of a status.
func insurabilityOutcome(s assurability.Status) error {
	switch s {
	case assurability.Insured:
		return nil
	case assurability.NotInsured, assurability.ThirdPartyRefused, assurability.Deceased:
		return verdict(exitInvalid)
	case assurability.Unavailable:
		return verdict(exitUnavailable)
	}
	return verdict(exitIndeterminate)
}

// insurabilityQuestion is what the arguments ask. Who it is about follows, if that is on a card.
func (a *app) insurabilityQuestion(f insurabilityFlags, args []string) (q assurability.Question, err error) {
	number, affiliate := len(args) == 1, f.affiliate != "" || f.mutuality != ""
	ways := 0
	for _, way := range []bool{number, affiliate, f.card, f.sis} {
		if way {
			ways++
		}
	}
	contact, known := patient.Contacts[f.contact]
	switch {
	case ways != 1:
		return q, usagef("name one patient: by NISS, --card, --sis, or --affiliate with --mutuality")
	case f.sam != "" && !f.sis:
		return q, usagef("--sam goes with --sis")
	case len(f.trust) > 0 && !f.card:
		return q, usagef("--trust goes with --card")
	case (f.card || f.sis) && (f.reading != "" || f.reason != "" || f.document != "" || f.serial != ""):
		return q, usagef("--reading, --reason and --document are for a number; a card says so itself")
	case !known:
		return q, usagef("--contact takes ambulatory, day, hospital or other")
	case f.service != "" && !slices.Contains(insuranceServices, assurability.Service(f.service)):
		return q, usagef("--service takes genins, pharmacist or memberdata")
	}
	q = assurability.Question{Contact: contact, Service: assurability.Service(f.service), Invoicing: f.invoicing, UserReference: strings.ToUpper(f.reference), User: cmp.Or(f.user, environmentUser())}
	if q.From, err = day("--date", f.date); err != nil {
		return q, err
	}
	if q.Until, err = day("--until", f.until); err != nil {
		return q, err
	}
	if number {
		if q.Patient.NISS, err = niss.Parse(args[0]); err != nil {
			return q, usageError{err}
		}
	}
	q.Patient.Affiliate, q.Patient.Mutuality = f.affiliate, f.mutuality
	if number || affiliate {
		q.Reading, err = a.typedReading(f)
	}
	return q, err
}

// typedReading is how a number came that is on no chip.
func (a *app) typedReading(f insurabilityFlags) (r assurability.Reading, err error) {
	r = assurability.Reading{Mode: f.reading, Document: f.document, Number: f.serial, Reason: f.reason}
	if r.Mode == "" {
		r.Mode = "manual"
	}
	if !slices.Contains(patient.Modes, r.Mode) {
		return r, usagef("--reading takes barcode, vignette or manual")
	}
	if slices.Contains(patient.NeedsReason, r.Mode) && r.Reason == "" {
		if f.reading != "" {
			return r, usagef("--reading %s wants a --reason, which has to be kept", r.Mode)
		}
		a.info("warning: why there is no chip to read has to be kept: say it with --reading and --reason")
	}
	return r, nil
}

// day reads a day of the calendar; zero: none is given.
func day(flag, s string) (niss.Date, error) {
	if s == "" {
		return niss.Date{}, nil
	}
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return niss.Date{}, usagef("%s takes a day, YYYY-MM-DD", flag)
	}
	return niss.Date{Year: t.Year(), Month: int(t.Month()), Day: t.Day()}, nil
}

// readPatient reads the card, if the patient is on one.
func (a *app) readPatient(ctx context.Context, f insurabilityFlags, r *insured) (err error) {
	switch {
	case f.card:
		err = a.patientOnEID(ctx, f.trust, r)
	case f.sis:
		err = a.patientOnSIS(ctx, f.sam, r)
	default:
		return nil
	}
	switch {
	case errors.Is(err, patient.ErrForged):
		return hinted{forgedError{err}, "see what is wrong with: eid read"}
	case errors.Is(err, patient.ErrNumber):
		return forgedError{err}
	case err == nil:
		r.Patient.About(&r.Question)
	}
	return err
}

// patientOnEID reads the eID. What fails its checks is nobody's card, and nothing is asked.
func (a *app) patientOnEID(ctx context.Context, trust []string, r *insured) error {
	anchors, err := a.anchors(trust)
	if err != nil {
		return err
	}
	s, err := a.openCard(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	read, err := readCard(ctx, s, reading.Options{Anchors: anchors})
	if err != nil {
		return err
	}
	r.Test, r.marks = read.TestCard, checkMarks(read.Checks)
	for _, w := range read.Warnings {
		r.marks = append(r.marks, termview.Mark{State: termview.Doubtful, Text: w})
	}
	r.Patient, err = patient.OfEID(read)
	return err
}

// patientOnSIS reads the SIS card, with its insurance data if a module opens them.
func (a *app) patientOnSIS(ctx context.Context, sam string, r *insured) error {
	read, err := a.readSIS(ctx, sam)
	if err != nil {
		return err
	}
	r.Test, r.marks = read.test, []termview.Mark{{State: termview.Doubtful, Text: sisTexts["unverified"][a.lang]}}
	if state := read.State(); state != "open" {
		r.marks = append(r.marks, termview.Mark{State: termview.Skipped, Text: sisTexts[state][a.lang]})
	}
	if !read.Image.ValidOn(today(time.Now())) {
		r.marks = append(r.marks, termview.Mark{State: termview.Doubtful, Text: sisTexts["over"][a.lang]})
	}
	for _, w := range read.Image.Warnings {
		r.marks = append(r.marks, termview.Mark{State: termview.Doubtful, Text: a.inLanguage(sisWarnings[w])})
	}
	r.Patient, err = patient.OfSIS(read.SIS)
	return err
}
