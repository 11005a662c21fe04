package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/eidkit/eidkit/internal/termview"
	"github.com/eidkit/eidkit/sign"
)

// pickedFile is a file to sign.
type pickedFile struct {
	path string
	info fs.FileInfo
	dir  string // its folder below the one that was walked; empty: none was
}

func (p pickedFile) name() string { return filepath.Base(p.path) }

func (p pickedFile) input() *inputFile { return &inputFile{path: p.path, dir: p.dir, info: p.info} }

// maxPicked bounds what one call signs.
const maxPicked = 100_000

// pick finds the files that the arguments name: files, patterns where no shell has done it, and with recursive the files in folders.
// signed tells that signed files are wanted. out is a folder not to walk into.
func pick(args []string, recursive bool, out string, signed bool) ([]pickedFile, error) {
	var list []pickedFile
	seen := map[string]bool{}
	add := func(p pickedFile) {
		if key := absolute(p.path); !seen[key] {
			seen[key] = true
			list = append(list, p)
		}
	}
	for _, arg := range args {
		paths := []string{arg}
		if _, err := os.Lstat(arg); errors.Is(err, fs.ErrNotExist) && strings.ContainsAny(arg, "*?[") {
			if paths, err = filepath.Glob(arg); err != nil || len(paths) == 0 {
				return nil, usagef("no file has a name like %s", termview.Clean(arg))
			}
		}
		for _, path := range paths {
			info, err := os.Stat(path)
			if err == nil && info.IsDir() {
				if !recursive {
					return nil, hinted{usagef("%s is a folder", termview.Clean(path)), "sign all files in it with: --recursive"}
				}
				if err := walk(path, out, signed, add); err != nil {
					return nil, err
				}
				continue
			}
			p, err := pickOne(path)
			if err != nil {
				return nil, err
			}
			add(p)
		}
		if len(list) > maxPicked {
			return nil, usagef("more than %d files", maxPicked)
		}
	}
	if len(list) == 0 {
		return nil, usagef("there is no file to sign in there")
	}
	return list, nil
}

// pickOne looks at a file that was named.
func pickOne(path string) (pickedFile, error) {
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("not a regular file")
	}
	if err != nil {
		return pickedFile{}, fmt.Errorf("reading %s: %w", path, plainPathError(err))
	}
	return pickedFile{path: path, info: info}, nil
}

// signatureFiles are the endings of files that are signatures or containers of them, and signedKinds those that may hold some.
var (
	signatureFiles = []string{".p7m", ".p7s", ".asice", ".sce", ".asics", ".scs", ".tst", ".tsr"}
	signedKinds    = []string{".p7m", ".p7s", ".asice", ".sce", ".pdf", ".xml"}
)

// walk finds the files in a folder, also if it is named by a link: regular ones that are not hidden, and that are not signatures, or for signed that may hold some.
func walk(root, out string, signed bool, add func(pickedFile)) error {
	target, err := filepath.EvalSymlinks(root)
	if err != nil {
		return fmt.Errorf("looking for files in %s: %w", root, plainPathError(err))
	}
	skipped, _ := os.Stat(out) // nil: it is not there
	err = filepath.WalkDir(target, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		below, err := filepath.Rel(target, path)
		if err != nil {
			return err
		}
		hidden := path != target && strings.HasPrefix(e.Name(), ".")
		if e.IsDir() {
			info, err := e.Info()
			if hidden || err == nil && path != target && skipped != nil && os.SameFile(info, skipped) {
				return fs.SkipDir
			}
			return err
		}
		ending := strings.ToLower(filepath.Ext(path))
		if hidden || !e.Type().IsRegular() || signed && !slices.Contains(signedKinds, ending) || !signed && slices.Contains(signatureFiles, ending) {
			return nil
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		add(pickedFile{path: filepath.Join(root, below), info: info, dir: filepath.Dir(below)})
		return nil
	})
	if err != nil {
		return fmt.Errorf("looking for files in %s: %w", root, err)
	}
	return nil
}

