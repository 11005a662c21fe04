// Package audit keeps the log of everything that is done with a card: a line
// before it is touched, a line before the answer leaves, each on the disk before
// its function returns.
//
// Start with Open, Log.Intent and Entry.Result. Verify finds lines that were
// changed, removed, put in another order or cut off; Read gives them to pages and
// commands.
//
// The log is a folder of files with one JSON object a line. Each line holds the
// SHA-256 of the one before; a small file beside them, the head, says under a MAC
// which line is the last. Somebody who has the key, such as a program of the same
// user, can write the head anew: against him only heads help that were sent away
// (Options.Sink).
//
// Out of scope: who may do what, and what is asked of the user. Opening sealed
// national numbers: age does that with the key of the data-protection officer.
//
// References: docs/schema/audit.json; C2SP age-encryption.org/v1; RFC 2104 (HMAC).
package audit

import (
	"errors"
	"time"
)

// Options say where the log is and what is on every line.
type Options struct {
	Dir       string           // made when missing, for its owner alone
	Host      string           // empty: the machine's name
	User      string           // operating-system user
	Recipient string           // age X25519 public key of the data-protection officer; empty: an HMAC stands for the number
	Now       func() time.Time // nil: time.Now
	// Sink gets the MACed head after commits, on a goroutine of its own, the last
	// one before Close returns; while it is slow it misses some. nil: nobody does.
	Sink     func(head string)
	MaxBytes int64 // a file that has reached it is followed by a new one; 0: 16 MiB
}

// Event is what is about to be done. Texts are shortened, control characters
// taken out, and in Purpose runs of eleven digits or more masked.
type Event struct {
	Session, Client, Operation string
	Fields                     []string
	Purpose, By, Rule, Reader  string
	Mode                       string // chip, barcode, vignette, manual
	Method                     string // of the protocol
}

// Outcome is what came of it.
type Outcome struct {
	Code     string   // of the error; empty: done
	NISS     string   // of the card or of the question; never written as it is
	CardKind string   // eid, sis
	Mode     string   // chip, barcode, vignette, manual, where it is known only now
	Reason   string   // why a number was typed in; masked like Event.Purpose
	Digest   string   // of the document signed or shown, in hexadecimal
	Further  []string // digests of the other documents, where one operation is about several
}

// What a line is about.
const (
	EventBegin  = "begin"  // the first line of a log
	EventIntent = "intent" // something is about to be done
	EventResult = "result" // what came of it
	EventMended = "mended" // a crash left something behind, which was taken away or taken over
	EventFault  = "fault"  // when the log was opened it was not as it had been left
)

// Line is one line of the log; docs/schema/audit.json describes it.
type Line struct {
	Schema         int       `json:"schema"`
	Seq            uint64    `json:"seq"`
	Time           time.Time `json:"time"`
	Event          string    `json:"event"`
	Host           string    `json:"host,omitempty"`
	User           string    `json:"user,omitempty"`
	Session        string    `json:"session,omitempty"`
	Client         string    `json:"client,omitempty"`
	Operation      string    `json:"operation,omitempty"`
	Method         string    `json:"method,omitempty"`
	Fields         []string  `json:"fields,omitempty"`
	Purpose        string    `json:"purpose,omitempty"`
	By             string    `json:"by,omitempty"`
	Rule           string    `json:"rule,omitempty"`
	Reader         string    `json:"reader,omitempty"`
	Intent         uint64    `json:"intent,omitempty"` // of a result: number of the line it belongs to
	Result         string    `json:"result,omitempty"` // "done", or the code of an error
	CardKind       string    `json:"cardKind,omitempty"`
	Mode           string    `json:"mode,omitempty"`
	Reason         string    `json:"reason,omitempty"`
	Digest         string    `json:"digest,omitempty"`
	FurtherDigests []string  `json:"furtherDigests,omitempty"`
	NationalNumber *Number   `json:"nationalNumber,omitempty"`
	Kind           string    `json:"kind,omitempty"`   // of a fault
	Detail         string    `json:"detail,omitempty"` // of a fault, and of what was mended
	Prev           string    `json:"prev"`             // SHA-256 of the line before, hexadecimal
}

// Number stands for a national number: sealed to the data-protection officer, or
// an HMAC by which the same number can be recognised, in hexadecimal.
type Number struct {
	Sealed []byte `json:"sealed,omitempty"`
	HMAC   string `json:"hmac,omitempty"`
}

// resultDone is Line.Result when there is no error.
const resultDone = "done"

// The errors of this package.
var (
	ErrClosed = errors.New("audit: the log is closed")
	ErrInUse  = errors.New("audit: another program writes this log")
	ErrKey    = errors.New("audit: no usable key")
	ErrTwice  = errors.New("audit: the operation has its result")
	ErrNone   = errors.New("audit: there is no log")
)
