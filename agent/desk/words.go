package desk

import (
	"fmt"
	"slices"
	"strings"

	"github.com/eidkit/eidkit/agent/access"
	"github.com/eidkit/eidkit/agent/content"
	"github.com/eidkit/eidkit/internal/pinentry"
)

// Bounds on text from outside, in characters.
const (
	maxOrigin  = 100 // of an origin in a dialog
	maxPath    = 120
	maxName    = 80
	maxPurpose = 400 // on a page; in a dialog a line takes less
)

// who is the first line of a dialog: the origin, or the program by the file that runs. No word of the client's own is in it.
func who(c access.Client, language string) string {
	switch c.Kind {
	case access.Site:
		return shortOrigin(c.Origin.String())
	case access.Extension:
		return shortOrigin(c.Origin.String()) + "\n" + say("extension", language)
	case access.Page:
		return say("ownPage", language)
	}
	if exe := pinentry.Clean(c.Executable, maxPath); exe != "" {
		return exe
	}
	return say("unknownProgram", language)
}

// shortOrigin leaves out the middle of a long origin so that its end stays, which says whose it is.
func shortOrigin(origin string) string {
	origin = pinentry.Clean(origin, len(origin)) // A-labels already: nothing to clean
	scheme, host, found := strings.Cut(origin, "://")
	if !found || len(origin) <= maxOrigin {
		return origin
	}
	return scheme + "://…" + host[len(host)-(maxOrigin-len(scheme)-len("://…")):]
}

// operation says what is wanted, after who.
func operation(o access.Operation, language string) string {
	if _, known := table["op."+string(o)]; !known {
		return say("op.other", language) + " " + pinentry.Clean(string(o), maxName)
	}
	return say("op."+string(o), language)
}

// wanted is what a question is about.
func wanted(c Consent, language string) string {
	if c.Placed {
		return say("op.sign.placed", language)
	}
	return operation(c.Operation, language)
}

// fieldWords are the words for fields, each once: several fields may have the same.
func fieldWords(fields []string, language string) []string {
	var out []string
	for _, f := range fields {
		word := pinentry.Clean(f, maxName) // one that has no word yet is shown as it is
		if row, known := fieldsOfTheEID[f]; known {
			word = inLanguage(row, language)
		}
		if !slices.Contains(out, word) {
			out = append(out, word)
		}
	}
	return out
}

// givenWords are the words for what an operation would give: for a pairing, operations.
func givenWords(op access.Operation, names []string, language string) []string {
	if op != access.OpPair {
		return fieldWords(names, language)
	}
	var out []string
	for _, name := range names {
		word := pinentry.Clean(name, maxName)
		if _, known := table["pair."+name]; known {
			word = say("pair."+name, language)
		}
		out = append(out, word)
	}
	return out
}

// claim is a line with the client's own words; empty when it said nothing.
func claim(c access.Client, text, language string) string {
	text = pinentry.Clean(text, maxPurpose)
	if text == "" {
		return ""
	}
	key := "siteSays"
	if c.Kind == access.Program || c.Kind == access.Page {
		key = "programSays"
	}
	return say(key, language) + " “" + text + "”"
}

// permission is a consent as a dialog shows it.
func permission(c Consent, language string) pinentry.Permission {
	t := pinentry.TextsIn(language)
	name := who(c.Client, language)
	own := name + "\n" + wanted(c, language)
	if len(c.Fields) > 0 {
		own += "\n\n" + say("fields", language) + " " + strings.Join(givenWords(c.Operation, c.Fields, language), ", ") + "."
	}
	own += "\n\n" + strings.Join(slices.DeleteFunc(warnings(c, language), func(s string) bool { return s == "" }), "\n")
	p := pinentry.Permission{Text: strings.TrimRight(own, "\n"), Deny: say("deny", language), Once: say("allow", language)}
	p.About = append([]string{claim(c.Client, c.Purpose, language)}, programName(c.Client, language))
	p.About = append(p.About, signedLines(c, language)...)
	p.About = append(p.About, labelled("reader", c.Reader, language), labelled("card", c.Card, language))
	p.About = slices.DeleteFunc(p.About, func(s string) bool { return s == "" })
	if c.MayRemember {
		p.Once, p.Always = say("allowOnce", language), say("always", language)
		p.Further = name + "\n" + operation(c.Operation, language) + "\n\n" + say("further", language)
	}
	if tries := t.Tries(c.TriesLeft); tries != "" {
		p.Text += "\n" + tries
	}
	return p
}

