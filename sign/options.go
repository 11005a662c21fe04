package sign

import (
	"crypto"
	"encoding/hex"
	"fmt"
	"net/url"
	"strings"

	"github.com/eidkit/eidkit/internal/fetch"
)

// task is what is asked of the package.
type task int

const (
	toSign task = iota
	toRaise
	toCountersign
	toStamp
)

// check refuses what cannot be meant, before anything is read. n is the number of sources.
func (o *Options) check(what task, f Format, in []Source) error {
	if o.Level < B || o.Level > LTA {
		return misuse("there is no %v", o.Level)
	}
	for _, check := range []func(task, Format, []Source) error{o.checkSources, o.checkFormat, o.checkPackaging, o.checkClaims, o.checkServices} {
		if err := check(what, f, in); err != nil {
			return err
		}
	}
	return nil
}

func (o *Options) checkSources(what task, f Format, in []Source) error {
	if len(in) == 0 {
		return misuse("there is no file")
	}
	for _, s := range append(in[:len(in):len(in)], o.Content...) {
		if s.Data == nil || s.Size < 0 {
			return misuse("the file %q has no data", s.Name)
		}
	}
	several := what == toSign && (f == FormatXAdES || f == FormatASiCE && !o.Add)
	if len(in) > 1 && !several {
		return misuse("%d files, where one is signed; a container (ASiC-E) or XAdES takes several", len(in))
	}
	return nil
}

// checkFormat refuses options of other formats and tasks.
func (o *Options) checkFormat(what task, f Format, _ []Source) error {
	switch f {
	case FormatCAdES, FormatPAdES, FormatXAdES, FormatASiCE:
	default:
		return misuse("there is no format %q", f)
	}
	for _, row := range []struct {
		set  bool
		good bool
		text string
	}{
		{!o.PDF.zero(), what == toSign && f == FormatPAdES, "options for PDF belong to PAdES"},
		{len(o.XML.References) > 0 || o.XML.Parent != "" || o.XML.Alone, what == toSign && f == FormatXAdES, "options for XML belong to XAdES"},
		{o.CMS, what == toSign && f == FormatASiCE, "CMS chooses the signatures of a new signature in a container"},
		{o.Add, what == toSign && (f == FormatCAdES || f == FormatASiCE), "only CMS messages and containers are added to; PDF and XML that are signed again keep their signatures by themselves"},
		{len(o.IDs) > 0, what == toRaise, "IDs choose the signatures to raise"},
		{len(o.Content) > 0, what == toRaise || what == toCountersign || what == toSign && f == FormatCAdES && o.Add, "content beside the file is for detached signatures that are there already"},
		{o.ContentTimestamp, what == toSign && f != FormatPAdES, "a time stamp over the content is for CAdES, XAdES and ASiC-E"},
		{o.Packaging != Auto, what == toSign, "packaging is chosen when a signature is made"},
	} {
		if row.set && !row.good {
			return misuse("%s", row.text)
		}
	}
	if what == toCountersign && o.Level > T {
		return misuse("a counter-signature has level B-B or B-T; raising the file raises what it proves")
	}
	if what == toRaise && o.Level == B {
		return misuse("raising needs a level above B-B")
	}
	if c := o.PDF.Certify; c < 0 || c > 3 {
		return misuse("a certification signature allows 1 (nothing), 2 (forms) or 3 (forms and comments), not %d", c)
	}
	return nil
}

func (p PDF) zero() bool {
	return p.Reason == "" && p.Location == "" && p.Contact == "" && p.Field == "" && p.Certify == 0 && p.Visible == nil
}

func (o *Options) checkPackaging(_ task, f Format, in []Source) error {
	good := map[Format][]Packaging{
		FormatCAdES: {Auto, Enveloping, Detached}, FormatXAdES: {Auto, Enveloped, Enveloping, Detached}, FormatPAdES: {Auto, Enveloped}, FormatASiCE: {Auto},
	}
	found := false
	for _, p := range good[f] {
		found = found || p == o.Packaging
	}
	switch {
	case !found:
		return misuse("%s has no such packaging", f)
	case f == FormatCAdES && o.Add && o.Packaging != Auto:
		return misuse("a signature that is added has the packaging of the message")
	case f == FormatXAdES && o.XML.Alone && o.Packaging != Auto && o.Packaging != Enveloped:
		return misuse("only an enveloped signature has other signatures to leave out or not")
	case f == FormatXAdES && o.XML.Parent != "" && o.Packaging != Auto && o.Packaging != Enveloped:
		return misuse("only an enveloped signature has a parent in the document")
	case f == FormatXAdES && o.Packaging == Detached || f == FormatASiCE && !o.Add:
		return checkNames(in)
	}
	return nil
}

// checkNames: what names files needs names, each its own.
func checkNames(in []Source) error {
	seen := map[string]bool{}
	for _, s := range in {
		switch {
		case s.Name == "":
			return misuse("the signature names its files, and one has no name")
		case seen[s.Name]:
			return misuse("two files are called %q", s.Name)
		}
		seen[s.Name] = true
	}
	return nil
}

func (o *Options) checkClaims(what task, _ Format, _ []Source) error {
	p := o.Claims.Policy
	if p != nil && p.ID == "" {
		return misuse("the signature policy has no identifier")
	}
	if p != nil && (p.Hash == 0 || !p.Hash.Available() || len(p.Digest) != p.Hash.Size()) {
		return misuse("the digest of the signature policy, %s, does not fit its hash", hex.EncodeToString(p.Digest))
	}
	for _, c := range o.Claims.Commitments {
		if !isOID(c) {
			return misuse("the commitment %q is no OID", c)
		}
	}
	if what != toSign && what != toCountersign && (p != nil || len(o.Claims.Commitments)+len(o.Claims.Roles) > 0 || o.Claims.Place != Place{}) {
		return misuse("claims belong to a new signature")
	}
	return nil
}

// checkServices: what has to be fetched can be.
func (o *Options) checkServices(what task, _ Format, _ []Source) error {
	for _, a := range o.TSAs {
		u, err := url.Parse(a.URL)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return misuse("the address of a time stamp authority is not http or https") // without the text: it may hold a password
		}
		if u.User != nil {
			return misuse("the address of time stamp authority %s holds credentials, which are not sent", fetch.Shown(a.URL))
		}
		if a.Policy != "" && !isOID(a.Policy) {
			return misuse("the time stamp policy %q is no OID", a.Policy)
		}
	}
	stamps := what == toStamp || o.Level > B || o.ContentTimestamp
	switch {
	case stamps && o.Offline:
		return misuse("time stamps cannot be had offline; level B-B can be made so")
	case o.Level > B && len(o.TSAs) == 0:
		return fmt.Errorf("%w: level %v needs one; name one, or sign at level B-B", ErrNoTSA, o.Level)
	case stamps && len(o.TSAs) == 0:
		return ErrNoTSA
	}
	return nil
}

// isOID: numbers with dots, at least two (X.660).
func isOID(s string) bool {
	parts := strings.Split(s, ".")
	for _, p := range parts {
		if p == "" || len(p) > 39 || strings.Trim(p, "0123456789") != "" || len(p) > 1 && p[0] == '0' {
			return false
		}
	}
	return len(parts) >= 2 && len(s) <= 200 && (parts[0] == "0" || parts[0] == "1" || parts[0] == "2")
}

// accepted are the digests that signatures are made with: SHA-2 and SHA-3 from 256 bits on, never SHA-1.
var accepted = []crypto.Hash{crypto.SHA256, crypto.SHA384, crypto.SHA512, crypto.SHA3_256, crypto.SHA3_384, crypto.SHA3_512}
