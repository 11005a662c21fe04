// Package reading reads a Belgian eID and judges what it says, in one step: for
// the command, which shows the whole card, and for the agent, which reads no
// file that the fields asked for do not need.
//
// Start with Read on an open beid.Card. Reading.Trusted and Reading.Failed are
// the verdict, Reading.Document is the JSON of it. Of judges a saved card. A
// Memory, kept for as long as a card stays in its reader, spares reading and
// challenging it twice.
//
// Out of scope: finding cards (agent/cards), who may see what (agent/access),
// revocation of the national register's certificate (Reading.Checks has it),
// PINs.
//
// References: facts sheet sections 2 and 3 (files), 6.4 (card key); package
// verify/carddata.
package reading

import (
	"bytes"
	"context"
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

// ErrForged says that what is on the card failed its checks and cannot be shown
// at all, because it cannot be taken apart.
var ErrForged = errors.New("the data on the card fail their checks, and cannot be shown")

// Options say what is read beside the identity, and how it is judged. With the
// zero value the identity alone is read, and verified against the pinned
// Belgian roots; the chip is not challenged.
type Options struct {
	Address bool
	Photo   bool
	// Certificates reads the holder's and their CA's, and the token information.
	// Those that the verification needs are read in any case.
	Certificates bool

	// Unverified checks nothing, and reads nothing that only checks need.
	Unverified bool
	// Challenge has a 1.8 chip prove that it is no copy. A chip that gives no
	// answer is not trusted. Chips count these, 5,000 in their life: a Memory
	// makes it one for as long as the card stays in.
	Challenge bool
	// Anchors are trusted for the chain; nil means the pinned roots alone.
	Anchors *verify.Anchors

	// Memory, if set, is that of this card in this reader.
	Memory *Memory

	// Progress, if set, is told of every file that was read. id is nil until the
	// identity is there, proven whether it and its chain held.
	Progress func(file string, id *beid.Identity, proven bool)

	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Reading is a card as read and judged.
type Reading struct {
	Files    beid.Files
	Identity *beid.Identity
	Address  *beid.Address    // nil: none on the card, or not asked for
	Checks   *carddata.Result // nil: not verified, as asked
	Checked  time.Time

	Warnings []string // English sentences on what is odd
	Gaps     []string // what signed data promise and the card has not
	TestCard bool     // a simulated card, by the name of its root: to be marked, no check

	Source string      // the reader's name, or the saved file's
	Saved  *saved.Card // the saved card it came from; nil: a card in a reader

	// Commands and Took are for the caller to fill in, who connected to the card;
	// Document writes them.
	Commands int
	Took     time.Duration
}

// Read reads what o asks for of c and judges it. A check that fails is no
// error: see Reading.Failed. Errors are those of c, of ctx, or wrap ErrForged.
// What was read stays read in c. No PIN is touched.
func Read(ctx context.Context, c *beid.Card, o Options) (*Reading, error) {
	r := &Reading{Source: c.ReaderName()}
	if err := r.read(ctx, c, o); err != nil {
		return nil, err
	}
	if !o.Unverified {
		if err := r.verify(ctx, c, o); err != nil {
			return nil, err
		}
	}
	if err := r.parse(ctx, c, o); err != nil {
		return nil, err
	}
	r.findGaps(o)
	r.TestCard = fromTestPKI(r.Files.Root)
	r.Warnings = append(append(c.Warnings(), r.Identity.Warnings...), r.oddities(o)...)
	if r.Checks != nil && !r.Checks.Failed() {
		o.Memory.keep(c)
	}
	return r, nil
}

// Of judges a saved card. source is its name, for people. What its form carries
// no signatures for is never more than somebody's word.
func Of(c *saved.Card, source string, o Options) *Reading {
	r := &Reading{Files: c.Files, Identity: c.Identity, Address: c.Address, Source: source, Saved: c, TestCard: fromTestPKI(c.Files.Root),
		Warnings: append(append([]string{}, c.Notes...), c.Identity.Warnings...)}
	if !o.Unverified {
		r.Checked = o.now()
		r.Checks = carddata.Verify(c.Files, carddata.Options{Anchors: o.Anchors, Time: r.Checked})
	}
	return r
}

func (o Options) now() time.Time {
	if o.Now != nil {
		return o.Now()
	}
	return time.Now()
}

// read reads the files that o asks for.
func (r *Reading) read(ctx context.Context, c *beid.Card, o Options) error {
	proven := false
	var err error
	r.Files, err = c.ReadAll(ctx, func(id beid.FileID, f beid.Files) error {
		if o.Progress == nil {
			return nil
		}
		if id == beid.FileIdentity {
			r.Identity, _ = c.Identity(ctx) // a fault in it is told when it is known whose it is
		}
		if id == beid.FileRoot && !o.Unverified { // all that proves the name is there: say so before the photo comes
			early := carddata.Verify(f, carddata.Options{Anchors: o.Anchors, Time: o.now()})
			proven = early.Identity.Status == carddata.Held && early.Chain.Status == carddata.Held
		}
		o.Progress(id.String(), r.Identity, proven)
		return nil
	}, skipped(o)...)
	return err
}

// skipped are the files that nothing asked for needs.
func skipped(o Options) []beid.FileID {
	var skip []beid.FileID
	if !o.Address {
		skip = append(skip, beid.FileAddress, beid.FileAddressSignature)
	}
	if !o.Photo {
		skip = append(skip, beid.FilePhoto)
	}
	if o.Certificates {
		return skip
	}
	skip = append(skip, beid.FileAuthentication, beid.FileSignature, beid.FileCA, beid.FileTokenInfo)
	if o.Unverified {
		skip = append(skip, beid.FileRoot, beid.FileRRN, beid.FileIdentitySignature, beid.FileAddressSignature, beid.FileBasicKey)
	}
	return skip
}

// parse takes apart what was read. What cannot be taken apart and failed its
// checks is a forgery rather than a fault.
func (r *Reading) parse(ctx context.Context, c *beid.Card, o Options) error {
	var err error
	if r.Identity, err = c.Identity(ctx); err == nil && o.Address && len(r.Files.Address) > 0 {
		r.Address, err = c.Address(ctx)
	}
	if err != nil && r.Checks != nil && r.Checks.Failed() {
		return fmt.Errorf("%w: %w", ErrForged, err)
	}
	return err
}

// verify judges what was read. When a check fails, the card is asked whether its
// files are longer than they were taken to be, and judged again if so.
func (r *Reading) verify(ctx context.Context, c *beid.Card, o Options) error {
	options := carddata.Options{Anchors: o.Anchors, Time: o.now()}
	if o.Challenge { // without an answer the result is not trusted: a copy could say that it is too old to be asked
		var err error
		if options.Challenge, options.Response, err = o.Memory.challenge(ctx, c); err != nil {
			return err
		}
	}
	r.Checked = options.Time
	r.Checks = carddata.Verify(r.Files, options)
	if r.Checks.Failed() {
		longer, err := c.ReadTails(ctx)
		if err != nil {
			return err
		}
		if longer {
			if r.Files, err = c.Files(ctx); err != nil {
				return err
			}
			r.Checks = carddata.Verify(r.Files, options)
		}
	}
	if r.Checks.ChipKey.Status == carddata.Held {
		o.Memory.keepProof(options.Challenge, options.Response)
	}
	return nil
}

// findGaps notes what was asked for, is promised by signed data, and is not there.
func (r *Reading) findGaps(o Options) {
	if o.Photo && len(r.Files.Photo) == 0 && len(r.Identity.PhotoHash) > 0 {
		r.Gaps = append(r.Gaps, "the identity names a photo, and the card has none")
	}
	if o.Address && len(r.Files.Address) == 0 && len(bytes.Trim(r.Files.AddressSignature, "\x00")) > 0 {
		r.Gaps = append(r.Gaps, "the card has a signature over an address, and no address")
	}
}

// oddities are what a person should know of a card that is otherwise in order.
func (r *Reading) oddities(o Options) []string {
	var odd []string
	if _, err := niss.Parse(r.Identity.NationalNumber); err != nil {
		odd = append(odd, err.Error())
	}
	if until := r.Identity.ValidUntil; !until.IsZero() && until.String() < o.now().Format(time.DateOnly) {
		odd = append(odd, "the card is no longer valid") // since when, only those hear who asked for it
	}
	return odd
}

// fromTestPKI tells whether a root certificate is one that simulated cards
// carry: their holders are to be marked as test cards also when they come out of
// a real reader. It is a help to the eye, no check: nothing is trusted or
// refused for it.
func fromTestPKI(root []byte) bool {
	cert, err := x509.ParseCertificate(root)
	return err == nil && strings.HasPrefix(cert.Subject.CommonName, "eidkit TEST ")
}

// isStatus tells an answer of the card from a fault on the way to it.
func isStatus(err error) bool {
	var status *card.StatusError
	return errors.As(err, &status)
}
