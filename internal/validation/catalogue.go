package validation

import (
	"maps"
	"slices"

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/policy"
)

// Block is a building block of EN 319 102-1 section 5.2. If several find
// something, the first in this order decides (docs/design.md says why it
// differs from the standard's).
type Block int

// The blocks.
const (
	FormatChecking Block = iota + 1
	Identification
	ContextInitialization
	CryptographicVerification
	MandatoryAttributes // of acceptance: without them it is unclear what the signer meant to sign
	CertificateValidation
	CertificateReference // of identification: what the signature says of its certificate
	Acceptance
	Times
)

// Languages are those of the sentences, in the order of Row.Text.
var Languages = [4]string{"en", "nl", "fr", "de"}

// Row is what the catalogue knows of a code.
type Row struct {
	Block Block
	// Level is the usual one; the policy may set another unless Fixed.
	Level policy.Level
	Fixed bool
	// Verdict follows if the level is fail. Some codes have several, then it
	// is the usual one.
	Verdict Verdict
	// Text is one sentence in each language of Languages.
	Text [4]string
}

// catalogue is the one table of codes, put together from the messages files.
var catalogue = func() map[ades.Code]Row {
	all := map[ades.Code]Row{}
	for _, part := range []map[ades.Code]Row{formatRows, cryptoRows, chainRows, acceptanceRows, timeRows} {
		maps.Copy(all, part)
	}
	return all
}()

// Lookup returns the row of a code. A code without one is a mistake of the
// program; it fails like a broken structure, never silently.
func Lookup(code ades.Code) Row {
	if r, ok := catalogue[code]; ok {
		return r
	}
	r := catalogue[ades.BadStructure]
	r.Fixed = true
	return r
}

// Codes returns all codes, sorted.
func Codes() []ades.Code { return slices.Sorted(maps.Keys(catalogue)) }

// Known tells policy.Parse which constraints there are and which of them may
// be set.
func Known(name string) (exists, settable bool) {
	r, ok := catalogue[ades.Code(name)]
	return ok, ok && !r.Fixed
}

// Message is one thing found against a signature, or worth knowing.
type Message struct {
	Code   ades.Code
	Object string // what it is about, may be empty
	Detail string // for developers, English; may be empty
}

// finding is a message with what follows from it.
type finding struct {
	Message
	block   Block
	verdict Verdict
	level   policy.Level
}

// find makes a finding with the level of the policy.
func (e *Engine) find(code ades.Code, object, detail string) finding {
	r := Lookup(code)
	level := r.Level
	if !r.Fixed {
		level = e.Policy.Level(string(code), level)
	}
	return finding{Message{code, object, detail}, r.Block, r.Verdict, level}
}

// as returns f with another sub-indication of the same indication.
func (f finding) as(v Verdict) finding {
	f.verdict = v
	return f
}

// findings are collected while a signature or certificate is judged.
type findings []finding

func (l *findings) add(f ...finding) { *l = append(*l, f...) }

// errors are those that fail, by their blocks; equal blocks in the order in
// which they were found.
func (l findings) errors() findings {
	var out findings
	for _, f := range l {
		if f.level == policy.Fail {
			out = append(out, f)
		}
	}
	slices.SortStableFunc(out, func(a, b finding) int { return int(a.block) - int(b.block) })
	return out
}

// verdict is that of the first error, or passed.
func (l findings) verdict() Verdict {
	if errs := l.errors(); len(errs) > 0 {
		return errs[0].verdict
	}
	return Verdict{Indication: Passed}
}

// messages splits l into errors and warnings, without repetitions.
func (l findings) messages() (errors, warnings []Message) {
	for _, f := range l.errors() {
		errors = appendNew(errors, f.Message)
	}
	for _, f := range l {
		if f.level == policy.Warn {
			warnings = appendNew(warnings, f.Message)
		}
	}
	return errors, warnings
}

// maxMessages bounds a list: a hostile file has thousands of wrong references.
const maxMessages = 200

func appendNew(list []Message, m Message) []Message {
	if len(list) >= maxMessages || slices.Contains(list, m) {
		return list
	}
	return append(list, m)
}

// Short names of the levels that decide most.
const (
	levelFail = policy.Fail
	levelWarn = policy.Warn
)

// only are the findings of one code.
func (l findings) only(code ades.Code) findings {
	var out findings
	for _, f := range l {
		if f.Code == code {
			out = append(out, f)
		}
	}
	return out
}
