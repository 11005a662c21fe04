//go:build cgo || windows

package pcsc

// StatusChange is for the test that names stay in memory during the call.
var StatusChange = statusChange
