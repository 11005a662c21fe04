package main

import (
	"crypto"
	"encoding/hex"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	_ "crypto/sha3" // for --hash and --policy-digest

	"github.com/eidkit/eidkit/internal/ades"
	"github.com/eidkit/eidkit/internal/certs"
	"github.com/eidkit/eidkit/internal/fetch"
	"github.com/eidkit/eidkit/internal/termview"
	"github.com/eidkit/eidkit/sign"
)

// signConfig is the [sign] part of the configuration: what flags need not say each time.
type signConfig struct {
	TSA   []string `toml:"tsa"`   // addresses of time stamp authorities, asked in turn
	Level string   `toml:"level"` // b, t, lt or lta
	Key   string   `toml:"key"`   // card, pkcs11:URI or the path of a PKCS #12 file
}

// tsaHint is what to do without a time stamp authority.
const tsaHint = `name a time stamp authority with --tsa URL, or in the configuration: [sign] tsa = ["URL"]; level b needs none`

// signOptions makes the options that all files share. Mistakes in the flags are usage errors.
func (a *app) signOptions(f signFlags) (o sign.Options, err error) {
	o = sign.Options{PSS: f.pss, Add: f.add, CMS: f.cms, ContentTimestamp: f.contentTimestamp, IDs: f.ids, Offline: f.services.offline,
		XML: sign.XML{References: f.references, Parent: f.parent, Alone: f.alone}}
	if o.Level, err = a.signLevel(f); err != nil {
		return o, err
	}
	if f.hash != "" {
		if o.Hash, err = hashNamed("--hash", f.hash); err != nil {
			return o, err
		}
	}
	if f.signingTime != "" {
		if o.Time, err = moment("--signing-time", f.signingTime); err != nil {
			return o, err
		}
	}
	if o.Packaging, err = packagingOf(f); err != nil {
		return o, err
	}
	if o.Claims, err = claimsOf(f.claims); err != nil {
		return o, err
	}
	if o.PDF, err = a.pdfOptions(f); err != nil {
		return o, err
	}
	for _, path := range f.chain {
		data, err := os.ReadFile(path)
		if err != nil {
			return o, usageError{err}
		}
		list, _, err := certs.ParseAll(data)
		if err != nil || len(list) == 0 {
			return o, usagef("--chain: there is no certificate in %s", path)
		}
		o.Chain = append(o.Chain, list...)
	}
	if o.TSAs, err = a.authorities(f.services); err != nil {
		return o, err
	}
	return o, checkServices(o, f)
}

// checkServices wants a time stamp authority, and the network, where the level does.
func checkServices(o sign.Options, f signFlags) error {
	stamps := o.Level > sign.B || o.ContentTimestamp
	switch {
	case f.augment && o.Level == sign.B:
		return usagef("--augment needs the level to raise to: --level t, lt or lta")
	case f.countersign != "" && o.Level > sign.T:
		return usagef("a counter-signature has level b or t: --level")
	case o.Offline && stamps:
		return usagef("--offline is for level b: time stamps and proofs come from services")
	case stamps && len(o.TSAs) == 0:
		return hinted{usagef("level %s needs a time stamp authority, and none is named", o.Level), tsaHint}
	}
	return nil
}

func (a *app) signLevel(f signFlags) (sign.Level, error) {
	named, from := f.level, "--level"
	if named == "" && !f.augment {
		named, from = a.config.Sign.Level, "configuration: sign.level"
	}
	if named == "" {
		return sign.B, nil
	}
	level, ok := ades.ParseLevel(named)
	if !ok {
		return 0, usagef("%s takes b, t, lt or lta, not %q", from, termview.Clean(named))
	}
	return level, nil
}

