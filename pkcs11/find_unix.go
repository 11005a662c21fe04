//go:build !windows && !darwin

package pkcs11

var suffixes = []string{".so"}

// moduleFolders are where distributions put modules: a folder of their own, or among the libraries.
func moduleFolders() []string {
	return existing("/usr/lib/*/pkcs11", "/usr/lib64/pkcs11", "/usr/lib/pkcs11", "/usr/local/lib/pkcs11",
		"/usr/lib/*-linux-*", "/usr/lib64", "/usr/lib", "/usr/local/lib64", "/usr/local/lib",
		"/usr/lib/softhsm", "/usr/lib/*/softhsm", "/usr/lib64/softhsm", "/usr/local/lib/softhsm")
}
