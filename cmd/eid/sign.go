package main

import (
	"context"
	"maps"
	"slices"

	"github.com/spf13/cobra"
)

// signFlags are the flags of `eid sign`.
type signFlags struct {
	format, level, packaging, out, hash, signingTime string
	detached, recursive, container, cms, pss         bool
	add, augment                                     bool
	countersign, preview, parent                     string
	alone                                            bool
	ids, content, chain, references                  []string
	contentTimestamp                                 bool
	claims                                           claimFlags
	pdf                                              pdfFlags
	services                                         serviceFlags
	key                                              keyFlags
	result                                           resultFlags

	changed func(flag string) bool // was given
}

// resultFlags are about what is written and printed.
type resultFlags struct{ force, json bool }

// claimFlags are what the signer says of himself and of his act.
type claimFlags struct {
	roles, commitments                              []string
	place, policy, policyURI, policyFile, policySum string
}

// pdfFlags are for PDF alone.
type pdfFlags struct {
	reason, location, contact, field, rect, image string
	certify, page                                 int
	visible, photo                                bool
	text                                          []string
}

// serviceFlags are about time stamps, trust and the network; `eid timestamp` has them too.
type serviceFlags struct {
	tsa, trust              []string
	tsaPolicy, cache        string
	onlyTrust, allowPrivate bool
	offline, keepGoing      bool
}

func (f *serviceFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringArrayVar(&f.tsa, "tsa", nil, "address of a time stamp authority; the next is asked when one fails (default: the configuration's)")
	flags.StringVar(&f.tsaPolicy, "tsa-policy", "", "OID of the policy that time stamps must be under")
	flags.StringArrayVar(&f.trust, "trust", nil, "trust these certificates too: a PEM or DER file, or a folder of them")
	flags.BoolVar(&f.onlyTrust, "only-trust", false, "trust nothing but that: neither the built-in roots nor the store")
	flags.StringVar(&f.cache, "cache", "", "folder for fetched revocation lists (default: the user's cache)")
	flags.BoolVar(&f.keepGoing, "keep-going", false, "of several files try the next one also when no time stamp could be had")
	flags.BoolVar(&f.allowPrivate, "allow-private", false, "let services have private and loopback addresses")
}

func (f *resultFlags) add(cmd *cobra.Command, schema string) {
	cmd.Flags().BoolVar(&f.force, "force", false, "replace a file that is there already")
	cmd.Flags().BoolVar(&f.json, "json", false, "print JSON (docs/schema/"+schema+"), one line a file if there are several")
}

func (a *app) signCommand() *cobra.Command {
	var f signFlags
	cmd := &cobra.Command{
		Use:   "sign FILE...",
		Short: "Sign files with the card, a token or a key file",
		Long: `Sign files to European standards with the signature key of the eID, of any PKCS #11 token, or of a
PKCS #12 file. Without --format a PDF gets a signature inside (pades), XML one inside (xades), and any
other file goes into a signed container (asice), or with --detached gets a signature beside it (cades).

The file itself is never changed: report.pdf becomes report-signed.pdf, a.txt a.asice, a.txt.p7m or
a.txt.p7s. Nothing is left behind when something fails. The PIN is typed in a dialog or on the reader,
once for each signature.

Level b has the signature alone, t a time stamp over it, lt also what proves the certificates for
later, lta a time stamp over all of that. Above b a time stamp authority is needed: --tsa.`,
		Example: `  eid sign report.pdf --visible --reason "Approved"
  eid sign declaration.xml --level lt --tsa http://tsa.example/
  eid sign letter.txt annex.csv --format asice --out case.asice
  eid sign --recursive folder --out signed
  eid sign letter.txt --detached --key seal.p12
  eid sign --augment --level lta report-signed.pdf
  eid sign contract.pdf --visible --page -1 --rect 50,50,250,110 --photo --preview page.png`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			f.changed = cmd.Flags().Changed
			return a.sign(cmd.Context(), args, f)
		},
	}
	f.addWhat(cmd)
	f.addClaims(cmd)
	f.addPDF(cmd)
	f.services.add(cmd)
	cmd.Flags().BoolVar(&f.services.offline, "offline", false, "ask no service: for level b")
	f.key.add(cmd)
	f.result.add(cmd, "sign.json")
	f.complete(cmd)
	cmd.MarkFlagsMutuallyExclusive("augment", "countersign", "add", "preview")
	cmd.MarkFlagsMutuallyExclusive("augment", "key")
	cmd.MarkFlagsMutuallyExclusive("detached", "packaging")
	cmd.MarkFlagsMutuallyExclusive("photo", "image")
	return cmd
}

