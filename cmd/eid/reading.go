package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/eidkit/eidkit/card"
	"github.com/eidkit/eidkit/card/beid"
	"github.com/eidkit/eidkit/card/beid/saved"
	"github.com/eidkit/eidkit/niss"
	"github.com/eidkit/eidkit/verify"
	"github.com/eidkit/eidkit/verify/carddata"
)

// reading is one card as read and judged.
type reading struct {
	files    beid.Files
	identity *beid.Identity
	address  *beid.Address
	checks   *carddata.Result // nil: not verified, as asked
	checked  time.Time
	warnings []string
	gaps     []string // what is promised and not there
	test     bool

	saved  *saved.Card // the file it came from; nil: a card
	reader string
	stats  card.Stats
	took   time.Duration // from connecting to the last check
}

// readOptions say what to read and how to judge it.
type readOptions struct {
	photo        bool
	certificates bool // the holder's and their CA's; the national register's are read for the verification
	verify       bool
	challenge    bool // have a 1.8 chip prove that it is no copy
	anchors      *verify.Anchors
	progress     func(step string, id *beid.Identity, proven bool)
}

// readCard reads the card of s and judges it.
func readCard(ctx context.Context, s *session, o readOptions) (*reading, error) {
	r := &reading{reader: s.ReaderName(), test: s.test != nil}
	stall := watchStall(ctx)
	defer stall.end()
	proven := false
	var err error
	r.files, err = s.ReadAll(stall.ctx, func(id beid.FileID, f beid.Files) error {
		stall.alive()
		if id == beid.FileIdentity {
			r.identity, _ = s.Identity(ctx) // a fault in it is told when it is known whose it is
		}
		if o.progress == nil {
			return nil
		}
		if id == beid.FileRoot && o.verify { // all that proves the name is there: say so before the photo comes
			early := carddata.Verify(f, carddata.Options{Anchors: o.anchors})
			proven = early.Identity.Status == carddata.Held && early.Chain.Status == carddata.Held
		}
		o.progress(id.String(), r.identity, proven)
		return nil
	}, skipped(o)...)
	if err == nil && o.verify {
		err = r.verify(stall.ctx, s, o)
	}
	if err != nil {
		return r, stall.explain(err)
	}
	if err := r.parse(ctx, s); err != nil {
		return r, err
	}
	r.findGaps(o)
	r.test = r.test || fromTestPKI(r.files.Root)
	r.warnings = append(append(s.Warnings(), r.identity.Warnings...), r.oddities()...)
	r.stats, r.took = s.trace.Stats(), time.Since(s.begun)
	return r, nil
}

// parse takes apart what was read. What cannot be taken apart and failed its checks is a forgery rather than a fault.
func (r *reading) parse(ctx context.Context, s *session) error {
	var err error
	if r.identity, err = s.Identity(ctx); err == nil && len(r.files.Address) > 0 {
		r.address, err = s.Address(ctx)
	}
	if err != nil && r.checks != nil && r.checks.Failed() {
		return forgedError{fmt.Errorf("the data on the card fail their checks, and cannot be shown: %w", err)}
	}
	return err
}

// findGaps notes what was asked for, is promised by signed data, and is not there.
func (r *reading) findGaps(o readOptions) {
	if o.photo && len(r.files.Photo) == 0 && len(r.identity.PhotoHash) > 0 {
		r.gaps = append(r.gaps, "the identity names a photo, and the card has none")
	}
	if len(r.files.Address) == 0 && len(bytes.Trim(r.files.AddressSignature, "\x00")) > 0 {
		r.gaps = append(r.gaps, "the card has a signature over an address, and no address")
	}
}

// oddities are what a person should know of a card that is otherwise in order.
func (r *reading) oddities() []string {
	var odd []string
	if _, err := niss.Parse(r.identity.NationalNumber); err != nil {
		odd = append(odd, "national number: "+err.Error())
	}
	if until := r.identity.ValidUntil; !until.IsZero() && until.String() < time.Now().Format(time.DateOnly) {
		odd = append(odd, "the card is no longer valid: it ended on "+until.String())
	}
	return odd
}

