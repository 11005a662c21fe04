package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/eidkit/eidkit/internal/termview"
	"github.com/eidkit/eidkit/sign"
	"github.com/eidkit/eidkit/verify"
)

// signMode is what `eid sign` does to a file.
type signMode int

const (
	modeSign signMode = iota
	modeAugment
	modeCountersign
	modeTimestamp
)

// signTask is one file to write.
type signTask struct {
	inputs []*inputFile
	format sign.Format
	out    string
	// problem is why there is nothing to do, found before the work begins: errSigned, or a fault.
	problem error
}

// errSigned says that what a task would write is there from an earlier run, or that its file was written by one.
var errSigned = errors.New("signed already")

// signPlan is what is to be done, with everything that flags and files say looked at before a key is touched.
type signPlan struct {
	mode        signMode
	tasks       []*signTask
	options     sign.Options
	countersign string // the signature's name
	force       bool
	keepGoing   bool // although no time stamp can be had
	content     []*inputFile

	closers []func()
}

func (p *signPlan) close() {
	for _, c := range p.closers {
		c()
	}
	for _, t := range p.tasks {
		t.close()
	}
}

// needsKey tells whether anything is left to sign.
func (p *signPlan) needsKey() bool {
	return p.mode != modeAugment && slices.ContainsFunc(p.tasks, func(t *signTask) bool { return t.problem == nil })
}

// optionsFor are the options as far as a task's format has a use for them: a batch may hold files of several.
func (p *signPlan) optionsFor(t *signTask) sign.Options {
	o := p.options
	if t.format != sign.FormatPAdES {
		o.PDF = sign.PDF{}
	} else {
		o.ContentTimestamp = false
	}
	if t.format != sign.FormatXAdES {
		o.XML = sign.XML{}
	}
	if t.format != sign.FormatASiCE {
		o.CMS = false
	}
	if t.format == sign.FormatPAdES || t.format == sign.FormatASiCE || o.Add {
		o.Packaging = sign.Auto
	}
	if o.Add = o.Add && (t.format == sign.FormatCAdES || t.format == sign.FormatASiCE); !o.Add && p.mode == modeSign {
		o.Content = nil // PDF and XML keep their signatures by themselves
	}
	return o
}

func (t *signTask) close() {
	for _, in := range t.inputs {
		in.close()
	}
}

func (t *signTask) sources() []sign.Source {
	list := make([]sign.Source, len(t.inputs))
	for i, in := range t.inputs {
		list[i] = in.source()
	}
	return list
}

// name is the file that the task is about, or the first and how many more there are.
func (t *signTask) name() string {
	if n := len(t.inputs) - 1; n > 0 {
		return fmt.Sprintf("%s (+%d)", t.inputs[0].path, n)
	}
	return t.inputs[0].path
}

