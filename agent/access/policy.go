package access

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"
)

// Limits of a policy file.
const (
	maxPolicy   = 256 << 10 // bytes
	maxRules    = 1000      // of each sort
	maxListed   = 200       // entries of one list
	maxWords    = 500       // bytes of a purpose, a role, a name
	maxPerDay   = 1_000_000
	maxAuditMiB = 1024
)

// policyFile is policy.toml; docs/policy.md describes it.
type policyFile struct {
	UnknownOrigins  choice        `toml:"unknown_origins"`
	UnknownPrograms choice        `toml:"unknown_programs"`
	Grants          *bool         `toml:"grants"`
	SignHash        *bool         `toml:"sign_hash"`
	Launch          *bool         `toml:"launch"`
	Sites           []siteRule    `toml:"site"`
	Programs        []programRule `toml:"program"`
	Readers         struct {
		Roles  map[string]string `toml:"roles"`
		Ignore []string          `toml:"ignore"`
	} `toml:"readers"`
	Pages struct {
		FreeNumbers *freeNumbers `toml:"free_numbers"`
	} `toml:"pages"`
	Dialogs struct {
		Pinentry string `toml:"pinentry"`
	} `toml:"dialogs"`
	Audit struct {
		DPOKey string `toml:"dpo_key"`
		Syslog bool   `toml:"syslog"`
		MaxMiB int64  `toml:"max_mib"`
	} `toml:"audit"`
}

// rule is what sites and programs have in common.
type rule struct {
	ID         string      `toml:"id"`
	Operations []opName    `toml:"operations"`
	Deny       []denyName  `toml:"deny"`
	Fields     []fieldName `toml:"fields"`
	Purposes   []string    `toml:"purposes"`
	Readers    []string    `toml:"readers"`
	Photo      bool        `toml:"photo"`
	Expires    time.Time   `toml:"expires"`
	Beyond     choice      `toml:"beyond"`
}

type siteRule struct {
	rule
	Origin originText `toml:"origin"`
}

type programRule struct {
	rule
	Name        string       `toml:"name"`
	Executable  string       `toml:"executable"`
	FreeNumbers *freeNumbers `toml:"free_numbers"`
}

// freeNumbers is how often a program, or the agent's own pages, may ask about a number of which there is no card.
type freeNumbers struct {
	PerMinute int `toml:"per_minute"`
	PerDay    int `toml:"per_day"`
}

// policy is a file that has been found good.
type policy struct {
	policyFile
	sites    map[Origin][]*siteRule
	settings Settings
}

// The texts of a policy refuse by themselves what they do not know: that way the
// decoder tells the line.
type (
	choice     struct{ refuse, set bool }
	opName     struct{ op Operation }
	denyName   struct{ op Operation } // "" for "all"
	fieldName  struct{ name string }
	originText struct{ origin Origin }
)

func (c *choice) UnmarshalText(b []byte) error {
	if s := string(b); s != "ask" && s != "refuse" {
		return fmt.Errorf(`%.40q is neither "ask" nor "refuse"`, s)
	}
	*c = choice{refuse: string(b) == "refuse", set: true}
	return nil
}

// ruled are the operations that a rule can be about.
var ruled = []Operation{OpReaders, OpIdentity, OpInsurability, OpLogin, OpCertificate, OpSignHash, OpSignDocument, OpVerify, OpPINStatus, OpPINChange}

func (o *opName) UnmarshalText(b []byte) error {
	if o.op = Operation(b); !slices.Contains(ruled, o.op) {
		return fmt.Errorf("there is no operation %.40q", b)
	}
	return nil
}

const everything = "all"

func (d *denyName) UnmarshalText(b []byte) error {
	if string(b) == everything {
		return nil
	}
	var o opName
	err := o.UnmarshalText(b)
	d.op = o.op
	return err
}

func (f *fieldName) UnmarshalText(b []byte) error {
	f.name = string(b)
	switch {
	case f.name == FieldPhoto:
		return errors.New("the photo is allowed by photo = true")
	case f.name != everything && !slices.Contains(identityFields, f.name):
		return fmt.Errorf("there is no field %.40q", b)
	}
	return nil
}

func (o *originText) UnmarshalText(b []byte) (err error) {
	o.origin, err = ParseOriginDev(string(b))
	return err
}

