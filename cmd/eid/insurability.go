package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/eidkit/eidkit/card/beid"
	"github.com/eidkit/eidkit/internal/termview"
	"github.com/eidkit/eidkit/niss"
	"github.com/eidkit/eidkit/verify/assurability"
	"github.com/eidkit/eidkit/verify/carddata"
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

// Modes of reading, and those that need a reason.
var (
	readingModes = []string{"barcode", "vignette", "manual"}
	reasonModes  = []string{"vignette", "manual"}
)

// contactWords are the kinds of care, as they are typed.
var contactWords = map[string]assurability.Contact{"ambulatory": assurability.Ambulatory, "day": assurability.DayHospital,
	"hospital": assurability.Hospitalised, "other": assurability.OtherContact}

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

// patientCard is the card that the patient was read from.
type patientCard struct {
	on    assurability.OnCard
	given string           // all given names
	marks []termview.Mark  // what its checks came to
	doc   insurabilityCard // for JSON
}

// insured is an answer with what belongs to it.
type insured struct {
	question    assurability.Question
	answer      *assurability.Answer
	card        *patientCard // nil: none was read
	differences []assurability.Difference
	test        bool // the messages are tests, or the card is simulated
	sessionEnd  time.Time
}

func (a *app) insurability(ctx context.Context, f insurabilityFlags, args []string) error {
	r := &insured{}
	var err error
	if r.question, err = a.insurabilityQuestion(f, args); err != nil {
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
	if r.answer, err = client.Ask(ctx, r.question); err != nil {
		return err
	}
	if r.card != nil {
		r.card.on.FirstName = firstNameAs(r.card.given, r.answer.Person.FirstName)
		r.differences = assurability.Reconcile(r.card.on, r.answer)
	}
	r.test, r.sessionEnd = r.test || s.options.Provider.Test, s.Until()
	if f.json {
		err = writeJSON(a.out, r.document())
	} else {
		err = a.printInsurability(r)
	}
	if err != nil {
		return err
	}
	if errors.Is(r.answer.Cause, assurability.ErrSession) {
		fmt.Fprintln(a.err, "eid: hint: "+sessionCommandHint)
	} else if !r.sessionEnd.IsZero() && time.Until(r.sessionEnd) < s.options.Margin && !s.options.Unattended {
		a.announceEnd(r.sessionEnd, nil)
	}
	return insurabilityOutcome(r.answer.Status)
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
	contact, known := contactWords[f.contact]
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
	q = assurability.Question{Contact: contact, Service: assurability.Service(f.service), Invoicing: f.invoicing, UserReference: strings.ToUpper(f.reference), User: f.user}
	for _, name := range []string{"USER", "USERNAME", "LOGNAME"} {
		if q.User == "" {
			q.User = os.Getenv(name)
		}
	}
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
	if !slices.Contains(readingModes, r.Mode) {
		return r, usagef("--reading takes barcode, vignette or manual")
	}
	if slices.Contains(reasonModes, r.Mode) && r.Reason == "" {
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
	if err != nil {
		return err
	}
	if r.question.Patient.NISS == "" {
		return forgedError{errors.New("the national number on the card is not right: nobody can be asked about")}
	}
	return nil
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
	read, err := readCard(ctx, s, readOptions{verify: true, anchors: anchors})
	if err != nil {
		return err
	}
	if read.checks.Failed() {
		return hinted{forgedError{errors.New("the data on the card fail their checks: nothing is asked about its holder")}, "see what is wrong with: eid read"}
	}
	id := read.identity
	number, _ := niss.Parse(id.NationalNumber) // none: readPatient says so
	p := &patientCard{given: id.GivenNames, marks: checkMarks(read.checks),
		on:  assurability.OnCard{NISS: number, Surname: id.Surname, Birth: wholeDate(niss.Date{Year: id.Birth.Year, Month: id.Birth.Month, Day: id.Birth.Day}), Sex: eidSex(id)},
		doc: insurabilityCard{Kind: "eid", Number: id.CardNumber, Authentic: read.checks.Identity.Status == carddata.Held && read.checks.Chain.Status == carddata.Held}}
	r.card, r.test = p, read.test
	r.question.Patient.NISS = number
	r.question.Reading = assurability.Reading{Mode: "chip", Document: "eID", Number: id.CardNumber}
	for _, w := range read.warnings {
		p.marks = append(p.marks, termview.Mark{State: termview.Doubtful, Text: w})
	}
	return nil
}

func eidSex(id *beid.Identity) niss.Sex {
	switch id.Sex.Label("en") {
	case "M":
		return niss.Male
	case "F":
		return niss.Female
	}
	return niss.Unknown
}

// wholeDate is a birth date that can be compared: of some, only the year is known.
func wholeDate(d niss.Date) niss.Date {
	if d.Month == 0 || d.Day == 0 {
		return niss.Date{}
	}
	return d
}

// firstNameAs is as many of the given names as the network tells.
func firstNameAs(given, network string) string {
	if n := len(network); n > 0 && n < len(given) && given[n] == ' ' && strings.EqualFold(given[:n], network) {
		return given[:n]
	}
	return given
}

// patientOnSIS reads the SIS card, with its insurance data if a module opens them.
func (a *app) patientOnSIS(ctx context.Context, sam string, r *insured) error {
	read, err := a.readSIS(ctx, sam)
	if err != nil {
		return err
	}
	im := read.image
	number := strconv.FormatUint(uint64(im.LogicalNumber), 10)
	p := &patientCard{given: im.FirstName, on: assurability.OnCard{NISS: im.NISS, Surname: im.Surname, Birth: wholeDate(im.Birth), Sex: im.Sex},
		doc:   insurabilityCard{Kind: "sis", Number: number, Insurance: read.insuranceState()},
		marks: []termview.Mark{{State: termview.Doubtful, Text: sisTexts["unverified"][a.lang]}}}
	if i := read.insurance; i != nil {
		p.on.Mutuality, p.on.Affiliate, p.on.From, p.on.Until = i.Mutuality, i.Affiliate, i.From, i.Until
		p.on.CT1, p.on.CT2, p.on.Franchise = i.CT1, i.CT2, i.Franchise
	} else {
		p.marks = append(p.marks, termview.Mark{State: termview.Skipped, Text: sisTexts[p.doc.Insurance][a.lang]})
	}
	if !im.ValidOn(today(time.Now())) {
		p.marks = append(p.marks, termview.Mark{State: termview.Doubtful, Text: sisTexts["over"][a.lang]})
	}
	for _, w := range im.Warnings {
		p.marks = append(p.marks, termview.Mark{State: termview.Doubtful, Text: w.String()})
	}
	r.card, r.test = p, read.test
	r.question.Patient.NISS = im.NISS
	r.question.Reading = assurability.Reading{Mode: "chip", Document: "SIS", Number: number}
	return nil
}