// addWhat adds the flags about what is signed, in which form, and where it goes.
func (f *signFlags) addWhat(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.format, "format", "", "cades, pades, xades or asice (default: by the file)")
	flags.StringVar(&f.level, "level", "", "b, t, lt or lta (default: b, or the configuration's)")
	flags.StringVar(&f.packaging, "packaging", "", "where the content stands: enveloped (xades), enveloping or detached")
	flags.BoolVar(&f.detached, "detached", false, "leave the content out of the signature: --packaging detached")
	flags.StringVar(&f.out, "out", "", "file to write; for several signatures a folder, made if it is missing")
	flags.BoolVar(&f.recursive, "recursive", false, "sign the files in folders, and in theirs, each by itself")
	flags.BoolVar(&f.container, "container", false, "one signature over all files: a container, or xades with --packaging detached or enveloping (asice does so unless --container=false)")
	flags.BoolVar(&f.cms, "cms", false, "sign containers by CAdES instead of XAdES")
	flags.BoolVar(&f.add, "add", false, "put the signature beside those in the file: a container, a CMS message or XML")
	flags.BoolVar(&f.augment, "augment", false, "no new signature: raise those that are there to --level")
	flags.StringArrayVar(&f.ids, "id", nil, "with --augment: this signature alone, named as `eid verify` names it")
	flags.StringVar(&f.countersign, "countersign", "", "sign the signature of that name, as `eid verify` gives it")
	flags.StringArrayVar(&f.content, "content", nil, "what a detached signature that is added to, raised or countersigned is for")
	flags.StringArrayVar(&f.references, "reference", nil, `what of the XML is signed: "" for all of it, #ID for an element`)
	flags.StringVar(&f.parent, "parent", "", "ID of the XML element that the signature becomes the last child of")
	flags.BoolVar(&f.alone, "alone", false, "let an XML signature leave out itself only: for simple validators, and when nobody is to sign after you")
	flags.StringVar(&f.hash, "hash", "", "sha256, sha384, sha512, sha3-256, sha3-384 or sha3-512 (default: what fits the key)")
	flags.BoolVar(&f.pss, "pss", false, "have RSA keys sign by RSASSA-PSS")
	flags.StringArrayVar(&f.chain, "chain", nil, "certificates above the signer's, to be embedded: a PEM or DER file")
}

func (f *signFlags) addClaims(cmd *cobra.Command) {
	flags, c := cmd.Flags(), &f.claims
	flags.StringVar(&f.signingTime, "signing-time", "", "time to claim (RFC 3339) instead of now")
	flags.BoolVar(&f.contentTimestamp, "content-timestamp", false, "have the content stamped before it is signed")
	flags.StringArrayVar(&c.roles, "role", nil, "role in which you say to sign")
	flags.StringArrayVar(&c.commitments, "commitment", nil, "what the signature means: proof-of-origin, receipt, delivery, sender, approval, creation, or an OID")
	flags.StringVar(&c.place, "place", "", `where you say to sign: "City, Country", or "city=..., street=..., postal=..., province=..., country=..."`)
	flags.StringVar(&c.policy, "policy", "", "OID or URI of the signature policy to sign under")
	flags.StringVar(&c.policyFile, "policy-file", "", "the policy itself, for its digest")
	flags.StringVar(&c.policySum, "policy-digest", "", "its digest instead: sha256:HEX")
	flags.StringVar(&c.policyURI, "policy-uri", "", "where the policy can be read")
}

func (f *signFlags) addPDF(cmd *cobra.Command) {
	flags, p := cmd.Flags(), &f.pdf
	flags.StringVar(&p.reason, "reason", "", "why you sign (PDF)")
	flags.StringVar(&p.location, "location", "", "where (PDF)")
	flags.StringVar(&p.contact, "contact", "", "how to reach you (PDF)")
	flags.StringVar(&p.field, "field", "", "signature field to fill, or name of a new one (PDF)")
	flags.IntVar(&p.certify, "certify", 0, "certify the PDF and allow later: 1 nothing, 2 filling in forms, 3 also comments")
	flags.BoolVar(&p.visible, "visible", false, "show the signature on a page (PDF); so do --page, --rect, --text, --image and --photo")
	flags.IntVar(&p.page, "page", 0, "page to show it on, from 1; -1 is the last (default: the first, or that of the field)")
	flags.StringVar(&p.rect, "rect", "", "where on the page: left,bottom,right,top in points of 1/72 inch (default: free space at the bottom)")
	flags.StringArrayVar(&p.text, "text", nil, "line to show (default: name and date, reason and place)")
	flags.StringVar(&p.image, "image", "", "PNG or JPEG to show beside the text")
	flags.BoolVar(&p.photo, "photo", false, "show the photo of the card")
	flags.StringVar(&f.preview, "preview", "", "write a picture of the page with the stamp to this PNG file and sign nothing (needs pdftoppm)")
}

// complete has the shell offer the words that flags take.
func (f *signFlags) complete(cmd *cobra.Command) {
	for flag, words := range map[string][]string{
		"format": {"asice", "cades", "pades", "xades"}, "level": {"b", "t", "lt", "lta"}, "packaging": {"enveloped", "enveloping", "detached"},
		"hash": slices.Sorted(maps.Keys(hashNames)), "commitment": slices.Sorted(maps.Keys(commitments)),
	} {
		if err := cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp)); err != nil {
			panic(err) // there is no such flag
		}
	}
}

func (a *app) sign(ctx context.Context, args []string, f signFlags) error {
	plan, err := a.planSigning(ctx, args, f)
	if err != nil {
		return err
	}
	defer plan.close()
	r := &signRun{app: a, plan: plan, result: f.result}
	if !plan.needsKey() {
		return r.all(ctx)
	}
	key, err := a.openKey(ctx, f.key, r.about)
	if err != nil {
		return err
	}
	defer key.close()
	r.key = key
	if f.pdf.photo {
		if err := plan.showPhoto(ctx, key); err != nil {
			return err
		}
	}
	if f.preview != "" {
		return r.preview(ctx, f.preview)
	}
	return r.all(ctx)
}
