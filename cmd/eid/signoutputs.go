package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// checkOutputs looks at what is there before a key is used. In a batch that is passed over which an earlier run made; what else is wrong with a
// task is its problem alone.
func (n naming) checkOutputs(ctx context.Context, tasks []*signTask) error {
	makers := map[string]*signTask{}
	beside := n
	beside.out = ""
	for _, t := range tasks {
		in := t.inputs[0]
		makers[absolute(filepath.Join(filepath.Dir(in.path), beside.file(filepath.Base(in.path), t.format, false)))] = t
	}
	for _, t := range tasks {
		makers[absolute(t.out)] = t
	}
	for _, t := range tasks {
		if err := n.checkMade(ctx, t, makers[absolute(t.inputs[0].path)]); err != nil {
			return err
		}
	}
	inputs := n.inputsOf(tasks)
	for _, t := range tasks {
		if t.problem == nil {
			if err := n.checkOutput(ctx, t, inputs, len(tasks) > 1 || t.inputs[0].dir != ""); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkMade passes over a task whose file an earlier run made. maker, if not nil, is the task that writes a file of that name.
func (n naming) checkMade(ctx context.Context, t, maker *signTask) error {
	in := t.inputs[0]
	if maker == t {
		maker = nil
	}
	if maker == nil && in.dir != "" {
		maker = n.maker(in.path)
	}
	if maker == nil {
		return nil
	}
	made, err := n.made(ctx, maker, in.path)
	switch {
	case err != nil:
		return err
	case made:
		t.problem, t.out = errSigned, in.path
	case in.dir != "":
		t.problem = hinted{usagef("%s has the name of an output, and not what it was made from beside it", in.path), "to do it all the same, name the file itself"}
	}
	return nil
}

// checkOutput says what stands in the way of what a task would write.
func (n naming) checkOutput(ctx context.Context, t *signTask, inputs map[fileKey][]*inputFile, batch bool) (err error) {
	there, replaceable := exists(t.out)
	if !there {
		return nil
	}
	const elsewhere = "write elsewhere with --out, or replace it with --force"
	switch info, failed := os.Stat(t.out); {
	case !replaceable:
		err = hinted{fmt.Errorf("%s is there already and is no file", t.out), "write elsewhere with --out"}
	case failed == nil && isInput(t.out, inputs[fileKeyOf(info)]):
		err = hinted{usagef("%s would be replaced, and it is one of the files to be read", t.out), "write elsewhere with --out"}
	case n.force:
	case batch:
		made, err := n.made(ctx, t, t.out)
		if err != nil {
			return err
		}
		if t.problem = errSigned; !made {
			t.problem = hinted{usagef("%s is there already, and it was not made from %s as it is now", t.out, t.name()), elsewhere}
		}
		return nil
	default:
		err = hinted{usageError{fmt.Errorf("%s is there already", t.out)}, elsewhere}
	}
	if batch {
		t.problem, err = err, nil
	}
	return err
}

// fileKey is equal for two names of one file.
type fileKey struct{ size, modified int64 }

func fileKeyOf(info os.FileInfo) fileKey { return fileKey{info.Size(), info.ModTime().UnixNano()} }

// inputsOf are the files that are read, but for what earlier runs made.
func (n naming) inputsOf(tasks []*signTask) map[fileKey][]*inputFile {
	list := map[fileKey][]*inputFile{}
	add := func(inputs []*inputFile) {
		for _, in := range inputs {
			key := fileKeyOf(in.info)
			list[key] = append(list[key], in)
		}
	}
	add(n.content)
	for _, t := range tasks {
		if !errors.Is(t.problem, errSigned) {
			add(t.inputs)
		}
	}
	return list
}

// isInput tells whether path is one of the files, by whatever name.
func isInput(path string, inputs []*inputFile) bool {
	info, err := os.Stat(path)
	for _, in := range inputs {
		if err == nil && os.SameFile(info, in.info) {
			return true
		}
	}
	return false
}
