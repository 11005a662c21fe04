package pkcs11

var suffixes = []string{".dylib", ".so"}

// moduleFolders are those of the system, of installers, of Homebrew and of MacPorts.
func moduleFolders() []string {
	return existing("/Library/OpenSC/lib", "/Library/*/lib", "/usr/local/lib/pkcs11", "/usr/local/lib", "/usr/local/lib/softhsm",
		"/opt/homebrew/lib", "/opt/homebrew/lib/softhsm", "/opt/local/lib")
}
