//go:build !cgo

package pkcs11

// load says what is missing: modules are C libraries.
func load(string) (cryptoki, error) { return nil, ErrNoCgo }