// fromTestPKI tells whether a root certificate is one that simulated cards carry: their holders are to be marked as test cards also
// when they come out of a real reader. It is a help to the eye, no check: nothing is trusted or refused for it.
func fromTestPKI(root []byte) bool {
	cert, err := x509.ParseCertificate(root)
	return err == nil && strings.HasPrefix(cert.Subject.CommonName, "eidkit TEST ")
}

// skipped are the files that nobody asked for.
func skipped(o readOptions) []beid.FileID {
	var skip []beid.FileID
	if !o.photo {
		skip = append(skip, beid.FilePhoto)
	}
	if !o.certificates {
		skip = append(skip, beid.FileAuthentication, beid.FileSignature, beid.FileCA, beid.FileTokenInfo)
		if !o.verify {
			skip = append(skip, beid.FileRoot, beid.FileRRN, beid.FileIdentitySignature, beid.FileAddressSignature, beid.FileBasicKey)
		}
	}
	return skip
}

// verify judges what was read. When a check fails, the card is asked whether its files are longer than they were taken to be, and
// judged again if so.
func (r *reading) verify(ctx context.Context, s *session, o readOptions) error {
	options := carddata.Options{Anchors: o.anchors, Time: time.Now()}
	if o.challenge { // without an answer the result is not trusted: a copy could say that it is too old to be asked
		options.Challenge = make([]byte, 48)
		rand.Read(options.Challenge)
		var err error
		options.Response, err = s.Challenge(ctx, options.Challenge)
		var status *card.StatusError
		if err != nil && !errors.Is(err, card.ErrUnsupported) && !errors.As(err, &status) {
			return err
		}
	}
	r.checked = options.Time
	r.checks = carddata.Verify(r.files, options)
	if !r.checks.Failed() {
		return nil
	}
	longer, err := s.ReadTails(ctx)
	if err != nil || !longer {
		return err
	}
	if r.files, err = s.Files(ctx); err != nil {
		return err
	}
	r.checks = carddata.Verify(r.files, options)
	return nil
}

// trusted tells whether all that was read is proven, and all that is proven was read.
func (r *reading) trusted() bool { return r.checks.Trusted() && len(r.gaps) == 0 }

// outcome is the exit code's verdict: nil when everything held, or when nothing was to be verified.
func (r *reading) outcome() error {
	switch {
	case r.checks == nil:
		return nil
	case r.checks.Failed():
		return verdict(exitInvalid)
	case !r.trusted():
		return verdict(exitIndeterminate)
	}
	return nil
}

// card is the reading in the form that is saved.
func (r *reading) card() (*saved.Card, error) {
	if r.saved != nil {
		return r.saved, nil
	}
	return saved.New(r.files)
}

// document is what `eid read --json` prints (docs/schema/read.json).
func (r *reading) document() (*saved.Document, error) {
	c, err := r.card()
	if err != nil {
		return nil, err
	}
	d := c.Document(saved.Options{})
	d.Warnings = append(append([]string{}, r.warnings...), r.gaps...)
	if r.saved == nil {
		d.Reading = &saved.Reading{
			Reader: r.reader, Commands: r.stats.Commands, TestCard: r.test,
			DurationMS: float64(r.took.Microseconds()) / 1000,
		}
	}
	if r.checks == nil {
		return d, nil
	}
	v := &saved.Verification{Trusted: r.trusted(), Failed: r.checks.Failed(), Weak: append([]string{}, r.checks.Weak...),
		CheckedAt: r.checked.UTC().Format(time.RFC3339)}
	parts := map[string]*saved.Check{"identity": &v.Identity, "address": &v.Address, "photo": &v.Photo, "chipNumber": &v.Chip,
		"basicKey": &v.BasicKey, "chipKey": &v.ChipKey, "chain": &v.Chain}
	for _, c := range r.checks.Checks() {
		*parts[c.Name] = saved.Check{Status: c.Check.Status.String(), Reason: c.Check.Reason}
	}
	d.Verification = v
	return d, nil
}
