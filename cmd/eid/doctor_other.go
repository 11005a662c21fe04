//go:build !unix

package main

// serviceHint says how the smart card service is started. Windows runs it only while a reader is plugged in.
const serviceHint = "plug the card reader in and start the service \"Smart Card\" (as administrator: sc start SCardSvr)"

// serviceRestart says how it is started anew.
const serviceRestart = "as administrator: sc stop SCardSvr, then sc start SCardSvr"

// serviceFault has nothing to look at before the library does: the Smart Card service of Windows starts by itself.
func serviceFault() (hint, detail string) { return "", "" }