// naming says what files are called that are written.
type naming struct {
	mode      signMode
	level     sign.Level
	packaging sign.Packaging
	add       bool
	out       string
	force     bool
	content   []*inputFile // beside the files, of detached signatures
}

// file is the name for what comes of in. Full keeps the ending of the input where another one could be put in its place.
func (n naming) file(in string, format sign.Format, full bool) string {
	ending := filepath.Ext(in)
	stem := strings.TrimSuffix(in, ending)
	if stem == "" { // a hidden file without an ending
		stem, ending = in, ""
	}
	switch {
	case n.mode == modeTimestamp && format == sign.FormatPAdES:
		return stem + "-stamped" + ending
	case n.mode == modeTimestamp:
		return in + ".tst"
	case n.mode == modeAugment:
		return stem + "-" + levelSuffix(n.level) + ending
	case n.mode == modeCountersign:
		return stem + "-countersigned" + ending
	case n.add || format == sign.FormatPAdES:
		return stem + "-signed" + ending
	case format == sign.FormatXAdES && (n.packaging == sign.Enveloped || n.packaging == sign.Auto && strings.EqualFold(ending, ".xml")):
		return stem + "-signed" + ending
	case format == sign.FormatXAdES:
		return in + ".xades.xml"
	case format == sign.FormatCAdES && n.packaging == sign.Detached:
		return in + ".p7s"
	case format == sign.FormatCAdES:
		return in + ".p7m"
	case full:
		return in + ".asice"
	}
	return stem + ".asice"
}

// nameAll gives each task the path of what it writes. A file that another task would write is no input: it was signed by an earlier run.
func (n naming) nameAll(tasks []*signTask, recursive bool) error {
	several := len(tasks) > 1 || recursive || strings.HasSuffix(n.out, "/") || strings.HasSuffix(n.out, string(filepath.Separator))
	if info, err := os.Stat(n.out); err == nil && info.IsDir() {
		several = true
	} else if err == nil && several && n.out != "" {
		return usagef("--out is a file, and a folder is needed for several signatures: %s", termview.Clean(n.out))
	}
	path := func(t *signTask, full bool) string {
		in := t.inputs[0]
		switch {
		case n.out == "":
			return filepath.Join(filepath.Dir(in.path), n.file(filepath.Base(in.path), t.format, full))
		case several:
			return filepath.Join(n.out, in.dir, n.file(filepath.Base(in.path), t.format, full))
		}
		return n.out
	}
	count := map[string]int{}
	for _, t := range tasks {
		t.out = path(t, false)
		count[absolute(t.out)]++
	}
	taken := map[string]*signTask{}
	for _, t := range tasks {
		if count[absolute(t.out)] > 1 { // a.txt and a.csv
			t.out = path(t, true)
		}
		if other := taken[absolute(t.out)]; other != nil {
			return usagef("%s and %s would both be written to %s", termview.Clean(other.name()), termview.Clean(t.name()), termview.Clean(t.out))
		}
		taken[absolute(t.out)] = t
	}
	return nil
}

// maker is the task that would have written a file in a folder in an earlier run, going by the name; nil: none would.
func (n naming) maker(path string) *signTask {
	ending := filepath.Ext(path)
	stem, made := strings.TrimSuffix(path, ending), false
	switch {
	case n.mode == modeSign && !n.add:
		stem, made = strings.CutSuffix(stem, "-signed")
	case n.mode == modeAugment:
		stem, made = strings.CutSuffix(stem, "-"+levelSuffix(n.level))
	}
	if !made {
		return nil
	}
	t := &signTask{inputs: []*inputFile{{path: stem + ending}}, format: sign.FormatXAdES}
	if source, err := pickOne(stem + ending); err == nil {
		t.inputs[0].info = source.info
	}
	if strings.EqualFold(ending, ".pdf") {
		t.format = sign.FormatPAdES
	}
	return t
}

// levelSuffix is "lt" for B-LT.
func levelSuffix(l sign.Level) string { return strings.ToLower(strings.TrimPrefix(l.String(), "B-")) }
