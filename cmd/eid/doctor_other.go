//go:build !unix

package main

// serviceFault has nothing to look at before the library does: the Smart Card service of Windows starts by itself.
func serviceFault() (hint, detail string) { return "", "" }