// authorities are the time stamp authorities of the flags, or else of the configuration.
func (a *app) authorities(f serviceFlags) ([]sign.TSA, error) {
	urls := f.tsa
	if len(urls) == 0 {
		urls = a.config.Sign.TSA
	}
	if f.tsaPolicy != "" && !isOID(f.tsaPolicy) {
		return nil, usagef("--tsa-policy takes an OID such as 1.3.6.1.4.1.99999.1, not %q", termview.Clean(f.tsaPolicy))
	}
	var list []sign.TSA
	for i, u := range urls {
		address, err := url.Parse(u)
		switch { // what is no address is not printed: it may hold a password
		case err != nil || address.Host == "" || address.Scheme != "http" && address.Scheme != "https":
			return nil, usagef("a time stamp authority has an address that begins with http:// or https://, and authority %d of %d has none", i+1, len(urls))
		case address.User != nil:
			return nil, usagef("the address of time stamp authority %s holds credentials, which are not sent", termview.Clean(fetch.Shown(u)))
		}
		list = append(list, sign.TSA{URL: u, Policy: f.tsaPolicy})
	}
	return list, nil
}

var hashNames = map[string]crypto.Hash{"sha256": crypto.SHA256, "sha384": crypto.SHA384, "sha512": crypto.SHA512,
	"sha3-256": crypto.SHA3_256, "sha3-384": crypto.SHA3_384, "sha3-512": crypto.SHA3_512}

func hashNamed(flag, name string) (crypto.Hash, error) {
	h, ok := hashNames[strings.ToLower(name)]
	if !ok {
		return 0, usagef("%s takes sha256, sha384, sha512, sha3-256, sha3-384 or sha3-512, not %q", flag, termview.Clean(name))
	}
	return h, nil
}

func packagingOf(f signFlags) (sign.Packaging, error) {
	switch {
	case f.detached || f.packaging == "detached":
		return sign.Detached, nil
	case f.packaging == "":
		return sign.Auto, nil
	case f.packaging == "enveloped":
		return sign.Enveloped, nil
	case f.packaging == "enveloping":
		return sign.Enveloping, nil
	}
	return 0, usagef("--packaging takes enveloped, enveloping or detached, not %q", termview.Clean(f.packaging))
}

// commitments are the types of commitment of ETSI EN 319 122-1 section 5.2.3 (RFC 5126 section 5.11.1).
var commitments = map[string]string{"proof-of-origin": "1", "receipt": "2", "delivery": "3", "sender": "4", "approval": "5", "creation": "6"}

const commitmentArc = "1.2.840.113549.1.9.16.6."

var oidForm = regexp.MustCompile(`^[0-2](\.(0|[1-9][0-9]{0,18})){1,30}$`)

func isOID(s string) bool { return oidForm.MatchString(s) }

func claimsOf(f claimFlags) (c sign.Claims, err error) {
	c.Roles = f.roles
	for _, name := range f.commitments {
		oid := name
		if last, ok := commitments[strings.ToLower(name)]; ok {
			oid = commitmentArc + last
		} else if !isOID(name) {
			return c, usagef("--commitment takes proof-of-origin, receipt, delivery, sender, approval, creation or an OID, not %q", termview.Clean(name))
		}
		c.Commitments = append(c.Commitments, oid)
	}
	if c.Place, err = parsePlace(f.place); err != nil {
		return c, err
	}
	c.Policy, err = policyOf(f)
	return c, err
}

// parsePlace reads "City, Country" or "city=..., country=...".
func parsePlace(s string) (p sign.Place, err error) {
	if strings.TrimSpace(s) == "" {
		return p, nil
	}
	parts := strings.Split(s, ",")
	if !strings.Contains(s, "=") {
		if len(parts) > 2 {
			return p, usagef(`--place takes "City, Country"; for more write "city=..., street=..., postal=..., province=..., country=..."`)
		}
		p.City = strings.TrimSpace(parts[0])
		if len(parts) == 2 {
			p.Country = strings.TrimSpace(parts[1])
		}
		return p, nil
	}
	fields := map[string]*string{"street": &p.Street, "city": &p.City, "province": &p.Province, "postal": &p.PostalCode, "country": &p.Country}
	for _, part := range parts {
		key, value, _ := strings.Cut(part, "=")
		field, ok := fields[strings.ToLower(strings.TrimSpace(key))]
		if !ok || *field != "" || strings.TrimSpace(value) == "" {
			return p, usagef("--place: %q: it takes street, city, postal, province and country, once each", termview.Clean(strings.TrimSpace(part)))
		}
		*field = strings.TrimSpace(value)
	}
	return p, nil
}

