//go:build cgo && !soak

package pkcs11

// openSCProfiles are the cards that OpenSC is tried with; the soak test has more.
var openSCProfiles = []string{"citizen-1.7"}
