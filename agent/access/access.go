// Package access decides who may do what with the reader and the card: the
// administrator's policy first, then what the user has granted for good, and
// otherwise the user is asked.
//
// Start with ParseOrigin, Open, Authority.Connect for a new connection and
// Authority.Decide for each operation. Authority.Remember keeps an "always",
// Authority.Pair gives a program its token, Authority.Denied counts refusals.
// BrowserPolicies makes the files that let browsers reach the agent.
//
// Out of scope: dialogs, cards and connections. Who calls does the asking and
// writes the log; Decision says by which rule.
//
// References: RFC 6454 (origins), RFC 5891 and UTS 46 (international names),
// TOML 1.0.
package access

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Kind is what sort of client somebody is.
type Kind int

// The kinds of clients.
const (
	Site      Kind = iota + 1 // a page on the web: its origin comes from the handshake
	Program                   // a program of this machine with a paired token
	Page                      // the agent's own page, opened by the user with a launch code
	Extension                 // an origin that the Web eID extension hands over: its word for it, nobody else's
)

func (k Kind) String() string {
	switch k {
	case Site:
		return "site"
	case Program:
		return "program"
	case Page:
		return "page"
	case Extension:
		return "extension"
	}
	return "unknown"
}

// Client is who asks.
type Client struct {
	Kind       Kind
	Origin     Origin // of a site, and of a page behind an extension
	Name       string // of a program, as it was paired
	PairingID  string // of a program; empty: it is not paired
	Executable string // path of the program at the other end, where the system tells
	User       string // operating-system user
	Session    string // opaque, of the connection
}

// String is the client as the log has it: the origin, or the program's name.
func (c Client) String() string {
	switch c.Kind {
	case Site:
		return c.Origin.String()
	case Extension:
		return c.Origin.String() + " (extension)"
	case Page:
		return "eidkit"
	case Program:
		if c.PairingID == "" {
			return "unpaired program"
		}
		return c.Name
	}
	return "unknown client"
}

// Operation is one kind of use of the agent.
type Operation string

// The operations.
const (
	OpReaders      Operation = "readers"          // names of readers, and that a card comes or goes
	OpIdentity     Operation = "identity"         // fields of the identity, address, photo
	OpInsurability Operation = "insurability"     // is the holder insured
	OpLogin        Operation = "login"            // a Web eID token
	OpCertificate  Operation = "sign.certificate" // the signing certificate
	OpSignHash     Operation = "sign.hash"        // a signature over a digest: nobody sees of what
	OpSignDocument Operation = "sign.document"
	OpVerify       Operation = "verify"
	OpPINStatus    Operation = "pin.status"
	OpPINChange    Operation = "pin.change"
	OpPair         Operation = "pair" // a program wants a token
	OpOwn          Operation = "own"  // log, grants and exports, for the agent's own pages
)

// FieldPhoto is the photo among Request.Fields.
const FieldPhoto = "photo"

// Request is what a client wants.
type Request struct {
	Client    Client
	Operation Operation
	Fields    []string // of the identity, as docs/schema/read.json names them; "address" is one, FieldPhoto another
	Purpose   string   // in the client's words
	Reader    string   // name; empty: none is touched
	Role      string   // of the reader; empty: it has none
	NISS      bool     // a national number is asked about that need not be the card's
}

// Verdict is what comes of a request.
type Verdict int

// The verdicts. The zero value refuses.
const (
	Refuse Verdict = iota
	Ask            // the user decides now
	Allow
)

func (v Verdict) String() string {
	switch v {
	case Ask:
		return "ask"
	case Allow:
		return "allow"
	}
	return "refuse"
}

// Reason is why a request is refused, for the error that the client gets.
type Reason string

// The reasons; empty when nothing is refused.
const (
	ReasonPolicy  Reason = "policy"  // a rule of the administrator says no, or none says yes
	ReasonUnknown Reason = "unknown" // nobody knows the client, and strangers may not ask
	ReasonKind    Reason = "kind"    // no client of this kind may do that
	ReasonMuted   Reason = "muted"   // the user has said no twice
	ReasonRate    Reason = "rate"    // too many free national numbers
	ReasonBroken  Reason = "broken"  // the policy cannot be read, and no earlier one is known
)

// Decision is what Connect and Decide say.
type Decision struct {
	Verdict     Verdict
	By          string   // "policy", "grant", "launch" or "pairing" for what is allowed; "consent" for what is to be asked
	Rule        string   // rule, grant or pairing, for the log
	Reason      Reason   // of a refusal
	Why         string   // of a refusal, in English, for developers
	MayRemember bool     // the user may say "always"
	Fields      []string // those that are allowed without asking
	Readers     []string // to which it is limited, as Grant.Readers has them; none: any
}

// What limits to readers begin with.
const (
	rolePrefix = "role:"
	namePrefix = "reader:"
)

// Reads tells whether a reader is among those that the decision is about: the
// list of readers is cut down by it.
func (d Decision) Reads(name, role string) bool { return readersHold(d.Readers, name, role) }

func readersHold(limits []string, name, role string) bool {
	return len(limits) == 0 || role != "" && slices.Contains(limits, rolePrefix+role) || name != "" && slices.Contains(limits, namePrefix+readerModel(name))
}

// readerModel is the name without the number that PC/SC gives a reader each time
// it is plugged in: "Reader (serial) 00 00", "Reader 0".
func readerModel(name string) string {
	return strings.TrimRight(slot.ReplaceAllString(name, ""), " ")
}

var slot = regexp.MustCompile(`( [0-9A-F]{2} [0-9A-F]{2}| [0-9]{1,2})$`)

// Grant is what the user has allowed for good.
type Grant struct {
	ID        string    `toml:"id" json:"id"`
	Client    string    `toml:"client" json:"client"` // an origin, or "pairing:" with its ID
	Operation Operation `toml:"operation" json:"operation"`
	Fields    []string  `toml:"fields,omitempty" json:"fields,omitempty"`
	Purpose   string    `toml:"purpose,omitempty" json:"purpose,omitempty"`
	Readers   []string  `toml:"readers,omitempty" json:"readers,omitempty"` // "role:patient" or "reader:" with a name, the number of its slot left out; none: any
	Created   time.Time `toml:"created" json:"created"`
	Expires   time.Time `toml:"expires,omitempty" json:"expires,omitzero"` // zero: never
}

// Pairing is a program that has a token.
type Pairing struct {
	ID         string      `toml:"id" json:"id"`
	Name       string      `toml:"name" json:"name"`
	Executable string      `toml:"executable,omitempty" json:"executable,omitempty"` // as it was when it was paired
	Operations []Operation `toml:"operations" json:"operations"`
	Created    time.Time   `toml:"created" json:"created"`
	// Token is the SHA-256 of the token, in hexadecimal. It is in the file alone.
	Token string `toml:"token" json:"-"`
}

// The errors of this package.
var (
	ErrOrigin  = errors.New("not an origin")
	ErrPolicy  = errors.New("policy refused")                                     // line and reason are in the text
	ErrGrants  = errors.New("grants refused: they were changed from outside")     // nothing granted or paired counts any more
	ErrNever   = errors.New("this can never be allowed for good")                 // Remember
	ErrPairing = errors.New("the program cannot be paired")                       // Pair
	ErrUnknown = errors.New("no such grant or pairing")                           // Revoke, Unpair
	ErrFull    = errors.New("too many grants or pairings: withdraw some of them") // Remember, Pair
)