// policyOf is the signature policy to sign under: its digest is a must.
func policyOf(f claimFlags) (*sign.Policy, error) {
	switch {
	case f.policy == "" && f.policyFile == "" && f.policySum == "" && f.policyURI == "":
		return nil, nil
	case f.policy == "":
		return nil, usagef("--policy-file, --policy-digest and --policy-uri are about the policy that --policy names")
	case (f.policyFile == "") == (f.policySum == ""):
		return nil, usagef("--policy needs the digest of the policy: by --policy-file or by --policy-digest")
	}
	p := &sign.Policy{ID: f.policy, URI: f.policyURI, Hash: crypto.SHA256}
	if f.policyFile != "" {
		data, err := os.ReadFile(f.policyFile)
		if err != nil {
			return nil, usageError{err}
		}
		h := p.Hash.New()
		h.Write(data)
		p.Digest = h.Sum(nil)
		return p, nil
	}
	name, sum, ok := strings.Cut(f.policySum, ":")
	var err error
	if ok {
		if p.Hash, err = hashNamed("--policy-digest", name); err != nil {
			return nil, err
		}
	} else {
		sum = name
	}
	if p.Digest, err = hex.DecodeString(sum); err != nil || len(p.Digest) != p.Hash.Size() {
		return nil, usagef("--policy-digest takes sha256:HEX, with %d hexadecimal digits", 2*p.Hash.Size())
	}
	return p, nil
}

func (a *app) pdfOptions(f signFlags) (o sign.PDF, err error) {
	p := f.pdf
	if p.certify < 0 || p.certify > 3 {
		return o, usagef("--certify takes 1 (nothing may be changed), 2 (forms) or 3 (forms and comments)")
	}
	o = sign.PDF{Reason: p.reason, Location: p.location, Contact: p.contact, Field: p.field, Certify: p.certify}
	if !p.visible && !slices.ContainsFunc([]string{"page", "rect", "text", "image", "photo", "preview"}, f.changed) {
		return o, nil
	}
	v := &sign.Visible{Page: p.page, Text: p.text, Language: a.lang}
	if v.Rect, err = parseRect(p.rect); err != nil {
		return o, err
	}
	if p.image != "" {
		if v.Image, err = os.ReadFile(p.image); err != nil {
			return o, usageError{err}
		}
	}
	o.Visible = v
	return o, nil
}

// parseRect reads left,bottom,right,top.
func parseRect(s string) (r [4]float64, err error) {
	if s == "" {
		return r, nil
	}
	parts := strings.Split(s, ",")
	for i := range r {
		if len(parts) == len(r) {
			r[i], err = strconv.ParseFloat(strings.TrimSpace(parts[i]), 64)
		}
		if len(parts) != len(r) || err != nil || !(r[i] >= -1e5 && r[i] <= 1e5) {
			return r, usagef("--rect takes left,bottom,right,top in points, such as 50,50,250,110, not %q", termview.Clean(s))
		}
	}
	if r[0] >= r[2] || r[1] >= r[3] {
		return r, usagef("--rect: left must be less than right, and bottom less than top: %q", termview.Clean(s))
	}
	return r, nil
}

// formatNamed reads --format.
func formatNamed(s string) (sign.Format, error) {
	switch f := sign.Format(strings.ToLower(s)); f {
	case "", sign.FormatCAdES, sign.FormatPAdES, sign.FormatXAdES, sign.FormatASiCE:
		return f, nil
	}
	return "", usageError{fmt.Errorf("--format takes cades, pades, xades or asice, not %q", termview.Clean(s))}
}