// parsePolicy reads a policy. Errors: ErrPolicy with line and reason.
func parsePolicy(b []byte, developer bool) (*policy, error) {
	if len(b) > maxPolicy {
		return nil, fmt.Errorf("%w: more than %d bytes", ErrPolicy, maxPolicy)
	}
	var p policy
	d := toml.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&p.policyFile); err != nil {
		var strict *toml.StrictMissingError
		var at *toml.DecodeError
		switch {
		case errors.As(err, &strict) && len(strict.Errors) > 0:
			row, _ := strict.Errors[0].Position()
			return nil, fmt.Errorf("%w: line %d: unknown setting %q", ErrPolicy, row, strings.Join(strict.Errors[0].Key(), "."))
		case errors.As(err, &at):
			row, column := at.Position()
			return nil, fmt.Errorf("%w: line %d, column %d: %v", ErrPolicy, row, column, at)
		}
		return nil, fmt.Errorf("%w: %v", ErrPolicy, err)
	}
	if err := p.check(b, developer); err != nil {
		return nil, err
	}
	p.settings = p.settled()
	return &p, nil
}

// settled are the settings, absent ones as they are by themselves.
func (p *policy) settled() Settings {
	yes := func(b *bool) bool { return b == nil || *b }
	return Settings{Pinentry: p.Dialogs.Pinentry, Roles: p.Readers.Roles, IgnoreReaders: p.Readers.Ignore, SignHash: yes(p.SignHash), Launch: yes(p.Launch),
		Syslog: p.Audit.Syslog, DPOKey: p.Audit.DPOKey, AuditMaxBytes: p.Audit.MaxMiB << 20}
}

// check finds what the decoder cannot: contradictions between lines.
func (p *policy) check(source []byte, developer bool) error {
	p.sites = map[Origin][]*siteRule{}
	if len(p.Sites) > maxRules || len(p.Programs) > maxRules {
		return fmt.Errorf("%w: more than %d sites or programs", ErrPolicy, maxRules)
	}
	ids := map[string]bool{}
	for i := range p.Sites {
		s := &p.Sites[i]
		if s.ID == "" {
			s.ID = fmt.Sprintf("site-%d", i+1)
		}
		err := s.checkSite(developer, p.sites[s.Origin.origin])
		if err == nil && ids[s.ID] {
			err = fmt.Errorf("two rules have the id %q", s.ID)
		}
		if err != nil {
			return fmt.Errorf("%w: %s: %w", ErrPolicy, place(source, "site", i), err)
		}
		ids[s.ID] = true
		p.sites[s.Origin.origin] = append(p.sites[s.Origin.origin], s)
	}
	for i := range p.Programs {
		r := &p.Programs[i]
		if r.ID == "" {
			r.ID = fmt.Sprintf("program-%d", i+1)
		}
		err := r.checkProgram(p.Programs[:i])
		if err == nil && ids[r.ID] {
			err = fmt.Errorf("two rules have the id %q", r.ID)
		}
		if err != nil {
			return fmt.Errorf("%w: %s: %w", ErrPolicy, place(source, "program", i), err)
		}
		ids[r.ID] = true
	}
	if err := p.checkRest(); err != nil {
		return fmt.Errorf("%w: %w", ErrPolicy, err)
	}
	return nil
}

func (p *policy) checkRest() error {
	for name, role := range p.Readers.Roles {
		if name == "" || role == "" || len(name) > maxWords || len(role) > maxWords {
			return errors.New("readers.roles: a name of a reader, or part of one, to its role")
		}
	}
	if len(p.Readers.Roles) > maxListed || len(p.Readers.Ignore) > maxListed || slices.Contains(p.Readers.Ignore, "") {
		return fmt.Errorf("readers: at most %d names, none of them empty", maxListed)
	}
	if p.Dialogs.Pinentry != "" && !filepath.IsAbs(p.Dialogs.Pinentry) {
		return errors.New("dialogs.pinentry: a whole path is wanted")
	}
	if f := p.Pages.FreeNumbers; f != nil {
		if err := f.check(); err != nil {
			return fmt.Errorf("pages.%w", err)
		}
	}
	if p.Audit.MaxMiB < 0 || p.Audit.MaxMiB > maxAuditMiB {
		return fmt.Errorf("audit.max_mib: 1 to %d", maxAuditMiB)
	}
	if k := p.Audit.DPOKey; k != "" && !publicKey.MatchString(k) {
		return errors.New("audit.dpo_key: the public key of an age identity is wanted, age1 and 58 letters and digits; never the secret one")
	}
	return nil
}

