// Package carddata judges the files of a Belgian eID card by their bytes: no
// reader is needed, so a server can check what somebody uploads.
//
// Call Verify with the raw files (internal/beidfile gives them their names and
// card/beid reads them). Each property has a Check of its own in the Result;
// Result.Failed, Result.Trusted and Result.Checks sum them up.
//
// What the checks do not prove: the files of a card can be copied, and a copy
// passes every check but one. Only the chip's answer to a fresh random
// challenge (Options.Challenge, applet 1.8) shows that the card itself is
// there, and only if the challenge was chosen by who verifies. Nothing here
// shows that the bearer is the holder; that takes the PIN or the photo.
//
// Out of scope: reading cards, the holder's own certificates, revocation of
// the national register's certificate, dates and numbers in the identity.
//
// References: facts sheet 3.2 (hashes), 3.6 (what is
// signed), 4 (certificates) and 6.4 (card key); package verify for
// certificate paths.
package carddata

import (
	"crypto/x509"
	"fmt"
	"time"

	"github.com/eidkit/eidkit/internal/beidfile"
	"github.com/eidkit/eidkit/verify"
)

// Files are the raw files of one card; nil is a file not read or not there.
type Files = beidfile.Files

// Options are the circumstances of a verification. The zero value checks now,
// against the pinned Belgian roots, without a challenge.
type Options struct {
	// Anchors are trusted for the chain; nil means the pinned roots alone.
	Anchors *verify.Anchors
	// Time is when the certificates must be valid; zero means now.
	Time time.Time
	// Challenge is what was sent in INTERNAL AUTHENTICATE: fresh random
	// bytes as long as the hash of the key's size, 48 for P-384. Response
	// is the answer, r and s of equal length, 96 bytes for P-384; without
	// it a challenge makes ChipKey unproven.
	Challenge, Response []byte
}

// Status is the outcome of one check. Its zero value is NotChecked.
type Status int

const (
	// NotChecked: something needed for the check was not given.
	NotChecked Status = iota
	// Held: the property is shown.
	Held
	// Failed: the data contradict the property, or break the rules of what
	// a card holds. Data may have been changed, or not been read right.
	Failed
	// Untrusted: the mathematics hold, but what they rest on is not known
	// to be genuine: no trust anchor, or a key that nothing vouches for.
	Untrusted
)

var statusWords = [...]string{"notChecked", "held", "failed", "untrusted"}

// String returns the stable word for JSON: notChecked, held, failed or
// untrusted.
func (s Status) String() string {
	if s < 0 || int(s) >= len(statusWords) {
		return fmt.Sprintf("Status(%d)", int(s))
	}
	return statusWords[s]
}

// MarshalText gives the word of String.
func (s Status) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Check is the outcome for one property.
type Check struct {
	Status Status `json:"status"`
	// Reason is one English sentence without personal data; empty if Held.
	Reason string `json:"reason,omitempty"`
	// Err is the error behind Reason, if there is one.
	Err error `json:"-"`

	// needed marks a check that must hold for Result.Trusted although it
	// was not done: the data are there and nothing proves them.
	needed bool
}

// Unproven reports whether the check was not done although Result.Trusted
// needs it: there is something to prove, and what would prove it was not given
// or cannot be read. Such a check is to be shown as missing, any other with
// status NotChecked as not asked for.
func (c Check) Unproven() bool { return c.Status == NotChecked && c.needed }

// Result holds each property on its own. It is made by Verify alone.
type Result struct {
	Identity   Check // the national register signed the identity file
	Address    Check // and the address file, as that of this identity
	Photo      Check // the photo's hash stands in the identity
	ChipNumber Check // the chip's number stands in the identity
	BasicKey   Check // the hash of the card key stands in the identity (1.8)
	ChipKey    Check // the chip answered the challenge with that key (1.8)
	Chain      Check // the register's certificate leads to a trust anchor

	// Weak lists what was accepted although it is weak: SHA-1, RSA below
	// 1900 bits. For example "identity signature: SHA-1".
	Weak []string
	// Notes list oddities that change no verdict.
	Notes []string
	// Path leads from the register's certificate to the anchor; nil if none
	// was found.
	Path verify.Path
}

// NamedCheck is a check with its stable name.
type NamedCheck struct {
	Name  string `json:"name"`
	Check Check  `json:"check"`
}

// Checks returns all checks in a fixed order, with the names used in JSON:
// identity, address, photo, chipNumber, basicKey, chipKey, chain.
func (r *Result) Checks() []NamedCheck {
	return []NamedCheck{
		{"identity", r.Identity},
		{"address", r.Address},
		{"photo", r.Photo},
		{"chipNumber", r.ChipNumber},
		{"basicKey", r.BasicKey},
		{"chipKey", r.ChipKey},
		{"chain", r.Chain},
	}
}

// Failed reports whether any check failed. A result that did not fail is not
// good by that: see Trusted.
func (r *Result) Failed() bool {
	for _, c := range r.Checks() {
		if c.Check.Status == Failed {
			return true
		}
	}
	return false
}

// Trusted reports whether everything given is proven: identity and chain held,
// so did the check of each file that was given, and none is failed or
// untrusted or unproven. Files not given do not count, except the card key if
// the identity names one: without a challenge a copied card is trusted.
func (r *Result) Trusted() bool {
	if r.Identity.Status != Held || r.Chain.Status != Held {
		return false
	}
	for _, c := range r.Checks() {
		if c.Check.Status != Held && c.Check.Status != NotChecked || c.Check.Unproven() {
			return false
		}
	}
	return true
}

// Verify checks the files. It never fails as a whole and does no I/O; the
// slices are not changed or kept.
func Verify(f Files, o Options) *Result {
	if o.Time.IsZero() {
		o.Time = time.Now()
	}
	v := &verifier{files: f, opts: o, res: &Result{}}
	v.readInputs()
	r := v.res
	r.Identity = v.identity()
	r.Address = v.address()
	r.Photo = v.photo()
	r.ChipNumber = v.chipNumber()
	r.BasicKey = v.basicKey()
	r.ChipKey = v.chipKey()
	r.Chain = v.chain()
	return r
}

// verifier holds what several checks share.
type verifier struct {
	files Files
	opts  Options
	res   *Result

	rrn    *x509.Certificate // nil if absent or unreadable
	rrnErr error             // why unreadable
	id     *beidfile.Identity
	idErr  error
}

func (v *verifier) readInputs() {
	if len(v.files.RRN) > 0 {
		v.rrn, v.rrnErr = parseCertificate(v.files.RRN)
	}
	if v.files.Identity != nil {
		v.id, v.idErr = beidfile.ParseIdentity(v.files.Identity)
	}
}

func held() Check { return Check{Status: Held} }

func failed(reason string, err error) Check { return Check{Status: Failed, Reason: reason, Err: err} }

// absent is for a property that nobody asked about.
func absent(reason string) Check { return Check{Reason: reason} }

// unproven is for data that are there while their proof is not; see
// Check.Unproven.
func unproven(reason string, err error) Check { return Check{Reason: reason, Err: err, needed: true} }

func untrusted(reason string, err error) Check {
	return Check{Status: Untrusted, Reason: reason, Err: err}
}