// warnings are what has to be known before a yes.
func warnings(c Consent, language string) []string {
	var out []string
	if c.HashOnly {
		out = append(out, say("hashOnly", language))
	}
	for _, d := range c.Documents {
		for _, a := range d.Active {
			line := say("document", language) + " " + content.Text(content.Active(a), shortLanguage(language)) + "."
			if !slices.Contains(out, line) && len(out) < maxWarnings {
				out = append(out, line)
			}
		}
	}
	if len(c.Documents) == 1 && c.Documents[0].SHA256 != "" {
		out = append(out, "SHA-256 "+pinentry.Clean(c.Documents[0].SHA256, 64))
	}
	return out
}

const maxWarnings = 5

// maxListed is how many documents a dialog names; the others are counted.
const maxListed = 3

func documentLines(c Consent, language string) []string {
	var out []string
	for i, d := range c.Documents {
		if i == maxListed {
			return append(out, fmt.Sprintf(say("more", language), len(c.Documents)-i))
		}
		out = append(out, fmt.Sprintf("%s, %d %s", pinentry.Clean(d.Name, maxName), d.Size, say("bytes", language)))
	}
	return out
}

// signedLines are what is signed in the client's words, and the documents: a dialog has room for some of them only.
func signedLines(c Consent, language string) []string {
	var out []string
	for _, s := range c.Statements {
		if text := claimed(s); text != "" {
			out = append(out, statementWords(s, language)+" “"+text+"”")
		} else if s.Kind == StatementCertify {
			out = append(out, statementWords(s, language))
		}
	}
	return append(out, documentLines(c, language)...)
}

// statementWords stand before the client's words; of a certification they are all.
func statementWords(s Statement, language string) string {
	key := "signs." + s.Kind
	if s.Kind == StatementCertify {
		key += "." + s.Text
	}
	if _, known := table[key]; !known {
		key = "signs.other"
	}
	return say(key, language)
}

// claimed are the client's words in a statement.
func claimed(s Statement) string {
	if s.Kind == StatementCertify {
		return ""
	}
	return pinentry.Clean(s.Text, maxPurpose)
}

// pinFrom is what stands above what the PIN is for: who wants it, and that nobody can show what is signed.
func pinFrom(c Consent, language string) string {
	if c.HashOnly {
		return who(c.Client, language) + "\n" + say("hashOnly", language)
	}
	return who(c.Client, language)
}

func programName(c access.Client, language string) string {
	if c.Kind != access.Program {
		return ""
	}
	return labelled("program", c.Name, language)
}

func labelled(key, value, language string) string {
	if value = pinentry.Clean(value, maxName); value == "" {
		return ""
	}
	return say(key, language) + " " + value
}

// choice is a choice as a dialog shows it.
func choice(c Choice, language string) pinentry.Choice {
	p := pinentry.Choice{Text: who(c.Client, language) + "\n" + operation(c.Operation, language) + "\n\n" + say("which", language),
		Take: say("take", language), Next: say("next", language)}
	for _, o := range c.Options {
		lines := []string{labelled("reader", strings.TrimSpace(o.Reader+" "+roleNote(o.Role)), language), labelled("card", o.Card, language)}
		p.Options = append(p.Options, lines)
	}
	return p
}

func roleNote(role string) string {
	if role == "" {
		return ""
	}
	return "(" + role + ")"
}