// planSigning looks at the flags and the files.
func (a *app) planSigning(ctx context.Context, args []string, f signFlags) (*signPlan, error) {
	p := &signPlan{force: f.result.force, countersign: f.countersign}
	if err := p.make(ctx, a, args, f); err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

func (p *signPlan) make(ctx context.Context, a *app, args []string, f signFlags) error {
	switch {
	case f.augment:
		p.mode = modeAugment
	case f.countersign != "":
		p.mode = modeCountersign
	}
	format, err := formatNamed(f.format)
	if err != nil {
		return err
	}
	if p.options, err = a.signOptions(f); err != nil {
		return err
	}
	picked, err := pick(args, f.recursive, f.out, p.mode == modeAugment || f.add)
	if err != nil {
		return err
	}
	if err := p.makeTasks(picked, format, f); err != nil {
		return err
	}
	if err := p.checkFlags(f); err != nil {
		return err
	}
	if err := p.setServices(a, f.services, f.content); err != nil {
		return err
	}
	n := naming{mode: p.mode, level: p.options.Level, packaging: p.options.Packaging, add: f.add, out: f.out, force: p.force, content: p.content}
	if err := n.nameAll(p.tasks, f.recursive); err != nil {
		return err
	}
	if f.preview != "" {
		return p.checkPreview()
	}
	return n.checkOutputs(ctx, p.tasks)
}

// makeTasks says which files get a signature of their own and which share one, and of what format.
func (p *signPlan) makeTasks(picked []pickedFile, format sign.Format, f signFlags) error {
	formats := make([]sign.Format, len(picked))
	for i, file := range picked {
		var err error
		if formats[i], err = p.formatOf(file, format, f); err != nil {
			return err
		}
	}
	if together, err := shareOne(formats, f); err != nil {
		return err
	} else if together {
		t := &signTask{format: formats[0]}
		names := map[string]string{}
		for _, file := range picked {
			if other, taken := names[file.name()]; taken {
				return usagef("%s and %s have the same name, and cannot share a signature", termview.Clean(other), termview.Clean(file.path))
			}
			names[file.name()] = file.path
			t.inputs = append(t.inputs, file.input())
		}
		p.tasks = []*signTask{t}
		return nil
	}
	for i, file := range picked {
		p.tasks = append(p.tasks, &signTask{inputs: []*inputFile{file.input()}, format: formats[i]})
	}
	return nil
}

// formatOf is the format asked for, or else what fits the file.
func (p *signPlan) formatOf(file pickedFile, asked sign.Format, f signFlags) (sign.Format, error) {
	if asked != "" && p.mode == modeSign && !f.add {
		return asked, nil
	}
	if p.mode != modeSign || f.add { // there is a signature: of what form, the file says
		format, err := file.kind()
		if err != nil || format == asked || asked == "" {
			return format, err
		}
		return "", usagef("%s has a signature of another form than --format %s", termview.Clean(file.path), asked)
	}
	name := strings.ToLower(file.path)
	switch {
	case f.container:
		return sign.FormatASiCE, nil
	case p.options.Packaging == sign.Detached:
		return sign.FormatCAdES, nil
	case strings.HasSuffix(name, ".xml") || p.options.Packaging == sign.Enveloped:
		return sign.FormatXAdES, nil
	case p.options.Packaging == sign.Enveloping:
		return sign.FormatCAdES, nil
	case strings.HasSuffix(name, ".pdf"):
		return sign.FormatPAdES, nil
	}
	return sign.FormatASiCE, nil
}

// shareOne tells whether all files get one signature: by --container, or in a container unless folders were named.
func shareOne(formats []sign.Format, f signFlags) (bool, error) {
	other := slices.ContainsFunc(formats, func(x sign.Format) bool { return x != sign.FormatASiCE })
	if !f.changed("container") {
		return len(formats) > 1 && !other && !f.recursive && !f.add && !f.augment && f.countersign == "", nil
	}
	switch {
	case !f.container:
		return false, nil
	case f.add || f.augment || f.countersign != "":
		return false, usagef("--container is for a new container; a signature is added to one with --add")
	case formats[0] == sign.FormatXAdES && (f.detached || f.packaging == "detached" || f.packaging == "enveloping"):
		return true, nil
	case other:
		return false, usagef("--container is for --format asice, and for xades with --packaging detached or enveloping")
	}
	return true, nil
}

// flagFormats are the flags that make sense for some formats only.
var flagFormats = []struct {
	flags   []string
	formats []sign.Format
}{
	{[]string{"reason", "location", "contact", "field", "certify", "visible", "page", "rect", "text", "image", "photo", "preview"}, []sign.Format{sign.FormatPAdES}},
	{[]string{"reference", "parent", "alone"}, []sign.Format{sign.FormatXAdES}},
	{[]string{"cms"}, []sign.Format{sign.FormatASiCE}},
	{[]string{"detached", "packaging"}, []sign.Format{sign.FormatCAdES, sign.FormatXAdES}},
	{[]string{"countersign"}, []sign.Format{sign.FormatCAdES, sign.FormatXAdES}},
	{[]string{"content-timestamp"}, []sign.Format{sign.FormatCAdES, sign.FormatXAdES, sign.FormatASiCE}},
}

// signingFlags say how a new signature is to be: nothing of it can be had by raising one.
var signingFlags = []string{"pss", "role", "commitment", "place", "policy", "signing-time", "content-timestamp", "reason", "location", "contact", "field",
	"certify", "visible", "page", "rect", "text", "image", "photo", "reference", "parent", "alone", "cms", "detached", "packaging"}

// checkFlags refuses flags that would do nothing.
func (p *signPlan) checkFlags(f signFlags) error {
	for _, row := range flagFormats {
		fits := slices.ContainsFunc(p.tasks, func(t *signTask) bool { return slices.Contains(row.formats, t.format) })
		for _, flag := range row.flags {
			if f.changed(flag) && !fits {
				return usagef("--%s is for %s, and none of the files is signed so", flag, joinFormats(row.formats))
			}
		}
	}
	for _, flag := range signingFlags {
		if f.augment && f.changed(flag) {
			return usagef("--%s is for a new signature, and --augment makes none", flag)
		}
	}
	switch {
	case p.options.Packaging == sign.Enveloped && slices.ContainsFunc(p.tasks, func(t *signTask) bool { return t.format == sign.FormatCAdES }):
		return usagef("--packaging enveloped is for xades")
	case len(f.ids) > 0 && !f.augment:
		return usagef("--id is for --augment")
	case len(f.content) > 0 && !f.augment && !f.add && f.countersign == "":
		return usagef("--content is for --augment, --countersign and --add: what is to be signed is named as FILE")
	}
	return nil
}

func joinFormats(list []sign.Format) string {
	s := make([]string, len(list))
	for i, f := range list {
		s[i] = string(f)
	}
	return strings.Join(s, " and ")
}

// setServices sets whom to trust, the way to the network, and what detached signatures are over.
func (p *signPlan) setServices(a *app, f serviceFlags, content []string) (err error) {
	if p.options.Anchors, err = a.anchorsOf(f.trust, f.onlyTrust); err != nil {
		return err
	}
	var v *verify.Verifier
	if v, err = a.verifier(verifyFlags{cache: f.cache, allowPrivate: f.allowPrivate}); err != nil {
		return err
	}
	p.options.Verifier, p.keepGoing = v, f.keepGoing
	p.closers = append(p.closers, func() { v.Close() })
	for _, path := range content {
		file, err := pickOne(path)
		if err != nil {
			return err
		}
		in := file.input()
		p.closers, p.content = append(p.closers, in.close), append(p.content, in)
		p.options.Content = append(p.options.Content, in.source())
	}
	return nil
}

// showPhoto has the signature show the photo of the card.
func (p *signPlan) showPhoto(ctx context.Context, key *signingKey) error {
	if key.photo == nil {
		return usagef("--photo is the photo of an eID card; with another key there is --image")
	}
	photo, err := key.photo(ctx)
	if err != nil {
		return err
	}
	p.options.PDF.Visible.Image = photo
	return nil
}

func (p *signPlan) checkPreview() error {
	if len(p.tasks) != 1 {
		return usagef("--preview takes one PDF file")
	}
	return nil
}

// exists tells whether there is anything at path, and whether it may be replaced.
func exists(path string) (there, replaceable bool) {
	info, err := os.Lstat(path)
	return err == nil, err == nil && (info.Mode().IsRegular() || info.Mode()&os.ModeSymlink != 0)
}

// absolute is the path by which two names of one file are told to be one.
func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return filepath.Clean(path)
}