func (s *siteRule) checkSite(developer bool, earlier []*siteRule) error {
	switch {
	case s.Origin.origin.IsZero():
		return errors.New("there is no origin")
	case s.Origin.origin.scheme == "http" && !developer:
		return fmt.Errorf("%s: http is for the developer mode", s.Origin.origin)
	case len(earlier) > 0 && earlier[0].Beyond.ask() != s.Beyond.ask():
		return errors.New("rules of one origin must agree in beyond")
	}
	return s.check()
}

func (r *programRule) checkProgram(earlier []programRule) error {
	switch {
	case !goodName(r.Name):
		return errors.New("name: letters, digits, spaces and simple punctuation, at most 64")
	case r.Executable != "" && !filepath.IsAbs(r.Executable):
		return errors.New("executable: a whole path is wanted")
	case slices.ContainsFunc(r.Operations, func(o opName) bool { return !slices.Contains(paired, o.op) }):
		return fmt.Errorf("a program can have %v, nothing else", paired)
	}
	for i := range earlier {
		if earlier[i].Name == r.Name && (earlier[i].Beyond.ask() != r.Beyond.ask() || earlier[i].Executable != r.Executable) {
			return errors.New("rules of one program must agree in beyond and executable")
		}
	}
	if f := r.FreeNumbers; f != nil {
		if err := f.check(); err != nil {
			return err
		}
		if !r.has(OpInsurability) {
			return errors.New(`free_numbers: operations lack "insurability"`)
		}
	}
	return r.check()
}

func (f freeNumbers) check() error {
	if f.PerMinute < 1 || f.PerDay < f.PerMinute || f.PerDay > maxPerDay {
		return fmt.Errorf("free_numbers: per_minute and per_day are wanted, from 1 to %d", maxPerDay)
	}
	return nil
}

func (r *rule) check() error {
	if len(r.Operations) == 0 && len(r.Deny) == 0 {
		return errors.New("a rule names operations, or denies some")
	}
	if r.has(OpIdentity) && len(r.Fields) == 0 && !r.Photo {
		return errors.New(`"identity" without fields and photo allows nothing`)
	}
	for _, list := range [][]string{r.Purposes, r.Readers, {r.ID}} {
		if len(list) > maxListed || slices.ContainsFunc(list, func(s string) bool { return s == "" || len(s) > maxWords }) {
			return fmt.Errorf("purposes, readers and id: at most %d, each of 1 to %d bytes", maxListed, maxWords)
		}
	}
	if len(r.Fields) > maxListed || len(r.Operations) > maxListed || len(r.Deny) > maxListed {
		return fmt.Errorf("at most %d entries in a list", maxListed)
	}
	return nil
}

// publicKey is the form of an X25519 recipient of age: 32 bytes in Bech32 (BIP 173).
var publicKey = regexp.MustCompile(`^age1[02-9ac-hj-np-z]{58}$`)

// ask tells that what goes beyond a rule is asked; by itself it is refused.
func (c choice) ask() bool { return c.set && !c.refuse }

func (r *rule) has(op Operation) bool {
	return slices.ContainsFunc(r.Operations, func(o opName) bool { return o.op == op })
}

// place is the line at which the table number i of that name begins.
func place(source []byte, table string, i int) string {
	header := regexp.MustCompile(`(?m)^[ \t]*\[\[[ \t]*` + table + `[ \t]*\]\]`)
	at := header.FindAllIndex(source, i+1)
	if len(at) <= i {
		return fmt.Sprintf("%s number %d", table, i+1)
	}
	return fmt.Sprintf("line %d, %s number %d", 1+bytes.Count(source[:at[i][0]], []byte("\n")), table, i+1)
}

// identityFields are the members of card and identity in docs/schema/read.json
// that a client can ask for by name, and the address as one.
var identityFields = []string{
	"nationalNumber", "surname", "givenNames", "thirdInitial", "nationality", "birthPlace", "birthDate", "birthDateText", "sex",
	"nobleCondition", "specialStatus", "memberOfFamily", "protectionDateCountry", "workPermit", "employerVat1", "employerVat2", "regionalFile",
	"address",
	"cardNumber", "chipNumber", "validFrom", "validUntil", "deliveryMunicipality", "documentType", "appletVersion", "graphicalVersion",
	"duplicate", "specialOrganisation", "brexitMention1", "brexitMention2", "cardAMention1", "cardAMention2", "euStart",
	"photoHash", "basicKeyHash", "structureVersion", "data",
}

// IdentityFields are the names that Request.Fields may have, FieldPhoto left out.
func IdentityFields() []string { return slices.Clone(identityFields) }
