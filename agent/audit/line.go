package audit

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode"

	"filippo.io/age"
)

// Limits of what a line holds.
const (
	maxText    = 500 // characters
	maxSymbol  = 100
	maxFields  = 64
	maxFurther = 64       // digests
	maxLine    = 64 << 10 // bytes; what is written stays far below
)

type hash [sha256.Size]byte

func (h hash) String() string { return hex.EncodeToString(h[:]) }

// hashOf is the hash of a line without its end.
func hashOf(line []byte) hash { return sha256.Sum256(bytes.TrimSuffix(line, []byte("\n"))) }

// encode is the line with its end.
func (l *Line) encode() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(l); err != nil {
		return nil, fmt.Errorf("encoding a line: %w", err)
	}
	return b.Bytes(), nil
}

// link is what the chain needs of a line.
type link struct {
	Seq  uint64 `json:"seq"`
	Prev string `json:"prev"`
}

func parseLink(line []byte) (link, bool) {
	var l link
	err := json.Unmarshal(line, &l)
	return l, err == nil && l.Seq > 0
}

func intentLine(o *Options, e Event) *Line {
	l := &Line{Event: EventIntent, Host: clean(o.Host, maxSymbol), User: clean(o.User, maxSymbol), Session: clean(e.Session, maxSymbol),
		Client: clean(e.Client, 300), Operation: clean(e.Operation, maxSymbol), Method: clean(e.Method, maxSymbol),
		Purpose: masked(e.Purpose), By: clean(e.By, maxSymbol), Rule: clean(e.Rule, maxText), Reader: clean(e.Reader, maxText), Mode: clean(e.Mode, maxSymbol)}
	for _, f := range e.Fields[:min(len(e.Fields), maxFields)] {
		l.Fields = append(l.Fields, clean(f, maxSymbol))
	}
	return l
}

var hexadecimal = regexp.MustCompile(`^[0-9A-Fa-f]{1,128}$`)

// resultLine has of the intent what makes it readable alone.
func resultLine(intent *Line, o Outcome) *Line {
	l := &Line{Event: EventResult, Session: intent.Session, Client: intent.Client, Operation: intent.Operation, Intent: intent.Seq,
		Result: clean(o.Code, maxSymbol), CardKind: clean(o.CardKind, maxSymbol), Mode: clean(o.Mode, maxSymbol), Reason: masked(o.Reason)}
	if o.Code == "" {
		l.Result = resultDone
	}
	if hexadecimal.MatchString(o.Digest) {
		l.Digest = strings.ToLower(o.Digest)
	}
	for _, d := range o.Further[:min(len(o.Further), maxFurther)] {
		if hexadecimal.MatchString(d) {
			l.FurtherDigests = append(l.FurtherDigests, strings.ToLower(d))
		}
	}
	return l
}

// clean takes out what could make a text look like another one, and shortens it.
func clean(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029' {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\ufffd"))
	if len(s) <= limit {
		return s
	}
	if r := []rune(s); len(r) > limit {
		return string(r[:limit-1]) + "…"
	}
	return s
}

// number finds what could be a national number: eleven digits or more, whatever
// stands between them that is no letter.
var number = regexp.MustCompile(`\p{Nd}(?:[^\p{L}\p{Nd}]{0,3}\p{Nd}){10,}`)

// masked is a text that somebody else wrote: it may hold a number that has no place in the log.
func masked(s string) string {
	return clean(number.ReplaceAllString(clean(s, len(s)), "[number]"), maxText)
}

// sealer makes of a national number what may be written.
type sealer struct {
	key       []byte
	recipient age.Recipient // nil: HMAC
}

func newSealer(key []byte, recipient string) (s sealer, err error) {
	s.key = derive(key, "national number")
	if recipient != "" {
		if s.recipient, err = age.ParseX25519Recipient(recipient); err != nil {
			return s, fmt.Errorf("%w: the data-protection officer's: %w", ErrKey, err)
		}
	}
	return s, nil
}

// derive is a key of its own for each use.
func derive(key []byte, use string) []byte { return sum(key, []byte("eidkit audit v1 "+use)) }

func sum(key []byte, parts ...[]byte) []byte {
	m := hmac.New(sha256.New, key)
	for _, p := range parts {
		m.Write(p)
	}
	return m.Sum(nil)
}

// seal takes the digits of a number in any notation; nil when there are none.
func (s sealer) seal(niss string) (*Number, error) {
	plain := strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, niss)
	if plain == "" {
		return nil, nil
	}
	if s.recipient == nil {
		return &Number{HMAC: hex.EncodeToString(sum(s.key, []byte(plain)))}, nil
	}
	var b bytes.Buffer
	w, err := age.Encrypt(&b, s.recipient)
	if err != nil {
		return nil, fmt.Errorf("sealing the number: %w", err)
	}
	if _, err := w.Write([]byte(plain)); err != nil {
		return nil, fmt.Errorf("sealing the number: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("sealing the number: %w", err)
	}
	return &Number{Sealed: b.Bytes()}, nil
}

// stamped is the time as lines have it.
func stamped(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }
