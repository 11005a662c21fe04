package pkcs11

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestFindModule(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "libmine"+suffixes[0])
	if err := os.WriteFile(file, []byte("no library"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, u := range []URI{
		{ModulePath: file}, {ModulePath: file, ModuleName: "other"}, {ModulePath: dir, ModuleName: "mine"}, {ModulePath: dir, ModuleName: "libmine"},
		{ModulePath: dir, ModuleName: "libmine" + suffixes[0]}, {ModulePath: dir, ModuleName: "mine" + suffixes[0]},
	} {
		if path, err := FindModule(u); err != nil || path != file {
			t.Errorf("%v: %q, %v", u, path, err)
		}
	}
	for _, u := range []URI{
		{}, {ModulePath: "libmine" + suffixes[0]}, {ModulePath: dir}, {ModulePath: dir, ModuleName: "min"}, {ModulePath: filepath.Join(dir, "absent")},
		{ModuleName: "surely-absent"}, {ModuleName: "../mine"}, {ModuleName: ".."}, {ModulePath: dir, ModuleName: filepath.Join("..", filepath.Base(dir), "libmine")},
		{ModuleName: "a\x00b"}, {ModulePath: os.DevNull},
	} {
		if path, err := FindModule(u); !errors.Is(err, ErrNoModule) {
			t.Errorf("%v: %q, %v", u, path, err)
		}
	}
	if _, err := Open("relative.so", Options{}); !errors.Is(err, ErrNoModule) {
		t.Error(err)
	}
	if _, err := Open(filepath.Join(dir, "absent.so"), Options{}); !errors.Is(err, ErrNoModule) {
		t.Error(err)
	}
	// A file that is no library: without cgo the error says what is missing instead.
	if _, err := Open(file, Options{}); !errors.Is(err, ErrNoModule) && !errors.Is(err, ErrNoCgo) {
		t.Error(err)
	}
}
