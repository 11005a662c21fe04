package pkcs11

import (
	"os"
	"path/filepath"
)

var suffixes = []string{".dll"}

// moduleFolders are those that installers of modules use. The current folder and PATH are not among them.
func moduleFolders() []string {
	var patterns []string
	for _, folder := range []struct{ variable, pattern string }{
		{"SystemRoot", "System32"},
		{"ProgramFiles", filepath.Join("OpenSC Project", "OpenSC", "pkcs11")},
		{"ProgramFiles", filepath.Join("*", "pkcs11")},
	} {
		if root := os.Getenv(folder.variable); filepath.IsAbs(root) {
			patterns = append(patterns, filepath.Join(root, folder.pattern))
		}
	}
	return existing(patterns...)
}
