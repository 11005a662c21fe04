package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/eidkit/eidkit/internal/termview"
	"github.com/eidkit/eidkit/verify"
)

// maxListed bounds what is listed of one kind in the text report; the JSON has all.
const maxListed = 8

// textReport writes the report of `eid verify` for a person.
type textReport struct {
	*app
	w      *bufio.Writer
	colors bool
	labels int // width of the labels, if more than usual
}

// labelWidth is how wide labels usually are, with the space after them.
const labelWidth = 12

// printReport prints the report on a file or a certificate.
func (a *app) printReport(rep any) error {
	t := &textReport{app: a, w: bufio.NewWriter(a.out), colors: isTerminal(a.out) && termview.Detect(os.Getenv) != termview.NoColors}
	switch r := rep.(type) {
	case *verify.Report:
		t.file(r)
	case *verify.CertificateReport:
		t.certificate(r)
	}
	return t.w.Flush()
}

func (t *textReport) file(r *verify.Report) {
	name := termview.Clean(r.File)
	switch r.Error {
	case verify.ErrorNoSignature:
		fmt.Fprintf(t.w, "%s: %s\n", name, t.style("1;31", t.word("noSignature")))
	case verify.ErrorRefused:
		fmt.Fprintf(t.w, "%s: %s\n", name, t.style("1;31", t.word("refused")))
	default:
		fmt.Fprintf(t.w, "%s: %s\n", name, t.verdict(r.Indication))
	}
	if r.Reason != "" {
		fmt.Fprintf(t.w, "  %s\n", termview.Clean(r.Reason))
	}
	for i := range r.Signatures {
		fmt.Fprintln(t.w)
		t.signature(&r.Signatures[i], "")
	}
}

// verdict is an indication in words.
func (t *textReport) verdict(i verify.Indication) string {
	switch i {
	case verify.TotalPassed:
		return t.style("1;32", t.word("valid"))
	case verify.Indeterminate:
		return t.style("1;33", t.word("indeterminate"))
	}
	return t.style("1;31", t.word("invalid"))
}

// mark is an indication as one character.
func (t *textReport) mark(i verify.Indication) string {
	switch i {
	case verify.TotalPassed:
		return t.style("32", "✓")
	case verify.Indeterminate:
		return t.style("33", "?")
	}
	return t.style("1;31", "✗")
}

