//go:build !windows

package sysfile

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// place is a folder with a file "f" in a folder "d", all the user's alone.
func place(t *testing.T) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Mkdir(filepath.Join(dir, "d"), 0o755), os.WriteFile(filepath.Join(dir, "d", "f"), []byte("x"), 0o755)); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestFile: what somebody else could have put there, or could put there yet, is refused.
func TestFile(t *testing.T) {
	t.Parallel()
	me := os.Geteuid()
	others := errors.New("refused as others'")
	for name, test := range map[string]struct {
		spoil func(dir string) error
		want  error // nil: it is good; others: ErrOthers; else another refusal
	}{
		"as it was":                 {func(string) error { return nil }, nil},
		"file for the group":        {func(d string) error { return os.Chmod(d+"/d/f", 0o775) }, others},
		"file for all":              {func(d string) error { return os.Chmod(d+"/d/f", 0o757) }, others},
		"folder for all":            {func(d string) error { return os.Chmod(d+"/d", 0o777) }, others},
		"folder above that for all": {func(d string) error { return os.Chmod(d, 0o777) }, others},
		"a sticky folder above":     {func(d string) error { return os.Chmod(d, 0o777|fs.ModeSticky) }, nil},
		"a link": {func(d string) error {
			return errors.Join(os.Rename(d+"/d/f", d+"/d/real"), os.Symlink("./real", d+"/d/f"))
		}, nil},
		"a link up and down": {func(d string) error {
			return errors.Join(os.Rename(d+"/d/f", d+"/real"), os.Symlink("../d/..//real", d+"/d/f"))
		}, nil},
		"a whole link": {func(d string) error {
			return errors.Join(os.Rename(d+"/d/f", d+"/real"), os.Symlink(d+"/real", d+"/d/f"))
		}, nil},
		"a link into a folder for all": {func(d string) error {
			return errors.Join(os.Mkdir(d+"/open", 0o755), os.Chmod(d+"/open", 0o777), os.Rename(d+"/d/f", d+"/open/f"), os.Symlink("../open/f", d+"/d/f"))
		}, others},
		"a folder that is a link in one for all": {func(d string) error {
			return errors.Join(os.Mkdir(d+"/open", 0o755), os.Chmod(d+"/open", 0o777), os.Rename(d+"/d", d+"/real"),
				os.Symlink("../real", d+"/open/d"), os.Symlink("open/d", d+"/d"))
		}, others},
		"a folder":  {func(d string) error { return errors.Join(os.Remove(d+"/d/f"), os.Mkdir(d+"/d/f", 0o755)) }, errors.ErrUnsupported},
		"a loop":    {func(d string) error { return errors.Join(os.Remove(d+"/d/f"), os.Symlink("f", d+"/d/f")) }, errors.ErrUnsupported},
		"a device":  {func(d string) error { return errors.Join(os.Remove(d+"/d/f"), os.Symlink("/dev/null", d+"/d/f")) }, others},
		"not there": {func(d string) error { return os.Remove(d + "/d/f") }, fs.ErrNotExist},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := place(t)
			if err := test.spoil(dir); err != nil {
				t.Fatal(err)
			}
			real, err := File(dir+"/d/f", me)
			f, opening := Open(dir+"/d/f", me)
			if (err == nil) != (opening == nil) {
				t.Errorf("File: %v; Open: %v", err, opening)
			}
			switch {
			case test.want == nil:
				if err != nil || opening != nil {
					t.Fatal(err, opening)
				}
				defer f.Close()
				if b, err := io.ReadAll(f); string(b) != "x" {
					t.Errorf("read %q, %v", b, err)
				}
				if clean, err := filepath.EvalSymlinks(dir + "/d/f"); err != nil || clean != real {
					t.Errorf("the path is %s, not %s (%v)", real, clean, err)
				}
			case err == nil:
				t.Error("it is taken")
			case errors.Is(err, ErrOthers) != (test.want == others) || test.want == fs.ErrNotExist && !errors.Is(err, fs.ErrNotExist):
				t.Error(err)
			}
		})
	}
}

// TestOwner: only root's will do, and the one owner that is named.
func TestOwner(t *testing.T) {
	t.Parallel()
	const stranger = 65534
	dir := place(t)
	owner := os.Geteuid()
	if owner == 0 { // as root the file can be given away
		owner = stranger
		if err := os.Chown(dir+"/d/f", owner, owner); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := File(dir+"/d/f", 0); !errors.Is(err, ErrOthers) || !strings.Contains(err.Error(), "belongs to") {
		t.Errorf("somebody's file: %v", err)
	}
	if _, err := File(dir+"/d/f", owner+1); !errors.Is(err, ErrOthers) {
		t.Errorf("another one's: %v", err)
	}
	if _, err := File(dir+"/d/f", owner); err != nil {
		t.Errorf("the owner's: %v", err)
	}
	if _, err := File("d/f", owner); err == nil {
		t.Error("half a path is taken")
	}
}

// TestFolder: where everybody may make files anybody can have made the one that is looked for, whatever the sticky bit.
func TestFolder(t *testing.T) {
	t.Parallel()
	me := os.Geteuid()
	dir := place(t)
	if err := Folder(dir+"/d", me); err != nil {
		t.Error(err)
	}
	if err := Folder(dir+"/d/f", me); err == nil {
		t.Error("a file is a folder")
	}
	if err := Folder(dir+"/absent", me); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	for _, mode := range []fs.FileMode{0o777, 0o775, 0o777 | fs.ModeSticky} {
		if err := os.Chmod(dir+"/d", mode); err != nil {
			t.Fatal(err)
		}
		if err := Folder(dir+"/d", me); !errors.Is(err, ErrOthers) {
			t.Errorf("mode %v: %v", mode, err)
		}
	}
	if err := errors.Join(os.Chmod(dir+"/d", 0o755), os.Chmod(dir, 0o777)); err != nil {
		t.Fatal(err)
	}
	if err := Folder(dir+"/d", me); !errors.Is(err, ErrOthers) {
		t.Errorf("a folder that anybody can put another one in the place of: %v", err)
	}
}

// TestOpenPlain: no link is followed, and a pipe does not make it wait.
func TestOpenPlain(t *testing.T) {
	t.Parallel()
	dir := place(t)
	if err := os.Symlink("f", dir+"/d/link"); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{dir + "/d/link", dir + "/d", "/dev/null", dir + "/absent"} {
		if f, err := OpenPlain(path); err == nil {
			f.Close()
			t.Errorf("%s is opened", path)
		}
	}
}
