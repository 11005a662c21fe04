package pkcs11

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// FindModule returns the file of the module that u names: by module-path, which is an absolute path of a file or of a folder in which
// module-name is looked for, or by module-name alone, such as "opensc-pkcs11" or "softhsm2", looked for in the usual folders of the
// system. Errors wrap ErrNoModule.
func FindModule(u URI) (string, error) {
	if u.ModulePath == "" && u.ModuleName == "" {
		return "", fmt.Errorf("%w: the URI names none: add ?module-path=/path/to/module%s or ?module-name=NAME", ErrNoModule, suffixes[0])
	}
	if u.ModulePath != "" && !filepath.IsAbs(u.ModulePath) {
		return "", fmt.Errorf("%w: module-path %q is not absolute", ErrNoModule, u.ModulePath)
	}
	folders := moduleFolders()
	if u.ModulePath != "" {
		info, err := os.Stat(u.ModulePath)
		switch {
		case err != nil:
			return "", fmt.Errorf("%w: %w", ErrNoModule, err)
		case info.Mode().IsRegular():
			return u.ModulePath, nil
		case !info.IsDir():
			return "", fmt.Errorf("%w: %s is neither a file nor a folder", ErrNoModule, u.ModulePath)
		case u.ModuleName == "":
			return "", fmt.Errorf("%w: %s is a folder: add module-name", ErrNoModule, u.ModulePath)
		}
		folders = []string{u.ModulePath}
	}
	if strings.ContainsAny(u.ModuleName, `/\`) || u.ModuleName == "." || u.ModuleName == ".." || strings.ContainsRune(u.ModuleName, 0) {
		return "", fmt.Errorf("%w: module-name %q is a path: use module-path", ErrNoModule, u.ModuleName)
	}
	for _, folder := range folders {
		for _, name := range fileNames(u.ModuleName) {
			path := filepath.Join(folder, name)
			if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
				return path, nil
			}
		}
	}
	return "", fmt.Errorf("%w: %s is in none of %s", ErrNoModule, u.ModuleName, strings.Join(folders, ", "))
}

// fileNames are the files that a module of this name may be in: RFC 7512 section 2.3 has it without lib and suffix.
func fileNames(name string) []string {
	var names []string
	for _, suffix := range suffixes {
		if strings.HasSuffix(name, suffix) {
			return []string{name, "lib" + name}
		}
		names = append(names, name+suffix, "lib"+name+suffix)
	}
	return names
}

// existing are the folders of a list of patterns that are there.
func existing(patterns ...string) []string {
	var folders []string
	for _, pattern := range patterns {
		found, _ := filepath.Glob(pattern) // its one error is a bad pattern
		folders = append(folders, found...)
	}
	return folders
}