func (t *textReport) style(code, text string) string {
	if !t.colors {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// row prints a labelled line.
func (t *textReport) row(indent, label, text string) {
	if text = termview.Clean(text); text != "" {
		gap := strings.Repeat(" ", max(1, max(t.labels, labelWidth)-utf8.RuneCountInString(label)))
		fmt.Fprintf(t.w, "%s    %s%s%s\n", indent, t.style("2", label), gap, text)
	}
}

func (t *textReport) signature(s *verify.Signature, indent string) {
	fmt.Fprintf(t.w, "%s%s %s\n", indent, t.mark(s.Indication), termview.Clean(t.title(s)))
	t.messages(indent, s.Errors, s.SubIndication)
	t.row(indent, t.word("time"), t.times(s))
	t.row(indent, t.word("covers"), t.covered(s))
	if c := s.Claims; c != nil {
		t.row(indent, t.word("roles"), strings.Join(c.Roles, ", "))
		t.row(indent, t.word("place"), c.Place)
		t.row(indent, t.word("reason"), c.Reason)
	}
	t.row(indent, t.word("algorithm"), s.Algorithm)
	t.row(indent, t.word("chain"), t.chain(s.Chain))
	for _, stamp := range s.Timestamps {
		fmt.Fprintf(t.w, "%s    %s %s\n", indent, t.mark(stamp.Indication), termview.Clean(fmt.Sprintf("%s (%s) %s, %s",
			t.word("stamp"), stamp.Kind, formatTime(stamp.Time), commonName(stamp.Authority))))
		t.messages(indent+"    ", stamp.Errors, stamp.SubIndication)
		t.warnings(indent+"    ", stamp.Warnings)
	}
	t.warnings(indent, s.Warnings)
	for i := range s.CounterSignatures {
		fmt.Fprintf(t.w, "%s    %s\n", indent, t.word("counter"))
		t.signature(&s.CounterSignatures[i], indent+"    ")
	}
}

// title says which signature it is and whose.
func (t *textReport) title(s *verify.Signature) string {
	kind := s.Format
	if s.Level != "" {
		kind += "-" + s.Level
	}
	if s.Container != "" {
		kind += ", " + s.Container
	}
	title := fmt.Sprintf("%s (%s): %s", s.ID, kind, t.who(s.Signer))
	if s.PDF != nil && s.PDF.Revisions > 1 {
		title += ", " + fmt.Sprintf(t.word("revision"), s.PDF.Revision, s.PDF.Revisions)
	}
	return title
}

func (t *textReport) who(s *verify.Signer) string {
	if s == nil {
		return t.word("unknownSigner")
	}
	name := joined(s.GivenNames, s.Surname)
	if name == "" {
		name = s.CommonName
	}
	if name == "" {
		name = s.Organization
	}
	if name == "" {
		name = t.word("unknownSigner")
	}
	if s.NISS != "" {
		name += ", " + t.word("nationalNumber") + " " + formatNumber(s.NISS)
	}
	return name
}

// messages prints why not, the deciding reason first.
func (t *textReport) messages(indent string, list []verify.Message, sub string) {
	for i, m := range list {
		if i == maxListed {
			fmt.Fprintf(t.w, "%s    "+t.word("more")+"\n", indent, len(list)-i)
			return
		}
		code := ""
		if i == 0 && sub != "" {
			code = " [" + sub + "]"
		}
		fmt.Fprintf(t.w, "%s    %s%s\n", indent, t.style("1", t.sentence(m)), code)
		if m.Detail != "" {
			fmt.Fprintf(t.w, "%s      %s\n", indent, t.style("2", termview.Clean(m.Detail)))
		}
	}
}

func (t *textReport) warnings(indent string, list []verify.Message) {
	for i, m := range list {
		if i == maxListed {
			fmt.Fprintf(t.w, "%s    ! "+t.word("more")+"\n", indent, len(list)-i)
			return
		}
		fmt.Fprintf(t.w, "%s    %s %s\n", indent, t.style("33", "!"), t.sentence(m))
	}
}

// sentence is a message in the language of the command, with what it is about.
func (t *textReport) sentence(m verify.Message) string {
	text := m.Text[t.lang]
	if text == "" {
		text = m.Text["en"]
	}
	if m.Object != "" {
		text += " (" + termview.Clean(commonName(m.Object)) + ")"
	}
	return text
}

func (t *textReport) times(s *verify.Signature) string {
	var parts []string
	if s.ClaimedSigningTime != nil {
		parts = append(parts, fmt.Sprintf(t.word("claimed"), formatTime(*s.ClaimedSigningTime)))
	}
	switch proven := s.BestSignatureTime != nil && s.BestSignatureTimeProof != ""; {
	case proven:
		parts = append(parts, fmt.Sprintf(t.word("proven"), formatTime(*s.BestSignatureTime)))
	case len(parts) > 0:
		parts = append(parts, t.word("notProven"))
	}
	return strings.Join(parts, ", ")
}

func formatTime(at time.Time) string { return at.UTC().Format("2006-01-02 15:04:05 UTC") }

func (t *textReport) covered(s *verify.Signature) string {
	if s.PDF != nil && s.CryptographicallyValid && !s.CoversWholeFile {
		return t.revision(s.PDF)
	}
	var parts []string
	for _, c := range s.Covered {
		name := c.Name
		if name == "" {
			name = c.URI
		}
		switch {
		case c.Kind == "signedProperties" || c.Kind == "keyInfo" || name == "":
			continue
		case !c.Found:
			name += " (" + t.word("notFound") + ")"
		case !c.Intact:
			name += " (" + t.word("changed") + ")"
		}
		parts = append(parts, name)
	}
	if n := len(parts); n > maxListed {
		parts = append(parts[:maxListed], fmt.Sprintf(t.word("more"), n-maxListed))
	}
	if s.CoversWholeFile {
		parts = append([]string{t.word("wholeFile")}, parts...)
	}
	return strings.Join(parts, ", ")
}

// revision says what a signature covers in a PDF file that grew afterwards.
func (t *textReport) revision(p *verify.PDFSignature) string {
	text := fmt.Sprintf(t.word("documentAt"), p.Revision)
	for _, c := range p.Changes {
		if !c.Allowed {
			return text // why not is among the errors
		}
	}
	return text + ", " + t.word("additions")
}

func (t *textReport) chain(list []verify.Certificate) string {
	var names []string
	for _, c := range list {
		name := commonName(c.Subject)
		if c.Anchor {
			name += " (" + t.word("trusted") + ")"
		}
		names = append(names, name)
	}
	return strings.Join(names, " < ")
}

// commonName is the CN of a name as RFC 4514 writes it, or all of it.
func commonName(subject string) string {
	for _, part := range strings.Split(strings.ReplaceAll(subject, `\,`, "\x00"), ",") {
		if cn, ok := strings.CutPrefix(strings.TrimSpace(part), "CN="); ok {
			return strings.ReplaceAll(cn, "\x00", ",")
		}
	}
	return subject
}

func (t *textReport) certificate(r *verify.CertificateReport) {
	name := termview.Clean(r.File)
	fmt.Fprintf(t.w, "%s: %s\n\n%s %s: %s\n", name, t.verdict(r.Indication), t.mark(r.Indication), t.word("certificate"),
		termview.Clean(t.who(&r.Holder)))
	t.messages("", r.Errors, r.SubIndication)
	t.row("", t.word("time"), fmt.Sprintf(t.word("validity"), formatTime(r.Certificate.NotBefore), formatTime(r.Certificate.NotAfter)))
	t.row("", t.word("chain"), t.chain(r.Chain))
	for _, v := range r.Revocation {
		t.row("", v.Kind, strings.TrimSpace(v.Status+" "+v.URL+" "+v.Problem))
	}
	t.warnings("", r.Warnings)
}
