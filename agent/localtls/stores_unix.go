//go:build !windows && !darwin

package localtls

import (
	"context"
	"os"
	"path/filepath"
)

// stores are those of this user's browsers: the shared one of Chrome, Chromium and Edge, those of browsers in a box of their own, and
// one for each profile of Firefox.
func stores(_ context.Context, o Options) []store {
	home := o.home()
	list := []store{nssStore("Chrome, Chromium, Edge", filepath.Join(home, ".pki", "nssdb"))}
	for _, boxed := range []struct{ name, dir string }{
		{"Chromium (snap)", "snap/chromium/current/.pki/nssdb"},
		{"Chrome (Flatpak)", ".var/app/com.google.Chrome/.pki/nssdb"},
		{"Chromium (Flatpak)", ".var/app/org.chromium.Chromium/.pki/nssdb"},
	} {
		dir := filepath.Join(home, filepath.FromSlash(boxed.dir))
		if _, err := os.Stat(filepath.Join(dir, "cert9.db")); err == nil {
			list = append(list, nssStore(boxed.name, dir))
		}
	}
	return append(list, firefoxStores(filepath.Join(home, ".mozilla", "firefox"), filepath.Join(home, "snap", "firefox", "common", ".mozilla", "firefox"),
		filepath.Join(home, ".var", "app", "org.mozilla.firefox", ".mozilla", "firefox"))...)
}
