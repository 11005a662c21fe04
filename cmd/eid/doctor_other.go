//go:build !unix

package main

// serviceStart says how the smart card service is started, serviceRestart how it is started anew. Windows runs it only while a reader
// is plugged in.
func serviceStart() string   { return "plug the card reader in; as administrator: sc start SCardSvr" }
func serviceRestart() string { return "as administrator: sc stop SCardSvr, then sc start SCardSvr" }

// serviceFault has nothing to look at before the library does: the Smart Card service of Windows starts by itself.
func serviceFault() (hint, detail string) { return "", "" }
